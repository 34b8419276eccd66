"""The method of equal shares: everybody has the same budget, and each purchase is shared evenly."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from normwright.aggregate.approvals import Approvals, Floats, check_size
from normwright.aggregate.election import Election, Ints
from normwright.aggregate.slates import Chosen
from normwright.aggregate.slates.seq_phragmen import Phragmen
from normwright.aggregate.slates.sequence import chosen, follow
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="equal-shares",
    kind="slates",
    summary="Gives every voter the same budget and buys where supporters pay the least each.",
    reference="Peters and Skowron, Proportionality and the Limits of Welfarism, EC 2020",
    claims=("anonymity", "neutrality", "homogeneity", "jr", "pjr", "ejr", "ejr-plus"),
    denies=(
        Denial(
            axiom="house-monotonicity",
            source="By search; size 3",
            ballots=(
                "2: B = C = D = E",
                "1: A = B",
                "1: A = B = D = E",
                "1: A = C = E",
                "1: C = D",
                "1: D = E",
            ),
        ),
    ),
    takes="approvals",
    status="tested",
)

NEAR = 1e-9
"""Relative error that numbers in floating point are allowed before fractions decide."""


@dataclass(frozen=True, eq=False)
class _Shares:
    """Budgets on the way, in whole numbers: a member costs n x unit, a voter starts with
    size x unit.
    """

    approvals: Approvals
    size: int
    purse: Ints
    """Number of the budget of each set's voters, shape (k,)."""
    budgets: tuple[int, ...]
    """Those budgets, each once."""
    unit: int
    open: Ints
    least: Floats
    """Lower bounds on what each alternative costs its supporters: budgets only fall."""

    @property
    def cost(self) -> int:
        return self.approvals.voters * self.unit

    def leading(self) -> tuple[int, ...]:
        """Return the alternatives that cost their supporters the least; none: nothing is bought.

        Alternatives are looked at in the order of their bounds, until no bound can be the least.
        """
        own = np.array([b / self.cost for b in self.budgets])[self.purse]
        found: dict[int, tuple[float, float]] = {}
        best = np.inf
        for j in self.open[np.argsort(self.least[self.open], kind="stable")].tolist():
            if self.least[j] > best:
                break
            share, error = self._share(j, own)
            self.least[j] = share - error
            found[j] = (share, error)
            best = min(best, share + error)
        near = [j for j, (share, error) in found.items() if share - error <= best < np.inf]
        exact = {j: price for j in near if (price := self.price(j)) is not None}
        least = min(exact.values(), default=None)
        return tuple(sorted(j for j, price in exact.items() if price == least))

    def _share(self, alternative: int, own: Floats) -> tuple[float, float]:
        """What each supporter pays at most, the cost being 1, and a bound on the error."""
        rows = self.approvals.of_alternative(alternative)
        budget, voters = own[rows], self.approvals.counts[rows].astype(np.float64)
        order = np.argsort(budget, kind="stable")
        budget, voters = budget[order], voters[order]
        spent = np.concatenate([[0.0], np.cumsum(budget * voters)])
        if spent[-1] < 1 + NEAR:
            # Whether they can pay at all is too close to call, or they cannot: never rounded.
            price = self.price(alternative) if spent[-1] > 1 - NEAR else None
            share = np.inf if price is None else float(price / self.approvals.voters)
            return share, 0.0 if price is None else NEAR * share
        payers = np.cumsum(voters[::-1])[::-1]
        first = int(np.argmax(budget * payers >= 1 - spent[:-1] - NEAR))
        return float((1 - spent[first]) / payers[first]), float(2 * NEAR / payers[first])

    def price(self, alternative: int) -> Fraction | None:
        """Return exactly what each supporter pays at most, the cost being the number of voters;
        None if they cannot pay together.
        """
        rows = self.approvals.of_alternative(alternative)
        voters = np.zeros(len(self.budgets), dtype=np.int64)
        np.add.at(voters, self.purse[rows], self.approvals.counts[rows])
        payers, missing = int(voters.sum()), self.cost
        for i in sorted(np.flatnonzero(voters).tolist(), key=self.budgets.__getitem__):
            if self.budgets[i] * payers >= missing:
                return Fraction(missing, payers * self.unit)
            missing -= self.budgets[i] * int(voters[i])
            payers -= int(voters[i])
        return None

    def after(self, alternative: int) -> _Shares:
        price = self.price(alternative)
        assert price is not None
        share = price * self.unit
        unit, rows = self.unit * share.denominator, self.approvals.of_alternative(alternative)
        before = [b * share.denominator for b in self.budgets]
        pays = np.zeros(len(self.purse), dtype=np.int64)
        pays[rows] = 1
        # Two numbers a purse: those who pay, and those who do not.
        split = 2 * self.purse + pays
        kept, number = np.unique(split, return_inverse=True)
        left = [before[s // 2] if s % 2 == 0 else max(0, before[s // 2] - share.numerator)
                for s in kept.tolist()]  # fmt: skip
        budgets = {b: i for i, b in enumerate(sorted(set(left)))}
        purse = np.array([budgets[b] for b in left], dtype=np.int64)[number]
        open_ = self.open[self.open != alternative]
        return _Shares(
            self.approvals, self.size, purse, tuple(budgets), unit, open_, self.least.copy()
        )

    def key(self) -> Hashable:
        own = tuple(Fraction(b, self.unit) for b in self.budgets)
        return self.open.tobytes(), own, self.purse.tobytes()

    def rest(self) -> Phragmen:
        """Return Phragmén's rule with what is left, as money that each voter already has."""
        times = tuple(-Fraction(b, self.cost) for b in self.budgets)
        return Phragmen(self.approvals, self.purse, times, self.open)


@dataclass(frozen=True, eq=False)
class _Completed:
    """Equal shares as long as anything can be bought, then Phragmén's rule."""

    now: _Shares | Phragmen
    level: tuple[int, ...]
    bought: int

    @classmethod
    def of(cls, now: _Shares | Phragmen, bought: int) -> _Completed:
        level = now.leading() if len(now.open) else ()
        if not level and len(now.open) and isinstance(now, _Shares):
            now = now.rest()
            level = now.leading()
        return cls(now, level, bought)

    def leading(self) -> tuple[int, ...]:
        return self.level

    def after(self, alternative: int) -> _Completed:
        bought = self.bought + isinstance(self.now, _Shares)
        return _Completed.of(self.now.after(alternative), bought)

    def key(self) -> Hashable:
        return isinstance(self.now, _Shares), self.now.key()


@plugin(CARD)
def equal_shares(election: Election, size: int) -> Chosen:
    """Return the slate by the method of equal shares (Peters and Skowron, EC 2020), unit costs.

    Every voter has size / n of a member's cost. Bought is what costs its supporters least each,
    where those who cannot pay so much give all they have. What money cannot buy together fills up
    by Phragmén's sequential rule, starting from the money left; `bought` and `completed` in the
    facts tell which is which. Every group gets its share in the strong sense (EJR+). Exact: whole
    numbers decide every choice.
    """
    approvals = Approvals.of(election, "equal-shares")
    m = len(approvals.alternatives)
    check_size(size, m, "equal-shares")
    purse = np.zeros(len(approvals.counts), dtype=np.int64)
    shares = _Shares(approvals, size, purse, (size,), 1, np.arange(m), np.zeros(m))
    path = follow(_Completed.of(shares, 0), size)
    assert isinstance(path.last, _Completed)
    bought = path.last.bought
    names = approvals.named(path.members)
    facts = {
        **approvals.facts(),
        "bought": names[:bought],
        "completed": names[bought:],
        "completion": "seq-phragmen with the money left",
    }
    return chosen(path, approvals.alternatives, facts)
