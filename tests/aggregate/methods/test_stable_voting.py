"""Stable voting: against its recursive definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from tests.aggregate.margins import Margins, election_of_margins, margins, uneven_margins

from normwright.aggregate import Inapplicable
from normwright.aggregate.methods import stable_voting as module
from normwright.aggregate.methods.split_cycle import defeats
from normwright.aggregate.methods.stable_voting import stable_voting

QUIET = settings(deadline=None, max_examples=50, derandomize=True)


def stable(games: Margins, left: list[int]) -> set[int]:
    """The definition, nothing remembered and nothing left out."""
    if len(left) == 1:
        return set(left)
    beats = defeats(games[np.ix_(left, left)])
    pairs = [
        (int(games[a, b]), a, b)
        for place, a in enumerate(left)
        for b in left
        if a != b and not beats[:, place].any()
    ]
    for size in sorted({size for size, _, _ in pairs}, reverse=True):
        level = [(a, b) for s, a, b in pairs if s == size]
        won = {a for a, b in level if a in stable(games, [x for x in left if x != b])}
        if won:
            return won
    raise AssertionError("nobody is stable")


@QUIET
@given(margins(most=5, largest=2))
def test_equals_the_definition_with_ties(games: Margins) -> None:
    """Winners are those of the recursive definition; of equal matches all that hold count."""
    left = list(range(len(games)))
    for tier in stable_voting(election_of_margins(games)).tiers:
        assert set(tier) == stable(games, left)
        left = [j for j in left if j not in tier]


@QUIET
@given(uneven_margins(most=5))
def test_equals_the_definition_without_ties(games: Margins) -> None:
    """The same where no margins are equal, and then somebody wins alone."""
    winners = stable_voting(election_of_margins(games)).tiers[0]

    assert {*winners} == stable(games, list(range(len(games))))
    assert len(winners) == 1


def test_refuses_rather_than_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many steps it says what it would take, and what to use instead."""
    monkeypatch.setattr(module, "WORK", 500_000)
    rng = np.random.default_rng(0)
    upper = np.triu(rng.integers(-3, 4, size=(9, 9)), 1)

    with pytest.raises(Inapplicable, match=r"stable-voting.*9 alternatives.*split-cycle"):
        stable_voting(election_of_margins(upper - upper.T))


def test_twenty_alternatives() -> None:
    """Twenty alternatives of random voters take a moment."""
    rng = np.random.default_rng(1)
    places = rng.permuted(np.tile(np.arange(20), (1001, 1)), axis=1)
    wins = (places[:, :, None] < places[:, None, :]).sum(axis=0)
    order = stable_voting(election_of_margins(wins - wins.T))

    assert not defeats(wins - wins.T)[:, order.tiers[0]].any()
