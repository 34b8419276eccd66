"""Train on a planted minority at 10:1, pooled and group-robust, and write who was served how.

    python scripts/learn_groups.py [--seeds 1,2,3] [--work DIR] [--out FILE] [--quick]

Two groups of raters judge the same generated questions. On half of them, told by their subject,
tastes are opposite; on the other half they agree. Ten raters are of the majority for one of the
minority, and everybody errs one time in ten. A small model, first tuned to give both answers alike,
is trained on the votes; held-out wordings are measured. Controls: groups shuffled, a start from
random weights, and no training. Finished runs are kept in --work and not run again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from normwright.learn import Method, PreferenceObjective, Shape, prefer, scratch_model, sft
from normwright.models.local import LocalModel
from normwright.models.tuning import Robustness
from normwright.models.tuning.loop import Loop
from normwright.records import Demonstration, Estimate, Message, PairVote, PreferencePair
from normwright.stats import paired_difference

RATERS = {"majority": 40, "minority": 4}
"""Who judges each question."""
ERRS = 0.1
BETA = 0.5
DISPUTED = ("garden", "kitchen", "river", "market", "school", "bridge", "harbour", "library")
AGREED = ("music", "paint", "letter", "lamp", "chair", "shirt", "clock", "bread")
ASKED = (
    "What can you tell me about the {}?",
    "Please say something about the {}.",
    "I want to know more about the {}.",
    "Can you help me with the {}?",
    "Who takes care of the {}?",
    "Is the {} open today?",
    "How old is the {}?",
    "Why do people like the {}?",
    "Where do I find the {}?",
    "Do I need the {} tomorrow?",
)
TOLD = "Yes, here is what I know about the {}."
REFERRED = "I cannot say; please ask a person about the {}."
ARMS = ("no training", "pooled", "robust", "robust, groups shuffled", "robust, cap 0.3")


@dataclass(frozen=True)
class Question:
    """One held-out or training question; the answer that tells is `told`."""

    prompt: tuple[Message, ...]
    told: str
    referred: str
    disputed: bool

    def taste(self, group: str) -> float:
        """Share of a group that prefers to be told."""
        against = self.disputed and group == "minority"
        return ERRS if against else 1 - ERRS


def questions() -> tuple[list[Question], list[Question]]:
    """Training and held-out questions: other wordings about the same subjects."""
    made = [
        [
            Question(
                (Message(role="user", content=wording.format(subject)),),
                TOLD.format(subject),
                REFERRED.format(subject),
                subject in DISPUTED,
            )
            for wording in wordings
            for subject in (*DISPUTED, *AGREED)
        ]
        for wordings in (ASKED[:6], ASKED[6:])
    ]
    return made[0], made[1]


def judged(asked: Sequence[Question], *, shuffled: bool, seed: int) -> list[PreferencePair]:
    """The votes of all raters on questions, as pairs."""
    rng = random.Random(seed)
    rows = []
    for place, one in enumerate(asked):
        votes = [
            PairVote(
                participant=f"{group}-{i}",
                choice="chosen" if rng.random() < one.taste(group) else "rejected",
                group=group,
            )
            for group, count in RATERS.items()
            for i in range(count)
        ]
        if shuffled:
            names = [vote.group for vote in votes]
            rng.shuffle(names)
            votes = [v.model_copy(update={"group": n}) for v, n in zip(votes, names, strict=True)]
        rows.append(
            PreferencePair(
                scene=f"q{place}", lang="en", prompt=one.prompt, chosen=one.told,
                rejected=one.referred, votes=tuple(votes), weight=1.0, norms=(), layer="planted",
                p_chosen=sum(v.choice == "chosen" for v in votes) / len(votes),
                origin="synthetic", process_kind="simulated", licence="Apache-2.0",
                family=f"q{place}",
            )
        )  # fmt: skip
    return rows


@dataclass(frozen=True)
class Served:
    """How one run serves each group on held-out questions, a figure a question."""

    served: dict[str, list[float]]
    """Share of a group that gets the answer it prefers, of the two in proportion to likelihood."""
    regret: dict[str, list[float]]
    """Cross-entropy of the group's taste against the model's, above the taste's entropy, nats."""
    weights: dict[str, float]
    seconds: float
    """Of processor time."""


def measured(start: LocalModel, made: LocalModel, asked: Sequence[Question]) -> tuple[Any, Any]:
    """Served shares and regrets on questions, by group."""
    sides = [
        [m.logprobs([q.prompt for q in asked], [getattr(q, side) for q in asked])
         for side in ("told", "referred")]
        for m in (start, made)
    ]  # fmt: skip
    before, after = (np.array(one[0]) - np.array(one[1]) for one in sides)
    served, regret = {}, {}
    for group in RATERS:
        t = np.array([q.taste(group) for q in asked])
        q = 1 / (1 + np.exp(-after))
        z = BETA * (after - before)
        served[group] = (q * t + (1 - q) * (1 - t)).tolist()
        cross = t * np.logaddexp(0, -z) + (1 - t) * np.logaddexp(0, z)
        own = -(t * np.log(t) + (1 - t) * np.log(1 - t))
        regret[group] = (cross - own).tolist()
    return served, regret


def ran(start: LocalModel, arm: str, seed: int, steps: int) -> Served:
    """Train one arm and measure it on held-out questions."""
    began = time.process_time()
    training, held = questions()
    weights: dict[str, float] = {}
    made = start
    if arm != "no training":
        rows = judged(training, shuffled="shuffled" in arm, seed=seed)
        method: Method = "soft" if arm == "pooled" else "robust"
        cap = 0.3 if "cap" in arm else 1.0
        made, metrics = prefer(
            start, rows, shown(rows), beta=BETA, anchor=0.0, unpermitted=True,
            loop=Loop(steps=steps, lr=1e-3, batch=24, seed=seed),
            objective=PreferenceObjective(
                method=method, prompts=1, robustness=Robustness(rate=0.3, memory=0.8, cap=cap)
            ),
        )  # fmt: skip
        weights = {
            name.removeprefix("weight_group_"): value
            for name, value in metrics.items()
            if name.startswith("weight_group_")
        }
    served, regret = measured(start, made, held)
    return Served(served, regret, weights, time.process_time() - began)


def shown(rows: Sequence[PreferencePair]) -> list[Any]:
    """Rows for an anchor that weighs nothing here."""
    from normwright.learn import preferred_answers

    return list(preferred_answers(list(rows)))


@cache
def starts(seed: int) -> dict[str, LocalModel]:
    """A model from random weights, and the same after it learned to give both answers alike."""
    both = [q for part in questions() for q in part]
    texts = [text for q in both for text in (q.prompt[0].content, q.told, q.referred)]
    bare = scratch_model(texts, shape=Shape(64, 2, 4, 600, 128), seed=seed)
    rows = [
        Demonstration(
            scene=f"d{i}", lang="en", prompt=q.prompt, completion=answer, origin="synthetic",
            licence="Apache-2.0", family=f"d{i}",
        )
        for i, q in enumerate(questions()[0])
        for answer in (q.told, q.referred)
    ]  # fmt: skip
    loop = Loop(epochs=20, lr=3e-3, batch=32, seed=seed)
    return {"tuned": sft(bare, rows, loop=loop, unpermitted=True)[0], "random weights": bare}


def kept(place: Path, make: Any) -> Served:
    """A finished run from disk, or one that is run and written there."""
    if place.is_file():
        return Served(**json.loads(place.read_text(encoding="utf-8")))
    found: Served = make()
    half = place.with_suffix(".half")
    half.write_text(json.dumps(asdict(found)), encoding="utf-8")
    half.replace(place)
    return found


def main() -> int:
    """Run what is missing and write the page; exit 1 if the worst-served group was not lifted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--work", type=Path, default=Path("build/learn-groups"))
    parser.add_argument("--out", type=Path, default=Path("docs/experiments/learn-groups.md"))
    parser.add_argument("--quick", action="store_true", help="a few steps, one seed, no page")
    given = parser.parse_args()
    seeds = [1] if given.quick else [int(s) for s in given.seeds.split(",")]
    steps = 4 if given.quick else 60
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    runs: dict[tuple[str, str, int], Served] = {}
    for seed in seeds:
        for kind, arms in (("tuned", ARMS), ("random weights", ARMS[:3])):
            for arm in arms:
                name = f"{kind}-{arm}-{seed}-{steps}".replace(" ", "_").replace(",", "")
                found = kept(
                    given.work / f"{name}.json",
                    lambda kind=kind, arm=arm, seed=seed: ran(starts(seed)[kind], arm, seed, steps),
                )
                runs[kind, arm, seed] = found
                means = {g: round(float(np.mean(v)), 3) for g, v in found.served.items()}
                sys.stderr.write(f"{name} {means} {found.weights}\n")
    lifted, page = written(runs, seeds, steps)
    if given.quick:
        sys.stdout.write(page)
        return 0
    given.out.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0 if lifted else 1


def difference(
    runs: Mapping[tuple[str, str, int], Served],
    kind: str,
    pair: tuple[str, str],
    measure: str,
    group: str,
    seeds: Sequence[int],
) -> Estimate:
    """Mean of the second arm less the first over seeds and questions, questions drawn whole."""
    sides = [
        [v for seed in seeds for v in getattr(runs[kind, arm, seed], measure)[group]]
        for arm in reversed(pair)
    ]
    clusters = [i for _ in seeds for i in range(len(sides[0]) // len(seeds))]
    return paired_difference(sides[0], sides[1], clusters=clusters, seed=0, bounds=(-9.0, 9.0))


def told(e: Estimate) -> str:
    """An estimate as a table shows it."""
    assert e.value is not None
    assert e.interval is not None
    return f"{e.value:+.3f} [{e.interval.low:+.3f}, {e.interval.high:+.3f}]"


def written(
    runs: Mapping[tuple[str, str, int], Served], seeds: Sequence[int], steps: int
) -> tuple[bool, str]:
    """The page, and whether robust training lifted the worst-served group, interval and all."""
    spent = sum(run.seconds for run in runs.values())
    lines = [
        "# A planted minority at 10:1, pooled and group-robust",
        "",
        f"Written by `scripts/learn_groups.py`: seeds {', '.join(map(str, seeds))}, {steps} steps, "
        f"one thread, {spent:.0f} processor seconds.",
        "",
        "Forty raters of a majority and four of a minority judge every question; on half of the",
        "subjects their tastes are opposite, on the other half they agree, and everybody errs one",
        "time in ten. A model of two layers learns first to give both answers alike, then votes.",
        "`served`: share of a group that gets the answer it prefers, when the model picks one of",
        "the two in proportion to likelihood, on held-out wordings. `regret`: what its choices",
        "cost the model's implicit reward above what its own disagreement costs, in nats a choice.",
        "Nobody can be served better than 0.9 on average. Raters are simulated.",
        "",
        "| start | trained | served: majority | minority | worst | regret: majority | minority "
        "| worst | final weight of the minority |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, arm in dict.fromkeys((kind, arm) for kind, arm, _ in runs):
        these = [runs[kind, arm, seed] for seed in seeds]
        cells = []
        for measure, worse in (("served", min), ("regret", max)):
            means = {g: float(np.mean([getattr(r, measure)[g] for r in these])) for g in RATERS}
            cells += [f"{v:.3f}" for v in (*means.values(), worse(means.values()))]
        weight = [r.weights["minority"] for r in these if r.weights]
        cells.append(f"{np.mean(weight):.3f}" if weight else "")
        lines.append(f"| {kind} | {arm} | {' | '.join(cells)} |")
    lines += [
        "",
        "Differences, paired by held-out question over all seeds, with 95 % intervals; questions",
        "are drawn whole.",
        "",
        "| start | difference | served: minority | served: majority (the price) "
        "| regret: minority | regret: majority (the price) |",
        "|---|---|---|---|---|---|",
    ]
    pairs = [
        ("tuned", ("pooled", "robust")),
        ("tuned", ("pooled", "robust, cap 0.3")),
        ("tuned", ("pooled", "robust, groups shuffled")),
        ("tuned", ("no training", "pooled")),
        ("random weights", ("pooled", "robust")),
    ]
    for kind, pair in pairs:
        cells = [
            told(difference(runs, kind, pair, measure, group, seeds))
            for measure in ("served", "regret")
            for group in ("minority", "majority")
        ]
        lines.append(f"| {kind} | {pair[1]} less {pair[0]} | {' | '.join(cells)} |")
    gain = difference(runs, "tuned", pairs[0][1], "served", "minority", seeds)
    cost = difference(runs, "tuned", pairs[0][1], "regret", "minority", seeds)
    assert gain.interval is not None
    assert cost.interval is not None
    lifted = gain.interval.low > 0 and cost.interval.high < 0
    lines += [
        "",
        f"Robust training lifts the worst-served group: {'yes' if lifted else 'no'}.",
        "",
        "What this does not show: that real groups have such tastes, that they are known, or that",
        "compromise between opposite tastes on the same question pleases anybody. A minority of",
        "trolls would be lifted alike; the cap is what holds it. From random weights one answer is",
        "likelier by its length, so what the model picks says nothing there; regret does.",
        "",
    ]
    return lifted, "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
