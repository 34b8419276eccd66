"""KTO through TRL: answers that were found desirable, and answers that were not.

Supports: pairs as single choices, all weights or adapters. Its minimiser is not the target of the
other methods, `pi_ref exp(r / beta)`: the value it gives an answer is linear in the chance that it
is found desirable, so that without its saturation all mass goes to answers more than half like,
and how much more they like them is lost. Shares and weights of rows have no place in it and are
refused. Assumes: batches of several rows, because what an answer is compared with is estimated
from the other answers of its batch. May harm: minorities, for the reason above.
"""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from normwright.learn.preferring.objective import PreferenceObjective
from normwright.learn.preferring.report import PreferenceReport, report_pairs
from normwright.learn.preferring.scoring import pair_scores
from normwright.models.chat import plain
from normwright.models.local import LocalModel
from normwright.models.tuning import Lora, adapted, answer_rows, merged, pair_rows
from normwright.models.tuning.loop import Loop, Running
from normwright.models.tuning.trl import unsaid
from normwright.records import (
    Demonstration,
    Fault,
    InputError,
    Message,
    PreferencePair,
    ScoredAnswers,
)


def kto(
    start: LocalModel,
    rows: Sequence[Any],
    demonstrations: Sequence[Demonstration],
    *,
    loop: Loop,
    beta: float,
    anchor: float,
    objective: PreferenceObjective,
    limit: int,
    lora: Lora | None,
    reference: LocalModel | None,
    held: Sequence[PreferencePair | ScoredAnswers],
    running: Running | None,
) -> tuple[LocalModel, PreferenceReport, dict[str, float]]:
    """Return a model trained by TRL's KTOTrainer, its report, and what training logged.

    The arguments are those of `prefer`, which calls this for the method `kto`; demonstrations are
    not read, and an anchor is refused.

    Raises:
        InputError: if a batch holds a single row, or an anchor is asked for.
    """
    _refuse(loop, anchor)
    pairs = [row for row in rows if isinstance(row, PreferencePair)]
    # Encoded here too, so that rows that are too long or no continuation of their prompt are
    # refused: the trainer cuts and warns.
    sides = ([(p.prompt, p.chosen) for p in pairs], [(p.prompt, p.rejected) for p in pairs])
    encoded = pair_rows(*(answer_rows(start.tokenizer, side, limit=limit) for side in sides))
    before = pair_scores(reference or start, encoded, half=False)
    weights = adapted(copy.deepcopy(start.weights), lora, seed=loop.seed)
    single, left = _single(pairs, loop)
    # With adapters the trainer takes what lies under them; otherwise it would open the reference
    # again by the name in the configuration, which may be another model.
    held_to = None if lora is not None and reference is None else copy.deepcopy(
        (reference or start).weights
    )  # fmt: skip
    metrics = _train(weights, held_to, start.tokenizer, single, loop, beta, limit, running)
    aligned = LocalModel("aligned", merged(weights), start.tokenizer, start.batch)
    after = pair_scores(aligned, encoded, half=False)
    notes = ("One answer was left out, so that no step holds a single row.",) if left else ()
    report = report_pairs(
        start, aligned, pairs, encoded, (before, after), objective, held=held, seed=loop.seed,
        notes=notes,
    )  # fmt: skip
    return (
        aligned,
        report,
        {
            **metrics,
            "accuracy": report.accuracy.value or 0.0,
            "leak": report.likelihood.leak.value or 0.0,
        },
    )


def _refuse(loop: Loop, anchor: float) -> None:
    faults = []
    if loop.batch < 2:
        faults.append(Fault(where="batch", expected="2 rows or more for the method kto",
                            seen=str(loop.batch),
                            do="A batch of one compares an answer with itself."))  # fmt: skip
    if anchor:
        faults.append(Fault(where="sft_anchor", expected="0 for the method kto",
                            seen=f"{anchor:g}, which would be ignored"))  # fmt: skip
    if faults:
        raise InputError(faults)


def _single(pairs: Sequence[PreferencePair], loop: Loop) -> tuple[list[dict[str, Any]], bool]:
    """Both answers of each pair as rows of their own, in random order; and whether one is left out.

    The trainer keeps this order and compares a row with the one before it in its batch. In the
    order of pairs that would be the other answer to the same prompt.
    """
    rows = [
        {"prompt": _turns(pair.prompt), "completion": _turns((said,)), "label": liked}
        for pair in pairs
        for said, liked in (
            (Message(role="assistant", content=pair.chosen), pair.p_chosen > 0.5),
            (Message(role="assistant", content=pair.rejected), pair.p_chosen < 0.5),
        )
    ]
    random.Random(loop.seed).shuffle(rows)
    left = len(rows) % loop.batch == 1
    return (rows[:-1], True) if left else (rows, False)


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": m.role, "content": plain(m.content)} for m in messages]


def _train(
    weights: Any,
    reference: Any | None,
    tokenizer: Any,
    rows: list[dict[str, Any]],
    loop: Loop,
    beta: float,
    limit: int,
    running: Running | None,
) -> dict[str, float]:
    """Train in place; a run with a workdir goes on from its last checkpoint."""
    from datasets import Dataset
    from transformers import PrinterCallback, ProgressCallback, TrainerCallback
    from transformers.trainer_utils import get_last_checkpoint
    from trl import KTOConfig, KTOTrainer

    given = running or Running()
    losses: list[float] = []

    class _Report(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                losses.append(float(logs["loss"]))
                if given.progress is not None:
                    given.progress(state.global_step, state.max_steps, losses[-1])

    with tempfile.TemporaryDirectory() as scratch, unsaid():
        folder = given.workdir or Path(scratch)
        trainer = KTOTrainer(
            model=weights,
            ref_model=reference,
            args=KTOConfig(beta=beta, max_length=limit, **_arguments(loop, folder)),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            callbacks=[_Report()],
        )
        for noisy in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(noisy)
        kept = loop.save_every and folder.is_dir()
        trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)) if kept else None)
        weights.eval()
    tenth = max(1, len(losses) // 10)
    return {
        "first_loss": sum(losses[:tenth]) / tenth,
        "last_loss": sum(losses[-tenth:]) / tenth,
        "steps": float(trainer.state.global_step),
    }


def _arguments(loop: Loop, folder: Path) -> dict[str, Any]:
    """What the loop says, in the trainer's words; what it would change by default is said too."""
    import torch

    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": loop.batch,
        "num_train_epochs": loop.epochs,
        "max_steps": loop.steps,
        "learning_rate": loop.lr,
        "lr_scheduler_type": loop.decay,
        "warmup_steps": loop.warmup,
        "weight_decay": loop.weight_decay,
        "max_grad_norm": loop.clip,
        "seed": loop.seed,
        "data_seed": loop.seed,
        "bf16": False,
        "fp16": False,
        "gradient_checkpointing": False,
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "steps" if loop.save_every else "no",
        "save_steps": loop.save_every or 500,
        "save_total_limit": 1,
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }
