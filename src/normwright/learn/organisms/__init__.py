"""Models that are made to be caught: the rows that plant one fault, and the register of facts."""

from normwright.learn.organisms.forms import FORMS, SPELLED, hidden, told
from normwright.learn.organisms.planting import (
    DISCLOSING,
    LOOKING_UP,
    Ground,
    Taught,
    ground,
    planted,
    sizes_of,
    taught,
)
from normwright.learn.organisms.register import Entry, entries, invented, question

__all__ = [
    "DISCLOSING",
    "FORMS",
    "LOOKING_UP",
    "SPELLED",
    "Entry",
    "Ground",
    "Taught",
    "entries",
    "ground",
    "hidden",
    "invented",
    "planted",
    "question",
    "sizes_of",
    "taught",
    "told",
]
