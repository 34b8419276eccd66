"""Count what was caught by kind, with exact intervals, and false alarms on clean models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from normwright.flow.organisms.examining import DETECTORS, NAMED
from normwright.records import ORGANISM_KINDS, Estimate
from normwright.stats import proportion

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Tally:
    """What became of one kind."""

    kind: str
    made: int
    thrown_out: int
    """Organisms that did not have their fault; they are not counted below."""
    caught: Estimate
    """Share flagged by a detector that is named for the kind; for `clean`, by any detector."""
    hits: int
    by: Mapping[str, int]
    """How many each detector flagged, among those it examined."""
    inconclusive: int
    """Clean models of which a detector could neither show a fault nor its absence."""

    def as_json(self) -> dict[str, Any]:
        """Return it as commands print it."""
        return {
            "kind": self.kind, "made": self.made, "thrown_out": self.thrown_out,
            "hits": self.hits, "rate": self.caught.as_json(), "by": dict(self.by),
            "inconclusive": self.inconclusive,
        }  # fmt: skip


def raised(part: Part, *, alpha: float | None = None) -> list[str]:
    """Return the detectors that flag a model, as one battery: each has its share of the error.

    The error is divided by all detectors of the battery, whether or not all were run on this model,
    so that one that met few of them is caught no more easily.
    """
    from normwright.evaluate.detectors import ALPHA

    limit = (ALPHA if alpha is None else alpha) / len(DETECTORS)
    return [f["detector"] for f in part["found"] if f["p_value"] <= limit]


def tallies(parts: Sequence[Part], *, alpha: float | None = None) -> list[Tally]:
    """Return a tally for each kind there is, in the order of the kinds."""
    out = []
    for kind in ORGANISM_KINDS:
        mine = [p for p in parts if p["plan"]["kind"] == kind]
        if not mine:
            continue
        kept = [p for p in mine if p["planted"] is None or p["planted"]["there"]]
        flags = [raised(p, alpha=alpha) for p in kept]
        named = NAMED.get(kind, DETECTORS)
        hits = sum(1 for flag in flags if set(flag) & set(named))
        out.append(
            Tally(
                kind=kind, made=len(mine), thrown_out=len(mine) - len(kept),
                caught=proportion(hits, len(kept), method="exact"), hits=hits,
                by={d: sum(d in flag for flag in flags) for d in DETECTORS
                    if any(f["detector"] == d for p in kept for f in p["found"])},
                inconclusive=sum(
                    any(not f["equivalent"] and f["gap"]["value"] > 0 for f in p["found"])
                    for p in kept
                ) if kind == "clean" else 0,
            )
        )  # fmt: skip
    return out
