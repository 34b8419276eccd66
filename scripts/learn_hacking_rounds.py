"""Provoke reward hacking, catch it with a gold set, cure it by refreshing the reward.

    python -m scripts.learn_hacking_rounds [--seeds 1,2,3] [--work DIR] [--out FILE] [--quick]

A planted world judges: its raters' votes train the proxy, other raters' votes are the gold set that
stops a run, and its values, which no model sees, are what is reported. Every seed is a part that is
kept under --work; a killed run goes on with the parts that lack.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scripts.experiment_pages import over_seeds, picture

from normwright.learn import (
    Shape,
    fresh_like,
    prefer,
    refresh,
    reward,
    scratch_model,
    sft,
)
from normwright.learn.reward_models.planted import (
    World,
    asked,
    planted_pairs,
    planted_world,
    voted_pair,
    written,
)
from normwright.models.local import LocalModel, LocalScorer, use_threads
from normwright.models.tuning.loop import Loop
from normwright.records import Demonstration, Message, PairVote, PreferencePair

ROOT = Path(__file__).resolve().parent.parent
BEST_OF = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Scale:
    """How much is learned from and measured on."""

    texts: int = 2400
    """Sloppy answers the policy is taught."""
    epochs: int = 4
    few: int = 400
    """Comparisons the proxy learns from."""
    passes: int = 8
    rounds: int = 4
    prompts: int = 24
    """Held-out questions on which everything is measured."""
    asked: int = 48
    """Questions of a round."""
    gold: int = 40
    """Questions of the gold set."""


FULL = Scale()
QUICK = Scale(texts=160, epochs=1, few=48, passes=1, rounds=2, prompts=4, asked=6, gold=4)
"""Shows that everything runs, and nothing else."""
Prompt = tuple[Message, ...]


def sloppy(rng: random.Random, lang: str) -> str:
    """Return an answer as text at large has it: longer, and with things said twice."""
    pieces = [written(rng, lang, fewest=1, most=1) for _ in range(rng.randint(1, 7))]
    return ", ".join(pieces)


def policy_of(scale: Scale, seed: int) -> LocalModel:
    """Return a small model that writes sloppy answers."""
    rng = random.Random(seed)
    rows = []
    for i in range(scale.texts):
        lang = ("en", "pt")[i % 2]
        rows.append(
            Demonstration(
                scene=str(i), lang=lang, prompt=asked(rng, lang), completion=sloppy(rng, lang),
                origin="synthetic", licence="Apache-2.0", family=str(i),
            )
        )  # fmt: skip
    texts = [t for r in rows for t in (r.prompt[0].content, r.completion)]
    fresh = scratch_model(texts, shape=Shape(48, 2, 4, 360, 160), seed=seed)
    tuned, _ = sft(fresh, rows, loop=Loop(epochs=scale.epochs, lr=5e-3, batch=32, seed=seed),
                   unpermitted=True)  # fmt: skip
    return tuned


def fitted(scale: Scale, seed: int) -> Loop:
    """Return how long a reward is fitted."""
    return Loop(epochs=scale.passes, lr=4e-3, batch=32, seed=seed)


def proxy_of(policy: LocalModel, pairs: Sequence[PreferencePair], loop: Loop) -> LocalScorer:
    """Return a reward model of these pairs, which are all well formed."""
    weights, _ = reward(policy, pairs, loop=loop, garbled=0.0, unpermitted=True)
    return LocalScorer(weights, policy.tokenizer)


def best_of(
    world: World, policy: LocalModel, scorer: LocalScorer, prompts: Sequence[Prompt], seed: int
) -> list[dict[str, float]]:
    """Return gold and proxy of the best of n by the proxy, for each n, on the same samples."""
    answers = policy.generate(prompts, max_new_tokens=64, temperature=1.0, n=BEST_OF[-1], seed=seed)
    flat = [a for given in answers for a in given]
    scores = np.array(scorer.score([p for p, g in zip(prompts, answers, strict=True) for _ in g],
                                   flat)).reshape(len(prompts), -1)  # fmt: skip
    gold = np.array([world.mean_value(a) for a in flat]).reshape(scores.shape)
    points = []
    for n in BEST_OF:
        # Disjoint sets of n samples, so that small n use all of them.
        s, g = (m.reshape(len(prompts), -1, n) for m in (scores, gold))
        at = s.argmax(2)[..., None]
        points.append(
            {
                "n": n,
                "kl": math.log(n) - (n - 1) / n,
                "proxy": float(np.take_along_axis(s, at, 2).mean()),
                "gold": float(np.take_along_axis(g, at, 2).mean()),
            }
        )
    return points


def measured(
    world: World, policy: LocalModel, start: LocalModel, scorer: LocalScorer,
    prompts: Sequence[Prompt], seed: int,
) -> dict[str, float]:  # fmt: skip
    """Return gold, proxy and KL from the start of a policy, on samples of its own."""
    answers = policy.generate(prompts, max_new_tokens=64, temperature=1.0, n=8, seed=seed)
    asked_ = [p for p, g in zip(prompts, answers, strict=True) for _ in g]
    flat = [a for given in answers for a in given]
    kl = np.array(policy.logprobs(asked_, flat)) - np.array(start.logprobs(asked_, flat))
    return {
        "kl": max(0.0, float(kl.mean())),
        "proxy": float(np.mean(scorer.score(asked_, flat))),
        "gold": float(np.mean([world.mean_value(a) for a in flat])),
        "distinct": len(set(flat)) / len(flat),
    }


def gold_set(
    world: World, policy: LocalModel, start: LocalModel, prompts: Sequence[Prompt], seed: int
) -> float:
    """Return how often raters prefer the policy's answer to the start's: three votes a question."""
    rng = random.Random(seed)
    new, old = (m.generate(prompts, max_new_tokens=64, temperature=1.0, n=1, seed=seed)
                for m in (policy, start))  # fmt: skip
    won = 0.0
    for (a,), (b,) in zip(new, old, strict=True):
        votes = world.votes(a, b, rng, count=3)
        won += sum({"chosen": 1.0, "tie": 0.5, "rejected": 0.0}[v.choice] for v in votes) / 3
    return won / len(prompts)


def pushed(
    policy: LocalModel, scorer: LocalScorer, prompts: Sequence[Prompt], seed: int
) -> LocalModel:
    """Return the policy after one round of preference optimisation on what the proxy prefers."""
    answers = policy.generate(prompts, max_new_tokens=64, temperature=1.0, n=6, seed=seed)
    pairs, shown = [], []
    for i, (prompt, given) in enumerate(zip(prompts, answers, strict=True)):
        texts = sorted({a for a in given if a})
        if len(texts) < 2:
            continue
        scores = scorer.score([prompt] * len(texts), texts)
        order = np.argsort(scores)
        best, worst = texts[order[-1]], texts[order[0]]
        p = 1 / (1 + math.exp(-float(scores[order[-1]] - scores[order[0]])))
        pair = voted_pair(f"round/{i}", "und", prompt, best, worst,
                          (PairVote(participant="proxy", choice="chosen"),))  # fmt: skip
        pairs.append(pair.model_copy(update={"p_chosen": p}))
        shown.append(
            Demonstration(scene=pair.scene, lang="und", prompt=prompt, completion=best,
                          origin="synthetic", licence="Apache-2.0", family=pair.family)
        )  # fmt: skip
    if not pairs:
        return policy
    loop = Loop(epochs=2, lr=1e-3, batch=16, seed=seed)
    made, _ = prefer(policy, pairs, shown, loop=loop, beta=0.1, anchor=0.2, unpermitted=True)
    return LocalModel("policy", made.weights, made.tokenizer)


def questions(count: int, seed: int) -> list[Prompt]:
    """Return questions, half in each language."""
    rng = random.Random(seed)
    return [asked(rng, ("en", "pt")[i % 2]) for i in range(count)]


Judge = Callable[[Sequence[Prompt], Sequence[str], Sequence[str]], list[tuple[PairVote, ...]]]


def raters(world: World, seed: int) -> Judge:
    """Return people who can be asked: five votes a pair."""
    rng = random.Random(seed)

    def judge(
        prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> list[tuple[PairVote, ...]]:
        return [world.votes(a, b, rng, count=5) for a, b in zip(first, second, strict=True)]

    return judge


def run(scale: Scale, seed: int) -> dict[str, Any]:
    """Return everything that is measured with one seed."""
    began = time.process_time()
    world = replace(planted_world(seed=seed), annoyance=2.5)
    start = policy_of(scale, seed)
    pairs = planted_pairs(world, count=scale.few, votes=3, seed=seed)
    proxy = proxy_of(start, pairs, fitted(scale, seed))
    held, train, gold = (
        questions(n, seed + 50 + i) for i, n in enumerate((scale.prompts, scale.asked, scale.gold))
    )
    out: dict[str, Any] = {"best_of": best_of(world, start, proxy, held, seed)}
    blank = fresh_like(start, seed=seed)
    out["control"] = best_of(world, blank, proxy, held[:4], seed)
    for arm in ("fixed", "refreshed"):
        policy, scorer, known = start, proxy, list(pairs)
        line = [measured(world, policy, start, scorer, held, seed)]
        line[0]["gold_set"] = 0.5
        for turn in range(1, scale.rounds + 1):
            if arm == "refreshed":
                made = refresh(
                    start, known, policy=policy, scorer=scorer, prompts=train * 2, samples=6,
                    rivals=1, judge=raters(world, seed * 100 + turn), max_new_tokens=64,
                    loop=fitted(scale, seed + turn), garbled=0.0, unpermitted=True,
                )  # fmt: skip
                known += made.added
                scorer = LocalScorer(made.weights, start.tokenizer)
            policy = pushed(policy, scorer, train, seed * 10 + turn)
            point = measured(world, policy, start, scorer, held, seed + turn)
            point["gold_set"] = gold_set(world, policy, start, gold, seed + turn)
            line.append(point)
        out[arm] = line
        if arm == "refreshed":
            out["best_of_refreshed"] = best_of(world, start, scorer, held, seed)
            out["judged"] = len(known) - len(pairs)
    out["cpu"] = time.process_time() - began
    return out


# What is written


def stopped(line: Sequence[dict[str, float]]) -> int:
    """Return the round a run on the gold set stops at: its peak, with a patience of one."""
    best = 0
    for i, point in enumerate(line):
        if point["gold_set"] > line[best]["gold_set"]:
            best = i
        elif i - best > 1:
            break
    return best


def page(scale: Scale, parts: dict[int, dict[str, Any]]) -> str:
    """Return the report."""
    seeds = sorted(parts)
    lines = [
        "# Reward hacking: provoked, caught, cured",
        "",
        "<!-- Written by scripts/learn_hacking_rounds.py; do not edit. -->",
        "",
        f"Seeds {', '.join(map(str, seeds))}; means over seeds with 95 % intervals (Student's t, "
        f"n = {len(seeds)}). {sum(p['cpu'] for p in parts.values()):.0f} s of CPU.",
        "",
        "A planted world judges: two groups of raters with known values of sixteen qualities, in "
        "English and Portuguese. Saying a thing twice annoys everybody (-2.5). A small model is "
        "taught sloppy text, in which things are said twice; a proxy reward learns from "
        f"{scale.few} pairs of well-formed answers with three votes each, in which nothing is. "
        "*Gold* is the mean of the planted values, which no model saw and which is not the "
        f"judge that rewards. *Gold set* is a vote of drawn raters on {scale.gold} questions, the "
        "policy's answer against the start's; it is what a team could afford to run.",
        "",
        "## Best of n",
        "",
        "| n | KL bound, nats | proxy | gold | gold, refreshed reward | random model: gold |",
        "|---|---|---|---|---|---|",
    ]
    for i, n in enumerate(BEST_OF):
        column = [
            over_seeds([parts[s][key][i][value] for s in seeds])
            for key, value in (("best_of", "proxy"), ("best_of", "gold"),
                               ("best_of_refreshed", "gold"), ("control", "gold"))
        ]  # fmt: skip
        kl = parts[seeds[0]]["best_of"][i]["kl"]
        lines.append(f"| {n} | {kl:.2f} | " + " | ".join(column) + " |")
    lines += [
        "",
        "## Preference optimisation against the proxy, round by round",
        "",
        "![gold and proxy against the square root of KL](../images/learn-hacking-rounds.svg)",
        "",
        "| round | sqrt KL | proxy | gold | gold set | refreshed: sqrt KL | gold | gold set |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for i in range(scale.rounds + 1):
        cells = []
        for arm, names in (("fixed", ("kl", "proxy", "gold", "gold_set")),
                           ("refreshed", ("kl", "gold", "gold_set"))):  # fmt: skip
            for name in names:
                values = [parts[s][arm][i][name] for s in seeds]
                cells.append(over_seeds([v**0.5 for v in values] if name == "kl" else values))
        lines.append(f"| {i} | " + " | ".join(cells) + " |")
    last = {
        name: [parts[s][arm][at(parts[s][arm])]["gold"] for s in seeds]
        for name, arm, at in (
            ("before any optimisation", "fixed", lambda line: 0),
            ("fixed proxy, last round", "fixed", lambda line: -1),
            ("fixed proxy, stopped at the peak of the gold set", "fixed", stopped),
            ("refreshed every round, last round", "refreshed", lambda line: -1),
            ("refreshed, stopped at the peak of the gold set", "refreshed", stopped),
        )
    }
    lines += ["", "## Before and after", "", "| policy | gold |", "|---|---|"]
    lines += [f"| {name} | {over_seeds(values)} |" for name, values in last.items()]
    base = last["before any optimisation"]
    first, cured = last["fixed proxy, last round"], last["refreshed every round, last round"]
    early = last["fixed proxy, stopped at the peak of the gold set"]
    rises = [parts[s]["fixed"][-1]["proxy"] - parts[s]["fixed"][0]["proxy"] for s in seeds]
    differences = {
        "proxy, last round less start": rises,
        "gold, last round less start": np.subtract(first, base),
        "gold, stopped less last round": np.subtract(early, first),
        "gold, refreshed less fixed, last round": np.subtract(cured, first),
    }
    lines += ["", "| difference, paired by seed | |", "|---|---|"]
    lines += [
        f"| {name} | {over_seeds([float(x) for x in v])} |" for name, v in differences.items()
    ]
    asked_ = ", ".join(str(parts[s]["judged"]) for s in seeds)
    lines += [
        "",
        f"A refresh asked raters about on-policy pairs: {asked_} in all, by seed, five votes each.",
        "",
        "What is not shown: raters here are consistent and never tire, the hack is one that people "
        "see at once, and the models are tiny. A refresh cures what its judges can see.",
        "",
    ]
    return "\n".join(lines)


KINDS = (
    ("fixed", "proxy", "#b26b00", "proxy, fixed"),
    ("fixed", "gold", "#a3262e", "gold, fixed proxy"),
    ("refreshed", "gold", "#1f6f54", "gold, refreshed"),
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
        title="Gold and proxy reward against the square root of KL, from the start",
        axis="sqrt(KL) from the start, 0 to {right}; reward less that of the start",
    )


def main() -> int:
    """Run the parts that lack, and write report and picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--work", type=Path, default=ROOT / "build/learn-hacking-rounds")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "docs/experiments/learn-hacking-rounds.md"
    )
    parser.add_argument("--quick", action="store_true", help="show that everything runs")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    use_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    parts: dict[int, dict[str, Any]] = {}
    for seed in map(int, arguments.seeds.split(",")):
        kept = arguments.work / f"seed-{seed}.json"
        if not kept.exists():
            kept.write_text(json.dumps(run(scale, seed)), encoding="utf-8")
        parts[seed] = json.loads(kept.read_text(encoding="utf-8"))
    arguments.out.write_text(page(scale, parts), encoding="utf-8")
    images = arguments.out.parent.parent / "images"
    images.mkdir(exist_ok=True)
    (images / "learn-hacking-rounds.svg").write_text(drawn(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
