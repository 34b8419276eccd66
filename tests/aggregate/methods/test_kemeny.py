"""Kemeny: exact, with a proof, and all that optimal orders differ on."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from tests.aggregate.elections import election_from
from tests.aggregate.margins import Margins, election_of_margins, margins

from normwright.aggregate import Inapplicable, linear_ordering
from normwright.aggregate.methods.kemeny import kemeny

QUIET = settings(deadline=None, max_examples=40, derandomize=True)


def test_the_published_score_of_tennessee() -> None:
    """The capital of Tennessee: 393 agreements, Nashville first, no other order as good."""
    order = kemeny(
        election_from("42: M > N > C > K\n26: N > C > K > M\n15: C > K > N > M\n17: K > C > N > M")
    )

    assert order.tiers == ((3,), (0,), (1,), (2,))
    assert order.facts["agreements"] == order.facts["bound"] == 393
    assert order.facts["unique"] is True


@pytest.mark.parametrize("small", [linear_ordering.SMALL, 2], ids=["sets", "programs"])
@QUIET
@given(games=margins(most=5))
def test_equals_all_permutations(small: int, games: Margins) -> None:
    """Agreements, who wins, and the pairs that optimal orders rank both ways."""
    election = election_of_margins(games)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_ordering, "SMALL", small)
        order = kemeny(election)
    every = {
        p: sum(int(election.wins[a, b]) for a, b in combinations(p, 2))
        for p in permutations(range(len(games)))
    }
    best = [p for p, agreements in every.items() if agreements == max(every.values())]
    both = [
        [election.alternatives[i], election.alternatives[j]]
        for i, j in combinations(range(len(games)), 2)
        if len({p.index(i) < p.index(j) for p in best}) == 2
    ]

    assert order.facts["agreements"] == order.facts["bound"] == max(every.values())
    assert set(order.tiers[0]) == {p[0] for p in best}
    assert order.facts["both_ways"] == both
    assert order.facts["unique"] == (len(best) == 1)


def test_a_circle_is_a_tie() -> None:
    """Each of three orders is optimal, so each alternative may win and no pair is decided."""
    order = kemeny(election_from("1: A > B > C\n1: B > C > A\n1: C > A > B"))

    assert order.tiers == ((0, 1, 2),)
    assert order.facts["both_ways"] == [["A", "B"], ["A", "C"], ["B", "C"]]


def test_a_structured_hundred() -> None:
    """A hundred alternatives with a common order and noise are ordered exactly."""
    rng = np.random.default_rng(3)
    truth = np.arange(100)
    noise = rng.normal(0, 60, size=(201, 100))
    places = np.argsort(np.argsort(truth + noise, axis=1), axis=1)
    wins = sum((p[:, None] < p[None, :]).astype(np.int64) for p in places)
    order = kemeny(election_of_margins(wins - wins.T))

    assert order.facts["agreements"] == order.facts["bound"]
    assert order.facts["cuts"] > 0


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [("LARGEST", 13, "more than 13"), ("BRANCHES", 0, "more than 0 branches")],
)
def test_refuses_rather_than_hangs(
    limit: str, most: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limits it says how large the cycle is, and names methods that have none."""
    rng = np.random.default_rng(166)
    upper = np.triu(rng.choice([-1, 1], size=(14, 14)), 1)
    monkeypatch.setattr(linear_ordering, "SMALL", 2)
    monkeypatch.setattr(linear_ordering, limit, most)

    with pytest.raises(Inapplicable, match=rf"kemeny.*14 alternatives.*{said}.*schulze"):
        kemeny(election_of_margins(upper - upper.T))
