"""The ledger: an append-only chain of entries, each naming the one before it.

An entry holds digests only, never a person's words, so that a row can be erased and the chain
still verifies. Changing, dropping or inserting an entry breaks the chain at that place; what is
cut off at the end is found because every stored result and import must have its entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from normwright.records import Digest, Fault, digest_json

GENESIS: Digest = digest_json("normwright ledger")
"""What the first entry names as its predecessor."""


@dataclass(frozen=True)
class Entry:
    """One link of the chain."""

    seq: int
    """Place in the chain, from 1."""
    previous: Digest
    """Digest of the entry before, or `GENESIS`."""
    kind: str
    """What happened: `import`, `result`, `replaced`, `signature` or `withdrawal`."""
    payload: Digest
    """Digest of what it happened to."""
    at: str
    """When, in UTC, ISO 8601."""
    digest: Digest
    """Digest of the five fields above."""


def link(last: Entry | None, *, kind: str, payload: Digest, at: str) -> Entry:
    """Return the entry that follows `last`; the first of a ledger follows None."""
    seq, previous = (1, GENESIS) if last is None else (last.seq + 1, last.digest)
    return Entry(seq, previous, kind, payload, at, _seal(seq, previous, kind, payload, at))


def first_break(entries: Iterable[Entry]) -> Fault | None:
    """Return the first broken link of a ledger given in order, or None where it holds."""
    seq, previous = 1, GENESIS
    for entry in entries:
        where = f"ledger entry {entry.seq}"
        if entry.seq != seq:
            return Fault(where=where, expected=f"entry {seq}", seen=f"entry {entry.seq}")
        if entry.previous != previous:
            return Fault(
                where=f"{where}: previous",
                expected=previous,
                seen=entry.previous,
                digest=entry.digest,
            )
        seal = _seal(entry.seq, entry.previous, entry.kind, entry.payload, entry.at)
        if entry.digest != seal:
            return Fault(where=where, expected=entry.digest, seen=seal, digest=entry.digest)
        seq, previous = entry.seq + 1, entry.digest
    return None


def _seal(seq: int, previous: Digest, kind: str, payload: Digest, at: str) -> Digest:
    return digest_json(
        {"seq": seq, "previous": previous, "kind": kind, "payload": payload, "at": at}
    )
