"""Balanced justified representation: each statement stands for an equal part of the voters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.approvals import check_size, distinct, exposure_of
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
    """Seen cells only, voter after voter: time follows the votes."""

    rows: Ints
    columns: Ints
    grades: Ints
    """Numbered from 1 upwards in the order of the grades; 0 is unseen."""
    kinds: Ints
    """The grade of each number."""

    @classmethod
    def of(cls, grades: NDArray[np.int16]) -> _Cells:
        rows, columns = np.nonzero(grades > UNSEEN)
        kinds, number = np.unique(grades[rows, columns], return_inverse=True)
        whole = np.concatenate([[UNSEEN], kinds]).astype(np.int64)
        return cls(rows, columns, number.astype(np.int64) + 1, whole)

    def of_rows(self, some: NDArray[np.bool_]) -> _Cells:
        """Return the cells of some rows."""
        kept = some[self.rows]
        return _Cells(self.rows[kept], self.columns[kept], self.grades[kept], self.kinds)

    def table(self, voters: Ints, m: int) -> Ints:
        """Return how many voters give each alternative each grade, shape (m, kinds)."""
        cell = self.columns * len(self.kinds) + self.grades
        # Counts stay far below 2**53, so the sums are exact.
        graded = np.bincount(cell, weights=voters[self.rows], minlength=m * len(self.kinds))
        table = np.rint(graded).astype(np.int64).reshape(m, len(self.kinds))
        table[:, 0] = voters.sum() - table.sum(axis=1)
        return table


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
    so high, because those with more can still be matched elsewhere. What is level even then is
    settled by the order of the alternatives in the ballots, and of voters by their grades in that
    order; the slate then counts as tied.

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
    rows, counts = distinct(grades, election.counts)
    cells, rounds = _Cells.of(rows), []
    left, open_ = counts.copy(), np.arange(m)
    graded = cells.table(left, m)
    quota, extra = divmod(election.voters, size)
    for place in range(size):
        taken = _next(cells, left, open_, quota + (place < extra), graded)
        graded = graded - cells.of_rows(taken.matched > 0).table(taken.matched, m)
        left = left - taken.matched
        if place % 4 == 3:
            # Nobody looks again at voters who are matched.
            cells = cells.of_rows(left > 0)
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


def _next(cells: _Cells, left: Ints, open_: Ints, size: int, graded: Ints) -> _Round:
    """The statement of a round, and whom it is matched to."""
    table = graded[:, ::-1].cumsum(axis=1)[:, ::-1]
    # The highest grade that at least so many give.
    reached = (table[open_] >= size).sum(axis=1) - 1
    best = int(reached.max())
    support = table[open_][:, best::-1]
    keys = {int(open_[i]): support[i].tolist() for i in np.flatnonzero(reached == best)}
    top = max(keys.values())
    level = tuple(j for j, key in keys.items() if key == top)
    member = level[0]
    matched, tied = _match(cells, left, open_, member, best, size, len(graded))
    return _Round(member, size, int(cells.kinds[best]), matched, tied, level)


def _match(
    cells: _Cells, left: Ints, open_: Ints, member: int, threshold: int, size: int, m: int
) -> tuple[Ints, bool]:
    """Match so many voters, those first who grade highest and then have the fewest others."""
    own = np.zeros(len(left), dtype=np.int64)
    here = cells.columns == member
    own[cells.rows[here]] = cells.grades[here]
    still = np.zeros(m, dtype=np.bool_)
    still[open_] = True
    fine = still[cells.columns] & (cells.grades >= max(1, threshold))
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
    level = (rank[rest] == rank[last]) & (own[rest] == own[last]) & (rest != last)
    return matched, bool(level.any())
