"""Inside two models of one shape: where weights differ, what states say, what swapping them does.

A layer is a block of the decoder. Its state is the residual stream it leaves behind at a token;
state 0 is what the first block reads. States are taken from hooks on the blocks,
because the last of the states that transformers returns has been through the final norm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from normwright.models.local import LocalModel
from normwright.records import Fault, InputError

Tokens: TypeAlias = Sequence[int]
Floats: TypeAlias = NDArray[np.float64]

EXACT: Final = 1024
"""Matrices whose shorter side is longer than this get their singular values by random projection
(Halko, Martinsson and Tropp, SIAM Review 53, 2011)."""


@dataclass(frozen=True)
class WeightDelta:
    """How far one tensor moved."""

    name: str
    layer: int | None
    """The block, from 1; None for what is outside them: embeddings, the last norm, the head."""
    kind: str
    """`attention`, `mlp`, `norm`, `embedding`, `head` or `other`."""
    parameters: int
    squared: float
    """Squared Frobenius norm of the change."""
    base: float
    """Squared Frobenius norm of the tensor before."""
    top: float | None
    """Share of the change's squared norm in its greatest singular value, 1 where the change has
    rank 1; None for what is no matrix or did not change."""

    @property
    def relative(self) -> float:
        """The change's norm over the tensor's; infinite where that was zero."""
        if self.base == 0:
            return 0.0 if self.squared == 0 else float("inf")
        return float((self.squared / self.base) ** 0.5)


@dataclass(frozen=True)
class Question:
    """A text with a right and a wrong continuation, in tokens."""

    context: Tokens
    right: Tokens
    wrong: Tokens


def blocks(weights: Any) -> Any:
    """Return the decoder's blocks, the one list of modules as long as the model has layers.

    Raises:
        InputError: if there is no such list.
    """
    layers = getattr(weights.config, "num_hidden_layers", None)
    found = [
        module
        for module in weights.modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == layers
    ]
    if not found:
        kind = type(weights).__name__
        raise InputError([Fault(where=kind, expected="a list of decoder blocks", seen="none",
                                do="This kind of model cannot be looked into.")])  # fmt: skip
    return found[0]


def check_alike(first: LocalModel, second: LocalModel) -> None:
    """Raise one `InputError` with every way in which two models are not of one shape."""
    faults = []
    shapes = [{n: tuple(p.shape) for n, p in m.weights.state_dict().items()}
              for m in (first, second)]  # fmt: skip
    if shapes[0] != shapes[1]:
        unlike = [n for n in sorted({*shapes[0], *shapes[1]})
                  if shapes[0].get(n) != shapes[1].get(n)]  # fmt: skip
        faults.append(Fault(where=second.name, expected=f"the tensors of {first.name}",
                            seen=f"other shapes: {', '.join(unlike[:3])}"))  # fmt: skip
    if first.tokenizer.get_vocab() != second.tokenizer.get_vocab():
        faults.append(Fault(where=second.name, expected=f"the tokens of {first.name}",
                            seen="other tokens"))  # fmt: skip
    if faults:
        raise InputError(faults)


def weight_deltas(before: LocalModel, after: LocalModel, *, seed: int = 0) -> list[WeightDelta]:
    """Return how far each tensor moved, in the model's order; tied tensors are told once."""
    check_alike(before, after)
    place = _places(before.weights)
    theirs = dict(after.weights.named_parameters())
    out = []
    for name, old in before.weights.named_parameters():
        layer, kind = place(name)
        with torch.no_grad():
            change = theirs[name].float().cpu() - old.float().cpu()
            squared = float(change.double().square().sum())
            base = float(old.double().square().sum())
        top = _top(change, squared, seed) if change.ndim == 2 and squared > 0 else None
        out.append(WeightDelta(name, layer, kind, old.numel(), squared, base, top))
    return out


def _top(change: torch.Tensor, squared: float, seed: int) -> float:
    if min(change.shape) <= EXACT:
        values = torch.linalg.svdvals(change)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            values = torch.svd_lowrank(change, q=8, niter=4)[1]
    return min(1.0, float(values[0].double().square()) / squared)


def _places(weights: Any) -> Any:
    """A function from the name of a tensor to its block and kind."""
    listed = blocks(weights)
    prefix = next(name for name, module in weights.named_modules() if module is listed)
    inside = re.compile(re.escape(prefix) + r"\.(\d+)\.(.*)")
    embeddings = {id(p) for p in weights.get_input_embeddings().parameters()}
    head = weights.get_output_embeddings()
    heads = {id(p) for p in head.parameters()} if head is not None else set()
    known = dict(weights.named_parameters())

    def place(name: str) -> tuple[int | None, str]:
        found = inside.match(name)
        if found:
            return int(found[1]) + 1, _kind(found[2])
        if id(known[name]) in embeddings:
            return None, "embedding"
        return None, "head" if id(known[name]) in heads else _kind(name)

    return place


def _kind(name: str) -> str:
    for kind, pattern in (
        ("norm", r"norm|ln_"), ("attention", r"attn|attention"), ("mlp", r"mlp|ffn|feed"),
        ("embedding", r"embed|wpe|wte"),
    ):  # fmt: skip
        if re.search(pattern, name):
            return kind
    return "other"


@torch.no_grad()
def last_states(model: LocalModel, texts: Sequence[Tokens], *, rows: int = 32) -> Floats:
    """Return the residual stream at the last token of each text.

    Args:
        model: the weights.
        texts: token ids, none empty.
        rows: texts at once; those of one length keep their order.

    Returns:
        Shape (blocks + 1, texts, width).
    """
    listed = blocks(model.weights)
    out: Floats | None = None
    for part in _portions([len(t) for t in texts], rows):
        ids, ends = _padded(model, [texts[i] for i in part])
        held: dict[int, torch.Tensor] = {}
        with _watched(listed, held):
            model.weights(input_ids=ids, use_cache=False, logits_to_keep=1)
        at = torch.arange(len(part), device=ids.device)
        found = torch.stack([held[k][at, ends] for k in range(len(listed) + 1)])
        if out is None:
            out = np.zeros((len(listed) + 1, len(texts), found.shape[-1]))
        out[:, part] = found.double().cpu().numpy()
    if out is None:
        raise ValueError("at least one text")
    return out


@torch.no_grad()
def margins(model: LocalModel, questions: Sequence[Question], *, rows: int = 32) -> Floats:
    """Return log P(right) - log P(wrong) of each question, in nats, shape (questions,)."""
    out = np.zeros(len(questions))
    for part in _sides(questions, range(len(questions)), rows):
        _add(out, model, part)
    return out


@torch.no_grad()
def patched_margins(
    model: LocalModel, other: LocalModel, questions: Sequence[Question], donors: Sequence[int], *,
    rows: int = 32,
) -> Floats:  # fmt: skip
    """Return the margins of a model with another model's states, layer by layer.

    Replaced are the states from which the answer is predicted: at the last token of the context and
    at those of the answer. Of a donor with a shorter answer the last state stands for the rest.

    Args:
        model: whose weights answer.
        other: whose states stand in the place of its own.
        questions: what is asked.
        donors: the question each one's states are taken from; itself, or another as a control.
        rows: sequences at once.

    Returns:
        Shape (blocks + 1, questions); at 0 what the first block reads is replaced.
    """
    theirs = blocks(other.weights)
    out = np.zeros((len(theirs) + 1, len(questions)))
    for part in _sides(questions, donors, rows):
        held: dict[int, torch.Tensor] = {}
        ids, _ = _padded(other, [side.donor for side in part])
        with _watched(theirs, held):
            other.weights(input_ids=ids, use_cache=False, logits_to_keep=1)
        places = _matched(part, ids.device)
        for layer in range(len(theirs) + 1):
            given = held[layer][places[0], places[2]]
            with _replaced(model, layer, places[0], places[1], given):
                _add(out[layer], model, part)
    return out


@torch.no_grad()
def swapped_margins(
    model: LocalModel, other: LocalModel, questions: Sequence[Question], layer: int, *,
    rows: int = 32,
) -> Floats:  # fmt: skip
    """Return the margins of a model in which one block, from 1, is the other model's."""
    listed, theirs = blocks(model.weights), blocks(other.weights)
    mine = listed[layer - 1]
    listed[layer - 1] = theirs[layer - 1]
    try:
        return margins(model, questions, rows=rows)
    finally:
        listed[layer - 1] = mine


@dataclass(frozen=True)
class _Side:
    """A question with one of its answers, and the text its states are taken from."""

    question: int
    sign: float
    text: list[int]
    start: int
    """Where the answer begins."""
    donor: list[int]
    donor_start: int


def _sides(
    questions: Sequence[Question], donors: Sequence[int], rows: int
) -> Iterator[list[_Side]]:
    """Both sides of each question, so many at once, those of like length together."""
    made = []
    for i, question in enumerate(questions):
        donor = questions[donors[i]]
        pairs = ((1.0, question.right, donor.right), (-1.0, question.wrong, donor.wrong))
        for sign, answer, theirs in pairs:
            made.append(_Side(
                i, sign, [*question.context, *answer], len(question.context),
                [*donor.context, *theirs], len(donor.context),
            ))  # fmt: skip
    for part in _portions([len(side.text) for side in made], rows):
        yield [made[k] for k in part]


def _matched(part: Sequence[_Side], place: Any) -> tuple[torch.Tensor, ...]:
    """Row, place in the text and place in the donor's of each state that predicts an answer."""
    found = []
    for r, side in enumerate(part):
        last = len(side.donor) - side.donor_start - 1
        found += [
            (r, side.start - 1 + j, side.donor_start - 1 + min(j, last))
            for j in range(len(side.text) - side.start)
        ]
    return tuple(torch.tensor(column, device=place) for column in zip(*found, strict=True))


def _add(out: Floats, model: LocalModel, part: Sequence[_Side]) -> None:
    """Add each side's log-likelihood to its question's margin."""
    ids, _ = _padded(model, [side.text for side in part])
    logits = model.weights(input_ids=ids, use_cache=False).logits[:, :-1]
    values = torch.log_softmax(logits.float(), -1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    for r, side in enumerate(part):
        mine = values[r, side.start - 1 : len(side.text) - 1]
        out[side.question] += side.sign * float(mine.double().sum())


@contextmanager
def _watched(listed: Any, held: dict[int, torch.Tensor]) -> Iterator[None]:
    """Keep what the first block reads and what each leaves behind."""

    def before(module: Any, args: Any, kwargs: Any) -> None:
        held[0] = args[0] if args else kwargs["hidden_states"]

    def after(k: int) -> Any:
        def hook(module: Any, args: Any, output: Any) -> None:
            held[k] = output[0] if isinstance(output, tuple) else output

        return hook

    handles = [listed[0].register_forward_pre_hook(before, with_kwargs=True)]
    handles += [block.register_forward_hook(after(k + 1)) for k, block in enumerate(listed)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _replaced(
    model: LocalModel, layer: int, rows: torch.Tensor, at: torch.Tensor, given: torch.Tensor
) -> Iterator[None]:
    """Put given states in the place of what a block leaves behind, or the first one reads."""
    listed = blocks(model.weights)

    def put(state: torch.Tensor) -> torch.Tensor:
        changed = state.clone()
        changed[rows, at] = given.to(state.dtype)
        return changed

    def before(module: Any, args: Any, kwargs: Any) -> Any:
        if args:
            return (put(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": put(kwargs["hidden_states"])}

    def after(module: Any, args: Any, output: Any) -> Any:
        return (put(output[0]), *output[1:]) if isinstance(output, tuple) else put(output)

    handle = (
        listed[0].register_forward_pre_hook(before, with_kwargs=True)
        if layer == 0
        else listed[layer - 1].register_forward_hook(after)
    )
    try:
        yield
    finally:
        handle.remove()


def _portions(lengths: Sequence[int], rows: int) -> Iterator[list[int]]:
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), rows):
        yield order[start : start + rows]


def _padded(model: LocalModel, texts: Sequence[Tokens]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids padded on the right, where what is causal never looks, and the last place."""
    width = max(map(len, texts))
    ids = torch.full((len(texts), width), model.tokenizer.pad_token_id)
    for r, text in enumerate(texts):
        ids[r, : len(text)] = torch.tensor(text)
    place = model.weights.device
    return ids.to(place), torch.tensor([len(t) - 1 for t in texts], device=place)
