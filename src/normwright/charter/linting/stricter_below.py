"""STRICTER_BELOW: a lower layer forbids what a higher one permits, as it may."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.linting.ground import Ground, claimed, horizontal, shown
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import clash
from normwright.records import CharterFinding


@lint_class("STRICTER_BELOW", "info")
def stricter_below(ground: Ground) -> Iterator[CharterFinding]:
    """Return lower norms that forbid what a stronger, weak permission allows.

    This is in order: a permission is no shield, and a community may be stricter. It is worth
    knowing because those who wrote the permission may have meant a guarantee.

    Proved: by the witness, that the lower norm stands against the permission in some situation.
    """
    for one in ground.clashes:
        p, f = one.permissive, one.restrictive
        pair = ground.norms[p], ground.norms[f]
        if one.contest.rule == "stricter" and not horizontal(*pair) and not claimed(*pair):
            witness = shown(ground, "STRICTER_BELOW", p, f)
            if witness is not None:
                yield clash(ground, "STRICTER_BELOW", p, f, witness)
