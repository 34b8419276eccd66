"""How probable each of several answers is: what they share is read once.

Questions of a suite begin alike, with the same instructions or examples, and the answers to one
question all follow the same text. Both are run through the model once and their keys and values
kept, so that each answer costs its own tokens alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, Final, TypeAlias

import torch

from normwright.models.local import LocalModel

WORTH: Final = 10
"""What contexts share is read once where it is a tenth of them or more; less would only keep them
from the quicker way in which a whole text is read."""

Tokens: TypeAlias = Sequence[int]
Group: TypeAlias = tuple[Tokens, list[tuple[int, int, Tokens]]]
"""A context with its answers, each behind the numbers of its context and itself."""


def choice_logprobs(
    model: LocalModel,
    contexts: Sequence[Tokens],
    answers: Sequence[Sequence[Tokens]],
    *,
    context_length: int,
    rows: int = 32,
    tokens: int = 32 * 1024,
) -> list[list[float]]:
    """Return the summed log-probability (nats) of each answer to each context.

    Where a context with an answer is longer than the model reads, the context is cut on the left,
    for that answer alone, as lm-evaluation-harness cuts it. The result is that of running each pair
    by itself, to rounding.

    Args:
        model: the weights; nothing is sampled.
        contexts: token ids, none empty.
        answers: for each context its answers, none empty.
        context_length: tokens the model reads at most.
        rows: contexts, and answers, that are run at once, at most.
        tokens: positions that are held at once, at most; one context is run however long it is.

    Raises:
        ValueError: if an answer alone is longer than the model reads, or anything is empty.
    """
    out = [[0.0] * len(each) for each in answers]
    whole: list[Group] = []
    cut: list[Group] = []
    for i, (context, each) in enumerate(zip(contexts, answers, strict=True)):
        fitting = []
        for j, answer in enumerate(each):
            _check(context, answer, context_length)
            if len(context) + len(answer) <= context_length + 1:
                fitting.append((i, j, answer))
            else:
                kept = [*context, *answer][-(context_length + 1) : -len(answer)]
                cut.append((kept, [(i, j, answer)]))
        if fitting:
            whole.append((context, fitting))
    for part in (whole, cut):
        for i, j, value in _scored(model, part, rows, tokens):
            out[i][j] = value
    return out


def _check(context: Tokens, answer: Tokens, context_length: int) -> None:
    if not context or not answer:
        raise ValueError("neither a context nor an answer may be without tokens")
    if len(answer) > context_length:
        raise ValueError(
            f"an answer of {len(answer)} tokens does not fit a model that reads {context_length}"
        )


@torch.no_grad()
def _scored(
    model: LocalModel, groups: Sequence[Group], rows: int, tokens: int
) -> Iterator[tuple[int, int, float]]:
    """(context, answer, log-probability) of groups that share a context."""
    if not groups:
        return
    shared = _common([context for context, _ in groups])
    if len(shared) * WORTH < sum(len(context) for context, _ in groups) / len(groups):
        shared = []
    start, past = len(shared), None
    if shared:
        past = model.weights(
            input_ids=_ids(model, [shared]), use_cache=True, logits_to_keep=1
        ).past_key_values
    for batch in _portions(groups, start, rows, tokens, _at_once(model)):
        rests = [context[start:] for context, _ in batch]
        longer = any(len(answer[2]) > 1 for _, each in batch for answer in each)
        if past is None:
            read, mask, first = _whole(model, rests, keep=longer)
        else:
            read, mask, first = _onward(model, rests, past, start)
        asked = [(r, *answer) for r, (_, each) in enumerate(batch) for answer in each]
        asked.sort(key=lambda a: len(a[3]))
        at_once = max(1, min(rows, tokens // mask.shape[1]))
        for begin in range(0, len(asked), at_once):
            part = asked[begin : begin + at_once]
            owner = torch.tensor([r for r, *_ in part], device=mask.device)
            answers = [answer for *_, answer in part]
            sums = _following(
                model, read.past_key_values, first[owner], owner, mask[owner], answers
            )
            for (_, i, j, _), value in zip(part, sums, strict=True):
                yield i, j, value


def _whole(
    model: LocalModel, contexts: Sequence[Tokens], *, keep: bool
) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """Read contexts that share nothing: what was read, which places count, what comes next.

    They are padded on the right, where what is causal never looks, so that no mask is needed and
    attention takes its quickest way.
    """
    ids = _ids(model, contexts)
    ends = [len(context) - 1 for context in contexts]
    places = sorted(set(ends))
    read = model.weights(
        input_ids=ids,
        use_cache=keep,
        logits_to_keep=torch.tensor(places, device=ids.device),
    )
    rows = torch.arange(len(ends), device=ids.device)
    columns = torch.tensor([places.index(end) for end in ends], device=ids.device)
    mask = torch.arange(ids.shape[1], device=ids.device)[None] <= torch.tensor(
        ends, device=ids.device
    ).unsqueeze(1)
    return read, mask.long(), torch.log_softmax(read.logits[rows, columns].float(), -1)


def _onward(
    model: LocalModel, rests: Sequence[Tokens], past: Any, start: int
) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """Read on after what contexts share: what was read, which places count, what comes next."""
    width = max(map(len, rests))
    # Padded between what is shared and the rest, so that all contexts end together.
    mask = torch.ones((len(rests), start + width), dtype=torch.long)
    for r, rest in enumerate(rests):
        mask[r, start : start + width - len(rest)] = 0
    mask = mask.to(model.weights.device)
    cache = copy.deepcopy(past)
    cache.batch_repeat_interleave(len(rests))
    read = model.weights(
        input_ids=_ids(model, rests, left=True),
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp_min(0)[:, start:],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return read, mask, torch.log_softmax(read.logits[:, -1].float(), -1)


def _following(
    model: LocalModel,
    cache: Any,
    first: torch.Tensor,
    owner: torch.Tensor,
    mask: torch.Tensor,
    answers: Sequence[Tokens],
) -> list[float]:
    """Sums over the tokens of answers; `first` is what each one's context says of the next token.

    Args:
        model: the weights.
        cache: keys and values of the contexts; it is left as it is.
        first: log-probabilities, shape (answers, vocabulary).
        owner: the row of each answer's context in the cache.
        mask: which places of each answer's context count.
        answers: token ids.
    """
    ids = _ids(model, answers)
    values = first.gather(-1, ids[:, :1])
    if ids.shape[1] > 1:
        mine = copy.deepcopy(cache)
        mine.batch_select_indices(owner)
        logits = model.weights(
            input_ids=ids[:, :-1],
            attention_mask=torch.cat([mask, torch.ones_like(ids[:, :-1])], 1),
            position_ids=mask.sum(1, keepdim=True)
            + torch.arange(ids.shape[1] - 1, device=mask.device),
            past_key_values=mine,
            use_cache=True,
        ).logits
        scores = torch.log_softmax(logits.float(), -1)
        later = scores.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
        values = torch.cat([values, later], 1)
    return [float(values[r, : len(answer)].sum()) for r, answer in enumerate(answers)]


def _at_once(model: LocalModel) -> int:
    """Positions that are computed at once: enough to keep the device busy, and no padding more."""
    return 1024 if model.weights.device.type == "cpu" else 32 * 1024


def _portions(
    groups: Sequence[Group], start: int, rows: int, held: int, computed: int
) -> Iterator[list[Group]]:
    """Groups by length of their context, so many that none of the limits is exceeded.

    Args:
        groups: contexts with their answers.
        start: tokens that all contexts share, which are held and not computed again.
        rows: contexts at once, at most.
        held: positions in memory, at most.
        computed: positions that are computed, at most.
    """
    part: list[Group] = []
    for group in sorted(groups, key=lambda group: len(group[0])):
        count, length = len(part) + 1, len(group[0])
        if part and (count > rows or count * length > held or count * (length - start) > computed):
            yield part
            part = []
        part.append(group)
    yield part


def _common(contexts: Sequence[Tokens]) -> Tokens:
    """The tokens all contexts begin with; each keeps at least one of its own."""
    least, most = min(map(list, contexts)), max(map(list, contexts))
    alike = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(least, most, strict=False))
    )
    return least[: min(alike, *(len(c) - 1 for c in contexts))]


def _ids(model: LocalModel, sequences: Sequence[Tokens], *, left: bool = False) -> torch.Tensor:
    """Token ids in one rectangle, shape (sequences, longest)."""
    width = max(map(len, sequences))
    ids = torch.full((len(sequences), width), model.tokenizer.pad_token_id)
    for r, sequence in enumerate(sequences):
        at = slice(width - len(sequence), width) if left else slice(0, len(sequence))
        ids[r, at] = torch.tensor(sequence)
    return ids.to(model.weights.device)
