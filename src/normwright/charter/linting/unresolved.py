"""UNRESOLVED: one authority says two things, and nothing tells which it means."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.linting.ground import Ground, shown
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import clash
from normwright.records import CharterFinding


@lint_class("UNRESOLVED", "error")
def unresolved(ground: Ground) -> Iterator[CharterFinding]:
    """Return pairs of one authority and rank that permit and forbid the same, neither special.

    Neither norm is the exception to the other and neither supersedes it, so the stricter stands
    for want of a decision. Pairs in which the restrictive norm is the more special are NARROWED.

    Proved: by the witness, that both hold in some situation in which no third norm decides between
    them. That the permissive norm is not the more special is what the resolver itself finds; where
    conditions are too large for it to prove, it treats the pair as unresolved, and so does this.
    """
    for one in ground.clashes:
        p, f = one.permissive, one.restrictive
        if one.contest.rule == "unresolved":
            witness = shown(ground, "UNRESOLVED", p, f)
            if witness is not None:
                yield clash(ground, "UNRESOLVED", p, f, witness)
