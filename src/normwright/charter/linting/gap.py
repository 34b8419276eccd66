"""GAP: something that no norm speaks to."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.concerns import concern_coverage, concern_name, nearest
from normwright.charter.linting.ground import Ground
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import act_label, finding
from normwright.charter.wording import say
from normwright.norms import NULL_ACT
from normwright.records import CharterFinding, Layer, Situation


@lint_class("GAP", "info", quick="same")
def gap(ground: Ground) -> Iterator[CharterFinding]:
    """Return concerns without a norm at a layer, acts without a norm, and tags that mean nothing.

    A concern, for every layer at which the charter has norms: none of them carries its tag. Single
    persons owe nobody norms about public concerns, so their layer's holes show in the matrix alone.
    An act of the ontology: no norm speaks about it, about something it is a kind of, or about a
    kind of it; of nested ones the most general. In its witness nothing but a duty to do something
    else can stand against it. A tag that is on no list of concerns: its norm counts for no concern,
    and the nearest tag is named.

    Proved: that nothing speaks to it. Not shown: that anything should.
    """
    coverage = concern_coverage(ground.norms)
    for tag, layer in coverage.holes:
        if layer != "individual":
            yield _concern(ground, tag, layer)
    for tag in coverage.unknown:
        yield _tag(ground, tag)
    for act in _silent(ground):
        label = act_label(ground, act)
        yield finding(
            ground,
            "GAP",
            detail=say("lint_gap_act", ground.languages, act=label, name=act),
            question=say("lint_gap_act_ask", ground.languages, act=label),
            witness=Situation(act=act),
        )


def _concern(ground: Ground, tag: str, layer: Layer) -> CharterFinding:
    name = concern_name(tag, ground.languages)
    at = say(f"lint_layer_{layer}", ground.languages)
    return finding(
        ground,
        "GAP",
        detail=say("lint_gap_concern", ground.languages, concern=name, layer=at),
        question=say("lint_gap_concern_ask", ground.languages, concern=name, layer=at),
        concern=tag,
        layer=layer,
    )


def _tag(ground: Ground, tag: str) -> CharterFinding:
    near = nearest(tag)
    carrying = [i for i, norm in enumerate(ground.norms) if tag in norm.concerns]
    key = "lint_gap_tag" if near is None else "lint_gap_tag_near"
    values = {"tag": tag, "near": near or ""}
    return finding(
        ground,
        "GAP",
        norms=carrying,
        detail=say(key, ground.languages, **values),
        question=say(f"{key}_ask", ground.languages, **values),
        concern=tag,
    )


def _silent(ground: Ground) -> list[str]:
    """Acts that no norm speaks about, the most general of nested ones."""
    spoken = {norm.act for norm in ground.norms}
    silent = {
        act
        for act in ground.acts.names
        if act != NULL_ACT
        and spoken.isdisjoint(ground.acts.above(act))
        and spoken.isdisjoint(ground.below[act])
    }
    return sorted(act for act in silent if not (ground.acts.above(act) - {act}) & silent)
