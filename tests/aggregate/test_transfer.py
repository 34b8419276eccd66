"""Counting by transfer: equal to counting vote by vote, every way to settle ties followed."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.aggregate.elections import election_from

from normwright.aggregate import Election, Inapplicable
from normwright.aggregate import transfer as counting
from normwright.aggregate.transfer import Box, runoff, transfer

QUIET = settings(deadline=None, max_examples=120, derandomize=True)
Left = frozenset[int]


@st.composite
def elections(draw: DrawFn, most: int = 5) -> Election:
    """A few ballots with ties and alternatives left out."""
    m = draw(st.integers(1, most))
    rows = draw(st.lists(st.lists(st.integers(-1, 3), min_size=m, max_size=m), max_size=7))
    made = [[sorted({x for x in r if x >= 0}).index(x) if x >= 0 else -1 for x in r] for r in rows]
    kept = [r for r in made if max(r) >= 0]
    counts = draw(st.lists(st.integers(1, 4), min_size=len(kept), max_size=len(kept)))
    orders = np.array(kept, dtype=np.int16).reshape(len(kept), m)
    return Election(tuple("abcdef"[:m]), orders, np.array(counts, dtype=np.int64))


def shares(election: Election, left: Left, worth: tuple[Fraction, ...]) -> dict[int, Fraction]:
    """Votes of those left, ballot by ballot."""
    total = dict.fromkeys(sorted(left), Fraction(0))
    for row, count, w in zip(
        election.orders.tolist(), election.counts.tolist(), worth, strict=True
    ):
        ranked = [c for c in left if row[c] >= 0]
        top = [c for c in ranked if row[c] == min(row[x] for x in ranked)]
        for c in top:
            total[c] += Fraction(count) * w / len(top)
    return total


def orders_of_elimination(election: Election) -> set[tuple[frozenset[int], ...]]:
    """Every order in which alternatives can go, one by one; all without a vote at the end."""
    one = tuple(Fraction(1) for _ in election.counts)

    @cache
    def after(left: Left) -> frozenset[tuple[Left, ...]]:
        votes = shares(election, left, one)
        if not any(votes.values()):
            return frozenset({(left,)}) if left else frozenset({()})
        low = min(votes.values())
        return frozenset(
            (frozenset({c}), *rest) for c in left if votes[c] == low for rest in after(left - {c})
        )

    return set(after(frozenset(range(len(election.alternatives)))))


@QUIET
@given(elections())
def test_runoff_equals_following_every_order(election: Election) -> None:
    """Best and worst places are those over all orders of elimination, one alternative at a time."""
    m = len(election.alternatives)
    best, worst = [m] * m, [1] * m
    for order in orders_of_elimination(election):
        place = m
        for gone in order:
            for c in gone:
                best[c] = min(best[c], place - len(gone) + 1)
                worst[c] = max(worst[c], place)
            place -= len(gone)
    seen = runoff(Box.of(election, "irv"))

    assert (list(seen.best), list(seen.worst)) == (best, worst)


def slates_one_by_one(election: Election, seats: int) -> set[Left]:
    """Every slate that some way to settle ties elects, ballot by ballot."""
    total = int(election.counts.sum())
    quota = total // (seats + 1) + 1
    found: set[Left] = set()

    def go(left: Left, elected: Left, worth: tuple[Fraction, ...]) -> None:
        if len(left) + len(elected) <= seats:
            found.add(left | elected)
            return
        votes = shares(election, left, worth)
        over = frozenset(c for c in left if votes[c] >= quota)
        if len(over) + len(elected) == seats:
            found.add(over | elected)
        elif over:
            new = []
            for row, w in zip(election.orders.tolist(), worth, strict=True):
                ranked = [c for c in left if row[c] >= 0]
                top = [c for c in ranked if row[c] == min(row[x] for x in ranked)]
                stays = sum((quota / votes[c] for c in top if c in over), Fraction(0))
                new.append(w * (1 - stays / len(top)) if top else w)
            go(left - over, elected | over, tuple(new))
        else:
            low = min(votes.values())
            for c in left:
                if votes[c] == low:
                    go(left - {c}, elected, worth)

    go(
        frozenset(range(len(election.alternatives))),
        frozenset(),
        (Fraction(1),) * len(election.counts),
    )
    return found


@QUIET
@given(elections(), st.integers(1, 5))
def test_transfer_equals_counting_ballot_by_ballot(election: Election, seats: int) -> None:
    """Slates are those of a count with one fraction a ballot, over all ways to settle ties."""
    seats = min(seats, len(election.alternatives))
    seen = transfer(Box.of(election, "stv"), seats=seats)

    assert {frozenset(s) for s in seen.slates} == slates_one_by_one(election, seats)
    assert tuple(sorted(seen.members)) == seen.slates[0]
    for one in seen.rounds:
        assert one.exhausted >= 0


@QUIET
@given(elections())
def test_one_seat_is_instant_runoff(election: Election) -> None:
    """With one seat the single transferable vote elects whom instant runoff elects."""
    winners = {c for c, place in enumerate(runoff(Box.of(election, "irv")).best) if place == 1}

    assert {c for (c,) in transfer(Box.of(election, "stv"), seats=1).slates} == winners


def test_seats_by_quota_and_surplus() -> None:
    """Nineteen ballots, three seats, quota 5: B keeps 5 and hands 2 on to A, who is next."""
    election = election_from("4: A > B\n7: B > A\n1: C > D\n3: C > E\n1: D > C\n3: E > C")
    seen = transfer(Box.of(election, "stv"), seats=3)

    assert (seen.quota, seen.slates, seen.members) == (5, ((0, 1, 2),), (1, 0, 2))
    assert seen.rounds[1].told("ABCDE")["votes"] == {"A": 6, "C": 4, "E": 3, "D": 1}
    # A keeps 5 of 6 votes; the sixth stands with nobody, as those ballots rank only A and B.
    assert seen.rounds[2].exhausted == 1


def test_many_without_a_vote_go_at_once() -> None:
    """Sixty alternatives that nobody ranks do not open a universe each."""
    names = tuple(f"n{i:02}" for i in range(62))
    orders = np.full((2, 62), -1, dtype=np.int16)
    orders[0, 0] = orders[1, 1] = 0
    election = Election(names, orders, np.array([3, 2], dtype=np.int64))
    seen = runoff(Box.of(election, "irv"))

    assert seen.tiers()[:2] == ((0,), (1,))
    assert seen.sets == 3
    assert transfer(Box.of(election, "stv"), seats=2).slates == ((0, 1),)
    assert len(transfer(Box.of(election, "stv"), seats=3).slates) == 60


def test_a_safe_batch_is_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty with one vote each have too many orders; together they cannot catch the third."""
    lines = [f"1: x{i:02} > a" for i in range(30)] + ["100: a", "90: b", "35: c > b"]
    election = election_from("\n".join(lines))
    monkeypatch.setattr(counting, "MOST_SETS", 300)
    seen = runoff(Box.of(election, "irv"))
    names = [[election.alternatives[c] for c in tier] for tier in seen.tiers()]

    assert names[:3] == [["a"], ["b"], ["c"]]
    assert len(names[3]) == 30
    assert [len(b) for b in seen.batches] == [30]


def test_too_many_universes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty that are level in all have too many ways to go: an error that says so, no hang."""
    election = election_from("\n".join(f"1: x{i:02}" for i in range(30)))
    monkeypatch.setattr(counting, "MOST_SETS", 300)

    with pytest.raises(Inapplicable, match=r"at most 300 sets.*tie of 30 with 30 left"):
        runoff(Box.of(election, "irv"))
    with pytest.raises(Inapplicable, match="at most 300 states"):
        transfer(Box.of(election, "stv"), seats=3)


def test_seats_that_cannot_be_filled() -> None:
    """More seats than alternatives, or none, are refused with the number that can be filled."""
    box = Box.of(election_from("1: a > b"), "stv")

    with pytest.raises(Inapplicable, match=r"1 to 2 seats"):
        transfer(box, seats=3)
