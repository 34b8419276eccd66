"""Rankings of ballots with their certainty: counted by order, resampled by voter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from, wins_one_by_one

from normwright.aggregate import Election, aggregate, certainty, rank
from normwright.records import (
    Ballot,
    Ballots,
    Outcome,
    Participant,
    Polity,
    Process,
    RankedTiers,
    Statement,
    Unranked,
)

PROCESS = Process(id="p", kind="human", title={"en": "P"})
CITY = Polity(id="city", name={"en": "City"}, layer="polity")
NAMES = "abcd"
QUIET = settings(deadline=None, max_examples=60, derandomize=True)


def outcome(
    given: list[tuple[str, RankedTiers]], *, unranked: Unranked = "last", seed: int = 1
) -> Outcome:
    """What the city says by these ballots over a to d; only voters named v... belong to it."""
    people = sorted({voter for voter, _ in given})
    return aggregate(
        process=PROCESS,
        polity=CITY,
        participants=[
            Participant(id=v, process="p", polities=("city",) if v.startswith("v") else ("else",))
            for v in people
        ],
        statements=[
            Statement(id=a, text={"en": a}, layer="polity", authority="city") for a in NAMES
        ],
        votes=[],
        comparisons=[],
        ballots=Ballots.of(given),
        unranked=unranked,
        seed=seed,
        bootstrap=50,
    )


def votes(text: str) -> list[tuple[str, RankedTiers]]:
    """Ballots from lines such as `5 a c b`."""
    made: list[tuple[str, RankedTiers]] = []
    for line in text.strip().splitlines():
        count, *order = line.split()
        made += [(f"v{line}/{i}", tuple((a,) for a in order)) for i in range(int(count))]
    return made


ORDERS = st.lists(
    st.lists(st.integers(-1, 3), min_size=4, max_size=4).filter(lambda x: max(x) >= 0),
    min_size=1,
    max_size=9,
)


def tiers_of(levels: list[int]) -> RankedTiers:
    """Tiers of a to d from their levels; -1 is unranked."""
    return tuple(
        tuple(a for a, x in zip(NAMES, levels, strict=True) if x == level)
        for level in sorted(set(levels) - {-1})
    )


@QUIET
@given(ORDERS)
def test_wins_equal_counting_one_by_one(levels: list[list[int]]) -> None:
    """Counting orders with their voters gives what counting each ballot gives, unranked or last."""
    given_ = [(f"v{i}", tiers_of(x)) for i, x in enumerate(levels)]
    rows = Ballots.of(given_)
    profile = Election.of(rows, alternatives=list(NAMES), unranked="apart")
    apart = wins_one_by_one([Ballot(participant=v, tiers=t) for v, t in given_], list(NAMES))
    completed = []
    for voter, tiers in given_:
        left = tuple(a for a in NAMES if not any(a in tier for tier in tiers))
        completed.append(Ballot(participant=voter, tiers=(*tiers, left) if left else tiers))

    assert (profile.wins == apart).all()
    last = Election.of(rows, alternatives=list(NAMES), unranked="last")
    assert (last.wins == wins_one_by_one(completed, list(NAMES))).all()
    assert profile.voters == len(given_)
    assert profile.firsts().sum() == pytest.approx(len(given_))


def test_what_is_left_out_is_last_or_apart_as_said() -> None:
    """Three voters rank a alone, two put b above a: last, a beats b; apart, b beats a."""
    given_ = votes("3 a\n2 b a")

    assert outcome(given_, unranked="last").rankings[0].tiers[0] == ("a",)
    assert outcome(given_, unranked="apart").rankings[0].tiers == (("b", "c", "d"), ("a",))
    assert outcome(given_, unranked="apart").unranked == "apart"


def test_an_outcome_of_ballots() -> None:
    """It has no support, counts voters of the polity only, and says how sure each place is."""
    made = outcome([*votes("60 a b c d\n30 b a d c\n10 c"), ("stranger", (("d",),))])
    first = made.standings[0]

    assert (made.support, made.undecided, made.votes) == ((), (), 0)
    assert (made.participants, made.voters) == (100, 100)
    assert [s.alternative for s in made.standings] == ["a", "b", "c", "d"]
    assert (first.ranked, first.first.value, first.first.n) == (90, 0.6, 100)
    assert (first.leads.value, first.leads.n, first.leads.seed) == (1.0, 50, 1)
    assert (first.places.low, first.places.high) == (1, 1)
    assert len(made.margins) == 6
    pair = made.margins[0]
    assert (pair.above, pair.below, pair.prefer, pair.oppose) == ("a", "b", 60, 30)
    assert pair.margin.value == pytest.approx(0.3)
    assert pair.margin.interval is not None
    assert pair.margin.interval.low < 0.3 < pair.margin.interval.high


def test_a_close_race_is_said_to_be_close() -> None:
    """51 against 49: neither leads in nearly all resamples, and the margin's interval has zero."""
    made = outcome(votes("51 a b\n49 b a"))
    interval = made.margins[0].margin.interval

    assert interval is not None
    assert interval.low < 0 < interval.high
    assert 0.02 < (made.standings[1].leads.value or 0) < 0.98
    assert made.standings[0].places.high == 2


def test_few_who_agree_are_not_certain() -> None:
    """Five alike voters leave room: no resample differs, yet the interval is not a point."""
    interval = outcome(votes("5 a b c d")).margins[0].margin.interval

    assert interval is not None
    assert interval.method == "no-spread"
    assert interval.low < 0.2
    assert interval.high == 1


def test_paired_comparisons_of_one_voter_count_once() -> None:
    """A voter with several two-way ballots is one voter, drawn whole, and first only in part."""
    given_: list[tuple[str, RankedTiers]] = [
        ("v1", (("a",), ("b",))), ("v1", (("a",), ("c",))), ("v1", (("b",), ("d",))),
        ("v2", (("b",), ("a",))),
    ]  # fmt: skip
    made = outcome(given_, unranked="apart")
    firsts = {s.alternative: s.first.value for s in made.standings}

    assert made.voters == 2
    assert firsts["a"] == pytest.approx(1 / 3)
    assert {(m.above, m.below): (m.prefer, m.oppose) for m in made.margins}[("a", "b")] == (1, 1)


def test_the_same_seed_gives_the_same_outcome() -> None:
    """An outcome repeats to the digest; another seed moves only what was drawn."""
    given_ = votes("11 a b c\n9 b c a\n7 c a b")

    assert outcome(given_).digest == outcome(given_).digest
    assert outcome(given_).rankings == outcome(given_, seed=2).rankings
    assert outcome(given_).margins != outcome(given_, seed=2).margins


def test_many_alternatives_have_few_margins() -> None:
    """With 25 alternatives there are margins of neighbours and of the first, not of all pairs."""
    names = [f"n{i:02d}" for i in range(25)]
    made = aggregate(
        process=PROCESS, polity=CITY,
        participants=[Participant(id=f"v{i}", process="p", polities=("city",)) for i in range(9)],
        statements=[Statement(id=a, text={"en": a}, layer="polity", authority="city")
                    for a in names],
        votes=[], comparisons=[], seed=1, bootstrap=10,
        ballots=Ballots.of((f"v{i}", tuple((a,) for a in names)) for i in range(9)),
    )  # fmt: skip

    assert len(made.margins) == 24 + 23
    assert len({(m.above, m.below) for m in made.margins}) == 47


def test_ballots_become_few_arrays() -> None:
    """A hundred thousand voters of six orders are six rows, and resampling them is quick."""
    rng = np.random.default_rng(0)
    orders: list[RankedTiers] = [
        tuple((a,) for a in rng.permutation(list(NAMES))) for _ in range(6)
    ]
    ballots = Ballots.of((f"v{i}", orders[i % 6]) for i in range(100_000))
    profile = Election.of(ballots, alternatives=list(NAMES))

    assert profile.orders.shape == (6, 4)
    assert profile.counts.sum() == 100_000


def test_resamples_that_a_method_refuses_are_unknown_places() -> None:
    """One voter alone links d to the rest: where they are not drawn, d may stand anywhere."""
    text = "30: a > b > c\n20: b > c > a\n15: c > a > b\n1: d > a\n1: a > d"
    election = election_from(text, unranked="apart")
    ranking = rank(election, method="bradley-terry")
    sure = certainty(election, ranking, seed=1, rounds=100).standings
    lone = next(one for one in sure if one.alternative == "d")

    assert 0 < lone.leads.n < 100
    assert (lone.places.low, lone.places.high) == (1, 4)
