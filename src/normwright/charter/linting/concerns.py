"""Which concerns a charter speaks to, at which layer, by which kinds of norms; and the holes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import get_args

from normwright.charter.loading import plain
from normwright.norms.resolver import HOLDING
from normwright.records import LAYERS, Charter, Kind, Layer, Norm, Text


@dataclass(frozen=True)
class Concern:
    """Something that norms are about."""

    tag: str
    name: Text


@dataclass(frozen=True)
class ConcernCoverage:
    """How many norms of each kind speak to each concern at each layer."""

    concerns: tuple[Concern, ...]
    layers: tuple[Layer, ...]
    """The layers at which the charter has any norm that holds, strongest first."""
    counts: Mapping[str, Mapping[Layer, Mapping[Kind, int]]]
    """Tag -> layer -> kind -> norms; kinds without a norm are left out."""
    unknown: Mapping[str, tuple[str, ...]]
    """Tags that are on no list -> the norms that carry them: they count for nothing above."""

    @property
    def holes(self) -> tuple[tuple[str, Layer], ...]:
        """Every concern and layer at which no norm speaks to it."""
        return tuple(
            (concern.tag, layer)
            for concern in self.concerns
            for layer in self.layers
            if not self.counts[concern.tag][layer]
        )


@cache
def concerns() -> tuple[Concern, ...]:
    """Return the concerns there are, in the order of their list."""
    path = files("normwright.charter.linting") / "concerns.yaml"
    listed = plain(path.read_text(encoding="utf-8"))["concerns"]
    return tuple(Concern(entry["tag"], entry["name"]) for entry in listed)


def concern_coverage(charter: Charter) -> ConcernCoverage:
    """Return which concerns the norms that hold speak to, layer by layer."""
    held = [norm for norm in charter.norms if norm.status in HOLDING]
    layers = tuple(layer for layer in LAYERS if any(n.layer == layer for n in held))
    known = {concern.tag for concern in concerns()}
    strange = sorted({tag for norm in held for tag in norm.concerns} - known)
    return ConcernCoverage(
        concerns=concerns(),
        layers=layers,
        counts={tag: {layer: _kinds(held, tag, layer) for layer in layers}
                for tag in (concern.tag for concern in concerns())},
        unknown={tag: tuple(sorted(n.ref for n in held if tag in n.concerns)) for tag in strange},
    )  # fmt: skip


def nearest(tag: str) -> str | None:
    """Return the concern that a tag on no list may have meant."""
    found = get_close_matches(tag, [concern.tag for concern in concerns()], n=1)
    return found[0] if found else None


def _kinds(norms: Sequence[Norm], tag: str, layer: Layer) -> dict[Kind, int]:
    counted = Counter(n.kind for n in norms if n.layer == layer and tag in n.concerns)
    return {kind: counted[kind] for kind in get_args(Kind) if counted[kind]}
