"""Slate rules, one file each: ballots and a size in, so many alternatives out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from normwright.aggregate.election import Election


@dataclass(frozen=True)
class Chosen:
    """The alternatives that a slate rule chose, by number."""

    members: tuple[int, ...]
    """In the order they were chosen, where the rule chooses one after the other; else sorted."""
    sequential: bool = False
    """Whether the order of `members` means anything."""
    tied: bool = False
    """Whether the rule would as well have chosen another slate; which one it took is in `facts`."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What a critic would ask for, as JSON values: scores, a certificate, how ties went."""


SlateRule = Callable[[Election, int], Chosen]
"""From ballots and a size to a slate. Raises `Inapplicable` where they do not hold what it needs,
or where there are fewer alternatives than the size."""
