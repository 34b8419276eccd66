"""The reliability diagram of a calibrated guard: what it said against what was so, as one SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from normwright.records import ReliabilityBin
from normwright.stats import wilson

_SIZE, _LEFT, _TOP = 320, 60, 36
_TONES = ("#1f6f8b", "#b3541e", "#4b7f52", "#7a4f9a", "#8a6d1a", "#444444", "#a03050")


def reliability(
    curves: Sequence[tuple[str, Sequence[ReliabilityBin]]],
    *,
    title: str,
    said: str,
    found: str,
) -> str:
    """Return the diagram, complete in itself: a curve each, 95 % Wilson bars, the diagonal.

    Args:
        curves: name and bins of each curve; an empty one is only named.
        title: what it shows, also for those who cannot see it.
        said: name of the axis of probabilities.
        found: name of the axis of shares.
    """
    width, height = _LEFT + _SIZE + 190, _TOP + _SIZE + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="13">{escape(title)}</text>',
        *_axes(said, found),
    ]
    for i, (name, bins) in enumerate(curves):
        tone = _TONES[i % len(_TONES)]
        parts += _curve(bins, tone)
        y = _TOP + 14 + 18 * i
        parts.append(f'<circle cx="{_LEFT + _SIZE + 18}" cy="{y - 4}" r="4" fill="{tone}"/>')
        parts.append(f'<text x="{_LEFT + _SIZE + 28}" y="{y}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(said: str, found: str) -> list[str]:
    parts = [
        f'<path d="M{_x(0)},{_y(0)} L{_x(1)},{_y(1)}" stroke="#999" stroke-dasharray="4 3"/>',
        f'<path d="M{_x(0)},{_y(1)} V{_y(0)} H{_x(1)}" stroke="#333" fill="none"/>',
        f'<text x="{_x(0.5)}" y="{_y(0) + 36}" text-anchor="middle">{escape(said)}</text>',
        f'<text x="16" y="{_y(0.5)}" text-anchor="middle" '
        f'transform="rotate(-90 16 {_y(0.5)})">{escape(found)}</text>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<text x="{_x(tick)}" y="{_y(0) + 16}" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{_LEFT - 8}" y="{_y(tick) + 4}" text-anchor="end">{tick:g}</text>')
    return parts


def _curve(bins: Sequence[ReliabilityBin], tone: str) -> list[str]:
    parts = []
    for one in bins:
        span = wilson(one.found * one.n, one.n)
        parts.append(
            f'<path d="M{_x(one.said)},{_y(span.low)} V{_y(span.high)}" stroke="{tone}"/>'
            f'<circle cx="{_x(one.said)}" cy="{_y(one.found)}" r="{_radius(one.n)}" fill="{tone}">'
            f"<title>{one.said:.3f}: {one.found:.3f}, n = {one.n}</title></circle>"
        )
    line = " L".join(f"{_x(b.said)},{_y(b.found)}" for b in bins)
    return [f'<path d="M{line}" stroke="{tone}" fill="none"/>' if bins else "", *parts]


def _radius(n: int) -> float:
    return round(2 + math.log10(max(n, 1)), 1)


def _x(share: float) -> float:
    return round(_LEFT + _SIZE * share, 1)


def _y(share: float) -> float:
    return round(_TOP + _SIZE * (1 - share), 1)
