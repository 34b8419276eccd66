"""Who beats whom by how much: arrows between few alternatives, a table of shades between many."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from normwright.web.pictures.sheet import HUES, sheet, shortened, words_at
from normwright.web.words import Words

ARROWS = 7
"""Most alternatives that are drawn with arrows."""


def margins(
    names: Sequence[str],
    table: Sequence[Sequence[int]],
    *,
    title: str,
    note: str,
    w: Words,
    top: Collection[str] = (),
    weakest: tuple[str, str] | None = None,
) -> str:
    """Return the picture of a table of margins.

    Args:
        names: alternatives, best first.
        table: voters who put i above j less those who put j above i, by the order of `names`.
        title: what it shows.
        note: how to read it, and n.
        w: the words and numbers of its language.
        top: the Smith set, drawn full.
        weakest: the weakest link of a cycle, drawn broken; none where there is no cycle.
    """
    draw = _arrows if len(names) <= ARROWS else _shades
    parts, width, height = draw(names, table, frozenset(top), weakest)
    beats = [
        f"{names[i]} > {names[j]} ({table[i][j]})"
        for i in range(len(names))
        for j in range(len(names))
        if table[i][j] > 0
    ]
    return sheet(
        parts, width=width, height=height, title=title, note=note, spoken=". ".join(beats),
        lang=w.lang,
    )  # fmt: skip


def _arrows(
    names: Sequence[str],
    table: Sequence[Sequence[int]],
    top: frozenset[str],
    weakest: tuple[str, str] | None,
) -> tuple[list[str], float, float]:
    count, radius, width, height = len(names), 165.0, 640.0, 470.0
    middle = (width / 2, height / 2)
    turn = [2 * math.pi * i / max(1, count) - math.pi / 2 for i in range(count)]
    at = [(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in turn]
    largest = max((abs(v) for row in table for v in row), default=0) or 1
    parts = [
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" '
        'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0L10 5L0 10Z" fill="{HUES[0]}"/></marker></defs>'
    ]
    labels = []
    for i in range(count):
        for j in range(count):
            if table[i][j] <= 0:
                continue
            parts.append(_arrow(at[i], at[j], table[i][j] / largest,
                                broken=weakest == (names[i], names[j])))  # fmt: skip
            # Near the winner, where lines through the middle do not meet.
            labels.append(_label(at[i], at[j], str(table[i][j])))
    parts += labels
    for name, (x, y), a in zip(names, at, turn, strict=True):
        full = name in top
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{HUES[0] if full else "none"}" '
            f'class="stroke" stroke-width="1.5"/>'
        )
        side = math.cos(a)
        anchor = "middle" if abs(side) < 0.2 else "start" if side > 0 else "end"
        out = 16 if anchor != "middle" else 0
        down = 4 if anchor != "middle" else (-16 if math.sin(a) < 0 else 26)
        words = shortened(name, 22)
        parts.append(
            words_at(x + math.copysign(out, side), y + down, words, anchor=anchor, whole=name)
        )
    return parts, width, height


def _arrow(
    start: tuple[float, float], end: tuple[float, float], share: float, *, broken: bool
) -> str:
    gap = math.dist(start, end) or 1.0
    unit = ((end[0] - start[0]) / gap, (end[1] - start[1]) / gap)
    a = (start[0] + 10 * unit[0], start[1] + 10 * unit[1])
    b = (end[0] - 12 * unit[0], end[1] - 12 * unit[1])
    dash = ' stroke-dasharray="6 5"' if broken else ""
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
        f'stroke="{HUES[0]}" stroke-width="{1 + 3 * share:.2f}" opacity="{0.35 + 0.6 * share:.2f}" '
        f'marker-end="url(#tip)"{dash}/>'
    )


def _label(start: tuple[float, float], end: tuple[float, float], text: str) -> str:
    x, y = (start[0] * 0.72 + end[0] * 0.28, start[1] * 0.72 + end[1] * 0.28)
    wide = 7 * len(text) + 6
    return (
        f'<rect class="paper" x="{x - wide / 2:.1f}" y="{y - 8:.1f}" width="{wide}" height="15" '
        f'rx="3" opacity="0.9"/>' + words_at(x, y + 4, text, classes="ink value", anchor="middle")
    )


def _shades(
    names: Sequence[str],
    table: Sequence[Sequence[int]],
    top: frozenset[str],
    weakest: tuple[str, str] | None,
) -> tuple[list[str], float, float]:
    count = len(names)
    cell = max(12.5, min(26.0, 560.0 / count))  # names stand a line apart
    left, head = 216.0, 34.0
    largest = max((abs(v) for row in table for v in row), default=0) or 1
    parts = []
    for i, name in enumerate(names):
        y = head + i * cell
        words = f"{i + 1}. {shortened(name, 26)}"
        classes = "ink name" if name in top else "soft name"
        parts.append(
            words_at(left - 8, y + cell / 2 + 4, words, classes=classes, anchor="end", whole=name)
        )
        if cell >= 14 or (i + 1) % 5 == 0:
            x = left + (i + 0.5) * cell
            parts.append(words_at(x, head - 8, str(i + 1), classes="soft note", anchor="middle"))
        for j, value in enumerate(table[i]):
            if i == j or not value:
                continue
            colour = HUES[0] if value > 0 else HUES[1]
            ring = ' class="stroke" stroke-width="1.5"' if weakest == (name, names[j]) else ""
            parts.append(
                f'<rect x="{left + j * cell:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" '
                f'height="{cell - 1:.1f}" fill="{colour}" '
                f'fill-opacity="{0.12 + 0.88 * abs(value) / largest:.2f}"{ring}/>'
            )
    return parts, left + count * cell, head + count * cell
