"""Winners and orders of random ballots by pref_voting and votelib, as fixtures.

    python -m scripts.oracles.rankings [--profiles N] [FAMILY ...]

Run from the root of the repository in the environment that `make oracles` makes.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import itertools
import math
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

# The packages compile on import and would use every core for profiles of sixty ballots.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import votelib.convert  # type: ignore[import-not-found]
import votelib.evaluate.condorcet as votelib_condorcet  # type: ignore[import-not-found]
import votelib.evaluate.sequential as votelib_sequential  # type: ignore[import-not-found]
from pref_voting import c1_methods as c1  # type: ignore[import-not-found]
from pref_voting import iterative_methods as iterative
from pref_voting import margin_based_methods as margin_based
from pref_voting import other_methods as other
from pref_voting import probabilistic_methods as probabilistic
from pref_voting import proportional_methods as proportional
from pref_voting import scoring_methods as scoring
from pref_voting.profiles import Profile  # type: ignore[import-not-found]
from pref_voting.profiles_with_ties import ProfileWithTies  # type: ignore[import-not-found]
from scripts.oracles import instances
from scripts.oracles.instances import Ballots, names
from votelib.evaluate.core import Tie, VotingSystemError  # type: ignore[import-not-found]

Answer = Any
"""Winners as letters, an order as text, probabilities, or None where the package gives none."""
Oracle = Callable[[Any], Answer]

ABOUT = (
    "Ballots are text, `5:C>A=B` for five of an order; alternatives are the first m letters.",
    "answers: by oracle, one entry a profile: winners as letters, or an order as text, or chances "
    "of alternatives in thousandths of thousandths; null where the package gives no answer.",
)


def winners(method: Any, **options: Any) -> Oracle:
    """Return the oracle for the winners by a method of pref_voting."""

    def answer(profile: Any) -> Answer:
        found = method(profile, **options)
        return None if found is None else names(found)

    return answer


def ranking(method: Any) -> Oracle:
    """Return the oracle for the order by a ranking method of pref_voting."""

    def answer(profile: Any) -> Answer:
        made = method(profile)
        made.normalize_ranks()
        tiers = [sorted(made.cands_at_rank(rank)) for rank in sorted(made.ranks)]
        return instances.order_text(tiers)

    return answer


def lottery(profile: Any) -> Answer:
    """Return chances by a maximal lottery, averaged over the extreme ones."""
    # Where one way to enumerate fails the package prints so, and tries another.
    with contextlib.redirect_stdout(io.StringIO()):
        chances = probabilistic.maximal_lottery(profile, algorithm="enumeration")
    return [round(1e6 * float(chances[a])) for a in sorted(chances)]


def condorcet(profile: Any) -> Answer:
    """Return the Condorcet winner, or nothing where there is none."""
    winner = profile.condorcet_winner()
    return "" if winner is None else names([winner])


def margins(profile: Any) -> Answer:
    """Return the margin of each pair i < j, row after row."""
    m = profile.num_cands
    return [int(profile.margin(i, j)) for i in range(m) for j in range(i + 1, m)]


def kemeny_distance(profile: Any) -> Answer:
    """Return every order at the least total Kendall distance, and that distance."""
    orders, distance = other.kemeny_young_rankings(profile)
    # More than a few hundred say no more than the distance does, and fill the file.
    text = sorted(instances.order_text([(a,) for a in order]) for order in orders)
    return [int(distance), text if len(text) <= 6 else len(text)]


MOST_TIE_ORDERS = 3000
"""Orders of tied pairs that are gone through."""


def tie_orders(profile: Any) -> int:
    """Return in how many orders pairs of equal margin can be taken; 1 with a Condorcet winner.

    The package's own test of this number overflows, and then goes through all of them.
    """
    if profile.condorcet_winner() is not None:
        return 1
    pairs = itertools.permutations(profile.candidates, 2)
    sizes = Counter(int(profile.margin(i, j)) for i, j in pairs if profile.margin(i, j) >= 0)
    return math.prod(math.factorial(size) for size in sizes.values())


def ranked_pairs(profile: Any) -> Answer:
    """Return winners under some order of tied pairs; by stacks where the orders are too many."""
    if tie_orders(profile) <= MOST_TIE_ORDERS:
        return names(margin_based.ranked_pairs(profile))
    if profile.num_cands <= 5:
        return names(margin_based.ranked_pairs(profile, algorithm="from_stacks"))
    return None


def river(profile: Any) -> Answer:
    """Return winners under some order of tied pairs; None where the orders are too many."""
    few = tie_orders(profile) <= MOST_TIE_ORDERS
    return names(margin_based.river(profile)) if few else None


def seats(method: Any, **options: Any) -> Oracle:
    """Return the oracle for the winners of 1, 2, ... seats."""

    def answer(profile: Any) -> Answer:
        return [names(method(profile, num_seats=k, **options)) for k in range(1, profile.num_cands)]

    return answer


PAIRWISE: dict[str, Oracle] = {
    "condorcet": condorcet,
    "copeland": winners(c1.copeland),
    "kemeny_young": winners(other.kemeny_young, algorithm="marginal"),
    "margins": margins,
    "minimax": winners(margin_based.minimax),
    "ranked_pairs": ranked_pairs,
    "ranked_pairs_tb": winners(margin_based.ranked_pairs_tb),
    "river": river,
    "river_tb": winners(margin_based.river_tb),
    "beat_path": winners(margin_based.beat_path),
    "split_cycle": winners(margin_based.split_cycle),
    "stable_voting": winners(margin_based.stable_voting),
    "top_cycle": winners(c1.top_cycle),
    "copeland_ranking": ranking(c1.copeland_ranking),
}
"""Oracles that ask no more than the margins."""

STRICT: dict[str, Oracle] = PAIRWISE | {
    "anti_plurality": winners(scoring.anti_plurality),
    "anti_plurality_ranking": ranking(scoring.anti_plurality_ranking),
    "borda": winners(scoring.borda),
    "borda_ranking": ranking(scoring.borda_ranking),
    "instant_runoff": winners(iterative.instant_runoff, exit_on_majority=False),
    "instant_runoff_put": winners(iterative.instant_runoff_put),
    "instant_runoff_ranking": ranking(iterative.instant_runoff_ranking),
    "instant_runoff_tb": winners(iterative.instant_runoff_tb),
    "kemeny_young_rankings": kemeny_distance,
    "maximal_lottery": lottery,
    "plurality": winners(scoring.plurality),
    "plurality_ranking": ranking(scoring.plurality_ranking),
    "stv_wig": seats(proportional.stv_wig, quota_rule="droop"),
}

TRUNCATED: dict[str, Oracle] = PAIRWISE | {
    "instant_runoff_truncated": winners(iterative.instant_runoff_for_truncated_linear_orders),
    "instant_runoff_put": winners(iterative.instant_runoff_put, score_method="split"),
    "stv_wig": seats(proportional.stv_wig, quota_rule="droop"),
}

LAST: dict[str, Oracle] = PAIRWISE | {
    "beat_path_winning_votes": lambda profile: names(
        margin_based.beat_path(profile, strength_function=profile.support)
    ),
    "borda": winners(scoring.borda_for_profile_with_ties),
    "instant_runoff_put_split": winners(iterative.instant_runoff_put, score_method="split"),
}

APART: dict[str, Oracle] = PAIRWISE | {
    "beat_path_winning_votes": LAST["beat_path_winning_votes"],
}


def pref_voting_profile(m: int, ballots: Ballots) -> Any:
    """Return whole strict ballots as pref_voting holds them."""
    orders = [[tier[0] for tier in order] for _, order in ballots]
    return Profile(orders, [count for count, _ in ballots])


def with_ties(m: int, ballots: Ballots, unranked: str) -> Any:
    """Return ballots as pref_voting holds them.

    Args:
        m: number of alternatives.
        ballots: orders.
        unranked: `last` puts what is left out below all that is ranked; `apart` compares it with
            nothing.
    """
    maps = [{a: rank for rank, tier in enumerate(order, 1) for a in tier} for _, order in ballots]
    made = ProfileWithTies(maps, [count for count, _ in ballots], candidates=list(range(m)))
    if unranked == "last":
        made.use_extended_strict_preference()
    return made


def votelib_winners(method: Any, pairs: dict[Any, int]) -> str | None:
    """Return the winners by a method of votelib, or None for a tie that it does not handle."""
    try:
        best = method.evaluate(pairs, 1)[0]
    except (NotImplementedError, IndexError):
        return None
    return names(best) if isinstance(best, Tie) else names([best])


def votelib_order(method: Any, pairs: dict[Any, int], m: int) -> str | None:
    """Return the order by a method of votelib that breaks ties, or None where it fails."""
    try:
        return instances.order_text([(a,) for a in method.evaluate(pairs, m)])
    except (VotingSystemError, StopIteration):
        return None


VOTELIB_CONDORCET: dict[str, Any] = {
    "copeland": votelib_condorcet.Copeland(second_order=False),
    "kemeny_young": votelib_condorcet.KemenyYoung(),
    "minimax_margins": votelib_condorcet.MinimaxCondorcet("margins"),
    "schulze": votelib_condorcet.Schulze(),
}


def votelib_votes(ballots: Ballots) -> dict[Any, int]:
    """Return ballots as votelib takes them: tuples, with sets for ties."""
    return {
        tuple(tier[0] if len(tier) == 1 else frozenset(tier) for tier in order): count
        for count, order in ballots
    }


def votelib_pairs(m: int, ballots: Ballots, unranked: str) -> dict[Any, int]:
    """Return how often i stood above j, for votelib, with every pair in it."""
    convert = votelib.convert.RankedToCondorcetVotes(unranked_at_bottom=unranked == "last")
    counted = convert.convert(votelib_votes(ballots))
    return {(i, j): counted.get((i, j), 0) for i in range(m) for j in range(m) if i != j}


def votelib_answers(m: int, ballots: Ballots, unranked: str) -> dict[str, Answer]:
    """Return the answers of votelib to one profile.

    It knows an alternative only from ballots that rank it, and some of its rules only from pairs
    with a majority; where one is missing so, it gives no answer.
    """
    pairs = votelib_pairs(m, ballots, unranked)
    ranked = {a for _, order in ballots for tier in order for a in tier}
    decided = {a for (i, j), wins in pairs.items() if wins > pairs[j, i] for a in (i, j)}
    made: dict[str, Answer] = dict.fromkeys([*VOTELIB_CONDORCET, "ranked_pairs_margins", "smith"])
    if len(ranked) < m:
        return made
    for name, method in VOTELIB_CONDORCET.items():
        if len(decided) == m or name not in ("copeland", "schulze"):
            made[name] = votelib_winners(method, pairs)
    made["ranked_pairs_margins"] = votelib_order(votelib_condorcet.RankedPairs("margins"), pairs, m)
    made["smith"] = names(votelib_condorcet.SmithSet().evaluate(pairs))
    return made


def votelib_stv(m: int, ballots: Ballots) -> list[str | None]:
    """Return the winners of 1, 2, ... seats by exact Gregory; None where ties stop it."""
    method = votelib_sequential.TransferableVoteSelector(quota_function="droop")
    found: list[str | None] = []
    for k in range(1, m):
        try:
            found.append(names(method.evaluate(votelib_votes(ballots), k)))
        except (NotImplementedError, VotingSystemError):
            found.append(None)
    return found


def answered(
    profiles: list[tuple[int, Ballots]], oracles: dict[str, Oracle], make: Callable[..., Any]
) -> dict[str, list[Answer]]:
    """Return the answer of each oracle to each profile."""
    answers: dict[str, list[Answer]] = {name: [] for name in oracles}
    spent = dict.fromkeys(oracles, 0.0)
    for m, ballots in profiles:
        profile = make(m, ballots)
        for name, oracle in oracles.items():
            began = time.perf_counter()
            answers[name].append(oracle(profile))
            spent[name] += time.perf_counter() - began
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1])[:5]:
        print(f"  {name}: {seconds:.1f} s")
    return answers


def by_name(rows: list[dict[str, Answer]]) -> dict[str, list[Answer]]:
    """Return rows of answers as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def family(
    name: str, profiles: list[tuple[int, Ballots]], answers: dict[str, dict[str, list[Answer]]]
) -> None:
    """Write the profiles of one family and what each package answered, under each convention."""
    content = {
        "profiles": [[m, instances.text_of(ballots)] for m, ballots in profiles],
        "answers": answers,
    }
    instances.write(name, ABOUT, ["pref_voting", "votelib"], content)


def strict(count: int) -> None:
    """Write the fixture of whole strict ballots."""
    made = [instances.strict(seed) for seed in range(count)]
    votelib_answered = by_name([votelib_answers(m, ballots, "last") for m, ballots in made])
    votelib_answered["stv"] = [votelib_stv(m, ballots) for m, ballots in made]
    by_pref_voting = answered(made, STRICT, pref_voting_profile)
    family("strict", made, {"pref_voting": by_pref_voting, "votelib": votelib_answered})


def truncated(count: int) -> None:
    """Write the fixture of strict ballots that leave some out."""
    made = [instances.truncated(seed) for seed in range(count)]
    votelib_answered = by_name([votelib_answers(m, ballots, "last") for m, ballots in made])
    votelib_answered["stv"] = [votelib_stv(m, ballots) for m, ballots in made]
    by_pref_voting = answered(made, TRUNCATED, functools.partial(with_ties, unranked="last"))
    family("truncated", made, {"pref_voting": by_pref_voting, "votelib": votelib_answered})


def partial(count: int) -> None:
    """Write the fixture of ballots with ties that leave some out, by both conventions."""
    made = [instances.partial(seed) for seed in range(count)]
    answers: dict[str, dict[str, list[Answer]]] = {}
    for unranked, oracles in (("last", LAST), ("apart", APART)):
        rows = [votelib_answers(m, ballots, unranked) for m, ballots in made]
        answers[f"votelib, {unranked}"] = by_name(rows)
        make = functools.partial(with_ties, unranked=unranked)
        answers[f"pref_voting, {unranked}"] = answered(made, oracles, make)
    family("partial", made, answers)


FAMILIES = {"strict": strict, "truncated": truncated, "partial": partial}


def main() -> None:
    """Write the fixtures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--profiles", type=int, default=1050)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in args.families or FAMILIES:
        FAMILIES[name](args.profiles)


if __name__ == "__main__":
    main()
