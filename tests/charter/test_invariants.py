"""The invariants of a charter, each broken once; and what the resolver makes of them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.charter.builders import LANGS, body, cases, outcome, process, seed, source, statement

from normwright.charter import CharterSource, check, ratify
from normwright.norms import decide
from normwright.records import Charter, InputError, Norm, Outcome, Situation, Statement

ON = date(2026, 11, 1)
CLINICIAN = {"fact": "clinician", "eq": True}


@pytest.fixture
def charter(tmp_path: Path) -> Charter:
    """A global floor, a ratified prohibition and its exception."""
    norms = source(
        tmp_path,
        seed(
            act="advise.dose",
            cases=cases(("hit", "deny", "advise.dose"), ("miss", "allow", "respond")),
        ),
        body(
            act="tell",
            cases=cases(("hit", "deny", "tell"), ("miss", "allow", "respond"), clinician=False),
        ),
        body(
            id="o.tell",
            kind="permission",
            act="tell",
            condition=CLINICIAN,
            cases=cases(("hit", "allow", "tell"), ("miss", "allow", "respond"), clinician=True),
        ),
    )
    return adopt(
        norms,
        [outcome({"s1": (90, 10, 0), "s2": (80, 20, 0)})],
        [statement(1, "o.no-advice"), statement(2, "o.tell")],
    )


def adopt(norms: CharterSource, outcomes: list[Outcome], statements: list[Statement]) -> Charter:
    """Ratify by a process of people, on one day, in both languages."""
    return ratify(norms, outcomes, process=process(), statements=statements, charter_id="test",
                  languages=LANGS, on=ON)  # fmt: skip


def changed(charter: Charter, ref: str, **fields: Any) -> Charter:
    """The charter with one norm changed behind everybody's back."""
    norms = tuple(
        Norm.model_validate({**n.model_dump(by_alias=True), **fields}) if n.ref == ref else n
        for n in charter.norms
    )
    return charter.model_copy(update={"norms": norms})


def test_sound_charter_has_no_faults(charter: Charter) -> None:
    """What ratification makes passes its own check."""
    assert check(charter) == []


BREACHES: dict[str, tuple[str, dict[str, Any], str]] = {
    "I2 global is of the world": ("g.no-advice@1", {"authority": "eu"}, "authority"),
    "I2 slug": ("o.tell@1", {"id": "O Tell"}, "id"),
    "I3 act exists": ("o.tell@1", {"act": "shout"}, "act"),
    "I4 ultra vires": ("o.tell@1", {"supersedes": ["g.no-advice"]}, "supersedes"),
    "I5 ideal never denies": ("o.tell@1", {"kind": "ideal", "on_unknown": "deny"}, "on_unknown"),
    "I5 no reparation": ("o.tell@1", {"reparation": ["g.no-advice"]}, "reparation"),
    "I6 time runs on": (
        "o.tell@1",
        {"valid_from": date(2027, 1, 1), "valid_to": date(2026, 1, 1)},
        "valid_to",
    ),
    "I7 stands on something": ("g.no-advice@1", {"source": []}, "status"),
    "I7 review": ("o.tell@1", {"review_by": None}, "review_by"),
    "I8 cases agree": (
        "o.no-advice@1",
        {"condition": {"fact": "clinician", "eq": True}},
        "cases[0].expect",
    ),
    "I9 unknown": ("g.no-advice@1", {"on_unknown": "allow"}, "on_unknown"),
    "I10 languages": ("o.tell@1", {"statement": {"en": "Tell."}}, "statement.pt"),
    "deadline of a ban": ("o.no-advice@1", {"deadline": "P1D"}, "deadline"),
    "demonstration of people": ("o.tell@1", {"status": "demonstration"}, "status"),
}


@pytest.mark.parametrize(("ref", "fields", "place"), BREACHES.values(), ids=list(BREACHES))
def test_each_invariant_is_checked(
    charter: Charter, ref: str, fields: dict[str, Any], place: str
) -> None:
    """Breaking one invariant gives a fault at the field that breaks it."""
    found = check(changed(charter, ref, **fields))

    assert any(f.where.endswith(f": {place}") for f in found), found


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"process_kind": "simulated", "decision_level": "L0"}, "status"),
        ({"process_kind": "simulated", "decision_level": "L2"}, "provenance.decision_level"),
        ({"process_kind": "simulated", "decision_level": "L0"}, "provenance.process_kind"),
    ],
)
def test_simulated_ballots_never_put_a_norm_in_force(
    charter: Charter, fields: dict[str, Any], place: str
) -> None:
    """I12 and I13: a norm in force does not rest on a simulated tally, nor above level L0."""
    proof = next(n for n in charter.norms if n.id == "o.tell").provenance
    assert proof is not None

    found = check(changed(charter, "o.tell@1", provenance={**proof.model_dump(), **fields}))

    assert f"o.tell@1: {place}" in [f.where for f in found]


def test_constitutional_ban_does_not_reach_back(charter: Charter) -> None:
    """I6: a prohibition that people decide holds from that day on."""
    wanted = {"tier": "constitutional", "valid_from": date(2026, 10, 31)}

    found = check(changed(charter, "o.no-advice@1", **wanted))

    assert [f.where for f in found] == ["o.no-advice@1: valid_from"]
    later = check(changed(charter, "o.no-advice@1", **{**wanted, "valid_from": ON}))
    assert "o.no-advice@1: valid_from" not in [f.where for f in later]


def test_same_id_and_version_twice_is_a_fault(charter: Charter) -> None:
    """I1: an id and version name one norm."""
    twice = charter.model_copy(update={"norms": (*charter.norms, charter.norms[-1])})

    assert any(f.expected == f"{charter.norms[-1].ref} once" for f in check(twice))


def test_digest_does_not_depend_on_key_order_form_or_number_format(charter: Charter) -> None:
    """I1 and I14: the same content gives the same digest, and it recomputes after a round trip."""
    norm = charter.norms[0]
    other = dict(reversed(list(json.loads(norm.model_dump_json(by_alias=True)).items())))
    composed, decomposed = "ação", "ac\u0327a\u0303o"

    again = Norm.model_validate(other)

    assert again.digest == norm.digest
    assert (
        changed(charter, norm.ref, statement={"en": composed, "pt": "x"}).digest
        == changed(charter, norm.ref, statement={"en": decomposed, "pt": "x"}).digest
    )
    assert Charter.model_validate_json(charter.model_dump_json(by_alias=True)).digest == (
        charter.digest
    )


def test_lower_layer_repealing_a_floor_is_an_error_at_adoption(tmp_path: Path) -> None:
    """ULTRA_VIRES is refused when people ratify it; the resolver would not obey it either."""
    repeal = body(id="o.yes", kind="permission", supersedes=["g.no-advice"])
    norms = source(tmp_path, seed(), repeal)
    asked = [statement(1, "o.yes")]

    with pytest.raises(InputError, match="ULTRA_VIRES"):
        adopt(norms, [outcome({"s1": (90, 10, 0)})], asked)
    unwanted = adopt(norms, [outcome({"s1": (10, 90, 0)})], asked)
    assert [r.norm for r in unwanted.rejected] == ["o.yes@1"]


def test_permission_on_a_general_act_is_not_ultra_vires(tmp_path: Path) -> None:
    """A lower layer may permit a general act beside a floor; the floor only narrows it."""
    general = body(
        id="o.yes", kind="permission", cases=cases(("hit", "allow"), ("miss", "allow", "tell"))
    )
    floor = seed(
        act="advise.dose", cases=cases(("hit", "deny", "advise.dose"), ("miss", "allow", "tell"))
    )

    made = adopt(
        source(tmp_path, floor, general), [outcome({"s1": (90, 10, 0)})], [statement(1, "o.yes")]
    )

    assert check(made) == []
    assert decide(made, Situation(act="advise.dose")).verdict == "deny"
    assert decide(made, Situation(act="advise")).verdict == "allow"
    assert [(c.over, c.under, c.rule) for c in made.conflicts] == [
        ("g.no-advice@1", "o.yes@1", "floor")
    ]


def test_other_authority_of_the_same_layer_cannot_repeal(tmp_path: Path) -> None:
    """One organisation does not repeal another's norm."""
    theirs = body(id="o.theirs", authority="clinic", supersedes=["o.no-advice"])
    norms = source(tmp_path, body(), theirs)
    ours = outcome({"s1": (90, 10, 0)})

    with pytest.raises(InputError, match="ULTRA_VIRES"):
        adopt(
            norms,
            [ours, outcome({"s2": (90, 10, 0)}, authority="clinic")],
            [statement(1, "o.no-advice"), statement(2, "o.theirs", authority="clinic")],
        )
