"""The answer to a request: granted or refused, with a ground for every condition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from normwright.charter.permitting.conditions import CONDITIONS, LONGEST_DAYS, Look, Point
from normwright.charter.permitting.levels import modes_of
from normwright.charter.wording import say
from normwright.norms.resolver import HOLDING
from normwright.records import (
    MODES,
    DecisionLevel,
    Ground,
    MadeBy,
    NormStanding,
    Permit,
    PermitCondition,
    PermitRequest,
    Text,
)


def permit(request: PermitRequest, *, on: date) -> Permit:
    """Return whether a model may be trained as requested, with every reason.

    It is granted if all conditions hold; one that is unknown does not. The modes it covers are then
    those that the weakest decision of people opens: `internal` alone where the process is simulated
    or nobody decided anything. Judged pairs that lead to no norm open no other mode either.

    The same request on the same day gives the same permit.

    Args:
        request: everything that is known.
        on: the day from which it is to hold.

    Raises:
        InputError: if a language of the charter has no words here.
    """
    grounds = tuple(_ground(name, look, request, on) for name, look in CONDITIONS.items())
    level = _level(request)
    granted = all(one.holds is True for one in grounds) and level is not None
    modes, limits = _modes(request, level) if granted and level else ((), ())
    return Permit(
        subject=request.subject,
        charter=request.charter,
        grounds=grounds,
        granted=granted,
        modes=modes,
        limits=limits,
        decision_level=level,
        valid_from=on,
        valid_until=_last_day(request),
        derived_from=(request.digest,),
        made_by=MadeBy(stage="charter", parameters={"on": on.isoformat()}),
    )


def _ground(name: PermitCondition, look: Look, request: PermitRequest, on: date) -> Ground:
    points = list(look(request, on))
    against = [point for point in points if point.holds is not True]
    holds: bool | None = True
    if any(point.holds is False for point in against):
        holds = False
    elif against or not points:
        holds = None
    told = against or points
    return Ground(
        condition=name, holds=holds, reasons=tuple(_said(p, request.languages) for p in told)
    )


def _said(point: Point, languages: Sequence[str]) -> Text:
    # A value that begins with @ names a sentence, which is said in each language.
    values = {
        name: say(f"permit_{value[1:]}", languages)
        if isinstance(value, str) and value.startswith("@")
        else value
        for name, value in point.values.items()
    }
    return say(point.key, languages, **values)


def _level(request: PermitRequest) -> DecisionLevel | None:
    """The weakest decision of people; L0 where there was none; None where it is unknown."""
    if request.norms is None or request.process_kind is None:
        return None
    if request.process_kind == "simulated":
        return "L0"
    levels = [n.level for n in request.norms if n.status in HOLDING and n.basis != "source"]
    known = [level for level in levels if level is not None]
    return min(known, default="L0") if len(known) == len(levels) else None


def _modes(
    request: PermitRequest, level: DecisionLevel
) -> tuple[tuple[str, ...], tuple[Text, ...]]:
    assert request.process_kind is not None  # without it there is no level
    modes, reason = modes_of(request.process_kind, level, request.languages)
    limits = () if modes == MODES else (reason,)
    if request.pairs is not None and request.pairs.judged:
        told = say("permit_judged", request.languages, n=request.pairs.judged)
        return MODES[:1], (*limits, told)
    return modes, limits


def _last_day(request: PermitRequest) -> date | None:
    """The last day on which nothing it rests on is overdue.

    Simulated participants do not change their minds, so what they settled does not age.
    """
    if request.process_kind == "simulated":
        return None
    holding = [norm for norm in request.norms or () if norm.status in HOLDING]
    days = [day for norm in holding for day in _ends(norm)]
    if request.newest is not None and any(norm.basis != "source" for norm in holding):
        days.append(request.newest + timedelta(days=LONGEST_DAYS))
    return min(days, default=None)


def _ends(norm: NormStanding) -> list[date]:
    last = None if norm.valid_to is None else norm.valid_to - timedelta(days=1)
    return [day for day in (norm.review_by, last) if day is not None]
