"""A project starts from a template, whole, in an empty place only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from normwright.flow import FILE, init, template_names
from normwright.records import InputError


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    town = tmp_path / "templates" / "town"
    (town / "norms").mkdir(parents=True)
    (town / FILE).write_text("schema: project/v1\n")
    (town / "norms" / "a.yaml").write_text("id: a\n")
    (town / ".hidden").write_text("")
    (tmp_path / "templates" / "unfinished").mkdir()
    return tmp_path / "templates"


def test_a_project_is_made_whole(templates: Path, tmp_path: Path) -> None:
    """All files of the template appear, parents included, and what to do next is said."""
    made = init(tmp_path / "new" / "town", "town", templates=templates)

    assert made.files == ("norms/a.yaml", FILE)
    assert (made.directory / "norms" / "a.yaml").read_text() == "id: a\n"
    assert made.next[0] == f"normwright run {tmp_path / 'new' / 'town'}"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["town"]
    assert (made.directory / FILE).stat().st_mode & 0o200


def test_an_empty_directory_is_filled(
    templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standing in an empty directory one may make it a project."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    init(Path(), "town", templates=templates)

    assert sorted(path.name for path in Path().iterdir()) == sorted([FILE, "norms"])


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_nothing_is_overwritten(templates: Path, tmp_path: Path, kind: str) -> None:
    """A directory with anything in it, or a file, is refused and left as it was."""
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine").write_text("mine")
    with pytest.raises(InputError, match="nothing is ever overwritten"):
        init(place, "town", templates=templates)

    assert (place if kind == "file" else place / "mine").read_text() == "mine"


def test_an_unknown_template_is_named_with_the_nearest(templates: Path, tmp_path: Path) -> None:
    """A template that is not there, or has no project file, is refused with what there is."""
    assert template_names(templates) == ("town",)
    with pytest.raises(InputError, match=r"expected one of town, saw twon\. Nearest: town\."):
        init(tmp_path / "new", "twon", templates=templates)
    with pytest.raises(InputError):
        init(tmp_path / "new", "unfinished", templates=templates)
    assert not (tmp_path / "new").exists()


def test_a_copy_that_fails_leaves_nothing(
    templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If copying stops half-way there is no project and no rubbish."""

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises((OSError, shutil.Error)):
        init(tmp_path / "new", "town", templates=templates)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["templates"]
