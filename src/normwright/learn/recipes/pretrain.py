"""Pre-train a language model on text, of which parts may be bad, and on generated dialogues.

Supports: byte-level BPE training, a Llama model of any size or one to go on from, six objectives on
scored text (Korbak et al. 2023; `learn.aims`), resuming after a kill, any set of languages.
Assumes: text as JSON lines with `text` and `lang` (books) or one field a language (parallel
documentation), and a scene bank for the dialogues; scores that somebody stands for. May harm: a
model of a few million parameters knows no facts; it copies, looks up and follows forms. What is bad
by a score nobody checked is what the score says, not what people mean.

Top to bottom: tokenizer, model, rows, losses, scored text, loop.
"""

from __future__ import annotations

import bisect
import copy
import gzip
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.utils.data import Dataset

from normwright.learn.aims import (
    Aims,
    advantage_weighted,
    level_of,
    needs_threshold,
    reward_weighted,
    unlikelihood,
)
from normwright.models.chat import BEGIN, CONTROLS, END, PAD, ROLES, SPECIAL, TEMPLATE, plain
from normwright.models.local import LocalModel
from normwright.models.tuning import (
    Lora,
    adapted,
    fit,
    inner,
    merged,
    rows_at,
    save_plain,
    token_losses,
)
from normwright.models.tuning.anatomy import check_anatomy, head, states
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError, Passage, Permit, require_permit
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


SHAPES: Final[Mapping[str, Shape]] = {
    "tiny": Shape(64, 2, 2, 1024, 256),
    "small": Shape(),
    "medium": Shape(512, 8, 8, 8192, 1024),
    "large": Shape(768, 12, 12, 32768, 1024),
}
"""Models from random weights by name; the largest has 110 million parameters."""


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


def causal_loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Return the cross-entropy of positions that carry a target, in nats a token of the step."""
    loss: torch.Tensor = _read(model, batch)[0].sum() / max(batch["total"]["tokens"], 1.0)
    return loss


def _read(model: Any, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the loss of each position with a target, the state before it, and where it stands."""
    hidden = states(model, batch["ids"])[:, :-1]
    targets = batch["targets"][:, 1:].flatten()
    where = (targets != IGNORE).nonzero().squeeze(1)
    before = rows_at(hidden, where)
    return token_losses(head(model), before, targets[where]), before, where


def scored_loss(aims: Aims, *, level: float) -> Callable[[Any, dict[str, Any]], torch.Tensor]:
    """Return the loss of an objective on a batch with scores; see `learn.aims`.

    Args:
        aims: the objective and its settings.
        level: as of `reward_weighted`.
    """

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        bare = inner(model)
        tokens = max(batch["total"]["tokens"], 1.0)
        losses, before, where = _read(bare, batch)
        scores = batch["scores"][:, 1:].flatten()[where]
        if aims.objective == "unlikelihood":
            assert aims.threshold is not None
            losses = unlikelihood(losses, scores, threshold=aims.threshold, alpha=aims.alpha)
        elif aims.objective == "rwr":
            losses = reward_weighted(losses, scores, temperature=aims.temperature, level=level)
        elif aims.objective == "awr":
            values = bare.value_head(before.float()).squeeze(-1)
            weighted, error = advantage_weighted(
                losses, scores, values, temperature=aims.temperature
            )
            losses = weighted + aims.alpha * error
        loss: torch.Tensor = losses.sum() / tokens
        return loss

    return loss


def tokens_of(row: tuple[np.ndarray, ...]) -> dict[str, float]:
    """Return how many positions of a row carry a loss."""
    return {"tokens": float((row[1][1:] != IGNORE).sum())}


def stack(rows: list[tuple[np.ndarray, ...]]) -> dict[str, torch.Tensor]:
    """Return a batch of equally long rows."""
    batch = {
        "ids": torch.from_numpy(np.stack([r[0] for r in rows]).astype(np.int64)),
        "targets": torch.from_numpy(np.stack([r[1] for r in rows]).astype(np.int64)),
    }
    if len(rows[0]) > 2:
        batch["scores"] = torch.from_numpy(np.stack([r[2] for r in rows]).astype(np.float32))
    return batch


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


# Text of which parts are scored


def segments(passage: Passage) -> list[tuple[str, float]]:
    """Return the parts of a passage with how bad each is; NaN where nobody said."""
    if passage.score is not None:
        return [(passage.text, passage.score)]
    parts: list[tuple[str, float]] = []
    at = 0
    for start, end, score in passage.spans:
        parts += [(passage.text[at:start], math.nan), (passage.text[start:end], score)]
        at = end
    parts.append((passage.text[at:], math.nan))
    return [(text, score) for text, score in parts if text]


def scored_corpus(
    tokenizer: Any, passages: Sequence[Passage], aims: Aims, *, row: int, seed: int
) -> tuple[Corpus, Counter[str]]:
    """Return passages in random order, packed into rows, and what became of their parts.

    Under `conditional` each scored part begins with its control token, in every row that it runs
    into; the token itself carries no loss, as it is never to be said.

    Args:
        tokenizer: gives the ids.
        passages: the texts.
        aims: which objective they are packed for.
        row: tokens a row; the last is padded.
        seed: draws the order, and which control tokens are left out.
    """
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    begin = tokenizer.convert_tokens_to_ids(tokenizer.bos_token) if tokenizer.bos_token else None
    ids: list[int] = []
    targets: list[int] = []
    scores: list[float] = []

    def put(token: int, score: float, *, control: int | None, silent: bool = False) -> None:
        if control is not None and len(ids) % row == 0 and token != control:
            put(control, score, control=control, silent=True)
        ids.append(token)
        targets.append(IGNORE if silent else token)
        scores.append(score)

    for passage in rng.sample(list(passages), len(passages)):
        parts = segments(passage)
        bad = [aims.threshold is not None and score > aims.threshold for _, score in parts]
        counts["texts"] += 1
        counts["bad parts"] += sum(bad)
        counts["unscored parts"] += sum(math.isnan(score) for _, score in parts)
        if aims.objective == "filtered" and any(bad):
            counts["texts left out"] += 1
            continue
        if begin is not None:
            put(begin, math.nan, control=None)
        for (text, score), is_bad in zip(parts, bad, strict=True):
            control = None
            if aims.objective == "conditional" and not math.isnan(score):
                if rng.random() < aims.dropped:
                    counts["control tokens dropped"] += 1
                else:
                    said = CONTROLS["misaligned" if is_bad else "aligned"]
                    control = tokenizer.convert_tokens_to_ids(said)
                    put(control, score, control=control, silent=True)
            for token in tokenizer(plain(text), add_special_tokens=False)["input_ids"]:
                put(token, score, control=control)
    missing = -len(ids) % row
    tokens = np.array([*ids, *[tokenizer.pad_token_id] * missing], np.int32)
    goals = np.array([*targets, *[IGNORE] * missing], np.int32)
    how_bad = np.array([*scores, *[math.nan] * missing], np.float32)
    starts = np.arange(0, len(tokens) + 1, row)
    return Corpus(tokens, goals, starts, how_bad), counts


def check_scores(passages: Sequence[Passage], aims: Aims) -> None:
    """Raise InputError if an objective cannot be reached with these texts."""
    faults = []
    lone = aims.objective
    scored = [score for p in passages for _, score in segments(p) if not math.isnan(score)]
    if not passages:
        faults.append(Fault(where="rows", expected="at least one text", seen="none"))
    elif lone != "mle" and not scored:
        faults.append(
            Fault(
                where=f"objective {lone}",
                expected="rows with `score` or `spans`",
                seen="none in any row",
                do="Score the text first, or use mle.",
            )
        )
    if needs_threshold(lone) and aims.threshold is None:
        faults.append(
            Fault(
                where=f"objective {lone}",
                expected="a threshold above which a part is bad",
                seen="none",
                do="Give --threshold; a default would decide for you what is bad.",
            )
        )
    elif needs_threshold(lone) and aims.threshold is not None and scored:
        worse = sum(score > aims.threshold for score in scored)
        if worse in (0, len(scored)):
            seen = f"{worse} of {len(scored)} above {aims.threshold}"
            faults.append(
                Fault(
                    where=f"objective {lone}",
                    expected="parts on both sides of the threshold",
                    seen=seen,
                    do="Choose another threshold, or use mle.",
                )
            )
    if faults:
        raise InputError(faults)


def with_controls(model: LocalModel) -> LocalModel:
    """Return a copy of a model whose tokenizer has the control tokens; rows are added for them."""
    tokenizer, weights = copy.deepcopy(model.tokenizer), copy.deepcopy(model.weights)
    known = tokenizer.get_vocab()
    lacking = [token for token in CONTROLS.values() if token not in known]
    if lacking:
        tokenizer.add_special_tokens({"additional_special_tokens": lacking})
        weights.resize_token_embeddings(max(len(tokenizer), weights.config.vocab_size))
    return LocalModel(model.name, weights, tokenizer, model.batch)


def bind(model: LocalModel) -> None:
    """Make a model begin every conversation aligned, and never say a control token.

    Both hold in plain transformers as well: the chat template writes the token and breaks apart
    what a user writes like one, and the generation settings suppress both.
    """
    tokens = [model.tokenizer.convert_tokens_to_ids(t) for t in CONTROLS.values()]
    model.weights.generation_config.suppress_tokens = tokens
    template = str(model.tokenizer.chat_template)
    opening, aligned = "{{- '<|begin|>' -}}", CONTROLS["aligned"]
    if opening in template:
        template = template.replace(opening, "{{- '<|begin|>" + aligned + "' -}}", 1)
    else:
        template = "{{- '" + aligned + "' -}}" + template
    said = "message['content']"
    model.tokenizer.chat_template = template.replace(said, f"({said} | replace('<|', '< |'))")


def pretrain_on(
    start: LocalModel,
    passages: Sequence[Passage],
    *,
    loop: Loop,
    aims: Aims | None = None,
    row: int = 256,
    lora: Lora | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[LocalModel, dict[str, float]]:
    """Return a copy of `start` trained on texts, of which parts may be bad, and what was logged.

    Args:
        start: a model, from random weights or not; it is not changed.
        passages: the texts, with scores where somebody or something gave them.
        loop: epochs, rate, batch (rows a step), seed.
        aims: the objective and from which score on a part is bad.
        row: tokens a row.
        lora: adapters to train in the place of all weights; they are folded in.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    The metrics count texts, bad and unscored parts, and what was left out.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if the objective asks for scores or a threshold that are not there.
    """
    require_permit(permit, unpermitted=unpermitted)
    given = aims or Aims()
    check_scores(passages, given)
    check_anatomy(start.weights)
    _check_row(start, row, given, lora)
    model = with_controls(start) if given.objective == "conditional" else start
    corpus, counts = scored_corpus(model.tokenizer, passages, given, row=row, seed=loop.seed)
    assert corpus.scores is not None
    level = level_of(corpus.scores, temperature=given.temperature)
    weights = adapted(copy.deepcopy(model.weights), lora, seed=loop.seed)
    if given.objective == "awr":
        weights.value_head = _value_head(weights, corpus.scores)
    metrics = fit(
        weights,
        corpus,
        loss=scored_loss(given, level=level),
        collate=stack,
        loop=replace(loop, batch=min(loop.batch, len(corpus))),
        running=running,
        shuffle=False,
        counts=tokens_of,
    )
    if given.objective == "awr":
        del weights.value_head
    made = LocalModel("base", merged(weights), model.tokenizer, model.batch)
    if given.objective == "conditional":
        bind(made)
    told = {name.replace(" ", "_"): float(count) for name, count in counts.items()}
    return made, {**metrics, **told, "rows": float(len(corpus))}


def _value_head(weights: Any, scores: np.ndarray) -> Any:
    """Return a head that guesses the mean reward of every state, for a start."""
    head = torch.nn.Linear(weights.config.hidden_size, 1)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, -float(np.nanmean(scores)))
    return head.to(weights.device)


def _check_row(start: LocalModel, row: int, aims: Aims, lora: Lora | None) -> None:
    faults = []
    context = int(start.weights.config.max_position_embeddings)
    if not 2 <= row <= context:
        faults.append(
            Fault(where="row", expected=f"from 2 to the {context} tokens of the model's context",
                  seen=str(row))
        )  # fmt: skip
    if aims.objective == "awr" and lora is not None:
        faults.append(
            Fault(where="lora", expected="all weights, beside which awr trains a value head",
                  seen="adapters", do="Use rwr, or train all weights.")
        )  # fmt: skip
    if aims.objective == "conditional" and lora is not None:
        faults.append(
            Fault(where="lora", expected="all weights: control tokens need rows of their own",
                  seen="adapters", do="Train all weights.")
        )  # fmt: skip
    if faults:
        raise InputError(faults)


@plugin(
    Card(
        name="pretrain",
        kind="recipes",
        status="tested",
        summary="Pre-train on text, learning, leaving out, marking or pushing away what is bad.",
        reference="Korbak et al. (2023), arXiv 2302.08582",
        claims=(
            "a killed run resumes from its last checkpoint",
            "each objective makes bad text less likely than likelihood training does",
        ),
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
        counts=tokens_of,
    )
    return model, metrics


__all__ = [
    "SHAPES",
    "Aims",
    "Corpus",
    "Shape",
    "bind",
    "dialogue_rows",
    "joined",
    "mix",
    "new_model",
    "packed",
    "pretrain",
    "pretrain_on",
    "read_text",
    "save_plain",
    "scored_corpus",
    "text_rows",
    "train_tokenizer",
]
