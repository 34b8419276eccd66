"""The ledger: an append-only chain of entries, each naming the one before it.

An entry holds digests only, never a person's words, so that a row can be erased and the chain
still verifies. Changing, dropping or inserting an entry breaks the chain at that place; what is
cut off at the end is found because every stored result and import must have its entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from normwright.records import Digest, Fault, digest_bytes, digest_json, plain_json

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
    """What happened: `import`, `result`, `replaced`, `signature`, `withdrawal`; `gc`: a result was
    let go; `clock`: the entries before were written by a clock that was ahead."""
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


BACKWARDS = timedelta(minutes=5)
"""How far a clock may step back without a word; clocks are corrected by seconds, not by more."""

_SET = datetime(2025, 1, 1, tzinfo=UTC)
"""Older than this code. A machine that says an earlier time has lost its clock."""


def clock_fault(last: Entry | None, now: datetime) -> Fault | None:
    """Return what is wrong with the clock, or None: times in a ledger do not run backwards.

    Args:
        last: The last entry of the ledger, if there is one.
        now: What the clock says, with its zone.
    """
    said = now.astimezone(UTC).isoformat(timespec="seconds")
    if now < _SET:
        return Fault(
            where="the clock of this machine",
            expected="the time of day",
            seen=said,
            do="Set the clock, then give the same command again.",
        )
    if last is None or now >= datetime.fromisoformat(last.at) - BACKWARDS:
        return None
    return Fault(
        where="the clock of this machine",
        expected=f"no time before {last.at}, when entry {last.seq} of the ledger was written",
        seen=said,
        do="Set the clock. If it is right now and was ahead then, have the ledger say so: "
        "normwright run --accept-clock.",
    )


def clock_payload(before: str, now: str) -> Digest:
    """Return the digest under which a step back of the clock stands in the ledger."""
    return digest_json({"clock": {"before": before, "now": now}})


def set_back(entries: Iterable[Entry]) -> tuple[Fault, ...]:
    """Return a fault for every time that lies before the one above it and does not say why."""
    faults = []
    before: Entry | None = None
    for entry in entries:
        if before is not None:
            earliest = datetime.fromisoformat(before.at) - BACKWARDS
            told = entry.kind == "clock" and entry.payload == clock_payload(before.at, entry.at)
            if datetime.fromisoformat(entry.at) < earliest and not told:
                faults.append(
                    Fault(
                        where=f"ledger entry {entry.seq}: at",
                        expected=f"no time before {before.at}",
                        seen=entry.at,
                        digest=entry.digest,
                    )
                )
        before = entry
    return tuple(faults)


def _seal(seq: int, previous: Digest, kind: str, payload: Digest, at: str) -> Digest:
    told = {"seq": seq, "previous": previous, "kind": kind, "payload": payload, "at": at}
    return digest_bytes(plain_json(told).encode())
