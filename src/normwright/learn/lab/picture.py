"""The lab as one SVG: divergence against the number of votes, and what each recipe leaves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

WIDTH: Final = 760
LEFT: Final = 330
TONES: Final = ("#1f6f8b", "#b3541e", "#4b7f52", "#7a4f9a", "#8a6d1a")


def picture(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows of the lab's JSON as an SVG image, complete in itself.

    Above, the points of curves with what theory predicts for them as lines, both axes logarithmic;
    below, a bar for every other number between 1e-7 and 100 with its threshold as a tick.
    """
    curves = _curves(rows)
    bars = [row for row in rows if row.get("curve") is None and _shown(row)]
    top = 306 + 16 * len(curves) + 12 if curves else 20
    height = top + 18 * len(bars) + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Divergence from known optima, with thresholds" '
        f'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *(_plot(curves) if curves else ()),
        *_bars(bars, top),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _curves(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[float, float, float]]]:
    """Points of each curve: votes, measured, expected."""
    out: dict[str, list[tuple[float, float, float]]] = {}
    for row in rows:
        if row.get("curve") is not None:
            name, at = row["curve"]
            out.setdefault(name, []).append((at, row["measured"], row["expected"]))
    return {name: sorted(points) for name, points in out.items()}


def _shown(row: Mapping[str, Any]) -> bool:
    numbers = (row["measured"], row["threshold"])
    return all(isinstance(v, int | float) for v in numbers) and 0 < float(numbers[1]) <= 100


def _plot(curves: Mapping[str, Sequence[tuple[float, float, float]]]) -> Iterable[str]:
    points = [p for each in curves.values() for p in each]
    x_low, x_high = (math.log10(f(p[0] for p in points)) for f in (min, max))
    values = [v for p in points for v in p[1:]]
    y_low, y_high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x(value: float) -> float:
        share = (math.log10(value) - x_low) / ((x_high - x_low) or 1)
        return round(80 + 600 * share, 1)

    def y(value: float) -> float:
        return round(270 - 230 * (math.log10(value) - y_low) / ((y_high - y_low) or 1), 1)

    yield '<text x="80" y="20" font-size="13">KL to the target (nats) against votes</text>'
    for power in range(y_low, y_high + 1):
        at = y(10.0**power)
        yield f'<line x1="80" x2="700" y1="{at}" y2="{at}" stroke="#ddd"/>'
        yield f'<text x="72" y="{at + 4}" text-anchor="end">1e{power}</text>'
    for votes in sorted({p[0] for p in points}):
        yield f'<text x="{x(votes)}" y="288" text-anchor="middle">{votes:g}</text>'
    for i, (name, each) in enumerate(curves.items()):
        tone = TONES[i % len(TONES)]
        line = " ".join(f"{x(at)},{y(said)}" for at, _, said in each)
        yield f'<polyline points="{line}" fill="none" stroke="{tone}" stroke-dasharray="5 3"/>'
        for at, seen, said in each:
            label = escape(f"{name}, {at:g} votes: {seen:.3g}, predicted {said:.3g}")
            yield f'<circle cx="{x(at)}" cy="{y(seen)}" r="4" fill="{tone}"><title>{label}</title>'
            yield "</circle>"
        yield (f'<text x="80" y="{310 + 16 * i}" fill="{tone}">● {escape(name)} (line: T3)</text>')


def _bars(rows: Sequence[Mapping[str, Any]], top: float) -> Iterable[str]:
    low, high = -7.0, 2.0

    def x(value: float) -> float:
        power = min(max(math.log10(max(value, 1e-12)), low), high)
        return round(LEFT + (WIDTH - LEFT - 70) * (power - low) / (high - low), 1)

    for power in range(int(low), int(high) + 1):
        at = x(10.0**power)
        end = top + 18 * len(rows) + 6
        yield f'<line x1="{at}" x2="{at}" y1="{top}" y2="{end}" stroke="#eee"/>'
        yield f'<text x="{at}" y="{end + 14}" text-anchor="middle">1e{power}</text>'
    for i, row in enumerate(rows):
        at = top + 18 * i + 12
        tone = "#c0392b" if not row["passed"] else "#999" if row["control"] else TONES[0]
        width = max(x(row["measured"]) - LEFT, 1)
        limit = x(row["threshold"])
        yield (
            f'<text x="{LEFT - 6}" y="{at}" text-anchor="end" font-size="9">'
            f"{escape(row['test'][:66])}</text>"
        )
        yield f'<rect x="{LEFT}" y="{at - 9}" width="{width:.1f}" height="10" fill="{tone}"/>'
        yield f'<line x1="{limit}" x2="{limit}" y1="{at - 12}" y2="{at + 4}" stroke="#000"/>'
        yield f'<text x="{WIDTH - 64}" y="{at}" font-size="9">{row["measured"]:.2g}</text>'
