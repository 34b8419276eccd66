"""Random small pairs of charters, and the slow and obvious comparison of their verdicts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.norms.builders import charter, norm, vocabulary

from normwright.norms import Resolver
from normwright.records import LAYERS, Charter, FactValue, Norm, Situation

WORDS = vocabulary(
    {"a": [], "a1": ["a"], "b": [], "decline": []}, {"x": "bool", "n": {"low": 0, "high": 2}}
)
REQUESTS = ("a", "a1", "b", "decline")
DOMAINS: dict[str, tuple[FactValue, ...]] = {"x": (None, False, True), "n": (None, 0, 1, 2)}
KINDS = ("prohibition", "obligation", "permission", "guarantee", "exemption", "ideal")
DAY = date(2026, 12, 2)


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
    limits: dict[str, Any] = {}
    if rng.random() < 0.2:
        limits["valid_from"] = DAY
    if rng.random() < 0.2:
        limits["bearer"] = {"actor": ["agent"]}
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
    names = [f"n{i}" for i in range(rng.randint(1, 6))]
    before = {name: random_norm(rng, name) for name in names}
    after = dict(before)
    for _ in range(rng.randint(0, 2)):
        name = f"n{rng.randrange(7)}"
        if name in after and rng.random() < 0.4:
            del after[name]
        else:
            after[name] = random_norm(rng, name)
    return charter(WORDS, list(before.values())), charter(WORDS, list(after.values()))


def every_situation(place: dict[str, Any]) -> Iterator[Situation]:
    """Every request, every set of other feasible acts, every known and unknown fact."""
    others = REQUESTS[:3]
    sets = [c for size in range(4) for c in itertools.combinations(others, size)]
    for values in itertools.product(*DOMAINS.values()):
        facts = {f: v for f, v in zip(DOMAINS, values, strict=True) if v is not None}
        for act in REQUESTS:
            for feasible in sets:
                if act not in feasible:
                    yield Situation(act=act, facts=facts, feasible=(*feasible, "decline"), **place)


PLACES: tuple[dict[str, Any], ...] = (
    {"bearer": "assistant"},
    {"bearer": "agent"},
    {"bearer": "assistant", "time": date(2026, 12, 1)},
    {"bearer": "agent", "time": date(2026, 12, 1)},
)


def verdicts(before: Charter, after: Charter, asked: Situation) -> tuple[str, str]:
    return _of(before, asked), _of(after, asked)


_READY: dict[int, Resolver] = {}


def _of(one: Charter, asked: Situation) -> str:
    if id(one) not in _READY:
        _READY.clear() if len(_READY) > 3 else None
        _READY[id(one)] = Resolver(one)
    return _READY[id(one)].decide(asked).verdict
