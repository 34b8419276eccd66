"""The n-grams of a text stay bit for bit what the shipped weights were fitted on."""

from __future__ import annotations

import hashlib

from normwright.guard.text_harm.grams import form, grams

TEXTS = (
    "",
    "a",
    "I hate all of them, and no one should die.",
    "Não digo que todos são ladrões!",
    "b i c h a @someone https://a.b/c soooo g00d ﬁne",
    "t0 k1ll all 12 of th3m",
    "½ Ⅻ \u200bx\u0301 中文 🙂",
    "one two three four five six seven " * 12,
    "never never not no, nunca jamais",
)
FROZEN = "944a16584ac19f54ae51367d2aea77d46d3c08011d8c4e3a1b4f28968a170967"
"""Of their n-grams, by the code that the weights were fitted with."""


def test_the_features_are_those_the_weights_were_fitted_on() -> None:
    """Columns and values of made texts have the digest they had when they were first hashed."""
    rows = grams([form(t) for t in TEXTS])
    parts = (rows.starts.astype("<i8"), rows.columns.astype("<i8"), rows.values.astype("<f4"))

    assert hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest() == FROZEN
