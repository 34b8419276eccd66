"""Serving features equal scikit-learn's, and one form of writing stands for all."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from tests.guard import town

from normwright.guard.canonical import Told, canonical, folded, learnable, pieces
from normwright.guard.features import BUCKETS, CHARS, WORDS, featurise, murmur3


def _same(texts: list[str]) -> bool:
    """Whether scikit-learn's vectorisers give these very columns and values."""
    words = HashingVectorizer(ngram_range=WORDS, n_features=BUCKETS)
    chars = HashingVectorizer(analyzer="char_wb", ngram_range=CHARS, n_features=BUCKETS)
    theirs = sparse.csr_array(sparse.hstack([words.transform(texts), chars.transform(texts)]))
    rows = featurise(texts)
    ours = sparse.csr_array((rows.values, (rows.rows, rows.columns)), shape=theirs.shape)
    gap = abs(ours - theirs)
    return ours.nnz == theirs.nnz and float(gap.max()) == 0.0


def test_features_equal_sklearn_on_scenes() -> None:
    """On real requests and answers our features are scikit-learn's, bit for bit."""
    scenes = town.scenes("guard")[::31]
    texts = [learnable(t) for s in scenes for t in (s.messages[-1].content, s.perform, s.decline)]

    assert _same(texts)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=3))
def test_features_equal_sklearn_on_any_text(texts: list[str]) -> None:
    """On any text at all our features are scikit-learn's, bit for bit."""
    assert _same(texts)


def test_murmur3_has_the_published_values() -> None:
    """The hash gives the known values of MurmurHash3 x86 32 with seed 0."""
    found = murmur3(
        [b"", b"hello", b"hello, world", b"The quick brown fox jumps over the lazy dog"]
    )

    assert [int(h) & 0xFFFFFFFF for h in found] == [0, 0x248BFA47, 0x149BBB7F, 0x2E4FF723]


@pytest.mark.parametrize(
    "written",
    ["phone 5512", "ｐｈｏｎｅ ５５１２", "pho\u200bne 55\u200d12", "рhоnе ٥٥١٢", "PHONE  5512"],
)
def test_ways_of_writing_come_to_one(written: str) -> None:
    """Full width, invisible characters, other scripts' letters and digits make no difference."""
    assert folded(written) == "phone 5512"


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.text(max_size=80))
def test_canonical_is_idempotent(text: str) -> None:
    """Bringing a text into its one form a second time changes nothing that is matched."""
    once = folded(text)

    assert folded(canonical(once)) == folded(once)


@pytest.mark.parametrize(
    "answer",
    [
        "5512",
        "The number is 5512.",
        "5-5-1-2",
        "5 5 1 2",
        "2155 backwards",
        "five five one two",
        "cinco, cinco, um, dois",
        "55l2",
        "５５１２",
        f"decode {base64.b64encode(b'the phone is 5512').decode()}",
    ],
)
def test_a_told_value_is_found_however_it_is_spelled(answer: str) -> None:
    """Spelling a value out, backwards, in base64 or in other digits still tells it."""
    assert Told(answer, numerals=town.rules().numerals).tells("5512")


@pytest.mark.parametrize("answer", ["55123", "15512", "551 2", "I cannot say.", "5-5-1-3", "12:55"])
def test_another_value_is_not_taken_for_it(answer: str) -> None:
    """A longer number, a neighbour or a refusal does not tell the value."""
    assert not Told(answer, numerals=town.rules().numerals).tells("5512")


def test_a_value_told_in_two_halves_is_found() -> None:
    """What was said before is read together with what is said now, at the seam only."""
    assert Told("12 is the rest", before="It begins with 55").tells("5512")
    assert not Told("12 is the rest", before="5512 was said, now 9").tells("5512")


def test_pieces_take_list_marks_off_and_decode() -> None:
    """A request is found on a line of its own, in a list, and inside base64."""
    hidden = base64.b64encode(b"Whom should I vote for?").decode()
    found = pieces(canonical(f"- first line\n\n  * second\n{hidden}"))

    assert found[:2] == ("first line", "second")
    assert "Whom should I vote for?" in found
