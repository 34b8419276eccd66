"""Recognise the format of a consultation and read it, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from normwright import plugins
from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Folder
from normwright.elicit.importers import (
    AnnotationsImporter,
    Importer,
    PairsImporter,
    all_our_ideas,
    convabuse,
    dices,
    hatecheck,
    judged_pairs,
    native,
    polis,
    preflib,
    prism,
    ratings,
    table,
    told_br,
)
from normwright.records import InputError

KIND = "importers"
BUILT_IN = (
    all_our_ideas, convabuse, dices, hatecheck, judged_pairs, native, polis, preflib, prism,
    ratings, table, told_br,
)  # fmt: skip
"""The modules whose import registers the importers that ship with the package."""


Part: TypeAlias = Importer | PairsImporter
"""A format that a project may start from."""
AnyPart: TypeAlias = Importer | PairsImporter | AnnotationsImporter
P = TypeVar("P", Importer, PairsImporter, Part, AnyPart)

MOST_VOTERS: Final = 10_000_000
"""Voters of a project: each is a row of its store. An analysis of a file has no such bound."""


def every_format() -> tuple[AnyPart, ...]:
    """Return every format there is, those of other distributions too."""
    return tuple(plugins.get(KIND, card.name) for card in plugins.cards(KIND))


def formats() -> tuple[Part, ...]:
    """Return every format that a project may start from."""
    return tuple(part for part in every_format() if not isinstance(part, AnnotationsImporter))


def fitting_of(parts: Sequence[P], folder: Folder) -> list[P]:
    """Return the formats a folder may be of; one for want of another only if there is no other."""
    first = [part for part in parts if not part.fallback and part.sniff(folder)]
    return first or [part for part in parts if part.fallback and part.sniff(folder)]


def importer_of(folder: Folder) -> Importer | None:
    """Return the format of the consultation in a folder; None where that is not plain."""
    fitting = fitting_of([part for part in formats() if isinstance(part, Importer)], folder)
    return fitting[0] if len(fitting) == 1 else None


def read_consultation(directory: Path, *, root: Path) -> Consulted:
    """Return the consultation that lies in a directory.

    Every file may be gzipped. The last answer of a person to an item counts; a blank or absent
    answer is no answer, which is not a pass.

    Args:
        directory: where the files are.
        root: the project directory; paths in messages and sources are relative to it.

    Raises:
        InputError: with every fault, each with file and line, if anything cannot be used.
    """
    folder = Folder(directory, root)
    where = folder.label(directory)
    if not directory.is_dir():
        folder.faults.add(where, "a directory with a consultation", "no such directory")
        raise InputError(folder.faults.found)
    importers = [part for part in formats() if isinstance(part, Importer)]
    fitting = fitting_of(importers, folder)
    if len(fitting) != 1:
        known = "; or ".join(f"{i.files} ({i.slug})" for i in importers)
        names = sorted(p.name for p in directory.iterdir())
        seen = " and ".join(i.slug for i in fitting) or ", ".join(names) or "an empty directory"
        folder.faults.add(where, f"one of: {known}", seen)
        raise InputError(folder.faults.found)
    consulted = fitting[0].read(folder)
    if consulted is not None:
        check_storable(consulted, folder)
    if consulted is None or folder.faults.found:
        raise InputError(folder.faults.found)
    return consulted


def check_storable(consulted: Consulted, folder: Folder) -> None:
    """Note a consultation of so many voters that a project cannot hold a row for each."""
    if len(consulted.participants) > MOST_VOTERS:
        folder.faults.add(
            folder.label(folder.directory), f"at most {MOST_VOTERS} voters in a project",
            len(consulted.participants),
            "The file itself can be analysed without a project.",
        )  # fmt: skip
