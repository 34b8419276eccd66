"""What people said: common ground, what divides them, every statement, and how sound the data are.

Nothing is estimated here. A statement is common ground if the whole interval of its support lies
above one half, among everyone and in every opinion group large enough to count; it divides people
if the intervals of two such groups lie apart, by the distance between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from normwright.records import (
    Consultation,
    Estimate,
    Outcome,
    Polity,
    Ranking,
    Standing,
    Statement,
    Support,
)
from normwright.web.charts import panel
from normwright.web.marks import mark_of, shown_in, support_strip
from normwright.web.words import Words

COMMON, DIVIDING, RANKED, SHOWN = 10, 8, 10, 12
"""How many of each a page shows as pictures; the table below them holds every statement."""
GROUP_FLOOR = 0.08
"""Smallest share of the participants an opinion group must have to count here."""


@dataclass(frozen=True)
class _Row:
    """One statement with its support."""

    id: str
    text: str
    found: Support
    groups: Mapping[str, Estimate]
    """Support within the groups that count."""

    @property
    def shared(self) -> bool:
        """Whether more than half agree, in all and in each group, whatever the sample."""
        every = [self.found.support, *self.groups.values()]
        return all(e.interval is not None and e.interval.low > 0.5 for e in every)

    @property
    def gap(self) -> float:
        """How far apart the intervals of two groups lie, at most; 0 where all of them meet."""
        spans = [e.interval for e in self.groups.values() if e.interval is not None]
        if len(spans) < 2:
            return 0.0
        return max(0.0, max(s.low for s in spans) - min(s.high for s in spans))

    @property
    def least(self) -> float:
        """The support it has where it has least."""
        every = [self.found.support, *self.groups.values()]
        return min((e.value for e in every if e.value is not None), default=0.0)


def outcome_view(
    outcome: Outcome, statements: Sequence[Statement], polities: Sequence[Polity], w: Words
) -> dict[str, Any]:
    """Return what a page shows of one outcome."""
    named = {s.id: shown_in(s.text, w.lang) for s in statements}
    large = [
        g.id
        for g in outcome.grouping.groups
        if outcome.participants and g.size / outcome.participants >= GROUP_FLOOR
    ]
    rows = [
        _Row(s.statement, named.get(s.statement, s.statement), s, _among(s, large))
        for s in outcome.support
        if s.support.value is not None
    ]
    common = sorted((r for r in rows if r.shared), key=lambda r: (-r.least, r.id))
    divided = sorted((r for r in rows if r.gap > 0), key=lambda r: (-r.gap, r.id))
    polity = next((shown_in(p.name, w.lang) for p in polities if p.id == outcome.authority), "")
    return {
        "polity": polity or outcome.authority,
        "people": w.count(outcome.participants),
        "votes": w.count(outcome.votes),
        "groups": _groups(outcome, w),
        "common": _pictured(common[:COMMON], w),
        "common_of": w.count(len(common)),
        "divided": _pictured(divided[:DIVIDING], w),
        "divided_none": w("outcomes.divided_unsure" if large else "outcomes.divided_none"),
        "undecided": w.count(len(outcome.undecided)),
        "rows": [_numbers(r, w) for r in sorted(rows, key=lambda r: (-_value(r), r.id))],
        "rankings": [_ranked(r, named, w) for r in outcome.rankings],
        "standings": [_standing(one, named, w) for one in outcome.standings],
        "firsts": _firsts(outcome, named, w),
        "ballots": _ballots(outcome, named, w),
    }


def _among(found: Support, large: Sequence[str]) -> dict[str, Estimate]:
    return {g: found.groups[g] for g in large if g in found.groups}


def _value(row: _Row) -> float:
    return row.found.support.value or 0.0


def _pictured(rows: Iterable[_Row], w: Words) -> list[dict[str, Any]]:
    return [
        {
            "text": row.text,
            "id": row.id,
            "picture": support_strip({"all": row.found.support, **row.groups}, row.id, w),
        }
        for row in rows
    ]


def _groups(outcome: Outcome, w: Words) -> dict[str, Any]:
    found = outcome.grouping
    stability = found.stability
    told = ""
    if stability is not None and stability.value is not None and stability.interval is not None:
        told = w(
            "outcomes.stability",
            value=w.number(stability.value, "plain"),
            low=w.number(stability.interval.low, "plain"),
            high=w.number(stability.interval.high, "plain"),
        )
    sizes = ", ".join(f"{w('norms.group', id=g.id)}: {w.count(g.size)}" for g in found.groups)
    key = "outcomes.groups" if found.groups else "outcomes.no_groups"
    if found.groups and found.verdict == "spectrum":
        key = "outcomes.sides"
    return {
        "line": w(key, count=w.count(len(found.groups)), sizes=sizes),
        "stability": told if found.groups else "",
        "null": w("outcomes.null", p=w.number(found.null_p, "plain"))
        if found.null_p is not None
        else "",
    }


def _numbers(row: _Row, w: Words) -> dict[str, Any]:
    interval = row.found.support.interval
    return {
        "id": row.id,
        "text": row.text,
        "support": w.number(row.found.support.value),
        "interval": f"{w.number(interval.low)} – {w.number(interval.high)}" if interval else "–",
        "agree": w.count(row.found.agree),
        "disagree": w.count(row.found.disagree),
        "passed": w.count(row.found.passed),
    }


def _standing(one: Standing, named: Mapping[str, str], w: Words) -> dict[str, Any]:
    low, high = (w.count(round(v)) for v in (one.places.low, one.places.high))
    return {
        "text": named.get(one.alternative, one.alternative),
        "places": low if low == high else f"{low} – {high}",
        "leads": w.number(one.leads.value),
        "first": w.number(one.first.value),
        "interval": _span(one.first, w),
        "ranked": w.count(one.ranked),
    }


def _span(estimate: Estimate, w: Words) -> str:
    found = estimate.interval
    return f"{w.number(found.low)} – {w.number(found.high)}" if found else "–"


def _firsts(outcome: Outcome, named: Mapping[str, str], w: Words) -> Markup:
    """The share of first places of each alternative as a picture; empty without ballots."""
    marks = [
        mark
        for one in outcome.standings[:SHOWN]
        if (
            mark := mark_of(
                _short(named.get(one.alternative, one.alternative)),
                one.first,
                w,
                spoken="behaviour.row",
            )
        )
    ]
    if not marks:
        return Markup("")
    ticks = [(v, w.number(v, "whole")) for v in (0.0, 0.5, 1.0)]
    label = w("outcomes.firsts")
    return panel(marks, label=label, limit=None, side="upper", ticks=ticks)


def _short(text: str, size: int = 21) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def _ballots(outcome: Outcome, named: Mapping[str, str], w: Words) -> str:
    """Say how many voted, how what they left out counted, and how far the first leads."""
    if outcome.unranked is None or not outcome.standings:
        return ""
    said = w(
        "outcomes.ballots",
        voters=w.count(outcome.voters),
        unranked=w(f"outcomes.unranked_{outcome.unranked}"),
    )
    order = [one.alternative for one in outcome.standings]
    lead = next((m for m in outcome.margins if [m.above, m.below] == order[:2]), None)
    if lead is None:
        return said
    return f"{said} " + w(
        "outcomes.lead",
        first=named.get(lead.above, lead.above),
        second=named.get(lead.below, lead.below),
        prefer=w.count(lead.prefer),
        oppose=w.count(lead.oppose),
        margin=w.number(lead.margin.value, "points"),
        interval=_points(lead.margin, w),
    )


def _points(estimate: Estimate, w: Words) -> str:
    found = estimate.interval
    if found is None:
        return "–"
    return f"{w.number(found.low, 'points')} – {w.number(found.high, 'points')}"


def _ranked(ranking: Ranking, named: Mapping[str, str], w: Words) -> dict[str, Any]:
    tiers = ranking.tiers[:RANKED]
    return {
        "method": ranking.method,
        "tiers": [
            {
                "rank": 1 + sum(map(len, tiers[:place])),
                "names": [named.get(a, a) for a in tier],
                "score": w.number(ranking.scores.get(tier[0]), "plain")
                if ranking.scores and tier
                else "",
            }
            for place, tier in enumerate(tiers)
        ],
        "more": w("outcomes.more", count=w.count(len(ranking.tiers) - len(tiers)))
        if len(ranking.tiers) > len(tiers)
        else "",
    }


def quality_rows(seen: Consultation | None, w: Words) -> list[dict[str, str]]:
    """Return what was found in the data while they were read, and what was done about it."""
    return [
        {
            "kind": w.get(f"quality.{fault.kind}") or fault.kind,
            "count": w.count(fault.count),
            "policy": (told := w.get(f"done.{fault.kind}")) or fault.policy,
            "policy_lang": w.lang if told else "en",
            "example": ", ".join(fault.examples[:1]),
        }
        for fault in (seen.faults if seen else ())
    ]
