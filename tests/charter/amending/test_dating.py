"""What is in force on a day, as known on another, in each authority's time zone."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.charter.amending.random_charters import BEFORE, DAY, Quick, every_situation, random_pair
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.amending import as_of
from normwright.records import Charter, Norm

W = vocabulary({"make": [], "decline": []}, {"adult": "bool"})


def ban(**fields: Any) -> Norm:
    body = {"id": "eu.5.images", "kind": "prohibition", "layer": "polity", "authority": "EU",
            "act": "make", "valid_from": "2026-12-02", **fields}  # fmt: skip
    return norm(**body)


def refs(one: Charter, on: date, known: date | None = None) -> list[str]:
    return [f.norm.ref for f in as_of(one, on=on, known=known).in_force]


def test_a_norm_is_absent_before_its_first_day_and_present_from_it() -> None:
    """The prohibition that applies from 2 December 2026 is not there on 30 November."""
    one = charter(W, [ban()])

    assert refs(one, date(2026, 11, 30)) == []
    assert refs(one, date(2026, 12, 2)) == ["eu.5.images@1"]
    assert as_of(one, on=date(2026, 11, 30)).next[0].day == date(2026, 12, 2)
    assert as_of(one, on=date(2026, 11, 30)).digest != as_of(one, on=date(2026, 12, 2)).digest


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [("Europe/Brussels", datetime(2026, 12, 1, 23, tzinfo=UTC)),
     ("America/Sao_Paulo", datetime(2026, 12, 2, 3, tzinfo=UTC))],
)  # fmt: skip
def test_a_day_begins_at_midnight_of_the_authority(zone: str, midnight: datetime) -> None:
    """The same date is another instant in Brussels and in São Paulo."""
    one = charter(W, [ban()]).model_copy(update={"zones": {"EU": zone}})

    assert refs(one, midnight.replace(minute=0)) == ["eu.5.images@1"]
    assert refs(one, midnight.replace(hour=midnight.hour - 1, minute=59)) == []


def test_what_was_recorded_later_was_not_known() -> None:
    """A norm in force on a day on which nobody had written it down yet is found, and said so."""
    one = charter(W, [ban(valid_from="2026-01-01", recorded="2026-06-29")])

    assert refs(one, date(2026, 3, 1)) == ["eu.5.images@1"]
    assert refs(one, date(2026, 3, 1), known=date(2026, 3, 1)) == []
    assert as_of(one, on=date(2026, 3, 1), known=date(2026, 3, 1)).unknown_then == (
        "eu.5.images@1",
    )


def test_an_unknown_record_time_is_said_and_not_assumed() -> None:
    """Without a record date a norm is neither known nor unknown on a day: it is listed."""
    found = as_of(charter(W, [ban()]), on=date(2027, 1, 1), known=date(2027, 1, 1))

    assert found.in_force == ()
    assert found.undated == ("eu.5.images@1",)
    assert found.unknown_then == ()


def test_a_successor_ends_its_predecessor_on_its_first_day() -> None:
    """An express successor of the same authority says until when, and by what."""
    old = ban(valid_from="2025-02-02")
    new = ban(version=2, valid_from="2026-12-02", supersedes=["eu.5.images@1"])
    one = charter(W, [old, new])

    first = as_of(one, on=date(2026, 12, 1)).in_force[0]
    assert (first.until, first.ended_by) == (date(2026, 12, 2), "eu.5.images@2")
    assert refs(one, date(2026, 12, 2)) == ["eu.5.images@2"]


def test_the_charter_of_a_day_decides_as_the_whole_charter_does_on_it() -> None:
    """Deciding by date and deciding by the charter as of that date are the same."""
    rng = random.Random(11)
    for _ in range(6):
        one, _ = random_pair(rng)
        for day in (BEFORE, DAY):
            dated, whole = Quick(as_of(one, on=day).charter), Quick(one)
            for asked in every_situation(one.vocabulary, {"bearer": "agent"}):
                there = asked.model_copy(update={"time": day})
                assert dated.decide(asked).verdict == whole.decide(there).verdict
