"""From votes to what each head of a reward model is fitted to: shares and weights, as arrays.

A pair that several people judged says more than a winner. Here it becomes the shares that chose
the one answer, neither and the other, with a weight that says how much the pair counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from normwright.records import Fault, InputError, PreferencePair

Floats = NDArray[np.float64]

Likelihood = Literal["shares", "votes", "davidson", "rao-kupper"]
POOLED: Final = "pooled"
"""Name of the head that everybody's choices are put to; it is the first one always."""
_SHOWN = 20


@dataclass(frozen=True)
class Reading:
    """How votes are read. Part of the science of a run."""

    likelihood: Likelihood = "shares"
    """`shares`: the share that a pair states (`p_chosen`). `votes`: its votes, binomially, a tie
    as half a vote for each side. `davidson`, `rao-kupper`: its votes, a tie as an outcome of its
    own with a parameter that is learned (Davidson 1970; Rao and Kupper 1967)."""
    gamma: float = 0.0
    """A pair counts by the number of its votes to this power: 1 is the likelihood of the votes,
    0 gives every question the same say."""
    prior: float = 0.0
    """Votes added to every outcome before its share is taken; 1/2 is Jeffreys' for two outcomes."""

    @property
    def ties(self) -> bool:
        """Whether a tie is an outcome of its own."""
        return self.likelihood in ("davidson", "rao-kupper")


@dataclass(frozen=True)
class Targets:
    """What each head is fitted to."""

    heads: tuple[str, ...]
    shares: Floats
    """Shares for the chosen answer, for neither, and for the rejected, shape (pairs, heads, 3)."""
    weight: Floats
    """Shape (pairs, heads); 0 where a pair says nothing to a head. Its mean over what says
    something is 1."""


@dataclass(frozen=True)
class Drawn:
    """Of what the members of an ensemble saw a resample, and how often each was drawn."""

    unit: Literal["participants", "clusters"]
    names: tuple[str, ...]
    times: NDArray[np.int64]
    """Shape (members, units)."""


def pooled(pairs: Sequence[PreferencePair], reading: Reading) -> Targets:
    """Return the targets of one head that everybody's choices are put to.

    Raises:
        InputError: with every pair whose votes are needed and not at hand.
    """
    _check(pairs, reading)
    cells = [[_cell(p.p_chosen, _votes(p), p.weight, reading)] for p in pairs]
    return _targets((POOLED,), cells)


def by_group(pairs: Sequence[PreferencePair], reading: Reading) -> Targets:
    """Return the targets of a pooled head and one head a group of people.

    A group's share of a pair is that of its own votes; without votes the pair's, if the pair is
    the group's; else the group's support.

    Raises:
        InputError: if no pair names a group; with every pair whose votes are needed and not there.
    """
    _check(pairs, reading)
    groups = sorted({g for p in pairs for g in _groups(p)})
    if not groups:
        raise InputError(
            [
                Fault(
                    where="group",
                    expected="pairs that say which group judged them",
                    seen="no group in any pair",
                    do="Give `group`, or votes with one; or train one pooled head.",
                )
            ]
        )
    cells = [
        [
            _cell(p.p_chosen, _votes(p), p.weight, reading),
            *(_cell(_share(p, g), _votes(p, g), p.weight, reading) for g in groups),
        ]
        for p in pairs
    ]
    return _targets((POOLED, *groups), cells)


def by_member(
    pairs: Sequence[PreferencePair], reading: Reading, *, members: int, seed: int
) -> tuple[Targets, Drawn]:
    """Return targets of ensemble members, each on a resample of the people, and what was drawn.

    People are drawn with replacement, each with all their votes, so that members differ as
    consultations of other people would. Rows resampled one by one would leave every person in
    every member. Where some pair has no votes, clusters of pairs (group and family) are drawn in
    their place: that is a weaker claim, of other questions and not of other people.

    Raises:
        InputError: if there are fewer than two units to draw from.
    """
    _check(pairs, reading)
    rng = np.random.default_rng(seed)
    named = all(p.votes for p in pairs)
    units = sorted({v.participant for p in pairs for v in p.votes} if named
                   else {_cluster(p) for p in pairs})  # fmt: skip
    if len(units) < 2:
        raise InputError(
            [
                Fault(
                    where="participant" if named else "family",
                    expected="at least two people, or clusters of pairs, to draw members from",
                    seen=str(len(units)),
                )
            ]
        )
    times = rng.multinomial(len(units), np.full(len(units), 1 / len(units)), size=members)
    index = {name: i for i, name in enumerate(units)}
    cells = []
    for p in pairs:
        if named:
            drawn = [
                _votes(p, times={v.participant: float(row[index[v.participant]]) for v in p.votes})
                for row in times
            ]
            # The share of this resample, so that members differ by whom they heard.
            cells.append([_cell(None, votes, p.weight, reading) for votes in drawn])
        else:
            cell = _cell(p.p_chosen, _votes(p), p.weight, reading)
            at = index[_cluster(p)]
            cells.append([(*cell[:3], cell[3] * float(row[at])) for row in times])
    names = tuple(f"member-{i}" for i in range(members))
    unit: Literal["participants", "clusters"] = "participants" if named else "clusters"
    return _targets(names, cells), Drawn(unit, tuple(units), times.astype(np.int64))


Tally = tuple[float, float, float]
"""Weights of votes for the chosen answer, for neither, and for the rejected."""
_Cell = tuple[float, float, float, float]


def _votes(
    pair: PreferencePair, group: str | None = None, times: Mapping[str, float] | None = None
) -> Tally | None:
    """Tally of a pair; one choice of one person where it has no votes but says 1 or 0."""
    if not pair.votes:
        if pair.p_chosen in (0.0, 1.0) and group in (None, pair.group):
            return (pair.p_chosen, 0.0, 1 - pair.p_chosen)
        return None
    sums = dict.fromkeys(("chosen", "tie", "rejected"), 0.0)
    for vote in pair.votes:
        if group is None or (vote.group or pair.group) == group:
            sums[vote.choice] += vote.weight * (1.0 if times is None else times[vote.participant])
    return (sums["chosen"], sums["tie"], sums["rejected"])


def _cell(share: float | None, votes: Tally | None, weight: float, reading: Reading) -> _Cell:
    """Shares for, tied, against, and weight; weight 0 where nothing is said."""
    nothing = (0.5, 0.0, 0.5, 0.0)
    if reading.gamma:
        if votes is None:
            return nothing
        weight *= sum(votes) ** reading.gamma
    if reading.likelihood == "shares" and share is not None:
        return (share, 0.0, 1 - share, weight)
    if votes is None or sum(votes) == 0:
        return nothing
    won, tied, lost = votes
    a, n = reading.prior, sum(votes)
    if reading.ties:
        return ((won + a) / (n + 3 * a), (tied + a) / (n + 3 * a), (lost + a) / (n + 3 * a), weight)
    p = (won + tied / 2 + a) / (n + 2 * a)
    return (p, 0.0, 1 - p, weight)


def _groups(pair: PreferencePair) -> set[str]:
    voted = {v.group for v in pair.votes if v.group is not None}
    own = {pair.group} if pair.group is not None else set()
    return voted or own or set(pair.support)


def _share(pair: PreferencePair, group: str) -> float | None:
    if any(v.group is not None for v in pair.votes):
        won, tied, lost = _votes(pair, group) or (0.0, 0.0, 0.0)
        n = won + tied + lost
        return (won + tied / 2) / n if n else None
    if pair.group is not None:
        return pair.p_chosen if pair.group == group else None
    return pair.support.get(group)


def _cluster(pair: PreferencePair) -> str:
    return f"{pair.group or ''}/{pair.family}"


def _check(pairs: Sequence[PreferencePair], reading: Reading) -> None:
    """Raise one InputError for all pairs whose votes are needed and not at hand."""
    if not pairs:
        raise InputError([Fault(where="pairs", expected="at least one pair", seen="none")])
    if reading.likelihood == "shares" and not reading.gamma:
        return
    lacking = [p for p in pairs if _votes(p) is None]
    faults = [
        Fault(
            where=p.scene,
            expected="votes, as the likelihood is one of votes or gamma is not 0",
            seen=f"a share of {p.p_chosen:g} without the number of people behind it",
            do="Give `votes`; or take the likelihood `shares` with gamma 0 and say in `weight` "
            "how much a pair counts.",
        )
        for p in lacking[:_SHOWN]
    ]
    if len(lacking) > _SHOWN:
        faults.append(
            Fault(where="pairs", expected="votes", seen=f"{len(lacking) - _SHOWN} more without")
        )
    if faults:
        raise InputError(faults)


def _targets(heads: tuple[str, ...], cells: Sequence[Sequence[_Cell]]) -> Targets:
    found = np.array(cells, dtype=np.float64)
    weight = found[..., 3]
    empty = [name for name, total in zip(heads, weight.sum(0), strict=True) if total == 0]
    if empty:
        raise InputError(
            [Fault(where=name, expected="pairs that say something", seen="none") for name in empty]
        )
    said = weight[weight > 0].tolist()
    return Targets(heads, found[..., :3], weight / (sum(said) / len(said)))


def slope_of_length(longer: Floats, p: Floats, weight: Floats, *, rounds: int = 50) -> float:
    """Return the slope of a logistic model of the choices in the difference of lengths alone.

    Newton's method on a concave likelihood of one parameter; a ridge of one thousandth of its
    curvature at zero keeps separable data finite.

    Args:
        longer: length of the chosen answer less that of the rejected, shape (pairs,).
        p: share that preferred the chosen answer.
        weight: of each pair.
        rounds: Newton steps, at most.
    """
    curve = float((weight * longer**2).sum()) / 4
    if curve == 0:
        return 0.0
    ridge, slope = curve / 1000, 0.0
    for _ in range(rounds):
        s = 1 / (1 + np.exp(-np.clip(slope * longer, -30, 30)))
        gradient = float((weight * (p - s) * longer).sum()) - ridge * slope
        step = gradient / (float((weight * s * (1 - s) * longer**2).sum()) + ridge)
        # A step is held short of where the logistic is flat.
        limit = 4 / float(np.abs(longer).max())
        step = math.copysign(min(abs(step), limit), step)
        slope += step
        if abs(step) < 1e-10:
            break
    return slope
