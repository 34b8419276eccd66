"""Pages can be read by everyone: axe-core finds nothing serious, and a keyboard is enough."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.browsing import Page, browser, serious
from tests.web.town import town

from normwright.cli.charter.places import whole_at
from normwright.web import CharterPage, write_charter, write_report

pytestmark = pytest.mark.browser

TOWN = Path("src/normwright/flow/templates/town/norms")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a release, and the charter of the town's drafted norms with all their cases."""
    folder = tmp_path_factory.mktemp("pages")
    write_report(town(), folder)
    charter = whole_at(TOWN)
    title = {"en": "The town", "pt": "A vila"}
    norms = CharterPage(charter=charter, title=title, languages=charter.languages)
    write_charter(norms, folder / "norms.html")
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all of them."""
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


def test_axe_finds_what_is_wrong(page: Page, tmp_path: Path) -> None:
    """A picture without words, a button without a name and pale text are serious: it does look."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><img src="x.png">'
        '<button></button><p style="color:#ccc;background:#fff">pale</p></main></html>'
    )
    page.open(bad.as_uri())

    found = serious(page)

    assert {one.split()[1].rstrip(":") for one in found} == {
        "image-alt",
        "button-name",
        "color-contrast",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "pt"])
@pytest.mark.parametrize("name", ["report", "charter", "norms"])
def test_axe_finds_nothing_serious(
    page: Page, pages: Path, name: str, lang: str, scheme: str
) -> None:
    """In both languages, by day and by night, with everything unfolded."""
    page.scheme(scheme)
    page.open(f"{(pages / f'{name}.html').as_uri()}#{lang}")
    page.ask("document.querySelectorAll('details').forEach((d) => { d.open = true }); 0")
    shown = page.ask("[...document.querySelectorAll('.edition')]"
                     ".filter((e) => e.offsetParent).map((e) => e.lang)")  # fmt: skip

    found = serious(page)

    assert shown == [lang]
    assert found == []


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_the_charter_can_be_read_by_keyboard(page: Page, pages: Path, lang: str) -> None:
    """Tab reaches every link, fold and table in the order they stand, each seen; Enter opens."""
    here = ("(() => { const e = document.activeElement, r = e.getBoundingClientRect();"
            " const all = [...document.querySelectorAll('.edition')].find((x) => x.offsetParent)"
            ".querySelectorAll('a[href], summary, [tabindex=\"0\"]');"
            " const reach = [...all].filter((x) => x.offsetParent || x.matches('.skip'));"
            " return { at: reach.indexOf(e), of: reach.length, tag: e.tagName,"
            " seen: r.bottom > 0 && r.top < innerHeight && r.width > 0,"
            " ring: getComputedStyle(e).outlineStyle }; })()")  # fmt: skip
    page.open(f"{(pages / 'norms.html').as_uri()}#{lang}")
    page.ask("scrollTo(0, 0); document.body.tabIndex = -1; document.body.focus(); 0")
    walked = []
    for _ in range(page.ask(here)["of"]):
        page.press("Tab")
        walked.append(page.ask(here))
    folds = page.ask("document.querySelectorAll('details[open]').length")
    page.ask("[...document.querySelectorAll('summary')].find((s) => s.offsetParent).focus(); 0")
    page.press("Enter")
    opened = page.ask("document.querySelectorAll('details[open]').length")

    assert len(walked) > 40
    assert [w["at"] for w in walked] == list(range(walked[0]["of"]))
    assert all(w["seen"] for w in walked)
    assert all(w["ring"] == "solid" for w in walked)
    assert (folds, opened) == (0, 1)
