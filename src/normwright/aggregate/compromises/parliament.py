"""The moral parliament: delegates by credence, who bargain under proportional chances."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.compromises import Theories, expected, floats
from normwright.aggregate.compromises.lotteries import LEVEL_WITHIN, Bargain, bargain
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="parliament",
    kind="compromises",
    summary="Ranks by the chances that delegates agree on who would otherwise draw lots.",
    reference="Newberry and Ord, The Parliamentary Approach to Moral Uncertainty, FHI Technical "
    "Report 2021-2; Greaves and Cotton-Barratt, A bargaining-theoretic approach to moral "
    "uncertainty, Journal of Moral Philosophy 21, 2024",
    claims=("anonymity", "neutrality", "scale-invariance", "pareto", "clones"),
    denies=(
        Denial(
            axiom="majority",
            source="Newberry and Ord, The Parliamentary Approach to Moral Uncertainty, 2021 "
            "(delegates trade what they care less for)",
            ballots=("0.6: A 10 > B 9 > C 0", "0.4: C 10 > B 9 > A 0"),
        ),
        Denial(
            axiom="no-fanaticism",
            source="Greaves and Cotton-Barratt, A bargaining-theoretic approach to moral "
            "uncertainty, 2024 (no theory need accept less than the lots would give it)",
            ballots=(
                "0.4995: A 10 > B 9 > C 0",
                "0.4995: C 10 > B 9 > A 0",
                "0.001: A 1 = C 1 > B 0",
            ),
        ),
        Denial(
            axiom="iia",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: C 2 > A 1 > B 0",
                "0.4: B 2 > C 1 > A 0",
            ),
        ),
        Denial(
            axiom="condorcet",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: C 3 > B 2 > A 0",
                "0.4: A 4 = B 4 > C 1",
            ),
        ),
    ),
    takes="worths",
    status="tested",
)
_CONCEDED = 1e-7
"""Share of its range a delegate may be asked to concede, which keeps the problem well posed."""


@plugin(CARD)
def parliament(theories: Theories) -> Order:
    """Return the order by each option's share of the chances that delegates agree on.

    The model: delegates hold seats in proportion to credence and believe that the outcome will be
    drawn by proportional chances, that is, that each seat is equally likely to have its favourite
    done. So they agree on the lottery of Nash's bargain whose disagreement point is that draw: no
    theory accepts less than the draw would give it. Then the option with the most chances is done,
    and no lots are drawn (Newberry and Ord: proportional chances voting makes delegates trade, the
    parliament itself acts on the most votes).

    A delegate of several favourites divides its seat among them. Options that all theories hold
    level are one to the delegates, and each stands where that one does. A theory by which all
    options are level sends no delegates. Chances within 1e-4 are level, for they come from an
    optimisation; the facts hold its certificate, and the chances before anybody bargained.

    Raises:
        Inapplicable: where a believed theory only orders options.
    """
    theories.cardinal("parliament")
    held, level = theories.discerning()
    rows = held.spanned
    columns = [tuple(row[a] for row in rows) for a in range(len(held.options))]
    kinds = sorted(set(columns))
    if not held.names:
        return Order(
            (tuple(range(len(columns))),), np.ones(len(columns)), facts={"indifferent": level}
        )
    drawn = _draw(held, kinds)
    found = _agreed(held, kinds, drawn)
    chances = np.array([found.chances[kinds.index(column)] for column in columns])
    before = [float(drawn[kinds.index(column)]) for column in columns]
    facts: dict[str, Any] = {
        "before_bargaining": dict(zip(held.options, before, strict=True)),
        "chances": {o: round(float(p), 9) for o, p in zip(held.options, chances, strict=True)},
        "gap": float(f"{max(found.gap, 0.0):.1e}"),
        "level_within": LEVEL_WITHIN,
        "indifferent": level,
    }
    return Order(_tiers(chances), chances.round(9), facts=facts)


def _draw(theories: Theories, kinds: list[tuple[Fraction, ...]]) -> list[Fraction]:
    """Chances of each kind of option if every seat's favourite is equally likely to be done."""
    shares = [
        [Fraction(kind[k] == 1, sum(other[k] == 1 for other in kinds)) for kind in kinds]
        for k in range(len(theories.names))
    ]
    total = sum(theories.credences, Fraction(0))
    return [v / total for v in expected(theories.credences, shares, len(kinds))]


def _agreed(
    theories: Theories, kinds: list[tuple[Fraction, ...]], drawn: list[Fraction]
) -> Bargain:
    """The lottery over kinds of options that delegates agree on."""
    gains = []
    for k in range(len(theories.names)):
        lots = sum((p * kind[k] for p, kind in zip(drawn, kinds, strict=True)), Fraction(0))
        gains.append([float(kind[k] - lots) + _CONCEDED for kind in kinds])
    # The draw itself costs nobody anything, and a touch of every option stays within what is
    # conceded.
    start = floats(drawn) * (1 - _CONCEDED / 4) + _CONCEDED / 4 / len(kinds)
    return bargain(np.array(gains), floats(theories.credences), start=start)


def _tiers(chances: NDArray[np.float64]) -> tuple[tuple[int, ...], ...]:
    """Tiers of chances, the highest first; neighbours that are close enough are level."""
    order = sorted(range(len(chances)), key=lambda a: -chances[a])
    tiers: list[list[int]] = [[order[0]]]
    for one, other in pairwise(order):
        if chances[one] - chances[other] > LEVEL_WITHIN:
            tiers.append([])
        tiers[-1].append(other)
    return tuple(tuple(sorted(tier)) for tier in tiers)
