"""How a model answers, beside how likely it holds what people judged; measured before and after.

Likelihood alone misleads: a preferred answer can grow likelier than the other while both vanish
(likelihood displacement), and a model can stop answering in sentences while every margin is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch

from normwright.models.local import LocalModel
from normwright.records import Estimate, Message
from normwright.stats import bootstrap_mean, proportion

NEW_TOKENS: Final = 48
"""Longest answer that is written for a look."""
FIRST: Final = 5
"""Tokens that count as an answer's beginning: alignment that moves only these is shallow (Qi et al.
2024, arXiv 2406.05946)."""


@dataclass(frozen=True)
class Asked:
    """A prompt that is answered for a look, with answers people preferred and did not."""

    prompt: tuple[Message, ...]
    better: frozenset[str]
    worse: frozenset[str]


@dataclass(frozen=True)
class Conduct:
    """What a model wrote to some prompts, greedily."""

    as_better: Estimate
    """Share of answers that are, word for word, one that people preferred."""
    as_worse: Estimate
    """Share that are one people preferred another to."""
    likelier: Estimate
    """Share of prompts on which the most likely of the answers given is a preferred one."""
    tokens: Estimate
    """Length of the answers in tokens, their stop token among them."""
    stopped: Estimate
    """Share of answers that ended by themselves."""
    distinct: float
    """Different pairs of neighbouring tokens over all of them, in all answers together: near 0
    where a model says one thing only."""
    examples: tuple[str, ...]
    """The first answers."""


@dataclass(frozen=True)
class Divergence:
    """How far a model is from its reference where it goes itself, in nats."""

    answer: Estimate
    """KL(model || reference) of whole answers, up to the length that was sampled."""
    first: Estimate
    """The same by token, over the first tokens of an answer."""
    rest: Estimate
    """The same by token, over what follows them."""


def asked(
    judged: Iterable[tuple[tuple[Message, ...], Sequence[str], Sequence[str]]], *, count: int
) -> list[Asked]:
    """Return some of the prompts, evenly drawn, with all answers that were judged under each.

    Args:
        judged: prompt, preferred answers, others, as often as people judged them.
        count: prompts, at most.
    """
    found: dict[tuple[Message, ...], tuple[set[str], set[str]]] = {}
    for prompt, better, worse in judged:
        sides = found.setdefault(prompt, (set(), set()))
        sides[0].update(text.strip() for text in better)
        sides[1].update(text.strip() for text in worse)
    prompts = list(found)
    step = max(1.0, len(prompts) / max(count, 1))
    drawn = [prompts[int(i * step)] for i in range(min(count, len(prompts)))]
    return [
        # An answer that was preferred here and not there is on neither side.
        Asked(p, frozenset(found[p][0] - found[p][1]), frozenset(found[p][1] - found[p][0]))
        for p in drawn
    ]


def conduct(model: LocalModel, prompts: Sequence[Asked], *, seed: int) -> Conduct:
    """Return what a model writes to prompts, and which of the answers given it holds likeliest."""
    written = answers(model, [one.prompt for one in prompts], sample=False, seed=seed)
    stop = _stop(model)
    texts = [
        str(model.tokenizer.decode([t for t in ids if t != stop], skip_special_tokens=True)).strip()
        for ids in written
    ]
    pairs = [two for ids in written for two in pairwise(ids)]
    n = len(prompts)
    sided = [one for one in prompts if one.better and one.worse]
    best = sum(_likeliest(model, one) in one.better for one in sided)
    said = list(zip(texts, prompts, strict=True))
    return Conduct(
        as_better=proportion(sum(text in one.better for text, one in said), n),
        as_worse=proportion(sum(text in one.worse for text, one in said), n),
        likelier=proportion(best, len(sided)),
        tokens=bootstrap_mean([len(ids) for ids in written], seed=seed, rounds=500),
        stopped=proportion(sum(stop in ids for ids in written), n),
        distinct=len(set(pairs)) / len(pairs) if pairs else 0.0,
        examples=tuple(texts[:4]),
    )


def divergence(
    model: LocalModel, reference: LocalModel, prompts: Sequence[Asked], *, seed: int
) -> Divergence:
    """Return an estimate of KL(model || reference) from one sampled answer a prompt.

    At each position of an answer sampled from the model, the whole next-token distributions are
    compared, which has the same expectation as the log-ratio of the tokens and less variance. The
    unit of the intervals is the prompt.
    """
    written = answers(model, [one.prompt for one in prompts], sample=True, seed=seed)
    rows = [
        _token_divergence(model, reference, _encoded(model, one.prompt), ids)
        for one, ids in zip(prompts, written, strict=True)
    ]
    later = [float(np.mean(row[FIRST:])) for row in rows if len(row) > FIRST]
    return Divergence(
        answer=bootstrap_mean([float(np.sum(row)) for row in rows], seed=seed, rounds=500),
        first=bootstrap_mean([float(np.mean(row[:FIRST])) for row in rows], seed=seed, rounds=500),
        rest=bootstrap_mean(later, seed=seed, rounds=500),
    )


@torch.no_grad()
def answers(
    model: LocalModel, prompts: Sequence[Sequence[Message]], *, sample: bool, seed: int
) -> list[tuple[int, ...]]:
    """Return an answer to each prompt as token ids, the stop token last where it came to one."""
    stop, place = _stop(model), model.weights.device
    pad = model.tokenizer.pad_token_id
    how: dict[str, Any] = {"do_sample": False}
    if sample:
        how = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
    out: list[tuple[int, ...]] = []
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        for begin in range(0, len(prompts), model.batch):
            ids = [_encoded(model, p) for p in prompts[begin : begin + model.batch]]
            width = max(map(len, ids))
            room = int(model.weights.config.max_position_embeddings) - width
            given = torch.tensor([[pad] * (width - len(i)) + i for i in ids])
            mask = torch.tensor([[0] * (width - len(i)) + [1] * len(i) for i in ids])
            made = model.weights.generate(
                input_ids=given.to(place), attention_mask=mask.to(place),
                max_new_tokens=max(1, min(NEW_TOKENS, room)), pad_token_id=pad, eos_token_id=stop,
                use_cache=True, **how,
            )  # fmt: skip
            out += [
                tuple(row[: row.index(stop) + 1] if stop in row else row)
                for row in made[:, width:].tolist()
            ]
    return out


def _stop(model: LocalModel) -> int:
    from normwright.models.chat import stop_text

    return int(model.tokenizer.convert_tokens_to_ids(stop_text(model.tokenizer)))


def _encoded(model: LocalModel, prompt: Sequence[Message]) -> list[int]:
    from normwright.models.chat import render

    text = render(model.tokenizer, prompt)
    return list(model.tokenizer(text, add_special_tokens=False)["input_ids"])


def _likeliest(model: LocalModel, one: Asked) -> str:
    texts = sorted(one.better | one.worse)
    found = model.logprobs([one.prompt] * len(texts), texts)
    return texts[int(np.argmax(found))]


@torch.no_grad()
def _token_divergence(
    model: LocalModel, reference: LocalModel, prompt: Sequence[int], answer: Sequence[int]
) -> list[float]:
    """KL(model || reference) of the next token at each position of an answer, in nats."""
    ids = torch.tensor([[*prompt, *answer]], device=model.weights.device)
    keep = len(answer) + 1
    here, there = (
        torch.log_softmax(one.weights(input_ids=ids.to(one.weights.device),
                                      logits_to_keep=keep).logits[0, :-1].float(), -1)
        for one in (model, reference)
    )  # fmt: skip
    found = (here.exp() * (here - there.to(here.device))).sum(-1)
    return [max(0.0, float(value)) for value in found]


def as_figures(found: Any) -> Any:
    """Return a report, or a part of one, as JSON values."""
    if isinstance(found, Estimate):
        return found.model_dump(mode="json")
    if is_dataclass(found):
        return {one.name: as_figures(getattr(found, one.name)) for one in fields(found)}
    if isinstance(found, Mapping):
        return {str(name): as_figures(one) for name, one in found.items()}
    return [as_figures(one) for one in found] if isinstance(found, tuple) else found
