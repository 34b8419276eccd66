"""Reproduce the published probabilities of paradoxes with our own populations, rules and axioms.

    python scripts/bench_axioms.py [--quick] [--out FILE]

Every row is a share of profiles drawn from a population that ships, judged by code that ships. It
is set against its reference, and the difference divided by the standard error of both is printed
as z. Ends with 1 if any |z| is above 4. Written to docs/experiments/axioms.md unless it is quick.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normwright import plugins
from normwright.aggregate import triples
from normwright.aggregate.majority import condorcet_winner
from normwright.aggregate.methods import Method
from normwright.aggregate.populations import Population
from normwright.aggregate.populations.impartial_anonymous_culture import anonymous_counts
from normwright.aggregate.populations.impartial_culture import impartial_counts

SEED = 20
LARGE = 10**12 + 1
"""Voters that stand for the limit: what is of the order of one voter weighs a millionth of a
standard deviation, 10^6 voters. Odd, so that no two alternatives are level in a majority."""
REFERENCE_DRAWS = 2_000_000
"""Draws behind the reference values that were measured and not derived."""
CHUNK = 250_000
WORST = 4.0

Counts = NDArray[np.int64]
Hits = NDArray[np.bool_]
CULTURES: dict[str, Callable[[int, int, int, np.random.Generator], Counts]] = {
    "IAC": anonymous_counts,
    "IC": impartial_counts,
}


@dataclass(frozen=True)
class Row:
    """One value of the table, and what we found."""

    quantity: str
    culture: str
    reference: float
    known: str
    """Where the reference comes from: a formula, or draws."""
    hits: int
    draws: int
    reference_error: float = 0.0

    @property
    def value(self) -> float:
        """The share."""
        return self.hits / self.draws

    @property
    def error(self) -> float:
        """Standard error of the share at the reference value: none where that is certain."""
        return math.sqrt(self.reference * (1 - self.reference) / self.draws)

    @property
    def z(self) -> float:
        """The difference in standard errors of both; without end where the value is certain."""
        gap, error = self.value - self.reference, math.hypot(self.error, self.reference_error)
        if error == 0:
            return 0.0 if gap == 0 else math.copysign(math.inf, gap)
        return gap / error


@dataclass(frozen=True)
class Question:
    """A share of profiles of three alternatives, and what is known of it."""

    quantity: str
    base: Callable[[Counts], Hits]
    """Profiles of which the share is taken."""
    hit: Callable[[Counts], Hits]
    known: dict[str, tuple[float, str]]
    """Culture -> the value in the limit, and the formula or the printed decimals it comes from."""


def everything(counts: Counts) -> Hits:
    """All profiles."""
    return np.ones(len(counts), dtype=np.bool_)


def decided(counts: Counts) -> Hits:
    """Profiles with a Condorcet winner."""
    found: Hits = np.any(triples.condorcet(counts), axis=1)
    return found


def cyclic(counts: Counts) -> Hits:
    """Profiles without one."""
    none: Hits = np.logical_not(decided(counts))
    return none


def elects(rule: str) -> Callable[[Counts], Hits]:
    """Profiles whose Condorcet winner is the only winner of a rule."""

    def hit(counts: Counts) -> Hits:
        same: Hits = (triples.RULES[rule](counts) == triples.condorcet(counts)).all(axis=1)
        return same

    return hit


def sole(rule: str) -> Callable[[Counts], Hits]:
    """Profiles in which a rule has one winner: of the order of 10^12 voters all but a millionth."""

    def base(counts: Counts) -> Hits:
        one: Hits = triples.RULES[rule](counts).sum(axis=1) == 1
        return one

    return base


def gives_in(rule: str) -> Callable[[Counts], Hits]:
    """Profiles in which a coalition gets its way by lying."""
    return lambda counts: triples.manipulable(counts, rule)


def efficiency(
    rule: str, name: str, fraction: tuple[int, int], limit: float, text: str
) -> Question:
    """The row of a rule's Condorcet efficiency."""
    part, whole = fraction
    known = {"IAC": (part / whole, f"{part}/{whole}"), "IC": (limit, text)}
    return Question(f"Condorcet efficiency, {name}", decided, elects(rule), known)


def manipulability(rule: str, fraction: tuple[int, int], limit: float, text: str) -> Question:
    """The row of how often a coalition can manipulate a rule."""
    part, whole = fraction
    known = {"IAC": (part / whole, f"{part}/{whole}"), "IC": (limit, text)}
    return Question(f"coalitional manipulability, {rule}", sole(rule), gives_in(rule), known)


QUESTIONS = (
    Question(
        "P(no Condorcet winner)",
        everything,
        cyclic,
        {
            "IAC": (1 / 16, "1/16"),
            "IC": (1 / 4 - 3 / (2 * math.pi) * math.asin(1 / 3), "1/4 - 3/(2 pi) asin(1/3)"),
        },
    ),
    efficiency("plurality", "plurality", (119, 135), 0.7576, ".7576"),
    efficiency("antiplurality", "antiplurality", (17, 27), 0.7575, ".7575"),
    efficiency("borda", "borda", (41, 45), 0.9013, ".9013"),
    efficiency("irv", "irv (runoff)", (523, 540), 0.963, ".963"),
    manipulability("plurality", (7, 24), 1.0, "1"),
    manipulability("antiplurality", (14, 27), 0.5, "1/2"),
    manipulability("borda", (132953, 264600), 1.0, "1"),
    Question(
        "upward monotonicity failure, irv",
        everything,
        triples.irv_not_monotone,
        {"IAC": (13 / 288, "13/288"), "IC": (0.1218, ".1218")},
    ),
)


def limits(draws: int) -> Iterator[Row]:
    """Three alternatives, and voters without end."""
    for number, (culture, draw) in enumerate(CULTURES.items()):
        rng = np.random.default_rng([SEED, 1, number])
        found = np.zeros((len(QUESTIONS), 2), dtype=np.int64)
        for start in range(0, draws, CHUNK):
            counts = draw(LARGE, 3, min(CHUNK, draws - start), rng)
            for which, question in enumerate(QUESTIONS):
                base = question.base(counts)
                found[which] += (int((base & question.hit(counts)).sum()), int(base.sum()))
        for question, (hits, of) in zip(QUESTIONS, found.tolist(), strict=True):
            reference, text = question.known[culture]
            error = measured(reference, text, REFERENCE_DRAWS)
            yield Row(question.quantity, f"{culture}, limit", reference, text, hits, of, error)


def measured(reference: float, text: str, draws: int) -> float:
    """Standard error of a printed reference: its draws, and its last decimal; 0 for a formula."""
    if not text.startswith("."):
        return 0.0
    rounding = 0.5 * 10.0 ** -(len(text) - 1) / math.sqrt(3)
    return math.hypot(math.sqrt(reference * (1 - reference) / draws), rounding)


THREE_VOTERS = {3: "1/18", 4: "1/9", 5: ".16", 6: ".2026", 7: ".239"}
MANY_VOTERS = {3: ".0847", 4: ".1762", 5: ".2464", 6: ".3114", 7: ".3662", 10: ".487"}


def finite(draws: int, large_draws: int) -> Iterator[Row]:
    """Few voters, and more alternatives, election by election."""
    for voters, printed, times in ((3, THREE_VOTERS, draws), (101, MANY_VOTERS, large_draws)):
        for m, text in printed.items():
            hits = without_winner(voters, m, times)
            reference = fraction(text)
            # How many draws are behind these is not on record: taken to be as many as ours.
            error = measured(reference, text, times)
            name = f"P(no Condorcet winner), n = {voters}, m = {m}"
            yield Row(name, "IC", reference, text, hits, times, error)
            if (voters, m) == (101, 3):
                exact = no_winner_of_three(voters)
                yield Row(name, "IC", exact, "summed exactly", hits, times)
    for number, voters in enumerate((3, 5, 25)):
        rng = np.random.default_rng([SEED, 3, number])
        hits = int(decided(anonymous_counts(voters, 3, 10 * draws, rng)).sum())
        exact = 15 * (voters + 3) ** 2 / (16 * (voters + 2) * (voters + 4))
        name = f"P(Condorcet winner), n = {voters}, m = 3"
        yield Row(name, "IAC", exact, "15(n+3)^2 / 16(n+2)(n+4)", hits, 10 * draws)


def fraction(text: str) -> float:
    """The value of `1/9` or `.16`."""
    part, _, whole = text.partition("/")
    return float(part) / float(whole or 1)


def without_winner(voters: int, alternatives: int, draws: int) -> int:
    """How many drawn elections have no Condorcet winner."""
    population: Population = plugins.get("populations", "impartial-culture")
    rng = np.random.default_rng([SEED, 2, voters, alternatives])
    drawn = (population(voters, alternatives, rng).margins for _ in range(draws))
    return sum(condorcet_winner(margins) is None for margins in drawn)


def no_winner_of_three(voters: int) -> float:
    """P(no Condorcet winner) of three alternatives and an odd number of voters, by summing.

    A voter has A first or last with probability 1/3 each, and above B only or C only with 1/6.
    """
    total, half, all_ways = 0, voters // 2, int(6**voters)
    for first in range(voters + 1):
        for over_b in range(max(0, half + 1 - first), voters - first + 1):
            for over_c in range(max(0, half + 1 - first), voters - first - over_b + 1):
                rest = voters - first - over_b - over_c
                ways = math.comb(voters, first) * math.comb(voters - first, over_b)
                ways *= math.comb(voters - first - over_b, over_c)
                total += ways * int(2 ** (first + rest))
    return 1 - 3 * total / all_ways


def certain(draws: int) -> Iterator[Row]:
    """What must come out the same every time."""
    population: Population = plugins.get("populations", "single-peaked")
    rng = np.random.default_rng([SEED, 4])
    sizes = [(int(2 * n + 1), int(m)) for n, m in rng.integers((1, 3), (30, 9), size=(draws, 2))]
    cycles = sum(condorcet_winner(population(n, m, rng).margins) is None for n, m in sizes)
    yield Row("cycles, single-peaked, odd n, m = 3 to 8", "single-peaked", 0.0, "0", cycles, draws)
    yield Row("Bradley-Terry order is Borda's, balanced", "IC", 1.0, "328/328", *same_orders(328))
    yield Row("six counts say what the methods say", "IAC", 1.0, "all", *validated(2000))


def same_orders(profiles: int) -> tuple[int, int]:
    """Profiles of whole orders, all pairs compared equally often, ranked alike by the two."""
    population: Population = plugins.get("populations", "impartial-culture")
    fitted: Method = plugins.get("methods", "bradley-terry")
    counted: Method = plugins.get("methods", "borda")
    rng = np.random.default_rng([SEED, 5])
    same = 0
    for _ in range(profiles):
        drawn = population(int(rng.integers(20, 60)), int(rng.integers(3, 9)), rng)
        same += fitted(drawn).tiers == counted(drawn).tiers
    return same, profiles


def validated(profiles: int) -> tuple[int, int]:
    """Profiles with many ties on which the six counts give the winners of all four methods."""
    population: Population = plugins.get("populations", "impartial-anonymous-culture")
    rng = np.random.default_rng([SEED, 6])
    number = {order: i for i, order in enumerate(triples.ORDERS)}
    same = 0
    for _ in range(profiles):
        drawn = population(int(rng.integers(1, 20)), 3, rng)
        counts = np.zeros((1, 6), dtype=np.int64)
        for levels, count in zip(drawn.orders.tolist(), drawn.counts.tolist(), strict=True):
            counts[0, number[tuple(sorted(range(3), key=levels.__getitem__))]] += count
        winners = {
            rule: tuple(np.flatnonzero(find(counts)[0]).tolist())
            for rule, find in triples.RULES.items()
        }
        methods = {rule: plugins.get("methods", rule)(drawn).tiers[0] for rule in winners}
        same += winners == methods
    return same, profiles


LIFTED = """A > B > C 39, B > C > A 35, C > A > B 26: irv elects A"""


def coalition() -> str:
    """The smallest coalition that lifts A out of its victory in the case everybody quotes."""
    from normwright.aggregate.axioms import search
    from normwright.aggregate.populations import of_sequences

    ballots = of_sequences(np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]]), np.array([39, 35, 26]))
    found = search("coalition-monotonicity", plugins.get("methods", "irv"), ballots, seed=0).witness
    return "no coalition found" if found is None else found.detail


def table(rows: list[Row]) -> list[str]:
    """The rows as Markdown."""
    lines = [
        "| quantity | culture | value | reference | from | SE | z | draws |",
        "|---|---|--:|--:|---|--:|--:|--:|",
    ]
    for row in rows:
        error = math.hypot(row.error, row.reference_error)
        lines.append(
            f"| {row.quantity} | {row.culture} | {row.value:.5f} | {row.reference:.5f} "
            f"| {row.known} | {error:.5f} | {row.z:+.2f} | {row.draws:,} |"
        )
    return lines


NOTES = """
IC: every voter draws one of all orders. IAC: every division of the voters among the orders is
equally likely. The limit is drawn with 10^12 + 1 voters: what is of the order of one voter then
weighs a millionth of a standard deviation, so that ties and single votes do not count.

A Condorcet efficiency is the share, among profiles with a Condorcet winner, in which it is the only
winner. Of profiles with one winner, a rule can be manipulated by a coalition where all who prefer
another alternative to the winner, and nobody else, could make it the only winner by ballots they do
not mean. In the limit of IC the coalition is half of the electorate, while what has to be overcome
is of the order of the square root: to first order plurality and Borda can always be manipulated,
and antiplurality where the second fewest last places are below one third. Upward monotonicity fails
where some voters, by lifting the only winner and changing nothing else, keep it from winning.

SE is that of the share and of the reference together. References that are formulas have no error;
printed decimals have that of their last digit and of 2,000,000 draws (in the rows with n = 3 and
n = 101: of as many draws as ours, for theirs are not on record).
"""


def main(arguments: list[str] | None = None) -> int:
    """Draw everything, print and write the table, and return 1 if a value is off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a hundredth of the draws, no file")
    parser.add_argument("--out", type=Path, default=Path("docs/experiments/axioms.md"))
    asked = parser.parse_args(arguments)
    began = time.process_time()
    less = 100 if asked.quick else 1
    rows = [*limits(2_000_000 // less), *finite(100_000 // less, 20_000 // less)]
    rows += certain(5_000 // less)
    found = coalition()
    lines = ["# Paradoxes: how often, and that we count them right", ""]
    lines += ["Written by `make bench-axioms`.", "", *table(rows), NOTES, f"{LIFTED}. {found}", ""]
    worst = max(rows, key=lambda row: abs(row.z))
    failed = abs(worst.z) > WORST or "10 voters" not in found
    lines.append(
        f"Largest |z|: {abs(worst.z):.2f} ({worst.quantity}, {worst.culture}); "
        f"{'FAILED' if failed else 'passed'}, limit {WORST:g}. Took "
        f"{time.process_time() - began:.0f} s of one core; seed {SEED}."
    )
    sys.stdout.write("\n".join(lines) + "\n")
    if not asked.quick:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
