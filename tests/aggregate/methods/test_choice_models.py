"""Bradley-Terry, Plackett-Luce and best-worst: the likelihood's maximum, errors that hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog, minimize
from tests.aggregate.elections import election_from, election_of_pairs

from normwright.aggregate import Bundles, Election, Inapplicable
from normwright.aggregate.methods.bradley_terry import compared, fitted, wins_of
from normwright.aggregate.ranking import order_of
from normwright.aggregate.strengths import connected, shifts_apart

QUIET = settings(deadline=None, max_examples=40, derandomize=True)
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def best_of(loss: Callable[[Floats], float], size: int) -> Floats:
    """The least of a loss by a general optimiser that knows no derivatives of ours."""
    found = minimize(loss, np.zeros(size), method="BFGS", options={"gtol": 1e-7})
    return np.asarray(found.x, dtype=np.float64)


def curvature(loss: Callable[[Floats], float], at: Floats) -> Floats:
    """Second derivatives by differences."""
    h, n = 1e-4, len(at)
    eye = np.eye(n) * h
    made = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            made[i, j] = (
                loss(at + eye[i] + eye[j]) - loss(at + eye[i] - eye[j])
                - loss(at - eye[i] + eye[j]) + loss(at - eye[i] - eye[j])
            ) / (4 * h * h)  # fmt: skip
    return made


def pair_loss(wins: Counts, ties: Counts) -> Callable[[Floats], float]:
    """Davidson's negative log likelihood, pair by pair; the last number is log of the tie rate."""
    m = len(wins)

    def loss(at: Floats) -> float:
        t, tie = at[:m], exp(at[m]) if ties.any() else 0.0
        total = 0.0
        for i in range(m):
            for j in range(i):
                weights = exp(t[i]), exp(t[j]), tie * exp((t[i] + t[j]) / 2)
                seen = wins[i, j], wins[j, i], ties[i, j]
                for weight, count in zip(weights, seen, strict=True):
                    total -= count * log(weight / sum(weights)) if count else 0.0
        return total

    return loss


@st.composite
def matches(draw: st.DrawFn) -> tuple[Counts, Counts]:
    """Wins and ties of a few alternatives."""
    m = draw(st.integers(2, 4))
    cells = st.lists(st.integers(0, 5), min_size=m * m, max_size=m * m)
    wins = np.array(draw(cells), dtype=np.int64).reshape(m, m)
    half = np.array(draw(cells), dtype=np.int64).reshape(m, m) * draw(st.integers(0, 1))
    np.fill_diagonal(wins, 0)
    ties = np.tril(half, -1)
    return wins, ties + ties.T


def has_maximum(wins: Counts, ties: Counts) -> bool:
    """Whether no direction keeps or raises the chance of all that was seen, by linear programs."""
    m = len(wins)
    tied = bool(ties.any())
    rows: list[Floats] = []
    for i in range(m):
        for j in range(m):
            apart = np.zeros(m + 1)
            apart[i], apart[j] = 1, -1
            shift = np.zeros(m + 1)
            shift[m] = 2
            if wins[i, j]:
                # What was seen must stay at least as likely as what was not: t_i - t_j >= 0, 2 d.
                rows += [-apart, shift - apart] if tied else [-apart]
            if ties[i, j]:
                rows.append(apart - shift)
    for sign in (1, -1):
        for axis in range(m + tied):
            aim = np.zeros(m + 1)
            aim[axis] = sign
            bounds = [(-1, 1)] * m + [(-1, 1) if tied else (0, 0)]
            # The first strength is held at zero: only differences count.
            bounds[0] = (0, 0)
            found = linprog(aim, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), bounds=bounds)
            if found.fun is None or found.fun < -1e-9:
                return False
    return True


@QUIET
@given(matches())
def test_strengths_exist_where_no_direction_improves(case: tuple[Counts, Counts]) -> None:
    """Estimates are refused exactly where linear programs find a way to ever better fits."""
    wins, ties = case
    assume(wins.any() or ties.any())

    if has_maximum(wins, ties):
        assert np.isfinite(fitted(wins, ties).strengths).all()
    else:
        with pytest.raises(Inapplicable):
            fitted(wins, ties)


@QUIET
@given(matches())
def test_strengths_are_most_likely(case: tuple[Counts, Counts]) -> None:
    """Strengths, tie rate and errors equal a general optimiser's on the sum over pairs."""
    wins, ties = case
    m = len(wins)
    assume((wins + np.eye(m) > 0).all() and not shifts_apart(wins > 0, ties > 0))
    loss = pair_loss(wins, ties)
    slow = best_of(loss, m + 1)
    seen = fitted(wins, ties)

    assert seen.strengths == pytest.approx(slow[:m] - slow[:m].mean(), abs=1e-4)
    if ties.any():
        assert seen.tie == pytest.approx(exp(slow[m]), rel=1e-3)
    at = np.append(seen.strengths, log(seen.tie) if seen.tie else 0.0)
    size = m + bool(ties.any())
    bent = curvature(loss, at)[:size, :size]
    bent[:m, :m] += 1 / m
    assert seen.covariance == pytest.approx(np.linalg.inv(bent)[:m, :m] - 1 / m, abs=2e-3)


def test_two_alternatives_in_closed_form() -> None:
    """Nine wins, four losses, six ties: log odds, their error, and the tie rate by hand."""
    wins, ties = np.array([[0, 9], [4, 0]]), np.array([[0, 6], [6, 0]])
    plain, davidson = fitted(wins), fitted(wins, ties)
    apart = plain.covariance[0, 0] + plain.covariance[1, 1] - 2 * plain.covariance[0, 1]

    assert plain.strengths[0] - plain.strengths[1] == pytest.approx(log(9 / 4))
    assert sqrt(apart) == pytest.approx(sqrt(1 / 9 + 1 / 4))
    assert davidson.strengths[0] - davidson.strengths[1] == pytest.approx(log(9 / 4))
    assert davidson.tie == pytest.approx(6 / sqrt(36))


def test_winners_and_losers_are_counted() -> None:
    """Arrays of winners and losers give the matrix of wins."""
    seen = wins_of(np.array([0, 0, 2, 1]), np.array([1, 1, 0, 2]), 3)

    assert seen.tolist() == [[0, 2, 0], [0, 0, 1], [1, 0, 0]]


def test_who_cannot_be_estimated_is_named() -> None:
    """An unbeaten alternative, one that never won, strangers and islands: each by name, at once."""
    with pytest.raises(Inapplicable) as caught:
        order_of(
            election_from(
                "3: a > b\n2: b > c\n1: c > b\n4: c > d\n2: x > y\n1: y > x", unranked="apart"
            ),
            method="bradley-terry",
        )
    said = str(caught.value)

    assert "never put below any of the others: a" in said
    assert "never put above any of the others: d" in said
    assert "groups never compared with one another: a, b, c, d | x, y" in said
    lonely = election_of_pairs(np.array([[0, 2, 0], [1, 0, 0], [0, 0, 0]]), ["a", "b", "c"], 3)
    with pytest.raises(Inapplicable, match="never compared with any other: c"):
        order_of(lonely, method="bradley-terry")


def test_a_ridge_is_asked_for_and_never_taken() -> None:
    """With a ridge an unbeaten alternative has a finite strength; without, there is none."""
    wins = np.array([[0, 3], [0, 0]])
    with pytest.raises(Inapplicable):
        fitted(wins)
    seen = fitted(wins, ridge=0.5)
    slow = best_of(lambda t: 3 * log(1 + exp(t[1] - t[0])) + 0.25 * float(t @ t), 2)

    assert seen.strengths == pytest.approx(slow, abs=1e-5)


def test_islands_of_names_are_cut_short_with_a_count() -> None:
    """Two hundred strangers are not listed one by one, and the rest are counted."""
    with pytest.raises(Inapplicable, match=r"192 more"):
        connected(
            np.zeros((200, 200), dtype=bool), [f"n{i:03}" for i in range(200)], "x", advice=""
        )


def orders_loss(
    orders: Sequence[Sequence[int]], sets: Sequence[Sequence[int]]
) -> Callable[[Floats], float]:
    """Plackett and Luce's negative log likelihood, choice by choice."""

    def loss(t: Floats) -> float:
        total = 0.0
        for order, shown in zip(orders, sets, strict=True):
            left = list(shown)
            for c in order:
                total -= t[c] - log(sum(exp(t[x]) for x in left))
                left.remove(c)
        return total

    return loss


@QUIET
@given(st.integers(0, 10**6), st.sampled_from(["last", "apart"]))
def test_orders_are_most_likely(seed: int, unranked: str) -> None:
    """Strengths from orders of some equal a general optimiser's, whichever way the rest counts."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(3, 6))
    orders = [rng.permutation(m)[: rng.integers(2, m + 1)].tolist() for _ in range(20)]
    tiers = np.full((20, m), -1, dtype=np.int16)
    for row, order in zip(tiers, orders, strict=True):
        row[order] = np.arange(len(order))
    counts = rng.integers(1, 4, 20)
    election = Election(tuple("abcde"[:m]), tiers, counts, unranked=unranked)  # type: ignore[arg-type]
    repeated = [o for o, n in zip(orders, counts, strict=True) for _ in range(n)]
    sets = [range(m) if unranked == "last" else sorted(o) for o in repeated]
    loss = orders_loss(repeated, sets)
    try:
        seen = order_of(election, method="plackett-luce")
    except Inapplicable:
        assume(False)
    slow = best_of(loss, m)
    bent = curvature(loss, seen.scores) + 1 / m

    assert seen.scores == pytest.approx(slow - slow.mean(), abs=1e-4)
    assert seen.errors == pytest.approx(np.sqrt(np.diag(np.linalg.inv(bent)) - 1 / m), abs=1e-3)


def test_orders_with_ties_are_refused_with_their_number() -> None:
    """Ties above the last tier are refused; the last tier may hold several."""
    with pytest.raises(Inapplicable, match=r"ties above their last tier, saw 3 that"):
        order_of(election_from("3: A = B > C\n2: C > B > A"), method="plackett-luce")
    level = order_of(
        election_from("3: A > B = C\n2: B > A = C\n2: C > A = B"), method="plackett-luce"
    )
    short = order_of(election_from("3: A\n2: B\n2: C"), method="plackett-luce")

    assert level.scores.tolist() == short.scores.tolist()
    # First choices alone: strengths are logarithms of shares.
    assert level.scores[0] - level.scores[1] == pytest.approx(log(3 / 2))
    assert level.tiers == ((0,), (1, 2))


def test_orders_that_do_not_link_are_refused() -> None:
    """An alternative that is always first has no finite strength."""
    with pytest.raises(Inapplicable, match="never put below any of the others: A"):
        order_of(election_from("3: A > B > C\n2: A > C > B"), method="plackett-luce")


def sets_election(rng: np.random.Generator, m: int, size: int, sets: int, t: Floats) -> Election:
    """Best-worst answers drawn from the model."""
    tiers = np.full((sets, m), -1, dtype=np.int16)
    for row in tiers:
        shown = rng.choice(m, size, replace=False)
        best = rng.choice(shown, p=np.exp(t[shown]) / np.exp(t[shown]).sum())
        rest = shown[shown != best]
        worst = rng.choice(rest, p=np.exp(-t[rest]) / np.exp(-t[rest]).sum())
        row[shown] = 1
        row[best], row[worst] = 0, 2
    return Election(
        tuple(f"s{j}" for j in range(m)), tiers, np.ones(sets, dtype=np.int64), unranked="apart"
    )


@settings(deadline=None, max_examples=10, derandomize=True)
@given(st.integers(0, 10**6))
def test_best_and_worst_are_most_likely(seed: int) -> None:
    """Strengths and errors equal a general optimiser's on the sequential likelihood with prior."""
    rng = np.random.default_rng(seed)
    m = 5
    election = sets_election(rng, m, 4, 25, rng.normal(size=m))

    def loss(t: Floats) -> float:
        total = float(t @ t) / 98
        for row in election.orders:
            shown = np.flatnonzero(row >= 0)
            best, worst = np.flatnonzero(row == 0)[0], np.flatnonzero(row == 2)[0]
            rest = shown[shown != best]
            total -= t[best] - log(np.exp(t[shown]).sum())
            total -= -t[worst] - log(np.exp(-t[rest]).sum())
        return total

    slow = best_of(loss, m)
    seen = order_of(election, method="best-worst")

    assert seen.scores == pytest.approx(slow, abs=1e-4)
    across = np.eye(m) - 1 / m
    spread = across @ np.linalg.inv(curvature(loss, seen.scores)) @ across
    assert seen.errors == pytest.approx(np.sqrt(np.diag(spread)), rel=1e-3)


def test_other_ballots_are_no_best_worst_answers() -> None:
    """Several best, whole orders of four, and what was never shown but counts as last: refused."""
    for ballots, said in (
        ("2: A = B > C\n1: A > B > C", "2 other ballots"),
        ("5: A > B > C > D", "5 other ballots"),
        ("1: A = B", "1 other ballots"),
    ):
        with pytest.raises(Inapplicable, match=said):
            order_of(election_from(ballots, unranked="apart"), method="best-worst")
    with pytest.raises(Inapplicable, match="unranked apart"):
        order_of(election_from("1: A > B = C > D\n1: A > B"), method="best-worst")


def test_what_nobody_was_shown_is_told() -> None:
    """An alternative never shown keeps the prior, in strength and error, and is named."""
    election = election_from("2: A > B > C\n1: C > B > A", unranked="apart")
    orders = np.pad(election.orders, ((0, 0), (0, 1)), constant_values=-1)
    wider = Election((*election.alternatives, "Z"), orders, election.counts, unranked="apart")
    seen = order_of(wider, method="best-worst")
    clustered = order_of(repeated(wider, [[0], [1], [0, 1]], [9, 8, 7]), method="best-worst")

    assert clustered.errors is not None
    assert clustered.errors[3] == pytest.approx(7 * sqrt(3 / 4), abs=0.01)
    assert seen.facts["never_shown"] == ["Z"]
    assert seen.scores[3] == 0.0
    assert seen.errors is not None
    assert seen.places is not None
    assert seen.errors[3] == pytest.approx(7 * sqrt(3 / 4), abs=1e-6)
    assert seen.places[3].tolist() == [1, 4]


def repeated(
    election: Election, patterns: Sequence[Sequence[int]], counts: Sequence[int]
) -> Election:
    """The same orders, given by voters who answered several times."""
    starts = np.cumsum([0, *(len(p) for p in patterns)])
    members = np.array([k for p in patterns for k in p])
    given_by = np.zeros(len(election.counts), dtype=np.int64)
    for pattern, number in zip(patterns, counts, strict=True):
        for k in pattern:
            given_by[k] += number
    return Election(
        election.alternatives, election.orders, given_by, unranked=election.unranked,
        bundles=Bundles(starts, members, np.array(counts)),
    )  # fmt: skip


@pytest.mark.parametrize("method", ["bradley-terry", "plackett-luce", "best-worst"])
def test_who_repeats_themselves_is_no_crowd(method: str) -> None:
    """Everybody's answer given three times over leaves the errors as they were."""
    pairs = election_from(
        "1: A > B\n1: B > A\n1: A > C\n1: C > A\n1: B > C\n1: C > B", unranked="apart"
    )
    k = range(len(pairs.counts))
    number = [20, 12, 25, 9, 16, 14]
    once = order_of(repeated(pairs, [[j] for j in k], number), method=method)
    thrice = order_of(repeated(pairs, [[j] * 3 for j in k], number), method=method)

    # The prior of best-worst weighs a little less beside three times the answers.
    near = 2e-3 if method == "best-worst" else 1e-7
    assert thrice.errors == pytest.approx(once.errors, rel=near)
    assert thrice.scores == pytest.approx(once.scores, abs=near)
    assert once.facts["errors_assume"] == "voters independent, their own answers not"


def test_clustered_errors_equal_the_sum_over_voters() -> None:
    """For whole orders with ties, the sandwich equals summing gradients ballot by ballot."""
    election = election_from("5: A > B = C\n4: B > C > A\n3: C = A > B\n4: A > C > B\n2: B > A")
    seen = order_of(election, method="bradley-terry")
    levels = [[x if x >= 0 else 9 for x in row] for row in election.orders.tolist()]
    pairs = [
        (row, int(count), i, j)
        for row, count in enumerate(election.counts)
        for i in range(3)
        for j in range(i)
        if levels[row][i] < 9 or levels[row][j] < 9
    ]

    def one(t: Floats, row: int, i: int, j: int) -> float:
        level = levels[row]
        weights = exp(t[i]), exp(t[j]), exp(t[3] + (t[i] + t[j]) / 2)
        seen = 0 if level[i] < level[j] else 1 if level[j] < level[i] else 2
        return -log(weights[seen] / sum(weights))

    def total(t: Floats) -> float:
        return float(sum(count * one(t, row, i, j) for row, count, i, j in pairs))

    at = np.append(seen.scores, log(seen.facts["tie_parameter"]))
    assert best_of(total, 4)[3] == pytest.approx(at[3], abs=1e-4)
    bent = curvature(total, at)
    bent[:3, :3] += 1 / 3
    bread = np.linalg.inv(bent)
    middle = np.zeros((4, 4))
    for row, count in enumerate(election.counts):
        mine = [(i, j) for r, _, i, j in pairs if r == row]

        def ballot(t: Floats, row: int = row, mine: list[tuple[int, int]] = mine) -> float:
            return sum(one(t, row, i, j) for i, j in mine)

        eye = np.eye(4) * 1e-5
        slope = np.array([(ballot(at + e) - ballot(at - e)) / 2e-5 for e in eye])
        middle += count * np.outer(slope, slope)
    sandwich = bread @ middle @ bread * (18 / 17)

    assert seen.errors == pytest.approx(np.sqrt(np.diag(sandwich)[:3]), rel=1e-4)


def test_few_voters_tell_nothing_of_how_others_differ() -> None:
    """One voter with many comparisons: strengths, but no errors and no places, and that is said."""
    pairs = election_from(
        "1: A > B\n1: B > A\n1: A > C\n1: C > A\n1: B > C\n1: C > B", unranked="apart"
    )
    seen = order_of(repeated(pairs, [[0, 1, 2, 3, 4, 5, 0]], [1]), method="bradley-terry")

    assert (seen.errors, seen.places) == (None, None)
    assert seen.facts["errors"] == "cannot be told from so few voters"


def test_clear_differences_have_narrow_places() -> None:
    """A thousand wins against ten leave one place each; a dozen comparisons leave all places."""
    wins = np.array([[0, 1000, 1000], [10, 0, 1000], [10, 10, 0]])
    sure = order_of(election_of_pairs(wins, list("abc"), 1), method="bradley-terry")
    few = np.array([[0, 3, 3], [1, 0, 3], [1, 1, 0]])
    unsure = order_of(election_of_pairs(few, list("abc"), 1), method="bradley-terry")
    assert sure.places is not None
    assert unsure.places is not None

    assert sure.places.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert unsure.places.tolist() == [[1, 3]] * 3


@pytest.mark.parametrize("method", ["bradley-terry", "plackett-luce"])
def test_names_and_repetition_change_nothing(method: str) -> None:
    """Renaming alternatives or voters renames the result, exactly; copies keep strengths."""
    text = (
        "5: A > B > C > D\n4: B > D > A > C\n3: C > A > D > B\n2: D > C > B > A\n2: D > A > B > C"
    )
    first = order_of(election_from(text), method=method)
    renamed = "\n".join(text.translate(str.maketrans("ABCD", "CADB")).split("\n")[::-1])
    other = order_of(election_from(renamed), method=method)
    twice = order_of(election_from(text + "\n" + text), method=method)
    moved = [2, 0, 3, 1]

    assert first.errors is not None
    assert other.errors is not None
    assert [other.scores[j] for j in moved] == first.scores.tolist()
    assert [other.errors[j] for j in moved] == first.errors.tolist()
    assert twice.scores.tolist() == first.scores.tolist()
    assert twice.tiers == first.tiers


def test_symmetrical_evidence_is_level() -> None:
    """A cycle of equal comparisons leaves three level, though sums round differently."""
    for method in ("bradley-terry", "plackett-luce"):
        seen = order_of(election_from("7: A > B > C\n7: B > C > A\n7: C > A > B"), method=method)

        assert seen.tiers == ((0, 1, 2),)
        assert seen.scores.tolist() == [0.0, 0.0, 0.0]


def covered(truth: Floats, seen_scores: Floats, errors: Floats) -> int:
    """How many of the true strengths lie within 1.96 errors."""
    return int((np.abs(seen_scores - truth) <= 1.959964 * errors).sum())


def test_intervals_of_comparisons_cover() -> None:
    """Bradley-Terry: 95 % intervals hold the truth in 93 to 97 % of 500 draws, places in 95 %."""
    rng = np.random.default_rng(5)
    m, truth = 6, np.linspace(-1, 1, 6)
    i, j = np.tril_indices(m, -1)
    hits = right = 0
    for _ in range(500):
        won = rng.binomial(40, 1 / (1 + np.exp(truth[j] - truth[i])))
        wins = np.zeros((m, m), dtype=np.int64)
        wins[i, j], wins[j, i] = won, 40 - won
        seen = order_of(election_of_pairs(wins, list("abcdef"), 1), method="bradley-terry")
        assert seen.errors is not None
        assert seen.places is not None
        hits += covered(truth, seen.scores, seen.errors)
        places = m - np.arange(m)
        right += bool(((seen.places[:, 0] <= places) & (places <= seen.places[:, 1])).all())

    assert 0.93 <= hits / (500 * m) <= 0.97
    assert right / 500 >= 0.95


def draw_order(rng: np.random.Generator, t: Floats) -> list[int]:
    """An order drawn from Plackett and Luce's model: logarithms of exponential races."""
    return [int(c) for c in np.argsort(-(t + rng.gumbel(size=len(t))))]


def test_intervals_of_orders_cover() -> None:
    """Plackett-Luce: 95 % intervals hold the truth in 93 to 97 % of 400 draws of 100 top threes."""
    rng = np.random.default_rng(6)
    m, truth = 5, np.linspace(-0.8, 0.8, 5)
    hits = 0
    for _ in range(400):
        tiers = np.full((100, m), -1, dtype=np.int16)
        for row in tiers:
            row[draw_order(rng, truth)[:3]] = np.arange(3)
        election = Election(tuple("abcde"), tiers, np.ones(100, dtype=np.int64))
        seen = order_of(election, method="plackett-luce")
        assert seen.errors is not None
        hits += covered(truth, seen.scores, seen.errors)

    assert 0.93 <= hits / (400 * m) <= 0.97


@pytest.mark.slow
def test_intervals_of_best_and_worst_cover() -> None:
    """Best-worst: 95 % intervals hold the truth in 93 to 97 % of 300 draws of 150 sets of four."""
    rng = np.random.default_rng(7)
    m, truth = 6, np.linspace(-1, 1, 6)
    hits = 0
    for _ in range(300):
        seen = order_of(sets_election(rng, m, 4, 150, truth), method="best-worst")
        assert seen.errors is not None
        hits += covered(truth, seen.scores, seen.errors)

    assert 0.93 <= hits / (300 * m) <= 0.97


def people(rng: np.random.Generator, truth: Floats, voters: int, each: int) -> Election:
    """Voters of tastes of their own, who compare several pairs each."""
    m = len(truth)
    pairs = [(i, j) for i in range(m) for j in range(m) if i != j]
    tiers = np.full((len(pairs), m), -1, dtype=np.int16)
    for row, (i, j) in zip(tiers, pairs, strict=True):
        row[[i, j]] = 0, 1
    number = {pair: k for k, pair in enumerate(pairs)}
    patterns = []
    for _ in range(voters):
        own = truth + rng.normal(size=m)
        drawn = [rng.choice(m, 2, replace=False) for _ in range(each)]
        wins = [
            (i, j) if rng.random() < 1 / (1 + exp(own[j] - own[i])) else (j, i) for i, j in drawn
        ]
        patterns.append([number[int(i), int(j)] for i, j in wins])
    names = tuple(f"s{j}" for j in range(m))
    empty = Election(names, tiers, np.zeros(len(pairs), dtype=np.int64), unranked="apart")
    return repeated(empty, patterns, [1] * voters)


@pytest.mark.slow
def test_intervals_cover_though_people_repeat_themselves() -> None:
    """Sixty voters of own tastes, twenty comparisons each: clustered intervals cover, plain do not.

    The truth is what ten thousand such voters say.
    """
    rng = np.random.default_rng(8)
    truth = np.linspace(-0.8, 0.8, 5)
    whole = order_of(people(rng, truth, 10000, 20), method="bradley-terry").scores
    hits = plain = 0
    for _ in range(300):
        election = people(rng, truth, 60, 20)
        seen = order_of(election, method="bradley-terry")
        assert seen.errors is not None
        hits += covered(whole, seen.scores, seen.errors)
        alone = fitted(election.wins)
        plain += covered(whole, alone.strengths, np.sqrt(np.diag(alone.covariance)))

    assert 0.92 <= hits / 1500 <= 0.97
    assert plain / 1500 < 0.85


def test_cycles_of_ties_and_wins() -> None:
    """One win among ties does not tell how likely a tie is; two wins against one tie do."""
    wins = np.zeros((3, 3), dtype=np.int64)
    ties = np.zeros((3, 3), dtype=np.int64)
    for i, j in pairwise([0, 1, 2, 0]):
        ties[i, j] = ties[j, i] = 1
    ties[0, 1] = ties[1, 0] = 0
    wins[0, 1] = 1
    with pytest.raises(Inapplicable, match=r"2 ties among too few wins"):
        fitted(wins, ties)
    wins[1, 2], ties[1, 2], ties[2, 1] = 1, 0, 0

    assert fitted(wins, ties).tie > 0


@QUIET
@given(st.integers(0, 10**6), st.sampled_from([4, 12]), st.sampled_from([3, 9]))
def test_ties_are_counted_pair_by_pair(seed: int, m: int, tiers: int) -> None:
    """Ties are pairs that a ballot ranks level, however many alternatives and tiers there are."""
    rng = np.random.default_rng(seed)
    orders = rng.integers(-1, tiers, (15, m)).astype(np.int16)
    election = Election(tuple(f"s{j}" for j in range(m)), orders, rng.integers(1, 4, 15))
    wins, ties, _ = compared(election)
    slow = np.zeros((m, m), dtype=np.int64)
    for row, count in zip(orders.tolist(), election.counts.tolist(), strict=True):
        for i in range(m):
            for j in range(m):
                slow[i, j] += count * (i != j and row[i] == row[j] and row[i] >= 0)

    assert ties.tolist() == slow.tolist()
    assert wins.tolist() == election.wins.tolist()
