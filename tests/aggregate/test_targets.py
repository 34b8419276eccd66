"""Targets for learning: each rule by hand on small profiles, unknowns kept, differences told."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from, election_of_pairs

from normwright.aggregate import Election, Inapplicable, targets_of
from normwright.aggregate.targets import RULES, SAYS
from normwright.records import (
    Comparison,
    Grouping,
    InputError,
    JudgedPair,
    Message,
    Outcome,
    PairShare,
    PairTarget,
    Targets,
)
from normwright.stats import proportion

CYCLE = "6: A > B > C\n4: B > C > A\n3: C > A > B"
TWO = {"x": election_from("6: A > B > C\n3: C > A > B"), "y": election_from("4: B > C > A")}


def by_pair(found: Targets, group: str | None = None) -> dict[tuple[str, str], PairTarget]:
    """Targets by their alternatives."""
    return {(t.a, t.b): t for t in found.targets if t.group == group}


def probabilities(found: Targets, group: str | None = None) -> dict[str, float | None]:
    """Probabilities by pair, rounded."""
    return {
        a + b: None if t.probability is None else round(t.probability, 4)
        for (a, b), t in by_pair(found, group).items()
    }


def compared(participant: str, norm: str, choice: str) -> Comparison:
    """One comparison."""
    return Comparison.model_validate(
        {
            "participant": participant,
            "scene": "s",
            "norm": norm,
            "authority": "p",
            "choice": choice,
        }
    )


def judged(name: str, first: int, second: int, ties: int = 0, *, cluster: str = "") -> JudgedPair:
    """A pair that so many judged."""
    return JudgedPair(
        id=name,
        source="s",
        lang="en",
        prompt=(Message(role="user", content="?"),),
        first="1",
        second="2",
        prefer_first=first,
        prefer_second=second,
        ties=ties,
        cluster=cluster or name,
        licence="CC0-1.0",
    )


def test_majority_takes_sides_and_keeps_the_evidence_beside() -> None:
    """The majority's side is certain in the target, never in the support."""
    found = targets_of(election_from(CYCLE), rule="majority", groups=TWO, seed=1, rounds=20)

    pair = by_pair(found)["A", "B"]
    assert probabilities(found) == {"AB": 1.0, "AC": 0.0, "BC": 1.0}
    assert (pair.support.value, pair.support.n) == (9 / 13, 13)
    assert pair.groups["y"].value == 0.0
    assert pair.weight == 1.0
    assert found.says == SAYS["majority"]


def test_maximal_lottery_of_a_cycle() -> None:
    """The chances of a cycle of margins 5, 3 and 1 out of 13 are in proportion to the opposite one.

    A beats B by 5, B beats C by 7, C beats A by 1: chances 7, 1 and 5 of 13.
    """
    found = targets_of(election_from(CYCLE), rule="maximal-lottery", seed=1, rounds=0)

    assert found.lottery == pytest.approx({"A": 7 / 13, "B": 1 / 13, "C": 5 / 13})
    assert probabilities(found) == {"AB": 0.875, "AC": 0.5833, "BC": 0.1667}
    assert by_pair(found)["A", "B"].interval is None


def test_a_lottery_says_nothing_of_two_without_a_chance() -> None:
    """Below a Condorcet winner the maximal lottery has no preference, and none is made up."""
    found = targets_of(election_from("5: A > B > C"), rule="maximal-lottery", seed=1, rounds=0)

    assert probabilities(found) == {"AB": 1.0, "AC": 1.0, "BC": None}


def test_population_proportional_is_the_least_share() -> None:
    """Each alternative has its worst share: 6, 4 and 3 of 13, against C, A and B."""
    found = targets_of(election_from(CYCLE), rule="population-proportional", seed=1, rounds=0)

    assert found.lottery == pytest.approx({"A": 6 / 13, "B": 4 / 13, "C": 3 / 13})
    assert by_pair(found)["A", "C"].probability == pytest.approx(6 / 9)


def test_pooling_many_alternatives_orders_them_as_borda_does() -> None:
    """Where all rank all, strengths of the pool are in the order of Borda scores."""
    found = targets_of(election_from(CYCLE), rule="pooled", seed=1, rounds=0)

    everybody = found.rewards[0].rewards
    for (a, b), target in by_pair(found).items():
        one, other = everybody[a].value, everybody[b].value
        assert one is not None
        assert other is not None
        assert target.probability is not None
        assert (target.probability > 0.5) == (one > other)


def test_maxmin_follows_the_least_convinced_group() -> None:
    """Where groups agree on a side the weaker share counts; where they do not, one half."""
    groups = {
        "x": election_from("9: A > B > C\n1: B > A > C"),
        "y": election_from("6: A > C > B\n4: A > B > C"),
    }
    whole = election_from("9: A > B > C\n1: B > A > C\n6: A > C > B\n4: A > B > C")
    found = targets_of(whole, rule="maxmin", groups=groups, seed=1, rounds=0)

    assert probabilities(found) == {"AB": 0.9, "AC": 1.0, "BC": 0.5}


def test_per_group_makes_a_target_for_each_group() -> None:
    """Shares of each group with half a comparison added to each side."""
    found = targets_of(election_from(CYCLE), rule="per-group", groups=TWO, seed=1, rounds=20)

    assert probabilities(found, "y") == {"AB": 0.1, "AC": 0.1, "BC": 0.9}
    assert probabilities(found, "x")["AB"] == 0.95
    assert [r.group for r in found.rewards] == [None, "x", "y"]
    assert found.rewards[2].rewards["B"].value == 1.0


def test_every_other_rule_is_compared_or_says_why_not() -> None:
    """Flips, differences and total variation by rule; a rule that needs groups refuses."""
    found = targets_of(election_from(CYCLE), rule="pooled", seed=1, rounds=50)

    told = {d.rule: d for d in found.differences}
    assert set(told) == set(SAYS) - {"pooled"}
    assert "groups" in told["maxmin"].refused
    flipped = told["majority"].flipped
    assert flipped is not None
    # Borda has A over C, the majority C over A, and they agree on the other two pairs.
    assert flipped.value == pytest.approx(1 / 3)
    assert (flipped.n, flipped.seed) == (13, 1)
    assert flipped.interval is not None


def test_what_nobody_compared_stays_unknown() -> None:
    """No target, no weight, no share; and lotteries, which need all pairs, refuse."""
    election = election_from("3: A > B\n2: B > C\n1: C > B", unranked="apart")
    found = targets_of(election, rule="majority", seed=1, rounds=0)

    pair = by_pair(found)["A", "C"]
    assert (pair.probability, pair.support.value, pair.weight) == (None, None, 0.0)
    with pytest.raises(Inapplicable, match="such as A and C"):
        targets_of(election, rule="maximal-lottery", seed=1)


def test_a_ballot_that_ranks_neither_has_not_found_them_level() -> None:
    """Of two alternatives that a ballot leaves out nothing is counted, of one of them it is."""
    found = targets_of(election_from("3: A\n1: B > C"), rule="majority", seed=1, rounds=0)

    assert by_pair(found)["B", "C"].support.n == 1
    assert by_pair(found)["A", "B"].support.n == 4


def test_pairs_alone_have_no_resamples() -> None:
    """Where only counts of pairs are known nobody can be drawn again, and there is no interval."""
    election = election_of_pairs(np.array([[0, 7], [3, 0]]), "AB", 10)
    found = targets_of(election, rule="pooled", seed=1, rounds=50)

    (pair,) = found.targets
    assert pair.probability == pytest.approx(7.5 / 11)
    assert pair.interval is None
    assert pair.support.interval is not None


def test_judged_pairs_are_soft_labels_with_weights() -> None:
    """Half a vote to each side, ties halved, weights with mean one; groups are not known."""
    rows = [judged("a", 3, 0), judged("b", 1, 1, 2), judged("c", 0, 0)]
    found = targets_of(rows, rule="pooled", seed=1, rounds=20)

    assert [t.probability for t in found.targets] == [3.5 / 4, 0.5, None]
    assert [t.weight for t in found.targets] == pytest.approx([9 / 7, 12 / 7, 0.0])
    assert found.targets[0].interval is not None
    assert next(d for d in found.differences if d.rule == "maxmin").refused
    with pytest.raises(Inapplicable, match="groups"):
        targets_of(rows, rule="maxmin", seed=1)


def test_differences_of_judged_pairs_keep_clusters_whole() -> None:
    """Pairs of one cluster are one unit, and n says how many there are."""
    rows = [judged(f"{k}", 3, 1, cluster=str(k // 5)) for k in range(20)]
    found = targets_of(rows, rule="pooled", seed=1, rounds=20)

    moved = next(d.moved for d in found.differences if d.rule == "majority")
    assert moved is not None
    assert moved.n == 4
    assert moved.value == pytest.approx(1 - 3.5 / 5)


def test_comparisons_by_participants_and_their_groups() -> None:
    """Norm by norm, groups by their members, and people who chose twice are one unit."""
    rows = [
        compared("p1", "n", "decline"),
        compared("p1", "n", "tie"),
        compared("p2", "n", "decline"),
        compared("p3", "n", "perform"),
        compared("p3", "m", "perform"),
    ]
    groups = {"x": {"p1", "p2"}, "y": {"p3"}}
    found = targets_of(rows, rule="maxmin", groups=groups, seed=1, rounds=50)

    told = {t.about: t for t in found.targets}
    assert (told["n"].a, told["n"].b, found.n) == ("decline", "perform", 3)
    assert told["n"].probability == 0.5
    assert told["n"].support.value == 2.5 / 4
    assert told["n"].support.n == 3
    # The first group compared nothing on the second norm.
    assert told["m"].probability is None
    assert told["m"].groups["x"].value is None


def test_an_outcome_gives_its_shares_and_groups() -> None:
    """Norm by norm, declining first, with the outcome's own groups, and it is named as the source.

    Both groups decline, one of them with three of five: what the worst-off group bears is that.
    """
    shares = PairShare(
        norm="n",
        perform=3.0,
        decline=7.0,
        p_decline=proportion(7.0, 10),
        groups={"A": proportion(4.0, 4), "B": proportion(3.0, 5)},
    )
    outcome = Outcome(
        process="p", kind="human", layer="polity", authority="town", participants=12, votes=0,
        support=(), rankings=(), pairs=(shares,),
        grouping=Grouping(groups=(), method="given", reason="Two groups."),
    )  # fmt: skip
    found = {r: targets_of(outcome, rule=r, seed=1, rounds=20) for r in SAYS}

    told = {r: [t.probability for t in made.targets] for r, made in found.items()}
    assert told == {
        "pooled": [7.5 / 11],
        "majority": [1.0],
        "maximal-lottery": [1.0],
        "population-proportional": [0.7],
        "maxmin": [0.6],
        "per-group": [4.5 / 5, 3.5 / 6],
    }
    assert (found["pooled"].n, found["pooled"].derived_from) == (12, (outcome.digest,))
    assert found["majority"].targets[0].interval is not None
    assert found["majority"].targets[0].interval.low == 0.0
    with pytest.raises(InputError, match="brings its own"):
        targets_of(outcome, rule="maxmin", groups={"A": {"p1"}}, seed=1)


def test_faults_are_told_together() -> None:
    """An unknown rule names those there are; groups over other alternatives are each named."""
    with pytest.raises(InputError, match="pooled, majority"):
        targets_of(election_from(CYCLE), rule="best", seed=1)
    wrong = {"x": election_from("1: A > B"), "y": election_from("1: A > D")}
    with pytest.raises(InputError) as error:
        targets_of(election_from(CYCLE), rule="maxmin", groups=wrong, seed=1)

    assert [f.where for f in error.value.faults] == ["group x", "group y"]


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.lists(st.permutations("ABCD"), min_size=5, max_size=9), st.permutations(range(4)))
def test_renaming_and_reversing(orders: list[list[str]], place: list[int]) -> None:
    """Targets follow the names, and every ballot reversed turns each probability round."""
    text = "\n".join("1: " + " > ".join(order) for order in orders)
    back = "\n".join("1: " + " > ".join(reversed(order)) for order in orders)
    new = "\n".join("1: " + " > ".join("ABCD"[place["ABCD".index(x)]] for x in o) for o in orders)

    def made(lines: str, rule: str) -> dict[tuple[str, str], float | None]:
        found = targets_of(election_from(lines), rule=rule, seed=1, rounds=0)
        both = {(t.a, t.b): t.probability for t in found.targets}
        return both | {(b, a): None if p is None else 1 - p for (a, b), p in both.items()}

    for rule in ("majority", "maximal-lottery", "population-proportional"):
        try:
            before, renamed = made(text, rule), made(new, rule)
        except Inapplicable:
            continue
        for a, b in combinations(range(4), 2):
            ours = before["ABCD"[a], "ABCD"[b]]
            theirs = renamed["ABCD"[place[a]], "ABCD"[place[b]]]
            assert (ours is None) == (theirs is None)
            assert ours is None or theirs == pytest.approx(ours)
    turned = made(back, "majority")
    for pair, p in made(text, "majority").items():
        assert turned[pair] == pytest.approx(1 - p if p is not None else None)


def test_same_seed_same_digest() -> None:
    """The record is the same to the last digit, and another seed gives other intervals."""
    election: Election = election_from(CYCLE)
    first = targets_of(election, rule="majority", groups=TWO, seed=3, rounds=20)

    assert targets_of(election, rule="majority", groups=TWO, seed=3, rounds=20) == first
    assert targets_of(election, rule="majority", groups=TWO, seed=4, rounds=20) != first
    assert set(RULES) | {"per-group"} == set(SAYS)
