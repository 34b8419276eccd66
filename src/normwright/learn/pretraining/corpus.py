"""Running text and generated dialogues as rows of tokens, in the order they are trained on."""

from __future__ import annotations

import bisect
import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.utils.data import Dataset

from normwright.models.chat import BEGIN, CONTROLS, END, ROLES, plain
from normwright.scenes import Bank, dialogues
from normwright.scenes.draw import Dialogue

IGNORE: Final = -100
"""Target of a position without loss."""


def dialogue_text(dialogue: Dialogue) -> str:
    """Return a dialogue in the chat template, its control token after the first marker."""
    control = CONTROLS[dialogue.control] if dialogue.control else ""
    turns = "".join(f"{ROLES[m.role]}{plain(m.content)}{END}" for m in dialogue.messages)
    return f"{BEGIN}{control}{turns}"


def read_text(path: Path, *, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (language, text) from a gzipped JSON-lines file of books or parallel paragraphs."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "text" in row:
                yield row["lang"], row["text"]
            else:
                for lang in languages:
                    if row.get(lang):
                        yield lang, row[lang]


class TokenCorpus(Dataset[Any]):
    """Rows of tokens with targets in flat arrays, in the order they are trained on.

    With `scores`, how bad the part is that each token belongs to, NaN where nobody said.
    """

    def __init__(
        self,
        tokens: np.ndarray,
        targets: np.ndarray,
        starts: np.ndarray,
        scores: np.ndarray | None = None,
    ) -> None:
        self.tokens, self.targets, self.starts, self.scores = tokens, targets, starts, scores

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        cut = slice(self.starts[index], self.starts[index + 1])
        found = (self.tokens[cut], self.targets[cut])
        return found if self.scores is None else (*found, self.scores[cut])


def dialogue_rows(
    bank: Bank,
    tokenizer: Any,
    *,
    tokens: int,
    row: int,
    spoken: float,
    seed: int,
    turns: tuple[int, int] = (2, 6),
    deciding: float | None = 0.4,
) -> tuple[np.ndarray, np.ndarray]:
    """Return token ids and targets, each (rows, row); no dialogue is split over two rows.

    Args:
        bank: the families.
        tokenizer: gives the ids.
        tokens: about how many in all.
        row: tokens a row. A dialogue that is longer loses its last turns.
        spoken: share of the dialogues in which what the user says carries loss too.
        seed: seed of every choice.
        turns: fewest and most requests a dialogue.
        deciding: share of the dialogues on requests a norm speaks about; see `dialogues`.
    """
    rng = random.Random(seed)
    user, assistant = (tokenizer.convert_tokens_to_ids(ROLES[r]) for r in ("user", "assistant"))
    ids: list[list[int]] = []
    targets: list[list[int]] = []
    part = 0
    while len(ids) * row < tokens:
        made = dialogues(
            bank,
            split="pretrain",
            seed=seed * 100_003 + part,
            count=2000,
            turns=turns,
            deciding=deciding,
        )
        part += 1
        for line in packed(_encoded(list(made), tokenizer, row), row):
            goal: list[int] = []
            for encoded in line:
                loud = rng.random() < spoken
                speaking = False
                for token in encoded:
                    goal.append(token if speaking or loud else IGNORE)
                    speaking = (speaking or token == assistant) and token != user
            flat = [token for encoded in line for token in encoded]
            ids.append(flat + [0] * (row - len(flat)))
            targets.append(goal + [IGNORE] * (row - len(flat)))
    return np.array(ids, np.uint16), np.array(targets, np.int32)


def _encoded(made: list[Dialogue], tokenizer: Any, row: int) -> list[list[int]]:
    """Return the dialogues as token ids; from those longer than a row the last turns are taken."""
    kept: list[list[int]] = []
    while made:
        found = tokenizer([dialogue_text(d) for d in made], add_special_tokens=False)["input_ids"]
        kept += [ids for ids in found if len(ids) <= row]
        made = [
            replace(d, messages=d.messages[:-2])
            for d, ids in zip(made, found, strict=True)
            if len(ids) > row and len(d.messages) > 2
        ]
    return kept


def packed(parts: Sequence[list[int]], row: int) -> list[list[list[int]]]:
    """Return the parts in rows of at most `row` tokens: longest first, each where it fits best."""
    rows: list[list[list[int]]] = []
    room: list[tuple[int, int]] = []
    """(tokens left, row), sorted."""
    for part in sorted(parts, key=len, reverse=True):
        at = bisect.bisect_left(room, (len(part), -1))
        if at < len(room):
            left, number = room.pop(at)
        else:
            left, number = row, len(rows)
            rows.append([])
        rows[number].append(part)
        bisect.insort(room, (left - len(part), number))
    return rows


def text_rows(tokenizer: Any, texts: Iterator[str], *, tokens: int, row: int) -> np.ndarray:
    """Return token ids (rows, row) cut from running text, documents joined by the begin marker."""
    begin = tokenizer.convert_tokens_to_ids(BEGIN)
    flat: list[int] = []
    for text in texts:
        flat.append(begin)
        flat += tokenizer(plain(text), add_special_tokens=False)["input_ids"]
        if len(flat) >= tokens:
            break
    rows = len(flat) // row
    return np.array(flat[: rows * row], np.uint16).reshape(rows, row)


def stack(rows: list[tuple[np.ndarray, ...]]) -> dict[str, torch.Tensor]:
    """Return a batch of equally long rows."""
    batch = {
        "ids": torch.from_numpy(np.stack([r[0] for r in rows]).astype(np.int64)),
        "targets": torch.from_numpy(np.stack([r[1] for r in rows]).astype(np.int64)),
    }
    if len(rows[0]) > 2:
        batch["scores"] = torch.from_numpy(np.stack([r[2] for r in rows]).astype(np.float32))
    return batch


def tokens_of(row: tuple[np.ndarray, ...]) -> dict[str, float]:
    """Return how many positions of a row carry a loss."""
    return {"tokens": float((row[1][1:] != IGNORE).sum())}


def mix(
    spoken: tuple[np.ndarray, np.ndarray], read: np.ndarray, *, batch: int, seed: int
) -> TokenCorpus:
    """Return dialogues and running text as one shuffled corpus of whole batches.

    Args:
        spoken: ids and targets of dialogues, each (rows, row).
        read: ids of running text, (rows, row); every position carries loss.
        batch: rows a step; a last incomplete batch is dropped.
        seed: seed of the order.
    """
    rng = np.random.default_rng(seed)
    ids = np.concatenate([spoken[0], read])
    targets = np.concatenate([spoken[1], read.astype(np.int32)])
    order = rng.permutation(len(ids))[: len(ids) // batch * batch]
    width = ids.shape[1]
    starts = np.arange(0, len(order) * width + 1, width)
    return TokenCorpus(ids[order].reshape(-1), targets[order].reshape(-1), starts)


def joined(first: TokenCorpus, second: TokenCorpus) -> TokenCorpus:
    """Return two corpora as one, the first read first."""
    return TokenCorpus(
        np.concatenate([first.tokens, second.tokens]),
        np.concatenate([first.targets, second.targets]),
        np.concatenate([first.starts, second.starts[1:] + first.starts[-1]]),
    )
