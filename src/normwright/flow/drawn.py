"""Drawn cases as rows of a file: counted while they are made, written whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from normwright.charter.drawing import Drawing, DrawnCase

RowForm: TypeAlias = Literal["demonstrations", "pairs", "items"]
"""What the rows are for: to learn from, to compare, to be asked."""


class CaseRows:
    """The rows of a drawing, counted while they are made."""

    def __init__(self, drawing: Drawing, form: RowForm, start: int, count: int) -> None:
        self._drawing = drawing
        self._form = form
        self._start, self._count = start, count
        self._verdicts: Counter[str] = Counter()
        self._families: dict[str, Counter[str]] = {"train": Counter(), "test": Counter()}
        self._kinds: Counter[str] = Counter()
        self._units: set[str] = set()
        self.lines = 0
        self.digest = ""

    def rows(self) -> Iterator[str]:
        """Yield each row as one line of JSON."""
        for case in self._drawing.between(self._start, self._count):
            self._verdicts[case.decision.verdict] += 1
            self._families[case.frame.split][case.frame.family] += 1
            self._kinds["near_misses"] += case.near_miss is not None
            self._kinds["swaps"] += case.swap is not None
            self._kinds["altered"] += bool(case.alteration)
            self._units.add(case.unit)
            for row in self._rows(case):
                self.lines += 1
                yield json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"

    def _rows(self, case: DrawnCase) -> Iterator[dict[str, Any]]:
        from normwright.charter.drawing import (
            demonstrations,
            instruction,
            items,
            preference_pairs,
        )

        beside = {
            "split": case.frame.split,
            "template": case.frame.name,
            "unit": case.unit,
            "verdict": case.decision.verdict,
            "near_miss": case.near_miss,
            "swap": case.swap,
            "alteration": case.alteration,
            "charter": case.charter,
            "labelled_by": "resolver",
        }
        match self._form:
            case "demonstrations":
                for row in demonstrations(case):
                    yield {**instruction(row), **beside}
            case "pairs":
                for pair in preference_pairs(case, kind=self._drawing.charter.kind):
                    yield {**pair.model_dump(mode="json"), **beside}
            case "items":
                for item in items(case):
                    yield item.model_dump(mode="json")

    def summary(self) -> dict[str, Any]:
        """Return what was drawn, in numbers."""
        drawing = self._drawing
        return {
            "cases": self._count,
            "rows": self.lines,
            "as": self._form,
            "start": self._start,
            "available": drawing.size,
            "units": len(self._units),
            "languages": list(drawing.spoken),
            "verdicts": dict(sorted(self._verdicts.items())),
            "near_misses": self._kinds["near_misses"],
            "swaps": self._kinds["swaps"],
            "altered": self._kinds["altered"],
            "families": {k: dict(sorted(v.items())) for k, v in self._families.items()},
            "floors_kept": drawing.keep_floors,
            "charter": drawing.charter.digest,
            "seed": drawing.seed,
            "labelled_by": "resolver",
            "digest": self.digest or None,
        }


def write_cases(told: CaseRows, out: Path) -> None:
    """Write the rows whole or not at all; packed bytes name no file and no time."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.part")
    seen = hashlib.sha256()
    try:
        with beside.open("wb") as raw, _packed(raw, out) as file:
            for row in told.rows():
                data = row.encode()
                seen.update(data)
                file.write(data)
        os.replace(beside, out)
    finally:
        beside.unlink(missing_ok=True)
    told.digest = f"sha256:{seen.hexdigest()}"


def _packed(raw: IO[bytes], out: Path) -> AbstractContextManager[IO[bytes] | gzip.GzipFile]:
    if out.suffix != ".gz":
        return nullcontext(raw)
    return gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=6)
