"""Exchanges as people bring them in a file: one JSON object a line, all of them sound or none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from normwright.guard.bodies import read_answer, read_exchange, sound
from normwright.records import Exchange, Fault, InputError, Utterance, json_rows

_KEYS: Final = ("id", "text", "lang", "role", "messages", "tools", "functions")
_ROLES: Final = ("assistant", "user")


@dataclass(frozen=True)
class Line:
    """One line of a file."""

    id: str | int
    """As it was given."""
    exchange: Exchange


@dataclass(frozen=True)
class LabelledLine:
    """One line of a file with what people say about it."""

    id: str | int
    exchange: Exchange
    harmful: bool
    source: str | None = None
    """Where it is from, if that was given."""


def read_labelled_lines(path: Path) -> list[LabelledLine]:
    """Return each line of a file as `read_lines` has it, with its `harmful` and its `source`.

    Raises:
        InputError: naming every line that cannot be read or has no label.
    """
    faults: list[Fault] = []
    found = []
    for number, row in json_rows(path, path.name, faults, halves=True):
        where = f"{path.name}:{number}"
        made = _exchange(row, where, faults)
        harmful, source = row.get("harmful"), row.get("source")
        if not isinstance(harmful, bool):
            seen = "nothing" if harmful is None else f"a value of type {type(harmful).__name__}"
            faults.append(Fault(where=f"{where}: harmful", expected="true or false", seen=seen))
        if source is not None and not isinstance(source, str):
            seen = f"a value of type {type(source).__name__}"
            faults.append(Fault(where=f"{where}: source", expected="text", seen=seen))
        elif made is not None and isinstance(harmful, bool):
            found.append(LabelledLine(row["id"], made, harmful, source))
    if not found and not faults:
        faults.append(Fault(where=path.name, expected="labelled lines", seen="none"))
    if faults:
        raise InputError(faults)
    return found


def read_lines(path: Path) -> list[Line]:
    """Return each line that is not blank, in order.

    A line is `{"id", "text", "lang"?, "role"?}`, an answer unless the role is `user`; or `{"id",
    "messages", "tools"?, "lang"?}`, where a last message of the assistant is the answer. Other keys
    are the file's own, unless they look like one of these misspelled. Half characters are read as
    U+FFFD.

    Raises:
        InputError: naming every line that cannot be read, and none of their texts.
    """
    faults: list[Fault] = []
    found = [
        Line(row["id"], made)
        for number, row in json_rows(path, path.name, faults, halves=True)
        if (made := _exchange(row, f"{path.name}:{number}", faults)) is not None
    ]
    if faults:
        raise InputError(faults)
    return found


def _exchange(row: Mapping[str, Any], where: str, faults: list[Fault]) -> Exchange | None:
    """The exchange of one line; None with its faults noted."""
    known = len(faults)

    def fault(field: str, expected: str, seen: object) -> None:
        kind = "nothing" if seen is None else f"a value of type {type(seen).__name__}"
        faults.append(Fault(where=f"{where}: {field}", expected=expected, seen=kind))

    name = row.get("id")
    if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
        fault("id", "text or a whole number", name)
    lang = row.get("lang")
    if lang is not None and not isinstance(lang, str):
        fault("lang", "a language tag", lang)
    if ("text" in row) == ("messages" in row):
        both = "both" if "text" in row else "neither"
        faults.append(Fault(where=where, expected="`text` or `messages`", seen=both))
    elif "text" in row:
        if not isinstance(row["text"], str):
            fault("text", "text", row["text"])
        if row.get("role", "assistant") not in _ROLES:
            fault("role", " or ".join(_ROLES), row["role"])
    for key in row.keys() - set(_KEYS):
        near = difflib.get_close_matches(key[:40], _KEYS, n=1, cutoff=0.75)
        if near and near[0] not in row:
            faults.append(Fault(where=where, expected=f"the key {near[0]!r}", seen=repr(key[:40])))
    if len(faults) > known:
        return None
    if "text" in row:
        return _text(row)
    try:
        return _body(row)
    except InputError as error:
        faults += [f.model_copy(update={"where": f"{where}: {f.where}"}) for f in error.faults]
        return None


def _text(row: Mapping[str, Any]) -> Exchange:
    text = sound(row["text"])
    if row.get("role", "assistant") == "user":
        said = (Utterance(role="user", text=text, where="text"),)
        return Exchange(id=sound(str(row["id"])), utterances=said, lang=row.get("lang"))
    return Exchange(id=sound(str(row["id"])), utterances=(), answer=text, lang=row.get("lang"))


def _body(row: Mapping[str, Any]) -> Exchange:
    """A body; its last message is the answer if the assistant gave it."""
    messages = row["messages"]
    last = messages[-1] if isinstance(messages, list) and messages else None
    answered = isinstance(last, dict) and last.get("role") == "assistant" and len(messages) > 1
    body = {k: v for k, v in row.items() if k in ("messages", "tools", "functions")}
    # Read whole first, so that every fault is told in the places of the line.
    whole = read_exchange(body, id=sound(str(row["id"])), lang=row.get("lang"))
    if not answered:
        return whole
    assert isinstance(last, dict)
    return read_exchange(
        {**body, "messages": messages[:-1]}, id=whole.id, lang=whole.lang, answer=read_answer(last)
    )
