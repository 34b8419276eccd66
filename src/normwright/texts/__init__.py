"""What can be told from a text without a language model. Pure: no I/O, no torch."""

from normwright.texts.duplicates import (
    Repeat,
    clusters,
    duplicate_tagger,
    jaccard,
    repeats,
    shingles,
)
from normwright.texts.languages import UNKNOWN, Spoken, language_tagger, spoken
from normwright.texts.overlap import Benchmarks, Overlap
from normwright.texts.personal import KINDS, Span, find_personal, masked
from normwright.texts.translations import Found, translation_flaws
from normwright.texts.words import plain, words

__all__ = [
    "KINDS",
    "UNKNOWN",
    "Benchmarks",
    "Found",
    "Overlap",
    "Repeat",
    "Span",
    "Spoken",
    "clusters",
    "duplicate_tagger",
    "find_personal",
    "jaccard",
    "language_tagger",
    "masked",
    "plain",
    "repeats",
    "shingles",
    "spoken",
    "translation_flaws",
    "words",
]
