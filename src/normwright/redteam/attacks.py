"""Read attacks: templates of several turns that wrap a scene's request, all data."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from normwright.records import Fault, InputError, Lang, Scene, Text
from normwright.scenes.exact import ask_line, sheet

FORMAT: Final = "attacks/v1"
PLACEHOLDERS: Final = ("request", "sheet", "ask", "ask_first", "ask_rest")
_COMPLETES: Final = frozenset({"request", "ask", "ask_rest"})
"""Placeholders after which the request has been made in full."""
_KEYS: Final = {"id", "summary", "turns", "reference"}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Attack:
    """One way to insist."""

    id: str
    summary: Text
    turns: Mapping[Lang, tuple[str, ...]]
    """What the user says, turn by turn, with placeholders."""
    reference: str = ""

    def says(self, scene: Scene) -> tuple[str, ...]:
        """Return the user's turns around one scene, in the scene's language."""
        asked = ask_line(scene)
        words = asked.split()
        half = (len(words) + 1) // 2
        parts = {
            "request": scene.messages[-1].content.strip(),
            "sheet": sheet(scene.model_copy(update={"messages": scene.messages[-1:]})),
            "ask": asked,
            "ask_first": " ".join(words[:half]),
            "ask_rest": " ".join(words[half:]),
        }
        return tuple(
            _PLACEHOLDER.sub(lambda m: parts[m.group(1)], turn).strip()
            for turn in self.turns[scene.lang]
        )

    def asked_at(self, lang: Lang) -> int:
        """Return the number of the turn, from 0, at which the request has been made in full."""
        for number, turn in enumerate(self.turns[lang]):
            if _COMPLETES & set(_PLACEHOLDER.findall(turn)):
                return number
        raise ValueError(f"attack {self.id} never makes its request in {lang}")


def load_attacks(path: Path) -> tuple[Attack, ...]:
    """Return the attacks of a YAML file.

    Raises:
        InputError: naming every fault: unknown keys and placeholders, ids used twice, languages
            with other turns than their neighbours, attacks that never make the request.
    """
    faults: list[Fault] = []
    rows = _rows(path, faults)
    languages = {
        lang for row in rows if isinstance(row.get("turns"), dict) for lang in row["turns"]
    }
    attacks = [
        _attack(f"{path.name}: attacks.{i}", row, languages, faults) for i, row in enumerate(rows)
    ]
    ids = [a.id for a in attacks if a]
    faults += [
        Fault(where=f"{path.name}: {twice}", expected="an id used once", seen="used twice or more")
        for twice in sorted({i for i in ids if ids.count(i) > 1})
    ]
    if faults:
        raise InputError(faults)
    return tuple(a for a in attacks if a)


def _rows(path: Path, faults: list[Fault]) -> list[dict[str, Any]]:
    where = str(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        faults.append(Fault(where=where, expected="a file of attacks", seen="no such file"))
        return []
    except UnicodeDecodeError as error:
        seen = f"byte {error.start} is not UTF-8"
        faults.append(Fault(where=where, expected="UTF-8 text", seen=seen))
        return []
    except yaml.YAMLError as error:
        faults.append(Fault(where=where, expected="YAML", seen=" ".join(str(error).split())))
        return []
    if not isinstance(content, dict) or content.get("schema") != FORMAT:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        faults.append(Fault(where=where, expected=f"`schema: {FORMAT}`", seen=str(found)))
        return []
    rows = content.get("attacks")
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        kind = "no attack" if rows == [] else type(rows).__name__
        faults.append(Fault(where=f"{path.name}: attacks", expected="a list of attacks", seen=kind))
        return []
    return rows


def _attack(
    where: str, row: dict[str, Any], languages: set[str], faults: list[Fault]
) -> Attack | None:
    before = len(faults)
    name = row.get("id")
    if not isinstance(name, str) or not name:
        faults.append(Fault(where=f"{where}.id", expected="a slug", seen=str(name)))
    else:
        where = f"{where} ({name})"
    for key in row:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), sorted(_KEYS), n=1)
            faults.append(Fault(where=f"{where}.{key}", expected=f"one of {sorted(_KEYS)}",
                                seen="unknown key",
                                do=f"Did you mean {near[0]}?" if near else ""))  # fmt: skip
    turns = _texts(f"{where}.turns", row.get("turns"), languages, faults)
    summary = row.get("summary")
    if not isinstance(summary, dict) or set(summary) != languages:
        faults.append(Fault(where=f"{where}.summary", expected=f"text in {sorted(languages)}",
                            seen=str(summary)))  # fmt: skip
    if len(faults) > before or not isinstance(name, str) or not isinstance(summary, dict):
        return None
    return Attack(name, {k: str(v) for k, v in summary.items()}, turns,
                  str(row.get("reference", "")))  # fmt: skip


def _texts(
    where: str, value: Any, languages: set[str], faults: list[Fault]
) -> dict[str, tuple[str, ...]]:
    """Turns by language: the same languages and as many turns everywhere, the request made."""
    if not isinstance(value, dict) or set(value) != languages:
        seen = sorted(value) if isinstance(value, dict) else value
        faults.append(Fault(where=where, expected=f"turns in {sorted(languages)}", seen=str(seen)))
        return {}
    out: dict[str, tuple[str, ...]] = {}
    for lang, turns in value.items():
        here = f"{where}.{lang}"
        if not isinstance(turns, list) or not turns or not all(isinstance(t, str) for t in turns):
            faults.append(Fault(where=here, expected="a list of texts", seen=str(turns)))
            continue
        named = [p for t in turns for p in _PLACEHOLDER.findall(t)]
        faults += [
            Fault(where=here, expected=f"one of {', '.join(PLACEHOLDERS)}", seen=f"{{{unknown}}}")
            for unknown in sorted(set(named) - set(PLACEHOLDERS))
        ]
        if not _COMPLETES & set(named):
            faults.append(Fault(where=here, expected="a turn with {request}, {ask} or {ask_rest}",
                                seen="none", do="An attack must make its request."))  # fmt: skip
        out[lang] = tuple(turns)
    sizes = {lang: len(turns) for lang, turns in out.items()}
    if len(set(sizes.values())) > 1:
        faults.append(Fault(where=where, expected="equally many turns in every language",
                            seen=str(sizes)))  # fmt: skip
    return out
