"""Old files of a chain are let go: what is left verifies, and what is merely gone is missed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.store import (
    VERDICT,
    AuditChain,
    VerdictBook,
    check_chains,
    prune,
    pruned_before,
    read_lines,
)

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ids(name: str, count: int) -> Iterator[str]:
    """Return ids of verdicts."""
    return (f"vrd_{name}{i}" for i in range(count))


def day(state: Path, number: int, *, verdicts: int = 3, closed: bool = True) -> AuditChain:
    """Write the file of one day, with its verdicts in the database."""
    at = START + timedelta(days=number)
    chain = AuditChain.create(state / "audit", f"day{number:02}", now=lambda: at)
    for one in ids(f"d{number}n", verdicts):
        chain.append(VERDICT, {"id": one, "verdicts": [], "secret": f"body of {one}"})
    chain.sync()
    if closed:
        chain.close()
    book = VerdictBook(state / "verdicts.db")
    book.catch_up(state / "audit")
    book.close()
    return chain


def contest(state: Path, verdict: str) -> None:
    """Contest a verdict."""
    book = VerdictBook(state / "verdicts.db")
    book.add_contest(f"cnt_{verdict}", verdict, START.isoformat(), {"verdict": verdict})
    book.close()


def holds(state: Path) -> bool:
    """Return whether chain and database verify."""
    book = VerdictBook(state / "verdicts.db")
    try:
        return not check_chains(state / "audit") and not book.check(state / "audit")
    finally:
        book.close()


def let_go(state: Path, today: int, *, keep: int = 2) -> tuple[str, ...]:
    """Prune as on one day."""
    now = START + timedelta(days=today)
    before = now - timedelta(days=keep, hours=-1)
    return prune(state, before=before, name=f"prune{today:02}", now=lambda: now).segments


def test_old_files_go_and_the_rest_verifies(tmp_path: Path) -> None:
    """Their bodies and rows are gone, the new ones are there, and it is told from when on."""
    for number in range(6):
        day(tmp_path, number)
    gone = let_go(tmp_path, 6)
    book = VerdictBook(tmp_path / "verdicts.db")

    assert gone == tuple(f"day0{n}.jsonl" for n in range(5))
    assert (book.get("vrd_d0n0"), book.get("vrd_d5n0") is None) == (None, False)
    assert holds(tmp_path)
    assert pruned_before(tmp_path / "audit") == "2026-01-05"
    book.close()


def test_one_that_is_merely_gone_is_missed(tmp_path: Path) -> None:
    """Letting go of some does not hide that somebody took another."""
    for number in range(4):
        day(tmp_path, number)
    let_go(tmp_path, 4)
    assert holds(tmp_path)
    (tmp_path / "audit" / "day03.jsonl").unlink()

    assert not holds(tmp_path)
    assert any("day03" in f.where for f in check_chains(tmp_path / "audit"))


def test_a_contested_verdict_stays_with_its_proof(tmp_path: Path) -> None:
    """The file keeps every seal and one body; the next pruning finds nothing more in it."""
    for number in range(4):
        day(tmp_path, number)
    contest(tmp_path, "vrd_d0n1")
    let_go(tmp_path, 4)
    lines = list(read_lines(tmp_path / "audit" / "day00.jsonl"))
    book = VerdictBook(tmp_path / "verdicts.db")

    assert [line.erased for line in lines] == [True, True, False, True]
    assert lines[2].body["secret"] == "body of vrd_d0n1"
    kept = book.get("vrd_d0n1")
    book.close()
    assert kept is not None
    assert holds(tmp_path)
    assert "day00.jsonl" not in let_go(tmp_path, 5)
    assert holds(tmp_path)
    # Long after, when the line that told of it is old itself, it is told again.
    day(tmp_path, 20)
    let_go(tmp_path, 30)
    assert holds(tmp_path)
    assert (tmp_path / "audit" / "day00.jsonl").exists()


def test_a_body_that_was_taken_without_a_word_is_a_fault(tmp_path: Path) -> None:
    """Erasing by hand what nobody told of is found, although every seal holds."""
    day(tmp_path, 0)
    path = tmp_path / "audit" / "day00.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    del rows[1]["body"]
    rows[1]["erased"] = True
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))

    assert [f.seen for f in check_chains(tmp_path / "audit")] == ["neither"]
    assert let_go(tmp_path, 9) == ()


def test_a_file_that_is_written_or_does_not_hold_is_left(tmp_path: Path) -> None:
    """A server that was idle for a month keeps its file; what was tampered with is evidence."""
    idle = day(tmp_path, 0, closed=False)
    day(tmp_path, 1)
    path = tmp_path / "audit" / "day01.jsonl"
    path.write_text(path.read_text().replace("body of vrd_d1n0", "another body"))
    now = START + timedelta(days=40)
    found = prune(tmp_path, before=now - timedelta(days=2), name="p", now=lambda: now)

    assert (found.segments, found.faulty) == ((), ("day01.jsonl",))
    assert path.exists()
    idle.close()


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["day", "contest", "prune"]), min_size=1, max_size=14),
    data=st.data(),
)
def test_whatever_happens_in_whatever_order_it_verifies(
    steps: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Days, contests and prunings in any order: nothing contested goes, and it always holds."""
    state = tmp_path_factory.mktemp("state")
    contested = set[str]()
    for today, step in enumerate(steps, start=1):
        if step == "day":
            day(state, today)
        elif step == "contest":
            of = data.draw(st.integers(1, today))
            book = VerdictBook(state / "verdicts.db")
            there = book.get(f"vrd_d{of}n0") is not None
            book.close()
            if there and f"vrd_d{of}n0" not in contested:
                contest(state, f"vrd_d{of}n0")
                contested.add(f"vrd_d{of}n0")
        elif (state / "audit").is_dir():
            let_go(state, today)
        if (state / "audit").is_dir():
            assert holds(state)
    book = VerdictBook(state / "verdicts.db")
    assert all(book.get(one) is not None for one in contested)
    book.close()
