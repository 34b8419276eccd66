"""`evaluate run` on suites of written answers: what is shown, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.serving import served

from normwright.cli.words import words
from normwright.models import ScriptedModel

REFUSER = ScriptedModel("refuser", lambda m: "Desculpe, mas não posso ajudar com isso.")


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_refuser_is_told_as_hollow(call: Call, tmp_path: Path) -> None:
    """The table names constants, the judge's errors and why the score says nothing."""
    with served(REFUSER) as server:
        args = ["evaluate", "run", "--suite", "refusal", "--lang", "pt", "--model", server.url,
                "--served", "served", "--limit", 4, "--out", tmp_path / "out",
                "--html", tmp_path / "p.html", "--inspect", tmp_path / "l.json"]  # fmt: skip
        shown = call(*args).out
        value = call(*args, "--json").value

    assert "canned-refusal" in shown
    assert words("en")["suite-degenerate"].split(":")[0] in shown
    assert "refusal-rule" in shown
    assert value["degenerate"] is True
    assert value["score"] == 0.0
    assert len(value["files"]) == 3
    assert all(Path(file).is_file() for file in value["files"])
    assert "O escore é oco" in (tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_log_of_inspect_holds_every_answer(call: Call, tmp_path: Path) -> None:
    """A prompt is a sample with its answer and label; means and corrected rates are there."""
    from inspect_ai.log import read_eval_log

    with served(REFUSER) as server:
        value = call(
            "evaluate", "run", "--suite", "refusal", "--lang", "pt", "--model", server.url,
            "--served", "served", "--limit", 4, "--inspect", tmp_path / "l.json", "--json",
        ).value  # fmt: skip
    log = read_eval_log(str(tmp_path / "l.json"))

    assert log.samples is not None
    assert log.results is not None
    assert len(log.samples) == value["asked_items"] == 8
    assert {s.scores["label"].value for s in log.samples if s.scores} == {"refused"}
    assert {s.metadata["part"] for s in log.samples} == {"harmful", "benign"}
    found = {s.name: s.metrics["mean"].value for s in log.results.scores}
    assert found[value["metric"]] == value["score"] == 0
    assert found["refused-benign"] == 1
    assert found["refused-benign, corrected"] == value["corrected"]["refused-benign"]["value"]


@pytest.mark.parametrize(
    ("more", "where"),
    [
        (["--suite", "refusal"], "--lang"),
        (["--suite", "instructions", "--lang", "en", "--judge", "x"], "--judge"),
        (["--suite", "truthful-answers", "--lang", "en"], "--data"),
        (["--suite", "sycophancy", "--lang", "en", "--shots", "2"], "--shots"),
    ],
)
def test_what_does_not_fit_is_said(call: Call, more: list[str], where: str) -> None:
    """Each option that cannot be heeded is a fault with its name."""
    found = call("evaluate", "run", "--model", "nowhere", *more, "--json")

    assert found.code == 1
    assert where in [f["where"] for f in found.faults]
