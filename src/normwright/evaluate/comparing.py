"""Compare scores: by item where both have the items, else as separate samples; and say what it is.

A gain, which is a rise or, where less is better, a fall, is called an improvement only where it is
shown, where the better model's score is more than a constant answer's on this suite and on every
other that both were asked, and where none of those shows that the model was damaged meanwhile: a
damaged model drifts towards chance, which on some suites is up (TruthfulQA mc2).

What a judge counted is compared as counted and behind the judge's errors; a gain or a loss is shown
where both show it. Two judges are two yardsticks: what they counted is not compared at all.

| verdict | says |
|---|---|
| `improvement` | the gain is shown, and nothing speaks against it |
| `gain beside a loss` | the gain is shown, and so is a loss on another suite or part |
| `not an improvement` | the gain is shown, but a constant answer explains it, or damage does |
| `no difference shown` | an interval of the difference holds zero, or Holm's step does |
| `loss` | it is shown to be worse |
| `not comparable` | other questions, another metric, other examples or words around them |
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Final, Literal, TypeAlias

from normwright import stats
from normwright.evaluate.generative.judging import Errors, corrected_difference
from normwright.evaluate.scores import Score, proportion_of
from normwright.records import Estimate, Fault, InputError

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
    corrected: Estimate | None = None
    """The difference behind the errors of the judge that counted both; None without such a one."""
    unpaired: int = 0
    """Units that have a value on one side alone, and so are no part of the difference."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        found = self.difference
        return {
            "suite": self.suite,
            "metric": self.after.metric,
            "better": self.after.better,
            "lang": self.lang,
            "before": self.before.model,
            "after": self.after.model,
            "difference": None if found is None else found.value,
            "interval": None if found is None else found.ends,
            "n": None if found is None else found.n,
            "paired": self.paired,
            "unpaired": self.unpaired,
            "judge": _judge_json(self.after),
            "corrected": None if self.corrected is None else self.corrected.as_json(),
            "p_value": self.p_value,
            "p_holm": self.p_holm,
            "verdict": self.verdict,
            "why": self.why,
        }


def _judge_json(score: Score) -> dict[str, Any] | None:
    judge = None if score.written is None else score.written.judge
    return None if judge is None else judge.as_json()


def compare_scores(
    before: Sequence[Score], after: Sequence[Score], *, claims: Sequence[str] = (), seed: int = 0
) -> list[ScoreDifference]:
    """Return the comparison of every suite, part of one, and language that both sides have.

    Args:
        before: scores of one model.
        after: scores of another.
        claims: suites, or parts as `suite:part`, on which a gain is claimed; Holm's correction is
            over them. Without any, every comparison stands for itself and is no confirmation.
        seed: seed of the resampling.

    Raises:
        InputError: if the sides of a suite were counted by two judges.
    """
    pairs = [
        (b, a)
        for a in after
        for b in before
        if (b.suite, b.lang) == (a.suite, a.lang) and (b.metric in (None, a.metric))
    ]
    _check_judges(pairs)
    made = [_difference(b, a, seed) for b, a in pairs]
    claimed = [
        i for i, (b, _) in enumerate(pairs) if b.name in claims and made[i].p_value is not None
    ]
    adjusted = dict(
        zip(claimed, stats.holm([made[i].p_value or 0.0 for i in claimed]).tolist(), strict=True)
    )
    drawn = [replace(d, p_holm=adjusted.get(i)) for i, d in enumerate(made)]
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
    up: int = 1
    """1 where a rise is a gain, -1 where a fall is."""
    corrected: Estimate | None = None
    unpaired: int = 0

    @property
    def side(self) -> int:
        """1 if a gain is shown, -1 if a loss, else 0."""
        if self.p_holm is not None and self.p_holm >= LEVEL:
            return 0
        sides = {_side(e) for e in (self.estimate, self.corrected) if e is not None}
        return self.up * sides.pop() if len(sides) == 1 else 0


def _side(estimate: Estimate) -> int:
    at = estimate.interval
    return 0 if at is None else 1 if at.low > 0 else -1 if at.high < 0 else 0


def _up(before: Score, after: Score) -> int:
    """Which way is better: from a value on one side of zero, the other way."""
    if after.better == "zero":
        return 1 if before.score < 0 else -1
    return 1 if after.better == "more" else -1


def _check_judges(pairs: Sequence[tuple[Score, Score]]) -> None:
    faults = {}
    for before, after in pairs:
        judges = [None if s.written is None else s.written.judge for s in (before, after)]
        if judges[0] != judges[1]:
            told = [
                "none" if j is None
                else f"{j.name} {j.digest}, sensitivity {_of(j.se)}, specificity {_of(j.sp)}"
                for j in judges
            ]  # fmt: skip
            faults[after.suite, after.lang] = Fault(
                where=f"{after.suite} {after.lang or ''}".rstrip(),
                expected="one judge with one measure of its errors on both sides",
                seen=" and ".join(told),
                do="Measure both models with the same judge and the same version of it: what two "
                "judges count differs though the answers do not.",
            )  # fmt: skip
    if faults:
        raise InputError(list(faults.values()))


def _of(counts: tuple[int, int] | None) -> str:
    return "not measured" if counts is None else f"{counts[0]}/{counts[1]}"


def _difference(before: Score, after: Score, seed: int) -> _Drawn:
    unlike = _unlike(before, after)
    if unlike:
        return _Drawn(None, None, None, False, unlike)
    up = _up(before, after)
    if before.items is None or after.items is None:
        return _apart(before, after)
    shared = sorted(set(before.items) & set(after.items))
    left = [before.items[i] for i in shared]
    right = [after.items[i] for i in shared]
    clusters = None
    if after.clusters and len({after.clusters.get(i, i) for i in shared}) < len(shared):
        clusters = [after.clusters.get(i, i) for i in shared]
    low, high = after.bounds
    bounds = (low - high, high - low)
    found = stats.paired_difference(right, left, clusters=clusters, seed=seed, bounds=bounds)
    # McNemar's test takes items for independent; where they are not, signs are of whole clusters.
    gains: dict[str, float] = {}
    for k, (x, y) in enumerate(zip(left, right, strict=True)):
        name = str(clusters[k]) if clusters else str(k)
        gains[name] = gains.get(name, 0.0) + y - x
    rises, falls = (sum(v > 0 for v in gains.values()), sum(v < 0 for v in gains.values()))
    return _Drawn(
        found, stats.mcnemar_exact(rises, falls), None, True, "", up,
        _corrected(before, after, shared, bounds, seed),
        len(set(before.items) ^ set(after.items)),
    )  # fmt: skip


def _corrected(
    before: Score, after: Score, shared: Sequence[str], bounds: tuple[float, float], seed: int
) -> Estimate | None:
    """The difference behind the judge's errors; None where nobody judged or none were measured."""
    if before.written is None or after.written is None or after.written.judge is None:
        return None
    reads = (after.written.judged, before.written.judged)
    judge, items = after.written.judge, (after.items or {}, before.items or {})
    if judge.se is None or judge.sp is None or not any(reads):
        return None
    clusters = after.clusters or {}
    return corrected_difference(
        [items[0][i] - items[1][i] for i in shared], [clusters.get(i, i) for i in shared],
        Errors(judge.se, judge.sp), seed=seed, bounds=bounds,
        judged=[reads[0].get(i, 0.0) - reads[1].get(i, 0.0) for i in shared],
    )  # fmt: skip


def _unlike(before: Score, after: Score) -> str:
    """What keeps two scores from being compared; empty if nothing does."""
    for score in (before, after):
        if math.isnan(score.score):
            return f"{score.model}: {score.why}"
        if score.written is not None and score.items is None:
            return f"{score.model}: the file of its answers is not beside the result"
    for name in ("shots", "scaffold", "asked", "chat template", "new tokens"):
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
    return ScoreDifference(
        after.suite, after.lang, before, after, drawn.estimate, drawn.p_value, drawn.p_holm,
        drawn.paired, verdict, why, drawn.corrected, drawn.unpaired,
    )  # fmt: skip


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
        return "not an improvement", f"{after.name}: {after.why}"
    if _past_zero(after, drawn.up):
        return "not an improvement", f"{_shares(before, after)}: it went past zero"
    damage = [said for x, y, d in others if (said := _damage(x, y, d))]
    if damage:
        return "not an improvement", "; ".join(damage)
    barred = [f"{y.name}: {y.why}" for _, y, _ in others if y.degenerate]
    if barred:
        return (
            "not an improvement",
            f"a gain needs a model that is nowhere shown to be no better \
than a constant; {'; '.join(barred)}",
        )
    losses = [f"{x.name}: {_shares(x, y)}" for x, y, d in others if d.side < 0]
    if losses:
        return "gain beside a loss", "; ".join(losses)
    return "improvement", _shares(before, after)


def _past_zero(after: Score, up: int) -> bool:
    """Whether what should be near zero is shown to be on the other side of it."""
    if after.better != "zero" or after.interval is None:
        return False
    return after.interval[0] > 0 if up > 0 else after.interval[1] < 0


def _damage(before: Score, after: Score, drawn: _Drawn) -> str:
    """What a fall on another suite says of damage; empty if nothing.

    Either the model was above constants there and no longer is, or of its lead over them less than
    `KEPT` can be left, even at the upper end of its interval.
    """
    best = before.best_constant
    if drawn.side >= 0 or best is None or before.degenerate or before.better != "more":
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
