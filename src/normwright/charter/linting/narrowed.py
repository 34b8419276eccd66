"""NARROWED: a permission says more than it grants."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.linting.ground import Clash, Ground, claimed, horizontal, shown, within
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import clash
from normwright.records import CharterFinding


@lint_class("NARROWED", "warning")
def narrowed(ground: Ground) -> Iterator[CharterFinding]:
    """Return permissions out of which a prohibition cuts a part, and only a part.

    A permissive norm on a general act, or under a wider condition, meets a floor that it does not
    lie within, or a more special prohibition of its own authority and rank. It keeps its effect
    outside; inside it is defeated, which its text does not say. Nobody exceeds any powers.

    Proved: by the witness, that the cut is real. Not shown: how large the part is.
    """
    for one in ground.clashes:
        p, f = one.permissive, one.restrictive
        if _cut(ground, one):
            witness = shown(ground, "NARROWED", p, f)
            if witness is not None:
                yield clash(ground, "NARROWED", p, f, witness)


def _cut(ground: Ground, one: Clash) -> bool:
    p, f = one.permissive, one.restrictive
    match one.contest.rule:
        case "floor":
            permissive, restrictive = ground.norms[p], ground.norms[f]
            if horizontal(permissive, restrictive) or claimed(permissive, restrictive):
                return False
            return within(ground, p, f) is False
        case "specialis":
            return not one.contest.permitted
        case _:
            return False
