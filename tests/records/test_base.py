"""One JSON text of a value, written in two ways."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.records import canonical_json, plain_json

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=6),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([0.0, -0.0, 1.0, 1e15, 2.0**53, 1e16, 1e300, "1.0", "a.0}", "e\u0301"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner), st.dictionaries(st.text(max_size=4), inner)
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_the_quick_way_writes_what_the_other_does(value: object) -> None:
    """Whole numbers, accents and what only looks like a number come out alike."""
    assert plain_json(value) == canonical_json(value)


def test_sets_have_their_form_and_what_is_no_number_has_none() -> None:
    """A set is a row in order; infinity is refused either way."""
    assert json.loads(plain_json({"a": {"b", "a"}})) == {"a": ["a", "b"]}
    with pytest.raises(ValueError, match=r"JSON|infinity"):
        plain_json([math.inf])
