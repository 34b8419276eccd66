"""Fit the guard's linear heads: least squares in the kernel form, calibrated on unseen templates.

All heads of one kind share one system of equations (regularised least-squares classification,
Rifkin, Yeo and Poggio, 2003), so that a hundred heads cost one Cholesky factor. Templates are dealt
into three folds, twins and translations together; every number that is reported comes from
templates the head had not seen, with calibration and threshold taken from the other folds.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from normwright.guard.canonical import canonical, folded, learnable, pieces
from normwright.guard.features import BUCKETS, featurise
from normwright.guard.harm import HarmClassifier, Head, Side, sigmoid
from normwright.norms import Resolver
from normwright.records import (
    Charter,
    Estimate,
    Fault,
    InputError,
    Scene,
    digest_json,
)
from normwright.scenes.exact import asks_for_value
from normwright.scenes.situation import situation_of
from normwright.stats import bootstrap_mean, proportion

FOLDS = 3
RIDGE = 0.3
"""Ridge penalty; block vectors have length one, so it is on the scale of a few rows."""
FALSE_BLOCKS = 0.01
"""Share of innocent rows a head may flag; the threshold of a norm head is set by it."""
LEAST_POSITIVES = 6
"""A head with fewer positive rows is not fitted: nothing could be said about it."""
MOST = 500
"""Scenes used of acts that are never denied; they outnumber the others and teach little more."""
ROUNDS = 400
"""Bootstrap rounds behind each interval."""

_PASSING = frozenset({"allow", "necessity", "dilemma-choice"})
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Row:
    """One piece of text with the pieces around it."""

    text: str
    around: tuple[str, ...]
    answer: str
    labels: frozenset[str]
    """Names of the heads that should say yes."""
    lang: str
    group: str
    """Family and wording: translations and twins share it."""
    performs: bool


@dataclass(frozen=True)
class _Fitted:
    names: tuple[str, ...]
    alpha: Floats
    bias: Floats
    heads: tuple[Head, ...]
    held_out: Floats
    """Held-out probability of each row and head."""


def fit_harm(charter: Charter, scenes: Sequence[Scene], *, seed: int) -> HarmClassifier:
    """Return the classifier fitted on scenes, labelled by what the charter decides.

    An answer that performs an act the charter denies is harmful for the norms that govern the
    decision. A norm no scene speaks about gets no head and is named in the card as uncovered.

    Args:
        charter: the norms; its Resolver gives the labels, its texts help to tell languages apart.
        scenes: requests with both answers; use the split `guard`.
        seed: deals the templates into folds and draws the bootstrap.

    Raises:
        InputError: if scenes of one family have fewer than three wordings in all, or only one act
            or one kind of answer is there to learn from.
    """
    faults = _faults(scenes)
    if faults:
        raise InputError(faults)
    resolver = Resolver(charter)
    asked, answers = _rows(_balanced(scenes, resolver, seed), resolver)
    folds = _deal(sorted({r.group for r in asked}), seed)
    leave_out = _grammar(charter.languages)
    texts = _Design([*asked, *answers], leave_out)
    about = list(range(len(asked)))
    told = list(range(len(asked), len(texts.rows)))
    # Languages are told by just the words that say nothing of what is asked.
    tongues = _Design(_tongues(asked, charter), frozenset())
    spoken = list(range(len(tongues.rows)))
    acts = _solve(texts, about, ("act", "fact"), ("asked", "around"), folds, seed)
    norms = _solve(texts, told, ("norm", "does"), ("asked", "around", "answered"), folds, seed)
    langs = _solve(tongues, spoken, ("lang",), ("asked",), folds, seed)
    decline = _solve(texts, told, ("declines",), ("answered",), folds, seed)
    every = (acts, norms, langs, decline)
    return HarmClassifier(
        heads=tuple(h for f in every for h in f.heads),
        asked=texts.side("asked", [(acts, about), (norms, told)]),
        around=texts.side("around", [(acts, about), (norms, told)]),
        answered=texts.side("answered", [(norms, told), (decline, told)]),
        spoken=tongues.side("asked", [(langs, spoken)]),
        leave_out=leave_out,
        bias=np.concatenate([f.bias for f in every]),
        card={
            "charter": charter.digest,
            "scenes": len(scenes),
            "scenes_digest": digest_json(sorted(s.digest for s in scenes)),
            "splits": sorted({s.split for s in scenes}),
            "seed": seed,
            "templates": len({r.group for r in asked}),
            "uncovered": sorted(
                {n.id for n in charter.norms} - {n[5:] for n in norms.names if n[:5] == "norm:"}
            ),
            **_accuracy([texts.rows[i] for i in about], acts, seed),
        },
    )


def _faults(scenes: Sequence[Scene]) -> list[Fault]:
    faults = []
    if len({_group(s) for s in scenes}) < FOLDS:
        faults.append(
            Fault(
                where="scenes of the guard",
                expected=f"at least {FOLDS} wordings, so that some can be held out",
                seen=str(len({_group(s) for s in scenes})),
                do="Draw scenes of the split `guard` from a bank with more wordings.",
            )
        )
    if len({s.act for s in scenes}) < 2:
        faults.append(
            Fault(
                where="scenes of the guard",
                expected="at least two acts to tell apart",
                seen=str(len({s.act for s in scenes})),
                do="Add families of scenes that ask for something else.",
            )
        )
    return faults


def _group(scene: Scene) -> str:
    """Family and wording of a scene; translations of one wording belong together."""
    return scene.template.removesuffix(f"/{scene.lang}")


def _balanced(scenes: Sequence[Scene], resolver: Resolver, seed: int) -> list[Scene]:
    """All scenes of acts that are ever denied, and at most `MOST` of the others."""
    denied = {s.act for s in scenes if _broken(s, resolver)}
    rng = np.random.default_rng(seed)
    templates: dict[str, list[int]] = {}
    for i in rng.permutation([i for i, s in enumerate(scenes) if s.act not in denied]):
        templates.setdefault(scenes[i].template, []).append(int(i))
    # One of each template, then a second of each: a rare wording counts as much as a common one.
    rounds = itertools.zip_longest(*templates.values())
    kept = set([i for one in rounds for i in one if i is not None][:MOST])
    return [s for i, s in enumerate(scenes) if s.act in denied or i in kept]


def _broken(scene: Scene, resolver: Resolver) -> frozenset[str]:
    """Norms that performing the scene's act breaks, by id."""
    decision = resolver.decide(situation_of(scene))
    if decision.verdict in _PASSING:
        return frozenset()
    return frozenset(ref.rsplit("@", 1)[0] for ref in decision.governing)


def _rows(scenes: Sequence[Scene], resolver: Resolver) -> tuple[list[_Row], list[_Row]]:
    asked: dict[tuple[Any, ...], _Row] = {}
    answers: dict[tuple[Any, ...], _Row] = {}
    for scene in scenes:
        said = [m for m in scene.messages if m.role != "assistant"]
        before = [p for m in said[:-1] for p in pieces(canonical(m.content))]
        here = list(pieces(canonical(said[-1].content)))
        request, around = here[-1], tuple(here[:-1] or before)
        facts = {k: v for k, v in scene.facts.items() if v is not None}
        labels = frozenset({f"act:{scene.act}"}) | {
            f"fact:{name}={json.dumps(value)}" for name, value in facts.items()
        }
        group, broken = _group(scene), frozenset(f"norm:{n}" for n in _broken(scene, resolver))
        row = partial(_Row, lang=scene.lang, group=group)
        # What no request is: lines of a sheet, alone and among the others, and what is answered.
        nothing = [(line, tuple(p for p in here if p != line)) for line in around[:1] + around[-1:]]
        nothing += [(line, ()) for line in (*around[:1], scene.decline)]
        for text, near, marks in (
            (request, around, labels),
            *((line, near, frozenset[str]()) for line, near in nothing),
        ):
            asked.setdefault((text, near), row(text, near, "", marks, performs=False))
        done = broken | {f"does:{scene.act}"}
        # A value told bare does the act as much as the line it stands in.
        bare = ((", ".join(scene.exact), done, True),) if asks_for_value(scene) else ()
        for answer, marks, performs in (
            (scene.perform, done, True),
            *bare,
            (scene.decline, frozenset({"declines"}), False),
        ):
            told = row(request, around, answer, marks, performs=performs)
            answers.setdefault((request, around, answer), told)
    return list(asked.values()), list(answers.values())


def _tongues(asked: Sequence[_Row], charter: Charter) -> list[_Row]:
    """Texts of known language: what scenes say, and what the charter itself says."""
    texts = {(r.text, r.lang): r.group for r in asked}
    for norm in charter.norms:
        for told in (norm.statement, norm.rationale):
            texts.update({(t, lang): norm.id for lang, t in told.items() if t})
    words = charter.vocabulary
    named = {x.name: x.label for x in words.acts} | {x.name: x.label for x in words.facts}
    for name, label in named.items():
        texts.update({(t, lang): name for lang, t in label.items() if t})
    return [
        _Row(text, (), "", frozenset({f"lang:{lang}"}), lang, group, False)
        for (text, lang), group in texts.items()
        if lang in charter.languages
    ]


def _deal(groups: Sequence[str], seed: int) -> Callable[[str], int]:
    """Deal groups into folds, the wordings of one family one after another."""
    rng = np.random.default_rng(seed)
    families: dict[str, list[str]] = {}
    for group in groups:
        families.setdefault(group.rsplit("/", 2)[0], []).append(group)
    place: dict[str, int] = {}
    start = 0
    for family in sorted(families):
        members = [families[family][i] for i in rng.permutation(len(families[family]))]
        place.update({g: (start + i) % FOLDS for i, g in enumerate(members)})
        start += len(members)
    # Texts of the charter itself are no scenes; they stay in every training fold.
    return lambda group: place.get(group, -1)


class _Design:
    """The features of all rows on each side, as sparse matrices with one row a row."""

    def __init__(self, rows: Sequence[_Row], leave_out: frozenset[str]) -> None:
        self.rows = list(rows)
        self.parts = {
            "asked": _matrix([(r.text,) for r in rows], leave_out),
            "around": _matrix([r.around for r in rows], leave_out),
            # Answers are read with all words: `I cannot` is what a refusal consists of.
            "answered": _matrix([(r.answer,) for r in rows], frozenset()),
        }

    def kernel(self, index: Sequence[int], sides: Sequence[str]) -> Floats:
        """Inner products of rows over some sides, plus one for the bias; shape (n, n)."""
        total = np.ones((len(index), len(index)))
        for side in sides:
            part = self.parts[side][list(index)]
            total += (part @ part.T).toarray()
        return total

    def side(self, side: str, fitted: Sequence[tuple[_Fitted, Sequence[int]]]) -> Side:
        """The weights of one side for the heads of several solutions, in order."""
        used = [self.parts[side][list(index)] for _, index in fitted]
        columns = np.unique(np.concatenate([part.indices for part in used])).astype(np.int64)
        blocks = [part[:, columns].T @ f.alpha for part, (f, _) in zip(used, fitted, strict=True)]
        return Side(columns=columns, weights=np.hstack(blocks).astype(np.float32))


def _matrix(lists: Sequence[Sequence[str]], leave_out: frozenset[str]) -> Any:
    """Mean features of lists of texts, a sparse array of shape (len(lists), 2 * BUCKETS)."""
    from scipy import sparse

    place = {t: i for i, t in enumerate(dict.fromkeys(t for one in lists for t in one))}
    found = featurise([learnable(t, leave_out) for t in place])
    base = sparse.csr_array(
        (found.values, (found.rows, found.columns)), shape=(len(place), 2 * BUCKETS)
    )
    rows = [i for i, one in enumerate(lists) for _ in one]
    columns = [place[t] for one in lists for t in one]
    shares = [1.0 / len(one) for one in lists for _ in one]
    pick = sparse.csr_array((shares, (rows, columns)), shape=(len(lists), len(place)))
    return sparse.csr_array(pick @ base)


def _grammar(languages: Sequence[str]) -> frozenset[str]:
    """Words without content, in the languages of the charter that have a list."""
    text = files("normwright.guard").joinpath("stopwords.yaml").read_text(encoding="utf-8")
    lists: dict[str, list[str]] = yaml.load(text, Loader=_Plain)  # noqa: S506
    return frozenset(folded(w) for lang in languages for w in lists.get(lang, ()))


class _Plain(yaml.BaseLoader):
    """Reads every scalar as a string: `no`, `on` and `off` are words here."""


def _solve(
    parts: _Design,
    index: Sequence[int],
    kinds: Sequence[str],
    sides: Sequence[str],
    folds: Callable[[str], int],
    seed: int,
) -> _Fitted:
    rows = [parts.rows[i] for i in index]
    names = tuple(
        name
        for kind in kinds
        for name in sorted({x for r in rows for x in r.labels if x.split(":", 1)[0] == kind})
        if sum(name in r.labels for r in rows) >= LEAST_POSITIVES
    )
    truth = np.array([[name in r.labels for name in names] for r in rows], dtype=bool)
    truth = truth.reshape(len(rows), len(names))
    kernel = parts.kernel(index, sides)
    fold = np.array([folds(r.group) for r in rows])
    scores = np.zeros(truth.shape)
    for k in range(FOLDS):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        alpha = _ridge(kernel[np.ix_(train, train)], truth[train])
        scores[test] = kernel[np.ix_(test, train)] @ alpha
    alpha = _ridge(kernel, truth)
    heads, chances = [], []
    for j, name in enumerate(names):
        head, chance = _calibrate(name, scores[:, j], truth[:, j], rows, fold, seed)
        heads.append(head)
        chances.append(chance)
    return _Fitted(
        names=names,
        alpha=alpha,
        bias=alpha.sum(axis=0),
        heads=tuple(heads),
        held_out=np.array(chances).T.reshape(truth.shape),
    )


def _ridge(kernel: Floats, truth: NDArray[np.bool_]) -> Floats:
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(kernel + RIDGE * np.eye(len(kernel)), lower=True)
    return np.asarray(cho_solve(factor, np.where(truth, 1.0, -1.0)), dtype=np.float64)


def _calibrate(
    name: str,
    scores: Floats,
    truth: NDArray[np.bool_],
    rows: Sequence[_Row],
    fold: NDArray[np.int64],
    seed: int,
) -> tuple[Head, Floats]:
    held = fold >= 0
    kind = name.split(":", 1)[0]
    innocent = ~truth & np.array([r.performs or kind != "norm" for r in rows])
    chance = np.full(len(scores), np.nan)
    said = np.zeros(len(scores), dtype=bool)
    for k in range(FOLDS):
        rest, test = held & (fold != k), fold == k
        slope, offset = platt(scores[rest], truth[rest])
        chance[test] = sigmoid(slope * scores[test] + offset)
        limit = _threshold(kind, sigmoid(slope * scores + offset), truth & rest, innocent & rest)
        said[test] = limit is not None and chance[test] >= limit
    slope, offset = platt(scores[held], truth[held])
    final = _threshold(kind, sigmoid(slope * scores + offset), truth & held, innocent & held)
    found, clear = {}, {}
    for lang in sorted({r.lang for r in rows}):
        here = held & np.array([r.lang == lang for r in rows])
        found[lang] = _share(said, here & truth, rows, seed)
        clear[lang] = _share(~said, here & ~truth, rows, seed)
    return (
        Head(
            name=name,
            slope=slope,
            offset=offset,
            threshold=final,
            positives=int(truth.sum()),
            sensitivity=found,
            specificity=clear,
        ),
        chance,
    )


def _threshold(
    kind: str, chance: Floats, truth: NDArray[np.bool_], innocent: NDArray[np.bool_]
) -> float | None:
    """One half, or for a norm head what keeps false blocks at `FALSE_BLOCKS`; None if useless."""
    if kind != "norm":
        return 0.5
    least = 0.5
    if innocent.any():
        least = max(least, float(np.quantile(chance[innocent], 1 - FALSE_BLOCKS)) + 1e-9)
    return least if least < 1 and bool((chance[truth] >= least).any()) else None


def platt(scores: Floats, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset of the calibrated probability (Lin, Lin and Weng, 2007).

    Targets are smoothed as Platt does, so that separable scores do not claim certainty. With only
    one class to learn from the slope is 0: the score says nothing.
    """
    positive, negative = int(truth.sum()), int((~truth).sum())
    share = (positive + 1) / (positive + negative + 2)
    base = (0.0, float(np.log(share / (1 - share))))
    if not positive or not negative:
        return base
    target = np.where(truth, (positive + 1) / (positive + 2), 1 / (negative + 2))
    a, b = 1.0, float(np.log((positive + 1) / (negative + 1)))
    for _ in range(100):
        p = sigmoid(a * scores + b)
        gap, spread = p - target, np.maximum(p * (1 - p), 1e-12)
        gradient = np.array([gap @ scores, gap.sum()])
        hessian = np.array(
            [[spread @ scores**2 + 1e-9, spread @ scores], [spread @ scores, spread.sum() + 1e-9]]
        )
        step = np.linalg.solve(hessian, gradient)
        before, size = _loss(scores, target, a, b), 1.0
        while (
            size > 1e-8 and _loss(scores, target, a - size * step[0], b - size * step[1]) > before
        ):
            size /= 2
        a, b = a - size * float(step[0]), b - size * float(step[1])
        if float(np.abs(size * step).max()) < 1e-9:
            break
    # A head that ranks its own positives below the rest has learnt nothing; it is not turned round.
    return (a, b) if a > 0 else base


def _loss(scores: Floats, target: Floats, a: float, b: float) -> float:
    z = a * scores + b
    return float((np.logaddexp(0, z) - target * z).sum())


def _share(
    hit: NDArray[np.bool_], among: NDArray[np.bool_], rows: Sequence[_Row], seed: int
) -> Estimate:
    where = np.flatnonzero(among)
    if not len(where):
        return Estimate(value=None, interval=None, n=0)
    clusters: list[Hashable] = [rows[i].group for i in where.tolist()]
    if len(set(clusters)) < 2:
        return proportion(float(hit[where].any()), 1, method="exact")
    return bootstrap_mean(
        hit[where].astype(float), clusters=clusters, seed=seed, rounds=ROUNDS, bounds=(0.0, 1.0)
    )


def _accuracy(rows: Sequence[_Row], acts: _Fitted, seed: int) -> dict[str, Any]:
    """Share of requests whose most probable act is the right one, and what guessing would give."""
    columns = [i for i, n in enumerate(acts.names) if n.startswith("act:")]
    asking = [i for i, r in enumerate(rows) if any(x.startswith("act:") for x in r.labels)]
    names = [acts.names[c] for c in columns]
    right = [
        float(names[int(np.argmax(acts.held_out[i, columns]))] in rows[i].labels) for i in asking
    ]
    share = bootstrap_mean(
        right,
        clusters=[rows[i].group for i in asking],
        seed=seed,
        rounds=ROUNDS,
        bounds=(0.0, 1.0),
    )
    most = max((sum(n in rows[i].labels for i in asking) for n in names), default=0)
    return {
        "act_accuracy": share.model_dump(),
        "act_majority": most / len(asking) if asking else 1.0,
    }
