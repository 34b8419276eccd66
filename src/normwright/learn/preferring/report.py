"""What a preference run did: to likelihoods, to what is written, and to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from normwright.learn.preferring.conduct import (
    Asked,
    Conduct,
    Divergence,
    as_figures,
    asked,
    conduct,
    divergence,
)
from normwright.learn.preferring.objective import MINIMISERS, PreferenceObjective, groups_of
from normwright.models.local import LocalModel
from normwright.models.tuning import GroupWeights, PairRow
from normwright.records import Estimate, Message, PreferencePair, ScoredAnswers
from normwright.stats import bootstrap_mean, proportion


@dataclass(frozen=True)
class Judged:
    """A prompt's answers as they were learned from, for the report; the first is preferred."""

    prompt: tuple[Message, ...]
    answers: tuple[str, ...]
    """From the most to the least preferred."""
    decided: bool
    """People preferred one to another; an even share decides nothing."""
    groups: tuple[tuple[str, bool], ...]
    """Groups that judged it, and whether they prefer the first answer."""
    lang: str
    norms: tuple[str, ...]
    family: str


@dataclass(frozen=True)
class Likelihood:
    """What became of the answers that were learned from, in nats an answer."""

    preferred_change: Estimate
    """Change of the log-probability of preferred answers; below 0 where they were displaced."""
    other_change: Estimate
    """The same of the others."""
    leak: Estimate
    """What preferred answers lost, 0 where they gained."""
    mass_before: Estimate
    """Probability of all answers of a prompt together, before."""
    mass_after: Estimate
    """The same after: what is missing went to answers nobody judged."""
    log_mass_change: Estimate
    """Change of its logarithm, for models under which whole answers are rare."""


@dataclass(frozen=True)
class PreferenceReport:
    """Likelihood and behaviour of a preference run."""

    method: str
    minimiser: str
    """What the method tends to."""
    rows: int
    left_out: int
    """Pairs left out as near duplicates."""
    accuracy: Estimate
    """Share of decided rows whose implicit reward is higher for the preferred answer."""
    by_group: Mapping[str, Estimate]
    """The same by group of people, towards what each of them prefers."""
    by_language: Mapping[str, Estimate]
    by_norm: Mapping[str, Estimate]
    likelihood: Likelihood
    lengths: Mapping[str, float]
    """Mean tokens of preferred and other answers in the rows."""
    behaviour_of: str
    """`held-out` prompts, or `training` prompts where no others were given."""
    before: Conduct
    after: Conduct
    divergence: Divergence
    group_weights: Mapping[str, float] = field(default_factory=dict)
    """Of a robust run, at its end."""
    group_losses: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = as_figures(self)
        return found

    def metrics(self) -> dict[str, float]:
        """Return its figures by name, without intervals; a figure nothing stands behind is left
        out.
        """
        of, gone = self.likelihood, self.divergence
        figures: dict[str, Estimate | float] = {
            "preferred_change": of.preferred_change,
            "other_change": of.other_change,
            "mass_before": of.mass_before,
            "mass_after": of.mass_after,
            "kl": gone.answer,
            "kl_first_tokens": gone.first,
            "kl_rest": gone.rest,
        }
        for when, look in (("before", self.before), ("after", self.after)):
            figures |= {
                f"as_preferred_{when}": look.as_better,
                f"as_other_{when}": look.as_worse,
                f"likelier_{when}": look.likelier,
                f"tokens_{when}": look.tokens,
                f"stopped_{when}": look.stopped,
                f"distinct_{when}": look.distinct,
            }
        figures |= {f"accuracy_group_{name}": e for name, e in self.by_group.items()}
        figures |= {f"accuracy_lang_{name}": e for name, e in self.by_language.items()}
        figures |= {f"weight_group_{name}": w for name, w in self.group_weights.items()}
        found = {n: v.value if isinstance(v, Estimate) else v for n, v in figures.items()}
        return {name: value for name, value in found.items() if value is not None}


def reported(
    judged: Sequence[Judged],
    before: Sequence[Sequence[float]],
    after: Sequence[Sequence[float]],
    lengths: Sequence[Sequence[int]],
    *,
    method: str,
    minimiser: str,
    left_out: int,
    looks: tuple[Conduct, Conduct],
    gone: Divergence,
    held_out: bool,
    seed: int,
    weights: Mapping[str, float] | None = None,
    losses: Mapping[str, float] | None = None,
    notes: tuple[str, ...] = (),
) -> PreferenceReport:
    """Return the report of a run from what was measured before and after.

    Args:
        judged: the rows, one an entry.
        before: log-probabilities of each row's answers under the reference, in nats.
        after: the same under the trained model.
        lengths: tokens of each row's answers.
        method: by name.
        minimiser: what it tends to.
        left_out: near duplicates.
        looks: behaviour before and after.
        gone: divergence from the reference.
        held_out: the prompts of behaviour were not trained on.
        seed: of the resampling.
        weights: of groups, where they moved.
        losses: of groups, likewise.
        notes: what whoever reads it should know.
    """
    right = [
        a[0] - b[0] > a[-1] - b[-1] for a, b in zip(after, before, strict=True)
    ]  # implicit reward: the log-ratio to the reference, which beta does not reorder
    decided = [(one, r) for one, r in zip(judged, right, strict=True) if one.decided]
    sides = [
        (name, r == agrees)
        for one, r in zip(judged, right, strict=True)
        for name, agrees in one.groups
    ]
    return PreferenceReport(
        method=method,
        minimiser=minimiser,
        rows=len(judged),
        left_out=left_out,
        accuracy=proportion(sum(r for _, r in decided), len(decided)),
        by_group=_shares(sides),
        by_language=_shares([(one.lang, r) for one, r in decided]),
        by_norm=_shares([(norm, r) for one, r in decided for norm in one.norms]),
        likelihood=_likelihood(judged, before, after, seed),
        lengths={
            "preferred": float(np.mean([row[0] for row in lengths])),
            "other": float(np.mean([n for row in lengths for n in row[1:]])),
        },
        behaviour_of="held-out" if held_out else "training",
        before=looks[0],
        after=looks[1],
        divergence=gone,
        group_weights=dict(weights or {}),
        group_losses=dict(losses or {}),
        notes=notes,
    )


def _shares(found: Sequence[tuple[str, bool]]) -> dict[str, Estimate]:
    counted: defaultdict[str, list[bool]] = defaultdict(list)
    for name, right in found:
        counted[name].append(right)
    return {name: proportion(sum(hits), len(hits)) for name, hits in sorted(counted.items())}


def _likelihood(
    judged: Sequence[Judged],
    before: Sequence[Sequence[float]],
    after: Sequence[Sequence[float]],
    seed: int,
) -> Likelihood:
    prompts: defaultdict[tuple[Message, ...], dict[str, tuple[float, float]]] = defaultdict(dict)
    for one, old, new in zip(judged, before, after, strict=True):
        prompts[one.prompt] |= dict(zip(one.answers, zip(old, new, strict=True), strict=True))
    mass = np.array(
        [
            [np.logaddexp.reduce([pair[side] for pair in texts.values()]) for side in (0, 1)]
            for texts in prompts.values()
        ]
    )
    changes = [(a[0] - b[0], a[-1] - b[-1]) for a, b in zip(after, before, strict=True)]
    clusters = [one.family for one in judged]

    def mean(values: Any, units: Sequence[str] | None = clusters) -> Estimate:
        return bootstrap_mean(values, clusters=units, seed=seed, rounds=500)

    return Likelihood(
        preferred_change=mean([first for first, _ in changes]),
        other_change=mean([last for _, last in changes]),
        leak=mean([max(0.0, -first) for first, _ in changes]),
        mass_before=mean(np.exp(mass[:, 0]), None),
        mass_after=mean(np.exp(mass[:, 1]), None),
        log_mass_change=mean(mass[:, 1] - mass[:, 0], None),
    )


def looked(
    start: LocalModel, made: LocalModel, prompts: Sequence[Asked], *, seed: int
) -> tuple[tuple[Conduct, Conduct], Divergence]:
    """Return behaviour before and after on the same prompts, and how far the model went."""
    return (
        (conduct(start, prompts, seed=seed), conduct(made, prompts, seed=seed)),
        divergence(made, start, prompts, seed=seed),
    )


def report_pairs(
    start: LocalModel,
    aligned: LocalModel,
    pairs: Sequence[PreferencePair],
    answers: Sequence[PairRow],
    scores: tuple[Sequence[tuple[float, float]], Sequence[tuple[float, float]]],
    objective: PreferenceObjective,
    *,
    groups: GroupWeights | None = None,
    left_out: int = 0,
    held: Sequence[PreferencePair | ScoredAnswers] = (),
    seed: int,
    notes: tuple[str, ...] = (),
) -> PreferenceReport:
    """Return the report of a run on pairs.

    Args:
        start: the model it started from.
        aligned: what came out.
        pairs: what was learned from.
        answers: the same as tokens.
        scores: log-probabilities of both answers of each pair, before and after.
        objective: method and guards.
        groups: weights of groups, if they moved.
        left_out: near duplicates.
        held: rows whose prompts are answered in the place of the training rows'.
        seed: of sampling and resampling.
        notes: what else is to be said.
    """
    before, after = scores
    over_all = [p.p_chosen < 0.5 for p in pairs]
    prompts = asked((sided(p) for p in held or pairs), count=objective.prompts)
    looks, gone = looked(start, aligned, prompts, seed=seed)
    said = list(notes)
    if groups is None and any(p.group for p in pairs):
        said.append("Groups are reported and do not weigh: that is the method robust.")
    if groups is not None and not all(groups.moving):
        few = [n for n, free in zip(groups.names, groups.moving, strict=True) if not free]
        said.append(f"Too few rows for their weight to move: {', '.join(few)}.")
    if left_out:
        said.append(f"{left_out} pairs left out as near duplicates.")
    return reported(
        [judged(p) for p in pairs],
        [turned(row, over) for row, over in zip(before, over_all, strict=True)],
        [turned(row, over) for row, over in zip(after, over_all, strict=True)],
        [
            turned((len(row.first), len(row.second)), over)
            for row, over in zip(answers, over_all, strict=True)
        ],
        method=objective.method,
        minimiser=MINIMISERS[objective.method],
        left_out=left_out,
        looks=looks,
        gone=gone,
        held_out=bool(held),
        seed=seed,
        weights=groups.weights if groups else None,
        losses=groups.losses if groups else None,
        notes=tuple(said),
    )


def turned(row: tuple[Any, Any], over: bool) -> tuple[Any, Any]:
    """Put the side that more people prefer first."""
    return (row[1], row[0]) if over else row


def sided(
    row: PreferencePair | ScoredAnswers,
) -> tuple[tuple[Message, ...], Sequence[str], Sequence[str]]:
    """Return a row's prompt, the answers that are preferred, and the others."""
    if isinstance(row, ScoredAnswers):
        best = max(one.score for one in row.candidates)
        top = [one.text for one in row.candidates if one.score == best]
        return row.prompt, top, [one.text for one in row.candidates if one.score < best]
    if row.p_chosen == 0.5:
        return row.prompt, (), ()
    first, second = turned(([row.chosen], [row.rejected]), row.p_chosen < 0.5)
    return row.prompt, first, second


def judged(pair: PreferencePair) -> Judged:
    """Return a pair as reports count it, what more people prefer first."""
    over = pair.p_chosen < 0.5
    return Judged(
        prompt=pair.prompt,
        answers=turned((pair.chosen, pair.rejected), over),
        decided=pair.p_chosen != 0.5,
        groups=tuple(
            (name, (share > 0.5) != over)
            for name, (share, _) in groups_of(pair).items()
            if share != 0.5
        ),
        lang=pair.lang,
        norms=pair.norms,
        family=pair.family,
    )
