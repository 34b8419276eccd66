"""What single voters can do to published results, against trying every one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.slates import slow

from normwright import plugins
from normwright.aggregate import (
    Inapplicable,
    Profile,
    rank_influence,
    share_influence,
    slate_influence,
    weighted,
)
from normwright.records import InputError


def slow_flips(agree: int, against: int, tenths: int, how: str) -> int | None:
    """Any so many voters turned or taken out, the least number first."""

    def passes(a: int, n: int) -> bool:
        return 10 * a >= tenths * n

    for j in range(1, agree + against + 1):
        for up in range(j + 1):
            down = j - up
            if how == "turned" and up <= against and down <= agree:
                a, n = agree + up - down, agree + against
            elif how == "removed" and up <= against and down <= agree and j < agree + against:
                a, n = agree - down, agree + against - j
            else:
                continue
            if passes(a, n) != passes(agree, agree + against):
                return j
    return None


@pytest.mark.parametrize("tenths", [0, 1, 5, 6, 10])
def test_flips_equal_a_search_of_all_changes(tenths: int) -> None:
    """For every share of up to ten voters the least number is what trying all of them finds."""
    for agree, against in product(range(7), range(5)):
        if not agree + against:
            continue
        found = share_influence("s", agree=agree, seen=agree + against, threshold=tenths / 10)

        assert found.flips_turned == slow_flips(agree, against, tenths, "turned")
        assert found.flips_removed == slow_flips(agree, against, tenths, "removed")


def test_one_voter_moves_a_share_by_what_is_said() -> None:
    """Six of ten: turned, a tenth; taken out, at most 6/9 - 6/10."""
    found = share_influence("s", agree=6, seen=10, threshold=0.6)

    assert found.turned == pytest.approx(0.1)
    assert found.removed == pytest.approx(6 / 9 - 6 / 10)
    assert (found.flips_turned, found.flips_removed) == (1, 1)


def test_faults_come_at_once() -> None:
    """Counts that are none and a threshold that is none, in one error."""
    with pytest.raises(InputError) as caught:
        share_influence("s", agree=3, seen=2, threshold=1.5)

    assert [f.where for f in caught.value.faults] == ["statement 's'", "threshold"]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    sets=st.lists(st.frozensets(st.integers(0, 3)), min_size=2, max_size=8),
    size=st.integers(1, 3),
    method=st.sampled_from(["av", "seq-phragmen", "equal-shares"]),
)
def test_influence_on_a_slate_equals_taking_out_each_voter(
    sets: slow.Sets, size: int, method: str
) -> None:
    """One voter after the other taken out and the slate chosen anew: the same counts."""
    made, rule = slow.election_of_sets(sets, 4), plugins.get("slates", method)
    before, changed, most = set(rule(made, size).members), 0, 0
    for i in range(len(sets)):
        after = rule(slow.election_of_sets(sets[:i] + sets[i + 1 :], 4), size).members
        changed += set(after) != before
        most = max(most, len(before - set(after)))
    found = slate_influence(made, size=size, method=method, seed=0)

    assert found.stable.value == pytest.approx(1 - changed / len(sets))
    assert (found.stable.n, found.stable.interval, found.most) == (len(sets), None, most)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(votes=st.lists(st.lists(st.integers(-2, 1), min_size=4, max_size=4), min_size=1, max_size=7))
def test_places_equal_taking_out_each_voter(votes: list[list[int]]) -> None:
    """Ranks by fractions, all voters tried: the same as counting anew without each; -2: unseen."""

    def place(rows: list[list[int]]) -> int:
        shares = []
        for j in range(4):
            seen = [row[j] for row in rows if row[j] > -2]
            shares.append(Fraction(seen.count(1), len(seen)) if seen else Fraction(-1))
        return 1 + sum(s > shares[0] for s in shares)

    cells = np.array(votes, dtype=np.int8)
    people = tuple(f"p{i}" for i in range(len(votes)))
    profile = Profile.from_tables(people, ("a", "b", "c", "d"), np.maximum(cells, -1), cells > -2)
    places = [place(votes[:i] + votes[i + 1 :]) for i in range(len(votes))]
    found = rank_influence(profile.election(), "a")

    assert found.place == place(votes)
    assert found.best == min([found.place, *places])
    assert found.worst == max([found.place, *places])
    assert found.moved_by == sum(p != found.place for p in places)


def test_a_sample_says_so() -> None:
    """More distinct ballots than are tried: n, interval and seed stand with the share."""
    rng = np.random.default_rng(4)
    sets = [np.flatnonzero(row).tolist() for row in rng.random((60, 12)) < 0.3]
    made = slow.election_of_sets(sets, 12)
    sample = slate_influence(made, size=4, method="seq-phragmen", seed=7, most=20)
    every = slate_influence(made, size=4, method="seq-phragmen", seed=7)

    assert (sample.stable.n, sample.stable.seed) == (20, 7)
    assert sample.stable.interval is not None
    assert every.stable.value is not None
    assert sample.stable.interval.low <= every.stable.value <= sample.stable.interval.high
    assert every.stable.interval is None


def test_ballots_alike_are_tried_once_and_counted_all() -> None:
    """Merged ballots give what single ones give."""
    made = slow.election_of_sets([{0}, {0}, {1}], 2)
    merged = replace(
        made,
        orders=made.orders[1:],
        grades=made.orders[1:].copy() * 0 + (1 - made.orders[1:]),
        counts=np.array([2, 1]),
    )
    one = slate_influence(made, size=1, method="av", seed=0)

    assert one == slate_influence(merged, size=1, method="av", seed=0)
    assert one.replaced == {}


def test_weights_are_no_voters_to_take_out() -> None:
    """Products of millionths would not fit 64 bits, and a millionth is nobody: it is refused."""
    seen = np.ones((3000, 2), dtype=np.bool_)
    profile = Profile.from_tables([f"p{i}" for i in range(3000)], ["a", "b"], seen * 1, seen)
    election = weighted(profile.election(), np.full(3000, 1_000_000))

    with pytest.raises(Inapplicable, match="as if weights were counted"):
        rank_influence(election, "a")
