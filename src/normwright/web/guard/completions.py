"""`/v1/completions`: the older form, in which a prompt is a text and not a conversation."""

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
    masked,
    usage_of,
)
from normwright.web.guard.chat import NOTHING
from normwright.web.guard.choices import ChoiceStream, choices_of, head, streamed
from normwright.web.guard.desk import Case
from normwright.web.guard.faults import Refused
from normwright.web.guard.flowing import Asked, EventStream, blocked, send
from normwright.web.guard.reading import exchange_of, flag, number
from normwright.web.guard.sse import Malformed, event
from normwright.web.guard.telling import moderation, refusal

KIND = "text_completion"


async def completions(request: Request) -> Response:
    """Answer one request."""
    return await send(request, "completions", CompletionForm())


class CompletionForm:
    """How completions are read and written."""

    path = "/completions"
    operation = "text_completion"
    many = True

    def choosable(self, body: Mapping[str, Any]) -> bool:
        """Say whether one of several answers can be given: to one prompt, not to several."""
        return len(_prompts(body.get("prompt"))) == 1

    def answers(self, body: Mapping[str, Any], most: int) -> list[Mapping[str, Any]]:
        """Return the answers of a whole reply."""
        return choices_of(body, most)

    def said(self, answer: Mapping[str, Any]) -> Message:
        """Return what one of them says.

        Raises:
            Malformed: if it is no text.
        """
        text = answer.get("text")
        if not isinstance(text, str):
            raise Malformed("a choice that is none")
        return Message({"content": text})

    def joined(
        self, body: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return a reply with these answers in place of its own."""
        return {**body, "choices": [{**a, "index": i} for i, a in enumerate(answers)]}

    def events(self, body: Mapping[str, Any], most: int) -> bytes:
        """Return a whole reply as the stream it might have come in."""
        return streamed(body, [{"finish_reason": "stop", **c} for c in choices_of(body, most)])

    def exchange(self, body: Mapping[str, Any]) -> Exchange:
        """Return what is to be checked of a request: each prompt, and what is to follow it.

        Raises:
            Refused: for prompts that are no text, such as numbers of tokens: nobody can read them.
        """
        prompts = _prompts(body.get("prompt"))
        rest = {k: v for k, v in body.items() if k != "prompt"}
        messages = [{"role": "user", "content": prompt} for prompt in prompts]
        return exchange_of({**rest, "messages": messages})

    def wanted(self, body: Mapping[str, Any], most: int) -> tuple[bool, int]:
        """Return whether a stream is wanted, and how many answers."""
        n = number(body, "n", 1, most) * max(1, len(_prompts(body.get("prompt"))))
        if n > most:
            raise Refused(400, "invalid_request", f"At most {most} answers are given at once.")
        return flag(body, "stream"), n

    def refused(self, asked: Asked, case: Case, verdict: GuardVerdict) -> dict[str, Any]:
        """Return the body of a request that was refused before the model was asked."""
        text = refusal(case, verdict)
        choices = [_choice(place, text, FILTERED) for place in range(asked.n)]
        return {**head(asked, {}, KIND, "cmpl"), "choices": choices, "usage": NOTHING,
                "moderation": moderation(case)}  # fmt: skip

    async def whole(
        self, asked: Asked, case: Case, exchange: Exchange, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the checked form of a whole reply.

        Raises:
            Malformed: if the reply is none.
        """
        choices = []
        stopped = False
        for choice in at_most(body.get("choices"), asked.most):
            if not isinstance(choice, dict) or not isinstance(choice.get("text"), str):
                raise Malformed("a choice that is none")
            place, text = index_of(choice, asked.most), choice["text"]
            verdict, good = await check_whole(case, exchange, Message({"content": text}))
            if good:
                tokens = None if verdict.spans else _logprobs(choice.get("logprobs"))
                finish = finish_of(choice.get("finish_reason"))
                choices.append(_choice(place, masked(text, verdict), finish, tokens))
            else:
                stopped, case.outcome = True, blocked(verdict)
                choices.append(_choice(place, refusal(case, verdict), FILTERED))
        if not choices:
            raise Malformed("a reply without an answer")
        out = {**head(asked, body, KIND, "cmpl"), "choices": choices}
        if (usage := usage_of(body.get("usage"))) is not None:
            out["usage"] = usage
        if stopped or asked.scored:
            out["moderation"] = moderation(case)
        return out

    def stream(self, asked: Asked, case: Case, exchange: Exchange) -> EventStream:
        """Return what turns the upstream's stream into a checked one."""
        return CompletionStream(asked, case, exchange)


class CompletionStream(ChoiceStream):
    """A stream of completions; without log-probabilities."""

    kind = KIND
    prefix = "cmpl"

    def _add(self, writing: Writing, choice: Mapping[str, Any]) -> None:
        writing.add("content", choice.get("text"))

    def _chunks(self, writing: Writing, pieces: Mapping[str, str]) -> Iterator[bytes]:
        return (self._event(writing, piece) for piece in pieces.values())

    def _rest(self, writing: Writing, message: Message, verdict: GuardVerdict) -> Iterator[bytes]:
        rest = "".join(writing.rest(verdict, before=0).values())
        yield self._event(writing, rest, writing.finish)

    def _refusal(self, writing: Writing, verdict: GuardVerdict) -> bytes:
        text = refusal(self.case, verdict)
        shown = f"\n\n{text}" if writing.begun else text
        return self._event(writing, shown, FILTERED, {"moderation": moderation(self.case)})

    def _event(
        self,
        writing: Writing,
        text: str,
        finish: str | None = None,
        more: Mapping[str, Any] = {},
    ) -> bytes:
        writing.begun = writing.begun or bool(text)
        return event({**self._head, "choices": [_choice(writing.index, text, finish)], **more})


def _choice(
    place: int, text: str, finish: str | None, tokens: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"index": place, "text": text, "finish_reason": finish, "logprobs": tokens}


def _prompts(value: Any) -> list[str]:
    """Return the prompts of a request.

    Raises:
        Refused: if they are no texts.
    """
    prompts = [value] if isinstance(value, str) else value
    if not isinstance(prompts, list) or not prompts or not all(isinstance(p, str) for p in prompts):
        raise Refused(
            400, "invalid_request", "`prompt` must be a text or a list of texts: what is no text "
            "cannot be checked.",
        )  # fmt: skip
    return prompts


def _logprobs(value: Any) -> dict[str, Any] | None:
    """Return log-probabilities of the answer's own tokens; alternatives stay away."""
    if not isinstance(value, dict):
        return None
    tokens, numbers, places = (value.get(n) for n in ("tokens", "token_logprobs", "text_offset"))
    if not isinstance(tokens, list) or not all(isinstance(t, str) for t in tokens):
        return None
    return {
        "tokens": tokens,
        "token_logprobs": _as_numbers(numbers),
        "text_offset": _as_numbers(places),
        "top_logprobs": _best(value.get("top_logprobs"), tokens),
    }


def _as_numbers(value: Any) -> list[float | None]:
    if not isinstance(value, list):
        return []
    return [v if isinstance(v, int | float) and not isinstance(v, bool) else None for v in value]


def _best(value: Any, tokens: list[str]) -> list[dict[str, float]] | None:
    """Return at each place the answer's own token, and how probable the best other one was.

    Which one that was stays away: it is no part of the answer, so that nobody checked it.
    """
    if not isinstance(value, list):
        return None
    out: list[dict[str, float]] = []
    for token, found in zip(tokens, value, strict=False):
        given = found if isinstance(found, dict) else {}
        numbers = {k: v for k, v in given.items() if isinstance(v, int | float)}
        own = {token: numbers[token]} if token in numbers else {}
        others = [v for k, v in numbers.items() if k != token]
        out.append({**own, "": max(others)} if others else own)
    return out
