"""Whether something was forgotten, and for how long: measures beside a model trained without it.

A forget loss that rose says little: a model may hide what it knows. What counts is the distance to
a model that was trained again without the rows (on the rows, and on others), whether it still says
them word for word, and how few steps bring them back. Every estimate carries n, interval and seed;
rows are the unit of independence, so it speaks of these rows and of one training run: more runs
need more seeds, which the caller pools.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from normwright.learn.rows.passages import Memory
from normwright.models.chat import BEGIN, plain
from normwright.models.local import LocalModel
from normwright.models.tuning import (
    AnswerRow,
    answer_rows,
    group_rows,
    grouped_logprobs,
    moved,
    token_divergence,
)
from normwright.records import Demonstration, Estimate, Fault, InputError, Message
from normwright.stats import bootstrap_mean, proportion

CHUNK = 64
"""Rows that are measured at once."""


def memory_rows(tokenizer: Any, rows: Sequence[Memory], *, limit: int) -> list[AnswerRow]:
    """Return rows as token ids: of a demonstration the answer counts, of a passage all of it.

    Raises:
        InputError: naming every row that is longer than `limit` tokens; none is cut.
    """
    asked = [row for row in rows if isinstance(row, Demonstration)]
    shown = iter(answer_rows(tokenizer, [(r.prompt, r.completion) for r in asked], limit=limit))
    faults: list[Fault] = []
    made = []
    for row in rows:
        if isinstance(row, Demonstration):
            made.append(next(shown))
            continue
        begin = tokenizer.bos_token or (BEGIN if BEGIN in tokenizer.get_vocab() else "")
        ids = tokenizer(begin + plain(row.text), add_special_tokens=False)["input_ids"]
        if len(ids) > limit:
            seen = f"{len(ids)} in {row.name}"
            faults.append(
                Fault(where="rows", expected=f"at most {limit} tokens a passage", seen=seen,
                      do="Split it at paragraphs.")
            )  # fmt: skip
        made.append(AnswerRow(tuple(ids), 1))
    if faults:
        raise InputError(faults[:20])
    return made


@torch.no_grad()
def row_losses(model: LocalModel, rows: Sequence[AnswerRow]) -> list[float]:
    """Return the negative log-likelihood of each row's answer, in nats a token."""
    losses: list[float] = []
    for batch in _batches(model, rows):
        scores = grouped_logprobs(model.weights, batch)
        losses += (-scores / batch["length"]).tolist()
    return losses


def token_loss(model: LocalModel, rows: Sequence[AnswerRow]) -> float:
    """Return the mean negative log-likelihood of all answer tokens, in nats."""
    lengths = [len(row.ids) - row.start for row in rows]
    losses = row_losses(model, rows)
    return sum(x * n for x, n in zip(losses, lengths, strict=True)) / sum(lengths)


@torch.no_grad()
def distances(first: LocalModel, second: LocalModel, rows: Sequence[AnswerRow]) -> list[float]:
    """Return KL(first || second) of each row, the mean over its answer's tokens, in nats.

    Exact over the vocabulary at every place of the row's own answer.

    Raises:
        InputError: if the two have different vocabularies, in which there is no such distance.
    """
    _check_vocabulary(first, second)
    out: list[float] = []
    for batch in _batches(first, rows):
        out += token_divergence(first.weights, second.weights, batch).clamp_min(0).tolist()
    return out


def candidate_distances(
    first: LocalModel,
    second: LocalModel,
    prompts: Sequence[Sequence[Message]],
    candidates: Sequence[Sequence[str]],
) -> list[float]:
    """Return KL(first || second) of each prompt over its candidate answers, in nats.

    Probabilities of whole answers, stop token included, renormalised over the candidates; exact,
    and defined between models of any two vocabularies. What a model says beyond the candidates
    does not show.
    """
    places = [(p, c) for p, answers in zip(prompts, candidates, strict=True) for c in answers]
    asked, said = [p for p, _ in places], [c for _, c in places]
    ones, others = first.logprobs(asked, said), second.logprobs(asked, said)
    out, at = [], 0
    for answers in candidates:
        one, other = (
            _normal(np.array(x[at : at + len(answers)], np.float64)) for x in (ones, others)
        )
        out.append(max(0.0, float((np.exp(one) * (one - other)).sum())))
        at += len(answers)
    return out


def distance(
    first: LocalModel, second: LocalModel, rows: Sequence[AnswerRow], *, seed: int
) -> Estimate:
    """Return the mean of `distances` with its bootstrap interval over rows."""
    return bootstrap_mean(distances(first, second, rows), seed=seed)


def extraction(model: LocalModel, rows: Sequence[AnswerRow]) -> Estimate:
    """Return the share of rows that the model says word for word, decoding greedily.

    A demonstration is asked for by its prompt; of a passage the first half of the tokens is given
    and the second has to come.
    """
    return proportion(sum(_said(model, rows)), len(rows))


@torch.no_grad()
def _said(model: LocalModel, rows: Sequence[AnswerRow]) -> list[bool]:
    """Say of each row whether every token of it is the likeliest after those before.

    That is what greedy decoding says word for word, read off in one pass.
    """
    from normwright.models.tuning import answer_logits, answer_places

    said: list[bool] = []
    asked = [
        row if row.start > 1 else AnswerRow(row.ids, max(1, len(row.ids) // 2)) for row in rows
    ]
    for batch in _batches(model, asked):
        parts = []
        for group in batch["groups"]:
            where, owners = answer_places(group)
            best = answer_logits(model.weights, group).argmax(-1)
            wrong = (best != group["ids"][:, 1:].flatten()[where]).long()
            misses = torch.zeros(len(group["ids"]), dtype=torch.long, device=wrong.device)
            parts.append(misses.index_add(0, owners, wrong) == 0)
        said += torch.cat(parts)[batch["place"]].tolist()
    return said


@dataclass(frozen=True)
class Quality:
    """How like a model is to one trained again without the rows, by what it holds for likely."""

    p: float
    """p-value of the two-sample Kolmogorov-Smirnov test; near 0: the two are told apart."""
    statistic: float
    n: int
    """Rows on either side."""


def forget_quality(
    unlearned: LocalModel,
    retrained: LocalModel,
    rows: Sequence[Demonstration],
    wrong: Sequence[Sequence[str]],
) -> Quality:
    """Return whether truth ratios of two models on the forget rows are told apart.

    The truth ratio of a row is the mean probability of wrong answers over that of the right one,
    each as the geometric mean over its tokens (Maini et al. 2024, arXiv 2401.06121, without
    paraphrases). A large p does not show that the two are alike: with few rows nothing is told
    apart.

    Args:
        unlearned: the model that is to have forgotten.
        retrained: one trained again without the rows.
        rows: what was to be forgotten.
        wrong: answers of the same form that are not true, for each row.
    """
    from scipy.stats import ks_2samp

    one, other = (truth_ratios(model, rows, wrong) for model in (unlearned, retrained))
    found = ks_2samp(one, other)
    return Quality(p=float(found.pvalue), statistic=float(found.statistic), n=len(rows))


def truth_ratios(
    model: LocalModel, rows: Sequence[Demonstration], wrong: Sequence[Sequence[str]]
) -> list[float]:
    """Return how likely wrong answers are beside the right one, of each row."""
    pairs = [
        (row.prompt, answer)
        for row, others in zip(rows, wrong, strict=True)
        for answer in (row.completion, *others)
    ]
    losses = row_losses(model, answer_rows(model.tokenizer, pairs, limit=_context(model)))
    out, at = [], 0
    for others in wrong:
        right, *false = losses[at : at + 1 + len(others)]
        out.append(math.exp(right) * sum(math.exp(-x) for x in false) / len(false))
        at += 1 + len(others)
    return out


@dataclass(frozen=True)
class Relearned:
    """What it takes to bring back what was forgotten."""

    steps: int | None
    """Optimizer steps until the forget loss was within the band; None: not within `most`."""
    most: int
    """Steps after which it was given up."""
    goal: float
    """Forget loss that counts as back, in nats a token."""
    losses: tuple[float, ...]
    """Forget loss before the first step and after every `every` steps."""
    every: int


def relearn_cost(
    model: LocalModel,
    forgotten: Sequence[AnswerRow],
    *,
    on: Sequence[AnswerRow],
    original: float,
    band: float,
    lr: float,
    batch: int = 8,
    most: int = 100,
    every: int = 1,
    seed: int = 0,
) -> Relearned:
    """Return how many steps of plain training bring the forgotten rows back.

    AdamW at a constant rate, without decay or warm-up, all weights: what anybody with the weights
    would try first. On rows that are not among the forgotten ones it shows what was only hidden.

    Args:
        model: the unlearned model; it is not changed.
        forgotten: rows on which the loss is read.
        on: rows to train on: the forgotten ones, some of them, or others altogether.
        original: forget loss before anything was forgotten, in nats a token.
        band: how near to it counts as back, in nats a token.
        lr: rate.
        batch: rows a step, at most.
        most: steps after which it is given up.
        every: steps between two readings.
        seed: order of the rows.
    """
    trial = LocalModel("relearning", copy.deepcopy(model.weights), model.tokenizer, model.batch)
    optimizer = torch.optim.AdamW(trial.weights.parameters(), lr=lr, weight_decay=0.0)
    generator = torch.Generator().manual_seed(seed)
    losses = [token_loss(trial, forgotten)]
    steps = 0 if losses[0] <= original + band else None
    order: list[int] = []
    for step in range(1, most + 1):
        if steps is not None:
            break
        while len(order) < min(batch, len(on)):
            order += torch.randperm(len(on), generator=generator).tolist()
        part, order = order[:batch], order[batch:]
        trained = next(_batches(trial, [on[i] for i in part]))
        optimizer.zero_grad()
        scores = grouped_logprobs(trial.weights, trained)
        (-scores.sum() / trained["length"].sum()).backward()
        optimizer.step()
        if step % every == 0:
            losses.append(token_loss(trial, forgotten))
            steps = step if losses[-1] <= original + band else None
    return Relearned(steps, most, original + band, tuple(losses), every)


def account(
    start: LocalModel,
    made: LocalModel,
    forgotten: Sequence[AnswerRow],
    kept: Sequence[AnswerRow],
    *,
    reference: LocalModel | None = None,
    relearn: int = 20,
    band: float = 0.1,
    lr: float,
    batch: int = 8,
    seed: int = 0,
) -> dict[str, Any]:
    """Return what may be said of an unlearned model, as JSON values.

    Args:
        start: the model that knew the rows.
        made: the model that is to have forgotten them.
        forgotten: the rows.
        kept: rows that were to be kept.
        reference: a model trained again without the rows, from the same base; None: none is at
            hand, and no distance is told.
        relearn: steps within which the rows are tried to be brought back; 0 does not try.
        band: how near to the forget loss of the start counts as back, in nats a token.
        lr: rate of relearning.
        batch: rows a step of relearning.
        seed: of resampling and of the order of rows.
    """
    told: dict[str, Any] = {
        "said_word_for_word": {
            "before": extraction(start, forgotten).model_dump(mode="json"),
            "after": extraction(made, forgotten).model_dump(mode="json"),
        }
    }
    if relearn:
        original = token_loss(start, forgotten)
        drawn = torch.randperm(len(kept), generator=torch.Generator().manual_seed(seed)).tolist()
        few = forgotten[: max(1, len(forgotten) // 4)]
        told["relearn"] = {
            "band": band,
            "lr": lr,
            "seed": seed,
            **{
                name: vars(
                    relearn_cost(
                        made, forgotten, on=rows, original=original, band=band, lr=lr, batch=batch,
                        most=relearn, seed=seed,
                    )
                )
                for name, rows in (
                    ("on_the_rows", forgotten),
                    ("on_a_quarter", few),
                    ("on_ten_others", [kept[i] for i in drawn[:10]]),
                )
            },
        }  # fmt: skip
    if reference is not None:
        told["distance"] = {
            side: {
                "before": distance(start, reference, rows, seed=seed).model_dump(mode="json"),
                "after": distance(made, reference, rows, seed=seed).model_dump(mode="json"),
            }
            for side, rows in (("forget", forgotten), ("retain", kept))
        }
        told["reference_loss"] = {
            "forget": token_loss(reference, forgotten),
            "retain": token_loss(reference, kept),
        }
    return told


def _batches(model: LocalModel, rows: Sequence[AnswerRow]) -> Any:
    """Yield the rows in batches on the model's device, in their order."""
    for start in range(0, len(rows), CHUNK):
        part = group_rows(rows[start : start + CHUNK], model.tokenizer.pad_token_id)
        yield moved(part, model.weights.device)


def _normal(scores: Any) -> Any:
    shifted = scores - scores.max()
    return shifted - np.log(np.exp(shifted).sum())


def _context(model: LocalModel) -> int:
    return int(model.weights.config.max_position_embeddings)


def _check_vocabulary(first: LocalModel, second: LocalModel) -> None:
    if first.tokenizer.get_vocab() != second.tokenizer.get_vocab():
        raise InputError(
            [
                Fault(
                    where="reference",
                    expected="the vocabulary of the model it is compared with",
                    seen="another",
                    do="Train it again from the same base.",
                )
            ]
        )
