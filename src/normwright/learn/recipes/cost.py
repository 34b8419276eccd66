"""A cost model whose sign means something: above 0 an answer is unsafe, below 0 it is safe.

Supports: pairs of which people found one answer less safe, and single answers with the share of
people who find them unsafe, in one loss (Dai et al. 2024, "Safe RLHF", arXiv 2310.12773). Assumes:
labels of both kinds; with one alone the threshold is arbitrary. May harm: a limit on such a cost is
as good as its sign accuracy on unseen answers, which is therefore measured beside pair accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.learn.recipes.reward import classifier
from normwright.learn.reward_models.likelihoods import cost_loss, shares_loss
from normwright.learn.rows.labelled import Labelled
from normwright.models.local import LocalModel
from normwright.models.protocol import Scorer
from normwright.models.tuning import (
    AnswerRow,
    Lora,
    PairRow,
    adapted,
    answer_rows,
    fit,
    group_pairs,
    group_rows,
    head_scores,
    inner,
    last_scores,
    merged,
    pair_rows,
)
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.records import (
    Estimate,
    Fault,
    InputError,
    Permit,
    PreferencePair,
    require_permit,
)
from normwright.stats import bootstrap_mean


@dataclass(frozen=True)
class _Row:
    answer: AnswerRow | None
    pair: PairRow | None
    target: float
    weight: float


@plugin(
    Card(
        name="cost",
        kind="recipes",
        status="tested",
        takes="pairs",
        summary="A one-logit classifier of cost: pairs give its order, labels its sign.",
        reference="Dai et al. (2024), arXiv 2310.12773",
        claims=("a cost above 0 means that most people find the answer unsafe",),
    )
)
def cost(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    labels: Sequence[Labelled],
    *,
    loop: Loop,
    limit: int = 512,
    lora: Lora | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[Any, dict[str, float]]:
    """Return a sequence classifier of cost, and what training logged.

    Args:
        start: model whose trunk is used.
        pairs: of which `chosen` is the answer that people find safer, by the share that does.
        labels: single answers with the share of people who find them unsafe.
        loop: epochs, rate, batch (pairs and labels alike), seed.
        limit: longest row in tokens.
        lora: adapters to train in the place of all weights, with the head whole; folded in.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if labels of one side alone leave the sign without a meaning.
    """
    require_permit(permit, unpermitted=unpermitted)
    _check(labels)
    tokenizer = start.tokenizer
    safer = answer_rows(tokenizer, [(p.prompt, p.chosen) for p in pairs], limit=limit)
    riskier = answer_rows(tokenizer, [(p.prompt, p.rejected) for p in pairs], limit=limit)
    single = answer_rows(tokenizer, [(one.prompt, one.completion) for one in labels], limit=limit)
    # The cost of the riskier answer is to be the higher one.
    data = [
        _Row(None, row, p.p_chosen, p.weight)
        for row, p in zip(pair_rows(riskier, safer), pairs, strict=True)
    ]
    data += [
        _Row(row, None, one.unsafe, one.weight) for row, one in zip(single, labels, strict=True)
    ]
    weights = classifier(start, seed=loop.seed, heads=("cost",))
    weights = adapted(weights, lora, seed=loop.seed, whole=("score",))
    pad = tokenizer.pad_token_id

    def collate(batch: list[_Row]) -> dict[str, Any]:
        paired = [b for b in batch if b.pair is not None]
        alone = [b for b in batch if b.answer is not None]
        return {
            "pairs": group_pairs([b.pair for b in paired if b.pair], pad) if paired else None,
            "alone": group_rows([b.answer for b in alone if b.answer], pad) if alone else None,
            "target": torch.tensor([b.target for b in (*paired, *alone)]),
            "weight": torch.tensor([b.weight for b in (*paired, *alone)]),
            "paired": torch.tensor(len(paired)),
        }

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        return _loss(inner(model), batch)

    metrics = fit(
        weights, data, loss=loss, collate=collate, loop=loop, running=running,
        counts=lambda row: {"weight": row.weight},
    )  # fmt: skip
    return merged(weights), metrics


def _loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Cross-entropy of pairs and of labels, together a mean over the weights of the step."""
    n, target = int(batch["paired"]), batch["target"]
    said = []
    if batch["pairs"] is not None:
        both = head_scores(model, batch["pairs"])[..., 0]
        p = target[:n]
        shares = torch.stack([p, torch.zeros_like(p), 1 - p], -1)
        said.append(shares_loss(both[:, 0] - both[:, 1], shares))
    if batch["alone"] is not None:
        said.append(cost_loss(last_scores(model, batch["alone"])[:, 0], target[n:]))
    total = max(batch["total"]["weight"], 1e-12)
    loss: torch.Tensor = (batch["weight"] * torch.cat(said)).sum() / total
    return loss


def _check(labels: Sequence[Labelled]) -> None:
    sides = {one.unsafe > 0.5 for one in labels if one.unsafe != 0.5}
    if len(sides) < 2:
        raise InputError(
            [
                Fault(
                    where="labels",
                    expected="answers that most people find safe, and others they find unsafe",
                    seen="none" if not labels else "one side alone",
                    do="Without both, 0 is no threshold; a plain reward model needs none.",
                )
            ]
        )


@dataclass(frozen=True)
class CostReport:
    """How a cost model agrees with people, each estimate with its n, units being families."""

    pairs: Estimate
    """Share of choices in which the riskier answer costs more."""
    sign: Estimate
    """Share of labels that the sign of the cost agrees with."""
    constant: Estimate
    """Share of labels that the commoner label would agree with."""


def measure_cost(
    scorer: Scorer,
    pairs: Sequence[PreferencePair],
    labels: Sequence[Labelled],
    *,
    seed: int,
) -> CostReport:
    """Return pair accuracy and sign accuracy of a cost model on held-out pairs and labels."""
    prompts = [p.prompt for p in pairs]
    safer = scorer.score(prompts, [p.chosen for p in pairs])
    riskier = scorer.score(prompts, [p.rejected for p in pairs])
    agreed = [
        p.p_chosen if r > s else 1 - p.p_chosen if r < s else 0.5
        for p, s, r in zip(pairs, safer, riskier, strict=True)
    ]
    costs = scorer.score([one.prompt for one in labels], [one.completion for one in labels])
    signed = [one.unsafe if c > 0 else 1 - one.unsafe for one, c in zip(labels, costs, strict=True)]
    most = sum(one.unsafe for one in labels) > len(labels) / 2
    constant = [one.unsafe if most else 1 - one.unsafe for one in labels]
    families = [one.family or str(i) for i, one in enumerate(labels)]
    return CostReport(
        pairs=bootstrap_mean(agreed, clusters=[p.family for p in pairs], seed=seed),
        sign=bootstrap_mean(signed, clusters=families, seed=seed),
        constant=bootstrap_mean(constant, clusters=families, seed=seed),
    )
