"""Losses as plain functions of tensors."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from normwright.models.tuning.anatomy import head, states, takes_positions

SHORT = 192
"""Rows up to so many tokens are attended to by plain matrix products on a CPU: its fused kernel is
made for long ones (measured: 6.4 against 5.3 thousand tokens a second at 128, 5.3 against 6.1 at
256)."""


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


def answer_logprobs(model: Any, ids: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
    """Return the summed log-probability of each row's answer tokens, in nats, shape (rows,).

    Only answer positions pass through the vocabulary matrix; prompts cost no softmax.

    Args:
        model: a transformers causal language model.
        ids: token ids, shape (rows, width), right-padded.
        answer: 1 where a token belongs to the answer, same shape.
    """
    with attending(ids):
        hidden = states(model, ids)[:, :-1]
    where = answer[:, 1:].flatten().nonzero().squeeze(1)
    losses = token_losses(head(model), rows_at(hidden, where), ids[:, 1:].flatten()[where])
    rows = torch.arange(len(ids), device=ids.device)
    owners = rows.repeat_interleave(ids.shape[1] - 1)[where]
    return torch.zeros(len(ids), device=ids.device).index_add(0, owners, -losses)


def attending(ids: torch.Tensor) -> contextlib.AbstractContextManager[Any]:
    """Return the context in which rows of this width, shape (rows, width), are best attended to."""
    if ids.device.type == "cpu" and ids.shape[1] <= SHORT:
        return sdpa_kernel([SDPBackend.MATH])
    return contextlib.nullcontext()


def attending_again() -> tuple[
    contextlib.AbstractContextManager[Any], contextlib.AbstractContextManager[Any]
]:
    """Return the contexts of a first and a second computation of the same activations.

    Checkpointing computes a layer again in the backward pass, after the context of the loss is
    left; another kernel would keep other tensors.
    """
    cuda = torch.backends.cuda
    known = (
        (SDPBackend.FLASH_ATTENTION, cuda.flash_sdp_enabled()),
        (SDPBackend.EFFICIENT_ATTENTION, cuda.mem_efficient_sdp_enabled()),
        (SDPBackend.MATH, cuda.math_sdp_enabled()),
        (SDPBackend.CUDNN_ATTENTION, cuda.cudnn_sdp_enabled()),
    )
    return contextlib.nullcontext(), sdpa_kernel([one for one, on in known if on])


def grouped_logprobs(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return `answer_logprobs` of the rows of a step that `group_rows` laid out, in their order."""
    parts = [answer_logprobs(model, g["ids"], g["answer"]) for g in batch["groups"]]
    return torch.cat(parts)[batch["place"]]


def packed_logprobs(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return `answer_logprobs` of the rows of a step that `pack_rows` laid out, in their order.

    Args:
        model: a causal language model that takes positions.
        batch: what `pack_rows` returned.
    """
    with attending(batch["ids"]):
        hidden = states(model, batch["ids"], positions=batch["positions"], sees=batch["sees"])
    losses = token_losses(head(model), rows_at(hidden, batch["where"]), batch["targets"])
    nothing = torch.zeros(len(batch["length"]), device=losses.device)
    return nothing.index_add(0, batch["owner"], -losses)


def pair_logprobs(model: Any, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the summed log-probabilities of first and second answers, in nats, each (pairs,).

    Args:
        model: a transformers causal language model.
        batch: what `group_pairs` laid out.
    """
    parts = []
    for group in batch["groups"]:
        hidden = _pair_states(model, group)
        losses = token_losses(head(model), rows_at(hidden, group["where"]), group["targets"])
        nothing = torch.zeros(2 * len(group["ids"]), device=losses.device)
        sums = nothing.index_add(0, group["owner"], -losses)
        parts.append(sums.reshape(-1, 2))
    both = torch.cat(parts)[batch["place"]]
    return both[:, 0], both[:, 1]


def pair_scores(model: Any, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first logit of first and second answers, each (pairs,).

    Args:
        model: a transformers sequence classifier with `.score`.
        batch: what `group_pairs` laid out.
    """
    both = head_scores(model, batch)
    return both[:, 0, 0], both[:, 1, 0]


def head_scores(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return every logit of first and second answers, shape (pairs, 2, heads).

    Args:
        model: a transformers sequence classifier with `.score`.
        batch: what `group_pairs` laid out.
    """
    parts = [
        model.score(rows_at(_pair_states(model, group), group["ends"])).float()
        for group in batch["groups"]
    ]
    return torch.cat([p.reshape(-1, 2, p.shape[-1]) for p in parts])[batch["place"]]


def last_scores(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return every logit of the rows of a step that `group_rows` laid out, shape (rows, heads)."""
    parts = []
    for group in batch["groups"]:
        ids, answer = group["ids"], group["answer"]
        with attending(ids):
            hidden = states(model, ids)
        places = torch.arange(ids.shape[1], device=ids.device)
        last = (answer * places).argmax(1) + torch.arange(len(ids), device=ids.device) * len(places)
        parts.append(model.score(rows_at(hidden, last)).float())
    return torch.cat(parts)[batch["place"]]


def _pair_states(model: Any, group: dict[str, torch.Tensor]) -> torch.Tensor:
    """Hidden states of a group of pairs, shape (rows, width, size)."""
    ids = group["ids"]
    if takes_positions(model):
        with attending(ids):
            return states(model, ids, positions=group["positions"], sees=group["sees"])
    # Without positions of their own, second answers are read again behind the prompt alone. First
    # answers never see what stands behind them.
    columns = torch.arange(ids.shape[1], device=ids.device)
    prompt, first = group["cuts"][:, :1], group["cuts"][:, 1:]
    behind = (columns + torch.where(columns >= prompt, first, 0)).clamp_max(ids.shape[1] - 1)
    with attending(ids):
        one, other = states(model, ids), states(model, ids.gather(1, behind))
    back = (columns - first).clamp_min(0)[..., None].expand_as(other)
    return torch.where((columns >= prompt + first)[..., None], other.gather(1, back), one)


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
