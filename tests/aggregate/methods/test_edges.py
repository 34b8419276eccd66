"""Odd elections and every method: an order of all alternatives, or a refusal that says why."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.aggregate.elections import election_from, election_of_pairs

from normwright.aggregate import Election, Inapplicable, Order
from normwright.aggregate.ranking import order_of
from normwright.plugins import cards

METHODS = [card.name for card in cards("methods")]
THREE = election_from("3: A > B > C\n2: B > C > A\n2: C > A > B")


def empty(m: int, *, graded: bool) -> Election:
    """An election in which nobody voted."""
    none = np.zeros((0, m), dtype=np.int16)
    grades, approved = (none, 1) if graded else (None, None)
    count = np.zeros(0, dtype=np.int64)
    return Election(tuple("abc"[:m]), none, count, grades=grades, approved_from=approved)


def graded() -> Election:
    """Thirty raters of five, some of whom did not grade all."""
    grades = np.random.default_rng(1).integers(-1, 3, (30, 5)).astype(np.int16)
    orders = np.where(grades < 0, -1, 2 - grades).astype(np.int16)
    return Election(
        tuple("abcde"), orders, np.ones(30, dtype=np.int64), unranked="apart", grades=grades,
        approved_from=2,
    )  # fmt: skip


ELECTIONS = {
    "nobody": empty(3, graded=False),
    "nobody graded": empty(3, graded=True),
    "nothing": empty(0, graded=False),
    "nothing graded": empty(0, graded=True),
    "one alternative": election_from("3: A"),
    "all level": election_from("3: A = B = C"),
    "orders nobody gave": THREE.with_counts(np.zeros(3, dtype=np.int64)),
    "an order nobody gave": THREE.with_counts(np.array([5, 2, 0])),
    "best and worst": election_from("3: A > B = D > C\n2: B > C > A\n1: D > A", unranked="apart"),
    "pairs": election_of_pairs(np.array([[0, 2], [1, 0]]), ["a", "b"], 3),
    "grades": graded(),
}


def answer(election: Election, method: str) -> tuple[Order | None, str]:
    """The order, or none and why."""
    try:
        return order_of(election, method=method), ""
    except Inapplicable as refusal:
        return None, str(refusal)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", list(ELECTIONS))
def test_an_order_or_a_reason(kind: str, method: str) -> None:
    """Every alternative is in one tier, facts are JSON, numbers finite; else a refusal by name."""
    election = ELECTIONS[kind]
    seen, refused = answer(election, method)
    if seen is None:
        assert refused.startswith(method)
        return
    everyone = list(range(len(election.alternatives)))

    assert sorted(c for tier in seen.tiers for c in tier) == everyone
    assert len(seen.scores) == len(everyone)
    assert np.isfinite(seen.scores).all()
    assert json.loads(json.dumps(dict(seen.facts))) == dict(seen.facts)
    if seen.places is not None:
        assert ((seen.places[:, 0] >= 1) & (seen.places[:, 1] <= len(everyone))).all()
        assert (seen.places[:, 0] <= seen.places[:, 1]).all()
