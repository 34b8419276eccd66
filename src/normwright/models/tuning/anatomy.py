"""The parts of a causal language model that losses call apart, whatever its architecture."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from normwright.models.tuning.lora import inner
from normwright.records import Fault, InputError

CLOSE = 1e-3
"""How far the logits of the parts may lie from those of the whole, in units of their spread."""


def trunk(model: Any) -> Any:
    """Return what turns token ids into hidden states, inside adapters if there are any."""
    plain = inner(model)
    return getattr(plain, plain.base_model_prefix)


def head(model: Any) -> Any:
    """Return what turns hidden states into scores over the vocabulary."""
    return inner(model).get_output_embeddings()


def takes_positions(model: Any) -> bool:
    """Say whether rows may carry positions of their own, so that texts can share a row.

    Llama, GPT-2, OPT and GPT-NeoX take them. BLOOM and others with linear biases (Press et al.
    2022) know a token's place only by how many stand before it.
    """
    config = inner(model).config
    known = inspect.signature(trunk(model).forward).parameters
    return "position_ids" in known and not getattr(config, "alibi", False)


def states(
    model: Any,
    ids: torch.Tensor,
    *,
    positions: torch.Tensor | None = None,
    sees: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return hidden states, shape (rows, width, size).

    Args:
        model: a transformers model.
        ids: token ids, shape (rows, width), right-padded. Without `sees` no mask is passed: causal
            attention never looks at what stands behind, and without a mask it takes its fast path.
        positions: the place of each token in its text, shape (rows, width).
        sees: true where a token attends to another, shape (rows, 1, width, width).
    """
    given = {} if sees is None else {"attention_mask": sees, "position_ids": positions}
    hidden: torch.Tensor = trunk(model)(input_ids=ids, use_cache=False, **given).last_hidden_state
    return hidden


@torch.no_grad()
def check_anatomy(model: Any) -> None:
    """Raise if trunk and head, called apart, do not give the scores that the model gives.

    A model that scales or caps its scores after the head would be trained on a loss of its own.

    Raises:
        InputError: naming the architecture.
    """
    plain = inner(model)
    was, name = plain.training, type(plain).__name__
    plain.eval()
    size = plain.get_input_embeddings().num_embeddings
    ids = (torch.arange(12, device=plain.device) * 7919 % size)[None]
    whole = plain(input_ids=ids).logits.float()
    parts = head(plain)(states(plain, ids)).float()
    plain.train(was)
    gap = float((whole - parts).abs().max()) if whole.shape == parts.shape else float("inf")
    if not gap <= CLOSE * max(1.0, float(whole.std())):
        raise InputError([
            Fault(
                where=f"the model ({name})",
                expected="scores that are its output layer's, applied to its last hidden states",
                seen=f"a difference of {gap:.3g}",
                do="Start from another architecture, such as Llama, GPT-2, OPT, BLOOM or GPT-NeoX.",
            )
        ])  # fmt: skip
