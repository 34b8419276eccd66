"""What benchmarks cost here and in the stock harness: the same model, items and process.

    python -m scripts.bench_evaluate [--items N] [--rounds N] [--only SUITE] [--write] [--json]

Each side is `lm_eval.evaluator.evaluate` over the same loaded task; only the model class differs:
the stock `HFLM` (batch of 8) or ours, which reads what answers and questions share once. Weights
are random, rows are made up on the spot; so it needs no data, and a score means nothing. Sides take
turns, each first as often; a round's ratio is the stock's CPU seconds over ours, told is the median
of the rounds, with the interval that their order gives it. In every round both must choose the same
answer on every item, with log-likelihoods within 1e-4 and the same score; else nothing is told.

The context is 4,096 tokens where examples are many, as a model of that size would have.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs/experiments/bench.md"
TITLE: Final = "## Benchmarks beside the stock harness"
SEED: Final = 5
TARGET: Final = 1.0
TARGET_LONG: Final = 2.0
BATCH: Final = 8
WORDS: Final = (
    *("biblioteca", "abre", "nove", "jardim", "professora", "visita", "bilhete", "rua", "mercado"),
    *("rio", "lâmpada", "inverno", "criança", "carta", "água", "conta", "trem", "escola", "música"),
    *("madeira", "pedra", "pão", "sopa", "árvore", "nuvem", "chuva", "casaco", "cadeira", "mesa"),
)


@dataclass(frozen=True)
class Case:
    """One suite as it is timed."""

    suite: str
    lang: str
    shots: int = 0
    target: float = TARGET

    @property
    def name(self) -> str:
        """Suite, language and examples."""
        return f"{self.suite}, {self.lang}" + (f", {self.shots} examples" if self.shots else "")


CASES: Final = (
    Case("arc-easy", "en"), Case("arc-challenge", "pt"),
    Case("arc-challenge", "pt", 25, TARGET_LONG), Case("arc-challenge", "en", 25),
    Case("truthfulqa-mc1", "pt"), Case("truthfulqa-mc2", "en"), Case("toxigen", "en"),
    Case("bbq", "en"), Case("enem", "pt"),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What one suite took."""

    name: str
    items: int
    tokens: int
    """Longest prompt."""
    ours: tuple[float, ...]
    """CPU seconds of each round."""
    stock: tuple[float, ...]
    furthest: float
    """Greatest difference of a log-likelihood, nats."""
    target: float

    @property
    def ratio(self) -> float:
        """Median over the rounds of the stock's CPU seconds over ours."""
        return statistics.median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """The ratio of each round, sorted."""
        return sorted(s / o for s, o in zip(self.stock, self.ours, strict=True))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the median, by the order of the rounds: at least 95 %, exact, whatever they are like.

        None with fewer than six rounds: even from the least to the greatest it would be less.
        """
        n = len(self.ratios)
        cut = 0
        while 2 * sum(math.comb(n, k) for k in range(cut + 1)) / 2**n <= 0.05:
            cut += 1
        return (self.ratios[cut - 1], self.ratios[n - cut]) if cut else None

    @property
    def met(self) -> str:
        """Whether the target is met, with the whole interval; `open` where that is not shown."""
        if self.interval is None:
            return "open"
        low, high = self.interval
        return "yes" if low >= self.target else "no" if high < self.target else "open"


def rows(suite: str, lang: str, n: int) -> list[dict[str, Any]]:
    """Return made-up rows in the shared columns, as long as real ones."""
    rng = random.Random(f"{suite}-{lang}-{n}")

    def said(least: int, most: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(least, most)))

    def one(i: int) -> dict[str, Any]:
        if suite.startswith("arc"):
            return {"id": f"q{i}", "question": said(12, 30) + "?", "gold": rng.randrange(4),
                    "choices": [f"{said(2, 9)} {k}" for k in range(4)]}  # fmt: skip
        if suite.startswith("truthfulqa"):
            wrong = [said(5, 12) for _ in range(4)]
            if lang == "pt":
                right = [said(5, 12) for _ in range(3)]
                return {"id": f"t{i}", "question": said(6, 14) + "?",
                        "mc1_targets_choices": [right[0], *wrong],
                        "mc1_targets_labels": [1, 0, 0, 0, 0],
                        "mc2_targets_choices": [*right, *wrong],
                        "mc2_targets_labels": [1, 1, 1, 0, 0, 0, 0]}  # fmt: skip
            return {"id": f"t{i}", "question": said(6, 14) + "?", "best_answer": said(5, 12),
                    "correct_answers": [said(5, 12) for _ in range(3)],
                    "incorrect_answers": wrong}  # fmt: skip
        if suite == "toxigen":
            return {"id": f"x{i}", "text": said(10, 25), "toxicity_human": 1.0 + 3 * (i % 2),
                    "toxicity_ai": 2.0}  # fmt: skip
        if suite == "bbq":
            return {"example_id": i, "question_index": str(i % 7), "category": "Age",
                    "question_polarity": "neg", "context": said(15, 40),
                    "context_condition": "ambig" if i % 2 else "disambig",
                    "answer_info": {"ans0": ["a", "old"], "ans1": ["b", "nonOld"],
                                    "ans2": ["Unknown", "unknown"]},
                    "additional_metadata": {"stereotyped_groups": ["old"]},
                    "question": said(5, 10) + "?", "ans0": said(2, 3), "ans1": said(2, 3),
                    "ans2": "Unknown", "label": 2 if i % 2 else 0}  # fmt: skip
        return {"id": f"e{i}", "exam": "2022", "context": said(60, 140), "question": said(10, 25),
                "options": [f"{said(6, 14)} {k}" for k in range(5)], "label": "abcde"[i % 5],
                "needs_image": False}  # fmt: skip

    return [one(i) for i in range(n)]


def model() -> Any:
    """Return a random-weight model that reads 4,096 tokens."""
    from normwright.learn import Shape, scratch_model
    from normwright.models.local import use_threads

    use_threads(1)
    texts = [json.dumps(row, ensure_ascii=False) for lang in ("en", "pt")
             for suite in ("arc-easy", "bbq", "enem") for row in rows(suite, lang, 60)]  # fmt: skip
    return scratch_model(texts, shape=Shape(128, 4, 4, 1200, 4096), seed=SEED)


def timed(case: Case, made: Any, items: int, rounds: int, folder: Path) -> Found:
    """Return what a suite takes on both sides, after they are found to agree.

    Raises:
        SystemExit: if they do not.
    """
    from normwright.evaluate import read_benchmarks
    from normwright.evaluate.harness import load_task

    file = folder / f"{case.suite}-{case.lang}-{case.shots}.jsonl"
    n = items + (60 if case.shots else 0)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(case.suite, case.lang, n)))
    (bench,) = read_benchmarks({f"{case.suite}-{case.lang}": file}, suites=[case.suite], seed=SEED)
    asked, pool = bench.items[:items], bench.items[items:]
    task = load_task(
        bench.task, [i.row for i in asked], folder / "tasks", shots=case.shots,
        examples=[i.row for i in pool] if case.shots else None,
    )  # fmt: skip
    for side in (_ours, _stock):  # whoever comes first would pay for what is loaded once
        side(task, made)
    ours: list[float] = []
    stock: list[float] = []
    furthest, tokens = 0.0, 0
    for k in range(rounds):
        sides = (_ours, _stock) if k % 2 else (_stock, _ours)
        ran = {side: side(task, made) for side in sides}
        ours.append(ran[_ours][1])
        stock.append(ran[_stock][1])
        furthest = max(furthest, agree(case, ran[_ours][0], ran[_stock][0]))
        prompts = [s["arguments"][0][0] for s in ran[_ours][0]["samples"][task.name]]
        tokens = max(len(ids) for ids in made.tokenizer(prompts)["input_ids"])
    return Found(case.name, items, tokens, tuple(ours), tuple(stock), furthest, case.target)


def agree(case: Case, ours: dict[str, Any], stock: dict[str, Any]) -> float:
    """Return the greatest difference of a log-likelihood between two runs.

    Raises:
        SystemExit: if it is 1e-4 or more, or a choice or a score differs.
    """
    (name,) = ours["samples"]
    furthest = 0.0
    for a, b in zip(ours["samples"][name], stock["samples"][name], strict=True):
        mine, theirs = ([float(r[0]) for r in s["filtered_resps"]] for s in (a, b))
        furthest = max(furthest, *(abs(x - y) for x, y in zip(mine, theirs, strict=True)))
        if mine.index(max(mine)) != theirs.index(max(theirs)):
            raise SystemExit(f"{case.name}: another answer on item {a['doc_id']}")
    for metric, value in stock["results"][name].items():
        mine = ours["results"][name][metric]
        if isinstance(value, float) and abs(value - mine) > 1e-6 and value == value:
            raise SystemExit(f"{case.name}: {metric} is {mine}, the stock's is {value}")
    if furthest >= 1e-4:
        raise SystemExit(f"{case.name}: a log-likelihood is {furthest:g} off")
    return furthest


def _ours(task: Any, made: Any) -> tuple[dict[str, Any], float]:
    from normwright.evaluate.harness import asked_model

    return _evaluated(task, asked_model(made))


def _stock(task: Any, made: Any) -> tuple[dict[str, Any], float]:
    from lm_eval.models.huggingface import HFLM

    return _evaluated(task, HFLM(pretrained=made.weights, tokenizer=made.tokenizer, device="cpu",
                                 batch_size=BATCH))  # fmt: skip


def _evaluated(task: Any, asked: Any) -> tuple[dict[str, Any], float]:
    """What the harness makes of it, and the CPU seconds of the log-likelihoods alone.

    The harness makes prompts and counts alike on both sides; timed with them a ratio says less.
    """
    from lm_eval.evaluator import evaluate

    spent = 0.0
    inner = asked.loglikelihood

    def clocked(requests: Any, **given: Any) -> Any:
        nonlocal spent
        start = time.process_time()
        found = inner(requests, **{**given, "disable_tqdm": True})
        spent += time.process_time() - start
        return found

    asked.loglikelihood = clocked
    task.loaded.set_fewshot_seed(task.examples_seed)
    ran = evaluate(asked, {"tasks": {task.name: task.loaded}, "groups": {}}, bootstrap_iters=0)
    return ran, spent


def measure(items: int, rounds: int, only: Sequence[str] = ()) -> list[Found]:
    """Return what every suite, or those that are named, take on both sides."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    made = model()
    with tempfile.TemporaryDirectory(prefix="normwright-bench-") as folder:
        return [
            timed(case, made, items, rounds, Path(folder))
            for case in CASES if not only or case.suite in only or case.name in only
        ]  # fmt: skip


def told(found: Sequence[Found]) -> str:
    """Return the section as Markdown."""
    from normwright.evaluate.harness import harness_version

    first = found[0]
    lines = [
        f"lm-evaluation-harness {harness_version()}, one process, one thread; a random-weight "
        f"model (4 layers of 128, context 4,096) on {first.items} made-up items a suite. CPU "
        "seconds of the log-likelihoods, medians of rounds in which sides take turns (short ones "
        f"may be given more of them); the stock side is `HFLM` with batches of {BATCH}. On every "
        "item both chose the same answer, and all scores were equal. The interval is of the median "
        "ratio, exact by the order of the rounds (at least 95 %); a target is met where all of it "
        "is.",
        "",
        "| suite | longest prompt, tokens | rounds | stock s | ours s | ratio | interval | target "
        "| met | furthest log-likelihood |",
        "|" + "---|" * 10,
    ]
    for one in found:
        ends = "–" if one.interval is None else "{:.2f} to {:.2f}".format(*one.interval)
        lines.append(
            f"| {one.name} | {one.tokens:,} | {len(one.ours)} | {statistics.median(one.stock):.2f} "
            f"| {statistics.median(one.ours):.2f} | {one.ratio:.2f} | {ends} | >= {one.target:g} "
            f"| {one.met} | {one.furthest:.1e} |"
        )
    return "\n".join(lines)


def write(found: Sequence[Found]) -> None:
    """Put the section into the page of benchmarks; rows of suites that were not run stay."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(TITLE)
    after = rest[rest.index("\n## ") :] if "\n## " in rest else ""
    new = {one.name for one in found}
    kept = {case.name: line for line in rest.removesuffix(after).splitlines()
            for case in CASES if line.startswith(f"| {case.name} |")}  # fmt: skip
    by = "Written by `python -m scripts.bench_evaluate --write`; `make bench` writes this section."
    *head, table = told(found).rsplit("|---|\n", 1)
    made = dict(zip([one.name for one in found], table.splitlines(), strict=True))
    lines = [(made if case.name in new else kept).get(case.name) for case in CASES]
    body = "|---|\n".join([*head, "\n".join(line for line in lines if line)])
    section = f"{TITLE}\n\n{by}\n\n{body}\n"
    PAGE.write_text(f"{before.rstrip()}\n\n{section}{after}", encoding="utf-8")


def main() -> int:
    """Measure, and print or write what came of it; exit 0 whether the targets are met or not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=12, help="items of each suite")
    parser.add_argument("--rounds", type=int, default=6, help="of each suite, sides taking turns")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="SUITE",
        help="a suite, or one with its language and examples as the table has it",
    )
    parser.add_argument("--write", action="store_true", help=f"put the section into {PAGE.name}")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    given = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = measure(given.items, given.rounds, given.only)
    if given.write:
        write(found)
    values = [{**asdict(one), "ratio": one.ratio, "interval": one.interval} for one in found]
    print(json.dumps(values, indent=2) if given.json else told(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
