"""Scores made word by word are those of the rows, whatever was kept and whoever asks at once."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.guard.text_harm import TextHarm
from normwright.guard.text_harm import scoring as module
from normwright.guard.text_harm.grams import (
    _row,
    bucket_of,
    buckets,
    char_runs,
    form,
    grams,
)
from normwright.guard.text_harm.scoring import Scorer

WORDS = (
    *("never", "no", "not", "nunca", "women", "mulheres", "immigrants", "kill", "hate", "odeio"),
    *("i", "a", "the", "they're", "don't", "all", "idiota", "library", "opens", "soooo", "t0lo"),
    *("...", "!?", "não", "água", "ﬁne", "中文", "\ud83d", "x_y", "@one", "l e t t e r s", "12"),
)
TEXT = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.text(max_size=60),
)


@pytest.fixture(scope="module")
def harm() -> TextHarm:
    return TextHarm.embedded()


def plainly(harm: TextHarm, text: str) -> list[float]:
    """Sums of whole numbers over the columns of `grams`, block by block, with Python's integers."""
    columns, sizes = _row(form(text))
    place = {int(c): i for i, c in enumerate(harm.columns.tolist())}
    edges = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    blocks = [columns[a:b].tolist() for a, b in pairwise(edges)]
    total = [0.0] * len(harm.heads)
    for block in blocks:
        for head in range(len(harm.heads)):
            whole = sum(int(harm.weights[place[c], head]) for c in block if c in place)
            total[head] += whole / len(block) ** 0.5 if block else 0.0
    return total


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_scores_are_those_of_the_rows(text: str) -> None:
    """Words, classes, denials and runs of characters count as the features of `grams` do."""
    harm = TextHarm.embedded()
    found = harm.raw([text])[0]

    assert found == pytest.approx(harm.scores(grams([form(text)]))[0], abs=2e-4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(WORDS[:22]), min_size=1, max_size=9).map(" ".join))
def test_sums_are_those_of_whole_numbers(text: str) -> None:
    """Nothing is rounded before a block is brought to length one."""
    harm = TextHarm.embedded()
    found = Scorer(harm.columns, harm.weights).sums([text])[0]

    assert found.tolist() == pytest.approx(plainly(harm, text), rel=1e-12, abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(blacklist_characters=" "), max_size=30))
def test_a_word_is_hashed_alone_as_among_others(word: str) -> None:
    """Plain numbers, run by run, and numpy give the same buckets."""
    padded = f" {word} "
    runs = {padded[i : i + n] for n in range(2, 7) for i in range(len(padded) - n + 1)}

    assert set(map(bucket_of, runs)) == set(buckets(char_runs(word)[0]).tolist())


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=8))
def test_what_is_kept_gives_what_is_new_to_the_last_bit(texts: list[str]) -> None:
    """Texts read one after another, again, all at once, and each by a scorer of its own."""
    harm = TextHarm.embedded()
    shared = Scorer(harm.columns, harm.weights)
    one_by_one = np.concatenate([shared.sums([t]) for t in texts])

    assert np.array_equal(one_by_one, shared.sums(texts))
    assert np.array_equal(
        one_by_one, Scorer(harm.columns, harm.weights).sums(reversed(texts))[::-1]
    )


def test_words_crowd_one_another_out_and_nothing_changes(
    harm: TextHarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for three words, in four threads, scores are those with room for all."""
    texts = [" ".join(WORDS[i : i + 6]) for i in range(len(WORDS) - 6)] * 4
    wide = Scorer(harm.columns, harm.weights).sums(texts)
    monkeypatch.setattr(module, "KEPT", 3)
    narrow = Scorer(harm.columns, harm.weights)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(narrow.sums(texts))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(found) == 4
    assert all(np.array_equal(one, wide) for one in found)


def test_very_many_features_are_summed_exactly(
    harm: TextHarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what 32 bits hold exactly the sum is made in 64, and is the same."""
    text = " ".join(f"{a}{b}{c}" for a in "abcdefgh" for b in "aeiou" for c in "lmnoprst")
    scorer = Scorer(harm.columns, harm.weights)
    usual = scorer.sums([text])
    monkeypatch.setattr(module, "_EXACT", 10)

    assert np.array_equal(scorer.sums([text]), usual)
