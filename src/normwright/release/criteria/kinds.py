"""The table of criterion kinds: a file in this folder adds itself by one decorator and one card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal, TypeAlias

from normwright.records import Criterion, PluginError
from normwright.release.evidence import Evidence, Found

Evaluate: TypeAlias = Callable[[Criterion, Evidence], Found]


@dataclass(frozen=True)
class Card:
    """What a kind is, claims, and how far it has been vetted."""

    name: str
    summary: str
    reference: str
    claims: tuple[str, ...]
    limits: tuple[str, ...]
    status: Literal["experimental", "tested", "reviewed", "proved"] = "tested"


@dataclass(frozen=True)
class Kind:
    """A criterion kind: its card and its rule."""

    card: Card
    evaluate: Evaluate


_KINDS: dict[str, Kind] = {}


def criterion_kind(card: Card) -> Callable[[Evaluate], Evaluate]:
    """Return a decorator that enters a rule under its card's name.

    Raises:
        PluginError: if the name is taken by another rule.
    """

    def enter(evaluate: Evaluate) -> Evaluate:
        if card.name in _KINDS:
            raise PluginError(f"criterion kind {card.name!r} exists already; choose another name")
        _KINDS[card.name] = Kind(card, evaluate)
        return evaluate

    return enter


@cache
def kinds() -> dict[str, Kind]:
    """Return every criterion kind by name, after loading the files of this folder."""
    package = import_module(__package__ or "")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_KINDS.items()))
