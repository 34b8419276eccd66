"""Plackett and Luce's model: an order is a series of choices, the best of what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Order, by_score
from normwright.aggregate.strengths import (
    Floats,
    Rows,
    Terms,
    clustered,
    connected,
    inverse,
    maximise,
    scattered,
    told,
)
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="plackett-luce",
    kind="methods",
    summary="Estimates strengths from orders, whole or not, with standard errors and places.",
    reference="Plackett, The analysis of permutations, Applied Statistics 24, 1975; existence: "
    "Hunter, MM algorithms for generalized Bradley-Terry models, Annals of Statistics 32, 2004",
    claims=("anonymity", "neutrality", "homogeneity"),
    denies=(
        Denial(
            axiom="clones",
            source="Tideman, Social Choice and Welfare 4, 1987; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A"),
        ),
        Denial(
            axiom="condorcet",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("3: A > B > C", "1: B > C > A", "1: C > B > A"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=("2: A > B > C", "2: C > B > A", "1: A > C > B", "1: B > A > C"),
        ),
        Denial(axiom="majority", source="By search", ballots=("2: A > B > C", "1: B > C > A")),
        Denial(
            axiom="reversal-symmetry", source="By search", ballots=("1: A > B > C", "1: C > B > A")
        ),
        Denial(
            axiom="smith",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A"),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def plackett_luce(election: Election) -> Order:
    """Return the order by strength t: each next place goes to one left with odds exp(t).

    A ballot may rank only some. Where what it leaves out counts as last, it was there to be chosen
    and was not, and how the last are ordered among themselves is unknown; the same holds for
    several in the last tier. Where it is not compared (`apart`), choices were made among the ranked
    only. Ties above the last tier are refused: the model has none, and every way of breaking them
    invents an order.

    Standard errors are those of the likelihood, one ballot a voter; where voters gave several
    orders they are clustered by voter. Strengths sum to zero.

    Raises:
        Inapplicable: for ties above the last tier; where ballots do not link all alternatives,
            naming those concerned.
    """
    election = election.compact()
    m = len(election.alternatives)
    rows = Rows.of(election, "plackett-luce")
    chosen = choices(rows)
    if not m:
        return Order(tiers=(), scores=np.zeros(0))
    connected(
        _linked(rows, chosen, m), election.alternatives, "plackett-luce",
        advice="Gather ballots that link them, leave them out, or choose a method that needs no "
        "model, such as schulze.",
    )  # fmt: skip
    terms = _terms(rows, chosen, m)
    flat = np.ones(m)
    fit = maximise(terms, np.zeros(m), flat, "plackett-luce")
    strengths = fit.values - fit.values.mean()
    covariance: Floats | None = inverse(terms(strengths)[2], flat)
    facts: dict[str, Any] = {
        "choices": int(rows.counts @ chosen.sum(axis=1)),
        "estimate": "maximum likelihood",
        "errors_assume": "every ballot independent",
        "voters": election.voters,
    }
    if election.bundles is not None and covariance is not None:
        scores = (
            (scattered(part, _scores(part, stage, strengths), m), part.counts)
            for part, stage in _parts(rows, chosen)
        )
        covariance = clustered(covariance, scores, election.bundles)
        facts["errors_assume"] = "voters independent, their own answers not"
    shown_as = told(strengths, covariance)
    return Order(
        tiers=by_score(shown_as.scores), scores=shown_as.scores, errors=shown_as.errors,
        places=shown_as.places, facts={**facts, **shown_as.facts},
    )  # fmt: skip


def choices(rows: Rows) -> NDArray[np.bool_]:
    """Return which places of each order were chosen from what was left, shape (k, width).

    Raises:
        Inapplicable: for ties above the last tier, with the number of ballots.
    """
    level = np.where(rows.live, rows.level, -1)
    last = level == level.max(axis=1, keepdims=True, initial=0)
    same = (level[:, 1:] == level[:, :-1]) & rows.live[:, 1:] & ~last[:, 1:]
    if same.any():
        tied = int(rows.counts[same.any(axis=1)].sum())
        raise Inapplicable.because(
            "plackett-luce", "ballots without ties above their last tier", f"{tied} that have some",
            "Choose bradley-terry, which has ties, or a method that needs no model.",
        )  # fmt: skip
    # A single last one is what remains: no choice, and no information.
    made: NDArray[np.bool_] = rows.live & ~last
    return made


def _linked(rows: Rows, chosen: NDArray[np.bool_], m: int) -> NDArray[np.bool_]:
    """Who was above whom: from each place to the next, from the last chosen to all the rest."""
    above = np.zeros((m, m), dtype=np.bool_)
    given = rows.counts[:, None] > 0
    step = chosen[:, :-1] & rows.live[:, 1:] & given
    above[rows.who[:, :-1][step], rows.who[:, 1:][step]] = True
    some: NDArray[np.bool_] = np.any(chosen, axis=1)
    end = rows.who[np.arange(len(rows.who)), np.maximum(0, chosen.sum(axis=1) - 1)]
    rest = rows.live & ~chosen & some[:, None] & given
    above[np.broadcast_to(end[:, None], rest.shape)[rest], rows.who[rest]] = True
    return above


def _parts(rows: Rows, chosen: NDArray[np.bool_]) -> list[tuple[Rows, NDArray[np.bool_]]]:
    parts, start = [], 0
    for part in rows.chunks():
        parts.append((part, chosen[start : start + len(part.who)]))
        start += len(part.who)
    return parts


def _weights(part: Rows, chosen: NDArray[np.bool_], strengths: Floats) -> tuple[Floats, Floats]:
    """Weight of each place, and one over the weight of what was left where one was chosen."""
    weight = np.where(part.live, np.exp(strengths - strengths.max())[part.who], 0.0)
    left = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1]
    return weight, np.where(chosen, 1 / np.where(chosen, left, 1.0), 0.0)


def _scores(part: Rows, chosen: NDArray[np.bool_], strengths: Floats) -> Floats:
    weight, share = _weights(part, chosen, strengths)
    made: Floats = chosen - weight * np.cumsum(share, axis=1)
    return made


def _terms(rows: Rows, chosen: NDArray[np.bool_], m: int) -> Callable[[Floats], Terms]:
    """The likelihood of orders; places of a row are summed in closed form, not choice by choice."""
    parts = _parts(rows, chosen)

    def terms(strengths: Floats) -> Terms:
        value, slope, mean, bend = 0.0, np.zeros(m), np.zeros(m), np.zeros((m, m))
        for part, stage in parts:
            counts = part.counts
            weight, share = _weights(part, stage, strengths)
            log_left = np.where(stage, -np.log(np.where(stage, share, 1.0)), 0.0)
            own = np.where(stage, strengths[part.who] - strengths.max(), 0.0)
            value += float(counts @ (own - log_left).sum(axis=1))
            expected = weight * np.cumsum(share, axis=1)
            slope += part.sum_of_each(counts[:, None] * (stage - expected), m)
            mean += part.sum_of_each(counts[:, None] * expected, m)
            bend -= _joint(part, weight, np.cumsum(share**2, axis=1), m)
        return value, slope, bend + np.diag(mean)

    return terms


def _joint(part: Rows, weight: Floats, squares: Floats, m: int) -> Floats:
    """Sum over choices of the probabilities of two that are both left, shape (m, m).

    Two are both left up to the earlier of their places, and squares grow from place to place: so
    what two share is the smaller of their squares.
    """
    if part.who.shape[1] * 4 < m:
        both = np.minimum(squares[:, :, None], squares[:, None, :])
        both *= weight[:, :, None]
        both *= weight[:, None, :]
        both *= part.counts[:, None, None]
        return part.sum_of_pairs(both, m)
    # By alternative and not by place: no two are then to be looked up.
    at = np.repeat(np.arange(len(part.who)), part.live.sum(axis=1))
    whole, of_each = np.zeros((m, len(part.who))), np.zeros(m)
    whole[part.who[part.live], at] = squares[part.live]
    of_each[part.who[part.live]] = weight[part.live]
    counts = part.counts.astype(np.float64)
    joint = np.zeros((m, m))
    for a in range(m):
        joint[a, a:] = np.minimum(whole[a], whole[a:]) @ counts
    joint = np.triu(joint) + np.triu(joint, 1).T
    return joint * of_each[:, None] * of_each[None, :]
