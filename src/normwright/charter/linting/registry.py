"""The lint classes: one file each, whose decorator enters it here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from normwright.charter.linting.ground import Ground
from normwright.records import CharterFinding, FindingClass

Severity: TypeAlias = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""Gravest first."""

Find: TypeAlias = Callable[[Ground], Iterator[CharterFinding]]


@dataclass(frozen=True)
class LintClass:
    """One kind of finding."""

    name: FindingClass
    severity: Severity
    summary: str
    """What it says, in one line: the first of its finder's docstring."""
    find: Find
    quick: Find | None
    """Finds what can be found without a solver; None: nothing can."""


LINTS: dict[FindingClass, LintClass] = {}
"""Every class by name, in the order in which findings are listed."""


def lint_class(
    name: FindingClass, severity: Severity, *, quick: Find | Literal["same"] | None = None
) -> Callable[[Find], Find]:
    """Enter a finder as the lint class of a name.

    Args:
        name: the class.
        severity: how grave a finding is.
        quick: the finder without a solver; `same`: this one needs none.
    """

    def enter(find: Find) -> Find:
        summary = (find.__doc__ or "").partition("\n")[0]
        LINTS[name] = LintClass(name, severity, summary, find, find if quick == "same" else quick)
        return find

    return enter
