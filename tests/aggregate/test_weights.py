"""Raking: margins are met, costs are told, and nobody is dropped or guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.aggregate import (
    Election,
    Inapplicable,
    Profile,
    order_of,
    rake,
    weighted,
    weighted_ballots,
    weighted_support,
)
from normwright.aggregate.weights import WHOLE
from normwright.records import Ballots, InputError


def slow_fit(traits: Sequence[tuple[str, ...]], margins: list[dict[str, float]]) -> list[float]:
    """The obvious way: a person at a time, trait after trait, two thousand times."""
    weights = [1.0] * len(traits)
    for _ in range(2000):
        for place, shares in enumerate(margins):
            total = sum(weights)
            now = {
                v: sum(w for w, t in zip(weights, traits, strict=True) if t[place] == v)
                for v in shares
            }
            weights = [
                w * shares[t[place]] * total / now[t[place]]
                for w, t in zip(weights, traits, strict=True)
            ]
    return [w * len(weights) / sum(weights) for w in weights]


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    counts=st.lists(st.integers(1, 4), min_size=6, max_size=6),
    young=st.integers(1, 9),
    places=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
)
def test_raking_equals_the_slow_obvious_way(
    counts: list[int], young: int, places: tuple[int, int, int]
) -> None:
    """Two traits, every combination taken: the same weights to the millionth."""
    cells = list(product("yo", "abc"))
    people = [cell for cell, n in zip(cells, counts, strict=True) for _ in range(n)]
    age = {"y": young / 10, "o": 1 - young / 10}
    place = {v: n / sum(places) for v, n in zip("abc", places, strict=True)}
    traits = {f"p{i:02}": {"age": a, "place": b} for i, (a, b) in enumerate(people)}
    raked = rake(traits, {"age": age, "place": place}, cap=None)

    assert raked.weighting.converged
    assert raked.weights / WHOLE == pytest.approx(slow_fit(people, [age, place]), abs=2e-6)


def test_two_by_two_keeps_the_odds_ratio() -> None:
    """In closed form: fitting scales rows and columns, so the odds ratio of the table stays."""
    table = {("y", "a"): 4, ("y", "b"): 1, ("o", "a"): 2, ("o", "b"): 3}
    people = [cell for cell, n in table.items() for _ in range(n)]
    traits = {f"p{i}": {"age": a, "place": b} for i, (a, b) in enumerate(people)}
    raked = rake(traits, {"age": {"y": 0.3, "o": 0.7}, "place": {"a": 0.6, "b": 0.4}}, cap=None)
    share = dict.fromkeys(table, 0.0)
    for name, w in zip(raked.participants, raked.weights, strict=True):
        share[traits[name]["age"], traits[name]["place"]] += w / raked.weights.sum()
    # x (0.1 + x) / ((0.3 - x) (0.6 - x)) = 4 * 3 / (1 * 2) = 6, by the quadratic formula.
    x = (5.5 - (5.5**2 - 4 * 5 * 1.08) ** 0.5) / 10

    assert share["y", "a"] == pytest.approx(x, abs=1e-6)


def test_design_effect_is_kish_s() -> None:
    """Ten people, half of them to be a fifth: weights 0.4 and 1.6, effect 1.36."""
    traits = {f"p{i}": {"sex": "f" if i < 5 else "m"} for i in range(10)}
    found = rake(traits, {"sex": {"f": 0.2, "m": 0.8}}).weighting

    assert (found.smallest, found.largest) == pytest.approx((0.4, 1.6))
    assert found.design_effect == pytest.approx((0.4**2 + 1.6**2) / 2)
    assert found.effective_n == pytest.approx(10 / 1.36)
    by_value = {c.value: (c.declared, c.unweighted, c.weighted) for c in found.margins}
    assert by_value == {"f": pytest.approx((0.2, 0.5, 0.2)), "m": pytest.approx((0.8, 0.5, 0.8))}


def test_a_cap_holds_and_what_it_costs_is_told() -> None:
    """One of twenty cannot be a half at a weight of three: the cap holds, the gap is said."""
    traits = {f"p{i}": {"place": "x" if i else "y"} for i in range(20)}
    found = rake(traits, {"place": {"x": 0.5, "y": 0.5}}, cap=3.0)

    assert found.weights.max() == 3 * WHOLE
    assert not found.weighting.converged
    assert found.weighting.gap == pytest.approx(0.5 - 3 / 20)
    assert found.weighting.capped == 1


def test_a_cap_that_binds_on_single_people_is_made_up_by_their_like() -> None:
    """Trimmed and fitted again: margins hold although the largest weights were cut."""
    cells = {("y", "a"): 1, ("y", "b"): 12, ("o", "a"): 12, ("o", "b"): 40}
    people = [cell for cell, n in cells.items() for _ in range(n)]
    traits = {f"p{i}": {"age": a, "place": b} for i, (a, b) in enumerate(people)}
    margins = {"age": {"y": 0.5, "o": 0.5}, "place": {"a": 0.5, "b": 0.5}}
    free, capped = rake(traits, margins, cap=None), rake(traits, margins, cap=3.0)

    assert free.weighting.largest > 3
    assert capped.weighting.largest == pytest.approx(3)
    assert capped.weighting.converged


def test_a_value_nobody_has_is_told_not_dropped() -> None:
    """What nobody who took part can speak for stands in the account; others keep proportion."""
    traits = {"p": {"place": "a"}, "q": {"place": "b"}}
    found = rake(traits, {"place": {"a": 0.2, "b": 0.6, "c": 0.2}}).weighting

    assert [(c.value, c.declared, c.participants) for c in found.unreached] == [("c", 0.2, 0)]
    assert [c.weighted for c in found.margins] == pytest.approx([0.25, 0.75])
    assert found.converged


def test_an_unknown_trait_is_its_own_answer() -> None:
    """Who did not say keeps a weight of one by that trait, and is counted as such."""
    traits: dict[str, dict[str, str | None]] = {
        "p": {"place": "a"}, "q": {"place": "b"}, "r": {"place": None}, "s": {}
    }  # fmt: skip
    raked = rake(traits, {"place": {"a": 0.25, "b": 0.75}})
    unknown = raked.weighting.margins[-1]

    assert raked.weights.tolist() == [500_000, 1_500_000, WHOLE, WHOLE]
    assert (unknown.value, unknown.participants, unknown.declared) == (None, 2, None)


def test_all_faults_come_at_once() -> None:
    """Shares that are none, sums that are not one, values not declared, traits nobody told."""
    traits = {"p": {"age": "y", "place": "z"}, "q": {"age": "o", "place": "a"}}
    margins = {
        "age": {"y": -0.1, "o": 1.1}, "place": {"a": 0.5, "b": 0.4}, "sex": {"f": 0.5, "m": 0.5}
    }  # fmt: skip

    with pytest.raises(InputError) as caught:
        rake(traits, margins, cap=0.5)
    said = [f.where for f in caught.value.faults]
    assert said == [
        "cap", "margins, age, 'o'", "margins, age, 'y'", "margins, place", "traits, place, 'z'",
        "traits, sex",
    ]  # fmt: skip


def test_weights_do_not_depend_on_the_order_of_people() -> None:
    """Participants and margins in any order give the same weights, bit by bit."""
    rng = np.random.default_rng(3)
    people = [(f"p{i:03}", {"age": rng.choice(["y", "o"]), "place": rng.choice(list("abc"))})
              for i in range(200)]  # fmt: skip
    margins = {"age": {"y": 0.3, "o": 0.7}, "place": {"a": 0.2, "b": 0.3, "c": 0.5}}
    backwards = {t: dict(reversed(s.items())) for t, s in reversed(margins.items())}
    one, other = rake(dict(people), margins), rake(dict(reversed(people)), backwards)

    assert one.participants == other.participants
    assert one.weights.tolist() == other.weights.tolist()
    assert one.weighting == other.weighting


def test_weighted_votes_count_by_weight() -> None:
    """Support and pairs of a weighted election are sums of weights, in whole numbers."""
    votes = np.array([[1, -1], [-1, 1], [-1, 1]], dtype=np.int8)
    profile = Profile.from_tables(
        ("p", "q", "r"), ("a", "b"), votes, np.ones((3, 2), dtype=np.bool_)
    )
    made = weighted(profile.election(), np.array([2_000_000, 500_000, 500_000]))

    assert made.voters == 3_000_000
    assert made.wins.tolist() == [[0, 2_000_000], [1_000_000, 0]]


def test_weighted_rankings_equal_votes_that_are_given_so_often() -> None:
    """Weights of two and one: as if the first voter had voted twice."""
    rows = (("p", (("A",), ("B",))), ("q", (("B",), ("A",))), ("r", (("A",), ("B",))))
    made = weighted_ballots(Ballots.of(rows), {"p": 2, "q": 1, "r": 1}, alternatives=("A", "B"))
    twice = Election.of(
        Ballots.of([*rows, ("s", (("A",), ("B",)))]), alternatives=("A", "B"), unranked="last"
    )

    assert made.counts.tolist() == twice.counts.tolist()
    assert made.orders.tolist() == twice.orders.tolist()


def test_voters_without_a_weight_are_a_fault() -> None:
    """Nobody falls out for want of a weight."""
    rows = Ballots.of([("p", (("A",),)), ("q", (("A",),))])

    with pytest.raises(InputError, match="none for 1 of 2"):
        weighted_ballots(rows, {"p": WHOLE}, alternatives=("A",))
    with pytest.raises(Inapplicable, match="several orders"):
        weighted_ballots(Ballots.of([*rows, ("p", (("B",),))]), {}, alternatives=("A",))
    made = Election.of(rows, alternatives=("A",))
    with pytest.raises(InputError, match="1 numbers above 0"):
        weighted(made, np.array([0]))


def test_weighted_support_stands_beside_the_unweighted() -> None:
    """Two of four agree; by weights a fifth does, on fewer effective people, so less surely."""
    votes = np.array([[1, 1], [1, 0], [-1, 0], [-1, 0]], dtype=np.int8)
    seen = np.array([[1, 0], [1, 0], [1, 0], [1, 0]], dtype=np.bool_)
    profile = Profile.from_tables(("p", "q", "r", "s"), ("a", "b"), votes, seen)
    traits = {"p": {"t": "x"}, "q": {"t": "x"}, "r": {"t": "y"}, "s": {"t": "y"}}
    raked = rake(traits, {"t": {"x": 0.2, "y": 0.8}})
    found, unseen = weighted_support(profile, raked)

    assert found.unweighted.value == 0.5
    assert found.weighted.value == pytest.approx(0.2)
    assert found.effective_n == pytest.approx(4 / 1.36)
    assert found.weighted.interval is not None
    assert found.weighted.interval.low < 0.2 < found.weighted.interval.high
    assert unseen.weighted.value is None
    with pytest.raises(InputError, match="none for 1 of 5"):
        weighted_support(replace(profile, participants=("p", "q", "r", "s", "t")), raked)


def test_weighted_categories_stay_grades() -> None:
    """People who sorted into categories graded, with weights as without."""
    ballots = replace(
        Ballots.of([("x", (("A",), ("B",))), ("y", (("B",), ("A",)))]), categories=("good", "bad")
    )
    found = weighted_ballots(ballots, {"x": 2_000_000, "y": 1_000_000}, alternatives="AB")

    assert order_of(found, method="majority-judgement").tiers == ((0,), (1,))
    assert found.approved_from == 1
