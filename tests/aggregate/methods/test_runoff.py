"""Instant runoff as a method: published cases, a real election, and one seat of STV."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.aggregate.elections import election_from, preflib

from normwright.aggregate.ranking import order_of
from normwright.aggregate.transfer import Box, transfer

SMITH = "39: A > B > C\n35: B > C > A\n26: C > A > B"


@pytest.mark.parametrize("method", ["irv", "stv"])
def test_raised_by_ten_and_so_beaten(method: str) -> None:
    """39/35/26 elects A; ten of the 35 raise A to the top, and C wins."""
    raised = "49: A > B > C\n25: B > C > A\n26: C > A > B"

    assert order_of(election_from(SMITH), method=method).tiers == ((0,), (1,), (2,))
    assert order_of(election_from(raised), method=method).tiers[0] == (2,)


def test_rounds_can_be_read() -> None:
    """The facts tell every round: votes by name, who goes, who is exhausted."""
    seen = order_of(election_from("4: A\n3: B > A\n2: C"), method="irv")

    assert seen.facts["rounds"] == [
        {"votes": {"A": 4, "B": 3, "C": 2}, "exhausted": 0, "eliminated": ["C"]},
        {"votes": {"A": 4, "B": 3}, "exhausted": 2, "eliminated": ["B"]},
        {"votes": {"A": 7}, "exhausted": 2, "elected": ["A"]},
    ]
    assert seen.scores.tolist() == [1.0, 0.5, 0.0]


def test_stv_tells_quota_and_stops_at_it() -> None:
    """With one seat the quota is a majority, and whoever has it ends the count."""
    seen = order_of(election_from("6: A > B\n3: B > A\n2: C"), method="stv")

    assert seen.facts["quota"] == 6
    assert len(seen.facts["rounds"]) == 1
    assert seen.tiers == order_of(election_from("6: A > B\n3: B > A\n2: C"), method="irv").tiers


@pytest.mark.parametrize("ballots", [SMITH, "4: A\n3: B > A\n2: C", "6: A > B\n3: B > A\n2: C"])
def test_one_seat_is_counted_as_several_are(ballots: str) -> None:
    """The rounds told for one seat are those of the count for several, and so is who is elected."""
    election = election_from(ballots)
    several = transfer(Box.of(election, "stv"), seats=1)
    seen = order_of(election, method="stv")

    assert seen.tiers[0] == several.members
    for one, other in zip(seen.facts["rounds"], several.rounds, strict=True):
        assert one["votes"] == other.told(election.alternatives)["votes"]


def test_universes_part_and_all_winners_are_told() -> None:
    """B and C tie for last: with B out C wins, with C out A does; both are winners."""
    seen = order_of(election_from("39: A > B > C\n26: B > C > A\n26: C > A > B"), method="irv")

    assert seen.tiers == ((0, 2), (1,))
    assert seen.facts["places"] == {"A": [1, 2], "B": [2, 3], "C": [1, 3]}
    assert seen.facts["rounds"][0]["universes_part"] is True


def test_a_voter_who_stays_away_does_better() -> None:
    """Three of the seven who put C last make C the winner by voting (no-show paradox)."""
    voted = order_of(election_from("7: A > B > C\n6: B > C > A\n7: C > B > A"), method="irv")
    stayed = order_of(election_from("4: A > B > C\n6: B > C > A\n7: C > B > A"), method="irv")

    assert voted.tiers[0] == (2,)
    assert stayed.tiers[0] == (1,)


def test_a_majority_winner_may_go_first() -> None:
    """B beats both others, has the fewest first places, and goes."""
    election = election_from("37: A > B > C\n32: C > B > A\n31: B > A > C")

    assert order_of(election, method="irv").tiers == ((0,), (2,), (1,))
    assert order_of(election, method="schulze").tiers[0] == (1,)


def test_level_alternatives_share_a_vote() -> None:
    """Half a vote each: 3/2 for B and C, and the rounds say so exactly."""
    seen = order_of(election_from("3: B = C > A\n2: A > B > C\n1: B > A > C"), method="irv")

    assert seen.facts["rounds"][0]["votes"] == {"B": "5/2", "A": 2, "C": "3/2"}
    assert seen.tiers == ((1,), (0,), (2,))


def test_burlington_2009(data_dir: Path) -> None:
    """Burlington 2009: instant runoff takes Kiss, plurality Wright, Borda and pairs Montroll."""
    election = preflib(data_dir, "2009 Burlington Mayoral Election")
    winners = {
        method: [election.alternatives[c] for c in order_of(election, method=method).tiers[0]]
        for method in ("irv", "stv", "plurality", "borda", "schulze")
    }

    assert winners == {
        "irv": ["Bob Kiss"],
        "stv": ["Bob Kiss"],
        "plurality": ["Kurt Wright"],
        "borda": ["Andy Montroll"],
        "schulze": ["Andy Montroll"],
    }
    wins = election.wins
    montroll = election.alternatives.index("Andy Montroll")
    assert (wins[montroll] > wins[:, montroll]).sum() == len(wins) - 1
