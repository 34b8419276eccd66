"""Minimax: the smallest worst defeat, by margins."""

from __future__ import annotations

from hypothesis import given, settings
from tests.aggregate.elections import election_from
from tests.aggregate.margins import Margins, election_of_margins, margins

from normwright.aggregate.methods.minimax import minimax


def test_a_condorcet_loser_may_win() -> None:
    """Three in a circle of large majorities lose more than the one who loses to all of them."""
    election = election_from(
        "2: D > A > B > C\n2: D > B > C > A\n1: D > C > A > B\n"
        "2: A > B > C > D\n2: B > C > A > D\n2: C > A > B > D"
    )
    order = minimax(election)

    assert (election.margins[3, :3] < 0).all()
    assert order.tiers[0] == (3,)


def test_margins_not_winning_votes() -> None:
    """Where voters leave pairs open the two rules differ; this one is by margins."""
    # A > B by 6 to 5, B > C by 4 to 0, C > A by 5 to 2: the smallest worst margin is B's, 1; the
    # smallest number of opponents is C's, 4.
    election = election_from("6: A > B\n5: B > A\n4: B > C\n5: C > A\n2: A > C", unranked="apart")

    assert minimax(election).tiers == ((1,), (0,), (2,))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(margins(least=2))
def test_equals_the_worst_duel(games: Margins) -> None:
    """Tiers go by the worst margin, and only who beats all others has more than one half."""
    order = minimax(election_of_margins(games))
    worst = [min(int(games[i, j]) for j in range(len(games)) if j != i) for i in range(len(games))]

    assert [worst[tier[0]] for tier in order.tiers] == sorted(set(worst), reverse=True)
    assert ((order.scores > 0.5) == [w > 0 for w in worst]).all()
