"""One budget of errors from votes to a model: vote noise, reward error, optimiser's gap.

What the parts are, and which are theorems, is in `docs/theory.md` (T1 to T4). All of it is on the
answers people judged: `softmax(beta h)` with `h = log pi - log pi_ref` against the target that the
votes give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from normwright.models.local import LocalModel
from normwright.models.protocol import Scorer
from normwright.records import Digest, ErrorBudget, Estimate, Message, PreferencePair
from normwright.records.budgets import Doubt
from normwright.stats import bootstrap_mean

Floats = NDArray[np.float64]

SUPPORT = 1e-9
"""Share of the likeliest judged answer under which the reference hardly ever writes an answer: a
policy that is held to it would need as many nats to reach it as no beta in use pays for."""
MISFIT = 0.01
"""Significance at which votes are said to follow no score."""


@dataclass(frozen=True)
class Judged:
    """The answers to one prompt that people compared."""

    prompt: tuple[Message, ...]
    answers: tuple[str, ...]
    wins: Floats
    """Votes (or weights, where votes are unknown) of row over column, (answers, answers)."""
    counted: bool
    """The wins are votes."""


def judged_answers(pairs: Sequence[PreferencePair]) -> list[Judged]:
    """Return pairs gathered by prompt. A tie is half a vote for each."""
    by: dict[tuple[Message, ...], list[PreferencePair]] = {}
    for pair in pairs:
        by.setdefault(pair.prompt, []).append(pair)
    found = []
    for prompt, rows in by.items():
        answers = tuple(dict.fromkeys(a for row in rows for a in (row.chosen, row.rejected)))
        place = {answer: i for i, answer in enumerate(answers)}
        wins = np.zeros((len(answers), len(answers)))
        for row in rows:
            a, b = place[row.chosen], place[row.rejected]
            votes = float(len(row.votes)) or row.weight
            wins[a, b] += votes * row.p_chosen
            wins[b, a] += votes * (1 - row.p_chosen)
        found.append(Judged(prompt, answers, wins, all(row.votes for row in rows)))
    return found


def doubts(judged: Sequence[Judged], references: Sequence[Floats] = ()) -> tuple[Doubt, ...]:
    """Return which assumptions of the theorems fail on these votes.

    Args:
        judged: what people compared.
        references: log-probabilities of the answers under the reference, prompt by prompt; empty
            if they are not known, and then nothing is said of support.
    """
    failed: list[Doubt] = []
    if not all(one.counted for one in judged):
        failed.append("votes-unknown")
    if any(_parts(one.wins + one.wins.T) > 1 for one in judged):
        failed.append("disconnected")
    if any(_separable(one.wins) for one in judged):
        failed.append("separable")
    if _misfit(judged) < MISFIT:
        failed.append("unexplained")
    if any(float((np.exp(r - r.max())).min()) < SUPPORT for r in references):
        failed.append("unsupported")
    return tuple(failed)


def error_budget(
    pairs: Sequence[PreferencePair],
    model: LocalModel,
    reference: LocalModel,
    *,
    beta: float,
    ensemble: Sequence[Scorer] = (),
    targeted: bool = True,
    most: int = 128,
    name: Digest | None = None,
    seed: int,
) -> ErrorBudget:
    """Return the budget of a model that was trained on pairs.

    Args:
        pairs: what people preferred, with votes where they are at hand.
        model: what was trained.
        reference: what it was held to.
        beta: how strongly.
        ensemble: reward models fitted to resampled people, two or more; empty for none.
        targeted: the model was trained towards the likelihood's target; if not, the optimiser's
            gap holds the change of rule too, and nothing is guaranteed.
        most: prompts that are measured; drawn by the seed where there are more.
        name: ModelRef digest of the model.
        seed: seed of the draw and of the intervals, which are bootstraps over prompts.
    """
    every = judged_answers(pairs)
    rng = np.random.default_rng(seed)
    places = sorted(rng.permutation(len(every))[:most].tolist())
    chosen = [every[i] for i in places]
    before, after = _logprobs(reference, chosen), _logprobs(model, chosen)
    noise, gaps, lost, spread = [], [], [], []
    for one, old, new in zip(chosen, before, after, strict=True):
        scores, moved = scores_of(one), new - old
        target = special.softmax(scores)
        gaps.append(_divergence(target, special.softmax(beta * moved)))
        tilted = special.softmax(old + scores / beta)
        lost.append(_divergence(tilted, special.softmax(new)))
        if one.counted:
            noise.append(_noise(one, scores))
        if len(ensemble) > 1:
            spread.append(_disagreement(one, ensemble))
    failed = doubts(chosen, before) + (() if targeted else ("method",))
    of_votes = _estimate(noise, seed) if len(noise) == len(chosen) else _unknown()
    of_rewards = _estimate(spread, seed) if spread else None
    of_model = _estimate(gaps, seed)
    values = [one.value for one in (of_votes, of_rewards, of_model) if one is not None]
    known = [v for v in values if v is not None]
    return ErrorBudget(
        model=name,
        beta=beta,
        prompts=len(chosen),
        prompts_in_all=len(every),
        answers=sum(len(one.answers) for one in chosen),
        votes=float(sum(one.wins.sum() for one in chosen)) if len(noise) == len(chosen) else None,
        noise=of_votes,
        reward=of_rewards,
        optimiser=of_model,
        regret=_estimate(lost, seed),
        total=float(np.sqrt(known).sum() ** 2) if len(known) == len(values) else None,
        guaranteed=not failed,
        doubts=failed,
        derived_from=() if name is None else (name,),
    )


def scores_of(one: Judged) -> Floats:
    """Return the Bradley-Terry scores of a prompt's answers, mean zero.

    The likelihood has half a vote added to each side of every pair that was asked (Jeffreys), so
    that it has a maximum also where an answer won everything; `doubts` tells of such.
    """
    asked = (one.wins + one.wins.T) > 0
    wins = one.wins + 0.5 * asked
    games, score = wins + wins.T, np.zeros(len(wins))
    for _ in range(200):
        p = special.expit(score[:, None] - score[None, :])
        curve = games * p * (1 - p)
        slope = (wins - games * p).sum(1)
        step = np.linalg.pinv(np.diag(curve.sum(1)) - curve, hermitian=True) @ slope
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        score = score + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return np.asarray(score - score.mean(), float)


def _noise(one: Judged, scores: Floats) -> float:
    """Expected divergence of the fitted target by T3, from the information of these votes."""
    p = special.expit(scores[:, None] - scores[None, :])
    curve = (one.wins + one.wins.T) * p * (1 - p)
    target = special.softmax(scores)
    covered = np.diag(target) - np.outer(target, target)
    inverse = np.linalg.pinv(np.diag(curve.sum(1)) - curve, hermitian=True)
    return float(np.trace(covered @ inverse)) / 2


def _disagreement(one: Judged, ensemble: Sequence[Scorer]) -> float:
    """Mean divergence of the members' targets from that of their mean score (T2)."""
    asked = [one.prompt] * len(one.answers)
    scores = np.array([member.score(asked, list(one.answers)) for member in ensemble], float)
    middle = special.softmax(scores.mean(0))
    spread = float(np.mean([_divergence(middle, special.softmax(s)) for s in scores]))
    # The mean is itself drawn with the members.
    return spread * len(ensemble) / (len(ensemble) - 1)


def _logprobs(model: LocalModel, judged: Sequence[Judged]) -> list[Floats]:
    """Log-probabilities of all answers, prompt by prompt, in nats."""
    prompts = [one.prompt for one in judged for _ in one.answers]
    found = np.array(model.logprobs(prompts, [a for one in judged for a in one.answers]), float)
    ends = np.cumsum([len(one.answers) for one in judged])[:-1]
    return [np.asarray(part, float) for part in np.split(found, ends)]


def _divergence(p: Floats, q: Floats) -> float:
    return float(special.rel_entr(p, q).sum())


def _estimate(values: Sequence[float], seed: int) -> Estimate:
    return bootstrap_mean(values, seed=seed, bounds=(0.0, np.inf))


def _unknown() -> Estimate:
    return Estimate(value=None, interval=None, n=0)


def _parts(games: Floats) -> int:
    """Number of parts of a graph of comparisons."""
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(games > 0, directed=False)[0])


def _separable(wins: Floats) -> bool:
    """Say whether some answers never lost to the others they were compared with (Ford 1957).

    Within each part of the graph; a finite best score exists where it is strongly connected.
    """
    from scipy.sparse.csgraph import connected_components

    strong = connected_components(wins > 0, directed=True, connection="strong")[0]
    return bool(strong > _parts(wins + wins.T))


def _misfit(judged: Sequence[Judged]) -> float:
    """Return the p-value of the votes' deviance from their Bradley-Terry fits, over all prompts.

    One where no prompt has more comparisons than scores. Prompts whose votes are unknown say
    nothing, and fits of separable votes are left to that doubt.
    """
    deviance, freedom = 0.0, 0
    for one in judged:
        pairs = int(np.triu((one.wins + one.wins.T) > 0, 1).sum())
        free = pairs - (len(one.answers) - _parts(one.wins + one.wins.T))
        if not one.counted or free <= 0:
            continue
        scores = scores_of(one)
        expected = (one.wins + one.wins.T) * special.expit(scores[:, None] - scores[None, :])
        deviance += 2 * float(special.rel_entr(one.wins, expected).sum())
        freedom += free
    return float(stats.chi2.sf(deviance, freedom)) if freedom else 1.0


__all__ = ["Judged", "doubts", "error_budget", "judged_answers", "scores_of"]
