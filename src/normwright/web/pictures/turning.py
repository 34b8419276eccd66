"""How far credences may move before a choice turns: a bar a rule, under each theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

from normwright.web.pictures.sheet import HUES, sheet, shortened, words_at
from normwright.web.words import Words

_WIDTH, _LEFT, _RIGHT, _ROW = 760.0, 170.0, 130.0, 19.0
_LETTER = 6.4
"""Width of a letter of what stands beside a bar, in pixels."""


@dataclass(frozen=True)
class Stretch:
    """The credences of one theory over which one rule chooses the same."""

    rule: str
    chosen: str
    """The option; or, without ends, why there is no stretch."""
    ends: tuple[float, float] | None
    below: str = ""
    """What is chosen just below; empty where the stretch goes down to 0."""
    above: str = ""
    """What is chosen just above; empty where the stretch goes up to 1."""
    spoken: str = ""


@dataclass(frozen=True)
class Panel:
    """One theory and what the rules choose as it is believed more or less."""

    name: str
    credence: float
    stretches: tuple[Stretch, ...]


def turning(panels: Sequence[Panel], *, title: str, note: str, w: Words) -> str:
    """Return the picture, one block of bars a theory; a colour is what is chosen."""
    drawn = [s.chosen for p in panels for s in p.stretches if s.ends is not None]
    hues = {option: HUES[i % len(HUES)] for i, option in enumerate(dict.fromkeys(drawn))}
    parts, y = _legend(hues)
    top = y
    for panel in panels:
        parts.append(words_at(0, y + 13, shortened(panel.name, 80), whole=panel.name))
        bars = y + _ROW + 2
        for one in panel.stretches:
            parts += _bar(one, bars + _ROW / 2, hues)
            bars += _ROW
        at = _x(panel.credence)
        parts.append(
            f'<line class="stroke" stroke-width="1.5" x1="{at:.1f}" x2="{at:.1f}" '
            f'y1="{y + _ROW:.1f}" y2="{bars + 1:.1f}"/>'
        )
        y = bars + 12
    spoken = ". ".join(s.spoken for p in panels for s in p.stretches)
    return sheet([*_grid(top, y, w), *parts], width=_WIDTH, height=y + 16, title=title, note=note,
                 spoken=spoken, lang=w.lang)  # fmt: skip


def _x(credence: float) -> float:
    return _LEFT + credence * (_WIDTH - _LEFT - _RIGHT)


def _legend(hues: dict[str, str]) -> tuple[list[str], float]:
    """What each colour is, line by line, and where they end."""
    parts, x, y = [], 0.0, 4.0
    for option, hue in hues.items():
        text = shortened(option, 40)
        wide = 26 + _LETTER * 1.05 * len(text)
        if x and x + wide > _WIDTH:
            x, y = 0.0, y + 18
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="11" height="11" fill="{hue}"/>')
        parts.append(words_at(x + 16, y + 10, text, whole=option))
        x += wide + 12
    return parts, y + (26 if hues else 0)


def _grid(top: float, bottom: float, w: Words) -> list[str]:
    parts = []
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = _x(value)
        parts.append(
            f'<line class="line" x1="{at:.1f}" x2="{at:.1f}" y1="{top + 18:.1f}" '
            f'y2="{bottom:.1f}"/>'
        )
        parts.append(words_at(at, bottom + 14, w.number(value, "plain"), classes="soft value",
                              anchor="middle"))  # fmt: skip
    return parts


def _bar(one: Stretch, y: float, hues: dict[str, str]) -> list[str]:
    parts = [words_at(_LEFT - 10, y + 4, one.rule, classes="soft note", anchor="end")]
    if one.ends is None:
        parts.append(words_at(_LEFT + 4, y + 4, shortened(one.chosen, 90), classes="soft note",
                              whole=one.chosen))  # fmt: skip
        return parts
    low, high = map(_x, one.ends)
    parts.append(
        f'<rect x="{low:.1f}" y="{y - 6:.1f}" width="{max(high - low, 2.0):.1f}" height="12" '
        f'fill="{hues[one.chosen]}"><title>{escape(one.spoken)}</title></rect>'
    )
    if one.below and (room := int((low - _LEFT - 8) / _LETTER)) > 2:
        parts.append(words_at(low - 4, y + 4, shortened(one.below, room), anchor="end",
                              classes="ink value", whole=one.below))  # fmt: skip
    if one.above:
        room = max(4, int((_WIDTH - high - 8) / _LETTER))
        parts.append(words_at(high + 4, y + 4, shortened(one.above, room), classes="ink value",
                              whole=one.above))  # fmt: skip
    return parts
