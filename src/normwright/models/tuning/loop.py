"""The one training loop: `transformers.Trainer` with our loss, on a laptop and a cluster alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from normwright.models.local import half_precision, quiet_bars

Progress = Callable[[int, int, float], None]
"""Called with (step, steps in all, loss)."""


@dataclass(frozen=True)
class Loop:
    """How long and how fast to train. The science of a run; hardware is resolved from it."""

    epochs: float = 1.0
    steps: int = -1
    """Optimizer steps; -1 follows `epochs`."""
    lr: float = 5e-4
    batch: int = 16
    """Rows an optimizer step."""
    warmup: float = 0.05
    """Share of the steps over which the rate rises from zero."""
    decay: str = "cosine"
    """`cosine`, or `warmup_stable_decay` (flat, then linear to zero over the last fifth)."""
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 0
    save_every: int = 0
    """Steps between checkpoints from which a killed run resumes; 0 keeps none."""


@dataclass(frozen=True)
class Running:
    """Where a run leaves its checkpoints and logs, and who is told: nothing of the science."""

    progress: Progress | None = None
    """Told of every step."""
    workdir: Path | None = None
    """Where checkpoints go if the loop saves any: a run that was killed and is started again with
    the same directory goes on where its last checkpoint stands."""
    logs: Path | None = None
    """Where TensorBoard logs go; None writes none."""


class Rows(Dataset[Any]):
    """A list as a torch dataset."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]


def fit(
    model: Any,
    rows: Sequence[Any] | Dataset[Any],
    *,
    loss: Callable[[Any, dict[str, Any]], torch.Tensor],
    collate: Callable[[list[Any]], dict[str, Any]],
    loop: Loop,
    running: Running | None = None,
    shuffle: bool = True,
) -> dict[str, float]:
    """Train `model` in place and return the mean loss of the first and last tenth of the steps.

    Args:
        model: a torch module.
        rows: the training rows.
        loss: from model and collated batch to a scalar.
        collate: from a list of rows to a batch of tensors.
        loop: how long, how fast, which seed.
        running: where checkpoints and logs go, and who is told.
        shuffle: draw rows in random order; False keeps their order (curricula).
    """
    from transformers import Trainer, TrainerCallback, TrainingArguments
    from transformers.trainer_utils import get_last_checkpoint

    given = running or Running()
    losses: list[float] = []
    half = half_precision()
    device = "cuda" if torch.cuda.is_available() else "cpu"

    class _Trainer(Trainer):  # type: ignore[misc]
        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Any],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            # Losses call the trunk and the head apart, which accelerate's own autocast, wrapped
            # around `forward`, would miss: the step would silently run in float32.
            with torch.autocast(device, torch.bfloat16, enabled=half):
                value = loss(model, inputs)
            losses.append(float(value.detach()))
            return (value, {}) if return_outputs else value

    class _Report(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if given.progress is not None:
                given.progress(state.global_step, state.max_steps, losses[-1])

    scratch = Path(tempfile.mkdtemp()) if given.workdir is None else given.workdir
    arguments = TrainingArguments(
        output_dir=str(scratch),
        per_device_train_batch_size=loop.batch,
        num_train_epochs=loop.epochs,
        max_steps=loop.steps,
        learning_rate=loop.lr,
        lr_scheduler_type=loop.decay,
        lr_scheduler_kwargs=_decay_arguments(loop, rows),
        warmup_steps=loop.warmup,
        weight_decay=loop.weight_decay,
        max_grad_norm=loop.clip,
        seed=loop.seed,
        data_seed=loop.seed,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="steps" if loop.save_every else "no",
        save_steps=loop.save_every or 500,
        save_total_limit=1,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        train_sampling_strategy="random" if shuffle else "sequential",
        optim="adamw_torch_fused",
        adam_beta2=0.95 if loop.decay != "cosine" else 0.999,
    )
    trainer = _Trainer(
        model=model,
        args=arguments,
        train_dataset=rows if isinstance(rows, Dataset) else Rows(rows),
        data_collator=collate,
        callbacks=[_Report()],
    )
    _quiet(trainer)
    last = get_last_checkpoint(str(scratch)) if loop.save_every and scratch.is_dir() else None
    model.train()
    trainer.train(resume_from_checkpoint=last)
    model.eval()
    if given.workdir is None:
        shutil.rmtree(scratch)
    tenth = max(1, len(losses) // 10)
    return {
        "first_loss": sum(losses[:tenth]) / tenth,
        "last_loss": sum(losses[-tenth:]) / tenth,
        "steps": float(trainer.state.global_step),
    }


def _decay_arguments(loop: Loop, rows: Any) -> dict[str, Any]:
    """Arguments of the stable-then-decay schedule; the cosine needs none."""
    if loop.decay == "cosine":
        return {}
    steps = loop.steps if loop.steps > 0 else int(loop.epochs * -(-len(rows) // loop.batch))
    return {"num_decay_steps": steps // 5, "decay_type": "linear"}


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
