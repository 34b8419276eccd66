"""The wordings of cases, one data file a language: frames in named families, and their pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from normwright.charter.loading import plain
from normwright.records import Fault, InputError

Split: TypeAlias = Literal["train", "test"]


@dataclass(frozen=True)
class Frame:
    """One way to put a situation into words; the same frame exists in every language."""

    family: str
    number: int
    """Its place in the family."""
    split: Split
    style: int
    """Which of the two styles the norms are written in."""
    form: str
    """How each fact is written."""
    listed: bool
    """Whether facts stand one a line."""
    text: str

    @property
    def name(self) -> str:
        """`family/number`."""
        return f"{self.family}/{self.number}"


@dataclass(frozen=True)
class Wording:
    """Everything a language needs to word cases."""

    lang: str
    frames: tuple[Frame, ...]
    words: Mapping[str, Any]


def worded() -> tuple[str, ...]:
    """Return the languages there are wordings for, sorted."""
    names = (entry.name for entry in (files(__package__) / "wordings").iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".yaml")))


def wordings(languages: Sequence[str]) -> dict[str, Wording]:
    """Return the wordings of some languages.

    Raises:
        InputError: naming each language there is no file for.
    """
    known = worded()
    faults = [
        Fault(where=f"languages: {lang}", expected=f"one of {', '.join(known)}", seen=lang,
              do="Add a file of this language to the wordings of cases, or leave it out.")
        for lang in languages
        if lang not in known
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return {lang: _wording(lang) for lang in languages}


@cache
def _wording(lang: str) -> Wording:
    path = files(__package__) / "wordings" / f"{lang}.yaml"
    words = plain(path.read_text(encoding="utf-8"))
    frames = tuple(
        Frame(
            family=family["name"],
            number=number,
            split=family["split"],
            style=family["style"],
            form=frame["form"],
            listed=frame["as"] == "list",
            text=frame["text"],
        )
        for family in words["families"]
        for number, frame in enumerate(family["frames"])
    )
    return Wording(lang, frames, words)
