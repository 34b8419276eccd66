"""The approver for Inspect: named in an approval file, asked for every call, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.event import ApprovalEvent, ToolEvent
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import Tool, tool

pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning"),
]

DESK = """
schema: agent-desk/v1
people: [ana]
grants:
- {id: g, grantor: ana, grantee: desk, acts: [operate], budget: {money: 100, recipients: 3}}
facts: {}
tools:
  spend: {act: send.data, effect: reversible, units: {money: {value: /amount}}}
  patients: {act: read.personal-data, effect: reversible, reads: {conf: personal}}
  mail:
    act: send.data
    effect: compensable
    aliases: {insert_text: text}
    sink: {pointer: /to, kind: email, internal: ["*@office.org"]}
  erase: {act: delete.data, effect: irreversible}
"""


@tool
def spend() -> Tool:
    async def execute(amount: int) -> str:
        """Spend.

        Args:
            amount: How much.
        """
        return f"spent {amount}"

    return execute


@tool
def patients() -> Tool:
    async def execute() -> str:
        """Read the patients."""
        return "Eva, 81"

    return execute


@tool
def mail() -> Tool:
    async def execute(to: str, text: str) -> str:
        """Send.

        Args:
            to: Whom.
            text: What.
        """
        return f"sent to {to}: {text}"

    return execute


@tool
def erase() -> Tool:
    async def execute() -> str:
        """Erase all."""
        raise AssertionError("it was erased")

    return execute


def _run(tmp_path: Path, *calls: tuple[str, dict[str, Any]], **params: Any) -> EvalLog:
    (tmp_path / "agents.yaml").write_text(DESK, encoding="utf-8")
    rest = "".join(f"  {name}: {value}\n" for name, value in params.items())
    (tmp_path / "approval.yaml").write_text(
        f"approvers:\n- name: normwright/guard\n  tools: '*'\n  desk: {tmp_path}/agents.yaml\n"
        f"  agent: desk\n  grant: g\n{rest}", encoding="utf-8",
    )  # fmt: skip
    outputs = [ModelOutput.for_tool_call("mockllm", name, given) for name, given in calls]
    outputs.append(ModelOutput.from_content("mockllm", "done"))
    for output in outputs:
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return eval(
        Task(dataset=[Sample(input="go")],
             solver=[use_tools(spend(), patients(), mail(), erase()), generate()]),
        model=get_model("mockllm/model", custom_outputs=outputs),
        approval=str(tmp_path / "approval.yaml"), log_dir=str(tmp_path / "logs"), display="none",
    )[0]  # fmt: skip


def _approvals(log: EvalLog) -> list[ApprovalEvent]:
    assert log.status == "success", log.error
    assert log.samples
    return [e for e in log.samples[0].events
            if isinstance(e, ApprovalEvent) and e.approver == "normwright/guard"]  # fmt: skip


def test_budgets_hold_over_calls_and_every_call_has_its_event(tmp_path: Path) -> None:
    """Sixty of a hundred, then sixty more, then thirty: approved, rejected, approved."""
    log = _run(tmp_path, ("spend", {"amount": 60}), ("spend", {"amount": 60}),
               ("spend", {"amount": 30}))  # fmt: skip
    events = _approvals(log)
    made = [e.result for e in log.samples[0].events if isinstance(e, ToolEvent) and not e.error]

    assert [e.decision for e in events] == ["approve", "reject", "approve"]
    assert made == ["spent 60", "spent 30"]
    assert all(e.explanation for e in events)


def test_flows_modifications_and_questions(tmp_path: Path) -> None:
    """Data that were read may not leave; another name of an argument is put right; erasing asks."""
    log = _run(
        tmp_path,
        ("mail", {"to": "x@else.org", "insert_text": "hi"}),
        ("patients", {}),
        ("mail", {"to": "x@else.org", "text": "Eva"}),
        ("erase", {}),
        on_ask="reject",
        lang="pt",
    )
    events = _approvals(log)

    assert [e.decision for e in events] == ["modify", "approve", "reject", "reject"]
    assert "g.privacy.no-leak@1" in str(events[2].explanation)
    assert "dados pessoais" in str(events[2].explanation)


def test_what_somebody_has_to_agree_to_goes_to_the_next_approver(tmp_path: Path) -> None:
    """With nobody after it in the file, nobody agreed: the call is not made."""
    log = _run(tmp_path, ("erase", {}))

    assert [e.decision for e in _approvals(log)] == ["escalate"]
