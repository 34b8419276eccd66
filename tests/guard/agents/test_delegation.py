"""Delegation, fuzzed against a second opinion; NORMWRIGHT_TRIES sets how many acts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.guard.agents.delegation import episodes, planted, unplugged

from normwright.guard.agents import ledger as room

TRIES = int(os.environ.get("NORMWRIGHT_TRIES", "5000"))
PLANTED = [*planted(), *unplugged(room.GrantLedger)]


def test_the_ledger_answers_as_a_second_opinion_does() -> None:
    """Over thousands of random acts the ledger allows exactly what the log of events allows."""
    tally = episodes(7, TRIES)
    sys.stdout.write(f"{tally}\n")

    assert tally.breaches == []
    assert tally.acts >= TRIES
    # A fuzz in which nothing is ever allowed, or everything, would show nothing.
    assert 0.1 < tally.made / tally.acts < 0.9


def test_the_ledger_answers_the_same_after_every_restart(tmp_path: Path) -> None:
    """Started anew from its file at random moments, the ledger has forgotten nothing."""
    tally = episodes(11, 120, folder=tmp_path)

    assert tally.breaches == []
    assert tally.restarts > 30


@pytest.mark.parametrize(("wrong", "name", "instead"), PLANTED, ids=[p[0] for p in PLANTED])
def test_a_planted_bug_is_found(
    wrong: str, name: str, instead: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each known way to get delegation wrong, put into the ledger, is found by the fuzz."""
    owner, _, method = name.rpartition(".")
    monkeypatch.setattr(getattr(room, owner) if owner else room, method, instead)

    assert episodes(7, 5_000).breaches, wrong
