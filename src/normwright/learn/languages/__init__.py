"""Teaching a language of which there is little: translation, strategies, and what they come to."""

from normwright.learn.languages.comparing import (
    STRATEGIES,
    Cell,
    Taught,
    compare_languages,
    learned_from,
    taught,
)
from normwright.learn.languages.translating import (
    LexicalTranslator,
    ModelTranslator,
    Translator,
    back_translated,
    lexical_translator,
    translated,
)

__all__ = [
    "STRATEGIES",
    "Cell",
    "LexicalTranslator",
    "ModelTranslator",
    "Taught",
    "Translator",
    "back_translated",
    "compare_languages",
    "learned_from",
    "lexical_translator",
    "taught",
    "translated",
]
