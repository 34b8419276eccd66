"""Which places each alternative may take: a bar from the best to the worst, a dot where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from normwright.web.pictures.sheet import HUES, sheet, shortened, words_at
from normwright.web.words import Words


@dataclass(frozen=True)
class RankRow:
    """One alternative and its places, 1 the best."""

    name: str
    place: float
    """Its place in the ranking; level alternatives share the better."""
    low: float | None
    """Best place within the interval; None where nothing is known of it."""
    high: float | None
    """Worst place within the interval."""
    value: str = ""
    """Its score, in words."""


def rank_intervals(rows: Sequence[RankRow], *, title: str, note: str, w: Words) -> str:
    """Return the picture, one row an alternative, in the order given."""
    count = max(1, len(rows))
    row, left, right, width = 24, 244.0, 70.0, 730.0
    height = row * len(rows) + 30

    def x(place: float) -> float:
        return left + (place - 1) / max(1, count - 1) * (width - left - right)

    step = max(1, -(-count // 12))
    parts = []
    for place in range(1, count + 1, step):
        parts.append(
            f'<line class="line" x1="{x(place):.1f}" x2="{x(place):.1f}" y1="4" '
            f'y2="{height - 22}"/>'
        )
        parts.append(
            words_at(x(place), height - 6, str(place), classes="soft note", anchor="middle")
        )
    for i, one in enumerate(rows):
        y = 4 + row * i + row / 2
        parts.append(
            words_at(left - 14, y + 4, shortened(one.name, 32), anchor="end", whole=one.name)
        )
        if one.low is not None and one.high is not None:
            parts.append(
                f'<line x1="{x(one.low) - 4:.1f}" x2="{x(one.high) + 4:.1f}" y1="{y}" y2="{y}" '
                f'stroke="{HUES[0]}" stroke-width="8" stroke-linecap="round" opacity="0.35"/>'
            )
        parts.append(f'<circle cx="{x(one.place):.1f}" cy="{y}" r="5" fill="{HUES[0]}"/>')
        if one.value:
            parts.append(words_at(width, y + 4, one.value, classes="soft value", anchor="end"))
    spoken = ". ".join(
        f"{r.name}: {r.place:g}" + (f" [{r.low:g}, {r.high:g}]" if r.low is not None else "")
        for r in rows
    )
    return sheet(
        parts, width=width, height=height, title=title, note=note, spoken=spoken, lang=w.lang
    )
