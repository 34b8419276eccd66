"""Every rule answers what independent implementations answer; each difference is explained here.

The answers lie in `oracles/`, written by `make oracles` in an environment of its own; the files
name the packages and versions. A rule that is not registered fails.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.aggregate.elections import election_of_pairs

from normwright import plugins
from normwright.aggregate import Election, Order
from normwright.aggregate import Profile as VoteProfile
from normwright.aggregate.approvals import Approvals
from normwright.aggregate.majority import smith_layers
from normwright.aggregate.methods.bradley_terry import fitted
from normwright.aggregate.minorities import representation
from normwright.aggregate.opinions.cells import Cells
from normwright.aggregate.opinions.plane import plane
from normwright.aggregate.opinions.tallying import tally
from normwright.aggregate.ranking import order_of
from normwright.aggregate.slates import Chosen
from normwright.records import Unranked

FOLDER = Path(__file__).parent / "oracles"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ENOUGH = 1000
"""Profiles on which a rule must have been compared."""

Tiers = tuple[tuple[int, ...], ...]


@cache
def fixture(name: str) -> dict[str, Any]:
    """The instances and answers of one file."""
    content: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return content


def election_of_text(m: int, text: str, unranked: Unranked) -> Election:
    """The election of ballots such as `5:C>A=B`, alternatives being the first m letters."""
    counts, rows = [], []
    for ballot in text.split():
        count, _, order = ballot.partition(":")
        row = [-1] * m
        for level, tier in enumerate(order.split(">")):
            for letter in tier.split("="):
                row[LETTERS.index(letter)] = level
        counts.append(int(count))
        rows.append(row)
    orders = np.array(rows, dtype=np.int16).reshape(-1, m)
    return Election(tuple(LETTERS[:m]), orders, np.array(counts), unranked=unranked)


@cache
def elections(family: str, unranked: Unranked = "last") -> tuple[Election, ...]:
    """The profiles of a family of ballots."""
    rows = fixture(family)["profiles"]
    return tuple(election_of_text(m, text, unranked) for m, text in rows)


@cache
def orders(family: str, unranked: Unranked, method: str) -> tuple[Order, ...]:
    """What a method here says of each profile."""
    return tuple(order_of(election, method=method) for election in elections(family, unranked))


def answers(family: str, package: str, oracle: str) -> list[Any]:
    """What another implementation said of each profile; None where it gave no answer."""
    given: list[Any] = fixture(family)["answers"][package][oracle]
    return given


def letters(alternatives: Sequence[int]) -> str:
    """Alternatives as sorted letters."""
    return "".join(sorted(LETTERS[a] for a in alternatives))


def order_text(tiers: Tiers) -> str:
    """An order as text."""
    return ">".join("=".join(LETTERS[a] for a in sorted(tier)) for tier in tiers)


def winners(order: Order) -> str:
    """The first tier."""
    return letters(order.tiers[0])


def whole(order: Order) -> str:
    """All tiers."""
    return order_text(order.tiers)


class Profile(NamedTuple):
    """An election, and its ballots as they stand in the file."""

    election: Election
    ballots: str


def profiles(family: str, unranked: Unranked = "last") -> list[Profile]:
    """The elections of a family with their text."""
    texts = [row[-1] for row in fixture(family)["profiles"]]
    return [Profile(*pair) for pair in zip(elections(family, unranked), texts, strict=True)]


class Difference(NamedTuple):
    """A profile on which two implementations differ; the smallest sort first."""

    alternatives: int
    voters: int
    ballots: str
    ours: Any
    theirs: Any


def difference(profile: Profile, ours: Any, theirs: Any) -> Difference:
    """A difference, with what a reader needs to see it."""
    made = profile.election
    return Difference(len(made.alternatives), made.voters, profile.ballots, ours, theirs)


def assert_none(found: list[Difference], compared: int, enough: int = ENOUGH) -> None:
    """Nothing differs, on as many profiles as are asked for; else show the smallest."""
    assert not found, (
        f"{len(found)} of {compared} differ; the smallest: {min(found, key=lambda d: d[:3])}"
    )
    assert compared >= enough


Read = Callable[[Order], str]


class Case(NamedTuple):
    """A rule here and what answers it elsewhere."""

    method: str
    family: str
    package: str
    oracle: str
    read: Read = winners
    unranked: Unranked = "last"

    @property
    def name(self) -> str:
        """For the name of the test."""
        return f"{self.method}-{self.family}-{self.package}-{self.oracle}".replace(" ", "")


PAIRWISE_FAMILIES: tuple[tuple[str, str, Unranked], ...] = (
    ("strict", "", "last"),
    ("truncated", "", "last"),
    ("partial", ", last", "last"),
    ("partial", ", apart", "apart"),
)
"""Family, what is added to the name of a package, and what left out means."""

EQUAL = (
    Case("plurality", "strict", "pref_voting", "plurality"),
    Case("plurality", "strict", "pref_voting", "plurality_ranking", whole),
    Case("antiplurality", "strict", "pref_voting", "anti_plurality"),
    Case("antiplurality", "strict", "pref_voting", "anti_plurality_ranking", whole),
    Case("borda", "strict", "pref_voting", "borda"),
    Case("borda", "strict", "pref_voting", "borda_ranking", whole),
    Case("borda", "partial", "pref_voting, last", "borda"),
    Case("irv", "strict", "pref_voting", "instant_runoff_put"),
    Case("irv", "truncated", "pref_voting", "instant_runoff_put"),
    Case("irv", "partial", "pref_voting, last", "instant_runoff_put_split"),
    Case("stv", "strict", "pref_voting", "instant_runoff_put"),
    Case("schulze", "strict", "pref_voting", "beat_path"),
    *(
        Case(method, family, f"pref_voting{added}", oracle, read, unranked)
        for method, oracle, read in (
            ("copeland", "copeland", winners),
            ("copeland", "copeland_ranking", whole),
            ("kemeny", "kemeny_young", winners),
            ("minimax", "minimax", winners),
            ("split-cycle", "split_cycle", winners),
            ("stable-voting", "stable_voting", winners),
        )
        for family, added, unranked in PAIRWISE_FAMILIES
    ),
    *(
        Case(method, family, f"votelib{added}", oracle, winners, unranked)
        for method, oracle in (
            ("copeland", "copeland"), ("kemeny", "kemeny_young"), ("minimax", "minimax_margins"),
        )
        for family, added, unranked in PAIRWISE_FAMILIES
    ),
    *(
        Case("schulze", family, f"pref_voting{added}", "beat_path_winning_votes", winners, unranked)
        for family, added, unranked in PAIRWISE_FAMILIES[2:]
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", EQUAL, ids=lambda case: case.name)
def test_a_rule_is_what_others_compute(case: Case) -> None:
    """The same winners, or the same order, on every profile."""
    found, compared = [], 0
    given = answers(case.family, case.package, case.oracle)
    for profile, order, theirs in zip(
        profiles(case.family, case.unranked),
        orders(case.family, case.unranked, case.method),
        given,
        strict=True,
    ):
        if theirs is None:
            continue
        compared += 1
        ours = case.read(order)
        if ours != theirs:
            found.append(difference(profile, ours, theirs))

    # votelib gives no answer where somebody is never ranked, nor for tied Kemeny orders.
    assert_none(found, compared, enough=ENOUGH // 2 if case.package[:3] == "vot" else ENOUGH)


families = pytest.mark.parametrize(("family", "added", "unranked"), PAIRWISE_FAMILIES)


@families
def test_margins_winners_and_smith_sets_are_what_others_count(
    family: str, added: str, unranked: Unranked
) -> None:
    """Margins of all pairs, the Condorcet winner, and the smallest set that beats all others."""
    package = f"pref_voting{added}"
    counted = answers(family, package, "margins")
    beats_all = answers(family, package, "condorcet")
    smith = answers(family, package, "top_cycle")
    found = []
    for profile, *theirs in zip(profiles(family, unranked), counted, beats_all, smith, strict=True):
        margins = profile.election.margins
        m = len(margins)
        winner = [i for i in range(m) if all(margins[i, j] > 0 for j in range(m) if j != i)]
        pairs = margins[np.triu_indices(m, 1)].tolist()
        ours = [pairs, letters(winner), letters(smith_layers(margins)[0])]
        if ours != theirs:
            found.append(difference(profile, ours, theirs))

    assert_none(found, len(smith))
    by_votelib = answers(family, f"votelib{added}", "smith")
    assert [theirs or ours for theirs, ours in zip(by_votelib, smith, strict=True)] == smith


def ties_decide(order: Order, margins: NDArray[np.int64], method: str) -> bool:
    """Whether the order in which equal margins are taken might matter, a margin of 0 included."""
    if order.facts["left_out_for_ties"] or np.triu(margins == 0, 1).any():
        return True
    if method == "ranked-pairs":
        return False
    # In the textbook river one majority only beats somebody; of equal ones, whichever comes first.
    beaten_by = [column[column > 0].tolist() for column in margins.T]
    return any(len(set(sizes)) < len(sizes) for sizes in beaten_by)


@pytest.mark.parametrize(
    ("method", "oracle"),
    [
        ("ranked-pairs", "ranked_pairs"),
        ("ranked-pairs", "ranked_pairs_tb"),
        ("ranked-pairs", "votelib"),
        ("river", "river"),
        ("river", "river_tb"),
    ],
)
def test_locking_in_majorities_is_the_textbook_rule_unless_ties_decide(
    method: str, oracle: str
) -> None:
    """The same winner wherever no order among equal margins could change it."""
    found, compared = [], 0
    for family, added, unranked in PAIRWISE_FAMILIES:
        if oracle == "votelib":
            orders_given = answers(family, f"votelib{added}", "ranked_pairs_margins")
            given = [text and text[0] for text in orders_given]
        else:
            given = answers(family, f"pref_voting{added}", oracle)
        for profile, order, theirs in zip(
            profiles(family, unranked), orders(family, unranked, method), given, strict=True
        ):
            if theirs is None or ties_decide(order, profile.election.margins, method):
                continue
            compared += 1
            if winners(order) != theirs:
                found.append(difference(profile, winners(order), theirs))

    assert_none(found, compared)


def test_schulze_winners_who_beat_most_by_paths_are_among_the_unbeaten() -> None:
    """Votelib ranks by beaten paths won, so of several unbeaten it may keep those who beat more."""
    found, compared = [], 0
    for family, added, unranked in PAIRWISE_FAMILIES:
        for profile, order, theirs in zip(
            profiles(family, unranked), orders(family, unranked, "schulze"),
            answers(family, f"votelib{added}", "schulze"), strict=True,
        ):  # fmt: skip
            if theirs is None:
                continue
            compared += 1
            ours = winners(order)
            if not set(theirs) <= set(ours) or (len(ours) == 1 and theirs != ours):
                found.append(difference(profile, ours, theirs))

    assert_none(found, compared)


def test_kemeny_orders_are_as_far_from_ballots_as_others_find() -> None:
    """Total Kendall distance, whether one order is optimal, and the pairs left open."""
    found = []
    given = answers("strict", "pref_voting", "kemeny_young_rankings")
    for profile, order, (distance, optima) in zip(
        profiles("strict"), orders("strict", "last", "kemeny"), given, strict=True
    ):
        m = len(profile.election.alternatives)
        ours = [profile.election.voters * m * (m - 1) // 2 - order.facts["agreements"]]
        theirs = [distance]
        if isinstance(optima, list):
            ours += order.facts["both_ways"]
            theirs += [
                [a, b]
                for a in LETTERS[:m]
                for b in LETTERS[:m]
                if a < b and len({text.index(a) < text.index(b) for text in optima}) == 2
            ]
        if ours != theirs:
            found.append(difference(profile, ours, theirs))

    assert_none(found, len(given))


def test_the_maximal_lottery_is_the_only_one_where_margins_are_odd() -> None:
    """Equal chances where theory leaves one lottery only."""
    found, compared = [], 0
    given = answers("strict", "pref_voting", "maximal_lottery")
    for profile, order, theirs in zip(
        profiles("strict"), orders("strict", "last", "maximal-lottery"), given, strict=True
    ):
        if profile.election.voters % 2 == 0:
            continue
        compared += 1
        if np.abs(1e6 * order.scores - theirs).max() > 1:
            found.append(difference(profile, order.scores.tolist(), theirs))

    assert_none(found, compared, enough=ENOUGH // 3)


def test_the_maximal_lottery_is_the_most_even_of_those_others_find() -> None:
    """Theirs is maximal by margins counted here, and no more even than ours."""
    found = []
    given = answers("strict", "pref_voting", "maximal_lottery")
    for profile, order, theirs in zip(
        profiles("strict"), orders("strict", "last", "maximal-lottery"), given, strict=True
    ):
        chances = np.array(theirs) / sum(theirs)
        margins = profile.election.margins
        slack = 1e-5 * (1 + np.abs(margins).max())
        maximal = (chances @ margins).min() > -slack and (order.scores @ margins).min() > -1e-9
        if not maximal or (order.scores**2).sum() > (chances**2).sum() + 1e-5:
            found.append(difference(profile, order.scores.tolist(), theirs))

    assert_none(found, len(given))


def parts(order: Order) -> bool:
    """Whether an instant runoff met a tie among those with fewest votes, some of them."""
    return any("universes_part" in one for one in order.facts["rounds"])


@pytest.mark.parametrize(
    ("family", "oracle", "read"),
    [
        ("strict", "instant_runoff", winners),
        ("strict", "instant_runoff_tb", winners),
        ("strict", "instant_runoff_ranking", whole),
        ("truncated", "instant_runoff_truncated", winners),
    ],
)
def test_instant_runoff_is_the_same_however_ties_are_cut_where_there_are_none(
    family: str, oracle: str, read: Read
) -> None:
    """Letting all go together, or by a list, is the same where one alone has the fewest votes."""
    found, compared = [], 0
    for profile, order, theirs in zip(
        profiles(family), orders(family, "last", "irv"),
        answers(family, "pref_voting", oracle), strict=True,
    ):  # fmt: skip
        if parts(order):
            continue
        compared += 1
        if read(order) != theirs:
            found.append(difference(profile, read(order), theirs))

    assert_none(found, compared, enough=ENOUGH // 2)


def transferred(election: Election, seats: int) -> Mapping[str, Any]:
    """What the slate rule `stv` tells of a count."""
    chosen: Chosen = plugins.get("slates", "stv")(election, seats)
    assert letters(chosen.members) == "".join(chosen.facts["slates"][0])
    return chosen.facts


def slates_of(facts: Mapping[str, Any]) -> list[str]:
    """All slates that some way to settle ties elects."""
    return ["".join(slate) for slate in facts["slates"]]


def exhausts(facts: Mapping[str, Any]) -> bool:
    """Whether ballots were exhausted before somebody was let go: votelib takes them for a rival."""
    return any("eliminated" in one and one["exhausted"] != 0 for one in facts["rounds"])


@pytest.mark.parametrize("family", ["strict", "truncated"])
@pytest.mark.parametrize("package", ["votelib", "pref_voting"])
def test_transferable_votes_elect_whom_others_elect(family: str, package: str) -> None:
    """Droop quota and weighted inclusive Gregory: the same slate, for each number of seats.

    Votelib counts in fractions too and gives no answer where it meets a tie. pref_voting cuts ties
    by number, so its slate is among those that all ways lead to.
    """
    found, compared = [], 0
    oracle = "stv" if package == "votelib" else "stv_wig"
    for profile, by_seats in zip(profiles(family), answers(family, package, oracle), strict=True):
        # Votelib does not know an alternative that nobody ranks.
        if (profile.election.ranked() == 0).any():
            continue
        for seats, theirs in enumerate(by_seats, 1):
            if theirs is None:
                continue
            facts = transferred(profile.election, seats)
            if package == "votelib" and exhausts(facts):
                continue
            compared += 1
            ours = slates_of(facts)
            if theirs not in ours or (package == "votelib" and len(ours) > 1):
                found.append(difference(profile, ours, (seats, theirs)))

    assert_none(found, compared, enough=ENOUGH if family == "strict" else ENOUGH // 4)


SLATES = (
    ("av", "av"),
    ("seq-pav", "seqpav"),
    ("pav", "pav"),
    ("seq-phragmen", "seqphragmen"),
    ("equal-shares", "equal-shares"),
)
"""Slate rules here, and in abcvoting."""


def election_of_rows(m: int, counts: list[int], rows: NDArray[np.int16], top: int) -> Election:
    """An election of grades, approved from `top` on; a higher grade is a higher place."""
    names = tuple(LETTERS[:m])
    return Election(
        names, rows.max(initial=0) - rows, np.array(counts), grades=rows, approved_from=top
    )


@cache
def approvals() -> tuple[tuple[Profile, int], ...]:
    """The elections of approvals, and how many are to be chosen."""
    made = []
    for m, size, text in fixture("approvals")["profiles"]:
        ballots = [ballot.partition(":") for ballot in text.split(" ")]
        rows = np.array(
            [[letter in members for letter in LETTERS[:m]] for _, _, members in ballots],
            dtype=np.int16,
        )
        counts = [int(count) for count, _, _ in ballots]
        made.append((Profile(election_of_rows(m, counts, rows, 1), text), size))
    return tuple(made)


@pytest.mark.parametrize(("method", "oracle"), SLATES, ids=[ours for ours, _ in SLATES])
def test_a_slate_is_one_of_those_others_find(method: str, oracle: str) -> None:
    """The slate is among all that abcvoting finds, and tied where there are several."""
    found = []
    given = fixture("approvals")["answers"][oracle]
    rule = plugins.get("slates", method)
    # A thousand are enough where each is an integer program.
    asked = approvals()[:ENOUGH] if method == "pav" else approvals()
    for (profile, size), theirs in zip(asked, given, strict=False):
        chosen: Chosen = rule(profile.election, size)
        ours = letters(chosen.members)
        if ours not in theirs or chosen.tied != (len(theirs) > 1):
            found.append(difference(profile, (ours, chosen.tied), theirs))

    assert_none(found, len(asked))


@pytest.mark.parametrize("axiom", ["jr", "ejr-plus"])
def test_representation_of_a_slate_is_what_others_check(axiom: str) -> None:
    """The same verdict on a slate at random."""
    found = []
    content = fixture("approvals")
    given = content[axiom.replace("-", "_")]
    for (profile, size), committee, theirs in zip(
        approvals(), content["committee"], given, strict=True
    ):
        made = Approvals.of(profile.election, "test")
        members = [LETTERS.index(letter) for letter in committee]
        ours = representation(made, members, size, axiom=axiom).satisfied
        if ours != bool(theirs):
            found.append(difference(profile, (committee, ours), theirs))

    assert_none(found, len(given))
    assert 0 < sum(given) < len(given)


@cache
def graded() -> tuple[Profile, ...]:
    """The elections of grades."""
    content = fixture("grades")
    made = []
    for (m, _, text), lowest in zip(content["profiles"], content["approved_from"], strict=True):
        ballots = [ballot.partition(":") for ballot in text.split(" ")]
        rows = np.array([[int(g) for g in row] for _, _, row in ballots], dtype=np.int16)
        counts = [int(count) for count, _, _ in ballots]
        made.append(Profile(election_of_rows(m, counts, rows, lowest), text))
    return tuple(made)


def test_approvals_elect_whom_others_elect() -> None:
    """The same winners where grades from a lowest one on approve."""
    found = []
    given = fixture("grades")["answers"]["pref_voting approval"]
    for profile, theirs in zip(graded(), given, strict=True):
        ours = winners(order_of(profile.election, method="approval"))
        if ours != theirs:
            found.append(difference(profile, ours, theirs))

    assert_none(found, len(given))


def medians_taken(grades: list[int]) -> list[int]:
    """Lower medians, each taken away before the next: the majority value, slowly."""
    left, taken = sorted(grades), []
    while left:
        taken.append(left.pop((len(left) - 1) // 2))
    return taken


def test_majority_judgement_elects_whom_others_elect_or_medians_say_they_are_wrong() -> None:
    """Equal where the two others agree, and to the definition where they do not.

    pref_voting settles ties by the gauge, which looks no further than the first median; votelib
    takes away several medians at once, and sometimes too many.
    """
    found, agreed = [], 0
    given = fixture("grades")["answers"]
    pairs = zip(
        given["votelib majority judgment"], given["pref_voting majority judgement"], strict=True
    )
    for profile, (votelib, gauge) in zip(graded(), pairs, strict=True):
        election = profile.election
        assert election.grades is not None
        ours = winners(order_of(election, method="majority-judgement"))
        agreed += ours in (votelib, gauge)
        grades = np.repeat(election.grades, election.counts, axis=0).T.tolist()
        values = [medians_taken(column) for column in grades]
        slow = letters([j for j, value in enumerate(values) if value == max(values)])
        if ours != slow or (votelib == gauge != ours):
            found.append(difference(profile, ours, (votelib, gauge, slow)))

    assert_none(found, agreed)


NANO = 1e-9
CLOSE = 1e-6
"""How near an estimate of strengths must be, in logarithms of odds."""


def test_strengths_of_comparisons_are_those_of_the_likelihood() -> None:
    """Bradley and Terry's model: choix finds the same maximum."""
    content = fixture("comparisons")
    worst = []
    for (m, wins), theirs in zip(content["pairs"], content["pairs_ml"], strict=True):
        election = election_of_pairs(np.array(wins), LETTERS[:m], int(np.sum(wins)))
        ours = order_of(election, method="bradley-terry").scores
        worst.append(float(np.abs(ours - NANO * np.array(theirs)).max()))

    assert max(worst) < CLOSE
    assert len(worst) >= ENOUGH


def test_strengths_with_a_prior_are_those_of_the_penalised_likelihood() -> None:
    """The same with a ridge, which choix calls alpha, without the half."""
    content = fixture("comparisons")
    worst = []
    for (_, wins), theirs in zip(content["pairs"], content["pairs_map"], strict=True):
        if theirs is not None:
            ours = fitted(np.array(wins), ridge=2 * content["alpha"]).strengths
            worst.append(float(np.abs(ours - NANO * np.array(theirs)).max()))

    assert max(worst) < CLOSE
    assert len(worst) >= ENOUGH


def test_strengths_of_orders_are_those_of_the_likelihood() -> None:
    """Plackett and Luce's model, each ballot over some of the alternatives."""
    content = fixture("comparisons")
    worst = []
    for (m, text), theirs in zip(content["orders"], content["orders_ml"], strict=True):
        ours = order_of(election_of_text(m, text, "apart"), method="plackett-luce").scores
        worst.append(float(np.abs(ours - NANO * np.array(theirs)).max()))

    assert max(worst) < CLOSE
    assert len(worst) >= ENOUGH


MICRO = 1e-6


class Votes(NamedTuple):
    """Votes of people in given groups."""

    cells: Cells
    labels: NDArray[np.int64]


def votes_of(rows: list[str], groups: str) -> Votes:
    """Votes from a row of text a person, and a digit a person."""
    value = {"+": 1, "-": -1, "0": 0}
    cast = [(i, j, value[c]) for i, row in enumerate(rows) for j, c in enumerate(row) if c != " "]
    people = [f"p{i}" for i in range(len(rows))]
    statements = [f"s{j}" for j in range(len(rows[0]))]
    profile = VoteProfile.from_arrays(people, statements, *np.array(cast).T)
    return Votes(Cells.of(profile), np.array([int(g) for g in groups]))


@cache
def opinions() -> tuple[Votes, ...]:
    """The votes of the file."""
    content = fixture("opinions")
    return tuple(map(votes_of, content["votes"], content["groups"]))


def test_opinion_maps_are_those_of_red_dwarf() -> None:
    """Places of people and of statements on the two axes, whose signs mean nothing."""
    content = fixture("opinions")
    worst = []
    for votes, people, statements in zip(
        opinions(), content["people"], content["statements"], strict=True
    ):
        found = plane(votes.cells, tolerance=0)
        theirs = MICRO * np.array(people)
        turn = np.sign((found.points * theirs).sum(axis=0))
        worst.append(float(np.abs(found.points * turn - theirs).max()))
        gap = np.abs(found.statements * turn - MICRO * np.array(statements)).max()
        worst.append(float(gap))

    assert max(worst) < 5 * MICRO
    assert len(opinions()) >= ENOUGH


def test_consensus_of_groups_is_that_of_red_dwarf() -> None:
    """Group-aware consensus to agree and to disagree."""
    given = fixture("opinions")["consensus"]
    worst = [
        float(np.abs(tally(v.cells, v.labels, v.labels.max() + 1).consensus.T - MICRO * t).max())
        for v, t in zip(opinions(), map(np.array, given), strict=True)
    ]

    assert max(worst) < MICRO
    assert len(worst) >= ENOUGH


def test_what_sets_groups_apart_is_what_red_dwarf_computes() -> None:
    """Counts, shares, ratios and their z-values, of each group and some statements."""
    content = fixture("opinions")
    asked = content["asked"]
    worst = []
    for votes, typical in zip(opinions(), content["typical"], strict=True):
        found = tally(votes.cells, votes.labels, int(votes.labels.max()) + 1)
        ours = np.stack(
            [*found.votes, found.seen, *found.shares, *found.share_z, *found.ratios,
             *found.ratio_z], axis=-1,
        )  # fmt: skip
        worst.append(float(np.abs(ours[:, asked] - MICRO * np.array(typical)).max()))

    assert content["columns"] == [
        "na", "nd", "ns", "pa", "pd", "pat", "pdt", "ra", "rd", "rat", "rdt",
    ]  # fmt: skip
    assert max(worst) < MICRO
    assert len(worst) >= ENOUGH


def named(picked: Sequence[tuple[int, str]]) -> list[str]:
    """Statements, with + where the group agrees with them."""
    return [("+" if side == "agree" else "-") + str(j) for j, side in picked]


def test_statements_that_stand_for_a_group_are_those_red_dwarf_picks() -> None:
    """The same statements, for or against, in the same order."""
    found = []
    for votes, theirs in zip(opinions(), fixture("opinions")["representative"], strict=True):
        groups = int(votes.labels.max()) + 1
        made = tally(votes.cells, votes.labels, groups)
        for group, picked in enumerate(theirs):
            ours = named(made.representative(group))
            # Nothing: its only significant statements are disagreements, see below.
            if picked and ours != picked:
                found.append((ours, picked))

    assert not found, f"{len(found)} differ; the first: {found[0]}"
    assert len(opinions()) >= ENOUGH


class Disputed(NamedTuple):
    """A small profile on which conventions differ."""

    election: Election
    answers: dict[str, Any]
    seats: int


def disputed(name: str) -> Disputed:
    """The profile of a difference, with what others answer."""
    case = fixture("differences")[name]
    election = election_of_text(case["alternatives"], case["ballots"], "last")
    return Disputed(election, case["answers"], case.get("seats", 1))


def elected(case: Disputed, method: str) -> str:
    """Who wins here."""
    return winners(order_of(case.election, method=method))


def test_ranked_pairs_leaves_out_equal_majorities_that_contradict_each_other() -> None:
    """B beats nobody for sure and loses to nobody for sure: no order among equals is favoured.

    pref_voting goes through every order among equal margins, which is NP-hard, and B is always
    beaten in the end; or takes them by number, which lets A win for its name.
    """
    case = disputed("ties-locked-in")
    order = order_of(case.election, method="ranked-pairs")

    assert order.facts["left_out_for_ties"]
    assert winners(order) == "ABD"
    assert case.answers == {"put": "AD", "tb": "A"}


def test_river_lets_equal_majorities_beat_somebody_together() -> None:
    """B and C beat A by three votes each. Taken together, both do, and A is no threat to D.

    In the textbook one of them does, and where that is C, A beats D, and C wins.
    """
    case = disputed("river-ties")

    assert elected(case, "river") == "D"
    assert case.answers == {"put": "CD", "tb": "D"}


def test_instant_runoff_lets_one_go_at_a_time_in_each_way() -> None:
    """B and C have one vote each. If C goes, B wins a tie with A; so both may win.

    pref_voting also has it otherwise: both go together, or the first by number, and A wins.
    """
    case = disputed("instant-runoff-ties")

    assert elected(case, "irv") == case.answers["put"] == "AB"
    assert case.answers["together"] == case.answers["by_list"] == "A"


def test_instant_runoff_divides_a_vote_among_those_who_share_the_first_place() -> None:
    """Every voter has one vote: A has two halves of four, and goes; as whole votes C would go."""
    case = disputed("instant-runoff-shared-places")

    assert elected(case, "irv") == case.answers["split"] == "B"
    assert case.answers["approval"] == "A"


def test_beat_paths_are_as_strong_as_their_winning_votes() -> None:
    """Schulze's own recommendation; by margins, other paths are strong where ballots are short."""
    case = disputed("paths-by-margins")

    assert elected(case, "schulze") == case.answers["winning_votes"] == "ABC"
    assert case.answers["margins"] == "AB"


def test_schulze_elects_all_who_are_unbeaten_by_paths() -> None:
    """B and D are unbeaten and tie; D beats more others, which Schulze's rule does not ask."""
    case = disputed("paths-won")

    assert elected(case, "schulze") == case.answers["pref_voting"] == "BD"
    assert case.answers["votelib"] == "D"


def test_of_several_maximal_lotteries_the_most_even_is_taken() -> None:
    """From B alone to A with a fifth, all are maximal; others take an end or the middle."""
    case = disputed("several-lotteries")
    chances = order_of(case.election, method="maximal-lottery").scores

    assert chances.tolist() == [0.2, 0.8, 0, 0, 0]
    assert case.answers["average"] == [100_000, 900_000, 0, 0, 0]
    assert case.answers["one"] == [0, 1_000_000, 0, 0, 0]
    for theirs in case.answers.values():
        assert (np.array(theirs) @ case.election.margins >= 0).all()


def test_surpluses_move_at_once_and_exactly() -> None:
    """Scottish rules move one surplus at a time, in five decimals: the last seat goes to E."""
    case = disputed("seats-one-surplus-at-a-time")

    assert slates_of(transferred(case.election, case.seats)) == ["ABCD"]
    assert case.answers["scottish"] == "ABCE"


def test_exhausted_ballots_are_nobodys() -> None:
    """F goes, then E: the last seat is B's. Votelib keeps the exhausted pile, so B goes with F."""
    case = disputed("exhausted-ballots")

    assert slates_of(transferred(case.election, case.seats)) == ["ABCD"]
    assert case.answers == {"pref_voting": "ABCD", "votelib": "ACDE"}


def test_equal_shares_fills_up_by_phragmen() -> None:
    """Nobody can buy anything together; others fill up by approvals, or not at all."""
    case = fixture("differences")["completions"]
    ballots = [ballot.partition(":") for ballot in case["ballots"].split(" ")]
    rows = np.array([[a in members for a in "ABC"] for _, _, members in ballots], dtype=np.int16)
    election = election_of_rows(3, [int(count) for count, _, _ in ballots], rows, 1)
    chosen: Chosen = plugins.get("slates", "equal-shares")(election, case["seats"])

    assert letters(chosen.members) == "AB"
    assert chosen.tied
    assert chosen.facts["bought"] == []
    assert case["answers"] == {"phragmen": ["AB", "AC"], "approvals": ["BC"], "none": [""]}


def disputed_grades(name: str) -> tuple[str, dict[str, str], list[list[int]]]:
    """Who wins by majority judgement here and elsewhere, and the medians of each as taken away."""
    case = fixture("differences")[name]
    ballots = [ballot.partition(":") for ballot in case["ballots"].split(" ")]
    rows = np.array([[int(g) for g in row] for _, _, row in ballots], dtype=np.int16)
    counts = [int(count) for count, _, _ in ballots]
    election = election_of_rows(case["alternatives"], counts, rows, 1)
    values = [medians_taken(column) for column in np.repeat(rows, counts, axis=0).T.tolist()]
    return winners(order_of(election, method="majority-judgement")), case["answers"], values


def test_majority_judgement_looks_beyond_the_first_median() -> None:
    """Both have median 0 and half of the grades above it: the gauge is level, the value is not."""
    ours, theirs, values = disputed_grades("medians")

    assert ours == theirs["votelib"] == "B"
    assert values == [[0, 1], [0, 3]]
    assert theirs["pref_voting"] == "AB"


def test_majority_judgement_takes_medians_away_one_by_one() -> None:
    """C has four twos before anything else, B three, A one; votelib takes several away at once."""
    ours, theirs, values = disputed_grades("medians-taken-together")

    assert ours == theirs["pref_voting"] == "C"
    assert [value[:4] for value in values] == [[2, 1, 3, 1], [2, 2, 2, 1], [2, 2, 2, 2]]
    assert theirs["votelib"] == "A"


def test_disagreements_stand_for_a_group_that_agrees_on_nothing() -> None:
    """red-dwarf shows significant statements only behind a best agreement, so here nothing."""
    case = fixture("differences")["only-disagreements"]
    votes = votes_of(case["votes"], case["groups"])
    made = tally(votes.cells, votes.labels, 2)

    assert [named(made.representative(group)) for group in range(2)] == [
        ["-0"], case["answers"]["red-dwarf"][1],
    ]  # fmt: skip
    assert case["answers"]["red-dwarf"][0] == []
