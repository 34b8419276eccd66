"""The worked cases of conflict resolution, as data."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.norms.builders import charter, norm, vocabulary

from normwright.norms import Resolver
from normwright.records import Situation

BOOK = yaml.safe_load(Path(__file__).with_name("worked.yaml").read_text(encoding="utf-8"))
WORDS = vocabulary(BOOK["acts"], BOOK["facts"])
ASKS = [
    pytest.param(case["norms"], ask, id=f"{case['id']}: {ask['act']} {number}")
    for case in BOOK["cases"]
    for number, ask in enumerate(case["asks"])
]


def situation(ask: dict[str, Any]) -> Situation:
    feasible = (*ask.get("feasible", ()), "decline")
    return Situation(act=ask["act"], facts=ask.get("facts", {}), feasible=feasible)


@pytest.mark.parametrize(("norms", "ask"), ASKS)
def test_worked_case_comes_out_as_written(norms: list[Any], ask: dict[str, Any]) -> None:
    """Every worked case gives its verdict and, where written, what the verdict rests on."""
    held = [norm(**n) for n in norms]

    decision = Resolver(charter(WORDS, held)).decide(situation(ask))

    assert decision.verdict == ask["verdict"]
    for part in ("governing", "least_bad", "unknown", "duties", "reparations"):
        if part in ask:
            found = [getattr(one, "id", one) for one in getattr(decision, part)]
            assert found == ask[part], part
    if "defeated" in ask:
        assert [[d.id, d.by, d.rule] for d in decision.defeated] == ask["defeated"]


@pytest.mark.parametrize(("norms", "ask"), ASKS)
def test_order_of_norms_does_not_matter(norms: list[Any], ask: dict[str, Any]) -> None:
    """Shuffled norms give the same decision, byte for byte, but for the charter's own digest."""
    held = [norm(**n) for n in norms]
    other = list(held)
    random.Random(7).shuffle(other)

    first = Resolver(charter(WORDS, held[::-1])).decide(situation(ask))
    second = Resolver(charter(WORDS, other)).decide(situation(ask))

    assert first.model_copy(update={"charter": None}) == second.model_copy(update={"charter": None})
