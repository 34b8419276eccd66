"""`normwright elicit import` and `export`: audited, refused or done, for people and programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.elicit.conftest import POLIS, TINY
from tests.elicit.samples import CAT, DICES, FILES, LONG, PAIRS, SOI, WMD, bytes_of

from normwright import flow
from normwright.elicit import read_consultation, read_source


def lay(place: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a new folder."""
    place.mkdir(parents=True)
    for name, data in bytes_of(files).items():
        (place / name).write_bytes(data)
    return place


@pytest.fixture
def without(tmp_path: Path) -> Path:
    """A project that has pairs and no consultation."""
    pairs = lay(tmp_path / "from", {"x.jsonl": PAIRS}) / "x.jsonl"
    flow.init_from(tmp_path / "project", pairs, today=date(2026, 1, 1))
    return tmp_path / "project"


def everything(place: Path) -> dict[str, bytes]:
    """Every file below a folder, but for the store's own."""
    return {
        p.relative_to(place).as_posix(): p.read_bytes()
        for p in place.rglob("*")
        if p.is_file() and ".normwright" not in p.parts
    }


@pytest.mark.parametrize("name", FILES)
def test_the_contract_of_json(call: Call, tmp_path: Path, name: str) -> None:
    """Exactly these keys for every format, nothing else on stdout, and nothing is written."""
    slug, files = FILES[name]
    place = lay(tmp_path / "a", files)
    before = everything(tmp_path)
    called = call("elicit", "import", place, "--json")

    assert (called.code, called.err) == (0, "")
    assert set(called.value) == {"format", "records", "findings", "digest"}
    assert called.value["format"] == slug
    assert called.value["digest"] == read_source(place).digest
    assert all(isinstance(n, int) and n > 0 for n in called.value["records"].values())
    assert all({"kind", "count", "where"} <= set(f) for f in called.value["findings"])
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("2 statements", "what was done")), ("pt", ("2 afirmações", "o que se fez"))],
)
def test_people_get_a_table(call: Call, tmp_path: Path, lang: str, words: tuple[str, ...]) -> None:
    """Counts, findings with what was done about each, places and digest, in either language."""
    called = call("elicit", "import", lay(tmp_path / "a", POLIS), "--lang", lang)

    assert called.code == 0
    assert all(word in called.out for word in (*words, "polis", "rejected-statements", "sha256:"))


def test_every_fault_at_once(call: Call, tmp_path: Path) -> None:
    """Bad input is one error with all its faults by line, exit code 1."""
    text = SOI.replace("2: 2\n", "2: 9,9\nx: 1\n")
    called = call("elicit", "import", lay(tmp_path / "a", {"x.soi": text}), "--json")

    assert called.code == 1
    assert [f["where"] for f in called.faults] == ["x.soi:13", "x.soi:12", "x.soi:12"]


@pytest.mark.parametrize("arguments", [(), ("x", "--answer", "no"), ("x", "--nope")])
def test_usage(call: Call, arguments: tuple[str, ...]) -> None:
    """A command line that cannot be meant is an error of usage."""
    assert call("elicit", "import", *arguments, "--json").code == 2


def test_into_a_project(call: Call, without: Path, tmp_path: Path) -> None:
    """The files come to lie in the project untouched, and the next run reads them."""
    source = lay(tmp_path / "votes", {"x.csv": LONG.replace(",agree,", ",ja,"), "README.md": "x"})
    called = call("elicit", "import", source, "--project", without, "--answer", "votes.ja=agree",
                  "--lang", "en")  # fmt: skip
    settings = flow.load_project(without).settings

    assert called.code == 0, called.err
    assert "README.md" in called.out
    assert (without / "consultation" / "x.csv").read_bytes() == (source / "x.csv").read_bytes()
    assert settings.sources.consultation == "consultation"
    assert settings.sources.pairs == ("pairs/x.jsonl",)
    found = read_consultation(without / "consultation", root=without)
    assert [v.value for v in found.votes] == ["agree", "disagree"]
    assert call("run", without, "--until", "elicit", "--json").code == 0
    assert [p.name for p in without.iterdir() if p.name.startswith(".")] == [".normwright"]


def test_a_process_file_goes_with_it(call: Call, without: Path, tmp_path: Path) -> None:
    """Who was asked can be said, and lies beside the votes as it was given."""
    who = tmp_path / "who.yaml"
    who.write_text(
        "id: hall\nkind: human\ntitle: {en: The hall}\n"
        "polities: [{id: hall, name: {en: Hall}, layer: organisation}]\n"
    )
    votes = lay(tmp_path / "a", {"x.csv": LONG}) / "x.csv"
    call("elicit", "import", votes, "--project", without, "--process", who)

    assert (without / "consultation" / "process.yaml").read_bytes() == who.read_bytes()
    assert read_consultation(without / "consultation", root=without).process.id == "hall"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"x.csv": DICES}, "votes, rankings or comparisons of people, for a project"),
        ({"x.wmd": WMD}, "votes, rankings or comparisons of people, for a project"),
        ({"x.jsonl": PAIRS}, "votes, rankings or comparisons of people, for a project"),
        ({"x.soi": "broken"}, "a header `# KEY: value`, or a number of alternatives"),
        ({"x.soi": SOI, **POLIS}, "files that only one format fits"),
    ],
)
def test_what_is_no_consultation_leaves_a_project_as_it_was(
    call: Call, without: Path, tmp_path: Path, files: Mapping[str, str], expected: str
) -> None:
    """Annotations, graphs, pairs, broken and ambiguous files are refused whole."""
    before = everything(without)
    place = lay(tmp_path / "a", files)
    called = call("elicit", "import", place, "--project", without, "--json")

    assert called.code == 1
    assert called.faults[0]["expected"] == expected
    assert everything(without) == before


def test_a_project_with_a_consultation_keeps_it(call: Call, tmp_path: Path) -> None:
    """One error; nothing is ever overwritten."""
    votes = lay(tmp_path / "a", {"x.csv": LONG}) / "x.csv"
    flow.init_from(tmp_path / "p", votes, today=date(2026, 1, 1))
    before = everything(tmp_path / "p")
    called = call("elicit", "import", votes, "--project", tmp_path / "p", "--json")

    assert called.code == 1
    assert [f["seen"] for f in called.faults] == ["one that has one"]
    assert everything(tmp_path / "p") == before


def test_no_project_there(call: Call, tmp_path: Path) -> None:
    """A place that is no project is said before anything is read."""
    called = call("elicit", "import", tmp_path, "--project", tmp_path / "none", "--json")

    assert [f["expected"] for f in called.faults] == ["a directory"]


def test_a_project_that_would_not_load_is_left_alone(
    call: Call, without: Path, tmp_path: Path
) -> None:
    """What was put in is taken out again where the project has other faults."""
    shutil.rmtree(without / "pairs")
    before = everything(without)
    votes = lay(tmp_path / "a", {"x.csv": LONG}) / "x.csv"
    called = call("elicit", "import", votes, "--project", without, "--json")

    assert called.code == 1
    assert everything(without) == before


def test_export_and_back(call: Call, tmp_path: Path) -> None:
    """A file or a project is written in another format, which reads as the same."""
    cat = lay(tmp_path / "a", {"x.cat": CAT}) / "x.cat"
    flow.init_from(tmp_path / "p", lay(tmp_path / "b", POLIS), today=date(2026, 1, 1))
    one = call("elicit", "export", cat, "--to", "preflib", "--out", tmp_path / "one", "--json")
    two = call("elicit", "export", tmp_path / "p", "--to", "polis", "--out", tmp_path / "two")

    assert one.value["files"] == ["process.yaml", "x.cat"]
    assert one.value["lost"] == []
    assert two.code == 0, two.err
    assert read_source(tmp_path / "one").counts == read_source(cat).counts
    assert read_source(tmp_path / "two").counts["votes"] == 4


def test_export_refuses_before_it_writes(call: Call, tmp_path: Path) -> None:
    """What would be lost is named and nothing written; with leave it is named and left out."""
    tiny = lay(tmp_path / "a", TINY)
    out = tmp_path / "out"
    refused = call("elicit", "export", tiny, "--to", "polis", "--out", out, "--json")
    existed = out.exists()
    done = call("elicit", "export", tiny, "--to", "polis", "--out", out, "--lossy", "--lang", "pt")
    again = call("elicit", "export", tiny, "--to", "polis", "--out", out, "--lossy", "--json")

    assert (refused.code, existed) == (1, False)
    assert len(refused.faults) == 8
    assert done.code == 0
    assert done.err.count("Deixado de fora") == 8
    assert again.code == 1
    assert json.loads(again.out)["error"]["faults"][0]["where"] == str(out)
