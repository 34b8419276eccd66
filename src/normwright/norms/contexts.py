"""Which norms bind whom, where and when, before any fact is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from normwright.norms.acts import Acts
from normwright.norms.grants import COVERS
from normwright.norms.profiles import Entry
from normwright.norms.ranking import PERMISSIVE, RESTRICTIVE, names, repeals
from normwright.norms.readings import Polities
from normwright.records import (
    Actor,
    Channel,
    Condition,
    Counterparty,
    FactValue,
    Norm,
    OnUnknown,
    Situation,
)

HOLDING = frozenset({"in_force", "demonstration"})
"""Statuses that count. A demonstration norm is applied so that a simulated process can be shown
whole; what it may be used for is carried by its status and level, not by leaving the norm out."""

_STRICTER: Mapping[OnUnknown, OnUnknown] = {"allow": "ask", "ask": "deny", "deny": "deny"}
_AGENTS = frozenset({"agent", "subagent"})
_EVERYBODY = 4
"""How many kinds of counterparty there are; a norm that names all is about anybody."""


@dataclass(frozen=True)
class Frame:
    """What of a situation decides which norms are looked at."""

    bearer: Actor
    channel: Channel
    days: tuple[date, ...] | None
    """The day in every zone of the charter, in their order; None: all norms in force are valid."""
    counterparty: Counterparty | None
    polities: Polities
    principals: frozenset[str] = frozenset()
    """Kinds of actors that the act is done for: the grantors of the chain."""


Duties: TypeAlias = tuple[Entry, tuple[Entry, ...]]
"""An obligation, and the exemptions that speak about it."""


class Context:
    """The norms that hold in one frame, indexed by the act they cover.

    Args:
        frame: who acts, for whom, towards whom, where and when.
        valid: the norms in force then.
        acts: the ontology.
        dead: norms whose condition never comes true. They repeal what they supersede all the same.
    """

    def __init__(
        self, frame: Frame, valid: Sequence[Entry], acts: Acts, dead: Set[int] = frozenset()
    ) -> None:
        self._acts = acts
        self._stricter = frame.bearer in _AGENTS
        newer = [e.norm for e in valid if e.norm.supersedes]
        standing = [e for e in valid if not any(repeals(n, e.norm) for n in newer)]
        standing = [e for e in standing if e.index not in dead]
        secondary = _secondary(standing)
        held: list[Entry] = []
        doubtful, assumed = set[int](), set[int]()
        self.holders: dict[int, frozenset[str]] = {}
        """By norm: those whom it binds, of who acts and those it acts for."""
        self.placed = frozenset(e.index for e in standing if _placed(e.norm, frame) is not False)
        """Norms in force here, whomever they bind."""
        for entry in standing:
            norm = entry.norm
            bound = _holders(norm, frame)
            about = towards(norm, frame.counterparty)
            if not bound or about is False or entry.index not in self.placed:
                continue
            if about is None and norm.kind in RESTRICTIVE:
                assumed.add(entry.index)
            elif about is None:
                doubtful.add(entry.index)
            if _placed(norm, frame) is None:
                doubtful.add(entry.index)
            self.holders[entry.index] = bound
            held.append(entry)
        self.doubtful = frozenset(doubtful)
        """Norms of which it is not known whether they apply."""
        self.assumed = frozenset(assumed)
        """Restrictive norms about counterparties nobody named: they apply."""
        self.naming = frozenset(e.index for e in held if towards(e.norm, None) is None)
        """Norms about some counterparties only."""
        self.alone = not frame.principals
        self._forbid = _by_act(e for e in held if e.norm.kind == "prohibition")
        self._permit = _by_act(e for e in held if e.norm.kind in PERMISSIVE)
        self._seen: dict[str, tuple[tuple[Entry, ...], tuple[Entry, ...]]] = {}
        exemptions = [e for e in held if e.norm.kind == "exemption"]
        self.duties = tuple(
            (o, tuple(x for x in exemptions if acts.covers(x.norm.act, o.norm.act)))
            for o in held
            if o.norm.kind == "obligation" and o.index not in secondary
        )
        self._needing = _by_need(self.duties)

    def covering(self, act: str) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Prohibitions and permissive norms that speak about an act, strongest first."""
        found = self._seen.get(act)
        if found is None:
            above = self._acts.above(act)
            found = (_gather(self._forbid, above), _gather(self._permit, above))
            self._seen[act] = found
        return found

    def bearing(self, acts: Iterable[str]) -> list[Entry]:
        """Return the norms that can bear on a verdict about some acts, whatever the facts."""
        found = {e.index: e for act in acts for group in self.covering(act) for e in group}
        for duty, exemptions in self.duties:
            found.update((e.index, e) for e in (duty, *exemptions))
        return list(found.values())

    def duties_under(self, facts: Mapping[str, FactValue]) -> list[Duties]:
        """Obligations with their exemptions, less those that a single fact shows not to hold."""
        found = list(self._needing.get(None, {}).get(None, ()))
        for fact, wanted in self._needing.items():
            if fact is None:
                continue
            value = facts.get(fact)
            groups = wanted.values() if value is None else (wanted.get((type(value), value), ()),)
            for group in groups:
                found += group
        found.sort(key=lambda pair: pair[0].index)
        return found

    def on_unknown(self, norm: Norm) -> OnUnknown:
        """What a norm says about unknown facts, one step stricter for agents if it says so."""
        if self._stricter and norm.bearer.actor_sensitivity == "agent_stricter":
            return _STRICTER[norm.on_unknown]
        return norm.on_unknown


def days_in(when: date | None, zones: Sequence[ZoneInfo]) -> tuple[date, ...] | None:
    """Return the day on which a situation is, in each zone; a day without an hour is the same."""
    if not isinstance(when, datetime):
        return None if when is None else tuple(when for _ in zones)
    moment = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return tuple(_day_of(moment, zone) for zone in zones)


def _day_of(moment: datetime, zone: ZoneInfo) -> date:
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # before the first day of the calendar, or after its last
        return date.min if moment.year == date.min.year else date.max


def valid_on(norm: Norm, day: date | None) -> bool:
    """Whether a norm is valid on a day: from its first until the day before its last."""
    if day is None:
        return True
    started = norm.valid_from is None or norm.valid_from <= day
    return started and (norm.valid_to is None or day < norm.valid_to)


def binds(norm: Norm, actor: str, channel: str) -> bool:
    """Whether a norm binds this actor here. The deployer is the one actor that is a person."""
    match norm.bearer.actor_sensitivity:
        case "human_only":
            machine_or_not = actor == "deployer"
        case "agent_only":
            machine_or_not = actor != "deployer"
        case _:
            machine_or_not = True
    return machine_or_not and actor in norm.bearer.actor and channel in norm.scope.channels


def names_some(norm: Norm) -> bool:
    """Whether a norm is about some kinds of counterparties and not about others."""
    return len(set(norm.counterparty)) < _EVERYBODY


def applies(norm: Norm, situation: Situation, *, zone: str = "UTC") -> bool:
    """Whether a norm is in force on the situation's day for its actor, channel and counterparty.

    A norm is valid from `valid_from` until the day before `valid_to`, so that a successor can start
    on the day its predecessor ends. Without a day, every norm that holds counts as valid. Where
    something is not known, a norm counts as applying.

    Args:
        norm: the norm.
        situation: what is asked.
        zone: the time zone in which the norm's authority counts its days.
    """
    days = days_in(situation.time, [ZoneInfo(zone)])
    return (
        norm.status in HOLDING
        and valid_on(norm, days[0] if days else None)
        and binds(norm, situation.bearer, situation.channel)
        and towards(norm, situation.counterparty) is not False
    )


def _holders(norm: Norm, frame: Frame) -> frozenset[str]:
    """Whom a norm binds, of who acts and, unless it is personal, those it acts for.

    What somebody may not do, they may not have done for them: a prohibition that binds a grantor
    binds the act under the grant, and only what the grantor is permitted lifts it there. Duties
    stay with whom they bind, who can fulfil them while others act.
    """
    own = (
        frozenset({frame.bearer}) if binds(norm, frame.bearer, frame.channel) else frozenset[str]()
    )
    if norm.bearer.personal or norm.kind == "obligation" or not frame.principals:
        return own
    return own | {actor for actor in frame.principals if binds(norm, actor, frame.channel)}


def towards(norm: Norm, counterparty: Counterparty | None) -> bool | None:
    """Whether a norm is about a kind of counterparty; None if that is not known."""
    if not names_some(norm):
        return True
    return None if counterparty is None else counterparty in norm.counterparty


def _placed(norm: Norm, frame: Frame) -> bool | None:
    return frame.polities.apply(norm.authority) if norm.layer == "polity" else True


def _secondary(standing: Sequence[Entry]) -> frozenset[int]:
    """Obligations that are owed only after a breach.

    Those that their own authority names as the reparation of a norm at least as strong. A weaker
    norm, or another authority's, cannot put an obligation to sleep so. Whom the breached norm binds
    does not matter: who a situation is about must not wake a duty.
    """
    naming = [e for e in standing if e.norm.reparation]
    return frozenset(
        o.index
        for o in standing
        if o.norm.kind == "obligation"
        and any(
            names(e.norm.reparation, o.norm)
            and e.strength <= o.strength
            and e.norm.authority == o.norm.authority
            for e in naming
        )
    )


def _by_need(duties: Iterable[Duties]) -> dict[str | None, dict[Any, list[Duties]]]:
    """Obligations by one value of one fact that their condition cannot hold without."""
    found: dict[str | None, dict[Any, list[Duties]]] = {}
    for duty in duties:
        fact, value = _need(duty[0].norm.condition)
        found.setdefault(fact, {}).setdefault(value, []).append(duty)
    return found


def _need(condition: Condition) -> tuple[str | None, Any]:
    for part in (condition, *(condition.all or ())):
        # Whether a chain covers the act differs from act to act, so it is no one fact.
        if part.fact not in (None, COVERS) and part.eq is not None:
            return part.fact, (type(part.eq), part.eq)
    return None, None


def _by_act(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.norm.act, []).append(entry)
    return found


def _gather(table: Mapping[str, list[Entry]], acts: Iterable[str]) -> tuple[Entry, ...]:
    found = [entry for act in acts for entry in table.get(act, ())]
    return tuple(sorted(found, key=lambda e: e.index))
