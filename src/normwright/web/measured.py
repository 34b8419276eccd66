"""What was measured on material of others: benchmarks, judged pairs, labelled texts.

Each picture shows every role with its interval beside the best answer that understands nothing;
below it stands, in words, who is shown to do better than that, and that nobody is, if so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from normwright.records import Measurement
from normwright.web.charts import panel
from normwright.web.marks import mark_of
from normwright.web.words import Words

SHOWN: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "arc-easy": ("benchmarks", ("acc_norm",)),
    "arc-challenge": ("benchmarks", ("acc_norm",)),
    "truthfulqa-mc1": ("benchmarks", ("acc",)),
    "truthfulqa-mc2": ("benchmarks", ("acc",)),
    "toxigen": ("benchmarks", ("balanced-accuracy",)),
    "bbq": ("benchmarks", ("acc",)),
    "enem": ("benchmarks", ("acc",)),
    "judged-pairs": ("pairs", ("score", "implicit", "likelihood_norm", "human-agreement")),
    "labels": ("labels", ("auc",)),
}
"""Suite, up to its first dot -> the part of the page it belongs to, and the metrics drawn."""

BY_ROLE: Final[Mapping[str, str]] = {
    "base": "likelihood_norm",
    "tuned": "likelihood_norm",
    "aligned": "implicit",
    "control:random-init": "implicit",
    "reward": "score",
    "people": "human-agreement",
}
"""How each role is asked which of two answers it holds better, where there are several ways."""

PARTS: Final = ("benchmarks", "pairs", "labels")
ROLES: Final = ("base", "tuned", "aligned", "reward", "people", "labels")
"""Roles in the order they are drawn; controls come last."""
HIGHEST: Final = frozenset({"chance", "constant-yes", "no-question"})
"""Baselines that are no constant answer: they are told, and not taken for the line to beat."""


def measured_parts(measurements: Sequence[Measurement], w: Words) -> list[dict[str, Any]]:
    """Return the parts of the page, each with its pictures and what they show, in words."""
    out = []
    for part in PARTS:
        views = [_view(group, w) for group in _groups(measurements, part)]
        if views:
            out.append(
                {
                    "id": part,
                    "title": w(f"beside.{part}"),
                    "what": w(f"beside.{part}_what"),
                    "views": views,
                }
            )
    return out


def _groups(measurements: Sequence[Measurement], part: str) -> Iterator[list[Measurement]]:
    """Yield measurements of one suite, source and language, one a role."""
    found: dict[tuple[str, str, str], list[Measurement]] = {}
    for m in measurements:
        of, metrics = SHOWN.get(m.suite.split(".")[0], ("", ()))
        source, _, metric = m.metric.rpartition("/")
        wanted = metric in metrics and (len(metrics) == 1 or BY_ROLE.get(m.model) == metric)
        if of == part and wanted and m.lang is not None:
            found.setdefault((m.suite, source, m.lang), []).append(m)
    for key in sorted(found):
        yield sorted(found[key], key=_order)


def _order(m: Measurement) -> tuple[bool, int, str]:
    return m.model.startswith("control:"), _place(m.model), m.model


def _place(role: str) -> int:
    return ROLES.index(role) if role in ROLES else len(ROLES)


def _view(group: Sequence[Measurement], w: Words) -> dict[str, Any]:
    first = group[0]
    source, _, metric = first.metric.rpartition("/")
    bars = [b for m in group if (b := _bar(m)) is not None]
    # A control that understands nothing sets the bar as well.
    bars += [m.estimate.value for m in group if _is_bar(m) and m.estimate.value is not None]
    bar = max(bars, default=None)
    marks = [
        mark
        for m in group
        if (
            mark := mark_of(
                _name(m.model, w),
                m.estimate,
                w,
                spoken="behaviour.row",
                tone=m.model if m.model in ROLES else "control",
                reference=bar,
            )
        )
        is not None
    ]
    name = f"{source or first.suite}, {first.lang}"
    above = [_name(m.model, w) for m in group if _beats(m, bar)]
    return {
        "name": name,
        "metric": metric if len({m.metric for m in group}) == 1 else "",
        "picture": panel(
            marks,
            label=name,
            limit=None,
            side="upper",
            ticks=[(v, w.number(v, "whole")) for v in (0.0, 0.5, 1.0)],
        ),
        "says": w("beside.above", who=", ".join(above), bar=w.number(bar))
        if above
        else w("beside.none_above", bar=w.number(bar)),
        "n": w("norms.n", n=w.count(first.estimate.n)),
    }


def _beats(m: Measurement, bar: float | None) -> bool:
    """Whether it is shown to do better: by the suite's own paired test where it made one."""
    if bar is None or m.model.startswith("control:") or m.estimate.interval is None:
        return False
    return m.estimate.interval.low > bar and not m.details.get("degenerate", False)


def _bar(m: Measurement) -> float | None:
    """Return the best that something can score which understands nothing."""
    constant = [v for k, v in m.baselines.items() if k not in HIGHEST]
    return max([*constant, m.baselines.get("chance", 0.0)], default=None)


def _is_bar(m: Measurement) -> bool:
    return m.model in ("control:length", "control:shuffled-labels")


def _name(role: str, w: Words) -> str:
    if role.startswith("control:"):
        name = role.removeprefix("control:")
        return w.get(f"control_short.{name}", name) or name
    return w.get(f"model.{role}", role) or role
