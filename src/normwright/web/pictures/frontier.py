"""A trade-off between two objectives: a mark a cell, error bars both ways, the frontier marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from normwright.web.pictures.sheet import HUES, SHAPES, mark, sheet, shortened, ticks, words_at
from normwright.web.words import Words


@dataclass(frozen=True)
class Spot:
    """One cell."""

    name: str
    group: str
    """What its colour and shape stand for, such as its method."""
    across: tuple[float, float, float]
    """Value and the two ends of its interval."""
    up: tuple[float, float, float]
    state: str
    """`on`: on the frontier; `off`; `barred`."""
    told: str = ""
    """What is said of it on hovering."""


def frontier(
    spots: Sequence[Spot], *, title: str, note: str, across: str, up: str,
    names: tuple[str, str, str], w: Words,
) -> str:  # fmt: skip
    """Return the picture.

    Args:
        spots: the cells; ends of intervals that are not finite must be cut before.
        title: what it shows.
        note: how to read it, and what it rests on.
        across: what the horizontal axis is, and which way is better.
        up: what the vertical axis is.
        names: what cells on the frontier, off it and barred are called.
        w: the words and numbers of its language.
    """
    width, height, left, right, foot = 760.0, 440.0, 60.0, 210.0, 44.0
    x = _scale([v for s in spots for v in s.across], left, width - right)
    y = _scale([v for s in spots for v in s.up], height - foot, 14.0)
    parts = _axes(spots, x, y, w, (left, width - right, height - foot))
    middle = (left + width - right) / 2
    parts.append(words_at(middle, height - 6, across, classes="soft note", anchor="middle"))
    parts.append(words_at(left - 52, 6, up, classes="soft note"))
    groups = list(dict.fromkeys(s.group for s in spots))
    for spot in sorted(spots, key=lambda s: s.state == "on"):
        parts += _spot(spot, groups.index(spot.group), x, y)
    at = width - right + 24
    for number, group in enumerate(groups):
        line = 18 + 18 * number
        parts.append(mark(_shape(number), at, line, 4.5, HUES[number % len(HUES)]))
        parts.append(words_at(at + 12, line + 4, shortened(group, 26), whole=group))
    line = 36 + 18 * len(groups)
    for state, name in zip(("on", "off", "barred"), names, strict=True):
        if any(s.state == state for s in spots):
            parts += _ring(state, at, line, HUES[0], "square")
            parts.append(words_at(at + 12, line + 4, name, classes="soft name"))
            line += 18
    spoken = ". ".join(
        f"{s.name}: {s.across[0]:.4g} [{s.across[1]:.4g}, {s.across[2]:.4g}], {s.up[0]:.4g} "
        f"[{s.up[1]:.4g}, {s.up[2]:.4g}], {names[('on', 'off', 'barred').index(s.state)]}"
        for s in spots
    )
    return sheet(parts, width=width, height=max(height, line), title=title, note=note,
                 spoken=spoken, lang=w.lang)  # fmt: skip


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.05 or 0.5
    low, high = low - room, high + room

    def place(value: float) -> float:
        return start + (value - low) / (high - low) * (end - start)

    return place


def _axes(
    spots: Sequence[Spot], x: Callable[[float], float], y: Callable[[float], float], w: Words,
    box: tuple[float, float, float],
) -> list[str]:  # fmt: skip
    left, edge, bottom = box
    across = [v for s in spots for v in s.across]
    up = [v for s in spots for v in s.up]
    parts = []
    for value in ticks(min(up, default=0.0), max(up, default=1.0)):
        parts.append(f'<line class="line" x1="{left}" x2="{edge}" y1="{y(value):.1f}" '
                     f'y2="{y(value):.1f}"/>')  # fmt: skip
        parts.append(words_at(left - 8, y(value) + 4, w.number(value, "plain"),
                              classes="soft value", anchor="end"))  # fmt: skip
    for value in ticks(min(across, default=0.0), max(across, default=1.0)):
        parts.append(f'<line class="line" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="14" '
                     f'y2="{bottom}"/>')  # fmt: skip
        parts.append(words_at(x(value), bottom + 18, w.number(value, "plain"),
                              classes="soft value", anchor="middle"))  # fmt: skip
    return parts


def _spot(
    spot: Spot, number: int, x: Callable[[float], float], y: Callable[[float], float]
) -> list[str]:
    colour = "#8b8f96" if spot.state == "barred" else HUES[number % len(HUES)]
    at = x(spot.across[0]), y(spot.up[0])
    bar = f'stroke="{colour}" stroke-width="1.3" opacity="0.6" class="bar"'
    parts = [
        f'<line x1="{x(spot.across[1]):.1f}" x2="{x(spot.across[2]):.1f}" y1="{at[1]:.1f}" '
        f'y2="{at[1]:.1f}" {bar}/>',
        f'<line x1="{at[0]:.1f}" x2="{at[0]:.1f}" y1="{y(spot.up[1]):.1f}" '
        f'y2="{y(spot.up[2]):.1f}" {bar}/>',
        *_ring(spot.state, *at, colour, _shape(number)),
    ]
    parts.append(words_at(at[0] + 8, at[1] - 7, shortened(spot.name, 24), classes="soft value",
                          whole=f"{spot.name}. {spot.told}".strip()))  # fmt: skip
    return parts


def _ring(state: str, x: float, y: float, colour: str, shape: str) -> list[str]:
    """A mark; on the frontier with a ring, barred faint."""
    if state == "on":
        ring = f'<circle class="stroke" cx="{x:.1f}" cy="{y:.1f}" r="8.5" fill="none"/>'
        return [ring, mark(shape, x, y, 5, colour)]
    extra = 'opacity="0.45"' if state == "barred" else ""
    return [mark(shape, x, y, 4 if state == "barred" else 5, colour, extra=extra)]


def _shape(number: int) -> str:
    return SHAPES[number % len(SHAPES)]
