"""The one training loop: `transformers.Trainer` with our loss, on a laptop and a cluster alike."""

from __future__ import annotations

import copy
import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.utils.data import Dataset

from normwright.models.local import quiet_bars
from normwright.models.tuning.checkpoints import (
    STATE,
    Identity,
    finish,
    identity,
    last_whole,
    load_best,
    not_written,
    progress_of,
    save_best,
)
from normwright.models.tuning.hardware import Resolved, rank, resolved, sharded, whole_again
from normwright.models.tuning.logs import Board
from normwright.models.tuning.losses import attending_again
from normwright.models.tuning.parts import Counts, Part, Parts
from normwright.models.tuning.running import Gold, Progress, Running, Stateful, everywhere
from normwright.records import Fault, InputError


@dataclass(frozen=True)
class Loop:
    """How long and how fast to train. The science of a run; hardware is resolved from it."""

    epochs: float = 1.0
    steps: int = -1
    """Optimizer steps; -1 follows `epochs`."""
    lr: float = 5e-4
    batch: int = 16
    """Rows an optimizer step, over all processes."""
    warmup: float = 0.05
    """Share of the steps over which the rate rises from zero."""
    decay: str = "cosine"
    """`cosine`, `linear`, `constant`, or `warmup_stable_decay` (flat, then linear to zero over the
    last fifth)."""
    weight_decay: float = 0.01
    """Pull of the weights towards zero; norms and biases are spared."""
    clip: float = 1.0
    seed: int = 0
    save_every: int = 0
    """Steps between checkpoints from which a killed run resumes; 0 keeps none."""


class ModelWithLoss(torch.nn.Module):
    """A model with the loss it is trained on, as one module.

    What shares a model among processes hooks into the call of a module. Losses call trunk and head
    apart, so the call it hooks into is that of the loss.
    """

    def __init__(self, model: Any, loss: Callable[[Any, Any], torch.Tensor], on: Resolved) -> None:
        super().__init__()
        self.model = model
        self.config = getattr(model, "config", None)
        self._no_split_modules = getattr(model, "_no_split_modules", None)
        # Asked for after a checkpoint that lacks the frozen weights of adapted models was read.
        self._keys_to_ignore_on_save = None
        self._loss = loss
        self._on = on

    def forward(self, batch: Any, *, idle: bool = False) -> torch.Tensor:
        """Return the loss of a batch; where a process is idle, a zero that all weights are in."""
        if idle:
            trained = [p for p in self.model.parameters() if p.requires_grad]
            return sum(
                ((p * 0.0).sum() for p in trained), torch.zeros((), device=trained[0].device)
            )
        with torch.autocast(self._on.device, torch.bfloat16, enabled=self._on.precision == "bf16"):
            return self._loss(self.model, batch)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return what training changes, each tensor once: of tied weights one name is enough."""
        whole = super().state_dict(*args, **kwargs)
        return {name: part for name, part in whole.items() if name in self._changed()}

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """Take on what `state_dict` returned; what is frozen or tied is not missing."""
        found = super().load_state_dict(state_dict, *args, **kwargs)
        changed = self._changed()
        found.missing_keys[:] = [name for name in found.missing_keys if name in changed]
        return found

    def _changed(self) -> set[str]:
        trained = {f"model.{n}" for n, p in self.model.named_parameters() if p.requires_grad}
        return trained | {f"model.{name}" for name, _ in self.model.named_buffers()}


def fit(
    model: Any,
    rows: Sequence[Any] | Dataset[Any],
    *,
    loss: Callable[[Any, dict[str, Any]], torch.Tensor],
    collate: Callable[[list[Any]], dict[str, Any]],
    loop: Loop,
    running: Running | None = None,
    shuffle: bool = True,
    counts: Counts | None = None,
    state: Stateful | None = None,
    gold: Gold | None = None,
    after_step: Callable[[int], None] | None = None,
) -> dict[str, float]:
    """Train `model` in place and return the mean loss of the first and last tenth of the steps.

    A step may be computed in parts, one after the other or by several processes, so the loss of a
    step must be the sum of what its parts give. There are two ways to say so:

    - Without `counts`, `loss` is a mean over the rows of its batch, and a part weighs as much as
      its share of the step's rows.
    - With `counts`, `loss` is a sum over the rows of its batch divided by `batch["total"][name]`:
      the sum of what `counts` says of every row of the whole step. A mean over tokens is one.

    Args:
        model: a torch module.
        rows: the training rows.
        loss: from model and collated batch to a scalar.
        collate: from a list of rows to a batch of tensors.
        loop: how long, how fast, which seed.
        running: where checkpoints and logs go, on what, and who is told.
        shuffle: draw rows in random order; False keeps their order (curricula).
        counts: from a row to what it adds to the denominators of the loss, by name.
        state: what else is learned; it is saved with every checkpoint.
        gold: stops training at the peak of a held-out measure and brings the best weights back.
        after_step: called on every process with each step that was made, for what a loss gathers
            over the parts of a step; it may use `everywhere`.

    Raises:
        InputError: without rows; for a loss that is no finite number, naming step and rows; for a
            checkpoint of another run.
        PlaceError: if a checkpoint cannot be written; the last whole one stays.
    """
    if not len(rows):  # type: ignore[arg-type]
        raise InputError([Fault(where="rows", expected="at least one row", seen="none")])
    given = running or Running()
    on = resolved(given.hardware, batch=loop.batch)
    steps_an_epoch = -(-len(rows) // loop.batch)  # type: ignore[arg-type]
    steps = loop.steps if loop.steps > 0 else max(1, math.ceil(loop.epochs * steps_an_epoch))
    parts = Parts(rows, batch=loop.batch, steps=steps, seed=loop.seed, shuffle=shuffle, on=on,
                  counts=counts)  # fmt: skip
    if on.strategy != "ddp" and parts.idle():
        raise InputError([_too_few(parts)])
    if on.strategy != "ddp" and gold is not None:
        raise InputError(
            [
                Fault(
                    where="strategy",
                    expected="ddp where a measure stops training",
                    seen=on.strategy,
                    do="It reads all weights on each process.",
                )
            ]
        )
    scratch = given.workdir or Path(tempfile.mkdtemp())
    who = _identity(loop, rows, given, shuffle=shuffle) if loop.save_every else Identity("", 0.0)
    last = last_whole(scratch) if loop.save_every else None
    run = _Run(given, parts, model, who, scratch, state, gold, after_step)
    if last is not None:
        run.resume(last)
    twin = None if on.strategy == "ddp" else copy.deepcopy(model).cpu()
    trainer = _trainer(ModelWithLoss(model, loss, on), parts, collate, loop, run)
    model.train()
    try:
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    except (OSError, RuntimeError, SafetensorError) as error:
        if not run.saving:
            raise
        raise not_written(scratch, trainer.state.global_step, error) from error
    if twin is not None:
        whole_again(model, trainer.accelerator.unwrap_model(trainer.model).model, twin)
    run.end(model)
    if given.workdir is None:
        shutil.rmtree(scratch, ignore_errors=True)
    return run.metrics()


def _identity(loop: Loop, rows: Any, given: Running, *, shuffle: bool) -> Identity:
    science = {name: value for name, value in asdict(loop).items() if name != "save_every"}
    return identity({**science, "shuffle": shuffle, "science": given.science}, rows)


def _too_few(parts: Parts) -> Fault:
    needed = parts.on.world * parts.on.accumulation
    return Fault(
        where="batch",
        expected=f"steps of at least {needed} rows, one for each part of each process",
        seen="a step with fewer",
        do="Take another batch, or more rows at once.",
    )


class _Run:
    """What one run gathers while it trains, and does between its steps."""

    def __init__(
        self,
        given: Running,
        parts: Parts,
        model: Any,
        who: Identity,
        scratch: Path,
        state: Stateful | None,
        gold: Gold | None,
        after_step: Callable[[int], None] | None,
    ) -> None:
        self.given, self.parts, self.model, self.who = given, parts, model, who
        self.scratch, self.state, self.gold, self.after_step = scratch, state, gold, after_step
        self.board = Board(given.logs) if given.logs is not None and rank() == 0 else None
        self.losses: list[float] = []
        self.saving = False
        self.done = 0
        self._gathered: list[float] = []
        self._best: dict[str, torch.Tensor] = {}
        self._peak: dict[str, float] = {}
        """`gold`, `gold_step`, `gold_start`, and `misses` in a row."""

    def resume(self, folder: Path) -> None:
        """Take up a run where a checkpoint left it."""
        held = progress_of(folder, self.who)
        self.losses = held["losses"]
        self.given.curves.lines = {
            n: [(int(s), v) for s, v in c] for n, c in held["curves"].items()
        }
        self._peak = held["peak"]
        if self._peak:
            self._best = load_best(folder)
        if self.state is not None:
            self.state.load_state_dict(torch.load(folder / STATE, weights_only=True))

    def weighed(self, value: torch.Tensor, part: Part) -> torch.Tensor:
        """Return what a part adds to the loss of its step.

        Raises:
            InputError: naming step and rows, if it is no finite number.
        """
        weight = part.share if self.parts.counts is None else float(part.share > 0)
        seen = float(value.detach())
        if not abs(seen) < float("inf"):
            raise self._unusable(part, f"a loss of {seen}")
        self._gathered.append(weight * seen)
        self._part = part
        return value * weight

    def _unusable(self, part: Part, seen: str) -> InputError:
        shown = ", ".join(str(place) for place in part.places[:16])
        more = f" and {len(part.places) - 16} more" if len(part.places) > 16 else ""
        return InputError([
            Fault(
                where=f"step {part.step} of {self.parts.steps}, rows {shown}{more}",
                expected="a finite loss and finite gradients",
                seen=seen,
                do="Look at these rows, or lower the learning rate; earlier checkpoints stand.",
            )
        ])  # fmt: skip

    def begins(self, step: int) -> None:
        """Measure the start once."""
        self.given.curves.step = step
        if self.gold is not None and not self._peak:
            self._measure(step)

    def check(self, model: Any) -> None:
        """Refuse gradients that would spoil the weights."""
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        norm: Any = torch.nn.utils.get_total_norm(gradients)
        if not bool(torch.isfinite(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)):
            raise self._unusable(self._part, "a gradient that is not finite")

    def stepped(self, step: int) -> bool:
        """Note a step and say whether training shall go on."""
        total = everywhere(torch.tensor(sum(self._gathered), dtype=torch.float64))
        self.losses.append(float(total))
        self._gathered.clear()
        self.given.curves.step = step
        self.given.note("loss", self.losses[-1])
        if self.after_step is not None:
            self.after_step(step)
        goes_on = True
        if self.gold is not None and (step % self.gold.every == 0 or step == self.parts.steps):
            self._measure(step)
            goes_on = self._peak["misses"] < self.gold.patience
        if self.board is not None:
            self.board.step(step, self.given.curves)
        if self.given.progress is not None and rank() == 0:
            self.given.progress(step, self.parts.steps, self.losses[-1])
        return goes_on

    @torch.no_grad()
    def _measure(self, step: int) -> None:
        assert self.gold is not None
        self.model.eval()
        with torch.random.fork_rng():
            value = float(self.gold.measure(self.model))
        self.model.train()
        self.given.note("gold", value)
        if not self._peak:
            self._peak = {"gold_start": value}
        elif value <= self._peak["gold"]:
            self._peak["misses"] += 1
            return
        self._peak |= {"gold": value, "gold_step": float(step), "misses": 0.0}
        self._best = {
            name: p.detach().to("cpu", copy=True)
            for name, p in self.model.named_parameters()
            if p.requires_grad
        }

    def saved(self, step: int) -> None:
        """Complete a checkpoint that transformers wrote."""
        everywhere(torch.zeros(1))  # Every process has written its random numbers.
        if rank() == 0:
            folder = self.scratch / f"checkpoint-{step}"
            if self.state is not None:
                torch.save(self.state.state_dict(), folder / STATE)
            if self._best:
                save_best(folder, self._best)
            curves = self.given.curves.lines
            finish(folder, self.who,
                   {"losses": self.losses, "curves": curves, "peak": self._peak})  # fmt: skip
        self.saving = False

    def end(self, model: Any) -> None:
        """Leave the model as it shall be used, with the best weights if there was a measure."""
        self.done = len(self.losses)
        if self.board is not None:
            self.board.close()
        with torch.no_grad():
            for name, p in model.named_parameters() if self._best else ():
                if name in self._best:
                    p.copy_(self._best[name])
        model.eval()

    def metrics(self) -> dict[str, float]:
        """Return what a run shows of itself."""
        tenth = max(1, len(self.losses) // 10)
        peak = {name: value for name, value in self._peak.items() if name != "misses"}
        return {
            "first_loss": sum(self.losses[:tenth]) / tenth,
            "last_loss": sum(self.losses[-tenth:]) / tenth,
            "steps": float(self.done),
            **peak,
        }


def _trainer(
    model: ModelWithLoss,
    parts: Parts,
    collate: Callable[[list[Any]], Any],
    loop: Loop,
    run: _Run,
) -> Any:
    """Return the trainer of a run: our loss through `compute_loss`, our parts as its batches."""
    from transformers import Trainer, TrainerCallback

    world = parts.on.world

    class _Trainer(Trainer):  # type: ignore[misc]
        loss_is_scaled_for_ga = True
        """The parts of a step add up to its loss; see `fit`."""

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Any],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            part = inputs["part"][0]
            if run.board is not None:
                run.board.saw(inputs["batch"])
            value = run.weighed(model(inputs["batch"], idle=part.share == 0), part)
            # Gradients are averaged over processes; here they add up.
            value = value * world
            return (value, {}) if return_outputs else value

        def get_decay_parameter_names(self, model: Any) -> list[str]:
            return decaying(model)

    class _Between(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.begins(state.global_step)

        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.check(model)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if not run.stepped(state.global_step):
                control.should_training_stop = True
            run.saving = control.should_save

        def on_log(
            self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any
        ) -> None:
            if run.board is not None and logs:
                run.board.rates(state.global_step, logs)

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.saved(state.global_step)

    def batch(taken: list[Part]) -> dict[str, Any]:
        part = taken[0]
        made = collate(part.rows)
        if parts.counts is not None:
            made = {**made, "total": dict(part.total)}
        return {"batch": made, "part": [part]}

    trainer = _Trainer(
        model=model,
        args=_arguments(loop, parts, run.scratch, model.model, logs=run.given.logs is not None),
        train_dataset=parts,
        data_collator=batch,
        callbacks=[_Between()],
    )
    _quiet(trainer)
    return trainer


def _arguments(loop: Loop, parts: Parts, scratch: Path, model: Any, *, logs: bool) -> Any:
    from transformers import TrainingArguments

    on = parts.on
    if on.checkpointing:
        model.activation_checkpointing_enable(
            {"use_reentrant": False, "context_fn": attending_again}
        )
    decay = "constant_with_warmup" if loop.decay == "constant" else loop.decay
    stable = loop.decay == "warmup_stable_decay"
    return TrainingArguments(
        output_dir=str(scratch),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=on.accumulation,
        max_steps=parts.steps,
        learning_rate=loop.lr,
        lr_scheduler_type=decay,
        lr_scheduler_kwargs={"num_decay_steps": parts.steps // 5, "decay_type": "linear"}
        if stable
        else {},
        warmup_steps=loop.warmup,
        weight_decay=loop.weight_decay,
        max_grad_norm=loop.clip,
        seed=loop.seed,
        data_seed=loop.seed,
        bf16=False,
        use_cpu=on.device == "cpu",
        save_strategy="steps" if loop.save_every else "no",
        save_steps=loop.save_every or 500,
        logging_strategy="steps" if logs else "no",
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        train_sampling_strategy="sequential",
        optim="adamw_torch_fused",
        adam_beta2=0.95 if stable else 0.999,
        ddp_find_unused_parameters=True,
        **sharded(on, model),
    )


def decaying(model: Any) -> list[str]:
    """Return the names of the weights that weight decay pulls: no norm's, no bias.

    A norm is known by the class of its module, whatever its name (GPT-2 has `ln_1`), and every
    vector is spared, whatever its module.
    """
    spared = {
        f"{place}.{name}" if place else name
        for place, module in model.named_modules()
        for name, _ in module.named_parameters(recurse=False)
        if name == "bias" or name.endswith("_bias") or "norm" in type(module).__name__.lower()
    }
    return [
        name for name, p in model.named_parameters() if name not in spared and _dimensions(p) > 1
    ]


def _dimensions(parameter: Any) -> int:
    """How many dimensions a weight has, also where DeepSpeed holds it in shards."""
    return len(getattr(parameter, "ds_shape", parameter.shape))


def _quiet(trainer: Any) -> None:
    """Take out the callbacks that print; the library does not print."""
    from transformers import PrinterCallback, ProgressCallback

    for noisy in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(noisy)


def save_plain(model: Any, tokenizer: Any, directory: Path) -> None:
    """Write a plain Hugging Face directory: safetensors, configuration, tokenizer, no pickle."""
    quiet_bars()
    # The trainer switches the cache off for training and leaves it off; whoever serves wants it.
    model.config.use_cache = True
    directory.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(directory, safe_serialization=True)
    tokenizer.save_pretrained(directory)


def settings_of(loop: Loop) -> dict[str, Any]:
    """Return the loop as JSON values, for a ModelRef."""
    return asdict(loop)


__all__ = [
    "Gold",
    "Loop",
    "ModelWithLoss",
    "Progress",
    "Running",
    "Stateful",
    "decaying",
    "everywhere",
    "fit",
    "save_plain",
    "settings_of",
]
