"""Which norms hold where, and how they stand to one another: what a proof about verdicts needs.

Apart from the facts, a verdict depends on who acts, towards whom, through which channel, under
which polities and when, only through the norms that hold there. Places in which the same norms hold
are therefore one place; there are few of them even where the combinations are many.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from normwright.norms import NULL_ACT, Acts, applies, satisfiable
from normwright.norms.conditions import Truth
from normwright.norms.ranking import PERMISSIVE, Contest, contest, rank, repeals
from normwright.norms.resolver import _open_ended, _primary, _shields
from normwright.norms.profiles import Entry
from normwright.records import Actor, Channel, Charter, Counterparty, Norm, Situation

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
class Reading:
    """One charter made ready to be asked which of its norms hold in a place."""

    charter: Charter

    @cached_property
    def acts(self) -> Acts:
        """Its act ontology."""
        return Acts(self.charter.vocabulary)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Its norms, strongest first, without those whose condition can never come true."""
        ordered = sorted(self.charter.norms, key=lambda n: (rank(n), n.id, n.version))
        facts = self.charter.vocabulary.facts
        return tuple(
            Entry(i, n, n.ref, rank(n), _never, not _open_ended(n.deadline))
            for i, n in enumerate(ordered)
            if n.kind not in ("ideal", "constitutive")
            and satisfiable(n.condition, facts) is not False
        )

    @cached_property
    def _kinds(self) -> dict[Any, Norm]:
        """One norm of each kind of place in which norms hold."""
        return {_kind(e.norm): e.norm for e in self.entries}

    @cached_property
    def _contests(self) -> dict[tuple[int, int], Contest]:
        return {}

    def beats(self, p: Entry, f: Entry) -> bool:
        """Whether a permissive norm beats a restrictive one."""
        key = (p.index, f.index)
        if key not in self._contests:
            facts = self.charter.vocabulary.facts
            self._contests[key] = contest(p.norm, f.norm, self.acts, facts)
        return self._contests[key].permitted

    def may_be_done(self, act: str) -> bool:
        """Whether an act counts at all: outside the ontology only where the charter says so."""
        return self.charter.open_world or act in self.acts

    def held(self, place: Place) -> dict[int, Truth]:
        """Return the norms that hold in a place: True, or None where it is not known whether."""
        asked = place.asked(NULL_ACT)
        alike = {key: applies(norm, asked) for key, norm in self._kinds.items()}
        valid = {e.index: e for e in self.entries if alike[_kind(e.norm)]}
        newer = [e.norm for e in valid.values() if e.norm.supersedes]
        return {
            index: True
            for index, entry in valid.items()
            if not any(repeals(norm, entry.norm) for norm in newer)
        }


@dataclass(frozen=True, eq=False)
class Frame:
    """What one charter holds in one place."""

    reading: Reading
    held: Mapping[int, Truth]

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The norms that hold or may hold."""
        return tuple(e for e in self.reading.entries if e.index in self.held)

    def certain(self, entry: Entry) -> bool:
        """Whether it is known that the norm holds here, whatever its condition."""
        return self.held[entry.index] is True

    def forbidding(self, act: str) -> list[Entry]:
        """Prohibitions that speak about an act."""
        return [e for e in self._covering(act) if e.norm.kind == "prohibition"]

    def permitting(self, act: str) -> list[Entry]:
        """Permissions and guarantees that speak about an act."""
        return [e for e in self._covering(act) if e.norm.kind in PERMISSIVE]

    def owed(self, act: str) -> list[tuple[Entry, list[Entry], list[Entry]]]:
        """Duties that doing the act does not fulfil, with exemptions and shields that lift them."""
        above = self.reading.acts.above(act)
        shields = [e for e in self.permitting(act) if e.norm.kind == "guarantee"]
        return [
            (o, exemptions, [g for g in shields if _shields(g, o)])
            for o, exemptions in self._duties
            if o.norm.act not in above
        ]

    @cached_property
    def _duties(self) -> list[tuple[Entry, list[Entry]]]:
        covers = self.reading.acts.covers
        exemptions = [e for e in self.entries if e.norm.kind == "exemption"]
        return [
            (o, [x for x in exemptions if covers(x.norm.act, o.norm.act)
                 and self.reading.beats(x, o)])
            for o in _primary(self.entries)
            if o.immediate
        ]  # fmt: skip

    def _covering(self, act: str) -> list[Entry]:
        above = self.reading.acts.above(act)
        return [e for e in self.entries if e.norm.act in above]


def _kind(norm: Norm) -> Any:
    """What of a norm says where it holds."""
    bearer = norm.bearer.model_dump_json()
    return (norm.status, norm.layer, norm.authority, norm.counterparty, bearer,
            norm.scope.channels, norm.valid_from, norm.valid_to, norm.kind)  # fmt: skip


def _never(facts: Mapping[str, Any]) -> Truth:
    return None


def grouped(
    before: Reading, after: Reading, among: Sequence[Place]
) -> list[tuple[Frame, Frame, list[Place]]]:
    """Return the places in groups in which the same norms of both charters hold."""
    groups: dict[Any, tuple[Frame, Frame, list[Place]]] = {}
    for place in among:
        held = before.held(place), after.held(place)
        key = tuple(tuple(sorted(h.items())) for h in held)
        if key not in groups:
            groups[key] = Frame(before, held[0]), Frame(after, held[1]), []
        groups[key][2].append(place)
    return list(groups.values())


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
        key = frozenset(
            tuple(getattr(p, other) for other in _FACETS[depth + 1 :]) for p in members
        )
        alike.setdefault(key, []).append(members)
    found = []
    for groups in alike.values():
        split = [_boxes(members, depth + 1) for members in groups]
        found += [[p for part in parts for p in part] for parts in zip(*split, strict=True)]
    return found
