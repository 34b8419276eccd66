"""Each axiom finds the breach it is for, with all that repeats it, and calls nothing else one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from, election_of_pairs
from tests.aggregate.small import election, elections

from normwright import plugins
from normwright.aggregate import Election, Inapplicable
from normwright.aggregate.axioms import search
from normwright.aggregate.axioms.changes import (
    Move,
    Row,
    changed,
    divisions,
    graded,
    lifts,
    line,
    lines,
    prefers,
    rows_of,
    ways,
)
from normwright.aggregate.axioms.clones import with_clone
from normwright.aggregate.axioms.coalitions import growing, likeliest_pairs
from normwright.aggregate.axioms.reversal_symmetry import reversed_ballots
from normwright.aggregate.majority import condorcet_winner, smith_set
from normwright.aggregate.methods import Method, Order, by_score
from normwright.aggregate.methods.borda import borda
from normwright.aggregate.methods.schulze import schulze
from normwright.records import Witness

AXIOMS = [card.name for card in plugins.cards("axioms")]
LIFTED = "39: A > B > C\n35: B > C > A\n26: C > A > B"


def plurality(ballots: Election) -> Order:
    """First places."""
    return Order(by_score(np.rint(60 * ballots.firsts())), ballots.firsts())


def runoff(ballots: Election) -> Order:
    """Whoever has fewest first places goes out, all of them where several are level."""
    left = list(range(len(ballots.alternatives)))
    out: list[tuple[int, ...]] = []
    while True:
        firsts = ballots.only(left).firsts()
        low = tuple(left[i] for i in np.flatnonzero(firsts == firsts.min()))
        if len(low) == len(left):
            return Order((tuple(left), *reversed(out)), np.zeros(len(ballots.alternatives)))
        out.append(low)
        left = [a for a in left if a not in low]


def first_row(ballots: Election) -> Order:
    """Whoever stands first in the list rules."""
    return Order(by_score(-ballots.orders[0].astype(np.int64)), np.zeros(ballots.orders.shape[1]))


def first_name(ballots: Election) -> Order:
    """Whatever is first in the alphabet wins."""
    order = sorted(range(len(ballots.alternatives)), key=ballots.alternatives.__getitem__)
    return Order(tuple((a,) for a in order), np.zeros(len(order)))


def quorum(ballots: Election) -> Order:
    """Nothing is decided by fewer than five voters."""
    every = tuple(range(len(ballots.alternatives)))
    return borda(ballots) if ballots.voters >= 5 else Order((every,), np.zeros(len(every)))


def backwards(ballots: Election) -> Order:
    """Borda's order upside down."""
    order = borda(ballots)
    return Order(tuple(reversed(order.tiers)), -order.scores)


def antiplurality(ballots: Election) -> Order:
    """Fewest last places."""
    lasts = ballots.counts @ (ballots.orders == ballots.orders.max(axis=1, keepdims=True))
    return Order(by_score(-lasts), -lasts)


# Axiom -> a method that breaks it, and ballots on which it does.
BREACHES: dict[str, tuple[Method, str]] = {
    "anonymity": (first_row, "2: A > B > C\n1: C > B > A"),
    "neutrality": (first_name, "2: B > A > C\n1: C > B > A"),
    "homogeneity": (quorum, "2: A > B > C\n1: B > A > C"),
    "reversal-symmetry": (plurality, "4: A > B > C\n3: B > C > A\n3: C > B > A"),
    "majority": (borda, "3: A > B > C\n2: B > C > A"),
    "condorcet": (plurality, "4: A > B > C\n3: B > C > A\n2: C > B > A"),
    "condorcet-loser": (plurality, "4: A > B > C\n3: B > C > A\n2: C > B > A"),
    "smith": (plurality, "4: A > B > C\n3: B > C > A\n2: C > B > A"),
    "pareto": (antiplurality, "1: A > B > C"),
    "monotonicity": (runoff, LIFTED),
    "coalition-monotonicity": (runoff, LIFTED),
    "participation": (runoff, LIFTED),
    "clones": (plurality, "3: A > B\n2: B > A"),
    "iia": (borda, "3: A > B > C\n2: B > C > A"),
    "reinforcement": (
        runoff,
        "6: A > B > C\n5: B > C > A\n4: C > A > B\n3: B > A > C\n4: C > B > A",
    ),
    "later-no-harm": (borda, "3: A > B > C\n2: B > C > A"),
    "strategy-proofness": (borda, "3: A > B > C\n2: B > A > C\n2: B > C > A"),
}


def test_every_axiom_has_a_case() -> None:
    """An axiom that comes without a breach of its own would go untested."""
    assert sorted(BREACHES) == AXIOMS


@pytest.mark.parametrize("axiom", AXIOMS)
def test_the_breach_is_found_and_is_real(axiom: str) -> None:
    """The witness names the axiom, and its ballots lead the method to its outcomes again."""
    method, text = BREACHES[axiom]
    found = search(axiom, method, election_from(text), seed=0).witness

    assert found is not None
    assert found.axiom == axiom
    assert found.detail.endswith(".")
    repeat(method, found)


def repeat(method: Method, found: Witness) -> None:
    """Whoever reads the witness comes to the same outcomes."""
    cases = [(found.data["ballots"], found.data["outcome"])]
    if "changed_ballots" in found.data:
        cases.append((found.data["changed_ballots"], found.data["changed_outcome"]))
    cases += [(part["ballots"], part["outcome"]) for part in found.data.get("parts", [])]
    if found.axiom == "anonymity":
        # The order of the very lines is what matters.
        assert found.data["outcome"] != found.data["changed_outcome"]
        return
    for ballots, outcome in cases:
        again = election_from("\n".join(ballots))
        tiers = method(again).tiers
        assert [sorted(again.alternatives[a] for a in tier) for tier in tiers] == outcome


@pytest.mark.parametrize("axiom", AXIOMS)
def test_a_method_that_keeps_it_has_no_witness(axiom: str) -> None:
    """On every profile of up to three voters a method known to keep the axiom breaks nothing."""
    keeping: dict[str, Method] = {
        "majority": plurality,
        "condorcet": schulze,
        "condorcet-loser": borda,
        "smith": schulze,
        "clones": schulze,
        "iia": first_name,
        "later-no-harm": plurality,
        "strategy-proofness": first_name,
    }
    method = keeping.get(axiom, borda)

    for ballots in elections("strict", 3):
        found = search(axiom, method, ballots, seed=0)
        assert found.witness is None
        assert found.exhaustive or axiom == "homogeneity"


def test_the_coalition_everybody_quotes() -> None:
    """39 ABC, 35 BCA, 26 CAB: ten voters of BCA, and no fewer, lift A out of its victory."""
    found = search("coalition-monotonicity", runoff, election_from(LIFTED), seed=0).witness

    assert found is not None
    assert found.data["coalition"] == 10
    assert found.data["share"] == 0.1
    assert found.data["moves"] == [{"voters": "10: B > C > A", "instead": "10: A > B > C"}]
    assert found.data["outcome"][0] == ["A"]
    assert found.data["changed_outcome"][0] == ["C"]


def test_the_same_seed_finds_the_same() -> None:
    """Where not everything is tried, the seed decides what is."""
    rng = np.random.default_rng(5)
    drawn = plugins.get("populations", "impartial-culture")(60, 6, rng)
    for axiom in AXIOMS:
        one, other = (search(axiom, runoff, drawn, seed=3, limit=150) for _ in range(2))
        assert one == other
        if axiom in ("coalition-monotonicity", "strategy-proofness", "reinforcement"):
            assert not one.exhaustive
            assert one.tried <= 400


def test_axioms_about_voters_refuse_what_holds_none() -> None:
    """Where only pairs are known nobody can stay at home, and that is said."""
    pairs = election_of_pairs(np.array([[0, 3], [2, 0]]), "AB", 5)
    for axiom in (
        "anonymity",
        "homogeneity",
        "monotonicity",
        "participation",
        "strategy-proofness",
    ):
        with pytest.raises(Inapplicable):
            search(axiom, borda, pairs, seed=0)
    with pytest.raises(Inapplicable, match="later-no-harm"):
        search("later-no-harm", borda, replace(election_from("1: A > B"), unranked="apart"), seed=0)


def test_lifts_change_nothing_else() -> None:
    """A lifted alternative stands higher than before, all others stand to each other as before."""
    for kind in ("strict", "weak", "truncated"):
        for ballots in elections(kind, 1):
            (row,) = rows_of(ballots)
            for a in range(3):
                made = lifts(row, a, ballots)
                assert len(set(made)) == len(made)
                highest = [n for n in made if n.levels[a] == 0 and n.levels.count(0) == 1]
                assert lifts(row, a, ballots, top=True) == highest
                assert row not in made
                for new in made:
                    check_lift(full(row), full(new), a)


def full(row: Row) -> list[int]:
    """Tiers with what is left out last."""
    return [9 if level < 0 else level for level in row.levels]


def check_lift(old: Sequence[int], new: Sequence[int], a: int) -> None:
    """Against each other the alternative does no worse, and the others do as they did."""

    def sign(levels: Sequence[int], i: int, j: int) -> int:
        return (levels[i] < levels[j]) - (levels[i] > levels[j])

    others = [i for i in range(3) if i != a]
    assert sign(old, *others) == sign(new, *others)
    assert all(sign(new, a, i) >= sign(old, a, i) for i in others)


def test_lifts_of_grades_raise_one_grade() -> None:
    """A graded ballot is lifted by a higher grade, up to the highest that is in use."""
    ballots = election("grades", [(0, 1, 2)])
    (row,) = rows_of(ballots)

    assert [new.grades for new in lifts(row, 0, ballots)] == [(1, 1, 2), (2, 1, 2)]
    assert lifts(row, 2, ballots) == []
    assert graded((2, -1, 0)).levels == (0, -1, 1)
    assert line(row, 3, ballots) == "3: C [2] > B [1] > A [0]"


def test_pairs_of_changed_ballots_are_those_counted_anew() -> None:
    """Of many rows only those that change are counted again, and nothing is lost on the way."""
    rng = np.random.default_rng(1)
    for unranked in ("last", "apart"):
        orders = np.array([rng.permutation(5) for _ in range(80)], dtype=np.int16)
        orders[rng.random(orders.shape) < 0.2] = -1
        ballots = Election(tuple("ABCDE"), orders, rng.integers(2, 9, 80), unranked=unranked)
        moves = [
            Move(3, 2, Row((0, 1, 2, 3, 4))),
            Move(7, 1, None),
            Move(3, 1, Row((4, 3, 2, 1, 0))),
        ]
        after = changed(ballots, moves)

        assert after.pairwise is not None
        np.testing.assert_array_equal(after.wins, replace(after, pairwise=None).wins)
        assert after.voters == ballots.voters - 1


def test_a_copy_is_counted_as_it_stands() -> None:
    """The pairs with a copy, carried over, are those counted on the ballots with the copy."""
    for kind in ("strict", "weak", "truncated"):
        for ballots in elections(kind, 2):
            known = replace(ballots, pairwise=ballots.wins)
            for original in range(3):
                for above in divisions(ballots.counts.tolist()):
                    carried = with_clone(known, original, above)
                    plain = with_clone(ballots, original, above)
                    np.testing.assert_array_equal(carried.wins, plain.wins)
                    assert plain.voters == ballots.voters


def test_natural_copies_are_left_out() -> None:
    """Two that stand together on every ballot are copies already: Borda's case of plurality."""
    found = search(
        "clones", plurality, election_from("8: A > B > C\n7: B > C > A\n6: C > B > A"), seed=0
    ).witness

    assert found is not None
    assert "stands next to" in found.detail


def test_reversal_turns_every_ballot() -> None:
    """Twice turned around is as before, and the pairs are transposed; grades turn with them."""
    for kind in ("strict", "weak", "grades", "approvals"):
        for ballots in elections(kind, 2):
            turned = reversed_ballots(ballots)
            np.testing.assert_array_equal(turned.wins, ballots.wins.T)
            again = reversed_ballots(turned)
            np.testing.assert_array_equal(again.wins, ballots.wins)
            if ballots.grades is not None:
                np.testing.assert_array_equal(again.approvals("x"), ballots.approvals("x"))


def test_preference_between_sets() -> None:
    """The best and the worst of the new set are no worse, and one of them is better."""
    stand = [0, 1, 2]

    assert prefers(stand, [0], [1])
    assert prefers(stand, [0, 1], [1])
    assert prefers(stand, [0, 1], [0, 2])
    assert not prefers(stand, [0, 2], [1])
    assert not prefers(stand, [1], [0, 2])
    assert not prefers(stand, [1], [1])
    assert not prefers(None, [0], [1])


def test_growing_groups_find_the_least() -> None:
    """Of a breach that grows with its voters the smallest size is found; of none, none."""
    moves = [Move(0, 30, None), Move(1, 70, None)]
    for least in (1, 2, 7, 31, 64, 99, 100):

        def test(made: Sequence[Move], least: int = least) -> Witness | None:
            size = sum(move.voters for move in made)
            return Witness(axiom="x", detail="") if size >= least else None

        found = growing(moves, test)
        assert found is not None
        assert found.size == least
        assert growing(moves, test, most=least - 1) is None
    assert growing(moves, lambda _: None) is None


def test_growing_groups_find_what_only_some_numbers_break() -> None:
    """A breach by 70 to 80 of 100, which doubling steps over, is found by even steps between."""
    moves = [Move(0, 30, None), Move(1, 70, None)]
    sizes = []

    def test(made: Sequence[Move]) -> Witness | None:
        sizes.append(sum(move.voters for move in made))
        return Witness(axiom="x", detail="") if 70 <= sizes[-1] <= 80 else None

    assert growing(moves, test) is None
    sizes.clear()
    found = growing(moves, test, tries=30)
    assert found is not None
    assert found.size == 70
    assert len(sizes) <= 30


def test_pairs_of_those_who_stand_high_come_first() -> None:
    """Every ordered pair once; by the places of both together."""
    pairs = list(likeliest_pairs([7, 3, 5, 1]))

    assert sorted(pairs) == sorted(permutations([7, 3, 5, 1], 2))
    assert pairs[:2] == [(7, 3), (3, 7)]
    assert set(pairs[-2:]) == {(5, 1), (1, 5)}
    assert list(likeliest_pairs([4])) == []


def test_divisions_are_counted_right() -> None:
    """As many ways to take some of each row as are listed, the empty one first."""
    every = list(divisions([2, 1, 3]))

    assert len(set(every)) == len(every) == ways([2, 1, 3]) == 24
    assert every[0] == (0, 0, 0)
    assert every[-1] == (2, 1, 3)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.integers(1, 6).flatmap(
        lambda m: st.lists(st.integers(-2, 2), min_size=m * m, max_size=m * m).map(
            lambda v: np.triu(np.array(v).reshape(m, m), 1)
        )
    )
)
def test_smith_set_is_the_smallest_dominant(upper: np.ndarray) -> None:
    """It is what trying every set, the smallest first, finds; a Condorcet winner is it alone."""
    margins = upper - upper.T
    m = len(margins)
    dominant = (
        members
        for number in range(1, 2**m)
        if (members := [a for a in range(m) if number >> a & 1])
        if all(margins[a, b] > 0 for a in members for b in range(m) if b not in members)
    )
    fewest: list[int] = min(dominant, key=len)
    smallest = tuple(fewest)

    assert smith_set(margins) == smallest
    assert condorcet_winner(margins) == (smallest[0] if len(smallest) == 1 else None)


def test_lines_put_equal_ballots_together() -> None:
    """The same ballot in two rows is one line; the most frequent stand first."""
    ballots = Election(
        tuple("AB"), np.array([[0, 1], [1, 0], [0, 3]], np.int16), np.array([1, 2, 2])
    )

    assert lines(ballots) == ["3: A > B", "2: B > A"]
