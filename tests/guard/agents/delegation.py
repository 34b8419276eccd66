"""Random delegation, and a second opinion about it that is written another way.

`Naive` keeps nothing but the list of what happened, and answers every question by reading all of it
again from the first line: no counters, no running totals, no tree. It follows the words of the
rules (D1-D6), not the ledger's code.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.norms.builders import vocabulary

from normwright.guard.agents.journal import FileJournal
from normwright.guard.agents.ledger import GrantLedger
from normwright.norms import Acts
from normwright.records import Grant, InputError

START = datetime(2027, 1, 1, tzinfo=UTC)
KINDS = {"operate": [], "read": ["operate"], "change": ["operate"], "pay": ["change"],
         "erase": ["change"], "talk": []}  # fmt: skip
ACTS = Acts(vocabulary(KINDS, {}))
PEOPLE = ("ana", "rui")
AGENTS = ("a", "b", "c", "d", "e")
UNITS = ("money", "mails")
PLACES = ("*", "file:*", "file:/x/*", "file:/x/1", "file:/y/*", "mail:*", "mail:ana")
THINGS = ("file:/x/1", "file:/x/2", "file:/y/1", "mail:ana", "mail:rui")


class Naive:
    """What may be done, told from the log alone."""

    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []

    def now(self, at: datetime) -> datetime:
        times: list[datetime] = [line[1] for line in self.log]
        return max([at, *times])

    def line(self, name: str | None) -> list[Grant]:
        """The grant, the one it comes from, and so on to the root."""
        given = {line[2].id: line[2] for line in self.log if line[0] == "issue"}
        found = []
        while name is not None:
            found.append(given[name])
            name = given[name].parent
        return found

    def known(self, name: str) -> bool:
        return any(line[0] == "issue" and line[2].id == name for line in self.log)

    def withdrawn(self, name: str) -> bool:
        gone = {line[2] for line in self.log if line[0] == "revoke"}
        return any(one.id in gone for one in self.line(name))

    def halted(self, who: str) -> bool:
        orders = [line[0] for line in self.log if line[0] in ("stop", "resume") and line[2] == who]
        return bool(orders) and orders[-1] == "stop"

    def alive(self, name: str, agent: str, at: datetime) -> bool:
        if not self.known(name):
            return False
        line = self.line(name)
        names = [one.grantee for one in line] + [line[-1].grantor]
        now = self.now(at)
        return (
            line[0].grantee == agent
            and not self.withdrawn(name)
            and all(one.expires is None or now < one.expires for one in line)
            and not any(self.halted(who) for who in names)
        )

    def burnt(self, name: str, unit: str) -> int:
        """What calls under this very grant have used or are using."""
        total = 0
        for line in self.log:
            if line[0] == "call" and line[3] == name:
                end = [e for e in self.log if e[0] == "end" and e[2] == line[2]]
                total += end[0][3].get(unit, 0) if end else line[4].get(unit, 0)
        return total

    def tied(self, name: str, unit: str) -> int:
        """What a grant keeps others from using: its budget while it lives, what it used after."""
        children = [c[2].id for c in self.log if c[0] == "issue" and c[2].parent == name]
        inside = self.burnt(name, unit) + sum(self.tied(child, unit) for child in children)
        most = self.line(name)[0].budget.get(unit, 0)
        return inside if most is None or self.withdrawn(name) else max(most, inside)

    def room(self, name: str, unit: str, amount: int) -> bool:
        if amount == 0:
            return True
        for one in self.line(name):
            most = one.budget.get(unit, 0)
            if most is None:
                continue
            children = [c[2].id for c in self.log if c[0] == "issue" and c[2].parent == one.id]
            inside = self.burnt(one.id, unit) + sum(self.tied(child, unit) for child in children)
            if inside + (amount if one.id == name else 0) > most:
                return False
        return True

    def may_issue(self, grant: Grant, by: str, at: datetime) -> bool:
        if self.known(grant.id) or by != grant.grantor or grant.grantee in PEOPLE:
            return False
        if grant.expires is not None and grant.expires <= self.now(at):
            return False
        if grant.parent is None:
            return grant.grantor in PEOPLE and grant.grantor_is == "human"
        if grant.grantor_is == "human" or not self.alive(grant.parent, grant.grantor, at):
            return False
        line = self.line(grant.parent)
        above = line[0]
        if grant.grantee in [one.grantee for one in line] + [line[-1].grantor]:
            return False
        if not above.redelegable or (above.depth is not None and (
            grant.depth is None or grant.depth >= above.depth)):  # fmt: skip
            return False
        if above.expires is not None and (grant.expires is None or grant.expires > above.expires):
            return False
        if any(not _reach(act, above.acts) for act in grant.acts):
            return False
        if not _inside(grant.resources, above.resources):
            return False
        for unit, most in grant.budget.items():
            has = above.budget.get(unit, 0)
            if has is not None and (most is None or most > has):
                return False
            if most is not None and not self.room(above.id, unit, most):
                return False
        return True

    def may_act(
        self, name: str, agent: str, act: str, thing: str, amounts: dict[str, int], at: datetime
    ) -> bool:
        return (
            self.alive(name, agent, at)
            and all(_reach(act, one.acts) for one in self.line(name))
            and all(_inside((thing,), one.resources) for one in self.line(name))
            and all(self.room(name, unit, amount) for unit, amount in amounts.items())
        )


def _reach(act: str, acts: tuple[str, ...]) -> bool:
    """Whether an act, or one it is a kind of, is among acts."""
    return act in acts or any(_reach(parent, acts) for parent in KINDS[act])


def _inside(child: tuple[str, ...] | None, parent: tuple[str, ...] | None) -> bool:
    """Whether all that one names is named by the other: by trying names, not by comparing."""
    if parent is None or child is None:
        return parent is None
    probes = [p.replace("*", end) if p.endswith("*") else p
              for p in child for end in ("", "~", "/x/1", "x")]  # fmt: skip
    return all(
        any(probe == q or (q[-1:] == "*" and probe[: len(q) - 1] == q[:-1]) for q in parent)
        for probe in probes
    )


@dataclass
class Tally:
    """What a run of the fuzz counted."""

    acts: int = 0
    """Calls that agents asked for."""
    made: int = 0
    issued: int = 0
    refused_grants: int = 0
    withdrawn: int = 0
    overdrawn: int = 0
    restarts: int = 0
    breaches: list[str] = field(default_factory=list)


def episodes(seed: int, acts: int, *, folder: Path | None = None) -> Tally:
    """Let random agents act until so many calls were asked for, and compare every answer.

    With a folder the ledger is kept there, and started anew from its file again and again.
    """
    rng, tally = random.Random(seed), Tally()
    while tally.acts < acts and len(tally.breaches) < 5:
        number = f"{tally.acts}.jsonl"
        _episode(rng, tally, None if folder is None else folder / number)
    return tally


def _ledger(path: Path | None) -> GrantLedger:
    journal = None if path is None else FileJournal(path)
    return GrantLedger(people=PEOPLE, acts=ACTS, journal=journal)


def _episode(rng: random.Random, tally: Tally, path: Path | None) -> None:
    ledger = _ledger(path)
    naive = Naive()
    clock = START
    live: list[str] = []
    for step in range(rng.randint(20, 60)):
        # Clocks are set back now and then.
        clock += timedelta(seconds=rng.choice((0, 1, 1, 5, 30, -20)))
        move = rng.random()
        if path is not None and rng.random() < 0.2:
            ledger = _ledger(path)
            tally.restarts += 1
        if move < 0.3 or step < 3:
            _issue(rng, ledger, naive, clock, tally, step)
        elif move < 0.36:
            _revoke(rng, ledger, naive, clock, tally)
        elif move < 0.4:
            _halt(rng, ledger, naive, clock)
        else:
            _act(rng, ledger, naive, clock, tally, live)
    _conserved(naive, tally)


def _issue(rng: random.Random, ledger: GrantLedger, naive: Naive, at: datetime, tally: Tally,
           step: int) -> None:  # fmt: skip
    grants = [line[2] for line in naive.log if line[0] == "issue"]
    parent = rng.choice(grants) if grants and rng.random() < 0.75 else None
    grantor = rng.choice(PEOPLE) if parent is None else parent.grantee
    if rng.random() < 0.08:
        grantor = rng.choice((*PEOPLE, *AGENTS))
    grant = Grant(
        id=f"g{step}" if rng.random() < 0.97 else "g0",
        parent=None if parent is None else parent.id,
        grantor=grantor,
        grantee=rng.choice(AGENTS) if rng.random() < 0.97 else "rui",
        grantor_is="human" if (parent is None) == (rng.random() < 0.97) else "agent",
        acts=tuple(rng.sample([*KINDS], rng.randint(1, 3))) if parent is None or rng.random() < 0.3
        else tuple(rng.sample(parent.acts, 1)),
        resources=None if rng.random() < (0.5 if parent is None else 0.2)
        else tuple(rng.sample(PLACES, rng.randint(1, 2))) if parent is None or not parent.resources
        or rng.random() < 0.3 else parent.resources[:1],
        expires=None if rng.random() < (0.6 if parent is None else 0.2)
        else at + timedelta(seconds=rng.randint(-5, 200)) if parent is None
        or parent.expires is None or rng.random() < 0.3 else parent.expires,
        redelegable=rng.random() < 0.8,
        depth=rng.choice((None, None, 1, 2, 3)) if parent is None or parent.depth is None
        else rng.choice((parent.depth - 1 if parent.depth else 0, 0, parent.depth)),
        budget=_budget(rng, parent),
    )  # fmt: skip
    by = grantor if rng.random() < 0.97 else rng.choice((*PEOPLE, *AGENTS))
    expected = naive.may_issue(grant, by, at)
    try:
        ledger.issue(grant, by=by, at=at)
    except InputError as error:
        seen, why = False, str(error)
    else:
        seen, why = True, ""
    if seen != expected:
        tally.breaches.append(f"issue {grant!r}: ledger {seen}, second opinion {expected} {why}")
    if seen:
        tally.issued += 1
        naive.log.append(("issue", naive.now(at), grant))
    else:
        tally.refused_grants += 1


def _budget(rng: random.Random, parent: Grant | None) -> dict[str, int | None]:
    budget: dict[str, int | None] = {}
    for unit in UNITS:
        draw = rng.random()
        if parent is None:
            if draw < 0.9:
                budget[unit] = None if draw < 0.1 else rng.randint(0, 30)
        elif draw < 0.9:
            most = parent.budget.get(unit, 0)
            budget[unit] = None if draw < 0.05 else rng.randint(0, 12 if most is None else most + 1)
    return budget


def _revoke(rng: random.Random, ledger: GrantLedger, naive: Naive, at: datetime,
            tally: Tally) -> None:  # fmt: skip
    grants = [line[2].id for line in naive.log if line[0] == "issue"]
    if not grants:
        return
    name = rng.choice(grants)
    above = {one.grantor for one in naive.line(name)}
    by = rng.choice(sorted(above)) if rng.random() < 0.9 else rng.choice((*PEOPLE, *AGENTS))
    try:
        ledger.revoke(name, by=by, at=at)
    except InputError:
        seen = False
    else:
        seen = True
    if seen != (by in above):
        tally.breaches.append(f"revoke {name} by {by}: ledger {seen}")
    if seen:
        tally.withdrawn += 1
        naive.log.append(("revoke", naive.now(at), name))


def _halt(rng: random.Random, ledger: GrantLedger, naive: Naive, at: datetime) -> None:
    stopped = [who for who in AGENTS if naive.halted(who)]
    who = rng.choice(stopped) if stopped and rng.random() < 0.7 else rng.choice(AGENTS)
    word = "resume" if who in stopped else "stop"
    (ledger.resume if word == "resume" else ledger.stop)(who, by="ana", at=at)
    naive.log.append((word, naive.now(at), who))


def _act(rng: random.Random, ledger: GrantLedger, naive: Naive, at: datetime, tally: Tally,
         live: list[str]) -> None:  # fmt: skip
    grants = [line[2] for line in naive.log if line[0] == "issue"]
    if live and rng.random() < 0.3:
        _end(rng, ledger, naive, at, tally, live)
        return
    grant = rng.choice(grants) if grants else None
    name = grant.id if grant and rng.random() < 0.97 else "nobody"
    agent = grant.grantee if grant and rng.random() < 0.93 else rng.choice(AGENTS)
    act = rng.choice(grant.acts) if grant and rng.random() < 0.6 else rng.choice([*KINDS])
    fit = [t for t in THINGS if grant and _inside((t,), grant.resources)]
    thing = rng.choice(fit) if fit and rng.random() < 0.8 else rng.choice(THINGS)
    amounts = {u: rng.choice((0, 1, 1, 2, 5)) for u in UNITS if rng.random() < 0.6}
    tally.acts += 1
    expected = naive.may_act(name, agent, act, thing, amounts, at)
    call = None
    if ledger.usable(name, agent=agent, at=at) == [] and not ledger.covering(name, act, [thing]):
        try:
            call = ledger.reserve("sha256:0", grant=name, agent=agent, tool=act, session=agent,
                                  amounts=amounts, expires=at, at=at)  # fmt: skip
        except InputError:
            call = None
    if (call is not None) != expected:
        tally.breaches.append(
            f"{agent} {act} {thing} {amounts} under {name}: ledger {call is not None}, "
            f"second opinion {expected}"
        )
    if call is not None:
        tally.made += 1
        live.append(call.id)
        naive.log.append(("call", naive.now(at), call.id, name, amounts))


def _end(rng: random.Random, ledger: GrantLedger, naive: Naive, at: datetime, tally: Tally,
         live: list[str]) -> None:  # fmt: skip
    name = live.pop(rng.randrange(len(live)))
    amounts = next(line[4] for line in naive.log if line[0] == "call" and line[2] == name)
    draw = rng.random()
    if draw < 0.25:
        ledger.move(name, "released", at=at)
        naive.log.append(("end", naive.now(at), name, {}))
        return
    spent = dict(amounts)
    if draw < 0.35:
        spent["money"] = spent.get("money", 0) + rng.randint(1, 4)
        tally.overdrawn += 1
    elif draw < 0.5:
        spent = {unit: amount // 2 for unit, amount in amounts.items()}
    ledger.move(name, "begun", at=at)
    ledger.move(name, "done", at=at, spent=spent)
    naive.log.append(("end", naive.now(at), name, spent))


def _conserved(naive: Naive, tally: Tally) -> None:
    """What was used below a root is at most what a person gave, save what tools overdrew."""
    over = {line[2]: line[3] for line in naive.log if line[0] == "end"}
    for root in (x[2] for x in naive.log if x[0] == "issue" and x[2].parent is None):
        for unit in UNITS:
            most = root.budget.get(unit, 0)
            calls = [x for x in naive.log if x[0] == "call" and naive.line(x[3])[-1] is root]
            said = sum(min(x[4].get(unit, 0), over.get(x[2], x[4]).get(unit, 0)) for x in calls)
            if most is not None and said > most:
                tally.breaches.append(f"{said} {unit} used below {root.id}, which has {most}")


def planted() -> Iterator[tuple[str, str, Any]]:
    """Yield bugs to plant: what is wrong, the name in the ledger, and what takes its place."""
    from normwright.guard.agents import ledger as room

    yield (
        "revoking gives back what was spent",
        "_hold",
        lambda held, unit: (
            0 if held.revoked else max(held.grant.budget.get(unit, 0) or 0, held.taken(unit))
        ),
    )
    yield "handing on sets nothing aside", "_hold", lambda held, unit: held.taken(unit)
    yield "a child may be wider", "wider", lambda *_: ()
    over = room._over
    yield "what has run out still holds", "_over", lambda chain, now: over(chain, START)
    yield (
        "what was withdrawn still holds",
        "_over",
        lambda chain, now: (fault for fault in over(chain, now) if fault.seen != "withdrawn"),
    )
    yield "anybody may use a grant", "_whose", lambda chain, agent: iter(())
    yield "stop reaches the agent alone", "_holders", lambda chain: {chain[-1].grant.grantee}
    yield "time may run backwards", "_later", lambda book, at: at
    yield "any resource will do", "names_resource", lambda patterns, resource: True


def unplugged(ledger: type[GrantLedger]) -> Iterator[tuple[str, str, Any]]:
    """Yield bugs in methods: what is wrong, the method, and what takes its place."""
    from normwright.guard.agents.ledger import Book

    def shallow(self: Book, grant: str) -> None:
        held = self.held[grant]
        held.revoked = True

    def last_only(self: GrantLedger, grant: str, act: str, resources: Any) -> list[Any]:
        with self.turn() as book:
            link = book.held[grant].grant
        return [] if self.acts.above(act) & set(link.acts) else [object()]

    yield "withdrawing stops at the grant itself", "Book.revoke", shallow
    yield "only the last grant's acts count", "GrantLedger.covering", last_only
    yield "budgets are not looked at", "GrantLedger.affordable", lambda self, grant, amounts: []
