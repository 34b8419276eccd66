"""Published and worked cases of rules for normative uncertainty, and where they refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.compromises.theories import made, theories_from, tiers

from normwright import plugins
from normwright.aggregate import Inapplicable, compare_compromises
from normwright.aggregate.compromises import Compromise, Theories

STAKES = ("0.5: A 10 > B 9 > C 0", "0.35: B 10 > C 4 > A 0", "0.15: C 1000 > B 500 > A -1000")
ALL = [card.name for card in plugins.cards("compromises")]
CARDINAL = ("highest-median", "maximin", "mec", "mec-range", "nash", "parliament")


def rule(name: str) -> Compromise:
    """The rule of a name."""
    found: Compromise = plugins.get("compromises", name)
    return found


def chosen(name: str, theories: Theories) -> tuple[str, ...]:
    """What it chooses."""
    return tiers(rule(name), theories)[0]


def test_every_rule_is_there() -> None:
    """The ten rules are found by their names."""
    assert ALL == [
        "borda", "highest-median", "maximin", "mec", "mec-range", "mec-variance",
        "my-favourite-option", "my-favourite-theory", "nash", "parliament",
    ]  # fmt: skip


def test_great_stakes_divide_the_rules_three_ways() -> None:
    """Raw expectation follows the greatest stakes, the favourites themselves, all others agree."""
    found = compare_compromises(theories_from(STAKES, comparable=True))

    assert {camp.winners: set(camp.rules) for camp in found.camps} == {
        ("A",): {"my-favourite-option", "my-favourite-theory"},
        ("B",): set(ALL) - {"mec", "my-favourite-option", "my-favourite-theory"},
        ("C",): {"mec"},
    }
    assert found.depends
    assert found.agreed.value == 0.0


def test_raw_expectation_is_fanatical_at_any_credence() -> None:
    """A theory believed one in a thousand decides if it speaks of a million times as much."""
    lines = ("0.6: A 10 > B 9 > C 0", "0.399: B 10 > C 4 > A 0", "0.001: C 10000000 > B 0 = A 0")
    theories = theories_from(lines, comparable=True)

    assert chosen("mec", theories) == ("C",)
    assert chosen("mec-variance", theories) == ("B",)


def test_raw_expectation_refuses_without_a_common_scale() -> None:
    """Nobody's numbers are comparable unless somebody says so; a single theory needs no scale."""
    theories = theories_from(STAKES)

    with pytest.raises(Inapplicable, match="comparable: true"):
        rule("mec")(theories)
    assert chosen("mec", made([1], [[0, 2, 1]])) == ("B",)
    row = next(r for r in compare_compromises(theories).rows if r.rule == "mec")
    assert "scale" in row.refused
    assert row.tiers == ()


@pytest.mark.parametrize("name", CARDINAL)
def test_orders_alone_are_not_enough_for_some(name: str) -> None:
    """A rule that needs worths refuses orders, naming the theory that gives no more."""
    theories = theories_from(("0.5: A 1 > B 0", "0.5: B > A"), comparable=True)

    with pytest.raises(Inapplicable, match="only an order by T2"):
        rule(name)(theories)


def test_variance_voting_takes_borda_scores_of_orders() -> None:
    """The one-step procedure, and the facts say whom it was done for."""
    order = rule("mec-variance")(theories_from(("0.5: A 1 > B 0 > C -1", "0.5: C > B > A")))

    assert order.tiers == ((0, 1, 2),)
    assert order.facts["by_borda_scores"] == ["T2"]


def test_the_hiring_decision() -> None:
    """MacAskill's case: the favourite theory's choice is the worst by two thirds of credence."""
    theories = theories_from(("0.35: A > B > C", "0.34: B > C > A", "0.31: C > B > A"))

    assert chosen("my-favourite-theory", theories) == ("A",)
    assert chosen("my-favourite-option", theories) == ("A",)
    assert chosen("borda", theories) == ("B",)
    order = rule("borda")(theories)
    assert order.scores.tolist() == pytest.approx([-0.6, 0.68, -0.08])


def test_a_cycle_of_theories_is_a_tie_for_borda() -> None:
    """Three theories in a circle, a third each: exactly level, though thirds are no decimals."""
    third = Fraction(1, 3)
    theories = replace(
        theories_from(("0.4: A > B > C", "0.3: B > C > A", "0.3: C > A > B")),
        credences=(third, third, third),
    )

    for name in ("borda", "mec-variance", "my-favourite-option", "my-favourite-theory"):
        assert len(rule(name)(theories).tiers[0]) == 3


def test_decimals_that_floats_cannot_add_still_tie() -> None:
    """0.1 + 0.2 against 0.3: a tie by the numbers written, by floats it would be none."""
    theories = theories_from(
        ("0.1: A 1 > B 0 = C 0", "0.2: A 1 > B 0 = C 0", "0.3: B 1 > A 0 = C 0",
         "0.4: C 1 > A 0 = B 0")
    )  # fmt: skip

    assert tiers(rule("mec-range"), theories) == (("C",), ("A", "B"))
    assert tiers(rule("my-favourite-option"), theories) == (("C",), ("A", "B"))


def test_a_theory_that_tells_nothing_apart_adds_nothing() -> None:
    """It is left out, said, and its credence is not handed to others."""
    lines = ("0.3: A 2 > B 1 > C 0", "0.3: B 2 > A 1 > C 0", "0.4: A 7 = B 7 = C 7")

    for name in ("mec-variance", "mec-range", "highest-median", "maximin", "nash", "parliament"):
        order = rule(name)(theories_from(lines))
        assert order.facts["indifferent"] == ["T3"]
        assert order.tiers[0] == (0, 1)
    assert rule("mec-range")(theories_from(lines)).scores[0] == pytest.approx(0.45)


@pytest.mark.parametrize("name", ALL)
def test_one_option_and_nothing_but_indifference(name: str) -> None:
    """A single option is chosen; where all are level by every theory, all are."""
    assert rule(name)(made([1, 2], [[3], [5]])).tiers == ((0,),)
    assert rule(name)(made([1, 2], [[3, 3], [5, 5]])).tiers == ((0, 1),)


@pytest.mark.parametrize("name", ALL)
def test_who_is_not_believed_has_no_say(name: str) -> None:
    """A theory without credence changes nothing, in maximin and bargains too."""
    three = made([3, 2, 0], [[3, 2, 0], [0, 2, 3], [9, 0, 9]])

    assert tiers(rule(name), three) == tiers(rule(name), three._only([0, 1]))


def test_nash_with_a_status_quo() -> None:
    """What some theory holds worse is no bargain; where nothing helps all, all stays as it is."""
    helps = replace(made([1, 1], [[0, 3, 9, 1], [0, 3, -9, 1]]), status_quo=0)
    stuck = replace(made([1, 1], [[0, 3, -3], [0, -3, 3]]), status_quo=0)

    assert tiers(rule("nash"), helps) == (("B",), ("D",), ("A",), ("C",))
    assert rule("nash")(helps).facts["worse_for_some"] == ["C"]
    assert tiers(rule("nash"), stuck) == (("A",), ("B", "C"))
    assert rule("nash")(stuck).facts["lottery"] == {"A": 1.0, "B": 0.0, "C": 0.0}


def test_the_lottery_of_a_bargain_is_that_of_the_credences() -> None:
    """Two theories at odds: chances are credences, which maximise c log p + (1 - c) log(1 - p)."""
    order = rule("nash")(made([7, 3], [[1, 0], [0, 1]]))

    assert order.tiers == ((0, 1),)
    assert order.facts["lottery"] == pytest.approx({"A": 0.7, "B": 0.3}, abs=1e-6)
    assert order.facts["gap"] < 1e-7


def test_delegates_trade_for_a_compromise_and_fall_back_on_lots() -> None:
    """Both prefer the compromise to the draw; where there is none, the draw is what they have."""
    trade = rule("parliament")(made([6, 4], [[10, 9, 0], [0, 9, 10]]))
    lots = rule("parliament")(made([6, 4], [[1, 0], [0, 1]]))

    assert trade.tiers[0] == (1,)
    assert trade.facts["before_bargaining"] == {"A": 0.6, "B": 0.0, "C": 0.4}
    assert lots.facts["chances"] == pytest.approx({"A": 0.6, "B": 0.4}, abs=1e-6)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 6), min_size=4, max_size=4), min_size=2, max_size=3),
    st.lists(st.integers(1, 9), min_size=3, max_size=3),
)
def test_no_lottery_on_a_grid_beats_the_bargain(worth: list[list[int]], weights: list[int]) -> None:
    """Nash's lottery reaches at least what every lottery in steps of a tenth does."""
    theories = made(weights[: len(worth)], worth)
    held, _ = theories.discerning()
    if not held.names:
        return
    found = rule("nash")(theories).facts["lottery"]
    gains = np.array([[float(v) for v in row] for row in held.spanned])
    shares = np.array([float(c) for c in held.credences])
    shares /= shares.sum()
    grid = np.array(
        [(a, b, c, 10 - a - b - c) for a in range(11) for b in range(11 - a)
         for c in range(11 - a - b)]
    ) / 10  # fmt: skip

    def value(chances: np.ndarray) -> np.ndarray:
        reached: np.ndarray = shares @ np.log(np.maximum(gains @ chances.T, 1e-300))
        return reached

    best = value(np.array([list(found.values())]))[0]
    assert best >= value(grid).max() - 1e-6
