"""The resolver: one situation in, one decision out, with every norm it rests on.

A norm is a condition and a modality over an act. The resolver finds the norms that hold in a
situation, lets permissive norms beat restrictive ones by `contest`, and compares what is left of
each feasible act. If every act breaks a norm that stands, the least grave profile is chosen, rank
before severity and never by adding up: many trifles do not outweigh one grave breach.

A decision on partial facts is sound: an allow stays an allow however the unknown facts turn out,
whoever the counterparty and whatever the polity, save where a norm itself says
`on_unknown: allow`, and then the facts it waives are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from normwright.norms.acts import NULL_ACT, Acts
from normwright.norms.axioms import Axioms
from normwright.norms.conditions import Truth, compiled, facts_of
from normwright.norms.contexts import (
    HOLDING,
    Context,
    Frame,
    applies,
    days_in,
    names_some,
    valid_on,
)
from normwright.norms.durations import due_after, leaves_time
from normwright.norms.grants import COVERS, covers
from normwright.norms.profiles import Entry, Profile, least_grave, settled, verdict_of
from normwright.norms.ranking import Contest, contest, names, rank
from normwright.norms.readings import PLACE, Polities, known_facts, polities, single_polity
from normwright.norms.sensitivity import SENSITIVITY_LIMIT, State, dimensions, mattering
from normwright.norms.specificity import satisfiable
from normwright.norms.truths import Truths, View
from normwright.norms.vocabulary import norm_faults, situation_faults, vocabulary_faults
from normwright.records import (
    Charter,
    Decision,
    DecisionVerdict,
    Defeat,
    Digest,
    Duty,
    FactValue,
    Fault,
    InputError,
    Norm,
    Situation,
)

__all__ = ["HOLDING", "SENSITIVITY_LIMIT", "Resolver", "applies", "decide"]

_CONTEXTS = 256
"""Frames (who acts towards whom, where and when) whose index is kept ready."""

_POSSIBLE = 4_096
"""Sets of facts of which it is remembered that they break no axiom."""


class Resolver:
    """A charter made ready to decide thousands of situations a second.

    Args:
        charter: the norms; only those in force or in demonstration count.
        open_world: what an act outside the ontology means; None: as the charter says. False: it
            is denied, because nobody can have permitted it. True: no norm speaks about it.

    Raises:
        InputError: if the vocabulary is not sound, a norm does not fit it, or a time zone does not
            exist, with all faults.
    """

    def __init__(self, charter: Charter, *, open_world: bool | None = None) -> None:
        vocabulary = charter.vocabulary
        faults = [*vocabulary_faults(vocabulary), *_zone_faults(charter)]
        for norm in charter.norms:
            faults += norm_faults(norm.model_copy(update={"cases": ()}), vocabulary)
        if faults:
            raise InputError(faults)
        self.vocabulary = vocabulary
        """The facts, acts and axioms that the norms speak of."""
        self._open_world = charter.open_world if open_world is None else open_world
        self._charter = charter
        self.basis = charter.jurisdiction_basis
        """Whose place counts where a situation names several."""
        self.acts = Acts(vocabulary)
        """Which act is a kind of which."""
        self._facts = {fact.name: fact for fact in vocabulary.facts}
        self._axioms = Axioms(vocabulary.axioms, vocabulary.facts)
        held = sorted((n for n in charter.norms if n.status in HOLDING),
                      key=lambda n: (rank(n), n.id, n.version))  # fmt: skip
        self.entries = tuple(_entry(i, norm, self._axioms) for i, norm in enumerate(held))
        """The norms that hold, strongest first."""
        # A contradictory condition never comes true, but fact by fact it would read as unknown.
        self._dead = {
            e.index for e in self.entries
            if satisfiable(e.norm.condition, vocabulary.facts, vocabulary.axioms) is False
        }  # fmt: skip
        names_of = sorted({"UTC", *charter.zones.values()})
        self._zones = tuple(ZoneInfo(name) for name in names_of)
        self._zone_of = {who: names_of.index(name) for who, name in charter.zones.items()}
        self._utc = names_of.index("UTC")
        self._polities = {n.authority for n in held if n.layer == "polity"}
        self._naming = any(names_some(n) for n in held)
        self._contexts: dict[Frame, Context] = {}
        self._contests: dict[tuple[int, int], Contest] = {}
        self._possible: set[tuple[FactValue, ...]] = set()

    def decide(self, situation: Situation) -> Decision:
        """Return what the charter says about a situation.

        Args:
            situation: the act requested, the facts known, what could be done instead. The null
                act `decline` is always feasible. Facts absent or None are unknown; facts outside
                the vocabulary are ignored.

        Returns:
            The decision. `unknown` lists the facts that, once known, can change the verdict, and
            `counterparty` or `jurisdiction` where who or where it is would: found by trying partial
            assignments, or, beyond 1,024 of them, everything that bears on the undetermined norms.
            `least_bad` counts a norm of unknown condition as broken. `reparations` are owed
            whichever of the least bad acts is done.

        Raises:
            InputError: if a known fact has a value outside its domain, the facts break an axiom, or
                a polity is misspelt.
        """
        found = self._weighed(situation)
        return self._decision(found, situation)

    @cached_property
    def _digest(self) -> Digest:
        return self._charter.digest

    def verdict(self, situation: Situation) -> DecisionVerdict:
        """Return the verdict of `decide` alone, without working out what it rests on.

        Raises:
            InputError: as `decide`.
        """
        return self._weighed(situation).verdict

    def _weighed(self, situation: Situation) -> _Weighed:
        state = self._state(situation)
        view = View(self._context(state.frame), Truths(state.facts, self._covering(situation)))
        request = situation.act
        alternatives = dict.fromkeys((*situation.feasible, NULL_ACT))
        acts = [a for a in alternatives if a != request and self.may_be_done(a)]
        if not self.may_be_done(request):
            profiles = {a: self._profile(a, view) for a in acts}
            return _Weighed("deny", profiles, view, state)
        profiles = {a: self._profile(a, view) for a in (request, *acts)}
        return _Weighed(verdict_of(request, profiles), profiles, view, state)

    def _state(self, situation: Situation) -> State:
        """What is known, once it is sound."""
        facts, faults = known_facts(situation, self._facts, self.acts)
        under = polities(situation, self.basis)
        place = single_polity(under, self._facts.get(PLACE))
        if place is not None and PLACE not in situation.facts:
            facts[PLACE] = place
        faults += [*situation_faults(facts, self.vocabulary), *self._misspelt(under)]
        if not faults and self._axioms:
            faults = self._impossible(facts)
        if faults:
            raise InputError(faults)
        grantors = {grant.grantor_is for grant in situation.grants}
        frame = Frame(
            bearer=situation.bearer,
            channel=situation.channel,
            days=days_in(situation.time, self._zones),
            counterparty=situation.counterparty,
            polities=under,
            principals=frozenset(grantors - {"human", situation.bearer}),
        )
        return State(facts, frame)

    def _misspelt(self, under: Polities) -> list[Fault]:
        """Polities that differ from one of the charter's in capitals only.

        One that is spelt otherwise would silently put none of its norms in force.
        """
        known = {name.casefold(): name for name in self._polities}
        return [
            Fault(where="jurisdiction", expected=known[name.casefold()], seen=name)
            for name in sorted(under.sure or ())
            if name not in self._polities and name.casefold() in known
        ]

    def _impossible(self, facts: Mapping[str, FactValue]) -> list[Fault]:
        key = tuple(facts.get(name) for name in self._axioms.mentioned)
        if key in self._possible:
            return []
        faults = self._axioms.faults(facts)
        if not faults:
            if len(self._possible) >= _POSSIBLE:
                self._possible.clear()
            self._possible.add(key)
        return faults

    def _covering(self, situation: Situation) -> Callable[[str], bool] | None:
        """Whether the chain of grants covers an act, where conditions can ask that."""
        if not situation.grants or COVERS not in self._facts or COVERS in situation.facts:
            return None
        return lambda act: covers(situation.grants, act, self.acts)

    def placed(self, situation: Situation) -> Placed:
        """Return which norms hold where a situation is, before what they ask of facts is looked at.

        Raises:
            InputError: as `decide`.
        """
        state = self._state(situation)
        return Placed(self._context(state.frame), state.facts)

    def valid_at(self, time: date | None) -> frozenset[int]:
        """Return the norms valid on a day or at an instant, by their place in `entries`."""
        days = days_in(time, self._zones)
        return frozenset(e.index for e in self.entries if valid_on(e.norm, self._day(e.norm, days)))

    def may_be_done(self, act: str) -> bool:
        """Whether an act counts at all: outside the ontology only where the charter says so."""
        return self._open_world or act in self.acts

    def _context(self, frame: Frame) -> Context:
        found = self._contexts.get(frame)
        if found is None:
            valid = [e for e in self.entries if valid_on(e.norm, self._day(e.norm, frame.days))]
            if len(self._contexts) >= _CONTEXTS:
                self._contexts.clear()
            found = self._contexts[frame] = Context(frame, valid, self.acts, self._dead)
        return found

    def _day(self, norm: Norm, days: tuple[date, ...] | None) -> date | None:
        zone = self._zone_of.get(norm.authority, self._utc)
        return None if days is None else days[zone]

    def _contest(self, p: Entry, f: Entry) -> Contest:
        key = (p.index, f.index)
        found = self._contests.get(key)
        if found is None:
            words = self.vocabulary
            found = contest(p.norm, f.norm, self.acts, words.facts, words.axioms)
            self._contests[key] = found
        return found

    def permits(self, p: Entry, f: Entry) -> bool:
        """Whether a permission, guarantee or exemption beats a restrictive norm."""
        if f.norm.kind == "obligation" and p.norm.kind != "exemption":
            return _shields(p, f)
        return self._contest(p, f).permitted

    def _beaten(self, f: Entry, pool: Sequence[Entry], context: Context) -> bool:
        """Whether, for each of those it binds, a norm of the pool that binds them too beats it."""
        if context.alone:
            return bool(pool) and any(self.permits(p, f) for p in pool)
        holders = context.holders
        return all(
            any(holder in holders[p.index] and self.permits(p, f) for p in pool)
            for holder in holders[f.index]
        )

    def _profile(self, act: str, view: View) -> Profile:
        context = view.context
        forbidding, permitting = context.covering(act)
        allowing = [p for p in permitting if view.truth(p, act) is True]
        maybe = [p for p in permitting if view.truth(p, act) is None]
        draft = _Draft()
        for f in forbidding:
            truth = view.truth(f, act)
            if truth is not False and not self._beaten(f, allowing, context):
                loose = truth is True and self._beaten(f, [*allowing, *maybe], context)
                draft.add(f, truth, view, loose=loose)
        above = self.acts.above(act)
        for owed in view.obliging:
            o, truth = owed.duty, owed.truth
            if o.norm.act in above:
                continue
            # To be obliged to do one thing is to be forbidden every other. A guarantee of a higher
            # rank would shield nothing if a lower layer could forbid its act by obliging to one.
            if not self._beaten(o, (*allowing, *owed.lifting), context):
                pool = (*allowing, *maybe, *owed.perhaps)
                draft.add(o, truth, view, loose=truth is True and self._beaten(o, pool, context))
        return draft.profile()

    def _decision(self, found: _Weighed, situation: Situation) -> Decision:
        verdict, profiles, view, state = found
        request = situation.act
        least = least_grave(profiles)
        return Decision(
            verdict=verdict,
            governing=self._governing(verdict, request, profiles, view),
            defeated=self._defeated(verdict, request, profiles, view),
            unknown=self._sensitive(verdict, request, profiles, view, state),
            least_bad=least,
            duties=self._duties(situation, view),
            reparations=self._reparations(verdict, request, least, profiles, view),
            charter=self._digest,
        )

    def _duties(self, situation: Situation, view: View) -> tuple[Duty, ...]:
        found = []
        for owed in view.duties:
            o = owed.duty
            if owed.truth is not True or self._beaten(o, owed.lifting, view.context):
                continue
            deadline, due = o.norm.deadline, None
            if deadline is not None and situation.time is not None:
                zone = self._zones[self._zone_of.get(o.norm.authority, self._utc)]
                due = due_after(situation.time, deadline, zone)
            found.append(Duty(id=o.ref, act=o.norm.act, deadline=deadline, due=due))
        return tuple(found)

    def _governing(
        self, verdict: DecisionVerdict, request: str, profiles: Mapping[str, Profile], view: View
    ) -> tuple[str, ...]:
        own = profiles.get(request)
        if own is None:
            return ()
        permitting = view.context.covering(request)[1]
        match verdict:
            case "allow":
                return _refs(p for p in permitting if view.truth(p, request) is True)
            case "ask":
                undecided = [p for p in permitting if view.truth(p, request) is None and own.loose]
                return _refs((*own.broken, *own.pending, *undecided))
            case "deny" if not own.broken:
                told = view.context.on_unknown
                return _refs(e for e in own.pending if told(e.norm) == "deny")
            case "necessity":
                others = (p for act, p in profiles.items() if act != request)
                return _refs(e for p in others for e in p.broken if e not in own.broken)
            case _:
                return _refs(own.broken)

    def _defeated(
        self, verdict: DecisionVerdict, request: str, profiles: Mapping[str, Profile], view: View
    ) -> tuple[Defeat, ...]:
        if request not in profiles:
            return ()
        own = profiles[request]
        forbidding, permitting = view.context.covering(request)
        allowing = [p for p in permitting if view.truth(p, request) is True]
        found: list[Defeat] = []
        for f in forbidding:
            if view.truth(f, request) is True:
                found += self._outcomes(f, allowing, view.context)
        above = self.acts.above(request)
        for owed in view.obliging:
            o = owed.duty
            if o.norm.act in above or owed.truth is not True:
                continue
            found += self._outcomes(o, owed.lifting, view.context)
            shields = [g for g in allowing if _shields(g, o)]
            if shields and self._beaten(o, shields, view.context):
                found.append(Defeat(id=o.ref, by=shields[0].ref, rule="guarantee"))
        if verdict == "necessity":
            by = self._governing(verdict, request, profiles, view)[:1]
            found += [Defeat(id=e.ref, by=ref, rule="necessity") for e in own.broken for ref in by]
        return tuple(found)

    def _outcomes(self, f: Entry, permissive: Sequence[Entry], context: Context) -> list[Defeat]:
        """How a restrictive norm that holds comes out against the permissive ones that hold."""
        contests = [(p, self._contest(p, f)) for p in permissive]
        if self._beaten(f, permissive, context):
            p, won = next((p, c) for p, c in contests if c.permitted)
            return [Defeat(id=f.ref, by=p.ref, rule=won.rule)]
        # One that beats it for some of those it binds, and not for all, is beaten by it as a floor.
        return [
            Defeat(id=p.ref, by=f.ref, rule="floor" if c.permitted else c.rule) for p, c in contests
        ]

    def _reparations(
        self,
        verdict: DecisionVerdict,
        request: str,
        least: tuple[str, ...],
        profiles: Mapping[str, Profile],
        view: View,
    ) -> tuple[str, ...]:
        match verdict:
            case "necessity" | "dilemma-choice":
                done = [request]
            case "dilemma-inaction":
                done = [NULL_ACT]
            case "deny-dilemma":
                done = list(least)
            case _:
                return ()
        owed = [{r for e in profiles[act].broken for r in e.norm.reparation} for act in done]
        found: list[str] = []
        for name in sorted(set.intersection(*owed)):
            norms = [e for e in self.entries if names((name,), e.norm)]
            here = [e for e in norms if e.index in view.context.placed]
            owing = [e.ref for e in here if view.truths.of(e) is not False]
            found += owing if norms else [name]
        return tuple(found)

    def _sensitive(
        self,
        verdict: DecisionVerdict,
        request: str,
        profiles: Mapping[str, Profile],
        view: View,
        state: State,
    ) -> tuple[str, ...]:
        """What, learned alone or after others, can change the verdict."""
        own = profiles.get(request)
        if own is None or self._all_known(state) or settled(verdict, own, profiles, request):
            return ()
        acts = tuple(profiles)
        unknown = dimensions(self._considered(acts, view), acts, view, state, self.vocabulary)

        known: dict[Any, DecisionVerdict] = {}
        open_: dict[int, tuple[Context, list[Entry]]] = {}

        def learned(now: State) -> DecisionVerdict | None:
            if self._axioms and self._impossible(now.facts):
                return None
            seen = View(self._context(now.frame), view.truths.revised(now.facts))
            place = id(seen.context)
            if place not in open_:
                undecided = [e for e in seen.context.bearing(acts) if _undecided(e, acts, view)]
                open_[place] = (seen.context, undecided)
            # What was settled stays settled, so a verdict follows from the truth of the rest.
            key = (place, tuple(_truths(e, acts, seen) for e in open_[place][1]))
            if key not in known:
                known[key] = verdict_of(request, {a: self._profile(a, seen) for a in acts})
            return known[key]

        return mattering(state, unknown, learned)

    def _all_known(self, state: State) -> bool:
        """Whether nothing is left to learn: every fact, the counterparty and the polities."""
        frame, facts = state.frame, state.facts
        towards = not self._naming or frame.counterparty is not None
        known = towards and not frame.polities.open
        return known and all(facts.get(name) is not None for name in self._facts)

    def _considered(self, acts: Sequence[str], view: View) -> list[Entry]:
        """The norms that bear on any of the acts."""
        found: dict[int, Entry] = {}
        for act in acts:
            for group in view.context.covering(act):
                found.update((e.index, e) for e in group)
        for owed in view.obliging:
            found.update((e.index, e) for e in (owed.duty, *owed.perhaps))
        return list(found.values())


class Placed(NamedTuple):
    """What holds where a situation is."""

    context: Context
    facts: Mapping[str, FactValue]
    """What is known, with what follows from the place itself."""


class _Weighed(NamedTuple):
    """A verdict and what it was found from."""

    verdict: DecisionVerdict
    profiles: dict[str, Profile]
    view: View
    state: State


class _Draft:
    """A profile being drawn up."""

    def __init__(self) -> None:
        self.broken: list[Entry] = []
        self.pending: list[Entry] = []
        self.loose: set[int] = set()
        self.assumed: set[int] = set()
        self.waived = self.refused = False

    def add(self, entry: Entry, truth: bool | None, view: View, *, loose: bool) -> None:
        """Count a norm that stands against the act, or of which that is not known."""
        if truth is True:
            self.broken.append(entry)
            if loose:
                self.loose.add(entry.index)
            if view.assumed(entry):
                self.assumed.add(entry.index)
            return
        told = view.context.on_unknown(entry.norm)
        self.waived |= told == "allow"
        self.refused |= told == "deny"
        self.pending += [] if told == "allow" else [entry]

    def profile(self) -> Profile:
        """Return it finished."""
        return Profile(
            tuple(self.broken), tuple(self.pending), frozenset(self.loose), frozenset(self.assumed),
            self.waived, self.refused,
        )  # fmt: skip


def decide(charter: Charter, situation: Situation) -> Decision:
    """Return what `charter` says about one situation. For many, make one `Resolver` and keep it.

    Raises:
        InputError: if the charter's vocabulary, a norm or a fact's value is not sound.
    """
    return Resolver(charter).decide(situation)


def _entry(index: int, norm: Norm, axioms: Axioms) -> Entry:
    return Entry(
        index=index,
        norm=norm,
        ref=norm.ref,
        strength=rank(norm),
        test=compiled(norm.condition),
        immediate=not leaves_time(norm.deadline),
        maintained=None if norm.maintain is None else compiled(norm.maintain),
        by_act=COVERS in facts_of(norm.condition),
        lawful=axioms.question(norm.condition) if axioms.bear_on(norm.condition) else None,
    )


def _truths(entry: Entry, acts: Sequence[str], view: View) -> tuple[Truth, ...]:
    """All that can be asked of the truth of a norm beside some acts."""
    asked = (*acts, None) if entry.by_act else (None,)
    return (*(view.truths.of(entry, act) for act in asked), view.truths.goes_on(entry))


def _undecided(entry: Entry, acts: Sequence[str], view: View) -> bool:
    return None in _truths(entry, acts, view)


def _zone_faults(charter: Charter) -> list[Fault]:
    faults = []
    for authority, zone in sorted(charter.zones.items()):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            faults.append(Fault(where=f"zones.{authority}", expected="an IANA time zone",
                                seen=zone))  # fmt: skip
    return faults


def _shields(guarantee: Entry, duty: Entry) -> bool:
    return guarantee.norm.kind == "guarantee" and guarantee.strength < duty.strength


def _refs(entries: Iterable[Entry]) -> tuple[str, ...]:
    unique = {e.index: e.ref for e in entries}
    return tuple(unique[i] for i in sorted(unique))
