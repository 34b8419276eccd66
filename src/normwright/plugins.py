"""One registry: every replaceable part stands in it under a kind and a name, with a card.

A plug-in is made by one decorator and found through one entry point, ours and a stranger's alike:
the group is `normwright.<kind>`, the value a module (or an object in one), and importing it runs
the decorators. Nothing is imported before the first look-up of its kind, and a module that fails to
import breaks nobody else: it is listed as broken, and named when it is asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import Field

from normwright.records import Frozen, PluginError

__all__ = [
    "GROUP",
    "KINDS",
    "STATUSES",
    "Broken",
    "Card",
    "PluginStatus",
    "broken",
    "cards",
    "get",
    "plugin",
]

GROUP = "normwright."
"""Entry-point groups are this prefix and the kind."""

KINDS: dict[str, str] = {
    "attacks": "a model and scenes -> findings",
    "checks": "a policy and an exchange -> a decision that cites its norm",
    "criteria": "evidence -> a bound against a limit",
    "importers": "files -> rows, with an integrity report",
    "methods": "ballots -> an outcome",
    "recipes": "records -> weights",
    "suites": "scenes and a model -> measurements",
}
"""The kinds of plug-in, and what one of each does."""

PluginStatus: TypeAlias = Literal["experimental", "tested", "reviewed", "proved"]
STATUSES: tuple[PluginStatus, ...] = ("experimental", "tested", "reviewed", "proved")
"""How far a plug-in has been vetted, from least to most."""

Part = TypeVar("Part")


class Card(Frozen):
    """What a plug-in is, where it comes from, what it claims and how far that was vetted."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    """Slug, unique in its kind; this is what a project file says."""
    kind: str
    """One of `KINDS`."""
    summary: str = Field(min_length=1)
    """One sentence: what it returns or does."""
    reference: str = ""
    """The paper, standard or record it follows; empty if it is the project's own."""
    claims: tuple[str, ...] = ()
    """Properties it claims, each searched for a counterexample by the tests of its kind."""
    status: PluginStatus
    """`experimental` until tests exist; see `STATUSES`."""


@dataclass(frozen=True)
class Broken:
    """An entry point that is declared and does not load."""

    kind: str
    name: str
    where: str
    """The module or object it names."""
    reason: str
    """What happened when it was loaded."""


@dataclass(frozen=True)
class _Entry:
    card: Card
    part: Any


_parts: dict[str, dict[str, _Entry]] = {kind: {} for kind in KINDS}
_broken: dict[str, tuple[Broken, ...]] = {}
"""Kind -> entry points that failed; a kind stands here once its entry points were loaded."""


def plugin(card: Card) -> Callable[[Part], Part]:
    """Return a decorator that registers a function or class under `card` and hands it back as is.

    Raises:
        PluginError: if the kind does not exist, or the name is taken by another part.
    """
    _known_kind(card.kind)

    def register(part: Part) -> Part:
        taken = _parts[card.kind].get(card.name)
        if taken is not None and _home(taken.part) != _home(part):
            raise PluginError(
                f"Two plug-ins call themselves {card.name!r} in {card.kind}: "
                f"{_home(taken.part)} and {_home(part)}. Rename the second."
            )
        _parts[card.kind][card.name] = _Entry(card, part)
        return part

    return register


def get(kind: str, name: str) -> Any:
    """Return the part registered under `kind` and `name`.

    Raises:
        PluginError: if the kind or name is unknown (says which are known, and the nearest), or if
            the part is broken (says why).
    """
    _load(kind)
    entry = _parts[kind].get(name)
    if entry is not None:
        return entry.part
    for bad in _broken[kind]:
        if bad.name == name:
            raise PluginError(
                f"The plug-in {name!r} of {kind} ({bad.where}) is broken: {bad.reason}"
            )
    raise PluginError(_unknown(f"plug-in of {kind}", name, sorted(_parts[kind]), _broken[kind]))


def cards(kind: str | None = None) -> tuple[Card, ...]:
    """Return the cards of one kind, or of all, sorted by kind and name.

    Raises:
        PluginError: if the kind does not exist.
    """
    found: list[Card] = []
    for each in sorted(KINDS) if kind is None else (kind,):
        _load(each)
        found.extend(_parts[each][name].card for name in sorted(_parts[each]))
    return tuple(found)


def broken(kind: str | None = None) -> tuple[Broken, ...]:
    """Return the entry points of one kind, or of all, that are declared and do not load."""
    found: list[Broken] = []
    for each in sorted(KINDS) if kind is None else (kind,):
        _load(each)
        found.extend(_broken[each])
    return tuple(found)


def _load(kind: str) -> None:
    """Import what the entry points of `kind` name, once; failures are kept, not raised."""
    _known_kind(kind)
    if kind in _broken:
        return
    failed = []
    for entry in sorted(entry_points(group=GROUP + kind), key=lambda e: (e.name, e.value)):
        try:
            entry.load()
        # A stranger's module may raise anything at all; it must break itself only.
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {error}"
            failed.append(Broken(kind, entry.name, entry.value, reason))
    _broken[kind] = tuple(failed)


def _known_kind(kind: str) -> None:
    if kind not in KINDS:
        raise PluginError(_unknown("kind of plug-in", kind, sorted(KINDS), ()))


def _unknown(what: str, name: str, known: list[str], bad: tuple[Broken, ...]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    text = f"There is no {what} called {name!r}; known: {', '.join(known) or 'none'}."
    if nearest:
        text += f" Did you mean {nearest[0]!r}?"
    if bad:
        text += f" Broken: {', '.join(b.name for b in bad)}."
    return text


def _home(part: object) -> str:
    """Name a part by where it is defined: the same after a module is loaded twice."""
    named: Any = part
    return f"{getattr(named, '__module__', '?')}:{getattr(named, '__qualname__', repr(part))}"
