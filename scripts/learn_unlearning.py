"""Measure unlearning beside a model that never saw the rows: docs/experiments/learn-unlearning.md.

    python -m scripts.learn_unlearning [--seeds N] [--out FILE] [--work FILE]

A small model learns invented facts about invented people, in English and Portuguese. Some people
are to be forgotten. Each method starts from the model that knows all; beside it stand the model
trained again from the same base without those people, the model as it was (nothing done), and one
with random weights. Each finished model's figures are kept in --work, so that a killed run goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.experiment_pages import half_width

from normwright.learn import Forget, Shape, Stop, fresh_like, scratch_model, sft, unlearn
from normwright.learn.forgetting import (
    candidate_distances,
    distances,
    extraction,
    forget_quality,
    memory_rows,
    relearn_cost,
    token_loss,
)
from normwright.models.local import LocalModel, use_threads
from normwright.models.tuning.loop import Loop
from normwright.records import Demonstration, Message

HERE = Path(__file__).parent.parent
PAGE = HERE / "docs/experiments/learn-unlearning.md"

FIRST = [
    "Ada",
    "Bruno",
    "Clara",
    "Davi",
    "Elsa",
    "Fabio",
    "Gina",
    "Hugo",
    "Iris",
    "Joel",
    "Kira",
    "Luis",
    "Mara",
    "Nuno",
    "Olga",
    "Paulo",
]
LAST = ["Abreu", "Barros", "Castro", "Duarte", "Esteves", "Faria", "Gomes", "Horta"]
WORKS = {
    "en": ["baker", "sailor", "tailor", "weaver", "doctor", "farmer", "miller", "potter"],
    "pt": [
        "padeira",
        "marinheira",
        "alfaiate",
        "tecedeira",
        "médica",
        "lavradora",
        "moleira",
        "oleira",
    ],
}
PLACES = ["Braga", "Évora", "Faro", "Lagos", "Olinda", "Recife", "Sintra", "Tomar"]
ASKED = {
    "en": {"work": "What is {who}'s work?", "place": "Where does {who} live?"},
    "pt": {"work": "Qual é o ofício de {who}?", "place": "Onde mora {who}?"},
}
SAID = {
    "en": {"work": "{who} works as a {what}.", "place": "{who} lives in {what}."},
    "pt": {"work": "{who} trabalha como {what}.", "place": "{who} mora em {what}."},
}
PEOPLE, FORGOTTEN, EARLIER = 16, 4, 16
BAND = 0.1

METHODS: Mapping[str, tuple[Forget, Loop]] = {
    "npo": (Forget("npo"), Loop(epochs=60, lr=3e-4, batch=16)),
    "simnpo": (Forget("simnpo"), Loop(epochs=60, lr=4e-4, batch=16)),
    "graddiff": (Forget("graddiff"), Loop(epochs=60, lr=3e-4, batch=16)),
    "rmu": (Forget("rmu", steer=5.0), Loop(epochs=60, lr=1e-2, batch=16)),
    "idk": (Forget("idk"), Loop(epochs=60, lr=3e-3, batch=16)),
}
RELEARN_LR = 5e-4
MOST = 25

Fact = tuple[Demonstration, list[str]]
"""A demonstration with answers of the same form that are not true."""


def facts(names: Sequence[str], seed: int) -> list[list[Fact]]:
    """Return for each person four facts: work and place, in both languages."""
    rng = random.Random(seed)
    made = []
    for who in names:
        drawn = {"work": rng.randrange(8), "place": rng.randrange(8)}
        rows: list[Fact] = []
        for lang in ("en", "pt"):
            for kind, number in drawn.items():
                values = WORKS[lang] if kind == "work" else PLACES
                answers = [SAID[lang][kind].format(who=who, what=value) for value in values]
                row = Demonstration(
                    scene=f"{who}/{kind}/{lang}",
                    lang=lang,
                    prompt=(Message(role="user", content=ASKED[lang][kind].format(who=who)),),
                    completion=answers[number],
                    origin="synthetic",
                    licence="Apache-2.0",
                    family=who,
                )
                rows.append((row, answers[:number] + answers[number + 1 :]))
        made.append(rows)
    return made


class Run:
    """The models and facts of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = random.Random(seed)
        names = rng.sample([f"{a} {b}" for a in FIRST for b in LAST], EARLIER + PEOPLE)
        earlier = [one for rows in facts(names[:EARLIER], seed) for one in rows]
        people = facts(names[EARLIER:], seed + 1000)
        self.forget = [one for rows in people[:FORGOTTEN] for one in rows]
        self.retain = [one for rows in people[FORGOTTEN:] for one in rows]
        shown = [row for row, _ in (*earlier, *self.forget, *self.retain)]
        texts = [t for r in shown for t in (r.prompt[0].content, r.completion)]
        scratch = scratch_model(texts, shape=Shape(48, 3, 4, 500, 128), seed=seed)
        first = Loop(steps=120, lr=6e-3, batch=16, seed=seed)
        # The base knows the forms of questions and answers, from people nobody asks about later.
        self.base = sft(scratch, [r for r, _ in earlier], loop=first, unpermitted=True)[0]
        self.full = self._trained([*self.forget, *self.retain])
        self.retrained = self._trained(self.retain)
        tokenizer = scratch.tokenizer
        self.gone = memory_rows(tokenizer, [r for r, _ in self.forget], limit=128)
        self.kept = memory_rows(tokenizer, [r for r, _ in self.retain], limit=128)
        self.others = memory_rows(tokenizer, [r for r, _ in earlier[:10]], limit=128)

    def _trained(self, rows: Sequence[Fact]) -> LocalModel:
        loop = Loop(steps=200, lr=5e-3, batch=16, seed=self.seed)
        return sft(self.base, [r for r, _ in rows], loop=loop, unpermitted=True)[0]

    def model(self, name: str) -> LocalModel:
        """Return the model of one row of the table."""
        if name == "nothing done":
            return self.full
        if name == "trained again":
            return self.retrained
        if name == "random weights":
            return fresh_like(self.full, seed=self.seed + 77)
        how, loop = METHODS[name]
        loop = Loop(epochs=loop.epochs, lr=loop.lr, batch=loop.batch, seed=self.seed)
        sides = [[r for r, _ in rows] for rows in (self.forget, self.retain)]
        # All stop where their forget loss is that of the model that never saw the rows, so that
        # they are compared at the same forgetting.
        stop = Stop(token_loss(self.retrained, self.gone), every=3, patience=6)
        return unlearn(self.full, *sides, loop=loop, how=how, stop=stop, unpermitted=True)[0]

    def figures(self, model: LocalModel) -> dict[str, Any]:
        """Return everything that is told of one model."""
        told: dict[str, Any] = {}
        for side, facts_, rows in (
            ("forget", self.forget, self.gone), ("retain", self.retain, self.kept),
        ):  # fmt: skip
            prompts = [r.prompt for r, _ in facts_]
            answers = [[r.completion, *wrong] for r, wrong in facts_]
            told[f"loss_{side}"] = token_loss(model, rows)
            told[f"said_{side}"] = extraction(model, rows).value
            told[f"kl_{side}"] = statistics.fmean(distances(model, self.retrained, rows))
            told[f"candidates_{side}"] = statistics.fmean(
                candidate_distances(model, self.retrained, prompts, answers)
            )
        wrong = [others for _, others in self.forget]
        demonstrations = [r for r, _ in self.forget]
        told["quality_p"] = forget_quality(model, self.retrained, demonstrations, wrong).p
        original = token_loss(self.full, self.gone)
        few = self.gone[:: len(self.gone) // 4][:4]
        rest = [row for row in self.gone if row not in few]
        for name, on, read in (
            ("rows", self.gone, self.gone),
            ("four", few, rest),
            ("others", self.others, self.gone),
        ):
            cost = relearn_cost(
                model, read, on=on, original=original, band=BAND, lr=RELEARN_LR, batch=8,
                most=MOST, every=1 if name == "rows" else 3,
                seed=self.seed,
            )  # fmt: skip
            told[f"relearn_{name}"] = cost.steps
            told[f"lowest_{name}"] = min(cost.losses)
        return told


ROWS = ("nothing done", *METHODS, "trained again", "random weights")


def measured(work: Path, seeds: int, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Return the figures of every model and seed; what is in `work` is not made again."""
    found: dict[str, dict[str, Any]] = {}
    if work.exists():
        found = json.loads(work.read_text(encoding="utf-8"))
    for seed in range(seeds):
        lacking = [name for name in ROWS if f"{seed}/{name}" not in found]
        if not lacking:
            continue
        run = Run(seed)
        say(f"seed {seed}: base, full and retrained models are there")
        for name in lacking:
            began = time.process_time()
            told = run.figures(run.model(name))
            told["cpu_seconds"] = time.process_time() - began
            found[f"{seed}/{name}"] = told
            work.parent.mkdir(parents=True, exist_ok=True)
            work.write_text(json.dumps(found, indent=1), encoding="utf-8")
            say(f"seed {seed}, {name}: {told}")
    return found


def interval(values: Sequence[float]) -> str:
    """Return the mean over seeds with Student's 95 % interval."""
    mean = statistics.fmean(values)
    return f"{mean:.3g} (n = 1)" if len(values) < 2 else f"{mean:.2f} ± {half_width(values):.2f}"


def steps(values: Sequence[int | None], most: int) -> str:
    """Return the steps of each seed, lowest first."""
    told = sorted(most + 1 if v is None else v for v in values)
    return ", ".join(f"> {most}" if v > most else str(v) for v in told)


def page(found: Mapping[str, Mapping[str, Any]], seeds: int) -> str:
    """Return the page."""

    def of(name: str, key: str) -> list[Any]:
        return [found[f"{seed}/{name}"][key] for seed in range(seeds)]

    def row(name: str, keys: Sequence[str]) -> str:
        return f"| {name} | " + " | ".join(interval(of(name, key)) for key in keys) + " |"

    first = ["kl_forget", "kl_retain", "candidates_forget", "candidates_retain"]
    second = ["loss_forget", "loss_retain", "said_forget", "said_retain", "quality_p"]
    seconds = sum(one["cpu_seconds"] for one in found.values())
    lines = [
        "# Unlearning beside a model that never saw the rows",
        "",
        "Written by `scripts/learn_unlearning.py`; it is not edited by hand.",
        "",
        f"{PEOPLE} invented people with four facts each (work, place; in English and Portuguese);"
        f" {FORGOTTEN} of them are to be forgotten. A model of three layers learns the forms of"
        f" questions and answers from {EARLIER} others (the base), then all {PEOPLE} by heart."
        " Each method starts there and stops where its forget loss is nearest to that of the model"
        " trained again. *Trained again* starts from the same base and sees the others"
        f" alone. {seeds} seeds draw people, facts, weights and order; mean over seeds with"
        f" Student's 95 % interval. {seconds:.0f} CPU seconds for the rows of the tables.",
        "",
        "## Distance to the model trained again",
        "",
        "KL(model || trained again), nats: over the vocabulary at each token of the true answer,"
        " and over eight whole answers of which one is true.",
        "",
        "| model | tokens, forget | tokens, retain | answers, forget | answers, retain |",
        "|---|---|---|---|---|",
        *(row(name, first) for name in ROWS),
        "",
        "## What is still known",
        "",
        "Loss in nats a token; share of facts said word for word by greedy decoding; p-value of the"
        " Kolmogorov-Smirnov test between truth ratios of the model and of the one trained again on"
        f" the {FORGOTTEN * 4} forgotten facts (near 0: told apart).",
        "",
        "| model | loss, forget | loss, retain | said, forget | said, retain | p |",
        "|---|---|---|---|---|---|",
        *(row(name, second) for name in ROWS),
        "",
        "## What it takes to bring it back",
        "",
        f"Steps of AdamW (rate {RELEARN_LR}, 8 rows a step) until the forget loss is within"
        f" {BAND} nats a token of what it was before forgetting; one figure a seed. On all"
        " forgotten facts; on four of them, read on the others; on ten facts about people of the"
        " base, who are in neither set. Beside the last two the lowest loss that was reached, nats"
        " a token.",
        "",
        "| model | on the facts | on four of them | lowest | on ten others | lowest |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {steps(of(name, 'relearn_rows'), MOST)}"
            f" | {steps(of(name, 'relearn_four'), MOST)} | {interval(of(name, 'lowest_four'))}"
            f" | {steps(of(name, 'relearn_others'), MOST)}"
            f" | {interval(of(name, 'lowest_others'))} |"
            for name in ROWS
        ),
        "",
        "## Verdict",
        "",
        *verdict(of),
        "",
        "What is not shown: larger models, real text, facts that other rows imply, an attacker"
        " with more than these steps. Rates were chosen by looking at losses on seed 7 alone, which"
        " is in no table; the steps at which a method stops were not.",
        "",
    ]
    return "\n".join(lines)


def verdict(of: Callable[[str, str], list[Any]]) -> list[str]:
    """Return what the figures say, method by method, reckoned from them."""

    def cost(name: str) -> float:
        return statistics.fmean([MOST + 1 if v is None else v for v in of(name, "relearn_rows")])

    again = cost("trained again")
    apart, start = (
        statistics.fmean(of("trained again", "kl_forget")),
        statistics.fmean(of("nothing done", "kl_forget")),
    )
    lines = [
        f"A model that never saw the facts needs {again:.0f} steps to learn them (mean over seeds;"
        f" {MOST + 1} stands for more than {MOST}). The one that knows them is"
        f" {start:.2f} nats a token from it; itself it is {apart:.2f}.",
        "",
    ]
    untaught = statistics.fmean(of("trained again", "lowest_four"))
    for name in METHODS:
        share, far = cost(name) / again, statistics.fmean(of(name, "kl_forget"))
        told = "relearns sooner than from nothing" if share < 0.9 else "relearns no sooner"
        lines.append(
            f"- `{name}` {told}: {cost(name):.0f} steps, at most {share:.0%} of what the"
            f" untaught needs; four of the facts bring the others down to"
            f" {statistics.fmean(of(name, 'lowest_four')):.2f}"
            f" nats a token, the untaught to {untaught:.2f}. It is {_beside(of, name)} the one it"
            f" started from ({far:.2f} against {start:.2f} nats a token on the forgotten facts;"
            f" {statistics.fmean(of(name, 'kl_retain')):.2f} on the kept ones)."
        )
    return lines


def _beside(of: Callable[[str, str], list[Any]], name: str) -> str:
    """Say whether a method came nearer to the model trained again, by each seed's difference."""
    pairs = zip(of(name, "kl_forget"), of("nothing done", "kl_forget"), strict=True)
    moved = [after - before for after, before in pairs]
    if abs(statistics.fmean(moved)) <= half_width(moved):
        return "not told apart by these seeds, in its distance to the model trained again, from"
    where = "nearer to" if statistics.fmean(moved) < 0 else "FARTHER from"
    return f"{where} the model trained again than"


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--work", type=Path, default=HERE / "build/unlearning.json")
    given = parser.parse_args()
    use_threads(1)
    found = measured(given.work, given.seeds, lambda line: print(line, flush=True))
    given.out.write_text(page(found, given.seeds), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
