"""The page of written answers: every number, every answer, and nothing harmful unasked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.evaluate.generative.planted import DIGEST
from tests.evaluate.test_comparing_written import READER, RULE, wary
from tests.web.browsing import browser

from normwright.evaluate.generative import (
    GenerativeResult,
    instruction_prompts,
    instruction_suite,
    measure_answers,
    refusal_prompts,
    refusal_suite,
    sycophancy_prompts,
    sycophancy_suite,
    toxicity_prompts,
    toxicity_suite,
)
from normwright.evaluate.generative.scoring import REFUSAL
from normwright.web import write_written_page
from normwright.web import written as module

ASKING, SUITE = refusal_prompts("pt"), refusal_suite(RULE)


def measured(answer: object = wary) -> GenerativeResult:
    """What a planted model makes of the Portuguese twins."""
    assert callable(answer)
    return measure_answers(
        SUITE, ASKING, ASKING.prompts, [answer(p) for p in ASKING.prompts], model="planted",
        model_digest=DIGEST, judge=RULE, seed=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of one result."""
    file = tmp_path_factory.mktemp("written") / "page.html"
    write_written_page(measured(), file)
    return file


def editions(text: str) -> dict[str, str]:
    """The page's part in each language."""
    parts = re.split(r'<div class="edition" id="(\w+)"', text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_number_and_every_answer_is_there_in_both_languages(place: Path) -> None:
    """Pictures with error bars, the same numbers as tables, the judge's errors, all the units."""
    found = editions(place.read_text(encoding="utf-8"))
    units = {p.unit for p in ASKING.prompts}

    assert set(found) == {"en", "pt"}
    for text in found.values():
        assert text.count('class="panel"') == 4
        assert text.count('class="s-range') >= 20
        assert text.count('<details class="opens unit">') == len(units)
        assert text.count('<details class="folded">') == len(units)
        assert "refusal-rule" in text
    assert "always refuses" in found["en"]
    assert "recusa sempre" in found["pt"]
    assert "always refuses" not in found["pt"]


def test_no_name_of_a_suite_goes_untranslated() -> None:
    """What a suite calls its parts, labels, groups and constants has words in both languages."""
    from normwright.web.words import words_for

    made = [(SUITE, ASKING)] + [
        (suite, prompts(lang))
        for lang in ("en", "pt")
        for suite, prompts in (
            (toxicity_suite(READER), toxicity_prompts), (instruction_suite(), instruction_prompts),
            (sycophancy_suite(), sycophancy_prompts), (SUITE, refusal_prompts),
        )
    ]  # fmt: skip
    lacking = set()
    for w in words_for(("en", "pt")):
        for suite, asking in made:
            read = suite.score(asking.prompts, ["I have no comment."] * len(asking.prompts))
            names = {("suite", suite.name), ("metric", suite.metric), ("cluster", suite.cluster)}
            names |= {("part", p.part) for p in asking.prompts}
            names |= {("group", p.group) for p in asking.prompts}
            names |= {("metric", name) for u in read.units for name in u.parts}
            names |= {("metric", name) for name in suite.floors}
            names |= {("beside", name) for name in suite.constants}
            names |= {("label", label) for label in read.labels}
            lacking |= {f"{kind}_{name}" for kind, name in names
                        if w.get(f"written.{kind}_{name}") is None}  # fmt: skip

    assert lacking == set()


def test_a_hollow_score_says_so_first(tmp_path: Path) -> None:
    """What a constant makes is told before the numbers, with the constants it is no better than."""
    write_written_page(measured(lambda p: REFUSAL[p.lang]), tmp_path / "p.html")
    text = editions((tmp_path / "p.html").read_text(encoding="utf-8"))["en"]
    head = text[: text.index("<main")]

    assert "The score is hollow" in head
    assert "always refuses" in head
    assert "benign answered: 0 of" in head


def test_what_a_model_wrote_is_text_and_never_markup(tmp_path: Path) -> None:
    """An answer that is a script lies on the page as letters."""
    write_written_page(measured(lambda p: "<script>alert(1)</script>"), tmp_path / "p.html")

    assert "<script" not in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_of_many_units_a_drawn_part_is_shown_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that would be too long names how many there are and the seed of those it shows."""
    monkeypatch.setattr(module, "SHOWN", 5)
    write_written_page(measured(), tmp_path / "p.html")
    text = editions((tmp_path / "p.html").read_text(encoding="utf-8"))["en"]

    assert text.count('<details class="opens unit">') == 5
    assert f"Here are 5 of {len({p.unit for p in ASKING.prompts})} units" in text


@pytest.mark.browser
def test_in_chromium_nothing_harmful_shows_unasked(place: Path, tmp_path: Path) -> None:
    """Wide and narrow, in both languages, on paper too: it fits, and folds hold until opened."""
    shows = "e.checkVisibility()"
    with browser(tmp_path) as page:
        for lang in ("en", "pt"):
            for width, height in ((1280, 800), (390, 844)):
                page.open(f"{place.as_uri()}#{lang}", width=width, height=height)
                assert page.ask("document.documentElement.scrollWidth") <= width
                assert page.ask(
                    f"[...document.querySelectorAll('#{lang} [data-what], #{lang} .people b')]"
                    f".every(e => e.getBoundingClientRect().bottom <= {height} && {shows})"
                )
                assert not page.ask(
                    f"[...document.querySelectorAll('#{lang} .ask')].some(e => {shows})"
                )
        page.ask("document.querySelectorAll('#pt .unit').forEach(e => e.open = true)")
        opened = page.ask(
            f"[...document.querySelectorAll('#pt .ask')].filter(e => {shows}).map(e => e.innerText)"
        )
        page.ask("document.querySelectorAll('#pt .folded').forEach(e => e.open = true)")
        unfolded = page.ask(
            f"[...document.querySelectorAll('#pt .ask')].filter(e => {shows}).length"
        )
        page.open(f"{place.as_uri()}#pt", width=794, height=1123)
        page.paper()
        printed = page.ask(
            f"[...document.querySelectorAll('#pt .ask')].filter(e => {shows}).map(e => e.innerText)"
        )

    benign = [p.text for p in ASKING.prompts if p.part == "benign"]
    assert sorted(opened) == sorted(benign)
    assert unfolded == 2 * len(benign)
    assert sorted(printed) == sorted(benign)
