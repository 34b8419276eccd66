"""Random small pairs of charters, and the slow and obvious comparison of their verdicts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tests.norms.builders import charter, norm, vocabulary

from normwright.norms import Resolver, evaluate
from normwright.records import LAYERS, Charter, Condition, FactValue, Norm, Situation, Vocabulary

WORDS = vocabulary(
    {"a": [], "a1": ["a"], "b": [], "decline": []}, {"x": "bool", "n": {"low": 0, "high": 2}}
)
REQUESTS = ("a", "a1", "b", "decline")
DOMAINS: dict[str, tuple[FactValue, ...]] = {"x": (None, False, True), "n": (None, 0, 1, 2)}
KINDS = ("prohibition", "obligation", "permission", "guarantee", "exemption", "ideal")
DAY = date(2026, 12, 2)
AXIOMS = (Condition.model_validate(
    {"not": {"all": [{"fact": "x", "eq": True}, {"fact": "n", "at_least": 2}]}}
),)  # fmt: skip
"""Where x is so, n is less than two."""


def random_condition(rng: random.Random, depth: int = 2) -> dict[str, Any]:
    match rng.randrange(6 if depth else 3):
        case 0:
            return {"fact": "x", "eq": rng.random() < 0.5}
        case 1:
            return {"fact": "n", rng.choice(["at_least", "at_most", "eq"]): rng.randrange(3)}
        case 2:
            return {}
        case 3:
            return {"not": random_condition(rng, depth - 1)}
        case _:
            parts = [random_condition(rng, depth - 1) for _ in range(2)]
            return {rng.choice(["all", "any"]): parts}


def random_norm(rng: random.Random, name: str, **fields: Any) -> Norm:
    kind = rng.choice(KINDS)
    limits: dict[str, Any] = {"bearer": {"actor": ["assistant", "agent"]}}
    if rng.random() < 0.2:
        limits["valid_from"] = DAY
    if rng.random() < 0.2:
        limits["bearer"] = {"actor": ["agent"]}
    if rng.random() < 0.2:
        limits["bearer"] = {"actor": ["agent", "assistant"], "actor_sensitivity": "agent_stricter"}
    if rng.random() < 0.2:
        limits["counterparty"] = ["human"]
    if kind == "obligation" and rng.random() < 0.3:
        limits["maintain"] = {"fact": "x", "eq": True}
    return norm(**{
        "id": name, "kind": kind, "layer": rng.choice(LAYERS), "act": rng.choice(REQUESTS[:3]),
        "authority": rng.choice(["one", "two"]),
        "tier": rng.choice(["constitutional", "revisable"]),
        "condition": random_condition(rng), "severity": rng.randint(1, 5),
        "overridable_by": rng.sample(LAYERS, rng.randrange(2)),
        "supersedes": [f"n{rng.randrange(6)}"] if rng.random() < 0.3 else [],
        "on_unknown": rng.choice(["ask", "deny", "allow"]),
        "deadline": "P1D" if kind == "obligation" and rng.random() < 0.2 else None,
        **limits, **fields,
    })  # fmt: skip


def random_pair(rng: random.Random) -> tuple[Charter, Charter]:
    """Two charters of up to six norms of which one or two are added, dropped or replaced."""
    words = WORDS.model_copy(update={"axioms": AXIOMS}) if rng.random() < 0.3 else WORDS
    names = [f"n{i}" for i in range(rng.randint(1, 6))]
    before = {name: random_norm(rng, name) for name in names}
    after = dict(before)
    for _ in range(rng.choice([0, 1, 2, 3, 3])):
        name = f"n{rng.randrange(7)}"
        if name in after and rng.random() < 0.4:
            del after[name]
        else:
            after[name] = random_norm(rng, name)
    return charter(words, list(before.values())), charter(words, list(after.values()))


def every_situation(words: Vocabulary, place: Mapping[str, Any]) -> Iterator[Situation]:
    """Every request, every set of other feasible acts, every known and unknown fact.

    Facts that break an axiom are left out: nothing is decided there.
    """
    others = REQUESTS[:3]
    sets = [c for size in range(4) for c in itertools.combinations(others, size)]
    for values in itertools.product(*DOMAINS.values()):
        facts = {f: v for f, v in zip(DOMAINS, values, strict=True) if v is not None}
        if any(evaluate(axiom, facts) is False for axiom in words.axioms):
            continue
        for act in REQUESTS:
            for feasible in sets:
                if act not in feasible:
                    yield Situation(act=act, facts=facts, feasible=(*feasible, "decline"), **place)


BEFORE = date(2026, 12, 1)
PLACES: tuple[dict[str, Any], ...] = tuple(
    {"bearer": bearer, "counterparty": towards, "jurisdiction": where, **when}
    for bearer in ("assistant", "agent")
    for towards in (None, "human", "public")
    for where in (None, ("one",), "unknown")
    for when in ({}, {"time": BEFORE}, {"time": DAY})
)
"""Places of small charters; where no norm is dated, those with a time are left out."""


class Quick(Resolver):
    """A resolver that is not asked which unknown facts matter, only for verdicts."""

    def _sensitive(self, *args: Any) -> tuple[str, ...]:
        return ()
