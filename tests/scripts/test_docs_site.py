"""The site: every page in its place without anybody listing it, and pictures that are there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.loading import load_script

from normwright.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
STAGES = ("elicit", "aggregate", "charter", "learn", "guard", "evaluate", "redteam", "release")
PAGES = ("tour.md", "tour.pt.md", *(f"how-to/{stage}.md" for stage in STAGES))
"""Pages whose commands are run here."""


@pytest.fixture(scope="module")
def site() -> ModuleType:
    """The script that mkdocs asks."""
    return load_script(ROOT / "scripts" / "docs_site.py")


def leaves(entries: list[Any]) -> Iterator[str]:
    """The pages of a navigation, in its order."""
    for entry in entries:
        if isinstance(entry, dict):
            for inner in entry.values():
                yield from leaves(inner)
        else:
            yield entry


def test_every_page_has_one_place(site: ModuleType) -> None:
    """No page is left out, none stands twice, the way in comes first and the stages in order."""
    pages = list(leaves(site.navigation(DOCS)))
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}

    assert sorted(pages) == sorted(there | set(site.OUTSIDE))
    assert pages[:2] == ["index.md", "tour.md"]
    assert [p for p in pages if p.startswith("how-to/")][:8] == [f"how-to/{s}.md" for s in STAGES]


def test_a_new_page_and_a_new_folder_find_their_place(site: ModuleType, tmp_path: Path) -> None:
    """What nobody has heard of stands after what is known, under a title of its own."""
    for name in ("index.md", "how-to/zebra.md", "how-to/elicit.md", "new-part/a.md", "later.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# A\n")

    assert site.navigation(tmp_path) == [
        "index.md",
        {"How to": ["how-to/elicit.md", "how-to/zebra.md"]},
        {"New part": ["new-part/a.md"]},
        "later.md",
        *site.OUTSIDE,
    ]


def test_links_from_beside_docs_are_turned(site: ModuleType) -> None:
    """On the site CONTRIBUTING and SECURITY link to pages, not to files of the repository."""
    text = "[a](docs/how-to/keys.md) [b](SECURITY.md) [c](https://example.org/docs/x)"

    assert site.turned(text) == (
        "[a](how-to/keys.md) [b](security.md) [c](https://example.org/docs/x)"
    )


def test_contributing_fits_on_one_screen() -> None:
    """It is one screen: fifty lines of at most 130 columns, with a row for every kind."""
    from normwright.plugins import KINDS

    lines = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 50
    assert max(map(len, lines)) <= 130
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| ")][1:] == list(
        KINDS
    )


@pytest.mark.parametrize("page", ["tour", "concepts"])
def test_both_languages_have_the_same_shape(page: str) -> None:
    """The Portuguese page has as many sections, the same commands, pictures and tables."""
    english = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    portuguese = (DOCS / f"{page}.pt.md").read_text(encoding="utf-8")

    for mark in (r"^## \d", r"^normwright (\w+)", r"!\[[^]]*\]\(images/(\w+)", r"^\| ", r"^- "):
        found = [re.findall(mark, text, flags=re.M) for text in (english, portuguese)]
        assert found[0] == found[1], mark


def test_pictures_are_there_small_and_shown() -> None:
    """Each picture a page shows exists, each that exists is shown, none is over 150 kB."""
    shown = {
        name
        for page in DOCS.rglob("*.md")
        for name in re.findall(r"\]\((?:\.\./)?images/([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    there = {path.name: path for path in (DOCS / "images").iterdir()}

    assert set(there) == shown
    assert [n for n, p in there.items() if p.stat().st_size > 150_000] == []


def commands(page: str) -> list[list[str]]:
    """The command lines of a page's `sh` blocks."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.M | re.S)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


def others_have(folder: Path) -> None:
    """Put down small files of the names that the pages use: rankings, and an export of Polis."""
    names = "abcd"
    ballots = [
        "# DATA TYPE: toi",
        "# NUMBER ALTERNATIVES: 4",
        "# NUMBER VOTERS: 30",
        "# NUMBER UNIQUE ORDERS: 3",
        *(f"# ALTERNATIVE NAME {k}: {name}" for k, name in enumerate(names, 1)),
        "13: 1,{2,3},4",
        "10: 2,3",
        "7: 4,1,2,3",
    ]
    (folder / "ballots.toi").write_text("\n".join(ballots) + "\n", encoding="utf-8")
    votes = ["timestamp,comment-id,voter-id,vote"]
    for voter in range(24):
        for statement in range(8):
            side = 1 if (voter % 2 == 0) == (statement % 2 == 0) else -1
            votes.append(f"150000{voter:02d}{statement:02d},{statement},{voter},{side}")
    with zipfile.ZipFile(folder / "polis-export.zip", "w") as archive:
        archive.writestr("votes.csv", "\n".join(votes) + "\n")
    asked = "act: disclose.personal-data\nfacts: {data_public: false}\n"
    (folder / "asked.yaml").write_text(asked, encoding="utf-8")
    (folder / "my-consultations").mkdir()
    shutil.copy(folder / "ballots.toi", folder / "my-consultations" / "ballots.toi")


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work(
    page: str,
    micro_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Typed one after another in a finished project, all of them do what they say."""
    project = shutil.copytree(micro_project, tmp_path / "my-town")
    others_have(tmp_path)
    monkeypatch.chdir(tmp_path)
    digest = json.loads((project / "out/verdict.json").read_text())["charter"]
    asked = commands(page)

    for name, *words in asked:
        assert name == "normwright"
        with pytest.raises(SystemExit) as ended:
            main([digest if word == "DIGEST" else word for word in words])
        said = capsys.readouterr()
        assert ended.value.code in (0, 3, 4), f"{' '.join(words)}: {said.out}{said.err}"
    assert asked
