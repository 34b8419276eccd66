"""The baseline keeps its form: best of two, a raw logit of five, the last turn alone."""

from __future__ import annotations

import pytest

from normwright.guard import Guard
from normwright.guard.embedded import policy
from normwright.guard.text_harm.aira import AiraCompat
from normwright.records import Exchange, Utterance


@pytest.mark.parametrize(
    ("lang", "good", "bad"),
    [
        ("en", "women are brilliant and deserve respect", "women are disgusting vermin"),
        ("pt", "bom dia meu amigo querido, tudo bem?", "vai tomar no cu seu idiota de merda"),
    ],
)
def test_the_harmless_text_has_the_higher_logit(lang: str, good: str, bad: str) -> None:
    """In each language the pair is in the right order."""
    high, low = AiraCompat.embedded().logits([good, bad], lang)

    assert high > low


def test_only_two_candidates_are_looked_at_and_five_is_the_limit() -> None:
    """The better of two is given if it reaches five; a third is not looked at."""
    aira = AiraCompat.embedded()
    texts = ["bom dia", "vai tomar no cu seu idiota", "amigos, que festa linda"]
    scores = aira.logits(texts, "pt")

    given = aira.choose(texts, "pt")

    assert given == (texts[0] if scores[0] >= AiraCompat.LEAST else None)
    assert aira.choose([], "pt") is None


def test_what_was_said_before_is_not_looked_at() -> None:
    """A conversation whose last turn is mild passes as the last turn alone does: its known hole."""
    guard = Guard(policy(), checks=["aira-compat"])
    bad = Utterance(role="user", text="women are disgusting vermin", where="messages[0].content")
    last = Utterance(role="user", text="thank you, good night", where="messages[1].content")

    both = guard.screen(Exchange(id="a", utterances=(bad, last), answer=None, lang="en"))
    alone = guard.screen(Exchange(id="b", utterances=(last,), answer=None, lang="en"))

    assert both.action == alone.action
    assert not both.degraded
