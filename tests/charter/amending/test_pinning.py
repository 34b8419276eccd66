"""A session keeps the charter it began with; only what tightens in haste reaches it at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.amending import Adopted, governing, pin
from normwright.norms import Resolver
from normwright.records import Charter, InputError, Situation

W = vocabulary({"make": [], "tell": [], "decline": []}, {"adult": "bool"})
START = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = START + timedelta(hours=1)
BAN = norm(id="o.ban", kind="prohibition", layer="organisation", act="tell")


def stop(**fields: Any) -> Any:
    body = {"id": "o.stop", "kind": "prohibition", "layer": "organisation", "act": "make",
            "emergency": True, "valid_from": "2026-12-01", "valid_to": "2026-12-15",
            **fields}  # fmt: skip
    return norm(**body)


def history(*charters: Charter) -> list[Adopted]:
    return [Adopted(START + timedelta(minutes=30 * i - 10), one) for i, one in enumerate(charters)]


def verdict(one: Charter, act: str, day: date = date(2026, 12, 1)) -> str:
    return Resolver(one).decide(Situation(act=act, time=day)).verdict


def test_an_amendment_waits_for_the_next_session() -> None:
    """A running session keeps the digest it started with; a new one has the new charter."""
    old, new = charter(W, []), charter(W, [BAN])
    stood = history(old, new)

    assert pin(stood, started=START).charter == old.digest
    assert governing(stood, started=START, now=LATER).digest == old.digest
    assert governing(stood, started=LATER, now=LATER).digest == new.digest


def test_an_emergency_norm_applies_at_once_and_nothing_else_with_it() -> None:
    """Of a charter adopted mid-session, only what was adopted in haste reaches the session."""
    stood = history(charter(W, []), charter(W, [BAN, stop()]))
    now = governing(stood, started=START, now=LATER)

    assert verdict(now, "make") == "deny"
    assert verdict(now, "tell") == "allow"
    assert now.parent == stood[0].charter.digest
    assert verdict(now, "make", date(2026, 12, 15)) == "allow"


def test_before_it_is_adopted_it_does_not_apply() -> None:
    """The instant asked about counts, not what is known later."""
    stood = history(charter(W, []), charter(W, [stop()]))

    assert governing(stood, started=START, now=START).digest == stood[0].charter.digest


def test_the_early_end_of_an_emergency_norm_waits_too() -> None:
    """Ending it loosens, so a session that began under it keeps it."""
    stood = history(charter(W, [stop()]), charter(W, []))

    assert verdict(governing(stood, started=START, now=LATER), "make") == "deny"


def test_a_session_that_cannot_be_governed_has_to_start_again() -> None:
    """An emergency norm about acts the pinned charter does not have is a fault, not a pass."""
    wider = vocabulary({"make": [], "spread": [], "decline": []}, {"adult": "bool"})
    stood = history(charter(W, []), charter(wider, [stop(act="spread")]))
    with pytest.raises(InputError, match="Start the session again"):
        governing(stood, started=START, now=LATER)
    with pytest.raises(InputError, match="no charter stood"):
        governing(stood, started=START - timedelta(days=1), now=LATER)
