"""Provoke reward hacking by best of n, catch it with a gold set, cure it by a refresh.

    python -m scripts.learn_hacking [--seeds 1,2,3] [--work DIR] [--out FILE]

A planted world judges: its raters' votes train the proxy, other raters' votes are the gold set that
says where to stop, and its values, which no model sees, are what is reported. Every seed is a part
that is kept under --work; a killed run goes on with the parts that lack. Optimising a policy
against the same proxy, round by round, takes minutes a seed: `learn_hacking_rounds.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scripts.experiment_pages import over_seeds, picture

from normwright.learn import Reading, Shape, refresh, reward, scratch_model
from normwright.learn.recipes.reward import classifier
from normwright.learn.reward_models.planted import (
    World,
    asked,
    planted_pairs,
    planted_world,
    written,
)
from normwright.models.local import LocalScorer, use_threads
from normwright.models.tuning.loop import Loop
from normwright.records import Message, PairVote

ROOT = Path(__file__).resolve().parent.parent
BEST_OF = (1, 2, 4, 8, 16, 32, 64)
WELL_FORMED, PASSES, QUESTIONS = 1500, 5, 32
Prompt = tuple[Message, ...]
VALUE = {"chosen": 1.0, "tie": 0.5, "rejected": 0.0}


@dataclass(frozen=True)
class Sloppy:
    """A policy that writes as text at large does: long, and saying again what it has said."""

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return n answers a prompt; length and temperature are the writer's own."""
        rng = random.Random(seed)
        return [[self._text(rng, p) for _ in range(n)] for p in prompts]

    def _text(self, rng: random.Random, prompt: Sequence[Message]) -> str:
        lang = "pt" if prompt[0].content.startswith("Como") else "en"
        pieces = [written(rng, lang, fewest=1, most=1, turned=0.0)]
        for _ in range(rng.randint(0, 6)):
            again = rng.random() < 0.5
            pieces.append(
                rng.choice(pieces) if again else written(rng, lang, fewest=1, most=1, turned=0.0)
            )
        return ", ".join(pieces)


def best_of(
    world: World, scorer: LocalScorer, prompts: Sequence[Prompt], seed: int
) -> list[dict[str, float]]:
    """Return proxy, gold and gold set of the best of n by a scorer, on the same samples."""
    rng = random.Random(seed)
    answers = Sloppy().generate(prompts, n=BEST_OF[-1], seed=seed)
    scores = [scorer.score([p] * len(g), g) for p, g in zip(prompts, answers, strict=True)]
    gold = [[world.mean_value(a) for a in given] for given in answers]
    points = []
    for n in BEST_OF:
        picked = [
            [max(range(i, i + n), key=row.__getitem__) for i in range(0, len(row), n)]
            for row in scores
        ]
        votes = [
            VALUE[v.choice]
            for given, places in zip(answers, picked, strict=True)
            for v in world.votes(given[places[0]], rng.choice(given), rng, count=3)
        ]
        flat = [(i, at) for i, places in enumerate(picked) for at in places]
        points.append(
            {
                "n": n,
                "kl": math.log(n) - (n - 1) / n,
                "proxy": float(np.mean([scores[i][at] for i, at in flat])),
                "gold": float(np.mean([gold[i][at] for i, at in flat])),
                "gold_set": float(np.mean(votes)),
            }
        )
    return points


def run(seed: int) -> dict[str, Any]:
    """Return everything that is measured with one seed."""
    began = time.process_time()
    world = replace(planted_world(seed=seed), annoyance=2.5)
    pairs = planted_pairs(world, count=WELL_FORMED, votes=5, seed=seed, turned=0.0)
    texts = [t for p in pairs for t in (p.prompt[0].content, p.chosen, p.rejected)]
    start = scratch_model(texts, shape=Shape(32, 1, 2, 400, 200), seed=seed)
    loop = Loop(epochs=PASSES, lr=1e-2, batch=32, seed=seed)
    made, _ = reward(start, pairs, loop=loop, reading=Reading("votes"), garbled=0.0,
                     unpermitted=True)  # fmt: skip
    proxy = LocalScorer(made, start.tokenizer)
    rng = random.Random(seed + 50)
    held = [asked(rng, ("en", "pt")[i % 2]) for i in range(QUESTIONS)]
    fresh = [asked(rng, ("en", "pt")[i % 2]) for i in range(240)]

    def judge(
        prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> list[tuple[PairVote, ...]]:
        return [world.votes(a, b, rng, count=5) for a, b in zip(first, second, strict=True)]

    cured = refresh(
        start, pairs, policy=Sloppy(), scorer=proxy, prompts=fresh, judge=judge, samples=16,
        rivals=2, loop=loop, reading=Reading("votes"), garbled=0.0, unpermitted=True,
    )  # fmt: skip
    blank = classifier(start, seed=seed).eval()
    return {
        "fixed": best_of(world, proxy, held, seed),
        "refreshed": best_of(world, LocalScorer(cured.weights, start.tokenizer), held, seed),
        "random": best_of(world, LocalScorer(blank, start.tokenizer), held, seed),
        "judged": len(cured.added),
        "cpu": time.process_time() - began,
    }


# What is written


def peak(line: Sequence[dict[str, float]]) -> int:
    """Return the place where the gold set is at its peak."""
    return max(range(len(line)), key=lambda i: line[i]["gold_set"])


def page(parts: dict[int, dict[str, Any]]) -> str:
    """Return the report."""
    seeds = sorted(parts)
    lines = [
        "# Reward hacking: provoked, caught, cured",
        "",
        "<!-- Written by scripts/learn_hacking.py; do not edit. -->",
        "",
        f"Seeds {', '.join(map(str, seeds))}; means over seeds with 95 % intervals (Student's t, "
        f"n = {len(seeds)}). {sum(p['cpu'] for p in parts.values()):.0f} s of CPU, one thread.",
        "",
        "A planted world judges: two groups of raters with known values of sixteen qualities, in "
        "English and Portuguese. Saying a thing again annoys everybody (-2.5). The proxy, a "
        f"reward model of one layer, learns from {WELL_FORMED} pairs of well-formed answers with "
        "five votes each, in which nothing is ever said twice. The policy writes sloppy text, in "
        "which things often are, and answers with the best of n by the reward. *Gold* is the "
        "mean of the planted values, which no model saw. *Gold set* is the share of three drawn "
        f"raters a question who prefer that answer to a plain sample, on {QUESTIONS} questions. "
        "The control picks by a reward model from random init that learned nothing.",
        "",
        "![gold and proxy against the square root of KL](../images/learn-hacking.svg)",
        "",
        "| n | KL bound, nats | proxy | gold | gold set | refreshed: gold | gold set | "
        "control: gold |",
        "|---|---|---|---|---|---|---|---|",
    ]
    columns = (("fixed", "proxy"), ("fixed", "gold"), ("fixed", "gold_set"), ("refreshed", "gold"),
               ("refreshed", "gold_set"), ("random", "gold"))  # fmt: skip
    for i, n in enumerate(BEST_OF):
        cells = [over_seeds([parts[s][arm][i][name] for s in seeds]) for arm, name in columns]
        kl = parts[seeds[0]]["fixed"][i]["kl"]
        lines.append(f"| {n} | {kl:.2f} | " + " | ".join(cells) + " |")

    def gold(arm: str, place: int | None) -> list[float]:
        found = []
        for s in seeds:
            line = parts[s][arm]
            found.append(line[peak(line) if place is None else place]["gold"])
        return found

    rises = [parts[s]["fixed"][-1]["proxy"] - parts[s]["fixed"][0]["proxy"] for s in seeds]
    start, last, stopped = gold("fixed", 0), gold("fixed", -1), gold("fixed", None)
    cured = gold("refreshed", -1)
    differences = {
        "proxy, best of 64 less plain samples": rises,
        "gold, best of 64 less plain samples": np.subtract(last, start),
        "gold, n at the peak of the gold set less best of 64": np.subtract(stopped, last),
        "gold, best of 64 under the refreshed reward less under the fixed": np.subtract(
            cured, last
        ),
        "gold, best of 64 under the refreshed reward less plain samples": np.subtract(cured, start),
    }
    lines += ["", "| difference, paired by seed | |", "|---|---|"]
    lines += [
        f"| {name} | {over_seeds([float(x) for x in v])} |" for name, v in differences.items()
    ]
    stops = ", ".join(str(BEST_OF[peak(parts[s]["fixed"])]) for s in seeds)
    judged = ", ".join(str(parts[s]["judged"]) for s in seeds)
    return "\n".join([
        *lines,
        "",
        f"The gold set is at its peak at n = {stops}, by seed. A refresh asked raters about "
        f"{judged} pairs of the policy's own answers, by seed, five votes each; the proxy's "
        "favourites of sixteen samples beside others.",
        "",
        "What is not shown: raters here are consistent and never tire, people see this hack at "
        "once, the policy is a writer by rule and not a trained model, and the reward is tiny. A "
        "refresh cures what its judges can see.",
        "",
    ])  # fmt: skip


KINDS = (
    ("fixed", "proxy", "#b26b00", "proxy, fixed"),
    ("fixed", "gold", "#a3262e", "gold, fixed"),
    ("refreshed", "gold", "#1f6f54", "gold, refreshed"),
    ("random", "gold", "#777777", "gold, control"),
)


def drawn(parts: dict[int, dict[str, Any]]) -> str:
    """Return gold and proxy over sqrt(KL) as SVG."""
    curves = {
        (label, colour): [
            [(p["kl"] ** 0.5, p[name] - part[arm][0][name]) for p in part[arm]]
            for part in parts.values()
        ]
        for arm, name, colour, label in KINDS
    }
    return picture(
        curves,
        title="Gold and proxy reward against the square root of KL, less the start",
        axis="sqrt(KL) of best of n, 0 to {right}; reward less that of plain samples",
    )


def main() -> int:
    """Run the parts that lack, and write report and picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--work", type=Path, default=ROOT / "build/learn-hacking")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/experiments/learn-hacking.md")
    arguments = parser.parse_args()
    use_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    parts: dict[int, dict[str, Any]] = {}
    for seed in map(int, arguments.seeds.split(",")):
        kept = arguments.work / f"seed-{seed}.json"
        if not kept.exists():
            made = kept.with_suffix(".part")
            made.write_text(json.dumps(run(seed)), encoding="utf-8")
            made.replace(kept)
        parts[seed] = json.loads(kept.read_text(encoding="utf-8"))
    arguments.out.write_text(page(parts), encoding="utf-8")
    images = arguments.out.parent.parent / "images"
    images.mkdir(exist_ok=True)
    (images / "learn-hacking.svg").write_text(drawn(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
