"""Match a distribution over several answers: any score of social choice becomes weights.

Supports: candidates with scores of whatever rule (mean utility, Borda, Copeland, approval, the
logarithm of a lottery), temperatures, weights, adapters. Minimiser: on a prompt's candidates
`pi_ref exp(score / (temperature beta))`, or with `proportional` the target itself. Assumes: scores
on an interval scale. May harm: answers that are no candidate are not compared with them, so
probability can leave the candidates altogether; their whole mass is measured before and after.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from normwright.learn.preferring.anchors import anchor_rows
from normwright.learn.preferring.conduct import asked
from normwright.learn.preferring.objective import MINIMISERS, PreferenceObjective
from normwright.learn.preferring.report import Judged, PreferenceReport, looked, reported, sided
from normwright.learn.preferring.scoring import candidate_scores
from normwright.models.local import LocalModel
from normwright.models.tuning import (
    AnswerRow,
    CandidateRow,
    Lora,
    adapted,
    answer_rows,
    candidate_logprobs,
    candidate_row,
    fit,
    group_candidates,
    group_rows,
    grouped_logprobs,
    merged,
)
from normwright.models.tuning.hardware import halves
from normwright.models.tuning.loop import Loop, Running
from normwright.models.tuning.preferences import listwise_losses
from normwright.records import Demonstration, PreferencePair, ScoredAnswers
from normwright.stats import bootstrap_mean


@dataclass(frozen=True)
class _Row:
    answers: CandidateRow
    anchor: AnswerRow | None
    before: tuple[float, ...]
    """Log-probabilities of the candidates under the reference, in nats."""
    target: tuple[float, ...]
    weight: float


def match_scores(
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
    """Return a model trained towards the rows' scores, its report, and what training logged.

    The arguments are those of `prefer`, which calls this for the method `listwise`. The metrics
    hold `candidate_kl`: the mean KL(target || policy) on the candidates after training, in nats.
    """
    given = [row for row in rows if isinstance(row, ScoredAnswers)]
    answers = _encoded(start, given, limit)
    anchors = anchor_rows(start, demonstrations, anchor=anchor, limit=limit)
    half = halves((running or Running()).hardware)
    before = candidate_scores(reference or start, answers, half=half)
    targets = [target_of(row) for row in given]
    mean = sum(row.weight for row in given) / len(given)
    data = [
        _Row(row, anchors[i % len(anchors)] if anchors else None, old, target, said.weight / mean)
        for i, (row, old, target, said) in enumerate(
            zip(answers, before, targets, given, strict=True)
        )
    ]
    weights = adapted(copy.deepcopy(start.weights), lora, seed=loop.seed)
    pad = start.tokenizer.pad_token_id

    def collate(batch: list[_Row]) -> dict[str, Any]:
        rows = group_candidates([b.answers for b in batch], pad)
        most = rows["present"].shape[1]
        return {
            "rows": rows,
            "anchors": group_rows([b.anchor for b in batch if b.anchor], pad) if anchors else None,
            "before": torch.tensor([_filled(b.before, most) for b in batch]),
            "target": torch.tensor([_filled(b.target, most) for b in batch]),
            "weight": torch.tensor([b.weight for b in batch]),
        }

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        found, laid = candidate_logprobs(model, batch["rows"]), batch["rows"]
        logits = found if objective.proportional else beta * (found - batch["before"])
        if objective.length:
            logits = logits + objective.length * laid["length"]
        losses = listwise_losses(logits, batch["target"], laid["present"])
        matched: torch.Tensor = (batch["weight"] * losses).sum() / batch["total"]["weight"]
        if anchors:
            kept = grouped_logprobs(model, batch["anchors"]).sum() / batch["total"]["anchor"]
            matched = matched - anchor * kept
        return matched

    metrics = fit(
        weights, data, loss=loss, collate=collate, loop=loop, running=running,
        counts=_counts,
    )  # fmt: skip
    aligned = LocalModel("aligned", merged(weights), start.tokenizer, start.batch)
    after = candidate_scores(aligned, answers, half=half)
    factor = None if objective.proportional else beta
    prompts = asked((sided(row) for row in held or given), count=objective.prompts)
    looks, gone = looked(start, aligned, prompts, seed=loop.seed)
    orders = [_best_first(row) for row in given]
    report = reported(
        [_judged(row, order) for row, order in zip(given, orders, strict=True)],
        [[old[k] for k in order] for old, order in zip(before, orders, strict=True)],
        [[new[k] for k in order] for new, order in zip(after, orders, strict=True)],
        [[len(r.answers[k]) for k in order] for r, order in zip(answers, orders, strict=True)],
        method=objective.method,
        minimiser="softmax(score / temperature) on the candidates"
        if objective.proportional
        else MINIMISERS[objective.method],
        left_out=0,
        looks=looks,
        gone=gone,
        held_out=bool(held),
        seed=loop.seed,
        notes=_notes(given),
    )
    gaps = [
        candidate_kl(target, new, old, beta=factor)
        for target, new, old in zip(targets, after, before, strict=True)
    ]
    leak = report.likelihood.leak.value or 0.0
    return (
        aligned,
        report,
        {
            **metrics,
            "accuracy": report.accuracy.value or 0.0,
            "leak": leak,
            "candidate_kl": bootstrap_mean(gaps, seed=loop.seed, rounds=200).value or 0.0,
        },
    )


def target_of(row: ScoredAnswers) -> tuple[float, ...]:
    """Return `softmax(score / temperature)` over a row's candidates."""
    scores = np.array([one.score for one in row.candidates]) / row.temperature
    raised = np.exp(scores - scores.max())
    return tuple(float(q) for q in raised / raised.sum())


def candidate_kl(
    target: Sequence[float],
    logprobs: Sequence[float],
    reference: Sequence[float],
    *,
    beta: float | None,
) -> float:
    """Return KL(target || softmax) over candidates in nats: how far training is from its target.

    Args:
        target: a probability for each candidate.
        logprobs: log-probabilities under the model.
        reference: the same under the reference.
        beta: the softmax is of `beta (logprobs - reference)`; None: of `logprobs`.
    """
    scores = np.asarray(logprobs)
    if beta is not None:
        scores = beta * (scores - np.asarray(reference))
    held = scores - np.logaddexp.reduce(scores)
    q = np.asarray(target)
    return float((q[q > 0] * (np.log(q[q > 0]) - held[q > 0])).sum())


def _encoded(start: LocalModel, rows: Sequence[ScoredAnswers], limit: int) -> list[CandidateRow]:
    flat = answer_rows(
        start.tokenizer, [(row.prompt, one.text) for row in rows for one in row.candidates],
        limit=limit,
    )  # fmt: skip
    found, at = [], 0
    for row in rows:
        found.append(candidate_row(flat[at : at + len(row.candidates)]))
        at += len(row.candidates)
    return found


def _best_first(row: ScoredAnswers) -> list[int]:
    """Indices of a row's candidates from the best to the worst score; ties as they stand."""
    return sorted(range(len(row.candidates)), key=lambda k: -row.candidates[k].score)


def _filled(values: Sequence[float], width: int) -> list[float]:
    return [*values, *[0.0] * (width - len(values))]


def _judged(row: ScoredAnswers, order: Sequence[int]) -> Judged:
    scores = [row.candidates[k].score for k in order]
    decided = scores[0] > scores[-1]
    return Judged(
        prompt=row.prompt,
        answers=tuple(row.candidates[k].text for k in order),
        decided=decided,
        groups=((row.group, True),) if row.group is not None and decided else (),
        lang=row.lang,
        norms=row.norms,
        family=row.family,
    )


def _notes(rows: Sequence[ScoredAnswers]) -> tuple[str, ...]:
    rules = sorted({row.rule for row in rows if row.rule})
    found = [f"Scores by {', '.join(rules)}."] if rules else []
    if any(row.group for row in rows):
        found.append("Groups are reported and do not weigh.")
    return tuple(found)


def _counts(row: _Row) -> dict[str, float]:
    """What a row adds to the denominators of the loss."""
    anchor = 0 if row.anchor is None else len(row.anchor.ids) - row.anchor.start
    return {"weight": row.weight, "anchor": anchor}
