"""What must hold for every charter in every dimension that a situation has.

The charters come from scripts/random_charters.py; a failing example is a number to draw it again.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.norms import Resolver
from normwright.records import Charter, DecisionVerdict, InputError, Situation
from scripts import random_charters as draw

EXAMPLES = int(os.environ.get("NORMWRIGHT_EXAMPLES", "500"))
"""Random charters a property; the variable raises it for an exhaustive run."""

many = settings(deadline=None, max_examples=EXAMPLES, derandomize=True)
seeds = st.integers(0, 2**32)
LOWER = draw.LAYERS[1:]

STILL: dict[str, set[str]] = {
    "allow": {"allow"},
    "necessity": {"necessity", "allow"},
    "deny-dilemma": {"deny-dilemma", "deny"},
}
"""What a verdict on partial facts leaves possible once they are known; any other leaves all."""


def strict(kind: str, act: str) -> dict[str, Any]:
    """A norm of the world that binds everybody, always, and leaves nothing to lower layers."""
    return {
        "id": "g.strict", "kind": kind, "layer": "global", "authority": "world",
        "tier": "constitutional", "act": act, "status": "in_force", "statement": {"en": "strict"},
        "bearer": {"actor": list(draw.ACTORS)}, "scope": {"channels": ["output", "action"]},
    }  # fmt: skip


def verdict(charter: dict[str, Any], situation: dict[str, Any]) -> DecisionVerdict:
    resolver = Resolver(Charter.model_validate(charter))
    return resolver.decide(Situation.model_validate(situation)).verdict


@given(seeds, st.randoms(use_true_random=False))
@many
def test_order_independence(seed: int, rng: random.Random) -> None:
    """The order in which norms, acts and facts are listed changes nothing in a decision."""
    charter = draw.charter(seed, waive=True)
    asked = Situation.model_validate(draw.situation(seed, charter))
    words = {
        key: rng.sample(part, len(part)) if key != "axioms" else part
        for key, part in charter["vocabulary"].items()
    }
    shuffled = {
        **charter,
        "vocabulary": words,
        "norms": rng.sample(charter["norms"], len(charter["norms"])),
    }
    first = Resolver(Charter.model_validate(charter)).decide(asked)
    second = Resolver(Charter.model_validate(shuffled)).decide(asked)

    assert first.model_copy(update={"charter": None}) == second.model_copy(update={"charter": None})


@given(seeds)
@many
def test_unknown_soundness(seed: int) -> None:
    """An allow on partial facts is an allow however facts, counterparty and polity turn out."""
    charter = draw.charter(seed)
    situation = draw.situation(seed, charter)
    resolver = Resolver(Charter.model_validate(charter))
    partial = resolver.decide(Situation.model_validate(situation))
    verdicts = {
        resolver.decide(Situation.model_validate(full)).verdict
        for full in draw.completions(charter, situation)
    }

    assert verdicts
    assert verdicts <= STILL.get(partial.verdict, verdicts)
    assert partial.unknown or partial.verdict != "ask"


@given(seeds)
@many
def test_where_all_is_known_nothing_is_unknown(seed: int) -> None:
    """A complete situation is never asked about, and its only completion decides alike."""
    charter = draw.charter(seed, waive=True)
    situation = draw.situation(seed, charter, complete=True)
    resolver = Resolver(Charter.model_validate(charter))
    decision = resolver.decide(Situation.model_validate(situation))

    assert decision.unknown == ()
    assert decision.verdict != "ask"
    assert {decision.verdict} == {
        resolver.decide(Situation.model_validate(full)).verdict
        for full in draw.completions(charter, situation)
    }


@given(seeds, st.sampled_from(draw.REQUESTS))
@many
def test_floor(seed: int, act: str) -> None:
    """No set of lower norms frees an act that a strict global prohibition forbids."""
    charter = draw.charter(seed, layers=LOWER, waive=True)
    situation = draw.situation(seed, charter, act=act)
    charter["norms"].append(strict("prohibition", act))

    assert verdict(charter, situation) in ("deny", "deny-dilemma")


@given(seeds, st.sampled_from(draw.REQUESTS))
@many
def test_guarantee(seed: int, act: str) -> None:
    """No set of lower norms forbids an act that a global guarantee protects."""
    charter = draw.charter(seed, layers=LOWER)
    situation = draw.situation(seed, charter, act=act)
    charter["norms"].append(strict("guarantee", act))

    assert verdict(charter, situation) == "allow"


@given(seeds)
@settings(parent=many, max_examples=max(60, EXAMPLES // 10))
def test_unknown_facts_listed_are_those_that_matter(seed: int) -> None:
    """Under axioms too: no fact outside the list changes the verdict; each on it does."""
    charter = draw.charter(seed, waive=True)
    drawn = draw.situation(seed, charter)
    situation = {**drawn, "counterparty": drawn["counterparty"] or "human"}
    if situation["jurisdiction"] == "unknown":
        situation["jurisdiction"] = ["P", "Q"]
    resolver = Resolver(Charter.model_validate(charter))
    known = draw.known_values(charter, situation)
    names = [fact["name"] for fact in charter["vocabulary"]["facts"]]
    open_ = [name for name in names if known.get(name) is None]
    reached: dict[tuple[tuple[str, Any], ...], str | None] = {}
    for values in itertools.product(*((None, *draw.DOMAINS[name]) for name in open_)):
        learned = tuple((n, v) for n, v in zip(open_, values, strict=True) if v is not None)
        facts = {**situation["facts"], **dict(learned)}
        asked = Situation.model_validate({**situation, "facts": facts})
        try:
            reached[learned] = resolver.decide(asked).verdict
        except InputError:  # an axiom rules it out
            reached[learned] = None
    matter = {
        pair[0]
        for learned, here in reached.items()
        for pair in learned
        if here is not None and reached[tuple(p for p in learned if p != pair)] != here
    }

    assert set(resolver.decide(Situation.model_validate(situation)).unknown) == matter
