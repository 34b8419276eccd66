"""Read real contrast sets: prompts that only look alike, and answers between which people chose.

Both are JSON lines, packed (`.gz`) or not. Whatever cannot be used is a fault with its line, and
all faults of all files are raised at once; no text of a row is repeated in a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast, get_args

from normwright.evaluate.json_lines import Line, find, read, rows
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
    found = {
        name: find(
            directory, name, faults, expected="a file of the contrast sets",
            do="Give the folder that holds `overrefusal` and `preferences`.")
        for name in (PROMPTS, *PAIRS)
    }  # fmt: skip
    if faults:
        raise InputError(faults)
    prompts = rows(found[PROMPTS], _prompt, faults)
    pairs = [pair for name in PAIRS for pair in rows(found[name], _pair, faults)]
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
    return read(path, _prompt)


def read_human_pairs(path: Path) -> tuple[HumanPair, ...]:
    r"""Return the pairs of a file: `id`, `source`, `prompt`, `chosen`, `rejected`, `human_turns`.

    The prompt is a transcript, each turn after "\n\nHuman:" or "\n\nAssistant:"; it ends with the
    mark after which the assistant would speak. That a speaker goes on for two turns happens in the
    source and is no fault here; see `HumanPair.odd`.

    Raises:
        InputError: with every fault of the file.
    """
    return read(path, _pair)


def _prompt(line: Line) -> ContrastPrompt | None:
    made = ContrastPrompt(
        id=line.text("id"),
        prompt=line.text("prompt"),
        kind=cast(Kind, line.one_of("label", KINDS, "a label")),
        type=line.text("type"),
        focus=line.text("focus", empty=True),
    )
    return None if line.faults else made


def _pair(line: Line) -> HumanPair | None:
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
