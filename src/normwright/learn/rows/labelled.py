"""Single answers with the share of people who find them unsafe: what gives a cost its sign."""

from __future__ import annotations

from dataclasses import dataclass

from normwright.records import Message


@dataclass(frozen=True)
class Labelled:
    """One answer and the share of people who find it unsafe."""

    prompt: tuple[Message, ...]
    completion: str
    unsafe: float
    """In [0, 1]; 1 or 0 is the label of one person."""
    weight: float = 1.0
    family: str = ""
    """What must not be split; the unit of intervals."""
