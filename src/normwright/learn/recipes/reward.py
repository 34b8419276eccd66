"""A reward model that learns vote shares: a sequence classifier with one logit, or several.

Supports: soft labels, vote counts with ties, weights; a head a group of people beside a pooled one;
a head that knows how far people differ; an ensemble over resampled people; length taken out; all
weights or adapters. Assumes: pairs with shares; answers that end with the stop token. May harm: it
has never seen a text unlike its pairs, so garbled answers join as negatives; without them best-of-n
prefers word salad (measured in the experiment log). What optimises against it finds its errors: see
`refresh`.

Every export is a plain classifier: `num_labels` heads that `id2label` names, the first one pooled.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch

from normwright.learn.reward_models.likelihoods import (
    TiedHead,
    davidson_loss,
    rao_kupper_loss,
    shares_loss,
    spread_loss,
)
from normwright.learn.reward_models.targets import (
    POOLED,
    Drawn,
    Reading,
    Targets,
    by_group,
    by_member,
    pooled,
    slope_of_length,
)
from normwright.models.local import LocalModel, LocalScorer
from normwright.models.tuning import (
    AnswerRow,
    Lora,
    PairRow,
    adapted,
    answer_rows,
    fit,
    group_pairs,
    head_scores,
    inner,
    merged,
    pair_rows,
)
from normwright.models.tuning.anatomy import trunk
from normwright.models.tuning.loop import Loop, Running
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError, Permit, PreferencePair, require_permit

GARBLED_SHARE = 0.98
"""Share with which a whole answer is preferred to the same tokens in disorder."""

Head = Literal["pooled", "groups", "spread", "ensemble"]
SPREAD = ("mean", "spread")
"""Names of the two outputs of the head that knows how far people differ."""


@dataclass(frozen=True)
class _Pair:
    answers: PairRow
    shares: Any
    """Shape (heads, 3)."""
    weight: Any
    """Shape (heads,)."""


@plugin(
    Card(
        name="reward",
        kind="recipes",
        status="tested",
        takes="pairs",
        summary="A sequence classifier fitted to vote shares: pooled, by group, with its spread.",
        reference="Bradley and Terry (1952), with soft labels; ties: Davidson (1970)",
        claims=(
            "the minimiser of a pair is the logit of its share",
            "members of an ensemble differ by the people they heard",
        ),
    )
)
def reward(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    *,
    loop: Loop,
    limit: int = 512,
    garbled: float = 0.25,
    head: Head = "pooled",
    members: int = 5,
    reading: Reading | None = None,
    length: bool = False,
    lora: Lora | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[Any, dict[str, float]]:
    """Return a sequence classifier trained on the pairs, and what training logged.

    Args:
        start: model whose trunk is used.
        pairs: preference pairs with soft labels, or votes, and weights.
        loop: epochs, rate, batch, seed.
        limit: longest row in tokens.
        garbled: garbled negatives added, as a share of the pairs.
        head: `pooled`, one logit; `groups`, that and one a group; `spread`, mean and spread of
            people's utility; `ensemble`, members on resampled people over one trunk.
        members: of an ensemble.
        reading: how votes are read; None takes the stated shares.
        length: take out what the difference of lengths alone explains of the choices, so that the
            score is of the rest; the slope is logged and not part of the score.
        lora: adapters to train in the place of all weights, with the head whole; folded in.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    What the heads are, how votes were read and, of an ensemble, over what it was resampled and its
    members' centres stand in `config.reward` of a model that is not the plain one.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if rows are too long, votes are needed and lacking, or no pair names a group.
    """
    require_permit(permit, unpermitted=unpermitted)
    read = reading or Reading()
    _check(head, read, length)
    drawn: Drawn | None = None
    if head == "ensemble":
        targets, drawn = by_member(pairs, read, members=members, seed=loop.seed)
    else:
        targets = by_group(pairs, read) if head == "groups" else pooled(pairs, read)
    weights, metrics = _trained(
        start, pairs, targets, loop=loop, limit=limit, garbled=garbled, head=head, reading=read,
        length=length, lora=lora, running=running,
    )  # fmt: skip
    if drawn is not None:
        _centre(weights, start, pairs, drawn)
    return weights, metrics


def reward_members(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    *,
    loop: Loop,
    lora: Lora,
    members: int = 5,
    limit: int = 512,
    garbled: float = 0.25,
    reading: Reading | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[list[Any], dict[str, float]]:
    """Return an ensemble whose members have adapters of their own, each as a plain classifier.

    Dearer than heads on one trunk by the number of members, and their errors are less alike. A
    member's seed, its adapters and its resample of the people are its own; arguments and errors as
    in `reward`. The metrics are means over the members.
    """
    require_permit(permit, unpermitted=unpermitted)
    read = reading or Reading()
    targets, drawn = by_member(pairs, read, members=members, seed=loop.seed)
    made, logged = [], []
    for i in range(members):
        own = Targets((POOLED,), targets.shares[:, [i]], targets.weight[:, [i]])
        at = running.workdir / f"member-{i}" if running and running.workdir else None
        weights, metrics = _trained(
            start, pairs, own, loop=replace(loop, seed=loop.seed + i), limit=limit,
            garbled=garbled, head="pooled", reading=read, length=False, lora=lora,
            running=replace(running, workdir=at) if running else None,
        )  # fmt: skip
        _centre(weights, start, pairs, drawn)
        made.append(weights)
        logged.append(metrics)
    return made, {name: sum(m[name] for m in logged) / members for name in logged[0]}


def _trained(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    targets: Targets,
    *,
    loop: Loop,
    limit: int,
    garbled: float,
    head: Head,
    reading: Reading,
    length: bool,
    lora: Lora | None,
    running: Running | None,
) -> tuple[Any, dict[str, float]]:
    """Rows, model, loss, loop."""
    rng = random.Random(loop.seed)
    better = answer_rows(start.tokenizer, [(p.prompt, p.chosen) for p in pairs], limit=limit)
    worse = answer_rows(start.tokenizer, [(p.prompt, p.rejected) for p in pairs], limit=limit)
    rows = pair_rows(better, worse)
    data = [_Pair(*one) for one in zip(rows, targets.shares, targets.weight, strict=True)]
    slope = _slope(rows, targets) if length else 0.0
    drawn = rng.sample([*better, *worse], int(garbled * len(pairs)))
    disorder = pair_rows(drawn, [_shuffled(row, rng) for row in drawn])
    known = np.tile([GARBLED_SHARE, 0.0, 1 - GARBLED_SHARE], (len(targets.heads), 1))
    data += [_Pair(row, known, np.ones(len(targets.heads))) for row in disorder]
    names = SPREAD if head == "spread" else targets.heads
    weights = classifier(start, seed=loop.seed, heads=names, alike=head == "groups")
    if reading.ties:
        weights.score = TiedHead(weights.score)
    weights = adapted(weights, lora, seed=loop.seed, whole=("score",))
    pad = start.tokenizer.pad_token_id

    def collate(batch: list[_Pair]) -> dict[str, Any]:
        return {
            **group_pairs([b.answers for b in batch], pad),
            "shares": torch.tensor(np.array([b.shares for b in batch]), dtype=torch.float32),
            "weight": torch.tensor(np.array([b.weight for b in batch]), dtype=torch.float32),
        }

    value = _loss(head, reading)

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        scores = head_scores(inner(model), batch)
        first, second = batch["length"]
        said = value(inner(model), scores, slope * (first - second), batch)
        total = max(batch["total"]["weight"], 1e-12)
        mean: torch.Tensor = (batch["weight"] * said).sum() / total
        return mean

    metrics = fit(
        weights, data, loss=loss, collate=collate, loop=loop, running=running,
        counts=lambda row: {"weight": float(row.weight.sum())},
    )  # fmt: skip
    weights = merged(weights)
    about = _about(weights, head, reading, slope if length else None)
    if about is not None:
        weights.config.reward = about
    if length:
        metrics["length_slope"] = slope
    return weights, metrics


_Value = Callable[[Any, torch.Tensor, torch.Tensor, dict[str, Any]], torch.Tensor]


def _loss(head: Head, reading: Reading) -> _Value:
    """The loss of each pair and head, from model, scores (pairs, 2, heads), offset and batch."""

    def margins(scores: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        return scores[:, 0] - scores[:, 1] + offset[:, None]

    def of_shares(_: Any, scores: torch.Tensor, offset: torch.Tensor, batch: Any) -> torch.Tensor:
        return shares_loss(margins(scores, offset), batch["shares"])

    def of_ties(model: Any, scores: torch.Tensor, offset: torch.Tensor, batch: Any) -> torch.Tensor:
        tied = davidson_loss if reading.likelihood == "davidson" else rao_kupper_loss
        return tied(margins(scores, offset), batch["shares"], model.score.tie)

    def of_spread(_: Any, scores: torch.Tensor, __: torch.Tensor, batch: Any) -> torch.Tensor:
        return spread_loss(scores, batch["shares"][:, 0])[:, None]

    if head == "spread":
        return of_spread
    return of_ties if reading.ties else of_shares


def _check(head: Head, reading: Reading, length: bool) -> None:
    if head != "spread":
        return
    faults = []
    if reading.ties:
        faults.append(
            Fault(
                where="likelihood",
                expected="`shares` or `votes` beside the head `spread`",
                seen=reading.likelihood,
                do="A tie then counts as half a vote for each side.",
            )
        )
    if length:
        faults.append(
            Fault(
                where="length",
                expected="a head of logits",
                seen="the head `spread`, whose differences are in standard deviations",
                do="Take length out of a pooled head, or of groups.",
            )
        )
    if faults:
        raise InputError(faults)


def _slope(rows: Sequence[PairRow], targets: Targets) -> float:
    longer = np.array([len(r.first) - len(r.second) for r in rows], dtype=np.float64)
    shares = targets.shares[:, 0]
    return slope_of_length(longer, shares[:, 0] + shares[:, 1] / 2, targets.weight[:, 0])


def _about(
    weights: Any, head: Head, reading: Reading, slope: float | None
) -> dict[str, Any] | None:
    """What a head is, for `config.json`; takes a tie parameter out of the weights. None: plain."""
    about: dict[str, Any] = {"head": head, "likelihood": reading.likelihood}
    if reading.ties:
        tied = weights.score
        about["tie"] = [round(float(t), 6) for t in tied.tie.detach()]
        weights.score = tied.linear
    if slope is not None:
        about["length_slope"] = slope
    return about if head != "pooled" or reading.ties or slope is not None else None


def _centre(weights: Any, start: LocalModel, pairs: Sequence[PreferencePair], drawn: Drawn) -> None:
    """Write into the configuration what an ensemble's members are compared by."""
    scorer = LocalScorer(weights, start.tokenizer)
    prompts = [p.prompt for p in pairs] * 2
    found = scorer.logits(prompts, [*(p.chosen for p in pairs), *(p.rejected for p in pairs)])
    weights.config.reward = {
        **(getattr(weights.config, "reward", None) or {"head": "ensemble"}),
        "resampled": drawn.unit,
        "units": len(drawn.names),
        "centres": [round(float(c), 6) for c in np.mean(found, axis=0)],
    }


def classifier(
    start: LocalModel, *, seed: int, heads: Sequence[str] = (POOLED,), alike: bool = False
) -> Any:
    """Return a sequence classifier with the trunk of `start` and fresh heads of these names.

    `alike` heads start from one draw: groups differ by what their votes say alone.
    """
    from transformers import AutoModelForSequenceClassification

    config = copy.deepcopy(start.weights.config)
    config.num_labels = len(heads)
    if len(heads) > 1:
        config.id2label = dict(enumerate(heads))
        config.label2id = {name: i for i, name in enumerate(heads)}
    config.pad_token_id = start.tokenizer.pad_token_id
    torch.manual_seed(seed)
    weights = AutoModelForSequenceClassification.from_config(config)
    trunk(weights).load_state_dict(trunk(start.weights).state_dict())
    if alike:
        with torch.no_grad():
            weights.score.weight[:] = weights.score.weight[0].clone()
    return weights


def _shuffled(row: AnswerRow, rng: random.Random) -> AnswerRow:
    answer = list(row.ids[row.start : -1])
    rng.shuffle(answer)
    # A one-token answer cannot be shuffled; it is repeated instead.
    answer = answer * 3 if len(answer) < 2 else answer
    return AnswerRow((*row.ids[: row.start], *answer, row.ids[-1]), row.start)
