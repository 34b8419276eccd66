"""The integrity report, and the one rule of which answer counts: the last."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from normwright.elicit.files import Faults
from normwright.records import IntegrityFault, Participant, Statement, Vote

_EXAMPLES = 5
STRAIGHT = 10
"""Votes from which identical answers to everything are reported."""


class Cast(NamedTuple):
    """One answer as it stands in a file, before it is known whether it counts."""

    where: str
    actor: str
    item: str
    value: str
    time: int
    """As written, in the unit of the file; 0 if not recorded."""
    line: int


@dataclass
class Report:
    """Collects findings by kind; each keeps its policy and up to five places."""

    _policy: dict[str, str] = field(default_factory=dict)
    _places: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _count: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, policy: str, where: str, count: int = 1) -> None:
        """Note one finding, for `count` rows."""
        self._policy[kind] = policy
        self._count[kind] += count
        if len(self._places[kind]) < _EXAMPLES:
            self._places[kind].append(where)

    def faults(self) -> tuple[IntegrityFault, ...]:
        """Return the report, by kind."""
        return tuple(
            IntegrityFault(
                kind=kind,
                count=self._count[kind],
                policy=self._policy[kind],
                examples=tuple(self._places[kind]),
            )
            for kind in sorted(self._policy)
        )


MILLISECONDS = 10**11
"""Seconds reach this in the year 5138, milliseconds reached it in 1973."""


def seconds(time: int) -> int:
    """Return a time in seconds, whichever of the two units it was written in."""
    return time // 1000 if time >= MILLISECONDS else time


def last_of_each(casts: Sequence[Cast], report: Report, table: str) -> list[Cast]:
    """Return the answer that counts for each actor and item, in file order.

    The last is the one with the latest time, then the latest line. Where some rows have no time,
    times cannot order them all, and the line alone decides.
    """
    timed = all(c.time for c in casts)
    if not timed and any(c.time for c in casts):
        first = next(c for c in casts if not c.time)
        report.add(
            f"untimed-{table}", "file order decides which answer is the last", first.where,
            sum(not c.time for c in casts),
        )  # fmt: skip
    last: dict[tuple[str, str], Cast] = {}
    for cast in casts:
        key = (cast.actor, cast.item)
        before = last.get(key)
        if before is None:
            last[key] = cast
            continue
        report.add(f"duplicate-{table}", "the last answer of a person counts", cast.where)
        mine, theirs = seconds_fine(cast), seconds_fine(before)
        if not timed or (mine, cast.line) >= (theirs, before.line):
            last[key] = cast
    milliseconds = [c for c in casts if c.time >= MILLISECONDS]
    in_seconds = [c for c in casts if 0 < c.time < MILLISECONDS]
    if milliseconds and in_seconds:
        policy = "some times are seconds and some milliseconds; each is read as what it is"
        report.add("mixed-time-units", policy, in_seconds[0].where, len(in_seconds))
    if milliseconds:
        report.add(
            f"milliseconds-{table}", "times were milliseconds and are kept in seconds",
            milliseconds[0].where, len(milliseconds),
        )  # fmt: skip
    return sorted(last.values(), key=lambda c: c.line)


def seconds_fine(cast: Cast) -> float:
    """Return the time in seconds without rounding, to order answers of the same second."""
    return cast.time / 1000 if cast.time >= MILLISECONDS else float(cast.time)


def check_votes(
    votes: Sequence[Vote],
    participants: Sequence[Participant],
    statements: Sequence[Statement],
    report: Report,
    *,
    places: Mapping[str, str],
) -> None:
    """Report who answered everything alike, who or what has no vote, and votes nobody may count.

    Args:
        votes: votes that count.
        participants: who took part.
        statements: what was asked.
        report: where it is noted.
        places: participant -> where they stand in the files. The report becomes part of a record,
            which outlives a person's withdrawal, so it never names anybody.
    """
    by_actor: dict[str, list[str]] = defaultdict(list)
    for vote in votes:
        by_actor[vote.participant].append(vote.value)
    for actor, values in by_actor.items():
        if len(values) >= STRAIGHT and len(set(values)) == 1:
            report.add("straight-liners", "kept; every answer is the same", places[actor])
    for person in participants:
        if person.id not in by_actor:
            report.add("silent-participants", "kept; they have no vote", places[person.id])
    seen = {v.statement for v in votes}
    authority = {s.id: s.authority for s in statements}
    for statement in statements:
        if statement.id not in seen:
            report.add("unseen-statements", "kept; support unknown", f"statement {statement.id}")
    member = {p.id: frozenset(p.polities) for p in participants}
    for vote in votes:
        if authority[vote.statement] not in member[vote.participant]:
            report.add(
                "outside-electorate", "kept, but counted in no outcome",
                f"{places[vote.participant]}, statement {vote.statement}",
            )  # fmt: skip


def check_enough(votes: Iterable[Vote], where: str, faults: Faults) -> None:
    """Note a consultation nothing can be learned from: no votes, one voice, only passes."""
    actors: set[str] = set()
    stances: set[str] = set()
    for vote in votes:
        actors.add(vote.participant)
        stances.add(vote.value)
    if not actors:
        faults.add(where, "votes", "no vote that counts")
    elif len(actors) == 1:
        faults.add(where, "at least two participants who voted", f"only {next(iter(actors))}")
    if actors and stances == {"pass"}:
        faults.add(where, "agreement or disagreement", "only passes: there is nothing to learn")
