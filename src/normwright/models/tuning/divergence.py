"""How far two models are apart on the same answers, token by token, exactly over the vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from normwright.models.tuning.anatomy import head, states, trunk
from normwright.models.tuning.losses import attending, rows_at


def answer_places(group: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where a padded group predicts its answer tokens, and whose they are.

    Args:
        group: `ids` and `answer` as from `pad_rows`, each (rows, width).

    Returns:
        Flat indices into states of shape (rows, width - 1, size), and the row of each.
    """
    where = group["answer"][:, 1:].flatten().nonzero().squeeze(1)
    return where, where // (group["ids"].shape[1] - 1)


def row_means(values: torch.Tensor, owners: torch.Tensor, rows: int) -> torch.Tensor:
    """Return the mean of the values of each row, shape (rows,)."""
    sums = torch.zeros(rows, device=values.device).index_add(0, owners, values.float())
    counts = torch.bincount(owners, minlength=rows).to(values.device)
    return sums / counts


def answer_states(model: Any, group: dict[str, torch.Tensor], *, layer: int | None) -> torch.Tensor:
    """Return the hidden states that predict the answer tokens of a group, shape (tokens, size).

    Args:
        model: a transformers causal language model.
        group: `ids` and `answer` as from `pad_rows`.
        layer: after which layer, from 1; None: after the last and its norm, where the head reads.
    """
    where, _ = answer_places(group)
    with attending(group["ids"]):
        found = states(model, group["ids"]) if layer is None else _after(model, group["ids"], layer)
    return rows_at(found[:, :-1], where)


def _after(model: Any, ids: torch.Tensor, layer: int) -> torch.Tensor:
    """Hidden states after a layer, shape (rows, width, size)."""
    told = trunk(model)(input_ids=ids, use_cache=False, output_hidden_states=True)
    found: torch.Tensor = told.hidden_states[layer]
    return found


def answer_logits(model: Any, group: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the log-probabilities of every token at the answer's places, (tokens, vocabulary)."""
    return torch.log_softmax(head(model)(answer_states(model, group, layer=None)).float(), -1)


def by_row(
    batch: dict[str, Any], of: Callable[[dict[str, torch.Tensor]], torch.Tensor]
) -> torch.Tensor:
    """Return the mean over each row's answer tokens of a quantity, in the order of the rows.

    Args:
        batch: what `group_rows` laid out.
        of: from a group to one value an answer token, in the order of `answer_places`.
    """
    parts = [row_means(of(g), answer_places(g)[1], len(g["ids"])) for g in batch["groups"]]
    return torch.cat(parts)[batch["place"]]


def token_divergence(first: Any, second: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return KL(first || second) in nats, the mean over each row's answer tokens, shape (rows,).

    Both read the row's own answer; at each of its places the sum runs over the whole vocabulary,
    so nothing is sampled. No gradient flows to the first.

    Args:
        first: a transformers causal language model.
        second: another with the same vocabulary.
        batch: what `group_rows` laid out.
    """

    def of(group: dict[str, torch.Tensor]) -> torch.Tensor:
        with torch.no_grad():
            one = answer_logits(first, group)
        other = answer_logits(second, group)
        return (one.exp() * (one - other)).sum(-1)

    return by_row(batch, of)
