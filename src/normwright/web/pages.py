"""Self-contained pages: one HTML file with every language in it, and no script."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from normwright import __version__
from normwright.charter.telling import Told
from normwright.store import write_whole


def write_page(path: Path, text: str) -> None:
    """Write whole or not at all: a reader never meets half a page."""
    write_whole(path, text.encode("utf-8"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("normwright.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coded"] = _coded
    environment.filters["conditions"] = _conditions
    return environment


def _coded(text: str) -> Markup:
    """Text with what stands between backticks set as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts)
    )


def _conditions(node: Told) -> Markup:
    """Return a condition as nested lists."""
    if not node.parts:
        return Markup("{}").format(node.text)
    inner = Markup("").join(Markup("<li>{}</li>").format(_conditions(part)) for part in node.parts)
    return Markup("{}<ul>{}</ul>").format(node.text, inner)


def page(template: str, editions: list[dict[str, Any]]) -> str:
    """Return a page as one self-contained HTML text, with an edition for each language.

    Args:
        template: its file in `templates`.
        editions: what it shows, one a language, the default first; each has `w`, its words, and
            `title`.
    """
    # Where an edition is the target of the address, those before it show; the default is last, so
    # that it can step back for every other one without a script.
    css = (files("normwright.web") / "templates" / "page.css").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template(template)
        .render(
            editions=editions[1:] + editions[:1],
            default=editions[0],
            languages=[(e["w"].lang, e["w"]("language")) for e in editions],
            css=Markup(css),
            version=__version__,
        )
    )
