"""Is a whole task within its norms if its parts are? Measured on simulated task trees.

    python scripts/part_to_whole.py [--trees N]

Writes docs/experiments/part-to-whole.md.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from normwright.guard.agents import AgentGuard, Approver, GrantLedger, manifest_of
from normwright.guard.agents.embedded import policy
from normwright.records import Grant, Label, ToolCall
from normwright.stats import clopper_pearson

ROOT = Path(__file__).resolve().parent.parent
NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
SEED = 0
TOOLS = {
    "look": {"act": "read.data", "effect": "reversible", "reads": {"conf": "public"}},
    "patients": {
        "act": "read.personal-data",
        "effect": "reversible",
        "reads": {"conf": "personal"},
    },
    "tell": {"act": "send.data", "effect": "compensable", "reads": {"conf": "public"}},
    "publish": {
        "act": "send.data",
        "effect": "compensable",
        "sink": "external",
        "reads": {"conf": "public"},
    },
    "order": {
        "act": "change.data",
        "effect": "compensable",
        "units": {"money": {"value": "/amount"}},
        "reads": {"conf": "public"},
    },
    "erase": {"act": "delete.data", "effect": "irreversible", "reads": {"conf": "public"}},
}
WEIGHTS = {"look": 34, "patients": 6, "tell": 20, "publish": 9, "order": 30, "erase": 1}
"""How often each tool is called; so that about half of the whole tasks are within their norms."""
PRICE = 10
"""Money of the whole grant for each leaf; an order is 1 to 20."""
LEAVES = (2, 4, 8, 16)
WAYS = ("alone", "with its share", "with its share and what is known")


@dataclass(frozen=True)
class Tree:
    """A task that is split in two, and again, down to leaves of one to three calls."""

    leaves: tuple[tuple[tuple[str, int], ...], ...]
    """For each leaf its calls: tool and amount."""


@dataclass(frozen=True)
class Judged:
    """What was found of one tree."""

    leaves: int
    whole: bool
    """Whether some call of the whole is not allowed."""
    parts: dict[str, int]
    """Way of judging parts -> how many of them have such a call."""


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--trees", type=int, default=250, help="of each size")
    arguments = parser.parse_args()
    began = time.process_time()
    rng = random.Random(SEED)
    approver = Approver(policy(), manifest_of({"tools": TOOLS}, where="office"))
    found = [
        judged(tree(rng, number), approver) for number in LEAVES for _ in range(arguments.trees)
    ]
    page = written(found, time.process_time() - began)
    (ROOT / "docs/experiments/part-to-whole.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


def tree(rng: random.Random, leaves: int) -> Tree:
    """Return a task tree."""
    tools = rng.choices([*WEIGHTS], [*WEIGHTS.values()], k=3 * leaves)
    return Tree(tuple(
        tuple((tools[3 * i + j], rng.randint(1, 20)) for j in range(rng.randint(1, 3)))
        for i in range(leaves)
    ))  # fmt: skip


def judged(one: Tree, approver: Approver) -> Judged:
    """Return whether the whole is within its norms, and how many of its parts are not."""
    number = len(one.leaves)
    most = PRICE * number
    calls = [call for leaf in one.leaves for call in leaf]
    parts = {
        "alone": sum(not within(leaf, approver, most) for leaf in one.leaves),
        "with its share": sum(not within(leaf, approver, PRICE) for leaf in one.leaves),
        "with its share and what is known": sum(
            not within(leaf, approver, PRICE, label)
            for leaf, label in zip(one.leaves, _labels(one), strict=True)
        ),
    }
    return Judged(number, not within(calls, approver, most), parts)


def within(
    calls: Sequence[tuple[str, int]], approver: Approver, money: int, label: Label | None = None
) -> bool:
    """Whether the guard allows every call, in order, in one run that begins with a label."""
    ledger = GrantLedger(people=("ana",), acts=approver.resolver.acts)
    grant = Grant(id="g", grantor="ana", grantee="a", acts=("operate",), budget={"money": money})
    ledger.issue(grant, by="ana", at=NOON)
    if label is not None:
        ledger.label(session="s", store=None, label=label, at=NOON)
    guard = AgentGuard(approver, ledger, clock=lambda: NOON)
    for tool, amount in calls:
        arguments = {"amount": amount} if tool == "order" else {}
        call = ToolCall(tool=tool, arguments=arguments, agent="a", grant="g", session="s", at=NOON)
        _, ticket = guard.approve(call)
        if ticket is None:
            return False
        guard.execute(ticket, lambda _: None)
    return True


def _labels(one: Tree) -> Iterator[Label]:
    """What a leaf is told of those before it: how confidential what they read is."""
    read = False
    for leaf in one.leaves:
        yield Label(conf="personal" if read else "public")
        read = read or any(tool == "patients" for tool, _ in leaf)


def area(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the probability that of a bad and a good whole the bad one has the larger score."""
    bad = [s for s, label in zip(scores, labels, strict=True) if label]
    good = [s for s, label in zip(scores, labels, strict=True) if not label]
    above = np.subtract.outer(bad, good)
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def area_interval(scores: Sequence[float], labels: Sequence[bool]) -> tuple[float, float]:
    """Return a 95 % interval of the area, by drawing trees again."""
    rng = np.random.default_rng(SEED)
    draws = []
    for _ in range(500):
        chosen = rng.integers(0, len(labels), len(labels))
        again = [labels[i] for i in chosen]
        if any(again) and not all(again):
            draws.append(area([scores[i] for i in chosen], again))
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def written(found: Sequence[Judged], took: float) -> str:
    """Return the page."""
    bad = [one.whole for one in found]
    lines = [
        "# From parts to the whole",
        "",
        "<!-- Written by scripts/part_to_whole.py; do not edit. -->",
        "",
        f"{len(found)} simulated tasks (seed {SEED}), each split in two, and again, into "
        f"{', '.join(map(str, LEAVES))} leaves of one to three calls; {took:.0f} s of CPU. The "
        "guard of agents with the norms that ship judges every leaf, and the whole: a part, or the "
        f"whole, is not within its norms if some call is not allowed. Of the wholes {sum(bad)} "
        "are not; "
        "saying so of none is right in "
        f"{1 - sum(bad) / len(bad):.2f}.",
        "",
        "A part is judged *alone*, with all that the whole was given; *with its share* of the "
        "money; "
        "or with its share and told how confidential what was read before is.",
        "",
        "| parts are judged | all parts within, the whole not | some part not, the whole "
        "within | area under the curve |",
        "|---|---|---|---|",
    ]
    lines += [_row(way, found, way) for way in WAYS]
    order = np.random.default_rng(SEED).permutation(len(found))
    mixed = [
        Judged(one.leaves, found[other].whole, one.parts)
        for one, other in zip(found, order, strict=True)
    ]
    lines += [
        _row("control: alone, beside the whole of another task", mixed, WAYS[0]),
        _row("control: with both, beside the whole of another task", mixed, WAYS[2]),
        "",
        "Rates with exact intervals, the area with a bootstrap over tasks, by the number of parts "
        "that are not within.",
        "",
        "## By size",
        "",
        "Share of tasks of which all parts, judged alone, are within, and the whole is not.",
        "",
        "| leaves | " + " | ".join(map(str, LEAVES)) + " |",
        "|---|" + "---|" * len(LEAVES),
    ]
    for way in WAYS:
        cells = (_missed([one for one in found if one.leaves == n], way) for n in LEAVES)
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "## What follows",
        "",
        "Norms about single acts pass from the parts to the whole: what no part does, the whole "
        "does not. Norms about sums and about flows do not: each part may pay a little and "
        "read or send "
        "a little. They pass again if what is handed to a part carries its share of the budget and "
        "the label of what is known; the price is tasks that are stopped although the whole would "
        "have been within, because a share is not used by one part and missing to another. That is "
        "why grants are split by a ledger and labels are kept with the run, and why judging steps "
        "one by one is no check of an agent.",
        "",
        "These are random tasks, not agents' own; an agent that means to split what it may not do "
        "would be worse than chance has it.",
        "",
    ]
    return "\n".join(lines)


def _row(name: str, found: Sequence[Judged], way: str) -> str:
    some = [one for one in found if one.parts[way]]
    kept = sum(not one.whole for one in some)
    interval = clopper_pearson(kept, len(some))
    scores = [float(one.parts[way]) for one in found]
    labels = [one.whole for one in found]
    low, high = area_interval(scores, labels)
    alarms = f"{kept} of {len(some)} [{interval.low:.3f}, {interval.high:.3f}]"
    return (
        f"| {name} | {_missed(found, way)} | {alarms} | "
        f"{area(scores, labels):.3f} [{low:.3f}, {high:.3f}] |"
    )


def _missed(found: Sequence[Judged], way: str) -> str:
    within_all = [one for one in found if not one.parts[way]]
    if not within_all:
        return "no such task"
    missed = sum(one.whole for one in within_all)
    interval = clopper_pearson(missed, len(within_all))
    return f"{missed} of {len(within_all)} [{interval.low:.3f}, {interval.high:.3f}]"


if __name__ == "__main__":
    raise SystemExit(main())
