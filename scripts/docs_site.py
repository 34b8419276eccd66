"""What mkdocs asks for while it builds the site: its order, and the pages that lie outside docs/.

Nobody lists pages by hand: a new file under docs/ stands in its section at once, and those that
make up the way in stand first, in the order below.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent

FIRST = ("index.md", "tour.md", "tour.pt.md", "concepts.md", "concepts.pt.md")
"""The way in, in this order."""

STAGES = ("elicit", "aggregate", "charter", "learn", "guard", "evaluate", "redteam", "release")
"""How-tos of the stages stand before all others, in the order of the path."""

SECTIONS = {
    "how-to": "How to",
    "reference": "Reference",
    "experiments": "Experiments",
    "decisions": "Decisions",
}
"""Folder -> title of its section, in this order; a folder that is not here comes after them."""

OUTSIDE = {
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}
"""Page of the site -> the file beside docs/ that it is."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give the site its order."""
    config.nav = navigation(Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie beside docs/, their links turned towards the site."""
    for page, name in OUTSIDE.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=turned(text)))
    return files


def navigation(docs: Path) -> list[Any]:
    """Return every page under `docs` in the order of the site, in the form mkdocs takes."""
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    found: list[Any] = [page for page in FIRST if page in pages]
    folders = sorted({page.partition("/")[0] for page in pages if "/" in page})
    for folder in sorted(folders, key=lambda f: (f not in SECTIONS, _place(f, tuple(SECTIONS)), f)):
        inside = sorted(
            (page for page in pages if page.startswith(f"{folder}/")),
            key=lambda page: (_place(Path(page).stem, STAGES), page),
        )
        title = SECTIONS.get(folder, folder.replace("-", " ").capitalize())
        found.append({title: inside})
    found += sorted(page for page in pages if "/" not in page and page not in FIRST)
    return [*found, *OUTSIDE]


def turned(text: str) -> str:
    """Return a text from beside docs/ with its links as they are from within the site."""
    text = re.sub(r"\]\(docs/", "](", text)
    for page, name in OUTSIDE.items():
        text = text.replace(f"]({name})", f"]({page})")
    return text


def _place(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)
