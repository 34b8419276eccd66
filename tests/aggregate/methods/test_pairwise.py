"""What holds of every method that needs only pairs: names, numbers of voters, little to go by."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from, election_of_pairs
from tests.aggregate.margins import Margins, election_of_margins, margins, uneven_margins

from normwright import plugins
from normwright.aggregate import Election, Method, Order

MODELS = ("bradley-terry",)
"""Refuse pairs that do not link everybody, and have tests of their own."""
SLUGS = [c.name for c in plugins.cards("methods") if c.takes == "pairs" and c.name not in MODELS]
RULES: dict[str, Method] = {slug: plugins.get("methods", slug) for slug in SLUGS}
CONDORCET = [
    c.name for c in plugins.cards("methods") if "condorcet" in c.claims and c.name in SLUGS
]
RESOLUTE = ["ranked-pairs", "river", "stable-voting"]
QUIET = settings(deadline=None, max_examples=25, derandomize=True)


def test_all_pairwise_methods_are_here() -> None:
    """The methods of this room are registered, and say that pairs are all they need."""
    assert set(SLUGS) >= {
        "borda", "copeland", "kemeny", "maximal-lottery", "minimax", "ranked-pairs", "river",
        "schulze", "split-cycle", "stable-voting",
    }  # fmt: skip


@pytest.mark.parametrize("slug", SLUGS)
@QUIET
@given(margins(), st.randoms(use_true_random=False))
def test_renaming_renames(slug: str, games: Margins, rng: random.Random) -> None:
    """Alternatives in another order give the same tiers and, to the bit, the same scores."""
    places = rng.sample(range(len(games)), len(games))
    before = RULES[slug](election_of_margins(games))
    after = RULES[slug](election_of_margins(games[np.ix_(places, places)]))

    assert tuple(tuple(sorted(places[i] for i in t)) for t in after.tiers) == before.tiers
    assert (before.scores[places] == after.scores).all()


@pytest.mark.parametrize("slug", SLUGS)
@QUIET
@given(margins(), st.sampled_from([2, 3, 1000]))
def test_only_shares_matter(slug: str, games: Margins, times: int) -> None:
    """Everybody so many times gives the same order and the same scores."""
    some = election_of_margins(games)
    many = election_of_pairs(some.wins * times, some.alternatives, some.voters * times)

    assert RULES[slug](many).tiers == RULES[slug](some).tiers
    assert (RULES[slug](many).scores == RULES[slug](some).scores).all()


@pytest.mark.parametrize("slug", SLUGS)
@QUIET
@given(margins(least=0))
def test_every_alternative_stands_in_one_tier(slug: str, games: Margins) -> None:
    """Tiers divide the alternatives, none empty, each in rising order, scores are finite."""
    order = RULES[slug](election_of_margins(games))

    assert sorted(i for tier in order.tiers for i in tier) == list(range(len(games)))
    assert all(tier == tuple(sorted(tier)) and tier for tier in order.tiers)
    assert order.scores.shape == (len(games),)
    assert np.isfinite(order.scores).all()


@pytest.mark.parametrize("slug", RESOLUTE)
@QUIET
@given(uneven_margins())
def test_without_ties_somebody_wins_alone(slug: str, games: Margins) -> None:
    """Where no two margins are equal, rules that resolve all but ties elect one."""
    assert len(RULES[slug](election_of_margins(games)).tiers[0]) == 1


@pytest.mark.parametrize("slug", CONDORCET)
@QUIET
@given(margins())
def test_condorcet_winners_win_alone(slug: str, games: Margins) -> None:
    """Who beats all others is alone in the first tier."""
    beats_all = (games > 0).sum(axis=1) == len(games) - 1
    order = RULES[slug](election_of_margins(games))

    for i in np.flatnonzero(beats_all).tolist():
        assert order.tiers[0] == (i,)


@pytest.mark.parametrize("slug", SLUGS)
def test_nothing_to_tell_apart(slug: str) -> None:
    """No voters, one alternative, none at all, and a perfect tie are outcomes as any other."""
    rule = RULES[slug]

    assert rule(nobody(3)).tiers == ((0, 1, 2),)
    assert rule(nobody(1)).tiers == ((0,),)
    assert rule(nobody(0)).tiers == ()
    assert rule(election_from("1: A > B\n1: B > A")).tiers == ((0, 1),)
    assert rule(election_from("2: A > B\n1: B > A")).tiers == ((0,), (1,))
    assert rule(election_from("1: A = B = C = D")).tiers == ((0, 1, 2, 3),)


def nobody(m: int) -> Election:
    """An election without voters."""
    return election_of_pairs(np.zeros((m, m), dtype=np.int64), "abcdef"[:m], 0)


@pytest.mark.parametrize("slug", SLUGS)
def test_pairs_and_ballots_say_the_same(slug: str) -> None:
    """An election known by its pairs only has the outcome of the ballots they were counted from."""
    ballots = election_from("4: A > B > C > D\n3: B > C = D > A\n2: D > A > B\n2: C > D")
    pairs = election_of_pairs(ballots.wins, ballots.alternatives, ballots.voters)
    first, second = RULES[slug](ballots), RULES[slug](pairs)

    assert (first.tiers, first.facts) == (second.tiers, second.facts)
    assert (first.scores == second.scores).all()


TENNESSEE = """
42: Memphis > Nashville > Chattanooga > Knoxville
26: Nashville > Chattanooga > Knoxville > Memphis
15: Chattanooga > Knoxville > Nashville > Memphis
17: Knoxville > Chattanooga > Nashville > Memphis
"""


@pytest.mark.parametrize("slug", CONDORCET)
def test_the_capital_of_tennessee(slug: str) -> None:
    """The textbook electorate: Nashville, and for rules that rank on, the same order of all."""
    election = election_from(TENNESSEE)
    tiers = named(election, RULES[slug](election))

    assert tiers[0] == ["Nashville"]
    if slug != "minimax":
        assert tiers[1:] == [["Chattanooga"], ["Knoxville"], ["Memphis"]]


def named(election: Election, order: Order) -> list[list[str]]:
    """Tiers by name."""
    return [[election.alternatives[i] for i in tier] for tier in order.tiers]
