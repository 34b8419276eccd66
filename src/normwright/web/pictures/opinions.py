"""The map of opinions: each person a dot, near those who vote alike; groups by colour and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from normwright.web.pictures.sheet import HUES, SHAPES, mark, sheet, words_at
from normwright.web.words import Words

DOTS = 4000
"""Most people that are drawn one by one."""


@dataclass(frozen=True)
class OpinionGroup:
    """One group as the map names it."""

    id: str
    size: int
    label: str
    """In words, with its size."""


def opinion_map(
    points: Sequence[tuple[float, float]],
    labels: Sequence[int],
    groups: Sequence[OpinionGroup],
    *,
    title: str,
    note: str,
    ungrouped: str,
    axes: tuple[str, str],
    w: Words,
) -> str:
    """Return the map.

    Args:
        points: each person's place; nobody is named.
        labels: number of each person's group in `groups`; -1: in none.
        groups: the groups; none where none are supported.
        title: what it shows.
        note: how to read it, what it rests on, and how many are drawn.
        ungrouped: what to call those in no group.
        axes: what the axes are, across and up.
        w: the words and numbers of its language.
    """
    size, right = 460.0, 200.0
    width, height = size + right, size + 24
    reach = max((abs(v) for point in points for v in point), default=1.0) or 1.0

    def at(point: tuple[float, float]) -> tuple[float, float]:
        half = size / 2
        return half + point[0] / reach * (half - 12), half - point[1] / reach * (half - 12)

    middle = size / 2
    parts = [
        f'<rect class="faint" width="{size}" height="{size}" rx="4"/>',
        f'<line class="line" x1="{middle}" x2="{middle}" y1="0" y2="{size}"/>',
        f'<line class="line" x1="0" x2="{size}" y1="{middle}" y2="{middle}"/>',
        words_at(size, size + 18, axes[0], classes="soft note", anchor="end"),
        words_at(0, size + 18, axes[1], classes="soft note"),
    ]
    # Every n-th person, so that a map of very many stays a picture; the note says how many.
    step = max(1, -(-len(points) // DOTS))
    small = 2.0 if len(points) > 1500 else 3.0
    for point, label in list(zip(points, labels, strict=True))[::step]:
        parts.append(_dot(*at(point), label, small))
    for number, group in enumerate(groups):
        mine = [at(p) for p, label in zip(points, labels, strict=True) if label == number]
        if mine:
            x, y = (sum(v) / len(mine) for v in zip(*mine, strict=True))
            parts.append(
                f'<circle class="paper stroke" cx="{x:.1f}" cy="{y:.1f}" r="12" '
                f'stroke-width="1.5" opacity="0.95"/>'
            )
            parts.append(words_at(x, y + 4, group.id, anchor="middle"))
    rows = [(i, g.label) for i, g in enumerate(groups)]
    if any(label < 0 for label in labels):
        rows.append((-1, ungrouped))
    for line, (number, words) in enumerate(rows):
        y = 16 + 22 * line
        parts.append(_dot(size + 22, y, number, 4.0))
        parts.append(words_at(size + 36, y + 4, words))
    spoken = ". ".join(words for _, words in rows)
    return sheet(
        parts, width=width, height=height, title=title, note=note, spoken=spoken, lang=w.lang
    )


def drawn(people: int) -> int:
    """Return how many dots the map of so many people has."""
    step = max(1, -(-people // DOTS))
    return -(-people // step)


def _dot(x: float, y: float, label: int, r: float) -> str:
    if label < 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="#8b8f96" opacity="0.55"/>'
    shape, colour = SHAPES[label % len(SHAPES)], HUES[label % len(HUES)]
    return mark(shape, x, y, r, colour, extra='opacity="0.7"')
