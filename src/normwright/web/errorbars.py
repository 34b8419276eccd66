"""A page of ways of deciding side by side: recall and over-refusal with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from normwright.records import Estimate, Way

_LEFT, _WIDTH, _ROW = 150, 300, 18
_TONES = {"recall": "#1f6f8b", "over_refusal": "#b3541e", "accuracy": "#555"}
Part = tuple[str, Sequence[Way]]
"""Name of some lines, and what each way comes to on them."""


def beside_page(
    title: str, notes: Sequence[str], parts: Sequence[Part], say: Mapping[str, str], lang: str
) -> str:
    """Return one self-contained HTML file: for each part a picture and a table of the same numbers.

    Args:
        title: what was measured.
        notes: sentences above the pictures; what is not shown belongs there.
        parts: the lines, and the ways of deciding on them.
        say: words for `recall`, `over_refusal`, `accuracy` and `way`, and for the names of ways
            that have other words.
        lang: language of the words.
    """
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(note)}</p>" for note in notes)]
    for name, ways in parts:
        body += [f"<h2>{escape(name)}</h2>", picture(name, ways, say), _table(ways, say)]
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;margin:0 0 2rem}td,th{padding:.2rem .8rem .2rem 0;"
        "text-align:left;font-variant-numeric:tabular-nums}svg{max-width:100%}"
    )
    return (
        f'<!doctype html>\n<html lang="{escape(lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def picture(name: str, ways: Sequence[Way], say: Mapping[str, str]) -> str:
    """Return an SVG: a row a way and measure, a dot with its 95 % interval from 0 to 1."""
    height = 30 + len(ways) * (2 * _ROW + 6)
    parts = [
        f'<svg viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" width="{_LEFT + _WIDTH + 20}"'
        f' role="img" aria-label="{escape(name)}" font-size="12">'
    ]
    parts += [
        f'<path d="M{_x(tick)},20 V{height - 4}" stroke="#ddd"/>'
        f'<text x="{_x(tick)}" y="14" text-anchor="middle">{tick:g}</text>'
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    y = 32
    for one in ways:
        parts.append(f'<text x="0" y="{y + _ROW / 2 + 2}">{escape(say.get(one.name, one.name))}'
                     "</text>")  # fmt: skip
        for measure in ("recall", "over_refusal"):
            parts.append(_dot(getattr(one, measure), y, measure, say[measure]))
            y += _ROW
        y += 6
    return "".join([*parts, "</svg>"])


def _dot(estimate: Estimate, y: float, measure: str, word: str) -> str:
    if estimate.value is None or estimate.interval is None:
        return ""
    low, high, tone = estimate.interval.low, estimate.interval.high, _TONES[measure]
    told = f"{word}: {estimate.value:.3f} [{low:.3f}, {high:.3f}], n = {estimate.n}"
    return (
        f'<g><title>{escape(told)}</title><path d="M{_x(low)},{y} H{_x(high)}" stroke="{tone}"'
        f' stroke-width="2"/><circle cx="{_x(estimate.value)}" cy="{y}" r="4" fill="{tone}"/></g>'
    )


def _table(ways: Sequence[Way], say: Mapping[str, str]) -> str:
    measures = ("recall", "over_refusal", "accuracy")
    head = "".join(f'<th scope="col">{escape(say[m])}</th>' for m in ("way", *measures))
    rows = "".join(
        f'<tr><th scope="row">{escape(say.get(one.name, one.name))}</th>'
        + "".join(f"<td>{escape(told(getattr(one, m)))}</td>" for m in measures)
        + "</tr>"
        for one in ways
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def told(estimate: Estimate) -> str:
    """Return an estimate with its interval and n."""
    if estimate.value is None or estimate.interval is None:
        return "–"
    at = estimate.interval
    return f"{estimate.value:.3f} [{at.low:.3f}, {at.high:.3f}] (n = {estimate.n})"


def _x(share: float) -> float:
    return round(_LEFT + _WIDTH * share, 1)
