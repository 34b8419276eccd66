"""What pages of experiments share: figures with intervals, curves of reward over distance."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from scipy.stats import t

from normwright.records import Estimate

Point: TypeAlias = tuple[float, float]
Curves: TypeAlias = Mapping[tuple[str, str], Sequence[Sequence[Point]]]
"""By label and colour, the line of each seed."""


def half_width(values: Sequence[float]) -> float:
    """Return half the width of Student's 95 % interval for the mean of two values or more."""
    quantile = float(t.ppf(0.975, len(values) - 1))
    return quantile * statistics.stdev(values) / math.sqrt(len(values))


def over_seeds(values: Sequence[float]) -> str:
    """Return the mean over seeds with Student's 95 % interval; of one seed its value alone."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.2f} (n = 1)"
    half = half_width(values)
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def told(estimate: Estimate, form: str = ".3f") -> str:
    """Return an estimate with its interval."""
    if estimate.value is None:
        return "unknown"
    at = estimate.interval
    span = "" if at is None else f" [{at.low:{form}}, {at.high:{form}}]"
    return f"{estimate.value:{form}}{span}"


def picture(curves: Curves, *, title: str, axis: str) -> str:
    """Return curves over the square root of KL as SVG: a faint line a seed, their means strong.

    Args:
        curves: (sqrt(KL), reward less that of the start) at each point, as long in every seed.
        title: what is shown, for those who do not see it.
        axis: what stands under the axis; `{right}` is where it ends.
    """
    points = [point for lines in curves.values() for line in lines for point in line]
    right = max(x for x, _ in points) or 1.0
    low, high = min(y for _, y in points), max(y for _, y in points)
    width, height, left, top, labels = 600, 320, 48, 16, 130

    def at(x: float, y: float) -> Point:
        return (
            left + x / right * (width - left - labels),
            top + (high - y) / ((high - low) or 1.0) * (height - top - 44),
        )

    def path(line: Sequence[Point]) -> str:
        return " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in line)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{title}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<g fill="none" font-family="sans-serif" font-size="12">',
        f'<polyline points="{path([(0, 0), (right, 0)])}" stroke="#999" stroke-dasharray="3 3"/>',
    ]
    for (label, colour), lines in curves.items():
        out += [
            f'<polyline points="{path(line)}" stroke="{colour}" opacity="0.3"/>' for line in lines
        ]
        mean = [
            (statistics.fmean(x for x, _ in step), statistics.fmean(y for _, y in step))
            for step in zip(*lines, strict=True)
        ]
        out.append(f'<polyline points="{path(mean)}" stroke="{colour}" stroke-width="2.5"/>')
        x, y = at(*mean[-1])
        out.append(f'<text x="{x + 6:.1f}" y="{y + 4:.1f}" fill="{colour}">{label}</text>')
    for value in (low, 0.0, high):
        out.append(f'<text x="6" y="{at(0, value)[1] + 4:.1f}" fill="#333">{value:.1f}</text>')
    under = axis.format(right=f"{right:.2f}")
    out += [f'<text x="{left}" y="{height - 8}" fill="#333">{under}</text>', "</g></svg>"]
    return "\n".join(out) + "\n"
