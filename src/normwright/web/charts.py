"""Inline SVG pictures: a bound against its limit, support strips, rates with their intervals.

Every picture is a text for those who cannot see it (`role="img"` with a label) and takes its
colours from the page, so that it prints and turns dark with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Mark:
    """One estimate on an axis: a dot with its interval."""

    label: str
    value: float
    low: float
    high: float
    text: str
    """The value in words, written at the end of its row."""
    spoken: str
    """The whole estimate in words, for the label of the picture."""
    tone: str = "ink"
    """Class of its colour."""
    reference: float | None = None
    """What a constant answer would score."""


def gauge(
    *,
    observed: float,
    bound: float,
    limit: float,
    side: Literal["upper", "lower"],
    state: str,
    label: str,
    allowed: str,
) -> Markup:
    """Return a bound against its limit: the allowed side shaded, the observed dot, the bound's bar.

    Args:
        observed: the observed rate or difference.
        bound: the confidence bound that is compared.
        limit: what it is compared with.
        side: `upper` if the rate must stay at or under the limit, `lower` if at or over it.
        state: class of the colour.
        label: the picture in words.
        allowed: the word on the shaded side.
    """
    low = min(0.0, observed, bound, limit)
    high = max(0.0, observed, bound, limit)
    pad = 0.12 * (high - low or 1.0)
    low = low - pad if low < 0 else 0.0
    high = high + pad if low < 0 else min(1.0, high + pad)
    width, axis = 320.0, 26.0

    def x(value: float) -> float:
        return round((value - low) / (high - low) * (width - 8) + 4, 1)

    near, far = (x(low), x(limit)) if side == "upper" else (x(limit), x(high))
    start, end = sorted((x(observed), x(bound)))
    anchor, at = ("start", near + 4) if side == "upper" else ("end", far - 4)
    word = (
        f'<text class="s-note" x="{at}" y="11" text-anchor="{anchor}">{escape(allowed)}</text>'
        if far - near > 60
        else ""
    )
    return Markup(
        f'<svg class="gauge" viewBox="0 0 {width:.0f} 40" role="img" aria-label="{escape(label)}">'
        f'<rect class="s-allowed" x="{near}" y="14" width="{max(far - near, 1):.1f}" height="24"/>'
        f"{word}"
        f'<line class="s-axis" x1="4" x2="{width - 4:.0f}" y1="38" y2="38"/>'
        f'<rect class="s-bar {escape(state)}" x="{start}" y="{axis - 4}" '
        f'width="{max(end - start, 1):.1f}" height="8" rx="1"/>'
        f'<line class="s-limit" x1="{x(limit)}" x2="{x(limit)}" y1="8" y2="40"/>'
        f'<circle class="s-dot" cx="{x(observed)}" cy="{axis}" r="5"/>'
        f"</svg>"
    )


def strip(marks: Sequence[Mark], *, label: str, middle: str) -> Markup:
    """Return shares from 0 to 1 one under the other: the first one bold, the others its groups.

    Args:
        marks: estimates, the overall one first.
        label: the picture in words, before the estimates.
        middle: the word at one half.
    """
    row, left, width = 17, 78.0, 300.0
    height = row * len(marks) + 6

    def x(value: float) -> float:
        return round(left + value * (width - left - 52), 1)

    parts = [
        f'<rect class="s-track" x="{x(0)}" y="2" width="{x(1) - x(0):.1f}" height="{height - 4}"/>',
        f'<line class="s-half" x1="{x(0.5)}" x2="{x(0.5)}" y1="2" y2="{height - 2}">'
        f"<title>{escape(middle)}</title></line>",
    ]
    for i, mark in enumerate(marks):
        y = 4 + row * i + row / 2
        weight = "s-strong" if i == 0 else "s-light"
        parts.append(
            f'<text class="s-name {weight}" x="{left - 8}" y="{y + 4}" text-anchor="end">'
            f"{escape(mark.label)}</text>"
            f'<line class="s-range {weight}" x1="{x(mark.low)}" x2="{x(mark.high)}" '
            f'y1="{y}" y2="{y}"/>'
            f'<circle class="s-point {weight}" cx="{x(mark.value)}" cy="{y}" '
            f'r="{4.5 if i == 0 else 3.5}"/>'
            f'<text class="s-value {weight}" x="{width}" y="{y + 4}" text-anchor="end">'
            f"{escape(mark.text)}</text>"
        )
    spoken = ". ".join([label, *(m.spoken for m in marks)])
    return Markup(
        f'<svg class="strip" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="{escape(spoken)}">{"".join(parts)}</svg>'
    )


def panel(
    marks: Sequence[Mark],
    *,
    label: str,
    limit: float | None,
    side: Literal["upper", "lower"],
    ticks: Sequence[tuple[float, str]],
    band: tuple[float, float] | None = None,
) -> Markup:
    """Return rates of several models on one axis from 0 to 1, with intervals and the limit.

    Args:
        marks: one estimate a model.
        label: the picture in words, before the estimates.
        limit: limit or target of the criterion, if there is one for this suite and language.
        side: the allowed side of the limit: `upper` shades from 0 to it, `lower` from it to 1.
        ticks: places on the axis, with their words.
        band: the two limits between which values are allowed, instead of one.
    """
    left = max(86.0, *(16 + 6.7 * len(mark.label) for mark in marks), 0.0)
    row, top, width = 28, 6, 274.0 + left
    bottom = top + row * len(marks)
    height = bottom + 20

    def x(value: float) -> float:
        return round(left + value * (width - left - 54), 1)

    parts = []
    if limit is not None:
        band = (0.0, limit) if side == "upper" else (limit, 1.0)
    if band is not None:
        near, far = band
        parts.append(
            f'<rect class="s-allowed" x="{x(near)}" y="{top}" '
            f'width="{x(far) - x(near):.1f}" height="{bottom - top}"/>'
        )
        parts += [
            f'<line class="s-limit thin" x1="{x(at)}" x2="{x(at)}" y1="{top - 4}" y2="{bottom}"/>'
            for at in (band if limit is None else (limit,))
        ]
    for value, text in ticks:
        parts.append(
            f'<line class="s-grid" x1="{x(value)}" x2="{x(value)}" y1="{top}" y2="{bottom}"/>'
            f'<text class="s-note" x="{x(value)}" y="{height - 5}" text-anchor="middle">'
            f"{escape(text)}</text>"
        )
    for i, mark in enumerate(marks):
        y = top + row * i + row / 2
        if mark.reference is not None:
            r = x(mark.reference)
            parts.append(
                f'<path class="s-reference" d="M{r - 4} {y}L{r} {y - 5}L{r + 4} {y}L{r} {y + 5}Z"/>'
            )
        parts.append(
            f'<text class="s-name" x="{left - 10}" y="{y + 4}" text-anchor="end">'
            f"{escape(mark.label)}</text>"
            f'<path class="s-range {escape(mark.tone)}" d="M{x(mark.low)} {y - 7}v14m0 -7'
            f'H{x(mark.high)}m0 -7v14"/>'
            f'<circle class="s-point {escape(mark.tone)}" cx="{x(mark.value)}" cy="{y}" r="4.5"/>'
            f'<text class="s-value" x="{width}" y="{y + 4}" text-anchor="end">'
            f"{escape(mark.text)}</text>"
        )
    spoken = ". ".join([label, *(m.spoken for m in marks)])
    return Markup(
        f'<svg class="panel" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="{escape(spoken)}">{"".join(parts)}</svg>'
    )
