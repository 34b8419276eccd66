"""What there is, is documented; what is documented, is what there is."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.loading import load_script
from typer.main import get_command

from normwright import records
from normwright.cli.app import application
from normwright.plugins import KINDS, cards
from normwright.records import Frozen, Record

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    """The script that writes the pages."""
    return load_script(ROOT / "scripts" / "docs_pages.py")


def headings(page: str, level: int) -> list[str]:
    """The headings of one level."""
    return re.findall(rf"^{'#' * level} (.+)$", (REFERENCE / page).read_text(), flags=re.M)


def test_generated_pages_are_current(pages: ModuleType) -> None:
    """Each page says what the script would write today; `make fix` writes it."""
    stale = [
        name for name, write in pages.PAGES.items() if (REFERENCE / name).read_text() != write()
    ]

    assert stale == []


def test_a_stale_page_is_found(
    pages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--check` fails for a missing or changed page, and passes once the pages are written."""
    monkeypatch.setattr(pages, "REFERENCE", tmp_path)

    assert pages.main(["--check"]) == 1
    assert list(tmp_path.iterdir()) == []
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
    (tmp_path / "records.md").write_text("old")
    assert pages.main(["--check"]) == 1


def test_every_command_is_documented() -> None:
    """Each command has its heading, a help text and an example."""
    found = []
    todo: list[tuple[tuple[str, ...], Any]] = [((), get_command(application()))]
    while todo:
        path, command = todo.pop()
        inner = getattr(command, "commands", None)
        if inner is None:
            found.append(" ".join(path))
            assert command.help
            assert command.epilog
        else:
            todo.extend(((*path, name), each) for name, each in inner.items())

    assert headings("commands.md", 2) == sorted(found)


def test_every_plugin_is_documented(pages: ModuleType) -> None:
    """Each kind has its heading, and each card stands under it or on the page of its kind."""
    own = [kind for kind in KINDS if kind in pages.INTRODUCTIONS and cards(kind)]

    assert headings("plugins.md", 2) == list(KINDS)
    assert headings("plugins.md", 3) == [card.name for card in cards() if card.kind not in own]
    for kind in own:
        assert headings(f"{kind}.md", 2) == [card.name for card in cards(kind)]


def test_every_record_is_documented() -> None:
    """Each border type has its heading and a docstring of its own."""
    types = {
        name: kind
        for name in records.__all__
        if inspect.isclass(kind := getattr(records, name))
        and issubclass(kind, Frozen)
        and kind not in (Frozen, Record)
    }

    assert headings("records.md", 2) == sorted(types)
    assert [name for name, kind in types.items() if not kind.__dict__.get("__doc__")] == []


def test_changelog_begins_with_what_is_unreleased() -> None:
    """The newest section is `Unreleased`, and it says something."""
    text = (ROOT / "CHANGELOG.md").read_text()
    first = text.split("\n## ")[1]

    assert first.startswith("[Unreleased]")
    assert "\n- " in first


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda p: p.stem
)
def test_decisions_have_one_shape(page: Path) -> None:
    """A decision says its context, its choice, what was rejected and what follows."""
    text = page.read_text()
    number = page.stem[:4]

    assert re.match(rf"# {number} .+\n\nStatus: (accepted|superseded by \d{{4}})\n", text)
    assert re.findall(r"^## (.+)$", text, flags=re.M) == [
        "Context",
        "Decision",
        "Rejected",
        "Consequences",
    ]
