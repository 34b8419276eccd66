"""A reward model on an encoder: a plain one-logit sequence classifier that reads both ways.

Supports: soft labels, weights, any encoder that transformers has, all weights or adapters or the
upper layers alone. Assumes: pairs with shares; the encoder knows the language. May harm: it has
never seen a text unlike its pairs (see `reward`); what the limit cuts it does not know, which is
counted.

A language model reads a prompt once for both answers; an encoder reads each answer with its prompt.
What it reads stands beside the weights (`normwright.models.encoder`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.encoder import Classifier, Read, laid_out, padding, read_text
from normwright.models.tuning import Lora, adapted, fit, inner, merged
from normwright.models.tuning.loop import Gold, Loop, Running
from normwright.models.tuning.preferences import bernoulli_losses
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError, Permit, PreferencePair, require_permit

GARBLED_SHARE = 0.98
"""Share with which a whole answer is preferred to the same words in disorder."""

ROWS_A_GROUP = 16
"""Texts that are padded together; those of one step differ much in length."""


@dataclass(frozen=True)
class _Pair:
    better: Read
    worse: Read
    p: float
    weight: float


@plugin(
    Card(
        name="reward-encoder",
        kind="recipes",
        status="tested",
        takes="pairs",
        summary="A one-logit classifier on an encoder, fitted to vote shares.",
        reference="Bradley and Terry (1952), with soft labels; encoders: Devlin et al. (2019)",
        claims=(
            "the minimiser of a pair is the logit of its share",
            "it reads the same text while it is trained and while it serves",
        ),
    )
)
def reward_encoder(
    start: Classifier,
    pairs: Sequence[PreferencePair],
    *,
    loop: Loop,
    garbled: float = 0.25,
    frozen: int = 0,
    lora: Lora | None = None,
    running: Running | None = None,
    gold: Gold | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[Any, dict[str, float]]:
    """Return the classifier of `start`, trained in place, and what training logged.

    Args:
        start: a classifier with a fresh head, as from `fresh_classifier`.
        pairs: preference pairs with soft labels and weights.
        loop: epochs, rate, batch (pairs), seed.
        garbled: answers with their words in disorder that join as the worse side, as a share of the
            pairs.
        frozen: lowest layers that stay as they are, and the embeddings with them from 1 on; a step
            costs the less.
        lora: adapters to train in the place of all weights, with the head whole; folded in.
        running: where checkpoints and logs go, and who is told.
        gold: stops training at the peak of a held-out measure.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if there is no pair, or the encoder has fewer layers than are to be frozen.
    """
    require_permit(permit, unpermitted=unpermitted)
    if not pairs:
        raise InputError([Fault(where="pairs", expected="at least one pair", seen="none")])
    rows = [_read(start, pair) for pair in pairs]
    mean = sum(p.weight for p in pairs) / len(pairs)
    data = [
        _Pair(better, worse, pair.p_chosen, pair.weight / mean)
        for (better, worse), pair in zip(rows, pairs, strict=True)
    ]
    data += _disorder(start, pairs, int(garbled * len(pairs)), seed=loop.seed)
    _freeze(start.weights, frozen)
    weights = adapted(start.weights, lora, seed=loop.seed, whole=heads_of(start.weights))
    pad, segments = padding(start), start.segmented

    def collate(batch: list[_Pair]) -> dict[str, Any]:
        texts = [text for one in batch for text in (one.better, one.worse)]
        return {
            **_grouped(texts, pad, segments=segments),
            "p": torch.tensor([one.p for one in batch]),
            "weight": torch.tensor([one.weight for one in batch]),
        }

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        parts = [inner(model)(**group).logits[:, 0].float() for group in batch["groups"]]
        scores = torch.cat(parts)[batch["place"]].reshape(-1, 2)
        losses = bernoulli_losses(scores[:, 0] - scores[:, 1], batch["p"])
        mean: torch.Tensor = (batch["weight"] * losses).sum() / batch["total"]["weight"]
        return mean

    metrics = fit(
        weights, data, loss=loss, collate=collate, loop=loop, running=running, gold=gold,
        counts=lambda row: {"weight": row.weight},
    )  # fmt: skip
    weights = merged(weights)
    for one in weights.parameters():
        one.requires_grad_(True)
    cut = sum(text.cut for row in rows for text in row)
    return weights, {**metrics, "answers": float(2 * len(rows)), "answers_cut": float(cut)}


def heads_of(weights: Any) -> tuple[str, ...]:
    """Return the names of the modules above the trunk."""
    trunk = weights.base_model_prefix
    return tuple(name for name, part in weights.named_children()
                 if name != trunk and any(True for _ in part.parameters()))  # fmt: skip


def _read(start: Classifier, pair: PreferencePair) -> tuple[Read, Read]:
    better, worse = (
        read_text(start.tokenizer, start.form, pair.prompt, answer)
        for answer in (pair.chosen, pair.rejected)
    )
    return better, worse


def _disorder(
    start: Classifier, pairs: Sequence[PreferencePair], count: int, *, seed: int
) -> list[_Pair]:
    """Whole answers beside the same words in disorder."""
    rng = random.Random(seed)
    answers = [(p.prompt, text) for p in pairs for text in (p.chosen, p.rejected)]
    made = []
    for prompt, text in rng.sample(answers, count):
        words = text.split()
        # A one-word answer cannot be shuffled; it is repeated instead.
        mixed = rng.sample(words, len(words)) if len(words) > 1 else words * 3
        whole, garbled = (
            read_text(start.tokenizer, start.form, prompt, one) for one in (text, " ".join(mixed))
        )
        made.append(_Pair(whole, garbled, GARBLED_SHARE, 1.0))
    return made


def _grouped(texts: Sequence[Read], pad: int, *, segments: bool) -> dict[str, Any]:
    """The texts of a step in groups of like length; `place` says where each stands, end to end."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].ids))
    place = torch.empty(len(texts), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(texts))
    size = len(texts) if torch.cuda.is_available() else ROWS_A_GROUP
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    groups = [laid_out([texts[i] for i in part], pad, segments=segments) for part in parts]
    return {"groups": groups, "place": place}


def _freeze(weights: Any, layers: int) -> None:
    """Leave the embeddings and so many of the lowest layers as they are."""
    if layers < 1:
        return
    stack = next(
        (part for part in weights.base_model.modules() if isinstance(part, torch.nn.ModuleList)),
        None,
    )
    count = 0 if stack is None else len(stack)
    if stack is None or layers > count:
        raise InputError([
            Fault(where="frozen", expected=f"at most {count} layers", seen=str(layers)),
        ])  # fmt: skip
    frozen = [weights.base_model.get_input_embeddings(), *stack[:layers]]
    if (table := getattr(weights.base_model, "embeddings", None)) is not None:
        frozen.append(table)
    for part in frozen:
        part.requires_grad_(False)
