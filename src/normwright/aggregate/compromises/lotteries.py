"""The lottery that theories would bargain for: a concave maximum with its certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL_WITHIN = 1e-4
"""Chances that differ by no more count as level: they come from an optimisation in floats."""
_LAST = 1e-11
_STEPS = 300
_CLOSE = 1e-7


@dataclass(frozen=True, eq=False)
class Bargain:
    """A lottery over options and how far from the best possible it can be."""

    chances: Floats
    """Probability of each option; they add up to 1."""
    gap: float
    """Upper bound of what the sum of credence times log gain falls short of its maximum."""

    def facts(self, options: tuple[str, ...]) -> dict[str, Any]:
        """Return the chances by option and the bound, as JSON values."""
        chances = {o: round(float(p), 9) for o, p in zip(options, self.chances, strict=True)}
        return {"lottery": chances, "gap": float(f"{max(self.gap, 0.0):.1e}")}


def bargain(gains: Floats, credences: Floats, *, start: Floats) -> Bargain:
    """Return the lottery p that maximises sum of credence times log(gains @ p).

    A primal-dual interior-point method, which ends at the centre of all best lotteries, so that it
    treats options alike that are alike. How good the lottery is does not rest on how it was found:
    c log t <= y t - c + c log(c / y) for any y above 0, so that the multipliers y bound what any
    lottery reaches, and `gap` is that bound less what this one does.

    Args:
        gains: what each option is worth to each theory above what it has without a bargain, shape
            (theories, options).
        credences: shape (theories,), above 0; they need not add up to 1.
        start: a lottery with every chance above 0 at which every theory gains.

    Raises:
        ArithmeticError: if the maximum was not reached, which no input is known to cause.
    """
    shares = credences / credences.sum()
    at = _Point.at(gains, shares, start)
    for _ in range(_STEPS):
        if at.aim <= _LAST and at.off(shares) <= 1e-9:
            break
        at = at.stepped(gains, shares)
    p = at.p / at.p.sum()
    gap = float(shares @ np.log(shares / (at.y * (gains @ p))) - 1 + (gains.T @ at.y).max())
    if not gap <= _CLOSE:
        raise ArithmeticError(f"the bargain was not found: it may fall short by {gap}")
    return Bargain(p, gap)


@dataclass(frozen=True, eq=False)
class _Point:
    """Chances p and gains t = gains @ p, with their multipliers s and y.

    At the best lottery gains.T @ y + s is the same for every option, y t is the credence of each
    theory, and p s is 0; on the way p s is `aim`, which falls.
    """

    p: Floats
    s: Floats
    t: Floats
    y: Floats
    level: float
    aim: float

    @classmethod
    def at(cls, gains: Floats, shares: Floats, p: Floats) -> _Point:
        t = gains @ p
        y = shares / t
        worth = gains.T @ y
        level = float(worth.max()) + 1.0
        s = level - worth
        return cls(p, s, t, y, level, float((p * s).mean()))

    def off(self, shares: Floats) -> float:
        """How far the products are from what they should be."""
        return float(
            max(np.abs(self.y * self.t - shares).max(), np.abs(self.p * self.s - self.aim).max())
        )

    def stepped(self, gains: Floats, shares: Floats) -> _Point:
        """One Newton step towards the products that are aimed at, as long as it may be."""
        m = len(self.p)
        short = gains @ self.p - self.t
        uneven = gains.T @ self.y + self.s - self.level
        # In the measures of p and y themselves, and without products of matrices, the equations
        # stay well scaled as chances and gains go to 0.
        scaled = self.y[:, None] * gains * self.p
        edge = self.p[:, None]
        system = np.block([
            [-np.diag(self.p * self.s), scaled.T, -edge],
            [scaled, np.diag(self.t * self.y), np.zeros((len(self.t), 1))],
            [edge.T, np.zeros((1, len(self.t) + 1))],
        ])  # fmt: skip
        right = np.concatenate([
            self.p * self.s - self.aim - self.p * uneven,
            shares - self.y * self.t - self.y * short,
            [1.0 - self.p.sum()],
        ])  # fmt: skip
        found = np.linalg.solve(system, right)
        dp, dy = self.p * found[:m], self.y * found[m:-1]
        dt = gains @ dp + short
        ds = (self.aim - self.p * self.s - self.s * dp) / self.p
        size = _longest(
            np.concatenate([self.p, self.s, self.t, self.y]), np.concatenate([dp, ds, dt, dy])
        )
        return _Point(
            p=self.p + size * dp,
            s=self.s + size * ds,
            t=self.t + size * dt,
            y=self.y + size * dy,
            level=self.level + size * float(found[-1]),
            aim=max(_LAST, self.aim * (0.1 if size > 0.9 else 0.5 if size > 0.3 else 1.0)),
        )


def _longest(have: Floats, change: Floats) -> float:
    """The longest step, at most 1, that leaves everything above 0."""
    falling = change < 0
    limit = float((have[falling] / -change[falling]).min(initial=np.inf))
    return min(1.0, 0.95 * limit)
