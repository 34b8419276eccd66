"""Preference optimisation on vote shares: DPO with soft labels, pair weights and an SFT anchor.

Supports: soft labels (Rafailov et al. 2023; shares instead of winners), weights from severity and
support, an anchor on demonstrations that keeps help in place. The reference is the starting model
itself, its log-probabilities computed once before training. May harm: probability can leak to
answers that are in no pair; `leak` is logged always (likelihood displacement).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.local import LocalModel
from normwright.models.tuning import (
    AnswerRow,
    answer_logprobs,
    answer_rows,
    fit,
    pad_rows,
    soft_preference,
)
from normwright.models.tuning.loop import Loop, Progress
from normwright.plugins import Card, plugin
from normwright.records import Demonstration, PreferencePair


@dataclass(frozen=True)
class _Row:
    better: AnswerRow
    worse: AnswerRow
    anchor: AnswerRow
    reference: float
    """log-probability of better minus that of worse under the reference, in nats."""
    p: float
    weight: float


@plugin(
    Card(
        name="prefer",
        kind="recipes",
        status="tested",
        summary="Direct preference optimisation on vote shares, with weights and an anchor.",
        reference="Rafailov et al. (2023), arXiv 2305.18290, with soft labels",
        claims=(
            "the minimiser of a pair is the logit of its share",
            "leak to answers outside the pairs is logged",
        ),
    )
)
def prefer(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    demonstrations: Sequence[Demonstration],
    *,
    loop: Loop,
    beta: float = 0.1,
    anchor: float = 0.5,
    limit: int = 512,
    progress: Progress | None = None,
) -> tuple[LocalModel, dict[str, float]]:
    """Return an aligned copy of `start` and what training logged.

    Args:
        start: the tuned model, which is also the reference; it is not changed.
        pairs: preference pairs with soft labels and weights.
        demonstrations: rows the anchor imitates, in turn, beside the pairs.
        loop: epochs, rate, batch (pairs a step), seed.
        beta: strength of the pull towards the reference.
        anchor: weight of the negative log-likelihood of the anchor row and the chosen answer.
        limit: longest row in tokens.
        progress: told of every step.

    The metrics hold `accuracy` (share of the pairs on the majority's side after training), and
    `leak`: how much log-probability the chosen answers lost on average, in nats (0 if they gained).
    """
    tokenizer = start.tokenizer
    better = answer_rows(tokenizer, [(p.prompt, p.chosen) for p in pairs], limit=limit)
    worse = answer_rows(tokenizer, [(p.prompt, p.rejected) for p in pairs], limit=limit)
    anchors = answer_rows(
        tokenizer, [(d.prompt, d.completion) for d in demonstrations], limit=limit
    )
    before_better, before_worse = _scores(start, better), _scores(start, worse)
    mean = sum(p.weight for p in pairs) / len(pairs)
    data = [
        _Row(
            b,
            w,
            anchors[i % len(anchors)],
            before_better[i] - before_worse[i],
            p.p_chosen,
            p.weight / mean,
        )
        for i, (b, w, p) in enumerate(zip(better, worse, pairs, strict=True))
    ]
    weights = copy.deepcopy(start.weights)

    def collate(batch: list[_Row]) -> dict[str, Any]:
        rows = [b.better for b in batch] + [b.worse for b in batch] + [b.anchor for b in batch]
        return {
            **pad_rows(rows, tokenizer.pad_token_id),
            "reference": torch.tensor([b.reference for b in batch]),
            "p": torch.tensor([b.p for b in batch]),
            "weight": torch.tensor([b.weight for b in batch]),
        }

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        scores = answer_logprobs(model, batch["ids"], batch["mask"], batch["answer"])
        good, bad, kept = scores.chunk(3)
        margin = beta * (good - bad - batch["reference"])
        length: torch.Tensor = batch["answer"].chunk(3)[2].sum()
        return soft_preference(margin, batch["p"], batch["weight"]) - anchor * kept.sum() / length

    metrics = fit(weights, data, loss=loss, collate=collate, loop=loop, progress=progress)
    aligned = LocalModel("aligned", weights, tokenizer, start.batch)
    after_better, after_worse = _scores(aligned, better), _scores(aligned, worse)
    moved = [
        (after_better[i] - after_worse[i] - d.reference) * (1 if d.p >= 0.5 else -1)
        for i, d in enumerate(data)
    ]
    lost = [max(0.0, b - a) for a, b in zip(after_better, before_better, strict=True)]
    return aligned, {
        **metrics,
        "accuracy": sum(m > 0 for m in moved) / len(moved),
        "leak": sum(lost) / len(lost),
    }


def _scores(model: LocalModel, rows: Sequence[AnswerRow]) -> list[float]:
    return model.token_logprobs([r.ids[: r.start] for r in rows], [r.ids[r.start :] for r in rows])
