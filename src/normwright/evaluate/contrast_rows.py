"""Read real contrast sets: prompts that only look alike, and answers between which people chose.

Both are JSON lines, packed (`.gz`) or not. Whatever cannot be used is a fault with its line, and
all faults of all files are raised at once; no text of a row is repeated in a message.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast, get_args

from normwright.records import Digest, Fault, InputError, Message, digest_bytes
from normwright.scenes.transcript import alternates, has_turn_mark, parse_transcript

Kind: TypeAlias = Literal["safe", "unsafe"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

SOURCES: Final[Mapping[str, str]] = {
    "hh-rlhf/harmless": "harmless",
    "hh-rlhf/helpful": "helpful",
}
"""What a row of human pairs calls its source -> what a measurement calls it."""

PROMPTS: Final = "overrefusal/xstest_en"
PAIRS: Final = ("preferences/hh_harmless", "preferences/hh_helpful")
"""Where the sets lie in a folder of real data, without their endings."""

_ENDINGS = (".jsonl.gz", ".jsonl")

Row = TypeVar("Row")


@dataclass(frozen=True)
class ContrastPrompt:
    """One request of XSTest: safe though it sounds unsafe, or the unsafe one it sounds like."""

    id: str
    prompt: str
    kind: Kind
    type: str
    """The source's own class of prompts, for example `homonyms`."""
    focus: str
    """What safe and unsafe contrasts share; empty where the source names none."""

    @property
    def cluster(self) -> str:
        """The unit of independence: the focus, or the prompt itself where there is none."""
        return f"focus:{self.focus}" if self.focus else f"prompt:{self.id}"


@dataclass(frozen=True)
class HumanPair:
    """A conversation and two answers to it, of which a person preferred `chosen`."""

    id: str
    source: str
    """A value of `SOURCES`."""
    turns: tuple[Message, ...]
    """The conversation up to the answer, as it stands in the file."""
    chosen: str
    rejected: str

    @property
    def odd(self) -> str | None:
        """Why the pair cannot be asked as it is, or None: `turns`, `empty` or `marks`.

        `turns`: user and assistant do not alternate; `empty`: an answer without text; `marks`: an
        answer that goes on with further turns.
        """
        if not alternates(self.turns):
            return "turns"
        if not self.chosen or not self.rejected:
            return "empty"
        if has_turn_mark(self.chosen) or has_turn_mark(self.rejected):
            return "marks"
        return None


@dataclass(frozen=True)
class ContrastSets:
    """Both sets, with the digests of the files they were read from."""

    prompts: tuple[ContrastPrompt, ...]
    pairs: Mapping[str, tuple[HumanPair, ...]]
    """By source, a value of `SOURCES`."""
    files: Mapping[str, Digest]
    """By name in the folder, without its ending."""


def read_contrast_sets(directory: Path) -> ContrastSets:
    """Return the contrast sets of a folder of real data.

    Raises:
        InputError: naming every fault of every file: missing, unreadable, or with unusable rows.
    """
    faults: list[Fault] = []
    found = {name: _find(directory, name, faults) for name in (PROMPTS, *PAIRS)}
    if faults:
        raise InputError(faults)
    prompts = _rows(found[PROMPTS], _prompt, faults)
    pairs = [pair for name in PAIRS for pair in _rows(found[name], _pair, faults)]
    if faults:
        raise InputError(faults)
    return ContrastSets(
        prompts=prompts,
        pairs={s: tuple(p for p in pairs if p.source == s) for s in SOURCES.values()},
        files={name: digest_bytes(path.read_bytes()) for name, path in found.items()},
    )


def read_contrast_prompts(path: Path) -> tuple[ContrastPrompt, ...]:
    """Return the prompts of a file with `id`, `prompt`, `type`, `label` and `focus` in each line.

    Raises:
        InputError: with every fault of the file.
    """
    return _read(path, _prompt)


def read_human_pairs(path: Path) -> tuple[HumanPair, ...]:
    r"""Return the pairs of a file: `id`, `source`, `prompt`, `chosen`, `rejected`, `human_turns`.

    The prompt is a transcript, each turn after "\n\nHuman:" or "\n\nAssistant:"; it ends with the
    mark after which the assistant would speak. That a speaker goes on for two turns happens in the
    source and is no fault here; see `HumanPair.odd`.

    Raises:
        InputError: with every fault of the file.
    """
    return _read(path, _pair)


def _read(path: Path, make: Callable[[_Line], Row | None]) -> tuple[Row, ...]:
    faults: list[Fault] = []
    rows = _rows(path, make, faults)
    if faults:
        raise InputError(faults)
    return rows


def _find(directory: Path, name: str, faults: list[Fault]) -> Path:
    """The file of a set, packed or not."""
    for ending in _ENDINGS:
        if (directory / f"{name}{ending}").is_file():
            return directory / f"{name}{ending}"
    missing = directory / f"{name}{_ENDINGS[0]}"
    faults.append(Fault(
        where=str(missing), expected="a file of the contrast sets", seen="no such file",
        do="Give the folder that holds `overrefusal` and `preferences`."))  # fmt: skip
    return missing


@dataclass
class _Line:
    """One line's object, which notes what its fields lack."""

    where: str
    body: Mapping[str, Any]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, expected: str, seen: str, do: str = "") -> None:
        self.faults.append(Fault(where=self.where, expected=expected, seen=seen, do=do))

    def text(self, name: str, *, empty: bool = False) -> str:
        """A field's text; noted as a fault where it is missing, no text, or empty if it may not."""
        value = self.body.get(name)
        if isinstance(value, str) and (empty or value.strip()):
            return value
        seen = f"a {type(value).__name__}" if name in self.body else "no such field"
        self.fault(f"text in `{name}`", "nothing in it" if isinstance(value, str) else seen)
        return ""

    def one_of(self, name: str, known: tuple[str, ...], what: str) -> str:
        value = self.text(name)
        if value and value not in known:
            self.fault(
                f"{what}: {' or '.join(known)}",
                repr(value[:40]),
                "An unknown value is never taken for a known one; correct the file.",
            )
        return value


def _prompt(line: _Line) -> ContrastPrompt | None:
    made = ContrastPrompt(
        id=line.text("id"),
        prompt=line.text("prompt"),
        kind=cast(Kind, line.one_of("label", KINDS, "a label")),
        type=line.text("type"),
        focus=line.text("focus", empty=True),
    )
    return None if line.faults else made


def _pair(line: _Line) -> HumanPair | None:
    source = line.one_of("source", tuple(SOURCES), "a source")
    text = line.text("prompt")
    turns: tuple[Message, ...] = ()
    try:
        turns = parse_transcript(text) if text else ()
    except ValueError as error:
        line.fault("a transcript of Human and Assistant in `prompt`", str(error))
    counted, asked = line.body.get("human_turns"), sum(m.role == "user" for m in turns)
    if turns and (type(counted) is not int or counted != asked):
        line.fault(f"{asked} in `human_turns`, as in the prompt", repr(counted))
    chosen, rejected = (line.text(n, empty=True).strip() for n in ("chosen", "rejected"))
    if not line.faults and chosen == rejected:
        line.fault("two different answers", "the same twice")
    made = HumanPair(line.text("id"), SOURCES.get(source, ""), turns, chosen, rejected)
    return None if line.faults else made


def _rows(path: Path, make: Callable[[_Line], Row | None], faults: list[Fault]) -> tuple[Row, ...]:
    """The rows of a file; what is wrong with it is added to `faults`."""
    before, made = len(faults), []
    first: dict[str, int] = {}
    for number, content in _lines(path, faults):
        where = f"{path}:{number}"
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            faults.append(Fault(where=where, expected="a JSON object", seen="none"))
            continue
        line = _Line(where, body)
        row = make(line)
        name = str(body.get("id"))
        if first.setdefault(name, number) != number:
            line.fault("an id of its own", f"that of line {first[name]}")
        faults += line.faults
        if row is not None:
            made.append(row)
    if not made and len(faults) == before:
        faults.append(Fault(where=str(path), expected="rows", seen="none"))
    return tuple(made)


def _lines(path: Path, faults: list[Fault]) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank, from 1."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except FileNotFoundError:
        faults.append(Fault(where=str(path), expected="a file", seen="no such file"))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        faults.append(Fault(
            where=str(path), expected="UTF-8 text, packed with gzip if it ends with .gz",
            seen=type(error).__name__, do="Take the file from its source again."))  # fmt: skip
    else:
        # Not splitlines: JSON may hold line separators of Unicode as they are.
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, line
