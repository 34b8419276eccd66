"""Measure reward models on raters whose values are known and on pairs three people judged.

    python scripts/learn_rewards.py [--work DIR] [--data DIR] [--out FILE] [--folds N]

Every arm is a part that is kept under --work; a killed run goes on with the parts that lack. Real
pairs are read from --data (default: NORMWRIGHT_DATA); without them that half is left out and said.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from normwright.learn import (
    Reading,
    RewardReport,
    Shape,
    fresh_like,
    measure_reward,
    reward,
    scratch_model,
)
from normwright.learn.recipes.reward import classifier
from normwright.learn.reward_models.measured import agreement, calibration_error, fit_of, margins
from normwright.learn.reward_models.planted import TURNED, planted_pairs, planted_world
from normwright.models.local import LocalModel, LocalScorer, use_threads
from normwright.models.places import embedded_path
from normwright.models.tuning import answer_rows
from normwright.models.tuning.loop import Loop
from normwright.records import InputError, Message, PairVote, PreferencePair, json_rows
from normwright.stats import bootstrap_mean

ROOT = Path(__file__).resolve().parent.parent
TRAIN, HELD = 3000, 2000
"""Planted pairs to learn from and to measure on, five votes each."""
PASSES = {"trained": 10, "negated": 10, "shuffled": 3}
SEEDS = (21, 22, 23)
"""Worlds that were not looked at while anything was chosen."""
LONGEST = 256
"""Tokens a real row may have; longer ones stay out and are counted."""
Part = dict[str, Any]


def shuffled(pairs: Sequence[PreferencePair], seed: int) -> list[PreferencePair]:
    """Return the pairs with their votes dealt to other pairs: a control that can learn nothing."""
    given = [(p.p_chosen, p.votes) for p in pairs]
    random.Random(seed).shuffle(given)
    return [
        p.model_copy(update={"p_chosen": share, "votes": votes})
        for p, (share, votes) in zip(pairs, given, strict=True)
    ]


def seconds(run: Callable[[], Part]) -> Part:
    """Return what a part measured, with its CPU seconds."""
    began = time.process_time()
    return {**run(), "cpu": time.process_time() - began}


# Planted raters


def planted(arm: str, seed: int) -> Part:
    """Return one arm on planted raters: `trained`, `negated`, `shuffled` or `random-init`.

    The world, the pairs learned from and the pairs measured on are all this seed's own.
    """
    world, turned = planted_world(seed=seed), TURNED if arm == "negated" else 0.0
    train = planted_pairs(world, count=TRAIN, votes=5, seed=1000 + seed, turned=turned)
    held = planted_pairs(world, count=HELD, votes=5, seed=2000 + seed, turned=turned)
    texts = [t for p in train for t in (p.prompt[0].content, p.chosen, p.rejected)]
    start = scratch_model(texts, shape=Shape(32, 1, 2, 400, 128), seed=seed)
    groups = ("pooled", *sorted(world.values))
    if arm == "random-init":
        weights = classifier(start, seed=seed, heads=groups).eval()
    else:
        rows = shuffled(train, seed) if arm == "shuffled" else train
        weights, _ = reward(
            start, rows, head="groups", reading=Reading("votes"), garbled=0.0, unpermitted=True,
            loop=Loop(epochs=PASSES[arm], lr=1e-2, batch=32, seed=seed),
        )  # fmt: skip
    shares = [world.share(p.chosen, p.rejected) for p in held]
    scorer = LocalScorer(weights, start.tokenizer)
    told = measure_reward(scorer, held, train, seed=seed, shares=shares)
    out: Part = {"report": asdict_of(told)}
    families = [p.family for p in held]
    out["groups"] = {}
    for group in world.values:
        truth = np.array([world.share(p.chosen, p.rejected, group) for p in held])
        own = LocalScorer(weights, start.tokenizer, head=groups.index(group))
        out["groups"][group] = {
            "own head": shown(agreement(margins(own, held), truth), families, seed),
            "pooled head": shown(agreement(margins(scorer, held), truth), families, seed),
            "ceiling": shown(np.maximum(truth, 1 - truth), families, seed),
        }
    return out


def shown(values: Any, clusters: Sequence[str], seed: int) -> Any:
    """Return a mean with its interval, as JSON."""
    return bootstrap_mean(values, clusters=clusters, seed=seed).model_dump()


def asdict_of(report: RewardReport) -> Any:
    """Return a report as JSON values."""
    return json.loads(json.dumps(asdict(report), default=lambda one: one.model_dump()))


# Three annotators


def annotated(path: Path) -> list[PreferencePair]:
    """Return pairs that three people judged, with their votes; the seats are not one person each.

    Raises:
        InputError: with every line that is no row.
    """
    faults: list[Any] = []
    out = []
    for number, row in json_rows(path, path.name, faults):
        asks = f"{row['instruction']}\n\n{row['input']}".strip()
        first, second = row["response1"].strip(), row["response2"].strip()
        if not first or not second or first == second:
            continue
        votes = tuple(
            PairVote(participant=seat, choice=("tie", "chosen", "rejected")[row[seat]])
            for seat in ("annotator1", "annotator2", "annotator3")
        )  # fmt: skip
        won = sum({"chosen": 1.0, "tie": 0.5, "rejected": 0.0}[v.choice] for v in votes)
        out.append(
            PreferencePair(
                scene=f"{path.name}/{number}", lang="en",
                prompt=(Message(role="user", content=asks),), chosen=first, rejected=second,
                p_chosen=won / 3, weight=1.0, votes=votes, norms=("o.quality",),
                layer="organisation", origin="human", process_kind="human", licence="Apache-2.0",
                family=row["instruction"],
            )
        )  # fmt: skip
    if faults:
        raise InputError(faults)
    return out


def folded(pairs: Sequence[PreferencePair], folds: int) -> list[int]:
    """Return the fold of each pair; all pairs of one instruction lie in one."""
    names = sorted({p.family for p in pairs})
    random.Random(0).shuffle(names)
    place = {name: i % folds for i, name in enumerate(names)}
    return [place[p.family] for p in pairs]


def fits(model: LocalModel, pair: PreferencePair) -> bool:
    """Say whether both rows of a pair are short enough."""
    try:
        answer_rows(
            model.tokenizer, [(pair.prompt, pair.chosen), (pair.prompt, pair.rejected)],
            limit=LONGEST,
        )  # fmt: skip
    except InputError:
        return False
    return True


def real(path: Path, arm: str, fold: int, folds: int) -> Part:
    """Return one arm's margins on one held-out fold of the three-annotator pairs."""
    base = LocalModel.open(embedded_path(), name="base")
    every = annotated(path)
    pairs = [p for p in every if fits(base, p)]
    where = folded(pairs, folds)
    held = [p for p, f in zip(pairs, where, strict=True) if f == fold]
    train = [p for p, f in zip(pairs, where, strict=True) if f != fold]
    start = fresh_like(base, seed=fold) if arm == "random-init" else base
    rows = shuffled(train, fold) if arm == "shuffled" else train
    weights, _ = reward(
        start, rows, reading=Reading("votes"), garbled=0.0, unpermitted=True, limit=LONGEST,
        loop=Loop(epochs=1, lr=1e-4, batch=16, seed=fold),
    )  # fmt: skip
    from normwright.learn.reward_models.measured import bag_of_words_baseline, length_baseline

    return {
        "margin": margins(LocalScorer(weights, base.tokenizer, 16), held).tolist(),
        "length": length_baseline(train)(held).tolist(),
        "words": bag_of_words_baseline(train)(held).tolist(),
        "p": [p.p_chosen for p in held],
        "family": [p.family for p in held],
        "too long": len(every) - len(pairs),
    }


# What is written


def told(estimate: Part, digits: int = 3) -> str:
    """Return a stored estimate with its interval."""
    if estimate["value"] is None:
        return "-"
    text = f"{estimate['value']:.{digits}f}"
    if estimate["interval"]:
        low, high = (estimate["interval"][side] for side in ("low", "high"))
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    return text


def over_seeds(values: Sequence[float], digits: int = 3) -> str:
    """Return mean and 95 % interval over seeds (Student's t)."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.{digits}f}"
    spread = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(stats.t.ppf(0.975, len(values) - 1)) * spread
    return f"{mean:.{digits}f} [{mean - half:.{digits}f}, {mean + half:.{digits}f}]"


def planted_page(parts: dict[str, dict[int, Part]]) -> list[str]:
    """Return the half on planted raters, from the parts of each arm by seed."""
    trained = parts["trained"]
    if not trained:
        return ["## Planted raters", "", "Not run.", ""]
    first = next(iter(trained.values()))["report"]
    lines = [
        "## Planted raters",
        "",
        f"{TRAIN} pairs to learn from, five votes each, drawn from 48 people of one group and 16 "
        f"of another that values half of the qualities the other way round; {HELD} other pairs to "
        "measure on, against the true shares. A model of one layer from random weights, one head "
        "for everybody and one a group. Nothing is negated in these texts, so counting words is "
        "the right model here, and bag of words no shortcut. Each seed is a world, pairs and "
        "weights of its own; none was looked at while anything was chosen.",
        "",
        f"| scorer | accuracy, mean of {len(trained)} seeds | short of Bayes, points | log-loss | "
        "ECE |",
        "|---|---|---|---|---|",
    ]

    def row(name: str, reports: Sequence[Part], fits: Sequence[Part]) -> str:
        gaps = [100 * (r["ceiling"]["value"] - fit["accuracy"]["value"])
                for r, fit in zip(reports, fits, strict=True)]  # fmt: skip
        cells = [over_seeds([fit["accuracy"]["value"] for fit in fits]), over_seeds(gaps, 2)]
        cells += [over_seeds([fit[m]["value"] for fit in fits]) for m in ("log_loss", "ece")]
        return f"| {name} | " + " | ".join(cells) + " |"

    reports = [part["report"] for part in trained.values()]
    ceiling, entropy = (over_seeds([r[name]["value"] for r in reports])
                        for name in ("ceiling", "entropy"))  # fmt: skip
    lines += [
        f"| who knows every share: E max(p, 1 - p), entropy | {ceiling} | 0 | {entropy} | 0 |",
        row("trained", reports, [r["model"] for r in reports]),
    ]
    controls = {
        "votes shuffled over pairs, a third of the passes": "shuffled",
        "random init, not trained": "random-init",
    }
    for name, arm in controls.items():
        if parts[arm]:
            own = [part["report"] for part in parts[arm].values()]
            lines.append(row(name, own, [r["model"] for r in own]))
    for name in first["baselines"]:
        lines.append(row(name, reports, [r["baselines"][name] for r in reports]))
    lines += [
        "",
        "By seed, with intervals at 95 % by pair:",
        "",
        "| seed | accuracy | Bayes | points short | ECE | above bag of words |",
        "|---|---|---|---|---|---|",
    ]
    for seed, report in zip(trained, reports, strict=True):
        gap = report["ceiling"]["value"] - report["model"]["accuracy"]["value"]
        lines.append(
            f"| {seed} | {told(report['model']['accuracy'])} | {told(report['ceiling'])} | "
            f"{100 * gap:.2f} | {told(report['model']['ece'])} | "
            f"{told(report['over']['bag-of-words'])} |"
        )
    lines += ["", "| group, by seed | its own head | pooled head | ceiling |", "|---|---|---|---|"]
    for seed, part in trained.items():
        for group, found in part["groups"].items():
            cells = " | ".join(told(found[n]) for n in ("own head", "pooled head", "ceiling"))
            lines.append(f"| {group}, {seed} | {cells} |")
    for seed, part in parts["negated"].items():
        report = part["report"]
        lines += [
            "",
            f"**Where it falls short.** With a quarter of the clauses negated, at the same size, "
            f"the accuracy is {told(report['model']['accuracy'])} of {told(report['ceiling'])} "
            f"(bag of words {told(report['baselines']['bag-of-words']['accuracy'])}, ECE "
            f"{told(report['model']['ece'])}; seed {seed}). Other sizes that were tried are "
            "in the log; none came within one point.",
        ]
    return [*lines, ""]


def real_page(parts: dict[str, list[Part]]) -> list[str]:
    """Return the half on three-annotator pairs, from the arms whose folds are all there."""
    first = parts.get("trained")
    if not first:
        return ["## Three annotators a pair", "", "Not run.", ""]

    def joined(arm: str, name: str) -> Any:
        return np.array([v for part in parts[arm] for v in part[name]])

    p, families = joined("trained", "p"), [f for part in first for f in part["family"]]
    lines = [
        "## Three annotators a pair",
        "",
        f"{len(p)} pairs in {len(set(families))} instructions, each measured once, in "
        f"{len(first)} folds that no instruction crosses; {first[0]['too long']} longer than "
        f"{LONGEST} tokens stay out. One pass of the embedded model at 1e-4 with vote likelihood, "
        "a tie as half a vote for each side. Accuracy is the share of votes on the scorer's side. "
        "Intervals at 95 %, by instruction.",
        "",
        "| scorer | accuracy | log-loss | Brier | ECE |",
        "|---|---|---|---|---|",
    ]
    names = {
        "embedded model, trained": "trained",
        "the same from random init": "random-init",
        "votes shuffled over pairs": "shuffled",
    }
    scorers = {
        **{name: joined(arm, "margin") for name, arm in names.items() if arm in parts},
        "length": joined("trained", "length"),
        "bag of words": joined("trained", "words"),
        "constant, an even chance": np.zeros(len(p)),
    }
    for name, margin in scorers.items():
        fit = fit_of(margin, p, families, seed=0)
        cells = (fit.accuracy, fit.log_loss, fit.brier, fit.ece)
        lines.append(f"| {name} | " + " | ".join(told(c.model_dump()) for c in cells) + " |")
    ceiling = bootstrap_mean(np.maximum(p, 1 - p), clusters=families, seed=0).model_dump()
    rng = np.random.default_rng(0)
    margin = scorers["embedded model, trained"]
    chance = 1 / (1 + np.exp(-margin))
    floor = np.mean([
        calibration_error(margin, rng.binomial(3, chance) / 3, ["all"] * len(p), seed=0).value
        for _ in range(200)
    ])  # fmt: skip
    ahead = {
        name: bootstrap_mean(
            agreement(margin, p) - agreement(scorers[name], p), clusters=families, seed=0,
            bounds=(-1.0, 1.0),
        ).model_dump()
        for name in ("length", "bag of words", "the same from random init")
        if name in scorers
    }  # fmt: skip
    spread = math.sqrt(float(np.var(p)))
    return [
        *lines,
        "",
        f"The votes' own ceiling, E max(p, 1 - p), is {told(ceiling)} (too high: with three votes "
        f"noise looks like agreement); the standard deviation of the shares is {spread:.2f}. A "
        f"model that is right would show an ECE of {floor:.3f} at three votes a pair, were no vote "
        "a tie.",
        "",
        "| accuracy of the trained model above | difference, paired |",
        "|---|---|",
        *(f"| {name} | {told(one)} |" for name, one in ahead.items()),
        "",
    ]


def main() -> int:
    """Run the parts that lack, and write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--work", type=Path, default=ROOT / "build/learn-rewards")
    parser.add_argument("--data", type=Path, default=os.environ.get("NORMWRIGHT_DATA"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs/experiments/learn-rewards.md")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--kept", action="store_true", help="run nothing: report what is kept")
    arguments = parser.parse_args()
    use_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)

    def part(name: str, run: Callable[[], Part]) -> Iterator[Part]:
        kept = arguments.work / f"{name}.json"
        if not kept.exists():
            if arguments.kept:
                return
            made = kept.with_suffix(".part")
            made.write_text(json.dumps(seconds(run)), encoding="utf-8")
            made.replace(kept)
        yield json.loads(kept.read_text(encoding="utf-8"))

    arms = ("trained", "random-init", "shuffled")
    found = {
        arm: {seed: made for seed in seeds
              for made in part(f"planted-{arm}-{seed}", partial(planted, arm, seed))}
        for arm, seeds in (*((arm, SEEDS) for arm in arms), ("negated", SEEDS[:1]))
    }  # fmt: skip
    cpu = sum(p["cpu"] for parts in found.values() for p in parts.values())
    body = planted_page(found)
    path = Path(arguments.data or "") / "preferences/pandalm_3annotators.jsonl.gz"
    if arguments.data and path.is_file():
        of = arguments.folds
        folds = {
            arm: [
                made
                for fold in range(of)
                for made in part(f"real-{arm}-{fold}-of-{of}", partial(real, path, arm, fold, of))
            ]
            for arm in arms
        }
        cpu += sum(p["cpu"] for parts in folds.values() for p in parts)
        body += real_page({arm: parts for arm, parts in folds.items() if len(parts) == of})
    else:
        body += ["## Three annotators a pair", "", "Not run: no data were given.", ""]
    head = ["# Reward models against votes", "",
            "<!-- Written by scripts/learn_rewards.py; do not edit. -->", "",
            f"One thread, {cpu:.0f} s of CPU.", ""]  # fmt: skip
    arguments.out.write_text("\n".join([*head, *body]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
