"""The page of the moral battery shows every figure, in words too, in each language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.web.browsing import browser

from normwright.evaluate.moral import RULES, Battery, figures, frames, report, run_rule
from normwright.records import MoralReport
from normwright.web import write_moral_page

WIDE = """(() => {
  const shown = [...document.querySelectorAll('.edition')].filter((e) => e.offsetParent);
  const outside = [...shown[0].querySelectorAll('h1, p, figure, .overview, figcaption')].filter(
    (e) => e.getBoundingClientRect().right > innerWidth);
  return { lang: shown.map((e) => e.lang), wide: document.documentElement.scrollWidth,
    outside: outside.map((e) => e.className || e.tagName),
    overview: shown[0].querySelector('.overview').getBoundingClientRect().bottom,
    parts: shown[0].querySelectorAll('.overview tbody tr').length };
})()"""


@pytest.fixture(scope="module")
def told() -> MoralReport:
    """What the battery says of whoever takes the longer option."""
    answered = run_rule(RULES["longer"], Battery(frames("en")[:3] + frames("pt")[:3], (), 2))
    return report(figures(answered, seed=1), answered=answered, model="the <longer>",
                  model_digest="0" * 64, seed=1, limit=3, sources={})  # fmt: skip


def test_every_figure_stands_on_the_page_with_its_interval(
    told: MoralReport, tmp_path: Path
) -> None:
    """One picture a figure and one row a source, in both languages, and what is not shown."""
    write_moral_page(told, tmp_path / "moral.html")
    text = (tmp_path / "moral.html").read_text(encoding="utf-8")
    names = {(f.part, f.name) for f in told.figures}

    assert len(re.findall(r'<svg class="panel"', text)) == 2 * len(names)
    assert len(re.findall(r'<tr class="figure">', text)) == 2 * len(told.figures)
    assert text.count('class="s-range m-') == text.count('class="s-point m-') > 0
    assert "the &lt;longer&gt;" in text
    assert "the <longer>" not in text
    for words in ("What this does not show", "O que isto não mostra", "net flips, you to she or he",
                  "viradas líquidas, de você para ela ou ele"):  # fmt: skip
        assert words in text


@pytest.mark.browser
def test_the_page_fits_a_screen_and_a_phone(told: MoralReport, tmp_path: Path) -> None:
    """Every part stands on the first screen at 1280 by 800; at 390 nothing sticks out sideways."""
    write_moral_page(told, tmp_path / "moral.html")
    place = (tmp_path / "moral.html").as_uri()
    with browser(tmp_path) as page:
        for lang in ("en", "pt"):
            page.open(f"{place}#{lang}")
            screen = page.ask(WIDE)
            page.open(f"{place}#{lang}", width=390, height=800)
            phone = page.ask(WIDE)

            assert (screen["lang"], phone["lang"]) == ([lang], [lang])
            assert screen["parts"] == len(told.states)
            assert screen["overview"] < 800
            assert phone["outside"] == []
            assert phone["wide"] == 390
