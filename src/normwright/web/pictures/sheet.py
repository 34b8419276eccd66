"""The sheet a picture is drawn on: its frame, its colours, its title and its note."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

HUES = ("#3f6fa8", "#b4602a", "#2f7d5b", "#8a4f9e", "#a3862a", "#9c3b4f", "#4b8a94", "#6b6f76")
"""Colours of groups and methods, told apart with every common colour blindness; shapes help."""
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
_STYLE = """
svg { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
.paper { fill: #fbfaf6; } .ink { fill: #1c1e22; } .soft { fill: #565b63; }
.line { stroke: #dcd9d0; } .axis { stroke: #565b63; } .faint { fill: #efede5; }
.stroke { stroke: #1c1e22; } .halo { stroke: #fbfaf6; }
.title { font-size: 17px; font-weight: 600; } .name { font-size: 12px; }
.note { font-size: 11px; } .value { font-size: 11px; font-variant-numeric: tabular-nums; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #14161a; } .ink { fill: #ebe8e1; } .soft { fill: #aaaeb5; }
  .line { stroke: #343840; } .axis { stroke: #aaaeb5; } .faint { fill: #22262c; }
  .stroke { stroke: #ebe8e1; } .halo { stroke: #14161a; }
}
"""
_MARGIN = 20.0
_NARROWEST = 480.0
"""Narrower drawings stand on a sheet of this width, so that titles have room."""
_CHARACTER, _BOLD = 6.2, 9.8
"""Mean width of a character of a note and of a title, in pixels."""


def sheet(
    parts: Iterable[str], *, width: float, height: float, title: str, note: str, spoken: str,
    lang: str,
) -> str:  # fmt: skip
    """Return a whole SVG file.

    Args:
        parts: the drawing, with (0, 0) below the title.
        width: of the drawing, in pixels.
        height: of the drawing, in pixels.
        title: what it shows; wrapped to the width.
        note: how to read it and what it rests on (n, interval, seed); wrapped to the width.
        spoken: the picture in words, for those who cannot see it.
        lang: language of its words.
    """
    wide = max(width, _NARROWEST)
    full = wide + 2 * _MARGIN
    heading = textwrap.wrap(title, int(wide / _BOLD))
    below = textwrap.wrap(note, int(wide / _CHARACTER))
    top = 18 + 22 * len(heading)
    total = top + height + 16 + 15 * len(below) + 8
    lines = [
        f'<text class="ink title" x="{_MARGIN}" y="{26 + 22 * i}">{escape(line)}</text>'
        for i, line in enumerate(heading)
    ]
    lines += [
        f'<text class="soft note" x="{_MARGIN}" y="{top + height + 22 + 15 * i:.1f}">'
        f"{escape(line)}</text>"
        for i, line in enumerate(below)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full:.0f} {total:.0f}" '
        f'width="{full:.0f}" height="{total:.0f}" role="img" lang="{escape(lang)}">'
        f"<title>{escape(title)}</title><desc>{escape(spoken)}</desc><style>{_STYLE}</style>"
        f'<rect class="paper" width="100%" height="100%"/>'
        f'{"".join(lines)}<g transform="translate({_MARGIN:.0f} {top})">{"".join(parts)}</g>'
        "</svg>\n"
    )


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters, with an ellipsis where it was cut."""
    return text if len(text) <= most else text[: max(1, most - 1)].rstrip() + "…"


def words_at(
    x: float, y: float, text: str, *, classes: str = "ink name", anchor: str = "start",
    whole: str = "",
) -> str:  # fmt: skip
    """Return a line of words; `whole` is told on hovering, where the line was shortened."""
    told = f"<title>{escape(whole)}</title>" if whole and whole != text else ""
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}{}</text>').format(
        classes, x, y, anchor, text, Markup(told)
    )


def mark(shape: str, x: float, y: float, r: float, colour: str, *, extra: str = "") -> str:
    """Return one mark of a shape, around a point."""
    fill = f'fill="{colour}" {extra}'
    match shape:
        case "square":
            return (
                f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}" {fill}/>'
            )
        case "triangle":
            return f'<path d="M{x:.1f} {y - r:.1f}l{r} {2 * r}h{-2 * r}Z" {fill}/>'
        case "diamond":
            return f'<path d="M{x:.1f} {y - r:.1f}l{r} {r}l{-r} {r}l{-r} {-r}Z" {fill}/>'
        case "cross":
            return (
                f'<path d="M{x - r:.1f} {y - r:.1f}l{2 * r} {2 * r}M{x + r:.1f} {y - r:.1f}'
                f'l{-2 * r} {2 * r}" stroke="{colour}" stroke-width="2" {extra}/>'
            )
        case _:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" {fill}/>'


def ticks(low: float, high: float, most: int = 6) -> Sequence[float]:
    """Return round numbers from low to high, at most so many."""
    if high <= low:
        return (low,)
    step = 10.0**-12
    rough = (high - low) / max(1, most - 1)
    for power in range(-9, 13):
        for factor in (1.0, 2.0, 2.5, 5.0):
            step = factor * 10.0**power
            if step >= rough:
                first = -(-low // step)
                count = int((high - first * step) / step + 1e-9) + 1
                return tuple(round((first + i) * step, 12) for i in range(count))
    return (low, high)
