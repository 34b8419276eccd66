"""Emergency norms only tighten, lapse by themselves, and are not renewed without people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.amending import adopt_emergency, as_of, diff, tightens_only
from normwright.charter.invariants import check
from normwright.norms import Resolver
from normwright.records import Charter, InputError, Norm, Situation

pytest.importorskip("z3")

W = vocabulary({"make": [], "tell": [], "decline": []}, {"adult": "bool"})
TODAY = date(2026, 11, 26)


def hasty(**fields: Any) -> Norm:
    body = {"id": "o.stop", "kind": "prohibition", "layer": "organisation", "act": "make",
            "emergency": True, "valid_from": TODAY, "valid_to": TODAY + timedelta(14),
            "status": "draft", **fields}  # fmt: skip
    return norm(**body)


def adopted(*others: Norm, **fields: Any) -> Charter:
    return adopt_emergency(charter(W, list(others)), hasty(**fields), on=TODAY)


def refusal(*others: Norm, **fields: Any) -> str:
    with pytest.raises(InputError) as caught:
        adopted(*others, **fields)
    return str(caught.value)


def verdict(one: Charter, on: date) -> str:
    return Resolver(one).decide(Situation(act="make", facts={"adult": True}, time=on)).verdict


def test_an_emergency_prohibition_applies_and_lapses_by_itself() -> None:
    """It denies from its first day on, and on the fifteenth it is gone, under a given clock."""
    after = adopted()

    assert verdict(after, TODAY) == "deny"
    assert verdict(after, TODAY + timedelta(13)) == "deny"
    assert verdict(after, TODAY + timedelta(14)) == "allow"
    assert as_of(after, on=TODAY + timedelta(14)).in_force == ()


@pytest.mark.parametrize("kind", ["permission", "guarantee", "exemption", "ideal", "constitutive"])
def test_what_does_not_tighten_is_refused_with_the_reason(kind: str) -> None:
    """A permission, a right, an exemption, an ideal cannot be adopted in haste."""
    told = refusal(kind=kind)

    assert f"a {kind}" in told
    assert "only tighten" in told


def test_an_emergency_norm_needs_a_first_and_a_last_day_of_at_most_fourteen() -> None:
    """No end, or an end on the sixteenth day, is refused."""
    assert "valid_to" in refusal(valid_to=None)
    assert "14 days" in refusal(valid_to=TODAY + timedelta(15))
    assert "valid_from" in refusal(valid_from=None)
    assert "or later" in refusal(valid_from=TODAY - timedelta(1), valid_to=TODAY)


def test_a_charter_may_allow_fewer_days() -> None:
    """The limit is the charter's own, never above fourteen."""
    short = charter(W, [])
    rule = short.amendment.model_copy(update={"emergency_days": 3})
    with pytest.raises(InputError, match="3 days"):
        adopt_emergency(short.model_copy(update={"amendment": rule}), hasty(), on=TODAY)


def test_a_permission_can_be_suspended_for_a_while() -> None:
    """A suspension takes a permission away without giving one, and gives it back."""
    ban = norm(id="o.ban", kind="prohibition", layer="organisation", act="make")
    may = norm(id="o.may", kind="permission", layer="organisation", act="make",
               condition={"fact": "adult", "eq": True})  # fmt: skip
    after = adopted(ban, may, kind="constitutive", supersedes=["o.may"])

    assert verdict(charter(W, [ban, may]), TODAY) == "allow"
    assert verdict(after, TODAY) == "deny"
    assert verdict(after, TODAY + timedelta(14)) == "allow"


@pytest.mark.parametrize("kind", ["prohibition", "obligation", "guarantee"])
def test_no_protection_ends_in_haste(kind: str) -> None:
    """An emergency norm that supersedes a ban, a duty or a right is refused."""
    old = norm(id="o.old", kind=kind, layer="organisation", act="tell")

    assert "No protection ends without a vote" in refusal(old, supersedes=["o.old"])


def test_no_right_is_beaten_in_haste() -> None:
    """A right that an emergency ban would beat stands against it; a stronger one shields itself."""
    low = norm(id="o.right", kind="guarantee", layer="organisation", act="make")
    high = norm(id="g.right", kind="guarantee", act="make")

    assert "o.right@1" in refusal(low)
    assert verdict(adopted(high), TODAY) == "allow"


def test_a_duty_that_would_make_a_forbidden_act_necessary_is_refused() -> None:
    """To be obliged in haste to do what is forbidden is a permission in disguise."""
    ban = norm(id="o.ban", kind="prohibition", layer="organisation", act="make", severity=2)
    told = refusal(ban, id="o.must", kind="obligation", act="make", severity=5)

    assert "a duty to nothing that o.ban@1 forbids" in told


def test_the_same_ground_waits_before_it_comes_again() -> None:
    """Neither the same id nor another name for the same acts may follow within fourteen days."""
    first = adopted()
    for fields in ({"version": 2}, {"id": "o.stop-again"}):
        again = hasty(valid_from=TODAY + timedelta(14), valid_to=TODAY + timedelta(28), **fields)
        with pytest.raises(InputError, match="had the same ground"):
            adopt_emergency(first, again, on=TODAY + timedelta(14))
    later = TODAY + timedelta(28)
    fresh = hasty(version=2, valid_from=later, valid_to=later + timedelta(14))

    assert verdict(adopt_emergency(first, fresh, on=later), later) == "deny"


def test_another_ground_needs_no_wait() -> None:
    """An emergency norm about other acts may follow at once."""
    other = hasty(id="o.hush", act="tell")

    assert len(adopt_emergency(adopted(), other, on=TODAY).norms) == 2


def test_invariants_refuse_a_charter_with_a_lasting_emergency_norm() -> None:
    """The check of a whole charter knows the rules of haste too (I11)."""
    one = charter(W, [hasty(valid_to=TODAY + timedelta(40), status="in_force")])

    assert any("14 days" in fault.expected for fault in check(one))


def test_tightens_only_names_what_loosens() -> None:
    """A dropped ban loosens, an added one does not."""
    ban = norm(id="o.ban", kind="prohibition", layer="organisation", act="make")
    none, some = charter(W, []), charter(W, [ban])

    assert tightens_only(diff(none, some)) == ()
    assert any("deny -> allow" in told for told in tightens_only(diff(some, none)))
