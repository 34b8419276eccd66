"""One polity's outcome: who counts, what is counted, and how sure it is."""

from __future__ import annotations

import random
from typing import Any, Literal

import numpy as np
import pytest

from normwright.aggregate import aggregate
from normwright.records import (
    Comparison,
    Layer,
    Outcome,
    Participant,
    Polity,
    Process,
    Stance,
    Statement,
    Vote,
)
from normwright.stats import wilson

Choice = Literal["perform", "decline", "tie"]
PROCESS = Process(id="p", kind="simulated", title={"en": "P"}, seed=1)
CITY = Polity(id="city", name={"en": "City"}, layer="polity")
HALL = Polity(id="hall", name={"en": "Hall"}, layer="organisation")


def statement(name: str, authority: str = "city", layer: Layer = "polity") -> Statement:
    """A statement of a city or its hall."""
    return Statement(id=name, text={"en": name}, layer=layer, authority=authority)


def people(
    count: int, polities: tuple[str, ...] = ("city",), prefix: str = "v"
) -> list[Participant]:
    """Some participants of the same polities."""
    return [Participant(id=f"{prefix}{i}", process="p", polities=polities) for i in range(count)]


def outcome(**given: Any) -> Outcome:
    """An outcome of the city over what is given."""
    base: dict[str, Any] = {
        "process": PROCESS, "polity": CITY, "participants": people(4), "votes": [],
        "statements": [statement("s1")], "comparisons": [], "seed": 0, "bootstrap": 10,
    }  # fmt: skip
    return aggregate(**(base | given))


def vote(who: str, what: str, value: Stance) -> Vote:
    """One vote."""
    return Vote(participant=who, statement=what, value=value)


def test_support_counts_each_stance() -> None:
    """Pass is seen but not agreement; missing is nothing; the interval is Wilson's."""
    votes = [vote("v0", "s1", "agree"), vote("v1", "s1", "pass"), vote("v2", "s1", "disagree")]
    made = outcome(votes=votes)
    support = made.support[0]

    assert (support.agree, support.disagree, support.passed, support.seen) == (1, 1, 1, 3)
    assert support.support.value == pytest.approx(1 / 3)
    assert support.support.interval == wilson(1, 3)
    assert (made.participants, made.votes) == (4, 3)


def test_a_ballot_counts_only_where_its_voter_belongs() -> None:
    """Votes and comparisons of others, or on what others decide, are in no tally."""
    inside, outside = people(3, ("city", "hall")), people(3, ("city",), "w")
    statements = [
        statement("s1"),
        statement("s2", "hall", "organisation"),
        statement("s3", "hall", "individual"),
    ]
    votes = [vote(p.id, s.id, "agree") for p in inside + outside for s in statements]
    comparisons = [
        Comparison(participant=p.id, scene="x", norm="n", authority="hall", choice="decline")
        for p in inside + outside
    ]
    given = {
        "participants": inside + outside, "statements": statements, "votes": votes,
        "comparisons": comparisons,
    }  # fmt: skip
    hall, city = outcome(polity=HALL, **given), outcome(**given)

    assert (hall.participants, hall.votes, hall.layer) == (3, 6, "organisation")
    assert [s.statement for s in hall.support] == ["s2", "s3"]
    assert [(p.norm, p.decline) for p in hall.pairs] == [("n", 3)]
    assert (city.participants, city.votes, city.pairs) == (6, 6, ())


def test_unseen_statement_is_unknown_and_undecided() -> None:
    """No vote on a statement is no evidence: no value, and not decided."""
    made = outcome(statements=[statement("s1"), statement("s2")], votes=[vote("v0", "s1", "agree")])

    assert made.support[1].support.value is None
    assert "s2" in made.undecided


def test_undecided_is_a_straddling_interval() -> None:
    """Ten to ten is undecided; nineteen to one is not."""
    voters = people(20)
    votes = [vote(p.id, "s1", "agree" if i < 10 else "disagree") for i, p in enumerate(voters)]
    votes += [vote(p.id, "s2", "agree" if i else "disagree") for i, p in enumerate(voters)]
    made = outcome(participants=voters, votes=votes, statements=[statement("s1"), statement("s2")])

    assert made.undecided == ("s1",)


def test_groups_get_their_own_support() -> None:
    """Two camps: support by group is that of the camp, and consensus multiplies over groups."""
    voters = people(40)
    statements = [statement(f"s{j}") for j in range(8)]
    votes = [
        vote(p.id, s.id, "agree" if j == 0 or (i < 25) == (j % 2 == 0) else "disagree")
        for i, p in enumerate(voters)
        for j, s in enumerate(statements)
    ]
    made = outcome(participants=voters, statements=statements, votes=votes)
    by_name = {s.statement: s for s in made.support}

    assert [g.size for g in made.grouping.groups] == [25, 15]
    assert {g: e.value for g, e in by_name["s2"].groups.items()} == {"A": 1, "B": 0}
    assert by_name["s2"].consensus == pytest.approx(26 / 27 * 1 / 17)
    assert by_name["s0"].consensus == pytest.approx(26 / 27 * 16 / 17)
    assert made.rankings[0].tiers[0] == ("s0",)


def test_pair_shares() -> None:
    """Ties are half to each side; one choice each gives Wilson, several a bootstrap by person."""
    choices: tuple[Choice, ...] = ("decline", "decline", "tie", "perform")
    once = [
        Comparison(participant=f"v{i}", scene="x", norm="n", authority="city", choice=c)
        for i, c in enumerate(choices)
    ]
    single = outcome(comparisons=once).pairs[0]
    assert (single.perform, single.decline) == (1.5, 2.5)
    assert single.p_decline.interval == wilson(2.5, 4)

    twice = once + [c.model_copy(update={"scene": "y"}) for c in once]
    double = outcome(comparisons=twice).pairs[0]
    assert (double.perform, double.decline, double.p_decline.n) == (3, 5, 4)
    assert double.p_decline.value == pytest.approx(5 / 8)
    assert double.p_decline.interval is not None
    assert double.p_decline.interval.method == "bootstrap-bca"


def test_order_of_rows_and_repetition_of_the_call_change_nothing() -> None:
    """The same votes in any order give the same record, digest and all."""
    rng = np.random.default_rng(0)
    voters, statements = people(30), [statement(f"s{j}") for j in range(8)]
    votes = [
        vote(p.id, s.id, ("agree", "disagree", "pass")[rng.integers(3)])
        for p in voters
        for s in statements
        if rng.random() < 0.8
    ]
    shuffled = random.Random(1).sample(votes, len(votes))
    given = {"participants": voters, "statements": statements}

    first = outcome(votes=votes, **given)
    assert outcome(votes=shuffled, **given).digest == first.digest


def test_nobody_voted() -> None:
    """An outcome without voters is complete, and claims nothing."""
    made = outcome(participants=[])

    assert (made.participants, made.votes, made.undecided) == (0, 0, ("s1",))
    assert made.grouping.groups == ()
    assert made.rankings[0].tiers == (("s1",),)


def test_a_simulated_process_stays_simulated() -> None:
    """The kind of the process is the kind of its outcome."""
    assert outcome().kind == "simulated"
    assert outcome(process=PROCESS.model_copy(update={"kind": "human"})).kind == "human"
