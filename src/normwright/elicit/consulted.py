"""What a consultation is once it was read, and the receipt that records it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from normwright import __version__
from normwright.records import (
    NO_BALLOTS,
    Ballots,
    Comparison,
    Consultation,
    Crowd,
    Digest,
    IntegrityFault,
    MadeBy,
    Participant,
    Polity,
    Process,
    Statement,
    Unranked,
    Vote,
)


@dataclass(frozen=True)
class Anonymous(Sequence[Participant]):
    """Participants nobody named, each made when it is looked at."""

    crowd: Crowd
    process: str
    polity: str

    def __len__(self) -> int:
        return len(self.crowd)

    @overload
    def __getitem__(self, place: int) -> Participant: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Participant]: ...
    def __getitem__(self, place: int | slice) -> Participant | Sequence[Participant]:
        if isinstance(place, slice):
            return tuple(self._named(name) for name in self.crowd[place])
        return self._named(self.crowd[place])

    def __iter__(self) -> Iterator[Participant]:
        return map(self._named, self.crowd)

    def _named(self, name: str) -> Participant:
        return Participant(id=name, process=self.process, polities=(self.polity,))


@dataclass(frozen=True)
class Ratings:
    """Answers on a scale as they were given; as votes they are only agreement, pass or not."""

    grades: int
    """Number of grades of the scale."""
    approved_from: int
    """The lowest grade that is agreement, 0 being the least."""
    given: tuple[tuple[str, str, int], ...] = field(repr=False)
    """Participant, statement and grade, of the answers that count."""


@dataclass(frozen=True)
class Consulted:
    """One consultation, checked. Votes and comparisons are those that count, in file order."""

    process: Process
    polities: tuple[Polity, ...]
    participants: Sequence[Participant]
    statements: tuple[Statement, ...]
    votes: tuple[Vote, ...]
    comparisons: tuple[Comparison, ...]
    faults: tuple[IntegrityFault, ...]
    """The integrity report: what was found and what was done about it."""
    sources: Mapping[str, Digest]
    """Digest of every file read, by path relative to the project."""
    languages: tuple[str, ...]
    """Languages the statements exist in; `und` where the source does not say."""
    importer: str
    """Slug of the importer that read the files."""
    ballots: Ballots = NO_BALLOTS
    """Rankings of statements."""
    unranked: Unranked = "last"
    """What an alternative that a ballot leaves out counts as."""
    ratings: Ratings | None = None
    """The grades behind the votes, where people answered on a scale. They are not stored."""
    authors: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Statement -> pseudonym of who wrote it, where the files say so. It is not stored."""

    @property
    def coverage(self) -> float:
        """Share of participant-statement cells that carry a vote."""
        cells = len(self.participants) * len(self.statements)
        return len(self.votes) / cells if cells else 0.0


def receipt(consulted: Consulted, roots: Mapping[str, Digest]) -> Consultation:
    """Return the import receipt of a consultation.

    Args:
        consulted: what was read.
        roots: Merkle root of each table of rows, by table (`votes`, `comparisons`).
    """
    return Consultation(
        made_by=MadeBy(stage="elicit", plugin=consulted.importer, version=__version__),
        process=consulted.process.id,
        kind=consulted.process.kind,
        sources=dict(consulted.sources),
        participants=len(consulted.participants),
        statements=len(consulted.statements),
        votes=len(consulted.votes),
        comparisons=len(consulted.comparisons),
        ballots=len(consulted.ballots),
        unranked=consulted.unranked if consulted.ballots else None,
        roots=dict(roots),
        faults=consulted.faults,
        coverage=consulted.coverage,
    )
