"""Streams of answers that are numbered choices, each held back by itself."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from normwright.records import Exchange, GuardVerdict
from normwright.web.guard.answers import (
    Message,
    Writing,
    at_most,
    check_begun,
    check_whole,
    finish_of,
    index_of,
    usage_of,
)
from normwright.web.guard.desk import Case
from normwright.web.guard.flowing import Asked, EventStream, blocked
from normwright.web.guard.sse import DONE, Malformed, event


class ChoiceStream(EventStream):
    """What forms with choices share; how a choice is read and written is theirs."""

    kind: str
    """What an event calls itself."""
    prefix: str
    """How ids begin that are made here."""

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
            self._head = head(self.asked, body, self.kind, self.prefix)
        for choice in at_most(body.get("choices", []), self.asked.most):
            if not isinstance(choice, dict):
                raise Malformed("a choice that is none")
            place = index_of(choice, self.asked.most)
            writing = self._choices.get(place)
            if writing is None:
                writing = self._choices[place] = Writing(place, self.case.settings)
            if writing.over or writing.finish is not None:
                continue
            self._add(writing, choice)
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
        writing = self._choices.values()
        if not writing or any(c.finish is None and not c.over for c in writing):
            raise Malformed("a stream that breaks off")

    def refused(self, verdict: GuardVerdict) -> list[bytes]:
        """Return the whole stream of a request that was refused before the model was asked."""
        self._head = head(self.asked, {}, self.kind, self.prefix)
        settings = self.case.desk.settings
        return [self._refusal(Writing(place, settings), verdict) for place in range(self.asked.n)]

    async def _finish(self, writing: Writing) -> AsyncIterator[bytes]:
        writing.close()
        message = writing.message()
        verdict, good = await check_whole(self.case, self.exchange, message)
        if not good:
            writing.block()
            yield self._stop(writing, verdict)
            return
        self.case.note("answer", verdict)
        for chunk in self._rest(writing, message, verdict):
            yield chunk

    def _stop(self, writing: Writing, verdict: GuardVerdict) -> bytes:
        self.case.outcome = blocked(verdict)
        self.case.note("answer", verdict)
        return self._refusal(writing, verdict)

    def _add(self, writing: Writing, choice: Mapping[str, Any]) -> None:
        """Take what a choice brings."""
        raise NotImplementedError

    def _chunks(self, writing: Writing, pieces: Mapping[str, str]) -> Iterable[bytes]:
        """Return the events for pieces that may go."""
        raise NotImplementedError

    def _rest(self, writing: Writing, message: Message, verdict: GuardVerdict) -> Iterable[bytes]:
        """Return the events that end an answer which passed."""
        raise NotImplementedError

    def _refusal(self, writing: Writing, verdict: GuardVerdict) -> bytes:
        """Return the event that ends an answer which did not."""
        raise NotImplementedError


def choices_of(body: Mapping[str, Any], most: int) -> list[Mapping[str, Any]]:
    """Return the choices of a whole reply.

    Raises:
        Malformed: if it has none, or too many.
    """
    found = at_most(body.get("choices"), most)
    if not found or not all(isinstance(choice, dict) for choice in found):
        raise Malformed("a choice that is none")
    return list(found)


def streamed(body: Mapping[str, Any], choices: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a whole reply as a stream: an event a choice, the counts, and the end."""
    above = {k: v for k, v in body.items() if k not in ("choices", "usage")}
    out = [event({**above, "choices": [choice]}) for choice in choices]
    out.append(event({**above, "choices": [], "usage": body.get("usage")}))
    return b"".join([*out, DONE])


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
