"""Stable voting: the largest majority whose winner still wins when the loser is gone."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.majority import by_removal, smith_layers, unbeaten
from normwright.aggregate.methods import Order, share_below
from normwright.aggregate.methods.split_cycle import defeats
from normwright.plugins import Card, Denial, plugin

Some: TypeAlias = tuple[int, ...]
"""A set of alternatives, in rising order."""

WORK = 8 * 10**9
"""Steps before the rule gives up: some five to fifteen seconds, a quarter of a gigabyte at most.
Steps, and not seconds, so that the same ballots have the same answer on every machine. They are
about 60,000 sets of 30 alternatives; time may double with each alternative in a cycle."""
_EACH, _SQUARE = 100_000, 10
"""Steps of looking at any set, and of each pair in it."""

CARD = Card(
    name="stable-voting",
    kind="methods",
    summary="Elects the undefeated who wins by the largest margin over one without whom it still "
    "wins.",
    reference="Holliday and Pacuit, Stable Voting, Constitutional Political Economy 34, 2023",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "condorcet",
        "condorcet-loser",
        "smith",
        "pareto",
        "majority",
    ),
    denies=(
        Denial(
            axiom="clones",
            source="Of equal margins only, by search; the paper proves it without",
            ballots=("1: A > B > C", "1: B > A > C"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("2: A > B > C", "2: C > A > B", "1: B > C > A"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=("2: A > B > C", "2: C > B > A", "1: B > A > C"),
        ),
        Denial(
            axiom="coalition-monotonicity",
            source="Of equal margins, by search",
            ballots=(
                "3: C > D > B > A",
                "2: A > B > C > D",
                "2: B > A > C > D",
                "2: D > A > B > C",
                "1: A > C > D > B",
            ),
        ),
        Denial(
            axiom="monotonicity",
            source="Of equal margins, by search",
            ballots=(
                "3: C > D > B > A",
                "2: A > B > C > D",
                "2: B > A > C > D",
                "2: D > A > B > C",
                "1: A > C > D > B",
            ),
        ),
        Denial(
            axiom="participation",
            source="Moulin, J. Economic Theory 45, 1988; these ballots by search",
            ballots=(
                "5: A > D > C > E > B",
                "4: B > A > E > D > C",
                "3: D > B > A > C > E",
                "3: E > D > C > B > A",
                "2: E > D > A > B > C",
            ),
        ),
        Denial(
            axiom="reinforcement",
            source="Young, SIAM J. on Applied Mathematics 28, 1975; these ballots by search",
            ballots=("2: A > B > C", "1: B > A > C", "1: B > C > A", "1: C > A > B"),
        ),
        Denial(
            axiom="reversal-symmetry",
            source="By search",
            ballots=(
                "4: C > A > D > B",
                "3: A > D > B > C",
                "3: B > C > D > A",
                "1: B > A > C > D",
                "1: D > A > B > C",
                "1: D > B > C > A",
            ),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("1: A > B > C", "1: B > A > C"),
        ),
    ),
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

    Facts: `sets`: sets of alternatives that were looked at.

    Raises:
        Inapplicable: where it would take more than `WORK` steps to look at all the sets of
            alternatives that matter. Their number can grow as 2^m in the alternatives m of one
            cycle; it seldom does.
    """
    search = _Search(election.margins)
    tiers = by_removal(len(election.alternatives), lambda left: search.winners(tuple(left)))
    return Order(tiers=tiers, scores=share_below(tiers), facts={"sets": len(search.undefeated)})


class _Search:
    """Who is undefeated and who wins among each set of alternatives that was asked for."""

    def __init__(self, margins: NDArray[np.int64]) -> None:
        self.margins = margins
        self.undefeated: dict[Some, Some] = {}
        self.known: dict[Some, Some] = {}
        self.work = 0

    def winners(self, left: Some) -> Some:
        """Return who wins among these, in rising order."""
        if left not in self.known:
            candidates = self.candidates(left)
            self.known[left] = candidates if len(candidates) == 1 else self._stable(left)
        return self.known[left]

    def candidates(self, left: Some) -> Some:
        """Return who is undefeated among these: nobody else wins.

        No path leads from outside the Smith set into it, so only cycles within it matter.
        """
        if left not in self.undefeated:
            inner = np.array(left)[smith_layers(self.margins[np.ix_(left, left)])[0]]
            self._spend(_EACH + _SQUARE * len(left) ** 2 + len(inner) ** 3)
            top = unbeaten(defeats(self.margins[np.ix_(inner, inner)]))
            self.undefeated[left] = tuple(inner[top].tolist())
        return self.undefeated[left]

    def _spend(self, steps: int) -> None:
        self.work += steps
        if self.work > WORK:
            raise Inapplicable.because(
                "stable-voting", "sets of alternatives that can all be looked at",
                f"more than {len(self.undefeated)} sets, of {len(self.margins)} alternatives",
                "Choose split-cycle, which elects the same or more, or fewer alternatives.",
            )  # fmt: skip

    def _stable(self, left: Some) -> Some:
        pairs = [(i, j) for i in self.candidates(left) for j in left if i != j]
        for size in sorted({int(self.margins[i, j]) for i, j in pairs}, reverse=True):
            stable: set[int] = set()
            for i, j in pairs:
                if self.margins[i, j] == size and i not in stable and self._wins(i, left, j):
                    stable.add(i)
            if stable:
                return tuple(sorted(stable))
        raise AssertionError("some undefeated alternative is stable")

    def _wins(self, i: int, left: Some, gone: int) -> bool:
        rest = tuple(j for j in left if j != gone)
        # The cheap question first: whoever is defeated among the rest does not win there.
        return i in self.candidates(rest) and i in self.winners(rest)
