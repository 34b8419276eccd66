"""What stays of support when other people are drawn and votes are counted by other rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.groups import Grouped
from normwright.aggregate.profile import Profile
from normwright.aggregate.weights import WHOLE, Raked
from normwright.records import Estimate, Fault, InputError, RobustSupport, Statement
from normwright.stats import percentile_interval

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]

ROUNDS = 200
"""Resamples of the participants."""
HELD = 0.95
"""Share of them that have to reach a share of support for it to be kept."""
LARGE = 0.08
"""Opinion groups from this share of the participants on count in the rules over groups."""
_CELLS = 4_000_000
"""Drawn participants held at once."""


@dataclass(frozen=True)
class _Subject:
    """What people were asked about: a norm, or one statement by itself."""

    norm: str | None
    columns: tuple[int, ...]
    endorsing: tuple[bool, ...]
    opposed: bool = False

    def turned(self) -> _Subject:
        """The same question with the opposite answer."""
        return replace(self, endorsing=tuple(not e for e in self.endorsing), opposed=True)


@dataclass(frozen=True)
class _Rule:
    """A share of each subject: a sum over people by a sum over people."""

    above: csr_array
    """Shape (people, subjects)."""
    below: csr_array


@dataclass(frozen=True)
class _Counts:
    """Votes of each person on each subject; people sorted by name, so that no order matters."""

    for_it: csr_array
    """Shape (people, subjects)."""
    decided: csr_array
    """For or against."""
    cast: csr_array
    """Passes included."""


def robust_support(
    profile: Profile,
    statements: Sequence[Statement],
    grouped: Grouped,
    *,
    weights: Raked | None = None,
    seed: int,
    rounds: int = ROUNDS,
) -> tuple[RobustSupport, ...]:
    """Return what stays of the support of each norm and of each other statement half agree with.

    Where half or more are against a norm, what stays of that is told too: it may be repealed.

    People are drawn with replacement, not votes: the votes of one person depend on one another.
    A statement that is about no norm and that fewer than half agree with is left out, because no
    rule that asks for a half or more could carry it.

    Args:
        profile: votes of one electorate.
        statements: what was voted on; those the profile does not have are not looked at.
        grouped: the opinion groups of the same profile.
        weights: weights of the participants, if there are any; they are then counted both ways.
        seed: seed of the resampling.
        rounds: number of resamples.

    Raises:
        InputError: if a participant has no weight.
    """
    voted = np.flatnonzero(np.diff(profile.starts))
    people = np.array(sorted(voted.tolist(), key=lambda i: profile.participants[i]), dtype=np.int64)
    subjects = _subjects(profile, statements)
    if not len(people) or not subjects:
        return ()
    counts = _counts(profile, people, subjects)
    rules = dict(_rules(counts, _weights_of(profile, people, weights)))
    of_groups = _groups(counts, grouped, people, len(profile.participants))
    rng = np.random.default_rng(seed)
    draws = _drawn(rules, of_groups, rng, people=len(people), rounds=rounds)
    as_cast = _shares(rules, of_groups, np.ones((1, len(people))))
    size = np.asarray((counts.cast > 0).sum(axis=0)).ravel()
    return tuple(
        RobustSupport(
            norm=one.norm,
            statements=tuple(profile.statements[j] for j in one.columns),
            people=int(size[s]),
            opposed=one.opposed,
            shares={
                name: _estimate(as_cast[name][0, s], draws[name][:, s], int(size[s]), seed)
                for name in draws
            },
            kept={name: _kept(draws[name][:, s]) for name in draws},
            held=HELD,
            rounds=rounds,
        )
        for s, one in enumerate(subjects)
    )


def _subjects(profile: Profile, statements: Sequence[Statement]) -> list[_Subject]:
    column = {name: j for j, name in enumerate(profile.statements)}
    asked = sorted((s for s in statements if s.id in column), key=lambda s: s.id)
    of_norm: dict[str, list[Statement]] = {}
    for s in asked:
        if s.norm is not None:
            of_norm.setdefault(s.norm, []).append(s)
    counted = profile.counts()
    seen = counted.sum(axis=0)

    def opposes(one: _Subject) -> bool:
        sides = [1 if endorsing else 0 for endorsing in one.endorsing]
        against = sum(counted[side, j] for j, side in zip(one.columns, sides, strict=True))
        return bool(0 < seen[list(one.columns)].sum() <= 2 * against)

    norms = [
        _Subject(norm, tuple(column[s.id] for s in about), tuple(s.endorses for s in about))
        for norm, about in sorted(of_norm.items())
    ]
    return [
        *norms,
        *(one.turned() for one in norms if opposes(one)),
        *(
            # By itself a statement is supported by those who agree with it, whatever it is about.
            _Subject(None, (column[s.id],), (True,))
            for s in asked
            if s.norm is None and 0 < seen[column[s.id]] <= 2 * counted[0, column[s.id]]
        ),
    ]


def _counts(profile: Profile, people: NDArray[np.int64], subjects: Sequence[_Subject]) -> _Counts:
    from scipy.sparse import csr_array

    shape = (len(profile.participants), len(profile.statements))

    def votes(value: int) -> Any:
        cast = profile.values == value
        ones = np.ones(int(cast.sum()))
        return csr_array((ones, (profile.rows[cast], profile.columns[cast])), shape=shape)[people]

    def about(endorsing: bool) -> Any:
        cells = [
            (j, s)
            for s, one in enumerate(subjects)
            for j, e in zip(one.columns, one.endorsing, strict=True)
            if e == endorsing
        ]
        rows, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
        size = (shape[1], len(subjects))
        return csr_array((np.ones(len(cells)), (rows, columns)), shape=size)

    agree, against, passed = votes(1), votes(-1), votes(0)
    endorsing, opposing = about(True), about(False)
    for_it = csr_array(agree @ endorsing + against @ opposing)
    decided = csr_array((agree + against) @ (endorsing + opposing))
    return _Counts(for_it, decided, csr_array(decided + passed @ (endorsing + opposing)))


def _rules(counts: _Counts, weights: Floats | None) -> Iterator[tuple[str, _Rule]]:
    from scipy.sparse import csr_array, diags_array

    for suffix, below in (("", counts.cast), ("-decided", counts.decided)):
        one = csr_array(below > 0).astype(np.float64)
        inverse = below.copy()
        inverse.data = 1 / inverse.data
        yield f"votes{suffix}", _Rule(counts.for_it, below)
        yield f"people{suffix}", _Rule(csr_array(counts.for_it.multiply(inverse)), one)
        if weights is not None:
            scale = diags_array(weights)
            yield (
                f"votes{suffix}-weighted",
                _Rule(csr_array(scale @ counts.for_it), csr_array(scale @ below)),
            )


def _weights_of(profile: Profile, people: NDArray[np.int64], raked: Raked | None) -> Floats | None:
    if raked is None:
        return None
    index = {p: i for i, p in enumerate(raked.participants)}
    names = [profile.participants[i] for i in people]
    missing = sum(name not in index for name in names)
    if missing:
        raise InputError([Fault(where="weights", expected="a weight for every participant",
                                seen=f"none for {missing} of {len(names)}")])  # fmt: skip
    return np.asarray(raked.weights[[index[name] for name in names]] / WHOLE, dtype=np.float64)


@dataclass(frozen=True)
class _Groups:
    """The opinion groups, each with its members among the people."""

    members: Mapping[str, NDArray[np.int64]]
    large: tuple[str, ...]
    """Those that count in the rules over groups."""
    counts: _Counts


def _groups(
    counts: _Counts, grouped: Grouped, people: NDArray[np.int64], participants: int
) -> _Groups:
    labels = grouped.labels[people]
    found = grouped.grouping.groups
    return _Groups(
        members={g.id: np.flatnonzero(labels == i) for i, g in enumerate(found)},
        large=tuple(g.id for g in found if g.size >= LARGE * participants),
        counts=counts,
    )


def _drawn(
    rules: Mapping[str, _Rule], groups: _Groups, rng: np.random.Generator, *,
    people: int, rounds: int,
) -> dict[str, Floats]:  # fmt: skip
    """Shares by rule in each resample, each of shape (rounds, subjects)."""
    step = max(1, _CELLS // people)
    parts: list[dict[str, Floats]] = []
    for start in range(0, rounds, step):
        size = min(step, rounds - start)
        drawn = rng.multinomial(people, np.full(people, 1 / people), size=size)
        parts.append(_shares(rules, groups, drawn.astype(np.float64)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _shares(rules: Mapping[str, _Rule], groups: _Groups, drawn: Floats) -> dict[str, Floats]:
    """Shares by rule, given how often each person was drawn; NaN where nobody voted."""
    found = {name: _divided(drawn @ rule.above, drawn @ rule.below) for name, rule in rules.items()}
    smoothed = []
    for group, members in groups.members.items():
        mine = drawn[:, members]
        for_it, cast = mine @ groups.counts.for_it[members], mine @ groups.counts.cast[members]
        found[f"group:{group}"] = _divided(for_it, cast)
        if group in groups.large:
            smoothed.append(np.where(cast > 0, (for_it + 1) / (cast + 2), np.nan))
    if groups.large:
        found["groups"] = np.mean([found[f"group:{g}"] for g in groups.large], axis=0)
        found["consensus"] = np.exp(np.mean(np.log(smoothed), axis=0))
    return found


def _divided(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _estimate(value: float, draws: Floats, n: int, seed: int) -> Estimate:
    if math.isnan(value):
        return Estimate(value=None, interval=None, n=0, seed=seed)
    unknown = np.isnan(draws)
    interval = percentile_interval(draws[~unknown], unknown=int(unknown.sum()))
    return Estimate(value=float(value), interval=interval, n=n, seed=seed)


def _kept(draws: Floats) -> float | None:
    """The largest share that at least `HELD` of the resamples reach."""
    ordered = np.sort(np.where(np.isnan(draws), -np.inf, draws))
    # So many may fall short; rounding must not let one more do so.
    kept = float(ordered[math.floor((1 - HELD) * len(ordered) + 1e-9)])
    return None if math.isinf(kept) else kept
