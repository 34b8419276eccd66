"""Merkle trees over keyed rows agree with RFC 6962 and prove exactly what is in them."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.records import canonical_json
from normwright.store import Inclusion, included, leaf, prove, random_key, root, seeded_key

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40, unique=True)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = by_definition(leaves[:split]), by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_root_is_that_of_the_recursive_definition(leaves: list[bytes]) -> None:
    """The bottom-up root equals the slow recursive one of the standard, for any size."""
    assert root(leaves) == "sha256:" + by_definition(leaves).hex()


def test_root_of_published_vectors() -> None:
    """The root of the eight leaves of the Certificate Transparency test vectors is theirs."""
    data = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]

    assert root([bytes.fromhex(one) for one in data]) == (
        "sha256:5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


@settings(deadline=None, derandomize=True, max_examples=60)
@given(LEAVES, st.data())
def test_inclusion_is_proved_for_the_leaf_and_no_other(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """A proof holds for its own leaf, and for no other leaf, place, size or root."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, head = prove(leaves, index), root(leaves)

    assert included(leaves[index], proof, head)
    assert not included(hashlib.sha256(leaves[index]).digest(), proof, head)
    assert not included(leaves[index], proof, root([*leaves, b"x" * 32]))
    for other in range(len(leaves)):
        moved = Inclusion(other, proof.size, proof.path)
        assert included(leaves[index], moved, head) == (other == index)
    longer = Inclusion(index, proof.size, (*proof.path, "00" * 32))
    assert not included(leaves[index], longer, head)


def test_a_node_does_not_pass_as_a_leaf() -> None:
    """Domain separation: the two children of a node, joined, are no leaf of the same root."""
    leaves = [b"a" * 32, b"b" * 32]
    inner = b"".join(hashlib.sha256(b"\x00" + one).digest() for one in leaves)

    assert root([inner]) != root(leaves)


def test_proving_a_leaf_that_is_not_there_is_refused() -> None:
    """There is no proof for a place outside the tree."""
    with pytest.raises(IndexError, match="2 leaves, none at 2"):
        prove([b"a" * 32, b"b" * 32], 2)


def test_leaf_is_keyed() -> None:
    """A leaf is the HMAC of the canonical row; without its key it cannot be guessed from votes."""
    row = {"value": "agree", "participant": "p1"}
    key = random_key()
    expected = hmac.new(key, canonical_json(row).encode(), hashlib.sha256).digest()

    assert leaf(key, row) == expected
    assert leaf(key, dict(reversed(row.items()))) == expected
    assert leaf(random_key(), row) != expected
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        leaf(b"abc", row)


def test_seeded_keys_repeat_and_differ() -> None:
    """Keys of simulated rows repeat with the seed and differ by seed, process, table and row."""
    key = seeded_key(1, process="a", table="votes", row=("p", "s"))
    others = {
        seeded_key(2, process="a", table="votes", row=("p", "s")),
        seeded_key(1, process="b", table="votes", row=("p", "s")),
        seeded_key(1, process="a", table="comparisons", row=("p", "s")),
        seeded_key(1, process="a", table="votes", row=("ps", "")),
    }

    assert seeded_key(1, process="a", table="votes", row=("p", "s")) == key
    assert len({key, *others}) == 5
    assert len(key) == 32
