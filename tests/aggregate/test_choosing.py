"""Choosing under normative uncertainty: what is acted on, what turns it, and when people decide."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.compromises.theories import drawn, made, theories_from, tiers

from normwright import plugins
from normwright.aggregate import Theories, choose, compare_compromises, theories_of
from normwright.aggregate.choosing import (
    COUNTS,
    LITTLE,
    believed,
    opposed,
    room_for_another,
    turning_points,
)
from normwright.records import InputError, UncertainChoice

COUNTING = [card.name for card in plugins.cards("compromises") if COUNTS in card.claims]
STAKES = ("0.5: A 1 > B 0.9 > C 0", "0.35: B 1 > C 0.4 > A 0", "0.15: C 1000 > B 0 > A -1000")


def said(theories: Theories) -> Theories:
    """The same with the meaning of every number said."""
    scales = tuple("ordinal" if flat else "interval" for flat in theories.ordinal)
    return replace(theories, scales=scales)


def row(found: UncertainChoice, rule: str) -> object:
    """What one rule chooses."""
    return next(one for one in found.rules if one.rule == rule)


def kinds(found: UncertainChoice) -> list[str]:
    """Why people have to decide."""
    return [doubt.kind for doubt in found.doubts]


def test_who_counts_is_read_off_the_cards() -> None:
    """The six rules that no theory which is hardly believed can lead."""
    assert COUNTING == [
        "borda", "highest-median", "mec-range", "mec-variance", "my-favourite-option",
        "my-favourite-theory",
    ]  # fmt: skip


def test_great_stakes() -> None:
    """Raw expectation refuses, seven rules choose B, favourites A: B is told, people decide."""
    found = choose(said(theories_from(STAKES)))
    chosen = {one.rule: one.winners for one in found.rules if one.winners}

    assert row(found, "mec").refused  # type: ignore[attr-defined]
    assert {r for r, w in chosen.items() if w == ("B",)} == set(chosen) - {
        "my-favourite-option", "my-favourite-theory"}  # fmt: skip
    assert len(chosen) == 9
    assert (found.chosen, found.act) == (("B",), None)
    assert "rules-differ" in kinds(found)
    assert found.agreement.depends


def test_great_stakes_on_one_scale() -> None:
    """Where somebody says that units are the same raw expectation follows the greatest stakes."""
    lines = (
        "0.588: A 1 > B 0.9 > C 0",
        "0.411: B 1 > C 0.4 > A 0",
        "0.001: C 1000 > B 0 > A -1000",
    )
    for given_lines in (STAKES, lines):
        found = choose(said(theories_from(given_lines, comparable=True)))

        assert row(found, "mec").winners == ("C",)  # type: ignore[attr-defined]
        assert not row(found, "mec").counts  # type: ignore[attr-defined]
        assert found.chosen == ("B",)


@pytest.mark.parametrize("comparable", [False, True])
@pytest.mark.parametrize("stakes", [1, 10**12])
@pytest.mark.parametrize("top", [0, 2])
def test_a_fanatic_at_a_thousandth_turns_no_default(
    stakes: int, top: int, comparable: bool
) -> None:
    """What counts chooses as it did without a theory of credence 0.001, whatever is at stake."""
    theories = said(theories_from(("0.55: B 10 > A 9 > C 0", "0.45: B 10 > C 4 > A 0")))
    theories = replace(theories, comparable=comparable)
    row_of = tuple(Fraction(stakes if a == top else -stakes) for a in range(3))
    led = said(replace(opposed(theories, 1, top, LITTLE), scales=()))
    led = replace(led, worth=(*theories.worth, row_of))
    before, after = choose(theories), choose(led)

    assert before.act == "B"
    for rule in COUNTING:
        assert row(after, rule).winners == row(before, rule).winners  # type: ignore[attr-defined]
    assert after.act == "B"


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.data())
def test_no_theory_turns_a_choice_below_its_room(seed: int, data: st.DataObject) -> None:
    """Whatever numbers a new theory has, below the credence that is told it turns nothing."""
    theories = drawn(np.random.default_rng(seed))
    theories = replace(theories, comparable=data.draw(st.booleans()))
    m = len(theories.options)
    worth = data.draw(st.lists(st.integers(-(10**9), 10**9), min_size=m, max_size=m))
    for rule in COUNTING:
        ask = plugins.get("compromises", rule)
        room = room_for_another(ask, theories)
        if not room:
            continue
        credence = Fraction(room) * data.draw(
            st.sampled_from([Fraction(1, 2), Fraction(999, 1000)])
        )
        more = replace(
            opposed(theories, 0, 1, credence), worth=(*theories.worth, tuple(map(Fraction, worth)))
        )

        assert tiers(ask, more)[0] == tiers(ask, theories)[0], rule


@pytest.mark.parametrize("rule", COUNTING)
def test_room_by_hand(rule: str) -> None:
    """Credence 0.6 against 0.4 on two options: a gap of 0.2 of what one more theory can open."""
    found = room_for_another(plugins.get("compromises", rule), made([6, 4], [[1, 0], [0, 1]]))

    # The favourite theory falls where another is believed as much; the rest where gaps are equal.
    assert found == pytest.approx(
        0.6 / 1.6 if rule == "my-favourite-theory" else 0.2 / 1.2, abs=2e-6
    )


@pytest.mark.parametrize("rule", COUNTING)
def test_turning_points_are_where_choices_turn(rule: str) -> None:
    """Up to a little before it the choice is the same, a little beyond it is another."""
    ask = plugins.get("compromises", rule)
    rng = np.random.default_rng(11)
    for _ in range(3):
        theories = drawn(rng)
        before = tiers(ask, theories)[0]
        if len(before) > 1:
            continue
        for turn in turning_points(ask, theories):
            k = theories.names.index(turn.theory)
            start, end = theories.credences[k], Fraction(turn.side == "more")
            at = end if turn.at is None else Fraction(turn.at)
            near = Fraction(3, 10**6) * (1 if end > start else -1)
            for i in range(12):
                credence = start + (at - near - start) * Fraction(i, 12)
                if min(start, end) <= credence <= max(start, end):
                    assert tiers(ask, believed(theories, k, credence))[0] == before
            if turn.at is not None and 0 < at + near < 1:
                assert tiers(ask, believed(theories, k, at + near))[0] != before


def test_a_turning_point_by_hand() -> None:
    """Credence 0.6 for A against 0.4 for B: the choice turns at one half."""
    found = choose(said(made([6, 4], [[1, 0], [0, 1]])))
    turns = {(t.theory, t.side): t.at for t in row(found, "mec-range").turns}  # type: ignore[attr-defined]

    assert turns["T1", "less"] == pytest.approx(0.5, abs=2e-6)
    assert turns["T2", "more"] == pytest.approx(0.5, abs=2e-6)
    assert turns["T1", "more"] is None
    assert turns["T2", "less"] is None


def test_ties_are_ties_and_go_to_people() -> None:
    """Level options are all told, nothing is acted on, and no turning point is made up."""
    found = choose(said(made([1, 1], [[1, 0], [0, 1]])))

    assert (found.chosen, found.act) == (("A", "B"), None)
    assert "tie" in kinds(found)
    assert row(found, "mec-variance").turns == ()  # type: ignore[attr-defined]
    assert row(found, "mec-variance").room is None  # type: ignore[attr-defined]


def test_the_veto() -> None:
    """Variance voting chooses B for its intensity; the median puts A above it and forbids it."""
    found = choose(said(theories_from(("0.6: A 10 > B 9 > C 0", "0.4: B 10 > C 1 > A 0"))))

    assert found.chosen == ("B",)
    assert kinds(found)[0] == "vetoed"
    assert found.doubts[0].options == ("A",)
    assert found.act is None


def test_a_veto_that_cannot_be_known_is_not_passed() -> None:
    """A theory that only orders options mixes with numbers in the default, not in the veto."""
    found = choose(said(theories_from(("0.6: A 2 > B 1 > C 0", "0.4: A > B > C"))))

    assert found.chosen == ("A",)
    assert kinds(found) == ["veto-unknown"]
    assert found.act is None


def test_a_median_on_the_edge_is_told() -> None:
    """Credence of exactly one half lets a theory of any credence tip the median."""
    found = choose(said(theories_from(STAKES)))
    doubt = next(d for d in found.doubts if d.kind == "little-turns")

    assert doubt.rules == ("highest-median",)
    assert row(found, "highest-median").room == 0.0  # type: ignore[attr-defined]


def test_copies_that_turn_a_choice_are_told() -> None:
    """Borda is not proof against an option that is listed twice."""
    found = choose(said(theories_from(("0.7: A 2 > B 1 > C 0", "0.3: B 2 > C 1 > A 0"))))
    copies = row(found, "borda").copies  # type: ignore[attr-defined]

    assert row(found, "borda").winners == ("A",)  # type: ignore[attr-defined]
    assert ("C", ("B",)) in [(c.option, c.winners) for c in copies]
    assert "copies-turn" in kinds(found)


def test_a_single_option_is_acted_on() -> None:
    """There is nothing else to do, and nothing that could turn it."""
    found = choose(said(made([1, 2], [[3], [5]])))

    assert (found.act, found.doubts) == ("A", ())
    assert row(found, "borda").room is None  # type: ignore[attr-defined]


def test_theories_that_tell_nothing_apart() -> None:
    """All options are level: a tie, not the first of them."""
    assert choose(said(made([1, 2], [[3, 3], [5, 5]]))).chosen == ("A", "B")


def test_what_numbers_mean_is_asked_for() -> None:
    """Every theory of which nobody said it is named in one error."""
    theories = theories_of(
        {
            "options": ["a", "b"],
            "theories": {
                "u": {"credence": 0.5, "worth": {"a": 1, "b": 0}},
                "v": {"credence": 0.3, "worth": {"a": 1, "b": 0}},
                "w": {"credence": 0.2, "order": ["a", "b"]},
            },
        }
    )
    with pytest.raises(InputError) as error:
        choose(theories, where="f.yaml")

    assert [f.where for f in error.value.faults] == ["f.yaml: u, scale", "f.yaml: v, scale"]


@settings(derandomize=True, deadline=None, max_examples=6)
@given(st.integers(0, 10**6))
def test_names_order_and_units_change_nothing(seed: int) -> None:
    """Theories and options in another order, numbers in other units: the same is acted on."""
    theories = replace(drawn(np.random.default_rng(seed)), comparable=False)
    found = choose(said(theories))
    order = list(permutations(range(len(theories.names))))[-1]
    turned = theories._only(order)
    turned = replace(
        turned,
        options=turned.options[::-1],
        worth=tuple(tuple(3 * v + 7 for v in reversed(r)) for r in turned.worth),
    )
    other = choose(said(turned))

    assert (other.chosen, other.act) == (found.chosen, found.act)
    assert kinds(other) == kinds(found)
    for one in found.rules:
        again = row(other, one.rule)
        assert again.room == one.room  # type: ignore[attr-defined]


@settings(derandomize=True, deadline=None, max_examples=6)
@given(st.integers(0, 10**6))
def test_nothing_dominated_is_acted_on(seed: int) -> None:
    """What every theory holds worse than one other option is never chosen."""
    theories = replace(drawn(np.random.default_rng(seed)), comparable=False)
    worse = replace(
        theories,
        options=(*theories.options, "worse"),
        worth=tuple((*r, r[0] - 1) for r in theories.worth),
    )

    assert "worse" not in choose(said(worse)).chosen


def test_the_same_theories_have_the_same_digest() -> None:
    """Nothing in it is drawn, and no clock is read."""
    theories = said(theories_from(STAKES))

    assert choose(theories).digest == choose(theories).digest
    assert choose(theories).agreement == compare_compromises(theories)


def test_people_say_how_sure_credences_are() -> None:
    """Few people of whom hardly more than half believe something are too few to act on."""
    sure = replace(said(made([9, 1], [[1, 0], [0, 1]])), people=50)
    close = replace(said(made([53, 47], [[1, 0], [0, 1]])), people=100)
    found, open_ = choose(sure), choose(close)

    assert found.act == "A"
    assert found.stays is not None
    assert found.stays.value == 1.0
    assert found.stays.n == 200
    assert (found.stays.seed, found.people) == (0, 50)
    # P(Binomial(100, 0.53) > 50) is 0.692; ties are no A either.
    assert open_.stays is not None
    assert open_.stays.interval is not None
    assert open_.stays.interval.low < 0.692 < open_.stays.interval.high
    assert "people-turn" in kinds(open_)
    assert choose(said(made([9, 1], [[1, 0], [0, 1]]))).stays is None
    assert choose(close, seed=1).stays != open_.stays
