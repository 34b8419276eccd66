"""A charter of 44 norms with known flaws: exactly these are found, and nothing without them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from tests.charter.linting.test_proofs import shows

from normwright.charter import CharterSource, assembled, check_source, read_source
from normwright.charter.linting import LINTS, Lint, lint, quick_findings, severity_of
from normwright.norms import Resolver
from normwright.records import Charter

PLANTED = [
    ("ULTRA_VIRES", "g.no-sale o.sale"),
    ("ULTRA_VIRES", "g.no-scores o.loyalty"),
    ("TRAP", "g.no-letters g.no-phone g.notify"),
    ("TRAP", "g.warn p.silence"),
    ("UNRESOLVED", "o.calls o.no-calls"),
    ("DEAD", "o.atlas"),
    ("UNCOVERED", "g.weapons"),
    ("NARROWED", "o.advice p.no-doses"),
    ("HORIZONTAL", "p.no-voices q.voices"),
    ("SHADOWED", "g.satire o.no-satire"),
    ("REDUNDANT", "g.no-insults o.no-insults"),
    ("UNTESTED", "o.atlas"),
    ("UNTESTED", "o.laptop"),
    ("STRICTER_BELOW", "g.translate o.no-legal"),
    ("GAP", "play.music"),
    ("GAP", "oversight polity"),
    ("GAP", "o.laptop transparancy"),
]
CULPRITS = {
    "o.sale", "o.loyalty", "g.no-phone", "p.silence", "o.calls", "o.atlas", "o.advice", "q.voices",
    "o.no-satire", "o.no-insults", "o.laptop", "o.no-legal",
}  # fmt: skip
"""Without these norms nothing is amiss, but for acts and concerns nobody speaks to."""


@cache
def source() -> CharterSource:
    return read_source(Path(__file__).with_name("planted"))


def charter() -> Charter:
    return assembled(source())


@cache
def found() -> Lint:
    cells = ("guard", "reward", "evaluation", "criterion")
    covered = {n.ref: dict.fromkeys(cells, True) for n in charter().norms}
    return lint(charter(), coverage={**covered, "g.weapons@1": {**covered["g.warn@1"],
                                                                "guard": False}})  # fmt: skip


def test_exactly_what_was_planted_is_found() -> None:
    """Each flaw is found once, in its class, and there is no other finding."""
    told = []
    for one in found().findings:
        parts = [ref.removesuffix("@1") for ref in one.norms]
        parts += [part for part in (one.concern, one.layer) if part]
        if not parts and one.witness is not None:
            parts = [one.witness.act]
        told.append((one.kind, " ".join(parts)))

    assert told == PLANTED
    assert found().open == ()


def test_each_planted_witness_shows_its_conflict() -> None:
    """Fed to `decide`, each witness gives the defeat or the dilemma that was found."""
    with_witness = [one for one in found().findings if one.witness is not None]

    assert {one.kind for one in with_witness} == {
        "ULTRA_VIRES", "TRAP", "UNRESOLVED", "NARROWED", "HORIZONTAL", "SHADOWED", "REDUNDANT",
        "STRICTER_BELOW", "GAP",
    }  # fmt: skip
    assert all(shows(charter(), one) for one in with_witness)


def test_a_witness_holds_the_conditions_and_no_more() -> None:
    """The unresolved pair is shown by the two facts it turns on, and decided as it says."""
    one = next(one for one in found().findings if one.kind == "UNRESOLVED")
    assert one.witness is not None
    decision = Resolver(charter()).decide(one.witness)

    assert dict(one.witness.facts) == {"night": True, "urgent": True}
    assert decision.verdict == "deny"
    assert [(d.id, d.by, d.rule) for d in decision.defeated] == [
        ("o.calls@1", "o.no-calls@1", "unresolved")
    ]


def test_without_the_culprits_nothing_is_amiss() -> None:
    """The same charter without the flawed norms has no error and no warning."""
    sound = [n for n in charter().norms if n.id not in CULPRITS]
    report = lint(charter().model_copy(update={"norms": tuple(sound)}), coverage={})

    assert {one.kind for one in report.findings} == {"GAP"}
    assert all(severity_of(one) == "info" for one in report.findings)


def test_questions_can_be_put_to_people() -> None:
    """Every question is there in both languages, ends as one, and names what the norms say."""
    statements = {n.ref: n.statement for n in charter().norms}
    for one in found().findings:
        for lang in ("en", "pt"):
            asked = one.question[lang]

            assert asked.endswith(("?", ".", "each.", "um."))
            assert "?" in asked or "describe" in asked
            assert "{" not in asked
            assert all(statements[ref][lang] in asked for ref in one.norms if one.concern is None)


def test_the_question_about_a_contradiction_reads_well() -> None:
    """Both norms and the concrete case, in the words of the labels."""
    one = next(one for one in found().findings if one.kind == "UNRESOLVED")

    assert one.question["en"] == (
        "library says two things. One norm: “Readers may be called when it is urgent.” Another: "
        "“Do not call readers at night.” In one case both apply, and nothing tells which of them "
        "is meant. Should this be allowed: “Call a reader”, when this is the case: "
        "“It is night”: yes; “It is urgent”: yes?"
    )
    assert one.question["pt"].endswith(
        "Deve ser permitido “Telefonar a um leitor”, quando se verifica o seguinte: "
        "“É noite”: sim; “É urgente”: sim?"
    )


@pytest.mark.parametrize("name", sorted(LINTS))
def test_a_class_alone_finds_what_it_finds_among_all(name: str) -> None:
    """Asking for one class changes neither its findings nor their order."""
    cells = ("guard", "reward", "evaluation", "criterion")
    covered = {n.ref: dict.fromkeys(cells, True) for n in charter().norms}
    covered["g.weapons@1"] = {**covered["g.warn@1"], "guard": False}
    alone = lint(charter(), classes=[LINTS[name].name], coverage=covered)  # type: ignore[index]

    assert alone.findings == tuple(one for one in found().findings if one.kind == name)


def test_the_quick_look_finds_its_share() -> None:
    """Without the solver: the same gaps, missing cases and dead norms, and the express claim."""
    quick = {(one.kind, one.norms, one.concern) for one in quick_findings(source(), coverage={})}
    whole = {(one.kind, one.norms, one.concern) for one in found().findings
             if one.kind in ("GAP", "UNTESTED", "DEAD")}  # fmt: skip

    assert quick == whole | {("ULTRA_VIRES", ("g.no-sale@1", "o.sale@1"), None)}
    assert {one.kind for one in check_source(source()).findings} >= {"DEAD", "GAP", "ULTRA_VIRES"}


def test_the_planted_cases_come_out() -> None:
    """The fixture itself is sound: each norm's cases say what the resolver says."""
    assert check_source(source()).failures == ()
