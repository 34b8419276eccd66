"""Best-worst scaling: of each set shown, one is the best and one of the rest the worst."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Order, by_score
from normwright.aggregate.strengths import (
    Floats,
    Rows,
    Terms,
    clustered,
    inverse,
    maximise,
    scattered,
    told,
)
from normwright.plugins import Card, Denial, plugin

SPREAD = 7.0
"""Standard deviation of the prior of each strength; so wide that only what is unknown is drawn to
zero."""

CARD = Card(
    name="best-worst",
    kind="methods",
    summary="Estimates strengths from who is best and who worst of each set shown, with errors.",
    reference="Marley and Louviere, Some probabilistic models of best, worst, and best-worst "
    "choices, J. Mathematical Psychology 49, 2005; sequential, normal prior of deviation 7",
    claims=("anonymity", "neutrality"),
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
            ballots=("2: A > B > C", "1: B > C > A"),
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
            ballots=("2: A > B > C", "1: B > A > C"),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def best_worst(election: Election) -> Order:
    """Return the order by strength t: best of a set with odds exp(t), worst of the rest exp(-t).

    A ballot has one alternative in its first tier, one in its last, and the others of the set shown
    in between; sets of two have a best only. What it leaves out was not shown (`apart`). The prior
    of each strength is normal with deviation 7, so that estimates exist always; an alternative that
    nobody was shown is told in `facts`, has strength 0 and the error of the prior. Standard errors
    are those of the posterior at its peak, clustered by voter where voters answered several times,
    and of strengths less their mean: how high all are together is the prior's alone.

    Raises:
        Inapplicable: for other ballots, with how many there are; where what is left out counts as
            last, since it was not shown.
    """
    election = election.compact()
    m = len(election.alternatives)
    rows = Rows.of(election, "best-worst")
    ends = _ends(rows, election)
    if not m:
        return Order(tiers=(), scores=np.zeros(0))
    terms = _terms(rows, ends, m)
    none = np.zeros(m)
    fit = maximise(terms, np.zeros(m), none, "best-worst")
    spread = inverse(terms(fit.values)[2], none)
    covariance: Floats | None = _across(spread)
    shown = rows.sum_of_each(rows.counts[:, None] * rows.live, m)
    facts: dict[str, Any] = {
        "sets": int(rows.counts.sum()),
        "prior": f"normal, mean 0, deviation {SPREAD:g}",
        "never_shown": [a for a, n in zip(election.alternatives, shown, strict=True) if not n],
        "errors_assume": "every set independent",
        "voters": election.voters,
    }
    if election.bundles is not None and covariance is not None:
        scores = scattered(rows, _scores(rows, ends, fit.values)[0], m)
        voted = clustered(spread, [(scores, rows.counts)], election.bundles)
        # What answers leave open is the prior's: who was never shown is as unsure as before.
        covariance = None if voted is None else _across(voted + spread @ spread / SPREAD**2)
        facts["errors_assume"] = "voters independent, their own answers not"
    shown_as = told(fit.values, covariance)
    return Order(
        tiers=by_score(shown_as.scores), scores=shown_as.scores, errors=shown_as.errors,
        places=shown_as.places, facts={**facts, **shown_as.facts},
    )  # fmt: skip


def _across(covariance: Floats) -> Floats:
    """The covariance of strengths less their mean."""
    means = covariance.mean(axis=0)
    made: Floats = covariance - means[:, None] - means[None, :] + means.mean()
    return made


def _ends(rows: Rows, election: Election) -> Floats:
    """Return 1 for the best and -1 for the worst of each set, shape (k, width), 0 elsewhere."""
    left_out = election.unranked == "last" and bool((election.orders < 0).any())
    begins, ends_at = rows.tiers()
    size = rows.live.sum(axis=1, keepdims=True)
    top = rows.live & (begins == 0)
    last = rows.live & (ends_at == size)
    # Whoever is in between begins right after the one best, and ends right before the one worst.
    middle = (begins == 1) & (ends_at == size - 1)
    one_middle = (~rows.live | top | last | middle).all(axis=1)
    right = (top.sum(axis=1) == 1) & (last.sum(axis=1) == 1) & ~(top & last).any(axis=1)
    wrong = int(rows.counts[~(right & one_middle)].sum())
    if left_out or wrong:
        raise Inapplicable.because(
            "best-worst",
            "ballots with one best, one worst and the others of the set level in between",
            "what was not shown counted as last" if left_out else f"{wrong} other ballots",
            "Say --unranked apart." if left_out else "For whole orders choose plackett-luce.",
        )  # fmt: skip
    ends: Floats = top.astype(np.float64) - last
    return ends


def _scores(rows: Rows, ends: Floats, strengths: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Gradient of each set, the two sets of probabilities, and the log likelihood of each set."""
    at = np.where(rows.live, strengths[rows.who], 0.0)
    first, log_first = _softmax(at, rows.live)
    second, log_second = _softmax(-at, rows.live & (ends <= 0))
    slope = ends - first + second
    chance = (ends * at).sum(axis=1) - log_first - log_second
    return slope, first, second, chance


def _softmax(values: Floats, mask: Any) -> tuple[Floats, Floats]:
    top = np.where(mask, values, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    weight = np.where(mask, np.exp(np.where(mask, values - top, 0.0)), 0.0)
    total = weight.sum(axis=1, keepdims=True)
    return weight / total, (top + np.log(total))[:, 0]


def _terms(rows: Rows, ends: Floats, m: int) -> Callable[[Floats], Terms]:
    """The likelihood of best and worst choices, with the prior."""
    starts = np.cumsum([0, *(len(part.who) for part in rows.chunks())])
    parts = [
        (part, ends[s : s + len(part.who)]) for part, s in zip(rows.chunks(), starts, strict=False)
    ]
    precision = 1 / SPREAD**2

    def terms(strengths: Floats) -> Terms:
        value = -precision / 2 * float(strengths @ strengths)
        slope, mean, bend = -precision * strengths, np.full(m, precision), np.zeros((m, m))
        for part, end in parts:
            counts = part.counts
            grad, first, second, chance = _scores(part, end, strengths)
            value += float(counts @ chance)
            slope = slope + part.sum_of_each(counts[:, None] * grad, m)
            mean += part.sum_of_each(counts[:, None] * (first + second), m)
            both = first[:, :, None] * first[:, None, :] + second[:, :, None] * second[:, None, :]
            bend -= part.sum_of_pairs(both * counts[:, None, None], m)
        return value, slope, bend + np.diag(mean)

    return terms
