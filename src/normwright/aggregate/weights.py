"""Weights that bring those who took part nearer to a declared population, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable, Ints
from normwright.aggregate.profile import Profile
from normwright.records import (
    Ballots,
    Estimate,
    Fault,
    InputError,
    MarginCheck,
    Unranked,
    WeightedSupport,
    Weighting,
)
from normwright.stats import proportion, wilson

Floats = NDArray[np.float64]

WHOLE = 1_000_000
"""A weight of one, in whole numbers: counts of weighted voters stay exact."""
ROUNDS = 1_000
TOLERANCE = 1e-6
ROUNDING = 0.0005
"""By how much each declared share may be rounded; what they add up to is scaled to one."""


@dataclass(frozen=True, eq=False)
class Raked:
    """Weights of participants, and the account of them that has to go wherever they go."""

    participants: tuple[str, ...]
    weights: Ints
    """In millionths, one a participant; their mean is one million. Nobody's is 0."""
    weighting: Weighting


def rake(
    traits: Mapping[str, Mapping[str, str | None]],
    margins: Mapping[str, Mapping[str, float]],
    *,
    cap: float | None = 5.0,
) -> Raked:
    """Return weights under which participants have the declared shares of every trait.

    Iterative proportional fitting (Deming and Stephan, 1940): trait after trait, weights are scaled
    to its shares until all hold. With a cap, weights above it are trimmed and all is fitted again
    (Izrael et al., 2009), and the cap holds in the end even where the margins then do not; `gap`
    says by how much. Weighting cannot mend what was not asked: those who took part may differ
    from their like who did not.

    A participant whose trait is not known is left as he or she is by that trait; those who are
    known are fitted among themselves. A declared value that no participant has cannot be
    represented and is listed in `unreached`.

    Args:
        traits: of each participant the value of each trait, None where it is not known.
        margins: of each trait the share of each value in the population.
        cap: the largest weight, the mean being 1; None: no cap.

    Raises:
        InputError: for margins that are no shares, values that are not declared, a cap that no
            weights can keep; with all faults at once.
    """
    _check(traits, margins, cap)
    people = tuple(sorted(traits))
    names = sorted(margins)
    given = [tuple(traits[p].get(t) for t in names) for p in people]
    kinds = sorted(set(given), key=lambda g: tuple((v is not None, v or "") for v in g))
    number = {g: i for i, g in enumerate(kinds)}
    of_person = np.array([number[g] for g in given], dtype=np.int64)
    size = np.bincount(of_person, minlength=len(kinds)).astype(np.float64)
    parts = [_parts([g[i] for g in kinds], margins[t]) for i, t in enumerate(names)]
    weight, rounds = _fit(size, parts, cap)
    millionths = np.maximum(1, np.rint(weight * WHOLE)).astype(np.int64)
    weights = millionths[of_person]
    return Raked(people, weights, _account(traits, margins, people, weights, cap, rounds))


def weighted_support(profile: Profile, raked: Raked) -> tuple[WeightedSupport, ...]:
    """Return the support of each statement under weights, and as it was given beside it.

    Args:
        profile: votes; its participants must be those who were weighted.
        raked: their weights.

    Raises:
        InputError: where a participant has no weight.
    """
    index = {p: i for i, p in enumerate(raked.participants)}
    missing = [p for p in profile.participants if p not in index]
    if missing:
        raise _unweighted(len(missing), len(profile.participants))
    weights = raked.weights[[index[p] for p in profile.participants]]
    # Squares add up in floating point: they make intervals only.
    real = weights / WHOLE
    own, against, passed = profile.counts()
    people = own + against + passed
    # By vote, so that no table of everybody by everything is made; sums stay below 2**53.
    of_vote, agree = weights[profile.rows], profile.values == 1
    size = len(profile.statements)
    total = np.rint(np.bincount(profile.columns, of_vote, size)).astype(np.int64)
    for_it = np.rint(np.bincount(profile.columns, of_vote * agree, size)).astype(np.int64)
    squares = np.bincount(profile.columns, real[profile.rows] ** 2, size)
    effective = (total / WHOLE) ** 2 / np.where(people > 0, squares, 1.0)
    return tuple(
        WeightedSupport(
            statement=statement,
            unweighted=proportion(int(own[j]), int(people[j])),
            weighted=_weighted_share(
                int(for_it[j]), int(total[j]), float(effective[j]), int(people[j])
            ),
            effective_n=float(effective[j]),
        )
        for j, statement in enumerate(profile.statements)
    )


def _weighted_share(agree: int, total: int, effective: float, people: int) -> Estimate:
    if not people:
        return Estimate(value=None, interval=None, n=0)
    share = agree / total
    # Rounding must not carry the share past all of them.
    hits = min(effective, share * effective)
    return Estimate(value=share, interval=wilson(hits, effective), n=people)


def _unweighted(missing: int, of: int) -> InputError:
    return InputError([
        Fault(where="weights", expected="a weight above 0 for each voter",
              seen=f"none for {missing} of {of}", do="Give their traits, not known if need be.")
    ])  # fmt: skip


def weighted(election: Election, weights: Ints) -> Election:
    """Return the election with each row counted by its weight, in millionths.

    Numbers of voters are then sums of weights; results must be shown beside the unweighted ones.

    Args:
        election: ballots of one order or vote a voter.
        weights: in millionths, one a row, as from `rake` in the order of the participants.

    Raises:
        InputError: where there are not as many weights as rows, or one is not above 0.
        Inapplicable: where only pairs are known, or voters gave several orders each.
    """
    if election.bundles is not None or not len(election.orders):
        raise Inapplicable.because("weights", "one ballot a voter", "pairs or several orders each")
    if weights.shape != election.counts.shape or (weights <= 0).any():
        raise InputError([
            Fault(where="weights", expected=f"{len(election.counts)} numbers above 0, one a ballot",
                  seen=f"{len(weights)} numbers, the least {min(weights.tolist(), default=None)}")
        ])  # fmt: skip
    return replace(election, counts=election.counts * weights, pairwise=None, electorate=None)


def weighted_ballots(
    ballots: Ballots,
    weights: Mapping[str, int],
    *,
    alternatives: Sequence[str],
    unranked: Unranked = "last",
) -> Election:
    """Return rankings as an election in which each voter counts by weight, in millionths.

    Args:
        ballots: rankings, one a voter.
        weights: of each voter, in millionths.
        alternatives: what is ranked, in the order of the arrays.
        unranked: what an alternative that a ballot leaves out is.

    Raises:
        InputError: where voters have no weight; all of them counted.
        Inapplicable: where voters gave several orders each.
    """
    if len(set(ballots.voters)) < len(ballots.voters):
        raise Inapplicable.because("weights", "one ballot a voter", "several orders of some voters")
    missing = [v for v in ballots.voters if weights.get(v, 0) <= 0]
    if missing:
        raise _unweighted(len(missing), len(ballots.voters))
    every = Election.of_orders(ballots, alternatives=alternatives, unranked=unranked)
    counts = np.zeros(len(every.counts), dtype=np.int64)
    np.add.at(counts, np.asarray(ballots.chosen), [weights[v] for v in ballots.voters])
    return replace(every, counts=counts * every.counts).compact()


def _parts(values: Sequence[str | None], shares: Mapping[str, float]) -> list[tuple[Ints, float]]:
    """Which kinds of people have each value, and the share these should have among the known."""
    found = {v: np.flatnonzero([w == v for w in values]) for v in sorted(shares)}
    reached = sum(shares[v] for v, rows in found.items() if len(rows))
    return [(rows, shares[v] / reached) for v, rows in found.items() if len(rows)]


def _fit(
    size: Floats, parts: Sequence[Sequence[tuple[Ints, float]]], cap: float | None
) -> tuple[Floats, int]:
    """Weight of one person of each kind, the mean being 1, and the rounds it took."""
    weight = np.ones(len(size))
    for done in range(1, ROUNDS + 1):
        before = weight.copy()
        for trait in parts:
            known = sum(float(size[rows] @ weight[rows]) for rows, _ in trait)
            for rows, share in trait:
                weight[rows] *= share * known / float(size[rows] @ weight[rows])
        weight *= size.sum() / float(size @ weight)
        if cap is not None:
            weight = _trim(size, weight, cap)
        if np.abs(weight - before).max(initial=0.0) < 1e-12:
            return weight, done
    return weight, ROUNDS


def _trim(size: Floats, weight: Floats, cap: float) -> Floats:
    """Cut weights to the cap; what is cut off goes to the others in proportion."""
    over = weight > cap
    while over.any():
        free = size.sum() - cap * size[over].sum()
        cut = np.where(over, cap, weight * free / float(size[~over] @ weight[~over]))
        more = cut > cap
        if (more <= over).all():
            return cut
        over |= more
    return weight


def _account(
    traits: Mapping[str, Mapping[str, str | None]],
    margins: Mapping[str, Mapping[str, float]],
    people: Sequence[str],
    weights: Ints,
    cap: float | None,
    rounds: int,
) -> Weighting:
    """What the weights reach, what they do not, and what they cost."""
    checks, unreached, gaps = [], [], [0.0]
    for trait in sorted(margins):
        values = np.array([traits[p].get(trait) or "" for p in people], dtype=np.str_)
        known = values != ""
        reached = sum(s for v, s in margins[trait].items() if (values == v).any())
        scale = sum(margins[trait].values())
        for value in sorted(margins[trait]):
            check = _check_of(trait, value, values == value, known, weights)
            check = check.model_copy(update={"declared": margins[trait][value] / scale})
            if check.participants:
                checks.append(check)
                gaps.append(abs(check.weighted - margins[trait][value] / reached))
            else:
                unreached.append(check)
        if not known.all():
            everybody = np.ones(len(people), dtype=np.bool_)
            checks.append(_check_of(trait, None, ~known, everybody, weights))
    # Python's whole numbers: squares of millionths do not fit 64 bits.
    total, squares = sum(weights.tolist()), sum(w * w for w in weights.tolist())
    effect = len(people) * squares / total**2
    mean = total / len(people)
    at_cap = 0 if cap is None else int((weights >= (cap * WHOLE - 1)).sum())
    return Weighting(
        participants=len(people),
        margins=tuple(checks),
        unreached=tuple(unreached),
        cap=cap,
        capped=at_cap,
        largest=int(weights.max()) / mean,
        smallest=int(weights.min()) / mean,
        design_effect=effect,
        effective_n=len(people) / effect,
        converged=max(gaps) <= TOLERANCE,
        gap=max(gaps),
        rounds=rounds,
    )


def _check_of(
    trait: str,
    value: str | None,
    rows: NDArray[np.bool_],
    among: NDArray[np.bool_],
    weights: Ints,
) -> MarginCheck:
    count, all_of_them = int(rows.sum()), int(among.sum())
    return MarginCheck(
        trait=trait,
        value=value,
        participants=count,
        declared=None,
        unweighted=count / max(1, all_of_them),
        weighted=int(weights[rows].sum()) / max(1, int(weights[among].sum())),
    )


def _check(
    traits: Mapping[str, Mapping[str, str | None]],
    margins: Mapping[str, Mapping[str, float]],
    cap: float | None,
) -> None:
    """Raise all faults of traits and margins at once."""
    faults = []
    if not traits:
        faults.append(Fault(where="traits", expected="at least one participant", seen="none"))
    if not margins:
        faults.append(Fault(where="margins", expected="at least one trait", seen="none"))
    if cap is not None and not 1 <= cap < np.inf:
        faults.append(
            Fault(where="cap", expected="a number of 1 or more, the mean being 1", seen=str(cap))
        )
    for trait, shares in sorted(margins.items()):
        faults += _faults_of(trait, shares, [t.get(trait) for t in traits.values()])
    if faults:
        raise InputError(faults)


def _faults_of(
    trait: str, shares: Mapping[str, float], values: Sequence[str | None]
) -> list[Fault]:
    """What is wrong with the margins of one trait, and with what participants say of it."""
    faults = [
        Fault(where=f"margins, {trait}, {value!r}", expected="a share above 0, at most 1",
              seen=str(share), do="Leave out a value that nobody has.")
        for value, share in sorted(shares.items()) if not (0 < share <= 1) or not value
    ]  # fmt: skip
    total = sum(shares.values())
    if not abs(total - 1) <= ROUNDING * max(1, len(shares)) and not faults:
        faults.append(
            Fault(where=f"margins, {trait}", expected="shares that add up to 1", seen=f"{total:g}")
        )
    known = [v for v in values if v is not None]
    if values and not known:
        faults.append(
            Fault(where=f"traits, {trait}", expected="a value of at least one participant",
                  seen=f"none known of {len(values)}", do="Leave this trait out of the margins.")
        )  # fmt: skip
    faults += [
        Fault(where=f"traits, {trait}, {value!r}", expected="a value that the margins declare",
              seen=f"{known.count(value)} participants have it",
              do="Declare its share, or give it as not known.")
        for value in sorted(set(known) - set(shares))
    ]  # fmt: skip
    return faults
