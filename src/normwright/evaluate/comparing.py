"""Compare scores: by item where both have the items, else as separate samples; and say what it is.

A rise is called an improvement only where it is shown, where the better model's score is more than
a constant answer's on this suite and on every other that both were asked, and where none of those
shows that the model was damaged meanwhile: a damaged model drifts towards chance, which on some
suites is up (TruthfulQA mc2).

| verdict | says |
|---|---|
| `improvement` | the rise is shown, and nothing speaks against it |
| `gain beside a loss` | the rise is shown, and so is a loss on another suite |
| `not an improvement` | the rise is shown, but a constant answer explains it, or damage does |
| `no difference shown` | the interval of the difference holds zero, or Holm's step does |
| `loss` | the fall is shown |
| `not comparable` | other questions, another metric, other examples or words around them |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, Literal, TypeAlias

from normwright import stats
from normwright.evaluate.scores import Score, proportion_of
from normwright.records import Estimate

Verdict: TypeAlias = Literal[
    "improvement", "gain beside a loss", "not an improvement", "no difference shown", "loss",
    "not comparable",
]  # fmt: skip

LEVEL: Final = 0.05
KEPT: Final = 0.5
"""A model that keeps less than this share of its lead over constants is damaged."""


@dataclass(frozen=True)
class ScoreDifference:
    """One suite in one language: the score after, less the score before."""

    suite: str
    lang: str | None
    before: Score
    after: Score
    difference: Estimate | None
    p_value: float | None
    p_holm: float | None
    """Corrected over the claims that were named; None where it is not one of them."""
    paired: bool
    verdict: Verdict
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        found = self.difference
        return {
            "suite": self.suite,
            "lang": self.lang,
            "before": self.before.model,
            "after": self.after.model,
            "difference": None if found is None else found.value,
            "interval": None if found is None else found.ends,
            "n": None if found is None else found.n,
            "paired": self.paired,
            "p_value": self.p_value,
            "p_holm": self.p_holm,
            "verdict": self.verdict,
            "why": self.why,
        }


def compare_scores(
    before: Sequence[Score], after: Sequence[Score], *, claims: Sequence[str] = (), seed: int = 0
) -> list[ScoreDifference]:
    """Return the comparison of every suite and language that both sides have.

    Args:
        before: scores of one model.
        after: scores of another.
        claims: suites a rise is claimed on; Holm's correction is over them. Without any, every
            comparison stands for itself and is no confirmation.
        seed: seed of the resampling.
    """
    pairs = [
        (b, a)
        for a in after
        for b in before
        if (b.suite, b.lang) == (a.suite, a.lang) and (b.metric in (None, a.metric))
    ]
    made = [_difference(b, a, seed) for b, a in pairs]
    claimed = [
        i for i, (b, _) in enumerate(pairs) if b.suite in claims and made[i].p_value is not None
    ]
    adjusted = dict(
        zip(claimed, stats.holm([made[i].p_value or 0.0 for i in claimed]).tolist(), strict=True)
    )
    drawn = [_Drawn(d.estimate, d.p_value, adjusted.get(i), d.paired, d.unlike)
             for i, d in enumerate(made)]  # fmt: skip
    return [
        _judged(b, a, drawn[i], [(x, y, drawn[j]) for j, (x, y) in enumerate(pairs)
                                 if j != i and x.lang == b.lang])
        for i, (b, a) in enumerate(pairs)
    ]  # fmt: skip


def lineages(scores: Sequence[Score], *, seed: int = 0) -> list[ScoreDifference]:
    """Return the comparison of every model of a table with the one it was tuned from."""
    by: dict[tuple[str, str | None], list[Score]] = {}
    for score in scores:
        by.setdefault((score.model, score.lang), []).append(score)
    out = []
    for (_, lang), after in by.items():
        parent = next((s.tuned_from for s in after if s.tuned_from), None)
        if parent is not None and (parent, lang) in by:
            out += compare_scores(by[parent, lang], after, seed=seed)
    return out


@dataclass(frozen=True)
class _Drawn:
    estimate: Estimate | None
    p_value: float | None
    p_holm: float | None
    paired: bool
    unlike: str

    @property
    def side(self) -> int:
        """1 if a rise is shown, -1 if a fall, else 0."""
        at = self.estimate.interval if self.estimate else None
        if at is None or (self.p_holm is not None and self.p_holm >= LEVEL):
            return 0
        return 1 if at.low > 0 else -1 if at.high < 0 else 0


def _difference(before: Score, after: Score, seed: int) -> _Drawn:
    unlike = _unlike(before, after)
    if unlike:
        return _Drawn(None, None, None, False, unlike)
    if before.items is None or after.items is None:
        return _apart(before, after)
    shared = sorted(set(before.items) & set(after.items))
    left = [before.items[i] for i in shared]
    right = [after.items[i] for i in shared]
    clusters = None
    if after.clusters and len({after.clusters.get(i, i) for i in shared}) < len(shared):
        clusters = [after.clusters.get(i, i) for i in shared]
    found = stats.paired_difference(right, left, clusters=clusters, seed=seed, bounds=(-1.0, 1.0))
    # McNemar's test takes items for independent; where they are not, signs are of whole clusters.
    gains: dict[str, float] = {}
    for k, (x, y) in enumerate(zip(left, right, strict=True)):
        name = str(clusters[k]) if clusters else str(k)
        gains[name] = gains.get(name, 0.0) + y - x
    up, down = (sum(v > 0 for v in gains.values()), sum(v < 0 for v in gains.values()))
    return _Drawn(found, stats.mcnemar_exact(up, down), None, True, "")


def _unlike(before: Score, after: Score) -> str:
    """What keeps two scores from being compared; empty if nothing does."""
    for name in ("shots", "scaffold", "asked", "chat template"):
        a, b = before.settings.get(name), after.settings.get(name)
        if a is not None and b is not None and a != b:
            return {"asked": "other questions were asked"}.get(name, f"{name}: {a} and {b}")
    return ""


def _apart(before: Score, after: Score) -> _Drawn:
    """Without items: Newcombe's interval, and the test of two shares with a pooled variance."""
    found = stats.share_difference(proportion_of(before), proportion_of(after))
    pooled = (before.score * before.n + after.score * after.n) / (before.n + after.n)
    spread = (pooled * (1 - pooled) * (1 / before.n + 1 / after.n)) ** 0.5
    if spread == 0:
        return _Drawn(found, 1.0, None, False, "")
    z = abs(after.score - before.score) / spread
    return _Drawn(found, 2 * (1 - NormalDist().cdf(z)), None, False, "")


def _judged(
    before: Score, after: Score, drawn: _Drawn, others: Sequence[tuple[Score, Score, _Drawn]]
) -> ScoreDifference:
    verdict, why = _verdict(before, after, drawn, others)
    return ScoreDifference(after.suite, after.lang, before, after, drawn.estimate, drawn.p_value,
                    drawn.p_holm, drawn.paired, verdict, why)  # fmt: skip


def _verdict(
    before: Score, after: Score, drawn: _Drawn, others: Sequence[tuple[Score, Score, _Drawn]]
) -> tuple[Verdict, str]:
    if drawn.unlike:
        return "not comparable", drawn.unlike
    if drawn.side < 0:
        return "loss", _shares(before, after)
    if drawn.side == 0:
        return "no difference shown", _shares(before, after)
    if after.degenerate:
        return "not an improvement", f"{after.suite}: {after.why}"
    damage = [said for x, y, d in others if (said := _damage(x, y, d))]
    if damage:
        return "not an improvement", "; ".join(damage)
    barred = [f"{y.suite}: {y.why}" for _, y, _ in others if y.degenerate]
    if barred:
        return (
            "not an improvement",
            f"a gain needs a model that is nowhere shown to be no better \
than a constant; {'; '.join(barred)}",
        )
    losses = [f"{x.suite}: {_shares(x, y)}" for x, y, d in others if d.side < 0]
    if losses:
        return "gain beside a loss", "; ".join(losses)
    return "improvement", _shares(before, after)


def _damage(before: Score, after: Score, drawn: _Drawn) -> str:
    """What a fall on another suite says of damage; empty if nothing.

    Either the model was above constants there and no longer is, or of its lead over them less than
    `KEPT` can be left, even at the upper end of its interval.
    """
    best = before.best_constant
    if drawn.side >= 0 or best is None or before.degenerate:
        return ""
    told = f"{before.suite} fell from {before.score:.4f} to {after.score:.4f}"
    if after.degenerate:
        return f"{told}, which a constant answer can make ({best:.4f}): the model was damaged"
    lead = before.score - best
    left = after.interval[1] - best if after.interval else lead
    if left < KEPT * lead:
        return (
            f"{told}: of a lead of {lead:.4f} over what no understanding scores ({best:.4f}), at "
            f"most {max(left, 0.0):.4f} is left: the model was damaged"
        )
    return ""


def _shares(before: Score, after: Score) -> str:
    return f"{before.score:.4f} to {after.score:.4f}"
