"""How long linting takes: every class, on made-up charters with thousands of overlaps.

    python -m scripts.bench_lint [--norms N] [--seeds S ...] [--json]

The charters are made here: norms of all kinds, layers and tiers over 38 acts, four of which are of
two kinds at once, under conditions of one to three out of 30 facts, with an axiom, validity from
two dates on, and some norms about agents alone. CPU seconds (user and system) of one process on one
thread, z3 included; reading files is not. Overlaps are pairs of opposed norms that share an act, a
setting and a situation.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from typing import Any, get_args

from normwright.charter.linting import lint
from normwright.charter.linting.ground import Ground
from normwright.records import Charter, FindingClass, Layer

LIMIT = 20.0
"""Most CPU seconds that linting 200 norms may take."""

LANGUAGES = ("en", "pt")
OWNERS: dict[Layer, tuple[str, ...]] = {
    "global": ("world",), "polity": ("p1", "p2"), "organisation": ("desk",), "individual": ("ana",),
}  # fmt: skip


def made(norms: int, seed: int) -> Charter:
    """Return a charter of so many norms, made from a seed."""
    rng = random.Random(seed)
    acts = _acts()
    names = [act["name"] for act in acts if act["name"] != "decline"]
    return Charter.model_validate(
        {
            "id": f"bench-{seed}",
            "version": 1,
            "languages": LANGUAGES,
            "vocabulary": {"acts": acts, "facts": _facts(), "axioms": [_excluding("b0", "b1")]},
            "norms": [_norm(rng, number, names) for number in range(norms)],
            "process": "bench",
            "kind": "human",
        }
    )


def overlaps(charter: Charter) -> int:
    """Return how many pairs of opposed norms can meet in some situation."""
    ground = Ground(charter)
    return sum(
        ground.solver.possible(ground.formula(c.permissive), ground.formula(c.restrictive)) is True
        for c in ground.clashes
    )


def _said(text: str) -> dict[str, str]:
    return dict.fromkeys(LANGUAGES, text)


def _acts() -> list[dict[str, Any]]:
    acts: list[dict[str, Any]] = [{"name": "decline", "label": _said("decline")}]
    for root in range(2):
        acts.append({"name": f"a{root}", "label": _said(f"a{root}")})
        for kind in range(18):
            also = [f"a{1 - root}"] if kind > 15 else []
            name = f"a{root}.{kind}"
            acts.append({"name": name, "is_a": [f"a{root}", *also], "label": _said(name)})
    return acts


def _facts() -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = [{"name": f"b{i}", "type": "bool"} for i in range(20)]
    facts += [{"name": f"e{i}", "type": "enum", "values": ["u", "v", "w", "x"]} for i in range(5)]
    facts += [{"name": f"n{i}", "type": "int", "low": 0, "high": 100} for i in range(5)]
    return [{**fact, "label": _said(str(fact["name"]))} for fact in facts]


def _excluding(one: str, other: str) -> dict[str, Any]:
    return {"any": [{"fact": one, "eq": False}, {"fact": other, "eq": False}]}


def _norm(rng: random.Random, number: int, acts: list[str]) -> dict[str, Any]:
    layer: Layer = rng.choices(get_args(Layer), [3, 3, 5, 1])[0]
    kind = rng.choices(
        ["prohibition", "permission", "obligation", "exemption", "guarantee"], [9, 8, 2, 1, 1]
    )[0]
    body = {
        "id": f"n{number}",
        "kind": kind,
        "layer": layer,
        "authority": rng.choice(OWNERS[layer]),
        "tier": "constitutional" if layer == "global" else rng.choice(
            ["constitutional", "revisable", "revisable"]),
        "act": rng.choice([act for act in acts if "." not in act]) if rng.random() < 0.6
        else rng.choice(acts),
        "condition": _condition(rng),
        "severity": rng.randint(1, 5),
        "statement": _said(f"Norm {number}."),
        "status": "in_force",
    }  # fmt: skip
    if rng.random() < 0.1:
        body["valid_from"] = rng.choice(["2026-08-02", "2026-12-02"])
    if rng.random() < 0.1:
        body["bearer"] = {"actor": ["agent", "subagent"]}
    return body


def _condition(rng: random.Random) -> dict[str, Any]:
    count = rng.choices([0, 1, 2, 3], [2, 4, 3, 1])[0]
    atoms = [_atom(rng) for _ in range(count)]
    if not atoms:
        return {}
    return atoms[0] if count == 1 else {rng.choice(["all", "any"]): atoms}


def _atom(rng: random.Random) -> dict[str, Any]:
    match rng.choice(["bool", "bool", "enum", "int"]):
        case "enum":
            return {"fact": f"e{rng.randrange(5)}", "in": rng.sample(["u", "v", "w", "x"], 2)}
        case "int":
            return {"fact": f"n{rng.randrange(5)}",
                    rng.choice(["at_least", "at_most"]): rng.randrange(10, 90)}  # fmt: skip
        case _:
            return {"fact": f"b{rng.randrange(20)}", "eq": rng.random() < 0.5}


def measured(norms: int, seed: int) -> dict[str, Any]:
    """Return what linting one made-up charter took, and what it found."""
    charter = made(norms, seed)
    began = time.process_time()
    seconds: dict[str, float] = {}

    def progress(_: int, __: int, kind: FindingClass) -> None:
        seconds[kind] = time.process_time()

    report = lint(charter, progress=progress)
    ended = time.process_time()
    starts = [*seconds.values(), ended]
    return {
        "norms": norms,
        "seed": seed,
        "cpu_seconds": round(ended - began, 2),
        "by_class": {
            kind: round(then - now, 2)
            for kind, now, then in zip(seconds, starts[:-1], starts[1:], strict=True)
        },
        "overlaps": overlaps(charter),
        "findings": dict(Counter(one.kind for one in report.findings)),
        "open": len(report.open),
    }


def main() -> int:
    """Measure, print, and fail if the limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--norms", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = [measured(arguments.norms, seed) for seed in arguments.seeds]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            print(f"{row['norms']} norms, seed {row['seed']}: {row['cpu_seconds']} s of CPU, "
                  f"{row['overlaps']} overlaps, {sum(row['findings'].values())} findings, "
                  f"{row['open']} open")  # fmt: skip
    return 0 if all(row["cpu_seconds"] < LIMIT for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
