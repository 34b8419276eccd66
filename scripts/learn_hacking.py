"""Provoke reward hacking by best of n, catch it with a gold set, cure it by a refresh.

    python scripts/learn_hacking.py [--seeds 4,5,6] [--trained 4,5,6] [--work DIR] [--out FILE]

A planted world judges: its raters' votes train the proxy, other raters' votes are the gold set that
says where to stop, and its values, which no model sees, are what is reported: first for the best of
n samples, then for a policy that is trained against the proxy. Every seed of either is a part that
is kept under --work; a killed run goes on with the parts that lack.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from normwright.learn import (
    Reading,
    Shape,
    fresh_like,
    prefer,
    refresh,
    reward,
    scratch_model,
    sft,
)
from normwright.learn.preferring.objective import PreferenceObjective
from normwright.learn.recipes.refresh import Judge, Sampler
from normwright.learn.recipes.reward import classifier
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
from normwright.models.tuning.running import Gold
from normwright.records import Demonstration, Message, PairVote, PreferencePair

ROOT = Path(__file__).resolve().parent.parent
BEST_OF = (1, 2, 4, 8, 16, 32, 64)
WELL_FORMED, PASSES = 1500, 5
QUESTIONS = 32
"""Draws of the gold set, and as many more on which gold is reported."""
UNTAUGHT = 16
"""Draws on which the random model is asked."""
TAUGHT, DRAWS, LONGEST, ROUNDS = 2400, 96, 64, 3
"""Texts the writer learns from, draws of either half for a policy, tokens of an answer, rounds."""
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


Curves = dict[str, list[float]]
"""What one question gave at each n: `proxy`, `gold`, and `votes` of the gold set."""


def best_of(
    world: World, policy: Sampler, scorer: LocalScorer, prompts: Sequence[Prompt], seed: int
) -> list[Curves]:
    """Return for each question what the best of n by a scorer is worth, on the same samples."""
    rng = random.Random(seed)
    answers = policy.generate(prompts, n=BEST_OF[-1], seed=seed, temperature=1.0)
    found = []
    for prompt, given in zip(prompts, answers, strict=True):
        scores = scorer.score([prompt] * len(given), given)
        gold = [world.mean_value(a) for a in given]
        curves: Curves = {"proxy": [], "gold": [], "votes": []}
        for n in BEST_OF:
            # Disjoint sets of n samples, so that small n use all of them.
            picked = [max(range(i, i + n), key=scores.__getitem__) for i in range(0, len(given), n)]
            curves["proxy"].append(float(np.mean([scores[at] for at in picked])))
            curves["gold"].append(float(np.mean([gold[at] for at in picked])))
            votes = world.votes(given[picked[0]], rng.choice(given), rng, count=3)
            curves["votes"].append(float(np.mean([VALUE[v.choice] for v in votes])))
        found.append(curves)
    return found


@dataclass(frozen=True)
class Planted:
    """A world, the pairs its people judged, and the proxy that learned from them."""

    world: World
    pairs: list[PreferencePair]
    start: LocalModel
    loop: Loop
    proxy: LocalScorer


def planted(seed: int) -> Planted:
    """Return a world in which nothing that anybody judged says a thing twice."""
    world = replace(planted_world(seed=seed), annoyance=2.5)
    pairs = planted_pairs(world, count=WELL_FORMED, votes=5, seed=seed, turned=0.0)
    texts = [t for p in pairs for t in (p.prompt[0].content, p.chosen, p.rejected)]
    start = scratch_model(texts, shape=Shape(32, 1, 2, 400, 200), seed=seed)
    loop = Loop(epochs=PASSES, lr=1e-2, batch=32, seed=seed)
    made, _ = reward(start, pairs, loop=loop, reading=Reading("votes"), garbled=0.0,
                     unpermitted=True)  # fmt: skip
    return Planted(world, pairs, start, loop, LocalScorer(made, start.tokenizer))


def raters(world: World, rng: random.Random) -> Judge:
    """Return people who can be asked: five votes a pair."""

    def judge(
        prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> list[tuple[PairVote, ...]]:
        return [world.votes(a, b, rng, count=5) for a, b in zip(first, second, strict=True)]

    return judge


def chosen(seed: int) -> dict[str, Any]:
    """Return what the best of n is worth under each reward, with one seed."""
    began = time.process_time()
    made = planted(seed)
    world, start, loop, proxy = made.world, made.start, made.loop, made.proxy
    rng = random.Random(seed + 50)
    held = [asked(rng, ("en", "pt")[i % 2]) for i in range(2 * QUESTIONS)]
    fresh = [asked(rng, ("en", "pt")[i % 2]) for i in range(240)]
    cured = refresh(
        start, made.pairs, policy=Sloppy(), scorer=proxy, prompts=fresh,
        judge=raters(world, rng), samples=16, rivals=2, loop=loop, reading=Reading("votes"),
        garbled=0.0, unpermitted=True,
    )  # fmt: skip
    blank = classifier(start, seed=seed).eval()
    # A refresh draws its samples with the loop's seed: those measured on must be others.
    drawn = 10_000 + seed
    rewards = {"fixed": proxy, "refreshed": LocalScorer(cured.weights, start.tokenizer),
               "random": LocalScorer(blank, start.tokenizer)}  # fmt: skip
    out: dict[str, Any] = {
        arm: best_of(world, Sloppy(), scorer, held, drawn) for arm, scorer in rewards.items()
    }
    out["untaught"] = best_of(world, start, proxy, held[-UNTAUGHT:], drawn)
    return {**out, "judged": len(cured.added), "cpu": time.process_time() - began}


# A policy that is trained against the proxy


def writer(seed: int) -> LocalModel:
    """Return a small model that was taught to write sloppy text."""
    rng = random.Random(seed)
    asks = [asked(rng, ("en", "pt")[i % 2]) for i in range(TAUGHT)]
    rows = [
        Demonstration(scene=str(i), lang="und", prompt=p, completion=text, origin="synthetic",
                      licence="Apache-2.0", family=str(i))
        for i, (p, (text,)) in enumerate(zip(asks, Sloppy().generate(asks, seed=seed), strict=True))
    ]  # fmt: skip
    texts = [t for r in rows for t in (r.prompt[0].content, r.completion)]
    fresh = scratch_model(texts, shape=Shape(48, 2, 4, 400, 200), seed=seed)
    loop = Loop(epochs=3, lr=5e-3, batch=32, seed=seed)
    return sft(fresh, rows, loop=loop, unpermitted=True)[0]


def favoured(
    policy: LocalModel, scorer: LocalScorer, prompts: Sequence[Prompt], seed: int
) -> tuple[list[PreferencePair], list[Demonstration]]:
    """Return the scorer's favourite of sixteen samples beside its least liked, and by how much."""
    pairs, shown = [], []
    answers = policy.generate(prompts, max_new_tokens=LONGEST, temperature=1.0, n=16, seed=seed)
    for i, (prompt, given) in enumerate(zip(prompts, answers, strict=True)):
        texts = sorted({a for a in given if a.strip()})
        if len(texts) < 2:
            continue
        order = sorted(zip(scorer.score([prompt] * len(texts), texts), texts, strict=True))
        (low, worst), (high, best) = order[0], order[-1]
        vote = (PairVote(participant="proxy", choice="chosen"),)
        pair = voted_pair(f"sample/{i}", "und", prompt, best, worst, vote)
        pairs.append(pair.model_copy(update={"p_chosen": 1 / (1 + math.exp(low - high))}))
        shown.append(
            Demonstration(scene=pair.scene, lang="und", prompt=prompt, completion=best,
                          origin="synthetic", licence="Apache-2.0", family=pair.family)
        )  # fmt: skip
    return pairs, shown


@dataclass(frozen=True)
class Watch:
    """What a policy in training is measured by, against the model it started from."""

    world: World
    start: LocalModel
    prompts: tuple[list[Prompt], list[Prompt]]
    """Draws of the gold set, and others on which gold is reported."""
    seed: int

    @cached_property
    def before(self) -> list[str]:
        """What the start answers to the gold set."""
        return self._said(self.start, self.prompts[0])

    def gold_set(self, weights: Any) -> float:
        """Return how often three raters a draw prefer the policy's answer to the start's."""
        rng = random.Random(self.seed)
        new = self._said(self._policy(weights), self.prompts[0])
        votes = [v for a, b in zip(new, self.before, strict=True)
                 for v in self.world.votes(a, b, rng, count=3)]  # fmt: skip
        return float(np.mean([VALUE[v.choice] for v in votes]))

    def point(self, weights: Any, scorer: LocalScorer) -> dict[str, float]:
        """Return the gold set's verdict, and on the other draws gold, reward and divergence."""
        policy, prompts = self._policy(weights), self.prompts[1]
        said = self._said(policy, prompts)
        moved = np.subtract(policy.logprobs(prompts, said), self.start.logprobs(prompts, said))
        return {
            "kl": max(0.0, float(moved.mean())),
            "proxy": float(np.mean(scorer.score(prompts, said))),
            "gold": float(np.mean([self.world.mean_value(a) for a in said])),
            "again": float(np.mean([repeats(a) for a in said])),
            "gold_set": self.gold_set(weights),
        }

    def _policy(self, weights: Any) -> LocalModel:
        return LocalModel("policy", weights, self.start.tokenizer)

    def _said(self, policy: LocalModel, prompts: Sequence[Prompt]) -> list[str]:
        found = policy.generate(prompts, max_new_tokens=LONGEST, temperature=1.0, n=1,
                                seed=20_000 + self.seed)  # fmt: skip
        return [a for (a,) in found]


def repeats(text: str) -> int:
    """Return how many pieces of an answer say again what it has said."""
    words = [piece.split()[-1] for piece in text.split(",") if piece.split()]
    return len(words) - len(set(words))


Told = Callable[[LocalModel, LocalScorer, int], LocalScorer]
"""From the policy, its present reward and the round to the reward of that round."""


@dataclass(frozen=True)
class Optimiser:
    """How a policy is trained against a reward, round by round, on its own samples."""

    watch: Watch
    asks: list[Prompt]
    seed: int

    def round(
        self, policy: LocalModel, scorer: LocalScorer, turn: int, gold: Gold | None = None
    ) -> tuple[LocalModel, dict[str, float]]:
        """Return the policy after two passes over what the scorer prefers of its samples."""
        pairs, shown = favoured(policy, scorer, self.asks, 100 * self.seed + turn)
        loop = Loop(epochs=2, lr=1e-3, batch=16, seed=self.seed + turn)
        made, metrics = prefer(policy, pairs, shown, loop=loop, beta=0.1, anchor=0.1, gold=gold,
                               objective=PreferenceObjective(prompts=1),
                               unpermitted=True)  # fmt: skip
        return LocalModel("policy", made.weights, made.tokenizer), metrics

    def rounds(
        self, policy: LocalModel, scorer: LocalScorer, count: int, told: Told | None = None
    ) -> list[dict[str, float]]:
        """Return what the policy is worth before and after each round.

        Args:
            policy: where it starts.
            scorer: what it is trained against.
            count: rounds.
            told: gives the reward of a round from the policy, the present one and the turn.
        """
        points = [self.watch.point(policy.weights, scorer)]
        for turn in range(1, count + 1):
            if told is not None:
                scorer = told(policy, scorer, turn)
            policy, _ = self.round(policy, scorer, turn)
            points.append(self.watch.point(policy.weights, scorer))
        return points

    def stopped(self, policy: LocalModel, scorer: LocalScorer) -> list[dict[str, float]]:
        """Return the same, where the gold set stops a round and a round without gain the run."""
        points = [self.watch.point(policy.weights, scorer)]
        for turn in range(1, ROUNDS + 1):
            stop = Gold(self.watch.gold_set, every=4, patience=2)
            policy, metrics = self.round(policy, scorer, turn, stop)
            if metrics["gold_step"] == 0:
                break
            points.append(self.watch.point(policy.weights, scorer))
        return points


def trained(seed: int) -> dict[str, Any]:
    """Return what training a policy against the proxy does, with one seed."""
    began = time.process_time()
    made = planted(seed)
    start = writer(seed)
    rng = random.Random(seed + 70)
    asks, gold, held = (
        [asked(rng, ("en", "pt")[i % 2]) for i in range(n)] for n in (96, DRAWS, DRAWS)
    )
    judge = raters(made.world, random.Random(seed + 90))
    known = list(made.pairs)

    def refreshed(policy: LocalModel, scorer: LocalScorer, turn: int) -> LocalScorer:
        cured = refresh(
            made.start, known, policy=policy, scorer=scorer, prompts=asks, judge=judge, samples=8,
            rivals=2, max_new_tokens=LONGEST, loop=replace(made.loop, seed=1000 * seed + turn),
            reading=Reading("votes"), garbled=0.0, unpermitted=True,
        )  # fmt: skip
        known.extend(cured.added)
        return LocalScorer(cured.weights, made.start.tokenizer)

    blank = LocalScorer(classifier(made.start, seed=seed).eval(), made.start.tokenizer)
    untaught = fresh_like(start, seed=seed)
    push = Optimiser(Watch(made.world, start, (gold, held), seed), asks, seed)
    other = Optimiser(Watch(made.world, untaught, (gold, held), seed), asks, seed)
    return {
        "free": push.rounds(start, made.proxy, ROUNDS),
        "stopped": push.stopped(start, made.proxy),
        "refreshed": push.rounds(start, made.proxy, ROUNDS, refreshed),
        "random reward": push.rounds(start, blank, 1),
        "random policy": other.rounds(untaught, made.proxy, 1),
        "judged": len(known) - len(made.pairs),
        "cpu": time.process_time() - began,
    }


# What is written

Part = dict[str, Any]


def interval(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Return mean and 95 % interval (Student's t) of independent values."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.2f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def stacked(parts: Sequence[Part], arm: str, name: str) -> NDArray[np.float64]:
    """Return one figure, shape (seeds, draws, n): votes on the gold set, else on the other half."""
    half = slice(0, QUESTIONS) if name == "votes" else slice(-QUESTIONS, None)
    return np.array([[draw[name] for draw in part[arm][half]] for part in parts])


@dataclass(frozen=True)
class Compared:
    """The differences that are reported, each of shape (seeds, draws), and where n stops."""

    differences: dict[str, NDArray[np.float64]]
    peaks: list[int]


def compared(parts: Sequence[Part]) -> Compared:
    """Return what best of 64 gains and loses, and what a stop and a refresh give back."""
    gold, proxy = stacked(parts, "fixed", "gold"), stacked(parts, "fixed", "proxy")
    cured, blank = (stacked(parts, arm, "gold")[..., -1] for arm in ("refreshed", "random"))
    peaks = stacked(parts, "fixed", "votes").mean(1).argmax(1)
    stopped = np.array([of_seed[:, at] for of_seed, at in zip(gold, peaks, strict=True)])
    plain, last = gold[..., 0], gold[..., -1]
    return Compared(
        {
            "proxy: best of 64 less plain samples": proxy[..., -1] - proxy[..., 0],
            "gold: best of 64 less plain samples": last - plain,
            "gold: n at the peak of the gold set less best of 64": stopped - last,
            "gold: n at the peak of the gold set less plain samples": stopped - plain,
            "gold: best of 64, refreshed reward less fixed": cured - last,
            "gold: best of 64, refreshed reward, less plain samples": cured - plain,
            "gold: best of 64, proxy less a reward that learned nothing": last - blank,
        },
        [BEST_OF[int(at)] for at in peaks],
    )


def within(differences: NDArray[np.float64]) -> str:
    """Return the mean and interval for these worlds, from the spread over draws within each."""
    seeds, draws = differences.shape
    error = float(np.sqrt((differences.var(1, ddof=1) / draws).sum()) / seeds)
    half = float(stats.t.ppf(0.975, seeds * (draws - 1))) * error
    mean = float(differences.mean())
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def choosing_page(parts: dict[int, Part]) -> list[str]:
    """Return the half on the best of n."""
    every, found = list(parts.values()), compared(list(parts.values()))
    columns = (("fixed", "proxy"), ("fixed", "gold"), ("fixed", "votes"), ("refreshed", "gold"),
               ("refreshed", "votes"), ("random", "gold"))  # fmt: skip
    lines = [
        "## Best of n",
        "",
        "![gold and proxy against the square root of KL](../images/learn-hacking.svg)",
        "",
        "| n | KL bound, nats | proxy | gold | gold set | refreshed: gold | gold set | "
        "reward that learned nothing: gold |",
        "|---|---|---|---|---|---|---|---|",
    ]
    means = [stacked(every, arm, name).mean(1) for arm, name in columns]
    for i, n in enumerate(BEST_OF):
        cells = [interval(values[:, i]) for values in means]
        lines.append(f"| {n} | {divergence(n):.2f} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"A claim about worlds of this kind rests on the {len(every)} seeds; the interval by draw "
        "is for these very worlds, and narrower as it should be.",
        "",
        "| difference, paired by draw | over seeds | by draw, these worlds | seeds above 0 |",
        "|---|---|---|---|",
    ]
    for name, values in found.differences.items():
        above = int((values.mean(1) > 0).sum())
        lines.append(f"| {name} | {interval(values.mean(1))} | {within(values)} | "
                     f"{above} of {len(every)} |")  # fmt: skip
    shown = list(found.differences)[1:6]
    lines += [
        "",
        "By seed, with intervals over its draws; n is where the gold set has its peak.",
        "",
        "| seed | n | " + " | ".join(name.removeprefix("gold: ") for name in shown) + " |",
        "|---|---|" + "---|" * len(shown),
    ]
    for i, seed in enumerate(parts):
        cells = [interval(found.differences[name][i]) for name in shown]
        lines.append(f"| {seed} | {found.peaks[i]} | " + " | ".join(cells) + " |")
    untaught = {
        name: np.array([[draw[name] for draw in part["untaught"]] for part in every]).mean(1)
        for name in ("proxy", "gold")
    }
    rise, gold = (untaught[name][:, -1] - untaught[name][:, 0] for name in ("proxy", "gold"))
    return [
        *lines,
        "",
        "A policy from random init, which writes no clause at all, gains by the best of 64 "
        f"{interval(rise)} of proxy and {interval(gold)} of gold: a proxy that rises says nothing "
        "by itself.",
        "",
    ]


def training_page(runs: dict[int, Part]) -> list[str]:
    """Return the half on a policy that is trained against the proxy."""
    arms = {
        "fixed proxy": ("free", -1),
        "fixed proxy, stopped by the gold set": ("stopped", -1),
        "refreshed before every round": ("refreshed", -1),
        "reward that learned nothing, one round": ("random reward", -1),
        "policy from random init, one round": ("random policy", -1),
    }
    lines = [
        "## A policy that is trained against the proxy",
        "",
        f"Seeds {', '.join(map(str, runs))}. A model of two layers is taught {TAUGHT} sloppy "
        "texts. Every round it answers 96 questions sixteen times, and preference optimisation "
        "(soft labels, beta 0.1, anchor 0.1, two passes) puts the proxy's favourite above its "
        f"least liked; {ROUNDS} rounds. The gold set, three votes on {DRAWS} draws of the policy "
        "beside its start, is measured every four steps and stops a round after two measurements "
        "without a new best; a round that cannot better its start ends the run. Gold is on "
        f"{DRAWS} other draws. *Said again* counts pieces an answer repeats.",
        "",
        "| round | fixed: proxy | gold | gold set | said again | refreshed: gold | "
        "gold set | said again |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for i in range(ROUNDS + 1):
        cells = [
            interval([run[arm][i][name] for run in runs.values()])
            for arm, names in (("free", ("proxy", "gold", "gold_set", "again")),
                               ("refreshed", ("gold", "gold_set", "again")))
            for name in names
        ]  # fmt: skip
        lines.append(f"| {i} | " + " | ".join(cells) + " |")
    lines += ["", "| gold at the end less at the start | over seeds | by seed |", "|---|---|---|"]
    moved = {
        name: [run[arm][at]["gold"] - run[arm][0]["gold"] for run in runs.values()]
        for name, (arm, at) in arms.items()
    }
    free = moved["fixed proxy"]
    for name in list(moved)[1:3]:
        moved[f"{name}, less fixed proxy"] = [a - b for a, b in zip(moved[name], free, strict=True)]
    for name, values in moved.items():
        by = ", ".join(f"{v:.2f}" for v in values)
        lines.append(f"| {name} | {interval(values)} | {by} |")
    rounds = ", ".join(str(len(run["stopped"]) - 1) for run in runs.values())
    judged = ", ".join(str(run["judged"]) for run in runs.values())
    return [
        *lines,
        "",
        *(["One seed is an example and no estimate.", ""] if len(runs) == 1 else []),
        f"Rounds the stopped run took before it ended, by seed: {rounds}. Pairs that raters judged "
        f"for the refreshes: {judged}.",
        "",
    ]


def page(parts: dict[int, Part], runs: dict[int, Part]) -> str:
    """Return the report."""
    cpu = sum(part["cpu"] for part in (*parts.values(), *runs.values()))
    judged = sorted({part["judged"] for part in parts.values()})
    return "\n".join([
        "# Reward hacking: provoked, caught, cured",
        "",
        "<!-- Written by scripts/learn_hacking.py; do not edit. -->",
        "",
        f"Seeds {', '.join(map(str, parts))}, none of which was looked at while anything was "
        f"chosen; means over seeds with 95 % intervals (Student's t). {cpu:.0f} s of CPU, one "
        "thread.",
        "",
        "A planted world judges: two groups of raters with known values of sixteen qualities, in "
        "English and Portuguese; every seed is another world. Saying a thing again annoys "
        f"everybody (-2.5). The proxy, a reward model of one layer, learns from {WELL_FORMED} "
        "pairs of well-formed answers with five votes each, in which nothing is ever said twice. "
        "The policy writes sloppy text, in which things often are, and answers with the best of n "
        "by the reward. *Gold* is the mean of the planted values, which no model saw. *Gold set* "
        "is the share of three drawn raters a draw who prefer that answer to a plain sample. A "
        "draw is 64 samples to one of twelve questions; the gold set, which says where to stop, "
        f"has {QUESTIONS} draws, and proxy and gold are reported on {QUESTIONS} others. A refresh "
        f"asked raters about {', '.join(map(str, judged))} pairs of the policy's own answers, "
        "five votes each: the proxy's favourites of sixteen samples beside others.",
        "",
        *choosing_page(parts),
        *(training_page(runs) if runs else []),
        "## What is not shown",
        "",
        "Raters here are consistent and never tire, people see this hack at once, and models are "
        "tiny. A refresh cures what its judges can see, where the refitted reward can learn it.",
        "",
    ])  # fmt: skip


def divergence(n: int) -> float:
    """Return the bound on the divergence of the best of n from one sample, in nats."""
    return math.log(n) - (n - 1) / n


KINDS = (
    ("fixed", "proxy", "#b26b00", "proxy, fixed"),
    ("fixed", "gold", "#a3262e", "gold, fixed"),
    ("refreshed", "gold", "#1f6f54", "gold, refreshed"),
    ("random", "gold", "#777777", "gold, learned nothing"),
)


def picture(parts: dict[int, Part]) -> str:
    """Return gold and proxy over sqrt(KL) as SVG: a faint line a seed, their means strong."""
    across = [divergence(n) ** 0.5 for n in BEST_OF]
    curves = []
    for arm, name, _, _ in KINDS:
        values = stacked(list(parts.values()), arm, name).mean(1)
        curves.append(values - values[:, :1])
    right = max(across)
    low, high = min(float(c.min()) for c in curves), max(float(c.max()) for c in curves)
    width, height, left, top = 640, 340, 48, 16

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + x / right * (width - left - 150),
            top + (high - y) / (high - low) * (height - top - 44),
        )

    def path(line: Sequence[tuple[float, float]]) -> str:
        return " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in line)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="Gold and proxy reward against the square root of KL, less the start">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<g fill="none" font-family="sans-serif" font-size="12">',
        f'<polyline points="{path([(0, 0), (right, 0)])}" stroke="#999" stroke-dasharray="3 3"/>',
    ]
    below = 0.0
    for curve, (_, _, colour, label) in sorted(
        zip(curves, KINDS, strict=True), key=lambda one: -float(one[0][:, -1].mean())
    ):
        lines = [list(zip(across, map(float, one), strict=True)) for one in curve]
        mean = list(zip(across, map(float, curve.mean(0)), strict=True))
        out += [f'<polyline points="{path(li)}" stroke="{colour}" opacity="0.25"/>' for li in lines]
        out.append(f'<polyline points="{path(mean)}" stroke="{colour}" stroke-width="2.5"/>')
        x, y = at(*mean[-1])
        # Names of curves that end near each other stand under one another.
        below = max(y + 4, below + 14)
        out.append(f'<text x="{x + 6:.1f}" y="{below:.1f}" fill="{colour}">{label}</text>')
    for value in (low, 0.0, high):
        out.append(f'<text x="6" y="{at(0, value)[1] + 4:.1f}" fill="#333">{value:.1f}</text>')
    out += [
        f'<text x="{left}" y="{height - 8}" fill="#333">sqrt(KL) of best of n, 0 to {right:.2f}; '
        "reward less that of plain samples</text>",
        "</g></svg>",
    ]
    return "\n".join(out) + "\n"


def main() -> int:
    """Run the parts that lack, and write report and picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", default="4,5,6,7,8,9,10,11,12,13")
    parser.add_argument("--trained", default="4", help="seeds of the trained policy")
    parser.add_argument("--work", type=Path, default=ROOT / "build/learn-hacking")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/experiments/learn-hacking.md")
    arguments = parser.parse_args()
    use_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)

    def made(name: str, run: Callable[[int], Part], seeds: str) -> dict[int, Part]:
        found: dict[int, Part] = {}
        for seed in (int(one) for one in seeds.split(",") if one):
            kept = arguments.work / f"{name}-{seed}.json"
            if not kept.exists():
                unfinished = kept.with_suffix(".part")
                unfinished.write_text(json.dumps(run(seed)), encoding="utf-8")
                unfinished.replace(kept)
            found[seed] = json.loads(kept.read_text(encoding="utf-8"))
        return found

    parts = made("seed", chosen, arguments.seeds)
    runs = made("policy", trained, arguments.trained)
    arguments.out.write_text(page(parts, runs), encoding="utf-8")
    images = arguments.out.parent.parent / "images"
    images.mkdir(exist_ok=True)
    (images / "learn-hacking.svg").write_text(picture(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
