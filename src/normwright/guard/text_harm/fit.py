"""Fit the harm classifier of any text on labelled rows: logistic heads on hashed n-grams.

A label is a share of yes, so that what people were of two minds about pulls to neither side. A
column counts by its rarity and by how far its yes and no rows differ (Wang and Manning, ACL 2012);
both are folded into the weights. Sources say "hateful" by their own rules and with their own share
of it, so while fitting each source has an intercept of its own, which is not kept.

scikit-learn is needed here and not to serve.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from normwright.guard.harm import sigmoid
from normwright.guard.text_harm.grams import BUCKETS, Grams, form, grams
from normwright.guard.text_harm.reader import LANGUAGE, TextHarm, TextHead
from normwright.records import digest_bytes

FOLDS = 4
LOCKED = 0.2
"""Share of units that are measured and never learned from."""
_ENOUGH = 30
"""Rows of the rarer kind with which a language has a calibration of its own."""
_CLOSE = 1e-2
"""How near to its optimum the solver stops; nearer, no held-out figure moves."""
_MIXED = 0.01
"""Share of the rarer kind from which a source has an intercept of its own."""
_OFFSET = 3.0
"""Value of a source's own column: the greater, the less its intercept is held back."""
_MET_ELSEWHERE = 4
"""Rows that a column with a vector counts as met in, besides those that hold it."""
Floats = NDArray[np.float64]
Part = Literal["learn", "locked"]


@dataclass(frozen=True)
class HarmRow:
    """One text with what people said of it."""

    text: str
    lang: str
    source: str
    unit: str
    """Rows that share it, of any source, stay on one side of every split."""
    labels: Mapping[str, float]
    """Label -> share of yes in [0, 1]; a label that was not asked is not among them."""
    kind: str = ""
    """What the source says the text is a case of."""
    measured: bool = True
    """Whether it may be measured on; what was written to be learned from may not."""

    @property
    def part(self) -> Part:
        """Which part the row belongs to: the same in every run."""
        locked = self.measured and _number(f"locked|{self.unit}") < LOCKED
        return "locked" if locked else "learn"

    @property
    def fold(self) -> int:
        """Fold within the part that is learned from."""
        return int(_number(f"fold|{self.unit}") * FOLDS)


@dataclass(frozen=True)
class HeadPlan:
    """How one head is fitted; chosen by cross-validation within the rows that are learned from."""

    label: str
    lang: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    """Source -> weight of its rows; a source that is not named weighs 1, weight 0 leaves it out."""
    strength: float = 1.0
    """Inverse strength of the ridge penalty."""
    rarity: float = 1.0
    """Power of the inverse document frequency that scales a column."""
    contrast: float = 0.0
    """Power of the absolute log-count ratio that scales a column."""
    shared: float = 0.0
    """Size of the columns' vectors beside the columns; 0: none. See `fit_text_harm`."""
    kept: int = 60_000
    """Columns that keep a weight."""
    calibrate: frozenset[str] = frozenset()
    """Sources that calibrate; empty: all with weight, save those written to be learned from."""
    each: int = 0
    """Most rows of one source that are learned from; 0: all."""
    pairs: bool = False
    """Whether to learn which of two texts is harmful rather than whether one is."""


def fit_text_harm(
    rows: Sequence[HarmRow],
    plans: Sequence[HeadPlan],
    *,
    seed: int,
    card: Mapping[str, Any],
    log: Callable[[HeadPlan], None] | None = None,
    features: Grams | None = None,
    folds: int = FOLDS,
    vectors: Any = None,
    jobs: int = 1,
) -> tuple[TextHarm, Floats]:
    """Return the classifier fitted on rows of the learned part, and every row's held-out score.

    Args:
        rows: labelled rows; those of the locked part are not looked at.
        plans: one for each head; one named `lang:pt` must be among them.
        seed: seed of the solver's order.
        card: what to keep beside the weights.
        log: is told each plan as it is done.
        features: the rows' n-grams, if they are at hand.
        folds: folds that are held out in turn, to calibrate on; fewer than all for a control.
        vectors: sparse, shape (BUCKETS, k): what is known of columns besides these rows, for plans
            with `shared`. A weight on vectors is a weight on each column that has one, and is added
            to the column's own: a word that no row holds is read by the words it is like.
        jobs: processes that fit heads at the same time.

    Returns:
        The classifier, and out-of-fold scores of shape (rows, plans), NaN for what no fold scored.
    """
    shared = (_matrix(features or features_of(rows)), rows, seed, folds, vectors)
    fitted, heads = [], []
    held = np.full((len(rows), len(plans)), np.nan)
    for j, (w, b, slopes, scores) in enumerate(_each(shared, plans, jobs)):
        if log is not None:
            log(plans[j])
        held[:, j] = scores
        fitted.append(w)
        heads.append((plans[j], b, slopes))
    return _packed(fitted, heads, card), held


_Shared = tuple[Any, Sequence[HarmRow], int, int, Any]
_Fitted = tuple[Floats, float, dict[str, tuple[float, float]], Floats]
_SHARED: list[_Shared] = []
"""What a worker process was started with."""


def _each(shared: _Shared, plans: Sequence[HeadPlan], jobs: int) -> Iterator[_Fitted]:
    """The heads in the order of their plans, one by one or in worker processes: the same ones."""
    if jobs <= 1:
        yield from (_head(shared, plan) for plan in plans)
        return
    # A forked process has the matrix without a copy of it.
    with multiprocessing.get_context("fork").Pool(jobs, _SHARED.append, (shared,)) as pool:
        yield from pool.imap(_head_there, plans)


def _head_there(plan: HeadPlan) -> _Fitted:
    return _head(_SHARED[-1], plan)


def _head(shared: _Shared, plan: HeadPlan) -> _Fitted:
    """One head: weights, constant, calibration, and every row's score by folds without it."""
    matrix, rows, seed, folds, vectors = shared
    held = np.full(len(rows), np.nan)
    use, target, weight = _asked(rows, plan)
    for k in range(folds):
        inside = use[[rows[i].fold != k for i in use]]
        outside = use[[rows[i].fold == k for i in use]]
        w, b = _solve(matrix, rows, inside, target, weight, plan, seed, vectors)
        held[outside] = matrix[outside] @ w + b
    w, b = _solve(matrix, rows, use, target, weight, plan, seed, vectors)
    w = _pruned(w, matrix[use], plan.kept, vectors if plan.shared else None)
    return w, b, _slopes(rows, use, target, held, plan), held


def _number(text: str) -> float:
    return int(digest_bytes(f"text-harm|{text}".encode())[7:15], 16) / 2**32


def features_of(rows: Sequence[HarmRow]) -> Grams:
    """Return the n-grams that rows are fitted on."""
    return grams([form(r.text) for r in rows])


def _matrix(found: Grams) -> Any:
    from scipy.sparse import csr_matrix

    shape = (len(found.starts) - 1, BUCKETS)
    return csr_matrix((found.values, found.columns, found.starts), shape=shape)


def _asked(rows: Sequence[HarmRow], plan: HeadPlan) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The rows a head learns from, and for every row its target and its weight."""
    name = plan.label if plan.label != "lang" else LANGUAGE
    weight = np.array([plan.weights.get(r.source, 1.0) for r in rows])
    target = np.array([r.labels.get(name, np.nan) for r in rows])
    free = np.array([r.part == "learn" for r in rows])
    # A source that is named is learned from in any language.
    heard = plan.lang is None or name == LANGUAGE
    spoken = np.array([heard or r.source in plan.weights or r.lang == plan.lang for r in rows])
    use = np.flatnonzero(free & spoken & (weight > 0) & ~np.isnan(target))
    return use if not plan.each else _capped(rows, use, plan.each), target, weight


def _capped(rows: Sequence[HarmRow], use: NDArray[np.int64], each: int) -> NDArray[np.int64]:
    """The rows with no more than so many of a source: those whose digests come first."""
    by: dict[str, list[int]] = {}
    for i in sorted(use.tolist(), key=lambda i: (_number(f"cap|{rows[i].text}"), i)):
        some = by.setdefault(rows[i].source, [])
        if len(some) < each:
            some.append(i)
    return np.array(sorted(i for some in by.values() for i in some), dtype=np.int64)


def _solve(
    matrix: Any,
    rows: Sequence[HarmRow],
    use: NDArray[np.int64],
    target: Floats,
    weight: Floats,
    plan: HeadPlan,
    seed: int,
    vectors: Any = None,
) -> tuple[Floats, float]:
    from scipy.sparse import csr_matrix, diags, hstack, vstack
    from sklearn.linear_model import LogisticRegression

    part, t, w = matrix[use], target[use], weight[use]
    if plan.pairs:
        found = _solve_pairs(part, t, plan, seed)
        return found, _middle(part @ found, t)
    scale = _scales(part, t, plan)
    # A source of one kind alone teaches by being of that kind; an intercept would explain it away.
    named = np.array([rows[i].source for i in use])
    shares = {s: float(t[named == s].mean()) for s in sorted(set(named.tolist()))}
    sources = [s for s, share in shares.items() if _MIXED <= share <= 1 - _MIXED]
    own = np.stack([named == s for s in sources] or [np.zeros(len(use))], axis=1)
    blocks = [part @ diags(scale), csr_matrix(own.astype(np.float64) * _OFFSET)]
    if plan.shared:
        blocks.insert(1, part @ vectors * plan.shared)
    design = hstack(blocks).tocsr()
    # A share of yes is a yes and a no, each with its weight.
    yes, no = np.flatnonzero(t > 0), np.flatnonzero(t < 1)
    model = LogisticRegression(
        C=plan.strength, solver="liblinear", dual=True, random_state=seed, max_iter=500, tol=_CLOSE
    )
    model.fit(
        vstack([design[yes], design[no]]),
        np.r_[np.ones(len(yes)), np.zeros(len(no))],
        sample_weight=np.r_[t[yes] * w[yes], (1 - t[no]) * w[no]],
    )
    found = model.coef_[0]
    bias = float(model.intercept_[0] + _OFFSET * found[-own.shape[1] :].mean())
    out = found[:BUCKETS] * scale
    if plan.shared:
        out = out + vectors @ (found[BUCKETS : -own.shape[1]] * plan.shared)
    return out, bias


def _solve_pairs(part: Any, t: Floats, plan: HeadPlan, seed: int) -> Floats:
    """Weights under which the harmless text of a pair scores higher (Bradley-Terry)."""
    from scipy.sparse import diags
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    bad, good = np.flatnonzero(t >= 0.5), np.flatnonzero(t < 0.5)
    chosen = rng.choice(good, size=len(bad))
    # Every other pair is turned round, for the solver asks for both answers.
    turn = np.where(np.arange(len(bad)) % 2, -1.0, 1.0)
    gap = diags(turn) @ (part[chosen] - part[bad])
    model = LogisticRegression(
        C=plan.strength, solver="liblinear", dual=True, fit_intercept=False,
        random_state=seed, max_iter=500, tol=_CLOSE,
    )  # fmt: skip
    model.fit(gap.tocsr(), turn > 0)
    return np.asarray(model.coef_[0])


def _middle(scores: Floats, t: Floats) -> float:
    """The constant that puts zero midway between the kinds: pairs leave it open."""
    return -float(scores[t >= 0.5].mean() + scores[t < 0.5].mean()) / 2


def _scales(part: Any, t: Floats, plan: HeadPlan) -> Floats:
    """What each column is scaled by before fitting: its rarity, and its contrast."""
    met = part.copy()
    met.data = np.ones_like(met.data)
    df = np.asarray(met.sum(axis=0)).ravel()
    scale = (np.log1p(len(t) / (1 + df)) / np.log1p(len(t) / 50)) ** plan.rarity
    if plan.contrast:
        yes = np.asarray(met.T @ t).ravel() + 1
        no = np.asarray(met.T @ (1 - t)).ravel() + 1
        ratio = np.abs(np.log((yes / yes.sum()) / (no / no.sum())))
        scale *= ratio**plan.contrast + 0.05
    return np.asarray(scale)


def _pruned(w: Floats, part: Any, kept: int, vectors: Any = None) -> Floats:
    """The weights that move scores most: by size and by how often the column is met."""
    df = np.bincount(part.indices, minlength=BUCKETS)
    if vectors is not None:
        # A column known from elsewhere is met though none of these rows holds it.
        df[np.diff(vectors.indptr) > 0] += _MET_ELSEWHERE
    pull = np.abs(w) * np.sqrt(df)
    order = np.argsort(-pull, kind="stable")[:kept]
    out = np.zeros_like(w)
    out[order] = w[order]
    return out


def _slopes(
    rows: Sequence[HarmRow], use: NDArray[np.int64], target: Floats, held: Floats, plan: HeadPlan
) -> dict[str, tuple[float, float]]:
    """Slope and offset for each language; one with few of a kind takes those of both together.

    Every source weighs alike, so that a large one does not decide what one half means.
    """
    known = [i for i in use if not np.isnan(held[i])]
    if plan.calibrate:
        here = [i for i in known if rows[i].source in plan.calibrate]
    else:
        here = [i for i in known if rows[i].measured]
    out: dict[str, tuple[float, float]] = {}
    for lang in ("en", "pt") if plan.lang is None or plan.label == "lang" else (plan.lang,):
        some = [i for i in here if rows[i].lang == lang and plan.label != "lang"]
        yes = sum(target[i] >= 0.5 for i in some)
        some = some if min(yes, len(some) - yes) >= _ENOUGH else here
        sizes = Counter(rows[i].source for i in some)
        weight = np.array([1.0 / sizes[rows[i].source] for i in some])
        out[lang] = _weighted_platt(held[some], (target[some] >= 0.5).astype(float), weight)
    return out


def _weighted_platt(scores: Floats, target: Floats, weight: Floats) -> tuple[float, float]:
    """Platt's slope and offset for shares of yes and weighted rows, by Newton steps."""
    weight = weight * len(weight) / weight.sum()
    a, b = 1.0, 0.0
    for _ in range(100):
        p = sigmoid(a * scores + b)
        gap, spread = weight * (p - target), np.maximum(weight * p * (1 - p), 1e-12)
        gradient = np.array([gap @ scores + 1e-3 * a, gap.sum()])
        cross = spread @ scores
        hessian = np.array([[spread @ scores**2 + 1e-3, cross], [cross, spread.sum()]])
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        a, b = a - float(step[0]), b - float(step[1])
        if float(np.abs(step).max()) < 1e-10:
            break
    return a, b


def _packed(
    fitted: Sequence[Floats],
    heads: Sequence[tuple[HeadPlan, float, dict[str, tuple[float, float]]]],
    card: Mapping[str, Any],
) -> TextHarm:
    table = np.array(fitted)
    columns = np.flatnonzero((table != 0).any(axis=0))
    scales = np.abs(table).max(axis=1) / 127
    scales[scales == 0] = 1.0
    # The largest weights are few: clipping them would cost more than coarse small ones do.
    weights = np.rint(table[:, columns] / scales[:, None]).astype(np.int8)
    live = (weights != 0).any(axis=0)
    return TextHarm(
        heads=tuple(
            TextHead(label=p.label, lang=p.lang, bias=b, scale=float(s), slopes=slopes)
            for (p, b, slopes), s in zip(heads, scales, strict=True)
        ),
        columns=columns[live],
        weights=np.ascontiguousarray(weights[:, live].T),
        card=dict(card),
    )
