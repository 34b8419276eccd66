"""Counting by transfer: instant runoff and the single transferable vote, in exact numbers.

A vote stands with the alternative that its ballot puts highest among those left; where several are
level there it is divided equally between them. A ballot whose ranked alternatives are all gone is
exhausted: what a ballot leaves out is never taken for a last choice. Where a count could go on in
several ways, all of them are followed ("parallel universes"), so that no name, number or lot
decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import comb, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable

MOST_SETS = 4096
"""Sets of alternatives left that one split may lead to, before it is given up: every set there is
of twelve."""

_OUT = np.iinfo(np.uint16).max
Left = tuple[int, ...]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Box:
    """The ballots of a count, one column an order, so that a look at one alternative is a row."""

    levels: NDArray[np.uint16]
    """Tier of each alternative, shape (m, k); the highest number: left out."""
    counts: Ints
    """How often each order was given, shape (k,)."""

    @classmethod
    def of(cls, election: Election, what: str) -> Box:
        """Return the ballots of an election.

        Args:
            election: orders; ties and left-out alternatives are welcome.
            what: the rule that asks, for the error.

        Raises:
            Inapplicable: where only pairs are known, or where what a ballot leaves out is compared
                with nothing, so that nobody knows where its vote would go.
        """
        election.levels(what)
        orders = election.orders
        levels = np.where(orders < 0, _OUT, orders).astype(np.uint16)
        return cls(np.ascontiguousarray(levels.T), election.counts)

    @cached_property
    def widest(self) -> int:
        """The most alternatives that one ballot has in one tier."""
        rows = np.sort(self.levels, axis=0)
        widest = 1
        # Sorted, a tier of n+1 is where a place equals the n-th after it.
        while widest < len(rows):
            same = (rows[widest:] == rows[:-widest]) & (rows[widest:] < _OUT)
            if not same.any():
                break
            widest += 1
        return widest

    @cached_property
    def unit(self) -> int:
        """Parts of a vote in which `tally` counts: enough that equal shares are whole numbers."""
        return lcm(*range(1, self.widest + 1))

    def tops(
        self, left: Left, rows: Ints | None = None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return who stands highest on each ballot, shape (left, rows), and which are in play."""
        kept = list(left)
        levels = self.levels[kept] if rows is None else self.levels[np.ix_(kept, rows)]
        best = levels.min(axis=0)
        return levels == best, best < _OUT

    def tally(self, left: Left, rows: Ints | None = None) -> list[int]:
        """Return the votes of each alternative left, in parts of one `unit`-th.

        Args:
            left: numbers of the alternatives still in, at least one.
            rows: numbers of the orders to count; None: all.
        """
        counts = self.counts if rows is None else self.counts[rows]
        if self.widest == 1:
            kept = list(left)
            levels = self.levels[kept] if rows is None else self.levels[np.ix_(kept, rows)]
            first = levels.argmin(axis=0)
            best = levels.min(axis=0)
            weights = np.where(best < _OUT, counts, 0)
            # Sums of whole numbers below 2**53 are exact in floating point.
            return _whole(np.bincount(first, weights=weights, minlength=len(left)))
        top, live = self.tops(left, rows)
        sharing = top.sum(axis=0)
        total = [0] * len(left)
        for size in np.unique(sharing[live]).tolist():
            these = live & (sharing == size)
            part = self.unit // int(size)
            votes = _whole(top[:, these].astype(np.float64) @ counts[these])
            total = [t + v * part for t, v in zip(total, votes, strict=True)]
        return total

    def after(self, left: Left, tallied: Sequence[int], gone: Left) -> tuple[Left, list[int]]:
        """Return who is left without some, and their votes: only ballots that move are counted."""
        kept = tuple(c for c in left if c not in gone)
        top, live = self.tops(left)
        places = [left.index(c) for c in gone]
        moved = np.flatnonzero(top[places].any(axis=0) & live)
        before = dict(zip(left, self.tally(left, moved), strict=True))
        had = dict(zip(left, tallied, strict=True))
        now = self.tally(kept, moved)
        return kept, [had[c] - before[c] + new for c, new in zip(kept, now, strict=True)]

    @property
    def votes(self) -> int:
        """Number of ballots."""
        return int(self.counts.sum())


def _whole(values: NDArray[np.float64]) -> list[int]:
    return [round(v) for v in values.tolist()]


@dataclass(frozen=True)
class Runoff:
    """Where each alternative can end in an instant runoff, over all ways to settle ties."""

    best: tuple[int, ...]
    """The highest place each reaches in some universe; 1: it wins there."""
    worst: tuple[int, ...]
    """The lowest place each falls to in some universe."""
    rounds: tuple[Round, ...]
    """The rounds that are alike in all universes."""
    sets: int
    """Sets of alternatives left that were counted."""
    batches: tuple[Left, ...] = ()
    """Alternatives put level because their own order has too many universes; together they have
    fewer votes than anybody else, so that nothing beyond them depends on it."""

    def tiers(self) -> tuple[tuple[int, ...], ...]:
        """Return the winners of any universe first, then by best and by worst place."""
        keys = [(1, 1) if b == 1 else (b, w) for b, w in zip(self.best, self.worst, strict=True)]
        return tuple(
            tuple(c for c, key in enumerate(keys) if key == level) for level in sorted(set(keys))
        )


@dataclass(frozen=True)
class Round:
    """One round of a count. Votes are exact: a vote divided between equals is a fraction."""

    left: Left
    votes: tuple[Fraction, ...]
    """Of each that is left."""
    exhausted: Fraction
    """Votes that stand with nobody any more."""
    eliminated: Left = ()
    """Who goes; several: they have no votes, or are level and universes part here."""
    elected: Left = ()
    parts: bool = False
    """Whether universes part here: one of `eliminated` goes, in each universe another."""

    def told(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the round as JSON values, for people to read."""
        votes = sorted(zip(self.left, self.votes, strict=True), key=lambda cv: (-cv[1], cv[0]))
        return {
            "votes": {names[c]: number(v) for c, v in votes},
            "exhausted": number(self.exhausted),
            **({"elected": [names[c] for c in self.elected]} if self.elected else {}),
            **({"eliminated": [names[c] for c in self.eliminated]} if self.eliminated else {}),
            **({"universes_part": True} if self.parts else {}),
        }


def number(value: Fraction) -> int | str:
    """Return a whole number as it is, and a fraction as text, `7/2`: both are exact."""
    return int(value) if value.denominator == 1 else str(value)


def runoff(box: Box, *, what: str = "irv") -> Runoff:
    """Return where each alternative can end when the one with the fewest votes goes, again and
    again, until one is left.

    Among equals each is let go in a universe of its own; sets of alternatives left that were met
    before are not counted again. Those without any vote go together: nothing moves when they do.

    Raises:
        Inapplicable: where one split leads to more than `MOST_SETS` sets, and those concerned are
            not safely below all others.
    """
    return _Search(box, what).done()


@dataclass
class _Search:
    """A walk through the sets left, the larger first, so that each is counted once."""

    box: Box
    what: str
    best: list[int] = field(init=False)
    worst: list[int] = field(init=False)
    rounds: list[Round] = field(default_factory=list)
    batches: list[Left] = field(default_factory=list)
    sets: int = 0

    def __post_init__(self) -> None:
        m = len(self.box.levels)
        self.best, self.worst = [m] * m, [1] * m

    def done(self) -> Runoff:
        left: Left = tuple(range(len(self.best)))
        tallied = self.box.tally(left) if left else []
        while left:
            left, tallied = self.to_next_meeting(left, tallied)
        return Runoff(
            tuple(self.best), tuple(self.worst), tuple(self.rounds), self.sets, tuple(self.batches)
        )

    def to_next_meeting(self, left: Left, tallied: list[int]) -> tuple[Left, list[int]]:
        """Go from a set that all universes pass to the next such set; empty at the end."""
        self.sets += 1
        going, parts = _going(left, tallied)
        self.rounds.append(self.round(left, tallied, going, parts))
        if not parts:
            self.place(going, len(left) - len(going) + 1, len(left))
            if len(going) == len(left):
                return (), []
            return self.box.after(left, tallied, going)
        saved = list(self.best), list(self.worst)
        meeting = self.split(left, going)
        if meeting is None:
            self.best, self.worst = saved
            meeting = self.batch(left, tallied)
        return meeting, self.box.tally(meeting) if meeting else []

    def split(self, left: Left, going: Left) -> Left | None:
        """Follow all universes until they meet; None where there are too many."""
        self.place(going, len(left), len(left))
        open_sets: dict[int, set[Left]] = {len(left) - 1: {_without(left, (c,)) for c in going}}
        met, ended = 0, False
        while open_sets:
            size = max(open_sets)
            now = open_sets.pop(size)
            if len(now) == 1 and not open_sets and not ended:
                return next(iter(now))
            met += len(now)
            if met > MOST_SETS:
                return None
            for one in sorted(now):
                going, parts = _going(one, self.box.tally(one))
                self.place(going, size if parts else size - len(going) + 1, size)
                for gone in [(c,) for c in going] if parts else [going]:
                    if rest := _without(one, gone):
                        open_sets.setdefault(len(rest), set()).add(rest)
                    else:
                        ended = True
            self.sets += len(now)
        return ()

    def batch(self, left: Left, tallied: list[int]) -> Left:
        """Put those level who are safely below all others, and return who is left."""
        order = sorted(zip(tallied, left, strict=True))
        below = 0
        for end, (votes, _) in enumerate(order):
            if end > 1 and below < votes:
                level = tuple(sorted(c for _, c in order[:end]))
                self.place(level, len(left) - end + 1, len(left))
                self.batches.append(level)
                return _without(left, level)
            below += votes
        raise Inapplicable.because(
            self.what, f"ties that lead to at most {MOST_SETS} sets of alternatives left",
            f"more, from a tie of {sum(v == order[0][0] for v in tallied)} with {len(left)} left",
            "Choose a method that does not eliminate, such as schulze, or fewer alternatives.",
        )  # fmt: skip

    def place(self, whom: Iterable[int], best: int, worst: int) -> None:
        for c in whom:
            self.best[c] = min(self.best[c], best)
            self.worst[c] = max(self.worst[c], worst)

    def round(self, left: Left, tallied: list[int], going: Left, parts: bool) -> Round:
        votes = tuple(Fraction(v, self.box.unit) for v in tallied)
        last = len(going) == len(left) and not parts
        return Round(
            left, votes, self.box.votes - sum(votes, Fraction(0)),
            eliminated=() if last else going, elected=going if last else (), parts=parts,
        )  # fmt: skip


def _going(left: Left, tallied: Sequence[int]) -> tuple[Left, bool]:
    """Who has the fewest votes, and whether only one of them goes.

    Those without a vote go together, whichever of them first; if nobody has any, all remain level.
    """
    fewest = min(tallied)
    lowest = tuple(c for c, v in zip(left, tallied, strict=True) if v == fewest)
    return lowest, fewest > 0 and len(lowest) > 1


def _without(left: Left, gone: Left) -> Left:
    return tuple(c for c in left if c not in gone)


@dataclass(frozen=True)
class Seats:
    """Outcome of a count for several seats."""

    slates: tuple[Left, ...]
    """Every set that some way to settle ties elects, sorted; one where there is no tie."""
    members: Left
    """The first of these sets, in the order they were elected in `rounds`."""
    quota: int
    rounds: tuple[Round, ...]
    """Of the universe that elects `members`."""


@dataclass(frozen=True, eq=False)
class _Weighted:
    """What ballots are still worth: few worths, and the number of its worth for each order."""

    worths: tuple[Fraction, ...]
    which: Ints


def transfer(box: Box, *, seats: int, what: str = "stv") -> Seats:
    """Return who is elected to some seats by the single transferable vote.

    Droop quota: the whole number above votes / (seats + 1). Weighted inclusive Gregory: whoever
    reaches it is elected, and all their ballots move on at the same reduced worth, so that exactly
    a quota stays. Surpluses of one round move at once, so that none comes first. If nobody has a
    quota, who has the fewest votes goes. Once no more are left than seats, they are elected. Exact
    fractions throughout; every way to settle ties is followed.

    Args:
        box: the ballots.
        seats: how many, from one to the number of alternatives.
        what: the rule that asks, for errors.

    Raises:
        Inapplicable: for a number of seats that cannot be filled; where ties lead to more than
            `MOST_SETS` states of the count.
    """
    m = len(box.levels)
    if not 1 <= seats <= m:
        raise Inapplicable.because(what, f"1 to {m} seats", f"{seats}")
    quota = box.votes // (seats + 1) + 1
    found: dict[Left, tuple[Left, tuple[Round, ...]]] = {}
    for elected, rounds in _universes(box, seats, quota, what):
        found.setdefault(tuple(sorted(elected)), (elected, rounds))
    slates = tuple(sorted(found))
    members, rounds = found[slates[0]]
    return Seats(slates, members, quota, rounds)


def _universes(
    box: Box, seats: int, quota: int, what: str
) -> Iterator[tuple[Left, tuple[Round, ...]]]:
    """Every way the count can go, states that were met before once."""
    whole = _Weighted((Fraction(1),), np.zeros(len(box.counts), dtype=np.int64))
    start: tuple[Left, Left, _Weighted, tuple[Round, ...], tuple[Any, ...]]
    start = (tuple(range(len(box.levels))), (), whole, (), ())
    waiting, met = [start], set()
    while waiting:
        left, elected, weighted, rounds, history = waiting.pop()
        # What ballots are worth follows from who was elected when, and with whom left.
        if (left, history) in met:
            continue
        met.add((left, history))
        _few(len(met), what)
        votes = dict(zip(left, _worth(box, left, weighted), strict=True))
        out = box.votes - quota * sum(len(r.elected) for r in rounds) - sum(votes.values())
        over = tuple(sorted((c for c in left if votes[c] >= quota), key=lambda c: (-votes[c], c)))
        here = Round(left, tuple(votes.values()), Fraction(out))
        if len(elected) + len(left) <= seats or len(elected) + len(over) == seats:
            last = over if len(elected) + len(over) == seats else left
            chosen = tuple(sorted(last, key=lambda c: (-votes[c], c)))
            end = Round(left, here.votes, here.exhausted, elected=chosen)
            yield elected + chosen, (*rounds, end)
        elif over:
            moved = _moved(box, left, weighted, {c: 1 - quota / votes[c] for c in over})
            now = Round(left, here.votes, here.exhausted, elected=over)
            waiting.append(
                (_without(left, over), elected + over, moved, (*rounds, now),
                 (*history, (over, left)))
            )  # fmt: skip
        else:
            fewest = min(votes.values())
            lowest = tuple(c for c in left if votes[c] == fewest)
            spare = len(elected) + len(left) - seats
            together = fewest == 0 and len(lowest) <= spare
            if fewest == 0 and not together:
                # Nobody stands with them, so nothing moves: any of them may take what is left.
                _few(comb(len(lowest), spare), what)
                for gone in combinations(lowest, spare):
                    stay = tuple(sorted(_without(left, gone), key=lambda c: (-votes[c], c)))
                    end = Round(left, here.votes, here.exhausted, gone, stay, parts=True)
                    yield elected + stay, (*rounds, end)
                continue
            for gone in reversed([lowest] if together else [(c,) for c in lowest]):
                parts = not together and len(lowest) > 1
                now = Round(left, here.votes, here.exhausted, eliminated=gone, parts=parts)
                waiting.append((_without(left, gone), elected, weighted, (*rounds, now), history))


def _few(states: int, what: str) -> None:
    if states > MOST_SETS:
        raise Inapplicable.because(
            what, f"ties that lead to at most {MOST_SETS} states of the count", "more",
            "Choose a slate rule that does not eliminate, or fewer alternatives.",
        )  # fmt: skip


def _worth(box: Box, left: Left, weighted: _Weighted) -> list[Fraction]:
    """Votes of each that is left, at what ballots are still worth."""
    total = [Fraction(0)] * len(left)
    for (worth, size), rows, top in _kinds(box, left, weighted):
        votes = _whole(top.astype(np.float64) @ box.counts[rows])
        part = weighted.worths[worth] / size
        total = [t + v * part if v else t for t, v in zip(total, votes, strict=True)]
    return total


def _kinds(
    box: Box, left: Left, weighted: _Weighted
) -> Iterator[tuple[tuple[int, int], Ints, NDArray[np.bool_]]]:
    """Ballots in play by number of worth and of equals on top, with those on top."""
    top, live = box.tops(left)
    sharing = top.sum(axis=0)
    key = np.where(live, weighted.which * (len(left) + 1) + sharing, -1)
    for kind in np.unique(key[live]).tolist():
        rows = np.flatnonzero(key == kind)
        yield divmod(int(kind), len(left) + 1), rows, top[:, rows]


def _moved(box: Box, left: Left, weighted: _Weighted, kept: dict[int, Fraction]) -> _Weighted:
    """What ballots are worth after those elected keep a quota: `kept` is what moves on, a share."""
    worths, which = list(weighted.worths), weighted.which.copy()
    number_of = {worth: i for i, worth in enumerate(worths)}
    over = [left.index(c) for c in kept]
    for (worth, size), rows, top in _kinds(box, left, weighted):
        held, pattern = np.unique(top[over], axis=1, return_inverse=True)
        for p in range(held.shape[1]):
            stays = sum(
                (1 - share for share, has in zip(kept.values(), held[:, p], strict=True) if has),
                Fraction(0),
            )
            new = weighted.worths[worth] * (1 - stays / size)
            if new not in number_of:
                number_of[new] = len(worths)
                worths.append(new)
            which[rows[pattern.ravel() == p]] = number_of[new]
    return _Weighted(tuple(worths), which)
