"""`/v1/chat/completions`: every role of every turn is checked, then every answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from normwright.records import Exchange, GuardVerdict
from normwright.web.guard.answers import (
    FILTERED,
    Message,
    Writing,
    at_most,
    check_whole,
    finish_of,
    index_of,
    logprobs_of,
    message_json,
    read_message,
    refused_message,
    usage_of,
)
from normwright.web.guard.choices import ChoiceStream, choices_of, head, streamed
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
    many = True

    def choosable(self, body: Mapping[str, Any]) -> bool:
        """Say whether one of several answers can be given."""
        return True

    def answers(self, body: Mapping[str, Any], most: int) -> list[Mapping[str, Any]]:
        """Return the answers of a whole reply."""
        return choices_of(body, most)

    def said(self, answer: Mapping[str, Any]) -> Message:
        """Return everything that one of them says."""
        return read_message(answer.get("message"))

    def joined(
        self, body: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return a reply with these answers in place of its own."""
        return {**body, "choices": [{**a, "index": i} for i, a in enumerate(answers)]}

    def events(self, body: Mapping[str, Any], most: int) -> bytes:
        """Return a whole reply as the stream it might have come in."""
        return streamed(body, [_as_delta(choice) for choice in choices_of(body, most)])

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


class ChatStream(ChoiceStream):
    """A stream of chat completions."""

    kind = "chat.completion.chunk"
    prefix = "chatcmpl"

    def end(self) -> None:
        """See that every answer has its end, and how many there are.

        Raises:
            Malformed: if an answer has no end.
        """
        super().end()
        for place in range(self.asked.n):
            if place not in self._choices:
                self.case.degrade("upstream: fewer answers than asked for")

    def refused(self, verdict: GuardVerdict) -> list[bytes]:
        """Return the whole stream of a request that was refused before the model was asked."""
        out = super().refused(verdict)
        if self.asked.usage:
            out.append(event({**self._head, "choices": [], "usage": NOTHING}))
        return out

    def _add(self, writing: Writing, choice: Mapping[str, Any]) -> None:
        _take_delta(writing, choice)

    def _chunks(self, writing: Writing, pieces: Mapping[str, str]) -> list[bytes]:
        return [
            self._delta(writing, {name: piece}, tokens=writing.covered(name))
            for name, piece in pieces.items()
        ]

    def _rest(self, writing: Writing, message: Message, verdict: GuardVerdict) -> Iterator[bytes]:
        yield from self._chunks(writing, writing.rest(verdict, before=len(self.case.prefill)))
        if message.calls and writing.legacy:
            yield self._delta(writing, {"function_call": message.calls[0]["function"]})
        elif message.calls:
            yield self._delta(writing, {"tool_calls": _placed(message)})
        yield self._delta(writing, {}, finish=writing.finish)

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


NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _as_delta(choice: Mapping[str, Any]) -> dict[str, Any]:
    said = read_message(choice.get("message"))
    delta: dict[str, Any] = dict(said.texts)
    if choice["message"].get("function_call"):
        delta["function_call"] = said.calls[-1]["function"]
    elif said.calls:
        delta["tool_calls"] = _placed(said)
    rest = {k: choice[k] for k in ("index", "finish_reason", "logprobs") if k in choice}
    return {"finish_reason": "stop", **rest, "delta": delta}


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
