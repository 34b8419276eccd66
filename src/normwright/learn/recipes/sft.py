"""Instruction tuning: imitate demonstrations, with loss on the answer and its stop token alone.

Supports: full fine-tuning or low-rank adapters of any causal language model with a chat template;
rows with weights; packing. Assumes: rows were curated under a policy. May harm: what the
demonstrations do, the model does.
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
    merged,
    pack_rows,
    packed_logprobs,
)
from normwright.models.tuning.anatomy import check_anatomy, takes_positions
from normwright.models.tuning.loop import Loop, Running
from normwright.models.tuning.templates import check_template
from normwright.plugins import Card, plugin
from normwright.records import Demonstration, Fault, InputError, Permit, require_permit


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
        claims=(
            "loss falls on answer tokens only",
            "packed rows score as they do alone",
            "one process and many train the same model",
        ),
    )
)
def sft(
    base: LocalModel,
    rows: Sequence[Demonstration],
    *,
    loop: Loop,
    limit: int = 512,
    packing: bool = False,
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
        packing: lay rows behind one another in rows of up to `limit` tokens, where they do not see
            each other, instead of padding each. Pays on a GPU, and where lengths differ widely.
        lora: adapters to train in the place of all weights; they are folded in.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: with every row that is too long or that the chat template would change.
    """
    require_permit(permit, unpermitted=unpermitted)
    check_anatomy(base.weights)
    if packing and not takes_positions(base.weights):
        raise InputError([_no_packing(base)])
    check_template(base.tokenizer, [(r.lang, r.prompt, r.completion) for r in rows])
    encoded = answer_rows(base.tokenizer, [(r.prompt, r.completion) for r in rows], limit=limit)
    data = [_Row(e, r.weight) for e, r in zip(encoded, rows, strict=True)]
    weights = adapted(copy.deepcopy(base.weights), lora, seed=loop.seed)

    pad = base.tokenizer.pad_token_id

    def collate(batch: list[_Row]) -> dict[str, Any]:
        taken = [b.row for b in batch]
        tensors = pack_rows(taken, pad, width=limit) if packing else group_rows(taken, pad)
        return {**tensors, "weight": torch.tensor([b.weight for b in batch])}

    metrics = fit(weights, data, loss=imitation, collate=collate, loop=loop, running=running,
                  counts=_counts)  # fmt: skip
    return LocalModel("tuned", merged(weights), base.tokenizer, base.batch), metrics


def imitation(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return the weighted negative log-likelihood of the answers, in nats a token of the step."""
    scores = (packed_logprobs if "positions" in batch else grouped_logprobs)(model, batch)
    weight: torch.Tensor = batch["weight"]
    loss: torch.Tensor = -(weight * scores).sum() / batch["total"]["tokens"]
    return loss


def _counts(row: _Row) -> dict[str, float]:
    return {"tokens": row.weight * (len(row.row.ids) - row.row.start)}


def _no_packing(base: LocalModel) -> Fault:
    return Fault(
        where="packing",
        expected="a model whose rows can carry positions of their own",
        seen=type(base.weights).__name__,
        do="Leave packing off.",
    )
