"""What a training step costs, beside TRL and beside a plain torch loop on the same rows.

    python -m scripts.bench_learning [sft|prefer ...] [--rows N] [--rounds N] [--json] [--write]

Every trainer runs alone in a fresh process on one thread, on the same rows, from the same weights,
in the same precision (float32) and the same steps: CPU seconds of the second of two trainings less
the first, which takes one step, so that starting is left out; and the peak memory of the process.
Trainers take turns, and the median of the rounds counts. Tokens are those of the rows, without
padding. `--write` puts the table into the page of benchmarks.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs/experiments/bench.md"
TITLE: Final = "## Training"
BATCH: Final = 32
WHO: Final = ("ours", "trl", "torch")
GOAL: Final = {"trl": 1.0, "torch": 0.8}
"""How many times the peer's speed ours has to be."""
WORDS: Final = tuple("the town hall opens at nine and closes when people ask for bread".split())  # noqa: SIM905


@dataclass(frozen=True)
class Row:
    """One prompt with two answers."""

    prompt: str
    chosen: str
    rejected: str


def rows(count: int) -> list[Row]:
    """Rows whose lengths differ by a factor of about three, as conversations do."""
    rng = random.Random(7)

    def said(low: int, high: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))

    return [Row(said(12, 60), said(8, 40) + ".", said(8, 40) + "!") for _ in range(count)]


def _start() -> Any:
    import torch

    from normwright.models.local import LocalModel, embedded_path

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return LocalModel.open(embedded_path())


def _ours(method: str, data: list[Row]) -> Callable[[int], None]:
    from normwright.learn import prefer, sft
    from normwright.models.tuning import Hardware, Loop, Running
    from normwright.records import Demonstration, Message, PreferencePair

    start, running = _start(), Running(hardware=Hardware(precision="fp32"))
    common: dict[str, Any] = {
        "origin": "synthetic",
        "licence": "CC0-1.0",
        "family": "bench",
        "lang": "en",
    }

    def prompt(row: Row) -> tuple[Message, ...]:
        return (Message(role="user", content=row.prompt),)

    shown = [
        Demonstration(scene=f"s{i}", prompt=prompt(r), completion=r.chosen, **common)
        for i, r in enumerate(data)
    ]
    pairs = [
        PreferencePair(scene=f"s{i}", prompt=prompt(r), chosen=r.chosen, rejected=r.rejected,
                       p_chosen=1.0, weight=1.0, norms=(), layer="organisation",
                       process_kind="simulated", **common)
        for i, r in enumerate(data)
    ]  # fmt: skip

    def run(count: int) -> None:
        loop = Loop(epochs=1, batch=BATCH, lr=1e-5)
        given: dict[str, Any] = {"loop": loop, "running": running, "unpermitted": True}
        if method == "sft":
            sft(start, shown[:count], **given)
        else:
            prefer(start, pairs[:count], shown[:count], anchor=0.0, **given)

    return run


def _trl(method: str, data: list[Row]) -> Callable[[int], None]:
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    start = _start()
    folder = tempfile.mkdtemp()
    start.weights.save_pretrained(folder)
    start.tokenizer.save_pretrained(folder)

    def said(role: str, text: str) -> list[dict[str, str]]:
        return [{"role": role, "content": text}]

    def run(count: int) -> None:
        common: dict[str, Any] = {
            "output_dir": tempfile.mkdtemp(), "per_device_train_batch_size": BATCH,
            "num_train_epochs": 1, "learning_rate": 1e-5, "bf16": False, "use_cpu": True,
            "gradient_checkpointing": False, "report_to": "none", "save_strategy": "no",
            "disable_tqdm": True, "logging_strategy": "no", "max_length": 512, "seed": 0,
        }  # fmt: skip
        table = [{"prompt": said("user", r.prompt), "chosen": said("assistant", r.chosen),
                  "rejected": said("assistant", r.rejected)} for r in data[:count]]  # fmt: skip
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
        if method == "sft":
            shown = [{"prompt": t["prompt"], "completion": t["chosen"]} for t in table]
            trainer: Any = SFTTrainer(
                model, args=SFTConfig(**common), train_dataset=Dataset.from_list(shown),
                processing_class=start.tokenizer,
            )  # fmt: skip
        else:
            trainer = DPOTrainer(
                model, args=DPOConfig(**common, beta=0.1), train_dataset=Dataset.from_list(table),
                processing_class=start.tokenizer,
            )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()

    return run


def _torch(method: str, data: list[Row]) -> Callable[[int], None]:
    """The loop that one would write: pad, call the model, gather log-probabilities, step."""
    import copy

    import torch
    from torch.nn.functional import log_softmax, logsigmoid

    start = _start()
    tokenizer = start.tokenizer

    def encoded(prompt: str, answer: str) -> tuple[list[int], int]:
        turns = [{"role": "user", "content": prompt}]
        head = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(
            [*turns, {"role": "assistant", "content": answer}], tokenize=False
        )
        ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
        return ids, len(tokenizer(head, add_special_tokens=False)["input_ids"])

    def scores(model: Any, batch: list[tuple[list[int], int]]) -> Any:
        width = max(len(ids) for ids, _ in batch)
        ids = torch.full((len(batch), width), tokenizer.pad_token_id)
        answer = torch.zeros(len(batch), width)
        for i, (row, begins) in enumerate(batch):
            ids[i, : len(row)] = torch.tensor(row)
            answer[i, begins : len(row)] = 1
        seen = (ids != tokenizer.pad_token_id).long()
        logits = model(input_ids=ids, attention_mask=seen).logits[:, :-1]
        picked = log_softmax(logits, -1).gather(-1, ids[:, 1:, None]).squeeze(-1)
        return (picked * answer[:, 1:]).sum(-1), answer[:, 1:].sum(-1)

    def run(count: int) -> None:
        model = copy.deepcopy(start.weights).train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
        order = torch.randperm(count).tolist()
        for at in range(0, count, BATCH):
            taken = [data[i] for i in order[at : at + BATCH]]
            better = [encoded(r.prompt, r.chosen) for r in taken]
            good, length = scores(model, better)
            if method == "sft":
                loss = -good.sum() / length.sum()
            else:
                worse = [encoded(r.prompt, r.rejected) for r in taken]
                bad, _ = scores(model, worse)
                with torch.no_grad():
                    before = scores(start.weights, better)[0] - scores(start.weights, worse)[0]
                loss = -logsigmoid(0.1 * (good - bad - before)).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return run


def _alone(method: str, who: str, count: int) -> dict[str, float]:
    """Measure one trainer in this process."""
    data = rows(count)
    run = {"ours": _ours, "trl": _trl, "torch": _torch}[who](method, data)
    took = []
    for size in (BATCH, count):
        began = time.process_time()
        run(size)
        took.append(time.process_time() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": took[1] - took[0], "mebibytes": peak, "tokens": float(_tokens(method, data))}


def _tokens(method: str, data: list[Row]) -> int:
    tokenizer = _start().tokenizer
    texts = [f"{r.prompt}{r.chosen}" for r in data[BATCH:]]
    texts += [f"{r.prompt}{r.rejected}" for r in data[BATCH:]] if method == "prefer" else []
    return sum(len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"])


def measured(method: str, count: int, rounds: int) -> list[dict[str, Any]]:
    """Measure every trainer of a method, each in a process of its own, in turns."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    rows: dict[str, list[dict[str, float]]] = {who: [] for who in WHO}
    for who in WHO * rounds:
        command = [sys.executable, "-m", "scripts.bench_learning", method, "--alone", who,
                   "--rows", str(count)]  # fmt: skip
        print(f"{method} {who} ...", file=sys.stderr, flush=True)
        done = subprocess.run(
            command, env={**os.environ, **one}, capture_output=True, text=True, check=False,
            cwd=ROOT,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
        rows[who].append(json.loads(done.stdout.splitlines()[-1]))
    found = {
        who: {name: statistics.median(one[name] for one in told) for name in told[0]}
        for who, told in rows.items()
    }
    return [
        {"method": method, "who": who, **found[who],
         "tokens_per_second": found[who]["tokens"] / found[who]["cpu"],
         "ours_over_it": found[who]["cpu"] / found["ours"]["cpu"],
         "met": None if who == "ours" else found[who]["cpu"] / found["ours"]["cpu"] >= GOAL[who]}
        for who in WHO
    ]  # fmt: skip


def table(found: list[dict[str, Any]]) -> str:
    """Return what was measured as Markdown."""
    lines = ["| recipe | trainer | CPU s | tokens/s | peak MiB | ours is | target | met |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in found:
        peer = row["who"] != "ours"
        goal = f">= {GOAL[row['who']]:.1f}x" if peer else ""
        lines.append(
            f"| {row['method']} | {row['who']} | {row['cpu']:.2f} | {row['tokens_per_second']:.0f} "
            f"| {row['mebibytes']:.0f} | {row['ours_over_it']:.2f}x "
            f"| {goal} "
            f"| {('yes' if row['met'] else 'NO') if peer else ''} |"
        )
    return "\n".join(lines)


def written(found: list[dict[str, Any]], *, rows: int, rounds: int) -> None:
    """Put the table into the page of benchmarks, in the place of an earlier one."""
    page = PAGE.read_text(encoding="utf-8").partition(f"\n{TITLE}\n")[0].rstrip()
    told = (
        f"CPU seconds of {rows - BATCH} rows in steps of {BATCH} on one thread in float32, each"
        f" trainer in a process of its own, the median of {rounds} rounds in turns."
        " `make bench` writes this section."
    )
    PAGE.write_text(f"{page}\n\n{TITLE}\n\n{told}\n\n{table(found)}\n", encoding="utf-8")


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("methods", nargs="*", default=["sft", "prefer"])
    parser.add_argument("--rows", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", choices=WHO, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(_alone(given.methods[0], given.alone, given.rows)))
        return 0
    found = [row for m in given.methods for row in measured(m, given.rows, given.rounds)]
    if given.write:
        written(found, rows=given.rows, rounds=given.rounds)
    print(json.dumps(found, indent=2) if given.json else table(found))
    return 0 if all(row["met"] is not False for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
