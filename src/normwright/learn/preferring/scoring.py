"""Log-probabilities of answers under a model, laid out and rounded as in training."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from normwright.models.local import LocalModel
from normwright.models.tuning import (
    CandidateRow,
    PairRow,
    candidate_logprobs,
    group_candidates,
    group_pairs,
    moved,
    pair_logprobs,
)


@torch.no_grad()
def pair_scores(
    model: LocalModel, rows: Sequence[PairRow], *, half: bool
) -> list[tuple[float, float]]:
    """Return log-probabilities of both answers of each pair.

    Args:
        model: whose.
        rows: the pairs.
        half: in bfloat16 where rows are trained so: the reference must be as precise as the
            policy, or the difference of their roundings is learned.
    """
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    out: list[tuple[float, float]] = [(0.0, 0.0)] * len(rows)
    device = model.weights.device
    for start in range(0, len(order), model.batch):
        part = order[start : start + model.batch]
        # In the small groups of training: the mask of a group grows with the square of its width.
        batch = moved(group_pairs([rows[i] for i in part], model.tokenizer.pad_token_id), device)
        with torch.autocast(str(device.type), torch.bfloat16, half):
            good, bad = pair_logprobs(model.weights, batch)
        for i, pair in zip(part, zip(good.tolist(), bad.tolist(), strict=True), strict=True):
            out[i] = pair
    return out


@torch.no_grad()
def candidate_scores(
    model: LocalModel, rows: Sequence[CandidateRow], *, half: bool
) -> list[tuple[float, ...]]:
    """Return log-probabilities of all answers of each row; `half` as for `pair_scores`."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    out: list[tuple[float, ...]] = [()] * len(rows)
    device = model.weights.device
    for start in range(0, len(order), model.batch):
        part = order[start : start + model.batch]
        pad = model.tokenizer.pad_token_id
        batch = moved(group_candidates([rows[i] for i in part], pad), device)
        with torch.autocast(str(device.type), torch.bfloat16, half):
            found = candidate_logprobs(model.weights, batch).tolist()
        for i, scores in zip(part, found, strict=True):
            out[i] = tuple(scores[: len(rows[i].answers)])
    return out
