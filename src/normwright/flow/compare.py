"""Compare two runs, link by link: votes, norms, behaviour, verdict; what changed, and why.

Of people, counts and Merkle roots are told, never one person's vote. Of two estimates both are told
with their intervals. That models behave differently is claimed only where both answered the same
scenes under the same charter, paired by scene (McNemar's exact test, templates resampled whole).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from normwright.flow.causes import Cause, causes_of
from normwright.flow.history import State, state_at
from normwright.flow.stores import open_store
from normwright.records import (
    Answer,
    Ballots,
    Charter,
    Consultation,
    Contrast,
    Criterion,
    CriterionResult,
    Dataset,
    Digest,
    Estimate,
    Frozen,
    Judge,
    Margin,
    Measurement,
    ModelRef,
    Outcome,
    Policy,
    Record,
    RemoteUse,
    Standing,
    Text,
    Verdict,
    canonical_json,
    digest_json,
)
from normwright.store import ROW_ID, Store, import_of

R = TypeVar("R", bound=Record)
RowKey: TypeAlias = tuple[str, ...]
"""What names a row within its table."""

_SUITES = ("help", "permitted", "harm", "over-refusal")
"""Suites counted from answers to the same scenes."""


@dataclass(frozen=True)
class RunName:
    """Which run is meant."""

    directory: Path
    number: int | None = None
    """None: the last one that came to its end."""


@dataclass(frozen=True)
class TableChange:
    """The rows of one table of a consultation, counted."""

    table: str
    before: int
    after: int
    added: int
    """Rows of the second run that the first does not have."""
    removed: int
    changed: int
    """Rows both have that do not say the same."""
    erased: tuple[int, int]
    """Rows of each run whose content is gone because somebody withdrew; `before` and `after` count
    them as they were imported, `added`, `removed` and `changed` know nothing of them."""
    root_before: Digest | None
    root_after: Digest | None


@dataclass(frozen=True)
class EstimateChange:
    """One number of both runs."""

    name: str
    before: Estimate | None
    after: Estimate | None
    overlap: bool | None
    """Whether the intervals have a point in common; None where one of them is missing."""


@dataclass(frozen=True)
class RankingChange:
    """How one method ranks now."""

    method: str
    before: tuple[tuple[str, ...], ...]
    """Tiers, best first."""
    after: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class StandingChange:
    """Where one alternative of the ballots stands now."""

    alternative: str
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True)
class OutcomeChange:
    """What one electorate's ballots say now."""

    layer: str
    authority: str
    votes: tuple[int | None, int | None]
    participants: tuple[int | None, int | None]
    voters: tuple[int | None, int | None]
    """Participants whose ballots rank at least one alternative."""
    support: tuple[EstimateChange, ...]
    """Statements whose support is not the same."""
    shares: tuple[EstimateChange, ...]
    """Norms for which the share of people who prefer declining is not the same."""
    rankings: tuple[RankingChange, ...]
    """Methods whose ranking is not the same."""
    standings: tuple[StandingChange, ...]
    """Alternatives of the ballots that stand otherwise, or as surely no more."""
    margins: tuple[EstimateChange, ...]
    """Pairs of alternatives, as `a > b` with `a` first in the alphabet, whose margin is not the
    same; below zero where more voters put `b` above."""
    groups: tuple[tuple[int, ...] | None, tuple[int, ...] | None]
    """Sizes of the opinion groups, largest first; the same twice where nothing changed."""


@dataclass(frozen=True)
class NormChange:
    """What became of one norm."""

    norm: str
    before: str
    """`adopted`, `proposed`, `rejected` or `absent`."""
    after: str
    fields: tuple[str, ...]
    """Parts of the norm that are written otherwise."""
    reason: Text
    """Why it is adopted or rejected now, in every charter language; empty where not said."""


@dataclass(frozen=True)
class DataChange:
    """What is learned from now."""

    step: str
    """The step that made it: of one kind there may be data from scenes and from corpora."""
    kind: str
    rows: tuple[int | None, int | None]
    content: tuple[Digest | None, Digest | None]
    curation: dict[str, tuple[int, int]]
    """Norm and action, as `p.x@1 removed` -> rows before and after, where not the same."""


@dataclass(frozen=True)
class ModelChange:
    """A model, judge or guard that is not the same."""

    name: str
    before: Digest | None
    after: Digest | None


@dataclass(frozen=True)
class MeasureChange:
    """One measurement of both runs."""

    suite: str
    metric: str
    model: str
    lang: str | None
    norm: str | None
    before: Estimate | None
    after: Estimate | None
    overlap: bool | None
    """Whether the intervals have a point in common; that alone shows no difference."""
    paired: Contrast | None
    """After minus before, paired by scene, where both runs asked the same."""


@dataclass(frozen=True)
class CriterionChange:
    """How one criterion comes out now, in one mode."""

    mode: str
    criterion: str
    before: CriterionResult | None
    after: CriterionResult | None
    rewritten: bool
    """The criterion itself is not the same."""


@dataclass(frozen=True)
class ModeChange:
    """The verdict for one mode."""

    mode: str
    before: str | None
    after: str | None
    deciding_before: str | None
    deciding_after: str | None


@dataclass(frozen=True)
class Comparison:
    """Two runs, link by link. A link in which nothing changed is empty."""

    before: str
    """The first run, as `DIR@N`."""
    after: str
    why: tuple[Cause, ...]
    """First causes, in the order of the steps that read them."""
    people: tuple[TableChange, ...]
    outcomes: tuple[OutcomeChange, ...]
    norms: tuple[NormChange, ...]
    permit: tuple[tuple[str, ...] | None, tuple[str, ...] | None]
    """Release modes the policy permits; the same twice where nothing changed."""
    data: tuple[DataChange, ...]
    models: tuple[ModelChange, ...]
    behaviour: tuple[MeasureChange, ...]
    criteria: tuple[CriterionChange, ...]
    verdict: tuple[ModeChange, ...]
    """All modes, changed or not, if there is a verdict."""
    unpaired: Literal["", "judges", "scenes"]
    """Why no measurement is paired: another judge judged, or no scene was asked in both runs."""
    left_out: int
    """Scenes outside the pairs: asked in one run only, or decided otherwise by the charters."""

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as one JSON value."""
        told: dict[str, Any] = _plain(self)
        return told


def compare(before: RunName, after: RunName) -> Comparison:
    """Return what changed from one run to another, and why.

    Raises:
        InputError: if there is no such run.
    """
    with (
        open_store(before.directory, create=False) as first,
        open_store(after.directory, create=False) as second,
        first.snapshot(),
        second.snapshot(),
    ):
        one = _Side(first, state_at(first, before.number))
        other = _Side(second, state_at(second, after.number))
        measured, unpaired, left_out = _behaviour(one, other)
        return Comparison(
            before=f"{before.directory}@{one.state.run.seq}",
            after=f"{after.directory}@{other.state.run.seq}",
            why=causes_of(one.state.results, other.state.results),
            people=_people(one, other),
            outcomes=_outcomes(one, other),
            norms=_norms(one, other),
            permit=(_permit(one), _permit(other)),
            data=_data(one, other),
            models=_models(one, other),
            behaviour=measured,
            criteria=_criteria(one, other),
            verdict=_verdict(one, other),
            unpaired=unpaired,
            left_out=left_out,
        )


class _Side:
    """What one run left, by kind of record."""

    def __init__(self, store: Store, state: State) -> None:
        self.store = store
        self.state = state
        results = state.results.values()
        self._made = tuple(dict.fromkeys(d for result in results for d in result.made))

    def all(self, kind: type[R]) -> tuple[R, ...]:
        return self.store.records(self._made, kind)

    def datasets(self) -> dict[tuple[str, str], Dataset]:
        """Return what is learned from, by the step that made it and its kind."""
        return {
            (step, one.kind): one
            for step, result in self.state.results.items()
            for one in self.store.records(result.made, Dataset)
        }

    def last(self, kind: type[R]) -> R | None:
        found = self.all(kind)
        return found[-1] if found else None


# People


def _people(one: _Side, other: _Side) -> tuple[TableChange, ...]:
    first, second = one.last(Consultation), other.last(Consultation)
    if _of(first, lambda r: r.roots) == _of(second, lambda r: r.roots):
        return ()
    before, after = _rows_of(one, first), _rows_of(other, second)
    erased = [_erased(side, receipt) for side, receipt in ((one, first), (other, second))]
    roots = [{} if receipt is None else receipt.roots for receipt in (first, second)]
    told = []
    for table in before:
        was, now = before[table], after[table]
        told.append(
            TableChange(
                table=table,
                before=0 if first is None else int(getattr(first, table)),
                after=0 if second is None else int(getattr(second, table)),
                added=len(now.keys() - was.keys()),
                removed=len(was.keys() - now.keys()),
                changed=sum(was[row] != now[row] for row in was.keys() & now.keys()),
                erased=(erased[0].get(table, 0), erased[1].get(table, 0)),
                root_before=roots[0].get(table),
                root_after=roots[1].get(table),
            )
        )
    return tuple(told)


def _rows_of(side: _Side, receipt: Consultation | None) -> dict[str, dict[RowKey, object]]:
    """Return the rows under a receipt: table -> what names a row -> the row."""
    if receipt is None:
        return {table: {} for table in ROW_ID}
    rows = side.store.rows(receipt)
    return {
        table: _numbered(rows.ballots)
        if table == "ballots"
        else {tuple(getattr(row, name) for name in names): row for row in getattr(rows, table)}
        for table, names in ROW_ID.items()
    }


def _erased(side: _Side, receipt: Consultation | None) -> dict[str, int]:
    """Return how many rows of each table under a receipt are no more than a leaf."""
    if receipt is None:
        return {}
    counts = side.store.row_counts(import_of(receipt))
    return {table: gone for table, (_, gone) in counts.items()}


def _numbered(ballots: Ballots) -> dict[RowKey, object]:
    """Return each ballot by its voter and number, counted by voter in a fixed order."""
    texts = [canonical_json(order) for order in ballots.orders]
    told: dict[RowKey, object] = {}
    numbers: Counter[str] = Counter()
    for voter, text in sorted(
        (voter, texts[k]) for voter, k in zip(ballots.voters, ballots.chosen, strict=True)
    ):
        told[voter, str(numbers[voter])] = text
        numbers[voter] += 1
    return told


# Outcomes


def _outcomes(one: _Side, other: _Side) -> tuple[OutcomeChange, ...]:
    first = {(o.layer, o.authority): o for o in one.all(Outcome)}
    second = {(o.layer, o.authority): o for o in other.all(Outcome)}
    told = (_outcome(key, first.get(key), second.get(key)) for key in _keys(first, second))
    return tuple(change for change in told if change is not None)


def _outcome(
    key: tuple[str, str], one: Outcome | None, other: Outcome | None
) -> OutcomeChange | None:
    support = _estimates(
        {s.statement: s.support for s in one.support} if one else {},
        {s.statement: s.support for s in other.support} if other else {},
    )
    shares = _estimates(
        {p.norm: p.p_decline for p in one.pairs} if one else {},
        {p.norm: p.p_decline for p in other.pairs} if other else {},
    )
    was = {r.method: r.tiers for r in one.rankings} if one else {}
    now = {r.method: r.tiers for r in other.rankings} if other else {}
    margins = _estimates(
        dict(map(_margin, one.margins)) if one else {},
        dict(map(_margin, other.margins)) if other else {},
    )
    stood = {s.alternative: s for s in one.standings} if one else {}
    stands = {s.alternative: s for s in other.standings} if other else {}
    standings = tuple(
        StandingChange(name, stood.get(name), stands.get(name))
        for name in _keys(stood, stands)
        if stood.get(name) != stands.get(name)
    )
    rankings = tuple(
        RankingChange(method, was.get(method, ()), now.get(method, ()))
        for method in _keys(was, now)
        if was.get(method) != now.get(method)
    )
    change = OutcomeChange(
        layer=key[0],
        authority=key[1],
        votes=(_of(one, lambda o: o.votes), _of(other, lambda o: o.votes)),
        participants=(_of(one, lambda o: o.participants), _of(other, lambda o: o.participants)),
        voters=(_of(one, lambda o: o.voters), _of(other, lambda o: o.voters)),
        support=support,
        shares=shares,
        rankings=rankings,
        standings=standings,
        margins=margins,
        groups=(_sizes(one), _sizes(other)),
    )
    pairs = (change.votes, change.participants, change.voters, change.groups)
    same = all(before == after for before, after in pairs)
    moved = support or shares or rankings or standings or margins
    return None if same and not moved else change


def _margin(margin: Margin) -> tuple[str, Estimate]:
    """Return a margin under a name that does not depend on which of the two is ahead."""
    estimate = margin.margin
    if margin.above < margin.below:
        return f"{margin.above} > {margin.below}", estimate
    value = None if estimate.value is None else -estimate.value
    interval = estimate.interval
    if interval is not None:
        interval = interval.model_copy(update={"low": -interval.high, "high": -interval.low})
    turned = estimate.model_copy(update={"value": value, "interval": interval})
    return f"{margin.below} > {margin.above}", turned


def _sizes(outcome: Outcome | None) -> tuple[int, ...] | None:
    if outcome is None:
        return None
    return tuple(sorted((group.size for group in outcome.grouping.groups), reverse=True))


def _estimates(
    one: Mapping[str, Estimate], other: Mapping[str, Estimate]
) -> tuple[EstimateChange, ...]:
    return tuple(
        EstimateChange(name, was, now, _overlap(was, now))
        for name in _keys(one, other)
        if (was := one.get(name)) != (now := other.get(name))
    )


def _overlap(one: Estimate | None, other: Estimate | None) -> bool | None:
    if one is None or other is None or one.interval is None or other.interval is None:
        return None
    return one.interval.low <= other.interval.high and other.interval.low <= one.interval.high


# Norms


def _norms(one: _Side, other: _Side) -> tuple[NormChange, ...]:
    first, second = _standing(one.last(Charter)), _standing(other.last(Charter))
    told = []
    for norm in _keys(first, second):
        before, after = first.get(norm, _ABSENT), second.get(norm, _ABSENT)
        fields = [
            name
            for name in sorted({*before.body, *after.body})
            if before.body and after.body and before.body.get(name) != after.body.get(name)
        ]
        if before.state != after.state or fields:
            told.append(NormChange(norm, before.state, after.state, tuple(fields), after.reason))
    return tuple(told)


@dataclass(frozen=True)
class _Standing:
    state: str
    body: dict[str, Any]
    reason: Text


_ABSENT = _Standing("absent", {}, {})


def _standing(charter: Charter | None) -> dict[str, _Standing]:
    """Return what a charter says of each norm. What it was made from is told as its cause."""
    if charter is None:
        return {}
    aside = {"derived_from", "made_by", "provenance", "status"}
    adopted = {
        norm.id: _Standing("adopted", norm.model_dump(mode="json", exclude=aside), {})
        for norm in charter.norms
    }
    rejected = {
        one.norm.partition("@")[0]: _Standing("rejected", {}, one.reasons or {"en": one.reason})
        for one in charter.rejected
    }
    proposed = {
        one.norm.id: _Standing("proposed", one.norm.model_dump(mode="json", exclude=aside),
                               one.reasons)
        for one in charter.proposed
    }  # fmt: skip
    return {**adopted, **rejected, **proposed}


def _permit(side: _Side) -> tuple[str, ...] | None:
    return _of(side.last(Policy), lambda policy: policy.permit_modes)


# Data and weights


def _data(one: _Side, other: _Side) -> tuple[DataChange, ...]:
    first, second = (side.datasets() for side in (one, other))
    told = []
    for step, kind in _keys(first, second):
        was, now = first.get((step, kind)), second.get((step, kind))
        if _of(was, lambda d: d.content) == _of(now, lambda d: d.content):
            continue
        before, after = _curated(was), _curated(now)
        told.append(
            DataChange(
                step=step,
                kind=kind,
                rows=(_of(was, lambda d: d.rows), _of(now, lambda d: d.rows)),
                content=(_of(was, lambda d: d.content), _of(now, lambda d: d.content)),
                curation={
                    name: (before[name], after[name])
                    for name in sorted({*before, *after})
                    if before[name] != after[name]
                },
            )
        )
    return tuple(told)


def _curated(dataset: Dataset | None) -> Counter[str]:
    rows: Counter[str] = Counter()
    for entry in () if dataset is None else dataset.curation:
        rows[f"{entry.norm} {entry.action}"] += entry.rows
    return rows


def _models(one: _Side, other: _Side) -> tuple[ModelChange, ...]:
    first, second = (
        {m.name: _content(m) for m in side.all(ModelRef)}
        | {f"judge {j.name}": _judging(side, j) for j in side.all(Judge)}
        for side in (one, other)
    )
    return tuple(
        ModelChange(name, first.get(name), second.get(name))
        for name in _keys(first, second)
        if first.get(name) != second.get(name)
    )


def _content(model: ModelRef) -> Digest:
    """Return one digest over a model's files; its record also names what it was made from.

    A model behind an API has none: it is told by where it is and what it says that it is.
    """
    return digest_json(model.files or model.settings)


def _judging(side: _Side, judge: Judge) -> Digest:
    """Return one digest over a judge's files and, behind an API, over what answered there."""
    asked = [
        [use.endpoint, use.model, use.as_of, *sorted({*use.served, *use.fingerprints})]
        for use in side.store.records(judge.derived_from, RemoteUse)
    ]
    return digest_json([judge.files, asked] if asked else judge.files)


# Behaviour


Unpaired: TypeAlias = Literal["", "judges", "scenes"]
Slice: TypeAlias = tuple[str, str, str | None, str | None]
"""Role, suite, language and norm."""


def _behaviour(one: _Side, other: _Side) -> tuple[tuple[MeasureChange, ...], Unpaired, int]:
    first, second = ({_name(m): m.estimate for m in side.all(Measurement)} for side in (one, other))
    differing = [key for key in _keys(first, second) if first.get(key) != second.get(key)]
    if not differing:
        return (), "", 0
    paired, unpaired, left_out = _paired(one, other)
    changes = []
    for key in differing:
        suite, metric, model, lang, norm = key
        was, now = first.get(key), second.get(key)
        contrast = paired.get((model, suite, lang, norm))
        overlap = _overlap(was, now)
        changes.append(MeasureChange(suite, metric, model, lang, norm, was, now, overlap, contrast))
    return tuple(changes), unpaired, left_out


def _name(m: Measurement) -> tuple[str, str, str, str | None, str | None]:
    return (m.suite, m.metric, m.model, m.lang, m.norm)


def _paired(one: _Side, other: _Side) -> tuple[dict[Slice, Contrast], Unpaired, int]:
    """Return after minus before on the scenes both runs asked and both charters decide alike."""
    from normwright.evaluate import contrast

    if {j.digest for j in one.all(Judge)} != {j.digest for j in other.all(Judge)}:
        return {}, "judges", 0
    first, second = _answers(one), _answers(other)
    found: dict[Slice, Contrast] = {}
    common, left_out = False, 0
    for role in (role for role in first if role in second):
        whole = _read(one, first[role]), _read(other, second[role])
        asked = len({answer.scene for side in whole for answer in side})
        before, after = _alike(*whole)
        left_out = max(left_out, asked - len(before))
        common = common or bool(before)
        if not before or first[role] == second[role]:
            continue
        for suite in _SUITES:
            roles = (f"{role} after", f"{role} before")
            contrasts = contrast(after, before, suite=suite, roles=roles, seed=_seed(other))
            found |= {(role, suite, c.lang, c.norm): c for c in contrasts}
    return found, "" if common else "scenes", left_out


def _alike(before: Sequence[Answer], after: Sequence[Answer]) -> tuple[list[Answer], list[Answer]]:
    """Return the answers to scenes that are in both and that both charters decide alike."""
    expected = [{a.scene: a.expected for a in side} for side in (before, after)]
    kept = {scene for scene, said in expected[0].items() if expected[1].get(scene) == said}
    return [a for a in before if a.scene in kept], [a for a in after if a.scene in kept]


def _seed(side: _Side) -> int:
    return next(iter(side.state.results.values())).seed


def _answers(side: _Side) -> dict[str, Digest]:
    """Return where the answers of each role are stored; attack findings are kept apart."""
    return {
        m.model: m.answers
        for m in side.all(Measurement)
        if m.answers is not None and m.suite in _SUITES
    }


def _read(side: _Side, digest: Digest) -> list[Answer]:
    lines = side.store.objects.read(digest).splitlines()
    return [Answer.model_validate_json(line) for line in lines]


# Decision


def _criteria(one: _Side, other: _Side) -> tuple[CriterionChange, ...]:
    first, second = _results(one), _results(other)
    written = [{c.id: c.digest for c in side.all(Criterion)} for side in (one, other)]
    told = []
    for mode, criterion in _keys(first, second):
        was, now = first.get((mode, criterion)), second.get((mode, criterion))
        rewritten = written[0].get(criterion) != written[1].get(criterion)
        if rewritten or _core(was) != _core(now):
            told.append(CriterionChange(mode, criterion, was, now, rewritten))
    return tuple(told)


def _results(side: _Side) -> dict[tuple[str, str], CriterionResult]:
    verdict = side.last(Verdict)
    modes = () if verdict is None else verdict.modes
    return {(mode.mode, one.criterion): one for mode in modes for one in mode.results}


def _core(result: CriterionResult | None) -> dict[str, Any] | None:
    """Return how a criterion came out, without the digests of what it was measured by."""
    return None if result is None else result.model_dump(exclude={"evidence", "reason"})


def _verdict(one: _Side, other: _Side) -> tuple[ModeChange, ...]:
    first, second = (
        {mode.mode: mode for mode in v.modes} if (v := side.last(Verdict)) else {}
        for side in (one, other)
    )
    return tuple(
        ModeChange(
            mode=mode,
            before=_of(first.get(mode), lambda m: m.verdict),
            after=_of(second.get(mode), lambda m: m.verdict),
            deciding_before=_of(first.get(mode), lambda m: m.deciding),
            deciding_after=_of(second.get(mode), lambda m: m.deciding),
        )
        for mode in _keys(first, second)
    )


# Together


K = TypeVar("K")
T = TypeVar("T")


def _of(value: T | None, read: Callable[[T], K]) -> K | None:
    """Return what is read from a value, or None where there is no value."""
    return None if value is None else read(value)


def _keys(one: Iterable[K], other: Iterable[K]) -> Sequence[K]:
    """Return the keys of both, those of the first in its order and then the new ones."""
    return tuple(dict.fromkeys((*one, *other)))


def _plain(value: Any) -> Any:
    """Return dataclasses and records as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Frozen):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
