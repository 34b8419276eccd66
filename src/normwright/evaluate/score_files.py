"""Read scores back from files: counts, results of benchmarks, results of suites of written answers.

A result of written answers gives a row for its score and one for each part that the suite shows
beside it, so that over-refusal is never hidden in a difference.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from normwright.evaluate.degeneracy import read_counts
from normwright.evaluate.scores import (
    ANSWERS,
    ITEMS,
    SCORE,
    JudgeSeen,
    Score,
    Written,
    counted_score,
)
from normwright.records import Fault, InputError, json_rows


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
    found = [one for file in files for one in _result(file, faults, one=path.is_file())]
    if not found and not faults:
        faults.append(Fault(
            where=str(path), expected="results of `evaluate run --out`, a CSV file of counts, or a "
            "project", seen="no such file" if not path.exists() else "none of them"))  # fmt: skip
    if faults:
        raise InputError(faults)
    return found


def _result(path: Path, faults: list[Fault], *, one: bool) -> Sequence[Score]:
    """A result with its items; in a folder, other JSON is passed over."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (ValueError, OSError) as error:
        faults.append(Fault(where=str(path), expected="a result of `evaluate run --out`",
                            seen=str(error)[:200]))  # fmt: skip
        return ()
    read = _KINDS.get(str(body.get("kind"))) if isinstance(body, dict) else None
    if read is None:
        if one:
            faults.append(Fault(where=str(path), expected="a result of `evaluate run --out`",
                                seen="other JSON"))  # fmt: skip
        return ()
    try:
        return read(path, body, faults)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        faults.append(Fault(where=str(path), expected="a whole result of `evaluate run --out`",
                            seen=f"{type(error).__name__}: {error}",
                            do="Measure it again with --out."))  # fmt: skip
        return ()


def _given(path: Path, body: Mapping[str, Any], faults: list[Fault]) -> Sequence[Score]:
    """The score of a benchmark, whose answers are given."""
    items, clusters = _items(path, body, faults)
    constants = {str(c["answer"]): float(c["score"]) for c in body["constant"]}
    if body["chance"] is not None:
        constants.setdefault("chance", float(body["chance"]))
    interval = body["interval"]
    return [Score(
        model=str(body["model"]), suite=str(body["suite"]), lang=body["lang"],
        metric=str(body["metric"]), n=int(body["n"]), score=float(body["score"]),
        interval=None if interval is None else (float(interval[0]), float(interval[1])),
        constants=constants, degenerate=bool(body["degenerate"]), why=str(body["why"]),
        origin="local", items=items, clusters=clusters,
        settings={"shots": body["shots"], "scaffold": body["scaffold"],
                  "asked": body["asked"], "metric": body["metric"],
                  "chat template": body.get("chat_template")},
    )]  # fmt: skip


def _items(
    path: Path, body: Mapping[str, Any], faults: list[Fault]
) -> tuple[dict[str, float] | None, dict[str, str] | None]:
    rows = _rows(path, ITEMS, body, faults)
    if rows is None:
        return None, None
    values = {str(row["id"]): float(row["value"]) for row in rows if row["value"] is not None}
    return values, {str(row["id"]): str(row["cluster"]) for row in rows}


def _rows(
    path: Path, ending: str, body: Mapping[str, Any], faults: list[Fault]
) -> list[Mapping[str, Any]] | None:
    """The rows beside a result; None without the file."""
    beside = path.with_name(path.name.removesuffix(".json") + ending)
    if not beside.is_file():
        return None
    rows: list[Mapping[str, Any]] = [row for _, row in json_rows(beside, str(beside), faults)]
    if len(rows) != body["asked_items"] or len({row["id"] for row in rows}) != len(rows):
        faults.append(Fault(where=str(beside), expected=f"{body['asked_items']} items, each once",
                            seen=f"{len(rows)} rows"))  # fmt: skip
    return rows


# Written answers


def _written(path: Path, body: Mapping[str, Any], faults: list[Fault]) -> Sequence[Score]:
    """The score of a suite of written answers, and its parts that stand beside it."""
    rows = _rows(path, ANSWERS, body, faults)
    judge, guard = _judge(body), body.get("guard")
    model = str(body["model"]) + (f" + {guard['place']}" if guard else "")
    units = None if rows is None else {str(row["unit"]): row for row in rows}
    clusters = None if units is None else {u: str(row["cluster"]) for u, row in units.items()}

    def made(part: str) -> Score:
        main = part == SCORE
        told = body if main else {**body["metrics"][part], "score": body["metrics"][part]["value"]}
        items = None if units is None else {
            u: float(v) for u, row in units.items()
            if (v := row["value"] if main else row["parts"].get(part)) is not None
        }  # fmt: skip
        name = str(body["metric"]) if main else part
        corrected = body["corrected"] or {}
        return Score(
            model=model, suite=str(body["suite"]), lang=body["lang"], metric=name,
            n=int(body["n"]) if items is None else len(items),
            score=math.nan if told["score"] is None else float(told["score"]),
            interval=_ends(told["interval"]), constants=_constants(body, None if main else part),
            degenerate=bool(body["degenerate"]), why=str(body["why"]), origin="local",
            settings={"shots": body["shots"], "scaffold": body["scaffold"],
                      "asked": body["asked"], "metric": name,
                      "new tokens": body.get("max_new_tokens")},
            items=items, clusters=clusters,
            better=body["better"] if main else body["beside"][part],
            bounds=tuple(body["bounds"]) if main else (0.0, 1.0),
            written=Written(
                part, judge,
                {} if units is None else {
                    u: float(row["judged"][part]) for u, row in units.items()
                    if part in row["judged"]
                },
                corrected.get("difference", corrected.get(name)) if main else corrected.get(part),
            ),
        )  # fmt: skip

    return [made(part) for part in (SCORE, *body["beside"])]


def _judge(body: Mapping[str, Any]) -> JudgeSeen | None:
    told = body["judge"]
    if told is None:
        return None
    se, sp = (
        (round(found["value"] * found["n"]), int(found["n"]))
        if (found := told[name].get(body["lang"])) else None
        for name in ("sensitivity", "specificity")
    )  # fmt: skip
    return JudgeSeen(str(told["name"]), str(told["digest"]), se, sp)


def _constants(body: Mapping[str, Any], part: str | None) -> dict[str, float]:
    found = {
        str(c["answer"]): float(value) for c in body["constant"]
        if (value := c["score"] if part is None else c["parts"].get(part)) is not None
    }  # fmt: skip
    if part is None and body["chance"] is not None:
        found.setdefault("chance", float(body["chance"]))
    return found


def _ends(ends: Sequence[float] | None) -> tuple[float, float] | None:
    return None if ends is None else (float(ends[0]), float(ends[1]))


_KINDS: Final[Mapping[str, Callable[[Path, Mapping[str, Any], list[Fault]], Sequence[Score]]]] = {
    "suite-result": _given,
    "generative-result": _written,
}
"""How each kind of result is read."""
