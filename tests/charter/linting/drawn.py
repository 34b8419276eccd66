"""Random small charters, and every situation they can tell apart."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.norms.builders import charter, norm, vocabulary

from normwright.norms import cells, evaluate, satisfiable
from normwright.norms.specificity import assignments
from normwright.records import Actor, Charter, Condition, Situation, Vocabulary

ACTS = {"a": [], "a.x": ["a"], "a.y": ["a"], "b": [], "b.x": ["b", "a"], "c": [], "decline": []}
LEAVES = ("a.x", "a.y", "b.x", "c")
FACTS = {"p": "bool", "q": "bool", "e": ["u", "v", "w"], "n": {"low": 0, "high": 5}}
P_MEANS_Q = {"any": [{"fact": "p", "eq": False}, {"fact": "q", "eq": True}]}


def words(*axioms: dict[str, Any]) -> Vocabulary:
    """The vocabulary all drawn charters share, with axioms."""
    plain = vocabulary(ACTS, FACTS)
    held = tuple(Condition.model_validate(axiom) for axiom in axioms)
    return plain.model_copy(update={"axioms": held})


def drawn(seed: int, *, size: int = 8, axioms: bool = False) -> Charter:
    """A charter of random norms, with supersessions, overrides, deadlines and other bearers."""
    rng = random.Random(seed)
    norms = [norm(**_fields(rng, i, size)) for i in range(size)]
    return charter(words(P_MEANS_Q) if axioms else words(), norms)


def _fields(rng: random.Random, number: int, size: int) -> dict[str, Any]:
    kinds = ["prohibition", "permission", "obligation", "exemption", "guarantee"]
    fields: dict[str, Any] = {
        "id": f"n{number}",
        "kind": rng.choices(kinds, [8, 8, 6, 3, 3])[0],
        "layer": rng.choice(["global", "global", "polity", "organisation", "organisation"]),
        "tier": rng.choice(["constitutional", "revisable"]),
        "act": rng.choice(["a", "a.x", "a.y", "b", "b.x", "c"]),
        "condition": _condition(rng),
        "severity": rng.randint(1, 5),
    }
    if fields["layer"] == "polity":
        fields["authority"] = rng.choice(["eu", "br"])
    other = f"n{rng.randrange(size)}"
    if rng.random() < 0.15 and other != fields["id"]:
        fields["supersedes"] = [other]
    if rng.random() < 0.1:
        fields["overridable_by"] = ["organisation"]
    if fields["kind"] == "obligation" and rng.random() < 0.2:
        fields["deadline"] = "P1D"
    if rng.random() < 0.15:
        fields["bearer"] = {"actor": ["agent"]}
    if rng.random() < 0.1:
        fields["valid_from"] = "2027-01-01"
    return fields


def _condition(rng: random.Random) -> dict[str, Any]:
    kind = rng.random()
    if kind < 0.25:
        return {}
    if kind < 0.6:
        return _atom(rng)
    return {"all" if kind < 0.8 else "any": [_atom(rng), _atom(rng)]}


def _atom(rng: random.Random) -> dict[str, Any]:
    name = rng.choice("pqen")
    match name:
        case "e":
            return {"fact": "e", "in": rng.sample(["u", "v", "w"], rng.randint(1, 2))}
        case "n":
            return {"fact": "n", "at_least": rng.randint(1, 5)}
        case _:
            return {"fact": name, "eq": rng.random() < 0.6}


def situations(asked: Charter, *, acts: tuple[str, ...] = ()) -> Iterator[Situation]:
    """Every situation with all facts known that the charter can tell apart and axioms allow.

    Each act is asked about, with all acts without kinds feasible.
    """
    conditions = [norm.condition for norm in asked.norms]
    domains = {f.name: cells(f, conditions) for f in asked.vocabulary.facts}
    dated = any(n.valid_from for n in asked.norms)
    days = (date(2026, 12, 31), date(2027, 1, 1)) if dated else (None,)
    actors: tuple[Actor, ...] = ("assistant", "agent")
    for facts in assignments(domains):
        if not all(evaluate(axiom, facts) for axiom in asked.vocabulary.axioms):
            continue
        for bearer, day, act in itertools.product(actors, days, acts or tuple(ACTS)):
            yield Situation(act=act, facts=facts, bearer=bearer, time=day,
                            feasible=(*LEAVES, "decline"))  # fmt: skip


def possible(asked: Charter, condition: Condition) -> bool:
    """Whether a condition can hold beside the axioms, by going through every cell."""
    whole = Condition(all=(condition, *asked.vocabulary.axioms))
    return bool(satisfiable(whole, asked.vocabulary.facts))
