"""Balanced justified representation: each statement stands for an equal part of the voters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.approvals import check_size, exposure_of
from normwright.aggregate.election import UNSEEN, Election, Inapplicable, Ints
from normwright.aggregate.slates import Chosen
from normwright.plugins import Card, plugin

CARD = Card(
    name="balanced-jr",
    kind="slates",
    summary="Adds what the next n/k unmatched voters grade highest, and matches those voters.",
    reference="Fish et al., Generative Social Choice, EC 2024 (Process 1)",
    claims=("anonymity", "neutrality", "jr", "balanced-jr"),
    takes="grades",
    status="tested",
)


@dataclass(frozen=True)
class _Round:
    member: int
    size: int
    grade: int
    """The least grade among those matched."""
    matched: Ints
    """Voters of each row who are matched, shape (k,)."""
    tied: bool
    level: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Seen cells only, sorted by alternative: time follows the votes."""

    rows: Ints
    columns: Ints
    grades: Ints
    """Numbered from 1 upwards in the order of the grades; 0 is unseen."""
    kinds: Ints
    """The grade of each number."""

    @classmethod
    def of(cls, grades: NDArray[np.int16]) -> _Cells:
        columns, rows = np.nonzero(grades.T > UNSEEN)
        kinds, number = np.unique(grades[rows, columns], return_inverse=True)
        whole = np.concatenate([[UNSEEN], kinds]).astype(np.int64)
        return cls(rows, columns, number.astype(np.int64) + 1, whole)

    def at_least(self, left: Ints, m: int) -> Ints:
        """Voters of those left who grade each alternative so high or higher, shape (m, kinds)."""
        cell = self.columns * len(self.kinds) + self.grades
        graded = np.zeros(m * len(self.kinds), dtype=np.int64)
        np.add.at(graded, cell, left[self.rows])
        table = graded.reshape(m, len(self.kinds))
        table[:, 0] = left.sum() - table.sum(axis=1)
        summed: Ints = table[:, ::-1].cumsum(axis=1)[:, ::-1]
        return summed


@plugin(CARD)
def balanced_jr(election: Election, size: int) -> Chosen:
    """Return a slate in which every statement represents an equal part of the voters.

    Process 1 of Fish et al. (EC 2024), with all statements at hand: in each of `size` rounds take
    the statement whose r-th highest grade among the voters not matched yet is highest, and match
    it to r of them; r is n / size rounded up for the first n mod size rounds, then rounded down.
    No n / size voters then all grade a statement outside the slate higher than each grades their
    own. (The paper lets a statement stand twice; a slate here names each once.) An unseen statement
    is graded below everything.

    Few grades leave much level. Statements go by how many unmatched voters grade them so high, then
    by how many grade them one step lower, and so on; voters by how few other statements they grade
    so high, because those with more can still be matched elsewhere. What is level even then goes by
    the order of the ballots, and the slate counts as tied.

    Raises:
        Inapplicable: without grades, or with fewer voters than places.
    """
    grades = election.grades_for("balanced-jr")
    m = len(election.alternatives)
    check_size(size, m, "balanced-jr")
    if election.bundles is not None or election.voters < size:
        raise Inapplicable.because(
            "balanced-jr", f"at least {size} voters, one ballot each", f"{election.voters} voters"
        )
    distinct, counts = _distinct(grades, election.counts)
    cells, rounds = _Cells.of(distinct), []
    left, open_ = counts.copy(), np.arange(m)
    quota, extra = divmod(election.voters, size)
    for place in range(size):
        taken = _next(cells, left, open_, quota + (place < extra), m)
        left = left - taken.matched
        open_ = open_[open_ != taken.member]
        rounds.append(taken)
    return _chosen(election, cells, rounds)


def _chosen(election: Election, cells: _Cells, rounds: list[_Round]) -> Chosen:
    names = election.alternatives
    facts: dict[str, Any] = {
        "voters": election.voters,
        "exposure": exposure_of(election),
        "matched": {names[r.member]: r.size for r in rounds},
        "lowest_grade": {names[r.member]: None if r.grade == UNSEEN else r.grade for r in rounds},
        "ties": [
            {"place": i + 1, "level": [names[j] for j in r.level], "took": names[r.member]}
            for i, r in enumerate(rounds)
            if len(r.level) > 1
        ],
        "rounds_with_level_voters": [i + 1 for i, r in enumerate(rounds) if r.tied],
        "ties_order": "as in the ballots",
    }
    tied = any(r.tied or len(r.level) > 1 for r in rounds)
    return Chosen(tuple(r.member for r in rounds), sequential=True, tied=tied, facts=facts)


def _next(cells: _Cells, left: Ints, open_: Ints, size: int, m: int) -> _Round:
    """The statement of a round, and whom it is matched to."""
    table = cells.at_least(left, m)
    # The highest grade that at least so many give.
    reached = (table[open_] >= size).sum(axis=1) - 1
    best = int(reached.max())
    support = table[open_][:, best::-1]
    keys = {int(open_[i]): support[i].tolist() for i in np.flatnonzero(reached == best)}
    top = max(keys.values())
    level = tuple(j for j, key in keys.items() if key == top)
    member = level[0]
    matched, tied = _match(cells, left, open_, member, best, size)
    return _Round(member, size, int(cells.kinds[best]), matched, tied, level)


def _match(
    cells: _Cells, left: Ints, open_: Ints, member: int, threshold: int, size: int
) -> tuple[Ints, bool]:
    """Match so many voters, those first who grade highest and then have the fewest others."""
    own = np.zeros(len(left), dtype=np.int64)
    here = cells.columns == member
    own[cells.rows[here]] = cells.grades[here]
    still = np.zeros(int(cells.columns.max(initial=0)) + 1, dtype=np.bool_)
    still[open_[open_ < len(still)]] = True
    fine = (cells.grades >= max(1, threshold)) & still[cells.columns]
    others = np.bincount(cells.rows[fine], minlength=len(left))
    # Above the threshold everybody is matched: there are fewer than `size` of them.
    rank = np.where(own > threshold, 0, others)
    matched = np.zeros_like(left)
    eligible = np.flatnonzero((own >= threshold) & (left > 0))
    order = eligible[np.lexsort((eligible, rank[eligible], own[eligible] <= threshold))]
    before = np.concatenate([[0], np.cumsum(left[order])])
    matched[order] = np.clip(size - before[:-1], 0, left[order])
    rest = order[matched[order] < left[order]]
    last = order[matched[order] > 0][-1]
    tied = any(rank[i] == rank[last] and own[i] == own[last] and i != last for i in rest)
    return matched, bool(tied)


def _distinct(grades: NDArray[np.int16], counts: Ints) -> tuple[NDArray[np.int16], Ints]:
    """Each row of grades once, sorted, and how many voters gave it."""
    grades, counts = grades[counts > 0], counts[counts > 0]
    whole = np.ascontiguousarray(grades).view(f"V{grades.shape[1] * 2}").ravel()
    _, first, number = np.unique(whole, return_index=True, return_inverse=True)
    summed = np.zeros(len(first), dtype=np.int64)
    np.add.at(summed, number, counts)
    return grades[first], summed
