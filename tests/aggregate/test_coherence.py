"""Majority verdicts on linked statements: dilemmas, repairs, and what is not counted."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.test_logic import FORMULAS, NAMES, holds

from normwright.aggregate.coherence import coherence
from normwright.aggregate.profile import Profile
from normwright.records import InputError

PARADOX = [{"equivalent": ["r", {"all": ["p", "q"]}]}]
JUDGES = [[1, 1, 1], [1, -1, -1], [-1, 1, -1]]


def profile_of(rows: Sequence[Sequence[int | None]], names: Sequence[str]) -> Profile:
    """Votes by row; None was not seen."""
    votes = np.array([[v or 0 for v in row] for row in rows], dtype=np.int8)
    seen = np.array([[v is not None for v in row] for row in rows], dtype=np.bool_)
    shape = (len(rows), len(names))
    people = tuple(f"v{i}" for i in range(len(rows)))
    return Profile.from_tables(people, tuple(names), votes.reshape(shape), seen.reshape(shape))


def test_the_doctrinal_paradox() -> None:
    """Three consistent judges, an inconsistent majority, and each way out of it."""
    found = coherence(profile_of(JUDGES, "pqr"), PARADOX, premises=["p", "q"], seed=1)

    (dilemma,) = found.dilemmas
    assert not found.consistent
    assert dilemma.verdicts == {"p": True, "q": True, "r": False}
    assert (dilemma.constraints, dilemma.margin) == ((0,), 1)
    assert found.individuals.value == 1.0
    assert [(r.flipped, r.cost) for r in found.repairs] == [(("p",), 1), (("q",), 1), (("r",), 1)]
    assert found.premises is not None
    assert found.premises.verdicts == {"p": True, "q": True, "r": True}
    assert found.premises.flipped == ("r",)


def test_a_supermajority_may_leave_statements_open_and_consistent() -> None:
    """Two thirds is not more than two thirds: nothing is accepted, and nothing conflicts."""
    found = coherence(profile_of(JUDGES, "pqr"), PARADOX, quota=Fraction(2, 3), seed=1)

    assert [j.verdict for j in found.judgements] == ["open", "open", "open"]
    assert found.consistent
    assert found.dilemmas == ()


def test_who_does_not_judge_does_not_reject() -> None:
    """Passes and missing votes are open, and a statement that nobody judged has no verdict."""
    rows = [[1, None, 0], [1, 1, None], [None, -1, 0]]
    found = coherence(profile_of(rows, "pqr"), PARADOX, seed=1)

    counted = {j.statement: (j.agree, j.disagree, j.open, j.verdict) for j in found.judgements}
    assert counted == {"p": (2, 0, 1, "accepted"), "q": (1, 1, 1, "open"), "r": (0, 0, 3, "open")}
    assert found.judgements[2].support.value is None
    assert found.individuals_whole.n == 0


def test_only_links_that_matter_are_named() -> None:
    """A conflict cites the links it needs and no others, and unlinked statements stay out."""
    rows = [[1, 1, 1, 1]] * 3
    links = [{"implies": ["p", "q"]}, {"excludes": ["q", "r"]}]
    found = coherence(profile_of(rows, "pqrs"), links, seed=1)

    assert [j.statement for j in found.judgements] == ["p", "q", "r"]
    assert [(set(d.verdicts), d.constraints) for d in found.dilemmas] == [
        ({"p", "r"}, (0, 1)),
        ({"q", "r"}, (1,)),
    ]
    assert found.individuals.value == 0.0


def test_resamples_say_how_sure_an_inconsistency_is() -> None:
    """A wide margin is inconsistent in every resample, a narrow one in some; few say nothing."""
    wide = coherence(profile_of(JUDGES * 100, "pqr"), PARADOX, seed=1, rounds=100)
    narrow = coherence(profile_of([*JUDGES * 5, [1, 1, 1], [1, 1, 1]], "pqr"), PARADOX, seed=1)
    few = coherence(profile_of(JUDGES, "pqr"), PARADOX, seed=1)

    assert wide.inconsistent.value == 1.0
    assert narrow.inconsistent.value is not None
    assert 0 < narrow.inconsistent.value < 1
    assert (narrow.inconsistent.n, narrow.inconsistent.seed) == (200, 1)
    assert few.inconsistent.value is None


def test_links_that_cannot_hold_are_a_fault() -> None:
    """They are named, with every other fault, before anything is counted."""
    links = [{"all": ["p", "q"]}, {"excludes": ["p", "q"]}, "r"]
    with pytest.raises(InputError, match="exclude each other: 1, 2") as error:
        coherence(profile_of(JUDGES, "pqr"), links, quota=Fraction(1, 3), premises=["z"], seed=1)

    assert [f.where for f in error.value.faults] == ["quota", "premises", "links"]


def test_nobody_and_nothing() -> None:
    """Without voters or links there is nothing to go wrong, and no estimate."""
    nobody = coherence(profile_of([], "pqr"), PARADOX, seed=1)
    unlinked = coherence(profile_of(JUDGES, "pqr"), [], seed=1)

    assert nobody.consistent
    assert nobody.individuals.value is None
    assert (unlinked.judgements, unlinked.voters) == ((), 0)


VOTES = st.lists(
    st.lists(st.sampled_from([1, 1, -1, -1, 0, None]), min_size=4, max_size=4),
    min_size=1,
    max_size=7,
)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(VOTES, st.lists(FORMULAS, min_size=1, max_size=2))
def test_repairs_are_all_the_nearest_worlds(rows: list[list[int | None]], links: list[Any]) -> None:
    """They are the worlds that trying all of them finds to go against the least margins."""
    worlds = [
        w
        for v in product((False, True), repeat=4)
        if all(holds(f, w := dict(zip(NAMES, v, strict=True))) for f in links)
    ]
    if not worlds:
        return
    found = coherence(profile_of(rows, NAMES), links, seed=1, rounds=0)
    linked = [j.statement for j in found.judgements]
    margin = {j.statement: j.agree - j.disagree for j in found.judgements}

    def cost(world: dict[str, bool]) -> int:
        return sum(abs(margin[s]) for s in linked if margin[s] and world[s] != (margin[s] > 0))

    least = min(map(cost, worlds))
    nearest = {
        tuple(s for s in linked if margin[s] and w[s] != (margin[s] > 0))
        for w in worlds
        if cost(w) == least
    }
    assert {r.flipped for r in found.repairs} == nearest
    assert {r.cost for r in found.repairs} == {least}
    assert found.consistent == any(
        all(w[s] == (margin[s] > 0) for s in linked if margin[s]) for w in worlds
    )


@settings(derandomize=True, deadline=None, max_examples=25)
@given(VOTES, st.permutations(NAMES), st.randoms(use_true_random=False))
def test_renaming_renames(rows: list[list[int | None]], names: list[str], order: Any) -> None:
    """Other names and another order of voters and statements give the same, renamed."""
    links = [{"implies": ["p", "q"]}, {"exactly-one": ["q", "r", "s"]}]
    new = dict(zip(NAMES, names, strict=True))
    columns = [NAMES.index(old) for old in sorted(NAMES, key=lambda n: new[n])]
    mixed = [[row[c] for c in columns] for row in rows]
    order.shuffle(mixed)
    other = [{op: [new[p] for p in parts] for op, parts in one.items()} for one in links]

    first = coherence(profile_of(rows, NAMES), links, seed=1, rounds=0)
    again = coherence(profile_of(mixed, sorted(names)), other, seed=1, rounds=0)

    assert {frozenset((new[s], v) for s, v in d.verdicts.items()) for d in first.dilemmas} == {
        frozenset(d.verdicts.items()) for d in again.dilemmas
    }
    assert {frozenset(new[s] for s in r.flipped) for r in first.repairs} == {
        frozenset(r.flipped) for r in again.repairs
    }
