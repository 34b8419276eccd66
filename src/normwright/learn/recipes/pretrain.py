"""Pre-train a small bilingual language model on public-domain text and generated dialogues.

Supports: byte-level BPE training, a Llama model of any size, conditional control tokens (Korbak et
al. 2023), resuming after a kill, any set of languages. Assumes: text as JSON lines with `text` and
`lang` (books) or one field a language (parallel documentation), and a scene bank for the dialogues.
May harm: a model of a few million parameters knows no facts; it copies, looks up and follows forms.

Top to bottom: tokenizer, rows, model, loss, loop, save.
"""

from __future__ import annotations

import bisect
import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from normwright.models.chat import BEGIN, CONTROLS, END, PAD, ROLES, SPECIAL, TEMPLATE, plain
from normwright.models.tuning import fit, rows_at, save_plain, token_losses
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.scenes import Bank, dialogues
from normwright.scenes.draw import Dialogue

IGNORE = -100
"""Target of a position without loss."""


@dataclass(frozen=True)
class Shape:
    """The model: one dial, `hidden`, and what follows from it."""

    hidden: int = 256
    layers: int = 6
    heads: int = 8
    vocabulary: int = 4096
    context: int = 1024


def train_tokenizer(texts: Iterator[str], *, vocabulary: int) -> Any:
    """Return a byte-level BPE tokenizer with single digits, as a transformers tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return wrap_tokenizer(tokenizer, PreTrainedTokenizerFast)


def wrap_tokenizer(tokenizer: Any, cls: Any) -> Any:
    """Return the transformers form of a `tokenizers` tokenizer, with our chat template."""
    fast = cls(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[*ROLES.values(), *CONTROLS.values()],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = TEMPLATE
    return fast


def new_model(shape: Shape, *, seed: int) -> Any:
    """Return a randomly initialised Llama model of this shape."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        intermediate_size=shape.hidden * 8 // 3 // 32 * 32,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
        bos_token_id=SPECIAL.index(BEGIN),
        eos_token_id=SPECIAL.index(END),
        pad_token_id=SPECIAL.index(PAD),
    )
    return LlamaForCausalLM(config)


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


class Corpus(Dataset[Any]):
    """Rows of tokens with targets in two flat arrays, in the order they are trained on."""

    def __init__(self, tokens: np.ndarray, targets: np.ndarray, starts: np.ndarray) -> None:
        self.tokens, self.targets, self.starts = tokens, targets, starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        cut = slice(self.starts[index], self.starts[index + 1])
        return self.tokens[cut], self.targets[cut]


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


def causal_loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean cross-entropy over positions that carry a target, in nats a token."""
    hidden = model.model(input_ids=batch["ids"]).last_hidden_state[:, :-1]
    targets = batch["targets"][:, 1:].flatten()
    where = (targets != IGNORE).nonzero().squeeze(1)
    return token_losses(model.lm_head, rows_at(hidden, where), targets[where]).mean()


def stack(rows: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, torch.Tensor]:
    """Return a batch of equally long rows."""
    return {
        "ids": torch.from_numpy(np.stack([r[0] for r in rows]).astype(np.int64)),
        "targets": torch.from_numpy(np.stack([r[1] for r in rows]).astype(np.int64)),
    }


def mix(
    spoken: tuple[np.ndarray, np.ndarray], read: np.ndarray, *, batch: int, seed: int
) -> Corpus:
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
    return Corpus(ids[order].reshape(-1), targets[order].reshape(-1), starts)


def joined(first: Corpus, second: Corpus) -> Corpus:
    """Return two corpora as one, the first read first."""
    return Corpus(
        np.concatenate([first.tokens, second.tokens]),
        np.concatenate([first.targets, second.targets]),
        np.concatenate([first.starts, second.starts[1:] + first.starts[-1]]),
    )


@plugin(
    Card(
        name="pretrain",
        kind="recipes",
        status="tested",
        summary="Pre-train a small bilingual model on text and generated dialogues, resumable.",
        reference="Korbak et al. (2023), arXiv 2302.08582 (conditional training)",
        claims=("a killed run resumes from its last checkpoint",),
    )
)
def pretrain(
    corpus: Corpus,
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
    )
    return model, metrics


__all__ = [
    "Corpus",
    "Shape",
    "dialogue_rows",
    "joined",
    "mix",
    "new_model",
    "packed",
    "pretrain",
    "read_text",
    "save_plain",
    "text_rows",
    "train_tokenizer",
]
