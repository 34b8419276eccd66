"""What pages say: one locale file a language, with numbers as that language writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from normwright.records import Fault, InputError
from normwright.release import Form, number


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    lang: str
    book: dict[str, Any]

    def __call__(self, key: str, **values: object) -> str:
        """Return the words under a dotted key, filled with values.

        Raises:
            KeyError: if there are no such words; a page never shows a key in their place.
        """
        found = self.get(key)
        if found is None:
            raise KeyError(f"no words for {key!r} in {self.lang!r}")
        return found.format(**values) if values else found

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the words under a key without filling them, or the default."""
        at: Any = self.book
        for part in key.split(".", 1):
            at = at.get(part) if isinstance(at, dict) else None
        return at if isinstance(at, str) else default

    def number(self, value: float | None, form: Form = "share") -> str:
        """Return a number as this language writes it; unknown is a dash, never a zero."""
        return "–" if value is None else number(value, form, self.lang)

    def count(self, value: int | None) -> str:
        """Return a count with its thousands apart."""
        return self.number(value, "count")


@cache
def shipped() -> tuple[str, ...]:
    """Return the languages that have a locale file, sorted."""
    folder = files("normwright.web") / "locale"
    return tuple(
        sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))
    )


def words_for(languages: Sequence[str]) -> tuple[Words, ...]:
    """Return the words of each language that has them, in the order asked for.

    Raises:
        InputError: if no language has them, because then there is no page to write.
    """
    found = tuple(_words(lang) for lang in languages if lang in shipped())
    if not found:
        raise InputError(
            [
                Fault(
                    where="languages",
                    expected=f"at least one of {', '.join(shipped())}",
                    seen=", ".join(languages) or "none",
                    do="Add a locale file for your language.",
                )
            ]
        )
    return found


@cache
def _words(lang: str) -> Words:
    path = files("normwright.web") / "locale" / f"{lang}.yaml"
    return Words(lang, yaml.safe_load(path.read_text(encoding="utf-8")))
