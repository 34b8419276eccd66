"""What a slate means for minorities: justified representation and the proportional veto, audited.

No grouping of people is needed beforehand: every set of voters that agrees on something and is
large enough for a place counts, and the worst-off one is named by what it supports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.approvals import Approvals
from normwright.aggregate.election import Election, Inapplicable, Ints
from normwright.aggregate.veto import Vetoes
from normwright.records import (
    CohesiveGroup,
    Fault,
    InputError,
    RepresentationAudit,
    SlateAudit,
    VetoClaim,
)


@dataclass(frozen=True, eq=False)
class Known:
    """What voters said of what they were asked about, a row a ballot, and what they were not."""

    counts: Ints
    approved: NDArray[np.bool_]
    """Shape (k, m)."""
    seen: NDArray[np.bool_]
    members: tuple[int, ...]
    """The slate."""

    @classmethod
    def of(cls, election: Election, members: Sequence[int]) -> Known | None:
        """Return what is known; None where ballots do not tell what was not seen."""
        if election.grades is None:
            return None
        approved = election.approvals("audit of representation")
        return cls(election.counts, approved, election.grades >= 0, tuple(members))

    @cached_property
    def held(self) -> Ints:
        """Members that each voter approves of, shape (k,)."""
        held: Ints = np.count_nonzero(self.approved[:, list(self.members)], axis=1)
        return held

    @cached_property
    def unasked(self) -> Ints:
        """Members that each voter was not asked about, shape (k,)."""
        unasked: Ints = np.count_nonzero(~self.seen[:, list(self.members)], axis=1)
        return unasked

    def informed(self, lacks: int, level: int) -> int:
        """Return how many of a group were asked about every member."""
        group = self.approved[:, lacks] & (self.held < level) & (self.unasked == 0)
        return int(self.counts @ group)

    def least(self, levels: int) -> Ints:
        """Return the groups if voters approved of all members they were not asked about.

        Shape (m, levels): who supports an alternative and then has fewer members than the level.
        """
        return self._groups(self.approved, self.held + self.unasked, levels)

    def most(self, levels: int) -> Ints:
        """Return the groups if voters approved of all they were not asked about but members."""
        voters = np.bincount(np.minimum(self.held, levels), self.counts, minlength=levels + 1)
        fewer = np.rint(voters).astype(np.int64).cumsum()[:levels]
        return fewer - self._groups(self.seen & ~self.approved, self.held, levels)

    def _groups(self, cells: NDArray[np.bool_], has: Ints, levels: int) -> Ints:
        rows, columns = np.nonzero(cells)
        return _fewer(rows, columns, np.minimum(has, levels), self.counts, cells.shape[1], levels)


def audit_slate(
    election: Election, members: Sequence[str], *, size: int | None = None
) -> SlateAudit:
    """Return what any published slate means for minorities, whoever chose it and how.

    Args:
        election: the ballots.
        members: names of the alternatives on the slate.
        size: places that shares are measured by; None: as many as there are members.

    Raises:
        InputError: where a member is unknown or stands twice, or the size is less than one; all
            faults at once.
    """
    numbers = _numbers(election, members, size)
    places = len(numbers) if size is None else size
    reasons = []
    jr = ejr = vetoes = None
    try:
        approvals = Approvals.of(election, "audit of representation")
        known = Known.of(election, numbers)
        jr = representation(approvals, numbers, places, axiom="jr", known=known)
        ejr = representation(approvals, numbers, places, axiom="ejr-plus", known=known)
    except Inapplicable as missing:
        reasons.append(str(missing))
    try:
        found = Vetoes.of(election, "audit of vetoes")
        vetoes = tuple(claim(found, election.alternatives, j) for j in numbers)
    except Inapplicable as missing:
        reasons.append(str(missing))
    return SlateAudit(
        members=tuple(members),
        size=places,
        jr=jr,
        ejr_plus=ejr,
        vetoes=vetoes,
        not_audited=tuple(reasons),
    )


def representation(
    approvals: Approvals,
    members: Sequence[int],
    size: int,
    *,
    axiom: str,
    known: Known | None = None,
) -> RepresentationAudit:
    """Return whether a slate gives every group that agrees on something its share.

    `jr` (Aziz et al., 2017): no n / size voters who all approve of some alternative are left
    without any member they approve of. `ejr-plus` (Brill and Peters, EC 2023): no l n / size voters
    who all approve of an alternative outside the slate have fewer than l members each. EJR+ implies
    EJR and JR, and unlike EJR it can be checked fast: O(approvals + m size). Whole numbers decide.

    Unseen is not approval, so where people saw little, little is owed to anybody and the verdict is
    easily kind. With `known` it is said between what bounds it lies, whatever they would have said
    of the rest, and whether that settles it. The bounds are sharp: each is reached by some answers.

    Args:
        approvals: who approves of what.
        members: numbers of the alternatives on the slate.
        size: places that shares are measured by.
        axiom: `jr` or `ejr-plus`.
        known: who was asked about what; None: ballots do not tell.
    """
    held = approvals.satisfaction(members)
    levels = 1 if axiom == "jr" else size
    m, n = len(approvals.alternatives), approvals.voters
    capped = np.minimum(held, levels)
    fewer = _fewer(approvals.supporters, approvals.columns, capped, approvals.counts, m, levels)
    voters, level, lacks = _worst(fewer, members)
    satisfied = size * voters < level * n
    least = most = settled = None
    if known is not None:
        low, high = (_worst(t, members) for t in (known.least(levels), known.most(levels)))
        least, most = (Fraction(size * g[0], g[1] * n) for g in (low, high))
        settled = most < 1 if satisfied else least >= 1
    closest = None
    if voters:
        rows = approvals.of_alternative(lacks)
        closest = CohesiveGroup(
            lacks=approvals.alternatives[lacks],
            supports=()
            if satisfied
            else tuple(approvals.named(approvals.held_by_all(rows[held[rows] < level]))),
            voters=voters,
            share=voters / n,
            deserves=min(size, size * voters // n),
            has=level - 1,
            fill=size * voters / (level * n),
            informed=None if known is None else known.informed(lacks, level),
        )
    return RepresentationAudit(
        axiom=axiom,
        satisfied=satisfied,
        witness=None if satisfied else closest,
        closest=closest,
        quota=n / size,
        settled=settled,
        least=None if least is None else float(least),
        most=None if most is None else float(most),
        exposure=approvals.exposure,
    )


def claim(vetoes: Vetoes, alternatives: Sequence[str], alternative: int) -> VetoClaim:
    """Return the largest claim to veto an alternative, in names."""
    found = vetoes.blocking(alternative)
    return VetoClaim(
        alternative=alternatives[alternative],
        epsilon=float(found.epsilon),
        voters=found.voters,
        share=found.voters / vetoes.voters,
        prefers=tuple(alternatives[j] for j in found.preferred),
    )


def _fewer(rows: Ints, columns: Ints, has: Ints, counts: Ints, m: int, levels: int) -> Ints:
    """Voters in each alternative's cells with fewer members than each level, shape (m, levels)."""
    width = levels + 1
    counted = np.zeros(m * width, dtype=np.int64)
    np.add.at(counted, columns * width + has[rows], counts[rows])
    return counted.reshape(m, width).cumsum(axis=1)[:, :levels]


def _worst(fewer: Ints, members: Sequence[int]) -> tuple[int, int, int]:
    """The group that is largest for what it would be owed: its voters, its level, what it lacks."""
    outside = fewer.copy()
    outside[list(members)] = 0
    first = outside.argmax(axis=0)
    groups = [(int(outside[j, level]), level + 1, int(j)) for level, j in enumerate(first)]
    return max(groups, key=lambda g: (Fraction(g[0], g[1]), g[0]))


def _numbers(election: Election, members: Sequence[str], size: int | None) -> list[int]:
    """Numbers of the members, every fault told at once."""
    index = {a: j for j, a in enumerate(election.alternatives)}
    faults = [
        Fault(where=f"slate, member {name!r}", expected="an alternative of the ballots",
              seen=f"none of the {len(index)} is called so")
        for name in dict.fromkeys(members) if name not in index
    ]  # fmt: skip
    faults += [
        Fault(where=f"slate, member {name!r}", expected="each member once",
              seen=f"{members.count(name)} times")
        for name in dict.fromkeys(members) if members.count(name) > 1
    ]  # fmt: skip
    if (len(members) if size is None else size) < 1:
        faults.append(Fault(where="slate", expected="at least one place", seen=f"size {size or 0}"))
    if faults:
        raise InputError(faults)
    return [index[name] for name in members]
