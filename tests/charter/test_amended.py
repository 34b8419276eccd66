"""A charter and the one before it: versions, no silent repeal, rules that guard themselves."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.charter.builders import (
    LANGS,
    ONE_READING,
    body,
    cases,
    core,
    outcome,
    reading,
    seed,
    source,
    statement,
)

from normwright.charter import AMENDMENT, CharterSource, ratify
from normwright.records import Charter, InputError, Outcome, Statement

DAY = date(2026, 10, 1)
NORM = "o.no-advice"
FOR, AGAINST = (90, 10, 0), (10, 90, 0)


def held(norms: CharterSource, found: Outcome, *asked: Statement, parent: Charter | None = None,
         day: date = DAY) -> Charter:  # fmt: skip
    return ratify(norms, readings=[reading(day, found, *asked)], charter_id="t",
                  languages=LANGS, on=day, parent=parent)  # fmt: skip


@pytest.fixture
def before(tmp_path: Path) -> Charter:
    norms = source(tmp_path / "before", body())
    return held(norms, outcome({"s1": FOR}), statement(1, NORM))


def test_version_and_digest_of_the_charter_before(tmp_path: Path, before: Charter) -> None:
    """An amendment is one version on, and names what it amends."""
    after = held(source(tmp_path / "after", body()), outcome({}), parent=before)

    assert (before.version, before.parent) == (1, None)
    assert (after.version, after.parent) == (2, before.digest)
    assert before.digest in after.derived_from


def test_head_says_version_and_parent_where_no_charter_is_at_hand(
    tmp_path: Path, before: Charter
) -> None:
    """A project states what it amends in charter.yaml, so that its digest repeats."""
    head = {**ONE_READING, "version": 4, "parent": before.digest}

    made = held(
        source(tmp_path / "after", body(), charter=head), outcome({"s1": FOR}), statement(1, NORM)
    )

    assert (made.version, made.parent) == (4, before.digest)


def test_parent_that_is_not_the_one_named_is_refused(tmp_path: Path, before: Charter) -> None:
    """charter.yaml and the file that is given must be about the same charter."""
    head = {**ONE_READING, "parent": "sha256:" + "0" * 64}

    with pytest.raises(InputError, match=r"charter\.yaml: parent"):
        held(source(tmp_path / "after", body(), charter=head), outcome({}), parent=before)


def test_unchanged_norm_is_carried_over_with_what_it_stands_on(
    tmp_path: Path, before: Charter
) -> None:
    """It is not put to the vote again, and a lost vote does not repeal it in silence."""
    later = outcome({"s1": AGAINST}, process="later")
    after = held(source(tmp_path / "after", body()), later, statement(1, NORM), parent=before)

    assert after.norms == before.norms


def test_norm_that_vanishes_is_a_silent_repeal(tmp_path: Path, before: Charter) -> None:
    """It must be superseded, repealed or there."""
    other = body(id="o.other")

    with pytest.raises(InputError, match="No silent repeal"):
        held(source(tmp_path / "after", other), outcome({}), parent=before)


@pytest.mark.parametrize("status", ["repealed", "suspended", "expired"])
def test_norm_is_set_aside_by_the_people_who_ratified_it(
    tmp_path: Path, before: Charter, status: str
) -> None:
    """An edited status repeals nothing; votes against it do, by the rule of its tier."""
    aside = source(tmp_path / "after", body(status=status))

    after = held(aside, outcome({"s1": AGAINST}), statement(1, NORM), parent=before)

    assert [n.status for n in after.norms] == [status]
    for votes, asked in ((FOR, True), ((45, 55, 0), True), (AGAINST, False)):
        with pytest.raises(InputError, match="unless people vote it out") as caught:
            held(aside, outcome({"s1": votes}), *[statement(1, NORM)] * asked, parent=before)
        assert status in caught.value.faults[0].seen


def test_repeal_by_a_statement_that_opposes_the_norm(tmp_path: Path, before: Charter) -> None:
    """Agreement that the norm should go is a vote against it."""
    aside = source(tmp_path / "after", body(status="repealed"))
    asked = statement(1, NORM, endorses=False)

    after = held(aside, outcome({"s1": FOR}), asked, parent=before)

    assert [n.status for n in after.norms] == ["repealed"]


def test_norm_past_its_last_day_expires_without_a_vote(tmp_path: Path) -> None:
    """What was ratified until a day needs nobody to end it."""
    until = body(valid_to="2026-12-01")
    first = held(source(tmp_path / "before", until), outcome({"s1": FOR}), statement(1, NORM))

    after = held(source(tmp_path / "after", {**until, "status": "expired"}),
                 outcome({}, process="later"), parent=first, day=date(2026, 12, 1))  # fmt: skip

    assert [n.status for n in after.norms] == ["expired"]


def test_constitutional_norm_is_not_repealed_where_the_core_against_it_is_not_shown(
    tmp_path: Path,
) -> None:
    """It takes as much to end as to adopt: the core of those against it, not of those for it."""
    strict = {"amendment": {"constitutional": {"readings": 1}}}
    norm = body(tier="constitutional", review_by=None)
    first = held(source(tmp_path / "before", norm, charter=strict),
                 outcome({"s1": FOR}, robust=(core(),)), statement(1, NORM))  # fmt: skip
    aside = source(tmp_path / "after", {**norm, "status": "repealed"}, charter=strict)
    against = core().model_copy(update={"opposed": True})

    with pytest.raises(InputError, match="was not computed"):
        held(aside, outcome({"s1": AGAINST}, robust=(core(),)), statement(1, NORM), parent=first)
    after = held(aside, outcome({"s1": AGAINST}, robust=(against,)), statement(1, NORM),
                 parent=first)  # fmt: skip

    assert [n.status for n in after.norms] == ["repealed"]


def test_other_content_under_the_same_version_is_refused(tmp_path: Path, before: Charter) -> None:
    """Versions are never changed; they are raised (I1)."""
    changed = body(statement={"en": "Other.", "pt": "Outro."})

    with pytest.raises(InputError, match="Raise the version"):
        held(source(tmp_path / "after", changed), outcome({}), parent=before)


def test_new_version_supersedes_expressly_and_is_voted_on(tmp_path: Path, before: Charter) -> None:
    """The new text needs votes of its own; the old one is named."""
    newer = body(version=2, supersedes=[f"{NORM}@1"], statement={"en": "Other.", "pt": "Outro."})

    after = held(
        source(tmp_path / "after", newer), outcome({"s1": FOR}), statement(1, NORM), parent=before
    )

    assert [n.ref for n in after.norms] == [f"{NORM}@2"]


@pytest.mark.parametrize("beside", [False, True])
def test_norm_holds_on_where_its_successor_is_not_ratified(
    tmp_path: Path, before: Charter, beside: bool
) -> None:
    """A lost vote on the new version is no repeal of the old one, whatever its file says."""
    newer = body(version=2, supersedes=[f"{NORM}@1"], statement={"en": "Other.", "pt": "Outro."})
    old = [body(status="repealed")] if beside else []
    norms = source(tmp_path / "after", newer, *old)

    after = held(norms, outcome({"s1": AGAINST}), statement(1, NORM), parent=before)

    assert after.norms == before.norms
    assert [r.norm for r in after.rejected] == [f"{NORM}@2"]


def test_lower_layer_cannot_supersede_a_floor_of_the_charter_before(tmp_path: Path) -> None:
    """A floor that left the files is still out of an organisation's reach."""
    own = cases(("hit", "deny", "tell"), ("miss", "allow", "decline"))
    floor = held(source(tmp_path / "before", seed(act="tell", cases=own)), outcome({}))
    lower = body(supersedes=["g.no-advice@1"])

    with pytest.raises(InputError) as caught:
        held(source(tmp_path / "after", seed(status="repealed", act="tell", cases=own), lower),
             outcome({"s1": FOR}), statement(1, NORM), parent=floor)  # fmt: skip

    assert any("ULTRA_VIRES" in f.seen for f in caught.value.faults)


EASIER = {"amendment": {"constitutional": {"readings": 1, "robust_core": False, "share": 0.51}}}


def changed_rules(folder: Path, before: Charter, votes: Any, *, asked: bool = True) -> Charter:
    question = [statement(9, AMENDMENT)] if asked else []
    return held(source(folder, body(), charter=EASIER), outcome({"s9": votes}), *question,
                parent=before)  # fmt: skip


@pytest.mark.parametrize("votes", [(60, 40, 0), (0, 0, 0), (10, 90, 0)])
def test_rules_of_amendment_need_the_constitutional_rule_they_replace(
    tmp_path: Path, before: Charter, votes: tuple[int, int, int]
) -> None:
    """A majority that the new rule would take is not enough for the old one."""
    with pytest.raises(InputError, match="constitutional rule of the charter before"):
        changed_rules(tmp_path / "after", before, votes)


def test_rules_of_amendment_nobody_was_asked_about_stay(tmp_path: Path, before: Charter) -> None:
    """An edited file changes no rule."""
    with pytest.raises(InputError, match="nobody was asked about"):
        changed_rules(tmp_path / "after", before, FOR, asked=False)


def test_rules_of_amendment_that_two_thirds_carry_are_new(tmp_path: Path, before: Charter) -> None:
    """They hold from the charter on that adopts them."""
    after = changed_rules(tmp_path / "after", before, FOR)

    assert after.amendment.constitutional.share == 0.51
    assert before.amendment.constitutional.share == pytest.approx(2 / 3)
