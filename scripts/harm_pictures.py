"""The picture of the page on the harm classifier: dots with error bars, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from normwright.records import Estimate

_LEFT, _WIDTH, _ROW = 330, 360, 17


def bars(groups: Sequence[tuple[str, Sequence[tuple[str, Estimate, float]]]]) -> str:
    """Return an SVG, complete in itself: for each group its rows of (name, estimate, chance)."""
    height = 40 + sum(26 + _ROW * len(rows) for _, rows in groups)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 70} {height}" '
        'role="img" aria-label="Balanced accuracy with 95 % intervals, by collection" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{_LEFT + _WIDTH + 70}" height="{height}" fill="#fff"/>',
        '<text x="10" y="20" font-size="13">Balanced accuracy on locked rows, 95 % intervals; '
        "the line is chance</text>",
    ]
    y = 34
    for title, rows in groups:
        y += 20
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{escape(title)}</text>')
        top = y + 4
        for i, (name, estimate, _) in enumerate(rows):
            y += _ROW
            parts += _row(name, estimate, y, "#1f6f8b" if i == 0 else "#777")
        parts.append(f'<path d="M{_x(0.5)},{top} V{y + 4}" stroke="#b3541e" '
                     'stroke-dasharray="3 3"/>')  # fmt: skip
        y += 6
    for tick in (0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(f'<text x="{_x(tick)}" y="32" text-anchor="middle" fill="#555">{tick}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(name: str, estimate: Estimate, y: int, tone: str) -> list[str]:
    plain = name.replace("`", "")
    parts = [f'<text x="{_LEFT - 10}" y="{y}" text-anchor="end">{escape(plain)}</text>']
    if estimate.value is None:
        return parts
    at = estimate.interval
    if at is not None:
        parts.append(f'<path d="M{_x(at.low)},{y - 4} H{_x(at.high)}" stroke="{tone}" '
                     'stroke-width="2"/>')  # fmt: skip
    parts.append(f'<circle cx="{_x(estimate.value)}" cy="{y - 4}" r="3.5" fill="{tone}"/>')
    parts.append(f'<text x="{_LEFT + _WIDTH + 12}" y="{y}">{estimate.value:.3f}</text>')
    return parts


def _x(share: float) -> float:
    return round(_LEFT + _WIDTH * (share - 0.2) / 0.8, 1)
