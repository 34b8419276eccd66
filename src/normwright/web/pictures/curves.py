"""Rates along an axis, one curve a method, each with its band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from normwright.web.pictures.sheet import HUES, SHAPES, mark, sheet, shortened, ticks, words_at
from normwright.web.words import Words


@dataclass(frozen=True)
class Curve:
    """One method's rates, from left to right."""

    name: str
    points: tuple[tuple[float, float, float, float], ...]
    """Where on the axis, the rate, and the two ends of its interval."""


def curves(found: Sequence[Curve], *, title: str, note: str, across: str, up: str, w: Words) -> str:
    """Return the picture.

    Args:
        found: the curves; those with the highest rate at the end are named first.
        title: what it shows.
        note: how to read it, and what it rests on.
        across: what the horizontal axis is.
        up: what the vertical axis is.
        w: the words and numbers of its language.
    """
    width, height, left, right, foot = 720.0, 400.0, 52.0, 170.0, 44.0
    xs = [p[0] for one in found for p in one.points]
    low, high = (min(xs), max(xs)) if xs else (0.0, 1.0)
    most = max((p[3] for one in found for p in one.points), default=1.0)
    ceiling = min(1.0, max(0.05, most * 1.05))

    def x(value: float) -> float:
        return left + (value - low) / ((high - low) or 1.0) * (width - left - right)

    def y(rate: float) -> float:
        return 10 + (1 - rate / ceiling) * (height - foot - 10)

    parts = []
    for value in ticks(0.0, ceiling):
        parts.append(
            f'<line class="line" x1="{left}" x2="{width - right}" y1="{y(value):.1f}" '
            f'y2="{y(value):.1f}"/>'
        )
        text = w.number(value, "plain")
        parts.append(words_at(left - 8, y(value) + 4, text, classes="soft value", anchor="end"))
    for value in sorted(set(xs)) if len(set(xs)) <= 9 else ticks(low, high):
        text = w.number(value, "plain")
        parts.append(
            words_at(x(value), height - foot + 18, text, classes="soft value", anchor="middle")
        )
    middle = (left + width - right) / 2
    parts.append(words_at(middle, height - 6, across, classes="soft note", anchor="middle"))
    parts.append(words_at(left - 44, 4, up, classes="soft note"))
    ordered = sorted(found, key=lambda one: (-one.points[-1][1] if one.points else 0.0, one.name))
    for number, one in enumerate(ordered):
        parts += _curve(one, number, x, y, shade=min(0.15, 0.6 / len(ordered)))
        line = 14 + 17 * number
        at = width - right + 16
        parts.append(mark(SHAPES[number // len(HUES) % len(SHAPES)], at, line, 4, _hue(number)))
        parts.append(words_at(at + 10, line + 4, shortened(one.name, 24), whole=one.name))
    spoken = ". ".join(
        f"{one.name}: "
        + ", ".join(f"{p[0]:g}: {p[1]:.3f} [{p[2]:.3f}, {p[3]:.3f}]" for p in one.points)
        for one in ordered
    )
    tall = max(height, 14 + 17 * len(ordered))
    return sheet(
        parts, width=width, height=tall, title=title, note=note, spoken=spoken, lang=w.lang
    )


def _hue(number: int) -> str:
    return HUES[number % len(HUES)]


def _curve(
    one: Curve,
    number: int,
    x: Callable[[float], float],
    y: Callable[[float], float],
    *,
    shade: float,
) -> list[str]:
    colour = _hue(number)
    upper = [f"{x(p[0]):.1f} {y(p[3]):.1f}" for p in one.points]
    lower = [f"{x(p[0]):.1f} {y(p[2]):.1f}" for p in reversed(one.points)]
    middle = "L".join(f"{x(p[0]):.1f} {y(p[1]):.1f}" for p in one.points)
    shape = SHAPES[number // len(HUES) % len(SHAPES)]
    parts = []
    if len(one.points) > 1:
        band = f'd="M{"L".join(upper + lower)}Z" fill="{colour}" opacity="{shade:.3f}"'
        parts.append(f"<path {band}/>")
        parts.append(
            f'<path d="M{middle}" fill="none" stroke="{colour}" stroke-width="2"><title>'
            f"{one.name}</title></path>"
        )
    return parts + [mark(shape, x(p[0]), y(p[1]), 3.5, colour) for p in one.points]
