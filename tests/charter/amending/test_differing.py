"""`diff` against every situation of small charters, and on the changes people make."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from tests.charter.amending.random_charters import (
    PLACES,
    every_situation,
    random_pair,
)
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.amending import diff
from normwright.norms import Resolver, evaluate
from normwright.records import Charter, CharterDiff, Situation

pytest.importorskip("z3")

PAIRS = int(os.environ.get("NORMWRIGHT_DIFF_PAIRS", "40"))
"""Random pairs compared; the variable raises it for an exhaustive run."""


def found_in(found: CharterDiff, asked: Situation, pair: tuple[str, str]) -> list[Any]:
    """The regions that speak about a situation and its two verdicts."""
    return [
        r for r in found.changed
        if asked.act in r.acts and asked.bearer in r.bearers and asked.time in r.times
        and asked.channel in r.channels and asked.counterparty in r.counterparties
        and asked.jurisdiction in r.jurisdictions
        and (r.before.verdict, r.after.verdict) == pair
    ]  # fmt: skip


def compare(before: Charter, after: Charter) -> tuple[int, int]:
    """Fail on a difference that diff misses or makes up; return how many there are, and asked."""
    found = diff(before, after)
    assert found.open == ()
    resolvers = Resolver(before), Resolver(after)
    stretches = {t for n in (*before.norms, *after.norms) for t in [n.valid_from] if t}
    differences = asked = 0
    for place in PLACES if stretches else PLACES[:2]:
        for one in every_situation(place):
            asked += 1
            pair = tuple(r.decide(one).verdict for r in resolvers)
            regions = found_in(found, one, (pair[0], pair[1]))
            base = len(one.feasible) == 1 and len(one.facts) == 2
            here = [
                r for r in found.changed
                if r.seen == "known" and one.act in r.acts and one.bearer in r.bearers
                and one.time in r.times and evaluate(r.condition, dict(one.facts)) is True
            ] if base else []  # fmt: skip
            if pair[0] != pair[1]:
                differences += 1
                assert regions, (one, pair)
                assert not base or any(r in here for r in regions), (one, pair)
            assert all((r.before.verdict, r.after.verdict) == pair for r in here), (one, pair)
    if found.proved_unchanged:
        assert differences == 0
    else:
        assert found.changed
    return differences, asked


def test_diff_agrees_with_every_situation_of_small_charters() -> None:
    """No difference is missed and none is made up, over all facts, feasible sets and places."""
    rng = random.Random(20261202)
    counts = [compare(*random_pair(rng))[0] for _ in range(PAIRS)]

    assert 0 in counts
    assert sum(count > 0 for count in counts) > PAIRS / 4


W = vocabulary(
    {"advise": [], "advise.dose": ["advise"], "tell": [], "decline": []},
    {"clinician": "bool", "night": "bool", "age": {"low": 0, "high": 120}},
)
