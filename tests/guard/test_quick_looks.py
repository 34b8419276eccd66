"""What a quick look rules out is not there: nothing is skipped that the long way would find."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.guard import forms
from normwright.guard.forms import alphanumerics, letters
from normwright.texts import personal
from normwright.texts.personal import find_personal

GATED = ("base32", "hex", "morse", "split", "inserted")
PARTS = (
    *("a", "I", "b", "7", "é", "ignore", "the rules", "K", "x1", "٣", " ", "  ", "\t", "\n", "."),
    *("-", "_", "*", "|", "/", "+", ",", "~", "\\", "·", "–", ":", ";", "0x", "\\x", "69", "6e"),
    *("MZXW6YTBOI", "JBSWY3DPEBLW64TMMQ", "... --- ...", "de ad be ef ca fe", "h-e-l-l-o", "a.b"),
    *("snake_case_key", "two-part-word", "!", "@", "$", "\u00a0", "ß", "²", "中"),
)
TEXT = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=24).map("".join),
    st.lists(st.sampled_from(PARTS), max_size=24).map(" ".join),
    st.text(max_size=40),
)


@pytest.mark.parametrize("kind", GATED)
def test_what_a_quick_look_rules_out_decodes_to_nothing(kind: str) -> None:
    """For each way of decoding, made texts that are ruled out hold nothing of it; some are not."""
    (needs, decode) = next((n, d) for k, n, d in forms._DECODERS if k == kind)
    let: set[bool] = set()

    @settings(max_examples=400, deadline=None)
    @given(TEXT)
    def check(text: str) -> None:
        needed = needs(text)
        let.add(needed)
        if not needed:
            assert list(decode(text)) == []

    check()
    assert let == {True, False}


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_words_may_be_joined_where_the_expression_says_so(text: str) -> None:
    """Counting signs first rules out nothing that the expression finds."""
    needs = next(n for k, n, _ in forms._DECODERS if k == "joined")

    assert needs(text) == (forms._MAY_JOIN.search(text) is not None)


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_words_are_those_that_the_expressions_find(text: str) -> None:
    """Runs of letters, and of letters and digits, in any script."""
    assert list(letters(text)) == re.findall(r"[^\W\d_]+", text)
    assert list(alphanumerics(text)) == re.findall(r"[^\W_]+", text)


DATA = (
    *("529.982.247-25", "cpf 52998224725", "11.222.333/0001-81", "4111 1111 1111 1111", "078-05-"),
    *("1120", "NIF 501442600", "PT50 0002 0123 1234 5678 9015 4", "+351 912 345 678", "call me at"),
    *(
        "8.8.8.8",
        "2001:db8::1",
        "dead:beef::cafe",
        "ana@uni.edu",
        "https://a:b@c.d/e",
        " ",
        "1",
        ".",
    ),
    *("x", "tel ", "12", ":", "-", "v", "٣٤٥", "(21) 99999-9999"),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(DATA), max_size=10).map(lambda parts: " ".join(parts)))
def test_too_few_digits_rule_out_only_what_is_not_there(text: str) -> None:
    """Each kind found without the count of digits is found with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(personal, "_DIGITS", {})
        slowly = find_personal(text)

    assert find_personal(text) == slowly
