"""The recipes that `normwright learn` runs on files: what each reads, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from normwright.flow.learning.job import Job, Made
from normwright.flow.loops import forgetting_of
from normwright.flow.tunings import Preference, Reward, Tuning, Unlearning


@dataclass(frozen=True)
class Trainable:
    """A recipe as files are put to it."""

    settings: type[Tuning]
    run: Callable[[Job[Any]], Made]
    role: str
    """Name of what it makes: `tuned`, `reward`, `aligned`."""
    extra: tuple[str, ...] = ()
    """Options with further files that it can read, beside its rows."""


def _sft(job: Job[Tuning]) -> Made:
    from normwright import learn

    rows = learn.read_demonstrations(job.data)
    tuned, metrics = learn.sft(
        job.start, rows, loop=job.loop, lora=job.lora, running=job.running,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    return Made(tuned.weights, tuned.tokenizer, len(rows), metrics)


def _reward(job: Job[Reward]) -> Made:
    from normwright import learn

    rows = learn.read_preferences(job.data)
    weights, metrics = learn.reward(
        job.start, rows, loop=job.loop, running=job.running,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    return Made(weights, job.start.tokenizer, len(rows), metrics)


def _prefer(job: Job[Preference]) -> Made:
    from normwright import learn

    rows = learn.read_preferences(job.data)
    anchors = job.extra.get("demonstrations")
    shown = learn.read_demonstrations(anchors) if anchors else learn.preferred_answers(rows)
    aligned, metrics = learn.prefer(
        job.start, rows, shown, loop=job.loop, running=job.running,
        beta=job.settings.beta, anchor=job.settings.sft_anchor,
        majority=job.settings.majority_anchor,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    return Made(aligned.weights, aligned.tokenizer, len(rows), metrics)


def _unlearn(job: Job[Unlearning]) -> Made:
    from normwright import learn
    from normwright.learn.forgetting import account, memory_rows
    from normwright.learn.recipes.unlearn import WARNING
    from normwright.models.local import LocalModel

    science, start = job.settings, job.start
    kept, trained_again = job.extra.get("retain"), job.extra.get("reference")
    forget = learn.read_memories(job.data)
    retain = learn.read_memories(kept) if kept else []
    reference = LocalModel.open(trained_again) if trained_again else None
    made, metrics = learn.unlearn(
        start, forget, retain, loop=job.loop, how=forgetting_of(science), limit=science.limit,
        lora=job.lora, running=job.running, permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    rows = [memory_rows(start.tokenizer, one, limit=science.limit) for one in (forget, retain)]
    told = account(
        start, made, *rows, reference=reference, relearn=science.relearn, band=science.band,
        lr=science.lr, batch=science.batch, seed=job.seed,
    )  # fmt: skip
    notes = (WARNING, *(() if reference else (UNMEASURED,)))
    return Made(
        made.weights, made.tokenizer, len(forget), metrics, notes=notes,
        extra={"forgetting": told, "reference": learn.weights_digest(start)},
    )  # fmt: skip


UNMEASURED: Final = (
    "No model trained again without the rows was given (--reference), so that nobody knows how far"
    " this one is from having forgotten."
)


RECIPES: Final[Mapping[str, Trainable]] = {
    "sft": Trainable(Tuning, _sft, "tuned"),
    "reward": Trainable(Reward, _reward, "reward"),
    "prefer": Trainable(Preference, _prefer, "aligned", ("demonstrations",)),
    "unlearn": Trainable(Unlearning, _unlearn, "unlearned", ("retain", "reference")),
}
"""By name, in the order in which a model goes through them."""
