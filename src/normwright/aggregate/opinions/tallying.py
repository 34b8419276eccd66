"""What groups agree on, and what sets them apart: counts, shares, tests and consensus.

Formulas and names are those of Polis (Small et al., RECERCA 26, 2021; its `repness` and
`conversation` modules): shares are smoothed by one agreement and one disagreement, z-values by one
success. A pass is a vote that is neither; a missing vote is in no count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.opinions.cells import Cells, Floats, Ints

Mode = Literal["agree", "disagree"]
MODES: tuple[Mode, Mode] = ("agree", "disagree")
SIGNIFICANT = 1.2815515655446004
"""The 90 % quantile of the normal distribution."""
REPRESENTATIVE = 5
"""Statements at most that stand for a group."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of groups by statements, and what Polis computes from them.

    `agree` stands before `disagree` on the first axis wherever there are two.
    """

    votes: Ints
    """Agreements and disagreements, shape (2, groups, statements)."""
    seen: Ints
    """Votes of any kind, shape (groups, statements)."""

    @property
    def shares(self) -> Floats:
        """Smoothed shares (A + 1) / (S + 2), shape (2, groups, statements)."""
        shares: Floats = (self.votes + 1) / (self.seen + 2)
        return shares

    @property
    def share_z(self) -> Floats:
        """How far each share lies from one half, in standard errors; same shape."""
        n = self.seen + 1
        z: Floats = 2 * np.sqrt(n) * ((self.votes + 1) / n - 0.5)
        return z

    @property
    def ratios(self) -> Floats:
        """Share in the group over the share in all other groups; same shape."""
        others = (self._other_votes + 1) / (self._other_seen + 2)
        ratios: Floats = self.shares / others
        return ratios

    @property
    def ratio_z(self) -> Floats:
        """Difference between the two shares in standard errors; same shape, 0 if all agree."""
        inside, outside = self.votes + 1, self._other_votes + 1
        n, m = self.seen + 1, self._other_seen + 1
        pooled = (inside + outside) / (n + m)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
            z: Floats = np.where(pooled == 1, 0.0, (inside / n - outside / m) / error)
        return z

    @property
    def consensus(self) -> Floats:
        """Group-aware consensus in both modes: product of the shares, shape (2, statements)."""
        product: Floats = self.shares.prod(axis=1)
        return product

    @property
    def _other_votes(self) -> Ints:
        others: Ints = self.votes.sum(axis=1, keepdims=True) - self.votes
        return others

    @property
    def _other_seen(self) -> Ints:
        others: Ints = self.seen.sum(axis=0, keepdims=True) - self.seen
        return others

    def limits(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the ends of the intervals of the consensus, each of shape (2, statements).

        Each group's share is uncertain as a beta distribution with a flat prior, whose mean is
        the smoothed share; groups are independent, so the consensus is the mean of the product.
        The product is itself taken as a beta distribution with its exact mean and variance (Fan,
        "The distribution of the product of independent beta variables", 1991), which for one group
        it is. Who belongs to which group is taken as given.
        """
        from scipy.special import betaincinv

        hits, size = self.votes + 1.0, self.seen + 2.0
        mean = self.consensus
        square = (hits / size * (hits + 1) / (size + 1)).prod(axis=1)
        weight = (mean - square) / (square - mean**2)
        tail = (1 - level) / 2
        a, b = mean * weight, (1 - mean) * weight
        return betaincinv(a, b, tail), betaincinv(a, b, 1 - tail)

    def common(self, side: int) -> list[int]:
        """Return the statements that all people of one group agree on, as Polis picks them.

        Share above one half and significantly so, by the product of share and z-value; up to five.

        Args:
            side: 0 for agreement, 1 for disagreement.
        """
        share, share_z = self.shares[side, 0], self.share_z[side, 0]
        fit = np.flatnonzero((share > 0.5) & (share_z > SIGNIFICANT))
        order = np.argsort(-(share * share_z)[fit], kind="stable")
        return [int(j) for j in fit[order][:REPRESENTATIVE]]

    def representative(self, group: int) -> list[tuple[int, Mode]]:
        """Return the statements that stand for a group, with `agree` or `disagree`, as Polis picks.

        The best agreement first, then those whose share and whose difference from the others are
        both significant in the same direction, by the product of ratio, share and their z-values;
        then agreements before disagreements, in that order. Where no statement is significant the
        one that sets the group most apart.
        """
        share, share_z = self.shares[:, group], self.share_z[:, group]
        ratio, ratio_z = self.ratios[:, group], self.ratio_z[:, group]
        significant = ((share_z > SIGNIFICANT) & (ratio_z > SIGNIFICANT)).any(axis=0)
        side = np.where(ratio_z[0] > ratio_z[1], 0, 1)
        at = (side, np.arange(len(side)))
        metric = (ratio * ratio_z * share * share_z)[at]
        chosen = np.flatnonzero(significant)
        chosen = chosen[np.argsort(-metric[chosen], kind="stable")].tolist()
        best = self._best_agreed(group, ratio[0], ratio_z[0], share[0], share_z[0])
        head = [] if best is None else [best]
        if not head and not chosen and len(side):
            head = [int(ratio_z.max(axis=0).argmax())]
        picked = (head + [j for j in chosen if j not in head])[:REPRESENTATIVE]
        named = [(j, MODES[side[j]]) for j in picked]
        return sorted(named, key=lambda pair: pair[1])

    def _best_agreed(
        self, group: int, ratio: Floats, ratio_z: Floats, share: Floats, share_z: Floats
    ) -> int | None:
        """The agreement that speaks most for a group; each is held against the best so far."""
        apart, common = ratio * ratio_z * share * share_z, share * share_z
        voted = self.votes[:, group].sum(axis=0) > 0
        best: int | None = None
        for j in np.flatnonzero(voted).tolist():
            if best is None:
                better = share_z[j] > SIGNIFICANT or (ratio[j] > 1 and share[j] > 0.5)
            else:
                metric = apart if ratio[best] > 1 else common
                better = metric[j] > metric[best]
            best = j if better else best
        return best


def tally(cells: Cells, labels: Ints, groups: int) -> Tally:
    """Return the counts of groups; people with label -1 are in none."""
    # One block more, at the end, for those who are in none.
    block = 3 * cells.statements
    blocks = (np.where(labels < 0, groups, labels) * block).astype(np.int32)
    place = np.repeat(blocks, np.diff(cells.starts)) + cells.kinds
    counts = np.bincount(place, minlength=(groups + 1) * block)[: groups * block]
    three: NDArray[np.int64] = counts.reshape(groups, cells.statements, 3).astype(np.int64)
    return Tally(np.stack([three[:, :, 2], three[:, :, 0]]), three.sum(axis=2))


def whole(cells: Cells) -> Tally:
    """Return the counts of everybody as one group."""
    three = cells.tallies
    return Tally(three[:, [2, 0]].T[:, None, :], three.sum(axis=1)[None, :])
