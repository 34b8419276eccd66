"""`diff` against every situation of small charters, and on the changes people make."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.charter.amending.random_charters import (
    DOMAINS,
    PLACES,
    Quick,
    every_situation,
    random_pair,
)
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.amending import diff
from normwright.norms import evaluate
from normwright.records import ChangedRegion, Charter, CharterDiff, Situation

pytest.importorskip("z3")

PAIRS = int(os.environ.get("NORMWRIGHT_DIFF_PAIRS", "25"))
"""Random pairs compared; the variable raises it for an exhaustive run."""


def about(found: CharterDiff, asked: Situation) -> list[ChangedRegion]:
    """The regions whose act and place are those of a situation."""
    return [
        r for r in found.changed
        if asked.act in r.acts and asked.bearer in r.bearers and asked.time in r.times
        and asked.channel in r.channels and asked.counterparty in r.counterparties
        and asked.jurisdiction in r.jurisdictions
    ]  # fmt: skip


def compare(before: Charter, after: Charter, places: Sequence[Mapping[str, Any]]) -> int:
    """Fail on a difference that diff misses or makes up; return how many there are."""
    found = diff(before, after)
    assert found.open == ()
    resolvers = Quick(before), Quick(after)
    differences = 0
    dated = any(norm.valid_from for norm in (*before.norms, *after.norms))
    lawful = any(n.layer == "polity" for n in (*before.norms, *after.norms))
    places = [
        p for p in places
        if (dated or "time" not in p) and (lawful or p["jurisdiction"] is None)
    ]  # fmt: skip
    for place in places:
        for one in every_situation(before.vocabulary, place):
            was, now = (r.decide(one).verdict for r in resolvers)
            regions = about(found, one)
            base = len(one.feasible) == 1 and len(one.facts) == len(DOMAINS)
            inside = [r for r in regions if r.seen == "known"
                      and evaluate(r.condition, dict(one.facts)) is True]  # fmt: skip
            if was != now:
                differences += 1
                assert (was, now) in [(r.before.verdict, r.after.verdict) for r in regions], one
                assert inside or not base, one
            for r in inside if base else []:
                assert (r.before.verdict, r.after.verdict) == (was, now), one
    assert found.proved_unchanged == (not found.changed)
    return differences


def test_diff_agrees_with_every_situation_of_small_charters() -> None:
    """No difference is missed and none is made up, over all facts, feasible sets and places."""
    rng = random.Random(20261202)
    counts = [compare(*random_pair(rng), rng.sample(PLACES, 4)) for _ in range(PAIRS)]

    assert 0 in counts
    assert sum(count > 0 for count in counts) > PAIRS / 6


W = vocabulary(
    {"advise": [], "advise.dose": ["advise"], "tell": [], "decline": []},
    {"clinician": "bool", "night": "bool", "age": {"low": 0, "high": 120}},
)
