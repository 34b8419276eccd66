"""Our guard as an approver of Inspect: named in an `--approval` file, asked for every tool call.

    approvers:
    - name: normwright/guard
      tools: "*"
      desk: agents.yaml
      agent: desk
      grant: g

Every sample is a run of its own, with its own ledger unless the desk file names a journal. What
comes back from a call is read in the conversation before the next is judged. Inspect executes the
call: that it is the one approved holds as far as its tools do not rewrite their arguments, which an
approver cannot see; for that use `AgentGuard.execute`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from normwright.flow.agents import guard_of, open_desk
from normwright.records import CallVerdict, MissingExtra, ToolCall

try:
    from inspect_ai.approval import Approval, Approver, approver
    from inspect_ai.model import ChatMessage, ChatMessageTool
    from inspect_ai.tool import ToolCall as InspectCall
    from inspect_ai.tool import ToolCallView
    from inspect_ai.util import store
except ImportError as error:
    raise MissingExtra("The approver for Inspect", "evaluate") from error

if TYPE_CHECKING:
    from normwright.guard.agents import AgentGuard, Ticket

_SESSION = "normwright:session"


@approver(name="guard")
def guard_approver(
    desk: str,
    agent: str,
    grant: str,
    policy: str | None = None,
    on_ask: Literal["escalate", "reject"] = "escalate",
    lang: str = "en",
) -> Approver:
    """Return an approver that judges every tool call by a charter, grants, flow and budgets.

    Args:
        desk: an agent-desk/v1 file.
        agent: who calls.
        grant: id of the grant it calls under.
        policy: a project, an enacted policy's folder or file; None: the one that ships.
        on_ask: what becomes of a call that somebody has to agree to: the next approver of the file
            is asked, for instance `human`, or it is rejected.
        lang: language of the explanations.
    """
    opened = open_desk(Path(desk), None if policy is None else Path(policy))
    runs: dict[str, _Run] = {}

    async def approve(
        message: str, call: InspectCall, view: ToolCallView, history: list[ChatMessage]
    ) -> Approval:
        session = _session()
        run = runs.get(session)
        if run is None:
            run = runs[session] = _Run(guard_of(opened))
        run.observe(history)
        asked = ToolCall(
            tool=call.function, arguments=call.arguments, agent=agent, grant=grant,
            session=session, at=run.guard.clock(),
        )  # fmt: skip
        verdict, ticket = run.guard.approve(asked)
        if ticket is None:
            return _not_made(verdict, on_ask, lang)
        arguments = run.begin(call.id, ticket)
        same = arguments == call.arguments
        return Approval(
            decision="approve" if same else "modify",
            modified=None if same else replace(call, arguments=arguments),
            explanation=_explained(verdict, lang),
            metadata=_metadata(verdict),
        )

    return approve


class _Run:
    """One sample: its guard, and the calls that were approved and have not come back."""

    def __init__(self, guard: AgentGuard) -> None:
        self.guard = guard
        self._open: dict[str, Ticket] = {}

    def begin(self, name: str, ticket: Ticket) -> dict[str, Any]:
        """Write a call down as under way, and return the arguments it is to be made with."""
        self._open[name] = ticket
        return self.guard.begin(ticket)

    def observe(self, history: Sequence[ChatMessage]) -> None:
        """Close the calls whose results stand in the conversation."""
        for message in history:
            if isinstance(message, ChatMessageTool) and message.tool_call_id in self._open:
                self.guard.finish(self._open.pop(message.tool_call_id), _result(message))


def _result(message: ChatMessageTool) -> Any:
    try:
        return json.loads(message.text)
    except ValueError:
        return message.text


def _session() -> str:
    """The run this is: kept in the sample's own store, so that samples never share a history."""
    found = store().get(_SESSION)
    if found is None:
        found = uuid.uuid4().hex
        store().set(_SESSION, found)
    return str(found)


def _not_made(verdict: CallVerdict, on_ask: str, lang: str) -> Approval:
    decision: Literal["reject", "terminate", "escalate"] = "reject"
    if verdict.outcome == "terminate":
        decision = "terminate"
    elif verdict.outcome == "ask" and on_ask == "escalate":
        decision = "escalate"
    return Approval(
        decision=decision, explanation=_explained(verdict, lang), metadata=_metadata(verdict)
    )


def _explained(verdict: CallVerdict, lang: str) -> str:
    said = verdict.reasons.get(lang) or next(iter(verdict.reasons.values()), verdict.outcome)
    cited = ", ".join(norm.ref for norm in verdict.norms)
    return f"{said} [{cited}]" if cited else f"{said} ({verdict.check or 'nothing'})"


def _metadata(verdict: CallVerdict) -> dict[str, Any]:
    return {"normwright": verdict.model_dump(mode="json")}
