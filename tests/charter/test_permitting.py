"""Whether alignment is permissible: every condition, alone and together, false and unknown."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.charter import builders

from normwright.charter import enact, ratify
from normwright.charter.permitting import floors_of, gather, permit, permitted, scale_of
from normwright.records import (
    MODES,
    PERMIT_CONDITIONS,
    Charter,
    Fault,
    Permit,
    PermitError,
    PermitRequest,
    PermitSubject,
    Polity,
    require_permit,
)

FILE = yaml.safe_load((Path(__file__).parent / "permits/requests.yaml").read_text("utf-8"))
DAY: date = FILE["day"]
REQUESTS: list[dict[str, Any]] = FILE["requests"]
WORDS = {False: False, None: "unknown"}


def changed(body: dict[str, Any], paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of nested data with what stands at some dotted paths replaced."""
    body = copy.deepcopy(body)
    for path, value in paths.items():
        *parents, last = path.split(".")
        place: Any = body
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        place[int(last) if isinstance(place, list) else last] = value
    return body


def request(row: Mapping[str, Any]) -> PermitRequest:
    body = {"languages": ["en", "pt"]} if row.get("blank") else changed(
        FILE["base"], row.get("set", {}))  # fmt: skip
    return PermitRequest.model_validate(body)


@pytest.mark.parametrize("row", REQUESTS, ids=[row["name"] for row in REQUESTS])
def test_a_request_is_decided_right(row: dict[str, Any]) -> None:
    """Granted or refused as written, and exactly the conditions named are those that fail."""
    answer = permit(request(row), on=DAY)

    assert {
        one.condition: WORDS[one.holds] for one in answer.refusals if one.holds is not True
    } == (row.get("fails", {}))
    assert answer.granted is row["permit"]
    assert list(answer.modes) == (row.get("modes", []))
    if "until" in row:
        assert answer.valid_until == row["until"]


@pytest.mark.parametrize("row", REQUESTS, ids=[row["name"] for row in REQUESTS])
def test_every_ground_is_told_in_every_language(row: dict[str, Any]) -> None:
    """All conditions have a ground, each with a reason in English and Portuguese, none unfilled."""
    answer = permit(request(row), on=DAY)

    assert tuple(one.condition for one in answer.grounds) == PERMIT_CONDITIONS
    for one in answer.grounds:
        assert one.reasons
        for text in one.reasons:
            assert set(text) == {"en", "pt"}
            assert all(said and "{" not in said and "@" not in said.split()[0]
                       for said in text.values())  # fmt: skip
            assert text["en"] != text["pt"]
    if not answer.granted:
        assert answer.modes == ()
        assert answer.reasons("pt")
    elif answer.modes != MODES:
        assert answer.limits


def test_each_condition_fails_alone_and_is_unknown_alone() -> None:
    """The requests have, for every condition, one in which it alone fails and one unknown."""
    alone = {
        (condition, state)
        for row in REQUESTS
        if len(row.get("fails", {})) == 1
        for condition, state in row["fails"].items()
    }

    assert alone == {(c, state) for c in PERMIT_CONDITIONS for state in (False, "unknown")}


def test_a_refusal_gives_all_reasons() -> None:
    """Two things amiss in one condition are both told, beside those of the others."""
    row = {"set": {"norms.1.intention": False, "norms.2.statements": 0, "floors": ["g.life"]}}

    told = permit(request(row), on=DAY).reasons("en")

    assert len(told) == 3
    assert [name for name in ("p.fair@1", "o.polite@1", "g.life") if any(name in t for t in told)]
    assert all(any(name in text for text in told) for name in ("p.fair@1", "o.polite@1", "g.life"))


FIELDS = ("charter", "process_kind", "electorates", "norms", "floors", "breaches", "minorities",
          "newest", "scales", "pairs")  # fmt: skip
NEEDED = tuple(name for name in FIELDS if name != "charter")


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sets(st.sampled_from(FIELDS)))
def test_what_is_unknown_never_helps(gone: set[str]) -> None:
    """Forgetting anything never turns a condition that does not hold into one that does."""
    for start in ({}, {"consent.given": None}, {"pairs.traced": 1}, {"floors": ["g.life"]}):
        body = changed(FILE["base"], start)
        before = permit(PermitRequest.model_validate(body), on=DAY)
        after = permit(PermitRequest.model_validate({**body, **dict.fromkeys(gone)}), on=DAY)
        held = {one.condition for one in before.grounds if one.holds is True}

        assert {one.condition for one in after.grounds if one.holds is True} <= held
        assert not (after.granted and gone & set(NEEDED))


def test_the_same_request_gives_the_same_permit() -> None:
    """Nothing but the request and the day goes into it."""
    one, two = (permit(request({}), on=DAY) for _ in range(2))

    assert one.digest == two.digest
    assert one.digest != permit(request({}), on=date(2026, 11, 2)).digest
    assert one.derived_from == (request({}).digest,)


# From the records of a process


def charter_of(tmp_path: Path, *norms: dict[str, Any], **fields: Any) -> tuple[Charter, Any]:
    process = builders.process(identification="roster", **fields)
    floor = builders.seed(
        rationale={"en": "Why.", "pt": "Porque sim."},
        cases=builders.cases(("hit", "deny"), ("miss", "allow", "decline")),
    )
    source = builders.source(tmp_path, floor, *norms)
    outcome = builders.outcome({"s1": (95, 3, 2)}, kind=process.kind)
    adopted = ratify(
        source, [outcome], process=process, statements=[builders.statement(1, "o.no-tell")],
        charter_id="c", languages=builders.LANGS, on=DAY,
    )  # fmt: skip
    return adopted, (process, [outcome], source)


def own(**fields: Any) -> dict[str, Any]:
    """A norm of the help desk that says why."""
    sound = {
        "id": "o.no-tell", "act": "tell", "rationale": {"en": "Why.", "pt": "Porque sim."},
        "cases": builders.cases(("hit", "deny", "tell"), ("miss", "allow", "decline")),
    }  # fmt: skip
    return builders.body(**{**sound, **fields})


def asked(adopted: Charter, made: Any, **fields: Any) -> PermitRequest:
    process, outcomes, source = made
    given_fields: dict[str, Any] = {
        "statements": [builders.statement(1, "o.no-tell")],
        "subject": PermitSubject(
            model="m", learner=("sft",), channels=("output",), deployment="d",
            preferences_of="people" if process.kind == "human" else "simulated",
        ),
        "authorities": ["desk"], "languages": ["en", "pt"], "floors": floors_of(source.norms),
        "withdrawn": 0, "resting": 0, "newest": DAY, "scales": [], **fields,
    }  # fmt: skip
    desk = Polity(id="desk", name={"en": "Desk", "pt": "Balcão"}, layer="organisation")
    return gather(adopted, process=process, polities=[desk], outcomes=outcomes, **given_fields)


PAIRS = {"rows": 2, "traced": 2, "judged": 0}
CONSENT = {"basis": "participants", "versions": ({"id": "1", "to_training": True},),
           "minors": "none"}  # fmt: skip


def test_a_process_of_people_that_did_everything_is_permitted(tmp_path: Path) -> None:
    """From ratified norms to a permit: what the records say is enough, and no less is."""
    adopted, made = charter_of(tmp_path, own(), consent=CONSENT)

    without = permit(asked(adopted, made), on=DAY)
    answer = permit(asked(adopted, made, pairs=PAIRS), on=DAY)

    assert [one.condition for one in without.refusals] == ["chain"]
    assert answer.granted, answer.reasons("en")
    assert answer.modes == permitted(adopted)[0] == MODES
    assert answer.decision_level == "L3"
    assert answer.charter == adopted.digest


def test_policy_and_permit_never_disagree(tmp_path: Path) -> None:
    """The modes a policy names are those its permit may cover, by one table."""
    for kind in ("human", "simulated"):
        adopted, made = charter_of(tmp_path / kind, own(), kind=kind, consent=CONSENT)
        policy = enact(adopted, made[1], deployment={"polities": ["desk"]})
        answer = permit(asked(adopted, made, pairs=PAIRS), on=DAY)

        assert answer.modes == policy.permit_modes
        assert (answer.limits == ()) == (answer.modes == MODES)
        assert policy.permit_reason in (*answer.limits, policy.permit_reason)


def test_a_simulated_process_is_permitted_within_and_says_so(tmp_path: Path) -> None:
    """Nobody was asked, so consent does not apply and nothing leaves the house."""
    adopted, made = charter_of(tmp_path, own(), kind="simulated")

    answer = permit(asked(adopted, made, pairs=PAIRS, newest=None, withdrawn=None), on=DAY)

    assert answer.modes == ("internal",)
    assert "simulated" in answer.limits[0]["en"]
    assert "simulados" in answer.limits[0]["pt"]
    assert answer.valid_until is None


def test_a_floor_that_ratification_lost_is_missed(tmp_path: Path) -> None:
    """What the charter holds is no measure of what it lacks: the drafted floors are."""
    adopted, made = charter_of(tmp_path, own(), consent=CONSENT)
    bare = adopted.model_copy(update={"norms": adopted.norms[1:]})

    answer = permit(asked(bare, made, pairs=PAIRS), on=DAY)

    assert [one.condition for one in answer.refusals] == ["floors"]
    assert "g.no-advice" in answer.reasons("en")[0]


def test_a_norm_that_allows_what_a_floor_forbids_is_a_breach(tmp_path: Path) -> None:
    """All of it within the floor is a breach; what only overlaps with it is narrowed."""
    allows = own(kind="permission", act="advise.dose", cases=builders.cases(
        ("hit", "deny", "advise.dose"), ("miss", "allow", "decline")))  # fmt: skip
    wider = own(kind="permission", act="respond", cases=builders.cases(
        ("hit", "allow", "respond"), ("miss", "allow", "decline")))  # fmt: skip
    found = []
    for name, norm in (("in", allows), ("wide", wider)):
        adopted, made = charter_of(tmp_path / name, norm, consent=CONSENT)
        found.append([one.rule for one in asked(adopted, made).breaches or ()])

    assert found == [["contradiction"], []]


def test_acts_are_covered_by_themselves_and_by_their_kind(tmp_path: Path) -> None:
    """A norm about advice covers advice about doses; an act nobody knows is covered by none."""
    adopted, made = charter_of(tmp_path, own(), consent=CONSENT)

    acts = asked(adopted, made, acts=["advise.dose", "respond", "fly"]).domain.acts

    assert acts == {"advise.dose": True, "respond": False, "fly": False}


def test_a_card_says_what_its_part_needs() -> None:
    """What is not one of the scales is unknown, never taken for the weakest."""
    assert scale_of("grades") == "grades"
    assert scale_of("") is None
    assert scale_of("worths, or orders by their Borda scores") is None


# What training asks of it


def granted() -> Permit:
    return permit(request({}), on=DAY)


def test_without_a_permit_nothing_may_be_trained() -> None:
    """No permit, a refused one, one for another charter and an expired one are each refused."""
    other = "sha256:" + "2" * 64

    def seen(found: Permit | None, **fields: Any) -> list[Fault]:
        with pytest.raises(PermitError) as error:
            require_permit(found, **fields)
        return list(error.value.faults)

    require_permit(granted(), charter=FILE["base"]["charter"], on=DAY)
    require_permit(None, unpermitted=True)
    assert "none" in seen(None)[0].seen
    assert "machine" in seen(permit(request({"set": {"subject.preferences_of": "machine"}}),
                                    on=DAY))[0].seen  # fmt: skip
    assert "another charter" in seen(granted(), charter=other)[0].do
    assert "expired" in seen(granted(), on=date(2027, 7, 1))[0].do
    assert "valid_from" in seen(granted(), on=date(2026, 10, 31))[0].where
    assert [f.where[-5:] for f in granted().faults(mode="moon")] == ["modes"]


def test_a_permit_that_claims_to_be_granted_in_spite_of_its_grounds_is_refused() -> None:
    """The grounds count, not the word alone."""
    refused = permit(request({"set": {"pairs.traced": 0}}), on=DAY)
    lie = refused.model_copy(update={"granted": True, "modes": MODES})

    with pytest.raises(PermitError, match="pairs"):
        require_permit(lie)
