"""Read one file, folder or archive by itself, whatever it holds, without a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from normwright.elicit.annotated import Annotated
from normwright.elicit.archives import folder_at
from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Folder
from normwright.elicit.importers import Graph, Importer
from normwright.elicit.judged import JudgedPairs
from normwright.elicit.mapping import nested
from normwright.elicit.read import AnyPart, every_format, fitting_of
from normwright.records import (
    Annotations,
    Digest,
    InputError,
    IntegrityFault,
    Majorities,
    digest_json,
)


@dataclass(frozen=True)
class Source:
    """What lay at a path, checked. Exactly one of the four kinds of content is not None."""

    format: str
    """Slug of the importer that read it."""
    counts: Mapping[str, int]
    """Records by kind, of those that there are: participants, statements or alternatives, votes,
    ballots, comparisons, pairs, judgements, annotations, raters, items, edges."""
    faults: tuple[IntegrityFault, ...]
    """The integrity report: what was found, and what was done about it."""
    sources: Mapping[str, Digest]
    """Digest of every file read, by its name below the path."""
    consulted: Consulted | None = None
    """Votes or rankings of people."""
    pairs: JudgedPairs | None = None
    """Pairs of answers that people judged."""
    annotations: Annotations | None = None
    """What raters said of items."""
    majorities: Majorities | None = None
    """Weighted pairs of alternatives, without anybody's ballot."""

    @property
    def digest(self) -> Digest:
        """The name of what was read: the same files give the same, wherever they lie."""
        return digest_json({"sources": dict(self.sources)})


def read_source(
    path: Path,
    *,
    format: str | None = None,
    answers: Mapping[str, str] | None = None,
    process: Path | None = None,
) -> Source:
    """Return what a file, a folder or a zip archive holds, with its integrity report.

    Nothing is written. Of a single file nothing else is read, whatever lies beside it. Every file
    may be gzipped.

    Args:
        path: what to read.
        format: slug of the importer; None: the one that recognises it.
        answers: what a `mapping.yaml` beside the files would say, by key, as in `votes.0`.
        process: a `process.yaml` that says who was asked; None: the one among the files, if any.

    Raises:
        InputError: with every fault: nothing there, no format that fits, several that do, or what
            is wrong with the data, by file and line.
    """
    with folder_at(Path(path)) as folder:
        folder.given, folder.process = nested(answers or {}), process
        found = _content(_part(folder, format, Path(path)), folder)
        if found is None or folder.faults.found:
            raise InputError(folder.faults.found)
        return found


def _part(folder: Folder, slug: str | None, path: Path) -> AnyPart:
    parts = every_format()
    if slug is not None:
        named = [part for part in parts if part.slug == slug]
        if not folder.faults.one_of("format", slug, [part.slug for part in parts], "a format"):
            raise InputError(folder.faults.found)
        # A format that would not be recognised may still say that it lacks nothing.
        if not named[0].sniff(folder) and (seen := named[0].lacks(folder)):
            folder.faults.add(str(path), f"{named[0].files} ({slug})", seen)
            raise InputError(folder.faults.found)
        return named[0]
    fitting = fitting_of(parts, folder)
    if len(fitting) == 1:
        return fitting[0]
    for part in fitting:
        do = f"Say which is meant: --format {part.slug}."
        folder.faults.add(str(path), "files that only one format fits", part.slug, do)
    for part in parts if not fitting else ():
        seen = part.lacks(folder) or "other files"
        folder.faults.add(str(path), f"{part.files} ({part.slug})", seen)
    raise InputError(folder.faults.found)


def _content(part: AnyPart, folder: Folder) -> Source | None:
    """Read it; None after noting faults."""
    found: Consulted | JudgedPairs | Annotated | Graph | None
    if isinstance(part, Importer) and part.graph is not None:
        found = part.graph(folder)
        if found is None and not folder.faults.found:
            found = part.read(folder)
    else:
        found = part.read(folder)
    match found:
        case None:
            return None
        case Consulted():
            return Source(
                part.slug, _of_people(found), found.faults, dict(found.sources), consulted=found
            )
        case JudgedPairs():
            judged = sum(p.prefer_first + p.prefer_second + p.ties for p in found.pairs)
            counts = _there({"pairs": len(found.pairs), "judgements": judged})
            return Source(part.slug, counts, found.faults, dict(found.sources), pairs=found)
        case Annotated(annotations, faults):
            counts = _there(
                {
                    "raters": len(annotations.raters),
                    "items": len(annotations.items),
                    "annotations": sum(annotations.counts),
                }
            )
            return Source(part.slug, counts, faults, dict(folder.sources), annotations=annotations)
        case Graph(majorities, faults):
            counts = _there(
                {"alternatives": len(majorities.alternatives), "edges": len(majorities)}
            )
            return Source(part.slug, counts, faults, dict(folder.sources), majorities=majorities)


def _of_people(found: Consulted) -> dict[str, int]:
    ranked = "alternatives" if found.ballots and not found.votes else "statements"
    return _there(
        {
            "participants": len(found.participants),
            ranked: len(found.statements),
            "votes": len(found.votes),
            "ballots": len(found.ballots),
            "comparisons": len(found.comparisons),
        }
    )


def _there(counts: Mapping[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in counts.items() if count}
