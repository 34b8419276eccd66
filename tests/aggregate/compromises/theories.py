"""Theories that tests are made of, and what rules may claim, each as a search for a breach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import permutations, product

import numpy as np

from normwright.aggregate.compromises import Compromise, Theories

Tiers = tuple[tuple[str, ...], ...]
Check = Callable[[Compromise, Theories], str | None]


def theories_from(lines: Iterable[str], *, comparable: bool = False) -> Theories:
    """The theories of lines such as `0.6: A 10 > B 9 = C 9`; without numbers only orders."""
    names, credences, worth, ordinal = [], [], [], []
    options: tuple[str, ...] = ()
    for number, line in enumerate(lines):
        credence, _, order = line.partition(":")
        values: dict[str, Fraction] = {}
        numbered = False
        for level, tier in enumerate(order.split(">")):
            for one in tier.split("="):
                option, *given = one.split()
                numbered = bool(given)
                values[option] = Fraction(given[0]) if given else Fraction(-level)
        options = options or tuple(sorted(values))
        names.append(f"T{number + 1}")
        credences.append(Fraction(credence))
        worth.append(tuple(values[o] for o in options))
        ordinal.append(not numbered)
    return Theories(
        tuple(names), options, tuple(credences), tuple(worth), tuple(ordinal), comparable
    )


def made(
    credences: Sequence[Fraction | int], worth: Sequence[Sequence[Fraction | int]]
) -> Theories:
    """Theories of numbers; credences are divided by their sum."""
    total = sum(Fraction(c) for c in credences)
    m = len(worth[0])
    return Theories(
        names=tuple(f"T{k + 1}" for k in range(len(worth))),
        options=tuple("ABCDEFG"[:m]),
        credences=tuple(Fraction(c) / total for c in credences),
        worth=tuple(tuple(Fraction(v) for v in row) for row in worth),
        ordinal=(False,) * len(worth),
        comparable=True,
    )


def tiers(rule: Compromise, theories: Theories) -> Tiers:
    """The outcome by name."""
    return tuple(tuple(sorted(theories.options[a] for a in tier)) for tier in rule(theories).tiers)


def small() -> Iterator[Theories]:
    """Every pair of theories of three options with worths 0 to 2, at two splits of the credence."""
    rows = sorted({tuple(r) for r in product(range(3), repeat=3) if len(set(r)) > 1})
    for split in ((1, 1), (3, 2)):
        for first in rows[::2]:
            for second in rows[::3]:
                yield made(split, [first, second])


def drawn(rng: np.random.Generator) -> Theories:
    """Random theories: two to four of three or four options; an odd total, so no exact halves."""
    count, m = int(rng.integers(2, 5)), int(rng.integers(3, 5))
    weights = rng.integers(1, 40, size=count)
    weights[0] += 1 - weights.sum() % 2
    return made(weights.tolist(), rng.integers(0, 8, size=(count, m)).tolist())


def _renamed(theories: Theories, order: Sequence[int]) -> Theories:
    return replace(
        theories,
        options=tuple(theories.options[a] for a in order),
        worth=tuple(tuple(row[a] for a in order) for row in theories.worth),
    )


def anonymity(rule: Compromise, theories: Theories) -> str | None:
    """Every order of the theories gives the same outcome."""
    before = tiers(rule, theories)
    for order in permutations(range(len(theories.names))):
        if tiers(rule, theories._only(order)) != before:
            return f"theories in order {order}"
    return None


def neutrality(rule: Compromise, theories: Theories) -> str | None:
    """Every order of the options gives the same outcome by name."""
    before = tiers(rule, theories)
    for order in permutations(range(len(theories.options))):
        if tiers(rule, _renamed(theories, order)) != before:
            return f"options in order {order}"
    return None


def scale_invariance(rule: Compromise, theories: Theories) -> str | None:
    """Each theory in another unit and from another zero."""
    for units in ([Fraction(10**k) for k in range(len(theories.names))], [Fraction(1, 7)] * 9):
        worth = tuple(
            tuple(v * unit + 3 * k for v in row)
            for k, (row, unit) in enumerate(zip(theories.worth, units, strict=False))
        )
        for scaled in (worth, tuple(
            tuple(v * Fraction(10) ** (len(worth) - k) for v in row)
            for k, row in enumerate(theories.worth)
        )):  # fmt: skip
            if tiers(rule, replace(theories, worth=scaled)) != tiers(rule, theories):
                return f"units {units}"
    return None


def no_fanaticism(rule: Compromise, theories: Theories) -> str | None:
    """The theory believed least, hardly at all, against a choice that the others make alone."""
    least = min(range(len(theories.names)), key=lambda k: theories.credences[k])
    if theories.credences[least] > Fraction(1, 500):
        if _halved(theories.credences):
            return None  # at exactly half any vote tips the balance, and that is no fanaticism
        found = (no_fanaticism(rule, one) for one in _with_a_fanatic(theories))
        return next((f for f in found if f), None)
    others = theories._only([k for k in range(len(theories.names)) if k != least])
    total = sum(others.credences, Fraction(0))
    others = replace(others, credences=tuple(c / total for c in others.credences))
    before, after = tiers(rule, others)[0], tiers(rule, theories)[0]
    return f"{before} becomes {after}" if len(before) == 1 and before != after else None


def _halved(credences: Sequence[Fraction]) -> bool:
    """Whether some theories have exactly half of the credence."""
    sums = {Fraction(0)}
    for credence in credences:
        sums |= {s + credence for s in sums}
    return Fraction(1, 2) in sums


def _with_a_fanatic(theories: Theories) -> Iterator[Theories]:
    little = Fraction(1, 10**9)
    for top in range(len(theories.options)):
        row = tuple(Fraction(10**15 if a == top else a) for a in range(len(theories.options)))
        yield replace(
            theories,
            names=(*theories.names, "fanatic"),
            credences=(*(c * (1 - little) for c in theories.credences), little),
            worth=(*theories.worth, row),
            ordinal=(*theories.ordinal, theories.ordinal[0]),
        )


def pareto(rule: Compromise, theories: Theories) -> str | None:
    """Nothing chosen is worse than one other option by every theory."""
    chosen = rule(theories).tiers[0]
    for a, b in product(range(len(theories.options)), chosen):
        if all(row[a] > row[b] for row in theories.worth):
            return f"{theories.options[b]} is chosen, and {theories.options[a]} is better by all"
    return None


def majority(rule: Compromise, theories: Theories) -> str | None:
    """What more than half of the credence holds best alone is chosen alone."""
    for a, option in enumerate(theories.options):
        best = (
            c
            for c, row in zip(theories.credences, theories.worth, strict=True)
            if all(row[a] > v for b, v in enumerate(row) if b != a)
        )
        if sum(best) > Fraction(1, 2) and tiers(rule, theories)[0] != (option,):
            return f"{tiers(rule, theories)[0]} is chosen instead of {option}"
    return None


def condorcet(rule: Compromise, theories: Theories) -> str | None:
    """What beats each other option by credence is chosen alone."""
    for a, option in enumerate(theories.options):
        margins = [
            sum(
                c * ((row[a] > row[b]) - (row[a] < row[b]))
                for c, row in zip(theories.credences, theories.worth, strict=True)
            )
            for b in range(len(theories.options))
            if b != a
        ]
        if all(m > 0 for m in margins) and tiers(rule, theories)[0] != (option,):
            return f"{tiers(rule, theories)[0]} is chosen instead of {option}"
    return None


def clones(rule: Compromise, theories: Theories) -> str | None:
    """An option is told apart into two that all theories hold level."""
    before = set(tiers(rule, theories)[0])
    for a, option in enumerate(theories.options):
        twice = replace(
            theories,
            options=(*theories.options, "again"),
            worth=tuple((*row, row[a]) for row in theories.worth),
        )
        after = set(tiers(rule, twice)[0])
        if after - {"again"} != before or ("again" in after) != (option in before):
            return f"with {option} told apart, {before} becomes {after}"
    return None


def iia(rule: Compromise, theories: Theories) -> str | None:
    """Each option is taken away in turn; no two others turn round."""
    place = _places(tiers(rule, theories))
    for gone in range(len(theories.options)):
        kept = [a for a in range(len(theories.options)) if a != gone]
        after = _places(tiers(rule, _renamed(theories, kept)))
        for x, y in permutations(after, 2):
            if place[x] < place[y] and after[x] > after[y]:
                return f"without {theories.options[gone]}, {y} passes {x}"
    return None


def updating_consistency(rule: Compromise, theories: Theories) -> str | None:
    """Each theory is believed more in turn; what changes does not change for the worse by it."""
    before = set(rule(theories).tiers[0])
    for k, row in enumerate(theories.worth):
        for more in (Fraction(1, 10), Fraction(1, 2)):
            credences = tuple(
                c * (1 - more) + (more if j == k else 0) for j, c in enumerate(theories.credences)
            )
            after = set(rule(replace(theories, credences=credences)).tiers[0])
            for a, b in product(before, after):
                if (b not in before or a not in after) and row[b] < row[a]:
                    return f"{theories.names[k]} believed more turns {before} into {after}"
    return None


def _places(outcome: Tiers) -> dict[str, int]:
    return {name: level for level, tier in enumerate(outcome) for name in tier}


CHECKS: dict[str, Check] = {
    "anonymity": anonymity,
    "neutrality": neutrality,
    "scale-invariance": scale_invariance,
    "no-fanaticism": no_fanaticism,
    "pareto": pareto,
    "majority": majority,
    "clones": clones,
    "iia": iia,
    "updating-consistency": updating_consistency,
    "condorcet": condorcet,
}
