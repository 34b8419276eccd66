"""Estimates as marks of a picture, and texts in one language: what every part of a page needs."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from normwright.records import Estimate, Text
from normwright.web.charts import Mark, strip
from normwright.web.words import Words


def text_in(text: Text, lang: str) -> str:
    """Return a text in one language; what was never written in it stays empty."""
    return text.get(lang, "")


def shown_in(text: Text, lang: str) -> str:
    """Return a text in one language, else in the first language it was written in.

    For what people said: it is shown in their words where nobody translated it.
    """
    return text.get(lang) or next(iter(text.values()), "")


def support_strip(support: Mapping[str, Estimate], of: str, w: Words) -> Markup:
    """Return shares of everyone and of each group as a picture; empty if there are none."""
    ordered = sorted(support.items(), key=lambda item: (item[0] != "all", item[0]))
    marks = [
        mark
        for key, estimate in ordered
        if (mark := mark_of(_who(key, w), estimate, w, spoken="norms.bar")) is not None
    ]
    if not marks:
        return Markup("")
    return strip(marks, label=f"{w('norms.support')}: {of}", middle=w("norms.half"))


def _who(key: str, w: Words) -> str:
    return w("norms.everyone") if key == "all" else w("norms.group", id=key)


def mark_of(
    label: str,
    estimate: Estimate,
    w: Words,
    *,
    spoken: str,
    tone: str = "ink",
    reference: float | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Mark | None:
    """An estimate as a mark; one without value or interval makes no mark.

    The axis of a picture goes from 0 to 1: with other bounds a value stands where `placed` puts it,
    and is written as it is.
    """
    if estimate.value is None or estimate.interval is None:
        return None
    least, most = bounds
    low, high = (min(most, max(least, v)) for v in (estimate.interval.low, estimate.interval.high))
    text = w.number(estimate.value)
    filled = {"low": w.number(low), "high": w.number(high), "n": w.count(estimate.n)}
    who = "who" if spoken == "norms.bar" else "model"
    return Mark(
        label=label,
        value=placed(min(most, max(least, estimate.value)), bounds),
        low=placed(low, bounds),
        high=placed(high, bounds),
        text=text,
        spoken=w(spoken, value=text, **{who: label}, **filled),
        tone=tone,
        reference=None if reference is None else placed(reference, bounds),
    )


def placed(value: float, bounds: tuple[float, float]) -> float:
    """Return where a value stands between its bounds, as a share."""
    low, high = bounds
    return (value - low) / (high - low)
