"""Tables of published results that ship as data, to stand beside any local run.

| name | is |
|---|---|
| `aira-paper` | ARC, TruthfulQA and ToxiGen of the models of arXiv 2406.11039, en and pt |

Intervals are exact, from n: the sources give none. They are no measurement of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from normwright.evaluate.scores import Score, counted_score
from normwright.records import Fault, InputError


@dataclass(frozen=True)
class Published:
    """A published table."""

    name: str
    title: str
    reference: str
    repository: str
    read: str
    notes: tuple[str, ...]
    scores: tuple[Score, ...]

    def about(self) -> dict[str, Any]:
        """Return what it is, for reports."""
        return {
            "name": self.name,
            "title": self.title,
            "reference": self.reference,
            "repository": self.repository,
            "read": self.read,
            "notes": list(self.notes),
        }


def tables() -> tuple[str, ...]:
    """Return the names of the tables there are."""
    folder = files("normwright.evaluate") / "tables"
    return tuple(
        sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))
    )


@cache
def published(name: str) -> Published:
    """Return a table by its name.

    Raises:
        InputError: if there is none of that name.
    """
    if name not in tables():
        raise InputError([
            Fault(where="--against", expected=f"one of {', '.join(tables())}", seen=name)
        ])  # fmt: skip
    text = (files("normwright.evaluate") / "tables" / f"{name}.yaml").read_text(encoding="utf-8")
    body = yaml.safe_load(text)
    return Published(
        name=body["name"],
        title=body["title"],
        reference=body["reference"],
        repository=body["repository"],
        read=body["read"],
        notes=tuple(body["notes"]),
        scores=tuple(
            _score(body, row, suite, value)
            for row in body["models"]
            for suite, value in row["scores"].items()
        ),
    )


def _score(body: Mapping[str, Any], row: Mapping[str, Any], suite: str, printed: float) -> Score:
    about = body["suites"][suite][row["lang"]]
    source = row.get("source", "repository")
    return counted_score(
        model=row["model"],
        suite=suite,
        lang=row["lang"],
        metric=about["metric"],
        n=about["n"],
        correct=_count(printed, about["n"]) if suite == "toxigen" else printed / 100 * about["n"],
        constants=dict(about["constant"]),
        origin=body["name"] if source == "repository" else f"{body['name']}, {source}",
        settings={"shots": about["shots"], "scaffold": about["scaffold"]},
        tuned_from=row.get("from"),
    )


def _count(printed: float, n: int) -> float:
    """The whole count that is printed so, to two places; else the share times n, as printed."""
    near = round(printed / 100 * n)
    return near if abs(100 * near / n - printed) < 0.01 else printed / 100 * n
