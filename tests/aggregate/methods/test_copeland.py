"""Copeland: duels won, draws worth half."""

from __future__ import annotations

from hypothesis import given, settings
from tests.aggregate.margins import Margins, election_of_margins, margins, margins_from

from normwright.aggregate.methods.copeland import copeland


def test_draws_are_worth_half() -> None:
    """There a beats b and draws with c, b beats c: one and a half, one, one half."""
    order = copeland(election_of_margins(margins_from("a b 2\nb c 9\na c 0")))

    assert order.tiers == ((0,), (1,), (2,))
    assert order.scores.tolist() == [0.75, 0.5, 0.25]


@settings(deadline=None, max_examples=60, derandomize=True)
@given(margins(least=2))
def test_equals_counting_duels(games: Margins) -> None:
    """The score is the mean over the others of 1, one half or 0."""
    order = copeland(election_of_margins(games))
    m = len(games)
    for i in range(m):
        points = [1 if games[i, j] > 0 else 0.5 * (games[i, j] == 0) for j in range(m) if j != i]

        assert order.scores[i] == sum(points) / (m - 1)
