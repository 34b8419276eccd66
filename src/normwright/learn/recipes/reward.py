"""A reward model that learns vote shares: a sequence classifier with one logit.

Supports: soft labels, pair weights. Assumes: pairs with shares strictly between 0 and 1.
May harm: it has never seen a text unlike its pairs, so garbled answers join as negatives; without
them best-of-n prefers word salad (measured in the experiment log).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.local import LocalModel
from normwright.models.tuning import (
    AnswerRow,
    PairRow,
    answer_rows,
    fit,
    group_pairs,
    pair_rows,
    pair_scores,
    soft_preference,
)
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.records import Permit, PreferencePair, require_permit

GARBLED_SHARE = 0.98
"""Share with which a whole answer is preferred to the same tokens in disorder."""


@dataclass(frozen=True)
class _Pair:
    answers: PairRow
    p: float
    weight: float


@plugin(
    Card(
        name="reward",
        kind="recipes",
        status="tested",
        takes="pairs",
        summary="A one-logit sequence classifier fitted to vote shares.",
        reference="Bradley and Terry (1952), with soft labels",
        claims=("the minimiser of a pair is the logit of its share",),
    )
)
def reward(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    *,
    loop: Loop,
    limit: int = 512,
    garbled: float = 0.25,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[Any, dict[str, float]]:
    """Return a sequence classifier trained on the pairs, and what training logged.

    Args:
        start: model whose trunk is used.
        pairs: preference pairs with soft labels and weights.
        loop: epochs, rate, batch, seed.
        limit: longest row in tokens.
        garbled: garbled negatives added, as a share of the pairs.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    Raises:
        PermitError: with every reason, if nothing permits training.
    """
    require_permit(permit, unpermitted=unpermitted)
    rng = random.Random(loop.seed)
    better = answer_rows(start.tokenizer, [(p.prompt, p.chosen) for p in pairs], limit=limit)
    worse = answer_rows(start.tokenizer, [(p.prompt, p.rejected) for p in pairs], limit=limit)
    mean = sum(p.weight for p in pairs) / len(pairs)
    data = [
        _Pair(row, p.p_chosen, p.weight / mean)
        for row, p in zip(pair_rows(better, worse), pairs, strict=True)
    ]
    drawn = rng.sample([*better, *worse], int(garbled * len(pairs)))
    disorder = pair_rows(drawn, [_shuffled(row, rng) for row in drawn])
    data += [_Pair(row, GARBLED_SHARE, 1.0) for row in disorder]
    weights = classifier(start, seed=loop.seed)
    pad = start.tokenizer.pad_token_id

    def collate(batch: list[_Pair]) -> dict[str, Any]:
        return {
            **group_pairs([b.answers for b in batch], pad),
            "p": torch.tensor([b.p for b in batch]),
            "weight": torch.tensor([b.weight for b in batch]),
        }

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        good, bad = pair_scores(model, batch)
        return soft_preference(good - bad, batch["p"], batch["weight"])

    metrics = fit(weights, data, loss=loss, collate=collate, loop=loop, running=running)
    return weights, metrics


def classifier(start: LocalModel, *, seed: int) -> Any:
    """Return a one-logit sequence classifier with the trunk of `start` and a fresh head."""
    from transformers import AutoModelForSequenceClassification

    config = copy.deepcopy(start.weights.config)
    config.num_labels = 1
    config.pad_token_id = start.tokenizer.pad_token_id
    torch.manual_seed(seed)
    weights = AutoModelForSequenceClassification.from_config(config)
    weights.model.load_state_dict(start.weights.model.state_dict())
    return weights


def _shuffled(row: AnswerRow, rng: random.Random) -> AnswerRow:
    answer = list(row.ids[row.start : -1])
    rng.shuffle(answer)
    # A one-token answer cannot be shuffled; it is repeated instead.
    answer = answer * 3 if len(answer) < 2 else answer
    return AnswerRow((*row.ids[: row.start], *answer, row.ids[-1]), row.start)
