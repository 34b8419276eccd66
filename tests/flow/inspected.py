"""Agents under Inspect with a scripted model, as a script: `python -m tests.flow.inspected FOLDER`.

It prints what became of every call as JSON. Inspect leaves streams of its event loop to the garbage
collector, so it runs in a process of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.event import ApprovalEvent, ToolEvent
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput, ModelUsage, get_model
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


def _told(log: EvalLog) -> dict[str, Any]:
    assert log.status == "success", log.error
    assert log.samples
    events = log.samples[0].events
    asked = [e for e in events if isinstance(e, ApprovalEvent) and e.approver == "normwright/guard"]
    return {
        "decisions": [e.decision for e in asked],
        "explanations": [e.explanation for e in asked],
        "results": [e.result for e in events if isinstance(e, ToolEvent) and not e.error],
    }


def main(folder: Path) -> None:
    """Run three conversations and print what became of their calls."""
    runs = {
        "budget": _run(folder, *(("spend", {"amount": n}) for n in (60, 60, 30))),
        "flow": _run(
            folder,
            ("mail", {"to": "x@else.org", "insert_text": "hi"}),
            ("patients", {}),
            ("mail", {"to": "x@else.org", "text": "Eva"}),
            ("erase", {}),
            on_ask="reject",
            lang="pt",
        ),
        "ask": _run(folder, ("erase", {})),
    }
    sys.stdout.write(json.dumps({name: _told(log) for name, log in runs.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
