"""Run an agent in Inspect under our approver; in Inspect's environment, without a network.

    python run_errands.py PLAN.json

The plan says `url`, `key`, `out` (a folder) and `runs`: `id`, `input` and, of each call in it,
whether it is `expected` to be made. The package is installed beside Inspect in this environment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.event import ApprovalEvent, ToolEvent
from inspect_ai.model import get_model
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import Tool, tool

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
    sink: {pointer: /to, kind: email, internal: ["*@office.org"]}
  erase: {act: delete.data, effect: irreversible}
"""
APPROVERS = """
approvers:
- name: normwright/guard
  tools: "*"
  desk: %s
  agent: desk
  grant: g
  on_ask: reject
"""


@tool
def spend() -> Tool:
    """Return a tool that spends."""

    async def execute(amount: int) -> str:
        """Spend.

        Args:
            amount: How much.
        """
        return f"spent {amount}"

    return execute


@tool
def patients() -> Tool:
    """Return a tool that reads personal data."""

    async def execute() -> str:
        """Read the patients."""
        return "Eva, 81"

    return execute


@tool
def mail() -> Tool:
    """Return a tool that sends."""

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
    """Return a tool that erases."""

    async def execute() -> str:
        """Erase all."""
        return "erased"

    return execute


def main() -> None:
    """Run what the plan asks for."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    out = Path(plan["out"])
    (out / "agents.yaml").write_text(DESK, "utf-8")
    (out / "approval.yaml").write_text(APPROVERS % (out / "agents.yaml"), "utf-8")
    model = get_model("openai-api/local/guarded", base_url=plan["url"], api_key=plan["key"])
    samples = [Sample(id=run["id"], input=run["input"]) for run in plan["runs"]]
    (log,) = eval(
        Task(dataset=MemoryDataset(samples), name="errands",
             solver=[use_tools(spend(), patients(), mail(), erase()), generate()]),
        model=model, approval=str(out / "approval.yaml"), log_dir=str(out / "logs"),
        display="none", max_samples=1,
    )  # fmt: skip
    expected = {run["id"]: run["expected"] for run in plan["runs"]}
    found = {
        "status": log.status,
        "runs": [{"id": s.id, "error": s.error is not None} for s in log.samples or ()],
        "calls": [call for s in log.samples or () for call in calls(s, expected[str(s.id)])],
    }
    (out / "errands.json").write_text(json.dumps(found, indent=1), "utf-8")


def calls(sample: Any, expected: list[bool]) -> list[dict[str, Any]]:
    """Return of each call that was to be made its approval event, and whether it was made."""
    asked = [e for e in sample.events if isinstance(e, ApprovalEvent)]
    tools = [e for e in sample.events if isinstance(e, ToolEvent)]
    rows = []
    for at, wanted in enumerate(expected):
        event = tools[at] if at < len(tools) else None
        approval = next((a for a in asked if event is not None and a.call.id == event.id), None)
        rows.append(
            {
                "tool": None if event is None else event.function,
                "expected": wanted,
                "made": event is not None and event.error is None,
                "decision": None if approval is None else approval.decision,
                "said": None if approval is None else approval.explanation,
            }
        )
    return rows


if __name__ == "__main__":
    main()
