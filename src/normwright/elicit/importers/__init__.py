"""One file for each format a consultation may come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from normwright.elicit.annotated import Annotated, Form, form_of, read_forms, tables_of
from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Folder
from normwright.elicit.judged import JudgedPairs
from normwright.elicit.sheets import TABLE_ENDINGS, ending, first_object
from normwright.plugins import Card, plugin
from normwright.records import IntegrityFault, Majorities, Text


@dataclass(frozen=True)
class Option:
    """One answer to a question about a file."""

    value: str
    """What is written into `mapping.yaml`."""
    says: Text
    """What it means, by language."""


@dataclass(frozen=True)
class Question:
    """Something a file does not tell, which only a person can."""

    key: str
    """Where the answer stands in `mapping.yaml`; a dot leads into a mapping, as in `votes.0`."""
    ask: Text
    """The question, by language."""
    options: tuple[Option, ...] = ()
    """The answers there are; none: any text."""
    likely: str | None = None
    """The answer to offer first. It is never taken without being given."""


@dataclass(frozen=True)
class PeopleColumn:
    """Where a table of some form of its own names each person."""

    file: Path
    column: int
    """Its number, from 0."""
    delimiter: str


@dataclass(frozen=True)
class Nameless:
    """Why nobody can be found in a file by the name they have in the store."""

    file: Path
    seen: str
    """What stands for people there, in words."""
    do: str


@dataclass(frozen=True)
class Graph:
    """Pairs of alternatives with weights, in which nobody's ballot can be found."""

    majorities: Majorities
    faults: tuple[IntegrityFault, ...]


def _by_heading(_: Folder) -> None:
    return None


def _none(_: Folder) -> tuple[Question, ...]:
    return ()


def _unsaid(_: Folder) -> str:
    return ""


@dataclass(frozen=True)
class Importer:
    """A format of consultations: how to recognise it and how to read it."""

    slug: str
    files: str
    """The files that make it up, in words, for messages."""
    sniff: Callable[[Folder], bool]
    read: Callable[[Folder], Consulted | None]
    """Returns None after noting faults in the folder."""
    questions: Callable[[Folder], tuple[Question, ...]] = _none
    """What is still open, after what `mapping.yaml` in the folder answers."""
    lacks: Callable[[Folder], str] = _unsaid
    """What a folder lacks to be of this format, in a few words."""
    fallback: bool = False
    """Whether it is tried only where no other format fits."""
    people: Callable[[Folder], PeopleColumn | Nameless | None] = _by_heading
    """Where people are named; None: in CSV tables, under the headings that the project knows."""
    graph: Callable[[Folder], Graph | None] | None = None
    """Reads what files of the format hold in place of ballots; None, and no fault, where they hold
    ballots."""


@dataclass(frozen=True)
class PairsImporter:
    """A format of judged pairs: like an `Importer`, but what it reads is no consultation."""

    slug: str
    files: str
    sniff: Callable[[Folder], bool]
    read: Callable[[Folder], JudgedPairs | None]
    questions: Callable[[Folder], tuple[Question, ...]] = _none
    lacks: Callable[[Folder], str] = _unsaid
    fallback: bool = False


@dataclass(frozen=True)
class AnnotationsImporter:
    """A format of annotations: like an `Importer`, but what it reads is no consultation."""

    slug: str
    files: str
    sniff: Callable[[Folder], bool]
    read: Callable[[Folder], Annotated | None]
    questions: Callable[[Folder], tuple[Question, ...]] = _none
    lacks: Callable[[Folder], str] = _unsaid
    fallback: bool = False


def annotations_importer(
    card: Card, files: str, forms: Sequence[Form], *, fallback: bool = False
) -> AnnotationsImporter:
    """Return and register the importer of a data set whose files have these forms.

    Args:
        card: its card.
        files: the files that make it up, in words.
        forms: how rows hold annotations; each file is of the first form that fits.
        fallback: it is tried where no other format fits, and not at all on tables, which may as
            well hold votes; it can be asked for.
    """

    def sniff(folder: Folder) -> bool:
        paths = tables_of(folder)
        tables = any(ending(path) in TABLE_ENDINGS for path in paths)
        return not (fallback and tables) and fit(folder)

    def fit(folder: Folder) -> bool:
        return any(form_of(path, forms) is not None for path in tables_of(folder))

    def read(folder: Folder) -> Annotated | None:
        return read_forms(folder, forms)

    def lacks(folder: Folder) -> str:
        if fit(folder):
            return ""  # it can be read, whether or not it would be recognised
        seen = [list(first_object(path))[:8] for path in tables_of(folder)[:1]]
        return f"columns {', '.join(seen[0])}" if seen and seen[0] else "no rows with names"

    return plugin(card)(
        AnnotationsImporter(
            slug=card.name, files=files, sniff=sniff, read=read, lacks=lacks, fallback=fallback
        )
    )
