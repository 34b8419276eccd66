"""The resolver: one situation in, one decision out, with every norm it rests on.

A norm is a condition and a modality over an act. The resolver finds the norms that hold in a
situation, lets permissive norms beat restrictive ones by `contest`, and compares what is left of
each feasible act. If every act breaks a norm that stands, the least grave profile is chosen, rank
before severity and never by adding up: many trifles do not outweigh one grave breach.

A decision on partial facts is sound: an allow stays an allow however the unknown facts turn out,
save where a norm itself says `on_unknown: allow`, and then the facts it waives are listed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from normwright.norms.conditions import Truth, compiled, facts_of
from normwright.norms.profiles import Entry, Profile, least_grave, settled, verdict_of
from normwright.norms.ranking import PERMISSIVE, Contest, contest, names, rank, repeals
from normwright.norms.specificity import cells, satisfiable
from normwright.norms.vocabulary import (
    NULL_ACT,
    Acts,
    norm_faults,
    situation_faults,
    vocabulary_faults,
)
from normwright.records import (
    Charter,
    Decision,
    DecisionVerdict,
    Defeat,
    Duty,
    FactReading,
    FactValue,
    InputError,
    Norm,
    Situation,
)

HOLDING = frozenset({"in_force", "demonstration"})
"""Statuses that count. A demonstration norm is applied so that a simulated process can be shown
whole; what it may be used for is carried by its status and level, not by leaving the norm out."""

SENSITIVITY_LIMIT = 1_024
"""Most partial assignments tried to find which unknown facts matter; beyond it all are listed."""

_CONTEXTS = 64
"""Contexts (actor, channel, day) whose index is kept ready."""


class _Context:
    """The norms that hold for one actor, channel and day, indexed by the act they cover."""

    def __init__(self, entries: Sequence[Entry], acts: Acts) -> None:
        self._acts = acts
        self._forbid = _by_act(e for e in entries if e.norm.kind == "prohibition")
        self._permit = _by_act(e for e in entries if e.norm.kind in PERMISSIVE)
        self._seen: dict[str, tuple[tuple[Entry, ...], tuple[Entry, ...]]] = {}
        exemptions = [e for e in entries if e.norm.kind == "exemption"]
        self.duties = tuple(
            (o, tuple(x for x in exemptions if acts.covers(x.norm.act, o.norm.act)))
            for o in _primary(entries)
        )
        self.obliging = tuple((o, xs) for o, xs in self.duties if o.immediate)

    def covering(self, act: str) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Prohibitions and permissive norms that speak about an act, strongest first."""
        found = self._seen.get(act)
        if found is None:
            above = self._acts.above(act)
            found = (_gather(self._forbid, above), _gather(self._permit, above))
            self._seen[act] = found
        return found


class _Truths:
    """Truth of each norm's condition under one set of facts, each worked out once."""

    __slots__ = ("_facts", "_known")

    def __init__(self, facts: Mapping[str, FactValue], known: dict[int, Truth]) -> None:
        self._facts = facts
        self._known = known

    def of(self, entry: Entry) -> Truth:
        index = entry.index
        if index in self._known:
            return self._known[index]
        value = self._known[index] = entry.test(self._facts)
        return value

    def revised(self, facts: Mapping[str, FactValue]) -> _Truths:
        """The same under more facts; what was determined stays determined."""
        return _Truths(facts, {i: v for i, v in self._known.items() if v is not None})


class Resolver:
    """A charter made ready to decide thousands of situations a second.

    Args:
        charter: the norms; only those in force or in demonstration count.
        open_world: what an act outside the ontology means; None: as the charter says. False: it
            is denied, because nobody can have permitted it. True: no norm speaks about it.

    Raises:
        InputError: if the vocabulary is not sound or a norm does not fit it, with all faults.
    """

    def __init__(self, charter: Charter, *, open_world: bool | None = None) -> None:
        vocabulary = charter.vocabulary
        faults = vocabulary_faults(vocabulary)
        for norm in charter.norms:
            faults += norm_faults(norm.model_copy(update={"cases": ()}), vocabulary)
        if faults:
            raise InputError(faults)
        self._vocabulary = vocabulary
        self._open_world = charter.open_world if open_world is None else open_world
        self._digest = charter.digest
        self._acts = Acts(vocabulary)
        self._facts = {fact.name: fact for fact in vocabulary.facts}
        held = sorted((n for n in charter.norms if n.status in HOLDING),
                      key=lambda n: (rank(n), n.id, n.version))  # fmt: skip
        self._norms = tuple(held)
        self._entries = tuple(
            Entry(i, n, n.ref, rank(n), compiled(n.condition), not _open_ended(n.deadline))
            for i, n in enumerate(held)
        )
        # A contradictory condition never comes true, but fact by fact it would read as unknown.
        self._dead = {
            e.index for e in self._entries
            if satisfiable(e.norm.condition, vocabulary.facts) is False
        }  # fmt: skip
        self._contexts: dict[tuple[str, str, date | None], _Context] = {}
        self._contests: dict[tuple[int, int], Contest] = {}

    def decide(self, situation: Situation) -> Decision:
        """Return what the charter says about a situation.

        Args:
            situation: the act requested, the facts known, what could be done instead. The null
                act `decline` is always feasible. Facts absent or None are unknown; facts outside
                the vocabulary are ignored.

        Returns:
            The decision. `unknown` lists the facts that, once known, can change the verdict: found
            by trying partial assignments, or, beyond 1,024 of them, every fact of the undetermined
            norms. `least_bad` counts a norm of unknown condition as broken. `reparations` are owed
            whichever of the least bad acts is done.

        Raises:
            InputError: if a known fact has a value outside its domain.
        """
        facts = _values(situation)
        faults = situation_faults(facts, self._vocabulary)
        if faults:
            raise InputError(faults)
        context = self._context(situation)
        truths = _Truths(facts, {})
        request = situation.act
        alternatives = dict.fromkeys((*situation.feasible, NULL_ACT))
        acts = [a for a in alternatives if a != request and self._may_be_done(a)]
        if not self._may_be_done(request):
            profiles = {a: self._profile(a, context, truths) for a in acts}
            return self._decision("deny", request, profiles, context, truths)
        profiles = {a: self._profile(a, context, truths) for a in (request, *acts)}
        verdict = verdict_of(request, profiles)
        return self._decision(verdict, request, profiles, context, truths)

    def _may_be_done(self, act: str) -> bool:
        return self._open_world or act in self._acts

    def _context(self, situation: Situation) -> _Context:
        key = (situation.bearer, situation.channel, _day(situation))
        found = self._contexts.get(key)
        if found is None:
            valid = [e for e in self._entries if _valid(e.norm, _day(situation))]
            newer = [e.norm for e in valid if e.norm.supersedes]
            held = [
                e for e in valid
                if e.index not in self._dead
                and _binds(e.norm, situation.bearer, situation.channel)
                and not any(repeals(n, e.norm) for n in newer)
            ]  # fmt: skip
            if len(self._contexts) >= _CONTEXTS:
                self._contexts.clear()
            found = self._contexts[key] = _Context(held, self._acts)
        return found

    def _contest(self, p: Entry, f: Entry) -> Contest:
        key = (p.index, f.index)
        found = self._contests.get(key)
        if found is None:
            found = contest(p.norm, f.norm, self._acts, self._vocabulary.facts)
            self._contests[key] = found
        return found

    def _profile(self, act: str, context: _Context, truths: _Truths) -> Profile:
        forbidding, permitting = context.covering(act)
        broken: list[Entry] = []
        pending: list[Entry] = []
        loose: set[int] = set()
        waived = False
        allowing = [p for p in permitting if truths.of(p) is True]
        maybe = [p for p in permitting if truths.of(p) is None]
        for f in forbidding:
            truth = truths.of(f)
            if truth is False or any(self._contest(p, f).permitted for p in allowing):
                continue
            if truth is None:
                waived |= f.norm.on_unknown == "allow"
                pending += [] if f.norm.on_unknown == "allow" else [f]
                continue
            broken.append(f)
            if any(self._contest(p, f).permitted for p in maybe):
                loose.add(f.index)
        above = self._acts.above(act)
        shields = [p for p in allowing if p.norm.kind == "guarantee"]
        half_shields = [p for p in maybe if p.norm.kind == "guarantee"]
        for o, exemptions in context.obliging:
            truth = truths.of(o)
            if truth is False or o.norm.act in above:
                continue
            if self._lifted(o, exemptions, shields, truths, True):
                continue
            if truth is None:
                waived |= o.norm.on_unknown == "allow"
                pending += [] if o.norm.on_unknown == "allow" else [o]
                continue
            broken.append(o)
            if self._lifted(o, exemptions, half_shields, truths, None):
                loose.add(o.index)
        return Profile(tuple(broken), tuple(pending), frozenset(loose), waived)

    def _lifted(
        self,
        duty: Entry,
        exemptions: tuple[Entry, ...],
        guarantees: list[Entry],
        truths: _Truths,
        truth: Truth,
    ) -> bool:
        """Whether an exemption of this truth value, or a stronger guarantee, lifts the duty.

        To be obliged to do one thing is to be forbidden every other. A guarantee of a higher rank
        would shield nothing if a lower layer could forbid its act by obliging to another.
        """
        if guarantees and any(_shields(g, duty) for g in guarantees):
            return True
        if not exemptions:
            return False
        return any(truths.of(x) is truth and self._contest(x, duty).permitted for x in exemptions)

    def _decision(
        self,
        verdict: DecisionVerdict,
        request: str,
        profiles: Mapping[str, Profile],
        context: _Context,
        truths: _Truths,
    ) -> Decision:
        least = least_grave(profiles)
        return Decision(
            verdict=verdict,
            governing=self._governing(verdict, request, profiles, context, truths),
            defeated=self._defeated(verdict, request, profiles, context, truths),
            unknown=self._sensitive(verdict, request, profiles, context, truths),
            least_bad=least,
            duties=tuple(
                Duty(id=o.ref, act=o.norm.act, deadline=o.norm.deadline)
                for o, exemptions in context.duties
                if truths.of(o) is True and not self._exempt(o, exemptions, truths)
            ),
            reparations=self._reparations(verdict, request, least, profiles, truths),
            charter=self._digest,
        )  # fmt: skip

    def _exempt(self, duty: Entry, exemptions: tuple[Entry, ...], truths: _Truths) -> bool:
        return any(truths.of(x) is True and self._contest(x, duty).permitted for x in exemptions)

    def _governing(
        self,
        verdict: DecisionVerdict,
        request: str,
        profiles: Mapping[str, Profile],
        context: _Context,
        truths: _Truths,
    ) -> tuple[str, ...]:
        own = profiles.get(request)
        if own is None:
            return ()
        permitting = context.covering(request)[1]
        match verdict:
            case "allow":
                return _refs(p for p in permitting if truths.of(p) is True)
            case "ask":
                undecided = [p for p in permitting if truths.of(p) is None and own.loose]
                return _refs((*own.broken, *own.pending, *undecided))
            case "deny" if not own.broken:
                return _refs(e for e in own.pending if e.norm.on_unknown == "deny")
            case "necessity":
                others = (p for act, p in profiles.items() if act != request)
                return _refs(e for p in others for e in p.broken if e not in own.broken)
            case _:
                return _refs(own.broken)

    def _defeated(
        self,
        verdict: DecisionVerdict,
        request: str,
        profiles: Mapping[str, Profile],
        context: _Context,
        truths: _Truths,
    ) -> tuple[Defeat, ...]:
        if request not in profiles:
            return ()
        own = profiles[request]
        forbidding, permitting = context.covering(request)
        allowing = [p for p in permitting if truths.of(p) is True]
        found: list[Defeat] = []
        for f in forbidding:
            if truths.of(f) is True:
                found += self._outcomes(f, allowing)
        above = self._acts.above(request)
        for o, exemptions in context.obliging:
            if o.norm.act in above or truths.of(o) is not True:
                continue
            found += self._outcomes(o, [x for x in exemptions if truths.of(x) is True])
            shield = next((g for g in allowing if _shields(g, o)), None)
            if shield is not None:
                found.append(Defeat(id=o.ref, by=shield.ref, rule="guarantee"))
        if verdict == "necessity":
            by = self._governing(verdict, request, profiles, context, truths)[:1]
            found += [Defeat(id=e.ref, by=ref, rule="necessity") for e in own.broken for ref in by]
        return tuple(found)

    def _outcomes(self, restrictive: Entry, permissive: Sequence[Entry]) -> list[Defeat]:
        """How a restrictive norm that holds comes out against the permissive ones that hold."""
        contests = [(p, self._contest(p, restrictive)) for p in permissive]
        winner = next(((p, c) for p, c in contests if c.permitted), None)
        if winner is not None:
            return [Defeat(id=restrictive.ref, by=winner[0].ref, rule=winner[1].rule)]
        return [Defeat(id=p.ref, by=restrictive.ref, rule=c.rule) for p, c in contests]

    def _reparations(
        self,
        verdict: DecisionVerdict,
        request: str,
        least: tuple[str, ...],
        profiles: Mapping[str, Profile],
        truths: _Truths,
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
        names_owed = set.intersection(*owed)
        found: list[str] = []
        for name in sorted(names_owed):
            norms = [e for e in self._entries if names((name,), e.norm)]
            found += [e.ref for e in norms if truths.of(e) is not False] if norms else [name]
        return tuple(found)

    def _sensitive(
        self,
        verdict: DecisionVerdict,
        request: str,
        profiles: Mapping[str, Profile],
        context: _Context,
        truths: _Truths,
    ) -> tuple[str, ...]:
        """The facts that, learned alone or after others, can change the verdict."""
        own = profiles.get(request)
        if own is None or settled(verdict, own, profiles, request):
            return ()
        undetermined = self._undetermined(profiles, context, truths)
        conditions = [e.norm.condition for e in undetermined]
        mentioned = frozenset[str]().union(*(facts_of(c) for c in conditions))
        facts = truths._facts
        unknown = sorted(f for f in mentioned if facts.get(f) is None)
        options = [(None, *cells(self._facts[f], conditions)) for f in unknown]
        if math.prod(map(len, options)) > SENSITIVITY_LIMIT:
            return tuple(unknown)
        verdicts: dict[tuple[int, ...], DecisionVerdict] = {}
        for point in itertools.product(*(range(len(values)) for values in options)):
            learned = {f: v[i] for f, v, i in zip(unknown, options, point, strict=True)}
            revised = truths.revised({**facts, **learned})
            verdicts[point] = verdict_of(
                request, {a: self._profile(a, context, revised) for a in profiles}
            )
        changing = {
            place
            for point, here in verdicts.items()
            for place, option in enumerate(point)
            if option and verdicts[(*point[:place], 0, *point[place + 1 :])] != here
        }
        return tuple(f for place, f in enumerate(unknown) if place in changing)

    def _undetermined(self, acts: Iterable[str], context: _Context, truths: _Truths) -> list[Entry]:
        considered: dict[int, Entry] = {}
        for act in acts:
            for group in context.covering(act):
                considered.update((e.index, e) for e in group)
        for o, exemptions in context.obliging:
            considered.update((e.index, e) for e in (o, *exemptions))
        return [e for e in considered.values() if truths.of(e) is None]


def decide(charter: Charter, situation: Situation) -> Decision:
    """Return what `charter` says about one situation. For many, make one `Resolver` and keep it.

    Raises:
        InputError: if the charter's vocabulary, a norm or a fact's value is not sound.
    """
    return Resolver(charter).decide(situation)


def applies(norm: Norm, situation: Situation) -> bool:
    """Whether a norm is in force on the situation's day for its actor and channel.

    A norm is valid from `valid_from` until the day before `valid_to`, so that a successor can start
    on the day its predecessor ends. Without a day, every norm that holds counts as valid.
    """
    return (
        norm.status in HOLDING
        and _valid(norm, _day(situation))
        and _binds(norm, situation.bearer, situation.channel)
    )


def _day(situation: Situation) -> date | None:
    when = situation.time
    return when.date() if isinstance(when, datetime) else when


def _values(situation: Situation) -> dict[str, FactValue]:
    return {
        name: given.value if isinstance(given, FactReading) else given
        for name, given in situation.facts.items()
    }


def _valid(norm: Norm, on: date | None) -> bool:
    if on is None:
        return True
    started = norm.valid_from is None or norm.valid_from <= on
    return started and (norm.valid_to is None or on < norm.valid_to)


def _binds(norm: Norm, actor: str, channel: str) -> bool:
    """Whether a norm binds this actor here. The deployer is the one actor that is a person."""
    match norm.bearer.actor_sensitivity:
        case "human_only":
            machine_or_not = actor == "deployer"
        case "agent_only":
            machine_or_not = actor != "deployer"
        case _:
            machine_or_not = True
    return machine_or_not and actor in norm.bearer.actor and channel in norm.scope.channels


def _open_ended(deadline: str | None) -> bool:
    """Whether an ISO 8601 duration leaves any time at all (`PT0S` does not)."""
    return deadline is not None and any(digit in deadline for digit in "123456789")


def _primary(entries: Iterable[Entry]) -> list[Entry]:
    """Obligations that hold of themselves.

    One that its own authority names as the reparation of a norm at least as strong is owed only
    after a breach. A weaker norm, or another authority's, cannot put an obligation to sleep so.
    """
    held = list(entries)
    naming = [e for e in held if e.norm.reparation]
    return [
        o
        for o in held
        if o.norm.kind == "obligation"
        and not any(
            names(e.norm.reparation, o.norm)
            and e.strength <= o.strength
            and e.norm.authority == o.norm.authority
            for e in naming
        )
    ]


def _shields(guarantee: Entry, duty: Entry) -> bool:
    return guarantee.norm.kind == "guarantee" and guarantee.strength < duty.strength


def _by_act(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.norm.act, []).append(entry)
    return found


def _gather(table: Mapping[str, list[Entry]], acts: Iterable[str]) -> tuple[Entry, ...]:
    found = [entry for act in acts for entry in table.get(act, ())]
    return tuple(sorted(found, key=lambda e: e.index))


def _refs(entries: Iterable[Entry]) -> tuple[str, ...]:
    unique = {e.index: e.ref for e in entries}
    return tuple(unique[i] for i in sorted(unique))
