"""Whose word a call goes by: where the values that steer it were read.

A recipient, an account, an address to visit or a thing to delete may come from the person, from
one's own records, from a document the person pointed to, or from whatever else was read. A value
that stands only in a text that gives orders to whoever reads it comes from a stranger who wants to
be obeyed. Where labels of a whole run would stop all that is useful, this asks value by value.

It finds a value where it stands as it is. A model that rewrites it (spells it out, translates it)
makes it come from nowhere, which asks; that somebody else's value stands in a trusted place by
chance, it cannot see.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias, get_args

from normwright.guard.agents.manifest import (
    Standing,
    ToolSpec,
    found_at,
)

STANDINGS: tuple[Standing, ...] = get_args(Standing)
"""From the weakest: only in a text that gives orders; nowhere, so that the agent made it up; read;
read where the person pointed; one's own records; the person's words."""

Suspecting: TypeAlias = Callable[[str], bool]
"""Whether a text gives orders to whoever reads it."""


@dataclass(frozen=True)
class Heard:
    """One text, and how far its values are to be gone by."""

    text: str
    """Folded; see `folded`."""
    standing: Standing


@dataclass(frozen=True)
class Provenance:
    """All that a run has heard, in order. It is kept in memory only."""

    heard: tuple[Heard, ...] = ()

    def with_words(self, words: str) -> Provenance:
        """Return it with words of the person added."""
        return replace(self, heard=(*self.heard, Heard(folded(words), "word")))

    def with_result(
        self, tool: ToolSpec, arguments: Mapping[str, Any], result: Any, *, suspecting: Suspecting
    ) -> Provenance:
        """Return it with what a call gave, every text in it on its own.

        Fields that the manifest vouches for are one's own records. The rest counts as pointed to
        if the person, or what they pointed to, named all that the call went by.
        """
        # What a field of a record holds may be an order too, whoever keeps the record.
        own = {id(v) for pointer in tool.vouches for v in found_at(result, pointer)}
        pointed = bool(tool.steers) and all(
            self.standing(value) in ("pointed", "word")
            for rule in tool.steers
            for value in _values(arguments, rule.pointer)
        )
        plain: Standing = "pointed" if pointed else "read"
        added = []
        for leaf, value in _leaves(result):
            standing: Standing = "own" if id(value) in own else plain
            added.append(Heard(folded(leaf), "suspect" if suspecting(leaf) else standing))
        return replace(self, heard=(*self.heard, *added))

    def standing(self, value: Any) -> Standing:
        """Return the best standing of the texts in which a value stands."""
        name = folded(str(value)).strip()
        if not name:
            return "nowhere"
        shapes = [_shape(form) for form in _forms(name)]
        found = (
            one.standing for one in self.heard if any(shape.search(one.text) for shape in shapes)
        )
        return max(found, key=STANDINGS.index, default="nowhere")

    def asked_for(self, stems: Iterable[str]) -> bool:
        """Whether the person, or what they pointed to, used one of these beginnings of words."""
        found = [re.compile(rf"\b{re.escape(folded(stem))}") for stem in stems]
        return any(
            one.standing in ("pointed", "word") and any(stem.search(one.text) for stem in found)
            for one in self.heard
        )


@dataclass(frozen=True)
class Stray:
    """A value that steers a call and that nobody entitled has said."""

    pointer: str
    standing: Standing


def strays(tool: ToolSpec, arguments: Mapping[str, Any], provenance: Provenance) -> list[Stray]:
    """Return what steers a call without standing enough, and what an order says is to go out."""
    found = []
    for rule in tool.steers:
        for value in _values(arguments, rule.pointer):
            standing = provenance.standing(value)
            if STANDINGS.index(standing) < STANDINGS.index(rule.needs):
                found.append(Stray(rule.pointer, standing))
    for pointer in tool.carries:
        for value in _values(arguments, pointer):
            # An order may dictate what is to be said, or only a link to be passed on.
            parts = [*_LINK.findall(str(value)), str(value)]
            if any(provenance.standing(part) == "suspect" for part in parts):
                found.append(Stray(pointer, "suspect"))
    if tool.asked_by and not provenance.asked_for(tool.asked_by):
        found.append(Stray("", "nowhere"))
    return found


_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+", re.IGNORECASE)


def folded(text: str) -> str:
    """Return a text in one case, one width, and with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _forms(name: str) -> list[str]:
    """The ways in which a value may be written: an address with or without what stands before."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", name).rstrip("/.,;")
    return [name, bare] if bare and bare != name else [name]


@lru_cache(maxsize=4096)
def _shape(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w]){re.escape(name)}(?![\w])")


def _values(arguments: Mapping[str, Any], pointer: str) -> Iterator[Any]:
    return (v for v in found_at(arguments, pointer) if v is not None and v != "")


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Every text and number in a result, with the object it is."""
    match value:
        case dict():
            for name, inner in value.items():
                yield str(name), name
                yield from _leaves(inner)
        case list() | tuple():
            for inner in value:
                yield from _leaves(inner)
        case bool() | None:
            return
        case _:
            yield str(value), value
