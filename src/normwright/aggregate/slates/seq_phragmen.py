"""Phragmén's sequential rule: voters earn at one rate, and supporters buy as soon as they can."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from normwright.aggregate.approvals import Approvals, Floats, check_size, leaders
from normwright.aggregate.election import Election, Ints
from normwright.aggregate.slates import Chosen
from normwright.aggregate.slates.sequence import chosen, follow
from normwright.plugins import Card, plugin

CARD = Card(
    name="seq-phragmen",
    kind="slates",
    summary="Adds the alternative whose supporters can first pay for it, all earning alike.",
    reference="Phragmén, 1899; Brill et al., Mathematical Programming 203, 2024",
    claims=("anonymity", "neutrality", "homogeneity", "house-monotonicity", "jr", "pjr"),
    takes="approvals",
    status="tested",
)


@dataclass(frozen=True, eq=False)
class Phragmen:
    """Who last paid when. A voter's money at time t is t less the time of the last purchase."""

    approvals: Approvals
    paid: Ints
    """Number of the time at which each set's voters last paid, shape (k,)."""
    times: tuple[Fraction, ...]
    """Those times, exactly; a time before 0 is money that was left over from another rule."""
    open: Ints

    def leading(self) -> tuple[int, ...]:
        """Return the alternatives that can be bought first.

        An alternative that nobody supports is never bought: these are level once all others are
        taken.
        """
        wanted = self.open[self.approvals.support[self.open] > 0]
        if not len(wanted):
            return tuple(self.open.tolist())
        values, errors = self._prices()
        return leaders(values, errors, self._price, wanted)

    def _prices(self) -> tuple[Floats, Floats]:
        owed = self.approvals.counts * np.array([float(t) for t in self.times])[self.paid]
        support = np.maximum(1, self.approvals.support)
        scale = 1.0 + self.approvals.add_up(np.abs(owed))
        return (1.0 + self.approvals.add_up(owed)) / support, 1e-9 * scale / support

    def _price(self, alternative: int) -> Fraction:
        rows = self.approvals.of_alternative(alternative)
        voters = np.zeros(len(self.times), dtype=np.int64)
        np.add.at(voters, self.paid[rows], self.approvals.counts[rows])
        owed = sum((int(voters[i]) * self.times[i] for i in np.flatnonzero(voters)), Fraction(0))
        return (1 + owed) / int(voters.sum())

    def after(self, alternative: int) -> Phragmen:
        """Return the state once the supporters of an alternative paid all they have."""
        left = self.open[self.open != alternative]
        rows = self.approvals.of_alternative(alternative)
        if not len(rows):
            return Phragmen(self.approvals, self.paid, self.times, left)
        paid = self.paid.copy()
        paid[rows] = len(self.times)
        return Phragmen(self.approvals, paid, (*self.times, self._price(alternative)), left)

    def key(self) -> Hashable:
        """Return what is open and who paid when, however the times are numbered."""
        distinct = {t: i for i, t in enumerate(sorted(set(self.times)))}
        numbers = np.array([distinct[t] for t in self.times], dtype=np.int32)
        return self.open.tobytes(), tuple(distinct), numbers[self.paid].tobytes()


@plugin(CARD)
def seq_phragmen(election: Election, size: int) -> Chosen:
    """Return the slate by Phragmén's sequential rule (1899), exact: fractions decide every choice.

    Every voter earns money at the same rate; as soon as the supporters of an alternative together
    own what one costs they buy it and are without money again. Groups get at least their share
    of members whom somebody in the group approves of (PJR). O(approvals x size).
    """
    approvals = Approvals.of(election, "seq-phragmen")
    check_size(size, len(approvals.alternatives), "seq-phragmen")
    path = follow(start(approvals), size)
    assert isinstance(path.last, Phragmen)
    last = max(path.last.times)
    facts = {**approvals.facts(), "last_bought_at": float(last * approvals.voters)}
    return chosen(path, approvals.alternatives, facts)


def start(approvals: Approvals) -> Phragmen:
    """Return the state in which nobody has paid."""
    paid = np.zeros(len(approvals.counts), dtype=np.int64)
    open_ = np.arange(len(approvals.alternatives))
    return Phragmen(approvals, paid, (Fraction(0),), open_)
