"""What a case about an act can vary: the facts its norms ask for, the day, the place, who is met.

For every act the situations and the altered charters are laid out as a table of decisions. Cases
are then read off the table, so that a million of them cost no more decisions than a thousand.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from normwright.charter.drawing.alterations import COUNTERPARTIES, Variant, is_empty, variants
from normwright.charter.drawing.numbering import number, permutation
from normwright.norms import NULL_ACT, Acts, Resolver, evaluate, facts_of, first_values
from normwright.norms.ranking import rank
from normwright.norms.resolver import HOLDING
from normwright.records import (
    ActType,
    Channel,
    Charter,
    Condition,
    Decision,
    FactType,
    FactValue,
    Norm,
    Situation,
    Vocabulary,
)

LAID_OUT = ((20, 32, 80), (None, 24, 64))
"""Up to how many acts -> how many charters, altered and not, and how many situations are laid out
for each. It bounds how many decisions a drawing costs, and not how many cases it yields."""
FOCUS = 4
"""Facts of an act's norms that vary at a time; further ones are settled so that the norms that
depend on them alone do not apply."""
DEONTIC = frozenset({"prohibition", "obligation", "permission", "guarantee", "exemption"})

Core = tuple[int, ...]
"""A situation: which state of each aspect."""


@dataclass(frozen=True)
class Aspect:
    """One thing that varies."""

    name: str
    """Name of the fact, or `time`, `jurisdiction`, `counterparty`, `bearer`, `feasible`."""
    states: tuple[Any, ...]
    fact: FactType | None = None
    """The fact, if it is one; its last state is None: not known."""
    told: bool = True
    """Whether it has to be said; an actor that is the same for every norm has not."""

    @property
    def edited(self) -> bool:
        """Whether a near miss may differ in it."""
        return self.name != "feasible" or self.fact is not None


@dataclass(frozen=True)
class Ground:
    """An act with everything a case about it can vary, and what each charter says."""

    act: ActType
    aspects: tuple[Aspect, ...]
    settled: Mapping[str, FactValue]
    """Facts that are the same in every case."""
    placebo: tuple[tuple[FactType, tuple[FactValue, ...]], ...]
    """Facts no norm at issue asks for, each with the values it may be given."""
    distractors: tuple[Norm, ...]
    """Norms that have no bearing on the act."""
    variants: tuple[Variant, ...]
    cores: tuple[Core, ...]
    channel: Channel
    table: Mapping[tuple[int, int], Decision] = field(repr=False)
    """(variant, core) -> decision."""

    def situation(self, core: int, placebo: Mapping[str, FactValue]) -> Situation:
        """Return one of the situations, with facts beside it that nothing depends on."""
        return _situation(self.act.name, self.channel, self.aspects, self.cores[core],
                          {**self.settled, **placebo})  # fmt: skip

    def edges(self) -> Iterator[tuple[int, int, int]]:
        """Yield each pair of situations that differ in one aspect alone, with the aspect."""
        place = {core: number for number, core in enumerate(self.cores)}
        for one, core in enumerate(self.cores):
            for index, aspect in enumerate(self.aspects):
                if not aspect.edited:
                    continue
                for state in range(core[index] + 1, len(aspect.states)):
                    other = place.get((*core[:index], state, *core[index + 1 :]))
                    if other is not None:
                        yield one, other, index


def grounds(charter: Charter, *, keep_floors: bool) -> Iterator[Ground]:
    """Yield a ground for every act of the charter, in the order of their names.

    An act whose norms ask for more facts than can vary at a time has one ground for each norm that
    covers it.

    Args:
        charter: where everything comes from.
        keep_floors: whether constitutional norms of the global layer are never altered.
    """
    acts = Acts(charter.vocabulary)
    held = tuple(n for n in charter.norms if n.status in HOLDING and n.kind in DEONTIC)
    if not held:
        return
    sizes = next(rest for most, *rest in LAID_OUT
                 if most is None or len(charter.vocabulary.acts) <= most)  # fmt: skip
    parents = {parent for act in charter.vocabulary.acts for parent in act.is_a}
    for act in sorted(charter.vocabulary.acts, key=lambda a: a.name):
        spoken = any(n.act == act.name for n in held)
        if act.name == NULL_ACT or (act.name in parents and not spoken):
            continue
        yield from _grounds_of(act, charter, held, acts, (sizes[0], sizes[1]), keep_floors)


def _grounds_of(
    act: ActType,
    charter: Charter,
    held: tuple[Norm, ...],
    acts: Acts,
    laid_out: tuple[int, int],
    keep_floors: bool,
) -> Iterator[Ground]:
    bearing = [n for n in held if _bears(n, act.name, acts)]
    covering = [n for n in bearing if acts.covers(n.act, act.name)]
    asked = sorted({f for n in covering for f in facts_of(n.condition)})
    if len(asked) <= FOCUS:
        yield _ground(act, charter, held, acts, bearing, covering, asked, laid_out,
                      keep_floors)  # fmt: skip
        return
    for norm in covering:
        own = sorted(facts_of(norm.condition))[:FOCUS]
        if own:
            yield _ground(act, charter, held, acts, bearing, [norm], own, laid_out,
                          keep_floors)  # fmt: skip


def _bears(norm: Norm, act: str, acts: Acts) -> bool:
    """Whether a norm can weigh on an act: it covers it, or is a duty whatever is done.

    A duty that leaves time forbids nothing meanwhile; where it depends on facts, those stay untold
    in every case, so that it does not stand.
    """
    if norm.kind == "obligation" and _may_wait(norm) and not is_empty(norm.condition):
        return norm.act == act
    return norm.kind in ("obligation", "exemption") or acts.covers(norm.act, act)


def _may_wait(norm: Norm) -> bool:
    """Whether it is a duty that leaves time, so that something else may be done meanwhile."""
    left = norm.deadline is not None and any(digit in norm.deadline for digit in "123456789")
    return norm.kind == "obligation" and left


def _ground(
    act: ActType,
    charter: Charter,
    held: tuple[Norm, ...],
    acts: Acts,
    bearing: Sequence[Norm],
    about: Sequence[Norm],
    focus: Sequence[str],
    laid_out: tuple[int, int],
    keep_floors: bool,
) -> Ground:
    """Return the ground of an act.

    Args:
        act: what is asked for.
        charter: where everything comes from.
        held: the norms that hold.
        acts: the ontology.
        bearing: those of the norms that can weigh on the act.
        about: those of them whose facts, day, place and people vary.
        focus: the facts that vary.
        laid_out: how many charters and situations.
        keep_floors: whether constitutional norms of the global layer are never altered.
    """
    facts = {fact.name: fact for fact in charter.vocabulary.facts}
    settled = _settled(bearing, focus, charter.vocabulary)
    asked = {f for n in held for f in facts_of(n.condition) if n in bearing or _may_wait(n)}
    extra = _extra(act.name, [f for f in facts if f not in asked and f not in settled],
                   facts, charter.vocabulary, 2 if len(focus) < FOCUS else 1)  # fmt: skip
    model = next(iter((*about, *bearing)), None) or min(held, key=lambda n: (-rank(n), n.id))
    polities = sorted({n.authority for n in held if n.layer == "polity"})
    front = [*about, *(n for n in bearing if n not in about)]
    # Norms that no fact at issue wakes stay as they are; to alter them would change nothing.
    quiet = [n for n in front if _asleep(n, settled) or (_may_wait(n) and n not in about)]
    awake = [n for n in front if n not in quiet]
    altered = tuple(
        Variant((*v.norms, *quiet), v.alteration, v.norm)
        for v in variants(awake, act=act, extra=extra, polities=polities, model=model,
                          most=laid_out[0], keep_floors=keep_floors)
    )  # fmt: skip
    channel = model.scope.channels[0]
    conditions = [n.condition for v in altered for n in v.norms]
    varied = [*focus, *(fact.name for fact, _ in extra)]
    aspects = [
        Aspect(name, _states(facts[name], conditions), facts[name]) for name in varied
    ]  # fmt: skip
    aspects += _circumstances(act.name, about, altered, held, acts, model, polities)
    cores = tuple(_cores(act.name, aspects, charter.vocabulary, settled, laid_out[1]))
    table = _decisions(charter, act.name, channel, aspects, settled, altered, cores)
    bound = {f for axiom in charter.vocabulary.axioms for f in facts_of(axiom)}
    used = {*varied, *settled, *bound, *asked}
    placebo = tuple((facts[name], (*_placebo_values(facts[name]), None))
                    for name in sorted(facts)
                    if name not in used and not _derived(name))  # fmt: skip
    bearing_refs = {n.ref for n in bearing}
    distractors = tuple(n for n in held if n.ref not in bearing_refs and not _may_wait(n))
    return Ground(
        act, tuple(aspects), settled, placebo, distractors, altered, cores, channel, table
    )


def _derived(name: str) -> bool:
    """Whether a fact follows from other parts of a situation: from grants, labels or the place."""
    return name == "jurisdiction" or name.startswith(("grant.", "flow."))


def _states(fact: FactType, conditions: Iterable[Condition]) -> tuple[FactValue, ...]:
    """What a fact may be in a case, last of all unknown; what follows from others is known."""
    known = values_of(fact, conditions)
    return known if _derived(fact.name) else (*known, None)


def _settled(
    bearing: Sequence[Norm], focus: Sequence[str], vocabulary: Vocabulary
) -> dict[str, FactValue]:
    """Values of facts out of focus under which as many norms as can be do not apply."""
    facts = {fact.name: fact for fact in vocabulary.facts}
    settled: dict[str, FactValue] = {}
    for norm in bearing:
        free = sorted(facts_of(norm.condition) - set(focus) - set(settled))
        if not free or _asleep(norm, settled) or _may_wait(norm):
            continue
        options = [values_of(facts[name], [norm.condition]) for name in free]
        if math.prod(map(len, options)) > 4096:
            continue
        for point in itertools.product(*options):
            tried = {**settled, **dict(zip(free, point, strict=True))}
            if evaluate(norm.condition, tried) is False and _possible(vocabulary, tried):
                # One fact is often enough; what need not be said is left out.
                settled = _fewest(norm.condition, tried, settled)
                break
    return settled


def _fewest(
    condition: Condition, tried: dict[str, FactValue], kept: Mapping[str, FactValue]
) -> dict[str, FactValue]:
    found = dict(tried)
    for name in tried:
        if name in kept:
            continue
        without = {key: value for key, value in found.items() if key != name}
        if evaluate(condition, without) is False:
            found = without
    return found


def _asleep(norm: Norm, settled: Mapping[str, FactValue]) -> bool:
    return evaluate(norm.condition, settled) is False


def _possible(vocabulary: Vocabulary, facts: Mapping[str, FactValue]) -> bool:
    return all(evaluate(axiom, facts) is not False for axiom in vocabulary.axioms)


def _extra(
    act: str,
    names: Sequence[str],
    facts: Mapping[str, FactType],
    vocabulary: Vocabulary,
    most: int,
) -> list[tuple[FactType, FactValue]]:
    """Facts on which altered norms may hang, other ones for each act, with a value each."""
    bound = {f for axiom in vocabulary.axioms for f in facts_of(axiom)}
    usable = sorted(
        n for n in names
        if facts[n].type in ("bool", "enum", "int") and n not in bound and not _derived(n)
    )  # fmt: skip
    order = permutation(len(usable), number(f"extra:{act}"))
    chosen = [facts[usable[place]] for place in order[:most]]
    return [(fact, values_of(fact, ())[-1]) for fact in chosen]


def values_of(fact: FactType, conditions: Iterable[Condition]) -> tuple[FactValue, ...]:
    """Return a few values of a fact that the conditions can tell apart.

    Values of an enum: those that are named and one that is not, four at most. Numbers and times:
    both sides of every threshold.
    """
    match fact.type:
        case "bool":
            return (False, True)
        case "enum":
            named = {v for c in conditions for v in _named(c, fact.name)}
            first = [v for v in fact.values if v in named]
            other = [v for v in fact.values if v not in named]
            return (*first[:3], *other[: max(1, 4 - len(first[:3]))])
        case "time":
            return _instants(sorted({v for c in conditions for v in _named(c, fact.name)}))
        case _:
            low = 0 if fact.low is None else fact.low
            high = low + 100 if fact.high is None else fact.high
            at = {v for c in conditions for v in first_values(c, fact.name)} or {(low + high) // 2}
            sides = {v for t in at for v in (t - 1, t)}
            return tuple(sorted(v for v in sides if low <= v <= high)[:6])


def _named(condition: Condition, fact: str) -> Iterator[str]:
    """Texts a condition compares a fact with."""
    for part in _parts(condition):
        yield from _named(part, fact)
    if condition.fact == fact:
        given = (condition.eq, condition.at_least, condition.at_most, *(condition.one_of or ()))
        yield from (v for v in given if isinstance(v, str))


def _parts(condition: Condition) -> tuple[Condition, ...]:
    parts = (*(condition.all or ()), *(condition.any or ()))
    return parts if condition.negate is None else (*parts, condition.negate)


def _instants(thresholds: Sequence[str]) -> tuple[FactValue, ...]:
    """A day before and a day after each instant, as texts in ISO 8601."""
    found = set()
    for text in thresholds:
        instant = datetime.fromisoformat(text)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        found |= {instant - timedelta(days=1), instant + timedelta(days=1)}
    return tuple(i.isoformat().replace("+00:00", "Z") for i in sorted(found)[:4])


def _placebo_values(fact: FactType) -> tuple[FactValue, ...]:
    match fact.type:
        case "bool":
            return (False, True)
        case "enum":
            return fact.values
        case "time":
            return ()
        case _:
            low = 0 if fact.low is None else fact.low
            high = low + 100 if fact.high is None else fact.high
            step = max(1, (high - low) // 20)
            return tuple(range(low, high + 1, step))


def _circumstances(
    act: str,
    about: Sequence[Norm],
    altered: Sequence[Variant],
    held: Sequence[Norm],
    acts: Acts,
    model: Norm,
    polities: Sequence[str],
) -> list[Aspect]:
    """What is said besides facts: the day, the place, who is met, who acts, what else can be done.

    It varies where a norm at issue can be told apart by it, is the same in all cases where only
    another norm can, and is left unsaid where none can.
    """
    norms = [n for v in altered for n in v.norms]
    found = []
    days = _days(about)[:2]
    if days:
        found.append(Aspect("time", tuple(x for d in days for x in (d - timedelta(days=1), d))))
    elif _days(norms):
        found.append(Aspect("time", _days(norms)[-1:]))
    if polities and any(n.layer == "polity" for n in norms):
        own = sorted({n.authority for n in about if n.layer == "polity"})
        other = [p for p in polities if p not in own]
        places = [*own[:2], *other[:1]] if own else polities[:1]
        found.append(Aspect("jurisdiction", tuple((place,) for place in places)))
    if any(len(n.counterparty) < len(COUNTERPARTIES) for n in norms):
        varies = any(len(n.counterparty) < len(COUNTERPARTIES) for n in about)
        met = COUNTERPARTIES if varies else model.counterparty[:1]
        found.append(Aspect("counterparty", met))
    found += [_bearers(about, norms, model), *_alternatives(act, norms, held, acts)]
    return found


def _days(norms: Sequence[Norm]) -> tuple[date, ...]:
    return tuple(sorted({d for n in norms for d in (n.valid_from, n.valid_to) if d is not None}))


def _bearers(about: Sequence[Norm], norms: Sequence[Norm], model: Norm) -> Aspect:
    first = model.bearer.actor[0]
    actors = dict.fromkeys((first, *(a for n in about for a in n.bearer.actor)))
    sensitive = any(n.bearer.actor_sensitivity in ("human_only", "agent_only") for n in about)
    uneven = any(set(n.bearer.actor) != set(actors) for n in about)
    if sensitive or uneven:
        return Aspect("bearer", tuple(actors)[:3])
    return Aspect("bearer", (first,), told=len({a for n in norms for a in n.bearer.actor}) > 1)


def _alternatives(
    act: str, norms: Sequence[Norm], held: Sequence[Norm], acts: Acts
) -> list[Aspect]:
    """What else can be done: nothing, or an act that no norm speaks about, where a duty stands."""
    if not any(n.kind == "obligation" for n in norms):
        return []
    free = [
        other for other in acts.names
        if other not in (act, NULL_ACT) and not acts.covers(act, other)
        and not acts.covers(other, act)
        and not any(acts.covers(n.act, other) for n in held if n.kind != "obligation")
    ]  # fmt: skip
    return [Aspect("feasible", ((), (free[0],)) if free else ((),))]


def _cores(
    act: str,
    aspects: Sequence[Aspect],
    vocabulary: Vocabulary,
    settled: Mapping[str, FactValue],
    most: int,
) -> Iterator[Core]:
    """Yield situations, each close to others, until there are enough or there are no more."""
    sizes = [len(aspect.states) for aspect in aspects]
    total = math.prod(sizes)
    seen: set[Core] = set()
    for turn in range(min(total, 4 * most)):
        code = number(f"core:{act}:{turn}") % total if total > most else turn
        base = _digits(code, sizes)
        near = [
            (*base[:i], state, *base[i + 1 :]) for i, size in enumerate(sizes)
            for state in range(size)
        ]  # fmt: skip
        for core in dict.fromkeys([base, *near]):
            if core in seen:
                continue
            states = zip(aspects, core, strict=True)
            facts = {a.name: a.states[i] for a, i in states if a.fact is not None}
            if _possible(vocabulary, {**settled, **facts}):
                seen.add(core)
                yield core
                if len(seen) >= most:
                    return


def _digits(code: int, sizes: Sequence[int]) -> Core:
    digits = []
    for size in sizes:
        code, digit = divmod(code, size)
        digits.append(digit)
    return tuple(digits)


def _situation(
    act: str,
    channel: Channel,
    aspects: Sequence[Aspect],
    core: Core,
    beside: Mapping[str, FactValue],
) -> Situation:
    facts = {name: value for name, value in beside.items() if value is not None}
    around: dict[str, Any] = {}
    for aspect, index in zip(aspects, core, strict=True):
        state = aspect.states[index]
        if aspect.fact is None:
            around[aspect.name] = state
        elif state is not None:
            facts[aspect.name] = state
    around.setdefault("feasible", ())
    return Situation(act=act, facts=facts, channel=channel, **around)


def _decisions(
    charter: Charter,
    act: str,
    channel: Channel,
    aspects: Sequence[Aspect],
    settled: Mapping[str, FactValue],
    altered: Sequence[Variant],
    cores: Sequence[Core],
) -> dict[tuple[int, int], Decision]:
    situations = [_situation(act, channel, aspects, core, settled) for core in cores]
    table = {}
    for place, variant in enumerate(altered):
        resolver = Resolver(reduced(charter, variant.norms))
        for core, situation in enumerate(situations):
            table[place, core] = resolver.decide(situation)
    return table


def reduced(charter: Charter, norms: Sequence[Norm]) -> Charter:
    """Return the charter with these norms alone and the facts they ask for."""
    asked = {f for n in norms for f in facts_of(n.condition)}
    vocabulary = charter.vocabulary
    return charter.model_copy(
        update={
            "norms": tuple(n.model_copy(update={"cases": ()}) for n in norms),
            "vocabulary": Vocabulary(
                facts=tuple(f for f in vocabulary.facts if f.name in asked),
                acts=vocabulary.acts,
            ),
            "rejected": (),
            "conflicts": (),
        }
    )
