"""Rows under norms: what is kept, masked or removed, by which norm, and why."""

from normwright.learn.curating.card import LANGUAGES, card
from normwright.learn.curating.curating import Decision, Noted, Selection, Step, Watch, curate
from normwright.learn.curating.documents import Document, documents
from normwright.learn.curating.filters import Attribute, Finding, Given, Scores
from normwright.learn.curating.settings import (
    Contamination,
    Curation,
    Duplicates,
    Harm,
    Language,
    Length,
    Licence,
    Personal,
    Splitting,
    Translation,
    settings_of,
)

__all__ = [
    "LANGUAGES",
    "Attribute",
    "Contamination",
    "Curation",
    "Decision",
    "Document",
    "Duplicates",
    "Finding",
    "Given",
    "Harm",
    "Language",
    "Length",
    "Licence",
    "Noted",
    "Personal",
    "Scores",
    "Selection",
    "Splitting",
    "Step",
    "Translation",
    "Watch",
    "card",
    "curate",
    "documents",
    "settings_of",
]
