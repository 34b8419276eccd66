"""What a reward model is worth on pairs it did not learn from, beside what needs no model.

People disagree, so nobody agrees with all of them: the ceiling is what the better side of every
pair would reach. A model that only counts words, or letters, is the floor.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.models.protocol import Scorer
from normwright.records import Estimate, Message, PreferencePair
from normwright.stats import bootstrap_mean, paired_difference, percentile_interval

Floats = NDArray[np.float64]
BINS = 10
ROUNDS = 1000


@dataclass(frozen=True)
class Fit:
    """How margins agree with shares of votes on the same pairs; every estimate with its n.

    The units of all intervals are clusters of pairs (families), drawn whole.
    """

    accuracy: Estimate
    """Share of choices on the side the model is on; a margin of 0 is on either side by half."""
    log_loss: Estimate
    """Cross-entropy of the shares, in nats a pair."""
    brier: Estimate
    """Mean square of probability less share."""
    ece: Estimate
    """Expected calibration error of the side the model is on, in bins of equal size."""


@dataclass(frozen=True)
class RewardReport:
    """A reward model on held-out pairs, beside its ceiling, its baselines and each part alone."""

    pairs: int
    model: Fit
    ceiling: Estimate
    """Accuracy of who is on the better side of every pair: E max(p, 1 - p). Of shares of few votes
    it is too high, as noise looks like agreement."""
    entropy: Estimate
    """Log-loss of who knows every share: what no model can lower."""
    ece_floor: float | None
    """Mean calibration error of a model that is right, at these numbers of votes; None where a
    share has no votes behind it and is taken as it is."""
    baselines: dict[str, Fit]
    """`constant` (an even chance), `length` and `bag-of-words`, fitted to the training pairs."""
    over: dict[str, Estimate]
    """Accuracy of the model less that of each baseline, on the same pairs."""
    by: dict[str, dict[str, Fit]] = field(default_factory=dict)
    """The same of the model in each language and of each group."""

    def flat(self) -> dict[str, float]:
        """Return the main figures as metrics of a run."""
        found = {
            "held_pairs": float(self.pairs),
            "held_accuracy": self.model.accuracy.value,
            "held_ceiling": self.ceiling.value,
            "held_log_loss": self.model.log_loss.value,
            "held_brier": self.model.brier.value,
            "held_ece": self.model.ece.value,
            "held_length_accuracy": self.baselines["length"].accuracy.value,
            "held_bag_of_words_accuracy": self.baselines["bag-of-words"].accuracy.value,
        }
        return {name: float(v) for name, v in found.items() if v is not None}


def measure_reward(
    scorer: Scorer,
    held: Sequence[PreferencePair],
    trained: Sequence[PreferencePair],
    *,
    seed: int,
    shares: Sequence[float] | None = None,
) -> RewardReport:
    """Return how a reward model does on held-out pairs, with baselines of the same split.

    Args:
        scorer: the model; its differences are log-odds.
        held: pairs it did not learn from; families are the units of the intervals.
        trained: the pairs it learned from, which the baselines are fitted to.
        seed: seed of the resampling.
        shares: true shares, where they are known (planted raters); None takes those of the pairs.
    """
    p = np.array([one.p_chosen for one in held] if shares is None else shares, dtype=np.float64)
    clusters = [one.family for one in held]
    margin = margins(scorer, held)
    fits: dict[str, Floats] = {
        "constant": np.zeros(len(held)),
        "length": length_baseline(trained)(held),
        "bag-of-words": bag_of_words_baseline(trained)(held),
    }
    correct = agreement(margin, p)
    return RewardReport(
        pairs=len(held),
        model=fit_of(margin, p, clusters, seed=seed),
        ceiling=bootstrap_mean(np.maximum(p, 1 - p), clusters=clusters, seed=seed),
        entropy=bootstrap_mean(_entropy(p, p), clusters=clusters, seed=seed),
        ece_floor=None if shares is not None else _floor(margin, held, seed=seed),
        baselines={name: fit_of(m, p, clusters, seed=seed) for name, m in fits.items()},
        over={
            name: paired_difference(correct, agreement(m, p), clusters=clusters, seed=seed)
            for name, m in fits.items()
        },
        by=_parts(margin, p, held, seed=seed),
    )


def margins(scorer: Scorer, pairs: Sequence[PreferencePair]) -> Floats:
    """Return the score of the chosen answer of each pair less that of the rejected."""
    prompts = [p.prompt for p in pairs]
    better = scorer.score(prompts, [p.chosen for p in pairs])
    worse = scorer.score(prompts, [p.rejected for p in pairs])
    found: Floats = np.array(better) - np.array(worse)
    return found


def agreement(margin: Floats, p: Floats) -> Floats:
    """Return the share of choices on the side of each margin."""
    found: Floats = np.where(margin > 0, p, np.where(margin < 0, 1 - p, 0.5))
    return found


def fit_of(margin: Floats, p: Floats, clusters: Sequence[Hashable], *, seed: int) -> Fit:
    """Return how margins, in log-odds, agree with shares."""
    chance = 1 / (1 + np.exp(-margin))
    return Fit(
        accuracy=bootstrap_mean(agreement(margin, p), clusters=clusters, seed=seed),
        log_loss=bootstrap_mean(_entropy(p, chance), clusters=clusters, seed=seed),
        brier=bootstrap_mean((chance - p) ** 2, clusters=clusters, seed=seed),
        ece=calibration_error(margin, p, clusters, seed=seed),
    )


def calibration_error(
    margin: Floats, p: Floats, clusters: Sequence[Hashable], *, seed: int
) -> Estimate:
    """Return the expected calibration error, with the percentiles of its bootstrap.

    Every pair is turned to the side the model is on, so that the order of its answers means
    nothing; pairs are binned by confidence, in bins of equal size. The error is never below 0, so
    that a resample's is above the sample's on average; the interval is moved down by as much.
    """
    if len(margin) == 0:
        return Estimate(value=None, interval=None, n=0, seed=seed)
    confident, share = _turned(margin, p)
    order = np.argsort(confident, kind="stable")
    confident, share = confident[order], share[order]
    value = _binned(confident, share)
    names: dict[Hashable, int] = {}
    unit = np.array([names.setdefault(c, len(names)) for c in clusters])[order]
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(ROUNDS if len(names) > 1 else 0):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        # Repeated where they stand, so that the rows of a resample are sorted already.
        draws.append(_binned(np.repeat(confident, times[unit]), np.repeat(share, times[unit])))
    interval = None
    if draws:
        lifted = float(np.mean(draws)) - value
        interval = percentile_interval(np.maximum(np.array(draws) - max(lifted, 0.0), 0.0))
    return Estimate(value=value, interval=interval, n=len(names), seed=seed)


def _turned(margin: Floats, p: Floats) -> tuple[Floats, Floats]:
    side = margin >= 0
    return 1 / (1 + np.exp(-np.abs(margin))), np.where(side, p, 1 - p)


def _binned(confident: Floats, share: Floats) -> float:
    """Calibration error of rows that are sorted by confidence."""
    edges = np.linspace(0, len(confident), min(BINS, len(confident)) + 1).astype(int)
    gaps = np.add.reduceat(confident - share, edges[:-1])
    return float(np.abs(gaps).sum()) / len(confident)


def _floor(margin: Floats, held: Sequence[PreferencePair], *, seed: int) -> float | None:
    """Mean calibration error if votes were drawn as the model says; ties count as drawn votes."""
    counts = [len(p.votes) or (1 if p.p_chosen in (0.0, 1.0) else 0) for p in held]
    if not all(counts) or not counts:
        return None
    rng = np.random.default_rng(seed)
    chance, n = 1 / (1 + np.exp(-margin)), np.array(counts)
    order = np.argsort(np.abs(margin), kind="stable")
    margin, chance, n = margin[order], chance[order], n[order]
    drawn = [_binned(*_turned(margin, rng.binomial(n, chance) / n)) for _ in range(200)]
    return float(np.mean(drawn))


def _entropy(p: Floats, chance: Floats) -> Floats:
    q = np.clip(chance, 1e-12, 1 - 1e-12)
    found: Floats = -(p * np.log(q) + (1 - p) * np.log(1 - q))
    return found


def _parts(
    margin: Floats, p: Floats, held: Sequence[PreferencePair], *, seed: int
) -> dict[str, dict[str, Fit]]:
    out: dict[str, dict[str, Fit]] = {}
    sides: dict[str, Callable[[PreferencePair], str | None]] = {
        "lang": lambda one: one.lang,
        "group": lambda one: one.group,
    }
    for name, of in sides.items():
        values = sorted({v for one in held if (v := of(one)) is not None})
        for value in values:
            rows = np.array([i for i, one in enumerate(held) if of(one) == value])
            families = [held[i].family for i in rows]
            found = fit_of(margin[rows], p[rows], families, seed=seed)
            out.setdefault(name, {})[value] = found
    return out


# What needs no model

Baseline = Callable[[Sequence[PreferencePair]], Floats]


def length_baseline(pairs: Sequence[PreferencePair]) -> Baseline:
    """Return log-odds from the difference of lengths in characters alone, fitted to the pairs."""

    def longer(rows: Sequence[PreferencePair]) -> Floats:
        return np.array([[len(r.chosen) - len(r.rejected)] for r in rows], dtype=np.float64)

    scale = float(np.abs(longer(pairs)).mean()) or 1.0
    model = _logistic(longer(pairs) / scale, pairs, strength=100.0)
    return lambda rows: np.asarray(longer(rows) / scale @ model, dtype=np.float64)


def bag_of_words_baseline(pairs: Sequence[PreferencePair]) -> Baseline:
    """Return log-odds from the difference of word counts, fitted to the pairs, with a ridge.

    Words and their neighbours in twos; the ridge is the best of four on an eighth of the families
    that is kept aside.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(
        token_pattern=r"(?u)\b\w+\b", ngram_range=(1, 2), max_features=50_000, dtype=np.float64
    ).fit([t for p in pairs for t in (p.chosen, p.rejected)])

    def counted(rows: Sequence[PreferencePair]) -> Any:
        better = words.transform([r.chosen for r in rows])
        return better - words.transform([r.rejected for r in rows])

    families = sorted({p.family for p in pairs})
    aside = set(families[::8]) if len(families) >= 16 else set()
    kept = [p for p in pairs if p.family not in aside]
    tried = [p for p in pairs if p.family in aside]
    best = 0.1
    if tried and kept:
        losses = {}
        for strength in (0.01, 0.1, 1.0, 10.0):
            log_odds = counted(tried) @ _logistic(counted(kept), kept, strength=strength)
            p = np.array([t.p_chosen for t in tried])
            losses[strength] = float(_entropy(p, 1 / (1 + np.exp(-log_odds))).mean())
        best = min(losses, key=losses.__getitem__)
    model = _logistic(counted(pairs), pairs, strength=best)
    return lambda rows: np.asarray(counted(rows) @ model, dtype=np.float64)


def _logistic(features: Any, pairs: Sequence[PreferencePair], *, strength: float) -> Floats:
    """Weights of a logistic model of shares without intercept, so that turned pairs turn it.

    A share is two rows: the features as they are, weighing the share, and turned, weighing the
    rest. `sklearn` wants both classes, which that gives too.
    """
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    p = np.array([one.p_chosen for one in pairs])
    w = np.array([one.weight for one in pairs])
    w = w / w.mean()
    stack = sparse.vstack if sparse.issparse(features) else np.vstack
    both = stack([features, features])
    labels = np.concatenate([np.ones(len(p)), np.zeros(len(p))])
    model = LogisticRegression(C=strength, fit_intercept=False, max_iter=500)
    model.fit(both, labels, sample_weight=np.concatenate([w * p, w * (1 - p)]))
    return np.asarray(model.coef_[0], dtype=np.float64)


# Disagreement of people, of a head that knows it


@dataclass(frozen=True)
class Disputed:
    """How far people differ about the answers to one question, as a spread head sees it."""

    prompt: tuple[Message, ...]
    answers: int
    explained: float
    """r^2: of the variance of utility, the share that the answer explains."""
    disagreement: float
    """1 - r^2: the share that lies in who judges (hidden context)."""


def disagreement(
    spread: Callable[[Sequence[Sequence[Message]], Sequence[str]], tuple[Floats, Floats]],
    questions: Mapping[tuple[Message, ...], Sequence[str]],
) -> list[Disputed]:
    """Return for every question how much of the variance of utility lies in who judges.

    `r^2 = Var(mu) / (Var(mu) + E s^2)` over the answers to a question (Siththaranjan et al. 2024,
    arXiv 2312.08358). It depends on which answers were put: much alike ones are all dispute.

    Args:
        spread: mean and spread of answers, as `SpreadScorer.spread` gives.
        questions: at least two answers to each.
    """
    out = []
    for prompt, answers in questions.items():
        if len(answers) < 2:
            raise ValueError("a question needs at least two answers")
        mean, spreads = spread([prompt] * len(answers), answers)
        between, within = float(mean.var()), float((spreads**2).mean())
        explained = between / (between + within)
        out.append(Disputed(prompt, len(answers), explained, 1 - explained))
    return out
