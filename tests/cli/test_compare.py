"""`normwright diff` on a finished project and a variant of it, as a person and a program see it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from tests.cli.conftest import Call

from normwright.cli.compare import lines_of, run_name
from normwright.cli.words import languages, words
from normwright.flow import Comparison, RunName
from normwright.flow.compare import DataChange, TableChange
from normwright.records import Dataset
from normwright.store import ROW_ID

NORM = "p.neutrality.candidates"


@pytest.fixture(scope="module")
def variant(micro_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose people vote against a norm and whose criteria ask for less."""
    copy = Path(shutil.copytree(micro_project, tmp_path_factory.mktemp("variant") / "micro"))
    votes = copy / "consultation/votes.csv"
    lines = votes.read_text().splitlines()
    statement = statement_of(copy, NORM)
    turned = [
        line.replace(",agree,", ",disagree,") if f",{statement}," in line else line
        for line in lines
    ]
    assert turned != lines
    votes.write_text("\n".join(turned) + "\n")
    return copy


def statement_of(project: Path, norm: str) -> str:
    """Return the statement on which people adopt a norm."""
    rows = (project / "consultation/statements.csv").read_text().splitlines()
    return next(row.split(",")[0] for row in rows if norm in row)


def test_votes_that_reject_a_norm(call: Call, micro_project: Path, variant: Path) -> None:
    """The file that changed is the first cause; the norm it led to is rejected, with a reason."""
    assert call("run", variant, "--until", "charter", "--json").code == 0
    found = call("diff", micro_project, variant, "--json").value

    assert [cause["name"] for cause in found["why"] if cause["kind"] == "file"] == [
        "consultation/votes.csv"
    ]
    assert found["why"][0]["reaches"][:3] == ["elicit", "aggregate", "charter"]
    (norm,) = found["norms"]
    assert (norm["norm"], norm["before"], norm["after"]) == (NORM, "adopted", "rejected")
    assert set(norm["reason"]) == {"en", "pt"}
    votes = next(table for table in found["people"] if table["table"] == "votes")
    assert (votes["added"], votes["removed"]) == (0, 0)
    assert votes["changed"] > 10
    moved = [one for outcome in found["outcomes"] for one in outcome["support"]]
    assert [one["overlap"] for one in moved] == [False]


@pytest.mark.parametrize("lang", languages())
def test_the_same_as_a_screen(call: Call, micro_project: Path, variant: Path, lang: str) -> None:
    """Each link has its line in the language asked for; what did not change is one line."""
    say = words(lang)
    called = call("diff", micro_project, variant, "--lang", lang)

    assert called.code == 0
    assert called.err == ""
    for link in ("why", "people", "outcomes", "norms", "data", "models", "behaviour", "criteria"):
        assert say[f"diff-{link}"] in called.out
    assert f"{NORM}: {say['diff-adopted']} → {say['diff-rejected']}. " in called.out
    assert "consultation/votes.csv: " in called.out


def test_a_run_against_itself(call: Call, micro_project: Path) -> None:
    """Nothing changed: one line a link, and the verdict stands; exit code 0."""
    called = call("diff", "1", "1", "--project", micro_project, "--lang", "en")

    assert called.code == 0
    lines = called.out.splitlines()
    assert [line for line in lines if line.endswith(": unchanged")] == [
        f"{words('en')[f'diff-{link}']}: unchanged"
        for link in (
            "why", "people", "outcomes", "norms", "data", "models", "behaviour", "criteria"
        )
    ]  # fmt: skip
    assert any(line.startswith("  internal: BLOCK, unchanged") for line in lines)


def test_a_criterion_that_was_rewritten(call: Call, micro_project: Path, tmp_path: Path) -> None:
    """Only the release is decided anew: the criterion is the change, its file the cause."""
    copy = Path(shutil.copytree(micro_project, tmp_path / "micro"))
    criteria = copy / "criteria.yaml"
    text = criteria.read_text()
    changed = text.replace("limit: 0.10", "limit: 0.11", 1)
    assert changed != text
    criteria.write_text(changed)
    assert call("run", copy, "--json").code in (3, 4)
    found = call("diff", micro_project, copy, "--json").value

    (cause,) = found["why"]
    assert (cause["kind"], cause["name"]) == ("file", "criteria.yaml")
    assert cause["reaches"] == ["release"]
    assert {one["rewritten"] for one in found["criteria"]} == {True}
    assert found["criteria"][0]["before"]["limit"] == pytest.approx(0.10)
    assert found["criteria"][0]["after"]["limit"] == pytest.approx(0.11)
    assert found["models"] == found["behaviour"] == found["norms"] == []
    shown = call("diff", micro_project, copy, "--lang", "pt").out
    assert words("pt")["diff-criterion-rewritten"] in shown


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("my-town", RunName(Path("my-town"))),
        ("my-town@3", RunName(Path("my-town"), 3)),
        ("a@b/town@12", RunName(Path("a@b/town"), 12)),
        ("a@b", RunName(Path("a@b"))),
        ("3", RunName(Path("here"), 3)),
        ("./3", RunName(Path("3"))),
    ],
)
def test_how_a_run_is_named(text: str, meant: RunName) -> None:
    """A directory, a directory with a number, or a number alone; an `@` in a path is no matter."""
    assert run_name(text, Path("here")) == meant


def test_a_run_that_is_not_there(call: Call, micro_project: Path) -> None:
    """An unknown run is one fault that lists those there are."""
    (fault,) = call("diff", f"{micro_project}@9", micro_project, "--json").faults

    assert (fault["where"], fault["seen"]) == ("run 9", "9")


NOTHING = Comparison(
    before="p@1", after="p@2", why=(), people=(), outcomes=(), norms=(), permit=(None, None),
    data=(), models=(), behaviour=(), criteria=(), verdict=(), unpaired="", left_out=0,
)  # fmt: skip


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("kind", get_args(Dataset.model_fields["kind"].annotation))
def test_every_kind_of_data_has_a_line(kind: str, lang: str) -> None:
    """Whatever is learned from, a screen has words for it and says which step made it."""
    change = DataChange("learn.data", kind, (3, 4), (None, None), {})
    lines = list(lines_of(replace(NOTHING, data=(change,)), lang))

    (line,) = (line for line in lines if "3 → 4" in line)
    assert line.startswith(f"  learn.data: {words(lang)[f'diff-{kind}']}: ")


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("table", ROW_ID)
def test_every_table_has_a_line_and_says_what_is_erased(table: str, lang: str) -> None:
    """Each table of rows has its name; rows that are gone are counted apart from those removed."""
    root = "sha256:" + "0" * 64
    change = TableChange(table, 5, 4, 0, 0, 0, (1, 0), root, None)
    (line,) = (
        line for line in lines_of(replace(NOTHING, people=(change,)), lang) if "5 → 4" in line
    )

    assert f"{words(lang)['diff-erased']}: 1 → 0" in line
