"""Each class on the smallest charter that shows it, and on the nearest one that does not."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.concerns import concern_coverage, concern_name, concerns
from normwright.charter.linting import LINTS, lint
from normwright.charter.wording import spoken
from normwright.norms import Resolver
from normwright.records import Charter, CharterFinding, MissingExtra

WORDS = vocabulary(
    {"act": [], "act.special": ["act"], "other": [], "other.way": ["other"], "decline": []},
    {"p": "bool", "q": "bool", "n": {"low": 0, "high": 9}},
)
IF_P = {"fact": "p", "eq": True}
IF_Q = {"fact": "q", "eq": True}
DULL = {"GAP", "UNTESTED"}


def made(*norms: dict[str, Any]) -> Charter:
    return charter(WORDS, [norm(**{"act": "act", **fields}) for fields in norms])


def findings(*norms: dict[str, Any]) -> list[CharterFinding]:
    report = lint(made(*norms), coverage={})
    assert report.open == ()
    return [one for one in report.findings if one.kind not in DULL]


def classes(*norms: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (one.kind, " ".join(ref.removesuffix("@1") for ref in one.norms))
        for one in findings(*norms)
    ]


F: dict[str, Any] = {"id": "f", "kind": "prohibition"}
P: dict[str, Any] = {"id": "p", "kind": "permission"}
ORG: dict[str, Any] = {"layer": "organisation"}


def test_worked_w1_is_ultra_vires() -> None:
    """An organisation permits what a global floor forbids: W1 of the worked cases."""
    (one,) = findings(F, {**P, **ORG})
    assert one.witness is not None
    decision = Resolver(made(F, {**P, **ORG})).decide(one.witness)

    assert one.kind == "ULTRA_VIRES"
    assert (decision.verdict, decision.governing) == ("deny", ("f@1",))


def test_worked_w13_lints_as_the_table_says() -> None:
    """Without express repeal: UNRESOLVED; with it: nothing; of a floor from below: ULTRA_VIRES."""
    silent = classes({**F, **ORG}, {**P, **ORG})
    express = classes({**F, **ORG}, {**P, **ORG, "supersedes": ["f@1"]})
    from_below = classes(F, {**P, **ORG, "supersedes": ["f@1"]})

    assert silent == [("UNRESOLVED", "f p")]
    assert express == []
    assert from_below == [("ULTRA_VIRES", "f p")]


@pytest.mark.parametrize(
    ("norms", "told"),
    [
        ([{**F, "act": "act.special"}, {**P, **ORG}], [("NARROWED", "f p")]),
        ([{**F, "condition": IF_P}, {**P, **ORG}], [("NARROWED", "f p")]),
        ([{**F, "act": "act.special", **ORG}, {**P, **ORG}], [("NARROWED", "f p")]),
        ([F, {**P, **ORG, "condition": IF_P}], [("ULTRA_VIRES", "f p")]),
        ([F, {**P, **ORG, "act": "act.special"}], [("ULTRA_VIRES", "f p")]),
        ([{**F, "overridable_by": ["organisation"]}, {**P, **ORG}], []),
        ([{**F, **ORG}, P], [("STRICTER_BELOW", "f p")]),
        ([{**F, **ORG}, {**P, "kind": "guarantee"}], [("SHADOWED", "f p")]),
        ([{**F, **ORG}, {**P, **ORG, "condition": IF_P}], []),
        ([{**F, **ORG, "condition": IF_P}, {**P, **ORG, "condition": IF_Q}],
         [("UNRESOLVED", "f p")]),
        ([{**F, "layer": "polity", "authority": "eu"}, {**P, "layer": "polity", "authority": "br"}],
         [("HORIZONTAL", "f p")]),
        ([F, {**F, **ORG, "id": "g", "condition": IF_P}], [("REDUNDANT", "f g")]),
        ([{**F, "severity": 2}, {**F, **ORG, "id": "g", "severity": 4}], []),
        ([{**F, "condition": IF_P}, {**F, **ORG, "id": "g"}], []),
    ],
)  # fmt: skip
def test_pairs(norms: list[dict[str, Any]], told: list[tuple[str, str]]) -> None:
    """What each pair is called, and which pairs are in order."""
    assert classes(*norms) == told


def test_a_third_norm_can_settle_a_pair() -> None:
    """Two norms that only meet where a special exception decides are no finding."""
    narrow = {"all": [IF_P, IF_Q]}
    pair = [{**F, **ORG, "condition": IF_P}, {**P, **ORG, "condition": IF_Q}]

    assert classes(*pair, {**P, **ORG, "id": "x", "condition": narrow}) == []


def test_norms_that_never_meet_do_not_clash() -> None:
    """Different actors, channels, counterparties or days keep two norms apart."""
    pair = [{**F, **ORG}, {**P, **ORG}]
    apart: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"bearer": {"actor": ["agent"]}}, {"bearer": {"actor": ["assistant"]}}),
        ({"scope": {"channels": ["output"]}}, {"scope": {"channels": ["action"]}}),
        ({"counterparty": ["human"]}, {"counterparty": ["agent"]}),
        ({"valid_to": "2026-06-01"}, {"valid_from": "2026-06-01"}),
    ]

    assert [classes({**pair[0], **a}, {**pair[1], **b}) for a, b in apart] == [[], [], [], []]


def test_who_and_when_are_part_of_the_witness() -> None:
    """Norms about agents that start later clash then and there."""
    late = {"valid_from": "2026-12-02", "bearer": {"actor": ["agent"]}}
    pair = ({**F, **ORG, **late}, {**P, **ORG, **late, "counterparty": ["public"]})
    (one,) = findings(*pair)
    assert one.witness is not None
    decision = Resolver(made(*pair)).decide(one.witness)

    assert one.witness.bearer == "agent"
    assert str(one.witness.time) == "2026-12-02"
    assert "an AI agent; it concerns the public; on 2026-12-02" in one.question["en"]
    assert [(d.id, d.by) for d in decision.defeated] == [("p@1", "f@1")]


def test_trap_of_duties_and_its_way_out() -> None:
    """Two duties without a common act trap; a common kind, a condition or an exemption frees."""
    duties = [{"id": "a", "kind": "obligation"}, {"id": "b", "kind": "obligation", "act": "other"}]
    exempt = {"id": "x", "kind": "exemption", "act": "other", "supersedes": ["b"]}
    apart = [{**duties[0], "condition": IF_P}, {**duties[1], "condition": {"not": IF_P}}]

    assert classes(*duties) == [("TRAP", "a b")]
    assert ("TRAP", "a b") not in classes(*duties, exempt)
    assert classes(*apart) == []


def test_trap_of_a_duty_whose_every_way_is_forbidden() -> None:
    """A ban on each kind of what is owed traps, though the general act itself is free."""
    duty = {"id": "o", "kind": "obligation", "act": "other"}
    ban = {**F, "act": "other.way", "condition": IF_P}
    (one,) = findings(duty, ban)
    assert one.witness is not None

    assert (one.kind, one.norms) == ("TRAP", ("f@1", "o@1"))
    assert dict(one.witness.facts) == {"p": True}
    assert Resolver(made(duty, ban)).decide(one.witness).verdict == "dilemma-inaction"


def test_dead_in_every_way() -> None:
    """A contradiction, days that end before they begin, and actors that exclude one another."""
    contradiction = {"all": [{"fact": "n", "at_least": 5}, {"fact": "n", "at_most": 4}]}
    nobody = {"actor": ["agent"], "actor_sensitivity": "human_only"}

    assert classes({**F, "condition": contradiction}) == [("DEAD", "f")]
    assert classes({**F, "bearer": nobody}) == [("DEAD", "f")]
    assert classes({**F, "valid_from": "2027-01-01", "valid_to": "2026-01-01"}) == [("DEAD", "f")]
    assert classes({**F, "condition": {"fact": "n", "at_least": 5}}) == []


def test_coverage_counts_kinds_and_shows_holes() -> None:
    """Norms are counted by concern, layer and kind; a mistyped tag counts for none and is named."""
    asked = made({**F, "concerns": ["privacy", "safty"]}, {**P, **ORG, "concerns": ["privacy"]})
    coverage = concern_coverage(asked.norms)
    strange = [one for one in lint(asked, coverage={}).findings if one.concern == "safty"]

    assert coverage.counts["privacy"] == {
        "global": {"prohibition": 1}, "organisation": {"permission": 1}
    }  # fmt: skip
    assert ("safety", "global") in coverage.holes
    assert ("privacy", "global") not in coverage.holes
    assert coverage.unknown == {"safty": ("f@1",)}
    assert "nearest is `safety`" in strange[0].detail["en"]


def test_every_concern_has_a_name_in_every_language() -> None:
    """Each tag of the list has a name of its own in the words of each language."""
    named = [concern_name(tag, spoken()) for tag in concerns()]

    assert len(concerns()) == 9
    assert all(name[lang] not in ("", tag) for tag, name in zip(concerns(), named, strict=True)
               for lang in spoken())  # fmt: skip


def test_every_class_says_what_is_proved() -> None:
    """Each class tells in its docstring what a finding proves."""
    docs = {name: one.find.__doc__ or "" for name, one in LINTS.items()}

    assert len(docs) == 12
    assert all("Proved:" in doc for doc in docs.values())


def test_without_z3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs proofs says how to install them; what does not, works."""
    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(MissingExtra, match=r"pip install 'normwright\[lint\]'"):
        lint(made(F))

    assert lint(made(F), classes=["UNTESTED"]).findings[0].kind == "UNTESTED"
