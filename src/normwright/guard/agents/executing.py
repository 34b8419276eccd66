"""Make exactly the call that was approved, look at what it did, and write both down.

A call that can be undone is begun, made and closed. One that cannot is made in two phases: the tool
prepares it without any effect, the ledger and those entitled are asked again, and only then it is
written down that it is to be done, and done (Gray, "Notes on data base operating systems", 1978).
After a crash, what was not decided is aborted, and what was decided is done.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeAlias, runtime_checkable

from normwright.guard.agents.approving import APPROVED, Approver, History
from normwright.guard.agents.ledger import GrantLedger, Reserved
from normwright.guard.agents.manifest import amounts_of, call_digest, normalised
from normwright.guard.agents.provenance import Provenance, Suspecting
from normwright.records import (
    CallVerdict,
    Fault,
    InputError,
    Label,
    NormwrightError,
    ToolCall,
)

Clock: TypeAlias = Callable[[], datetime]
Tool: TypeAlias = Callable[[dict[str, Any]], Any]
Asked: TypeAlias = Callable[[CallVerdict], bool]
"""Asks whoever owns the norm whether a prepared call is to be done."""


@runtime_checkable
class PreparingTool(Protocol):
    """A tool that can get a call ready without doing it."""

    def prepare(self, arguments: dict[str, Any], *, id: str) -> str:
        """Get it ready, without any effect that others see, and return a token for it.

        The id is that of the call in the ledger; a call prepared under it before is prepared anew.
        """
        ...

    def commit(self, token: str) -> Any:
        """Do it. After a crash it is told again: doing it twice has to be doing it once."""
        ...

    def abort(self, token: str) -> None:
        """Undo the getting ready; nothing to undo is no error. The token may be the call's id."""
        ...


class CallRefused(NormwrightError):
    """A call was not made. The verdict or the fault says why; nothing was done."""

    def __init__(self, why: str, *, verdict: CallVerdict | None = None) -> None:
        self.verdict = verdict
        super().__init__(why)


@dataclass(frozen=True)
class Ticket:
    """An approved call, with its budgets set aside."""

    id: str
    call: ToolCall
    """As it was approved: what is executed is this and nothing else."""
    verdict: CallVerdict


@dataclass(frozen=True)
class Done:
    """A call that was made."""

    result: Any
    label: Label
    """Label of what came back, and of all that the run has read so far."""
    spent: Mapping[str, int]
    """What it used in truth."""
    breaches: tuple[str, ...] = ()
    """Where it did otherwise than approved; the run ends with it."""


@dataclass(frozen=True)
class Recovered:
    """What was found under way after a crash, by id of the call."""

    aborted: tuple[str, ...]
    """Prepared, not decided: nothing was done."""
    done: tuple[str, ...]
    """Decided: done now."""
    doubtful: tuple[str, ...]
    """Begun in one phase: it may have been done. What it needs stays used, and it is not made
    again; a person has to look."""


class AgentGuard:
    """The guard between agents and tools: it approves, sets aside, executes and observes.

    Args:
        approver: the policy and the manifest, made ready.
        ledger: grants and what was used under them.
        clock: what time it is, with its zone.
        suspecting: whether a text gives orders to whoever reads it. With it the guard keeps where
            the values of calls were read, from `hear` on; None: it does not.
    """

    def __init__(
        self,
        approver: Approver,
        ledger: GrantLedger,
        *,
        clock: Clock,
        suspecting: Suspecting | None = None,
    ) -> None:
        self.approver = approver
        self.ledger = ledger
        self.clock = clock
        self.suspecting = suspecting
        self._heard: dict[str, Provenance] = {}

    def hear(self, session: str, words: str) -> None:
        """Take in what the person says in a run; only whoever runs the agent may call this."""
        self._heard[session] = self._heard.get(session, Provenance()).with_words(words)

    def _history(self, session: str) -> History:
        history = History.of(self.ledger, session)
        if self.suspecting is None:
            return history
        return replace(history, provenance=self._heard.get(session, Provenance()))

    def approve(self, call: ToolCall) -> tuple[CallVerdict, Ticket | None]:
        """Return the verdict and, where the call may be made, the ticket to make it with.

        Approving and setting aside are one step: what two calls need together is never approved
        for both where it is there only once.
        """
        with self.ledger.turn():
            now = self.clock()
            call = call.model_copy(update={"at": now})
            verdict = self.approver.approve(call, self.ledger, self._history(call.session))
            if verdict.outcome not in ("allow", "modify"):
                return verdict, None
            return verdict, self._ticket(call, verdict, now)

    def _ticket(self, call: ToolCall, verdict: CallVerdict, now: datetime) -> Ticket:
        assert verdict.expires is not None
        assert verdict.grant is not None
        tool = self.approver.manifest.tools[call.tool]
        exact = normalised(call, tool)
        added = {pointer.removeprefix("/"): value for pointer, value in verdict.adds.items()}
        exact = exact.model_copy(update={"arguments": {**exact.arguments, **added}})
        beside = {unit: verdict.reserves[unit] for unit in verdict.lacking}
        reserved = self.ledger.reserve(
            verdict.call,
            grant=verdict.grant,
            agent=call.agent,
            tool=call.tool,
            session=call.session,
            amounts={u: n for u, n in verdict.reserves.items() if u not in beside},
            beside=beside,
            expires=verdict.expires,
            at=now,
            answered=any(f.name == APPROVED and f.origin == "human" for f in verdict.facts),
        )
        return Ticket(reserved.id, exact, verdict)

    def execute(
        self,
        ticket: Ticket,
        tool: Tool | PreparingTool,
        *,
        call: ToolCall | None = None,
        asked: Asked | None = None,
    ) -> Done:
        """Make an approved call, and return what came back with its label.

        Args:
            ticket: from `approve`.
            tool: what does it; it is given a copy of the approved arguments.
            call: the call as whoever executes it is about to make it, where that is not the guard.
                If it is not the one approved, for instance because the tool rewrote its arguments,
                nothing is done.
            asked: for what cannot be undone: asked once it is prepared; no answer but True does it.

        Raises:
            CallRefused: if it may not be made any more: changed, run out, withdrawn, stopped, or
                refused by those asked. What was set aside goes back.
            Exception: whatever the tool raises. What it needed stays used, for it may have been
                done in part.
        """
        if isinstance(tool, PreparingTool):
            arguments = self.begin(ticket, call=call)
            return self._in_two(ticket, tool, arguments, asked)
        self._same(ticket, call)
        self._consent(ticket, asked)
        return self.finish(ticket, tool(self.begin(ticket, call=call)))

    def begin(self, ticket: Ticket, *, call: ToolCall | None = None) -> dict[str, Any]:
        """Write down that a call is under way, and return the arguments to make it with.

        For tools that are not made by a function here; `finish` closes it. Labels are joined before
        anything is done: after a crash data may be there, and a label that came too late would let
        them go.

        Raises:
            CallRefused: as `execute`.
        """
        self._same(ticket, call)
        exact, verdict = ticket.call, ticket.verdict
        with self.ledger.turn():
            now = self.clock()
            self._still(ticket, now)
            self.ledger.move(ticket.id, "begun", at=now)
            self.ledger.label(session=exact.session, store=None, label=verdict.reads, at=now)
            for store in self.approver.stores_written(exact):
                self.ledger.label(session=None, store=store, label=verdict.writes, at=now)
        # An agent or a tool that keeps the arguments cannot change what is executed.
        return copy.deepcopy(exact.arguments)

    def finish(self, ticket: Ticket, result: Any) -> Done:
        """Close a call with what it did in truth; whatever it did otherwise ends the run."""
        verdict, call = ticket.verdict, ticket.call
        spec = self.approver.manifest.tools[call.tool]
        breaches: list[Fault] = []
        seen = amounts_of(spec.observes, result, breaches)
        spent = {**verdict.reserves, **seen}
        over = sorted(unit for unit in spent if spent[unit] > verdict.reserves.get(unit, 0))
        told = [f"{unit}: more than was approved" for unit in over]
        told += [f"{fault.where}: {fault.expected} was not told" for fault in breaches]
        now = self.clock()
        if self.suspecting is not None:
            self._heard[call.session] = self._heard.get(call.session, Provenance()).with_result(
                spec, call.arguments, result, suspecting=self.suspecting
            )
        with self.ledger.turn() as book:
            counted = {unit: n for unit, n in spent.items() if unit not in verdict.lacking}
            self.ledger.move(ticket.id, "done", at=now, spent=counted)
            for what in told:
                self.ledger.anomaly(call.session, what, at=now)
            label = book.session(call.session).label
        return Done(result=result, label=label, spent=spent, breaches=tuple(told))

    def release(self, ticket: Ticket) -> None:
        """Give back what was set aside for a call that is not made after all.

        Raises:
            InputError: if it was begun.
        """
        with self.ledger.turn() as book:
            stage = book.calls[ticket.id].stage
            if stage != "reserved":
                raise InputError(
                    [Fault(where=f"call {ticket.id}", expected="not begun", seen=stage)]
                )
            self.ledger.move(ticket.id, "released", at=self.clock())

    def recover(self, tools: Mapping[str, PreparingTool]) -> Recovered:
        """Bring what a crash left under way to its end, and return what was found.

        Args:
            tools: those that prepare calls, by name.
        """
        with self.ledger.turn() as book:
            # What was approved and never begun runs out by itself, but its budgets are wanted.
            under_way = [c for c in book.calls.values() if c.stage not in ("done", "released")]
        aborted, done, doubtful = [], [], []
        for call in under_way:
            tool = tools.get(call.tool)
            if call.stage == "decided" and tool is not None and call.token is not None:
                tool.commit(call.token)
                self.ledger.move(call.id, "done", at=self.clock())
                done.append(call.id)
            elif call.stage == "reserved" or (tool is not None and call.stage != "decided"):
                if tool is not None:
                    tool.abort(call.token or call.id)
                self.ledger.move(call.id, "released", at=self.clock())
                aborted.append(call.id)
            else:
                doubtful.append(call.id)
        return Recovered(tuple(aborted), tuple(done), tuple(doubtful))

    def _same(self, ticket: Ticket, call: ToolCall | None) -> None:
        """Release and refuse where what is about to be made is not what was approved."""
        found = ticket.call if call is None else call
        try:
            spec = self.approver.manifest.tools.get(found.tool)
            seen = call_digest(found if spec is None else normalised(found, spec))
        except InputError:
            seen = "something that cannot be read"
        if seen != ticket.verdict.call:
            self._give_up(ticket, "the call was changed after it was approved")

    def _still(self, ticket: Ticket, now: datetime) -> None:
        """Release and refuse where the approval or the authority behind it is over."""
        call, expires = ticket.call, ticket.verdict.expires
        with self.ledger.turn() as book:
            now = now if book.now is None else max(now, book.now)
        if expires is None or expires <= now:
            self._give_up(ticket, "the approval has run out")
        faults = self.ledger.usable(call.grant, agent=call.agent, at=now)
        if faults:
            self._give_up(ticket, f"{faults[0].where}: {faults[0].seen}")
        with self.ledger.turn() as book:
            if book.session(call.session).anomaly:
                self._give_up(ticket, "an earlier call went otherwise")

    def _consent(self, ticket: Ticket, asked: Asked | None) -> None:
        if ticket.verdict.two_phase and asked is not None and asked(ticket.verdict) is not True:
            self._give_up(ticket, "it cannot be undone, and those asked did not agree")

    def _give_up(self, ticket: Ticket, why: str) -> None:
        self.ledger.move(ticket.id, "released", at=self.clock())
        raise CallRefused(why, verdict=ticket.verdict)

    def _in_two(
        self, ticket: Ticket, tool: PreparingTool, arguments: dict[str, Any], asked: Asked | None
    ) -> Done:
        token = ticket.id
        try:
            token = tool.prepare(arguments, id=ticket.id)
            self.ledger.move(ticket.id, "prepared", at=self.clock(), token=token)
            self._consent(ticket, asked)
            # The order to stop, or the end of a grant, may have come while it was prepared. That
            # nothing comes between looking and deciding is what the turn is for.
            with self.ledger.turn():
                self._still(ticket, self.clock())
                self.ledger.move(ticket.id, "decided", at=self.clock())
        except CallRefused:
            tool.abort(token)
            raise
        except BaseException:
            tool.abort(token)
            self.ledger.move(ticket.id, "released", at=self.clock())
            raise
        return self.finish(ticket, tool.commit(token))


def under_way(ledger: GrantLedger) -> tuple[Reserved, ...]:
    """Return the calls that are approved and have not come to their end."""
    with ledger.turn() as book:
        return tuple(c for c in book.calls.values() if c.stage not in ("done", "released"))
