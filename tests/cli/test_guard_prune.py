"""`guard prune` lets go of old verdicts, and `guard verify` tells it and finds no fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.store.test_pruning import contest

from normwright.store import VERDICT, AuditChain, VerdictBook


def day(state: Path, ago: int) -> None:
    """Write the file of a day some days ago."""
    at = datetime.now(UTC) - timedelta(days=ago)
    chain = AuditChain.create(state / "audit", f"ago{90 - ago}", now=lambda: at)
    chain.append(VERDICT, {"id": f"vrd_ago{ago}", "verdicts": []})
    chain.close()
    book = VerdictBook(state / "verdicts.db")
    book.catch_up(state / "audit")
    book.close()


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_prune_and_verify(call: Call, tmp_path: Path, lang: str) -> None:
    """Both tell from when on; a contested verdict is counted; a second time nothing goes."""
    for ago in (60, 50, 3):
        day(tmp_path, ago)
    contest(tmp_path, "vrd_ago50")

    done = call("guard", "prune", tmp_path, "--keep-days", 30, "--json")
    again = call("guard", "prune", tmp_path, "--keep-days", 30, "--lang", lang)
    checked = call("guard", "verify", tmp_path, "--json")
    shown = call("guard", "verify", tmp_path, "--lang", lang)

    assert (done.value["files"], done.value["entries"]) == (["ago30.jsonl", "ago40.jsonl"], 3)
    assert (done.value["contested"], done.value["faulty"]) == (1, [])
    assert again.code == 0
    assert checked.code == 0
    assert checked.value["verdicts"] == 2
    assert checked.value["pruned_before"] == done.value["before"][:10]
    assert done.value["before"][:10] in shown.out
    assert call("guard", "prune", tmp_path / "none", "--keep-days", 3).code == 1
