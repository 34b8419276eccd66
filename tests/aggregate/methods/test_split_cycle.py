"""Split cycle: what is not the weakest link of any cycle."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from tests.aggregate.margins import Margins, election_of_margins, margins, margins_from

from normwright.aggregate.methods.split_cycle import defeats, split_cycle

QUIET = settings(deadline=None, max_examples=50, derandomize=True)


def defeated(games: Margins, i: int, j: int) -> bool:
    """Whether i defeats j, by the definition: in every simple cycle through it some is weaker."""
    if games[i, j] <= 0:
        return False
    others = [k for k in range(len(games)) if k not in (i, j)]
    for length in range(1, len(others) + 1):
        for middle in permutations(others, length):
            links = [int(games[a, b]) for a, b in zip((j, *middle), (*middle, i), strict=True)]
            if min(links) > 0 and games[i, j] <= min(links):
                return False
    return True


@QUIET
@given(margins(most=5))
def test_equals_looking_at_every_cycle(games: Margins) -> None:
    """A majority is a defeat where every simple cycle through it has a weaker one."""
    found = defeats(games)
    m = len(games)

    assert all(found[i, j] == defeated(games, i, j) for i in range(m) for j in range(m))
    assert split_cycle(election_of_margins(games)).facts["defeats"] == found.sum()


@QUIET
@given(margins(most=5))
def test_tiers_are_winners_among_the_rest(games: Margins) -> None:
    """Each tier is who is undefeated once the tiers above are gone."""
    left = list(range(len(games)))
    for tier in split_cycle(election_of_margins(games)).tiers:
        assert tier == tuple(
            j for j in left if not any(defeats(games[left][:, left])[a, left.index(j)]
                                       for a in range(len(left)))
        )  # fmt: skip
        left = [j for j in left if j not in tier]


def test_the_weakest_of_a_cycle_is_no_defeat() -> None:
    """In a > b > c > a by 6, 4, 2: c does not defeat a, the others stand."""
    order = split_cycle(election_of_margins(margins_from("a b 6\nb c 4\nc a 2")))

    assert order.tiers == ((0,), (1,), (2,))
    assert order.facts == {"majorities": 3, "defeats": 2}
