"""`init --from` on the command line: answers by option, questions on a terminal, one JSON value."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from normwright.cli.words import words

from .conftest import Call

TABLE = "id,T1,T2\nana,1,0\nrui,0,1\neva,1,1\n"


class Terminal(io.StringIO):
    """What a person types, on something that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table that leaves one thing open."""
    path = tmp_path / "x.csv"
    path.write_text(TABLE)
    return path


def test_answers_by_option(call: Call, table: Path, tmp_path: Path) -> None:
    """With its answers given the project is made, and stdout is one JSON value."""
    made = call("init", tmp_path / "new", "--from", table, "--answer", "votes.0=pass", "--json")

    assert made.code == 0
    assert made.value["counts"] == {"participants": 3, "statements": 2, "votes": 6}
    assert made.value["answers"] == {"votes.0": "pass"}
    assert made.value["directory"] == str(tmp_path / "new")
    assert all(set(f) == {"kind", "count", "policy", "examples"} for f in made.value["integrity"])


def test_open_questions_without_a_terminal(call: Call, table: Path, tmp_path: Path) -> None:
    """One error says what to answer and how; nothing is made."""
    called = call("init", tmp_path / "new", "--from", table, "--json")

    assert called.code == 1
    assert [f["do"] for f in called.faults] == ["Answer it with --answer 'votes.0=...'"]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("lang", "asked"), [("en", "What does"), ("pt", "O que significa")])
def test_questions_on_a_terminal(
    call: Call, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, asked: str
) -> None:
    """A number or a word is an answer, anything else is asked again, in the reader's language."""
    monkeypatch.setattr(sys, "stdin", Terminal("what?\n9\n3\n"))
    made = call("init", tmp_path / "new", "--from", table, "--lang", lang)

    assert made.code == 0
    assert asked in made.err
    assert made.err.count(words(lang)["your-answer"]) == 3
    assert "votes:\n  '0': pass\n" in (tmp_path / "new/consultation/mapping.yaml").read_text()
    assert words(lang)["votes"] in made.out
    assert f"normwright run {tmp_path / 'new'}" in made.out


def test_json_never_asks(
    call: Call, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --json nobody is there to answer, even on a terminal."""
    monkeypatch.setattr(sys, "stdin", Terminal("1\n"))

    assert call("init", tmp_path / "new", "--from", table, "--json").code == 1


def test_findings_are_shown(call: Call, table: Path, tmp_path: Path) -> None:
    """What was found in the data and what was left behind is on the screen."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "x.csv").write_text(TABLE.replace("id", "Email").replace("ana", "ana@x.org"))
    (folder / "notes.pdf").write_text("x")
    made = call("init", tmp_path / "new", "--from", folder, "--answer", "votes.0=none")

    assert "names-replaced" in made.out
    assert "notes.pdf" in made.out
    assert "ana@x.org" not in made.out


@pytest.mark.parametrize(
    "options",
    [("--template", "town", "--from", "x"), ("--answer", "a=b"), ("--from", "x", "--answer", "a")],
)
def test_options_that_do_not_go_together(
    call: Call, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A template and a source, answers to nothing, and an answer without a value are usage."""
    assert call("init", tmp_path / "new", *options, "--json").code == 2
