"""HORIZONTAL: two authorities beside one another differ."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.linting.ground import Ground, claimed, horizontal, shown
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import clash
from normwright.records import CharterFinding


@lint_class("HORIZONTAL", "warning")
def differing_authorities(ground: Ground) -> Iterator[CharterFinding]:
    """Return pairs in which one authority permits what another of the same layer forbids.

    Neither stands above the other. Where a situation lies under both, the stricter holds, unless
    the permissive norm is a guarantee of a higher tier or the other lets its layer override it.

    Proved: by the witness, that both hold in some situation that lies under both authorities. Not
    shown: that such situations occur, which is a matter of who is where.
    """
    for one in ground.clashes:
        p, f = one.permissive, one.restrictive
        permissive, restrictive = ground.norms[p], ground.norms[f]
        if horizontal(permissive, restrictive) and not claimed(permissive, restrictive):
            witness = shown(ground, "HORIZONTAL", p, f)
            if witness is not None:
                yield clash(ground, "HORIZONTAL", p, f, witness)
