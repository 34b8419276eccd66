"""People and the agents of a desk, at the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Call

from normwright.flow.agents import guard_of, open_desk
from normwright.records import ToolCall

DESK = """
schema: agent-desk/v1
people: [ana]
journal: ledger.jsonl
grants: [{id: g, grantor: ana, grantee: desk, acts: [operate]}]
tools: {erase: {act: delete.data, effect: irreversible}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    file = tmp_path / "agents.yaml"
    file.write_text(DESK, encoding="utf-8")
    return file


def _asked(desk: Path) -> tuple[str, str]:
    guard = guard_of(open_desk(desk))
    call = ToolCall(tool="erase", agent="desk", grant="g", session="s", at=guard.clock())
    verdict, ticket = guard.approve(call)
    if ticket is not None:
        guard.release(ticket)
    return verdict.outcome, verdict.call


def test_a_person_answers_a_running_agent(desk: Path, call: Call) -> None:
    """A yes at the command line lets the call through that another process asked about."""
    before, digest = _asked(desk)
    said = call("guard", "answer", "--desk", str(desk), "--by", "ana", "--call", digest, "--yes")

    assert said.code == 0
    assert (before, _asked(desk)[0]) == ("ask", "allow")


def test_stop_and_withdraw_hold_at_once(desk: Path, call: Call) -> None:
    """The next call says that the work is to end; without the grant it is denied."""
    call("guard", "stop", "--desk", str(desk), "--by", "ana", "--agent", "desk")
    stopped = _asked(desk)[0]
    call("guard", "stop", "--desk", str(desk), "--by", "ana", "--agent", "desk", "--go-on")
    going = _asked(desk)[0]
    call("guard", "withdraw", "--desk", str(desk), "--by", "ana", "--grant", "g")

    assert (stopped, going, _asked(desk)[0]) == ("terminate", "ask", "deny")


def test_nobody_else_is_heard(desk: Path, call: Call) -> None:
    """A name that is no person of the desk stops nobody, and one fault says so."""
    said = call("guard", "stop", "--desk", str(desk), "--by", "eve", "--agent", "desk")

    assert said.code != 0
    assert _asked(desk)[0] == "ask"


def test_without_a_journal_nobody_can_be_heard(desk: Path, call: Call) -> None:
    """A ledger in memory is another process's own: that is said instead of doing nothing."""
    desk.write_text(DESK.replace("journal: ledger.jsonl\n", ""), encoding="utf-8")
    said = call("guard", "withdraw", "--desk", str(desk), "--by", "ana", "--grant", "g")

    assert said.code == 1
    assert "journal" in said.err
