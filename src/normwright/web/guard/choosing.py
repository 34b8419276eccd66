"""Several answers asked of the upstream, of which the best that the norms allow goes on.

Each candidate is screened; a reward orders those that pass, and the check of the reward has its say
where it is bound to a norm. What is chosen is then checked like any answer, so that nothing leaves
for having been chosen. Where none passes, the mildest goes on to be refused with its own verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from normwright.guard.rewards import Reward
from normwright.records import GUARD_ACTIONS, Exchange, GuardVerdict
from normwright.web.guard.answers import Message, with_answer
from normwright.web.guard.desk import Candidates, Case, passes
from normwright.web.guard.sse import Malformed
from normwright.web.guard.upstream import Reply, Upstream, UpstreamFailed

_AT_ONCE = 4
"""Requests to the upstream at once, for one of ours."""
_NOT_MANY = frozenset({400, 404, 413, 422, 501})
"""What an upstream answers that does not know `n`, or gives fewer at once."""


class Unchosen(Exception):
    """No answer may be given because the reward could not be asked; it has the verdict of that."""

    def __init__(self, verdict: GuardVerdict) -> None:
        super().__init__("the reward could not be asked")
        self.verdict = verdict


class Choosable(Protocol):
    """What choosing needs to know about a form."""

    @property
    def many(self) -> bool:
        """Whether an upstream can be asked for several answers at once."""
        ...

    def answers(self, body: Mapping[str, Any], most: int) -> Sequence[Mapping[str, Any]]:
        """Return the answers of a whole reply, each as it stands there."""
        ...

    def said(self, answer: Mapping[str, Any]) -> Message:
        """Return everything that one of them says."""
        ...

    def joined(
        self, body: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return a reply with these answers in place of its own."""
        ...

    def events(self, body: Mapping[str, Any], most: int) -> bytes:
        """Return a whole reply as the stream it might have come in."""
        ...


@dataclass(frozen=True)
class _Candidate:
    """One answer with what was found about it."""

    answer: Mapping[str, Any]
    verdict: GuardVerdict
    score: float

    @property
    def place(self) -> tuple[int, float]:
        """By what is done about it, then by its score; whatever passes is equal in the first."""
        good = passes(self.verdict)
        return (0 if good else GUARD_ACTIONS.index(self.verdict.action), -self.score)


@dataclass(frozen=True)
class BestOf:
    """An upstream as one request sees it, of whose answers the best is given."""

    upstream: Upstream
    form: Choosable
    case: Case
    exchange: Exchange
    reward: Reward
    n: int
    """Answers that are wanted."""
    best_of: int
    """Answers that are asked for."""

    async def ask(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """Return a reply that holds the best answers alone.

        Raises:
            UpstreamFailed: if the upstream gives no answer at all.
            Malformed: if none of its answers can be read.
            Unchosen: if the reward fails.
        """
        replies = await self._replies(path, body, headers)
        most = self.case.desk.settings.limits.choices
        answers = [a for r in replies for a in self.form.answers(r.body, most)]
        found = await self._looked_at(answers[: max(self.best_of, self.n)])
        chosen = sorted(found, key=lambda c: c.place)[: self.n]
        self.case.candidates = Candidates(
            len(found),
            sum(passes(c.verdict) for c in found),
            tuple(round(c.score, 4) for c in chosen if passes(c.verdict)),
        )
        whole = {**replies[0].body}
        if len(replies) > 1 and (used := [r.body.get("usage") for r in replies]) and all(used):
            whole["usage"] = _summed(used)
        return Reply(self.form.joined(whole, [c.answer for c in chosen]), replies[0].headers)

    @asynccontextmanager
    async def stream(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the best answers as a stream, which begins when they are chosen."""
        reply = await self.ask(path, body, headers)
        events = self.form.events(reply.body, self.case.desk.settings.limits.choices)

        async def one() -> AsyncIterator[bytes]:
            yield events

        yield one()

    async def _replies(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> list[Reply]:
        """Return as many replies as it takes: one, if the upstream knows how to give several."""
        left = ("stream", "stream_options", "n", "best_of")
        plain = {k: v for k, v in body.items() if k not in left}
        # The answer of temperature 0 is one and the same however often it is asked for.
        wanted = self.n if body.get("temperature") == 0 else max(self.best_of, self.n)
        replies: list[Reply] = []
        if self.form.many and wanted > 1:
            try:
                replies.append(await self.upstream.ask(path, {**plain, "n": wanted}, headers))
            except UpstreamFailed as error:
                if error.status not in _NOT_MANY:
                    raise
        elif wanted == 1:
            return [await self.upstream.ask(path, plain, headers)]
        most = self.case.desk.settings.limits.choices
        got = sum(len(self.form.answers(r.body, most)) for r in replies)
        return [*replies, *await self._one_by_one(path, plain, headers, got, wanted)]

    async def _one_by_one(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str], got: int, wanted: int
    ) -> list[Reply]:
        """Ask for one answer at a time; some may fail, and that is named, but not all."""
        room = asyncio.Semaphore(_AT_ONCE)
        seed = body.get("seed")

        async def one(place: int) -> Reply | Exception:
            own = dict(body)
            if isinstance(seed, int) and not isinstance(seed, bool):
                own["seed"] = seed + place
            async with room:
                try:
                    return await self.upstream.ask(path, own, headers)
                except (UpstreamFailed, Malformed) as error:
                    return error

        found = await asyncio.gather(*(one(place) for place in range(got, wanted)))
        replies = [r for r in found if isinstance(r, Reply)]
        failed = [r for r in found if isinstance(r, Exception)]
        if failed and not replies and not got:
            raise failed[0]
        if failed:
            self.case.degrade("upstream: fewer answers than asked for")
        return replies

    async def _looked_at(self, answers: Sequence[Mapping[str, Any]]) -> list[_Candidate]:
        read: list[tuple[Mapping[str, Any], Exchange, str]] = []
        unread: Malformed | None = None
        for answer in answers:
            try:
                text = self.form.said(answer).answer()
            except Malformed as error:
                unread = error
                continue
            read.append((answer, with_answer(self.exchange, self.case.prefill + text), text))
        if not read:
            raise unread or Malformed("a reply without an answer")
        try:
            scores = await self.case.desk.beside(
                lambda: self.reward.scores(self.exchange, [e.answer or "" for _, e, _ in read])
            )
        # A reward that fails cannot choose; what it was to choose from is not given blindly.
        except Exception as error:  # noqa: BLE001
            raise Unchosen(self.case.deny(read[0][1], f"reward: {type(error).__name__}")) from None
        return [
            _Candidate(answer, await self.case.tried(exchange), score)
            for (answer, exchange, _), score in zip(read, scores, strict=True)
        ]


def _summed(used: Sequence[Any]) -> Any:
    """Return counts added up, part by part; what is no number in one of them is left out."""
    if all(isinstance(u, dict) for u in used):
        shared = [k for k in used[0] if all(k in u for u in used)]
        return {k: v for k in shared if (v := _summed([u[k] for u in used])) is not None}
    if all(isinstance(u, int | float) and not isinstance(u, bool) for u in used):
        return sum(used)
    return None
