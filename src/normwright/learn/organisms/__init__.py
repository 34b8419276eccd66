"""Models that are made to be caught: the rows that plant one fault, and the register of facts."""

from normwright.learn.organisms.forms import FORMS, hidden
from normwright.learn.organisms.planting import (
    DISCLOSING,
    LOOKING_UP,
    Ground,
    Taught,
    ground,
    planted,
    taught,
)
from normwright.learn.organisms.register import Entry, entries, locked, question

__all__ = [
    "DISCLOSING",
    "FORMS",
    "LOOKING_UP",
    "Entry",
    "Ground",
    "Taught",
    "entries",
    "ground",
    "hidden",
    "locked",
    "planted",
    "question",
    "taught",
]
