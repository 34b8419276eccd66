"""Train a model of at least 124 M parameters through every recipe and say how fast that was.

    python scripts/train_check.py [--hidden 1024] [--layers 12] [--steps 60] [--out FILE]

On the town's own scenes, from random weights, with the recipes and the loop a project uses:
pre-training, instruction tuning, the reward model and preference optimisation. For each: tokens a
second from the first step to the last (prompt and answers, padding not counted), peak memory, model
FLOPs utilisation (6 N tokens/s over the peak of the device in bfloat16), the whole time with
encoding the rows and scoring them by the reference, and the loss at both ends. What it shows is
that the recipes run and learn at this size, and what they cost; a model trained for so short a time
knows nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from normwright.learn import new_model, prefer, pretrain, reward, sft
from normwright.learn.pretraining.corpus import dialogue_rows, mix
from normwright.learn.pretraining.scratch import Shape
from normwright.models.local import LocalModel, device, embedded_path, load_tokenizer
from normwright.models.tuning import answer_rows
from normwright.models.tuning.loop import Loop, Progress, Running
from normwright.records import Demonstration, PreferencePair, Scene
from normwright.scenes import draw, load_bank

SCENES = Path(__file__).parent.parent / "src/normwright/flow/templates/town/scenes"
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bfloat16 operations a second, by a part of the device's name."""
ROW, BATCH = 256, 64


@dataclass(frozen=True)
class Line:
    """What one recipe did."""

    recipe: str
    steps: int
    seconds: float
    """All of it."""
    tokens_a_second: float
    memory_gib: float | None
    mfu: float | None
    first_loss: float
    last_loss: float


def main() -> int:
    """Run every recipe and print a table; exit 1 if one of them did not learn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="also write the lines as JSON")
    given = parser.parse_args()
    tokenizer = load_tokenizer(embedded_path())
    shape = Shape(hidden=given.hidden, layers=given.layers, heads=given.hidden // 64)
    weights = new_model(shape, seed=given.seed).to(device())
    size = sum(p.numel() for p in weights.parameters())
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    sys.stdout.write(f"{size / 1e6:.1f} M parameters on {name}, torch {torch.__version__}\n")
    bank = load_bank(sorted(SCENES.glob("*.yaml")))
    spoken = dialogue_rows(
        bank, tokenizer, tokens=given.steps * BATCH * ROW, row=ROW, spoken=0.03, seed=given.seed
    )
    corpus = mix(spoken, spoken[0][:0], batch=BATCH, seed=given.seed)
    scenes = draw(bank, split="tune", seed=given.seed, per_template=12)
    rows, pairs = demonstrations(scenes), preferences(scenes)
    few = Loop(steps=given.steps, lr=3e-4, batch=BATCH, seed=given.seed)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        lines.append(
            timed(
                "pretrain",
                size,
                given.steps * BATCH * ROW,
                lambda tick: pretrain(
                    corpus,
                    tokenizer,
                    shape=shape,
                    loop=few,
                    running=Running(progress=tick, workdir=Path(folder)),
                    model=weights,
                )[1],
            )
        )
    base = LocalModel("base", weights, tokenizer)
    made: dict[str, Any] = {}

    def tune(tick: Progress) -> dict[str, float]:
        made["tuned"], metrics = sft(
            base, rows, loop=few, running=Running(progress=tick), unpermitted=True
        )
        return metrics

    def rank(tick: Progress) -> dict[str, float]:
        return reward(
            made["tuned"], pairs, loop=few, running=Running(progress=tick), unpermitted=True
        )[1]

    def align(tick: Progress) -> dict[str, float]:
        done = prefer(
            made["tuned"],
            pairs,
            rows,
            loop=few,
            anchor=1.0,
            majority=1.0,
            running=Running(progress=tick),
            unpermitted=True,
        )
        return done[1]

    shown = given.steps * BATCH * mean([r.completion for r in rows], rows, tokenizer)
    judged = given.steps * BATCH * pair_tokens(pairs, tokenizer)
    lines.append(timed("sft", size, round(shown), tune))
    lines.append(timed("reward", size, round(judged), rank))
    lines.append(timed("prefer", size, round(judged + shown), align))
    say(lines)
    if given.out:
        told = {"device": name, "parameters": size, "lines": [asdict(line) for line in lines]}
        given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0 if all(line.last_loss < line.first_loss for line in lines) else 1


def timed(recipe: str, size: int, tokens: int, run: Callable[[Progress], dict[str, float]]) -> Line:
    """Run a recipe, which trains on so many tokens, and return what it cost."""
    ticks: list[float] = []
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    metrics = run(lambda *_: ticks.append(time.perf_counter()))
    seconds = time.perf_counter() - began
    speed = tokens * (len(ticks) - 1) / len(ticks) / (ticks[-1] - ticks[0])
    peak = next((p for n, p in PEAKS.items() if cuda and n in torch.cuda.get_device_name()), None)
    line = Line(
        recipe=recipe,
        steps=int(metrics["steps"]),
        seconds=round(seconds, 2),
        tokens_a_second=round(speed),
        memory_gib=round(torch.cuda.max_memory_allocated() / 2**30, 2) if cuda else None,
        mfu=None if peak is None else round(6 * size * speed / peak, 4),
        first_loss=round(metrics["first_loss"], 3),
        last_loss=round(metrics["last_loss"], 3),
    )
    sys.stderr.write(f"{line}\n")
    return line


def demonstrations(scenes: list[Scene]) -> list[Demonstration]:
    """Return rows that do what each scene asks."""
    return [
        Demonstration(
            scene=s.id, lang=s.lang, prompt=s.messages, completion=s.perform,
            origin="synthetic", licence="Apache-2.0", family=s.family,
        )
        for s in scenes
    ]  # fmt: skip


def preferences(scenes: list[Scene]) -> list[PreferencePair]:
    """Return pairs in which four of five decline what a norm speaks against."""
    return [
        PreferencePair(
            scene=s.id, lang=s.lang, prompt=s.messages,
            chosen=s.decline if s.applies else s.perform,
            rejected=s.perform if s.applies else s.decline,
            p_chosen=0.8, weight=1.0, norms=(s.norm,), layer="polity", origin="synthetic",
            process_kind="simulated", licence="Apache-2.0", family=s.family,
        )
        for s in scenes
        if s.norm is not None
    ]  # fmt: skip


def mean(answers: list[str], rows: list[Demonstration], tokenizer: Any) -> float:
    """Return the mean length of a row in tokens."""
    encoded = answer_rows(
        tokenizer, [(r.prompt, a) for r, a in zip(rows, answers, strict=True)], limit=1024
    )
    return sum(len(row.ids) for row in encoded) / len(encoded)


def pair_tokens(pairs: list[PreferencePair], tokenizer: Any) -> float:
    """Return the mean length of a prompt with both answers, the prompt counted once."""
    first = answer_rows(tokenizer, [(p.prompt, p.chosen) for p in pairs], limit=1024)
    second = answer_rows(tokenizer, [(p.prompt, p.rejected) for p in pairs], limit=1024)
    both = [len(a.ids) + len(b.ids) - b.start for a, b in zip(first, second, strict=True)]
    return sum(both) / len(both)


def say(lines: list[Line]) -> None:
    """Print the lines as a table."""
    sys.stdout.write("| recipe | steps | tokens/s | peak GiB | MFU | s in all | loss |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|\n")
    for line in lines:
        memory = "" if line.memory_gib is None else f"{line.memory_gib:.1f}"
        mfu = "" if line.mfu is None else f"{line.mfu:.1%}"
        sys.stdout.write(
            f"| {line.recipe} | {line.steps} | {line.tokens_a_second:,} | {memory} | {mfu} | "
            f"{line.seconds:.0f} | {line.first_loss:.2f} to {line.last_loss:.2f} |\n"
        )


if __name__ == "__main__":
    raise SystemExit(main())
