"""What is executed is what was approved, and what it did is looked at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.guard.agents.office import UNITS, Clock, call, grant, guard
from tests.guard.agents.shredder import STEPS, Shredder

from normwright.guard.agents import CallRefused, FileJournal, History, under_way
from normwright.records import InputError


def _left(desk: Any, unit: str, name: str = "g") -> int | None:
    with desk.ledger.turn() as book:
        return int(book.left(name, unit))


def test_a_call_that_was_rewritten_after_approval_is_refused() -> None:
    """The tool is not even called, and what was set aside is back."""
    desk = guard()
    _, ticket = desk.approve(call("send_mail", to=["bo@office.org"], text="hi"))
    assert ticket is not None
    rewritten = call("send_mail", to=["x@else.org"], text="hi")
    made: list[Any] = []

    with pytest.raises(CallRefused, match="changed"):
        desk.execute(ticket, made.append, call=rewritten)

    assert made == []
    assert _left(desk, "recipients") == 5


@pytest.mark.parametrize("other", [{"agent": "helper"}, {"session": "t"}, {"under": "h"}])
def test_an_approval_is_for_one_agent_run_and_grant(other: dict[str, str]) -> None:
    """The same tool and arguments for somebody else are another call."""
    desk = guard()
    _, ticket = desk.approve(call("read_file", path="/a"))
    assert ticket is not None

    with pytest.raises(CallRefused):
        desk.execute(ticket, lambda _: None, call=call("read_file", path="/a", **other))


def test_what_is_executed_cannot_be_changed_by_who_keeps_it() -> None:
    """Arguments are copied: neither the agent nor an earlier tool reaches into them."""
    desk = guard()
    to = ["bo@office.org"]
    asked = call("send_mail", to=to, text="hi")
    _, ticket = desk.approve(asked)
    assert ticket is not None
    to.append("x@else.org")
    asked.arguments["to"].append("x@else.org")
    sent = desk.execute(ticket, lambda a: {"sent": a["to"]})

    assert sent.result == {"sent": ["bo@office.org"]}


def test_an_approval_runs_out() -> None:
    """What was approved five minutes ago is not executed now, and its budget is free again."""
    clock = Clock()
    desk = guard(clock=clock)
    _, ticket = desk.approve(call("send_mail", to=["bo@office.org"]))
    assert ticket is not None
    clock.pass_(300)

    with pytest.raises(CallRefused, match="run out"):
        desk.execute(ticket, lambda _: None)

    assert _left(desk, "recipients") == 5


def test_a_clock_that_is_set_back_does_not_revive_an_approval() -> None:
    """The ledger has seen the later time."""
    clock = Clock()
    desk = guard(clock=clock)
    _, ticket = desk.approve(call("read_file", path="/a"))
    assert ticket is not None
    clock.pass_(400)
    desk.ledger.stop("nobody", by="ana", at=clock())
    clock.pass_(-399)

    with pytest.raises(CallRefused, match="run out"):
        desk.execute(ticket, lambda _: None)


@pytest.mark.parametrize("end", ["expires", "revoke", "stop"])
def test_authority_that_ends_between_approval_and_execution_is_gone(end: str) -> None:
    """A grant that runs out, is withdrawn, or an order to stop is seen when the call is made."""
    clock = Clock()
    desk = guard(grant(expires="2027-01-01T12:00:30Z"), clock=clock)
    _, ticket = desk.approve(call("read_file", path="/a"))
    assert ticket is not None
    clock.pass_(31 if end == "expires" else 1)
    if end == "revoke":
        desk.ledger.revoke("g", by="ana", at=clock())
    if end == "stop":
        desk.ledger.stop("desk", by="ana", at=clock())

    with pytest.raises(CallRefused):
        desk.execute(ticket, lambda _: pytest.fail("it was made"))


def test_a_ticket_is_used_once() -> None:
    """The second time it is nothing."""
    desk = guard()
    _, ticket = desk.approve(call("read_file", path="/a"))
    assert ticket is not None
    desk.execute(ticket, lambda _: None)

    with pytest.raises(InputError):
        desk.execute(ticket, lambda _: pytest.fail("it was made again"))


def test_a_call_that_does_more_than_it_said_ends_the_work() -> None:
    """All of what it did is counted, though more than was there, and nothing more is allowed."""
    desk = guard()
    _, ticket = desk.approve(call("send_mail", to=["bo@office.org"]))
    assert ticket is not None
    done = desk.execute(ticket, lambda _: {"sent": [f"p{i}" for i in range(9)]})
    after = desk.approve(call("read_file", path="/a"))[0]

    assert done.breaches == ("recipients: more than was approved",)
    assert _left(desk, "recipients") == -4
    assert after.outcome == "terminate"


def test_a_call_that_did_less_gives_the_rest_back() -> None:
    """Two addresses, of which one was refused by the mail server: one is used."""
    desk = guard()
    _, ticket = desk.approve(call("send_mail", to=["bo@office.org", "cy@office.org"]))
    assert ticket is not None
    desk.execute(ticket, lambda _: {"sent": ["bo@office.org"]})

    assert _left(desk, "recipients") == 4


def test_a_call_that_fails_half_way_stays_counted() -> None:
    """Nobody knows what it did before it failed."""
    desk = guard()
    _, ticket = desk.approve(call("send_mail", to=["bo@office.org"]))
    assert ticket is not None

    with pytest.raises(OSError, match="line is dead"):
        desk.execute(ticket, _dead)

    assert _left(desk, "recipients") == 4
    assert [c.stage for c in under_way(desk.ledger)] == ["begun"]


def _dead(_: dict[str, Any]) -> None:
    raise OSError("the line is dead")


def test_what_two_calls_need_is_not_approved_for_both() -> None:
    """The budget is set aside when the first is approved, not when it is made."""
    desk = guard(grant(budget={"recipients": 1}))
    first, _ = desk.approve(call("send_mail", to=["bo@office.org"]))
    second, _ = desk.approve(call("send_mail", to=["cy@office.org"]))

    assert (first.outcome, second.check) == ("allow", "budget")


def test_labels_come_through_a_file_into_a_new_run(tmp_path: Path) -> None:
    """What one run read and wrote down, another reads, after a restart: it may not send it on."""
    path = tmp_path / "ledger.jsonl"
    first = guard(journal=FileJournal(path))
    for one in (call("read_patients"), call("write_file", path="/notes/x", text="Eva is ill")):
        _, ticket = first.approve(one)
        assert ticket is not None
        first.execute(ticket, lambda _: None)
    again = guard(grant(id="h"), journal=FileJournal(path))
    before = again.approve(call("send_mail", session="new", under="h", to=["x@else.org"]))
    _, ticket = again.approve(call("read_file", session="new", under="h", path="/notes/./x"))
    assert ticket is not None
    again.execute(ticket, lambda _: "Eva is ill")
    after = again.approve(call("send_mail", session="new", under="h", to=["x@else.org"]))

    assert (before[0].outcome, after[0].outcome) == ("allow", "deny")
    assert [one.id for one in after[0].norms] == ["g.privacy.no-leak"]


def test_a_label_is_there_before_the_data_are(tmp_path: Path) -> None:
    """A crash inside the call that writes leaves the file labelled, not unlabelled."""
    desk = guard()
    for one in (call("read_patients"), call("write_file", path="/notes/x", text="t")):
        _, ticket = desk.approve(one)
        assert ticket is not None
        if one.tool == "write_file":
            with pytest.raises(OSError, match="dead"):
                desk.execute(ticket, _dead)
        else:
            desk.execute(ticket, lambda _: None)

    assert History.of(desk.ledger, "new").stores["path:/notes/x"].conf == "personal"


QUICK = ("prepared", "committing")
"""Where it is killed in the default run: before it is decided, and in the middle of doing it."""
FREE = grant(budget={**UNITS, "irreversible": 2})


def test_two_phases_do_it_if_those_asked_agree(tmp_path: Path) -> None:
    """Nothing is gone when it is prepared; it is when they said yes."""
    desk, shredder = guard(FREE), Shredder(tmp_path)
    _, ticket = desk.approve(call("delete_file", path="/letter"))
    assert ticket is not None
    seen: list[bool] = []

    def asked(_: object) -> bool:
        seen.append(shredder.letter.exists())
        return True

    desk.execute(ticket, shredder, asked=asked)

    assert (seen, shredder.letter.exists()) == ([True], False)


@pytest.mark.parametrize("end", ["no", "stop", "revoke", "expire", "nothing"])
def test_two_phases_leave_everything_as_it_was_if_not(end: str, tmp_path: Path) -> None:
    """A no, an order to stop, or the end of authority while it was prepared: nothing happened."""
    clock = Clock()
    desk, shredder = guard(FREE, clock=clock), Shredder(tmp_path)
    _, ticket = desk.approve(call("delete_file", path="/letter"))
    assert ticket is not None

    def asked(_: object) -> bool:
        if end == "stop":
            desk.ledger.stop("desk", by="ana", at=clock())
        if end == "revoke":
            desk.ledger.revoke("g", by="ana", at=clock())
        if end == "expire":
            clock.pass_(301)
        return None if end == "nothing" else end != "no"  # type: ignore[return-value]

    with pytest.raises(CallRefused):
        desk.execute(ticket, shredder, asked=asked)

    assert shredder.whole
    assert under_way(desk.ledger) == ()


@pytest.mark.parametrize(
    "step", [s if s in QUICK else pytest.param(s, marks=pytest.mark.slow) for s in STEPS]
)
def test_a_kill_between_the_phases_leaves_nothing_half_done(step: str, tmp_path: Path) -> None:
    """Killed with SIGKILL at any step, and started again: the letter is whole or wholly gone."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.guard.agents.shredder", str(tmp_path), step],
        cwd=Path(__file__).parents[3], env={**os.environ, "PYTHONPATH": "src:."}, check=False,
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    shredder = Shredder(tmp_path)
    desk = guard(grant(id="h"), journal=FileJournal(tmp_path / "ledger.jsonl"))
    found = desk.recover({"delete_file": shredder})
    decided = step in ("decided", "committing", "committed")

    assert shredder.gone if decided else shredder.whole
    assert len(found.done if decided else found.aborted) == 1
    assert _left(desk, "irreversible") == (1 if decided else 2)
    assert under_way(desk.ledger) == ()
    assert desk.recover({"delete_file": shredder}).done == ()


def test_a_call_in_one_phase_is_not_made_again_after_a_crash() -> None:
    """It may have been done: it stays counted, and a person has to look."""
    desk = guard()
    _, ticket = desk.approve(call("send_mail", to=["bo@office.org"]))
    assert ticket is not None
    with pytest.raises(OSError, match="dead"):
        desk.execute(ticket, _dead)
    found = desk.recover({})

    assert found.doubtful == (ticket.id,)
    assert _left(desk, "recipients") == 4
