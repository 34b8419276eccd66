"""What a slate means for minorities: justified representation and the proportional veto, audited.

No grouping of people is needed beforehand: every set of voters that agrees on something and is
large enough for a place counts, and the worst-off one is named by what it supports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

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

Informed = Callable[[int, int], int]
"""From an alternative and a level: its supporters with fewer members than the level who were asked
about every member."""


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
        informed = _informed(election, numbers)
        jr = representation(approvals, numbers, places, axiom="jr", informed=informed)
        ejr = representation(approvals, numbers, places, axiom="ejr-plus", informed=informed)
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
    informed: Informed | None = None,
) -> RepresentationAudit:
    """Return whether a slate gives every group that agrees on something its share.

    `jr` (Aziz et al., 2017): no n / size voters who all approve of some alternative are left
    without any member they approve of. `ejr-plus` (Brill and Peters, EC 2023): no l n / size voters
    who all approve of an alternative outside the slate have fewer than l members each. EJR+ implies
    EJR and JR, and unlike EJR it can be checked fast: O(approvals + m size). Whole numbers decide.

    Args:
        approvals: who approves of what.
        members: numbers of the alternatives on the slate.
        size: places that shares are measured by.
        axiom: `jr` or `ejr-plus`.
        informed: tells how many of a group were asked about every member; None: not known.
    """
    held = approvals.satisfaction(members)
    levels = 1 if axiom == "jr" else size
    fewer = _fewer(approvals, held, levels)
    fewer[list(members)] = 0
    n = approvals.voters
    # By level: the alternative that most supporters with fewer members wait for.
    first = fewer.argmax(axis=0)
    most = [(int(fewer[j, level]), level + 1, int(j)) for level, j in enumerate(first)]
    voters, level, lacks = max(most, key=lambda g: (Fraction(g[0], g[1]), g[0]))
    satisfied = all(size * found < needed * n for found, needed, _ in most)
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
            informed=None if informed is None else informed(lacks, level),
        )
    return RepresentationAudit(
        axiom=axiom,
        satisfied=satisfied,
        witness=None if satisfied else closest,
        closest=closest,
        quota=n / size,
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


def _fewer(approvals: Approvals, held: Ints, levels: int) -> Ints:
    """Supporters of each alternative who have fewer members than each level, shape (m, levels)."""
    width = levels + 1
    cell = approvals.columns * width + np.minimum(held, levels)[approvals.supporters]
    counted = np.zeros(len(approvals.alternatives) * width, dtype=np.int64)
    np.add.at(counted, cell, approvals.counts[approvals.supporters])
    return counted.reshape(-1, width).cumsum(axis=1)[:, :levels]


def _informed(election: Election, members: Sequence[int]) -> Informed | None:
    """Counts those who were asked about every member; None where ballots do not tell."""
    if election.grades is None:
        return None
    asked = (election.grades[:, list(members)] >= 0).all(axis=1)
    approved = election.approvals("audit of representation")
    held = approved[:, list(members)].sum(axis=1)

    def count(lacks: int, level: int) -> int:
        return int(election.counts @ (asked & approved[:, lacks] & (held < level)))

    return count


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
