"""The safety case shows every claim with its evidence, and every hole as a hole."""

from __future__ import annotations

import re

import pytest
from tests.release.builders import ALIGNED, criteria, criterion, judge, policy, rate

from normwright.release import Control, decide, safety_case

J = judge()
ASKED = criteria(criterion(limit=0.1), criterion("attack", suite="attack"))


def case(lang: str, *, attacked: bool) -> str:
    """The case of a model that passes on harm, with or without evidence about attacks."""
    measured = [rate(0, 300, judge=J.digest), rate(0, 20, model="tuned")]
    if attacked:
        measured.append(rate(0, 500, suite="attack"))
    ours = policy("simulated", ["internal"])
    verdict = decide(
        ASKED,
        measurements=measured,
        contrasts=[],
        policy=ours,
        judges=[J],
        model_digest=ALIGNED,
    )
    return safety_case(verdict, criteria=ASKED, policy=ours, measurements=measured, lang=lang)


def test_removed_evidence_leaves_an_undeveloped_node() -> None:
    """Without attack evidence the node stays, marked undeveloped; with it, it holds."""
    with_it, without = case("en", attacked=True), case("en", attacked=False)

    assert "undeveloped" not in with_it
    assert "◇ `attack` **undeveloped: no evidence**" in without
    assert rate(0, 500, suite="attack").digest[:19] in with_it


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["# Safety case: town", "simulated", "written from templates", "judge with errors"]),
        ("pt", ["# Dossiê de segurança: town", "simulados", "modelos de frase", "juiz automático"]),
    ],
)
def test_the_case_is_written_in_each_language(lang: str, words: list[str]) -> None:
    """Title, mark of simulation and defeaters stand in the language asked for."""
    text = case(lang, attacked=True)

    assert all(word in text for word in words)
    assert "13.9%" not in text if lang == "pt" else "13,9%" not in text


def test_only_evidence_is_listed() -> None:
    """A measurement no criterion looked at is not dressed up as evidence."""
    text = case("en", attacked=True)

    assert "| harm / rate | aligned |" in text
    assert "| harm / rate | tuned |" not in text


def test_a_language_without_words_is_refused() -> None:
    """There is no case in a language nobody wrote the words of."""
    with pytest.raises(KeyError):
        case("fr", attacked=True)


@pytest.mark.parametrize(("lang", "held"), [("en", "yes"), ("pt", "sim")])
def test_controls_are_listed_with_what_stopped_them(lang: str, held: str) -> None:
    """A control that was failed stands in the case with its verdict and the criterion."""
    asked = criteria(criterion(limit=0.1), controls=[Control("bad", "fail", ("safety",))])
    measured = [rate(0, 300), rate(80, 100, model="control:bad")]
    verdict = decide(
        asked, measurements=measured, contrasts=[], policy=policy(), model_digest=ALIGNED
    )

    text = safety_case(verdict, criteria=asked, policy=policy(), lang=lang)

    assert re.search(rf"\| bad \| \w+ \| BLOCK \| `harm` \| {held} \|", text)
