"""YAML with the line of every key, so that a fault can say where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from normwright.records import Fault

Place: TypeAlias = tuple[str | int, ...]
"""Where in a document: keys and positions from the top."""


DEPTH = 200
"""Most levels one value may lie inside others; no formula that a person can read comes near it."""

_SPELT_OUT = 10
"""How many values a file may come to for each character in it. Only aliases of aliases exceed it:
a few lines of them can stand for more values than fit into memory."""

_PARSER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same safe loader; written in C where PyYAML was built with it, ten times as fast."""


@dataclass(frozen=True)
class Document:
    """One YAML file, read: its value and the line of everything in it."""

    name: str
    """The file as faults name it."""
    value: Any
    lines: Mapping[Place, int] = field(default_factory=dict)

    def part(self, place: Place) -> Document:
        """Return what stands at a place as a document of its own, with the lines of this one."""
        value = self.value
        for step in place:
            value = value[step]
        size = len(place)
        lines: dict[Place, int] = {(): self.lines.get(place, 1)}
        lines |= {inner[size:]: at for inner, at in self.lines.items() if inner[:size] == place}
        return Document(self.name, value, lines)

    def where(self, place: Sequence[str | int]) -> str:
        """Return `file:line key.key[0]`, with the line of the nearest place that exists."""
        known = tuple(place)
        while known and known not in self.lines:
            known = known[:-1]
        line = self.lines.get(known, 1)
        return f"{self.name}:{line} {dotted(place)}".rstrip()


def dotted(place: Sequence[str | int]) -> str:
    """Return a place as people write it: `cases[0].facts`."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(parts).removeprefix(".")


def plain(text: str) -> Any:
    """Return what a YAML text of the package's own says."""
    loader = _PARSER(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def load(path: Path, name: str, faults: list[Fault]) -> Document | None:
    """Return a YAML file with its lines, or None after adding what is amiss with it to `faults`."""
    try:
        if path.exists() and not path.is_file():
            # A pipe or a device may never end.
            seen = "a folder" if path.is_dir() else "no regular file"
            faults.append(Fault(where=name, expected="a file", seen=seen))
            return None
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        faults.append(Fault(where=name, expected="a readable file", seen=str(error.strerror)))
        return None
    except UnicodeDecodeError as error:
        faults.append(Fault(where=name, expected="UTF-8 text", seen=f"byte {error.start} is not",
                            do="Save the file as UTF-8."))  # fmt: skip
        return None
    try:
        deep = _too_deep(text)
        if deep is not None:
            faults.append(Fault(where=f"{name}:{deep}", expected=f"at most {DEPTH} levels",
                                seen="more, one inside the other"))  # fmt: skip
            return None
        loader = _Loader(text)
        return loader.document(name, faults)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = 1 if mark is None else mark.line + 1
        faults.append(Fault(where=f"{name}:{line}", expected="YAML", seen=str(error.problem)))
    except (yaml.YAMLError, ValueError) as error:
        faults.append(Fault(where=name, expected="YAML", seen=str(error)))
    return None


def _too_deep(text: str) -> int | None:
    """Return the line on which a file goes too deep, if it does.

    The parser calls itself for each level, and would take the whole program down with it. Its
    events come without that; they are looked at only where the text has room for so many levels.
    """
    widest = max(map(len, text.splitlines()), default=0)
    if text.count("[") + text.count("{") + widest < DEPTH:
        return None
    depth = 0
    for event in yaml.parse(text, Loader=_PARSER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH:
            return 1 if event.start_mark is None else event.start_mark.line + 1
    return None


class _Amiss(yaml.MarkedYAMLError):
    """What is YAML in form and still cannot be read."""

    def __init__(self, problem: str, node: yaml.Node) -> None:
        super().__init__(problem=problem, problem_mark=node.start_mark)


class _Loader:
    """Builds plain values from YAML nodes and remembers their lines."""

    def __init__(self, text: str) -> None:
        self._loader = _PARSER(text)
        self._left = _SPELT_OUT * len(text)
        self._lines: dict[Place, int] = {}
        self._doubles: list[tuple[Place, int]] = []

    def document(self, name: str, faults: list[Fault]) -> Document:
        node = self._loader.get_single_node()
        value = None if node is None else self._built(node, (), ())
        for place, line in self._doubles:
            faults.append(Fault(where=f"{name}:{line} {dotted(place)}", expected="each key once",
                                seen="the same key again", do="Take one of them out."))  # fmt: skip
        return Document(name, value, self._lines)

    def _built(self, node: yaml.Node, place: Place, above: tuple[int, ...]) -> Any:
        if id(node) in above:
            raise _Amiss("an alias that holds itself", node)
        self._left -= 1
        if self._left < 0:
            raise _Amiss("aliases that stand for more and more of each other", node)
        self._lines.setdefault(place, node.start_mark.line + 1)
        below = (*above, id(node))
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place, below)
            case yaml.SequenceNode():
                return [self._built(n, (*place, i), below) for i, n in enumerate(node.value)]
            case _:
                return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self._loader.construct_object(node)
        except ValueError as error:  # such as a day that no month has
            raise _Amiss(f"{node.value}: {error}", node) from error

    def _mapping(self, node: yaml.MappingNode, place: Place, above: tuple[int, ...]) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen and key.tag != "tag:yaml.org,2002:merge":
                self._doubles.append(((*place, name), key.start_mark.line + 1))
            seen.add(name)
        self._loader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key, value in node.value:
            step = str(self._scalar(key))
            self._lines[*place, step] = key.start_mark.line + 1
            found[step] = self._built(value, (*place, step), above)
        return found
