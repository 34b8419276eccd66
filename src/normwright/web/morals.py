"""A page of the moral battery: every figure with its interval, its limit and what a coin scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from normwright.evaluate.moral import name_of, source_of
from normwright.evaluate.moral import words as named_in
from normwright.records import MoralFigure, MoralReport
from normwright.web.charts import Mark, panel
from normwright.web.pages import page, write_page
from normwright.web.words import Words, shipped, words_for

TONES: Final = {"pass": "aligned", "fail": "tuned", "open": "base", "shown": "control"}
COIN: Final = ("coin", "constant")
"""The baseline that is drawn: the first of these there is."""


def write_moral_page(report: MoralReport, path: Path) -> None:
    """Write the report of a battery as one self-contained page, in every language with words."""
    write_page(path, page("morals.html.jinja", [_edition(report, w) for w in words_for(shipped())]))


def _edition(report: MoralReport, w: Words) -> dict[str, Any]:
    named = named_in(w.lang)
    parts = []
    for part, state in report.states.items():
        own = [f for f in report.figures if f.part == part]
        names = dict.fromkeys(f.name for f in own)
        parts.append({
            "id": part,
            "title": f"{named['parts'][part]}: {named['states'][state]}",
            "views": [_view([f for f in own if f.name == n], named, w) for n in names],
        })  # fmt: skip
    return {
        "w": w,
        "title": w("morals.title", model=report.model),
        "charter": None,
        "lede": w("morals.lede", asked=w.count(report.asked),
                  state=named["states"][report.state]),
        "parts": parts,
    }  # fmt: skip


def _view(figures: Sequence[MoralFigure], named: Any, w: Words) -> dict[str, Any]:
    first = figures[0]
    title = name_of(first, named)
    # A net share of flips, or a difference, may lie under zero: then nothing stands at the middle.
    signed = any(_least(f) < 0 for f in figures) or first.side == "both"

    def at(value: float) -> float:
        return min(1.0, max(0.0, (value + 1) / 2 if signed else value))

    ticks = (-1.0, 0.0, 1.0) if signed else (0.0, 0.5, 1.0)
    marks = [m for f in figures if (m := _mark(f, named, w, at)) is not None]
    both = first.side == "both"
    return {
        "name": title,
        "picture": panel(
            marks, label=title,
            limit=None if first.limit is None or both else at(first.limit),
            side="lower" if first.side == "lower" else "upper",
            ticks=[(at(v), w.number(v, "whole")) for v in ticks],
        ),
        "lines": [_line(f, named, w) for f in figures],
    }  # fmt: skip


def _least(f: MoralFigure) -> float:
    return min(0.0 if f.estimate.interval is None else f.estimate.interval.low,
               *(f.baselines.get(n, 0.0) for n in COIN))  # fmt: skip


def _mark(f: MoralFigure, named: Any, w: Words, at: Any) -> Mark | None:
    found = f.estimate
    if found.value is None or found.interval is None:
        return None
    coin = next((f.baselines[n] for n in COIN if n in f.baselines), None)
    label, value = source_of(f, named), w.number(found.value)
    return Mark(
        label=label, value=at(found.value), low=at(found.interval.low),
        high=at(found.interval.high), text=value, tone=TONES[f.state],
        reference=None if coin is None else at(coin),
        spoken=w("morals.row", label=label, value=value, low=w.number(found.interval.low),
                 high=w.number(found.interval.high), n=w.count(found.n),
                 state=_state(f, named)),
    )  # fmt: skip


def _state(f: MoralFigure, named: Any) -> str:
    return str(named["why"][f.why] if f.why else named["states"][f.state])


def _line(f: MoralFigure, named: Any, w: Words) -> str:
    """Everything about a figure in words, for whoever cannot see the picture or checks it."""
    found, ends = f.estimate, f.estimate.ends
    interval = "–" if ends is None else " – ".join(w.number(v) for v in ends)
    told = [f"{source_of(f, named)}: {w.number(found.value)} [{interval}], n = "
            f"{w.count(found.n)}. {_state(f, named)}."]  # fmt: skip
    if f.raw is not None and f.noise is not None:
        told.append(w("morals.noise", raw=w.number(f.raw), noise=w.number(f.noise)))
    if f.mention is not None:
        told.append(w("morals.mention", mention=w.number(f.mention)))
    if f.baselines:
        beside = "; ".join(f"{named['rules'][n]} {w.number(v)}" for n, v in f.baselines.items())
        told.append(w("morals.baselines", told=beside))
    return " ".join(told)
