"""`normwright charter decide`: what it reads, what it says, and how it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Call

EXAMPLES = Path(__file__).parents[2] / "examples" / "charter"
FILES = sorted(EXAMPLES.glob("w*.yaml"))
KEYS = {"verdict", "governing", "defeated", "unknown", "least_bad", "duties", "reparations",
        "charter"}  # fmt: skip

DOSE = "act: advise-dosage\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_worked_cases_come_out_as_written(call: Call, path: Path) -> None:
    """`charter decide FILE --json` answers every worked case of the file as the file expects."""
    found = call("charter", "decide", path, "--json").value["situations"]

    assert found
    assert all(one["agrees"] for one in found), found
    assert all(set(one) == KEYS | {"name", "expect", "agrees"} for one in found)


def test_one_situation_is_one_decision(call: Call, tmp_path: Path) -> None:
    """A file with one situation gives the decision itself: the keys of the contract, no others."""
    file = tmp_path / "asked.yaml"
    file.write_text(DOSE, encoding="utf-8")

    answer = call("charter", "decide", file, "--norms", EXAMPLES / "w4.yaml", "--json").value

    assert set(answer) == KEYS
    assert (answer["verdict"], answer["unknown"]) == ("ask", ["clinician"])
    assert answer["charter"].startswith("sha256:")


def test_what_is_not_as_expected_is_marked(call: Call, tmp_path: Path) -> None:
    """An expectation that fails is `agrees: false`, and said on the screen; the exit stays 0."""
    file = tmp_path / "asked.yaml"
    file.write_text(f"{DOSE}facts: {{clinician: true}}\nexpect: deny\n", encoding="utf-8")
    told = ("charter", "decide", file, "--norms", EXAMPLES / "w4.yaml")

    plain, machine = call(*told, "--lang", "pt"), call(*told, "--json")

    assert (plain.code, machine.code) == (0, 0)
    assert machine.value["agrees"] is False
    assert "esperado: verdict deny" in plain.out


@pytest.mark.parametrize(
    ("text", "where", "do"),
    [
        ("fact: {clinician: true}\n", "asked.yaml:2 fact", "facts"),
        ("facts: {clinican: true}\n", "asked.yaml:2 facts.clinican", "clinician"),
        ("facts: {clinician: {value: true, orgin: human}}\n",
         "asked.yaml:2 facts.clinician.orgin", "origin"),
        ("jurisdiction: {usr: BR}\n", "asked.yaml:2 jurisdiction.usr", "user"),
        ("expect: {verdit: deny}\n", "asked.yaml:2 expect.verdit", "verdict"),
        ("grants: [{grantor: a, grantee: b, acts: [advise-dosage], expire: 2026-01-01}]\n",
         "asked.yaml:2 grants[0].expire", "expires"),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_one_fault_with_its_line(
    call: Call, tmp_path: Path, text: str, where: str, do: str
) -> None:
    """A key or fact that does not exist is refused with file, line and the nearest that does."""
    file = tmp_path / "asked.yaml"
    file.write_text(DOSE + text, encoding="utf-8")

    called = call("charter", "decide", file, "--norms", EXAMPLES / "w4.yaml", "--json")

    assert called.code == 1
    (fault,) = called.faults
    assert fault["where"] == where
    assert do in fault["do"]


def test_an_act_outside_the_ontology_is_decided_and_noted(call: Call, tmp_path: Path) -> None:
    """Closed world: denied, and a note on stderr names the nearest act; stdout stays JSON."""
    file = tmp_path / "asked.yaml"
    file.write_text("act: advise-dosag\n", encoding="utf-8")

    called = call("charter", "decide", file, "--norms", EXAMPLES / "w4.yaml", "--json")

    assert called.value["verdict"] == "deny"
    assert "advise-dosag is no act" in called.err
    assert "advise-dosage" in called.err
