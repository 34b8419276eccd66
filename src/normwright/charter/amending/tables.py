"""Verdicts as tables: every combination of what can be known, gone through at once.

Conditions cut each fact into a few stretches; with one more place for "not known", all a charter
can tell apart is a finite grid. A norm's truth is an array over the facts it asks for, what an act
breaks is a few arrays over the facts of the norms against it, and two charters are compared by
putting such arrays side by side. This proves the same as the formulas of `deciding`, cell by cell;
grids too large for it are left to the solver.

Acts against which the same norms stand, in the same manner, share what is worked out about them,
wherever that is. What matters of an act for a verdict takes few values (its class), so verdicts
are worked out for combinations of classes and looked up in the grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from normwright.charter.amending.deciding import VERDICTS, Facts
from normwright.charter.amending.facets import Cube, Facets
from normwright.charter.amending.frames import Frame
from normwright.norms import facts_of
from normwright.norms.axioms import COMPLETIONS
from normwright.norms.profiles import Entry
from normwright.norms.specificity import linked
from normwright.records import Condition, DecisionVerdict

CELLS = 1_000_000
"""Most cells of a table; larger grids are left to the solver."""

_DIMENSIONS = 30
"""Most facts in a table: numpy has no more dimensions than 32."""

_COUNTED = 2**62
"""Breaches are counted in one number of 64 bits."""

Bits: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int8]
Pair: TypeAlias = tuple[DecisionVerdict, DecisionVerdict]

_KEPT = 256
"""Combinations of acts whose classes are kept ready."""

_MANY = 256
"""Classes of one act, beyond which those alike are merged before it goes on."""

_BROKEN, _LOOSE, _ASSUMED, _PENDING, _REFUSED = 1, 2, 4, 8, 16

_LOOKED_UP = 4_096
"""Pairs of classes up to which verdicts are worked out for all, and kept; beyond it, for those that
occur."""

IMPOSSIBLE = -1
"""Stands where no situation is, because an axiom forbids it or the place rules it out."""


class TooLarge(Exception):
    """A table would have too many cells."""


@dataclass(frozen=True, eq=False)
class Summary:
    """What of an act matters for verdicts, cell by cell or class by class."""

    clean: Bits
    """It breaks nothing."""
    pending: Bits
    refused: Bits
    firm: Bits
    """It breaks something that no unknown condition would lift."""
    unsure: Bits
    broken: Numbers
    """Its breaches, as a number that orders them by gravity; `worst` and `best` likewise."""
    worst: Numbers
    best: Numbers

    def columns(self) -> list[npt.NDArray[Any]]:
        """Return all of it, in order."""
        return [getattr(self, field.name) for field in fields(self)]

    def at(self, cells: tuple[Any, ...]) -> Summary:
        """Return what it says in some cells of a shape that it may be narrower than."""
        sizes = self.clean.shape
        places = [c if n > 1 else 0 for c, n in zip(cells, sizes, strict=True)]
        if all(n == 1 for n in sizes):
            places[0] = np.zeros(len(cells[0]), np.int64)
        return self.picked(tuple(places))

    def picked(self, places: Any) -> Summary:
        """Return what it says in some places alone."""
        return Summary(*(column[places] for column in self.columns()))


@dataclass(frozen=True, eq=False)
class Classes:
    """The different values that some summaries take together, and where each is taken."""

    labels: Numbers
    """By cell, the number of its class."""
    size: int
    sides: tuple[Side, Side]
    """Before and after."""
    settled: bool


@dataclass(frozen=True, eq=False)
class Side:
    """The classes of some acts under one charter."""

    key: Any
    labels: Numbers
    """By class of both charters together, its class under this one."""
    rows: tuple[Summary | None, ...]
    """For each act, its summary by class; None where it may not be done."""


class Grid:
    """The grid of two charters' facts.

    Args:
        facts: the variables, for the formulas' cuts.
        facets: where all conditions of both charters cut the facts.
        allowed: for an enum, the places of the values that both charters have.
        axioms: what holds in every situation.
        entries: the norms of both charters, to count breaches by.

    Raises:
        TooLarge: if there are too many facts, or an axiom needs too many cells.
    """

    def __init__(
        self,
        facts: Facts,
        facets: Facets,
        allowed: Mapping[str, Sequence[int]],
        axioms: Sequence[Condition],
        entries: Sequence[Iterable[Entry]],
    ) -> None:
        self._facts = facts
        self.facets = facets
        # One dimension that stays empty, so that there is one where no norm asks for facts.
        self.names = (*facets.names, "")
        if len(self.names) > _DIMENSIONS:
            raise TooLarge
        self.stretches = {
            name: [s for s in stretches if name not in allowed or s[0] in allowed[name]]
            for name, stretches in facets.stretches.items()
        }
        self._weights = _weights(entries)
        self._truths: dict[Condition, npt.NDArray[np.int8]] = {}
        self._settled: dict[Entry, tuple[Bits, Bits, bool]] = {}
        self._acts: dict[Any, _Act] = {}
        self._classes: dict[Any, Classes] = {}
        self._ruled: dict[Any, Codes] = {}
        self._laws = list(self._possible(axioms))

    def truth(self, condition: Condition) -> npt.NDArray[np.int8]:
        """Return 1 where a condition is true, -1 where false, 0 where unknown (strong Kleene)."""
        found = self._truths.get(condition)
        if found is None:
            found = self._truths[condition] = self._made(condition)
        return found

    def _made(self, condition: Condition) -> npt.NDArray[np.int8]:
        if condition.all is not None:
            return self._joined(np.minimum, condition.all, 1)
        if condition.any is not None:
            return self._joined(np.maximum, condition.any, -1)
        if condition.negate is not None:
            return -self.truth(condition.negate)
        if condition.fact is None:
            return np.ones((1,) * len(self.names), np.int8)
        test, name = self._facts.solver.formula(condition).test, condition.fact
        row = [1 if test({name: _inside(*s)}) else -1 for s in self.stretches[name]]
        return np.array([*row, 0], np.int8).reshape(self._along(name, len(row) + 1))

    def _joined(
        self, join: Callable[..., Any], parts: Iterable[Condition], empty: int
    ) -> npt.NDArray[np.int8]:
        found = np.full((1,) * len(self.names), empty, np.int8)
        for part in parts:
            truth = self.truth(part)
            _checked(np.broadcast_shapes(found.shape, truth.shape))
            found = join(found, truth)
        return found

    def settled(self, entry: Entry, axioms: Sequence[Condition]) -> tuple[Bits, Bits, bool]:
        """Return where a norm's condition is true, where false, and whether that is all.

        Where an axiom bears on it, these are the cells in which it comes out so however the
        unknown facts turn out. If that is more than the resolver goes through, what the axioms
        settle is left out.
        """
        if entry not in self._settled:
            self._settled[entry] = self._settling(entry, axioms)
        return self._settled[entry]

    def _settling(self, entry: Entry, axioms: Sequence[Condition]) -> tuple[Bits, Bits, bool]:
        condition = entry.norm.condition
        plain = self.truth(condition)
        if not entry.axiomatic:
            return plain == 1, plain == -1, True
        if self._facts.ways(condition, axioms) > COMPLETIONS:
            return plain == 1, plain == -1, False
        lawful = self._lawful(linked(axioms, facts_of(condition))[0])
        _checked(np.broadcast_shapes(lawful.shape, plain.shape))
        yes = self._sometimes(lawful & (plain == 1))
        no = self._sometimes(lawful & (plain == -1))
        return ~no, ~yes, True

    def _lawful(self, axioms: Sequence[Condition]) -> Bits:
        lawful: Bits = self._joined(np.minimum, axioms, 1) == 1
        return lawful

    def _sometimes(self, full: Bits) -> Bits:
        """Where something holds in a cell in which all is known, or in one that it may become."""
        found = full.copy()
        for axis, length in enumerate(found.shape):
            if length > 1:
                known = found.take(range(length - 1), axis)
                dark = known.any(axis=axis, keepdims=True)
                found = np.concatenate([known, dark], axis=axis)
        return found

    def _possible(self, axioms: Sequence[Condition]) -> Iterator[Bits]:
        left = list(axioms)
        while left:
            group, _ = linked(left, facts_of(left[0]))
            group = group or (left[0],)
            left = [axiom for axiom in left if not any(axiom is one for one in group)]
            yield self._sometimes(self._lawful(group))

    def possible(self, shape: tuple[int, ...], place: tuple[str, int] | None) -> Bits:
        """Return the cells of a shape in which some situation is, in a place that says a fact."""
        found = ~self._nowhere()
        for law in self._laws:
            apart = all(n == 1 or m == 1 for n, m in zip(law.shape, shape, strict=True))
            found = found & (law.any() if apart else law)
        whole = _checked(np.broadcast_shapes(found.shape, shape))
        if place is None or place[0] not in self.names:
            return found
        name, number = place
        row = [s[0] == number for s in self.stretches[name]]
        if not any(row):
            return self._nowhere()
        if whole[self.names.index(name)] > 1:
            found = found & np.array([*row, False]).reshape(self._along(name, len(row) + 1))
        return found

    def _nowhere(self) -> Bits:
        return np.zeros((1,) * len(self.names), bool)

    def _along(self, name: str, length: int) -> tuple[int, ...]:
        return tuple(length if other == name else 1 for other in self.names)

    # --- acts ---

    def _act(self, key: Any, frame: Frame, act: str) -> _Act:
        """What of an act matters in a frame; acts of the same key share it."""
        found = self._acts.get(key)
        if found is None:
            found = self._acts[key] = self._summed(frame, act)
        return found

    def _summed(self, frame: Frame, act: str) -> _Act:
        """Put together what each norm against an act adds, class by class."""
        labels: Numbers = np.zeros((1,) * len(self.names), np.int64)
        rows, settled = _nothing(), True
        for entry, lifting in frame.against(act):
            states, sure = self._against(entry, lifting, frame)
            settled &= sure
            weight = self._weights[entry.strength, entry.norm.severity]
            _, codes = np.unique(states, return_inverse=True)
            before = labels
            labels, size = _mixed(labels, codes.reshape(states.shape))
            where = _firsts(labels, size)
            state = np.broadcast_to(states, labels.shape)[where]
            rows = _with(rows.picked(np.broadcast_to(before, labels.shape)[where]), state, weight)
            if size > _MANY:
                labels, rows = _merged(labels, rows)
        return _Act(*_merged(labels, rows), settled)

    def _against(
        self, entry: Entry, lifting: Sequence[Entry], frame: Frame
    ) -> tuple[npt.NDArray[np.int8], bool]:
        """How a norm stands against an act in every cell, as bits, and whether that is all."""
        true, unknown, settled = self._truth(entry, frame)
        lifted = maybe = self._nowhere()
        for one in lifting:
            yes, open_, sure = self._truth(one, frame)
            _checked(np.broadcast_shapes(true.shape, lifted.shape, yes.shape))
            lifted, maybe, settled = lifted | yes, maybe | open_, settled and sure
        stands, assumed = ~lifted, self._nowhere() | frame.assumed(entry)
        if entry.norm.maintain is not None:
            goes_on = self.truth(entry.norm.maintain)
            stands, assumed = stands & (goes_on != -1), assumed | (goes_on != 1)
        told = frame.told_of_unknown(entry)
        broken, pending = true & stands, unknown & stands
        states = (_BROKEN * broken + _LOOSE * (broken & maybe) + _ASSUMED * (broken & assumed)
                  + _PENDING * (pending & (told != "allow")) + _REFUSED * (pending
                  & (told == "deny")))  # fmt: skip
        return states.astype(np.int8), settled

    def _truth(self, entry: Entry, frame: Frame) -> tuple[Bits, Bits, bool]:
        true, false, settled = self.settled(entry, frame.axioms)
        if frame.certain(entry):
            return true, ~true & ~false, settled
        return self._nowhere(), ~false, settled

    def classes(self, keys: Sequence[Any], acts: Sequence[tuple[Frame, str]]) -> Classes:
        """Return the classes of some acts taken together, each in its frame."""
        known = tuple(keys)
        found = self._classes.get(known)
        if found is None:
            if len(self._classes) >= _KEPT:
                self._classes.clear()
            found = self._classes[known] = self._together(known, acts)
        return found

    def ruled(self, first: Side, second: Side | None, *, idle: bool) -> Codes:
        """Return the verdicts of one charter by class of the request and nothing, and the other."""
        key = (first.key, None if second is None else second.key, idle)
        found = self._ruled.get(key)
        if found is None:
            if len(self._ruled) >= _KEPT * 8:
                self._ruled.clear()
            found = self._ruled[key] = _ruled(first, second, idle=idle)
        return found

    def _together(self, keys: Sequence[Any], acts: Sequence[tuple[Frame, str]]) -> Classes:
        able = [frame.may_be_done(act) for frame, act in acts]
        single = {
            key: self._act(key, frame, act)
            for key, (frame, act), can in zip(keys, acts, able, strict=True) if can
        }  # fmt: skip
        labels: Numbers = np.zeros((1,) * len(self.names), np.int64)
        size = 1
        for one in single.values():
            labels, size = _mixed(labels, one.labels)
        where = _firsts(labels, size)
        taken = {
            key: np.broadcast_to(one.labels, labels.shape)[where] for key, one in single.items()
        }

        def side(which: int) -> Side:
            own = [(k if can else None) for k, can in zip(keys, able, strict=True)][which::2]
            here, count = np.zeros(size, np.int64), 1
            for key in own:
                if key is not None:
                    here, count = _mixed(here, taken[key])
            first = _firsts(here, count)
            rows = (None if k is None else single[k].rows.picked(taken[k][first]) for k in own)
            return Side(tuple(own), here, tuple(rows))

        settled = all(one.settled for one in single.values())
        return Classes(labels, size, (side(0), side(1)), settled)


@dataclass(frozen=True, eq=False)
class _Act:
    """One act by itself: its classes, and what of it matters by class."""

    labels: Numbers
    rows: Summary
    settled: bool


def _nothing() -> Summary:
    """What matters of an act against which nothing stands: one class."""
    never, none = np.zeros(1, bool), np.zeros(1, np.int64)
    return Summary(~never, never, never, never, never, none, none, none)


def _with(rows: Summary, state: npt.NDArray[np.int8], weight: int) -> Summary:
    """What matters of an act with one more norm against it, in some state."""
    broken, loose, assumed, pending = (
        (state & bit) > 0 for bit in (_BROKEN, _LOOSE, _ASSUMED, _PENDING)
    )
    return Summary(
        clean=rows.clean & ~broken,
        pending=rows.pending | pending,
        refused=rows.refused | ((state & _REFUSED) > 0),
        firm=rows.firm | (broken & ~loose),
        unsure=rows.unsure | pending | loose | assumed,
        broken=rows.broken + weight * broken,
        worst=rows.worst + weight * (broken | pending),
        best=rows.best + weight * (broken & ~loose & ~assumed),
    )


def _merged(labels: Numbers, rows: Summary) -> tuple[Numbers, Summary]:
    """Make one class of those of which the same matters."""
    alike: Numbers = np.zeros(len(rows.clean), np.int64)
    size = 1
    for column in rows.columns():
        values, codes = np.unique(column, return_inverse=True)
        if len(values) > 1:
            alike, size = _mixed(alike, codes)
    return alike[labels], rows.picked(_firsts(alike, size))


def verdicts(
    own: Summary | None, others: Sequence[tuple[bool, Summary]], *, idle: bool
) -> npt.NDArray[np.int8]:
    """Return the verdicts on an act, as places in `VERDICTS`, following `norms.profiles`.

    Args:
        own: of the act; None if it may not be done.
        others: whether it is doing nothing, and what matters of it, for all else that can be done.
        idle: whether the act itself is doing nothing.
    """
    shape = np.broadcast_shapes(*(s.clean.shape for s in (own, *(s for _, s in others)) if s))
    found = np.full(shape, VERDICTS.index("deny"), np.int8)
    if own is None:
        return found
    way_out = np.zeros(shape, bool)
    for _, other in others:
        way_out |= other.clean
    asking = np.where(own.clean, own.pending, way_out & ~own.firm) & ~own.refused
    found[np.broadcast_to(own.clean & ~own.pending, shape)] = VERDICTS.index("allow")
    found[asking] = VERDICTS.index("ask")
    # Few acts are such that whatever is done breaks something; only these have to be compared.
    stuck = np.nonzero(~(own.clean | way_out))
    if len(stuck[0]):
        mine = own.at(stuck)
        rest = [(nothing, other.at(stuck)) for nothing, other in others]
        found[stuck] = _dilemmas(mine, rest, idle=idle)
    return found


def _dilemmas(own: Summary, others: Sequence[tuple[bool, Summary]], *, idle: bool) -> Codes:
    """The verdicts where the act and all others break something."""
    unsure, worse, alone = own.unsure, np.zeros(len(own.clean), bool), ~own.clean
    less, tied, still = worse, worse, np.full(len(own.clean), idle)
    for nothing, other in others:
        unsure = unsure | other.unsure
        alone = alone & (own.worst < other.best)
        worse = worse | (other.worst < own.best)
        less = less | (other.broken < own.broken)
        equal = other.broken == own.broken
        tied = tied | equal
        still = still | equal if nothing else still
    choices: dict[DecisionVerdict, Bits] = {
        "ask": unsure & ~alone & ~worse & ~own.refused,
        "necessity": np.where(unsure, alone, ~less & ~tied),
        "deny-dilemma": np.where(unsure, ~alone & worse, less),
        "dilemma-inaction": ~unsure & ~less & tied & still,
        "dilemma-choice": ~unsure & ~less & tied & ~still,
    }
    found = np.full(len(own.clean), VERDICTS.index("deny"), np.int8)
    for verdict, where in choices.items():
        found[where] = VERDICTS.index(verdict)
    return found


class Board:
    """The pairs of verdicts, before and after, in every cell of one hunt."""

    def __init__(self, grid: Grid, codes: Codes) -> None:
        self._grid = grid
        self._codes = codes
        """By cell: seven times the place of the verdict before, and that after."""
        self._covered: Bits = np.zeros(self.known.shape, bool)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The facts that matter."""
        sizes = zip(self._grid.names, self._codes.shape, strict=True)
        return tuple(name for name, size in sizes if size > 1)

    @cached_property
    def known(self) -> Codes:
        """The cells in which every fact that matters is known."""
        return self._codes[tuple(slice(n - 1) if n > 1 else slice(None) for n in self._codes.shape)]

    def uncovered(self) -> tuple[int, ...] | None:
        """Return the first cell of differing verdicts, all known, that no region covers yet."""
        return _first(_WANTED[self.known] & ~self._covered)

    def cover(self, cube: Cube) -> None:
        """Take the cells of a region off those not covered."""
        self._covered[self._place(cube)] = True

    def untold(self, told: set[Pair], *, known: bool) -> tuple[int, ...] | None:
        """Return the first cell of a pair of differing verdicts that was not told of."""
        cells = self.known if known else self._codes
        wanted = _WANTED.copy()
        wanted[[_code(pair) for pair in sorted(told)]] = False
        return _first(wanted[cells])

    def pair(self, cell: tuple[int, ...]) -> Pair:
        """Return the verdicts in a cell."""
        return pair_of(int(self._codes[cell]))

    def least(self, cell: tuple[int, ...]) -> Cube:
        """Return the fewest known facts of a cell that give its verdicts, the others unknown."""
        code, kept = self._codes[cell], list(cell)
        for axis, size in enumerate(self._codes.shape):
            if size > 1 and kept[axis] < size - 1:
                darker = [*kept[:axis], size - 1, *kept[axis + 1 :]]
                if self._codes[tuple(darker)] == code:
                    kept = darker
        return {
            name: (self._grid.stretches[name][place],)
            for name, place, size in zip(self._grid.names, kept, self._codes.shape, strict=True)
            if size > 1 and place < size - 1
        }

    def widened(self, cell: tuple[int, ...]) -> Cube:
        """Return the widest region around a cell, all known, in which the verdicts are the same."""
        fits = (self.known == self._codes[cell]) | (self.known == IMPOSSIBLE)
        chosen = [[place] for place in cell]
        axes = [axis for axis, size in enumerate(self._codes.shape) if size > 1]

        def everywhere(axis: int, places: list[int]) -> bool:
            tried = [*chosen[:axis], places, *chosen[axis + 1 :]]
            return bool(fits[np.ix_(*tried)].all())

        free = set()
        for axis in axes:
            whole = list(range(fits.shape[axis]))
            if everywhere(axis, whole):
                chosen[axis] = whole
                free.add(axis)
        for axis in (a for a in axes if a not in free):
            for place in range(fits.shape[axis]):
                wider = sorted({*chosen[axis], place})
                if wider != chosen[axis] and everywhere(axis, wider):
                    chosen[axis] = wider
        names = self._grid.names
        return {
            names[axis]: tuple(self._grid.stretches[names[axis]][p] for p in chosen[axis])
            for axis in axes
            if axis not in free
        }

    def _place(self, cube: Cube) -> Any:
        places = []
        for name, size in zip(self._grid.names, self.known.shape, strict=True):
            inside = cube.get(name)
            stretches = self._grid.stretches.get(name, [])
            places.append(range(size) if inside is None else [stretches.index(s) for s in inside])
        return np.ix_(*places)


def compared(
    grid: Grid,
    pairs: Sequence[tuple[Sequence[Any], str]],
    frames: tuple[Frame, Frame],
    *,
    null: str,
    told: set[Pair],
    place: tuple[str, int] | None,
) -> tuple[Board | None, bool]:
    """Return the board of an act beside doing nothing and perhaps another, and whether it is exact.

    Args:
        grid: the grid.
        pairs: for the request, doing nothing and the other: the keys before and after, and the act.
        frames: what both charters hold in the place.
        null: the act of doing nothing.
        told: pairs of verdicts that need not be found again, beside another act.
        place: the fact that the place says, if it says one.

    Returns:
        None for a board on which nothing differs that is not told already.

    Raises:
        TooLarge: if it would have too many cells.
    """
    core = pairs[:1] if pairs[0][1] == null else pairs[:2]
    first = _side(grid, core, frames)
    second = _side(grid, pairs[2:], frames) if len(pairs) > 2 else None
    settled = first.settled and (second is None or second.settled)
    wanted = _WANTED.copy()
    if second is not None:
        wanted[[_code(pair) for pair in sorted(told)]] = False
    idle = pairs[0][1] == null
    if second is not None and first.size * second.size > _LOOKED_UP:
        labels, codes = _occurring(first, second, idle=idle)
        if not wanted[codes].any():
            return None, settled
        codes = codes[labels]
    else:
        table = _table(grid, first, second, idle=idle)
        if not wanted[table].any():
            return None, settled
        codes = _found(table, first, second)
    codes = np.where(grid.possible(codes.shape, place), codes, np.int8(IMPOSSIBLE))
    return (Board(grid, codes) if wanted[codes].any() else None), settled


def _found(table: Codes, first: Classes, second: Classes | None) -> Codes:
    if second is not None:
        _checked(np.broadcast_shapes(first.labels.shape, second.labels.shape))
    found: Codes = table[first.labels, 0 if second is None else second.labels]
    return found


def _occurring(first: Classes, second: Classes, *, idle: bool) -> tuple[Numbers, Codes]:
    """The pairs of classes that occur, by cell, and the verdicts for each."""
    labels, size = _mixed(first.labels, second.labels)
    where = _firsts(labels, size)
    one, two = (np.broadcast_to(c.labels, labels.shape)[where] for c in (first, second))
    codes = []
    for side in (0, 1):
        mine, theirs = first.sides[side], second.sides[side]
        core = [row and row.picked(mine.labels[one]) for row in mine.rows]
        another = theirs.rows[0] and theirs.rows[0].picked(theirs.labels[two])
        others = [(True, core[1])] if not idle and core[1] else []
        others += [(False, another)] if another else []
        codes.append(np.broadcast_to(verdicts(core[0], others, idle=idle), (size,)))
    return labels, len(VERDICTS) * codes[0] + codes[1]


def _side(
    grid: Grid, pairs: Sequence[tuple[Sequence[Any], str]], frames: tuple[Frame, Frame]
) -> Classes:
    keys = [key for both, _ in pairs for key in both]
    return grid.classes(keys, [(frame, act) for _, act in pairs for frame in frames])


def _ruled(first: Side, second: Side | None, *, idle: bool) -> Codes:
    own = _standing(first.rows[0], 0)
    others = []
    if not idle:
        nothing = _standing(first.rows[1], 0)
        others += [] if nothing is None else [(True, nothing)]
    if second is not None:
        another = _standing(second.rows[0], 1)
        others += [] if another is None else [(False, another)]
    found = verdicts(own, others, idle=idle)
    height = int(first.labels.max()) + 1
    width = 1 if second is None else int(second.labels.max()) + 1
    return np.broadcast_to(found, (height, width))


def _table(grid: Grid, first: Classes, second: Classes | None, *, idle: bool) -> Codes:
    """The pair of verdicts by class of the request and nothing, and class of the other."""
    tables = []
    for side in (0, 1):
        other = None if second is None else second.sides[side]
        table = grid.ruled(first.sides[side], other, idle=idle)[first.sides[side].labels]
        tables.append(table if other is None else table[:, other.labels])
    return len(VERDICTS) * tables[0] + tables[1]


def _standing(summary: Summary | None, axis: int) -> Summary | None:
    if summary is None:
        return None
    return Summary(*(c[:, None] if axis == 0 else c[None, :] for c in summary.columns()))


def pair_of(code: int) -> Pair:
    """Return the verdicts before and after that a code stands for."""
    before, after = divmod(code, len(VERDICTS))
    return VERDICTS[before], VERDICTS[after]


def _code(pair: Pair) -> int:
    return len(VERDICTS) * VERDICTS.index(pair[0]) + VERDICTS.index(pair[1])


_WANTED: Bits = np.array([b != a for b in VERDICTS for a in VERDICTS] + [False])
"""Whether a code is of verdicts that differ; the last place, which -1 names, is no situation."""


def _first(cells: Bits) -> tuple[int, ...] | None:
    flat = int(cells.argmax()) if cells.size else 0
    if not cells.size or not cells.flat[flat]:
        return None
    return tuple(int(place) for place in np.unravel_index(flat, cells.shape))


def _weights(entries: Sequence[Iterable[Entry]]) -> dict[tuple[int, int], int]:
    """For every rank and severity the weight of one breach, so that sums compare by gravity.

    A breach weighs more than all less grave ones together.

    Raises:
        TooLarge: if 64 bits do not suffice.
    """
    counts: dict[tuple[int, int], int] = {}
    for side in entries:
        here: dict[tuple[int, int], int] = {}
        for entry in side:
            level = (entry.strength, entry.norm.severity)
            here[level] = here.get(level, 0) + 1
        for level, count in here.items():
            counts[level] = max(count, counts.get(level, 0))
    weight, found = 1, {}
    for level in sorted(counts, key=lambda one: (-one[0], one[1])):
        found[level] = weight
        weight *= counts[level] + 1
    if weight > _COUNTED:
        raise TooLarge
    return found


def _inside(low: int | None, high: int | None) -> int:
    return low if low is not None else 0 if high is None else high


def _checked(shape: tuple[int, ...]) -> tuple[int, ...]:
    if math.prod(shape) > CELLS:
        raise TooLarge
    return shape


def _mixed(one: Numbers, other: Numbers) -> tuple[Numbers, int]:
    """Return labels for every pair of two labels that occurs, and how many there are."""
    _checked(np.broadcast_shapes(one.shape, other.shape))
    width = int(other.max()) + 1
    pairs = one * width + other
    occurring = np.zeros((int(one.max()) + 1) * width, bool)
    occurring[pairs.ravel()] = True
    numbers = np.cumsum(occurring) - 1
    return numbers[pairs], int(numbers[-1]) + 1


def _firsts(labels: Numbers, size: int) -> tuple[Any, ...]:
    """Return where each label first occurs."""
    first = np.zeros(size, np.int64)
    first[labels.ravel()[::-1]] = np.arange(labels.size)[::-1]
    return np.unravel_index(first, labels.shape)
