"""What a change of a charter changes: every kind of situation decided anew, or proof of none.

For each place that the two charters can tell apart, each act, and each other act that can be done
besides doing nothing, or none, one formula asks for facts, known or not, under which the verdicts
differ. If it cannot be satisfied, nothing changes there. Otherwise regions are cut out: first where
every fact that matters is known and nothing can be done instead, until these are covered; then
verdicts that only show beside another feasible act; then those that only show while facts are
unknown.

One other act is enough where all facts are known. The verdict is then the gravest that any single
alternative calls for, in the order necessity, dilemma-choice, dilemma-inaction, deny-dilemma, deny
(or allow, whatever else can be done). If two charters differ with many alternatives, say the first
is the graver, then they differ with that alternative alone which makes it so: there the first is as
grave as before, and the second no graver than it was. While facts are unknown, several alternatives
at once are not looked at.

Acts that no changed norm touches are not put to the solver: the verdict on a request rests on what
can be said against it, against doing nothing and against the alternative. Where all three are the
same before and after, so is the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

from normwright.charter.amending.deciding import VERDICTS, Facts, Term, Verdicts
from normwright.charter.amending.entrenching import tier_of
from normwright.charter.amending.facets import Cube, Facets, clashing, shared
from normwright.charter.amending.frames import (
    POLITY_LIMIT,
    Frame,
    Place,
    boxes,
    grouped,
    places,
    polities,
)
from normwright.charter.amending.identity import (
    deciding,
    head_changes,
    immutability_faults,
    same_acts,
    speaking,
    vocabulary_changes,
)
from normwright.charter.amending.tables import Board, Grid, TooLarge, compared
from normwright.charter.amending.telling import covers, told
from normwright.charter.cases import DONE_OR_NOT
from normwright.norms import NULL_ACT, Acts, Resolver, facts_of
from normwright.norms.profiles import Entry
from normwright.norms.readings import PLACE
from normwright.norms.resolver import HOLDING
from normwright.norms.specificity import linked
from normwright.records import (
    ChangedRegion,
    Charter,
    CharterDiff,
    Condition,
    DecisionVerdict,
    FactValue,
    Norm,
    Situation,
)
from normwright.records.charters import Effect

Seen: TypeAlias = Literal["known", "feasible", "unknown"]

EFFORT = 20_000_000
"""Steps of reasoning (z3's `rlimit`) spent on one question before it is left open."""

OUTSIDE = "an act outside the ontology"
"""Stands for all acts that neither ontology has."""


@dataclass(frozen=True)
class _Region:
    """A region as it was found, before neighbours are put together."""

    seen: Seen
    verdicts: tuple[DecisionVerdict, DecisionVerdict]
    condition: Condition
    acts: tuple[str, ...]
    places: tuple[Place, ...]
    facts: tuple[tuple[str, FactValue], ...]
    feasible: tuple[str, ...]


def diff(before: Charter, after: Charter) -> CharterDiff:
    """Return what changes from one charter to another, situation by situation.

    Norms that do not hold (drafts, suspended and repealed norms) decide nothing and count as
    absent. Found and proved are differences over all situations without grants that both
    vocabularies can express and that the axioms of one of them allow: any actor, counterparty,
    channel, polities and time; every act; facts known or unknown; whatever else is feasible.

    Args:
        before: the earlier charter.
        after: the later one.

    Returns:
        The regions, each with a witness that both resolvers were asked about. For every act and
        place, each pair of verdicts that occurs beside at most one other feasible act is among
        them; beside several, known facts give a difference only where one alone does, and none
        that loosens more. Where nothing else can be done and all facts that matter are known, the
        regions cover every difference.

    Raises:
        InputError: if a charter's norms do not fit its vocabulary.
        MissingExtra: if z3 is not installed.
    """
    search = _Search(before, after)
    resolvers = search.resolvers
    found = list(search.regions())
    regions = tuple(_witnessed(one, resolvers, before, after) for one in _merged(found))
    return CharterDiff(
        before=before.digest,
        after=after.digest,
        **_inventory(before, after),
        changed=regions,
        proved_unchanged=not regions and not search.open,
        open=tuple(sorted(search.open)),
        faults=tuple(immutability_faults(before.norms, after.norms)),
        covers=covers(after, limited=bool(polities(before, after)[POLITY_LIMIT:])),
    )


def touched(before: Charter, after: Charter) -> frozenset[str]:
    """Return references of the norms that are only in one of the charters, or decide otherwise."""
    old, new = _holding(before), _holding(after)
    return frozenset(
        ref
        for ref in {*old, *new}
        if ref not in old or ref not in new or deciding(old[ref]) != deciding(new[ref])
    )


def _holding(charter: Charter) -> dict[str, Norm]:
    return {norm.ref: norm for norm in charter.norms if norm.status in HOLDING}


def _inventory(before: Charter, after: Charter) -> dict[str, Any]:
    old = {norm.ref: norm for norm in before.norms}
    new = {norm.ref: norm for norm in after.norms}
    both = sorted(ref for ref in old if ref in new)
    revised = [ref for ref in both if deciding(old[ref]) != deciding(new[ref])]
    head = head_changes(before, after)
    return {
        "tier": tier_of(before, after, head),
        "added": tuple(sorted(ref for ref in new if ref not in old)),
        "removed": tuple(sorted(ref for ref in old if ref not in new)),
        "revised": tuple(revised),
        "texts": tuple(
            ref for ref in both
            if ref not in revised and speaking(old[ref]) != speaking(new[ref])
        ),
        "vocabulary": vocabulary_changes(before, after),
        "head": head,
    }  # fmt: skip


class _Search:
    """The search for regions over two charters."""

    def __init__(self, before: Charter, after: Charter) -> None:
        self._charters = before, after
        self.resolvers = Resolver(before), Resolver(after)
        self._clashing = clashing(before.vocabulary, after.vocabulary)
        self._vocabulary, self._places = shared(before.vocabulary, after.vocabulary)
        self._axioms = tuple(dict.fromkeys((*before.vocabulary.axioms, *after.vocabulary.axioms)))
        self._ready: dict[Frame, Verdicts] = {}
        self._found: dict[Any, tuple[list[_Region], bool]] = {}
        self._numbers: dict[tuple[Frame, str], int] = {}
        self._numbered: dict[Any, int] = {}
        self.open: set[str] = set()

    def regions(self) -> Iterator[_Region]:
        """Yield the regions as they are found, and note the acts that stay open."""
        if self._idle():
            return
        acts = sorted({a for c in self._charters for a in Acts(c.vocabulary).names})
        if any(charter.open_world for charter in self._charters):
            acts.append(OUTSIDE)
        limited = bool(polities(*self._charters)[POLITY_LIMIT:])
        for old, new, where in grouped(*self.resolvers, places(*self._charters)):
            if not self._same(old, new):
                yield from self._in_place(old, new, tuple(where), acts)
                self.open.update(acts if limited else ())

    def _idle(self) -> bool:
        """Whether nothing that a verdict can rest on changed, so that there is nothing to prove."""
        before, after = self._charters
        return (
            not touched(before, after)
            and before.vocabulary.axioms == after.vocabulary.axioms
            and not self._words_changed()
            and before.open_world == after.open_world
            and before.zones == after.zones
        )

    def _words_changed(self) -> bool:
        before, after = self._charters
        return bool(self._clashing) or not same_acts(before, after)

    def _same(self, old: Frame, new: Frame) -> bool:
        """Whether the same norms hold in a place, so that every verdict is the same there."""
        before, after = self._charters
        if self._words_changed() or before.open_world != after.open_world:
            return False
        return bool(old.content == new.content)

    @cached_property
    def _facts(self) -> Facts:
        return Facts(self._vocabulary)

    @cached_property
    def _grid(self) -> Grid | None:
        """The grid of all facts; None if it is too large."""
        entries = [resolver.entries for resolver in self.resolvers]
        asked = [*_conditions(e for side in entries for e in side), *self._axioms]
        facets = Facets(self._facts, self._vocabulary, asked)
        try:
            return Grid(self._facts, facets, self._places, self._axioms, entries)
        except TooLarge:
            return None

    @cached_property
    def _solver(self) -> Term:
        solver = self._facts.z3.SimpleSolver()
        solver.set("random_seed", 0)
        solver.set("rlimit", EFFORT)
        solver.add(*self._facts.laws())
        for name, allowed in self._places.items():
            variable = self._facts.variable(name)
            solver.add(self._facts.some(*(variable == place for place in allowed)))
        solver.add(*(self._facts.actual(axiom) for axiom in self._axioms))
        return solver

    def _in_place(
        self, old: Frame, new: Frame, where: tuple[Place, ...], acts: Sequence[str]
    ) -> Iterator[_Region]:
        frames = old, new
        kinds: dict[Any, list[str]] = {}
        for act in acts:
            key = (act == NULL_ACT, *(self._key(frame, act) for frame in frames))
            kinds.setdefault(key, []).append(act)
        for alike in kinds.values():
            request = alike[0]
            found: list[_Region] = []
            for other in (None, *_others(request, kinds.values())):
                involved = [request, NULL_ACT, *([] if other is None else [other])]
                if not self._untouched(frames, involved):
                    told = {one.verdicts for one in found}
                    found += self._hunted(frames, involved, told, alike)
            yield from (replace(one, acts=tuple(alike), places=where) for one in found)

    def _untouched(self, frames: tuple[Frame, Frame], acts: Sequence[str]) -> bool:
        """Whether the same can be said against some acts before and after.

        The verdict on the first, with the others feasible, rests on nothing else.
        """
        old, new = frames
        # A fact whose domain changed can be read otherwise by the same norm.
        return not self._clashing and all(
            self._key(old, act) == self._key(new, act) for act in acts
        )

    def _hunted(
        self,
        frames: tuple[Frame, Frame],
        involved: Sequence[str],
        told: set[tuple[DecisionVerdict, DecisionVerdict]],
        alike: Sequence[str],
    ) -> list[_Region]:
        """Return the regions of an act beside the null act and perhaps one other.

        Each is looked for once: places that differ in norms that say nothing about these acts have
        the same regions.
        """
        request, _, *other = involved
        keys = tuple(self._key(frame, act) for frame in frames for act in involved)
        key = (keys, request == NULL_ACT, tuple(other), frames[0].polity, frames[1].polity,
               tuple(sorted(told)))  # fmt: skip
        if key not in self._found:
            self._found[key] = self._hunt(frames, request, other, told)
        regions, settled = self._found[key]
        if not settled:
            self.open.update(alike)
        return regions

    def _hunt(
        self,
        frames: tuple[Frame, Frame],
        request: str,
        other: Sequence[str],
        told: set[tuple[DecisionVerdict, DecisionVerdict]],
    ) -> tuple[list[_Region], bool]:
        """Return the regions by going through the grid, or where that is too large, by proof."""
        if self._grid is None:
            return self._reasoned(frames, request, other, told)
        try:
            return self._tabled(self._grid, frames, request, other, told)
        except TooLarge:
            return self._reasoned(frames, request, other, told)

    def _tabled(
        self,
        grid: Grid,
        frames: tuple[Frame, Frame],
        request: str,
        other: Sequence[str],
        told: set[tuple[DecisionVerdict, DecisionVerdict]],
    ) -> tuple[list[_Region], bool]:
        said = self._said(*frames)
        settled = not self._clashing or not self._clashing & _mentioned(
            self._asked((request, NULL_ACT, *other), frames))  # fmt: skip
        if len(said) > 1:
            return [], settled
        pairs = [(tuple(self._key(f, act) for f in frames), act)
                 for act in (request, NULL_ACT, *other)]  # fmt: skip
        board, exact = compared(grid, pairs, frames, null=NULL_ACT, told=told,
                                place=(PLACE, said[0]) if said else None)  # fmt: skip
        regions = [] if board is None else list(_read(board, grid.facets, tuple(other), set(told)))
        return regions, settled and exact

    def _asked(self, acts: Sequence[str], frames: tuple[Frame, Frame]) -> list[Condition]:
        asked = _conditions(_relevant(acts, frames))
        # A fact that only an axiom names can settle another one.
        return [*asked, *self._bearing(asked)]

    def _key(self, frame: Frame, act: str) -> int:
        """A number that acts share if the same can be said against them."""
        found = self._numbers.get((frame, act))
        if found is None:
            known = self._numbered.setdefault(frame.against_key(act), len(self._numbered))
            found = self._numbers[frame, act] = known
        return found

    def _reasoned(
        self,
        frames: tuple[Frame, Frame],
        request: str,
        other: Sequence[str],
        told: set[tuple[DecisionVerdict, DecisionVerdict]],
    ) -> tuple[list[_Region], bool]:
        before, after = (self._verdicts(frame) for frame in frames)
        asked = self._asked((request, NULL_ACT, *other), frames)
        hunt = _Hunt(
            facts=self._facts,
            facets=Facets(self._facts, self._vocabulary, asked),
            close=_mentioned(asked),
            given=self._given(*frames),
            solver=self._solver,
            before=before.of(request, other),
            after=after.of(request, other),
            others=tuple(other),
            told=set(told),
        )
        regions = list(hunt.regions())
        doubtful = hunt.unsettled or before.unsettled or after.unsettled
        return regions, not doubtful and not self._clashing & _mentioned(asked)

    def _verdicts(self, frame: Frame) -> Verdicts:
        """The formulas of a frame, made once for all acts of the place at hand."""
        if frame not in self._ready:
            if len(self._ready) > 1:
                self._ready.clear()
            self._ready[frame] = Verdicts(self._facts, frame)
        return self._ready[frame]

    def _bearing(self, asked: Sequence[Condition]) -> tuple[Condition, ...]:
        return linked(self._axioms, _mentioned(asked))[0]

    def _given(self, old: Frame, new: Frame) -> list[Term]:
        """What a place says about facts: which one polity it lies under."""
        said = self._said(old, new)
        known = [self._facts.known(PLACE)] if said else []
        return [*known, *(self._facts.variable(PLACE) == place for place in said)]

    def _said(self, old: Frame, new: Frame) -> list[int]:
        """The values, by their places, that a place says the fact of the polity to have."""
        named = {f.polity for f in (old, new) if f.polity is not None}
        fact = self._facts.types.get(PLACE)
        if fact is None:
            return []
        return [fact.values.index(str(name)) for name in sorted(map(str, named))]


def _mentioned(conditions: Iterable[Condition]) -> frozenset[str]:
    return frozenset[str]().union(*(facts_of(condition) for condition in conditions))


def _read(
    board: Board,
    facets: Facets,
    others: tuple[str, ...],
    told: set[tuple[DecisionVerdict, DecisionVerdict]],
) -> Iterator[_Region]:
    """Yield the regions of a board: first all that is known, then what only else shows."""
    while not others and (cell := board.uncovered()) is not None:
        cube = board.widened(cell)
        board.cover(cube)
        told.add(board.pair(cell))
        yield _region(board, facets, "known", cell, cube, others)
    for known in (True, False):
        while (cell := board.untold(told, known=known)) is not None:
            told.add(board.pair(cell))
            cube = board.widened(cell) if known else board.least(cell)
            yield _region(board, facets, "feasible" if known else "unknown", cell, cube, others)


def _region(
    board: Board, facets: Facets, seen: Seen, cell: tuple[int, ...], cube: Cube,
    others: tuple[str, ...],
) -> _Region:  # fmt: skip
    return _Region(
        seen=seen,
        verdicts=board.pair(cell),
        condition=facets.condition(cube),
        acts=(),
        places=(),
        facts=tuple((f, facets.value(f, s[0])) for f, s in board.least(cell).items()),
        feasible=others,
    )


def _others(request: str, kinds: Iterable[Sequence[str]]) -> Iterator[str]:
    """One act of every kind, to stand for all of its kind among what else can be done."""
    for members in kinds:
        found = next((act for act in members if act not in (request, NULL_ACT)), None)
        if found is not None:
            yield found


@dataclass(eq=False)
class _Hunt:
    """The search for regions of one act in one place."""

    facts: Facts
    facets: Facets
    close: frozenset[str]
    """Facts that bear on the acts involved."""
    given: list[Term]
    """What is so in the whole place."""
    solver: Term
    before: dict[DecisionVerdict, Term]
    after: dict[DecisionVerdict, Term]
    others: tuple[str, ...]
    """What can be done besides the request and nothing: one act, or none."""
    told: set[tuple[DecisionVerdict, DecisionVerdict]]
    """Verdicts that were found for the act already."""
    unsettled: bool = False

    def regions(self) -> Iterator[_Region]:
        """Yield every region; nothing at all if it is proved that there is none."""
        pairs = [(self.before[v], self.after[v]) for v in VERDICTS]
        differ = self.facts.no(self.facts.every(*(b == a for b, a in pairs if not b.eq(a))))
        able = [self.facts.can(act) for act in self.others]
        if not self._holds(differ, *able):
            return
        known = [self.facts.known(f) for f in self.facets.names if f in self.close]
        covered: list[Term] = []
        while not self.others and self._holds(differ, *known, *covered):
            region, cube = self._region("known", known)
            covered.append(self.facts.no(self.facts.every(*self.facets.of(cube))))
            self.told.add(region.verdicts)
            yield region
        for seen, frame in (("feasible", [*able, *known]), ("unknown", able)):
            while self._holds(differ, *frame, *self._untold()):
                region, _ = self._region(seen, frame)
                self.told.add(region.verdicts)
                yield region

    def _untold(self) -> list[Term]:
        return [self.facts.no(self._pair(pair)) for pair in sorted(self.told)]

    def _holds(self, *terms: Term) -> bool:
        """Whether some assignment makes all terms true; what is not settled is noted."""
        answer = self.solver.check(*self.given, *terms)
        if answer == self.facts.z3.unknown:
            self.unsettled = True
        return bool(answer == self.facts.z3.sat)

    def _never(self, *terms: Term) -> bool:
        return bool(self.solver.check(*self.given, *terms) == self.facts.z3.unsat)

    def _pair(self, verdicts: tuple[DecisionVerdict, DecisionVerdict]) -> Term:
        return self.facts.every(self.before[verdicts[0]], self.after[verdicts[1]])

    def _region(self, seen: Any, frame: list[Term]) -> tuple[_Region, Cube]:
        """Read a region off the solver's model: the least that is known, the most it covers."""
        model = self.solver.model()
        verdicts = self._verdicts(model)
        pair = self._pair(verdicts)
        able = [self.facts.can(act) for act in self.others]
        values: Cube = {f: (self.facets.read(model, f),) for f in self.facets.names
                        if f in self.close}  # fmt: skip
        known = [f for f in values if self.facts.z3.is_true(
            model.eval(self.facts.known(f), model_completion=True))]  # fmt: skip
        asked = self._least(pair, able, {f: values[f] for f in known})
        cube = asked if seen == "unknown" else self._widened(pair, frame, values)
        region = _Region(
            seen=seen,
            verdicts=verdicts,
            condition=self.facets.condition(cube),
            acts=(),
            places=(),
            facts=tuple((f, self.facets.value(f, s[0])) for f, s in asked.items()),
            feasible=self.others,
        )
        return region, cube

    def _verdicts(self, model: Term) -> tuple[DecisionVerdict, DecisionVerdict]:
        found = []
        for terms in (self.before, self.after):
            found += [
                v for v in VERDICTS
                if self.facts.z3.is_true(model.eval(terms[v], model_completion=True))
            ]  # fmt: skip
        before, after = found
        return before, after

    def _least(self, pair: Term, fixed: list[Term], values: Cube) -> Cube:
        """The fewest known facts with which the verdicts are the same, the others unknown."""
        kept = dict(values)
        unknown = [self.facts.no(self.facts.known(f)) for f in self.facets.names
                   if f not in values]  # fmt: skip

        def holds(chosen: Cube, dark: list[Term]) -> bool:
            light = [self.facts.known(f) for f in chosen]
            return self._holds(pair, *fixed, *dark, *light, *self.facets.of(chosen))

        if not holds(kept, unknown):
            return kept
        for name in list(values):
            fewer = {f: s for f, s in kept.items() if f != name}
            darker = [*unknown, self.facts.no(self.facts.known(name))]
            if holds(fewer, darker):
                kept, unknown = fewer, darker
        return kept

    def _widened(self, pair: Term, fixed: list[Term], values: Cube) -> Cube:
        """The widest region around some facts, all known, in which the verdicts are the same."""
        other = self.facts.no(pair)

        def everywhere(cube: Cube) -> bool:
            return self._never(other, *fixed, *self.facets.of(cube))

        cube = dict(values)
        for name in list(values):
            fewer = {f: s for f, s in cube.items() if f != name}
            if everywhere(fewer):
                cube = fewer
        for name in list(cube):
            for stretch in self.facets.stretches[name]:
                wider = tuple(sorted({*cube[name], stretch}, key=_order))
                if wider != cube[name] and everywhere({**cube, name: wider}):
                    cube[name] = wider
        return cube


def _order(stretch: tuple[int | None, int | None]) -> tuple[bool, int]:
    return (stretch[0] is not None, stretch[0] or 0)


def _relevant(acts: Iterable[str], frames: Sequence[Frame]) -> list[Entry]:
    """The norms that bear on some acts."""
    return [
        one
        for frame in frames
        for act in acts
        for entry, lifting in frame.against(act)
        for one in (entry, *lifting)
    ]


def _conditions(entries: Iterable[Entry]) -> list[Condition]:
    """What norms say about facts."""
    found = [e.norm.condition for e in entries]
    return [*found, *(e.norm.maintain for e in entries if e.norm.maintain is not None)]


def _merged(found: Sequence[_Region]) -> list[_Region]:
    """Put together regions that differ in their acts or their places alone."""
    by_act: dict[Any, list[_Region]] = {}
    for one in found:
        key = (one.seen, one.verdicts, one.condition, one.acts, one.feasible, one.facts)
        by_act.setdefault(key, []).append(one)
    wide = [
        replace(ones[0], places=tuple(dict.fromkeys(p for one in ones for p in one.places)))
        for ones in by_act.values()
    ]
    by_place: dict[Any, list[_Region]] = {}
    for one in wide:
        by_place.setdefault(_alike(one), []).append(one)
    return [
        replace(ones[0], acts=tuple(sorted({a for one in ones for a in one.acts})), places=box)
        for ones in by_place.values()
        for box in boxes(ones[0].places)
    ]


def _alike(one: _Region) -> Any:
    """What regions of different acts share if they can be told, and shown, as one.

    Their witness counts: what suffices to know for one act may not for another.
    """
    return one.seen, one.verdicts, one.condition, one.feasible, one.facts, one.places


def _witnessed(
    one: _Region, resolvers: tuple[Resolver, Resolver], before: Charter, after: Charter
) -> ChangedRegion:
    place = one.places[0]
    situation = place.asked(one.acts[0], facts=dict(one.facts), feasible=(*one.feasible, NULL_ACT))
    was, now = (resolver.decide(situation) for resolver in resolvers)
    if (was.verdict, now.verdict) != one.verdicts:
        raise RuntimeError(
            f"proof and resolver disagree: {one.verdicts} against "
            f"{(was.verdict, now.verdict)} in {situation!r}"
        )
    region = ChangedRegion(
        situation=situation,
        before=was,
        after=now,
        effect=effect_of(*one.verdicts),
        seen=one.seen,
        acts=one.acts,
        condition=one.condition,
        bearers=tuple(dict.fromkeys(p.bearer for p in one.places)),
        counterparties=tuple(dict.fromkeys(p.counterparty for p in one.places)),
        channels=tuple(dict.fromkeys(p.channel for p in one.places)),
        jurisdictions=tuple(dict.fromkeys(p.jurisdiction for p in one.places)),
        times=tuple(dict.fromkeys(p.time for p in one.places)),
    )
    return region.model_copy(update={"told": told(region, before, after)})


def effect_of(before: DecisionVerdict, after: DecisionVerdict) -> Effect:
    """Return what a change of verdict does to the act that was requested."""
    was, now = DONE_OR_NOT[before], DONE_OR_NOT[after]
    if was == now:
        return "other"
    effects: dict[str, Effect] = {
        "allow": "newly_allowed", "deny": "newly_denied", "ask": "now_asked"
    }  # fmt: skip
    return effects[now]


def differs(before: Charter, after: Charter, situation: Situation) -> bool:
    """Whether two charters give different verdicts on one situation."""
    return Resolver(before).verdict(situation) != Resolver(after).verdict(situation)
