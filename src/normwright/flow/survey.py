"""A folder of votes and ballots, read and analysed file by file, each with its integrity report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.ballots import Cast, cast_of
from normwright.flow.grouped import OpinionGroups, groups_of
from normwright.flow.slated import Slated, slate_of
from normwright.records import Agreement, Digest, Fault, InputError, IntegrityFault

if TYPE_CHECKING:
    from normwright.elicit import Source

_WHOLE: Final = ("comments.csv", "votes.csv", "participants-votes.csv", "process.yaml")
"""Files by which a folder is one consultation, and not a place where several lie."""
MOST_SECONDS: Final = 2.0
"""What one method may cost on one file, by its price; those beyond are left out with a word."""
SLATE: Final = 5
"""Statements in the slate of each consultation with votes."""


@dataclass(frozen=True)
class Surveyed:
    """One source: what it holds, what was found in it, and what it says."""

    path: str
    """Below the folder that was surveyed."""
    seconds: float
    format: str = ""
    digest: Digest | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[IntegrityFault, ...] = ()
    """The integrity report."""
    agreement: Agreement | None = None
    """Every method that is affordable on it."""
    groups: OpinionGroups | None = None
    slate: Slated | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Method -> why it was not asked."""
    faults: tuple[Fault, ...] = ()
    """Why it could not be read, or not be counted."""

    @property
    def read(self) -> bool:
        """Whether it could be read."""
        return bool(self.format)


def sources_in(folder: Path) -> list[Path]:
    """Return what lies in a folder and below: consultations that are folders, and single files.

    Raises:
        InputError: if there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise InputError(
            [Fault(where=str(folder), expected="a folder of votes and ballots", seen="no folder")]
        )
    found = list(_below(folder))
    if not found:
        raise InputError(
            [Fault(where=str(folder), expected="files of votes or ballots", seen="no files")]
        )
    return found


def _below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    here = folder.resolve()
    if here in above:
        return  # a link that leads back up
    names = {p.name.removesuffix(".gz") for p in folder.iterdir() if p.is_file()}
    if names & set(_WHOLE):
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _below(path, above | {here})
        elif path.is_file():
            yield path


def surveyed(path: Path, folder: Path, *, seed: int = 0, rounds: int = 20) -> Surveyed:
    """Return what one source holds and says; what is wrong with it is part of the answer.

    Args:
        path: the source.
        folder: what was surveyed, for names.
        seed: seed of every random step.
        rounds: subsamples of the people, for opinion groups.
    """
    from normwright.elicit import read_source

    began = time.monotonic()
    name = path.relative_to(folder).as_posix() if path != folder else path.name
    try:
        source = read_source(path)
    except InputError as error:
        return Surveyed(name, time.monotonic() - began, faults=error.faults)
    told: dict[str, Any] = {
        "format": source.format,
        "digest": source.digest,
        "counts": source.counts,
        "findings": source.faults,
    }
    if source.consulted is not None or source.majorities is not None:
        told |= _analysed(path, source, seed, rounds)
    return Surveyed(name, time.monotonic() - began, **told)


def _analysed(path: Path, source: Source, seed: int, rounds: int) -> dict[str, Any]:
    """What the ballots say; a refusal is kept as a fault beside what could be counted."""
    from normwright.aggregate import compare

    try:
        cast = cast_of(path, source)
    except InputError as error:
        return {"faults": error.faults}
    methods, left_out = _affordable(cast)
    told: dict[str, Any] = {
        "agreement": compare(cast.election, methods=methods, seed=seed, rounds=0),
        "left_out": left_out,
    }
    if cast.profile is None:
        return told
    faults: list[Fault] = []
    told["groups"] = groups_of(path, cast, seed=seed, rounds=rounds)
    size = min(SLATE, len(cast.election.alternatives))
    try:
        told["slate"] = slate_of(cast, size=size, method="equal-shares")
    except InputError as error:
        faults += error.faults
    return {**told, "faults": tuple(faults)}


def _affordable(cast: Cast) -> tuple[list[str], dict[str, str]]:
    from normwright.aggregate.prices import seconds
    from normwright.flow.ranked import method_names

    election = cast.election
    price = {
        slug: seconds(slug, alternatives=len(election.alternatives), rows=len(election.orders))
        for slug in method_names()
    }
    told = f"may take longer than {MOST_SECONDS:g} s on {len(election.alternatives)} alternatives"
    left_out = {slug: told for slug, cost in price.items() if cost > MOST_SECONDS}
    return [slug for slug in price if slug not in left_out], left_out
