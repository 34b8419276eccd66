"""The loop: one model however a step is computed, however often a run is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.disks import small_disk
from tests.models.tuning.conftest import PAD, made
from tests.models.tuning.rows import drawn
from tests.models.tuning.worker import Tally

from normwright.models.tuning import (
    AnswerRow,
    Gold,
    Hardware,
    Loop,
    Lora,
    Running,
    adapted,
    fit,
    group_rows,
    grouped_logprobs,
    merged,
)
from normwright.models.tuning.processes import launch
from normwright.records import InputError, PlaceError

EXACT = Hardware(precision="fp32")
LOOP = Loop(steps=6, lr=3e-3, batch=7, seed=3, warmup=0.2)


class Stopped(Exception):
    """Stands for whatever ends a run."""


def collate(batch: list[AnswerRow]) -> dict[str, Any]:
    return group_rows(batch, PAD)


def by_tokens(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    value: torch.Tensor = -grouped_logprobs(model, batch).sum() / batch["total"]["tokens"]
    return value


def by_rows(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    return -grouped_logprobs(model, batch).mean()


def tokens(row: AnswerRow) -> dict[str, float]:
    return {"tokens": len(row.ids) - row.start}


def train(
    running: Running, *, loop: Loop = LOOP, rows: Any = None, model: Any = None, **given: Any
) -> tuple[Any, dict[str, float]]:
    model = model or made("llama")
    given = {"loss": by_tokens, "counts": tokens, **given}
    data = drawn(30) if rows is None else rows
    return model, fit(model, data, collate=collate, loop=loop, running=running, **given)


def weights(model: Any) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("per_device", [1, 2, 3])
@pytest.mark.parametrize(("loss", "counts"), [(by_tokens, tokens), (by_rows, None)])
def test_a_step_in_parts_is_the_step_as_a_whole(per_device: int, loss: Any, counts: Any) -> None:
    """Accumulated over parts, also with rows left over, the same weights come out."""
    whole = train(Running(hardware=EXACT), loss=loss, counts=counts)
    parts = train(Running(hardware=replace(EXACT, per_device=per_device)), loss=loss, counts=counts)

    assert torch.allclose(weights(whole[0]), weights(parts[0]), atol=2e-6)
    assert parts[1] == pytest.approx(whole[1], rel=1e-6)


def test_a_mean_over_each_part_would_be_another_loss() -> None:
    """The control: token means averaged over parts, as if parts were equally long, differ."""

    def mean_of_part(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        value: torch.Tensor = -grouped_logprobs(model, batch).sum() / batch["length"].sum()
        return value

    whole = train(Running(hardware=EXACT))
    parts = train(Running(hardware=replace(EXACT, per_device=1)), loss=mean_of_part, counts=None)

    assert not torch.allclose(weights(whole[0]), weights(parts[0]), atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
@pytest.mark.parametrize("lora", [None, Lora(rank=2)])
def test_activations_computed_twice_train_the_same_model(name: str, lora: Lora | None) -> None:
    """Checkpointing changes memory alone, with adapters too, where inputs need no gradient."""
    ends = []
    for again in (False, True):
        running = Running(hardware=replace(EXACT, checkpointing=again))
        model, _ = train(running, model=adapted(made(name), lora, seed=0))
        ends.append(weights(merged(model)))

    assert torch.allclose(ends[0], ends[1], atol=1e-6)
    assert not torch.allclose(ends[0], weights(made(name)), atol=1e-4)


def stop_at(step: int) -> Callable[[int, int, float], None]:
    def told(at: int, steps: int, loss: float) -> None:
        if at == step:
            raise Stopped

    return told


@pytest.mark.parametrize("dies", [2, 3, 5])
@pytest.mark.parametrize("lora", [None, Lora(rank=2, dropout=0.2)])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
    tmp_path: Path, dies: int, lora: Lora | None
) -> None:
    """Weights, losses, state, notes and dropout are those of the run that was left alone."""
    loop = replace(LOOP, save_every=2)

    def run(place: Path, progress: Any = None) -> tuple[Any, dict[str, float], Tally, Any]:
        tally = Tally()
        running = Running(hardware=EXACT, workdir=place, progress=progress)

        def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
            value = by_tokens(model, batch)
            tally.seen += float(value.detach())
            running.note("tally", float(tally.value[0]))
            return value * float(tally.value[0])

        model = adapted(made("llama"), lora, seed=1)
        found = train(running, loop=loop, model=model, loss=loss, state=tally,
                      after_step=tally.after)  # fmt: skip
        return merged(found[0]), found[1], tally, running.history

    whole = run(tmp_path / "whole")
    with pytest.raises(Stopped):
        run(tmp_path / "stopped", stop_at(dies))
    again = run(tmp_path / "stopped")

    assert again[1] == pytest.approx(whole[1], abs=1e-6)
    assert torch.equal(weights(again[0]), weights(whole[0]))
    assert torch.equal(again[2].value, whole[2].value)
    assert again[3] == whole[3]
    assert len(whole[3]["tally"]) == LOOP.steps


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Another rate, other rows, other numbers in them, another recipe's settings: no resuming."""
    loop = replace(LOOP, save_every=2)
    mine = Running(hardware=EXACT, workdir=tmp_path, science="a", progress=stop_at(3))
    with pytest.raises(Stopped):
        train(mine, loop=loop)
    calm = replace(mine, progress=None)
    others: list[dict[str, Any]] = [
        {"running": calm, "loop": replace(loop, lr=1e-3)},
        {"running": calm, "loop": loop, "rows": drawn(30, seed=1)},
        {"running": replace(calm, science="b"), "loop": loop},
    ]
    for other in others:
        with pytest.raises(InputError, match="a checkpoint of these settings"):
            train(**other)
    _, metrics = train(calm, loop=replace(loop, save_every=3))

    assert metrics["steps"] == LOOP.steps


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_run_and_names_its_rows(
    tmp_path: Path, bad: float
) -> None:
    """One error with step and rows; the checkpoint before it stands, and the run can go on."""
    loop = replace(LOOP, save_every=2)
    data, spoilt = drawn(30), True

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        value = by_tokens(model, batch)
        return value * bad if spoilt and len(running.history.get("n", [])) == 4 else value

    running = Running(hardware=EXACT, workdir=tmp_path)
    counted: dict[str, Any] = {"rows": data, "loop": loop, "loss": loss,
               "after_step": lambda step: running.note("n", step)}  # fmt: skip
    with pytest.raises(InputError) as caught:
        train(running, **counted)
    (fault,) = caught.value.faults
    spoilt = False
    _, metrics = train(running, **counted)
    _, whole = train(Running(hardware=EXACT), loop=LOOP, rows=data)

    assert fault.where.startswith("step 5 of 6, rows ")
    assert str(bad) in fault.seen
    assert metrics == pytest.approx(whole, abs=1e-6)


def test_a_gradient_that_is_no_number_changes_no_weight() -> None:
    """A finite loss with an infinite gradient stops the run before the weights are spoilt."""

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        hidden = next(iter(model.parameters())).sum() * 0.0
        return by_tokens(model, batch) + torch.sqrt(hidden)

    model = made("llama")
    before = weights(model).clone()
    with pytest.raises(InputError, match="gradient"):
        train(Running(hardware=EXACT), model=model, loss=loss)

    assert torch.equal(weights(model), before)


def test_no_rows_are_an_error() -> None:
    """An empty set of rows is refused in words, not by a division."""
    with pytest.raises(InputError, match="at least one row"):
        train(Running(hardware=EXACT), rows=[])


def test_a_half_written_checkpoint_does_not_count(tmp_path: Path) -> None:
    """Cut short or without its last file, a checkpoint is passed over for the one before."""
    loop = replace(LOOP, save_every=2)
    running = Running(hardware=EXACT, workdir=tmp_path)
    with pytest.raises(Stopped):
        train(replace(running, progress=stop_at(3)), loop=loop)
    half = tmp_path / "checkpoint-4"
    half.mkdir()
    for file in (tmp_path / "checkpoint-2").iterdir():
        (half / file.name).write_bytes(file.read_bytes()[:-1])
    _, again = train(running, loop=loop)
    _, whole = train(Running(hardware=EXACT), loop=LOOP)

    assert again == pytest.approx(whole, abs=1e-6)


def test_what_a_checkpoint_holds_is_read_without_trust(tmp_path: Path) -> None:
    """Only the last is kept; it has no pickled arguments, and torch reads it as weights only."""
    loop = replace(LOOP, save_every=2)
    train(Running(hardware=EXACT, workdir=tmp_path), loop=loop, state=Tally())
    (kept,) = tmp_path.glob("checkpoint-*")
    files = {file.name for file in kept.iterdir()}
    safe = torch.serialization.safe_globals([])
    with safe:
        torch.load(kept / "state.pt", weights_only=True)
        torch.load(kept / "optimizer.pt", weights_only=True)

    assert kept.name == "checkpoint-6"
    assert "training_args.bin" not in files
    assert {"model.safetensors", "optimizer.pt", "state.pt", "whole.json"} <= files


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """One error in words; with room made, the same run goes on and ends as it would have."""
    loop = replace(LOOP, save_every=2)
    with small_disk(tmp_path / "disk", size="3m") as disk:
        filler = disk / "filler"

        def fill(step: int, steps: int, loss: float) -> None:
            if step == 3:
                with suppress(OSError), filler.open("wb", buffering=0) as file:
                    while True:
                        file.write(b"x" * 4096)

        running = Running(hardware=EXACT, workdir=disk / "work", progress=fill)
        with pytest.raises(PlaceError, match="checkpoint-2 is whole"):
            train(running, loop=loop)
        filler.unlink()
        _, again = train(replace(running, progress=None), loop=loop)
    _, whole = train(Running(hardware=EXACT), loop=LOOP)

    assert again == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("killed", [False, True])
def test_training_stops_past_the_peak_of_the_gold_measure(tmp_path: Path, killed: bool) -> None:
    """The weights of the best measurement come back, also after a kill, and the rest is not run."""
    seen: list[torch.Tensor] = []

    def measure(model: Any) -> float:
        assert not model.training
        seen.append(weights(model).clone())
        return -abs(len(seen) - 3.0)

    loop = replace(LOOP, steps=40, save_every=2)
    gold = Gold(measure, every=2, patience=2)
    running = Running(hardware=EXACT, workdir=tmp_path)
    if killed:
        with pytest.raises(Stopped):
            train(replace(running, progress=stop_at(5)), loop=loop, gold=gold)
    model, metrics = train(running, loop=loop, gold=gold)

    assert metrics["gold_step"] == 4
    assert metrics["gold"] == 0
    assert metrics["gold_start"] == -2
    assert metrics["steps"] == 8
    assert torch.equal(weights(model), seen[2])


@pytest.mark.slow
def test_killed_at_once_and_resumed_it_ends_with_the_same_loss(tmp_path: Path) -> None:
    """Kill -9 between two checkpoints: a new process ends within 1e-6 of one left alone."""
    told = {"every": 2, "gold": True, "dropout": 0.1}
    ran(tmp_path, "whole", told)
    died = ran(tmp_path, "killed", {**told, "die": 5})
    ran(tmp_path, "killed", told)
    whole, again = read(tmp_path / "whole.json"), read(tmp_path / "killed.json")

    assert died == -signal.SIGKILL
    assert again["metrics"] == pytest.approx(whole["metrics"], abs=1e-6)
    assert again["tally"] == pytest.approx(whole["tally"], abs=1e-6)
    assert again["curves"] == whole["curves"]


def ran(place: Path, name: str, given: dict[str, Any]) -> int:
    told = {"out": str(place / f"{name}.json"), "workdir": str(place / name), **given}
    command = [sys.executable, "-m", "tests.models.tuning.worker", json.dumps(told)]
    return subprocess.run(command, check=False, env=os.environ).returncode


def read(place: Path) -> Any:
    return json.loads(place.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("per_device", [None, 2])
def test_two_processes_train_the_model_that_one_trains(
    tmp_path: Path, mean: bool, per_device: int | None
) -> None:
    """Same global batch and seed over gloo: losses within 1e-5, weights within 1e-4.

    They differ in the order of sums alone, which Adam's division magnifies where gradients vanish.
    """
    told: dict[str, Any] = {"mean": mean, "per_device": per_device}
    ran(tmp_path, "one", told)
    told |= {"out": str(tmp_path / "two.json"), "workdir": str(tmp_path / "two")}
    code = launch("tests.models.tuning.worker", [json.dumps(told)], processes=2)
    one, two = (read(tmp_path / f"{name}.json") for name in ("one", "two"))
    ends = [torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in ("one", "two")]

    assert code == 0
    assert two["metrics"] == pytest.approx(one["metrics"], abs=1e-5)
    assert two["tally"] == pytest.approx(one["tally"], abs=1e-5)
    for name, part in ends[0].items():
        assert torch.allclose(part, ends[1][name], atol=1e-4), name


@pytest.mark.slow
def test_a_step_on_shards_is_the_step_on_whole_weights(tmp_path: Path) -> None:
    """FSDP2 over two processes: half the weights on each, one step the same, whole after it."""
    out = tmp_path / "gap.json"
    code = launch("tests.models.tuning.sharding", [str(out)], processes=2)
    found = read(out)

    assert code == 0
    assert found["gap"] < 1e-5
    assert found["held"] < 0.6
    assert found["apart"] < 1e-5


def test_logs_hold_loss_rate_speed_and_notes(tmp_path: Path) -> None:
    """A TensorBoard log has a point a step for each curve, and the losses are those reported."""
    from tensorboardX.proto.event_pb2 import Event

    running = Running(hardware=EXACT, logs=tmp_path)
    _, metrics = train(running, after_step=lambda step: running.note("leak", step / 10))
    (file,) = tmp_path.iterdir()
    points: dict[str, list[float]] = {}
    data = file.read_bytes()
    while data:
        size = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + size])
        for value in event.summary.value:
            points.setdefault(value.tag, []).append(value.simple_value)
        data = data[16 + size :]

    assert set(points) == {"loss", "learning_rate", "grad_norm", "tokens_per_second", "leak"}
    assert all(len(line) == LOOP.steps for line in points.values())
    assert points["loss"][0] == pytest.approx(metrics["first_loss"], rel=1e-5)
    assert points["leak"][-1] == pytest.approx(0.6)
