"""The features, against the same written out plainly, and the form of texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.guard.text_harm import grams as module
from normwright.guard.text_harm.grams import (
    BUCKETS,
    SCOPE,
    form,
    grams,
    kind_of,
    tokens,
    word_columns,
)

MASK = 2**64 - 1
BASE = 0x9E3779B97F4A7C15


def mixed(h: int) -> int:
    """SplitMix64's finaliser, with Python's integers."""
    h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    h = ((h ^ (h >> 27)) * 0x94D049BB133111EB) & MASK
    return h ^ (h >> 31)


def hashed(text: str) -> int:
    """The polynomial over code points."""
    h = 0
    for char in text:
        h = (h * BASE + ord(char)) & MASK
    return h


def plain_chars(text: str) -> set[int]:
    """Buckets of the runs of two to six characters that hold no space inside."""
    padded = f" {text} "
    return {
        mixed((hashed(padded[i : i + n]) + n * module._CHAR) & MASK) % BUCKETS
        for n in range(2, 7)
        for i in range(len(padded) - n + 1)
        if " " not in padded[i + 1 : i + n - 1]
    }


def chained(parts: list[int]) -> int:
    """The hash of parts in their order."""
    h = parts[0]
    for part in parts[1:]:
        h = (mixed(h) * BASE + part) & MASK
    return h


def plain_words(text: str) -> set[int]:
    """Buckets of words, pairs, triples, pairs with one between, and words after a denial."""
    found = tokens(text)
    h = [hashed(t) for t in found]
    runs: dict[int, list[tuple[int, ...]]] = {1: [(0,)], 2: [(0, 1)], 3: [(0, 1, 2)], 4: [(0, 2)]}
    out = set()
    for salt, shapes in runs.items():
        for shape in shapes:
            for i in range(len(h) - shape[-1]):
                whole = chained([h[i + s] for s in shape])
                out.add(mixed(whole ^ (salt * module._WORD & MASK)) % BUCKETS)
    for i, one in enumerate(h):
        if any(kind_of(t) == "NOT" for t in found[max(0, i - SCOPE) : i]) and (
            kind_of(found[i]) != "NOT"
        ):
            out.add(mixed(one ^ (5 * module._WORD & MASK)) % BUCKETS)
    return out


TEXT = st.text(alphabet="abnotdie não?!.é ü", max_size=60)


@settings(max_examples=150, deadline=None)
@given(TEXT)
def test_features_are_those_of_the_plain_version(text: str) -> None:
    """Character and word blocks are, bucket by bucket, what the definition says."""
    text = form(text)
    found = grams([text])
    size = len(plain_chars(text))

    assert set(found.columns[:size].tolist()) == plain_chars(text)
    words = plain_words(text)
    assert set(found.columns[size : size + len(words)].tolist()) == words


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=4))
def test_rows_stand_alone_and_have_length_one_in_each_block(texts: list[str]) -> None:
    """A row is the same alone as among others, and its squares add up to the blocks it has."""
    forms = [form(t) for t in texts]
    found = grams(forms)
    for i, text in enumerate(forms):
        at = slice(found.starts[i], found.starts[i + 1])
        alone = grams([text])
        assert np.array_equal(found.columns[at], alone.columns)
        total = float((alone.values.astype(float) ** 2).sum())
        assert total == pytest.approx(round(total), abs=1e-4)
        assert round(total) <= 3


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("VOCÊ É BURRO", "voce e burro"),
        ("soooooo gooood", "soo good"),
        ("i h a t e this", "ihate this"),
        ("1d10t4", "idiota"),
        ("in 2026 or 1999", "in 0 or 0"),
        ("@someone see https://x.y/z", "@ see @"),
        ("ne\u200bver\u00ad  mind", "never mind"),
        ("\ufb01ne", "fine"),
    ],
)
def test_ways_of_writing_have_one_form(written: str, read: str) -> None:
    """Case, accents, stretched letters, digits for letters, spaces between: one form."""
    assert form(written) == read


def test_a_word_has_the_first_class_that_lists_it() -> None:
    """Whole words come before beginnings of words; what no class lists has none."""
    assert kind_of("mulheres") == "GROUP"
    assert kind_of("nao") == "NOT"
    assert kind_of("hated") == "HATE"
    assert kind_of("table") == "THING"
    assert kind_of("xyz") is None


def test_a_word_has_the_column_that_it_has_in_a_text() -> None:
    """The columns that are told of words are among those of a text that holds them."""
    words = ["muslims", "nao", "stupid", "zzqx"]

    for word, column in zip(words, word_columns(words), strict=True):
        assert column in grams([form(f"a {word} b")]).columns
        assert column not in grams([form("a b")]).columns
