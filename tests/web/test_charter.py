"""The charter's page: which concerns norms speak to, and the ones they leave out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from normwright.charter import assembled, read_source, seeds
from normwright.charter.concerns import concern_name, concerns
from normwright.records import Charter
from normwright.web import CharterPage, write_charter


@pytest.fixture(scope="module")
def charter() -> Charter:
    """Of the norms that ship, those about privacy alone, one with a tag that is on no list."""
    found = assembled(read_source(seeds()))
    norms = [n for n in found.norms if "privacy" in n.concerns and n.layer == "global"]
    odd = norms[0].model_copy(update={"concerns": (*norms[0].concerns, "weather")})
    return found.model_copy(update={"norms": (odd, *norms[1:])})


def rows(page: str, lang: str) -> dict[str, list[str]]:
    """The rows of the table of concerns in one edition: name -> cells."""
    section = page.split(f'id="{lang}-concerns"')[1].split("</table>")[0]
    return {
        name: re.findall(r"<td[^>]*>([^<]*)</td>", cells)
        for name, cells in re.findall(r'<th scope="row">([^<]*)</th>(.*?)</tr>', section)
    }


@pytest.mark.parametrize(("lang", "hole"), [("en", "none"), ("pt", "nenhuma")])
def test_every_concern_is_there_and_holes_are_seen(
    charter: Charter, tmp_path: Path, lang: str, hole: str
) -> None:
    """All concerns of the list in its order, empty ones too; a tag of the charter's own after."""
    title = {"en": "Privacy", "pt": "Privacidade"}
    data = CharterPage(charter=charter, title=title, languages=("en", "pt"))
    write_charter(data, tmp_path / "charter.html")
    shown = rows((tmp_path / "charter.html").read_text(encoding="utf-8"), lang)
    names = [concern_name(tag, (lang,))[lang] for tag in concerns()]

    assert [name.replace("&#39;", "'") for name in shown] == [*names, "weather"]
    assert shown[concern_name("privacy", (lang,))[lang]] == [str(len(charter.norms))]
    assert shown[concern_name("legitimacy", (lang,))[lang]] == [hole]
    assert shown["weather"] == ["1"]
