"""How far rules agree: a table of shades, one row and one column a rule."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.web.pictures.sheet import HUES, sheet, shortened, words_at
from normwright.web.words import Words


def agreement(
    names: Sequence[str],
    table: Sequence[Sequence[float | None]],
    *,
    title: str,
    note: str,
    w: Words,
) -> str:
    """Return the picture of a table of rank correlations.

    Args:
        names: rules, in the order of the table.
        table: correlation of each two in [-1, 1]; None where it is not defined.
        title: what it shows.
        note: how to read it.
        w: the words and numbers of its language.
    """
    count = max(1, len(names))
    cell, left, head = max(24.0, min(44.0, 520.0 / count)), 170.0, 26.0
    parts = []
    for i, name in enumerate(names):
        y = head + i * cell
        words = f"{i + 1}. {shortened(name, 24)}"
        parts.append(words_at(left - 8, y + cell / 2 + 4, words, anchor="end", whole=name))
        x = left + (i + 0.5) * cell
        parts.append(words_at(x, head - 8, str(i + 1), classes="soft note", anchor="middle"))
        for j, value in enumerate(table[i]):
            x = left + j * cell
            if value is None:
                parts.append(
                    words_at(x + cell / 2, y + cell / 2 + 4, "–", classes="soft note",
                             anchor="middle")
                )  # fmt: skip
                continue
            colour = HUES[0] if value >= 0 else HUES[1]
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" height="{cell - 1:.1f}" '
                f'fill="{colour}" fill-opacity="{0.04 + 0.5 * abs(value):.2f}"/>'
            )
            if cell >= 24:
                text = w.number(round(value, 2), "plain")
                parts.append(
                    words_at(x + cell / 2, y + cell / 2 + 4, text, classes="ink note",
                             anchor="middle")
                )  # fmt: skip
    spoken = ". ".join(
        f"{names[i]} / {names[j]}: {table[i][j]:.2f}"
        for i in range(len(names))
        for j in range(i)
        if table[i][j] is not None
    )
    return sheet(
        parts, width=left + count * cell, height=head + count * cell, title=title, note=note,
        spoken=spoken, lang=w.lang,
    )  # fmt: skip
