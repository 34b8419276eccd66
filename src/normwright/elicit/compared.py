"""Choices between two statements: ballots of two, and what is odd in those of one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from normwright.elicit.integrity import Cast, Report, last_of_each
from normwright.records import Ballots, RankedTiers


@dataclass(frozen=True)
class Choice:
    """One choice of one person between two statements, by their names in the file."""

    where: str
    actor: str
    better: str
    worse: str
    tie: bool
    """Whether neither was better; `better` and `worse` are then only the two."""
    time: int
    line: int


def ballots_of(
    choices: Sequence[Choice], names: Mapping[str, str], report: Report
) -> tuple[Ballots, tuple[Choice, ...]]:
    """Return the ballots of the choices that count, and these choices, in file order.

    The last choice of a person between the same two counts. Contradictions between choices of one
    person are reported: the same two decided differently, and three of which each beats the next.

    Args:
        choices: as they stand in the file.
        names: what a statement is called in the file -> its id.
        report: where findings are noted.
    """
    by_line = {choice.line: choice for choice in choices}
    casts = [
        Cast(c.where, c.actor, "\n".join(sorted((c.better, c.worse))), _side(c), c.time, c.line)
        for c in choices
    ]
    first: dict[tuple[str, str], str] = {}
    for cast in casts:
        if first.setdefault((cast.actor, cast.item), cast.value) != cast.value:
            policy = "the last choice counts; the same person decided the same two differently"
            report.add("self-contradictions", policy, cast.where)
    kept = tuple(by_line[c.line] for c in last_of_each(casts, report, "comparisons"))
    _report_circles(kept, report)
    given: list[tuple[str, RankedTiers]] = []
    for choice in kept:
        better, worse = names[choice.better], names[choice.worse]
        level = (tuple(sorted((better, worse))),)
        given.append((choice.actor, level if choice.tie else ((better,), (worse,))))
    return Ballots.of(given), kept


def moment(raw: str) -> int | None:
    """Return a time in seconds or milliseconds as written, or of an ISO 8601 text; None if none.

    A text without an offset is taken as UTC.
    """
    if raw.isascii() and raw.isdigit() and len(raw) <= 18:
        return int(raw)
    try:
        told = datetime.fromisoformat(raw.replace(" UTC", "+00:00"))
        return max(0, int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, OverflowError):
        return None


def _side(choice: Choice) -> str:
    return "=" if choice.tie else choice.better


def _report_circles(choices: Sequence[Choice], report: Report) -> None:
    """Report triples of one person of which each beats the next: no order of theirs fits these."""
    beats: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    places: dict[str, str] = {}
    for choice in choices:
        if not choice.tie:
            beats[choice.actor][choice.better].add(choice.worse)
            places.setdefault(choice.actor, choice.where)
    policy = "kept; triples of one person of which each is preferred to the next"
    for actor, over in beats.items():
        under: dict[str, set[str]] = defaultdict(set)
        for better, worse in over.items():
            for one in worse:
                under[one].add(better)
        corners = sum(
            len(over[second] & under[first])
            for first in list(over)
            for second in over[first]
            if second in over and first in under
        )
        if corners:
            report.add("cyclic-triads", policy, places[actor], corners // 3)
