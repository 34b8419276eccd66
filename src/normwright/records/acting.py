"""What an agent asks to do with a tool, and what a guard says about it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Record
from normwright.records.guarding import GuardVerdict
from normwright.records.instants import Moment

Confidentiality: TypeAlias = Literal["public", "internal", "personal", "secret"]
Integrity: TypeAlias = Literal["trusted", "untrusted"]
CallOutcome: TypeAlias = Literal["allow", "modify", "ask", "deny", "terminate"]
CALL_OUTCOMES: tuple[CallOutcome, ...] = ("allow", "modify", "ask", "deny", "terminate")
"""From the mildest to the gravest. `modify`: it may be done with the arguments the verdict adds;
`ask`: whoever owns the norm, or gave the grant, has to say; `terminate`: the work is to end."""


class Label(Frozen):
    """How confidential a datum is, and whether it comes from a place that is trusted."""

    conf: Confidentiality = "public"
    integrity: Integrity = "trusted"


class ToolCall(Record):
    """One call of a tool, as an agent asks for it."""

    tool: str = Field(min_length=1)
    arguments: dict[str, Any] = {}
    """JSON values."""
    agent: str = Field(min_length=1)
    """Who calls. It is told by whoever runs the agent, never by the agent's own words."""
    grant: str | None = None
    """Id of the one grant it is done under; authority of several grants is never added up."""
    session: str = ""
    """The conversation or run it belongs to."""
    at: Moment
    """When it is asked for."""


class CallVerdict(GuardVerdict):
    """What a guard says about one call. It binds exactly the call whose digest it names."""

    outcome: CallOutcome
    tool: str
    call: Digest
    """Digest of the call as it may be done: tool, arguments after normalisation, agent, grant."""
    grant: str | None = None
    """Id of the grant it is done under."""
    principal: str | None = None
    """The person at the root of the chain, for whom it is done."""
    adds: dict[str, str] = {}
    """JSON pointer -> value that the guard puts into the arguments, for `modify`."""
    asks: tuple[str, ...] = ()
    """Whom to ask: authorities that own the norms, or whoever gave the grant."""
    expires: Moment | None = None
    """From when on it may not be done any more on this verdict; None where it may not be at all."""
    reserves: dict[str, int] = {}
    """Unit -> how much of the budgets it needs."""
    lacking: tuple[str, ...] = ()
    """Units of `reserves` that the grant has no room for and somebody approved for this one call;
    the run counts them, the grant does not."""
    two_phase: bool = False
    """Whether it is prepared first and done only after a second look, as what cannot be undone."""
    reads: Label = Label()
    """Label of what comes back."""
    writes: Label = Label()
    """Label of what goes out with it."""
