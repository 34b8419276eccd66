"""Fit the harm classifier of any text on labelled rows: logistic heads on hashed n-grams.

A label is a share of yes, so that what people were of two minds about pulls to neither side. A
column counts by its rarity and by how far its yes and no rows differ (Wang and Manning, ACL 2012);
both are folded into the weights. Sources say "hateful" by their own rules and with their own share
of it, so while fitting each source has an intercept of its own, which is not kept.

scikit-learn is needed here and not to serve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from normwright.guard.fit import platt
from normwright.guard.text_harm.grams import BUCKETS, form, grams
from normwright.guard.text_harm.reader import LANGUAGE, TextHarm, TextHead
from normwright.records import digest_bytes

FOLDS = 5
LOCKED = 0.2
"""Share of units that are measured and never learned from."""
_OFFSET = 3.0
"""Value of a source's own column: the greater, the less its intercept is held back."""
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
    kept: int = 60_000
    """Columns that keep a weight."""
    calibrate: frozenset[str] = frozenset()
    """Sources that calibrate; empty: all with weight."""


def fit_text_harm(
    rows: Sequence[HarmRow], plans: Sequence[HeadPlan], *, seed: int, card: Mapping[str, Any]
) -> tuple[TextHarm, Floats]:
    """Return the classifier fitted on rows of the learned part, and every row's held-out score.

    Args:
        rows: labelled rows; those of the locked part are not looked at.
        plans: one for each head; one named `lang:pt` must be among them.
        seed: seed of the solver's order.
        card: what to keep beside the weights.

    Returns:
        The classifier, and out-of-fold scores of shape (rows, plans), NaN for what no fold scored.
    """
    matrix = _matrix([r.text for r in rows])
    fitted, heads = [], []
    held = np.full((len(rows), len(plans)), np.nan)
    for j, plan in enumerate(plans):
        use, target, weight = _asked(rows, plan)
        for k in range(FOLDS):
            inside = use[[rows[i].fold != k for i in use]]
            outside = use[[rows[i].fold == k for i in use]]
            w, b = _solve(matrix, rows, inside, target, weight, plan, seed)
            held[outside, j] = matrix[outside] @ w + b
        w, b = _solve(matrix, rows, use, target, weight, plan, seed)
        w = _pruned(w, matrix[use], plan.kept)
        fitted.append(w)
        heads.append((plan, b, _slopes(rows, use, target, held[:, j], plan)))
    return _packed(fitted, heads, card), held


def _number(text: str) -> float:
    return int(digest_bytes(f"text-harm|{text}".encode())[7:15], 16) / 2**32


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    found = grams([form(t) for t in texts])
    shape = (len(texts), BUCKETS)
    return csr_matrix((found.values, found.columns, found.starts), shape=shape)


def _asked(rows: Sequence[HarmRow], plan: HeadPlan) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The rows a head learns from, and for every row its target and its weight."""
    name = plan.label if plan.label != "lang" else LANGUAGE
    weight = np.array([plan.weights.get(r.source, 1.0) for r in rows])
    target = np.array([r.labels.get(name, np.nan) for r in rows])
    free = np.array([r.part == "learn" for r in rows])
    spoken = np.array([plan.lang is None or name == LANGUAGE or plan.weights.get(r.source) is not None
                       or r.lang == plan.lang for r in rows])  # fmt: skip
    return np.flatnonzero(free & spoken & (weight > 0) & ~np.isnan(target)), target, weight


def _solve(
    matrix: Any,
    rows: Sequence[HarmRow],
    use: NDArray[np.int64],
    target: Floats,
    weight: Floats,
    plan: HeadPlan,
    seed: int,
) -> tuple[Floats, float]:
    from scipy.sparse import csr_matrix, diags, hstack, vstack
    from sklearn.linear_model import LogisticRegression

    part, t, w = matrix[use], target[use], weight[use]
    scale = _scales(part, t, plan)
    sources = sorted({rows[i].source for i in use})
    own = np.array([[rows[i].source == s for s in sources] for i in use], dtype=np.float32)
    design = hstack([part @ diags(scale), csr_matrix(own * _OFFSET)]).tocsr()
    # A share of yes is a yes and a no, each with its weight.
    yes, no = np.flatnonzero(t > 0), np.flatnonzero(t < 1)
    model = LogisticRegression(
        C=plan.strength, solver="liblinear", dual=True, random_state=seed, max_iter=500
    )
    model.fit(
        vstack([design[yes], design[no]]),
        np.r_[np.ones(len(yes)), np.zeros(len(no))],
        sample_weight=np.r_[t[yes] * w[yes], (1 - t[no]) * w[no]],
    )
    found = model.coef_[0]
    bias = float(model.intercept_[0] + _OFFSET * found[BUCKETS:].mean())
    return found[:BUCKETS] * scale, bias


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


def _pruned(w: Floats, part: Any, kept: int) -> Floats:
    """The weights that move scores most: by size and by how often the column is met."""
    df = np.bincount(part.indices, minlength=BUCKETS)
    pull = np.abs(w) * np.sqrt(df)
    order = np.argsort(-pull, kind="stable")[:kept]
    out = np.zeros_like(w)
    out[order] = w[order]
    return out


def _slopes(
    rows: Sequence[HarmRow], use: NDArray[np.int64], target: Floats, held: Floats, plan: HeadPlan
) -> dict[str, tuple[float, float]]:
    """Platt's slope and offset for each language that has both kinds; each source weighs alike."""
    out: dict[str, tuple[float, float]] = {}
    here = [i for i in use if not plan.calibrate or rows[i].source in plan.calibrate]
    for lang in ("en", "pt"):
        if plan.label == "lang" or plan.lang in (None, lang):
            some = [i for i in here if rows[i].lang == lang or plan.label == "lang"]
            both = len({target[i] >= 0.5 for i in some}) == 2
            some = some if both else here
            out[lang] = platt(held[some], target[some] >= 0.5)
    return out


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
