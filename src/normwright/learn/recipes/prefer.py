"""Preference optimisation on vote shares: DPO with soft labels, pair weights and two anchors.

Supports: soft labels (Rafailov et al. 2023; shares instead of winners), weights from severity and
support, an anchor on demonstrations that keeps help in place, and one on the answers majorities
prefer (Pang et al. 2024), without which twins that differ in one word are not told apart. The
reference is the starting model itself, its log-probabilities computed once before training. May
harm: probability can leak to answers that are in no pair; `leak` is logged always (likelihood
displacement).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.local import LocalModel, half_precision
from normwright.models.tuning import (
    AnswerRow,
    PairRow,
    answer_rows,
    fit,
    group_pairs,
    group_rows,
    grouped_logprobs,
    moved,
    pair_logprobs,
    pair_rows,
    soft_preference,
)
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.records import Demonstration, Permit, PreferencePair, require_permit


@dataclass(frozen=True)
class _Row:
    answers: PairRow
    anchor: AnswerRow
    reference: float
    """Log-probability of the better minus that of the worse answer under the reference, in nats."""
    p: float
    weight: float


@plugin(
    Card(
        name="prefer",
        kind="recipes",
        status="tested",
        takes="pairs",
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
    majority: float = 0.0,
    limit: int = 512,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[LocalModel, dict[str, float]]:
    """Return an aligned copy of `start` and what training logged.

    Args:
        start: the tuned model, which is also the reference; it is not changed.
        pairs: preference pairs with soft labels and weights.
        demonstrations: rows the anchor imitates, in turn, beside the pairs.
        loop: epochs, rate, batch (pairs a step), seed.
        beta: strength of the pull towards the reference.
        anchor: weight of the negative log-likelihood of the anchor row, in nats a token.
        majority: weight of the negative log-likelihood of the answer most people prefer, in nats a
            token. A pair counts by its majority's margin, |2p - 1|: split votes pull nowhere.
        limit: longest row in tokens.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    The metrics hold `accuracy` (share of the pairs on the majority's side after training), and
    `leak`: how much log-probability the chosen answers lost on average, in nats (0 if they gained).

    Raises:
        PermitError: with every reason, if nothing permits training.
    """
    require_permit(permit, unpermitted=unpermitted)
    tokenizer = start.tokenizer
    better = answer_rows(tokenizer, [(p.prompt, p.chosen) for p in pairs], limit=limit)
    worse = answer_rows(tokenizer, [(p.prompt, p.rejected) for p in pairs], limit=limit)
    anchors = answer_rows(
        tokenizer, [(d.prompt, d.completion) for d in demonstrations], limit=limit
    )
    answers = pair_rows(better, worse)
    before = _scores(start, answers)
    mean = sum(p.weight for p in pairs) / len(pairs)
    data = [
        _Row(row, anchors[i % len(anchors)], good - bad, p.p_chosen, p.weight / mean)
        for i, (row, (good, bad), p) in enumerate(zip(answers, before, pairs, strict=True))
    ]
    weights = copy.deepcopy(start.weights)

    def collate(batch: list[_Row]) -> dict[str, Any]:
        pad = tokenizer.pad_token_id
        return {
            "pairs": group_pairs([b.answers for b in batch], pad),
            "anchors": group_rows([b.anchor for b in batch], pad),
            "reference": torch.tensor([b.reference for b in batch]),
            "p": torch.tensor([b.p for b in batch]),
            "weight": torch.tensor([b.weight for b in batch]),
        }

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        good, bad = pair_logprobs(model, batch["pairs"])
        margin = beta * (good - bad - batch["reference"])
        lean: torch.Tensor = batch["weight"] * (2 * batch["p"] - 1)
        liked = torch.where(lean > 0, good, bad)
        of_good, of_bad = batch["pairs"]["length"]
        length = torch.where(lean > 0, of_good, of_bad)
        imitated = -(lean.abs() * liked).sum() / (lean.abs() * length).sum().clamp_min(1e-6)
        of_kept: torch.Tensor = batch["anchors"]["length"].sum()
        kept = -grouped_logprobs(model, batch["anchors"]).sum() / of_kept
        preferred = soft_preference(margin, batch["p"], batch["weight"])
        return preferred + majority * imitated + anchor * kept

    metrics = fit(weights, data, loss=loss, collate=collate, loop=loop, running=running)
    aligned = LocalModel("aligned", weights, tokenizer, start.batch)
    after = _scores(aligned, answers)
    moved = [
        (good - bad - d.reference) * (1 if d.p >= 0.5 else -1)
        for d, (good, bad) in zip(data, after, strict=True)
    ]
    lost = [max(0.0, b - a) for (a, _), (b, _) in zip(after, before, strict=True)]
    return aligned, {
        **metrics,
        "accuracy": sum(m > 0 for m in moved) / len(moved),
        "leak": sum(lost) / len(lost),
    }


@torch.no_grad()
def _scores(model: LocalModel, rows: Sequence[PairRow]) -> list[tuple[float, float]]:
    """Log-probabilities of both answers of each pair, in the precision they are trained in."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    out: list[tuple[float, float]] = [(0.0, 0.0)] * len(rows)
    device = model.weights.device
    for start in range(0, len(order), model.batch):
        part = order[start : start + model.batch]
        # In the small groups of training: the mask of a group grows with the square of its width.
        batch = moved(group_pairs([rows[i] for i in part], model.tokenizer.pad_token_id), device)
        with torch.autocast(str(device.type), torch.bfloat16, half_precision()):
            good, bad = pair_logprobs(model.weights, batch)
        for i, pair in zip(part, zip(good.tolist(), bad.tolist(), strict=True), strict=True):
            out[i] = pair
    return out
