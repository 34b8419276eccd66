"""Counting by transfer: instant runoff and the single transferable vote, in exact numbers.

A vote stands with the alternative that its ballot puts highest among those left; where several are
level there it is divided equally between them. A ballot whose ranked alternatives are all gone is
exhausted: what a ballot leaves out is never taken for a last choice. Where a count could go on in
several ways, all of them are followed ("parallel universes"), so that no name, number or lot
decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import comb, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable

MOST_SETS = 2**14
"""Sets of alternatives left that one split may lead to, before it is given up: every set there is
of fourteen."""

_OUT = np.iinfo(np.uint16).max
_BLOCK = 4096
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
        orders = election.orders_for(what)
        if election.unranked == "apart":
            election.levels(what)
        levels = np.empty(orders.shape[::-1], dtype=np.uint16)
        # Without a sign, -1 is the highest number. Turned in blocks that stay near the processor.
        for start in range(0, len(orders), _BLOCK):
            levels[:, start : start + _BLOCK] = orders[start : start + _BLOCK].astype(np.uint16).T
        return cls(levels, election.counts)

    @cached_property
    def widest(self) -> int:
        """The most alternatives that one ballot has in one tier."""
        if len(self.counts) >= _BLOCK and self._strict():
            return 1
        rows = np.sort(self.levels, axis=0)
        widest = 1
        # Sorted, a tier of n+1 is where a place equals the n-th after it.
        while widest < len(rows):
            same = (rows[widest:] == rows[:-widest]) & (rows[widest:] < _OUT)
            if not same.any():
                break
            widest += 1
        return widest

    def _strict(self) -> bool:
        """Say whether surely no ballot has two in one tier: a bit a tier is faster than sorting.

        Only 64 tiers have a bit; whoever is below shares all of them, so that it is not sure.
        """
        bits = np.full(_OUT + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
        bits[:64] = np.left_shift(np.uint64(1), np.arange(64, dtype=np.uint64))
        bits[_OUT] = 0
        for start in range(0, len(self.counts), _BLOCK):
            taken = np.zeros(len(self.counts[start : start + _BLOCK]), dtype=np.uint64)
            for row in self.levels[:, start : start + _BLOCK]:
                bit = bits[row]
                if (taken & bit).any():
                    return False
                taken |= bit
        return True

    def highest(self, left: Left, rows: Ints | None = None) -> NDArray[np.uint16]:
        """Return the highest tier that holds any of those left, of each ballot."""
        first = self.levels[left[0]] if rows is None else self.levels[left[0]][rows]
        best: NDArray[np.uint16] = first.copy()
        for c in left[1:]:
            row = self.levels[c] if rows is None else self.levels[c][rows]
            np.minimum(best, row, out=best)
        return best

    @cached_property
    def unit(self) -> int:
        """Parts of a vote in which `tally` counts: enough that equal shares are whole numbers."""
        return lcm(*range(1, self.widest + 1))

    def tops(
        self, left: Left, rows: Ints | None = None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return who stands highest on each ballot, shape (left, rows), and which are in play."""
        kept = np.array(left)
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
            best = self.highest(left, rows)
            weights = np.where(best < _OUT, counts, 0).astype(np.float64)
            held = (self.levels[c] if rows is None else self.levels[c][rows] for c in left)
            # Sums of whole numbers below 2**53 are exact in floating point.
            return [round(float((row == best) @ weights)) for row in held]
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
        best = self.highest(left)
        held = np.zeros(len(best), dtype=np.bool_)
        for c in gone:
            held |= self.levels[c] == best
        moved = np.flatnonzero(held & (best < _OUT))
        before = dict(zip(left, self.tally(left, moved), strict=True))
        had = dict(zip(left, tallied, strict=True))
        now = self.tally(kept, moved)
        return kept, [had[c] - before[c] + new for c, new in zip(kept, now, strict=True)]

    @property
    def votes(self) -> int:
        """Number of ballots."""
        return int(self.counts.sum())


def _whole(values: NDArray[Any]) -> list[int]:
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


Count = tuple[Left, tuple[Round, ...]]
"""Who was elected, in that order, and the rounds."""


@dataclass(frozen=True, eq=False)
class _State:
    """Where a count stands."""

    left: Left
    elected: Left
    weighted: _Weighted
    rounds: tuple[Round, ...]
    history: tuple[tuple[Left, Left], ...]
    """Who was elected together, and who was left then: what ballots are worth follows from it."""

    def ended(self, here: Round, chosen: Left, gone: Left = ()) -> Count:
        """Return the end of the count, these elected with the most votes first."""
        votes = dict(zip(here.left, here.votes, strict=True))
        order = tuple(sorted(chosen, key=lambda c: (-votes[c], c)))
        last = replace(here, elected=order, eliminated=gone, parts=bool(gone))
        return self.elected + order, (*self.rounds, last)

    def without(self, here: Round, gone: Left, *, parts: bool) -> _State:
        """Return the count after some were eliminated."""
        now = replace(here, eliminated=gone, parts=parts)
        return replace(self, left=_without(self.left, gone), rounds=(*self.rounds, now))


def _universes(box: Box, seats: int, quota: int, what: str) -> Iterator[Count]:
    """Every way the count can go, states that were met before once."""
    whole = _Weighted((Fraction(1),), np.zeros(len(box.counts), dtype=np.int64))
    waiting = [_State(tuple(range(len(box.levels))), (), whole, (), ())]
    met: set[Any] = set()
    while waiting:
        state = waiting.pop()
        if (state.left, state.history) in met:
            continue
        met.add((state.left, state.history))
        _few(len(met), what)
        votes = tuple(_worth(box, state.left, state.weighted))
        held = quota * len(state.elected) + sum(votes, Fraction(0))
        here = Round(state.left, votes, box.votes - held)
        unfilled = seats - len(state.elected)
        over = tuple(c for c, v in zip(state.left, votes, strict=True) if v >= quota)
        if len(over) == unfilled or len(state.left) <= unfilled:
            yield state.ended(here, over if len(over) == unfilled else state.left)
        elif over:
            waiting.append(_elected(box, state, here, over, quota))
        else:
            ends, further = _lowest_go(state, here, unfilled, what)
            yield from ends
            waiting += further


def _elected(box: Box, state: _State, here: Round, over: Left, quota: int) -> _State:
    """The count after all with a quota are elected, and their surpluses moved at once."""
    votes = dict(zip(here.left, here.votes, strict=True))
    order = tuple(sorted(over, key=lambda c: (-votes[c], c)))
    moves = {c: 1 - quota / votes[c] for c in order}
    return _State(
        _without(state.left, over),
        state.elected + order,
        _moved(box, state.left, state.weighted, moves),
        (*state.rounds, replace(here, elected=order)),
        (*state.history, (over, state.left)),
    )


def _lowest_go(
    state: _State, here: Round, unfilled: int, what: str
) -> tuple[list[Count], list[_State]]:
    """The counts after those with the fewest votes go, each in a universe of its own.

    Those without any vote go together. Where not all of them may go, since seats would stay empty,
    any of them may take what is left: nobody stands with them, so nothing moves and the count ends.
    """
    fewest = min(here.votes)
    lowest = tuple(c for c, v in zip(here.left, here.votes, strict=True) if v == fewest)
    spare = len(here.left) - unfilled
    if fewest > 0:
        parts = len(lowest) > 1
        return [], [state.without(here, (c,), parts=parts) for c in reversed(lowest)]
    if len(lowest) <= spare:
        return [], [state.without(here, lowest, parts=False)]
    _few(comb(len(lowest), spare), what)
    goings = combinations(lowest, spare)
    return [state.ended(here, _without(here.left, gone), gone) for gone in goings], []


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


def _moved(box: Box, left: Left, weighted: _Weighted, moves: dict[int, Fraction]) -> _Weighted:
    """What ballots are worth once those elected keep a quota; `moves` is the share that goes on."""
    worths, which = list(weighted.worths), weighted.which.copy()
    number_of = {worth: i for i, worth in enumerate(worths)}
    over = [left.index(c) for c in moves]
    for (worth, size), rows, top in _kinds(box, left, weighted):
        held, pattern = np.unique(top[over], axis=1, return_inverse=True)
        for p in range(held.shape[1]):
            stays = sum(
                (1 - share for share, has in zip(moves.values(), held[:, p], strict=True) if has),
                Fraction(0),
            )
            new = weighted.worths[worth] * (1 - stays / size)
            if new not in number_of:
                number_of[new] = len(worths)
                worths.append(new)
            which[rows[pattern.ravel() == p]] = number_of[new]
    return _Weighted(tuple(worths), which)
