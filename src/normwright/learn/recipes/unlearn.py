"""Make a model forget rows it was trained on, and hold it to what it knows besides.

Supports: five losses on what is to be forgotten (`npo`, `simnpo`, `graddiff`, `rmu`, `idk`), each
with likelihood or divergence from the start on what is to be kept; demonstrations or running text;
all weights or adapters; a stop where a model that never saw the rows stands. The reference is the
start itself. Assumes: the forget rows are all that carries what is to go; a paraphrase that is not
among them may stay. May harm: IT LOOKS DONE AND RELEARNS. Every one of these losses hides more
than it erases: some steps on a few of the rows, or even on unrelated ones, bring much of it back
(Lynch et al. 2024, arXiv 2402.16835; Lucki et al. 2024, arXiv 2409.18025). Only a model trained
again without the rows has never seen them. Measure the distance to one, and the relearn cost
(`normwright.learn.forgetting`), before anybody is told that something was forgotten.

Top to bottom: losses, settings, rows, recipe.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, get_args

import torch
import torch.nn.functional as F

from normwright.learn.forgetting import memory_rows, token_loss
from normwright.learn.rows.passages import Memory
from normwright.models.local import LocalModel, half_precision
from normwright.models.tuning import (
    AnswerRow,
    Lora,
    PairRow,
    adapted,
    answer_rows,
    answer_states,
    by_row,
    fit,
    group_pairs,
    group_rows,
    grouped_logprobs,
    inner,
    merged,
    moved,
    pair_logprobs,
    pair_rows,
    token_divergence,
)
from normwright.models.tuning.anatomy import check_anatomy
from normwright.models.tuning.loop import Loop
from normwright.models.tuning.running import Gold, Running
from normwright.plugins import Card, plugin
from normwright.records import Demonstration, Fault, InputError, Permit, require_permit

Method: TypeAlias = Literal["npo", "simnpo", "graddiff", "rmu", "idk"]
Retention: TypeAlias = Literal["likelihood", "divergence"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

WARNING: Final = (
    "Unlearning hides more than it erases: some steps of training on a few of the rows, or on"
    " unrelated ones, can bring back what looks forgotten. Only a model trained again without the"
    " rows has never seen them."
)
"""What every card of an unlearned model says."""

UNKNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("I do not know.", "I have no information on that.", "I cannot tell you that."),
    "pt": ("Não sei.", "Não tenho informação sobre isso.", "Isso eu não sei dizer."),
}
"""What `idk` answers in the place of what is to be forgotten, by language."""


# Losses, one value a row; the caller averages by weight.


def npo(logratio: torch.Tensor, *, beta: float) -> torch.Tensor:
    """Return `-(2/beta) log s(-beta h)`: negative preference optimisation (Zhang et al. 2024).

    Its gradient is that of gradient ascent at the start, and fades as the row is forgotten; that is
    why it does not destroy the model as ascent does. arXiv 2404.05868.

    Args:
        logratio: h, log-probability of the answer minus that under the reference, nats, (rows,).
        beta: the smaller, the longer ascent goes on; to 0 it is ascent.
    """
    return 2 / beta * F.softplus(beta * logratio)


def simnpo(logprob: torch.Tensor, length: torch.Tensor, *, beta: float, margin: float) -> Any:
    """Return `-(2/beta) log s(-beta log p / length - margin)` (Fan et al. 2024).

    No reference, and no more pull on long rows than on short ones. arXiv 2410.07163.

    Args:
        logprob: log-probability of the answer, nats, (rows,).
        length: its tokens, (rows,).
        beta: how fast the pull fades.
        margin: moves the place at which it fades; above 0 it goes further.
    """
    return 2 / beta * F.softplus(beta * logprob / length + margin)


def graddiff(logprob: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    """Return the log-likelihood in nats a token: ascent, which has no end (Liu et al. 2022)."""
    return logprob / length


def rmu(states: torch.Tensor, target: torch.Tensor, *, scale: float) -> torch.Tensor:
    """Return the squared distance of each state to a target, as a multiple of `scale` squared.

    Representation misdirection (Li et al. 2024, arXiv 2403.03218): towards a random direction on
    what is to be forgotten, towards the start's own states on what is to be kept.

    Args:
        states: hidden states, (tokens, size).
        target: (size,) or (tokens, size).
        scale: mean norm of the start's states there, so that weights mean the same in every model.
    """
    return (states.float() - target).square().sum(-1) / scale**2


def idk(margin: torch.Tensor, *, beta: float) -> torch.Tensor:
    """Return the preference loss that puts "I do not know" above the answer to be forgotten.

    Direct preference optimisation (Rafailov et al. 2023) with those two, as in TOFU (Maini et al.
    2024, arXiv 2401.06121).

    Args:
        margin: log-probability of the answer that says nothing minus that of the other, less the
            same under the reference, nats, (rows,).
        beta: how strongly the reference holds.
    """
    return -F.logsigmoid(beta * margin)


# Settings

BETA: Final[Mapping[Method, float]] = {"simnpo": 2.5}
"""Beta where it is not the 0.1 of all other methods."""
RETAIN: Final[Mapping[Method, float]] = {"rmu": 20.0}
"""Weight of what is kept where it is not 1. Misdirection starts from a distance of `steer` squared,
and states that are held from none: at weight 1 nothing is held (log of experiments)."""


@dataclass(frozen=True)
class Forget:
    """What the losses are and how they are weighed against what is kept."""

    method: Method = "npo"
    beta: float | None = None
    """Of `npo` and `idk`, how soon the pull fades; `simnpo` reads it a token. None has `BETA`."""
    margin: float = 0.0
    """Of `simnpo`."""
    retain: float | None = None
    """Weight of what is kept; None has `RETAIN`."""
    retention: Retention = "likelihood"
    """How it is kept: by its likelihood, or by its divergence from the start, KL(start || model).
    `rmu` keeps its states in the place of either."""
    depth: float = 0.5
    """Of `rmu`: after which share of the layers states are misdirected."""
    steer: float = 2.0
    """Of `rmu`: norm of the random target, as a multiple of the start's."""
    unknown: Mapping[str, Sequence[str]] | None = None
    """Of `idk`: answers by language; None has those of `UNKNOWN`."""

    @property
    def pull(self) -> float:
        """Beta of the method."""
        return self.beta if self.beta is not None else BETA.get(self.method, 0.1)

    @property
    def hold(self) -> float:
        """Weight of what is kept."""
        return self.retain if self.retain is not None else RETAIN.get(self.method, 1.0)


@dataclass(frozen=True)
class Stop:
    """Where to stop: as far from the rows as a model that never saw them, and no farther.

    To forget beyond that leaves a hole that tells what was there.
    """

    forget: float | None = None
    """Forget loss of a model trained without the rows, in nats a token; None: the higher the
    better, as long as the other bound holds."""
    retain: float | None = None
    """Highest retain loss, in nats a token; None has no bound."""
    every: int = 5
    """Steps between readings."""
    patience: int = 3
    """Readings in a row without a better one after which training stops."""


_OVER = 100.0
"""What a nat of retain loss over its bound costs against one of forget loss."""


def _gold(start: LocalModel, gone: Any, kept: Any, stop: Stop | None) -> Gold | None:
    """Return what training is stopped by; the best weights come back."""
    if stop is None:
        return None

    def measure(model: Any) -> float:
        reading = LocalModel("reading", inner(model), start.tokenizer, start.batch)
        forgotten = token_loss(reading, gone)
        near = forgotten if stop.forget is None else -abs(forgotten - stop.forget)
        if stop.retain is None:
            return near
        return near - _OVER * max(0.0, token_loss(reading, kept) - stop.retain)

    return Gold(measure, every=stop.every, patience=stop.patience)


# Rows


@dataclass(frozen=True)
class _Row:
    forget: AnswerRow
    retain: AnswerRow
    pair: PairRow | None
    """Of `idk`: the prompt with an answer that says nothing first."""
    reference: float
    """Log-probability of what is to be forgotten under the reference, in nats; of `idk`, that of
    the answer that says nothing minus it."""
    weight: float
    kept_weight: float


@plugin(
    Card(
        name="unlearn",
        kind="recipes",
        status="tested",
        summary="Forget rows by NPO, SimNPO, GradDiff, RMU or IDK while others are held. Relearns.",
        reference="Zhang et al. (2024), arXiv 2404.05868; Li et al. (2024), arXiv 2403.03218",
        claims=(
            "the forget rows become less likely while the retain rows are held",
            "what looks forgotten can be relearned in few steps",
        ),
    )
)
def unlearn(
    start: LocalModel,
    forget: Sequence[Memory],
    retain: Sequence[Memory],
    *,
    loop: Loop,
    how: Forget | None = None,
    stop: Stop | None = None,
    limit: int = 512,
    lora: Lora | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[LocalModel, dict[str, float]]:
    """Return a copy of `start` that was made to forget, and what training logged.

    Every forget row is seen once an epoch, each beside a retain row; the retain rows are gone
    through in turn over all epochs, so that many of them do not make the run longer.

    Args:
        start: the model that was trained on the rows, which is also the reference; not changed.
        forget: what is to be forgotten.
        retain: what is to be kept: other rows of the same kind, and rows of daily use.
        loop: epochs over the forget rows, rate, batch (forget rows a step), seed.
        how: the method and its settings.
        stop: where to stop before the end; None goes on to it.
        limit: longest row in tokens; longer rows are an error, never cut.
        lora: adapters to train in the place of all weights; they are folded in.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    The metrics hold the loss of either set before and after, in nats a token.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if a set is empty or a row stands in both, if a row is too long, or if the
            method does not fit the rows or the model.
    """
    require_permit(permit, unpermitted=unpermitted)
    given = how or Forget()
    check_anatomy(start.weights)
    _check(start, forget, retain, given)
    gone = memory_rows(start.tokenizer, forget, limit=limit)
    kept = memory_rows(start.tokenizer, retain, limit=limit)
    # An epoch has a step at least: of few rows a step takes no more than there are.
    loop = replace(loop, batch=min(loop.batch, len(gone)))
    data = _rows(start, forget, retain, gone, kept, given, loop, limit)
    weights = copy.deepcopy(start.weights)
    layers = misdirected(weights, depth=given.depth) if given.method == "rmu" else ()
    if lora is not None and layers:
        lora = replace(lora, targets=tuple(f"layers.{i}.mlp.down_proj" for i in layers))
    weights = adapted(weights, lora, seed=loop.seed)
    if layers and lora is None:
        _only(weights, layers)
    pad = start.tokenizer.pad_token_id

    def collate(batch: list[_Row]) -> dict[str, Any]:
        made: dict[str, Any] = {
            "forget": group_rows([b.forget for b in batch], pad),
            "retain": group_rows([b.retain for b in batch], pad),
            "reference": torch.tensor([b.reference for b in batch]),
            "weight": torch.tensor([b.weight for b in batch]),
            "kept_weight": torch.tensor([b.kept_weight for b in batch]),
        }
        pairs = [b.pair for b in batch if b.pair is not None]
        return {**made, "pairs": group_pairs(pairs, pad)} if pairs else made

    before = {"forget": token_loss(start, gone), "retain": token_loss(start, kept)}
    once = replace(loop, epochs=1)
    loss = _misdirection(start, gone, layers, given, loop.seed) if layers else _loss(start, given)
    metrics = fit(
        weights, data, loss=loss, collate=collate, loop=once, running=running, shuffle=False,
        gold=_gold(start, gone, kept, stop),
        counts=lambda row: {"forget": row.weight, "retain": row.kept_weight},
    )  # fmt: skip
    plain = merged(weights).requires_grad_(True)
    model = LocalModel("unlearned", plain, start.tokenizer, start.batch)
    after = {"forget": token_loss(model, gone), "retain": token_loss(model, kept)}
    return model, {
        **metrics,
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
    }


def misdirected(weights: Any, *, depth: float) -> tuple[int, ...]:
    """Return the layers, from 0, whose last projection `rmu` trains: up to three, to `depth`.

    States are misdirected after the last of them. It is never the last of the model, behind which
    nothing is left to be led astray.
    """
    layers = getattr(getattr(weights, "model", None), "layers", ())
    fits = len(layers) > 1 and all(hasattr(getattr(x, "mlp", None), "down_proj") for x in layers)
    if not fits:
        seen = f"{len(layers)} of them" if layers else type(weights).__name__
        raise InputError(
            [
                Fault(
                    where="method rmu",
                    expected="a model of two or more layers, each with `mlp.down_proj`",
                    seen=seen,
                    do="Use npo.",
                )
            ]
        )
    last = min(max(1, round(depth * len(layers))), len(layers) - 1)
    return tuple(range(max(0, last - 3), last))


def _only(weights: Any, layers: Sequence[int]) -> None:
    """Leave nothing to train but the last projections of some layers."""
    weights.requires_grad_(False)
    for i in layers:
        weights.model.layers[i].mlp.down_proj.requires_grad_(True)


def _check(
    start: LocalModel, forget: Sequence[Memory], retain: Sequence[Memory], how: Forget
) -> None:
    faults = []
    for name, rows in (("forget", forget), ("retain", retain)):
        if not rows:
            faults.append(Fault(where=name, expected="at least one row", seen="none"))
    both = {_said(row) for row in forget} & {_said(row) for row in retain}
    if both:
        faults.append(
            Fault(
                where="retain",
                expected="no row that is to be forgotten",
                seen=f"{len(both)} that are",
                do="Take them out of one of the two.",
            )
        )
    if how.method == "idk":
        faults += _unanswerable(forget, how)
    if faults:
        raise InputError(faults)


def _unanswerable(forget: Sequence[Memory], how: Forget) -> list[Fault]:
    known = UNKNOWN if how.unknown is None else how.unknown
    asked = [row for row in forget if isinstance(row, Demonstration)]
    faults = []
    if len(asked) < len(forget):
        seen = f"{len(forget) - len(asked)} passages of running text"
        faults.append(
            Fault(where="method idk", expected="rows with a prompt", seen=seen, do="Use npo.")
        )
    if lacking := sorted({row.lang for row in asked} - set(known)):
        faults.append(
            Fault(
                where="method idk",
                expected=f"rows whose `lang` is one of {', '.join(sorted(known))}",
                seen=", ".join(lacking),
                do="Say `lang` in each row, or give answers for it in the setting `unknown`.",
            )
        )
    return faults


def _said(row: Memory) -> tuple[Any, ...]:
    return (row.prompt, row.completion) if isinstance(row, Demonstration) else (row.text,)


def _weight(row: Memory) -> float:
    return row.weight if isinstance(row, Demonstration) else 1.0


def _rows(
    start: LocalModel,
    forget: Sequence[Memory],
    retain: Sequence[Memory],
    gone: Sequence[AnswerRow],
    kept: Sequence[AnswerRow],
    how: Forget,
    loop: Loop,
    limit: int,
) -> list[_Row]:
    """Return the rows of all steps in their order."""
    pairs: list[PairRow] | None = None
    if how.method == "idk":
        rng = random.Random(loop.seed)
        known = UNKNOWN if how.unknown is None else how.unknown
        asked = [row for row in forget if isinstance(row, Demonstration)]
        nothing = [(row.prompt, rng.choice(list(known[row.lang]))) for row in asked]
        pairs = pair_rows(answer_rows(start.tokenizer, nothing, limit=limit), gone)
    reference = _reference(start, gone, pairs)
    total = loop.steps * loop.batch if loop.steps > 0 else round(loop.epochs * len(gone))
    return [
        _Row(
            forget=gone[i],
            retain=kept[j],
            pair=None if pairs is None else pairs[i],
            reference=reference[i],
            weight=_weight(forget[i]),
            kept_weight=_weight(retain[j]),
        )
        for i, j in zip(
            _in_turn(len(gone), total, loop.seed),
            _in_turn(len(kept), total, loop.seed + 1),
            strict=True,
        )
    ]


def _in_turn(rows: int, total: int, seed: int) -> list[int]:
    """Return `total` indices: all rows in random order, again and again in another."""
    rng = random.Random(seed)
    order: list[int] = []
    while len(order) < total:
        order += rng.sample(range(rows), rows)
    return order[:total]


@torch.no_grad()
def _reference(
    start: LocalModel, gone: Sequence[AnswerRow], pairs: Sequence[PairRow] | None
) -> list[float]:
    """Return what the reference says of each forget row, in the precision it is trained in."""
    pad, device, found = start.tokenizer.pad_token_id, start.weights.device, []
    with torch.autocast(str(device.type), torch.bfloat16, half_precision()):
        for i in range(0, len(gone), 64):
            if pairs is None:
                batch = moved(group_rows(gone[i : i + 64], pad), device)
                found += grouped_logprobs(start.weights, batch).tolist()
            else:
                batch = moved(group_pairs(pairs[i : i + 64], pad), device)
                nothing, answer = pair_logprobs(start.weights, batch)
                found += (nothing - answer).tolist()
    return found


def _loss(start: LocalModel, how: Forget) -> Callable[[Any, dict[str, Any]], torch.Tensor]:
    """Return the loss of all methods on likelihoods."""
    reference = start.weights

    def forgetting(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        if how.method == "idk":
            nothing, answer = pair_logprobs(model, batch["pairs"])
            return idk(nothing - answer - batch["reference"], beta=how.pull)
        logprob = grouped_logprobs(model, batch["forget"])
        length = batch["forget"]["length"]
        if how.method == "npo":
            return npo(logprob - batch["reference"], beta=how.pull)
        if how.method == "simnpo":
            made: torch.Tensor = simnpo(logprob, length, beta=how.pull, margin=how.margin)
            return made
        return graddiff(logprob, length)

    def keeping(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        if how.retention == "divergence":
            return token_divergence(reference, model, batch["retain"])
        length: torch.Tensor = batch["retain"]["length"]
        return -grouped_logprobs(model, batch["retain"]) / length

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        bare = inner(model)
        return _weighed(batch, forgetting(bare, batch), how.hold, keeping(bare, batch))

    return loss


def _weighed(
    batch: dict[str, Any], gone: torch.Tensor, hold: float, kept: torch.Tensor
) -> torch.Tensor:
    """Return the means of both sides by weight over the whole step, the second times `hold`."""
    total = batch["total"]
    forgotten: torch.Tensor = (batch["weight"] * gone).sum() / total["forget"]
    held: torch.Tensor = (batch["kept_weight"] * kept).sum() / total["retain"]
    return forgotten + hold * held


def _misdirection(
    start: LocalModel, gone: Sequence[AnswerRow], layers: Sequence[int], how: Forget, seed: int
) -> Callable[[Any, dict[str, Any]], torch.Tensor]:
    """Return the loss of `rmu`: states of the forget rows led astray, those of the others held."""
    reference, layer = start.weights, layers[-1] + 1
    pad = start.tokenizer.pad_token_id
    with torch.no_grad():
        first = moved(group_rows(gone[:64], pad), reference.device)
        norms = [answer_states(reference, g, layer=layer).norm(dim=-1) for g in first["groups"]]
    scale = float(torch.cat(norms).mean())
    drawn = torch.rand(reference.config.hidden_size, generator=torch.Generator().manual_seed(seed))
    target = (how.steer * scale * drawn / drawn.norm()).to(reference.device)

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        bare = inner(model)

        def astray(group: dict[str, torch.Tensor]) -> torch.Tensor:
            return rmu(answer_states(bare, group, layer=layer), target, scale=scale)

        def held(group: dict[str, torch.Tensor]) -> torch.Tensor:
            with torch.no_grad():
                before = answer_states(reference, group, layer=layer).float()
            return rmu(answer_states(bare, group, layer=layer), before, scale=scale)

        gone, kept = by_row(batch["forget"], astray), by_row(batch["retain"], held)
        return _weighed(batch, gone, how.hold, kept)

    return loss
