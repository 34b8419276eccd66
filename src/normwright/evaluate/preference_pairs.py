"""Any model on any pairs that people judged, beside what reads nothing but length and words.

| figure | is |
|---|---|
| `accuracy` | share of pairs whose preferred answer is scored higher; equal scores are half a point |
| `length_matched` | the same, where pairs whose better answer is longer and shorter weigh one half each |
| `log_loss`, `brier` | distance of the probability a margin stands for from the share of people |
| `ece` | expected calibration error: over ten bins of equal weight, how far that probability lies from the share of people on the model's side |
| `length` | baseline: the longer answer wins, or the shorter one, whichever fitted better |
| `bag-of-words` | baseline: logistic regression on the difference of tf-idf vectors |

A pair enters accuracy if a majority prefers one answer. Log-loss, Brier score and calibration take
all pairs, each by its weight; a tie is a share of one half. Baselines are fitted on the pairs the
model was trained on, where those are given, else on the other folds of the measured pairs: the
folds keep whole clusters. A cluster is all pairs that are joined by a first user turn or by a
family; intervals resample clusters whole.

The bag of words chooses between words (1 and 2) and characters (2 to 5 within words) and between
strengths of its penalty by cross-validation inside what it is fitted on, so that it is no straw man.
Beside its accuracy stands its log-loss, and how much less the model has on the same pairs: accuracy
counts which side of one half a probability lies on and no more, so that it needs several times the
pairs to tell two models apart.

Not shown: that majorities are right, or anything about pairs unlike these.
"""  # noqa: E501

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Estimate, Fault, InputError, PreferencePair, digest_json

Floats: TypeAlias = NDArray[np.float64]
By: TypeAlias = Literal["reward", "implicit", "likelihood"]

FOLDS: Final = 5
INNER: Final = 3
BINS: Final = 10
ALIKE: Final = 0.1
"""Answers whose lengths differ by at most this share of the longer one are of like length."""

PENALTIES: Final[Mapping[str, tuple[float, ...]]] = {
    "words": (0.03, 0.1, 0.3, 1.0),
    "characters": (0.1, 0.3, 1.0),
}
"""Strengths tried, as scikit-learn's C: the larger, the weaker the penalty."""


@dataclass(frozen=True)
class Baseline:
    """What a simple rule scores on the same pairs, and how much better the model is."""

    name: str
    accuracy: Estimate
    difference: Estimate
    """Model less baseline, pair by pair."""
    fitted_on: str
    chosen: Mapping[str, int]
    """What was chosen in fitting, and how many times: once, or once a fold."""
    log_loss: Estimate | None = None
    gain: Estimate | None = None
    """The baseline's log-loss less the model's, pair by pair, in nats: what the model knows more.
    It tells models apart on fewer pairs than accuracy does. None where one of both margins is no
    logit, as a length is none."""

    @property
    def beaten(self) -> bool:
        """Whether the interval of the difference lies above zero."""
        return self.difference.interval is not None and self.difference.interval.low > 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "accuracy": self.accuracy.value,
            "interval": self.accuracy.ends,
            "difference": self.difference.value,
            "difference_interval": self.difference.ends,
            "beaten": self.beaten,
            "log_loss": self.log_loss and _told(self.log_loss),
            "log_loss_gain": self.gain and _told(self.gain),
            "fitted_on": self.fitted_on,
            "chosen": dict(self.chosen),
        }


@dataclass(frozen=True)
class PreferenceScores:
    """How well a model's margins agree with people, with what is needed to believe it."""

    by: By
    pairs: int
    accuracy: Estimate
    n: int
    """Pairs with a majority."""
    ties: int
    """Pairs with a majority whose answers the model scores alike."""
    length_matched: Estimate
    baselines: Mapping[str, Baseline]
    ece: float | None
    log_loss: Estimate | None
    brier: Estimate | None
    """None where a margin is no logit."""
    parts: Mapping[str, Mapping[str, tuple[int, Estimate]]]
    """Accuracy and pairs by language, group, norm and length."""
    seed: int
    data: str
    """Digest of the pairs."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "suite": "preference-pairs",
            "scored_by": self.by,
            "n": self.n,
            "pairs": self.pairs,
            "clusters": self.accuracy.n,
            "accuracy": self.accuracy.value,
            "interval": self.accuracy.ends,
            "ties": self.ties,
            "length_matched": _told(self.length_matched),
            "length_baseline": self.baselines["length"].accuracy.value,
            "bag_of_words_baseline": self.baselines["bag-of-words"].accuracy.value,
            "baselines": {name: one.as_json() for name, one in self.baselines.items()},
            "ece": self.ece,
            "log_loss": self.log_loss and _told(self.log_loss),
            "brier": self.brier and _told(self.brier),
            "by": {
                kind: {name: {"n": n, **_told(one, "accuracy")} for name, (n, one) in part.items()}
                for kind, part in self.parts.items()
            },
            "seed": self.seed,
            "data": self.data,
        }


def _told(estimate: Estimate, name: str = "value") -> dict[str, Any]:
    return {name: estimate.value, "interval": estimate.ends, "n": estimate.n, "seed": estimate.seed}


@plugin(Card(
    name="preference-pairs", kind="suites", status="tested",
    summary="Share of judged pairs whose preferred answer a model scores higher, beside shortcuts.",
    reference="Lambert et al. (2024), arXiv 2403.13787, for reward models on pairs",
    claims=(
        "a constant has exactly one half",
        "who swaps the answers of every pair, share and all, changes nothing",
        "a bag of words is fitted on no pair it is measured on",
    ),
))  # fmt: skip
def preference_pairs(
    pairs: Sequence[PreferencePair],
    margins: Sequence[float],
    *,
    by: By = "reward",
    scale: float | None = 1.0,
    fitted_on: Sequence[PreferencePair] | None = None,
    seed: int,
) -> PreferenceScores:
    """Return how well the margins of a model agree with people.

    Args:
        pairs: what people judged.
        margins: score of `chosen` less that of `rejected`, a pair.
        by: what the scores are.
        scale: what makes a margin the logit of a preference; None: it is none, and nothing is said
            of probabilities.
        fitted_on: pairs the baselines are fitted on, which the model was trained on; None fits them
            on the other folds of `pairs`.
        seed: seed of the folds and of the resampling.

    Raises:
        InputError: if there is no pair with a majority, a margin is no number, or there are fewer
            clusters than folds.
    """
    margin = np.asarray(margins, dtype=np.float64)
    shares = np.array([p.p_chosen for p in pairs])
    decided = np.flatnonzero(shares != 0.5)
    groups = clusters_of(pairs)
    _check(pairs, margin, decided, groups, fitted_on)
    sign = np.where(shares > 0.5, 1.0, -1.0)
    points = _points(margin * sign)[decided]
    units = [groups[i] for i in decided]
    rules = _baselines(pairs, groups, fitted_on, seed)
    weights = np.array([p.weight for p in pairs])
    log_loss, brier, ece, losses = (None, None, None, None)
    if scale is not None:
        losses = _losses(scale * margin, shares, weights)
        log_loss, brier = _distances(losses, scale * margin, shares, weights, groups, seed)
        ece = calibration_error(scale * margin, shares, weights)
    beside = {}
    for rule in rules:
        beside[rule.name] = _beside(rule, points, sign, decided, units, seed)
        if rule.logit and losses is not None:
            theirs = _losses(rule.margin, shares, weights)
            beside[rule.name] = replace(
                beside[rule.name],
                log_loss=_mean_loss(theirs, groups, seed),
                gain=stats.paired_difference(theirs, losses, clusters=groups, seed=seed),
            )
    return PreferenceScores(
        by=by,
        pairs=len(pairs),
        accuracy=stats.bootstrap_mean(points, clusters=units, seed=seed),
        n=len(decided),
        ties=int((points == 0.5).sum()),
        length_matched=_length_matched(pairs, decided, points, units, seed),
        baselines=beside,
        ece=ece,
        log_loss=log_loss,
        brier=brier,
        parts=_parts(pairs, decided, points, units, seed),
        seed=seed,
        data=digest_json([p.digest for p in pairs]),
    )


def clusters_of(pairs: Sequence[PreferencePair]) -> list[str]:
    """Return the cluster of each pair: pairs joined by a first user turn, or by a family."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    names = []
    for pair in pairs:
        turn = next((m.content for m in pair.prompt if m.role == "user"), "")
        one, other = f"turn:{' '.join(turn.lower().split())}", f"family:{pair.family}"
        parent[root(one)] = root(other)
        names.append(one)
    return [root(name) for name in names]


def folds_of(clusters: Sequence[str], *, folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each cluster's pairs, shape (pairs,), alike in size and fixed by the seed.

    Clusters go, largest first and then in an order that the seed and their names fix, to the fold
    that is smallest so far.
    """
    size: dict[str, int] = {}
    for name in clusters:
        size[name] = size.get(name, 0) + 1
    order = sorted(size, key=lambda c: (-size[c], hashlib.sha256(f"{seed}|{c}".encode()).digest()))
    full, place = [0] * folds, {}
    for name in order:
        place[name] = full.index(min(full))
        full[place[name]] += size[name]
    return np.array([place[name] for name in clusters])


def calibration_error(logits: Floats, shares: Floats, weights: Floats) -> float:
    """Return the expected calibration error of preference probabilities against shares.

    Each pair is turned to the side the model prefers, so that swapping its answers changes nothing;
    sorted by probability, the pairs are cut into ten bins of equal weight; the value is the mean
    over bins of how far mean probability and mean share lie apart.
    """
    sure = 1 / (1 + np.exp(-np.abs(logits)))
    agreed = np.where(logits > 0, shares, np.where(logits < 0, 1 - shares, 0.5))
    order = np.argsort(sure, kind="stable")
    middle = np.cumsum(weights[order]) - weights[order] / 2
    bins = np.minimum((middle / weights.sum() * BINS).astype(int), BINS - 1)
    gap = np.bincount(bins, weights=(weights * (sure - agreed))[order], minlength=BINS)
    return float(np.abs(gap).sum() / weights.sum())


class _Rule(NamedTuple):
    """A baseline's margin of `chosen` over `rejected` on each pair."""

    name: str
    margin: Floats
    fitted_on: str
    chosen: Mapping[str, int]
    logit: bool
    """Whether the margin is the logit of a preference."""


def _baselines(
    pairs: Sequence[PreferencePair],
    clusters: Sequence[str],
    fitted_on: Sequence[PreferencePair] | None,
    seed: int,
) -> list[_Rule]:
    if fitted_on is not None:
        told = f"{len(fitted_on)} training pairs"
        length, words = fit_length(fitted_on), fit_words(fitted_on, seed=seed)
        return [
            _Rule("length", length.margins(pairs), told, {length.name: 1}, logit=False),
            _Rule("bag-of-words", words.margins(pairs), told, {words.name: 1}, logit=True),
        ]
    fold = folds_of(clusters, folds=FOLDS, seed=seed)
    told = f"the other of {FOLDS} folds over prompt clusters"
    margins = {name: np.zeros(len(pairs)) for name in ("length", "bag-of-words")}
    chosen: dict[str, dict[str, int]] = {name: {} for name in margins}
    for k in range(FOLDS):
        train = [p for p, f in zip(pairs, fold, strict=True) if f != k]
        at = np.flatnonzero(fold == k)
        test = [pairs[int(i)] for i in at]
        fitted = {"length": fit_length(train), "bag-of-words": fit_words(train, seed=seed)}
        for name, model in fitted.items():
            margins[name][at] = model.margins(test)
            chosen[name][model.name] = chosen[name].get(model.name, 0) + 1
    return [
        _Rule(name, margins[name], told, chosen[name], logit=name == "bag-of-words")
        for name in margins
    ]


@dataclass(frozen=True)
class Shortcut:
    """A fitted rule that scores pairs."""

    name: str
    margins: Callable[[Sequence[PreferencePair]], Floats]


def fit_length(pairs: Sequence[PreferencePair]) -> Shortcut:
    """Return `longer` or `shorter`, whichever agrees with more people in `pairs`."""
    shares = np.array([p.p_chosen for p in pairs])
    weights = np.array([p.weight for p in pairs])
    gain = float((np.sign(_lengths(pairs)) * (shares - 0.5) * weights).sum())
    sign = 1.0 if gain >= 0 else -1.0
    return Shortcut("longer" if sign > 0 else "shorter", lambda some: sign * _lengths(some))


def fit_words(pairs: Sequence[PreferencePair], *, seed: int) -> Shortcut:
    """Return a bag of words fitted to the shares, its units and penalty chosen inside `pairs`."""
    fold = folds_of(clusters_of(pairs), folds=INNER, seed=seed)
    best: tuple[float, str, float, Any, Any] | None = None
    for units, penalties in PENALTIES.items():
        made = _bag(units, pairs)
        if made is None:
            continue
        bag, rows = made
        for penalty in penalties:
            value = _inner_loss(rows, pairs, fold, penalty)
            if best is None or value < best[0]:
                best = (value, units, penalty, bag, rows)
    if best is None:
        # No word stands in two answers: there is nothing to learn from.
        return Shortcut("nothing", lambda some: np.zeros(len(some)))
    _, units, penalty, bag, rows = best
    weights = _logistic(rows, pairs, np.arange(len(pairs)), penalty)
    name = f"{units}, C = {penalty:g}"
    return Shortcut(name, lambda some: np.asarray(_differences(bag, some) @ weights).ravel())


def _bag(units: str, pairs: Sequence[PreferencePair]) -> tuple[Any, Any] | None:
    """A fitted vectoriser and the differences of the pairs; None if no unit occurs twice."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    kind: dict[str, Any] = (
        {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}
        if units == "words"
        else {"analyzer": "char_wb", "ngram_range": (2, 5)}
    )
    texts = [t for p in pairs for t in (p.chosen, p.rejected)]
    bag = TfidfVectorizer(sublinear_tf=True, min_df=2, **kind)
    try:
        bag.fit(texts)
    except ValueError:
        return None
    return bag, _differences(bag, pairs)


def _differences(bag: Any, pairs: Sequence[PreferencePair]) -> Any:
    """Vector of the first answer less that of the second, sparse, shape (pairs, units)."""
    return bag.transform([p.chosen for p in pairs]) - bag.transform([p.rejected for p in pairs])


def _inner_loss(
    rows: Any, pairs: Sequence[PreferencePair], fold: NDArray[np.int64], penalty: float
) -> float:
    """Log-loss on folds that were not fitted on."""
    total, weight = 0.0, 0.0
    for k in range(INNER):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        if not len(train) or not len(test):
            continue
        z = np.asarray(rows[test] @ _logistic(rows, pairs, train, penalty)).ravel()
        for value, i in zip(z.tolist(), test.tolist(), strict=True):
            total += pairs[i].weight * _log_loss(value, pairs[i].p_chosen)
            weight += pairs[i].weight
    return total / weight


def _logistic(
    rows: Any, pairs: Sequence[PreferencePair], at: NDArray[np.int64], penalty: float
) -> Floats:
    """Weights of a logistic regression of shares on differences, without intercept."""
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    # Every other pair is turned round: without an intercept that changes nothing, and both classes
    # occur even where the better answer always stands first.
    turn = np.where(np.arange(len(at)) % 2 == 0, 1.0, -1.0)
    some = [pairs[int(i)] for i in at]
    share = np.array([p.p_chosen for p in some])
    share = np.where(turn > 0, share, 1 - share)
    weight = np.array([p.weight for p in some])
    turned = rows[at].multiply(turn[:, None]).tocsr()
    sides = ((1, weight * share), (0, weight * (1 - share)))
    kept = [(label, w, np.flatnonzero(w > 0)) for label, w in sides]
    labels = np.concatenate([np.full(len(rest), label) for label, _, rest in kept])
    if len(set(labels.tolist())) < 2:
        return np.zeros(rows.shape[1])
    model = LogisticRegression(C=penalty, fit_intercept=False, max_iter=500)
    model.fit(
        vstack([turned[rest] for _, _, rest in kept]),
        labels,
        sample_weight=np.concatenate([w[rest] for _, w, rest in kept]) / weight.mean(),
    )
    return np.asarray(model.coef_[0], dtype=np.float64)


def _beside(
    rule: _Rule,
    points: Floats,
    sign: Floats,
    decided: NDArray[np.int64],
    units: Sequence[Hashable],
    seed: int,
) -> Baseline:
    theirs = _points(rule.margin * sign)[decided]
    return Baseline(
        name=rule.name,
        accuracy=stats.bootstrap_mean(theirs, clusters=units, seed=seed),
        difference=stats.paired_difference(points, theirs, clusters=units, seed=seed),
        fitted_on=rule.fitted_on,
        chosen=rule.chosen,
    )


def _points(margin: Floats) -> Floats:
    """1 where the margin is for the better answer, 0 where against it, one half where it is 0."""
    return np.asarray((margin > 0) + (margin == 0) / 2)


def _lengths(pairs: Sequence[PreferencePair]) -> Floats:
    return np.array([float(len(p.chosen) - len(p.rejected)) for p in pairs])


def _length_matched(
    pairs: Sequence[PreferencePair],
    decided: NDArray[np.int64],
    points: Floats,
    units: Sequence[Hashable],
    seed: int,
) -> Estimate:
    """Accuracy where longer and shorter better answers weigh one half each; unknown without both.

    The weights are held while clusters are resampled.
    """
    longer = _lengths(pairs)[decided] * np.array(
        [1.0 if pairs[i].p_chosen > 0.5 else -1.0 for i in decided]
    )
    sides = [np.flatnonzero(longer > 0), np.flatnonzero(longer < 0)]
    if not all(len(side) for side in sides):
        return Estimate(value=None, interval=None, n=0, seed=seed)
    at = np.concatenate(sides)
    weight = np.concatenate([np.full(len(s), len(at) / (2 * len(s))) for s in sides])
    return stats.bootstrap_mean(
        points[at] * weight, clusters=[units[i] for i in at], seed=seed,
        bounds=(0.0, float(weight.max())),
    )  # fmt: skip


def _parts(
    pairs: Sequence[PreferencePair],
    decided: NDArray[np.int64],
    points: Floats,
    units: Sequence[Hashable],
    seed: int,
) -> dict[str, dict[str, tuple[int, Estimate]]]:
    places: dict[str, dict[str, list[int]]] = {}
    for place, i in enumerate(decided):
        for kind, name in _kinds(pairs[i]):
            places.setdefault(kind, {}).setdefault(name, []).append(place)
    return {
        kind: {
            name: (len(at), stats.bootstrap_mean(points[at], clusters=[units[i] for i in at],
                                                 seed=seed))
            for name, at in sorted(part.items())
        }
        for kind, part in sorted(places.items())
    }  # fmt: skip


def _kinds(pair: PreferencePair) -> Iterator[tuple[str, str]]:
    yield "lang", pair.lang
    if pair.group is not None:
        yield "group", pair.group
    for norm in sorted(set(pair.norms)):
        yield "norm", norm
    better, worse = len(pair.chosen), len(pair.rejected)
    if pair.p_chosen < 0.5:
        better, worse = worse, better
    alike = abs(better - worse) <= ALIKE * max(better, worse)
    yield "length", "alike" if alike else "better-longer" if better > worse else "better-shorter"


def _losses(logits: Floats, shares: Floats, weights: Floats) -> Floats:
    """Log-loss of each pair, times its weight over the mean weight."""
    each = [_log_loss(float(z), float(s)) for z, s in zip(logits, shares, strict=True)]
    return np.asarray(np.array(each) * (weights / weights.mean()), dtype=np.float64)


def _mean_loss(losses: Floats, units: Sequence[Hashable], seed: int) -> Estimate:
    # A loss has no greatest value, so that equal losses bound nothing.
    return stats.bootstrap_mean(losses, clusters=units, seed=seed, bounds=(0.0, math.inf))


def _distances(
    losses: Floats, logits: Floats, shares: Floats, weights: Floats, units: Sequence[Hashable],
    seed: int,
) -> tuple[Estimate, Estimate]:  # fmt: skip
    own = weights / weights.mean()
    square = (1 / (1 + np.exp(-np.clip(logits, -700, 700))) - shares) ** 2
    most = float(own.max())
    return _mean_loss(losses, units, seed), stats.bootstrap_mean(
        square * own, clusters=units, seed=seed, bounds=(0.0, most)
    )


def _log_loss(logit: float, share: float) -> float:
    """Cross-entropy between a share and the probability that a logit stands for, in nats."""
    return max(logit, 0.0) - logit * share + math.log1p(math.exp(-abs(logit)))


def _check(
    pairs: Sequence[PreferencePair],
    margin: Floats,
    decided: NDArray[np.int64],
    clusters: Sequence[str],
    fitted_on: Sequence[PreferencePair] | None,
) -> None:
    if len(margin) != len(pairs):
        raise ValueError(f"{len(pairs)} pairs but {len(margin)} margins")
    faults = []
    wrong = [i for i in range(len(pairs)) if not math.isfinite(margin[i])]
    faults += [
        Fault(where=f"pair {i + 1}", expected="a score that is a number", seen=str(margin[i]),
              do="The model cannot be measured; see whether its training diverged.")
        for i in wrong[:20]
    ]  # fmt: skip
    if not len(decided):
        faults.append(Fault(where="pairs", expected="a pair with a majority", seen="none"))
    if fitted_on is None and len(set(clusters)) < FOLDS:
        faults.append(Fault(
            where="pairs", expected=f"{FOLDS} different prompts, to fit baselines on the others",
            seen=str(len(set(clusters))), do="Give training pairs: --train FILE."))  # fmt: skip
    if fitted_on is not None and not fitted_on:
        faults.append(Fault(where="training pairs", expected="at least one", seen="none"))
    if faults:
        raise InputError(faults)
