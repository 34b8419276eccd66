"""What is remembered of a session is shared by processes, and does without the file if it must."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import pytest
from tests.guard.town import policy
from tests.web.guard.kit import BAD, WordGuard, proxy, says, upstream

from normwright.guard import Memory
from normwright.records import PlaceError
from normwright.store import MemoryBook
from normwright.web.guard import Limits
from normwright.web.guard.held import Held
from normwright.web.guard.sessions import Sessions, SharedMemory

TEXTS = [(f"text {i}".encode() * 4, f"messages[{i}", 0.3 * (i % 4)) for i in range(12)]


def memory_of(sessions: Sessions, name: str = "s") -> Memory:
    """Return the memory of a session."""
    _, memory = sessions.pinned(name, Held.of(WordGuard(policy())))
    assert memory is not None
    return memory


def two(tmp_path: Path) -> tuple[Sessions, Sessions]:
    """Return the sessions of two processes of one server."""
    first, second = (
        Sessions(Limits(), lambda: 1.0, MemoryBook(tmp_path / "sessions.db")) for _ in range(2)
    )
    return first, second


def test_the_risk_is_the_same_whoever_answers(tmp_path: Path) -> None:
    """Turns that go to two processes by turns come to what one process makes of all of them."""
    both, alone = two(tmp_path), Memory()
    for i, text in enumerate(TEXTS):
        mine = memory_of(both[i % 2]).note([text])

        assert mine == pytest.approx(alone.note([text]))
    assert mine > 0
    assert memory_of(both[0], "another").note([TEXTS[0]]) == 0


def test_a_history_sent_again_is_known_by_the_other_process(tmp_path: Path) -> None:
    """What one process took note of counts once when the other is sent it."""
    first, second = two(tmp_path)
    risk = memory_of(first).note(TEXTS)

    assert memory_of(second).note(TEXTS) == pytest.approx(risk)


def test_nothing_kept_tells_what_was_said(tmp_path: Path) -> None:
    """Neither the session's name nor the digest of a text is in the file."""
    first, _ = two(tmp_path)
    memory_of(first, "a-name-of-a-person").note(TEXTS)
    kept = b"".join(p.read_bytes() for p in tmp_path.iterdir())

    assert b"a-name-of-a-person" not in kept
    assert not any(digest[:16] in kept for digest, _, _ in TEXTS)


def test_a_locked_file_is_named_and_made_good(tmp_path: Path) -> None:
    """While it is locked, a process goes by what it saw itself; then it writes what it owes."""
    first, second = two(tmp_path)
    alone = Memory()
    mine = memory_of(first)
    assert isinstance(mine, SharedMemory)
    mine.note(TEXTS[:4])
    alone.note(TEXTS[:4])
    lock = sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    locked = mine.note(TEXTS[4:8])
    trouble = mine.trouble
    lock.execute("ROLLBACK")
    lock.close()

    assert locked == pytest.approx(alone.note(TEXTS[4:8]))
    assert isinstance(trouble, PlaceError)
    assert mine.note(TEXTS[8:10]) == pytest.approx(alone.note(TEXTS[8:10]))
    assert mine.trouble is None
    assert memory_of(second).note(TEXTS[10:]) == pytest.approx(alone.note(TEXTS[10:]))


def test_old_ones_are_forgotten(tmp_path: Path) -> None:
    """What was not used for long goes, the oldest beyond the limit, and what is of another boot."""
    book = MemoryBook(tmp_path / "sessions.db")
    for i, at in enumerate((10.0, 50.0, 60.0, 70.0, 500.0)):
        book.change(str(i), at, lambda kept: b"x")
    book.forget(now=100.0, seconds=60.0, most=2)
    kept: list[bytes | None] = []
    for i in range(5):
        book.change(str(i), 100.0, lambda was: kept.append(was) or b"y")  # type: ignore[func-returns-value]

    assert kept == [None, None, b"x", b"x", None]
    assert len(book) == 5


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    """It is left as it is, and one sentence says what to do."""
    (tmp_path / "sessions.db").write_bytes(b"no database at all " * 100)
    with pytest.raises(PlaceError, match="there is no record in it"):
        MemoryBook(tmp_path / "sessions.db")

    assert (tmp_path / "sessions.db").read_bytes().startswith(b"no database")


def test_bytes_that_are_no_memory() -> None:
    """They are refused, and what is remembered stays."""
    memory = Memory()
    risk = memory.note(TEXTS)
    with pytest.raises(ValueError, match="no memory"):
        memory.unpack(b"four and some")

    assert memory.risk == risk


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_refusal_can_be_looked_up_in_another_process_at_once(tmp_path: Path) -> None:
    """The verdict of a refusal is in the database before the second it may take otherwise."""
    body = {"model": "up", "messages": [{"role": "user", "content": BAD}]}
    with (
        upstream(says("x")) as server,
        proxy(WordGuard(policy()), tmp_path, server) as one,
        proxy(WordGuard(policy()), tmp_path, server) as other,
    ):
        got = httpx.post(one.url + "/chat/completions", json=body, timeout=20)
        where = (
            f"http://127.0.0.1:{other.port}/v1/verdicts/{got.headers['x-normwright-verdict-id']}"
        )
        told = [httpx.get(where).status_code for _ in range(20)]

    assert 200 in told
    assert told[-1] == 200
