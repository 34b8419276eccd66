"""What a page says of the facts a verdict rests on, in the reader's language."""

from __future__ import annotations

import pytest

from normwright.records import GuardVerdict, KnownFact, digest_json
from normwright.web.guard.explaining import _facts
from normwright.web.words import words_for

POLICY = {"facts": {"targets_people": {"en": "It is aimed at people", "pt": "Dirige-se a pessoas"}}}


@pytest.mark.parametrize(
    ("lang", "name", "value", "unknown"),
    [
        ("en", "It is aimed at people", "yes (", "not known"),
        ("pt", "Dirige-se a pessoas", "sim (", "não se sabe"),
    ],
)
def test_facts_are_named_as_the_charter_names_them(
    lang: str, name: str, value: str, unknown: str
) -> None:
    """By their label and with a word for true; a fact the policy does not name keeps its own."""
    verdict = GuardVerdict(
        side="input", action="ask", policy=digest_json(1), conversation=digest_json(2),
        facts=(KnownFact(name="targets_people", value=True, origin="rule", confidence=1.0,
                         source="r"),),
        unknown=("elsewhere",),
    )  # fmt: skip
    shown = _facts(verdict, POLICY, words_for([lang])[0])

    assert shown[0][0] == name
    assert shown[0][1].startswith(value)
    assert shown[1] == ("elsewhere", unknown)


@pytest.mark.parametrize(
    ("confidence", "shown"), [(1.0, "100"), (0.9997, "99.9"), (0.997, "99.7"), (0.5, "50")]
)
def test_only_what_is_certain_is_shown_as_certain(confidence: float, shown: str) -> None:
    """What a classifier is nearly sure of does not round to 100 %."""
    verdict = GuardVerdict(
        side="input", action="refuse", policy=digest_json(1), conversation=digest_json(2),
        facts=(KnownFact(name="targets_people", value=True, origin="rule", confidence=confidence,
                         source="r"),),
    )  # fmt: skip
    [(_, line)] = _facts(verdict, POLICY, words_for(["en"])[0])

    assert f"sure to {shown}" in line
