"""Running text as JSON lines, packed or not, with how bad it is where that was scored.

| column | what it is |
|---|---|
| `text` | the text |
| `lang` | its language, a BCP 47 tag; may be left out |
| `score` | how bad the whole is, higher being worse; may be left out |
| `spans` | in its place, a list of [start, end, score] in characters; may be left out |
| `id`, `origin`, `licence` | may be left out |
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from normwright.learn.rows.reading import KNOWN_ORIGINS, read_demonstrations
from normwright.records import Demonstration, Fault, InputError, Passage, json_rows

Memory: TypeAlias = Demonstration | Passage
"""What a model may have to forget, or to keep: an answer to a prompt, or running text."""

COLUMNS: Final = ("text", "lang", "score", "spans", "id", "origin", "licence")
_SHOWN = 20
"""Faults that are told; a file of another form has one on every line."""


def read_passages(path: Path) -> list[Passage]:
    """Return the passages of a file.

    Raises:
        InputError: with the faults of all lines; also for a column that would be ignored, for a
            score that is no finite number, and for a file without rows.
    """
    faults: list[Fault] = []
    passages: list[Passage] = []
    for number, row in json_rows(path, path.name, faults):
        where = f"{path.name}:{number}"
        found = list(_wrong(row))
        faults += [Fault(where=f"{where}: {at}", expected=e, seen=s) for at, e, s in found]
        if not found:
            passages.append(_passage(row, f"{path.name}/{number}"))
    if not passages and not faults:
        faults.append(Fault(where=path.name, expected="at least one row", seen="none"))
    if len(faults) > _SHOWN:
        rest = f"{len(faults) - _SHOWN} more faults"
        more = Fault(where=path.name, expected="rows without faults", seen=rest)
        faults = [*faults[:_SHOWN], more]
    if faults:
        raise InputError(faults)
    return passages


def read_memories(path: Path) -> list[Memory]:
    """Return the rows of a file: passages if its first row has `text`, else demonstrations.

    Raises:
        InputError: with the faults of all lines; also for a file that mixes the two.
    """
    first = next((row for _, row in json_rows(path, path.name, [])), {})
    return list(read_passages(path) if "text" in first else read_demonstrations(path))


def _wrong(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a row: column, expected, seen."""
    for name in row:
        if name not in COLUMNS:
            yield name, f"one of {', '.join(COLUMNS)}", "a column that would be ignored"
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        yield "text", "text", "nothing" if "text" not in row else repr(text)[:60]
        return
    for name in ("lang", "id", "licence"):
        if name in row and (not isinstance(row[name], str) or not row[name]):
            yield name, "text", repr(row[name])[:60]
    if row.get("origin", "human") not in KNOWN_ORIGINS:
        yield "origin", f"one of {', '.join(KNOWN_ORIGINS)}", repr(row["origin"])[:60]
    if row.get("score") is not None and "spans" in row:
        yield "spans", "either score or spans", "both"
    if row.get("score") is not None and not _finite(row["score"]):
        yield "score", "a finite number, higher being worse", repr(row["score"])[:60]
    yield from _wrong_spans(row.get("spans", []), len(text))


def _wrong_spans(spans: Any, length: int) -> Iterator[tuple[str, str, str]]:
    if not isinstance(spans, list):
        yield "spans", "a list of [start, end, score]", type(spans).__name__
        return
    before = 0
    for number, span in enumerate(spans):
        at = f"spans[{number}]"
        if not isinstance(span, list) or len(span) != 3 or not all(map(_finite, span)):
            yield at, "[start, end, score] of finite numbers", repr(span)[:60]
            return
        start, end, _ = span
        if not (isinstance(start, int) and isinstance(end, int) and before <= start < end):
            yield at, f"whole numbers with {before} <= start < end", repr(span)[:60]
            return
        if end > length:
            yield at, f"an end within the text's {length} characters", repr(span)[:60]
            return
        before = end


def _finite(value: Any) -> bool:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return right and math.isfinite(value)


def _passage(row: Mapping[str, Any], name: str) -> Passage:
    return Passage(
        text=row["text"],
        lang=row.get("lang", "und"),
        score=row.get("score"),
        spans=tuple(tuple(span) for span in row.get("spans", [])),
        origin=row.get("origin", "human"),
        licence=row.get("licence", "unknown"),
        name=row.get("id", name),
    )
