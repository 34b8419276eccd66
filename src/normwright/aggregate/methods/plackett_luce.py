"""Plackett and Luce's model: an order is a series of choices, the best of what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Order
from normwright.aggregate.strengths import (
    Floats,
    Ints,
    Rows,
    Terms,
    clustered,
    connected,
    inverse,
    maximise,
    order_of,
    scattered,
)
from normwright.plugins import Card, plugin

CARD = Card(
    name="plackett-luce",
    kind="methods",
    summary="Estimates strengths from orders, whole or not, with standard errors and places.",
    reference="Plackett, The analysis of permutations, Applied Statistics 24, 1975; existence: "
    "Hunter, MM algorithms for generalized Bradley-Terry models, Annals of Statistics 32, 2004",
    claims=("anonymity", "neutrality", "homogeneity"),
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
        each = [_scores(part, stage, strengths) for part, stage in _parts(rows, chosen)]
        scores = scattered(rows, np.concatenate(each), m)
        covariance = clustered(covariance, scores, election.counts, election.bundles)
        facts["errors_assume"] = "voters independent, their own answers not"
    return order_of(strengths, covariance, facts)


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
    return rows.live & ~last


def _linked(rows: Rows, chosen: NDArray[np.bool_], m: int) -> NDArray[np.bool_]:
    """Who was above whom: from each place to the next, from the last chosen to all the rest."""
    above = np.zeros((m, m), dtype=np.bool_)
    step = chosen[:, :-1] & rows.live[:, 1:]
    above[rows.who[:, :-1][step], rows.who[:, 1:][step]] = True
    some = chosen.any(axis=1)
    end = rows.who[np.arange(len(rows.who)), np.maximum(0, chosen.sum(axis=1) - 1)]
    rest = rows.live & ~chosen & some[:, None]
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
            # Two are both left up to the earlier of their places.
            squares = np.cumsum(share**2, axis=1)
            places = np.arange(stage.shape[1])
            both = squares[:, np.minimum(places[:, None], places[None, :])]
            both *= weight[:, :, None]
            both *= weight[:, None, :]
            both *= counts[:, None, None]
            bend -= part.sum_of_pairs(both, m)
        return value, slope, bend + np.diag(mean)

    return terms


__all__ = ["Ints", "choices", "plackett_luce"]
