"""Which norms are in force on one day, as they were known on another.

Two times are kept apart. *Valid* time is when a norm holds: from the beginning of `valid_from`
until the beginning of `valid_to`, in the time zone of its authority. *Record* time is when it was
written into the charter: `recorded`, or else the day it was ratified. A norm can be known before it
is in force, and can be found in force on a day on which nobody knew it yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from normwright.charter.amending.frames import zone_of
from normwright.norms.ranking import repeals
from normwright.norms.resolver import HOLDING
from normwright.records import Charter, Digest, Norm


@dataclass(frozen=True)
class InForce:
    """A norm that is in force on the day asked about."""

    norm: Norm
    since: date | None
    """Its first day; None: it says none."""
    until: date | None
    """The first day on which it is no longer in force; None: no end is known."""
    ended_by: str | None
    """Reference of the norm that replaces it then; None: it ends by itself or not at all."""
    zone: str
    """The time zone its days are counted in."""
    recorded: date | None
    """When it was written into the charter; None: that is not known."""


@dataclass(frozen=True)
class Turn:
    """A norm that begins or ends later than the day asked about."""

    day: date
    """The first day on which it is in force, or no longer is, in its authority's time zone."""
    norm: str
    begins: bool


@dataclass(frozen=True)
class AsOf:
    """A charter on one day, as known on another."""

    on: date
    known: date | None
    """None: everything that is known now counts."""
    charter: Charter
    """The charter of the norms in force."""
    in_force: tuple[InForce, ...]
    undated: tuple[str, ...]
    """Norms of which it is not known when they were recorded. Asked what was known on a day, they
    are left out of the charter and listed here: they may have been known or not."""
    unknown_then: tuple[str, ...]
    """Norms that were recorded only after the day of knowledge."""
    next: tuple[Turn, ...]
    """What begins or ends after the day, earliest first."""

    @property
    def digest(self) -> Digest:
        """The digest of the charter as of that day."""
        return self.charter.digest


def as_of(charter: Charter, *, on: date, known: date | None = None) -> AsOf:
    """Return which norms of a charter are in force, with what begins and ends next.

    Args:
        charter: all its norms, past and future ones too; only those that hold count.
        on: the day, counted in the time zone of each norm's authority; an instant is a day there,
            which can be another day elsewhere. An instant without a zone is in UTC.
        known: the day, or instant in UTC, up to which the record counts; None: no limit.
    """
    holding = [norm for norm in charter.norms if norm.status in HOLDING]
    undated = [norm for norm in holding if recorded(norm) is None]
    late = [norm for norm in holding if known is not None and not _known_by(norm, known)]
    counted = [norm for norm in holding if norm not in late]
    spans = {norm.ref: _span(norm, counted) for norm in counted}
    valid = [
        norm for norm in counted
        if _within(_day(on, zone_of(norm, charter)), *spans[norm.ref][:2])
    ]  # fmt: skip
    # A norm that is replaced on the day its replacement begins has ended; one that is replaced
    # from the start has never begun.
    standing = [n for n in valid if not any(repeals(other, n) for other in valid)]
    return AsOf(
        on=on,
        known=known,
        charter=charter.model_copy(update={"norms": tuple(standing)}),
        in_force=tuple(
            InForce(n, *spans[n.ref], zone=zone_of(n, charter), recorded=recorded(n))
            for n in standing
        ),
        undated=tuple(n.ref for n in undated),
        unknown_then=tuple(n.ref for n in late if n not in undated),
        next=tuple(sorted(_turns(charter, counted, spans, on), key=_order)),
    )


def recorded(norm: Norm) -> date | None:
    """Return the day a norm was written into the charter, or was ratified; None: not known."""
    if norm.recorded is not None:
        return norm.recorded
    return None if norm.provenance is None else norm.provenance.ratified_at


def _known_by(norm: Norm, known: date) -> bool:
    day = recorded(norm)
    return day is not None and day <= _day(known, "UTC")


def _day(when: date, zone: str) -> date:
    if not isinstance(when, datetime):
        return when
    moment = when if when.tzinfo else when.replace(tzinfo=UTC)
    return moment.astimezone(ZoneInfo(zone)).date()


def _within(day: date, since: date | None, until: date | None) -> bool:
    return (since is None or since <= day) and (until is None or day < until)


def _span(norm: Norm, among: Sequence[Norm]) -> tuple[date | None, date | None, str | None]:
    """From when until when a norm is in force, and which norm ends it by replacing it."""
    ends: list[tuple[date, str | None]] = []
    if norm.valid_to is not None:
        ends.append((norm.valid_to, None))
    for other in among:
        starts = other.valid_from
        if starts is None or not repeals(other, norm):
            continue
        later = norm.valid_from is None or starts > norm.valid_from
        # One that replaces it for a while only, such as an emergency norm, gives it back.
        lasting = other.valid_to is None or (
            norm.valid_to is not None and norm.valid_to <= other.valid_to
        )
        if later and lasting:
            ends.append((starts, other.ref))
    until, by = min(ends, key=lambda end: (end[0], end[1] or ""), default=(None, None))
    return norm.valid_from, until, by


def _turns(
    charter: Charter,
    norms: Sequence[Norm],
    spans: dict[str, tuple[date | None, date | None, str | None]],
    on: date,
) -> Iterator[Turn]:
    for norm in norms:
        day = _day(on, zone_of(norm, charter))
        since, until, _ = spans[norm.ref]
        if since is not None and since > day and (until is None or since < until):
            yield Turn(since, norm.ref, True)
        if until is not None and until > day:
            yield Turn(until, norm.ref, False)


def _order(turn: Turn) -> tuple[date, str, bool]:
    return turn.day, turn.norm, turn.begins
