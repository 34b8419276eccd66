"""One model's score on one suite as a table shows it, wherever it comes from.

It comes from a result of `evaluate run --out`, a file of counts, a project's own measurements, or a
published table. Items go with it where they are known: then two scores are compared by item.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from normwright import stats
from normwright.evaluate.degeneracy import degeneracy
from normwright.records import Measurement

MAIN: Final[Mapping[str, str]] = {
    "arc-easy": "acc_norm",
    "arc-challenge": "acc_norm",
    "truthfulqa-mc1": "acc",
    "truthfulqa-mc2": "acc",
    "toxigen": "acc",
    "bbq": "acc",
    "enem": "acc",
}
"""The metric of each suite that is its score: the one published tables give."""

ITEMS: Final = ".items.jsonl"
"""Ending of the file of items beside a result."""

ANSWERS: Final = ".answers.jsonl"
"""Ending of the file of written answers beside a result."""

Better: TypeAlias = Literal["more", "less", "zero"]
"""Which scores are better; `zero`: those nearer to it, from either side."""

SCORE: Final = "score"
"""What the score of a suite is called among its parts."""


@dataclass(frozen=True)
class JudgeSeen:
    """The judge that counted, and its errors as they were measured in the suite's language."""

    name: str
    digest: str
    se: tuple[int, int] | None
    """Found, of those that were so; None where nothing was measured."""
    sp: tuple[int, int] | None
    """Cleared, of those that were not."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value, with exact intervals."""
        shares = {"sensitivity": self.se, "specificity": self.sp}
        return {
            "name": self.name, "digest": self.digest,
            **{k: None if v is None else stats.proportion(*v, method="exact").as_json()
               for k, v in shares.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What stands behind a score of written answers."""

    part: str
    """`SCORE`, or the name of a part of the suite that is shown as a row of its own."""
    judge: JudgeSeen | None
    """Who counted it; None where answers are checked to the letter."""
    judged: Mapping[str, float] = field(default_factory=dict)
    """By unit: the answers behind its value that the judge read, with the sign its yes has."""
    corrected: Mapping[str, Any] | None = None
    """The score behind the judge's errors, as the result tells it."""


@dataclass(frozen=True)
class Score:
    """What one model scored on one suite in one language."""

    model: str
    suite: str
    lang: str | None
    metric: str | None
    n: int
    score: float
    """Not a number where nothing that was answered could be scored."""
    interval: tuple[float, float] | None
    constants: Mapping[str, float]
    """What answers without understanding score on the same items."""
    degenerate: bool
    why: str
    origin: str
    """`local`, `counts`, `project`, or the name of a published table."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it must share with another to be compared by item: shots, scaffold, data."""
    items: Mapping[str, float] | None = None
    """Value of each item, by its id."""
    clusters: Mapping[str, str] | None = None
    """What each item belongs to, where items are not independent."""
    tuned_from: str | None = None
    better: Better = "more"
    bounds: tuple[float, float] = (0.0, 1.0)
    written: Written | None = None
    """None: it is of answers that were given, and not written by the model."""

    @property
    def name(self) -> str:
        """What a claim calls it: its suite, or the part of it that it is."""
        part = SCORE if self.written is None else self.written.part
        return self.suite if part == SCORE else f"{self.suite}:{part}"

    @property
    def best_constant(self) -> float | None:
        """The best that a constant scores; None where none is known."""
        told = self.constants.values()
        match self.better:
            case "more":
                return max(told, default=None)
            case "less":
                return min(told, default=None)
            case "zero":
                return min(told, key=abs, default=None)

    def as_json(self) -> dict[str, Any]:
        """Return one row of a comparison."""
        return {
            "model": self.model,
            "suite": self.suite,
            "lang": self.lang,
            "metric": self.metric,
            "n": self.n,
            "score": None if math.isnan(self.score) else self.score,
            "interval": None if self.interval is None else list(self.interval),
            "constant": [{"answer": a, "score": s} for a, s in self.constants.items()],
            "degenerate": self.degenerate,
            "why": self.why,
            "origin": self.origin,
            "shots": self.settings.get("shots"),
            "scaffold": self.settings.get("scaffold"),
            "from": self.tuned_from,
            "better": self.better,
            **self._behind(),
        }

    def _behind(self) -> dict[str, Any]:
        if self.written is None:
            return {}
        judge = self.written.judge
        return {"part": self.written.part, "judge": None if judge is None else judge.as_json(),
                "corrected": self.written.corrected}  # fmt: skip


def counted_score(
    *, model: str, suite: str, lang: str | None, metric: str | None, n: int, correct: float,
    constants: Mapping[str, float], origin: str, settings: Mapping[str, Any] | None = None,
    tuned_from: str | None = None,
) -> Score:  # fmt: skip
    """Return a score that is known by its count alone, with the exact interval and the flag."""
    found = degeneracy(correct, n, constants)
    return Score(
        model, suite, lang, metric, n, correct / n, (found.interval.low, found.interval.high),
        constants, found.degenerate, found.why, origin, settings or {}, tuned_from=tuned_from,
    )  # fmt: skip


def measured_scores(
    measurements: Sequence[Measurement], *, name: str, origin: str = "project"
) -> list[Score]:
    """Return the scores among a project's measurements; roles are named after the project."""
    out = []
    for m in measurements:
        value, at = m.estimate.value, m.estimate.interval
        if MAIN.get(m.suite) != m.metric or value is None:
            continue
        said = m.details.get("consistent_with", ())
        flagged = bool(m.details.get("degenerate", False))
        out.append(Score(
            model=f"{name}: {m.model}", suite=m.suite, lang=m.lang, metric=m.metric,
            n=m.details.get("items", m.estimate.n), score=value,
            interval=None if at is None else (at.low, at.high),
            constants={k: v for k, v in m.baselines.items() if k != "no-question"},
            degenerate=flagged,
            why=f"not shown above {', '.join(said)}" if flagged else "above every constant answer",
            origin=origin,
            settings={"shots": m.details.get("few_shot"), "scaffold": m.details.get("scaffold"),
                      "asked": m.details.get("asked"), "metric": m.metric},
        ))  # fmt: skip
    return out


def proportion_of(score: Score) -> Any:
    """Return a score as a share of n, for a comparison of separate samples."""
    return stats.proportion(score.score * score.n, score.n)
