"""Stable voting: the largest majority whose winner still wins when the loser is gone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.majority import by_removal, smith_layers, unbeaten
from normwright.aggregate.methods import Order, share_below
from normwright.aggregate.methods.split_cycle import defeats
from normwright.plugins import Card, plugin

SETS = 100_000
"""Sets of alternatives looked at before the rule gives up; time may double with each alternative
in a cycle, and this is at most about a minute."""

CARD = Card(
    name="stable-voting",
    kind="methods",
    summary="Elects the undefeated who wins by the largest margin over one without whom it still "
    "wins.",
    reference="Holliday and Pacuit, Stable Voting, Constitutional Political Economy 34, 2023",
    claims=(),
    takes="pairs",
    status="tested",
)


@plugin(CARD)
def stable_voting(election: Election) -> Order:
    """Return who wins by stable voting (Holliday and Pacuit, 2023), by margins.

    Of one alternative, that one wins. Of more, take the pairs (a, b) with a undefeated by split
    cycle, from the largest margin of a over b down (margins may be negative): the first a wins that
    also wins once b is gone. Of pairs with equal margins all such a win.

    The rule says who wins. The tiers below are those who win once all before are gone, on the same
    ballots; the score is the share of others in lower tiers.

    Raises:
        Inapplicable: where more than `SETS` sets of alternatives would have to be looked at. Their
            number can grow as 2^m in the alternatives m of one cycle; it seldom does.
    """
    search = _Search(election.margins)
    tiers = by_removal(len(election.alternatives), lambda left: search.winners(tuple(left)))
    return Order(tiers=tiers, scores=share_below(tiers), facts={"sets": len(search.known)})


class _Search:
    """Who wins among each set of alternatives that was asked for."""

    def __init__(self, margins: NDArray[np.int64]) -> None:
        self.margins = margins
        self.known: dict[tuple[int, ...], tuple[int, ...]] = {}

    def winners(self, left: tuple[int, ...]) -> tuple[int, ...]:
        """Return who wins among these, in rising order."""
        if left not in self.known:
            if len(self.known) >= SETS:
                raise Inapplicable.because(
                    "stable-voting", f"at most {SETS} sets of alternatives to look at",
                    f"more, in a cycle of {len(smith_layers(self.margins)[0])} alternatives",
                    "Choose split-cycle, which elects the same or more, or fewer alternatives.",
                )  # fmt: skip
            self.known[left] = self._find(left)
        return self.known[left]

    def _find(self, left: tuple[int, ...]) -> tuple[int, ...]:
        margins = self.margins[np.ix_(left, left)]
        undefeated = unbeaten(defeats(margins))
        if len(undefeated) == 1:
            return (left[undefeated[0]],)
        pairs = [(i, j) for i in undefeated for j in range(len(left)) if i != j]
        for size in sorted({int(margins[i, j]) for i, j in pairs}, reverse=True):
            level = [(i, j) for i, j in pairs if margins[i, j] == size]
            stable = {i for i, j in level if left[i] in self.winners(left[:j] + left[j + 1 :])}
            if stable:
                return tuple(left[i] for i in sorted(stable))
        raise AssertionError("some undefeated alternative is stable")
