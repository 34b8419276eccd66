"""Rows of one prompt with any number of answers, the prompt read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.tuning.anatomy import head, states, takes_positions
from normwright.models.tuning.batches import AnswerRow, group_size
from normwright.models.tuning.losses import attending, rows_at, token_losses


@dataclass(frozen=True)
class CandidateRow:
    """One prompt with its answers as token ids; every answer ends with the stop token."""

    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.prompt) + sum(map(len, self.answers))


def candidate_row(rows: Sequence[AnswerRow]) -> CandidateRow:
    """Return answers to one prompt as a row in which they share it.

    Raises:
        ValueError: if they differ in their prompt.
    """
    prompts = {row.ids[: row.start] for row in rows}
    if len(prompts) != 1:
        raise ValueError("candidates must follow the same prompt")
    return CandidateRow(prompts.pop(), tuple(row.ids[row.start :] for row in rows))


def group_candidates(
    rows: Sequence[CandidateRow], pad: int, *, size: int | None = None
) -> dict[str, Any]:
    """Return the rows of one step in groups of like length.

    Each answer stands behind the ones before it, continues the prompt's positions, and sees the
    prompt and itself alone.

    Args:
        rows: the rows of a step.
        pad: id of the padding token.
        size: rows in a group, at most; None: 16 on a CPU, all of the step on a GPU.

    Returns:
        `groups`, shortest rows first, each as those of `group_pairs`, with `owner` the flat index
        row times `most` plus answer, and `begins`, shape (rows, most), the column at which each
        answer stands, the width where there is none; `place`, shape (rows,); `present`, shape
        (rows, most), true
        where a row has an answer; `length`, the same shape, tokens of each.
    """
    most = max(len(row.answers) for row in rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    place = torch.empty(len(rows), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(rows))
    size = group_size(size, len(rows))
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    length = torch.zeros(len(rows), most, dtype=torch.long)
    for i, row in enumerate(rows):
        length[i, : len(row.answers)] = torch.tensor([len(a) for a in row.answers])
    return {
        "groups": [_group([rows[i] for i in part], pad, most) for part in parts],
        "place": place,
        "present": length > 0,
        "length": length,
    }


def _group(rows: Sequence[CandidateRow], pad: int, most: int) -> dict[str, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    positions = torch.zeros_like(ids)
    sees = torch.ones(width, width, dtype=torch.bool).tril().repeat(len(rows), 1, 1)
    where: list[int] = []
    targets: list[int] = []
    owner: list[int] = []
    begins = torch.full((len(rows), most), width)
    for i, row in enumerate(rows):
        head = len(row.prompt)
        tokens = [*row.prompt, *(t for answer in row.answers for t in answer)]
        ids[i, : len(tokens)] = torch.tensor(tokens)
        positions[i, :head] = torch.arange(head)
        before, at = i * width + head - 1, head
        for k, answer in enumerate(row.answers):
            end = at + len(answer)
            begins[i, k] = at
            positions[i, at:end] = torch.arange(head, head + len(answer))
            sees[i, at:end, head:at] = False
            where += [before, *range(i * width + at, i * width + end - 1)]
            targets += answer
            owner += [i * most + k] * len(answer)
            at = end
    return {
        "ids": ids,
        "positions": positions,
        "sees": sees[:, None],
        "begins": begins,
        "where": torch.tensor(where),
        "targets": torch.tensor(targets),
        "owner": torch.tensor(owner),
    }


def candidate_logprobs(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return the summed log-probability of every answer, in nats, shape (rows, most); 0 for none.

    Args:
        model: a transformers causal language model.
        batch: what `group_candidates` laid out.
    """
    most = batch["present"].shape[1]
    parts = []
    for group in batch["groups"]:
        hidden = _group_states(model, group)
        losses = token_losses(head(model), rows_at(hidden, group["where"]), group["targets"])
        nothing = torch.zeros(most * len(group["ids"]), device=losses.device)
        parts.append(nothing.index_add(0, group["owner"], -losses).reshape(-1, most))
    return torch.cat(parts)[batch["place"]]


def _group_states(model: Any, group: dict[str, torch.Tensor]) -> torch.Tensor:
    """Hidden states of a group, shape (rows, width, size)."""
    ids = group["ids"]
    if takes_positions(model):
        with attending(ids):
            return states(model, ids, positions=group["positions"], sees=group["sees"])
    # Without positions of their own, each later answer is read again behind the prompt alone.
    columns = torch.arange(ids.shape[1], device=ids.device)
    prompt, begins = group["begins"][:, :1], group["begins"]
    with attending(ids):
        found = states(model, ids)
        for k in range(1, begins.shape[1]):
            offset = begins[:, k : k + 1] - prompt
            behind = columns + torch.where(columns >= prompt, offset, 0)
            other = states(model, ids.gather(1, behind.clamp_max(ids.shape[1] - 1)))
            back = (columns - offset).clamp_min(0)[..., None].expand_as(other)
            found = torch.where(
                (columns >= prompt + offset)[..., None], other.gather(1, back), found
            )
    return found
