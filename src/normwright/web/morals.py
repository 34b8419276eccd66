"""A page of the moral battery: every figure with its interval, its limit and what a coin scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from normwright.evaluate.moral import name_of, source_of
from normwright.evaluate.moral import words as named_in
from normwright.records import MoralFigure, MoralReport
from normwright.release import Form
from normwright.web.charts import Mark, panel
from normwright.web.pages import page, write_page
from normwright.web.words import Words, shipped, words_for

STATES: Final = ("pass", "fail", "open", "shown")
COIN: Final = ("coin", "constant")
"""The baseline that is drawn: the first of these there is."""
PLAIN: Final = frozenset({"brier", "calibration-error", "uncertainty-gain", "share-brier",
                          "norms-f1"})  # fmt: skip
"""Figures that are no shares: squared distances, bits and F1 are not told in per cent."""


def write_moral_page(report: MoralReport, path: Path) -> None:
    """Write the report of a battery as one self-contained page, in every language with words."""
    write_page(path, page("morals.html.jinja", [_edition(report, w) for w in words_for(shipped())]))


def _edition(report: MoralReport, w: Words) -> dict[str, Any]:
    named = named_in(w.lang)
    return {
        "w": w,
        "title": w("morals.title", model=report.model),
        "charter": None,
        "lede": w("morals.lede", asked=w.count(report.asked),
                  state=named["states"][report.state]),
        "tones": [(state, named["states"][state]) for state in STATES],
        "parts": [_part(part, state, report, named, w) for part, state in report.states.items()],
    }  # fmt: skip


def _part(part: str, state: str, report: MoralReport, named: Any, w: Words) -> dict[str, Any]:
    own = [f for f in report.figures if f.part == part]
    names = dict.fromkeys(f.name for f in own)
    ordered = [f for name in names for f in own if f.name == name]
    counts = Counter(f.state for f in own)
    return {
        "id": part,
        "name": named["parts"][part],
        "state": state,
        "verdict": named["states"][state],
        "counts": [w.count(counts[state]) for state in ("pass", "fail", "open")],
        "views": [_view([f for f in own if f.name == name], named, w) for name in names],
        "rows": [_row(f, named, w) for f in ordered],
    }  # fmt: skip


def _view(figures: Sequence[MoralFigure], named: Any, w: Words) -> dict[str, Any]:
    first, form = figures[0], _form(figures[0])
    # A net share of flips, or a difference, may lie under zero: then nothing stands at the middle.
    signed = any(_least(f) < 0 for f in figures) or first.side == "both"

    def at(value: float) -> float:
        return min(1.0, max(0.0, (value + 1) / 2 if signed else value))

    ticks = (-1.0, 0.0, 1.0) if signed else (0.0, 0.5, 1.0)
    marks = [m for f in figures if (m := _mark(f, named, w, at)) is not None]
    limit, both = first.limit, first.side == "both"
    title = name_of(first, named)
    return {
        "name": title,
        "limit": _limit(first, w),
        "picture": panel(
            marks, label=title,
            limit=None if limit is None or both else at(limit),
            side="lower" if first.side == "lower" else "upper",
            ticks=[(at(v), _number(v, "whole" if form == "share" else form, w)) for v in ticks],
            band=(at(-limit), at(limit)) if both and limit is not None else None,
        ) if marks else None,
    }  # fmt: skip


def _form(f: MoralFigure) -> Form:
    return "plain" if f.name in PLAIN else "share"


def _told(value: float | None, f: MoralFigure, w: Words) -> str:
    return _number(value, _form(f), w)


def _number(value: float | None, form: Form, w: Words) -> str:
    told = w.number(None if value is None else round(value, 3), form)
    return told.replace("-", "\N{MINUS SIGN}", 1) if told.startswith("-") else told


def _limit(f: MoralFigure, w: Words) -> str:
    if f.limit is None:
        return w("morals.limit_none")
    return w(f"morals.limit_{f.side or 'lower'}", limit=_told(f.limit, f, w),
             **({"low": _told(-f.limit, f, w)} if f.side == "both" else {}))  # fmt: skip


def _least(f: MoralFigure) -> float:
    return min(0.0 if f.estimate.interval is None else f.estimate.interval.low,
               *(f.baselines.get(n, 0.0) for n in COIN))  # fmt: skip


def _mark(f: MoralFigure, named: Any, w: Words, at: Any) -> Mark | None:
    found = f.estimate
    if found.value is None or found.interval is None:
        return None
    coin = next((f.baselines[n] for n in COIN if n in f.baselines), None)
    label, value = source_of(f, named), _told(found.value, f, w)
    return Mark(
        label=label, value=at(found.value), low=at(found.interval.low),
        high=at(found.interval.high), text=value, tone=f"m-{f.state}",
        reference=None if coin is None else at(coin),
        spoken=w("morals.row", label=label, value=value, low=_told(found.interval.low, f, w),
                 high=_told(found.interval.high, f, w), n=w.count(found.n),
                 state=_state(f, named)),
    )  # fmt: skip


def _state(f: MoralFigure, named: Any) -> str:
    return str(named["why"][f.why] if f.why else named["states"][f.state])


def _row(f: MoralFigure, named: Any, w: Words) -> dict[str, Any]:
    """Everything about a figure in words, for whoever cannot see the picture or checks it."""
    found, ends, notes = f.estimate, f.estimate.ends, []
    if f.raw is not None and f.noise is not None:
        notes.append(w("morals.noise", raw=_told(f.raw, f, w), noise=_told(f.noise, f, w)))
    if f.mention is not None:
        notes.append(w("morals.mention", mention=_told(f.mention, f, w)))
    beside = "; ".join(f"{named['rules'][n]} {_told(v, f, w)}" for n, v in f.baselines.items())
    return {
        "name": name_of(f, named),
        "notes": notes,
        "cells": (
            source_of(f, named),
            _told(found.value, f, w),
            "–" if ends is None else f"[{_told(ends[0], f, w)}; {_told(ends[1], f, w)}]",
            w.count(found.n),
            beside or "–",
            _limit(f, w),
        ),
        "state": f.state,
        "verdict": _state(f, named),
    }
