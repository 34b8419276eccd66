"""Slate rules: equal to the slow obvious way, true to what their cards claim and deny."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from, election_of_pairs
from tests.aggregate.slates import slow

from normwright import plugins
from normwright.aggregate import Election, Inapplicable, Profile, slate
from normwright.aggregate.slates import Chosen, SlateRule, pav
from normwright.plugins import Card

CARDS = plugins.cards("slates")
CLAIMS = [(card, claim) for card in CARDS for claim in card.claims]
ONE_BY_ONE = ("av", "equal-shares", "seq-pav", "seq-phragmen")


def rule(name: str) -> SlateRule:
    """A slate rule by its slug."""
    found: SlateRule = plugins.get("slates", name)
    return found


@st.composite
def profiles(draw: st.DrawFn, most: int = 7, alternatives: int = 5) -> tuple[slow.Sets, int, int]:
    """Approvals of a few voters, the number of alternatives and a size."""
    m = draw(st.integers(2, alternatives))
    sets = draw(st.lists(st.frozensets(st.integers(0, m - 1)), min_size=1, max_size=most))
    return sets, m, draw(st.integers(1, m))


@st.composite
def elections(draw: st.DrawFn, most: int = 7, alternatives: int = 5) -> tuple[Election, int]:
    """Orders of all alternatives with grades that agree with them, and a size no rule refuses."""
    m = draw(st.integers(2, alternatives))
    row = st.lists(st.integers(0, 3), min_size=m, max_size=m)
    grades = np.array(draw(st.lists(row, min_size=2, max_size=most)), dtype=np.int16)
    names = tuple(f"s{j}" for j in range(m))
    ones = np.ones(len(grades), dtype=np.int64)
    made = Election(names, 3 - grades, ones, grades=grades, approved_from=2)
    return made, draw(st.integers(1, min(m, len(grades))))


def names_of(election: Election, chosen: Chosen) -> frozenset[str]:
    """A slate by name."""
    return frozenset(election.alternatives[j] for j in chosen.members)


def renames(made: Election, size: int, choose: SlateRule, order: list[int]) -> bool:
    """Whether a slate that is not tied is the same under other numbers, and a tie stays one."""
    before, after = choose(made, size), choose(made.only(order), size)
    same = names_of(made, before) == names_of(made.only(order), after)
    return before.tied == after.tied and (same or before.tied)


def keeps_anonymity(made: Election, size: int, choose: SlateRule) -> bool:
    """Another order of the ballots, split into single ones, changes nothing at all."""
    rows = np.repeat(np.arange(len(made.counts)), made.counts)[::-1]
    assert made.grades is not None
    ones = np.ones(len(rows), dtype=np.int64)
    other = replace(made, orders=made.orders[rows], grades=made.grades[rows], counts=ones)
    return choose(made, size) == choose(other, size)


def keeps_neutrality(made: Election, size: int, choose: SlateRule) -> bool:
    """Alternatives in any other order: renaming renames."""
    m = len(made.alternatives)
    return renames(made, size, choose, list(range(m))[::-1]) and renames(
        made, size, choose, [*range(1, m), 0]
    )


def keeps_homogeneity(made: Election, size: int, choose: SlateRule) -> bool:
    """Everybody three times changes nothing."""
    three = replace(made, counts=made.counts * 3)
    before, after = choose(made, size), choose(three, size)
    return (before.members, before.tied) == (after.members, after.tied)


def keeps_house(made: Election, size: int, choose: SlateRule) -> bool:
    """A larger slate holds the smaller one."""
    larger = min(size + 1, len(made.alternatives))
    return set(choose(made, size).members) <= set(choose(made, larger).members)


def keeps(axiom: str) -> Callable[[Election, int, SlateRule], bool]:
    """A property of the approvals and the slate alone."""

    def check(made: Election, size: int, choose: SlateRule) -> bool:
        return slow.slow_axiom(axiom, slow.sets_of(made), choose(made, size).members, size)

    return check


def keeps_balance(made: Election, size: int, choose: SlateRule) -> bool:
    """Some matching with the sizes that were told leaves nobody with a better statement."""
    chosen = choose(made, size)
    numbers = {a: j for j, a in enumerate(made.alternatives)}
    parts = {numbers[a]: n for a, n in chosen.facts["matched"].items()}
    assert sorted(parts.values()) == sorted(
        made.voters // size + (i < made.voters % size) for i in range(size)
    )
    assert made.grades is not None
    grades = np.repeat(made.grades, made.counts, axis=0)
    return slow.balanced(grades, chosen.members, parts, size)


def keeps_core(made: Election, size: int, choose: SlateRule) -> bool:
    """The first of the slate cannot be vetoed."""
    claims = slow.slow_core(made.orders, made.counts)
    return not claims[choose(made, size).members[0]]


def keeps_solid(made: Election, size: int, choose: SlateRule) -> bool:
    """Every group with the same alternatives above all others gets a place for each quota."""
    voters = np.repeat(made.orders, made.counts, axis=0)
    quota, chosen = len(voters) // (size + 1) + 1, set(choose(made, size).members)
    m = len(made.alternatives)
    for r in range(1, m + 1):
        for group in combinations(range(m), r):
            rest = [j for j in range(m) if j not in group]
            solid = sum(all(row[j] < row[i] for j in group for i in rest) for row in voters)
            if len(chosen & set(group)) < min(r, solid // quota):
                return False
    return True


KEEPS: dict[str, Callable[[Election, int, SlateRule], bool]] = {
    "anonymity": keeps_anonymity,
    "balanced-jr": keeps_balance,
    "homogeneity": keeps_homogeneity,
    "house-monotonicity": keeps_house,
    "neutrality": keeps_neutrality,
    "solid-coalitions": keeps_solid,
    "veto-core": keeps_core,
    **{axiom: keeps(axiom) for axiom in ("jr", "pjr", "ejr", "ejr-plus")},
}


@pytest.mark.parametrize(("card", "claim"), CLAIMS, ids=[f"{c.name}-{a}" for c, a in CLAIMS])
def test_a_claim_has_no_counterexample(card: Card, claim: str) -> None:
    """What a card claims holds on small elections with many ties."""

    @settings(derandomize=True, deadline=None, max_examples=15 if card.name == "pav" else 40)
    @given(case=elections())
    def search(case: tuple[Election, int]) -> None:
        made, size = case

        assert KEEPS[claim](made, size, rule(card.name))

    search()


DENIALS = [(card, denial) for card in CARDS for denial in card.denies]


@pytest.mark.parametrize(
    ("card", "denial"), DENIALS, ids=[f"{c.name}-{d.axiom}" for c, d in DENIALS]
)
def test_a_denial_has_its_counterexample(card: Card, denial: plugins.Denial) -> None:
    """What a card denies fails on the case it names, however a tie may fall."""
    printed = election_from("\n".join(denial.ballots))
    size = int(denial.source.rpartition("size ")[2])
    m = len(printed.alternatives)
    tied = rule(card.name)(printed, size).tied
    orders = [[*range(i, m), *range(i)] for i in range(m if tied else 1)]

    for order in [*orders, *(one[::-1] for one in orders)]:
        made = printed.only(order)
        if denial.axiom in PROPORTIONAL and leaves_out(made, size, rule(card.name)):
            continue
        assert not KEEPS[denial.axiom](made, size, rule(card.name))


PROPORTIONAL = ("jr", "pjr", "ejr", "ejr-plus")


def leaves_out(made: Election, size: int, choose: SlateRule) -> bool:
    """Whether a slate breaks JR, and so PJR, EJR and EJR+: the slow way is too slow for many."""
    approved = made.approvals("test")
    held = [approved[:, j] for j in choose(made, size).members]
    unserved = made.counts * ~np.any(held, axis=0)
    return max(int(unserved @ column) for column in approved.T) * size >= made.voters


@settings(derandomize=True, deadline=None, max_examples=100)
@given(case=profiles())
def test_rules_equal_the_slow_obvious_way(case: tuple[slow.Sets, int, int]) -> None:
    """Member by member, ties by the order of the ballots: the same as a voter at a time."""
    sets, m, size = case
    made = slow.election_of_sets(sets, m)
    shares, bought = slow.slow_shares(sets, m, size)
    fast = rule("equal-shares")(made, size)

    assert list(rule("seq-pav")(made, size).members) == slow.slow_seq_pav(sets, m, size)
    assert list(rule("seq-phragmen")(made, size).members) == slow.slow_phragmen(sets, m, size)
    assert list(fast.members) == shares
    assert len(fast.facts["bought"]) == bought


def test_what_supporters_can_only_just_pay_is_priced_like_the_rest() -> None:
    """Supporters who together own exactly what one costs: found by comparing with abcvoting."""
    made = slow.election_of_sets([set(), {0, 1, 2}, {3}, {0, 1, 2, 3}], 4)

    assert rule("equal-shares")(made, 4).members == (0, 1, 3, 2)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(seed=st.integers(0, 2**32 - 1))
def test_equal_shares_by_chance_equal_the_slow_obvious_way(seed: int) -> None:
    """Sets drawn by chance, where budgets run out exactly more often than where they shrink."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 9)), int(rng.integers(3, 8))
    sets = [frozenset(np.flatnonzero(row).tolist()) for row in rng.random((n, m)) < 0.35]
    size = int(rng.integers(2, m + 1))
    shares, bought = slow.slow_shares(sets, m, size)
    fast = rule("equal-shares")(slow.election_of_sets(sets, m), size)

    assert (list(fast.members), len(fast.facts["bought"])) == (shares, bought)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(case=profiles())
def test_pav_finds_a_best_slate_and_knows_whether_it_is_the_only_one(
    case: tuple[slow.Sets, int, int],
) -> None:
    """Every slate tried: the score is the best, and the flag of uniqueness is right."""
    sets, m, size = case
    best = slow.slow_pav(sets, m, size)
    chosen = rule("pav")(slow.election_of_sets(sets, m), size)

    assert frozenset(chosen.members) in best
    if chosen.facts["settled_rivals"]:
        assert chosen.facts["unique"] == (len(best) == 1)
        assert chosen.tied == (len(best) > 1)
    else:
        assert chosen.tied


def test_pav_that_is_not_proved_says_so_and_still_gives_every_group_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With next to no work allowed: no exchange of one member is better, and EJR+ holds."""
    monkeypatch.setattr(pav, "WORK", 1)
    rng = np.random.default_rng(8)
    sets = [frozenset(np.flatnonzero(row).tolist()) for row in rng.random((120, 30)) < 0.25]
    made = slow.election_of_sets(sets, 30)
    chosen = rule("pav")(made, 8)
    score = slow.slow_score(sets, chosen.members)
    swaps = [
        {*chosen.members, new} - {out} for out in chosen.members for new in range(30)
        if new not in chosen.members
    ]  # fmt: skip
    audit = slate(made, size=8, method="pav").audit.ejr_plus

    assert (chosen.facts["proved"], chosen.facts["unique"], chosen.tied) == (False, False, True)
    assert chosen.facts["bound"] >= score
    assert all(slow.slow_score(sets, other) <= score for other in swaps)
    assert audit is not None
    assert audit.satisfied


def test_pav_refuses_a_program_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at once, with the rules that do as well, instead of hanging."""
    monkeypatch.setattr(pav, "ENTRIES", 3)

    with pytest.raises(Inapplicable, match=r"at most 3 entries.*equal-shares"):
        rule("pav")(slow.election_of_sets([{0, 1}, {1, 2}], 3), 2)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(case=profiles(most=6, alternatives=4), name=st.sampled_from(ONE_BY_ONE))
def test_tied_means_that_another_way_out_of_ties_gives_another_slate(
    case: tuple[slow.Sets, int, int], name: str
) -> None:
    """The flag against every order of the alternatives, which is every way to break ties here."""
    from itertools import permutations

    sets, m, size = case
    made = slow.election_of_sets(sets, m)
    found = {
        names_of(made.only(order), rule(name)(made.only(order), size))
        for order in permutations(range(m))
    }

    assert rule(name)(made, size).tied == (len(found) > 1)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(case=elections(most=6))
def test_critical_epsilons_equal_a_search_of_all_coalitions(case: tuple[Election, int]) -> None:
    """Flows tell what trying every coalition tells; what is consumed last is in the core."""
    made, size = case
    chosen = rule("veto-core")(made, size)
    names = made.alternatives
    slowly = slow.slow_core(made.orders, made.counts)

    assert list(chosen.facts["epsilons"].values()) == pytest.approx([float(e) for e in slowly])
    assert chosen.facts["core"] == [names[j] for j in range(len(names)) if not slowly[j]]
    assert chosen.facts["core"]
    assert set(chosen.facts["consumed_last"]) <= set(chosen.facts["core"])


def test_a_majority_that_agrees_takes_all_by_av_and_its_share_by_others() -> None:
    """51 and 49 on disjoint blocks: AV gives the 49 nothing, proportional rules two of four."""
    made = election_from("51: A = B = C = D\n49: E = F = G = H")
    minority = {"E", "F", "G", "H"}
    shares = {
        card.name: len(names_of(made, rule(card.name)(made, 4)) & minority)
        for card in CARDS
        if card.takes == "approvals"
    }

    assert shares.pop("av") == 0
    assert set(shares.values()) == {2}


def test_weights_in_millionths_change_nothing() -> None:
    """Counts a million times as large give the same slates, with no overflow."""
    rng = np.random.default_rng(5)
    sets = [np.flatnonzero(row).tolist() for row in rng.random((300, 40)) < 0.2]
    made = slow.election_of_sets(sets, 40)
    heavy = replace(made, counts=made.counts * 1_000_000)

    for name in (*ONE_BY_ONE, "balanced-jr"):
        assert rule(name)(made, 12).members == rule(name)(heavy, 12).members


def test_unseen_is_not_approval_and_exposure_is_told() -> None:
    """A vote that was not given supports nothing; the share of cells seen stands in the facts."""
    votes = np.array([[1, 0, 0], [1, 0, -1], [0, 0, 1]], dtype=np.int8)
    seen = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=np.bool_)
    made = Profile.from_tables(("p", "q", "r"), ("a", "b", "c"), votes, seen).election()
    chosen = rule("av")(made, 2)

    assert chosen.facts["exposure"] == pytest.approx(5 / 9)
    assert chosen.facts["support"] == {"a": 2, "c": 1}


def test_exposure_is_unknown_where_ballots_do_not_tell() -> None:
    """A ballot that ranks some alternatives does not say whether it saw the others."""
    assert rule("av")(election_from("2: A = B\n1: C"), 1).facts["exposure"] is None


@pytest.mark.parametrize("name", [card.name for card in CARDS])
def test_a_size_that_no_slate_has_is_refused(name: str) -> None:
    """Zero, or more than there are."""
    made = slow.election_of_sets([{0}, {1}, {0, 1}], 2)

    for size in (0, 3):
        with pytest.raises(Inapplicable, match="size between 1 and 2"):
            rule(name)(made, size)


@pytest.mark.parametrize("name", [card.name for card in CARDS])
def test_pairs_alone_are_refused(name: str) -> None:
    """Who was preferred in pairs does not tell who approves of what, nor orders."""
    made = election_of_pairs(np.array([[0, 2], [1, 0]]), ("A", "B"), 3)

    with pytest.raises(Inapplicable):
        rule(name)(made, 1)


def test_no_voters_are_refused() -> None:
    """A share of nobody is no number."""
    none = slow.election_of_sets([], 3)

    for name in (*ONE_BY_ONE, "pav", "balanced-jr", "stv", "veto-core"):
        with pytest.raises(Inapplicable):
            rule(name)(none, 1)


def test_incomplete_orders_have_no_veto_core() -> None:
    """An alternative that was not compared is not thereby worse: refused, not guessed."""
    with pytest.raises(Inapplicable, match="rank every alternative"):
        rule("veto-core")(election_from("2: A > B\n1: C", unranked="apart"), 1)


def test_nobody_approves_of_anything() -> None:
    """Every slate is as good: tied, and no division by nobody."""
    made = slow.election_of_sets([set(), set()], 3)

    for name in (*ONE_BY_ONE, "pav"):
        chosen = rule(name)(made, 2)
        assert chosen.tied
        assert len(set(chosen.members)) == 2


def test_a_veto_of_a_quarter_over_four() -> None:
    """A third that all rank D last can veto one of four alternatives, a fifth cannot."""
    third = election_from("4: A > B > C > D\n8: D > A > B > C")
    fifth = election_from("2: A > B > C > D\n8: D > A > B > C")

    assert "D" not in rule("veto-core")(third, 1).facts["core"]
    assert rule("veto-core")(third, 1).facts["epsilons"]["D"] == pytest.approx(1 / 3 - 1 / 4)
    assert "D" in rule("veto-core")(fifth, 1).facts["core"]


def test_stv_in_the_facts_tells_every_slate_that_ties_allow() -> None:
    """Two alike for the last place: both slates are told, and the choice counts as tied."""
    chosen = rule("stv")(election_from("2: A > B > C\n2: A > C > B\n1: B\n1: C"), 2)

    assert chosen.tied
    assert chosen.facts["slates"] == [["A", "B"], ["A", "C"]]
    assert chosen.facts["quota"] == 3
