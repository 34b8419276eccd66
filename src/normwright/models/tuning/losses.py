"""Losses as plain functions of tensors."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F


class _CrossEntropy(torch.autograd.Function):
    """Softmax once and an in-place backward: on a CPU the vocabulary softmax dominates a step."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        probabilities = torch.softmax(logits.float(), -1)
        picked = probabilities.gather(-1, targets[:, None]).squeeze(-1)
        ctx.save_for_backward(probabilities, targets)
        ctx.dtype = logits.dtype
        return -torch.log(picked.clamp_min(1e-30))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        probabilities, targets = ctx.saved_tensors
        minus = torch.full_like(targets[:, None], -1, dtype=probabilities.dtype)
        probabilities.scatter_add_(-1, targets[:, None], minus).mul_(grads[0][:, None])
        return probabilities.to(ctx.dtype), None


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of each row in nats.

    Args:
        logits: shape (rows, vocabulary), any float type; the softmax runs in float32.
        targets: shape (rows,), token ids.
    """
    return _CrossEntropy.apply(logits, targets)  # type: ignore[no-untyped-call,no-any-return]


def answer_logprobs(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, answer: torch.Tensor
) -> torch.Tensor:
    """Return the summed log-probability of each row's answer tokens, in nats, shape (rows,).

    Only answer positions pass through the vocabulary matrix; prompts cost no softmax.

    Args:
        model: a transformers causal language model with `.model` and `.lm_head`.
        ids: token ids, shape (rows, width), right-padded.
        mask: attention mask, same shape.
        answer: 1 where a token belongs to the answer, same shape.
    """
    hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
    where = answer[:, 1:].flatten().nonzero().squeeze(1)
    losses = token_losses(model.lm_head, rows_at(hidden, where), ids[:, 1:].flatten()[where])
    owners = torch.arange(len(ids)).repeat_interleave(ids.shape[1] - 1)[where]
    return torch.zeros(len(ids)).index_add(0, owners, -losses)


def token_losses(
    head: Any, hidden: torch.Tensor, targets: torch.Tensor, *, chunk: int = 1024
) -> torch.Tensor:
    """Return the cross-entropy of each position in nats, shape (positions,).

    Positions pass through the vocabulary matrix in equal chunks: the large buffers then have one
    size for the whole run, and the allocator reuses them instead of asking for fresh pages.
    """
    parts = [
        cross_entropy(head(hidden[i : i + chunk]), targets[i : i + chunk])
        for i in range(0, len(targets), chunk)
    ]
    return torch.cat(parts)


def rows_at(hidden: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return the hidden states at flat positions, shape (positions, width).

    `index_select` has a fast backward; a boolean mask's is an order of magnitude slower on a CPU.
    """
    return hidden.reshape(-1, hidden.shape[-1]).index_select(0, where)


def soft_preference(margin: torch.Tensor, p: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the weighted cross-entropy between vote shares and a Bradley-Terry margin.

    `-w [p log s(m) + (1 - p) log s(-m)]`, averaged by weight. With p in {0, 1} this is the usual
    pairwise loss; with vote shares its minimiser is the maximum-likelihood fit of the votes
    (Rafailov et al. 2023, with soft labels).

    Args:
        margin: score or implicit-reward difference chosen - rejected, shape (pairs,).
        p: share preferring the chosen answer, in (0, 1).
        weight: weight of each pair, > 0.
    """
    losses = -(p * F.logsigmoid(margin) + (1 - p) * F.logsigmoid(-margin))
    return (weight * losses).sum() / weight.sum()
