"""A project file is read strictly, and everything wrong with a project is said at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from normwright.flow import FILE, load_project, project_schema
from normwright.records import Fault, InputError

WHOLE = """\
schema: project/v1
id: vila-clara
title: {en: The town hall's assistant, pt: A assistente da câmara}
languages: [en, pt]
seed: 7
charter_date: 2026-01-31
threads: null
sources:
  consultation: consultation
  norms: norms
  scenes: [scenes, more.yaml]
method: {ranking: schulze, bootstrap: 100}
model: {kind: embedded}
learn:
  obliging: 0.5
  sft: {epochs: 2, lr: 5e-4, batch: 16}
controls: [canned-refusal]
redteam: {attacks: attacks.yaml}
release: {modes: [internal, api_guarded], criteria: criteria.yaml}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("consultation", "norms", "scenes"):
        (tmp_path / name).mkdir()
    for name in ("attacks.yaml", "criteria.yaml", "guard.yaml", "more.yaml"):
        (tmp_path / name).write_text("x: 1\n")
    (tmp_path / FILE).write_text(WHOLE, encoding="utf-8")
    return tmp_path


def change(project: Path, old: str, new: str) -> None:
    text = (project / FILE).read_text(encoding="utf-8")
    assert old in text
    (project / FILE).write_text(text.replace(old, new), encoding="utf-8")


def faults(project: Path) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        load_project(project)
    return list(caught.value.faults)


def fault(project: Path) -> Fault:
    (one,) = faults(project)
    return one


def test_a_whole_file_is_read(project: Path) -> None:
    """Every value comes out as written, and what is left out as its default."""
    read = load_project(project)
    settings = read.settings

    assert settings.title["pt"] == "A assistente da câmara"
    assert settings.languages == ("en", "pt")
    assert settings.threads is None
    assert settings.sources.scenes == ("scenes", "more.yaml")
    assert settings.learn.sft is not None
    assert settings.learn.sft.lr == 5e-4
    assert settings.release.modes == ("internal", "api_guarded")
    assert settings.model.kind == "embedded"
    assert read.path("norms") == project / "norms"


def test_all_faults_come_at_once(project: Path) -> None:
    """Unknown keys, wrong values, missing values and missing files stand in one error."""
    change(project, "epochs: 2", "epocs: two, batch: 0")
    change(project, "seed: 7\n", "")
    change(project, "obliging: 0.5", "obliging: 1.5")
    change(project, "modes: [internal, api_guarded]", "modes: [internal, secret]")
    change(project, "more.yaml]", "less.yaml]")
    change(project, "bootstrap: 100", "bootstrap: many")
    (project / "attacks.yaml").unlink()
    (project / "norms").rmdir()
    found = {one.where.removeprefix(f"{FILE}: "): one for one in faults(project)}

    assert set(found) >= {
        "seed",
        "method.bootstrap",
        "learn.sft.epocs",
        "learn.obliging",
        "release.modes[1]",
        "sources.scenes[1]",
        "sources.norms",
        "redteam.attacks",
    }
    assert found["learn.sft.epocs"].do == "Nearest key: epochs."
    assert found["learn.sft.epocs"].seen == "epocs"
    assert found["method.bootstrap"].expected == "a whole number"
    assert found["method.bootstrap"].seen == '"many"'
    assert found["learn.obliging"].expected == "a number of at most 1.0"
    assert found["release.modes[1]"].expected == "'internal', 'api_guarded' or 'open_weights'"
    assert found["seed"].seen == "nothing"
    assert found["sources.scenes[1]"].seen == "less.yaml, which is not there"


def test_an_unknown_key_at_the_top_has_its_nearest(project: Path) -> None:
    """A misspelt section is named with the keys that are known there."""
    change(project, "redteam:", "readteam:")
    found = fault(project)

    assert found.where == f"{FILE}: readteam"
    assert found.do == "Nearest key: redteam."
    assert "evaluate" in found.expected


def test_misspelt_sources_are_one_fault(project: Path) -> None:
    """What follows from there being no sources is not told where a key may be meant for them."""
    change(project, "sources:", "sorces:")
    found = fault(project)

    assert found.where == f"{FILE}: sorces"
    assert found.do == "Nearest key: sources."


@pytest.mark.parametrize(
    ("old", "new", "where", "expected"),
    [
        ("seed: 7", 'seed: "7"', "seed", "a whole number"),
        ("seed: 7", "seed: 7.5", "seed", "a whole number"),
        ("seed: 7", "seed: true", "seed", "a whole number"),
        ("seed: 7", "seed: -1", "seed", "a number of at least 0"),
        ("lr: 5e-4", "lr: 0", "learn.sft.lr", "a number above 0"),
        ("lr: 5e-4", "lr: .nan", "learn.sft.lr", "a finite number"),
        ("lr: 5e-4", "lr: fast", "learn.sft.lr", "a number"),
        ("languages: [en, pt]", "languages: []", "languages", "at least 1 entries"),
        ("languages: [en, pt]", "languages: en", "languages", "a list"),
        ("method: {ranking: schulze, bootstrap: 100}", "method: 3", "method", "a mapping"),
        ("id: vila-clara", "id: Vila Clara", "id", "text of the form "),
        ("schema: project/v1", "schema: project/v2", "schema", "'project/v1'"),
        ("threads: null", "threads: 0", "threads", "a number of at least 1"),
    ],
)
def test_a_wrong_value_says_what_was_expected(
    project: Path, old: str, new: str, where: str, expected: str
) -> None:
    """Values of the wrong kind or out of range are named, with what would do."""
    change(project, old, new)
    found = fault(project)

    assert found.where == f"{FILE}: {where}"
    assert found.expected.startswith(expected)
    assert found.seen


def test_yaml_faults_have_line_and_column(project: Path) -> None:
    """Bad YAML is one fault at its line and column."""
    change(project, "seed: 7", "seed: 7\n  bad: [")
    found = fault(project)

    assert found.where == f"{FILE}:6:6"
    assert found.expected == "YAML"


def test_a_control_character_has_its_place(project: Path) -> None:
    """A character YAML does not allow is named at its line."""
    change(project, "seed: 7", "seed: \x07")

    assert fault(project).where == f"{FILE}:5:7"


def test_text_that_is_not_utf8_is_named(project: Path) -> None:
    """A file in another encoding is one fault at the first line that shows it."""
    (project / FILE).write_bytes(WHOLE.encode("latin-1"))
    found = fault(project)

    assert found.where == f"{FILE}:3"
    assert found.expected == "text in UTF-8"
    assert "0xe2" in found.seen


def test_a_key_twice_is_refused(project: Path) -> None:
    """YAML would take the last of two equal keys in silence; here it is a fault with its line."""
    change(project, "seed: 7", "seed: 7\nseed: 8")
    found = fault(project)

    assert found.where == f"{FILE}:6: seed"
    assert found.seen == "it stands there twice"


def test_plain_words_stay_words(project: Path) -> None:
    """Norwegian is a language and not false; a date is text; an octal-looking id is text."""
    change(project, "languages: [en, pt]", "languages: [en, no]")
    change(project, "pt: A assistente da câmara", "no: 2026-01-31")
    settings = load_project(project).settings

    assert settings.languages == ("en", "no")
    assert settings.title["no"] == "2026-01-31"


@pytest.mark.parametrize(
    ("text", "seen"), [("", "nothing"), ("- a\n", "a list"), ("just words\n", "a str")]
)
def test_a_file_that_is_no_mapping_is_refused(project: Path, text: str, seen: str) -> None:
    """An empty file, a list or a sentence is not a project."""
    (project / FILE).write_text(text)

    assert fault(project).seen == seen


@pytest.mark.parametrize("text", ["? [a, b]\n: c\n", "a: &a [*a]\n", "a: !!int x\n"])
def test_yaml_that_is_no_plain_data_is_refused(project: Path, text: str) -> None:
    """Lists as keys, aliases that hold themselves and broken tags are faults, not crashes."""
    (project / FILE).write_text(text)

    assert faults(project)


def test_nothing_is_constructed_from_tags(project: Path) -> None:
    """A tag that would make a Python object is refused as YAML."""
    (project / FILE).write_text("a: !!python/object/apply:os.system [echo]\n")

    assert fault(project).expected == "YAML"


def test_a_title_in_every_language(project: Path) -> None:
    """A language without a title is named."""
    change(project, "languages: [en, pt]", "languages: [en, pt, es]")

    assert fault(project).expected == "a title in es"


def test_a_date_is_a_day(project: Path) -> None:
    """A date of the right form that no calendar has is named."""
    change(project, "charter_date: 2026-01-31", "charter_date: 2026-02-31")

    assert fault(project).expected == "a day of the calendar"


@pytest.mark.parametrize("where", ["../elsewhere", "/etc"])
def test_sources_lie_inside_the_project(project: Path, where: str) -> None:
    """A source outside the project could not be verified elsewhere and is refused."""
    change(project, "norms: norms", f"norms: {where}")
    found = fault(project)

    assert found.where == f"{FILE}: sources.norms"
    assert found.expected == "a directory inside the project"


def test_a_file_where_a_directory_is_meant(project: Path) -> None:
    """A path to the wrong kind of thing is named."""
    change(project, "norms: norms", "norms: more.yaml")

    assert fault(project).seen == "more.yaml, another kind"


def test_a_local_model_is_looked_at(project: Path) -> None:
    """A model directory without tokenizer or weights is named for each thing it lacks."""
    model = project.parent / "some-model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    change(project, "model: {kind: embedded}", f"model: {{kind: local, path: {model}}}")
    found = faults(project)
    (model / "model.safetensors").write_bytes(b"")
    (model / "tokenizer.json").write_text("{}")

    assert [one.expected for one in found] == ["weights as safetensors", "a tokenizer"]
    assert load_project(project).settings.model.path == str(model)


def test_a_local_model_needs_a_path(project: Path) -> None:
    """`local` without a path, or with one that leads nowhere, is one fault."""
    change(project, "model: {kind: embedded}", "model: {kind: local}")
    without = fault(project)
    change(project, "model: {kind: local}", "model: {kind: local, path: nowhere}")

    assert without.expected == "a model directory, because kind is local"
    assert fault(project).seen == "nowhere, which is not there"


def test_a_directory_that_is_no_project(tmp_path: Path) -> None:
    """A directory without a project file, or none at all, says how to make one."""
    for directory in (tmp_path, tmp_path / "nowhere"):
        assert "normwright init" in fault(directory).do


def test_the_schema_describes_the_file(project: Path) -> None:
    """The JSON Schema names every key by the word used in the file, each with what it means."""
    schema = project_schema()
    text = json.dumps(schema)

    assert schema["properties"]["schema"]["const"] == "project/v1"
    assert "spec" not in schema["properties"]
    assert set(schema["required"]) >= {"schema", "id", "title", "languages", "seed"}
    assert schema["additionalProperties"] is False
    for name, part in {"ProjectSettings": schema, **schema["$defs"]}.items():
        for key, field in part["properties"].items():
            meant = (
                field if "description" in field else schema["$defs"][field["$ref"].split("/")[-1]]
            )
            assert meant["description"], f"{name}.{key} says nothing"
    assert "Place" not in text
