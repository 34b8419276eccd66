"""Alignment tax: is a model's loss of skill, item by item, less than a margin fixed beforehand?

Per suite and language, the score after less the score before:

| state | says |
|---|---|
| `shown` | a loss of the margin or more is excluded |
| `refuted` | a loss of more than the margin is shown |
| `open` | neither, or the test could not have failed; `needed` says how many items more |
| `not comparable` | other questions, another metric, other examples or words around them |

Single suites are named after Holm's correction. That no suite has a tax asks for all of them at
once, which needs none (Berger, Technometrics 24, 1982). A test that a model without any skill would
pass shows nothing: where the first model is not above constant answers by more than the margin the
state is `open` whatever was counted (assay sensitivity, ICH E10; the margin is held to the lower
end of the lead). A rise is a gain only as `comparing` has it: nowhere degenerate, nowhere damaged.

With several formats, each asked of both models, the tax is split: what the stock prompt costs
beyond another format is `format` (a difference of differences, paired by item); what is lost in the
format itself stays. The parity gap is English less Portuguese.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright import stats
from normwright.evaluate.comparing import ScoreDifference, compare_scores
from normwright.evaluate.scores import Score
from normwright.records import Estimate, Fault, InputError

State: TypeAlias = Literal["shown", "refuted", "open", "not comparable"]

BARE: Final = "bare"
"""The stock prompt, to which the other formats are compared."""

POWER: Final = 0.8
"""Of the n that is still needed."""

_NORMAL: Final = NormalDist()
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class TaxRow:
    """One suite in one language: what it cost."""

    suite: str
    lang: str | None
    before: Score
    after: Score
    difference: Estimate | None
    """Score after less score before, with the interval of level 1 - 2 alpha whose lower end is
    compared with the margin."""
    margin: float
    lead: float | None
    """By how much the first model is at least above the best constant: the lower end."""
    p_loss_below_margin: float | None
    """One-sided, of "the loss is the margin or more"; small shows that it is not."""
    p_loss_above_margin: float | None
    """One-sided, of "the loss is the margin or less"; small shows that it is more."""
    holm: tuple[float, float] | None
    """Both, adjusted over the suites."""
    test: str
    state: State
    why: str
    needed: int | None
    """Items in all at which this would be shown with power 0.8, at the differences seen; None where
    it is decided, or where no n would do."""
    verdict: str
    """What a difference in this suite may be called, from `comparing`."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        found = self.difference
        return {
            "suite": self.suite,
            "lang": self.lang,
            "before": self.before.score,
            "after": self.after.score,
            "difference": None if found is None else found.value,
            "interval": None if found is None else found.ends,
            "level": None if found is None or found.interval is None else found.interval.level,
            "n": None if found is None else found.n,
            "margin": self.margin,
            "lead": self.lead,
            "p_shown": self.p_loss_below_margin,
            "p_refuted": self.p_loss_above_margin,
            "p_shown_holm": None if self.holm is None else self.holm[0],
            "p_refuted_holm": None if self.holm is None else self.holm[1],
            "test": self.test,
            "state": self.state,
            "why": self.why,
            "needed": self.needed,
            "degenerate": {"before": self.before.degenerate, "after": self.after.degenerate},
            "gain": self.verdict == "improvement",
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class FormatRow:
    """One suite: what the stock prompt costs beyond another format, and what is lost in that."""

    suite: str
    lang: str | None
    format: str
    bare: Estimate
    """Tax with the stock prompt."""
    tax: Estimate
    """Tax in this format: what the format does not explain."""
    share: Estimate
    """Tax bare less tax in this format, paired by item: below zero, the stock prompt makes the loss
    look greater than it is here."""
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "suite": self.suite, "lang": self.lang, "format": self.format,
            "bare": self.bare.as_json(), "tax": self.tax.as_json(),
            "format_loss": self.share.as_json(), "why": self.why,
        }  # fmt: skip


@dataclass(frozen=True)
class ParityRow:
    """One suite in two languages: English less Portuguese, before, after, and the change."""

    suite: str
    before: Estimate
    after: Estimate
    change: Estimate
    paired: bool
    """Whether items are the same questions in both languages."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "suite": self.suite, "before": self.before.as_json(), "after": self.after.as_json(),
            "change": self.change.as_json(), "paired": self.paired,
        }  # fmt: skip


@dataclass(frozen=True)
class Tax:
    """What alignment cost a model, suite by suite."""

    rows: tuple[TaxRow, ...]
    state: State
    """Of all suites together."""
    why: str
    margin: float
    alpha: float
    seed: int
    mean: Estimate
    """Mean of the differences, suites alike; empty unless all suites have items."""
    parity: tuple[ParityRow, ...] = ()
    formats: tuple[FormatRow, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "state": self.state,
            "why": self.why,
            "margin": self.margin,
            "alpha": self.alpha,
            "mean": self.mean.as_json(),
            "rows": [row.as_json() for row in self.rows],
            "formats": [row.as_json() for row in self.formats],
            "parity": [row.as_json() for row in self.parity],
            "notes": list(self.notes),
            "seed": self.seed,
        }


@dataclass(frozen=True)
class _Tested:
    difference: Estimate
    below: float
    above: float
    test: str
    effect: float
    """What the next sample is to find: the distance of the difference from the margin."""
    discordant: float | None
    """Share of pairs that differ, of counts."""
    spread: float
    enlarged: float
    """By how much clusters multiply the n."""


def alignment_tax(
    before: Sequence[Score],
    after: Sequence[Score],
    *,
    margin: float,
    alpha: float = 0.05,
    seed: int = 0,
    formats: Mapping[str, tuple[Sequence[Score], Sequence[Score]]] | None = None,
) -> Tax:
    """Return the tax of every suite and language that both sides have.

    Args:
        before: scores of the model that was aligned.
        after: scores of what came of it.
        margin: the greatest loss that would be borne, as a share; to be fixed before measuring.
        alpha: one-sided error, over all suites.
        seed: seed of resampling.
        formats: scores of both in other formats than the stock prompt, by name.

    Raises:
        InputError: if the margin or alpha is impossible, or no suite is shared.
    """
    faults = []
    if not 0 < margin < 1:
        faults.append(Fault(where="--margin", expected="a share above 0 and below 1",
                            seen=f"{margin:g}"))  # fmt: skip
    if not 0 < alpha < 0.5:
        faults.append(Fault(where="--alpha", expected="above 0 and below 0.5", seen=f"{alpha:g}"))
    made = compare_scores(before, after, seed=seed)
    if not made:
        faults.append(Fault(
            where="A, B", expected="a suite that both were asked, by one metric",
            seen=f"{_named(before)}; {_named(after)}"))  # fmt: skip
    if faults:
        raise InputError(faults)
    tested = [None if _unlike(d) else _tested(d.before, d.after, margin, alpha) for d in made]
    known = [i for i, t in enumerate(tested) if t is not None]
    below = stats.holm([t.below for t in tested if t is not None])
    above = stats.holm([t.above for t in tested if t is not None])
    adjusted = {i: (float(b), float(a)) for i, b, a in zip(known, below, above, strict=True)}
    rows = tuple(
        _row(d, t, adjusted.get(i), margin, alpha, len(known))
        for i, (d, t) in enumerate(zip(made, tested, strict=True))
    )
    state, why = _together(rows, alpha)
    given = formats or {}
    return Tax(
        rows, state, why, margin, alpha, seed, _mean(made, alpha, seed),
        parity(before, after, seed=seed),
        tuple(f for name, (x, y) in given.items() for f in _formats(name, before, after, x, y)),
    )  # fmt: skip


def _mean(made: Sequence[ScoreDifference], alpha: float, seed: int) -> Estimate:
    """The mean over suites; items of one id or cluster are drawn together wherever they stand."""
    rng, columns, names = np.random.default_rng(seed), [], dict[str, int]()
    for one in made:
        if one.before.items is None or one.after.items is None or _unlike(one):
            return Estimate(value=None, interval=None, n=0, seed=seed)
        shared = sorted(set(one.before.items) & set(one.after.items))
        units = shared_clusters(one.after, shared) or shared
        codes = np.array([names.setdefault(name, len(names)) for name in units])
        change = np.array([one.after.items[i] - one.before.items[i] for i in shared])
        columns.append((codes, change))
    n = len(names)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=2000)
    drawn = np.zeros(2000)
    for codes, change in columns:
        mine = weights[:, codes]
        drawn += mine @ change / np.maximum(mine.sum(1), 1) / len(columns)
    value = float(np.mean([change.mean() for _, change in columns]))
    found = stats.percentile_interval(drawn, 1 - 2 * alpha)
    return Estimate(value=value, interval=found, n=n, seed=seed)


def _named(scores: Sequence[Score]) -> str:
    return ", ".join(sorted({f"{s.suite} {s.lang or ''}".rstrip() for s in scores})) or "none"


def _unlike(made: ScoreDifference) -> bool:
    return made.verdict == "not comparable"


def _tested(before: Score, after: Score, margin: float, alpha: float) -> _Tested:
    """The difference of two scores against the margin, by what is known of their items."""
    if before.items is None or after.items is None:
        return _apart(before, after, margin, alpha)
    shared = sorted(set(before.items) & set(after.items))
    old, new = (np.array([side.items[i] for i in shared])
                for side in (before, after) if side.items is not None)  # fmt: skip
    clusters = shared_clusters(after, shared)
    change = new - old
    counted = bool(np.isin(old, (0.0, 1.0)).all() and np.isin(new, (0.0, 1.0)).all())
    effect = float(change.mean()) + margin
    discordant = float((change != 0).mean()) if counted else None
    spread = float(change.std(ddof=1)) if len(change) > 1 else 0.0
    if counted and clusters is None:
        wins, losses, n = int((change > 0).sum()), int((change < 0).sum()), len(shared)
        found = stats.noninferiority_paired(wins, losses, n, margin=margin, alpha=alpha)
        above = _NORMAL.cdf(float(stats.tango(wins, losses, n, -margin)))
        exact = wins + losses <= 100
        return _Tested(found.difference, found.p_value, above, "exact-paired" if exact else "tango",
                       effect, discordant, spread, 1.0)  # fmt: skip
    found = stats.noninferiority_mean(change, clusters, margin=margin, alpha=alpha)
    above = _worse(change, found, margin)
    enlarged = 1.0
    if clusters is not None:
        alike = stats.intraclass(change, clusters) or 0.0
        enlarged = max(1.0, stats.design_effect(len(shared) / len(set(clusters)), max(0.0, alike)))
    return _Tested(found.difference, found.p_value, above, "clustered-t" if clusters else "t",
                   effect, discordant, spread, enlarged)  # fmt: skip


def _worse(change: Floats, found: stats.MarginTest, margin: float) -> float:
    """The p-value of "the mean is at the margin or above": the other side of the same test."""
    mean, n = float(change.mean()), found.difference.n
    if np.ptp(change) > 0:
        return 1 - found.p_value
    return 1.0 if mean >= -margin else float((1 - (-margin - mean) / (1 - mean)) ** n)


def _apart(before: Score, after: Score, margin: float, alpha: float) -> _Tested:
    """Without items: two samples, whose counts are rounded to whole ones."""
    new, old = ((round(s.score * s.n), s.n) for s in (after, before))
    found = stats.noninferiority_unpaired(new, old, margin=margin, alpha=alpha)
    above = _NORMAL.cdf(float(stats.farrington_manning(*new, *old, -margin)))
    spread = math.sqrt(sum(s.score * (1 - s.score) for s in (before, after)))
    return _Tested(found.difference, found.p_value, above, "farrington-manning",
                   after.score - before.score + margin, None, spread, 1.0)  # fmt: skip


def shared_clusters(score: Score, items: Sequence[str]) -> list[str] | None:
    """Return what each item is drawn with; None where items are independent or all of one."""
    names = [(score.clusters or {}).get(i, i) for i in items]
    return names if 1 < len(set(names)) < len(names) else None


def _row(
    made: ScoreDifference, tested: _Tested | None, holm: tuple[float, float] | None,
    margin: float, alpha: float, suites: int,
) -> TaxRow:  # fmt: skip
    """One row with its state."""
    before, lead = made.before, _lead(made.before)
    if tested is None or holm is None:
        return TaxRow(made.suite, made.lang, before, made.after, None, margin, lead, None, None,
                      None, "none", "not comparable", made.why, None, made.verdict)  # fmt: skip
    state, why = _state(tested, holm, before, lead, margin, alpha)
    open_ = state == "open" and not _blind(before, lead, margin)
    needed = _needed(tested, alpha / suites) if open_ else None
    return TaxRow(
        made.suite, made.lang, before, made.after, tested.difference, margin, lead,
        tested.below, tested.above, holm, tested.test, state, why, needed, made.verdict,
    )  # fmt: skip


def _lead(before: Score) -> float | None:
    if before.best_constant is None:
        return None
    low = before.interval[0] if before.interval else before.score
    return low - before.best_constant


def _state(
    tested: _Tested, holm: tuple[float, float], before: Score, lead: float | None,
    margin: float, alpha: float,
) -> tuple[State, str]:  # fmt: skip
    gap = tested.difference.value or 0.0
    told = f"{gap:+.4f}, {tested.difference.ends}"
    if holm[1] <= alpha:
        return "refuted", f"a loss of more than {margin:g} is shown: {told}"
    blind = _blind(before, lead, margin)
    if blind:
        return "open", blind
    if holm[0] <= alpha:
        return "shown", f"a loss of {margin:g} or more is excluded: {told}"
    return "open", f"a loss of {margin:g} is neither shown nor excluded: {told}"


def _blind(before: Score, lead: float | None, margin: float) -> str:
    """Why the test could not fail, whatever happened to the model; empty if it could."""
    if before.degenerate:
        return f"nothing to lose: {before.model} was no better than a constant answer before"
    if lead is not None and lead <= margin:
        return (
            f"{before.model} is shown to be above constant answers by {max(lead, 0.0):.4f} at "
            f"least, which is not more than the margin {margin:g}: it could lose all of it and pass"
        )
    return ""


def _needed(tested: _Tested, alpha: float) -> int | None:
    """Items at which the margin would be excluded with `POWER`, if the difference stays."""
    if tested.effect <= 0:
        return None
    if tested.discordant is not None:
        discordant = min(1.0, max(tested.discordant, tested.effect))
        n = stats.paired_n(min(1.0, tested.effect), discordant, alpha=2 * alpha, power=POWER)
    else:
        n = stats.mean_n(tested.effect, tested.spread, alpha=2 * alpha, power=POWER)
    return math.ceil(n * tested.enlarged)


def _together(rows: Sequence[TaxRow], alpha: float) -> tuple[State, str]:
    """The claim about all suites at once."""
    known = [row for row in rows if row.state != "not comparable"]
    if not known:
        return "not comparable", rows[0].why
    refuted = [row for row in known if row.state == "refuted"]
    if refuted:
        return "refuted", "; ".join(f"{_title(row)}: {row.why}" for row in refuted)
    unseen = [
        row for row in known
        if (row.p_loss_below_margin or 0.0) > alpha
        or _blind(row.before, row.lead, row.margin)
    ]  # fmt: skip
    missing = [row for row in rows if row.state == "not comparable"]
    if unseen or missing:
        return "open", "; ".join(f"{_title(row)}: {row.why}" for row in (*unseen, *missing))
    return "shown", f"on each of {len(known)} a loss of the margin or more is excluded"


def _title(row: TaxRow) -> str:
    return f"{row.suite} {row.lang or ''}".rstrip()


def parity(before: Sequence[Score], after: Sequence[Score], *, seed: int) -> tuple[ParityRow, ...]:
    """Return English less Portuguese of every suite that has both, on both sides."""
    sides = [{(s.suite, s.lang): s for s in side if s.items is not None}
             for side in (before, after)]  # fmt: skip
    suites = [
        suite for suite, lang in sides[0]
        if lang == "en" and all((suite, tag) in side for side in sides for tag in ("en", "pt"))
    ]  # fmt: skip
    out = []
    for suite in suites:
        four = [side[suite, lang].items or {} for side in sides for lang in ("en", "pt")]
        shared = sorted(set.intersection(*(set(items) for items in four)))
        paired = len(shared) >= max(2, min(map(len, four)) // 2)
        old, new, change = _gaps(four, shared) if paired else _gaps_apart(four, seed)
        out.append(ParityRow(suite, old, new, change, paired))
    return tuple(out)


def _gaps(
    four: Sequence[Mapping[str, float]], shared: Sequence[str]
) -> tuple[Estimate, Estimate, Estimate]:
    """Gaps of the same questions in two languages."""
    a, b, c, d = (np.array([items[i] for i in shared]) for items in four)
    return stats.paired_mean(a, b), stats.paired_mean(c, d), stats.paired_mean(c - d, a - b)


def _gaps_apart(
    four: Sequence[Mapping[str, float]], seed: int
) -> tuple[Estimate, Estimate, Estimate]:
    """Gaps of different questions: each language is resampled for itself, both models together."""
    names = [sorted(set(four[k]) & set(four[k + 2])) for k in (0, 1)]
    n, rng = min(map(len, names)), np.random.default_rng(seed)
    if n < 2:
        none = Estimate(value=None, interval=None, n=n, seed=seed)
        return none, none, none
    # Row 0 is the mean itself, the others are resampled.
    drawn = [np.vstack([np.arange(len(x)), rng.integers(0, len(x), (2000, len(x)))]) for x in names]
    means = [
        np.array([items[i] for i in names[k % 2]])[drawn[k % 2]].mean(1)
        for k, items in enumerate(four)
    ]

    def gap(found: Floats) -> Estimate:
        return Estimate(value=float(found[0]), interval=stats.percentile_interval(found[1:]), n=n,
                        seed=seed)  # fmt: skip

    old, new = means[0] - means[1], means[2] - means[3]
    return gap(old), gap(new), gap(new - old)


def _formats(
    name: str, before: Sequence[Score], after: Sequence[Score], old: Sequence[Score],
    new: Sequence[Score],
) -> list[FormatRow]:  # fmt: skip
    """The tax in another format beside that of the stock prompt, on the same items."""
    sides = [{(s.suite, s.lang): s for s in side} for side in (before, after, old, new)]
    out = []
    for key in sides[0]:
        if not all(key in side and side[key].items for side in sides):
            continue
        four = [side[key].items or {} for side in sides]
        shared = sorted(set.intersection(*(set(items) for items in four)))
        clusters = shared_clusters(sides[0][key], shared)
        a, b, c, d = (np.array([items[i] for i in shared]) for items in four)
        bare = stats.paired_mean(b, a, clusters)
        tax = stats.paired_mean(d, c, clusters)
        share = stats.paired_mean(b - a, d - c, clusters)
        out.append(FormatRow(key[0], key[1], name, bare, tax, share, _split(tax, share)))
    return out


def _split(tax: Estimate, share: Estimate) -> str:
    lost = tax.interval is not None and tax.interval.high < 0
    format_ = share.interval is not None and share.interval.high < 0
    if format_ and lost:
        return "both: the stock prompt costs more than this format, and there is a loss in it"
    if format_:
        return "format loss: the stock prompt costs more than this format, in which none is shown"
    if lost:
        return "knowledge loss: there is a loss in this format too, and no smaller one is shown"
    return "neither is shown"
