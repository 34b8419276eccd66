"""Broken norms: each is refused by one error that says the file, the line, the key, what fits."""

from __future__ import annotations

import copy
import os
import random
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from tests.breaking import break_bytes, limit
from tests.charter.builders import ACTS, FACTS, LANGS, body, cases, write

from normwright.charter import read_source
from normwright.records import Fault, InputError

TRIES = int(os.environ.get("NORMWRIGHT_TRIES", "2000"))
"""How many broken norms are read; `scripts/exhaustive.py` asks for more."""

SECONDS = 5.0
"""What one try may take of the processor."""
NAME = "organisation/0.yaml"
PLACE = re.compile(r"^(?P<file>[\w./-]+\.yaml):(?P<line>\d+)(?: (?P<key>\S.*))?$")
WORDS = (
    "colour",
    "sevrity",
    "acct",
    "x",
    "kinds",
    "langg",
    "fact_",
    "statment",
    "Layer",
    "expects",
)
WRONG: tuple[Any, ...] = (
    "purple",
    17,
    -3,
    2.5,
    True,
    None,
    [],
    {},
    [1],
    {"a": 1},
    "",
    "2027-13-01",
)


def sound(rng: random.Random) -> dict[str, Any]:
    """A norm with something at every key, of one of several kinds."""
    return body(
        version=rng.randint(1, 9),
        condition={"all": [{"fact": "clinician", "eq": False},
                           {"any": [{"fact": "age", "at_most": 30},
                                    {"not": {"fact": "age", "in": [40, 41]}}]}]},
        bearer={"actor": ["assistant", "agent"], "personal": False},
        scope={"channels": ["output"], "deployments": "*"},
        valid_from="2026-01-01", valid_to="2028-01-01", severity=rng.randint(1, 5),
        on_unknown=rng.choice(["ask", "deny"]), concerns=["safety"],
        rationale={"en": "Because.", "pt": "Porque."},
        measure=[{"metric": "judge.advice", "limit": 0.05}],
        source=[{"kind": "document", "ref": "House rules 3"}],
        cases=[*cases(("hit", "deny"), clinician=False, age=20), *cases(("miss", "allow", "tell"))],
    )  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a document below the top."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for step, part in inner:
        yield (*path, step)
        if isinstance(part, (dict, list)):
            yield from places(part, (*path, step))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def unknown_key(norm: dict[str, Any], rng: random.Random) -> tuple[str | int, ...] | None:
    """A key that no record has, at the top or inside a part that is a record."""
    homes = [(), ("bearer",), ("scope",), ("condition",), ("measure", 0), ("source", 0),
             ("cases", rng.randrange(4)), ("condition", "all", 0)]  # fmt: skip
    home = rng.choice(homes)
    word = rng.choice(WORDS)
    at(norm, home)[word] = rng.choice(WRONG)
    return (*home, word)


def wrong_value(norm: dict[str, Any], rng: random.Random) -> tuple[str | int, ...] | None:
    """A value of another type, outside its range, or of no known word."""
    bad: dict[tuple[str | int, ...], tuple[Any, ...]] = {
        ("kind",): ("ban", 3, [], None), ("layer",): ("city", 1, {}), ("tier",): ("soft", []),
        ("version",): ("two", 0, [], 1.5), ("severity",): (0, 6, "high", [], 2.5),
        ("act",): ("advice", 7, [], "advise.dosis"), ("on_unknown",): ("maybe", 1, []),
        ("valid_from",): ("soon", "2026-02-30", [], {}), ("review_by",): ("later", []),
        ("valid_to",): ("2025-01-01", "2026-01-01"), ("statement",): ("No.", ["No."], 3),
        ("statement", "pt"): ("", "  ", 3, []), ("concerns",): ("safety", {"a": 1}),
        ("condition", "all", 0, "fact"): ("clinican", "x", 3),
        ("condition", "all", 0, "eq"): ("yes", 3, "false"),
        ("condition", "all", 1, "any", 0, "at_most"): (True, [], "old"),
        ("condition", "all", 1, "any", 1, "not", "in"): ([], ["x"], [200], 40, [True]),
        ("bearer", "actor"): (["robot"], "assistant!", 3), ("bearer", "personal"): ("perhaps", []),
        ("scope", "channels"): (["voice"], 3), ("measure", 0, "limit"): (0, 1, "low", -0.1),
        ("source", 0, "kind"): ("rumour", []), ("cases", 0, "expect"): ("refuse", True, []),
        ("cases", 1, "kind"): ("near", 1), ("cases", 2, "act"): ("tel", "x.y"),
        ("cases", 0, "facts", "age"): ("old", 121, -1, True, 2.5),
        ("cases", 3, "lang"): ("fr", "xx"), ("id",): ("No Advice", "A", "", "a..b"),
        ("supersedes",): (["o.nothing"], ["g.none@3"]), ("reparation",): (["o.repair"],),
        ("authority",): ("",), ("overridable_by",): (["city"], "individual!"),
        ("deadline",): ("P1D", "soon"),
    }  # fmt: skip
    place = rng.choice(list(bad))
    home = at(norm, place[:-1])
    home[place[-1]] = rng.choice(bad[place])
    return place


def missing(norm: dict[str, Any], rng: random.Random) -> tuple[str | int, ...] | None:
    """A key that has to be there is not."""
    homes: list[tuple[str | int, ...]] = [
        ("id",), ("kind",), ("layer",), ("authority",), ("tier",), ("act",), ("statement",),
        ("statement", "en"), ("rationale", "pt"), ("cases", 0, "act"), ("cases", 1, "expect"),
        ("cases", 2, "text"), ("cases", 3, "kind"), ("cases", 0, "lang"), ("review_by",),
        ("measure", 0, "metric"), ("measure", 0, "limit"), ("source", 0, "ref"),
        ("condition", "all", 0, "eq"), ("condition", "all", 0, "fact"),
    ]  # fmt: skip
    place = rng.choice(homes)
    del at(norm, place[:-1])[place[-1]]
    return place


def swallowed(norm: dict[str, Any], rng: random.Random) -> tuple[str | int, ...] | None:
    """A part that should hold others is a word, a number, or a list."""
    place = rng.choice([("condition",), ("bearer",), ("scope",), ("cases",), ("measure",),
                        ("source",), ("rationale",), ("cases", 2), ("condition", "all", 1),
                        ("measure", 0), ("cases", 1, "facts")])  # fmt: skip
    at(norm, place[:-1])[place[-1]] = rng.choice(["word", 5, True, [["x"]]])
    return place


BREAKS: tuple[Callable[[dict[str, Any], random.Random], tuple[str | int, ...] | None], ...] = (
    unknown_key,
    wrong_value,
    missing,
    swallowed,
)


def faults_of(folder: Path) -> tuple[Fault, ...]:
    """What is said of a source that has to be refused."""
    try:
        read_source(folder, languages=LANGS)
    except InputError as error:
        return error.faults
    except Exception:  # noqa: BLE001
        return (Fault(where="traceback", expected="", seen=traceback.format_exc()[-200:]),)
    return ()


def dotted(place: tuple[str | int, ...]) -> str:
    parts = (f"[{s}]" if isinstance(s, int) else f".{s}" for s in place)
    return "".join(parts).removeprefix(".")


def steps(key: str) -> tuple[str | int, ...]:
    found = re.findall(r"[^.\[\]]+", key)
    return tuple(int(step) if step.isdecimal() else step for step in found)


def line_of(text: str, place: tuple[str | int, ...]) -> int | None:
    """Where a place stands in the text, by walking PyYAML's own nodes; None: it is not there."""
    node = yaml.compose(text)
    line = 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == str(step)), None)
            if pair is None:
                return None
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def test_each_break_is_told_with_file_line_key_and_what_fits(tmp_path: Path) -> None:
    """One fault for one break, at the line where it stands, and nothing but what was broken."""
    folder = write(tmp_path, sound(random.Random(0)))
    assert faults_of(folder) == ()

    untold: list[str] = []
    for number in range(TRIES):
        rng = random.Random(number)
        norm = copy.deepcopy(sound(rng))
        place = rng.choice(BREAKS)(norm, rng)
        assert place is not None
        text = yaml.safe_dump(norm, sort_keys=False, allow_unicode=True)
        (folder / NAME).write_text(text, encoding="utf-8")

        found = faults_of(folder)

        told = [m for f in found if (m := PLACE.match(f.where)) and m["key"]]
        if len(found) == 1 and told and told[0]["file"] == NAME and found[0].expected:
            key = told[0]["key"]
            deeper, higher = key.startswith(dotted(place)), dotted(place).startswith(key)
            line = line_of(text, steps(key))
            good = (deeper or higher) and line in (int(told[0]["line"]), None)
        else:
            good = False
        if not good:
            untold.append(f"{number} {dotted(place)}: {[str(f) for f in found]}")

    assert not untold, f"{len(untold)} of {TRIES}:\n" + "\n".join(untold[:12])


def test_broken_bytes_are_read_or_refused_and_never_a_traceback(tmp_path: Path) -> None:
    """Any byte of any file may be wrong: every fault still names a file, and nothing hangs."""
    folder = write(tmp_path / "parts", sound(random.Random(1)))
    (folder / "charter.yaml").write_text(
        "schema: charter/v1\nid: desk\nlanguages: [en, pt]\nzones: {desk: Europe/Lisbon}\n"
    )
    parts = {p: p.read_bytes() for p in sorted(folder.rglob("*.yaml"))}
    whole = tmp_path / "whole.yaml"
    entire = {"id": "desk", **ACTS, **FACTS, "norms": [sound(random.Random(2))], "situations": []}
    one_file = yaml.safe_dump(entire, sort_keys=False, allow_unicode=True).encode()
    refused = 0
    for number in range(TRIES):
        rng = random.Random(number)
        if number % 4 == 0:
            whole.write_bytes(break_bytes(one_file, rng))
            place = whole
        else:
            broken = rng.choice(list(parts))
            broken.write_bytes(break_bytes(parts[broken], rng))
            place = folder
        with limit(SECONDS):
            found = faults_of(place)
        refused += bool(found)
        untold = [f for f in found if ".yaml" not in f.where or not (f.expected and f.seen)]
        assert not untold, f"{number}: {untold[:3]}"
        if place is folder:
            broken.write_bytes(parts[broken])

    assert refused > TRIES / 3
