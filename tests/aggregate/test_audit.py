"""The audit of a profile says what is so, leaves nothing out without a word, and repeats."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from tests.aggregate.elections import election_from, election_of_pairs, preflib

from normwright import plugins
from normwright.aggregate import Election, Inapplicable, prices
from normwright.aggregate.audit import audit, strongest_cycle
from normwright.aggregate.methods import Method
from normwright.records import Audit, Ballot, Ballots, PluginError

CYCLE = "35: A > B > C\n33: B > C > A\n32: C > A > B"
METHODS = ("borda", "schulze")


def whole(text: str, **more: float) -> Audit:
    """The audit of some lines."""
    return audit(election_from(text), methods=METHODS, seed=1, rounds=100, **more)  # type: ignore[arg-type]


def test_a_cycle_is_named_with_its_weakest_link() -> None:
    """The Smith set is all three, and the weakest majority of the cycle is by 30 of 100."""
    found = whole(CYCLE).cycles

    assert found.smith == ("A", "B", "C")
    assert found.condorcet_winner is None
    assert sorted(found.cycle) == ["A", "B", "C"]
    # A over B 67 to 33, B over C 68 to 32, C over A 65 to 35.
    assert (found.weakest, found.margin, found.share) == (("C", "A"), 30, 0.3)
    assert found.has_winner.n == 100
    assert found.has_winner.seed == 1
    assert found.has_winner.interval is not None
    assert found.has_winner.value is not None
    assert found.has_winner.value < 0.2


def test_agreement_without_a_cycle() -> None:
    """Where everybody agrees every method does, every pair is in the core, and nothing breaks."""
    found = whole("60: A > B > C\n1: A > C > B")

    assert found.cycles.condorcet_winner == "A"
    assert found.cycles.cycle == ()
    assert found.cycles.weakest is None
    assert found.dependence.winners == {"borda": ("A",), "schulze": ("A",)}
    assert found.dependence.agreed == 1.0
    assert found.dependence.agreement["borda"]["schulze"] == 1.0
    assert set(found.robust_core) == {("A", "B"), ("A", "C"), ("B", "C")}
    assert found.left_out == {}
    rates = {(f.axiom, f.method): f.rate for f in found.findings}
    assert rates["condorcet", "borda"] == 0.0
    assert rates["iia", "schulze"] == 0.0
    assert all(p.winners_change.value == 0.0 for p in found.perturbations)


def test_the_core_is_what_every_method_says_in_nearly_every_resample() -> None:
    """It is what counting over the same resamples, one by one, gives."""
    ballots = election_from("30: A > B > C > D\n25: B > A > D > C\n20: C > B > A > D")
    found = audit(ballots, methods=METHODS, seed=4, rounds=60)
    asked: list[Method] = [plugins.get("methods", slug) for slug in METHODS]
    share = dict.fromkeys(permutations(range(4), 2), 0)
    for counts in ballots.drawn(np.random.default_rng([4, 1]), 60):
        one = ballots.with_counts(counts)
        places = [{a: i for i, t in enumerate(f(one).tiers) for a in t} for f in asked]
        for a, b in share:
            share[a, b] += all(place[a] < place[b] for place in places)
    names = ballots.alternatives

    core = {(names[a], names[b]) for (a, b), n in share.items() if n >= 0.95 * 60}
    assert set(found.robust_core) == core
    assert 0 < len(core) < 6


def test_borda_is_caught_with_its_witnesses() -> None:
    """A majority's first choice does not win: found on the profile, and how often in resamples."""
    found = whole("55: A > B > C\n45: B > C > A")
    by = {(f.axiom, f.method): f for f in found.findings}

    for axiom in ("majority", "condorcet", "smith"):
        finding = by[axiom, "borda"]
        assert finding.witness is not None
        assert finding.rate is not None
        assert finding.interval is not None
        assert finding.rate > 0.5
        assert by[axiom, "schulze"].rate == 0.0
        assert by[axiom, "schulze"].witness is None
    assert by["iia", "borda"].rate is not None
    assert by["iia", "borda"].exhaustive
    assert by["iia", "borda"].interval is not None
    assert by["iia", "borda"].interval.method == "all-tried"
    lied = by["strategy-proofness", "borda"]
    assert lied.rate is None
    assert lied.witness is not None
    assert 0 < lied.witness.data["coalition"] <= 55
    assert lied.counted == "changed profiles tried"


def test_what_costs_too_much_is_left_out_in_words() -> None:
    """On a small budget dear methods stay out of what is asked often, and the audit says so."""
    population = plugins.get("populations", "impartial-culture")
    ballots = population(60, 12, np.random.default_rng(0))
    found = audit(ballots, methods=METHODS, seed=0, rounds=50, budget=0.05)

    assert found.left_out["schulze"].startswith("ranking 12 alternatives once costs about")
    assert "resamples" in found.left_out["schulze"]
    assert "schulze" not in found.resampled


def test_methods_that_do_not_take_the_ballots_are_left_out() -> None:
    """They are named with their own reason; with none left there is no audit."""
    refusing = "majority-judgement"
    found = audit(election_from(CYCLE), methods=["borda", refusing], seed=0, rounds=10)

    assert "grades" in found.left_out[refusing]
    with pytest.raises(Inapplicable, match="grades"):
        audit(election_from(CYCLE), methods=[refusing], seed=0, rounds=10)
    with pytest.raises(PluginError, match="Did you mean 'borda'"):
        audit(election_from(CYCLE), methods=["brda"], seed=0, rounds=10)


def test_nobody_is_not_audited() -> None:
    """Without a voter or an alternative there is nothing to try, and that is said."""
    nothing = np.zeros((0, 0), dtype=np.int16)
    for names in ((), ("a", "b")):
        election = Election(names, nothing.reshape(0, len(names)), np.zeros(0, dtype=np.int64))
        with pytest.raises(Inapplicable, match="0 voters"):
            audit(election, seed=1)


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("bradley-terry", "6: A > B\n1: B > A\n5: B > C\n1: C > B"),
        ("plackett-luce", "6: A > B > C\n1: B > A > C\n1: C > B > A"),
    ],
)
def test_refused_on_the_way(method: str, text: str) -> None:
    """A method that does not apply to some resamples is audited on the others, and it is told."""
    election = election_from(text, unranked="apart")
    found = audit(election, methods=[method, "schulze"], seed=1, rounds=50)

    assert "of the resamples" in found.left_out[method]
    assert found.robust_core == ()
    assert all(one.n > 0 for one in found.findings if one.method == method and one.axiom == "iia")
    assert {one.method for one in found.findings} >= {"schulze"}


def test_only_pairs_are_audited_as_far_as_they_go() -> None:
    """Without voters nothing is resampled, and what was not asked is said."""
    wins = np.array([[0, 7, 6], [3, 0, 8], [4, 2, 0]])
    found = audit(election_of_pairs(wins, "ABC", 10), methods=METHODS, seed=0, rounds=50)

    assert found.cycles.condorcet_winner == "A"
    assert (found.rounds, found.robust_core, found.resampled) == (0, (), ())
    assert {"resamples", "participation", "perturbations"} <= set(found.left_out)
    assert {f.axiom for f in found.findings} >= {"iia", "condorcet"}


def test_voters_of_several_orders_are_drawn_whole() -> None:
    """Paired comparisons are audited too; what speaks of one ballot each is left out."""
    rows = Ballots.of(
        (f"v{i}", ((a,), (b,))) for i in range(30) for a, b in (("A", "B"), ("B", "C"), ("A", "C"))
    )
    ballots = Election.of(rows, alternatives=("A", "B", "C"), unranked="apart")
    assert ballots.bundles is not None
    found = audit(ballots, methods=METHODS, seed=0, rounds=20)

    assert set(found.robust_core) == {("A", "B"), ("A", "C"), ("B", "C")}
    assert "participation" in found.left_out
    assert {p.change for p in found.perturbations} == {"delete-1-percent", "reweight"}


def test_the_most_active_are_left_out_where_they_are_known() -> None:
    """Two hundred voters name one, two rank all three: without these two the winner is another."""
    found = audit(
        election_from("100: A\n101: B\n2: A > C > B"), methods=["borda"], seed=0, rounds=20
    )
    moved = {p.change: p for p in found.perturbations}

    assert moved["delete-most-active-1-percent"].winners_change.value == 1.0
    assert moved["delete-1-percent"].winners_change.value != 1.0


def test_same_ballots_same_audit() -> None:
    """Byte for byte; another order of rows changes nothing of what was found on the profile."""
    one, other = whole(CYCLE), whole(CYCLE)
    ballots = election_from(CYCLE)
    turned = replace(ballots, orders=ballots.orders[::-1], counts=ballots.counts[::-1])
    third = audit(turned, methods=METHODS, seed=1, rounds=100)

    assert one.model_dump_json() == other.model_dump_json()
    assert third.rankings == one.rankings
    assert third.dependence == one.dependence
    assert third.cycles.cycle == one.cycles.cycle


def test_progress_is_told() -> None:
    """Every step is told once, counted from 0 to all."""
    told: list[tuple[int, int, str]] = []
    audit(
        election_from(CYCLE), methods=METHODS, seed=0, rounds=10,
        progress=lambda done, total, what: told.append((done, total, what)),
    )  # fmt: skip

    assert [done for done, _, _ in told] == list(range(5))
    assert {total for _, total, _ in told} == {4}
    assert {"borda", "schulze"} <= {what for _, _, what in told}


def test_an_audit_is_json() -> None:
    """What the command line prints can be read back."""
    found = whole(CYCLE)

    assert Audit.model_validate_json(found.model_dump_json()) == found
    assert json.loads(found.model_dump_json())["robust_at"] == 0.95


def test_the_strongest_cycle_is_what_trying_all_finds() -> None:
    """Of every cycle in drawn tournaments none has a stronger weakest link."""
    rng = np.random.default_rng(6)
    cyclic = 0
    for _ in range(150):
        m = int(rng.integers(3, 6))
        upper = np.triu(rng.integers(-9, 10, (m, m)), 1)
        margins = upper - upper.T
        best = 0
        for size in range(3, m + 1):
            for path in permutations(range(m), size):
                links = [margins[a, b] for a, b in zip(path, (*path[1:], path[0]), strict=True)]
                best = max(best, min(links))
        found = strongest_cycle(margins)
        if best:
            cyclic += 1
            ends = zip(found, (*found[1:], found[0]), strict=True)
            assert min(margins[a, b] for a, b in ends) == best
        else:
            assert found == ()
    assert cyclic > 20


def test_a_budget_is_shared_and_kept() -> None:
    """Cheap methods leave what they do not need to dear ones, and all keep to the budget."""
    asked = prices.shared({"a": 0.01, "b": 1.0, "c": 0.1}, 10.0, most=100)

    assert asked == {"a": 100, "c": 45, "b": 4}
    assert 100 * 0.01 + 45 * 0.1 + 4 * 1.0 <= 10.0


def test_all_or_none_goes_to_the_cheapest() -> None:
    """Methods are asked so often or not at all, the cheapest first, while the budget lasts."""
    price = {"dear": 1.0, "cheap": 0.1, "middle": 0.3}

    assert prices.afforded(price, 4.0, times=10) == {"cheap", "middle"}
    assert prices.afforded(price, 3.9, times=10) == {"cheap"}
    assert prices.afforded(price, 0.5, times=10) == frozenset()


def test_every_method_that_ships_has_a_price_of_its_own() -> None:
    """None is taken for a stranger's."""
    ours = {c.name for c in plugins.cards("methods")}

    assert {n for n in ours if plugins.origin("methods", n).distribution == plugins.OURS} == set(
        prices.PRICES
    )


def test_prices_grow_with_size() -> None:
    """No method costs less for more alternatives or ballots, a stranger's neither."""
    for slug in [c.name for c in plugins.cards("methods")] + ["stranger"]:
        small = prices.seconds(slug, alternatives=10, rows=100)
        assert small > 0
        assert prices.seconds(slug, alternatives=20, rows=100) > small
        assert prices.seconds(slug, alternatives=10, rows=1000) > small


def test_ballots_of_one_alternative_are_no_trouble() -> None:
    """There is nothing to compare, and nothing breaks."""
    rows = Ballots.of([("v", Ballot(participant="v", tiers=(("A",),)).tiers)])
    found = audit(Election.of(rows, alternatives=("A",)), methods=METHODS, seed=0, rounds=10)

    assert found.cycles.condorcet_winner == "A"
    assert found.robust_core == ()
    assert found.dependence.agreed is None


def test_burlington_2009_is_caught(data_dir: Path) -> None:
    """Kiss, who won by instant runoff, would have lost with more votes, and to honest lies.

    The lift is run again from the witness alone: Montroll wins, and with one voter fewer Kiss does
    too, by a tie.
    """
    ballots = preflib(data_dir, "2009 Burlington Mayoral Election")
    found = audit(ballots, methods=["irv"], seed=0, rounds=20)
    by = {finding.axiom: finding for finding in found.findings}

    assert by["condorcet"].witness is not None
    lifted, lied = by["coalition-monotonicity"], by["strategy-proofness"]
    assert lifted.witness is not None
    assert not lifted.exhaustive
    assert lifted.witness.data["alternative"] == "Bob Kiss"
    assert lifted.witness.data["changed_outcome"][0] == ["Andy Montroll"]
    # Wright is ahead of Montroll by 743 when three are left; so many fewer make it a tie.
    assert lifted.witness.data["coalition"] == 744
    assert lied.witness is not None
    assert lied.witness.data["changed_outcome"][0] == ["Andy Montroll"]
    assert lied.witness.data["coalition"] < 400
    assert runoff_after(ballots, lifted.witness.data["moves"], 0) == ["Andy Montroll"]
    assert runoff_after(ballots, lifted.witness.data["moves"], 1) == ["Bob Kiss", "Andy Montroll"]


def runoff_after(ballots: Election, moves: list[dict[str, str]], fewer: int) -> list[str]:
    """Who wins by instant runoff once the voters of a witness, but the last few, do as it says."""
    index = {name: i for i, name in enumerate(ballots.alternatives)}

    def read(line: str) -> tuple[int, tuple[int, ...]]:
        count, order = line.split(":")
        levels = [-1] * len(index)
        for level, tier in enumerate(order.split(" > ")):
            for name in tier.split(" = "):
                levels[index[name.strip()]] = level
        return int(count), tuple(levels)

    given: dict[tuple[int, ...], int] = {}
    for row, count in zip(ballots.orders.tolist(), ballots.counts.tolist(), strict=True):
        given[tuple(row)] = given.get(tuple(row), 0) + count
    for number, move in enumerate(moves):
        (count, old), (_, new) = read(move["voters"]), read(move["instead"])
        count -= fewer if number == len(moves) - 1 else 0
        assert given[old] >= count
        given[old] -= count
        given[new] = given.get(new, 0) + count
    after = Election(
        ballots.alternatives,
        np.array(list(given), dtype=np.int16),
        np.array(list(given.values()), dtype=np.int64),
    )
    method: Method = plugins.get("methods", "irv")
    return [ballots.alternatives[a] for a in method(after).tiers[0]]
