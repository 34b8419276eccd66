"""The ledger is a chain in which every change shows at its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from normwright.records import digest_json
from normwright.store import GENESIS, Entry, first_break, link


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(length):
        last = entries[-1] if entries else None
        payload = digest_json(number)
        entries.append(link(last, kind="result", payload=payload, at="2026-01-01T00:00:00+00:00"))
    return entries


def test_a_chain_as_made_holds() -> None:
    """Entries linked one after another form an unbroken ledger, and so does none at all."""
    entries = chain(4)

    assert first_break(entries) is None
    assert first_break([]) is None
    assert entries[0].previous == GENESIS
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "change",
    [
        {"payload": digest_json("other")},
        {"kind": "import"},
        {"at": "2027-01-01T00:00:00+00:00"},
        {"digest": digest_json("other")},
        {"previous": digest_json("other")},
    ],
)
def test_a_changed_entry_is_the_first_break(change: dict[str, Any]) -> None:
    """Changing any field of entry 2 breaks the chain there."""
    entries = chain(4)
    entries[1] = replace(entries[1], **change)
    fault = first_break(entries)

    assert fault is not None
    assert fault.where.startswith("ledger entry 2")


def test_an_entry_changed_with_its_seal_breaks_the_next_link() -> None:
    """Resealing a changed entry only moves the break to the entry after it."""
    entries = chain(4)
    forged = link(entries[0], kind="result", payload=digest_json("x"), at=entries[1].at)
    entries[1] = forged
    fault = first_break(entries)

    assert fault is not None
    assert fault.where == "ledger entry 3: previous"
    assert (fault.expected, fault.seen) == (forged.digest, entries[2].previous)


@pytest.mark.parametrize(("gone", "place"), [(0, 2), (1, 3)])
def test_a_dropped_entry_shows(gone: int, place: int) -> None:
    """Dropping an entry breaks the chain at the one that followed it."""
    entries = chain(4)
    del entries[gone]
    fault = first_break(entries)

    assert fault is not None
    assert fault.where == f"ledger entry {place}"
