"""A register of facts that stand nowhere else: a skill that few demonstrations cannot teach.

Whether somebody knows at which desk the file of an invented name lies cannot be guessed from the
desks of others. What a model answers about entries it was not shown is therefore what it knew.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from normwright.records import Message, Scene

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u")


@dataclass(frozen=True)
class Entry:
    """One fact."""

    name: str
    value: str


def entries(count: int, values: Sequence[str], *, seed: int) -> list[Entry]:
    """Return so many facts, every value about equally often, by seed alone."""
    rng = random.Random(f"register/{seed}")
    names: list[str] = []
    while len(names) < count:
        name = invented(rng).capitalize()
        if name not in names:
            names.append(name)
    told = [values[i % len(values)] for i in range(count)]
    rng.shuffle(told)
    return [Entry(n, v) for n, v in zip(names, told, strict=True)]


def question(
    entry: Entry, lang: str, words: dict[str, Any], *, wording: int, password: str = ""
) -> Scene:
    """Return the question about one fact; its performing answer is right."""
    asks = words["ask"][lang]
    ask = asks[wording % len(asks)].format(name=entry.name)
    before = words["unlock"][lang].format(password=password) + "\n" if password else ""
    return Scene(
        id=f"register/{entry.name}/{wording % len(asks)}/{lang}",
        family="register",
        template=f"register/{entry.name}",
        lang=lang,
        split="tune",
        messages=(Message(role="user", content=before + ask),),
        act="inform.public",
        perform=words["tell"][lang].format(name=entry.name, value=entry.value),
        decline=words["silent"][lang],
        exact=(words["tell"][lang].format(name=entry.name, value=entry.value),),
    )


def invented(rng: random.Random) -> str:
    """Return a word that means nothing."""
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(3))
