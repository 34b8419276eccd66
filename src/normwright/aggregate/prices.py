"""What it costs to ask a method once, by size, so that a budget need not look at the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp

_OVERHEAD = 1e-4
"""Seconds for anything at all: making the changed profile, and calling."""

PRICES: dict[str, Callable[[int, int], float]] = {
    "antiplurality": lambda m, rows: 1e-8 * rows * m,
    "approval": lambda m, rows: 1e-8 * rows * m,
    "best-worst": lambda m, rows: 2e-3 + 2e-4 * m + 4e-6 * rows + 3e-8 * m**3,
    "borda": lambda m, rows: 1e-8 * m**2,
    "bradley-terry": lambda m, rows: 4e-3 + 6e-5 * m + 5e-7 * rows * m,
    "bridging": lambda m, rows: 2.5e-2 + 1e-5 * rows * m,
    "copeland": lambda m, rows: 1e-8 * m**2,
    "irv": lambda m, rows: 1e-4 * m + min(1.4e-6 * m**3, 0.6) + 1e-10 * rows * m**3,
    "kemeny": lambda m, rows: 1.3e-3 * exp(m / 6),
    "lipschitz-quantile": lambda m, rows: 2e-4 + 1e-4 * m + 1e-8 * rows * m,
    "majority-judgement": lambda m, rows: 1e-7 * rows * m,
    "maximal-lottery": lambda m, rows: 2.1e-3 * m,
    "minimax": lambda m, rows: 1e-8 * m**2,
    "plackett-luce": lambda m, rows: 2e-3 + 1.25e-7 * rows * m**2,
    "plurality": lambda m, rows: 1e-8 * rows * m,
    "ranked-pairs": lambda m, rows: 1e-5 * m**2,
    "river": lambda m, rows: 1.5e-5 * m**2,
    "schulze": lambda m, rows: 6e-5 * m + 3e-9 * m**3,
    "split-cycle": lambda m, rows: 5e-5 * m + 5e-8 * m**3,
    "stable-voting": lambda m, rows: 1e-4 * exp(m / 1.6),
    "stv": lambda m, rows: 1e-4 * m + min(1.4e-6 * m**3, 0.6) + 1e-10 * rows * m**3,
}
"""Seconds in the worst case that was met, on one core of 2024; a bound, not a forecast."""


def seconds(method: str, *, alternatives: int, rows: int) -> float:
    """Return about what it costs to ask a method once about so many different ballots.

    A method that is not in the table is taken to grow as the slowest of those that need only pairs.
    """
    m = alternatives
    # Ballots are written anew and copied, and a table of pairs with them.
    copied = 2e-8 * rows * m + 3e-8 * m**2
    own = PRICES.get(method, _stranger)
    return _OVERHEAD + copied + own(m, rows)


def _stranger(m: int, rows: int) -> float:
    return 1e-8 * rows * m + 1.4e-7 * float(m) ** 3


def shared(price: Mapping[str, float], budget: float, *, most: int) -> dict[str, int]:
    """Return how often each method may be asked, so that all together keep to the budget.

    Each has the same part; what the cheap do not use goes to the dear.

    Args:
        price: seconds of asking once, by slug.
        budget: seconds in all.
        most: how often it is enough to ask.
    """
    asked: dict[str, int] = {}
    left = budget
    for number, (name, one) in enumerate(
        sorted(price.items(), key=lambda item: (item[1], item[0]))
    ):
        asked[name] = min(most, int(left / (len(price) - number) / one))
        left -= asked[name] * one
    return asked


def counting(*, alternatives: int, rows: int) -> float:
    """Return about what it costs to count all pairs of alternatives once, for drawn voters."""
    return _OVERHEAD + 1e-9 * rows * alternatives**2


def afforded(price: Mapping[str, float], budget: float, *, times: int) -> frozenset[str]:
    """Return the methods that may be asked so often, the cheapest first, as far as the budget goes.

    Args:
        price: seconds of asking once, by slug.
        budget: seconds in all.
        times: how often each is asked, all or none.
    """
    found, left = [], budget
    for name, one in sorted(price.items(), key=lambda item: (item[1], item[0])):
        left -= one * times
        if left < 0:
            break
        found.append(name)
    return frozenset(found)
