"""Pre-train a language model on text, of which parts may be bad, and on generated dialogues.

Supports: byte-level BPE training, a Llama model of any size or one to go on from, six objectives on
scored text (Korbak et al. 2023; `pretraining.objectives`), resuming after a kill, any languages.
Assumes: text as JSON lines with `text` and `lang` (books) or one field a language (parallel
documentation), and a scene bank for the dialogues; scores that somebody stands for. May harm: a
model of a few million parameters knows no facts; it copies, looks up and follows forms. What is bad
by a score nobody checked is what the score says, not what people mean.

Top to bottom: losses, scored text, generated dialogues.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from normwright.learn.pretraining.controls import bind, with_controls
from normwright.learn.pretraining.corpus import IGNORE, TokenCorpus, stack, tokens_of
from normwright.learn.pretraining.objectives import (
    PretrainingObjective,
    advantage_weighted,
    level_of,
    reward_weighted,
    unlikelihood,
)
from normwright.learn.pretraining.scored_text import check_scores, scored_corpus
from normwright.learn.pretraining.scratch import Shape, new_model
from normwright.models.local import LocalModel
from normwright.models.tuning import (
    Lora,
    adapted,
    fit,
    inner,
    merged,
    rows_at,
    token_losses,
)
from normwright.models.tuning.anatomy import check_anatomy, head, states
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError, Passage, Permit, require_permit


def causal_loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return the cross-entropy of positions that carry a target, in nats a token of the step."""
    loss: torch.Tensor = _read(model, batch)[0].sum() / max(batch["total"]["tokens"], 1.0)
    return loss


def _read(model: Any, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the loss of each position with a target, the state before it, and where it stands."""
    hidden = states(model, batch["ids"])[:, :-1]
    targets = batch["targets"][:, 1:].flatten()
    where = (targets != IGNORE).nonzero().squeeze(1)
    before = rows_at(hidden, where)
    return token_losses(head(model), before, targets[where]), before, where


def scored_loss(
    objective: PretrainingObjective, *, level: float
) -> Callable[[Any, dict[str, Any]], torch.Tensor]:
    """Return the loss of an objective on a batch with scores; see `pretraining.objectives`.

    Args:
        objective: the objective and its settings.
        level: as of `reward_weighted`.
    """

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        bare = inner(model)
        tokens = max(batch["total"]["tokens"], 1.0)
        losses, before, where = _read(bare, batch)
        scores = batch["scores"][:, 1:].flatten()[where]
        if objective.method == "unlikelihood":
            assert objective.threshold is not None
            losses = unlikelihood(
                losses, scores, threshold=objective.threshold, alpha=objective.alpha
            )
        elif objective.method == "rwr":
            losses = reward_weighted(losses, scores, temperature=objective.temperature, level=level)
        elif objective.method == "awr":
            values = bare.value_head(before.float()).squeeze(-1)
            weighted, error = advantage_weighted(
                losses, scores, values, temperature=objective.temperature
            )
            losses = weighted + objective.alpha * error
        loss: torch.Tensor = losses.sum() / tokens
        return loss

    return loss


def pretrain_on(
    start: LocalModel,
    passages: Sequence[Passage],
    *,
    loop: Loop,
    objective: PretrainingObjective | None = None,
    row: int = 256,
    lora: Lora | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[LocalModel, dict[str, float]]:
    """Return a copy of `start` trained on texts, of which parts may be bad, and what was logged.

    Args:
        start: a model, from random weights or not; it is not changed.
        passages: the texts, with scores where somebody or something gave them.
        loop: epochs, rate, batch (rows a step), seed.
        objective: the objective and from which score on a part is bad.
        row: tokens a row.
        lora: adapters to train in the place of all weights; they are folded in.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    The metrics count texts, bad and unscored parts, and what was left out.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if the objective asks for scores or a threshold that are not there.
    """
    require_permit(permit, unpermitted=unpermitted)
    given = objective or PretrainingObjective()
    check_scores(passages, given)
    check_anatomy(start.weights)
    _check_row(start, row, given, lora)
    model = with_controls(start) if given.method == "conditional" else start
    corpus, counts = scored_corpus(model.tokenizer, passages, given, row=row, seed=loop.seed)
    assert corpus.scores is not None
    level = level_of(corpus.scores, temperature=given.temperature)
    weights = adapted(copy.deepcopy(model.weights), lora, seed=loop.seed)
    if given.method == "awr":
        weights.value_head = _value_head(weights, corpus.scores)
    metrics = fit(
        weights,
        corpus,
        loss=scored_loss(given, level=level),
        collate=stack,
        loop=replace(loop, batch=min(loop.batch, len(corpus))),
        running=running,
        shuffle=False,
        counts=tokens_of,
    )
    if given.method == "awr":
        del weights.value_head
    made = LocalModel("base", merged(weights), model.tokenizer, model.batch)
    if given.method == "conditional":
        bind(made)
    told = {name.replace(" ", "_"): float(count) for name, count in counts.items()}
    return made, {**metrics, **told, "rows": float(len(corpus))}


def _value_head(weights: Any, scores: np.ndarray) -> Any:
    """Return a head that guesses the mean reward of every state, for a start."""
    head = torch.nn.Linear(weights.config.hidden_size, 1)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, -float(np.nanmean(scores)))
    return head.to(weights.device)


def _check_row(
    start: LocalModel, row: int, objective: PretrainingObjective, lora: Lora | None
) -> None:
    faults = []
    context = int(start.weights.config.max_position_embeddings)
    if not 2 <= row <= context:
        faults.append(
            Fault(where="row", expected=f"from 2 to the {context} tokens of the model's context",
                  seen=str(row))
        )  # fmt: skip
    if objective.method == "awr" and lora is not None:
        faults.append(
            Fault(where="lora", expected="all weights, beside which awr trains a value head",
                  seen="adapters", do="Use rwr, or train all weights.")
        )  # fmt: skip
    if objective.method == "conditional" and lora is not None:
        faults.append(
            Fault(where="lora", expected="all weights: control tokens need rows of their own",
                  seen="adapters", do="Train all weights.")
        )  # fmt: skip
    if faults:
        raise InputError(faults)


@plugin(
    Card(
        name="pretrain",
        kind="recipes",
        status="tested",
        summary="Pre-train on text, learning, leaving out, marking or pushing away what is bad.",
        reference="Korbak et al. (2023), arXiv 2302.08582",
        claims=(
            "a killed run resumes from its last checkpoint",
            "each objective makes bad text less likely than likelihood training does",
        ),
    )
)
def pretrain(
    corpus: TokenCorpus,
    tokenizer: Any,
    *,
    shape: Shape,
    loop: Loop,
    model: Any | None = None,
    running: Running | None = None,
) -> tuple[Any, dict[str, float]]:
    """Train on `corpus` in its order and return the model and its metrics; resumes in `workdir`."""
    model = model if model is not None else new_model(shape, seed=loop.seed)
    metrics = fit(
        model,
        corpus,
        loss=causal_loss,
        collate=stack,
        loop=loop,
        running=running,
        shuffle=False,
        counts=tokens_of,
    )
    return model, metrics
