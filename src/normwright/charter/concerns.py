"""Which concerns a charter speaks to, at which layer, by which kinds of norms; and the holes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import get_args

from normwright.charter.loading import plain
from normwright.charter.wording import say
from normwright.records import LAYERS, Kind, Layer, Norm, Text


@dataclass(frozen=True)
class ConcernCoverage:
    """How many norms of each kind speak to each concern at each layer."""

    concerns: tuple[str, ...]
    """The tags of every concern there is, those without a norm included."""
    layers: tuple[Layer, ...]
    """The layers at which there is any norm, strongest first."""
    counts: Mapping[str, Mapping[Layer, Mapping[Kind, int]]]
    """Tag, on the list or not -> layer -> kind -> norms; kinds without a norm are left out."""
    unknown: Mapping[str, tuple[str, ...]]
    """Tags that are on no list -> the norms that carry them: they are nobody's concern yet."""

    @property
    def holes(self) -> tuple[tuple[str, Layer], ...]:
        """Every concern and layer at which no norm speaks to it."""
        return tuple(
            (tag, layer)
            for tag in self.concerns
            for layer in self.layers
            if not self.counts[tag][layer]
        )


@cache
def concerns() -> tuple[str, ...]:
    """Return the tags of the concerns there are, in the order of their list."""
    path = files("normwright.charter") / "concerns.yaml"
    return tuple(plain(path.read_text(encoding="utf-8"))["concerns"])


def concern_name(tag: str, languages: Sequence[str]) -> Text:
    """Return what a concern is called in every language; the tag itself if it is on no list."""
    if tag not in concerns():
        return dict.fromkeys(languages, tag)
    return say(f"concern_{tag}", languages)


def concern_coverage(norms: Iterable[Norm]) -> ConcernCoverage:
    """Return which concerns norms speak to, layer by layer.

    It counts what it is given: whether norms that do not hold yet count, the caller decides.
    """
    counted = tuple(norms)
    layers = tuple(layer for layer in LAYERS if any(n.layer == layer for n in counted))
    strange = sorted({tag for norm in counted for tag in norm.concerns} - set(concerns()))
    return ConcernCoverage(
        concerns=concerns(),
        layers=layers,
        counts={
            tag: {layer: _kinds(counted, tag, layer) for layer in layers}
            for tag in (*concerns(), *strange)
        },
        unknown={
            tag: tuple(sorted(n.ref for n in counted if tag in n.concerns)) for tag in strange
        },
    )


def nearest(tag: str) -> str | None:
    """Return the concern that a tag on no list may have meant."""
    found = get_close_matches(tag, concerns(), n=1)
    return found[0] if found else None


def _kinds(norms: Sequence[Norm], tag: str, layer: Layer) -> dict[Kind, int]:
    counted = Counter(n.kind for n in norms if n.layer == layer and tag in n.concerns)
    return {kind: counted[kind] for kind in get_args(Kind) if counted[kind]}
