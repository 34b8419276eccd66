"""Random instances for the oracles, each made from a number; and the files they are written to.

An order is tiers of alternatives given by number, the best first; alternatives that stand in no
tier were left out. As text, alternatives are letters: `5:C>A=B` is five ballots.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "aggregate" / "oracles"
"""Where the answers lie that the tests read."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Tiers = tuple[tuple[int, ...], ...]
Ballots = tuple[tuple[int, Tiers], ...]
"""How often each order was given, sorted by order."""


def culture(rng: np.random.Generator, m: int, n: int) -> list[list[int]]:
    """Return n whole strict orders of m alternatives, from one of three populations.

    Impartial culture; a few reference orders with noise, as of parties; and rotations of one
    order, which make majority cycles. Small electorates and even ones make ties.
    """
    kind = rng.integers(3)
    if kind == 0:
        return [rng.permutation(m).tolist() for _ in range(n)]
    if kind == 1:
        references = [rng.permutation(m) for _ in range(int(rng.integers(1, 5)))]
    else:
        first = rng.permutation(m)
        references = [np.roll(first, int(shift)) for shift in rng.permutation(m)[:4]]
    noise = float(rng.choice([0.3, 1.0, 2.5]))
    orders = []
    for _ in range(n):
        reference = references[int(rng.integers(len(references)))]
        places = np.arange(m) + noise * rng.normal(size=m)
        orders.append(reference[np.argsort(places, kind="stable")].tolist())
    return orders


def electorate(rng: np.random.Generator, most: int = 60) -> int:
    """Return a number of voters, small ones as likely as large ones."""
    return int(np.ceil(np.exp(rng.uniform(0, np.log(most)))))


def collected(orders: Iterable[Tiers]) -> Ballots:
    """Return each order once, and how often it was given."""
    return tuple((count, order) for order, count in sorted(Counter(orders).items()))


def strict(seed: int) -> tuple[int, Ballots]:
    """Return the number of alternatives and whole strict ballots."""
    rng = np.random.default_rng([seed, 1])
    m = int(rng.integers(2, 8))
    orders = culture(rng, m, electorate(rng))
    return m, collected(tuple((a,) for a in order) for order in orders)


def truncated(seed: int) -> tuple[int, Ballots]:
    """Return the number of alternatives and strict ballots, many of which leave some out."""
    rng = np.random.default_rng([seed, 2])
    m = int(rng.integers(2, 8))
    kept = rng.integers(1, m + 1, size=60)
    orders = culture(rng, m, electorate(rng))
    return m, collected(
        tuple((a,) for a in order[:top]) for order, top in zip(orders, kept, strict=False)
    )


def partial(seed: int) -> tuple[int, Ballots]:
    """Return the number of alternatives and ballots with ties that may leave some out."""
    rng = np.random.default_rng([seed, 3])
    m = int(rng.integers(2, 8))
    tied = float(rng.choice([0.15, 0.4]))
    ballots = []
    for order in culture(rng, m, electorate(rng)):
        top = m if rng.random() < 0.4 else int(rng.integers(1, m + 1))
        tiers: list[list[int]] = []
        for alternative in order[:top]:
            if tiers and rng.random() < tied:
                tiers[-1].append(alternative)
            else:
                tiers.append([alternative])
        ballots.append(tuple(tuple(sorted(tier)) for tier in tiers))
    return m, collected(ballots)


def approvals(seed: int) -> tuple[int, int, tuple[tuple[int, tuple[int, ...]], ...]]:
    """Return the numbers of alternatives and of seats, and how often each set was approved."""
    rng = np.random.default_rng([seed, 4])
    m = int(rng.integers(3, 8))
    k = int(rng.integers(1, min(m - 1, 4) + 1))
    density = float(rng.choice([0.25, 0.4, 0.6]))
    parties = rng.random((3, m)) < 0.4
    noise = float(rng.choice([0.1, 0.3, 1.0]))
    sets = []
    for _ in range(electorate(rng, 24)):
        own = rng.random(m) < density
        approved = np.where(rng.random(m) < noise, own, parties[int(rng.integers(3))])
        sets.append(tuple(int(a) for a in np.flatnonzero(approved)))
    # Whoever approves of nothing is a voter still: they count in n, and so in every quota.
    return m, k, tuple((count, members) for members, count in sorted(Counter(sets).items()))


def grades(seed: int) -> tuple[int, int, tuple[tuple[int, tuple[int, ...]], ...]]:
    """Return the numbers of alternatives and of grades, and how often each row of grades came."""
    rng = np.random.default_rng([seed, 5])
    m = int(rng.integers(2, 7))
    top = int(rng.integers(2, 6))
    merit = rng.uniform(0, top, size=m) * float(rng.choice([0.0, 1.0]))
    spread = float(rng.choice([0.8, 2.0]))
    rows = merit + top / 2 * (merit.max() == 0) + spread * rng.normal(size=(electorate(rng, 40), m))
    made = Counter(tuple(row) for row in np.clip(np.rint(rows), 0, top).astype(int).tolist())
    return m, top + 1, tuple((count, row) for row, count in sorted(made.items()))


def comparisons(seed: int) -> tuple[int, list[list[int]]]:
    """Return the number of items, and how often i was chosen over j, so that estimates exist.

    Everything was chosen over everything else by some chain (strongly connected), which is what
    a maximum of the likelihood needs (Ford, 1957).
    """
    rng = np.random.default_rng([seed, 6])
    m = int(rng.integers(2, 8))
    strength = rng.normal(size=m) * float(rng.choice([0.5, 1.5]))
    while True:
        asked = rng.poisson(float(rng.choice([1.5, 6.0])), size=(m, m))
        asked = np.triu(asked, 1)
        won = rng.binomial(asked, 1 / (1 + np.exp(strength[None, :] - strength[:, None])))
        wins = won + (asked - won).T
        if connected(wins):
            return m, wins.tolist()


def choices(seed: int) -> tuple[int, Ballots]:
    """Return strict ballots over some of the alternatives each, so that estimates exist."""
    rng = np.random.default_rng([seed, 7])
    m = int(rng.integers(3, 7))
    while True:
        orders = []
        for order in culture(rng, m, int(rng.integers(4, 40))):
            shown = int(rng.integers(2, m + 1))
            kept = set(rng.permutation(m)[:shown].tolist())
            orders.append(tuple((a,) for a in order if a in kept))
        above = np.zeros((m, m), dtype=np.int64)
        for ranked in orders:
            for place, (a,) in enumerate(ranked):
                for (b,) in ranked[place + 1 :]:
                    above[a, b] += 1
        if connected(above):
            return m, collected(orders)


def connected(wins: NDArray[np.int64]) -> bool:
    """Return whether there is a chain of wins from everything to everything."""
    reach = (wins > 0) | np.eye(len(wins), dtype=np.bool_)
    for _ in range(len(wins)):
        reach = reach @ reach
    return bool(reach.all())


def votes(seed: int) -> tuple[NDArray[np.float64], list[int]]:
    """Return votes (1, 0, -1, missing) of people on statements, and a group for each person."""
    rng = np.random.default_rng([seed, 8])
    people, statements = int(rng.integers(10, 21)), int(rng.integers(4, 9))
    groups = int(rng.integers(2, 4))
    labels = np.concatenate([np.arange(groups), rng.integers(groups, size=people - groups)])
    stance = rng.choice([-1, 1], size=(groups, statements))
    given = np.where(rng.random((people, statements)) < 0.3, -1, 1) * stance[labels]
    given = np.where(rng.random(given.shape) < 0.15, 0, given).astype(np.float64)
    missing = rng.random(given.shape) < float(rng.choice([0.1, 0.3, 0.5]))
    # A statement nobody saw has no mean, and someone without a vote no place.
    missing[np.arange(people), rng.integers(statements, size=people)] = False
    missing[rng.integers(people, size=statements), np.arange(statements)] = False
    given[missing] = np.nan
    return given, labels.tolist()


def text_of(ballots: Ballots) -> str:
    """Return ballots as text, an order after the other."""
    return " ".join(f"{count}:{order_text(order)}" for count, order in ballots)


def ballots_of(text: str) -> Ballots:
    """Return the ballots in a text, the inverse of `text_of`."""
    made = []
    for ballot in text.split():
        count, _, order = ballot.partition(":")
        tiers = [tier.split("=") for tier in order.split(">")]
        made.append((int(count), tuple(tuple(LETTERS.index(a) for a in tier) for tier in tiers)))
    return tuple(made)


def order_text(order: Sequence[Sequence[int]]) -> str:
    """Return one order as text."""
    return ">".join("=".join(LETTERS[a] for a in tier) for tier in order)


def names(alternatives: Iterable[Any]) -> str:
    """Return alternatives as sorted letters."""
    return "".join(sorted(LETTERS[int(a)] for a in alternatives))


def write(name: str, about: Sequence[str], packages: Sequence[str], content: Any) -> None:
    """Write one fixture: what it holds, by which versions, and the rest; the same bytes each time.

    Args:
        name: of the file, without endings.
        about: sentences for whoever opens it.
        packages: distributions that gave the answers.
        content: more keys and their values.
    """
    FIXTURES.mkdir(parents=True, exist_ok=True)
    head = {"about": list(about), "versions": {p: version(p) for p in packages}}
    text = json.dumps({**head, **content}, separators=(",", ":"), allow_nan=False)
    path = FIXTURES / f"{name}.json.gz"
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
