"""Translate rows: with any language model, or word by word with a table learned from parallel text.

The second needs nothing but parallel sentences and a second of work. It knows no grammar, which is
what the poorest languages have; it shows what a bad translation does to learning, and it is said on
every row that it made (`origin: translated`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from normwright.models import Model
from normwright.records import Demonstration, Message

_TOKEN: Final = re.compile(r"\w+|[^\w\s]|\s+")
_WORD: Final = re.compile(r"[^\W\d_]+")
LONGEST: Final = 40
"""Words of a sentence, at most, for it to be learned from: longer ones align badly."""


class Translator(Protocol):
    """What translates texts from one language to another."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Return each text in the target language."""
        ...


@dataclass(frozen=True)
class LexicalTranslator:
    """Replaces every word by its likeliest translation; numbers, marks and spaces stay."""

    tables: Mapping[tuple[str, str], Mapping[str, str]]
    """(source, target) -> word in lower case -> its translation."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Return each text, word by word; a word that is in no sentence learned from stays.

        Raises:
            KeyError: for a direction nothing was learned of.
        """
        table = self.tables[source, target]
        return ["".join(_replaced(part, table) for part in _TOKEN.findall(t)) for t in texts]


def _replaced(part: str, table: Mapping[str, str]) -> str:
    found = table.get(part.lower())
    if found is None:
        return part
    if part.isupper() and len(part) > 1:
        return found.upper()
    return found.capitalize() if part[:1].isupper() else found


def lexical_translator(
    parallel: Sequence[Mapping[str, str]], *, languages: tuple[str, str], rounds: int = 8
) -> LexicalTranslator:
    """Return a translator in both directions, learned from texts that exist in both languages.

    IBM Model 1 (Brown et al. 1993, The Mathematics of Statistical Machine Translation), fitted by
    expectation maximisation from an even start, with an empty word; the same input gives the same
    table.

    Args:
        parallel: texts by language; those that lack one of the two are passed over.
        languages: the two.
        rounds: passes of the fit.

    Raises:
        ValueError: if no text exists in both languages.
    """
    first, second = languages
    both = [(_words(row[first]), _words(row[second])) for row in parallel
            if row.get(first) and row.get(second)]  # fmt: skip
    short = [(a, b) for a, b in both if 0 < len(a) <= LONGEST and 0 < len(b) <= LONGEST]
    if not short:
        raise ValueError(f"no text of at most {LONGEST} words exists in {first} and {second}")
    turned = [(b, a) for a, b in short]
    return LexicalTranslator(
        {(first, second): _table(short, rounds), (second, first): _table(turned, rounds)}
    )


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _table(pairs: Sequence[tuple[list[str], list[str]]], rounds: int) -> dict[str, str]:
    """The likeliest translation of each word of the left sides."""
    left, right = (
        _numbered(w for a, _ in pairs for w in a),
        _numbered(w for _, b in pairs for w in b),
    )
    empty = len(left)
    sources, targets, slots = [], [], []
    slot = 0
    for a, b in pairs:
        from_words = [*(left[w] for w in a), empty]
        for word in b:
            sources += from_words
            targets += [right[word]] * len(from_words)
            slots += [slot] * len(from_words)
            slot += 1
    cells = np.array(sources, dtype=np.int64) * len(right) + np.array(targets, dtype=np.int64)
    known, cell = np.unique(cells, return_inverse=True)
    owner, where = known // len(right), np.array(slots)
    chance: NDArray[np.float64] = np.ones(len(known))
    for _ in range(rounds):
        chance /= np.bincount(owner, weights=chance, minlength=empty + 1)[owner]
        given = chance[cell]
        given /= np.bincount(where, weights=given)[where]
        chance = np.bincount(cell, weights=given, minlength=len(known)).astype(np.float64)
    order = np.lexsort((known, -chance))
    words, translations = list(left), list(right)
    best: dict[str, str] = {}
    for i in order.tolist():
        at = int(owner[i])
        if at != empty and words[at] not in best:
            best[words[at]] = translations[int(known[i]) % len(right)]
    return best


def _numbered(words: Iterable[str]) -> dict[str, int]:
    return {word: i for i, word in enumerate(sorted(set(words)))}


ASKED: Final[Mapping[str, str]] = {
    "en": "Translate the text between <text> and </text> from {source} to {target}. Write the "
    "translation and nothing else.\n<text>{text}</text>",
    "pt": "Traduz o texto entre <text> e </text> de {source} para {target}. Escreve a tradução e "
    "mais nada.\n<text>{text}</text>",
}


@dataclass(frozen=True)
class ModelTranslator:
    """Asks a language model, local or behind an API."""

    model: Model
    max_new_tokens: int = 256

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Return each text as the model translates it, greedily."""
        asked = ASKED.get(target, ASKED["en"])
        prompts = [
            [Message(role="user", content=asked.format(source=source, target=target, text=text))]
            for text in texts
        ]
        made = self.model.generate(prompts, max_new_tokens=self.max_new_tokens)
        return [answers[0] for answers in made]


def translated(
    rows: Sequence[Demonstration], translator: Translator, *, target: str
) -> list[Demonstration]:
    """Return rows in another language, prompt and answer, marked as translated.

    A row whose translation is empty stays out, because an empty answer teaches silence.
    """
    made = []
    for row in rows:
        texts = [*(m.content for m in row.prompt), row.completion]
        said = translator.translate(texts, source=row.lang, target=target)
        if all(text.strip() for text in said):
            prompt = tuple(
                Message(role=m.role, content=text)
                for m, text in zip(row.prompt, said[:-1], strict=True)
            )
            parts = {"prompt": prompt, "completion": said[-1], "lang": target}
            made.append(row.model_copy(update={**parts, "origin": "translated"}))
    return made


def back_translated(
    rows: Sequence[Demonstration], translator: Translator, *, through: str
) -> list[Demonstration]:
    """Return rows of one language in other words: translated to another language and back.

    Those that come back the same stay out.
    """
    there = translated(rows, translator, target=through)
    back = translated(there, translator, target=rows[0].lang) if there else []
    before = {row.scene: (row.prompt, row.completion) for row in rows}
    return [row for row in back if (row.prompt, row.completion) != before[row.scene]]
