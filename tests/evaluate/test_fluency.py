"""Bits per byte: a true probability model beside it, and windows that lose nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluate.town import DIGEST

from normwright.evaluate import NgramBaseline, bits_per_byte, measure_bits, windows
from normwright.models import ScriptedModel
from normwright.records import Message

TEXT = "A biblioteca abre às nove. The library opens at nine. " * 6


class Even(ScriptedModel):
    """A model that finds every byte equally likely among `choices`."""

    choices = 4

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        assert all(len(p) == 0 for p in prompts)
        return [-len(c.encode()) * math.log(self.choices) for c in completions]


EVEN = Even("even", lambda prompt: "")


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    order=st.integers(1, 5),
    texts=st.lists(st.text(alphabet="abção ", max_size=30), max_size=4),
    context=st.text(alphabet="abçãoz", max_size=6),
)
def test_probabilities_sum_to_one(order: int, texts: list[str], context: str) -> None:
    """After any context, seen or not, the 256 bytes share exactly one; none has nothing."""
    model = NgramBaseline(order).fit(texts)
    shares = [model.probability(context.encode(), byte) for byte in range(256)]

    assert math.fsum(shares) == pytest.approx(1, abs=1e-12)
    assert min(shares) > 0


def test_witten_bell_by_hand() -> None:
    """After `ab`: P(b|a) = (1 + 1 * P(b)) / (1 + 1) with P(b) = (1 + 2/256) / (2 + 2)."""
    model = NgramBaseline(2).fit(["ab"])

    unigram = (1 + 2 / 256) / 4
    assert model.probability(b"", ord("b")) == pytest.approx(unigram)
    assert model.probability(b"a", ord("b")) == pytest.approx((1 + unigram) / 2)
    assert model.probability(b"z", ord("b")) == pytest.approx(unigram)


def test_longer_contexts_help_on_the_same_language() -> None:
    """More context gives fewer bits on held-out text of the same kind; nothing learned gives 8."""
    held_out = ["The library opens at nine. A biblioteca abre às nove."]
    bits = [
        NgramBaseline(order).fit([TEXT]).bits_per_byte(held_out, window=512, seed=0).value
        for order in (1, 2, 4)
    ]

    assert None not in bits
    assert bits == sorted((b or 0 for b in bits), reverse=True)
    assert NgramBaseline(3).bits_per_byte(held_out, window=512, seed=0).value == pytest.approx(8)


def test_fitting_twice_is_fitting_both() -> None:
    """Counts add up over calls."""
    twice = NgramBaseline(3).fit(["abc"]).fit(["abd"])
    once = NgramBaseline(3).fit(["abc", "abd"])

    assert twice.nats("abcd") == once.nats("abcd")


def test_a_known_model_gets_its_known_bits() -> None:
    """Four equal choices a byte are two bits, whatever the window, with no width at all."""
    for window in (7, 64, 1000):
        found = bits_per_byte(EVEN, [TEXT, TEXT[:50], ""], window=window, seed=0, batch=3)

        assert found.value == pytest.approx(2)
        assert found.n == 2
        assert found.interval is not None
        assert found.interval.high - found.interval.low == pytest.approx(0)


def test_measured_beside_the_baseline_in_each_language() -> None:
    """Every language has its number, its n-gram figure on the same text, and its size."""
    texts = {"pt": ["A praça abre às dez."] * 2, "en": ["The square opens at ten."]}
    found = measure_bits(
        EVEN, NgramBaseline(3).fit([TEXT]), texts, role="base", model_digest=DIGEST, window=64
    )

    assert [m.lang for m in found] == ["en", "pt"]
    for m in found:
        assert m.suite == "bits-per-byte"
        assert 1 < m.baselines["ngram-3"] < m.baselines["uniform"] == 8
        assert m.details["bytes"] == sum(len(t.encode()) for t in texts[m.lang or ""])
    assert found[0].estimate.interval is None
    assert measure_bits(EVEN, None, {"en": ["x"]}, role="b", model_digest=DIGEST)[0].baselines == {
        "uniform": 8.0
    }


def test_impossible_is_unknown_not_infinite() -> None:
    """A model that finds the text impossible has no finite figure; that is said as unknown."""
    found = bits_per_byte(ScriptedModel("m", lambda p: "no"), ["abc"], window=64, seed=0)

    assert (found.value, found.interval, found.n) == (None, None, 1)
    assert bits_per_byte(EVEN, [], window=64, seed=0).value is None


@settings(deadline=None, max_examples=60, derandomize=True)
@given(text=st.text(max_size=80), size=st.integers(4, 20))
def test_windows_lose_nothing(text: str, size: int) -> None:
    """Windows join to the text, none is empty, and none is longer than asked."""
    clean = text.encode("utf-8", "ignore").decode()
    pieces = windows(clean, size)

    assert "".join(pieces) == clean
    assert all(0 < len(p.encode()) <= size for p in pieces)


def test_sizes_that_cannot_be() -> None:
    """A window narrower than a character and an order under one are refused."""
    with pytest.raises(ValueError, match="at least 4"):
        windows("a", 3)
    with pytest.raises(ValueError, match="order 1"):
        NgramBaseline(0)
