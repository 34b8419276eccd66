"""Instruction tuning: imitate demonstrations, with loss on the answer and its stop token alone.

Supports: full fine-tuning of any causal language model with a chat template; rows with weights.
Assumes: rows were curated under a policy. May harm: what the demonstrations do, the model does.
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
    Lora,
    adapted,
    answer_rows,
    fit,
    group_rows,
    grouped_logprobs,
    inner,
    merged,
)
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.records import Demonstration, Permit, require_permit


@dataclass(frozen=True)
class _Row:
    row: AnswerRow
    weight: float


@plugin(
    Card(
        name="sft",
        kind="recipes",
        status="tested",
        summary="Imitate demonstrations, with loss on the answer and its stop token alone.",
        reference="",
        claims=("loss falls on answer tokens only",),
    )
)
def sft(
    base: LocalModel,
    rows: Sequence[Demonstration],
    *,
    loop: Loop,
    limit: int = 512,
    lora: Lora | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[LocalModel, dict[str, float]]:
    """Return a tuned copy of `base` and what training logged.

    Args:
        base: the model to start from; it is not changed.
        rows: demonstrations.
        loop: epochs, rate, batch, seed.
        limit: longest row in tokens; longer rows are an error, never cut.
        lora: adapters to train in the place of all weights; they are folded in.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    Raises:
        PermitError: with every reason, if nothing permits training.
    """
    require_permit(permit, unpermitted=unpermitted)
    encoded = answer_rows(base.tokenizer, [(r.prompt, r.completion) for r in rows], limit=limit)
    data = [_Row(e, r.weight) for e, r in zip(encoded, rows, strict=True)]
    weights = adapted(copy.deepcopy(base.weights), lora, seed=loop.seed)

    def collate(batch: list[_Row]) -> dict[str, Any]:
        tensors = group_rows([b.row for b in batch], base.tokenizer.pad_token_id)
        return {**tensors, "weight": torch.tensor([b.weight for b in batch])}

    metrics = fit(weights, data, loss=imitation, collate=collate, loop=loop, running=running)
    return LocalModel("tuned", merged(weights), base.tokenizer, base.batch), metrics


def imitation(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return the weighted negative log-likelihood of the answers, in nats a token."""
    scores = grouped_logprobs(inner(model), batch)
    weight: torch.Tensor = batch["weight"]
    length: torch.Tensor = batch["length"]
    return -(weight * scores).sum() / (weight * length).sum()
