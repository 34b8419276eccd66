"""The array view of ballots that methods read: orders, how often each was given, and grades."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.pairs import count_wins
from normwright.records import Ballots, Fault, InputError, Unranked

Ints = NDArray[np.int64]
UNSEEN = -1
"""Tier or grade of an alternative that a ballot leaves out."""
_TIERS = np.iinfo(np.int16).max - 1
"""Tiers of one order at most: one more is kept for what it leaves out."""
_PAIRS = 12_000_000
"""Pairs of alternatives of resamples that are counted at once."""


class Inapplicable(InputError):
    """The ballots do not hold what a method needs; said in full, never guessed."""

    @classmethod
    def because(cls, what: str, expected: str, seen: str, do: str = "") -> Inapplicable:
        """Return the error of one method or slate rule."""
        return cls([Fault(where=what, expected=expected, seen=seen, do=do)])


@dataclass(frozen=True)
class Bundles:
    """Voters who gave several orders each, as in paired comparisons: who they are is one pattern.

    Voters alike share a pattern, so that a resample draws people and not their single answers.
    """

    starts: Ints
    """Where each pattern begins in `members`, shape (patterns + 1,)."""
    members: Ints
    """Numbers of orders, pattern after pattern."""
    counts: Ints
    """Voters of each pattern, shape (patterns,)."""


@dataclass(frozen=True, eq=False)
class Election:
    """Ballots of one electorate. A row is one order (or one set of grades) and how many gave it.

    Rows, arrays and numbers only: a million ballots are two arrays. Nothing in it is changed after
    it was made.
    """

    alternatives: tuple[str, ...]
    orders: NDArray[np.int16]
    """Number of the tier of each alternative, 0 the best, shape (k, m); -1: left out."""
    counts: Ints
    """How often each order was given, shape (k,)."""
    unranked: Unranked = "last"
    """What an alternative that a ballot leaves out is: below all that it ranks, or not compared."""
    grades: NDArray[np.int16] | None = None
    """Grade of each alternative, higher is better, 0 the lowest, shape (k, m); -1: not graded.
    None where people gave no grades: a rank is not a grade."""
    approved_from: int | None = None
    """The lowest grade that approves; None where grades do not say."""
    bundles: Bundles | None = None
    """Voters of several orders; None: each row of `counts` is so many voters of one order."""
    pairwise: Ints | None = None
    """Voters who put i above j, shape (m, m), where it was counted already or is all there is."""
    electorate: int | None = None
    """Number of voters where the rows do not tell it; None: the rows tell it."""

    @classmethod
    def of(
        cls,
        ballots: Ballots,
        *,
        alternatives: Sequence[str],
        voters: Collection[str] | None = None,
        unranked: Unranked = "last",
    ) -> Election:
        """Return the ballots of these voters over these alternatives.

        What they rank beside these is left out; a ballot that ranks none of them does not count.

        Args:
            ballots: rankings, each order once.
            alternatives: what is ranked, in the order of the arrays.
            voters: whose ballots count; None: everybody's.
            unranked: what an alternative that a ballot leaves out is.

        Where people sorted into categories these are grades, and the best of them approves.
        """
        every = cls.of_orders(ballots, alternatives=alternatives, unranked=unranked)
        counts, bundles = _given(ballots, voters, every.counts > 0)
        return replace(every, counts=counts, bundles=bundles).compact()

    @classmethod
    def of_orders(
        cls, ballots: Ballots, *, alternatives: Sequence[str], unranked: Unranked = "last"
    ) -> Election:
        """Return the orders of some ballots, a row each as they stand there, each given once.

        One that ranks none of the alternatives is given by nobody.

        Raises:
            InputError: for an order of more tiers than their numbers can be told in.
        """
        longest = max(map(len, ballots.orders), default=0)
        if longest > _TIERS:
            raise InputError([
                Fault(where="ballots", expected=f"orders of at most {_TIERS} tiers",
                      seen=str(longest))
            ])  # fmt: skip
        tiers = _tiers(ballots, alternatives)
        given: Ints = np.any(tiers >= 0, axis=1).astype(np.int64)
        kinds = len(ballots.categories)
        grades = np.where(tiers >= 0, kinds - 1 - tiers, UNSEEN).astype(np.int16)
        return cls(
            tuple(alternatives),
            tiers,
            given,
            unranked=unranked,
            grades=grades if kinds else None,
            approved_from=kinds - 1 if kinds else None,
        )

    def compact(self) -> Election:
        """Return the same without orders that nobody gave."""
        if self.bundles is not None or (self.counts > 0).all():
            return self
        kept = self.counts > 0
        grades = None if self.grades is None else self.grades[kept]
        return replace(self, orders=self.orders[kept], counts=self.counts[kept], grades=grades)

    @property
    def voters(self) -> int:
        """Number of voters."""
        if self.electorate is not None:
            return self.electorate
        counts = self.counts if self.bundles is None else self.bundles.counts
        return int(counts.sum())

    @cached_property
    def wins(self) -> Ints:
        """Voters who put alternative i above j, shape (m, m); ties count for neither."""
        if self.pairwise is not None:
            return self.pairwise
        return count_wins(self.orders, self.counts, unranked=self.unranked)

    @cached_property
    def margins(self) -> Ints:
        """`wins` less its transpose, shape (m, m)."""
        return self.wins - self.wins.T

    def orders_for(self, what: str) -> NDArray[np.int16]:
        """Return the orders.

        Raises:
            Inapplicable: where only pairs are known, naming `what` needs them.
        """
        if not len(self.orders) and self.pairwise is not None and len(self.alternatives):
            raise Inapplicable.because(
                what, "ballots with orders", "only who was put above whom, and how often",
                "Choose a method that needs no more than pairs, such as schulze or borda.",
            )  # fmt: skip
        return self.orders

    def levels(self, what: str) -> NDArray[np.int16]:
        """Return the orders with what was left out as a last tier of its own, shape (k, m).

        Raises:
            Inapplicable: where only pairs are known, or where what a ballot leaves out is not
                compared with anything, so that no order of all exists.
        """
        orders = self.orders_for(what)
        out = orders < 0
        if not out.any():
            return orders
        if self.unranked == "apart":
            raise Inapplicable.because(
                what, "ballots that rank every alternative, or --unranked last",
                f"{int(self.counts[out.any(axis=1)].sum())} ballots that leave some out, which are "
                "not compared (apart)",
            )  # fmt: skip
        last = orders.max(axis=1, keepdims=True) + np.int16(1)
        levels: NDArray[np.int16] = np.where(out, last, orders)
        return levels

    def grades_for(self, what: str) -> NDArray[np.int16]:
        """Return the grades, -1 where not graded.

        Raises:
            Inapplicable: where people gave none.
        """
        if self.grades is None:
            raise Inapplicable.because(
                what, "ballots with grades (votes, ratings or categories)", "orders",
                "A place in an order is no grade: choose a method for orders.",
            )  # fmt: skip
        return self.grades

    def approvals(self, what: str) -> NDArray[np.bool_]:
        """Return who approves of what, shape (k, m).

        Where people graded, the grades that approve; where they ranked only some, those they
        ranked. A whole order does not say where approval ends.

        Raises:
            Inapplicable: where the ballots do not say.
        """
        if self.grades is not None and self.approved_from is not None:
            approved: NDArray[np.bool_] = self.grades >= self.approved_from
            return approved
        orders = self.orders_for(what)
        ranked: NDArray[np.bool_] = orders >= 0
        if self.grades is None and not ranked.all():
            return ranked
        raise Inapplicable.because(
            what, "ballots that say what is approved", "orders of all alternatives",
            "Say where approval ends: --approve-top N.",
        )  # fmt: skip

    def approving(self, top: int) -> Election:
        """Return the same with each voter approving of their first `top` places, ties whole."""
        orders = self.orders_for("approving")
        ahead = np.zeros(orders.shape, dtype=np.int16)
        # One alternative after the other, so that no array of all pairs of each ballot is made.
        for one in orders.T:
            ahead += (one[:, None] < orders) & (one[:, None] >= 0)
        graded = ((orders >= 0) & (ahead < top)).astype(np.int16)
        return replace(self, grades=graded, approved_from=1)

    def with_counts(self, counts: Ints, *, wins: Ints | None = None) -> Election:
        """Return the same orders given so often, each by one voter.

        Args:
            counts: shape (k,), drawn from as many voters as there are.
            wins: the pairs, if they were counted already.
        """
        return replace(self, counts=counts, bundles=None, pairwise=wins, electorate=self.voters)

    def only(self, kept: Sequence[int]) -> Election:
        """Return the ballots over some alternatives only, by number, in that order."""
        chosen = list(kept)
        return replace(
            self,
            alternatives=tuple(self.alternatives[j] for j in chosen),
            orders=self.orders[:, chosen],
            grades=None if self.grades is None else self.grades[:, chosen],
            pairwise=None if self.pairwise is None else self.pairwise[np.ix_(chosen, chosen)],
        )

    def drawn(self, rng: np.random.Generator, rounds: int) -> Ints:
        """Return how often each order is given in resamples of the voters, shape (rounds, k)."""
        patterns = self.counts if self.bundles is None else self.bundles.counts
        total = int(patterns.sum())
        if not total:
            return np.zeros((rounds, len(self.counts)), dtype=np.int64)
        made: Ints = rng.multinomial(total, patterns / total, size=rounds).astype(np.int64)
        return made if self.bundles is None else spread(self.bundles, made, len(self.counts))

    def resamples(self, rng: np.random.Generator, rounds: int) -> Iterator[Election]:
        """Yield the voters drawn again so often, their pairs counted; a part at once in memory."""
        counts = self.drawn(rng, rounds)
        step = max(1, _PAIRS // max(1, len(self.alternatives) ** 2))
        for start in range(0, rounds, step):
            part = counts[start : start + step]
            wins = count_wins(self.orders, part, unranked=self.unranked)
            yield from (self.with_counts(c, wins=w) for c, w in zip(part, wins, strict=True))

    def firsts(self) -> NDArray[np.float64]:
        """Return how many voters put each alternative first, a shared first place divided.

        Of a voter with several orders each counts for its part, so that every voter counts once.
        """
        top = np.where(self.orders >= 0, self.orders, np.iinfo(np.int16).max)
        best = (top == top.min(axis=1, keepdims=True)) & (self.orders >= 0)
        shares = best / np.maximum(1, best.sum(axis=1, keepdims=True))
        if self.bundles is None:
            whole: NDArray[np.float64] = self.counts @ shares
            return whole
        sizes = np.diff(self.bundles.starts)
        parts = np.repeat(self.bundles.counts / sizes, sizes)
        divided: NDArray[np.float64] = parts @ shares[self.bundles.members]
        return divided

    def ranked(self) -> Ints:
        """Return how many ballots rank each alternative, shape (m,)."""
        found: Ints = self.counts @ (self.orders >= 0).astype(np.int64)
        return found


def spread(bundles: Bundles, weights: Ints, orders: int) -> Ints:
    """Return how often each order was given, shape (..., orders), from weights of patterns."""
    repeated = np.repeat(weights, np.diff(bundles.starts), axis=-1)
    if not len(bundles.members):
        return np.zeros((*weights.shape[:-1], orders), dtype=np.int64)
    flat = repeated.reshape(-1, len(bundles.members))
    made = np.stack([np.bincount(bundles.members, weights=row, minlength=orders) for row in flat])
    return np.rint(made).astype(np.int64).reshape(*weights.shape[:-1], orders)


def _tiers(ballots: Ballots, alternatives: Sequence[str]) -> NDArray[np.int16]:
    """Number of the tier of each alternative in each order; -1: left out."""
    index = {a: j for j, a in enumerate(alternatives)}
    tiers = np.full((len(ballots.orders), len(index)), UNSEEN, dtype=np.int16)
    for row, order in zip(tiers, ballots.orders, strict=True):
        for level, names in enumerate(order):
            for name in names:
                if name in index:
                    row[index[name]] = level
    return tiers


def _given(
    ballots: Ballots, voters: Collection[str] | None, counted: NDArray[np.bool_]
) -> tuple[Ints, Bundles | None]:
    """How often each order was given; with bundles where somebody gave several."""
    if voters is None and ballots.counts is not None:
        return np.array(ballots.counts, dtype=np.int64) * counted, None
    eligible = None if voters is None else frozenset(voters)
    given: dict[str, list[int]] = defaultdict(list)
    for voter, number in zip(ballots.voters, ballots.chosen, strict=True):
        if counted[number] and (eligible is None or voter in eligible):
            given[voter].append(number)
    patterns = Counter(tuple(sorted(numbers)) for numbers in given.values())
    sizes = [len(p) for p in patterns]
    members = np.array([k for p in patterns for k in p], dtype=np.int64)
    counts = np.fromiter(patterns.values(), dtype=np.int64, count=len(patterns))
    bundles = Bundles(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), members, counts)
    often = spread(bundles, counts, len(counted))
    return often, bundles if any(size > 1 for size in sizes) else None
