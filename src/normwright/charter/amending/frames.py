"""Which norms hold where, and how they stand to one another: what a proof about verdicts needs.

Apart from the facts, a verdict depends on who acts, towards whom, through which channel, under
which polities and when, only through the norms that hold there. Places in which the same norms hold
are therefore one place; there are few of them even where the combinations are many.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from normwright.charter.amending.identity import deciding
from normwright.norms import NULL_ACT, Resolver
from normwright.norms.contexts import Context, binds, towards
from normwright.norms.profiles import Entry
from normwright.norms.ranking import PERMISSIVE
from normwright.norms.readings import PLACE
from normwright.norms.readings import polities as lies_under
from normwright.records import (
    Actor,
    Channel,
    Charter,
    Condition,
    Counterparty,
    FactValue,
    Norm,
    Situation,
)

Jurisdiction: TypeAlias = tuple[str, ...] | Literal["unknown"] | None
When: TypeAlias = datetime | date | None

POLITY_LIMIT = 6
"""Most polities of which every combination is looked at."""

DAY = timedelta(days=1)


@dataclass(frozen=True, order=False)
class Place:
    """Everything about a situation that is neither its act nor a fact nor what else can be done."""

    bearer: Actor
    counterparty: Counterparty | None
    channel: Channel
    jurisdiction: Jurisdiction
    time: When

    def asked(self, act: str, **fields: Any) -> Situation:
        """Return the situation of this place in which `act` is requested."""
        return Situation(
            act=act,
            bearer=self.bearer,
            counterparty=self.counterparty,
            channel=self.channel,
            jurisdiction=self.jurisdiction,
            time=self.time,
            **fields,
        )


def places(*charters: Charter) -> Iterator[Place]:
    """Yield every place that these charters can tell apart, the plainest first.

    Days and instants are cut where some norm begins or ends, in its authority's time zone; the
    combinations of polities are all there are, up to `POLITY_LIMIT` of them.
    """
    yield from (
        Place(bearer, counterparty, channel, jurisdiction, when)
        for when, jurisdiction, bearer, channel, counterparty in itertools.product(
            times(*charters),
            jurisdictions(*charters),
            get_args(Actor),
            get_args(Channel),
            (*get_args(Counterparty), None),
        )
    )


def polities(*charters: Charter) -> tuple[str, ...]:
    """Return the polities that have norms in any of the charters, sorted."""
    named = {n.authority for c in charters for n in c.norms if n.layer == "polity"}
    return tuple(sorted(named))


def jurisdictions(*charters: Charter) -> list[Jurisdiction]:
    """Return the combinations of polities a situation can lie under, and that this is not known."""
    named = polities(*charters)[:POLITY_LIMIT]
    subsets = itertools.chain.from_iterable(
        itertools.combinations(named, size) for size in range(len(named) + 1)
    )
    return [None, *subsets, "unknown"] if named else [None]


def times(*charters: Charter) -> list[When]:
    """Return no time, one day and one instant for every stretch between a beginning and an end."""
    days: set[date] = set()
    instants: set[datetime] = set()
    for charter in charters:
        for norm in charter.norms:
            for day in (norm.valid_from, norm.valid_to):
                if day is not None:
                    days.add(day)
                    instants.add(midnight(day, zone_of(norm, charter)))
    first = [min(days) - DAY] if days else []
    before = [min(instants) - DAY] if instants else []
    return [None, *first, *sorted(days), *before, *sorted(instants)]


def zone_of(norm: Norm, charter: Charter) -> str:
    """Return the time zone in which the days of a norm's authority begin."""
    return charter.zones.get(norm.authority, "UTC")


def midnight(day: date, zone: str) -> datetime:
    """Return the instant, in UTC, at which a day begins in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True, eq=False)
class Frame:
    """What one charter holds in one place, as its own resolver sees it."""

    resolver: Resolver
    context: Context
    facts: Mapping[str, FactValue]
    """Facts that follow from the place itself."""

    @cached_property
    def key(self) -> Any:
        """What two places share if the same norms hold in them in the same way."""
        return tuple((e.index, *self._manner(e)) for e in self.entries), self.polity

    @cached_property
    def content(self) -> Any:
        """The same in terms of what the norms say, to compare one charter with another."""
        return tuple(sorted((self._deciding(e), *self._manner(e)) for e in self.entries))

    @property
    def polity(self) -> FactValue:
        """The value of the fact that names the place's one polity; None: it has none."""
        return self.facts.get(PLACE)

    @property
    def obliging(self) -> list[tuple[Entry, tuple[Entry, ...]]]:
        """Obligations that doing anything else breaks at once, with the exemptions from them."""
        return [(o, exemptions) for o, exemptions in self.context.duties if o.immediate]

    @property
    def axioms(self) -> tuple[Condition, ...]:
        """What the charter says holds in every situation."""
        return self.resolver.vocabulary.axioms

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The norms that a verdict here can rest on, by strength."""
        obliging = {o.index for o, _ in self.obliging}
        held = [e for e in self.resolver.entries if e.index in self.context.holders]
        return tuple(
            e for e in held
            if e.norm.kind in {"prohibition", "exemption", *PERMISSIVE} or e.index in obliging
        )  # fmt: skip

    def may_be_done(self, act: str) -> bool:
        """Whether an act counts at all: outside the ontology only where the charter says so."""
        return self.resolver.may_be_done(act)

    def certain(self, entry: Entry) -> bool:
        """Whether it is known that the norm applies here, whatever its condition."""
        return entry.index not in self.context.doubtful

    def assumed(self, entry: Entry) -> bool:
        """Whether the norm counts here although it may turn out not to apply."""
        return entry.index in self.context.assumed

    def against(self, act: str) -> list[tuple[Entry, list[Entry]]]:
        """Return the norms that the act can break, each with the permissive ones that lift it."""
        forbidding, permitting = self.context.covering(act)
        above = self.resolver.acts.above(act)
        lifts = self.resolver.permits
        return [
            *((f, [p for p in permitting if lifts(p, f)]) for f in forbidding),
            *(
                (o, [p for p in (*permitting, *exemptions) if lifts(p, o)])
                for o, exemptions in self.obliging
                if o.norm.act not in above
            ),
        ]

    def against_key(self, act: str) -> Any:
        """What two acts, here or in another frame, share if the same can be said against them."""
        if act not in self._keys:
            self._keys[act] = (
                self.may_be_done(act),
                tuple(
                    sorted(
                        (self._named(entry), tuple(sorted(self._named(p) for p in lifting)))
                        for entry, lifting in self.against(act)
                    )
                ),
            )
        return self._keys[act]

    @cached_property
    def _keys(self) -> dict[str, Any]:
        return {}

    def _named(self, entry: Entry) -> tuple[Any, ...]:
        axioms = self.axioms_key if entry.axiomatic else ""
        return self._deciding(entry), axioms, *self._manner(entry)

    def _deciding(self, entry: Entry) -> str:
        known = _DECIDING.setdefault(self.resolver, {})
        if entry.index not in known:
            known[entry.index] = deciding(entry.norm)
        return known[entry.index]

    @property
    def axioms_key(self) -> str:
        """The axioms as one text."""
        return repr(self.axioms)

    def told_of_unknown(self, entry: Entry) -> str:
        """Return what a norm says here about facts that are not known."""
        return self.context.on_unknown(entry.norm)

    def _manner(self, entry: Entry) -> tuple[Any, ...]:
        return self.certain(entry), self.assumed(entry), self.told_of_unknown(entry)


_DECIDING: WeakKeyDictionary[Resolver, dict[int, str]] = WeakKeyDictionary()


def frame_of(resolver: Resolver, place: Place) -> Frame:
    """Return what the charter of a resolver holds in a place."""
    context, facts = resolver.placed(place.asked(NULL_ACT))
    return Frame(resolver, context, facts)


def grouped(
    before: Resolver, after: Resolver, among: Iterable[Place]
) -> list[tuple[Frame, Frame, list[Place]]]:
    """Return the places in groups in which the same norms of both charters hold."""
    groups: dict[Any, tuple[Frame, Frame, list[Place]]] = {}
    signs = _Signs(before), _Signs(after)
    known: dict[Any, tuple[Frame, Frame]] = {}
    for place in among:
        key = tuple(sign.of(place) for sign in signs)
        if key not in known:
            known[key] = frame_of(before, place), frame_of(after, place)
        old, new = known[key]
        _, _, members = groups.setdefault((old.key, new.key), (old, new, []))
        members.append(place)
    return list(groups.values())


class _Signs:
    """What places share if the same norms of one charter hold in them in the same way.

    Whether a norm holds is whether it is valid then, binds who acts, is about whom it is done to
    and is in force there. Each is worked out once for what it depends on, as bits of a number, and
    a place costs no more than to put four numbers together.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[Any, Any] = {}
        self._told = any(fact.name == PLACE for fact in resolver.vocabulary.facts)

    def of(self, place: Place) -> Any:
        """Return the sign of a place."""
        valid = self._once(("valid", place.time), lambda: _bits(
            self._resolver.valid_at(place.time)))  # fmt: skip
        bound = self._once(("bound", place.bearer, place.channel), lambda: _bits(
            e.index for e in self._resolver.entries if binds(e.norm, place.bearer, place.channel)
        ))  # fmt: skip
        about, unsaid = self._once(("about", place.counterparty), lambda: self._split(
            lambda norm: towards(norm, place.counterparty)))  # fmt: skip
        here, unsure = self._once(("here", place.jurisdiction), lambda: self._here(place))
        held = valid & bound & (about | unsaid) & (here | unsure)
        where = place.jurisdiction if self._told else None
        agent = place.bearer in ("agent", "subagent")
        # All that is valid counts for what repeals what, and for which duties wait for a breach.
        return valid, held, unsaid & held, unsure & held, agent, where

    def _here(self, place: Place) -> tuple[int, int]:
        under = lies_under(place.asked(NULL_ACT), self._resolver.basis)
        return self._split(
            lambda norm: under.apply(norm.authority) if norm.layer == "polity" else True
        )

    def _split(self, asked: Callable[[Norm], bool | None]) -> tuple[int, int]:
        answers = [(e.index, asked(e.norm)) for e in self._resolver.entries]
        return _bits(i for i, a in answers if a is True), _bits(i for i, a in answers if a is None)

    def _once(self, key: Any, made: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = made()
        return self._known[key]


def _bits(places: Iterable[int]) -> int:
    return sum(1 << place for place in places)


def boxes(among: Sequence[Place]) -> list[tuple[Place, ...]]:
    """Return places in groups that are every combination of their times, polities, actors, ...

    Only such a group can be told in one sentence without claiming more than was found.
    """
    return [tuple(box) for box in _boxes(list(among), 0)]


_FACETS = ("time", "jurisdiction", "bearer", "channel", "counterparty")


def _boxes(among: list[Place], depth: int) -> list[list[Place]]:
    if depth == len(_FACETS):
        return [among]
    facet = _FACETS[depth]
    rest: dict[Any, list[Place]] = {}
    for place in among:
        rest.setdefault(getattr(place, facet), []).append(place)
    alike: dict[Any, list[list[Place]]] = {}
    for members in rest.values():
        key = frozenset(tuple(getattr(p, other) for other in _FACETS[depth + 1 :]) for p in members)
        alike.setdefault(key, []).append(members)
    found = []
    for groups in alike.values():
        split = [_boxes(members, depth + 1) for members in groups]
        found += [[p for part in parts for p in part] for parts in zip(*split, strict=True)]
    return found
