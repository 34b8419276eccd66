"""The safety case shows every claim with its evidence, and every hole as a hole."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from tests.release.builders import ALIGNED, criteria, criterion, judge, policy, rate

from normwright.records import (
    ErrorBudget,
    Estimate,
    ModelRef,
    Permit,
    PermitSubject,
    RemoteUse,
)
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


def test_the_case_names_the_permit_and_what_was_trained_without_one() -> None:
    """Its digest and modes stand under identity, and so do the models that carry the mark."""
    ours = policy("simulated", ["internal"])
    permit = Permit(subject=PermitSubject(), charter=ours.charter.digest, grounds=(), granted=True,
                    modes=("internal",), limits=(), decision_level="L0",
                    valid_from=date(2026, 11, 1), valid_until=None)  # fmt: skip
    verdict = decide(ASKED, measurements=[], contrasts=[], policy=ours, permit=permit,
                     model_digest=ALIGNED)  # fmt: skip
    marked = ModelRef(name="aligned", files={}, parameters=None, recipe="prefer", unpermitted=True)

    def told(models: tuple[ModelRef, ...], lang: str) -> str:
        return safety_case(verdict, criteria=ASKED, policy=ours, permit=permit, models=models,
                           lang=lang)  # fmt: skip

    assert f"- Permit: `{permit.digest}` (modes covered: internal)" in told((), "en")
    assert "without a permit" not in told((), "en")
    assert "- Trained without a permit: aligned" in told((marked,), "en")
    assert "- Treinados sem autorização: aligned" in told((marked,), "pt")


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


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        (
            "en",
            ("Models behind an API", "The model runs elsewhere.", "model under test", "0.2500 EUR"),
        ),
        ("pt", ("Modelos atrás de uma API", "noutro lugar", "modelo em exame", "0,2500 EUR")),
    ],
)
def test_a_model_behind_an_api_is_told_with_what_it_took(lang: str, told: tuple[str, ...]) -> None:
    """Where it is, when it was asked, tokens and cost; what is unknown is a dash and never 0."""
    use = RemoteUse(
        role="base", endpoint="https://h.example/v1", model="m", requests=7, answers=7,
        prompt_tokens=100, completion_tokens=20, cost=0.25, currency="EUR",
        content="sha256:" + "a" * 64, first_asked="2026-11-25T10:00:00+00:00",
        last_asked="2026-11-26T10:00:00+00:00",
    )  # fmt: skip
    silent = use.model_copy(
        update={"role": "judge", "completion_tokens": None, "cost": None, "uncounted": 1}
    )
    ref = ModelRef(name="base", files={}, parameters=None, recipe="remote")
    ours = policy("simulated", ["internal"])
    verdict = decide(
        ASKED,
        measurements=[],
        contrasts=[],
        policy=ours,
        judges=[J],
        model_digest=ALIGNED,
    )
    text = safety_case(
        verdict, criteria=ASKED, policy=ours, models=[ref], uses=[silent, use], lang=lang
    )
    [first, second] = [line for line in text.splitlines() if "h.example" in line]

    assert [words for words in told if words not in text] == []
    assert "2026-11-25 – 2026-11-26" in first
    assert "100 + 20" in first
    assert "| – | – |" in second


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["From votes to weights", "0.031", "Nothing is guaranteed:", "is not known"]),
        ("pt", ["Dos votos aos pesos", "0,031", "Nada está garantido:", "não se sabe"]),
    ],
)
def test_the_error_budget_is_quoted_with_what_fails(lang: str, words: list[str]) -> None:
    """Each part with its number, a dash for what is unknown, and why nothing is guaranteed."""
    ours = policy("simulated", ["internal"])
    measured = [rate(0, 300, judge=J.digest)]
    verdict = decide(ASKED, measurements=measured, contrasts=[], policy=ours, judges=[J],
                     model_digest=ALIGNED)  # fmt: skip
    unknown = Estimate(value=None, interval=None, n=0)
    budget = ErrorBudget(
        model=None,
        beta=0.1,
        prompts=12,
        prompts_in_all=40,
        answers=24,
        votes=None,
        noise=unknown,
        reward=None,
        optimiser=Estimate(value=0.031, interval=None, n=12),
        regret=Estimate(value=0.5, interval=None, n=12),
        total=None,
        guaranteed=False,
        doubts=("votes-unknown",),
    )
    given: Any = {"criteria": ASKED, "policy": ours, "measurements": measured, "lang": lang}
    text = safety_case(verdict, budgets=[budget], **given)

    assert all(word in text for word in words)
    assert words[0] not in safety_case(verdict, **given)
