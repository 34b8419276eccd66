"""The ledger of grants: who may do what for whom, what was used up, and what is over.

The rules, each of which a test breaks on purpose:

- D1 no laundering: what may be done under a grant is what every link of its chain hands on.
- D2 no amplification: a grant handed on is no wider than the one it comes from in any respect.
- D3 human root: the first grantor of a chain is a person that the ledger was told about.
- D4 identify: every call knows the person for whom it is done.
- D5 cascade: withdrawing a grant withdraws, at once, all that were handed on from it.
- D6 conservation: what was used under a grant, is set aside for calls under way, or was handed on,
  never exceeds its budget. When a grant is withdrawn what it did not use goes back; what it used
  stays used, for otherwise handing on and withdrawing would make money.

Time does not run backwards here: what ran out at the latest time the ledger has seen stays out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from normwright.guard.agents.journal import Event, Journal, MemoryJournal
from normwright.guard.agents.labels import LOWEST, joined
from normwright.norms import Acts
from normwright.norms.grants import names_resource, wider
from normwright.records import (
    Digest,
    Fault,
    Grant,
    InputError,
    Label,
    instant_of,
    instant_text,
)

Amounts: TypeAlias = Mapping[str, int]
Stage: TypeAlias = Literal["reserved", "begun", "prepared", "decided", "done", "released"]
"""How far a call has come. `decided`: that it is to be done is written down, so a crash after it
does it; before it, a crash undoes it."""

STOPPED = "ordered to stop"
"""How a fault says that somebody in the chain is to stop."""

LIVE: frozenset[Stage] = frozenset({"reserved", "begun", "prepared", "decided"})


@dataclass
class Held:
    """A grant as the ledger keeps it."""

    grant: Grant
    children: list[str] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)
    """Used by calls under this very grant, or set aside for them."""
    handed: dict[str, int] = field(default_factory=dict)
    """Held by the grants handed on from it: their budgets while they live, what they used after."""
    revoked: bool = False

    def taken(self, unit: str) -> int:
        """How much of a budget is gone or spoken for."""
        return self.used.get(unit, 0) + self.handed.get(unit, 0)


@dataclass
class Reserved:
    """A call that was approved, and how far it has come."""

    id: str
    call: Digest
    grant: str
    session: str
    tool: str
    amounts: dict[str, int]
    beside: dict[str, int]
    expires: datetime
    stage: Stage = "reserved"
    token: str | None = None
    """What the tool gave for a call it has prepared."""


@dataclass(frozen=True)
class Answer:
    """What somebody entitled to answer said about one call."""

    by: str
    yes: bool
    at: datetime
    """When; a yes is not for ever."""


@dataclass
class Session:
    """What one run has done so far."""

    label: Label = LOWEST
    spent: dict[str, int] = field(default_factory=dict)
    anomaly: bool = False
    calls: list[str] = field(default_factory=list)


class Book:
    """The state that a sequence of events leads to. It decides nothing; see `GrantLedger`."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.calls: dict[str, Reserved] = {}
        self.sessions: dict[str, Session] = {}
        self.stores: dict[str, Label] = {}
        self.answers: dict[Digest, list[Answer]] = {}
        self.stopped: set[str] = set()
        self.now: datetime | None = None
        self.count = 0

    def apply(self, event: Event) -> None:
        """Take an event in."""
        at = instant_of(event.at)
        self.now = at if self.now is None else max(self.now, at)
        self.count += 1
        _TAKERS[event.kind](self, event.body)

    def chain(self, grant: str) -> tuple[Held, ...]:
        """Return the grants from the root to this one."""
        found = []
        name: str | None = grant
        while name is not None:
            held = self.held[name]
            found.append(held)
            name = held.grant.parent
        return tuple(reversed(found))

    def left(self, grant: str, unit: str) -> int | None:
        """Return how much of a unit is left under a grant; None: no limit.

        An ancestor that was overdrawn, by a call that turned out larger than it was said to be,
        leaves nothing to anybody below it.
        """
        chain = self.chain(grant)
        rest: int | None = None
        for held in chain:
            most = held.grant.budget.get(unit, 0)
            if most is None:
                continue
            free = most - held.taken(unit)
            if held is chain[-1] or free < 0:
                rest = free if rest is None else min(rest, free)
        return rest

    def take(self, grant: str, unit: str, amount: int) -> None:
        """Count an amount, or give it back where it is negative, under a grant and above it."""
        held = self.held[grant]
        before = _hold(held, unit)
        held.used[unit] = held.used.get(unit, 0) + amount
        self._carry(held, unit, before)

    def _carry(self, held: Held, unit: str, before: int) -> None:
        change = _hold(held, unit) - before
        while change and held.grant.parent is not None:
            held = self.held[held.grant.parent]
            before = _hold(held, unit)
            held.handed[unit] = held.handed.get(unit, 0) + change
            change = _hold(held, unit) - before

    def units(self, held: Held) -> set[str]:
        """Return the units a grant has anything to do with."""
        return {*held.grant.budget, *held.used, *held.handed}

    def revoke(self, grant: str) -> None:
        """Withdraw a grant and all handed on from it, the last first."""
        held = self.held[grant]
        for child in held.children:
            self.revoke(child)
        if not held.revoked:
            before = {unit: _hold(held, unit) for unit in self.units(held)}
            held.revoked = True
            for unit, amount in before.items():
                self._carry(held, unit, amount)

    def session(self, name: str) -> Session:
        """Return what a run has done so far."""
        return self.sessions.setdefault(name, Session())


def _hold(held: Held, unit: str) -> int:
    """How much of its parent's budget a grant holds."""
    most = held.grant.budget.get(unit, 0)
    taken = held.taken(unit)
    return taken if held.revoked or most is None else max(most, taken)


class GrantLedger:
    """Grants, what was used under them, and what is stopped; the same again after a restart.

    Args:
        people: names of the persons who may give authority at the root of a chain.
        acts: the act ontology by which a grant covers the kinds of its acts.
        journal: where events are kept; in memory if not given.

    Every method takes the time from its caller. Those that change anything write the event before
    they return, and raise InputError with all faults where it may not happen.
    """

    def __init__(
        self, *, people: Iterable[str], acts: Acts, journal: Journal | None = None
    ) -> None:
        self.people = frozenset(people)
        self.acts = acts
        self.journal = MemoryJournal() if journal is None else journal
        self._book = Book()
        self._lock = threading.RLock()
        self._turning = False

    @contextmanager
    def turn(self) -> Iterator[Book]:
        """Return a context in which nobody else changes anything, with what is known there.

        Raises:
            IntegrityError: if the journal was tampered with.
        """
        with self._lock:
            if self._turning:
                yield self._book
                return
            with self.journal.turn() as events:
                for event in events:
                    self._book.apply(event)
                self._turning = True
                try:
                    yield self._book
                finally:
                    self._turning = False

    def issue(self, grant: Grant, *, by: str, at: datetime) -> Grant:
        """Hand authority on, and return the grant.

        Args:
            grant: with an id that was never used, and the parent it comes from.
            by: who says so, as whoever runs the system has made sure. It has to be the grantor: a
                grant that stands in a document or a tool's answer was given by nobody.
            at: when.

        Raises:
            InputError: if it may not be handed on, with every reason.
        """
        with self.turn() as book:
            faults = [*self._form(grant, by, book)]
            faults += self._authority(grant, book, _later(book, at))
            self._write(
                "issue", {"grant": grant.model_dump(mode="json", by_alias=True)}, at, faults
            )
            return grant

    def revoke(self, grant: str, *, by: str, at: datetime) -> None:
        """Withdraw a grant and everything handed on from it. Whoever stands above it may.

        Raises:
            InputError: if there is no such grant, or `by` gave neither it nor one above it.
        """
        with self.turn() as book:
            faults = []
            if grant not in book.held:
                faults.append(Fault(where="grant", expected="a grant of the ledger", seen=grant))
            elif by not in {one.grant.grantor for one in book.chain(grant)}:
                faults.append(
                    Fault(where=f"grant {grant}", expected="one who gave it or one above it",
                          seen=by)
                )  # fmt: skip
            self._write("revoke", {"grant": grant}, at, faults)

    def stop(self, who: str, *, by: str, at: datetime) -> None:
        """Order an agent, and all who act under grants it handed on, to stop.

        A person may stop anyone; others only those they gave authority to, directly or not.

        Raises:
            InputError: if `by` has no say over them.
        """
        with self.turn() as book:
            self._write("stop", {"who": who, "by": by}, at, self._say_over(who, by, book))

    def resume(self, who: str, *, by: str, at: datetime) -> None:
        """Let an agent go on. Only a person can.

        Raises:
            InputError: if `by` is no person of the ledger.
        """
        faults = [] if by in self.people else [
            Fault(where=f"resume {who}", expected="a person of the ledger", seen=by)
        ]  # fmt: skip
        with self.turn():
            self._write("resume", {"who": who, "by": by}, at, faults)

    def answer(self, call: Digest, *, by: str, yes: bool, at: datetime) -> None:
        """Keep what a person says about one call: the one with this digest and no other.

        Raises:
            InputError: if `by` is no person of the ledger.
        """
        faults = [] if by in self.people else [
            Fault(where=f"answer to {call}", expected="a person of the ledger", seen=by)
        ]  # fmt: skip
        with self.turn():
            body = {"call": call, "by": by, "yes": yes, "at": instant_text(at)}
            self._write("answer", body, at, faults)

    def reserve(
        self,
        call: Digest,
        *,
        grant: str,
        agent: str,
        tool: str,
        session: str,
        amounts: Amounts,
        expires: datetime,
        at: datetime,
        answered: bool = False,
        beside: Amounts | None = None,
    ) -> Reserved:
        """Set a call's amounts aside, and return it.

        Args:
            call: digest of the call.
            grant: what it is done under.
            agent: who does it.
            tool: with what.
            session: the run it belongs to.
            amounts: what it needs, by unit.
            expires: from when on it may not begin any more.
            at: when this is asked.
            answered: whether it is approved because somebody said yes. What they said counts for
                one call and is used up here, whatever becomes of it.
            beside: what the run uses and the grant does not, because somebody approved it.

        Raises:
            InputError: if the grant does not carry it, with every reason.
        """
        with self.turn() as book:
            faults = self.usable(grant, agent=agent, at=at) or self.affordable(grant, amounts)
            faults += [
                Fault(where=f"call: {unit}", expected="0 or more", seen=str(amount))
                for unit, amount in sorted(amounts.items())
                if amount < 0
            ]
            if answered and not book.answers.get(call):
                faults.append(Fault(where="call", expected="an answer not yet used", seen="none"))
            name = f"call-{book.count + 1}"
            self._write("reserve", {
                "id": name, "call": call, "grant": grant, "session": session, "tool": tool,
                "amounts": dict(amounts), "expires": instant_text(expires), "answered": answered,
                "beside": dict(beside or {}),
            }, at, faults)  # fmt: skip
            return book.calls[name]

    def move(
        self,
        call: str,
        stage: Stage,
        *,
        at: datetime,
        spent: Amounts | None = None,
        token: str | None = None,
    ) -> Reserved:
        """Write down how far a call has come, and return it.

        Args:
            call: its id.
            stage: where it is now; never back, and not from an end.
            at: when.
            spent: for `done`: what it used in truth. More than was set aside is counted too; less
                goes back.
            token: for `prepared`: by which the tool knows the call.

        Raises:
            InputError: if it cannot come there from where it is.
        """
        with self.turn() as book:
            found = book.calls.get(call)
            seen = "no such call" if found is None else found.stage
            faults = [] if found and stage in _NEXT[found.stage] else [
                Fault(where=f"call {call}", expected=f"one that can become {stage}", seen=seen)
            ]  # fmt: skip
            body: dict[str, Any] = {"id": call, "stage": stage}
            if spent is not None:
                body["spent"] = dict(spent)
            if token is not None:
                body["token"] = token
            self._write("move", body, at, faults)
            return book.calls[call]

    def label(self, *, session: str | None, store: str | None, label: Label, at: datetime) -> None:
        """Join a label to a session's, to a store's, or to both. A label never goes down by it."""
        with self.turn() as book:
            news = (session is not None and not _covered(book.session(session).label, label)) or (
                store is not None and not _covered(book.stores.get(store, LOWEST), label)
            )
            if news:
                self._write("label", {
                    "session": session, "store": store, "label": label.model_dump(mode="json"),
                }, at, [])  # fmt: skip

    def anomaly(self, session: str, what: str, *, at: datetime) -> None:
        """Write down that something went otherwise than approved in a session."""
        with self.turn():
            self._write("anomaly", {"session": session, "what": what}, at, [])

    def usable(self, grant: str | None, *, agent: str, at: datetime) -> list[Fault]:
        """Return why a grant carries nothing for an agent now: another's, over, or stopped."""
        with self.turn() as book:
            where = f"grant {grant or '(none)'}"
            if grant is None or grant not in book.held:
                return [Fault(where=where, expected="a grant of the ledger", seen="none")]
            chain = book.chain(grant)
            return [*_whose(chain, agent), *_over(chain, _later(book, at)), *_still(chain, book)]

    def affordable(self, grant: str, amounts: Amounts) -> list[Fault]:
        """Return a fault for every unit of which a grant has not enough left."""
        with self.turn() as book:
            return [
                Fault(where=f"grant {grant}: {unit}", expected=f"at most {left}", seen=str(amount))
                for unit, amount in sorted(amounts.items())
                if (left := book.left(grant, unit)) is not None and amount and left < amount
            ]

    def covering(self, grant: str, act: str, resources: Sequence[str]) -> list[Fault]:
        """Return a fault for the act, and for every resource, that a link does not hand on."""
        with self.turn() as book:
            above = self.acts.above(act)
            links = [held.grant for held in book.chain(grant)]
        faults = [
            Fault(where=f"grant {one.id}: acts", expected=", ".join(one.acts) or "none", seen=act)
            for one in links
            if above.isdisjoint(one.acts)
        ]
        return faults + [
            Fault(where=f"grant {one.id}: resources",
                  expected=", ".join(one.resources or ()) or "none", seen=resource)
            for one in links for resource in resources
            if not names_resource(one.resources, resource)
        ]  # fmt: skip

    def grants(self, grant: str) -> tuple[Grant, ...]:
        """Return the chain of a grant from its root, each with whether it is withdrawn."""
        with self.turn() as book:
            return tuple(
                h.grant.model_copy(update={"revoked": h.revoked}) for h in book.chain(grant)
            )

    def _form(self, grant: Grant, by: str, book: Book) -> Iterator[Fault]:
        where = f"grant {grant.id or '(no id)'}"
        if not grant.id or grant.id in book.held:
            yield Fault(where=where, expected="an id that was never used", seen=repr(grant.id))
        if by != grant.grantor:
            yield Fault(where=f"{where}: grantor", expected=f"{by}, who gives it",
                        seen=grant.grantor)  # fmt: skip
        if grant.revoked:
            yield Fault(where=where, expected="a grant that holds", seen="withdrawn")
        for act in grant.acts:
            if act not in self.acts:
                yield Fault(where=f"{where}: acts", expected="an act of the ontology", seen=act)
        for unit, most in grant.budget.items():
            if most is not None and most < 0:
                yield Fault(where=f"{where}: budget.{unit}", expected="0 or more", seen=str(most))

    def _authority(self, grant: Grant, book: Book, now: datetime) -> Iterator[Fault]:
        where = f"grant {grant.id}"
        if grant.expires is not None and grant.expires <= now:
            yield Fault(where=f"{where}: expires", expected=f"after {instant_text(now)}",
                        seen=instant_text(grant.expires))  # fmt: skip
        if grant.parent is None:
            if grant.grantor not in self.people or grant.grantor_is not in ("human", "deployer"):
                yield Fault(where=f"{where}: grantor", expected="a person of the ledger",
                            seen=f"{grant.grantor}, {grant.grantor_is}",
                            do="Name the grant it is handed on from.")  # fmt: skip
            if grant.grantee in self.people:
                yield Fault(where=f"{where}: grantee", expected="an agent", seen=grant.grantee)
            return
        if grant.parent not in book.held:
            yield Fault(where=f"{where}: parent", expected="a grant of the ledger",
                        seen=grant.parent)  # fmt: skip
            return
        yield from self.usable(grant.parent, agent=grant.grantor, at=now)
        chain = book.chain(grant.parent)
        if grant.grantee in self.people or grant.grantee in _holders(chain):
            yield Fault(where=f"{where}: grantee", expected="somebody not in its chain",
                        seen=grant.grantee)  # fmt: skip
        if grant.grantor_is in ("human", "deployer"):
            yield Fault(where=f"{where}: grantor_is", expected="an agent hands it on",
                        seen=grant.grantor_is)  # fmt: skip
        parent = chain[-1].grant
        for what in wider(grant, parent, self.acts):
            yield Fault(where=f"{where}: {what}", expected=f"no wider than {parent.id}",
                        seen="wider")  # fmt: skip
        limited = {unit: most for unit, most in grant.budget.items() if most is not None}
        yield from self.affordable(parent.id, limited)

    def _say_over(self, who: str, by: str, book: Book) -> list[Fault]:
        if by in self.people:
            return []
        # Reading chains from their roots: an agent has a say over those it stands above.
        chains = [book.chain(name) for name, held in book.held.items() if held.grant.grantee == who]
        if any(by in _holders(chain[:-1]) or by == chain[-1].grant.grantor for chain in chains):
            return []
        return [Fault(where=f"stop {who}", expected="one who gave them authority", seen=by)]

    def _write(self, kind: str, body: dict[str, Any], at: datetime, faults: list[Fault]) -> None:
        if faults:
            raise InputError(faults)
        event = Event(kind, body, instant_text(_later(self._book, at)))
        self.journal.append(event)
        self._book.apply(event)


def _later(book: Book, at: datetime) -> datetime:
    """Return the later of a time and the latest the ledger has seen."""
    return at if book.now is None else max(book.now, at)


def _whose(chain: Sequence[Held], agent: str) -> Iterator[Fault]:
    last = chain[-1].grant
    if last.grantee != agent:
        yield Fault(where=f"grant {last.id}", expected=f"given to {last.grantee}", seen=agent)


def _over(chain: Sequence[Held], now: datetime) -> Iterator[Fault]:
    for held in chain:
        where, expires = f"grant {held.grant.id}", held.grant.expires
        if held.revoked:
            yield Fault(where=where, expected="one that holds", seen="withdrawn")
        if expires is not None and expires <= now:
            yield Fault(where=where, expected=f"before {instant_text(expires)}",
                        seen=instant_text(now))  # fmt: skip


def _still(chain: Sequence[Held], book: Book) -> Iterator[Fault]:
    for who in sorted(book.stopped.intersection(_holders(chain))):
        yield Fault(where=f"grant {chain[-1].grant.id}", expected=f"{who} at work",
                    seen=STOPPED)  # fmt: skip


def _holders(chain: Sequence[Held]) -> set[str]:
    return {chain[0].grant.grantor, *(held.grant.grantee for held in chain)} if chain else set()


def _covered(known: Label, label: Label) -> bool:
    return joined((known, label)) == known


_NEXT: dict[Stage, frozenset[Stage]] = {
    "reserved": frozenset({"begun", "released"}),
    "begun": frozenset({"prepared", "done", "released"}),
    "prepared": frozenset({"decided", "released"}),
    "decided": frozenset({"done"}),
    "done": frozenset(),
    "released": frozenset(),
}


def _issue(book: Book, body: Mapping[str, Any]) -> None:
    grant = Grant.model_validate(body["grant"])
    held = book.held[grant.id] = Held(grant)
    if grant.parent is None:
        return
    parent = book.held[grant.parent]
    parent.children.append(grant.id)
    for unit in grant.budget:
        amount = _hold(held, unit)
        before = _hold(parent, unit)
        parent.handed[unit] = parent.handed.get(unit, 0) + amount
        book._carry(parent, unit, before)


def _reserve(book: Book, body: Mapping[str, Any]) -> None:
    call = Reserved(
        id=body["id"], call=body["call"], grant=body["grant"], session=body["session"],
        tool=body["tool"], amounts=dict(body["amounts"]), expires=instant_of(body["expires"]),
        beside=dict(body["beside"]),
    )  # fmt: skip
    book.calls[call.id] = call
    if body["answered"]:
        book.answers.pop(call.call, None)
    session = book.session(call.session)
    session.calls.append(call.id)
    for unit, amount in call.amounts.items():
        book.take(call.grant, unit, amount)
        session.spent[unit] = session.spent.get(unit, 0) + amount
    for unit, amount in call.beside.items():
        session.spent[unit] = session.spent.get(unit, 0) + amount


def _move(book: Book, body: Mapping[str, Any]) -> None:
    call = book.calls[body["id"]]
    call.stage = body["stage"]
    call.token = body.get("token", call.token)
    if call.stage not in ("done", "released"):
        return
    spent = body.get("spent", call.amounts if call.stage == "done" else {})
    session = book.session(call.session)
    for unit in {*call.amounts, *spent}:
        change = spent.get(unit, 0) - call.amounts.get(unit, 0)
        book.take(call.grant, unit, change)
        session.spent[unit] = session.spent.get(unit, 0) + change
    call.amounts = dict(spent)
    if call.stage == "released":
        for unit, amount in call.beside.items():
            session.spent[unit] -= amount


def _answer(book: Book, body: Mapping[str, Any]) -> None:
    # The time of the event itself: the book has taken it in already.
    at = instant_of(body["at"])
    book.answers.setdefault(body["call"], []).append(Answer(body["by"], body["yes"], at))


def _label(book: Book, body: Mapping[str, Any]) -> None:
    label = Label.model_validate(body["label"])
    if body["session"] is not None:
        session = book.session(body["session"])
        session.label = joined((session.label, label))
    if body["store"] is not None:
        book.stores[body["store"]] = joined((book.stores.get(body["store"], LOWEST), label))


def _anomaly(book: Book, body: Mapping[str, Any]) -> None:
    book.session(body["session"]).anomaly = True


_TAKERS: dict[str, Callable[[Book, Mapping[str, Any]], None]] = {
    "issue": _issue,
    "revoke": lambda book, body: book.revoke(body["grant"]),
    "stop": lambda book, body: book.stopped.add(body["who"]),
    "resume": lambda book, body: book.stopped.discard(body["who"]),
    "reserve": _reserve,
    "move": _move,
    "answer": _answer,
    "label": _label,
    "anomaly": _anomaly,
}
