"""Checking a charter: its own cases, each named where it stands; what stands against adoption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.charter.builders import body, case, cases, source

from normwright.charter import check_source
from normwright.charter.checking import adoption_faults


@pytest.mark.parametrize(
    ("added", "expected", "got"),
    [
        (case("en", "hit", "allow"), "allow", "deny"),
        (case("en", "hit", "allow", "tell"), "hit", "miss"),
        (case("en", "near_miss", "deny"), "near_miss", "hit"),
    ],
)
def test_a_case_that_is_not_what_it_says_is_a_failure(
    tmp_path: Path, added: dict[str, Any], expected: str, got: str
) -> None:
    """A wrong verdict, a hit the norm is silent about, a near miss it speaks about."""
    found = check_source(source(tmp_path, body(cases=[*body()["cases"], added])))

    (failure,) = found.failures
    assert (failure.norm, failure.case) == ("o.no-advice@1", "cases[4]")
    assert (failure.expected, failure.got) == (expected, got)
    assert failure.where.startswith("organisation/0.yaml:")
    assert failure.where.endswith("cases[4]")


def test_breaking_one_condition_names_the_failing_cases(tmp_path: Path) -> None:
    """Turned round, a norm fails every case it has, in each language."""
    own = [
        *cases(("hit", "deny"), clinician=False),
        *cases(("miss", "allow"), clinician=True),
    ]
    sound = body(condition={"fact": "clinician", "eq": False}, cases=own)
    broken = {**sound, "condition": {"fact": "clinician", "eq": True}}

    before = check_source(source(tmp_path / "sound", sound))
    after = check_source(source(tmp_path / "broken", broken))

    assert (before.norms, before.cases, before.failures) == (1, 4, ())
    assert [(f.case, f.lang, f.expected, f.got) for f in after.failures] == [
        ("cases[0]", "en", "deny", "allow"),
        ("cases[1]", "pt", "deny", "allow"),
        ("cases[2]", "en", "allow", "deny"),
        ("cases[3]", "pt", "allow", "deny"),
    ]


def test_what_lacks_cases_or_fails_them_cannot_be_adopted(tmp_path: Path) -> None:
    """Each language needs a hit and a miss of its own, and each case has to come out (I8)."""
    lacking = [case("en", "hit", "deny"), case("pt", "near_miss", "allow", "tell")]
    failing = [*body()["cases"], case("en", "hit", "allow")]

    some = adoption_faults(source(tmp_path / "some", body(cases=lacking)))
    wrong = adoption_faults(source(tmp_path / "wrong", body(cases=failing)))

    assert [f.expected for f in some] == ["at least one miss in en", "at least one hit in pt"]
    assert [(f.expected, f.seen) for f in wrong] == [("deny, as the norms say", "allow")]
    assert adoption_faults(source(tmp_path / "sound", body())) == []
