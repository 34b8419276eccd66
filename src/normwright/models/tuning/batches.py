"""Rows of tokens with an answer mask, and how they are padded into a batch."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.chat import render, stop_text
from normwright.records import Fault, InputError, Message

_SHOWN = 20
"""Faults that are told by themselves."""


@dataclass(frozen=True)
class AnswerRow:
    """One prompt with one answer as token ids; the stop token belongs to the answer."""

    ids: tuple[int, ...]
    start: int
    """Index of the first answer token."""


def answer_rows(
    tokenizer: Any,
    pairs: Sequence[tuple[Sequence[Message], str]],
    *,
    limit: int,
    names: Sequence[str] | None = None,
) -> list[AnswerRow]:
    """Return one row a prompt and answer.

    Args:
        tokenizer: with a chat template and a stop token.
        pairs: prompts with an answer each.
        limit: longest row in tokens.
        names: what faults call each of them; None counts them: `row 0`, `row 1`.

    Raises:
        InputError: if a prompt is not a prefix of prompt and answer in the tokenizer's template,
            or if a row is longer than `limit` tokens; both would train on another context than
            the one that is served.
    """
    faults: list[Fault] = []
    rows: list[AnswerRow] = []
    stop = tokenizer.convert_tokens_to_ids(stop_text(tokenizer))
    for number, (prompt, answer) in enumerate(pairs):
        where = f"row {number}" if names is None else names[number]
        before = render(tokenizer, prompt)
        whole = render(
            tokenizer, [*prompt, Message(role="assistant", content=answer)], answer=False
        )
        if not whole.startswith(before):
            faults.append(
                Fault(
                    where=where,
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
                    where=where,
                    expected="a stop token after the answer",
                    seen="none",
                    do="Mend the chat template.",
                )
            )
        if len(head) + len(tail) > limit:
            faults.append(
                Fault(
                    where=where,
                    expected=f"at most {limit} tokens",
                    seen=str(len(head) + len(tail)),
                )
            )
        rows.append(AnswerRow((*head, *tail), len(head)))
    if len(faults) > _SHOWN:
        more = f"{len(faults) - _SHOWN} more faults"
        faults = [*faults[:_SHOWN], Fault(where="rows", expected="rows without faults", seen=more)]
    if faults:
        raise InputError(faults)
    return rows


def pad_rows(rows: Sequence[AnswerRow], pad: int) -> dict[str, torch.Tensor]:
    """Return `ids` and `answer`, each of shape (rows, longest row), right-padded."""
    width = max(len(r.ids) for r in rows)
    ids = torch.full((len(rows), width), pad)
    answer = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        answer[i, row.start : len(row.ids)] = 1
    return {"ids": ids, "answer": answer}


def moved(batch: Any, device: torch.device) -> Any:
    """Return a batch, tensors within mappings and lists, with every tensor on a device."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {name: moved(part, device) for name, part in batch.items()}
    if isinstance(batch, list):
        return [moved(part, device) for part in batch]
    return batch


def group_size(size: int | None, rows: int) -> int:
    """Return how many rows a group holds: on a GPU all of a step, whose padding costs less there
    than many small calls.
    """
    return size or (max(rows, 1) if torch.cuda.is_available() else 16)


def group_rows(rows: Sequence[AnswerRow], pad: int, *, size: int | None = None) -> dict[str, Any]:
    """Return the rows of one step in groups of like length, each padded by itself.

    Rows of one step differ in length by a factor of three; padded all to the longest, a third of
    the work is on padding. Sorting inside the step leaves its composition as it was drawn.

    Args:
        rows: the rows of a step.
        pad: id of the padding token.
        size: rows in a group, at most; None: 16 on a CPU, all of the step on a GPU.

    Returns:
        `groups`, tensors as from `pad_rows`, shortest rows first; `place`, shape (rows,): where
        each row stands when the groups are laid end to end; `length`, shape (rows,): its answer's
        tokens.
    """
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    place = torch.empty(len(rows), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(rows))
    size = group_size(size, len(rows))
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    return {
        "groups": [pad_rows([rows[i] for i in part], pad) for part in parts],
        "place": place,
        "length": torch.tensor([len(r.ids) - r.start for r in rows]),
    }


def pack_rows(rows: Sequence[AnswerRow], pad: int, *, width: int) -> dict[str, Any]:
    """Return the rows of one step laid behind one another in few long rows, for `packed_logprobs`.

    Texts that share a row do not see each other, and each begins at position 0, so a text scores as
    it does alone. What packing saves is padding.

    Args:
        rows: the rows of a step.
        pad: id of the padding token.
        width: tokens a packed row may hold; one that is longer has a row of its own.

    Returns:
        `ids` and `positions` of shape (packed, longest), `sees` of shape (packed, 1, longest,
        longest), and over all answer tokens `where` (flat index of the hidden state that predicts
        it), `targets` and `owner` (its row); `length`, shape (rows,): its answer's tokens.
    """
    bins = _bins([len(row.ids) for row in rows], width)
    longest = max(sum(len(rows[i].ids) for i in part) for part in bins)
    ids = torch.full((len(bins), longest), pad)
    positions = torch.zeros_like(ids)
    text = torch.full_like(ids, -1)
    where: list[int] = []
    targets: list[int] = []
    owner: list[int] = []
    for line, part in enumerate(bins):
        at = 0
        for i in part:
            row, end = rows[i], at + len(rows[i].ids)
            ids[line, at:end] = torch.tensor(row.ids)
            positions[line, at:end] = torch.arange(len(row.ids))
            text[line, at:end] = i
            before = line * longest + at + row.start - 1
            where += range(before, before + len(row.ids) - row.start)
            targets += row.ids[row.start :]
            owner += [i] * (len(row.ids) - row.start)
            at = end
    earlier = torch.ones(longest, longest, dtype=torch.bool).tril()
    sees = (text[:, :, None] == text[:, None, :]) & earlier
    return {
        "ids": ids,
        "positions": positions,
        "sees": sees[:, None],
        "where": torch.tensor(where),
        "targets": torch.tensor(targets),
        "owner": torch.tensor(owner),
        "length": torch.tensor([len(r.ids) - r.start for r in rows]),
    }


def _bins(lengths: Sequence[int], width: int) -> list[list[int]]:
    """Return indices in bins of at most `width`: longest first, each where it fits best."""
    bins: list[list[int]] = []
    room: list[tuple[int, int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        fits = bisect.bisect_left(room, (lengths[i], -1))
        if fits == len(room):
            left, place = width, len(bins)
            bins.append([])
        else:
            left, place = room.pop(fits)
        bins[place].append(i)
        bisect.insort(room, (max(0, left - lengths[i]), place))
    return bins


@dataclass(frozen=True)
class PairRow:
    """One prompt with two answers as token ids; both answers end with the stop token."""

    prompt: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.first) + len(self.second)


def pair_rows(first: Sequence[AnswerRow], second: Sequence[AnswerRow]) -> list[PairRow]:
    """Return rows in which two answers to one prompt share it.

    Raises:
        ValueError: if two rows that belong together differ in their prompt.
    """
    rows = []
    for one, other in zip(first, second, strict=True):
        if one.ids[: one.start] != other.ids[: other.start]:
            raise ValueError("two answers of a pair must follow the same prompt")
        rows.append(PairRow(one.ids[: one.start], one.ids[one.start :], other.ids[other.start :]))
    return rows


def pair_answers(
    tokenizer: Any, pairs: Sequence[tuple[Sequence[Message], str, str]], *, limit: int
) -> tuple[list[AnswerRow], list[AnswerRow]]:
    """Return the rows of first and of second answers to prompts, with the faults of both at once.

    Args:
        tokenizer: with a chat template and a stop token.
        pairs: a prompt and two answers each.
        limit: longest row of a prompt with one answer, in tokens.

    Raises:
        InputError: as `answer_rows`.
    """
    flat = [(prompt, answer) for prompt, *answers in pairs for answer in answers]
    names = [f"row {i}, {which} answer" for i in range(len(pairs)) for which in ("first", "second")]
    rows = answer_rows(tokenizer, flat, limit=limit, names=names)
    return rows[::2], rows[1::2]


def group_pairs(rows: Sequence[PairRow], pad: int, *, size: int | None = None) -> dict[str, Any]:
    """Return the pairs of one step in groups of like length; each prompt is read once.

    A prompt is most of a row, so two answers in one row cost little more than one. The second
    answer stands behind the first, continues the prompt's positions, and does not see the first.

    Args:
        rows: the pairs of a step.
        pad: id of the padding token.
        size: rows in a group, at most; None: 16 on a CPU, all of the step on a GPU.

    Returns:
        `groups`, shortest rows first, each with `ids` and `positions` of shape (rows, width),
        `sees` of shape (rows, 1, width, width), true where a token attends to another, and, over
        all answer tokens, `where` (flat index of the hidden state that predicts it), `targets`
        and `owner` (twice the row, plus one for second answers), `ends` of shape (2 rows,), the
        flat index of each answer's last token, and `cuts` of shape (rows, 2), the lengths of prompt
        and first answer; `place`, shape (pairs,): where each pair stands
        when the groups are laid end to end; `length`, shape (2, pairs).
    """
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    place = torch.empty(len(rows), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(rows))
    size = group_size(size, len(rows))
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    return {
        "groups": [_pair_group([rows[i] for i in part], pad) for part in parts],
        "place": place,
        "length": torch.tensor([[len(r.first) for r in rows], [len(r.second) for r in rows]]),
    }


def _pair_group(rows: Sequence[PairRow], pad: int) -> dict[str, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    positions = torch.zeros_like(ids)
    sees = torch.ones(width, width, dtype=torch.bool).tril().repeat(len(rows), 1, 1)
    where: list[int] = []
    targets: list[int] = []
    owner: list[int] = []
    ends: list[int] = []
    for i, row in enumerate(rows):
        p, a, b = len(row.prompt), len(row.first), len(row.second)
        ids[i, : p + a + b] = torch.tensor([*row.prompt, *row.first, *row.second])
        positions[i, : p + a] = torch.arange(p + a)
        positions[i, p + a : p + a + b] = torch.arange(p, p + b)
        sees[i, p + a :, p : p + a] = False
        before = i * width + p - 1
        where += [before, *range(before + 1, before + a)]
        where += [before, *range(before + 1 + a, before + a + b)]
        targets += [*row.first, *row.second]
        owner += [2 * i] * a + [2 * i + 1] * b
        ends += [before + a, before + a + b]
    return {
        "ids": ids,
        "positions": positions,
        "sees": sees[:, None],
        "cuts": torch.tensor([[len(row.prompt), len(row.first)] for row in rows]),
        "where": torch.tensor(where),
        "targets": torch.tensor(targets),
        "owner": torch.tensor(owner),
        "ends": torch.tensor(ends),
    }
