"""Measure how long it takes to find, and prove, what a change of a large charter changes.

    python -m scripts.bench_diff [SEED ...]

Each instance has sixty norms of every layer, three polities, days on which norms begin and end,
norms for some channels, actors and counterparties only, permissions, guarantees and duties among
them; one norm is given another condition, one is dropped and one is new. A new duty is dearer by
far (seeds 5 and 6): to be obliged to one act forbids every other, so all verdicts are compared.
Reported are CPU seconds on one thread.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

from normwright.charter.amending import diff
from normwright.records import Charter

KINDS = (*("prohibition",) * 6, *("obligation",) * 2, *("permission",) * 4, "guarantee",
         "exemption")  # fmt: skip
POLITIES = ("BR", "EU", "US")
DAYS = ("2026-12-02", "2027-08-02", "2028-01-01")
PARTIES = ("human", "agent", "mixed", "public")
ACTORS = ("assistant", "agent", "subagent", "deployer")
ACTS = {
    "answer": [], "answer.health": ["answer"], "answer.law": ["answer"], "answer.health.dose":
    ["answer.health"], "profile": [], "profile.score": ["profile"], "profile.face": ["profile"],
    "send": [], "send.abroad": ["send"], "pay": [], "pay.large": ["pay"], "warn": [], "hand-over":
    [], "send.score": ["send", "profile.score"], "decline": [],
}  # fmt: skip
BOOLS = tuple(f"b{i}" for i in range(10))
NUMBERS = ("age", "sum")


def pair(seed: int = 5, norms: int = 60, changed: int = 3) -> tuple[Charter, Charter]:
    """Return a charter and what it becomes.

    Args:
        seed: the same number gives the same pair.
        norms: how many.
        changed: how many of them change, from 1 to 3.
    """
    rng = random.Random(f"diff {seed}")
    before = [_norm(rng, f"n{i}") for i in range(norms)]
    altered = {**before[7], "version": 2, "condition": _condition(rng)}
    after = [*before[:7], altered, *before[8:]]
    if changed > 1:
        after = after[:-1]
    if changed > 2:
        after.append(_norm(rng, "new"))
    return _charter(before), _charter(after)


def _charter(norms: list[dict[str, Any]]) -> Charter:
    facts: list[dict[str, Any]] = [{"name": name, "type": "bool"} for name in BOOLS]
    facts += [{"name": name, "type": "int", "low": 0, "high": 120} for name in NUMBERS]
    return Charter.model_validate({
        "id": "bench", "version": 1, "languages": ["en"], "process": "bench", "kind": "human",
        "vocabulary": {
            "acts": [{"name": name, "is_a": above} for name, above in ACTS.items()],
            "facts": facts,
            "axioms": [{"not": {"all": [{"fact": "b0", "eq": True}, {"fact": "b1", "eq": True}]}}],
        },
        "norms": norms,
        "zones": {"BR": "America/Sao_Paulo", "EU": "Europe/Brussels"},
    })  # fmt: skip


def _norm(rng: random.Random, name: str) -> dict[str, Any]:
    layer = rng.choice(("global", "polity", "polity", "organisation", "organisation", "individual"))
    owners = {"global": ("world",), "polity": POLITIES, "organisation": ("desk",),
              "individual": ("ana",)}  # fmt: skip
    kind = rng.choice(KINDS)
    body: dict[str, Any] = {
        "id": name, "kind": kind, "layer": layer, "authority": rng.choice(owners[layer]),
        "tier": "constitutional" if layer == "global" or rng.random() < 0.3 else "revisable",
        "act": rng.choice([act for act in ACTS if act != "decline"]),
        "condition": _condition(rng), "severity": rng.randint(1, 5), "status": "in_force",
        "on_unknown": rng.choice(("ask", "ask", "deny")), "statement": {"en": name},
    }  # fmt: skip
    maybe: dict[str, Any] = {
        "counterparty": rng.sample(PARTIES, rng.randint(1, 3)),
        "bearer": {"actor": rng.sample(ACTORS, rng.randint(2, 3)),
                   "actor_sensitivity": rng.choice(("invariant", "agent_stricter"))},
        "scope": {"channels": [rng.choice(("output", "action"))]},
        "valid_from": rng.choice(DAYS),
        "overridable_by": ["individual"],
    }  # fmt: skip
    return body | {key: value for key, value in maybe.items() if rng.random() < 0.25}


def _condition(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.2:
        return {}
    parts = [_atom(rng) for _ in range(rng.randint(1, 3))]
    return parts[0] if len(parts) == 1 else {rng.choice(("all", "all", "any")): parts}


def _atom(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.3:
        edge = rng.choice((16, 18, 65))
        return {"fact": rng.choice(NUMBERS), rng.choice(("at_least", "at_most")): edge}
    return {"fact": rng.choice(BOOLS), "eq": rng.random() < 0.6}


def main() -> None:
    """Measure and print."""
    for seed in map(int, sys.argv[1:] or ("5",)):
        for changed in (1, 2, 3):
            before, after = pair(seed, changed=changed)
            start = time.process_time()
            found = diff(before, after)
            spent = time.process_time() - start
            print(f"seed {seed}, {changed} of 60 norms: {spent:.1f} s, {len(found.changed)} "
                  f"regions, open {len(found.open)}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
