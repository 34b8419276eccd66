"""What was used of late stays, within bounds, whatever threads do at once."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.guard.recent import Made, Recent


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 8))
def test_it_gives_what_was_put_or_nothing_and_keeps_no_more_than_two_generations(
    keys: list[int], size: int
) -> None:
    """A value is the key's own, one just put is there, and the bound holds after every step."""
    kept: Recent[int, str] = Recent(size)
    for key in keys:
        assert kept.get(key) in (None, str(key))
        kept.put(key, str(key))
        assert kept.get(key) == str(key)
        assert len(kept) <= 2 * size


def test_what_is_used_stays_while_others_come_and_go() -> None:
    """A key asked for in every generation is never forgotten; one never asked for again is."""
    kept: Recent[int, str] = Recent(4)
    kept.put(-1, "used")
    kept.put(-2, "unused")
    for key in range(100):
        kept.put(key, str(key))
        assert kept.get(-1) == "used"

    assert kept.get(-2) is None


def test_threads_never_see_the_value_of_another_key() -> None:
    """Eight threads that crowd one another out read their own values alone."""
    kept: Recent[int, int] = Recent(8)
    wrong = []

    def work(seed: int) -> None:
        for step in range(3_000):
            key = (seed * 7919 + step * 31) % 61
            found = kept.get(key)
            if found is None:
                kept.put(key, key * key)
            elif found != key * key:
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert wrong == []
    assert len(kept) <= 16 + 8


def test_nothing_can_be_kept_in_no_room() -> None:
    """A size below one is a mistake, said at once."""
    with pytest.raises(ValueError, match="at least one"):
        Recent(0)


def test_what_is_heavy_takes_the_room_of_many() -> None:
    """The bound holds for weights, so that a few large values do not stand for many small ones."""
    kept: Recent[int, bytes] = Recent(100, weigh=lambda key, value: len(value))
    for key in range(50):
        kept.put(key, bytes(30 if key % 2 else 1))

    assert len(kept) < 20
    assert kept.get(49) == bytes(30)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 8))
def test_what_is_made_is_the_keys_own_and_bounded(keys: list[int], size: int) -> None:
    """Values are made from their keys, zero too; no more than a generation is found at once."""
    made: Made[int, int] = Made(lambda key: key * key, size, weighs=lambda key: key != 7)

    assert list(map(made.__getitem__, keys)) == [key * key for key in keys]
    assert len(made) < size or size == 1
    assert 7 not in made


def test_nothing_is_made_in_no_room() -> None:
    """A size below one is a mistake, said at once."""
    with pytest.raises(ValueError, match="at least one"):
        Made(str, 0, weighs=lambda key: True)
