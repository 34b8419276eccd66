"""`/v1/chat/completions`: every role of every turn is checked, then every answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from normwright.records import Exchange, GuardVerdict
from normwright.web.guard.answers import (
    FILTERED,
    Message,
    Writing,
    at_most,
    check_begun,
    check_whole,
    finish_of,
    index_of,
    logprobs_of,
    message_json,
    read_message,
    refused_message,
    usage_of,
)
from normwright.web.guard.desk import Case
from normwright.web.guard.flowing import Asked, EventStream, blocked, send
from normwright.web.guard.reading import exchange_of, flag, number
from normwright.web.guard.sse import Malformed, event
from normwright.web.guard.telling import moderation

PATH = "/chat/completions"


async def chat(request: Request) -> Response:
    """Answer one request."""
    return await send(request, "chat", ChatForm())


class ChatForm:
    """How chat completions are read and written."""

    path = PATH
    operation = "chat"

    def exchange(self, body: Mapping[str, Any]) -> Exchange:
        """Return what is to be checked of a request."""
        return exchange_of(body)

    def wanted(self, body: Mapping[str, Any], most: int) -> tuple[bool, int]:
        """Return whether a stream is wanted, and how many answers."""
        return flag(body, "stream"), number(body, "n", 1, most)

    def refused(self, asked: Asked, case: Case, verdict: GuardVerdict) -> dict[str, Any]:
        """Return the body of a request that was refused before the model was asked."""
        choices = [
            {
                "index": place,
                "message": refused_message(case, verdict),
                "finish_reason": FILTERED,
                "logprobs": None,
            }
            for place in range(asked.n)
        ]
        return {**head(asked, {}, "chat.completion"), "choices": choices, "usage": NOTHING,
                "moderation": moderation(case)}  # fmt: skip

    async def whole(
        self, asked: Asked, case: Case, exchange: Exchange, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the checked form of a whole reply.

        Raises:
            Malformed: if the reply is none.
        """
        choices = []
        stopped: GuardVerdict | None = None
        for choice in at_most(body.get("choices"), asked.most):
            if not isinstance(choice, dict):
                raise Malformed("a choice that is none")
            place = index_of(choice, asked.most)
            message = read_message(choice.get("message"))
            verdict, good = await check_whole(case, exchange, message)
            if good:
                legacy = bool(choice["message"].get("function_call"))
                shown = message_json(message, verdict, legacy=legacy, before=len(case.prefill))
                finish = finish_of(choice.get("finish_reason"))
                # Tokens would tell what was masked.
                tokens = None if verdict.spans else logprobs_of(choice.get("logprobs"))
            else:
                stopped = verdict
                case.outcome = blocked(verdict)
                shown, finish, tokens = refused_message(case, verdict), FILTERED, None
            choices.append(
                {"index": place, "message": shown, "finish_reason": finish, "logprobs": tokens}
            )
        if not choices:
            raise Malformed("a reply without an answer")
        out = {**head(asked, body, "chat.completion"), "choices": choices}
        if (usage := usage_of(body.get("usage"))) is not None:
            out["usage"] = usage
        if stopped is not None or asked.scored:
            out["moderation"] = moderation(case)
        return out

    def stream(self, asked: Asked, case: Case, exchange: Exchange) -> EventStream:
        """Return what turns the upstream's stream into a checked one."""
        return ChatStream(asked, case, exchange)


class ChatStream(EventStream):
    """A stream of chat completions, each choice held back by itself."""

    def __init__(self, asked: Asked, case: Case, exchange: Exchange) -> None:
        super().__init__(asked, case, exchange)
        self._choices: dict[int, Writing] = {}
        self._head: dict[str, Any] = {}

    @property
    def stopped(self) -> bool:
        """Whether every answer that was asked for has been stopped."""
        return len(self._choices) >= self.asked.n and all(c.over for c in self._choices.values())

    async def take(self, body: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """Yield what one event of the upstream lets go."""
        if not self._head:
            self._head = head(self.asked, body, "chat.completion.chunk")
        for choice in at_most(body.get("choices", []), self.asked.most):
            if not isinstance(choice, dict):
                raise Malformed("a choice that is none")
            place = index_of(choice, self.asked.most)
            writing = self._choices.get(place)
            if writing is None:
                writing = self._choices[place] = Writing(place, self.case.desk.settings)
            if writing.over or writing.finish is not None:
                continue
            _take_delta(writing, choice)
            pieces, verdict = await check_begun(self.case, self.exchange, writing)
            for chunk in self._chunks(writing, pieces):
                yield chunk
            if verdict is not None:
                yield self._stop(writing, verdict)
            elif choice.get("finish_reason") is not None:
                writing.finish = finish_of(choice["finish_reason"])
                async for chunk in self._finish(writing):
                    yield chunk
        usage = usage_of(body.get("usage"))
        if usage is not None and self.asked.usage:
            yield event({**self._head, "choices": [], "usage": usage})

    def end(self) -> None:
        """See that every answer has its end when the upstream has said its last.

        Raises:
            Malformed: if an answer has no end.
        """
        if not self._choices or any(
            c.finish is None and not c.over for c in self._choices.values()
        ):
            raise Malformed("a stream that breaks off")
        for place in range(self.asked.n):
            if place not in self._choices:
                self.case.degrade("upstream: fewer answers than asked for")

    async def _finish(self, writing: Writing) -> AsyncIterator[bytes]:
        writing.close()
        message = writing.message()
        verdict, good = await check_whole(self.case, self.exchange, message)
        if not good:
            writing.block()
            yield self._stop(writing, verdict)
            return
        self.case.note("answer", verdict)
        for chunk in self._chunks(writing, writing.rest(verdict, before=len(self.case.prefill))):
            yield chunk
        if message.calls and writing.legacy:
            yield self._delta(writing, {"function_call": message.calls[0]["function"]})
        elif message.calls:
            yield self._delta(writing, {"tool_calls": _placed(message)})
        yield self._delta(writing, {}, finish=writing.finish)

    def _chunks(self, writing: Writing, pieces: Mapping[str, str]) -> list[bytes]:
        return [
            self._delta(writing, {name: piece}, tokens=writing.covered(name))
            for name, piece in pieces.items()
        ]

    def _stop(self, writing: Writing, verdict: GuardVerdict) -> bytes:
        self.case.outcome = blocked(verdict)
        self.case.note("answer", verdict)
        return self._refusal(writing, verdict)

    def _refusal(self, writing: Writing, verdict: GuardVerdict) -> bytes:
        text = refused_message(self.case, verdict)["content"]
        shown = f"\n\n{text}" if writing.begun else text
        return self._delta(
            writing, {"content": shown, "refusal": text}, finish=FILTERED,
            more={"moderation": moderation(self.case)},
        )  # fmt: skip

    def _delta(
        self,
        writing: Writing,
        delta: dict[str, Any],
        *,
        finish: str | None = None,
        tokens: list[dict[str, Any]] | None = None,
        more: Mapping[str, Any] = {},
    ) -> bytes:
        if not writing.begun:
            delta = {"role": "assistant", **delta}
            writing.begun = True
        logprobs = {"content": tokens, "refusal": None} if tokens else None
        choice = {
            "index": writing.index,
            "delta": delta,
            "finish_reason": finish,
            "logprobs": logprobs,
        }
        return event({**self._head, "choices": [choice], **more})

    def refused(self, verdict: GuardVerdict) -> list[bytes]:
        """Return the whole stream of a request that was refused before the model was asked."""
        self._head = head(self.asked, {}, "chat.completion.chunk")
        settings = self.case.desk.settings
        out = [self._refusal(Writing(place, settings), verdict) for place in range(self.asked.n)]
        if self.asked.usage:
            out.append(event({**self._head, "choices": [], "usage": NOTHING}))
        return out


NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _take_delta(writing: Writing, choice: Mapping[str, Any]) -> None:
    delta = choice.get("delta")
    if delta is None:
        return
    if not isinstance(delta, dict):
        raise Malformed("a choice without a delta")
    if delta.get("audio") is not None:
        raise Malformed("sound, which cannot be checked")
    for name in ("content", "reasoning_content", "reasoning", "refusal"):
        writing.add(name, delta.get(name))
    if delta.get("tool_calls"):
        writing.add_calls(delta["tool_calls"])
    if delta.get("function_call"):
        writing.legacy = True
        writing.add_calls([{"index": 0, "function": delta["function_call"]}])
    writing.add_tokens(choice.get("logprobs"))


def _placed(message: Message) -> list[dict[str, Any]]:
    return [{"index": i, **call} for i, call in enumerate(message.calls)]


def head(
    asked: Asked, body: Mapping[str, Any], kind: str, prefix: str = "chatcmpl"
) -> dict[str, Any]:
    """Return what stands above every answer; names of the upstream if they are names."""
    created = body.get("created")
    made: dict[str, Any] = {
        "id": word(body.get("id")) or f"{prefix}-{asked.verdict_id.removeprefix('vrd_')}",
        "object": kind,
        "created": created if isinstance(created, int) else int(time.time()),
        "model": word(body.get("model")) or asked.model,
    }
    for name in ("system_fingerprint", "service_tier"):
        if told := word(body.get(name)):
            made[name] = told
    return made


def word(value: Any) -> str:
    """Return a name without spaces, "" for anything that could be a sentence."""
    plain = isinstance(value, str) and value.isascii() and value.isprintable()
    return value if plain and len(value) <= 200 and " " not in value else ""
