"""Read family banks: slots of words, line formats, wordings and deciding cases, all data.

A bank is one or more YAML files with the keys `forms`, `formats`,
`slots`, `splits`, `novel` and `families`. Anything
that differs between training and test (words, line formats, wordings, answers) is *grouped*: a
mapping from a group name to its content; a split takes its own group where one exists and the
group named by `splits` otherwise, so that test wordings never appear in training.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from normwright.records import FactValue, Fault, InputError

Texts = dict[str, tuple[str, ...]]
"""Variants of one text by language."""

Grouped = dict[str, Texts]
"""Variants by group, then by language."""


@dataclass(frozen=True)
class Word:
    """One entry of a slot in one language: the word and its class, which selects its forms."""

    text: str
    cls: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a sheet: exactly one of a slot, a generator, or a choice of options."""

    name: str
    slot: str | None = None
    gen: str | None = None
    options: dict[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One variant of a family that decides: its facts, and how it shows in the text."""

    id: str
    facts: dict[str, FactValue]
    choose: dict[str, str]
    """Column -> option the target row takes."""
    derive: dict[str, str]
    """New name -> `same:COLUMN` (the target's value) or `other:COLUMN` (another row's value)."""
    words: dict[str, Grouped]
    """Placeholder -> text used in the wording for this case."""
    careful: str
    """What a careful assistant would do, `perform` or `decline`; for the pre-training corpus."""
    applies: bool
    """Whether the norm speaks against this variant (True) or spares it (False)."""
    act: str | None = None
    norm: str | None = None


@dataclass(frozen=True)
class Family:
    """A family of scenes that share a sheet and an act."""

    id: str
    act: str
    norm: str | None
    splits: tuple[str, ...]
    """Splits the family may be drawn in; empty means every split."""
    rows: tuple[int, int]
    columns: tuple[Column, ...]
    heading: Grouped
    line: Grouped
    ask: Grouped
    perform: Grouped
    decline: Grouped
    exact: Texts
    """What the performing answer must hold, by language; under `""` for every language."""
    foreign: tuple[str, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Bank:
    """All families with the words they draw from."""

    slots: dict[str, dict[str, dict[str, tuple[Word, ...]]]]
    """Slot -> group -> language -> words; words of the languages are aligned by position."""
    forms: dict[str, dict[str, dict[str, str]]]
    """Language -> word class -> form name -> template with `{w}`."""
    formats: dict[str, dict[str, str]]
    """Language -> generator -> how that language writes it, for example `{h}h{m}`."""
    splits: dict[str, tuple[str, ...]]
    """Split -> groups to look for, in order."""
    novel: dict[str, float]
    """Split -> share of slot words that are replaced by made-up ones."""
    families: tuple[Family, ...]
    languages: tuple[str, ...]


_FAMILY_KEYS = {
    "id",
    "act",
    "norm",
    "splits",
    "rows",
    "columns",
    "heading",
    "line",
    "ask",
    "perform",
    "decline",
    "exact",
    "foreign",
    "cases",
}
_CASE_KEYS = {"id", "facts", "choose", "derive", "words", "careful", "applies", "act", "norm"}
GENERATORS = ("time", "phone", "price", "code", "number", "room", "word", "name", "percent")


class _Reader:
    """Collects every fault of a set of bank files before anything is built."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.languages: set[str] = set()

    def fault(self, where: str, expected: str, seen: object, do: str = "") -> None:
        self.faults.append(Fault(where=where, expected=expected, seen=str(seen), do=do))

    def unknown(self, where: str, keys: Sequence[str], known: set[str]) -> None:
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                self.fault(
                    f"{where}: {key}",
                    f"one of {', '.join(sorted(known))}",
                    "unknown key",
                    f"Did you mean {near[0]}?" if near else "",
                )

    def texts(self, where: str, value: Any) -> Texts:
        """A text is a mapping from language to a string or a list of strings."""
        if not isinstance(value, dict) or not value:
            self.fault(where, "a mapping from language to text", value)
            return {}
        out: Texts = {}
        for lang, variants in value.items():
            items = [variants] if isinstance(variants, str) else variants
            if not isinstance(items, list) or not all(isinstance(v, str) for v in items):
                self.fault(f"{where}.{lang}", "a string or a list of strings", variants)
                continue
            self.languages.add(lang)
            out[lang] = tuple(items)
        return out

    def grouped(self, where: str, value: Any, groups: set[str]) -> Grouped:
        """Either texts by group, or texts alone, which then belong to the group `train`."""
        if value is None:
            return {}
        if isinstance(value, dict) and value and set(value) <= groups:
            return {g: self.texts(f"{where}.{g}", v) for g, v in value.items()}
        return {"train": self.texts(where, value)}

    def exact(self, where: str, value: Any, perform: Grouped) -> Texts:
        """A list for every language, or a text for each: where none stands, any answer passes."""
        if value is None:
            return {}
        if isinstance(value, dict):
            spoken = {lang for texts in perform.values() for lang in texts}
            if set(value) != spoken:
                expected = f"the languages of perform: {', '.join(sorted(spoken))}"
                self.fault(where, expected, ", ".join(map(str, value)))
                return {}
            return self.texts(where, value)
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return {"": tuple(value)}
        self.fault(where, "a list of strings, or a mapping from language to text", value)
        return {}


def load_bank(paths: Sequence[Path]) -> Bank:
    """Return the bank read from YAML files, or raise one InputError naming every fault."""
    reader = _Reader()
    raw: dict[str, Any] = {
        "forms": {},
        "formats": {},
        "slots": {},
        "splits": {},
        "novel": {},
        "families": [],
    }
    for path in paths:
        content = _read_yaml(path, reader)
        reader.unknown(path.name, [str(k) for k in content], set(raw))
        for key in ("forms", "formats", "slots", "splits", "novel"):
            raw[key].update(content.get(key) or {})
        raw["families"] += [(path.name, f) for f in content.get("families") or []]
    splits = {s: tuple(g) for s, g in raw["splits"].items()}
    groups = {g for order in splits.values() for g in order} | {"train"}
    slots = {name: _slot(name, value, reader, groups) for name, value in raw["slots"].items()}
    families = [_family(where, f, reader, groups, slots) for where, f in raw["families"]]
    if not families and not reader.faults:
        reader.fault(", ".join(p.name for p in paths) or "scenes", "at least one family", "none")
    ids = [f.id for f in families if f]
    for twice in sorted({i for i in ids if ids.count(i) > 1}):
        reader.fault(f"families: {twice}", "an id used once", "used more than once")
    if reader.faults:
        raise InputError(reader.faults)
    return Bank(
        slots=slots,
        forms=raw["forms"],
        formats=raw["formats"],
        splits=splits,
        novel={split: float(share) for split, share in raw["novel"].items()},
        families=tuple(f for f in families if f),
        languages=tuple(sorted(reader.languages)),
    )


def _read_yaml(path: Path, reader: _Reader) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        reader.fault(str(path), "a scene bank", "no such file")
    except UnicodeDecodeError as error:
        reader.fault(str(path), "UTF-8 text", f"byte {error.start} is not UTF-8")
    except yaml.YAMLError as error:
        reader.fault(str(path), "YAML", " ".join(str(error).split()))
    else:
        if isinstance(content, dict):
            return content
        reader.fault(str(path), "a mapping", type(content).__name__)
    return {}


def _slot(
    name: str, value: Any, reader: _Reader, groups: set[str]
) -> dict[str, dict[str, tuple[Word, ...]]]:
    out: dict[str, dict[str, tuple[Word, ...]]] = {}
    for group, texts in reader.grouped(f"slots.{name}", value, groups).items():
        sizes = {lang: len(words) for lang, words in texts.items()}
        if len(set(sizes.values())) > 1:
            reader.fault(f"slots.{name}.{group}", "equally many words in every language", sizes)
        out[group] = {
            lang: tuple(Word(*w.split("/", 1)) for w in words) for lang, words in texts.items()
        }
    return out


def _family(
    where: str, value: Any, reader: _Reader, groups: set[str], slots: dict[str, Any]
) -> Family | None:
    if not isinstance(value, dict) or "id" not in value:
        reader.fault(where, "a family with an id", value)
        return None
    here = f"{where}: {value['id']}"
    reader.unknown(here, list(value), _FAMILY_KEYS)
    for key in ("act", "ask", "perform", "decline"):
        if key not in value:
            reader.fault(f"{here}: {key}", "a value", "nothing")
    columns = tuple(
        _column(f"{here}: columns.{n}", n, c, reader, slots)
        for n, c in (value.get("columns") or {}).items()
    )
    text = {
        key: reader.grouped(f"{here}: {key}", value.get(key), groups)
        for key in ("heading", "line", "ask", "perform", "decline")
    }
    low, high = value.get("rows", [0, 0])
    return Family(
        id=value["id"],
        act=value.get("act", ""),
        norm=value.get("norm"),
        splits=tuple(value.get("splits") or ()),
        rows=(low, high),
        columns=columns,
        exact=reader.exact(f"{here}: exact", value.get("exact"), text["perform"]),
        foreign=tuple(value.get("foreign") or ()),
        cases=tuple(
            _case(here, c, reader, groups) for c in value.get("cases") or [{"id": "plain"}]
        ),
        **text,
    )


def _column(where: str, name: str, value: Any, reader: _Reader, slots: dict[str, Any]) -> Column:
    kinds = [k for k in ("slot", "gen", "options") if k in value]
    if len(kinds) != 1:
        reader.fault(where, "exactly one of slot, gen, options", kinds or "none")
    if "slot" in value and value["slot"] not in slots:
        near = difflib.get_close_matches(str(value["slot"]), slots, n=1)
        reader.fault(
            where, "a known slot", value["slot"], f"Did you mean {near[0]}?" if near else ""
        )
    if "gen" in value and value["gen"] not in GENERATORS:
        reader.fault(where, f"one of {', '.join(GENERATORS)}", value["gen"])
    return Column(
        name=name,
        slot=value.get("slot"),
        gen=value.get("gen"),
        options={
            o: reader.texts(f"{where}.{o}", t) for o, t in (value.get("options") or {}).items()
        },
    )


def _case(where: str, value: Any, reader: _Reader, groups: set[str]) -> Case:
    here = f"{where}: cases.{value.get('id', '?')}"
    reader.unknown(here, list(value), _CASE_KEYS)
    return Case(
        id=value.get("id", "plain"),
        facts=value.get("facts") or {},
        choose=value.get("choose") or {},
        derive=value.get("derive") or {},
        words={
            k: reader.grouped(f"{here}.words.{k}", v, groups)
            for k, v in (value.get("words") or {}).items()
        },
        careful=value.get("careful", "perform"),
        applies=bool(value.get("applies", value.get("careful") == "decline")),
        act=value.get("act"),
        norm=value.get("norm"),
    )
