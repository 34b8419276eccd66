"""One row of the lab: what theory says, what came out, and how far apart they may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Relation = Literal["<=", ">=", "within"]


@dataclass(frozen=True)
class Finding:
    """One number that was measured, beside what it should be."""

    test: str
    expected: float | str
    measured: float | str
    threshold: float | str
    passed: bool
    relation: Relation = "<="
    """How `measured` must stand to `threshold`."""
    control: bool = False
    """A control: something is done wrong on purpose, and the lab must see it."""
    detail: str = ""
    curve: tuple[str, float] | None = None
    """The curve it is a point of, and its place there (votes)."""


@dataclass(frozen=True)
class Scale:
    """How much is done: the thresholds mean the same at every scale."""

    seed: int = 0
    quick: bool = False
    """Fewer instances and shorter runs, and only the checks that bear them."""


@dataclass(frozen=True)
class Check:
    """One experiment: it may find several numbers."""

    name: str
    run: Callable[[Scale], Iterator[Finding]]
    quick: bool = False
    """It is part of the quick lab too."""


@dataclass(frozen=True)
class Row:
    """A finding with the seconds it took; a check's seconds stand at its first finding."""

    check: str
    finding: Finding
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the row as the public contract has it."""
        return {**asdict(self.finding), "seconds": round(self.seconds, 3), "check": self.check}


def at_most(
    test: str, measured: float, threshold: float, *, expected: float | str = 0.0,
    control: bool = False, detail: str = "",
) -> Finding:  # fmt: skip
    """Return a finding that passes if the number is at or under the threshold; NaN never does."""
    passed = bool(measured <= threshold)
    return Finding(test, expected, float(measured), threshold, passed, "<=", control, detail)


def at_least(
    test: str, measured: float, threshold: float, *, expected: float | str,
    control: bool = False, detail: str = "",
) -> Finding:  # fmt: skip
    """Return a finding that passes if the number is at or over the threshold; NaN never does."""
    passed = bool(measured >= threshold)
    return Finding(test, expected, float(measured), threshold, passed, ">=", control, detail)


def within(
    test: str, measured: float, low: float, high: float, *, expected: float | str,
    control: bool = False, detail: str = "", curve: tuple[str, float] | None = None,
) -> Finding:  # fmt: skip
    """Return a finding that passes if the number is between two bounds; NaN never is."""
    passed = bool(low <= measured <= high)
    return Finding(test, expected, float(measured), f"{low:.4g} to {high:.4g}", passed, "within",
                   control, detail, curve)  # fmt: skip
