"""Eight processes write at once, and everything each of them wrote is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import Server
from tests.store.writers import PEOPLE, ROUNDS, STATEMENTS, WRITERS

from normwright.store import Store, first_break, read_address

SCRIPT = Path(__file__).with_name("writers.py")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_eight_writers_lose_nothing(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """8 writers that even make the store at the same moment lose no vote, run, result or entry."""
    url = ""
    if kind == "postgresql":
        server: Server = request.getfixturevalue("server")
        url = server.url(server.database())
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["codes"] == [0] * WRITERS, done.stderr

    rounds = WRITERS * ROUNDS
    address = read_address(url, project="writers", where="the test") if url else None
    with Store.open(tmp_path, address=address, create=False) as store:
        with store.engine.connect() as connection:
            counts = {
                table: connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
                for table in ("votes", "participants", "processes", "runs", "run_steps", "results")
            }
        assert counts == {
            "votes": (rounds + 1) * PEOPLE * STATEMENTS,
            "participants": (rounds + 1) * PEOPLE,
            "processes": rounds + 1,
            "runs": rounds,
            "run_steps": rounds,
            "results": rounds,
        }
        assert sorted(told["runs"]) == list(range(1, rounds + 1))
        assert len(store.imports()) == rounds + 1
        assert all(row.seen == row.leaf for one in store.imports() for row in store.keyed_rows(one))
        assert len(store.exports()) == rounds + 1
        assert len(store.ledger()) == 2 * rounds + 1
        assert first_break(store.ledger()) is None
        assert store.damage() == ()
