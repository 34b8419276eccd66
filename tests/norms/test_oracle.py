"""The resolver decides as an answer set program does that was written from the rules alone.

The answers lie in `oracles/`, written by `make oracles` in an environment of its own; what the
program covers is said in scripts/oracles/charters.py.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from normwright.norms import Resolver
from normwright.records import Charter, Decision, Situation

FIXTURE = Path(__file__).with_name("oracles") / "clingo.json.gz"
STILL = {
    "allow": {"allow"},
    "necessity": {"necessity", "allow"},
    "deny-dilemma": {"deny-dilemma", "deny"},
}
"""What a verdict on partial facts leaves possible once they are known; any other leaves all."""


@cache
def answers() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(gzip.decompress(FIXTURE.read_bytes()))
    return body


def decided(row: dict[str, Any]) -> Decision:
    charter = Charter.model_validate(row["charter"])
    return Resolver(charter).decide(Situation.model_validate(row["situation"]))


def ids(references: tuple[str, ...]) -> list[str]:
    return sorted(ref.removesuffix("@1") for ref in references)


def test_equal_to_the_logic_program_where_all_is_known() -> None:
    """Verdict, least grave acts, duties and broken norms are those of clingo on every charter."""
    rows = answers()["complete"]
    differing = []
    for number, row in enumerate(rows):
        decision, answer = decided(row), row["answer"]
        same = decision.verdict == answer["verdict"]
        same &= sorted(decision.least_bad) == answer["least"]
        same &= ids(tuple(duty.id for duty in decision.duties)) == answer["duties"]
        if decision.verdict in ("deny", "deny-dilemma", "dilemma-choice", "dilemma-inaction"):
            same &= ids(decision.governing) == answer["broken"]
        differing += [] if same else [(number, decision, answer)]

    assert len(rows) >= 500
    assert len({row["answer"]["verdict"] for row in rows}) == 6
    assert differing == []


def test_sound_against_the_logic_program_where_something_is_unknown() -> None:
    """No verdict on partial facts is contradicted by what clingo says of a completion."""
    rows = answers()["partial"]
    wrong = []
    for number, row in enumerate(rows):
        verdict = decided(row).verdict
        if not set(row["verdicts"]) <= STILL.get(verdict, set(row["verdicts"])):
            wrong.append((number, verdict, row["verdicts"]))

    assert len(rows) >= 200
    assert sum(len(row["verdicts"]) > 1 for row in rows) >= 30
    assert wrong == []
