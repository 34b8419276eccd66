"""The outcome with somebody and without, counted by the same seed, and what differs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

from normwright.flow.history import settled
from normwright.flow.project import Project
from normwright.flow.readings import earlier_readings, last_reading
from normwright.flow.stages.people import counted
from normwright.records import (
    Changes,
    Charter,
    Consultation,
    Digest,
    Estimate,
    GroupsChange,
    InputError,
    NormChange,
    NormFate,
    Outcome,
    Polity,
    RankingChange,
    Reading,
    ShareChange,
    Unranked,
)
from normwright.store import Rows, StageResult, Store

Standing: TypeAlias = tuple[StageResult, Consultation]
"""An import: the result it belongs to, and its receipt."""


def standing_import(store: Store, process: str) -> Standing | None:
    """Return the newest import of a process, that of the present results before others."""
    steps = store.current_steps()
    current = steps["elicit"].key if "elicit" in steps else ""
    results = sorted(store.results(), key=lambda result: result.key == current)
    for result in reversed(results):
        for one in store.records(result.made, Consultation):
            if one.process == process:
                return result, one
    return None


@dataclass(frozen=True)
class Compared:
    """What would be different."""

    changes: Changes
    people: frozenset[str] = frozenset()
    """Who is in the import that stands."""
    support: tuple[ShareChange, ...] = ()
    pairs: tuple[ShareChange, ...] = ()
    firsts: tuple[ShareChange, ...] = ()
    margins: tuple[ShareChange, ...] = ()
    rankings: tuple[RankingChange, ...] = ()
    groups: tuple[GroupsChange, ...] = ()
    norms: tuple[NormChange, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """What a receipt tells of it; nobody's name."""
        names = (
            "changes",
            "support",
            "pairs",
            "firsts",
            "margins",
            "rankings",
            "groups",
            "norms",
        )
        return {name: getattr(self, name) for name in names}


def compare(
    project: Project,
    store: Store,
    standing: Standing | None,
    participant: str,
    authored: Collection[str],
) -> Compared:
    """Count the import that stands with the person and without, by the same seed."""
    if standing is None:
        return Compared(Changes(numbers=False, groups=False, rankings=False, norms=False))
    result, consultation = standing
    rows = store.rows(consultation)
    people = frozenset(one.id for one in rows.participants)
    if participant not in people and not {one.id for one in rows.statements} & set(authored):
        return Compared(
            Changes(numbers=False, groups=False, rankings=False, norms=False), people=people
        )
    fewer = _rows_without(rows, participant, authored)
    polities = store.records(result.made, Polity)
    before = outcomes(project, rows, polities, unranked=consultation.unranked)
    after = outcomes(project, fewer, polities, unranked=consultation.unranked)
    support, pairs = _shares(before, after)
    firsts, margins = _placed(before, after)
    rankings = tuple(_rankings(before, after))
    groups = tuple(_groups(before, after))
    was, why = _charter(project, store, rows, before, polities)
    now, why_not = _charter(project, store, fewer, after, polities)
    norms = _norms(was, now) if was is not None and now is not None else None
    return Compared(
        changes=Changes(
            numbers=any(_numbers(before[one]) != _numbers(after[one]) for one in before),
            groups=bool(groups),
            rankings=bool(rankings),
            norms=None if norms is None else bool(norms),
            reason=(why or why_not) if norms is None else "",
        ),
        people=people,
        support=support,
        pairs=pairs,
        firsts=firsts,
        margins=margins,
        rankings=rankings,
        groups=groups,
        norms=norms or (),
    )


def _rows_without(rows: Rows, participant: str, authored: Collection[str]) -> Rows:
    gone = set(authored)
    return replace(
        rows,
        participants=tuple(one for one in rows.participants if one.id != participant),
        statements=tuple(one for one in rows.statements if one.id not in gone),
        votes=tuple(
            one
            for one in rows.votes
            if one.participant != participant and one.statement not in gone
        ),
        comparisons=tuple(one for one in rows.comparisons if one.participant != participant),
        ballots=rows.ballots.without(lambda voter: voter == participant, gone),
    )


def outcomes(
    project: Project, rows: Rows, polities: Sequence[Polity], *, unranked: Unranked | None
) -> dict[str, Outcome]:
    """Return what the ballots of each polity say, by its id, counted as the step `aggregate` does.

    A polity in which nobody is left, or nothing is asked any more, is counted too.
    """
    return {
        polity.id: counted(project, rows, polity, unranked=unranked, seed=project.settings.seed)
        for polity in polities
    }


def _charter(
    project: Project,
    store: Store,
    rows: Rows,
    counted: Mapping[str, Outcome],
    polities: Sequence[Polity],
) -> tuple[Charter | None, str]:
    """Return the charter that these outcomes ratify, or None and why there is none."""
    from normwright.charter import ratify, read_source

    settings = project.settings
    if settings.sources.norms is None:
        return None, "the project has no norms"
    try:
        source = read_source(project.path(settings.sources.norms), languages=settings.languages)
        charter = ratify(
            source,
            readings=_readings(project, store, rows, [counted[polity.id] for polity in polities]),
            charter_id=settings.id,
            languages=settings.languages,
            on=date.fromisoformat(settings.charter_date),
        )
    except InputError as error:
        return None, str(error)
    except KeyError as error:
        return None, f"step {error} has no present result"
    return charter, ""


def _readings(
    project: Project, store: Store, rows: Rows, counted: Sequence[Outcome]
) -> tuple[Reading, ...]:
    """Return every reading, with these outcomes in place of those of the same process."""
    present = settled(store)

    def made(step: str) -> Sequence[Digest]:
        return present[step].made

    mine = Reading(
        held_on=date.fromisoformat(project.settings.charter_date),
        process=rows.process,
        statements=rows.statements,
        outcomes=tuple(counted),
    )
    earlier = earlier_readings(project, store, made)
    if rows.process.id not in {one.process.id for one in earlier}:
        return (*earlier, mine)
    return tuple(
        mine.model_copy(update={"held_on": one.held_on})
        if one.process.id == rows.process.id
        else one
        for one in (*earlier, last_reading(project, store, made))
    )


def _shares(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome]
) -> tuple[tuple[ShareChange, ...], tuple[ShareChange, ...]]:
    support, pairs = [], []
    for authority, was in before.items():
        now = after[authority]
        support += _changed(
            authority,
            {one.statement: one.support for one in was.support},
            {one.statement: one.support for one in now.support},
        )
        pairs += _changed(
            authority,
            {one.norm: one.p_decline for one in was.pairs},
            {one.norm: one.p_decline for one in now.pairs},
        )
    return tuple(support), tuple(pairs)


def _numbers(outcome: Outcome) -> tuple[object, ...]:
    """Return all figures of an outcome with their intervals, those within groups among them."""
    return outcome.support, outcome.pairs, outcome.standings, outcome.margins


def _placed(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome]
) -> tuple[tuple[ShareChange, ...], tuple[ShareChange, ...]]:
    """Return the first-place shares and the margins of ballots that differ."""
    firsts, margins = [], []
    for authority, was in before.items():
        now = after[authority]
        firsts += _changed(
            authority,
            {one.alternative: one.first for one in was.standings},
            {one.alternative: one.first for one in now.standings},
        )
        known = {(one.above, one.below): one.margin for one in was.margins}
        then = {(one.above, one.below): one.margin for one in now.margins}
        # A pair may stand the other way round; of many, only some pairs are reckoned at all.
        then = {pair[::-1]: _turned(margin) for pair, margin in then.items()} | then
        margins += _changed(
            authority,
            {f"{a} > {b}": margin for (a, b), margin in known.items() if (a, b) in then},
            {f"{a} > {b}": then[a, b] for a, b in known if (a, b) in then},
        )
    return tuple(firsts), tuple(margins)


def _turned(margin: Estimate) -> Estimate:
    """Return the margin of the same two, the other one above."""
    interval = margin.interval
    return margin.model_copy(
        update={
            "value": None if margin.value is None else 0.0 - margin.value,
            "interval": interval
            and interval.model_copy(
                update={"low": 0.0 - interval.high, "high": 0.0 - interval.low}
            ),
        }
    )


def _changed(
    authority: str, was: Mapping[str, Estimate], now: Mapping[str, Estimate]
) -> list[ShareChange]:
    return [
        ShareChange(authority=authority, subject=one, before=was.get(one), after=now.get(one))
        for one in dict.fromkeys((*was, *now))
        if was.get(one) != now.get(one)
    ]


def _rankings(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome]
) -> Iterator[RankingChange]:
    for authority, was in before.items():
        for one, other in zip(was.rankings, after[authority].rankings, strict=True):
            if one.tiers != other.tiers:
                yield RankingChange(
                    authority=authority, method=one.method, before=one.tiers, after=other.tiers
                )


def _groups(before: Mapping[str, Outcome], after: Mapping[str, Outcome]) -> Iterator[GroupsChange]:
    """Yield where groups differ by more than the one seat that is empty now."""
    for authority, outcome in before.items():
        was = tuple(sorted((g.size for g in outcome.grouping.groups), reverse=True))
        now = tuple(sorted((g.size for g in after[authority].grouping.groups), reverse=True))
        same = now == was or any(
            now == tuple(sorted((*was[:i], size - 1, *was[i + 1 :]), reverse=True))
            for i, size in enumerate(was)
        )
        if not same:
            yield GroupsChange(authority=authority, before=was, after=now)


def _norms(was: Charter, now: Charter) -> tuple[NormChange, ...]:
    before, after = _fates(was), _fates(now)
    return tuple(
        NormChange(norm=norm, before=before.get(norm, "absent"), after=after.get(norm, "absent"))
        for norm in sorted({*before, *after})
        if before.get(norm) != after.get(norm)
    )


def _fates(charter: Charter) -> dict[str, NormFate]:
    fates: dict[str, NormFate] = {n.ref: "adopted" for n in charter.norms}
    fates |= {one.norm: "rejected" for one in charter.rejected}
    return fates | {one.norm.ref: "proposed" for one in charter.proposed}
