"""Somebody withdrew: what was erased, what rests on it, and what they are told. Nobody is named."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, ProcessKind, Record
from normwright.records.estimates import Estimate

Remedy: TypeAlias = Literal["rebuild", "unlearn", "keep"]
"""What is to become of what rests on the rows: made anew without them, made to forget, or kept."""


class SourceChange(Frozen):
    """A file of the consultation that was written again without the person's rows."""

    before: Digest
    after: Digest


class Affected(Frozen):
    """Something that was made, directly or through other things, from rows that were withdrawn."""

    digest: Digest
    kind: str
    """Kind of the record; `object` for bytes, `export` for a file written for people."""
    name: str
    """What it is, in a few words, or the path of an export."""


class Changes(Frozen):
    """Whether anything would be different without the person. None is unknown, with its reason."""

    numbers: bool | None
    """Any share, count or interval."""
    groups: bool | None
    """How many opinion groups there are, or their sizes by more than the person's own place."""
    rankings: bool | None
    """The order of statements by any method."""
    norms: bool | None
    """Which norms are adopted and which are not."""
    reason: str = ""
    """Why something is unknown."""

    @property
    def anything(self) -> bool | None:
        """Whether anything at all changes; None where what is known does not, and some is not."""
        told = (self.numbers, self.groups, self.rankings, self.norms)
        if any(told):
            return True
        return None if None in told else False


class Withdrawal(Record):
    """One person's rows are gone. The record holds no name, no answer and no hash of either."""

    process: str
    kind: ProcessKind
    then: Remedy
    """What was chosen for the artefacts that rest on the rows."""
    because: str = ""
    """For `keep`: why they are kept, as a slug."""
    leaves: dict[Digest, dict[str, tuple[str, ...]]]
    """Import -> table -> leaves of the erased rows, in hexadecimal. Their keys are destroyed."""
    authored: int = Field(ge=0)
    """Statements that were erased because the person wrote them, with all votes on them."""
    attributable: bool
    """Whether the files say who wrote a statement; if not, none could be erased as theirs."""
    sources: dict[str, SourceChange] = {}
    """Files of the consultation that were written again, by path relative to the project."""
    affected: tuple[Affected, ...] = ()
    """Everything that was made from the rows."""
    removed: tuple[Digest, ...] = ()
    """Objects that quoted the person and were removed."""
    changes: Changes
    """Whether the outcome would change; the figures stand in the receipt alone."""
    participants: int = Field(ge=0)
    """People in the import that stands, those who withdrew among them."""
    withdrawn: int = Field(ge=0)
    """How many of them have withdrawn by now."""
    withdrawn_share: float = Field(ge=0, le=1)
    """withdrawn / participants; 0 where there are none."""
    receipt: Digest
    """Digest of the receipt, which holds a random number and so cannot be guessed."""


class ShareChange(Frozen):
    """A share before and after."""

    authority: str
    subject: str
    """The statement, the norm that two answers differ on, or two alternatives of ballots."""
    before: Estimate | None
    after: Estimate | None
    """None where the statement itself is gone."""


class RankingChange(Frozen):
    """An order of statements before and after, best first, with ties."""

    authority: str
    method: str
    before: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...]


class GroupsChange(Frozen):
    """Sizes of the opinion groups before and after, the largest first; none is a legal answer."""

    authority: str
    before: tuple[int, ...]
    after: tuple[int, ...]


NormFate: TypeAlias = Literal["adopted", "proposed", "rejected", "absent"]
"""What came of a norm."""


class NormChange(Frozen):
    """A norm that would fare otherwise."""

    norm: str
    before: NormFate
    after: NormFate


class RowProof(Frozen):
    """Shows that one of the person's rows was counted: the way from its leaf to the root."""

    table: str
    leaf: str
    """In hexadecimal; the row and its key are destroyed, so nobody can open it."""
    index: int
    size: int
    path: tuple[str, ...]
    root: Digest


class WithdrawalReceipt(Record):
    """What the person is told. It is handed over and not kept: its figures tell how they voted."""

    number: str
    """Random, shown once. Whoever holds it can show that this receipt is the one on record."""
    process: str
    kind: ProcessKind
    then: Remedy
    because: str = ""
    rows: dict[str, int]
    """Rows erased by table, in all imports of the process."""
    authored: int
    attributable: bool
    participants: int
    withdrawn: int
    withdrawn_share: float
    changes: Changes
    support: tuple[ShareChange, ...] = ()
    """Share of agreement of the statements where it changes."""
    pairs: tuple[ShareChange, ...] = ()
    """Share that prefers the declining answer, of the norms where it changes."""
    firsts: tuple[ShareChange, ...] = ()
    """Share of first places on ballots, of the alternatives where it changes."""
    margins: tuple[ShareChange, ...] = ()
    """How far ballots put one alternative above another, in [-1, 1], of the pairs where it
    changes; the subject is `above > below`."""
    rankings: tuple[RankingChange, ...] = ()
    groups: tuple[GroupsChange, ...] = ()
    norms: tuple[NormChange, ...] = ()
    models: int = 0
    """Models among what rests on the rows."""
    verdicts: int = 0
    """Verdicts among what rests on the rows."""
    artefacts: int = 0
    """All that rests on the rows."""
    proofs: tuple[RowProof, ...] = ()
    """For each row in the import that stood: that it was in the tally."""
