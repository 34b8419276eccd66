"""Bradley and Terry's model: strengths that make the outcomes of comparisons most likely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Order, by_score
from normwright.aggregate.strengths import (
    Fit,
    Floats,
    Ints,
    Rows,
    Terms,
    clustered,
    connected,
    inverse,
    maximise,
    scattered,
    shifts_apart,
    told,
)
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="bradley-terry",
    kind="methods",
    summary="Estimates strengths from comparisons, with ties, standard errors and places.",
    reference="Bradley and Terry, Rank analysis of incomplete block designs, Biometrika 39, 1952; "
    "ties: Davidson, J. American Statistical Association 65, 1970",
    claims=("anonymity", "neutrality", "homogeneity"),
    denies=(
        Denial(
            axiom="clones",
            source="Tideman, Social Choice and Welfare 4, 1987; these ballots by search",
            ballots=("2: A > B > C", "1: B > A > C", "1: B > C > A"),
        ),
        Denial(
            axiom="condorcet",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("3: A > B > C", "2: B > C > A"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("3: A > B > C", "2: C > A > B"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=(
                "1: A > B > E > C > D",
                "1: B > A > C > D > E",
                "1: C > A > D > B > E",
                "1: D > A > E > B > C",
                "1: D > A > E > C > B",
                "1: B > C > A > D > E",
                "1: C > B > E > A > D",
                "1: E > D > C > A > B",
                "1: E > B > C > D > A",
            ),
        ),
        Denial(axiom="majority", source="By search", ballots=("3: A > B > C", "2: B > C > A")),
        Denial(
            axiom="smith",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("3: A > B > C", "2: B > C > A"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=(
                "2: A > C > B > D",
                "2: D > A > B > C",
                "2: C > D > A > B",
                "1: A > B > D > C",
                "1: B > C > A > D",
                "1: B > D > C > A",
            ),
        ),
    ),
    takes="pairs",
    status="tested",
)

_PART = 1 << 17
_CELLS = 4_000_000
_FEW_TIERS = 6
_ADVICE = (
    "Gather comparisons that link them, leave them out, or choose a method that needs no model, "
    "such as schulze."
)


@plugin(CARD)
def bradley_terry(election: Election) -> Order:
    """Return the order by strength t, where i is put above j with odds exp(t_i - t_j).

    Two in one tier are a tie, which Davidson's model expects in proportion to the geometric mean of
    their strengths. Two that a ballot leaves out are no tie, for nobody compared them; what is left
    out is below all that is ranked, unless it counts apart. The estimate is the plain maximum of
    the likelihood, and refused where there is none. Strengths sum to zero, and are logarithms of
    odds.

    Where people gave several comparisons, or orders of more than two, their answers hang together:
    standard errors are then clustered by voter. Where only the counts of pairs are known, nobody
    knows who repeated themselves, and each comparison counts as independent; `facts` say so.

    Raises:
        Inapplicable: where the comparisons do not link all alternatives, naming those concerned.
    """
    wins, ties, rows = compared(election)
    fit = fitted(wins, ties, names=election.alternatives)
    facts: dict[str, Any] = {
        "comparisons": int(wins.sum() + ties.sum() // 2),
        "ties": int(ties.sum() // 2),
        "tie_parameter": round(fit.tie, 8),
        "estimate": "maximum likelihood",
        "errors_assume": "every comparison independent",
    }
    covariance: Floats | None = fit.covariance
    if rows is not None and _hang_together(rows, election):
        covariance = by_voter(fit, rows, election)
        facts["errors_assume"] = "voters independent, their own answers not"
        facts["voters"] = election.voters
    shown_as = told(fit.strengths, covariance)
    return Order(
        tiers=by_score(shown_as.scores), scores=shown_as.scores, errors=shown_as.errors,
        places=shown_as.places, facts={**facts, **shown_as.facts},
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Strengths:
    """Estimates of Bradley and Terry's model."""

    strengths: Floats
    """Logarithms, summing to zero, shape (m,)."""
    covariance: Floats
    """Of the strengths, were every comparison independent, shape (m, m)."""
    tie: float
    """Davidson's parameter: how often a tie, relative to equals' wins; 0 without ties."""
    bread: Floats
    """Covariance of strengths and, last, the logarithm of the tie parameter if there are ties."""
    fit: Fit
    """How the maximum was found."""


def wins_of(winners: NDArray[Any], losers: NDArray[Any], m: int) -> Ints:
    """Return how often i won against j, shape (m, m), from the numbers of winners and losers."""
    wins = np.zeros(m * m, dtype=np.int64)
    # In parts that stay near the processor: ten million at once are mostly moved about.
    step = max(_PART, m * m)
    for start in range(0, len(winners), step):
        part = slice(start, start + step)
        wins += np.bincount(winners[part].astype(np.int64) * m + losers[part], minlength=m * m)
    return wins.reshape(m, m)


def fitted(
    wins: Ints,
    ties: Ints | None = None,
    *,
    ridge: float = 0.0,
    names: tuple[str, ...] | None = None,
) -> Strengths:
    """Return the strengths from counts of wins and ties, by Newton's method on the counts.

    Args:
        wins: how often i won against j, shape (m, m).
        ties: how often i and j were level, symmetrical, shape (m, m); None: never.
        ridge: weight of the squares of strengths, as if each had a normal prior of this precision.
            With 0 nothing is assumed, and what cannot be estimated is refused; with more, strengths
            are drawn together, and exist always: say so where you show them.
        names: of the alternatives, for errors.

    Raises:
        Inapplicable: without a ridge, where there is no maximum; names those concerned.
    """
    m = len(wins)
    named = tuple(str(j) for j in range(m)) if names is None else names
    level = np.zeros_like(wins) if ties is None else ties
    tied = bool(level.any())
    if not ridge:
        connected((wins > 0) | (level > 0), named, "bradley-terry", advice=_ADVICE)
    if tied and (not wins.any() or shifts_apart(wins > 0, level > 0)):
        raise Inapplicable.because(
            "bradley-terry", "circles of comparisons with more wins than ties",
            f"{int(level.sum() // 2)} ties among too few wins to tell how likely a tie is",
            "Gather more comparisons.",
        )  # fmt: skip
    flat = np.append(np.zeros(m) if ridge else np.ones(m), np.zeros(int(tied)))
    if not m:
        none = np.zeros((0, 0))
        return Strengths(np.zeros(0), none, 0.0, none, Fit(np.zeros(0), none, 0, 0.0))
    terms = _terms(wins, level, ridge, tied=tied)
    fit = maximise(terms, np.zeros(m + tied), flat, "bradley-terry")
    bread = inverse(terms(fit.values)[2], flat)
    strengths = fit.values[:m] - fit.values[:m].mean()
    tie = float(np.exp(fit.values[m])) if tied else 0.0
    return Strengths(strengths, bread[:m, :m], tie, bread, fit)


def chances(strengths: Floats, tie: float) -> tuple[Floats, Floats]:
    """Return how probable it is that i is put above j, and that they are level, (m, m) each."""
    apart = strengths[:, None] - strengths[None, :]
    # Divided by the stronger of the two, so that nothing overflows.
    wins, loses = np.exp(np.minimum(apart, 0)), np.exp(np.minimum(-apart, 0))
    half = tie * np.exp(-np.abs(apart) / 2)
    total = wins + loses + half
    return wins / total, half / total


def _terms(wins: Ints, ties: Ints, ridge: float, *, tied: bool) -> Callable[[Floats], Terms]:
    """The likelihood of counts: an exponential family, so concave."""
    m = len(wins)
    played = (wins + wins.T + ties).astype(np.float64)
    points = (wins + ties / 2).sum(axis=1)
    draws = float(ties.sum() / 2)

    def terms(at: Floats) -> Terms:
        strengths, tie = at[:m], float(np.exp(at[m])) if tied else 0.0
        win, draw = chances(strengths, tie)
        share = win + draw / 2
        log_total = _log_totals(strengths, tie)
        value = float(points @ strengths - (played * log_total).sum() / 2)
        value -= ridge / 2 * float(strengths @ strengths)
        slope = points - (played * share).sum(axis=1) - ridge * strengths
        varies = played * (win + draw / 4 - share**2)
        bend = np.diag(varies.sum(axis=1) + ridge) - varies
        if not tied:
            return value, slope, bend
        value += draws * float(at[m])
        slope = np.append(slope, draws - (played * draw).sum() / 2)
        across = (played * draw * (0.5 - share)).sum(axis=1)
        own = (played * draw * (1 - draw)).sum() / 2
        return (
            value,
            slope,
            np.block([[bend, across[:, None]], [across[None, :], np.array([[own]])]]),
        )

    return terms


def _log_totals(strengths: Floats, tie: float) -> Floats:
    """log(exp(t_i) + exp(t_j) + tie exp((t_i + t_j) / 2)) of each pair."""
    apart = np.abs(strengths[:, None] - strengths[None, :])
    top = np.maximum(strengths[:, None], strengths[None, :])
    rest: Floats = top + np.log1p(np.exp(-apart) + tie * np.exp(-apart / 2))
    return rest


def compared(election: Election) -> tuple[Ints, Ints, Rows | None]:
    """Return wins, ties and orders; no orders where only pairs are known."""
    m = len(election.alternatives)
    if election.pairwise is not None and not len(election.orders):
        return election.pairwise, np.zeros((m, m), dtype=np.int64), None
    rows = Rows.of(election, "bradley-terry")
    wins, ties = np.zeros((m, m)), _ties(election, rows)
    if rows.who.shape[1] * 2 >= m or election.pairwise is not None:
        return election.wins, np.rint(ties).astype(np.int64), rows
    for part in rows.chunks():
        above = part.level[:, :, None] < part.level[:, None, :]
        wins += part.sum_of_pairs((part.compared() & above) * part.counts[:, None, None], m)
    # Sums of whole numbers below 2**53 are exact.
    return np.rint(wins).astype(np.int64), np.rint(ties).astype(np.int64), rows


def _ties(election: Election, rows: Rows) -> Floats:
    """How often two were level on a ballot that ranks both, shape (m, m)."""
    m = len(election.alternatives)
    ties = np.zeros((m, m))
    if int(election.orders.max(initial=0)) <= _FEW_TIERS < rows.who.shape[1]:
        # Votes have three tiers: a product for each is far less than a look at every pair.
        step = max(1, _CELLS // max(1, m))
        for start in range(0, len(election.orders), step):
            part = slice(start, start + step)
            for tier in range(int(election.orders[part].max(initial=0)) + 1):
                mask = (election.orders[part] == tier).astype(np.float64)
                ties += mask.T @ (mask * election.counts[part, None])
        np.fill_diagonal(ties, 0.0)
        return ties
    for chunk in rows.chunks():
        begins, ends = chunk.tiers()
        tied: NDArray[np.bool_] = np.any((ends - begins > 1) & chunk.ranked, axis=1)
        some = chunk.part(tied)
        same = some.level[:, :, None] == some.level[:, None, :]
        ties += some.sum_of_pairs((some.compared() & same) * some.counts[:, None, None], m)
    return ties


def _hang_together(rows: Rows, election: Election) -> bool:
    return election.bundles is not None or rows.who.shape[1] > 2


def by_voter(found: Strengths, rows: Rows, election: Election) -> Floats | None:
    """Return the covariance of strengths clustered by voter; None with too few voters."""
    m = len(found.strengths)
    win, draw = chances(found.strengths, found.tie)
    share = win + draw / 2

    def scores(part: Rows) -> Any:
        begins, ends = part.tiers()
        below = part.live.sum(axis=1, keepdims=True) - ends
        level = np.where(part.ranked, ends - begins - 1, 0)
        each = np.where(part.live, below + level / 2 - part.sum_over_compared(share), 0.0)
        if not found.tie:
            return scattered(part, each, m)
        tied = (level - part.sum_over_compared(draw)).sum(axis=1, where=part.live) / 2
        return scattered(part, each, m, tied)

    of_parts = ((scores(part), part.counts) for part in rows.chunks())
    made = clustered(found.bread, of_parts, election.bundles)
    return None if made is None else made[:m, :m]
