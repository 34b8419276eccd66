"""Ranking methods: textbook answers, slow obvious versions, and what must not change anything."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.aggregate.elections import election_of, election_of_pairs, wins_one_by_one

from normwright.aggregate import Profile, rank
from normwright.plugins import cards
from normwright.records import Ballot, PluginError, Ranking

METHODS = [c.name for c in cards("methods") if c.takes == "pairs" and c.name != "bradley-terry"]
"""Methods that need pairs only, and have an answer to any."""
Case = tuple[list[str], list[Ballot]]
QUIET = settings(deadline=None, max_examples=60, derandomize=True)
NAMES = "abcdef"


def ballots_of(text: str) -> list[Ballot]:
    """Ballots from lines such as `5 A C B`."""
    made = []
    for line in text.strip().splitlines():
        count, *order = line.split()
        tiers = tuple((a,) for a in order)
        made += [Ballot(participant=f"{line}/{i}", tiers=tiers) for i in range(int(count))]
    return made


def ranked(ballots: list[Ballot], alternatives: Sequence[str], method: str) -> Ranking:
    """Rank ballots by one method."""
    return rank(election_of(ballots, alternatives), method=method)


@st.composite
def ballot_lists(draw: DrawFn) -> Case:
    """Some ballots with ties and unranked alternatives over the first few names."""
    alternatives = NAMES[: draw(st.integers(2, 6))]
    made = []
    for v in range(draw(st.integers(1, 9))):
        levels = draw(st.lists(st.integers(-1, 3), min_size=len(alternatives),
                               max_size=len(alternatives)))  # fmt: skip
        tiers = tuple(
            tuple(a for a, x in zip(alternatives, levels, strict=True) if x == level)
            for level in sorted(set(levels) - {-1})
        )
        made.append(Ballot(participant=f"v{v}", tiers=tiers))
    return list(alternatives), made


def above(ballot: Ballot, a: str, b: str) -> bool:
    """Whether a ballot puts a above b, the slow way."""
    place = {x: i for i, tier in enumerate(ballot.tiers) for x in tier}
    return a in place and b in place and place[a] < place[b]


SCHULZE_45 = """
5 A C B E D
5 A D E C B
8 B E D A C
3 C A B E D
7 C A E B D
2 C B A D E
7 D C E B A
8 E B A D C
"""


def test_schulze_published_example() -> None:
    """Schulze's own 45 voters: E wins, and the whole order is E A C B D."""
    seen = ranked(ballots_of(SCHULZE_45), list("ABCDE"), "schulze")

    assert seen.tiers == (("E",), ("A",), ("C",), ("B",), ("D",))


def test_borda_against_a_majority() -> None:
    """Three voters ABC and two BCA: Borda takes B although a majority puts A first."""
    ballots = ballots_of("3 A B C\n2 B C A")

    assert ranked(ballots, list("ABC"), "borda").tiers[0] == ("B",)
    assert ranked(ballots, list("ABC"), "schulze").tiers[0] == ("A",)


@pytest.mark.parametrize("method", METHODS)
def test_condorcet_cycle_is_a_tie(method: str) -> None:
    """ABC, BCA, CAB: no method can tell the three apart, and none pretends to."""
    seen = ranked(ballots_of("1 A B C\n1 B C A\n1 C A B"), list("ABC"), method)

    assert seen.tiers == (("A", "B", "C"),)


@QUIET
@given(ballot_lists())
def test_wins_equal_counting_one_by_one(case: Case) -> None:
    """The matrix of wins is what counting ballot by ballot gives."""
    names, ballots = case
    wins = election_of(ballots, names).wins

    for i, j in itertools.product(range(len(names)), repeat=2):
        assert wins[i, j] == sum(above(b, names[i], names[j]) for b in ballots)


@QUIET
@given(ballot_lists())
def test_borda_equals_the_mean_over_completions(case: Case) -> None:
    """Borda scores are mean points, a pair that is not ranked being worth a half to each."""
    names, ballots = case
    seen = ranked(ballots, names, "borda")
    for a in names:
        points = [
            sum(1.0 if above(v, a, b) else 0.0 if above(v, b, a) else 0.5 for b in names if b != a)
            for v in ballots
        ]
        assert seen.scores[a] == pytest.approx(sum(points) / len(points) / (len(names) - 1))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(ballot_lists())
def test_schulze_equals_searching_all_paths(case: Case) -> None:
    """Beat paths equal the best of all simple paths, and tiers are successive unbeaten sets."""
    names, ballots = case
    wins = wins_one_by_one(ballots, names)
    m = len(names)

    def strength(i: int, j: int) -> int:
        best = 0
        for length in range(m - 1):
            for middle in itertools.permutations([x for x in range(m) if x not in (i, j)], length):
                path = [i, *middle, j]
                links = [
                    wins[a, b] if wins[a, b] > wins[b, a] else 0
                    for a, b in itertools.pairwise(path)
                ]
                best = max(best, min(links))
        return best

    paths = {(i, j): strength(i, j) for i in range(m) for j in range(m) if i != j}
    left, tiers = set(range(m)), []
    while left:
        top = {i for i in left if all(paths[i, j] >= paths[j, i] for j in left if j != i)}
        tiers.append(tuple(names[i] for i in sorted(top)))
        left -= top
    assert ranked(ballots, names, "schulze").tiers == tuple(tiers)


@QUIET
@given(ballot_lists(), st.randoms(use_true_random=False), st.sampled_from(METHODS))
def test_voters_have_no_names(case: Case, rng: random.Random, method: str) -> None:
    """Shuffling and renaming voters changes nothing."""
    names, ballots = case
    other = [b.model_copy(update={"participant": f"w{i}"}) for i, b in enumerate(ballots)]
    rng.shuffle(other)

    assert ranked(other, names, method) == ranked(ballots, names, method)


@QUIET
@given(ballot_lists(), st.randoms(use_true_random=False), st.sampled_from(METHODS))
def test_alternatives_have_no_names(case: Case, rng: random.Random, method: str) -> None:
    """Renaming alternatives renames the outcome and does nothing else."""
    names, ballots = case
    fresh = rng.sample(names, len(names))
    new = dict(zip(names, fresh, strict=True))
    other = [
        Ballot(participant=b.participant, tiers=tuple(tuple(new[a] for a in t) for t in b.tiers))
        for b in ballots
    ]
    before, after = ranked(ballots, names, method), ranked(other, names, method)

    assert after.tiers == tuple(tuple(sorted(new[a] for a in t)) for t in before.tiers)
    assert {new[a]: s for a, s in before.scores.items()} == after.scores


@QUIET
@given(ballot_lists(), st.integers(2, 4), st.sampled_from(METHODS))
def test_repeating_everyone_changes_nothing(case: Case, times: int, method: str) -> None:
    """Only shares matter: every ballot cast again by somebody else gives the same outcome."""
    names, ballots = case

    assert ranked(ballots * times, names, method) == ranked(ballots, names, method)


@QUIET
@given(ballot_lists(), st.sampled_from(METHODS))
def test_reversal(case: Case, method: str) -> None:
    """Reversed ballots reverse every strict judgement; reversed twice they give the first."""
    names, ballots = case
    back = [b.model_copy(update={"tiers": b.tiers[::-1]}) for b in ballots]
    again = [b.model_copy(update={"tiers": b.tiers[::-1]}) for b in back]
    first, reverse = ranked(ballots, names, method), ranked(back, names, method)

    assert ranked(again, names, method) == first
    if method == "borda":
        assert reverse.tiers == first.tiers[::-1]
    for a in names:
        # A winner that beats all others loses to all of them, and the reverse.
        assert first.scores[a] < 1 or reverse.scores[a] == 0


@QUIET
@given(ballot_lists())
def test_votes_rank_statements(case: Case) -> None:
    """A profile's wins are those of the rankings its votes induce; what is unseen is unranked."""
    names, ballots = case
    place = [{a: i for i, t in enumerate(b.tiers) for a in t} for b in ballots]
    rows = [[place[v].get(a, -1) for a in names] for v in range(len(ballots))]
    stance = np.array([[{-1: 0, 0: 1, 1: 0}.get(x, -1) for x in row] for row in rows])
    seen = np.array([[x >= 0 for x in row] for row in rows])
    people = tuple(f"v{v}" for v in range(len(ballots)))
    profile = Profile.from_tables(people, tuple(names), stance, seen)
    tiers = [
        tuple(
            tuple(a for a, x, s in zip(names, stance[v], seen[v], strict=True) if s and x == level)
            for level in (1, 0, -1)
        )
        for v in range(len(ballots))
    ]
    induced = [Ballot(participant=p, tiers=t) for p, t in zip(people, tiers, strict=True)]

    assert (profile.wins() == wins_one_by_one(induced, names)).all()


@QUIET
@given(ballot_lists())
def test_schulze_elects_a_condorcet_winner(case: Case) -> None:
    """Whoever beats all others pairwise is alone at the top, for each method that claims it."""
    names, ballots = case
    wins = wins_one_by_one(ballots, names)
    beats = wins > wins.T
    for i, name in enumerate(names):
        if beats[i].sum() == len(names) - 1:
            for card in cards("methods"):
                if "condorcet" in card.claims:
                    assert ranked(ballots, names, card.name).tiers[0] == (name,)


def test_unknown_method_names_the_known() -> None:
    """A method that does not exist is named with those that do."""
    with pytest.raises(PluginError, match=r"known: .*borda.*schulze"):
        rank(election_of_pairs(np.zeros((1, 1), dtype=np.int64), ["a"], 1), method="coin")
