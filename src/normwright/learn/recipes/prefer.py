"""Preference optimisation on vote shares: one recipe, and a method for every way of adding up.

Supports: soft labels and weights (`soft`: DPO whose minimiser is the maximum-likelihood fit of the
votes), Borda's count (`ipo`), majorities (`soft-copeland`, `kemeny`), groups of people (`robust`),
fixed rewards beside the pairs (`modpo`), any social choice score over candidates (`listwise`), and
KTO through TRL. An anchor on demonstrations keeps help in place, and one on the answers majorities
prefer (Pang et al. 2024) tells twins apart that differ in one word. The reference is the starting
model itself unless another is given; its log-probabilities are computed once, before training.
Assumes: answers the reference could have written. May harm: probability can run to answers that
are in no pair (likelihood displacement), so what preferred answers lost and what is written before
and after is always measured; a robust run costs the majority what it gives others.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.learn.preferring.anchors import anchor_rows
from normwright.learn.preferring.objective import PreferenceObjective, counts_of, groups_of, refuse
from normwright.learn.preferring.report import PreferenceReport, report_pairs, turned
from normwright.learn.preferring.scoring import pair_scores
from normwright.learn.recipes.kto import kto
from normwright.learn.recipes.listwise import match_scores
from normwright.models import Scorer
from normwright.models.local import LocalModel
from normwright.models.tuning import (
    AnswerRow,
    Lora,
    PairRow,
    adapted,
    answer_rows,
    fit,
    group_pairs,
    group_rows,
    grouped_logprobs,
    merged,
    moved,
    pair_logprobs,
    pair_rows,
)
from normwright.models.tuning.anatomy import check_anatomy, states
from normwright.models.tuning.groups import GroupWeights, Robustness
from normwright.models.tuning.hardware import halves
from normwright.models.tuning.loop import Loop, Running
from normwright.models.tuning.losses import attending
from normwright.models.tuning.preferences import (
    bernoulli_losses,
    borda_losses,
    entropies,
    guarded_losses,
    hidden_similarity,
    lengthened,
    majority_shares,
    misorder_losses,
    multi_objective,
    shortfall,
)
from normwright.models.tuning.running import Gold
from normwright.plugins import Card, plugin
from normwright.records import (
    Demonstration,
    Fault,
    InputError,
    Permit,
    Policy,
    PreferencePair,
    ScoredAnswers,
    require_permit,
)

Told = Callable[[PreferenceReport], None]
"""Is given the whole report of a run, of which the metrics are an extract."""


@dataclass(frozen=True)
class _Row:
    answers: PairRow
    anchor: AnswerRow | None
    """The demonstration beside the pair; None where no anchor holds."""
    before: tuple[float, float]
    """Log-probabilities of both answers under the reference, in nats."""
    p: float
    weight: float
    groups: tuple[tuple[float, float], ...] = ()
    """Share and weight of the pair in each group."""
    fixed: tuple[float, ...] = ()
    """By how much fixed rewards put the first answer above the second."""


@plugin(
    Card(
        name="prefer",
        kind="recipes",
        status="tested",
        takes="pairs",
        summary="Preference optimisation on vote shares: soft labels, Borda, groups, score lists.",
        reference="Rafailov et al. (2023), arXiv 2305.18290, with soft labels; methods by name",
        claims=(
            "the minimiser of a pair is the logit of its share",
            "leak to answers outside the pairs is logged",
            "behaviour is measured before and after",
        ),
    )
)
def prefer(
    start: LocalModel,
    pairs: Sequence[PreferencePair] | Sequence[ScoredAnswers],
    demonstrations: Sequence[Demonstration],
    *,
    loop: Loop,
    beta: float = 0.1,
    anchor: float = 0.5,
    majority: float = 0.0,
    objective: PreferenceObjective | None = None,
    limit: int = 512,
    lora: Lora | None = None,
    reference: LocalModel | None = None,
    policy: Policy | None = None,
    fixed: Mapping[str, tuple[Scorer, float]] | None = None,
    held: Sequence[PreferencePair] = (),
    running: Running | None = None,
    gold: Gold | None = None,
    told: Told | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[LocalModel, dict[str, float]]:
    """Return an aligned copy of `start` and what training logged.

    Args:
        start: the tuned model; it is not changed.
        pairs: preference pairs with soft labels and weights; for `listwise`, scored answers.
        demonstrations: rows the anchor imitates, in turn, beside the pairs; none are read, and
            none needed, where `anchor` is 0.
        loop: epochs, rate, batch (pairs a step), seed.
        beta: strength of the pull towards the reference, in every method.
        anchor: weight of the negative log-likelihood of the anchor row, in nats a token. It biases
            the minimiser towards what demonstrations do.
        majority: weight of the negative log-likelihood of the answer most people prefer, in nats a
            token. A pair counts by its majority's margin, |2p - 1|: split votes pull nowhere.
        objective: method, guards and what belongs to them; None is soft DPO without guards.
        limit: longest row in tokens.
        lora: adapters to train in the place of all weights; they are folded in.
        reference: what the model is held to; None is `start`.
        policy: what binds; a pair that teaches the breach of a hard constraint is refused then.
        fixed: for `modpo`, rewards that stand fixed beside the pairs, with their weights.
        held: pairs that are not trained on, whose prompts are answered before and after; without
            them prompts of the training pairs are, and the report says so.
        running: where checkpoints and logs go, and who is told.
        gold: stops training at the peak of a held-out measure and brings the best weights back;
            not for the methods `listwise` and `kto`.
        told: is given the report of likelihood and behaviour, with intervals.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    The metrics hold `accuracy` (share of the pairs on the majority's side after training), and
    `leak`: how much log-probability the chosen answers lost on average, in nats (0 if they gained),
    and what `PreferenceReport.metrics` extracts.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: with everything that would be ignored, is ambiguous or must not be learned.
    """
    require_permit(permit, unpermitted=unpermitted)
    check_anatomy(start.weights)
    how, others = objective or PreferenceObjective(), fixed or {}
    refuse(pairs, how, weights=start.weights, policy=policy, fixed=len(others), majority=majority)
    if how.method in ("listwise", "kto"):
        if gold is not None:
            raise InputError([Fault(where="gold", expected="a method on pairs that this loop fits",
                                    seen=how.method)])  # fmt: skip
        run = match_scores if how.method == "listwise" else kto
        made, report, metrics = run(
            start, pairs, demonstrations, loop=loop, beta=beta, anchor=anchor, objective=how,
            limit=limit, lora=lora, reference=reference, held=held, running=running,
        )  # fmt: skip
    else:
        given = [row for row in pairs if isinstance(row, PreferencePair)]
        made, report, metrics = _on_pairs(
            start, given, demonstrations, loop=loop, beta=beta, anchor=anchor, majority=majority,
            objective=how, limit=limit, lora=lora, reference=reference, fixed=others, held=held,
            running=running, gold=gold,
        )  # fmt: skip
    if told is not None:
        told(report)
    return made, {**report.metrics(), **metrics}


def _on_pairs(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    demonstrations: Sequence[Demonstration],
    *,
    loop: Loop,
    beta: float,
    anchor: float,
    majority: float,
    objective: PreferenceObjective,
    limit: int,
    lora: Lora | None,
    reference: LocalModel | None,
    fixed: Mapping[str, tuple[Scorer, float]],
    held: Sequence[PreferencePair],
    running: Running | None,
    gold: Gold | None,
) -> tuple[LocalModel, PreferenceReport, dict[str, float]]:
    tokenizer, from_ = start.tokenizer, reference or start
    answers = _encoded(start, pairs, limit)
    kept = _told_apart(from_, answers, pairs, objective.near_duplicates)
    left_out = len(pairs) - len(kept)
    pairs, answers = [pairs[i] for i in kept], [answers[i] for i in kept]
    anchors = anchor_rows(start, demonstrations, anchor=anchor, limit=limit)
    half = halves((running or Running()).hardware)
    before = pair_scores(from_, answers, half=half)
    data, groups = _rows(pairs, answers, anchors, before, objective, fixed)
    weights = adapted(copy.deepcopy(start.weights), lora, seed=loop.seed)
    worth = torch.tensor([weight for _, weight in fixed.values()])

    def collate(batch: list[_Row]) -> dict[str, Any]:
        pad = tokenizer.pad_token_id
        return {
            "pairs": group_pairs([b.answers for b in batch], pad),
            "anchors": group_rows([b.anchor for b in batch if b.anchor], pad) if anchors else None,
            "reference": torch.tensor([b.before[0] - b.before[1] for b in batch]),
            "before": torch.tensor([b.before for b in batch]).T,
            "p": torch.tensor([b.p for b in batch]),
            "weight": torch.tensor([b.weight for b in batch]),
            "groups": torch.tensor([b.groups for b in batch]),
            "fixed": torch.tensor([b.fixed for b in batch]),
        }

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        good, bad = pair_logprobs(model, batch["pairs"])
        z = beta * (good - bad - batch["reference"])
        of_good, of_bad = batch["pairs"]["length"]
        if objective.length:
            z = lengthened(z, of_good - of_bad, objective.length)
        if fixed:
            z = multi_objective(z, batch["fixed"], worth.to(z.device), objective.own)
        lost = (
            tuple(
                beta * objective.displacement * shortfall(side, old)
                for side, old in zip((good, bad), batch["before"], strict=True)
            )
            if objective.displacement
            else None
        )
        total = batch["total"]
        if groups is None:
            losses = _losses(objective, z, batch["p"], lost)
            preferred = (batch["weight"] * losses).sum() / total["weight"]
        else:
            preferred = _robust(objective, groups, z, batch["groups"], lost) / total["weight"]
        lean: torch.Tensor = batch["weight"] * (2 * batch["p"] - 1)
        liked = torch.where(lean > 0, good, bad)
        imitated = -(lean.abs() * liked).sum() / max(total["liked"], 1e-6)
        whole: torch.Tensor = preferred + majority * imitated
        if anchors:
            kept = grouped_logprobs(model, batch["anchors"]).sum() / total["anchor"]
            whole = whole - anchor * kept
        return whole

    def moved_on(step: int) -> None:
        if groups is None:
            return
        groups.step()
        if running is not None:
            for name, share in groups.weights.items():
                running.note(f"group_weight/{name}", share)

    metrics = fit(
        weights, data, loss=loss, collate=collate, loop=loop, running=running, counts=_counts,
        state=groups, gold=gold, after_step=moved_on,
    )  # fmt: skip
    aligned = LocalModel("aligned", merged(weights), tokenizer, start.batch)
    after = pair_scores(aligned, answers, half=half)
    report = report_pairs(
        start, aligned, pairs, answers, (before, after), objective, groups=groups,
        left_out=left_out, held=held, seed=loop.seed,
    )  # fmt: skip
    moves = [
        (good - bad - (old - other)) * (1 if d.p >= 0.5 else -1)
        for d, (good, bad), (old, other) in zip(data, after, before, strict=True)
    ]
    leaks = [max(0.0, b - a) for (a, _), (b, _) in zip(after, before, strict=True)]
    return (
        aligned,
        report,
        {
            **metrics,
            "accuracy": sum(m > 0 for m in moves) / len(moves),
            "leak": sum(leaks) / len(leaks),
        },
    )


def _losses(
    objective: PreferenceObjective,
    z: torch.Tensor,
    p: torch.Tensor,
    lost: tuple[torch.Tensor, ...] | None,
) -> torch.Tensor:
    """The loss of each row by the method, in the shape of z and p."""
    if objective.method == "ipo":
        return borda_losses(z, p)
    if objective.method == "kemeny":
        return misorder_losses(z, p, objective.width)
    if objective.method == "soft-copeland":
        p = majority_shares(p, objective.sharpness)
    return bernoulli_losses(z, p) if lost is None else guarded_losses(z, p, *lost)


def _robust(
    objective: PreferenceObjective,
    groups: GroupWeights,
    z: torch.Tensor,
    sides: torch.Tensor,
    lost: tuple[torch.Tensor, ...] | None,
) -> torch.Tensor:
    """The sum of losses, each weighed by how badly its group is served so far."""
    p, weight = sides[..., 0], sides[..., 1]
    apart = None if lost is None else tuple(one[:, None] for one in lost)
    losses = _losses(objective, z[:, None], p, apart)
    groups.gather(losses, weight)
    return (weight * groups.ratios(losses) * losses).sum()


def _counts(row: _Row) -> dict[str, float]:
    """What a row adds to the denominators of the loss."""
    lean = row.weight * (2 * row.p - 1)
    liked = row.answers.first if lean > 0 else row.answers.second
    return {
        "weight": sum(weight for _, weight in row.groups) if row.groups else row.weight,
        "liked": abs(lean) * len(liked),
        "anchor": 0 if row.anchor is None else len(row.anchor.ids) - row.anchor.start,
    }


def _encoded(start: LocalModel, pairs: Sequence[PreferencePair], limit: int) -> list[PairRow]:
    better = answer_rows(start.tokenizer, [(p.prompt, p.chosen) for p in pairs], limit=limit)
    worse = answer_rows(start.tokenizer, [(p.prompt, p.rejected) for p in pairs], limit=limit)
    return pair_rows(better, worse)


def _rows(
    pairs: Sequence[PreferencePair],
    answers: Sequence[PairRow],
    anchors: Sequence[AnswerRow],
    before: Sequence[tuple[float, float]],
    objective: PreferenceObjective,
    fixed: Mapping[str, tuple[Scorer, float]],
) -> tuple[list[_Row], GroupWeights | None]:
    """The rows with their weights, and the weights of groups that a robust run moves."""
    power = [counts_of(p, objective.gamma) for p in pairs]
    mean = sum(power) / len(power)
    scale = [w / mean / p.weight for w, p in zip(power, pairs, strict=True)]
    robust = objective.method == "robust"
    sides = [groups_of(p) if robust else {} for p in pairs]
    names = sorted({name for side in sides for name in side})
    table = [
        tuple((side[n][0], side[n][1] * s) if n in side else (0.5, 0.0) for n in names)
        for side, s in zip(sides, scale, strict=True)
    ]
    rewards = [
        [a - b for a, b in zip(*(scorer.score([p.prompt for p in pairs], side)
                                 for side in _texts(pairs)), strict=True)]
        for scorer, _ in fixed.values()
    ]  # fmt: skip
    data = [
        _Row(row, anchors[i % len(anchors)] if anchors else None, old, p.p_chosen, w / mean,
             table[i], tuple(one[i] for one in rewards))
        for i, (row, old, p, w) in enumerate(zip(answers, before, pairs, power, strict=True))
    ]  # fmt: skip
    return data, _weights(names, table, objective.robustness) if robust else None


def _texts(pairs: Sequence[PreferencePair]) -> tuple[list[str], list[str]]:
    return [p.chosen for p in pairs], [p.rejected for p in pairs]


def _weights(
    names: Sequence[str],
    table: Sequence[tuple[tuple[float, float], ...]],
    robustness: Robustness,
) -> GroupWeights:
    sides = torch.tensor(table, dtype=torch.float64)
    p, weight = sides[..., 0], sides[..., 1]
    mass = weight.sum(0)
    return GroupWeights(
        names,
        mass.tolist(),
        (weight > 0).sum(0).tolist(),
        ((weight * entropies(p)).sum(0) / mass).tolist(),
        robustness=robustness,
    )


@torch.no_grad()
def _told_apart(
    model: LocalModel, rows: Sequence[PairRow], pairs: Sequence[PreferencePair], share: float
) -> list[int]:
    """Indices of the pairs that stay when the share nearest to each other is left out."""
    if not share:
        return list(range(len(rows)))
    sides = [
        [AnswerRow((*row.prompt, *answer), len(row.prompt)) for row, answer in said]
        for said in zip(
            *(
                turned(((row, row.first), (row, row.second)), pair.p_chosen < 0.5)
                for row, pair in zip(rows, pairs, strict=True)
            ),
            strict=True,
        )
    ]
    (better, good), (worse, bad) = (_summed(model, side) for side in sides)
    near = hidden_similarity(better, worse, (good, bad)).tolist()
    found = [(value, i) for i, value in enumerate(near)]
    found.sort()
    return sorted(i for _, i in found[: max(1, round(len(found) * (1 - share)))])


def _summed(model: LocalModel, rows: Sequence[AnswerRow]) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums of the hidden states that predict each answer's tokens, and how many they are."""
    sums, lengths = [], []
    for begin in range(0, len(rows), model.batch):
        laid = group_rows(rows[begin : begin + model.batch], model.tokenizer.pad_token_id)
        parts = []
        for group in moved(laid["groups"], model.weights.device):
            with attending(group["ids"]):
                hidden = states(model.weights, group["ids"])[:, :-1].float()
            parts.append((hidden * group["answer"][:, 1:, None]).sum(1))
        sums.append(torch.cat(parts).cpu()[laid["place"]])
        lengths.append(laid["length"].float())
    return torch.cat(sums), torch.cat(lengths)
