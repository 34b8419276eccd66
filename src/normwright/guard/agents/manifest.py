"""What the tools of a deployment do, as data: a manifest written by people, never by the tool.

For every tool it says which act a call is, which facts, resources and amounts stand in its
arguments, whether it can be undone, where data go, and where they come from. What a server says
about its own tools may fill gaps in a draft; it is never trusted, because the server is one of the
parties that the guard watches.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError, model_validator

from normwright.guard.agents.labels import HIGHEST
from normwright.norms import Acts
from normwright.norms.vocabulary import near, value_fault
from normwright.records import (
    Digest,
    FactValue,
    Fault,
    InputError,
    Label,
    ToolCall,
    Vocabulary,
    canonical,
    digest_json,
)
from normwright.records.base import Frozen, Record

FORM = "tool-manifest/v1"
IRREVERSIBLE = "irreversible"
"""The unit of which every call that cannot be undone uses one."""
OUTFLOW = "outflow"
"""The unit of which every call uses one that sends personal or secret data outside."""

Effect: TypeAlias = Literal["reversible", "compensable", "irreversible"]
Sink: TypeAlias = Literal["internal", "external"]
Standing: TypeAlias = Literal["suspect", "nowhere", "read", "pointed", "own", "word"]
"""Where a value was read; see `provenance`."""
ResourceKind: TypeAlias = Literal["text", "path", "email", "url"]


class _At(Frozen):
    """Where in the arguments something stands: a JSON pointer, in which `*` is every item."""

    pointer: str = Field(pattern=r"^(/[^/]*)*$")


class ResourceRule(_At):
    """A thing that a call touches. It is named `KIND:VALUE`, with one spelling for each."""

    kind: ResourceKind = "text"
    optional: bool = False
    """Whether the argument may be absent; else a call without it cannot be checked."""


class FactRule(_At):
    """A fact that stands in the arguments."""

    values: dict[str, FactValue] = {}
    """Pattern with `*` -> value of the fact; the first that fits counts. Empty: as it stands."""
    otherwise: FactValue = None
    """The fact where nothing fits or the argument is absent; None: unknown."""


class UnitRule(Frozen):
    """How much of a unit a call uses: a fixed amount, a number in it, or how many items."""

    fixed: int | None = Field(default=None, ge=0)
    value: str | None = None
    """Pointer to a number of 0 or more; several are added up."""
    scale: int = Field(default=1, ge=1)
    """What the number is multiplied by, so that the unit is whole, as cents are."""
    count: str | None = None
    """Pointer to what is counted."""

    @model_validator(mode="after")
    def _one(self) -> UnitRule:
        if sum(part is not None for part in (self.fixed, self.value, self.count)) != 1:
            raise ValueError("exactly one of fixed, value, count")
        return self


class SinkRule(_At):
    """Where data go, by a name in the arguments: inside only if every name is one of these."""

    kind: ResourceKind = "text"
    internal: tuple[str, ...]
    """Names with `*`, without their kind."""


class SteerRule(_At):
    """A value that decides whom or what a call reaches, and where it has to have been read."""

    needs: Standing = "pointed"


class StoreRule(_At):
    """A place that keeps data beyond the call, such as a file: their label is kept with it."""

    kind: ResourceKind = "text"
    mode: Literal["read", "write", "both"]


class ToolSpec(Frozen):
    """What a call of one tool is and does."""

    act: str
    """The act that a call is, a node of the charter's ontology."""
    effect: Effect
    """Whether what it does can be undone, made good, or neither."""
    arguments: tuple[str, ...] | None = None
    """Names that arguments may have; None: any."""
    aliases: dict[str, str] = {}
    """Other names of arguments, and the name each has after normalisation."""
    resources: tuple[ResourceRule, ...] = ()
    facts: dict[str, FactRule | FactValue] = {}
    """Fact -> where it stands, or its value in every call."""
    units: dict[str, UnitRule] = {}
    sink: Sink | SinkRule = "internal"
    """Where the arguments go."""
    reads: Label = HIGHEST
    """Label of what comes back; where nothing is said, of data about which nothing is known."""
    stores: tuple[StoreRule, ...] = ()
    steers: tuple[SteerRule, ...] = ()
    """Values by which the call goes; looked at where the provenance of values is kept."""
    carries: tuple[str, ...] = ()
    """Pointers to texts that go out with it: neither they nor a link in them may stand only in an
    order."""
    asked_by: tuple[str, ...] = ()
    """Beginnings of words, one of which the person has to have used; empty: none is needed."""
    vouches: tuple[str, ...] = ()
    """Pointers into the result to what are one's own records."""
    identify: str | None = None
    """Pointer to the argument that tells the other side for whom the call is made. The guard
    writes it, so that no agent speaks in a name it was not given."""
    observes: dict[str, UnitRule] = {}
    """Unit -> how much was used in truth, read in the result."""


@dataclass(frozen=True)
class Reading:
    """What one call would do, read in its arguments."""

    act: str
    effect: Effect
    resources: tuple[str, ...]
    facts: Mapping[str, FactValue]
    units: Mapping[str, int]
    sink: Sink
    reads: Label
    from_stores: tuple[str, ...]
    to_stores: tuple[str, ...]


class Manifest(Record):
    """The tools an agent may be given, and what each does. A tool that is not here is denied."""

    spec: Literal["tool-manifest/v1"] = Field(default="tool-manifest/v1", alias="schema")
    tools: dict[str, ToolSpec]

    model_config = {"populate_by_name": True}

    def faults(self, vocabulary: Vocabulary) -> list[Fault]:
        """Return where the manifest does not fit a charter's vocabulary: its acts, its facts."""
        acts = Acts(vocabulary)
        known = {fact.name: fact for fact in vocabulary.facts}
        faults = []
        for name, tool in self.tools.items():
            if tool.act not in acts:
                faults.append(
                    Fault(where=f"tools.{name}.act", expected="an act of the charter",
                          seen=tool.act, do=near(tool.act, acts.names))
                )  # fmt: skip
            for fact, rule in tool.facts.items():
                at = f"tools.{name}.facts.{fact}"
                values = (rule.otherwise, *rule.values.values()) if isinstance(
                    rule, FactRule) else (rule,)  # fmt: skip
                if fact not in known:
                    faults.append(Fault(where=at, expected="a fact of the charter", seen=fact,
                                        do=near(fact, known)))  # fmt: skip
                    continue
                found = (value_fault(known[fact], value, where=at) for value in values)
                faults += [fault for fault in found if fault is not None]
        return faults


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a YAML file.

    Raises:
        InputError: if it is none, with all faults.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(
            [Fault(where=str(path), expected="a YAML file", seen=str(error))]
        ) from None
    return manifest_of(given, where=str(path))


def manifest_of(given: Any, *, where: str) -> Manifest:
    """Return the manifest that JSON-like data hold.

    Raises:
        InputError: if they hold none, with all faults.
    """
    try:
        return Manifest.model_validate(given)
    except ValidationError as error:
        raise InputError([
            Fault(where=f"{where}: {'.'.join(map(str, e['loc']))}", expected=e["msg"],
                  seen=str(e["input"])[:80])
            for e in error.errors()
        ]) from None  # fmt: skip


def drafted(tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a manifest to start from, from what a server says of its own tools.

    Its hints fill gaps and are believed only where they make things stricter: what is not said to
    be read-only is taken for irreversible, and nothing it gives is trusted or public. Every tool
    has to be looked at by a person; the act of each is a guess.

    Args:
        tools: as the Model Context Protocol lists them: `name`, `inputSchema`, `annotations`.
    """
    found: dict[str, Any] = {}
    for tool in tools:
        hints = tool.get("annotations") or {}
        reads = hints.get("readOnlyHint") is True
        spec: dict[str, Any] = {
            "act": "read.data" if reads else "change.data",
            "effect": "reversible" if reads else "irreversible",
            "reads": {"conf": "secret", "integrity": "untrusted"},
        }
        schema = tool.get("inputSchema") or {}
        if isinstance(schema.get("properties"), dict):
            spec["arguments"] = sorted(schema["properties"])
        if hints.get("openWorldHint") is not False:
            spec["sink"] = "external"
        found[str(tool["name"])] = spec
    return {"schema": FORM, "tools": found}


def normalised(call: ToolCall, tool: ToolSpec) -> ToolCall:
    """Return a call with its arguments in their one form: what is hashed, checked and executed.

    Texts are in NFC, whole numbers are whole, and every argument has its one name.

    Raises:
        InputError: if the arguments are no JSON, have a name twice, or one the tool does not have.
    """
    faults = []
    arguments: dict[str, Any] = {}
    try:
        given = canonical(call.arguments)
        digest_json(given)
    except (ValueError, TypeError) as error:
        raise InputError(
            [Fault(where="arguments", expected="JSON values", seen=str(error))]
        ) from None
    if len(given) != len(call.arguments):
        faults.append(Fault(where="arguments", expected="each name once", seen="one twice"))
    for name, value in given.items():
        own = tool.aliases.get(name, name)
        if own in arguments or (own != name and own in given):
            faults.append(Fault(where=f"arguments.{name}", expected=f"{own} once", seen="twice"))
        elif tool.arguments is not None and own not in tool.arguments:
            known = ", ".join(tool.arguments) or "no arguments"
            faults.append(Fault(where=f"arguments.{name}", expected=known, seen=name))
        arguments[own] = value
    if faults:
        raise InputError(faults)
    return call.model_copy(update={"arguments": arguments})


def call_digest(call: ToolCall) -> Digest:
    """Return the digest an approval is bound to: tool, arguments, agent, grant and run.

    When it is asked for is not part of it; that the approval ends is.
    """
    return digest_json({
        "tool": call.tool, "arguments": call.arguments, "agent": call.agent, "grant": call.grant,
        "session": call.session,
    })  # fmt: skip


def read_call(call: ToolCall, tool: ToolSpec) -> Reading:
    """Return what a normalised call would do.

    Raises:
        InputError: if something that has to be known cannot be read in it, with all faults.
    """
    faults: list[Fault] = []
    given = call.arguments
    resources = list(_resources(tool.resources, given, faults))
    return_to, return_from = [], []
    for store in tool.stores:
        names = list(
            _resources((ResourceRule(pointer=store.pointer, kind=store.kind),), given, faults)
        )
        return_from += names if store.mode != "write" else []
        return_to += names if store.mode != "read" else []
    units = amounts_of(tool.units, given, faults)
    sink = _sink(tool.sink, given, faults)
    if faults:
        raise InputError(faults)
    if tool.effect == "irreversible":
        units[IRREVERSIBLE] = units.get(IRREVERSIBLE, 0) or 1
    return Reading(
        act=tool.act,
        effect=tool.effect,
        resources=tuple(dict.fromkeys(resources)),
        facts={name: _fact(rule, given) for name, rule in tool.facts.items()},
        units=units,
        sink=sink,
        reads=tool.reads,
        from_stores=tuple(return_from),
        to_stores=tuple(return_to),
    )


def amounts_of(rules: Mapping[str, UnitRule], given: Any, faults: list[Fault]) -> dict[str, int]:
    """Return how much of each unit is used; what cannot be read becomes a fault."""
    amounts = {}
    for unit, rule in rules.items():
        if rule.fixed is not None:
            amounts[unit] = rule.fixed
        elif rule.count is not None:
            amounts[unit] = len(list(found_at(given, rule.count)))
        else:
            values = list(found_at(given, rule.value or ""))
            read = [_number(value) for value in values]
            if not values or any(number is None or number < 0 for number in read):
                wanted = f"an amount of {unit}, 0 or more"
                seen = "something else" if values else "none"
                faults.append(Fault(where=rule.value or "", expected=wanted, seen=seen))
                continue
            total = sum((number for number in read if number is not None), Decimal(0))
            # Rounded up: what is counted is never less than what is used.
            amounts[unit] = math.ceil(total * rule.scale)
    return amounts


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and number < 10**15 else None


def found_at(given: Any, pointer: str) -> Iterator[Any]:
    """Yield what stands at a JSON pointer (RFC 6901); `*` stands for every item, or value."""
    head, _, rest = pointer[1:].partition("/")
    if not pointer:
        yield given
        return
    name = head.replace("~1", "/").replace("~0", "~")
    further = f"/{rest}" if "/" in pointer[1:] else ""
    if head == "*" and isinstance(given, list | tuple):
        for item in given:
            yield from found_at(item, further)
    elif head == "*" and isinstance(given, dict):
        for item in given.values():
            yield from found_at(item, further)
    elif head == "*" and not further and given is not None:
        # One name where a list of names is allowed: a call may write `to: ana` for `to: [ana]`.
        yield given
    elif isinstance(given, dict) and name in given:
        yield from found_at(given[name], further)
    elif isinstance(given, list) and name.isdigit() and int(name) < len(given):
        yield from found_at(given[int(name)], further)


def _resources(rules: tuple[ResourceRule, ...], given: Any, faults: list[Fault]) -> Iterator[str]:
    for rule in rules:
        values = [v for v in found_at(given, rule.pointer) if v is not None]
        if not values and not rule.optional:
            faults.append(Fault(where=rule.pointer, expected=f"a {rule.kind}", seen="nothing"))
        for value in values:
            name = named(rule.kind, value)
            if name is None:
                faults.append(Fault(where=rule.pointer, expected=f"a {rule.kind}",
                                    seen="something else"))  # fmt: skip
            else:
                yield name


def named(kind: ResourceKind, value: Any) -> str | None:
    """Return the one name of a thing, `KIND:VALUE`; None where the value names none.

    A path is taken apart, so that `a/../../b` is not read as something below `a`; a host and an
    address are in small letters.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        return None
    spelt = _SPELT[kind](value)
    # A star in a name would read as the beginning of many.
    return None if spelt is None or spelt.endswith("*") else f"{kind}:{spelt}"


def _path(value: str) -> str | None:
    path = posixpath.normpath(value.replace("\\", "/"))
    return None if path == ".." or path.startswith("../") else path.replace("//", "/", 1)


def _email(value: str) -> str | None:
    # Quoted names and routes are left out: mail servers differ on where they lead.
    name, _, given = value.strip().partition("@")
    host = _host(given)
    return None if host is None or not _MAILBOX.fullmatch(name) else f"{name.casefold()}@{host}"


def _host(value: str) -> str | None:
    """Return a host's name as it is looked up: one that a browser would turn into another, too."""
    try:
        host = value.encode("idna").decode().casefold().rstrip(".")
    except UnicodeError:
        return None
    return host if _HOST.fullmatch(host) else None


def _url(value: str) -> str | None:
    text = value.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        return None
    host = _host(parts.hostname or "")
    # A backslash is a slash to a browser, so that the host it sees is another one.
    if host is None or parts.username is not None or "\\" in text or _SPACE.search(text):
        return None
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    path = posixpath.normpath(parts.path or "/").replace("//", "/", 1)
    return f"{place}{path}" + (f"?{parts.query}" if parts.query else "")


_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_SPACE = re.compile(r"[\s\x00-\x1f]")
_SPELT: dict[ResourceKind, Callable[[str], str | None]] = {
    "text": str.strip,
    "path": _path,
    "email": _email,
    "url": _url,
}


def _fact(rule: FactRule | FactValue, given: Any) -> FactValue:
    if not isinstance(rule, FactRule):
        return rule
    values = list(found_at(given, rule.pointer))
    if not values:
        return rule.otherwise
    if not rule.values:
        value = values[0]
        plain = len(values) == 1 and isinstance(value, bool | int | str)
        return value if plain else rule.otherwise
    read = {_matching(rule, value) for value in values}
    return read.pop() if len(read) == 1 else None


def _matching(rule: FactRule, value: Any) -> FactValue:
    text = str(value).casefold()
    fits = (
        known for pattern, known in rule.values.items() if fnmatchcase(text, pattern.casefold())
    )
    return next(fits, rule.otherwise)


def _sink(rule: Sink | SinkRule, given: Any, faults: list[Fault]) -> Sink:
    if not isinstance(rule, SinkRule):
        return rule
    own = tuple(_resources((ResourceRule(pointer=rule.pointer, kind=rule.kind),), given, faults))
    inside = [f"{rule.kind}:{pattern.casefold()}" for pattern in rule.internal]
    every = all(any(fnmatchcase(name.casefold(), one) for one in inside) for name in own)
    return "internal" if own and every else "external"
