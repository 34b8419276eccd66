"""One registry: every replaceable part stands in it under a kind and a name, with a card.

A plug-in is made by one decorator and found through one entry point, ours and a stranger's alike:
the group is `normwright.<kind>`, the value a module (or an object in one), and importing it runs
the decorators. Nothing is imported before the first look-up of its kind, and a module that fails to
import breaks nobody else: it is listed as broken, and named when it is asked for.

Whatever a stranger's module does, three things hold: a name that ships with the package stays
ours, stdout stays free of what is printed on import, and a part serves the kind that an entry point
gives it, whichever look-up came first.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import Field

from normwright import __version__
from normwright.records import Digest, Frozen, PluginError, digest_bytes, digest_json

__all__ = [
    "GROUP",
    "KINDS",
    "OURS",
    "STATUSES",
    "Broken",
    "Card",
    "Denial",
    "Origin",
    "PluginStatus",
    "broken",
    "cards",
    "get",
    "origin",
    "plugin",
]

OURS = "normwright"
"""The distribution whose parts ship with the package, and the name of that package."""

GROUP = "normwright."
"""Entry-point groups are this prefix and the kind."""

KINDS: dict[str, str] = {
    "attacks": "a model and scenes -> findings",
    "axioms": "a method and ballots -> a witness of its breach, or none",
    "checks": "a policy and an exchange -> a decision that cites its norm",
    "compromises": "credences in theories and what they hold choice-worthy -> an order",
    "criteria": "evidence -> a bound against a limit",
    "importers": "files -> rows, with an integrity report",
    "methods": "ballots -> an order",
    "populations": "a number of voters and alternatives, and a seed -> ballots",
    "recipes": "records -> weights",
    "slates": "ballots and a size -> a slate",
    "suites": "scenes and a model -> measurements",
}
"""The kinds of plug-in, and what one of each does."""

PluginStatus: TypeAlias = Literal["experimental", "tested", "reviewed", "proved"]
STATUSES: tuple[PluginStatus, ...] = ("experimental", "tested", "reviewed", "proved")
"""How far a plug-in has been vetted, from least to most."""

Part = TypeVar("Part")


class Denial(Frozen):
    """A property that a plug-in does not have, with the published case that shows it."""

    axiom: str
    """The property, by the name of its plug-in."""
    source: str
    """Where the counterexample was published."""
    ballots: tuple[str, ...] = ()
    """The case, how many voters and their ballot a line: an order, `39: A > B > C`, with ` = `
    between those that are level, or grades, `3: A=4 B=2 C=0`, of which 1 and more approve; what a
    line does not name was left out."""


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
    denies: tuple[Denial, ...] = ()
    """Properties it does not have, each with its published counterexample, which tests repeat."""
    takes: str = ""
    """What it needs of what it is given, where parts of its kind differ: for methods `pairs`
    (who is above whom how often), `orders`, `approvals` or `grades`."""
    status: PluginStatus
    """`experimental` until tests exist; see `STATUSES`."""


@dataclass(frozen=True)
class Broken:
    """An entry point that is declared and does not load."""

    kind: str
    name: str
    distribution: str | None
    """The distribution that declares it; None if that cannot be told."""
    where: str
    """The module or object it names."""
    reason: str
    """What happened when it was loaded."""


@dataclass(frozen=True)
class Origin:
    """Where a part comes from: what must be installed to have it again, and its very code."""

    distribution: str | None
    """The distribution that declares it; None for a part that was registered by hand."""
    version: str | None
    """The version of that distribution."""
    module: str
    """The module that registers it."""
    digest: Digest | None
    """Of its source: for our own its module, for a stranger's every file of the package it lies in,
    so that a helper or a data file counts too. None where the source is no file."""


@dataclass(frozen=True)
class _Entry:
    card: Card
    part: Any
    module: str
    """The module that registered it: a part may be an object of somebody else's class."""


_parts: dict[str, dict[str, _Entry]] = {kind: {} for kind in KINDS}
_broken: dict[str, tuple[Broken, ...]] = {}
"""Kind -> entry points that failed; a kind stands here once its entry points were loaded."""


def plugin(card: Card) -> Callable[[Part], Part]:
    """Return a decorator that registers a function or class under `card` and hands it back as is.

    Raises:
        PluginError: if the kind does not exist, or the name is taken by another part.
    """
    _known_kind(card.kind)
    module = str(sys._getframe(1).f_globals.get("__name__", ""))

    def register(part: Part) -> Part:
        taken = _parts[card.kind].get(card.name)
        if taken is not None and _home(taken.part) != _home(part):
            raise PluginError(
                f"Two plug-ins call themselves {card.name!r} in {card.kind}: "
                f"{_home(taken.part)} and {_home(part)}. Rename the second."
            )
        _parts[card.kind][card.name] = _Entry(card, part, module)
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


def origin(kind: str, name: str) -> Origin:
    """Return where a part comes from and the digest of its source.

    Raises:
        PluginError: as `get` does.
    """
    get(kind, name)
    module = _parts[kind][name].module
    if _within(module, OURS):
        return Origin(OURS, __version__, module, _source(module, whole=False))
    declared = _declaring(module)
    # `dist` is None for an entry point that was not read from an installed distribution.
    distribution = None if declared is None else declared.dist
    return Origin(
        distribution=None if distribution is None else distribution.name,
        version=None if distribution is None else distribution.version,
        module=module,
        digest=_source(module, whole=True),
    )


def _declaring(module: str) -> EntryPoint | None:
    """Return the entry point that stands nearest to a module: the one that shares most of its path.

    By the module and not by who imported it first, because a package may import another's.
    """
    path = module.split(".")

    def shared(entry: EntryPoint) -> int:
        other = _module_of(entry).split(".")
        same = [a == b for a, b in zip(path, other, strict=False)]
        return same.index(False) if False in same else len(same)

    declared = sorted((e for kind in KINDS for e in _declared(kind)), key=lambda e: e.value)
    nearest = max(declared, key=shared, default=None)
    return nearest if nearest is not None and shared(nearest) else None


def _source(module: str, *, whole: bool) -> Digest | None:
    """Return the digest of a module's file, or of all files of the package at the top of it."""
    path = module.split(".")
    names = [".".join(path[: i + 1]) for i in range(len(path))] if whole else [module]
    # The top may be a namespace, which has no file and may be shared with strangers.
    found = (getattr(sys.modules.get(name), "__file__", None) for name in names)
    file = next((Path(f) for f in found if f), None)
    if file is None or not file.is_file():
        return None
    if not whole or file.stem != "__init__":
        return digest_bytes(file.read_bytes())
    folder = file.parent
    return digest_json(
        {p.relative_to(folder).as_posix(): digest_bytes(p.read_bytes()) for p in _files(folder)}
    )


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p == "__pycache__" or p.startswith(".") for p in parts):
            yield path


def _load(kind: str) -> None:
    """Import what the entry points of `kind` name, once; failures are kept, not raised."""
    _known_kind(kind)
    if kind in _broken:
        return
    failed = []
    for entry in _declared(kind):
        if (reason := _fault_of(kind, entry)) is not None:
            dist = entry.dist.name if entry.dist is not None else None
            failed.append(Broken(kind, entry.name, dist, entry.value, reason))
    _broken[kind] = tuple(failed)


def _declared(kind: str) -> list[EntryPoint]:
    """Return the entry points of a kind, ours first: a stranger cannot take a name that ships."""
    return sorted(
        entry_points(group=GROUP + kind),
        key=lambda e: (not _within(_module_of(e), OURS), e.name, e.value),
    )


def _fault_of(kind: str, entry: EntryPoint) -> str | None:
    """Import what an entry point names; return why it is broken, None if it is not.

    What a broken module had registered before it failed is taken out again.
    """
    before = {(k, n): e for k, parts in _parts.items() for n, e in parts.items()}
    try:
        # What is printed on import would spoil the one JSON value on stdout.
        with redirect_stdout(sys.stderr):
            loaded = entry.load()
    except KeyboardInterrupt:
        raise
    # A stranger's module may raise anything at all, SystemExit too; it must break itself only.
    except BaseException as error:  # noqa: BLE001
        _forget(_module_of(entry))
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return said + _remedy(entry, error)
    home = _module_of(entry)
    held = [loaded, *vars(loaded).values()] if hasattr(loaded, "__dict__") else [loaded]
    made = [
        (k, n)
        for k, parts in _parts.items()
        for n, e in parts.items()
        if (k, n) not in before or _within(e.module, home) or any(one is e.part for one in held)
    ]
    if any(k == kind for k, _ in made):
        elsewhere = [(k, n) for k, n in made if k != kind and not _names(k, home, n)]
        if not elsewhere:
            return None
        _forget(home)
        said = ", ".join(f"{n} ({k})" for k, n in elsewhere)
        return f"it registers {said}, for which no entry point of that kind names its module"
    _forget(home)
    said = ", ".join(f"{n} ({k})" for k, n in made)
    return f"it registers no plug-in of {kind}" + (f"; its cards say {said}" if said else "")


def _remedy(entry: EntryPoint, error: BaseException) -> str:
    """Say which extra of its own distribution brings the module that an entry point lacks."""
    if not isinstance(error, ModuleNotFoundError) or error.name is None or entry.dist is None:
        return ""
    lacking = error.name.partition(".")[0].replace("_", "-").lower()
    for needed in entry.dist.requires or ():
        found = re.match(r"([\w.-]+).*\bextra == ['\"]([^'\"]+)['\"]", needed)
        if found is not None and found[1].replace("_", "-").lower() == lacking:
            return f". It needs: pip install '{entry.dist.name}[{found[2]}]'"
    return ""


def _names(kind: str, home: str, name: str) -> bool:
    """Say whether a part found on the way is declared for its own kind, or lies elsewhere."""
    inside = _within(_parts[kind][name].module, home)
    return not inside or any(_module_of(entry) == home for entry in _declared(kind))


def _forget(home: str) -> None:
    """Take out what a module of somebody else's registered."""
    if _within(home, OURS):
        return
    for parts in _parts.values():
        for name, entry in list(parts.items()):
            if _within(entry.module, home):
                del parts[name]


def _module_of(entry: EntryPoint) -> str:
    return entry.value.partition(":")[0].strip()


def _within(module: str, home: str) -> bool:
    return module == home or module.startswith(f"{home}.")


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
