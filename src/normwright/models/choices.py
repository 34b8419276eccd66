"""How probable each of several answers is: what they share is read once.

Questions of a suite begin alike, with the same instructions or examples, and the answers to one
question all follow the same text and often begin alike themselves. What questions share is run
through the model once and its keys and values kept; how all answers to a question begin is read as
the end of the question; so each answer costs the tokens that are its own alone. Answers that differ
in their last token, and an answer by itself, cost nothing beyond the question. The last layer, over
the vocabulary, is asked only at places where a token of an answer follows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, TypeAlias

import torch

from normwright.models.local import LocalModel

WORTH: Final = 10
"""What contexts share is read once where it is a tenth of them or more; less would only keep them
from the quicker way in which a whole text is read."""

Tokens: TypeAlias = Sequence[int]


@dataclass(frozen=True)
class Group:
    """A context with how all its answers begin, and with what each has of its own."""

    context: Tokens
    begin: Tokens
    """What all answers begin with; it may be nothing."""
    answers: tuple[tuple[int, int, Tokens], ...]
    """Numbers of the context and of the answer, and the tokens after `begin`, at least one."""

    @property
    def tokens(self) -> Tokens:
        """Everything that is read before an answer has tokens of its own."""
        return [*self.context, *self.begin]


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
                cut.append(_group(kept, [(i, j, answer)]))
        if fitting:
            whole.append(_group(context, fitting))
    for part in (whole, cut):
        for i, j, value in _scored(model, part, rows, tokens):
            out[i][j] = value
    return out


def _group(context: Tokens, answers: Sequence[tuple[int, int, Tokens]]) -> Group:
    begin = _common([answer for *_, answer in answers])
    return Group(context, begin, tuple((i, j, answer[len(begin) :]) for i, j, answer in answers))


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
    shared = _common([group.context for group in groups])
    if len(shared) * WORTH < sum(len(group.tokens) for group in groups) / len(groups):
        shared = []
    start, past = len(shared), None
    if shared:
        past = model.weights(
            input_ids=_ids(model, [shared]), use_cache=True, logits_to_keep=1
        ).past_key_values
    for batch in _portions(groups, start, rows, tokens, _at_once(model)):
        rests = [group.tokens[start:] for group in batch]
        last = 1 + max(len(group.begin) for group in batch)
        longer = any(len(rest) > 1 for group in batch for *_, rest in group.answers)
        if past is None:
            read, mask = _whole(model, rests, last, keep=longer)
        else:
            read, mask = _onward(model, rests, past, start, last)
        scores = torch.log_softmax(read.logits.float(), -1)
        begun = [_begun(scores[r], group.begin) for r, group in enumerate(batch)]
        asked = [(r, *answer) for r, group in enumerate(batch) for answer in group.answers]
        asked.sort(key=lambda a: len(a[3]))
        at_once = max(1, min(rows, tokens // mask.shape[1]))
        for begin in range(0, len(asked), at_once):
            part = asked[begin : begin + at_once]
            owner = torch.tensor([r for r, *_ in part], device=mask.device)
            sums = _following(model, read.past_key_values, scores[owner, -1], owner, mask,
                              [rest for *_, rest in part])  # fmt: skip
            for (r, i, j, _), value in zip(part, sums, strict=True):
                yield i, j, begun[r] + value


def _begun(scores: torch.Tensor, begin: Tokens) -> float:
    """The sum over what all answers to a context begin with.

    Args:
        scores: log-probabilities at the last places that were read, shape (places, vocabulary); the
            very last one tells what follows `begin`.
        begin: token ids.
    """
    if not begin:
        return 0.0
    at = torch.arange(-1 - len(begin), -1, device=scores.device)
    return float(scores[at, torch.tensor(begin, device=scores.device)].sum())


def _whole(
    model: LocalModel, contexts: Sequence[Tokens], last: int, *, keep: bool
) -> tuple[Any, torch.Tensor]:
    """Read contexts that share nothing: what was read, and which places count.

    They are padded on the right, where what is causal never looks, so that no mask is needed and
    attention takes its quickest way. Of the logits each row has those of its `last` places.
    """
    ids = _ids(model, contexts)
    ends = torch.tensor([len(context) - 1 for context in contexts], device=ids.device)
    places = ends[:, None] + torch.arange(1 - last, 1, device=ids.device)
    with _asked_at(model, places.clamp_min(0)):
        read = model.weights(input_ids=ids, use_cache=keep)
    mask = torch.arange(ids.shape[1], device=ids.device)[None] <= ends[:, None]
    return read, mask.long()


@contextmanager
def _asked_at(model: LocalModel, places: torch.Tensor) -> Iterator[None]:
    """Ask the last layer, which is over the vocabulary, at some places of each row alone.

    Args:
        model: the weights.
        places: shape (rows, places).
    """

    def chosen(_: Any, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        states, *more = given
        at = places.unsqueeze(-1).expand(-1, -1, states.shape[-1])
        return (states.gather(1, at), *more)

    hook = model.weights.get_output_embeddings().register_forward_pre_hook(chosen)
    try:
        yield
    finally:
        hook.remove()


def _onward(
    model: LocalModel, rests: Sequence[Tokens], past: Any, start: int, last: int
) -> tuple[Any, torch.Tensor]:
    """Read on after what contexts share: what was read, with `last` logits, and what counts."""
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
        logits_to_keep=last,
    )
    return read, mask


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
        mask: which places of each context count.
        answers: token ids.
    """
    ids = _ids(model, answers)
    values = first.gather(-1, ids[:, :1])
    if ids.shape[1] > 1:
        mine, mask = copy.deepcopy(cache), mask[owner]
        mine.batch_select_indices(owner)
        logits = model.weights(
            input_ids=ids[:, :-1],
            attention_mask=torch.cat([mask, torch.ones_like(ids[:, :-1])], 1),
            position_ids=mask.sum(1, keepdim=True)
            + torch.arange(ids.shape[1] - 1, device=mask.device),
            past_key_values=mine,
            use_cache=True,
        ).logits
        # Only one number a place is wanted, so that nothing of the vocabulary's size is made of it.
        told = logits.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1).float()
        later = told - torch.logsumexp(logits.float(), -1)
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
    for group in sorted(groups, key=lambda group: len(group.tokens)):
        count, length = len(part) + 1, len(group.tokens)
        if part and (count > rows or count * length > held or count * (length - start) > computed):
            yield part
            part = []
        part.append(group)
    yield part


def _common(contexts: Sequence[Tokens]) -> Tokens:
    """The tokens that all sequences begin with; each keeps at least one of its own."""
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
