"""The recipes that `normwright learn` runs on files: what each reads, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from normwright.flow.learning.job import Job, Made
from normwright.flow.tunings import Imitation, Preference, Reward, Tuning


@dataclass(frozen=True)
class Trainable:
    """A recipe as files are put to it."""

    settings: type[Tuning]
    run: Callable[[Job[Any]], Made]
    role: str
    """Name of what it makes: `tuned`, `reward`, `aligned`."""
    extra: tuple[str, ...] = ()
    """Options with further files that it can read, beside its rows."""


def _sft(job: Job[Imitation]) -> Made:
    from normwright import learn

    rows = learn.read_demonstrations(job.data)
    tuned, metrics = learn.sft(
        job.start, rows, loop=job.loop, lora=job.lora, running=job.running,
        limit=job.limit, packing=job.settings.packing,
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


RECIPES: Final[Mapping[str, Trainable]] = {
    "sft": Trainable(Imitation, _sft, "tuned"),
    "reward": Trainable(Reward, _reward, "reward"),
    "prefer": Trainable(Preference, _prefer, "aligned", ("demonstrations",)),
}
"""By name, in the order in which a model goes through them."""
