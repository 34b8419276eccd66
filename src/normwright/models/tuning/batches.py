"""Rows of tokens with an answer mask, and how they are padded into a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.chat import render, stop_text
from normwright.records import Fault, InputError, Message


@dataclass(frozen=True)
class AnswerRow:
    """One prompt with one answer as token ids; the stop token belongs to the answer."""

    ids: tuple[int, ...]
    start: int
    """Index of the first answer token."""


def answer_rows(
    tokenizer: Any, pairs: Sequence[tuple[Sequence[Message], str]], *, limit: int
) -> list[AnswerRow]:
    """Return one row a prompt and answer.

    Raises:
        InputError: if a prompt is not a prefix of prompt and answer in the tokenizer's template,
            or if a row is longer than `limit` tokens; both would train on another context than
            the one that is served.
    """
    faults: list[Fault] = []
    rows: list[AnswerRow] = []
    stop = tokenizer.convert_tokens_to_ids(stop_text(tokenizer))
    for number, (prompt, answer) in enumerate(pairs):
        before = render(tokenizer, prompt)
        whole = render(
            tokenizer, [*prompt, Message(role="assistant", content=answer)], answer=False
        )
        if not whole.startswith(before):
            faults.append(
                Fault(
                    where=f"row {number}",
                    expected="the prompt as a prefix of prompt and answer",
                    seen=repr(whole[: len(before)])[:200],
                    do="Mend the chat template.",
                )
            )
            continue
        head = tokenizer(before, add_special_tokens=False)["input_ids"]
        tail = tokenizer(whole[len(before) :], add_special_tokens=False)["input_ids"]
        while tail and tail[-1] != stop and stop in tail:
            tail = tail[:-1]
        if not tail or tail[-1] != stop:
            faults.append(
                Fault(
                    where=f"row {number}",
                    expected="a stop token after the answer",
                    seen="none",
                    do="Mend the chat template.",
                )
            )
        if len(head) + len(tail) > limit:
            faults.append(
                Fault(
                    where=f"row {number}",
                    expected=f"at most {limit} tokens",
                    seen=str(len(head) + len(tail)),
                )
            )
        rows.append(AnswerRow((*head, *tail), len(head)))
    if faults:
        raise InputError(faults[:20])
    return rows


def pad_rows(rows: Sequence[AnswerRow], pad: int) -> dict[str, torch.Tensor]:
    """Return `ids`, `mask` and `answer`, each of shape (rows, longest row), right-padded."""
    width = max(len(r.ids) for r in rows)
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros_like(ids)
    answer = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        mask[i, : len(row.ids)] = 1
        answer[i, row.start : len(row.ids)] = 1
    return {"ids": ids, "mask": mask, "answer": answer}
