"""One model's score on one suite as a table shows it, wherever it comes from.

It comes from a result of `evaluate run --out`, a file of counts, a project's own measurements, or a
published table. Items go with it where they are known: then two scores are compared by item.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from normwright import stats
from normwright.evaluate.degeneracy import degeneracy, read_counts
from normwright.records import Fault, InputError, Measurement, json_rows

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


@dataclass(frozen=True)
class Score:
    """What one model scored on one suite in one language."""

    model: str
    suite: str
    lang: str | None
    metric: str | None
    n: int
    score: float
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

    @property
    def best_constant(self) -> float | None:
        """The most that a constant scores; None where none is known."""
        return max(self.constants.values(), default=None)

    def as_json(self) -> dict[str, Any]:
        """Return one row of a comparison."""
        return {
            "model": self.model,
            "suite": self.suite,
            "lang": self.lang,
            "metric": self.metric,
            "n": self.n,
            "score": self.score,
            "interval": None if self.interval is None else list(self.interval),
            "constant": [{"answer": a, "score": s} for a, s in self.constants.items()],
            "degenerate": self.degenerate,
            "why": self.why,
            "origin": self.origin,
            "shots": self.settings.get("shots"),
            "scaffold": self.settings.get("scaffold"),
            "from": self.tuned_from,
        }


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


def read_scores(path: Path) -> list[Score]:
    """Return the scores of a file of counts, a result, or every result of a folder.

    Raises:
        InputError: with every fault of what is there.
    """
    if path.suffix.casefold() == ".csv":
        return [
            counted_score(
                model=c.model, suite=c.suite, lang=c.lang or None, metric=None, n=c.n,
                correct=c.correct, constants=c.constants, origin="counts",
            )
            for c in read_counts(path)
        ]  # fmt: skip
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    faults: list[Fault] = []
    found = [one for file in files if (one := _result(file, faults, one=path.is_file()))]
    if not found and not faults:
        faults.append(Fault(
            where=str(path), expected="results of `evaluate run --out`, a CSV file of counts, or a "
            "project", seen="no such file" if not path.exists() else "none of them"))  # fmt: skip
    if faults:
        raise InputError(faults)
    return found


def _result(path: Path, faults: list[Fault], *, one: bool) -> Score | None:
    """A result with its items; in a folder, other JSON is passed over."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        faults.append(Fault(where=str(path), expected="a result of `evaluate run --out`",
                            seen=str(error)[:200]))  # fmt: skip
        return None
    if not isinstance(body, dict) or body.get("kind") != "suite-result":
        if one:
            faults.append(Fault(where=str(path), expected="a result of `evaluate run --out`",
                                seen="other JSON"))  # fmt: skip
        return None
    try:
        items, clusters = _items(path, body, faults)
        constants = {str(c["answer"]): float(c["score"]) for c in body["constant"]}
        if body["chance"] is not None:
            constants.setdefault("chance", float(body["chance"]))
        interval = body["interval"]
        return Score(
            model=str(body["model"]), suite=str(body["suite"]), lang=body["lang"],
            metric=str(body["metric"]), n=int(body["n"]), score=float(body["score"]),
            interval=None if interval is None else (float(interval[0]), float(interval[1])),
            constants=constants, degenerate=bool(body["degenerate"]), why=str(body["why"]),
            origin="local", items=items, clusters=clusters,
            settings={"shots": body["shots"], "scaffold": body["scaffold"],
                      "asked": body["asked"], "metric": body["metric"],
                      "chat template": body.get("chat_template")},
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError) as error:
        faults.append(Fault(where=str(path), expected="a whole result of `evaluate run --out`",
                            seen=f"{type(error).__name__}: {error}",
                            do="Measure it again with --out."))  # fmt: skip
        return None


def _items(
    path: Path, body: Mapping[str, Any], faults: list[Fault]
) -> tuple[dict[str, float] | None, dict[str, str] | None]:
    beside = path.with_name(path.name.removesuffix(".json") + ITEMS)
    if not beside.is_file():
        return None, None
    rows = [row for _, row in json_rows(beside, str(beside), faults)]
    values = {str(row["id"]): float(row["value"]) for row in rows if row["value"] is not None}
    whole = len(rows) == body["asked_items"] and len({row["id"] for row in rows}) == len(rows)
    if not whole:
        faults.append(Fault(where=str(beside), expected=f"{body['asked_items']} items, each once",
                            seen=f"{len(rows)} rows"))  # fmt: skip
    return values, {str(row["id"]): str(row["cluster"]) for row in rows}


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
