"""Measurements on what people wrote and judged elsewhere: `evaluate.pairs`, `evaluate.benchmarks`.

None of them decides a release: they say how far what was learned carries beyond the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.stages.stored import folder_of, open_model, ref_of, rows_in
from normwright.records import Dataset, Digest, JudgedPair, Record

if TYPE_CHECKING:
    from normwright.models.local import LocalModel

ROLES: Mapping[str, str] = {
    "base": "learn.base",
    "tuned": "learn.sft",
    "aligned": "learn.prefer",
    "control:random-init": "learn.control",
}
"""Role -> the step that makes it; a project has some of them."""


def pairs(project: Project, context: Context) -> list[Record]:
    """Ask every model which of two answers it holds better, where people chose between them."""
    from normwright.evaluate import measure_judged_pairs
    from normwright.models.encoder import open_scorer

    models, digests = _models(project, context)
    scorer = open_scorer(folder_of(context, "learn.reward", "reward"))
    digests["reward"] = ref_of(context, "learn.reward", "reward").digest
    base = models["base"]
    return list(
        measure_judged_pairs(
            _held_out(context),
            models,
            scorer,
            reference="tuned",
            digests=digests,
            fits=base.fits,
            seed=context.seed,
            beta=project.settings.learn.prefer.beta,
            tokens=lambda text: len(base.tokenizer(text, add_special_tokens=False)["input_ids"]),
            progress=context.progress,
        )
    )


def benchmarks(project: Project, context: Context) -> list[Record]:
    """Ask every model the benchmarks, by log-likelihood."""
    from normwright.evaluate import measure_benchmarks

    models, digests = _models(project, context)
    place = project.settings.evaluate.benchmarks
    assert place is not None  # without one there is no such step
    return list(
        measure_benchmarks(
            project.path(place),
            models,
            digests=digests,
            seed=context.seed,
            limit=project.settings.evaluate.benchmark_items,
            scratch=context.scratch,
            progress=context.progress,
        )
    )


def _models(project: Project, context: Context) -> tuple[dict[str, LocalModel], dict[str, Digest]]:
    steps = {role: step for role, step in ROLES.items() if step in context.step.after}
    models = {role: open_model(project, context, step, role) for role, step in steps.items()}
    return models, {role: ref_of(context, step, role).digest for role, step in steps.items()}


def _held_out(context: Context) -> list[JudgedPair]:
    found = next(d for d in context.records("learn.corpora", Dataset) if d.kind == "held-out")
    return rows_in(context, [found], JudgedPair)
