"""Could a constant answer have made this score? From counts alone, as published tables have them.

A score that is not shown to lie above the best constant answer is no evidence of skill, whatever it
rose from. Two ways of failing are told apart: the exact interval holds a constant's score, so that
the constant explains it; or it lies under the best constant's, so that answering without reading
would have been better. With items at hand the paired test of `benchmarks` is sharper; this one
takes the constant's score as fixed and the interval from n.

That is the trap of a published headline: on ToxiGen's 940 statements, moving from always `Yes` (406
right) to always `No` (534 right) looks like thirteen points less toxicity (arXiv 2406.11039).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from normwright import stats
from normwright.records import Fault, InputError, Interval

COLUMNS: Final = ("model", "suite", "n", "correct", "majority")
"""Columns of a file of counts; others are not read."""

MAJORITY: Final = "majority"
OTHER: Final = "the other answer"


@dataclass(frozen=True)
class Count:
    """One published score as counts."""

    model: str
    suite: str
    n: int
    correct: float
    """Items right; a published share times n need not be whole."""
    majority: float
    """Items right of whoever always gives the commonest answer."""
    lang: str = ""

    @property
    def constants(self) -> dict[str, float]:
        """What constant answers score: the commonest, and of two answers the other one.

        Which suites have two answers is not known from counts; where the commonest is right about
        less than half there must be more.
        """
        out = {MAJORITY: self.majority / self.n}
        if self.majority >= self.n / 2:
            out[OTHER] = 1 - self.majority / self.n
        return out


@dataclass(frozen=True)
class Degeneracy:
    """Whether a score is shown to be more than a constant answer's."""

    degenerate: bool
    consistent_with: tuple[str, ...]
    """Constants whose score the exact interval holds."""
    interval: Interval
    why: str


def degeneracy(
    correct: float, n: int, constants: Mapping[str, float], *, level: float = 0.95
) -> Degeneracy:
    """Return whether a count of right answers lies above what every constant answer scores.

    Args:
        correct: items right, or a sum of shares; of shares the exact interval is too wide, not too
            narrow, because their variance is less than a count's.
        n: items asked.
        constants: score of each constant answer, as a share; at least one.
        level: of the exact two-sided interval.
    """
    found = stats.clopper_pearson(correct, n, level)
    best = max(constants, key=lambda name: constants[name])
    holds = tuple(name for name, share in constants.items() if found.low <= share <= found.high)
    seen = (
        f"{_number(correct)} of {n} ({correct / n:.4f}, exact {level:.0%} interval "
        f"{found.low:.4f} to {found.high:.4f})"
    )
    top = f"{best} ({constants[best]:.4f})"
    if best in holds:
        return Degeneracy(True, holds, found, f"consistent with a constant answer: {seen} "
                          f"holds what {top} scores")  # fmt: skip
    if found.high < constants[best]:
        least = min(constants.values())
        if holds:
            beside = (
                f"it holds what {holds[0]} ({constants[holds[0]]:.4f}) scores: consistent with a "
                f"constant answer, and under the better one"
            )
        elif least < found.low:
            beside = "no one constant makes it, a mixture of them does, and one alone is better"
        else:
            beside = "no one constant makes it, and one that reads nothing is better"
        return Degeneracy(True, holds, found, f"{seen} lies under what {top} scores; {beside}")
    return Degeneracy(False, holds, found, f"{seen} lies above what {top} scores")


def read_counts(path: Path) -> tuple[Count, ...]:
    """Return the rows of a CSV file of counts: `model,suite,n,correct,majority`, perhaps `lang`.

    Raises:
        InputError: with every fault of the file.
    """
    if not path.is_file():
        raise InputError([
            Fault(where=str(path), expected=f"a CSV file with {','.join(COLUMNS)}",
                  seen="no such file")
        ])  # fmt: skip
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader]
            names = tuple(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([
            Fault(where=str(path), expected="a CSV file in UTF-8", seen=str(error)[:200])
        ]) from None  # fmt: skip
    lacking = [name for name in COLUMNS if name not in names]
    if lacking or len(set(names)) < len(names):
        raise InputError([
            Fault(where=f"{path}:1", expected=f"the columns {','.join(COLUMNS)}, each once",
                  seen=",".join(names) or "an empty file")
        ])  # fmt: skip
    faults: list[Fault] = []
    made = [_count(row, f"{path}:{line}", faults) for line, row in rows]
    first: dict[tuple[str, str, str], int] = {}
    for (line, _), count in zip(rows, made, strict=True):
        if count is None:
            continue
        key = (count.model, count.suite, count.lang)
        if first.setdefault(key, line) != line:
            faults.append(Fault(
                where=f"{path}:{line}", expected="one row a model, suite and language",
                seen=f"{count.model}, {count.suite} again, as in line {first[key]}"))  # fmt: skip
    if not rows:
        faults.append(Fault(where=str(path), expected="rows", seen="none"))
    if faults:
        raise InputError(faults)
    return tuple(count for count in made if count is not None)


def _count(row: Mapping[str, Any], where: str, faults: list[Fault]) -> Count | None:
    before = len(faults)

    def fault(expected: str, seen: str, do: str = "") -> None:
        faults.append(Fault(where=where, expected=expected, seen=seen, do=do))

    texts = {name: row[name].strip() if isinstance(row.get(name), str) else "" for name in COLUMNS}
    if None in row or any(value is None for value in row.values()):
        fault("as many values as columns", "more or fewer")
        return None
    for name in ("model", "suite"):
        if not texts[name]:
            fault(f"a name in `{name}`", "nothing")
    numbers = {}
    for name in ("n", "correct", "majority"):
        try:
            numbers[name] = float(texts[name])
        except ValueError:
            numbers[name] = math.nan
        if not math.isfinite(numbers[name]):
            fault(f"a number in `{name}`", repr(texts[name][:40]))
    if len(faults) > before:
        return None
    n, correct, majority = (numbers[name] for name in ("n", "correct", "majority"))
    if n < 1 or n != int(n):
        fault("`n`: a whole number of items, at least 1", texts["n"])
    elif not 0 <= correct <= n:
        fault(f"`correct`: items right, 0 to {int(n)}", texts["correct"])
    if 0 < majority < 1 < n:
        fault(
            "`majority`: the count of items that the commonest answer is right about",
            f"{texts['majority']}, which looks like a share",
            f"Give {majority * n:g}.",
        )
    elif n >= 1 and not 0 < majority <= n:
        fault(f"`majority`: more than 0 and at most {n:g}", texts["majority"])
    if len(faults) > before:
        return None
    lang = row.get("lang")
    return Count(texts["model"], texts["suite"], int(n), correct, majority,
                 lang.strip() if isinstance(lang, str) else "")  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
