"""Merkle trees over keyed rows: prove that a row was counted without showing the others.

A row is one of few values, so a plain hash of it could be guessed. Its leaf is therefore
HMAC-SHA256(row key, canonical row) with a key of its own; destroying the key with the row leaves a
leaf nobody can open, and the root still verifies. The tree over the leaves is that of RFC 6962,
section 2.1: leaves are hashed with a 0x00 prefix and nodes with 0x01, so that neither can be
passed off as the other.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from normwright.records import Digest, canonical_json

KEY_BYTES = 32
"""Length of a row key."""


def leaf(key: bytes, row: Any) -> bytes:
    """Return the 32-byte leaf of a JSON-like `row` under its own `key` of 32 bytes."""
    return leaf_of_text(key, canonical_json(row))


def leaf_of_text(key: bytes, text: str) -> bytes:
    """Return the leaf of a row whose canonical JSON this is."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a row key has {KEY_BYTES} bytes, not {len(key)}")
    return hmac.digest(key, text.encode(), "sha256")


def random_key() -> bytes:
    """Return a fresh key for a row that came from a person."""
    return secrets.token_bytes(KEY_BYTES)


def seeded_key(seed: int, *, process: str, table: str, row: Sequence[str]) -> bytes:
    """Return the key of one simulated row, the same whenever the process is run again.

    There is nobody to protect behind a simulated row; what counts is that runs repeat.
    """
    place = canonical_json([process, table, *row]).encode()
    return hmac.digest(str(seed).encode(), place, "sha256")


def root(leaves: Sequence[bytes]) -> Digest:
    """Return the RFC 6962 tree head of `leaves`; that of no leaves is SHA-256 of nothing."""
    if not leaves:
        return _named(hashlib.sha256(b"").digest())
    return _named(_levels(leaves)[-1][0])


@dataclass(frozen=True)
class Inclusion:
    """The audit path of one leaf: the sibling hashes from the leaf up to the root."""

    index: int
    """Place of the leaf in the tree, from 0."""
    size: int
    """Number of leaves of the tree."""
    path: tuple[str, ...]
    """Sibling hashes, nearest first, in hexadecimal."""


def prove(leaves: Sequence[bytes], index: int) -> Inclusion:
    """Return the audit path (RFC 6962, 2.1.1) of the leaf at `index`.

    Raises:
        IndexError: if there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"the tree has {len(leaves)} leaves, none at {index}")
    path: list[str] = []
    place = index
    for level in _levels(leaves)[:-1]:
        sibling = place ^ 1
        # A node without a sibling is carried up unchanged, so it adds nothing to the path.
        if sibling < len(level):
            path.append(level[sibling].hex())
        place //= 2
    return Inclusion(index=index, size=len(leaves), path=tuple(path))


def included(one: bytes, proof: Inclusion, head: Digest) -> bool:
    """Say whether `proof` shows that leaf `one` is in the tree whose root is `head`."""
    if not 0 <= proof.index < proof.size:
        return False
    node, place, last = _leaf_hash(one), proof.index, proof.size - 1
    siblings = [bytes.fromhex(sibling) for sibling in proof.path]
    while last > 0:
        if place % 2 or place < last:
            if not siblings:
                return False
            sibling = siblings.pop(0)
            node = _node_hash(sibling, node) if place % 2 else _node_hash(node, sibling)
        place, last = place // 2, last // 2
    return not siblings and _named(node) == head


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the levels of the tree from the hashed leaves to the root.

    Pairing from the left and carrying an odd last node up unchanged gives the same tree as the
    recursive definition of RFC 6962, which splits at the largest power of two below n.
    """
    levels = [[_leaf_hash(one) for one in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(below) & ~1 :])
    return levels


def _leaf_hash(one: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + one).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _named(digest: bytes) -> Digest:
    return "sha256:" + digest.hex()
