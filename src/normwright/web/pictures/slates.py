"""A slate: how many approve of each member, and how many have none, one, two ... of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from normwright.web.pictures.sheet import HUES, sheet, shortened, words_at
from normwright.web.words import Words


@dataclass(frozen=True)
class Bar:
    """One share, as a bar."""

    name: str
    share: float
    text: str
    """The share in words."""


def slate(
    members: Sequence[Bar],
    served: Sequence[Bar],
    *,
    heading: str,
    title: str,
    note: str,
    w: Words,
) -> str:
    """Return the picture: the members above, below them people by how many members they approve.

    Args:
        members: share of those asked who approve of each member.
        served: share of the voters who approve of none, one, two ... members.
        heading: what the lower part is.
        title: what it shows.
        note: how to read it, and n.
        w: the words and numbers of its language.
    """
    left, right, width, row = 300.0, 104.0, 760.0, 24
    parts: list[str] = []

    def draw(bars: Sequence[Bar], top: float, hue: str) -> float:
        for number, bar in enumerate(bars):
            y = top + row * number
            long = bar.share * (width - left - right)
            words = shortened(bar.name, 44)
            parts.append(words_at(left - 10, y + 15, words, anchor="end", whole=bar.name))
            parts.append(
                f'<rect class="faint" x="{left}" y="{y + 4:.1f}" width="{width - left - right}" '
                f'height="14" rx="2"/>'
                f'<rect x="{left}" y="{y + 4:.1f}" width="{long:.1f}" height="14" rx="2" '
                f'fill="{hue}"/>'
            )
            parts.append(words_at(width, y + 15, bar.text, classes="ink value", anchor="end"))
        return top + row * len(bars)

    below = draw(members, 4, HUES[0]) + 30
    parts.append(words_at(left, below - 8, heading, classes="soft name"))
    height = draw(served, below, HUES[2])
    spoken = ". ".join(f"{bar.name}: {bar.text}" for bar in (*members, *served))
    return sheet(
        parts, width=width, height=height, title=title, note=note, spoken=spoken, lang=w.lang
    )
