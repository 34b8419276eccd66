"""The risk of a conversation is bounded, decays, counts a text once, and does not see who spoke."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.guard import Memory
from normwright.guard.memory import BEFORE, log_odds

QUIET = settings(derandomize=True, deadline=None, max_examples=100)
CHANCES = st.lists(st.floats(0, 3), min_size=1, max_size=30)


def _texts(chances: list[float]) -> list[tuple[bytes, str, float]]:
    return [(str(i).encode(), f"messages[{i}", c) for i, c in enumerate(chances)]


@QUIET
@given(CHANCES)
def test_risk_is_a_probability_and_no_less_than_the_last_text_makes_it(
    chances: list[float],
) -> None:
    """However much is said, the risk stays in [0, 1]; what was said last counts in full."""
    risk = Memory().note(_texts(chances))

    assert 0 <= risk <= 1
    assert risk >= Memory().note(_texts(chances[-1:])) - 1e-12


@QUIET
@given(st.integers(1, 3_000))
def test_nothing_however_often_is_nothing(turns: int) -> None:
    """Texts without evidence add up to no risk, and to no more risk than one of them had."""
    memory = Memory()

    assert memory.note(_texts([0.0] * turns)) == 0
    assert memory.note([(b"x", "last", 1.0)]) == pytest.approx(Memory().note(_texts([1.0])))


def test_evidence_is_bounded_by_how_fast_it_fades() -> None:
    """A little evidence for ever stays below a bound; twice as much of it passes it and is found.

    A text's evidence e, turn by turn, comes to e / (1 - 2 ** (-1 / half_life)).
    """
    little, more = ([e] * 500 for e in (0.4, 1.0))

    assert Memory().note(_texts(little)) < 0.9 < Memory().note(_texts(more[:9]))
    assert Memory().note(_texts(more[:4])) < 0.9
    assert Memory().note(_texts(more)) < 1


def test_a_long_history_sent_again_counts_once() -> None:
    """One longer than what is kept does not look new each time, so that old evidence stays old."""
    memory = Memory(kept=50)
    texts = _texts([2.0] * 20 + [0.0] * 200)
    first = memory.note(texts)

    assert memory.note(texts) == memory.note(texts[-30:]) == first == 0


@QUIET
@given(CHANCES)
def test_a_history_that_is_sent_again_counts_once(chances: list[float]) -> None:
    """Turn by turn, each time with all that was before, comes to the same as once at the end."""
    grown, once = Memory(), Memory()
    for i in range(len(chances)):
        grown.note(_texts(chances)[: i + 1])

    assert grown.risk == pytest.approx(once.note(_texts(chances)))
    assert once.note(_texts(chances)) == pytest.approx(grown.risk)


@QUIET
@given(st.floats(0.01, 3), st.integers(1, 40))
def test_evidence_halves_with_each_half_life(chance: float, turns: int) -> None:
    """After as many harmless turns as the half-life, a text counts half; it never grows again."""
    memory = Memory(half_life=turns)
    first = memory.note([(b"x", "messages[0", chance)])
    later = memory.note([(str(i).encode(), f"messages[{i + 1}", 0.0) for i in range(turns)])

    assert log_odds(first) - log_odds(BEFORE) == pytest.approx(chance)
    assert log_odds(later) - log_odds(BEFORE) == pytest.approx(chance / 2)


def test_many_parts_of_one_turn_are_one_turn() -> None:
    """That something is said in many parts makes it no worse, and does not wash out what was."""
    memory = Memory()
    memory.note([(b"bad", "messages[0", 0.8)])
    parts = [(f"key{i}".encode(), "messages[1", 0.0) for i in range(200)]
    same = Memory().note([(f"p{i}".encode(), "messages[0", 0.3) for i in range(50)])

    assert log_odds(memory.note(parts)) - log_odds(BEFORE) == pytest.approx(0.8 * 0.5 ** (1 / 6))
    assert log_odds(same) - log_odds(BEFORE) == pytest.approx(0.3)


def test_what_is_kept_is_bounded() -> None:
    """A conversation without end takes no memory without end."""
    memory = Memory(kept=10)
    memory.note(_texts([0.5] * 1_000))

    assert len(memory._texts) == 10
    with pytest.raises(ValueError, match="above 0"):
        Memory(half_life=0)
