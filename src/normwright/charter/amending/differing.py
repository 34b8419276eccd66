"""What a change of a charter changes: every kind of situation decided anew, or proof of none.

For each place that the two charters can tell apart and each act, one formula asks for facts, known
or not, and feasible acts under which the verdicts differ. If it cannot be satisfied, nothing
changes there, whatever is feasible. Otherwise regions are cut out: first where every fact that
matters is known and nothing can be done instead, until these are covered; then verdicts that only
show beside another feasible act; then those that only show while facts are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from normwright.charter.amending.telling import covers, told
from normwright.charter.cases import DONE_OR_NOT
from normwright.norms import NULL_ACT, Acts, Resolver, facts_of
from normwright.norms.profiles import Entry
from normwright.norms.readings import PLACE
from normwright.norms.resolver import HOLDING
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
        place, each pair of verdicts that occurs is among them; where nothing else can be done and
        all facts that matter are known, the regions cover every difference.

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
        self.open: set[str] = set()

    def regions(self) -> Iterator[_Region]:
        """Yield the regions as they are found, and note the acts that stay open."""
        if self._idle():
            return
        self._facts = Facts(self._vocabulary)
        self._solver = self._prepared()
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

    def _prepared(self) -> Term:
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
        verdicts = Verdicts(self._facts, old), Verdicts(self._facts, new)
        kinds: dict[Any, list[str]] = {}
        for act in acts:
            kinds.setdefault(_kind_of(act, (old, new)), []).append(act)
        for alike in kinds.values():
            request = alike[0]
            others = [
                act
                for members in kinds.values()
                if (act := next((a for a in members if a not in (request, NULL_ACT)), None))
            ]
            asked = _conditions(_relevant((request, NULL_ACT, *others), (old, new)))
            near = _conditions(_relevant((request, NULL_ACT), (old, new)))
            hunt = _Hunt(
                facts=self._facts,
                facets=Facets(self._facts, self._vocabulary, [*asked, *self._axioms]),
                close=_mentioned(near),
                given=self._given(old, new),
                solver=self._solver,
                before=verdicts[0].of(request, others),
                after=verdicts[1].of(request, others),
                others=tuple(others),
            )
            for region in hunt.regions():
                yield replace(region, acts=tuple(alike), places=where)
            if hunt.unsettled or self._clashing & _mentioned(asked):
                self.open.update(alike)
        if verdicts[0].unsettled or verdicts[1].unsettled:
            self.open.update(acts)

    def _given(self, old: Frame, new: Frame) -> list[Term]:
        """What a place says about facts: which one polity it lies under."""
        named = {f.polity for f in (old, new) if f.polity is not None}
        fact = self._facts.types.get(PLACE)
        if not named or fact is None:
            return []
        places = [fact.values.index(str(name)) for name in sorted(map(str, named))]
        return [self._facts.known(PLACE), *(self._facts.variable(PLACE) == p for p in places)]


def _mentioned(conditions: Iterable[Condition]) -> frozenset[str]:
    return frozenset[str]().union(*(facts_of(condition) for condition in conditions))


@dataclass(eq=False)
class _Hunt:
    """The search for regions of one act in one place."""

    facts: Facts
    facets: Facets
    close: frozenset[str]
    """Facts that bear on the request and on doing nothing."""
    given: list[Term]
    """What is so in the whole place."""
    solver: Term
    before: dict[DecisionVerdict, Term]
    after: dict[DecisionVerdict, Term]
    others: tuple[str, ...]
    unsettled: bool = False

    def regions(self) -> Iterator[_Region]:
        """Yield every region; nothing at all if it is proved that there is none."""
        same = self.facts.every(*(self.before[v] == self.after[v] for v in VERDICTS))
        differ = self.facts.no(same)
        if not self._holds(differ):
            return
        told: set[tuple[DecisionVerdict, DecisionVerdict]] = set()
        alone = [self.facts.no(self.facts.can(act)) for act in self.others]
        near = [self.facts.known(f) for f in self.facets.names if f in self.close]
        all_known = [self.facts.known(f) for f in self.facets.names]
        covered: list[Term] = []
        while self._holds(differ, *alone, *near, *covered):
            region, cube = self._region("known", [*alone, *near], self.close)
            covered.append(self.facts.no(self.facts.every(*self.facets.of(cube))))
            told.add(region.verdicts)
            yield region
        for seen, frame in (("feasible", all_known), ("unknown", [])):
            while self._holds(differ, *frame, *(self.facts.no(self._pair(p)) for p in sorted(told))):
                region, _ = self._region(seen, frame, frozenset(self.facets.names))
                told.add(region.verdicts)
                yield region

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

    def _region(self, seen: Any, frame: list[Term], wanted: frozenset[str]) -> tuple[_Region, Cube]:
        model = self.solver.model()
        verdicts = self._verdicts(model)
        pair = self._pair(verdicts)
        feasible = self._feasible(model, pair, frame)
        fixed = [
            self.facts.can(a) if a in feasible else self.facts.no(self.facts.can(a))
            for a in self.others
        ]
        # The model may have changed with the feasible acts: read the facts once these are fixed.
        self.solver.check(*self.given, pair, *frame, *fixed)
        model = self.solver.model()
        values = {f: (self.facets.read(model, f),) for f in self.facets.names if f in wanted}
        known = {f for f in values if self.facts.z3.is_true(
            model.eval(self.facts.known(f), model_completion=True))}  # fmt: skip
        asked = self._least(pair, fixed, {f: values[f] for f in sorted(known)})
        if seen == "unknown":
            cube = asked
        else:
            cube = self._widened(pair, [*frame, *fixed], values)
            # What the witness says of a fact is what the region says of it, where it says it.
        region = _Region(
            seen=seen,
            verdicts=verdicts,
            condition=self.facets.condition(cube),
            acts=(),
            places=(),
            facts=tuple((f, self.facets.value(f, s[0])) for f, s in asked.items()),
            feasible=feasible,
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

    def _feasible(self, model: Term, pair: Term, frame: list[Term]) -> tuple[str, ...]:
        """The fewest other acts that have to be feasible, by leaving out one after the other."""
        able = [a for a in self.others if self.facts.z3.is_true(
            model.eval(self.facts.can(a), model_completion=True))]  # fmt: skip
        out = [self.facts.no(self.facts.can(a)) for a in self.others if a not in able]
        for act in list(able):
            kept = [self.facts.can(a) for a in able if a != act]
            without = self.facts.no(self.facts.can(act))
            if self._holds(pair, *frame, *out, *kept, without):
                able.remove(act)
                out.append(without)
        return tuple(able)

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


def _kind_of(act: str, frames: Sequence[Frame]) -> Any:
    """What two acts must share to be decided alike everywhere in a place."""
    return (
        act == NULL_ACT,
        *(
            (
                frame.may_be_done(act),
                tuple((e.index, *(p.index for p in lifting)) for e, lifting in frame.against(act)),
            )
            for frame in frames
        ),
    )


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
        key = (one.seen, one.verdicts, one.condition, one.acts, one.feasible)
        by_act.setdefault(key, []).append(one)
    wide = [
        replace(ones[0], places=tuple(dict.fromkeys(p for one in ones for p in one.places)))
        for ones in by_act.values()
    ]
    by_place: dict[Any, list[_Region]] = {}
    for one in wide:
        by_place.setdefault((one.seen, one.verdicts, one.condition, one.places), []).append(one)
    return [
        replace(ones[0], acts=tuple(sorted({a for one in ones for a in one.acts})), places=box)
        for ones in by_place.values()
        for box in boxes(ones[0].places)
    ]


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
    return Resolver(before).decide(situation).verdict != Resolver(after).decide(situation).verdict
