"""Drafting and ratification: who stands behind a norm, and by which rule it holds or does not."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.charter.builders import (
    LANGS,
    body,
    cases,
    outcome,
    process,
    seed,
    source,
    statement,
)

from normwright.charter import CharterSource, draft, ratify
from normwright.records import Charter, InputError, Norm, Outcome, Process, Statement
from normwright.stats import wilson

ON = date(2026, 11, 1)


def adopt(
    norms: CharterSource,
    outcomes: list[Outcome],
    statements: list[Statement],
    by: Process | None = None,
) -> Charter:
    return ratify(norms, outcomes, process=by or process(), statements=statements,
                  charter_id="test", languages=LANGS, on=ON)  # fmt: skip


def only(charter: Charter) -> Norm:
    assert len(charter.norms) == 1, charter.rejected
    return charter.norms[0]


def why_not(charter: Charter) -> str:
    assert charter.norms == ()
    assert set(charter.rejected[0].reasons) == set(LANGS)
    return charter.rejected[0].reason


def test_support_is_pooled_with_sign_and_counts_people_once(tmp_path: Path) -> None:
    """Disagreeing with an opposing statement is support; the n is people, not votes."""
    voted = outcome(
        {"s1": (60, 30, 10), "s2": (20, 50, 10), "s3": (1, 99, 0)},
        groups={"A": {"s1": (30, 10, 10), "s2": (5, 35, 0), "s3": (0, 0, 0)}},
        sizes={"A": 50},
    )
    asked = [
        statement(1, "o.no-advice"),
        statement(2, "o.no-advice", endorses=False),
        statement(4, "o.no-advice"),
    ]

    (one,) = draft(source(tmp_path, body()), [voted], asked)

    assert one.found.statements == ("s1", "s2")
    assert one.found.support["all"].value == pytest.approx(110 / 180)
    assert one.found.support["all"].n == one.found.people == 100
    assert one.found.support["all"].interval == wilson(110 / 180 * 100, 100)
    assert one.found.support["A"].value == pytest.approx(65 / 90)
    assert one.found.shares == {"A": 0.5}
    assert one.found.tally == voted.digest


def test_group_that_cannot_be_counted_stays_unknown(tmp_path: Path) -> None:
    """Where an outcome does not count who disagrees in a group, nothing is made up."""
    voted = outcome({"s1": (10, 80, 10)}, groups={"A": {"s1": (1, 8, 1)}}, sizes={"A": 10})
    blind = voted.model_copy(
        update={"support": (voted.support[0].model_copy(update={"groups_disagree": {}}),)}
    )
    asked = [statement(1, "o.no-advice", endorses=False)]

    (one,) = draft(source(tmp_path, body()), [blind], asked)

    assert one.found.support["all"].value == pytest.approx(0.8)
    assert (one.found.support["A"].value, one.found.support["A"].n) == (None, 0)


def test_statements_about_nothing_or_of_another_electorate_are_refused(tmp_path: Path) -> None:
    """A norm is decided by its own electorate; a mistyped norm id is named."""
    asked = [
        statement(1, "o.no-advise"),
        statement(2, "o.no-advice", layer="global", authority="world"),
    ]

    with pytest.raises(InputError) as caught:
        draft(source(tmp_path, body()), [], asked)

    assert [f.where for f in caught.value.faults] == [
        "statement s1: norm",
        "statement s2: authority",
    ]
    assert caught.value.faults[0].do == "Did you mean o.no-advice?"


def test_global_norm_with_a_source_holds_whatever_the_votes(tmp_path: Path) -> None:
    """A floor stands on its instrument; the votes are kept as information."""
    voted = outcome({"s1": (10, 90, 0)}, layer="global", authority="world", kind="simulated")
    asked = [statement(1, "g.no-advice", layer="global", authority="world")]

    norm = only(adopt(source(tmp_path, seed()), [voted], asked, process("simulated")))

    assert norm.status == "in_force"
    assert norm.provenance is not None
    assert (norm.provenance.method, norm.provenance.decision_level) == ("source", "L0")
    assert norm.provenance.support["all"].value == pytest.approx(0.1)
    assert only(adopt(source(tmp_path, seed()), [], [])).provenance is None


def test_global_norm_without_a_source_is_voted_like_any_other(tmp_path: Path) -> None:
    """Only an instrument stands in for votes."""
    assert "No statement" in why_not(adopt(source(tmp_path, seed(source=None)), [], []))


@pytest.mark.parametrize("kind", ["project", "document"])
def test_no_global_norm_holds_on_the_wish_of_a_project(tmp_path: Path, kind: str) -> None:
    """What binds everyone, written in force by hand, has neither votes nor an instrument."""
    forged = seed(status="in_force", source=[{"kind": kind, "ref": "our own wish"}])

    assert "No statement" in why_not(adopt(source(tmp_path, forged), [], []))


@pytest.mark.parametrize(
    ("votes", "holds"), [((60, 40, 0), True), ((59, 41, 0), False), ((60, 30, 30), False)]
)
def test_revisable_norm_needs_a_sure_majority(
    tmp_path: Path, votes: tuple[int, int, int], holds: bool
) -> None:
    """The whole interval lies above one half; a pass is not agreement."""
    made = adopt(source(tmp_path, body()), [outcome({"s1": votes})], [statement(1, "o.no-advice")])

    assert (wilson(votes[0], sum(votes)).low > 0.5) == holds == bool(made.norms)
    if holds:
        norm = only(made)
        assert (norm.status, norm.provenance and norm.provenance.method) == ("in_force", "majority")
    else:
        assert "A majority for it is not shown" in why_not(made)
        assert made.rejected[0].reasons["pt"].startswith("Não está demonstrada")


CONSTITUTIONAL: list[tuple[str, tuple[int, int, int], dict[str, tuple[int, int, int]], str]] = [
    ("holds", (70, 30, 0), {"A": (50, 10, 0), "B": (20, 20, 0)}, ""),
    ("short of two thirds", (66, 34, 0), {"A": (50, 10, 0), "B": (16, 16, 0)}, "66.7 % are needed"),
    ("few voters", (4, 1, 0), {"A": (2, 0, 0), "B": (2, 1, 0)}, "as low as"),
    ("a group against", (90, 10, 0), {"A": (82, 0, 0), "B": (8, 10, 0)}, "opinion group B, 44.4 %"),
    ("a silent group", (90, 10, 0), {"A": (90, 10, 0), "B": (0, 0, 0)}, "B nobody voted"),
]


@pytest.mark.parametrize(
    ("votes", "within", "says"), [c[1:] for c in CONSTITUTIONAL], ids=[c[0] for c in CONSTITUTIONAL]
)
def test_constitutional_norm_needs_two_thirds_and_half_of_every_larger_group(
    tmp_path: Path, votes: tuple[int, int, int], within: dict[str, Any], says: str
) -> None:
    """Two thirds, surely more than half, and no larger group overruled or left unheard."""
    norms = source(tmp_path, body(tier="constitutional", review_by=None))
    asked = [statement(1, "o.no-advice")]
    groups = {g: {"s1": counts} for g, counts in within.items()}

    made = adopt(norms, [outcome({"s1": votes}, groups=groups, sizes={"A": 80, "B": 20})], asked)
    small = adopt(norms, [outcome({"s1": votes}, groups=groups, sizes={"A": 93, "B": 7})], asked)

    if says:
        assert says in why_not(made)
    else:
        proof = only(made).provenance
        assert proof is not None
        assert proof.method == "group-aware-supermajority"
        assert "8.0 %" in proof.rule
    assert bool(small.norms) == (says == "" or "B" in says)


def test_without_groups_the_rule_says_so(tmp_path: Path) -> None:
    """No opinion groups found means none was asked, not that all agreed."""
    norms = source(tmp_path, body(tier="constitutional", review_by=None))

    made = adopt(norms, [outcome({"s1": (80, 20, 0)})], [statement(1, "o.no-advice")])

    proof = only(made).provenance
    assert proof is not None
    assert "no opinion groups were found" in proof.rule


def test_norms_nobody_was_asked_about_are_rejected_in_words(tmp_path: Path) -> None:
    """Not asked and nobody voted are two different reasons, neither of them a no."""
    norms = source(tmp_path, body())
    asked = [statement(1, "o.no-advice")]

    assert "No statement asked" in why_not(adopt(norms, [], []))
    assert "nobody voted" in why_not(adopt(norms, [outcome({"s1": (0, 0, 0)})], asked))


@pytest.mark.parametrize(
    ("identification", "level"),
    [("open", "L1"), ("invite", "L2"), ("roster", "L3"), ("oidc", "L3")],
)
def test_level_is_capped_by_identification(tmp_path: Path, identification: Any, level: str) -> None:
    """Whoever cannot say who voted cannot claim a binding decision (I13)."""
    made = adopt(source(tmp_path, body()), [outcome({"s1": (90, 10, 0)})],
                 [statement(1, "o.no-advice")], process(identification=identification))  # fmt: skip

    proof = only(made).provenance
    assert proof is not None
    assert proof.decision_level == level


def test_simulated_process_makes_demonstrations_of_level_zero(tmp_path: Path) -> None:
    """However a simulated process was identified, nothing it ratifies is in force."""
    voted = outcome({"s1": (90, 10, 0)}, kind="simulated")

    made = adopt(source(tmp_path, body()), [voted], [statement(1, "o.no-advice")],
                 process("simulated", identification="oidc"))  # fmt: skip

    norm = only(made)
    assert norm.status == "demonstration"
    assert norm.provenance is not None
    assert (norm.provenance.process_kind, norm.provenance.decision_level) == ("simulated", "L0")
    assert made.kind == "simulated"


def test_outcomes_of_another_process_are_refused(tmp_path: Path) -> None:
    """No charter mixes simulated ballots with those of people."""
    with pytest.raises(InputError, match="mixes"):
        adopt(source(tmp_path, body()), [outcome({}, kind="simulated")], [])


def test_inverted_votes_reverse_the_charter(tmp_path: Path) -> None:
    """The same norm is ratified by 80 of 100 and rejected by 20 of 100."""
    norms = source(tmp_path, body())
    asked = [statement(1, "o.no-advice")]

    for_it = adopt(norms, [outcome({"s1": (80, 20, 0)})], asked)
    against = adopt(norms, [outcome({"s1": (20, 80, 0)})], asked)

    assert [n.id for n in for_it.norms] == ["o.no-advice"]
    assert [r.norm for r in against.rejected] == ["o.no-advice@1"]


EXCEPTION = {
    "id": "o.clinician", "kind": "permission", "condition": {"fact": "clinician", "eq": True},
    "cases": [*cases(("hit", "allow"), clinician=True), *cases(("miss", "deny"), clinician=False)],
}  # fmt: skip


@pytest.fixture
def rule_and_exception(tmp_path: Path) -> CharterSource:
    """A prohibition, and a permission whose miss rests on it."""
    own = cases(("hit", "deny"), ("miss", "allow", "tell"), clinician=False)
    return source(tmp_path, body(cases=own), body(**EXCEPTION))


@pytest.mark.parametrize(
    ("rule", "exception", "held", "kept"),
    [
        (90, 90, ["o.clinician", "o.no-advice"], 4),
        (90, 10, ["o.no-advice"], 0),
        (10, 90, ["o.clinician"], 2),
    ],
)
def test_exception_is_decided_on_its_own_statements(
    rule_and_exception: CharterSource, rule: int, exception: int, held: list[str], kept: int
) -> None:
    """Rule and exception stand or fall alone; cases that rested on the other are left out."""
    voted = outcome({"s1": (rule, 100 - rule, 0), "s2": (exception, 100 - exception, 0)})

    made = adopt(rule_and_exception, [voted],
                 [statement(1, "o.no-advice"), statement(2, "o.clinician")])  # fmt: skip

    assert [n.id for n in made.norms] == held
    assert sum(len(n.cases) for n in made.norms if n.id == "o.clinician") == kept
    if rule == exception:
        assert [(c.over, c.under, c.rule) for c in made.conflicts] == [
            ("o.clinician@1", "o.no-advice@1", "specialis")
        ]


def test_ideal_of_an_individual_needs_no_votes(tmp_path: Path) -> None:
    """A style binds nobody: it is taken from where it comes from."""
    ideal = body(id="i.short", kind="ideal", layer="individual", authority="ana", act="respond",
                 cases=[], source=[{"kind": "project", "ref": "profile"}])  # fmt: skip

    assert only(adopt(source(tmp_path, ideal), [], [])).status == "in_force"


def test_suspended_norm_stays_suspended(tmp_path: Path) -> None:
    """What is suspended is carried along and not put to the vote."""
    norms = source(tmp_path, body(status="suspended"))

    made = adopt(norms, [outcome({"s1": (90, 10, 0)})], [statement(1, "o.no-advice")])

    assert (only(made).status, only(made).provenance) == ("suspended", None)


def test_same_input_gives_the_same_charter(tmp_path: Path) -> None:
    """The order of outcomes and statements changes nothing; what it came from is named."""
    own = cases(("hit", "deny", "advise.dose"), ("miss", "allow", "tell"))
    norms = source(tmp_path, body(), seed(act="advise.dose", cases=own))
    voted = [outcome({"s1": (90, 10, 0)}), outcome({}, layer="global", authority="world")]
    asked = [statement(1, "o.no-advice"), statement(2, "o.no-advice")]

    one = adopt(norms, voted, asked)
    turned = CharterSource(norms.vocabulary, norms.norms[::-1], norms.head)
    other = adopt(turned, voted[::-1], asked[::-1])

    assert one.digest == other.digest
    assert set(one.derived_from) == {o.digest for o in voted}
    assert one.norms[0].derived_from == (norms.norms[0].digest,)


def test_language_without_words_is_refused(tmp_path: Path) -> None:
    """A charter language in which its reasons cannot be said is a fault, not English."""
    with pytest.raises(InputError, match="one of en, pt"):
        ratify(source(tmp_path, body()), [], process=process(), statements=[], charter_id="t",
               languages=("en", "fr"), on=ON)  # fmt: skip


@pytest.mark.parametrize("votes", [(1_000, 6, 5), (-5, 6, 5)])
def test_counts_that_no_tally_can_have_are_refused(
    tmp_path: Path, votes: tuple[int, int, int]
) -> None:
    """More votes than people who saw the statement, or fewer than none, are told with it."""
    sound = outcome({"s1": (60, 30, 10)})
    agree, disagree, passed = votes
    wrong = sound.support[0].model_copy(
        update={"agree": agree, "disagree": disagree, "passed": passed}
    )
    forged = sound.model_copy(update={"support": (wrong,)})

    with pytest.raises(InputError) as caught:
        adopt(source(tmp_path, body()), [forged], [statement(1, "o.no-advice")])

    (fault,) = caught.value.faults
    assert fault.where == "outcome organisation/desk: s1"
    assert f"{agree} for" in fault.seen


def test_one_electorate_has_one_outcome(tmp_path: Path) -> None:
    """Of two, one could be picked that carries."""
    both = [outcome({"s1": (90, 10, 0)}), outcome({"s1": (10, 90, 0)})]

    with pytest.raises(InputError, match="one outcome of organisation/desk, saw several"):
        adopt(source(tmp_path, body()), both, [statement(1, "o.no-advice")])
