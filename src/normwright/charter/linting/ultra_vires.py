"""ULTRA_VIRES: a norm claims a power that its authority does not have."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.linting.ground import Ground, horizontal, shown, within
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import clash
from normwright.norms.ranking import exceeds_powers
from normwright.records import CharterFinding


def express(ground: Ground) -> Iterator[CharterFinding]:
    """Yield norms that expressly supersede one they have no power over; needs no solver."""
    for p, f in _claims(ground):
        yield clash(ground, "ULTRA_VIRES", p, f, None, key="lint_ultra_vires_express")


@lint_class("ULTRA_VIRES", "error", quick=express)
def ultra_vires(ground: Ground) -> Iterator[CharterFinding]:
    """Return norms that repeal or permit what a stronger norm forbids and does not give away.

    Either a norm expressly supersedes one that it is too weak to supersede, or that another
    authority of its layer issued. Or a permissive norm lies whole within the region of a stronger
    prohibition (or an exemption within a duty) that its layer may not override: everything it
    permits, a floor forbids, for everybody whom it binds. A permission that reaches beyond the
    floor is NARROWED instead.

    Proved: the inclusion, and by the witness that the floor stands somewhere in that region. Where
    a floor of one polity is concerned, that it has no effect under that polity; elsewhere it may.
    """
    express_pairs = list(_claims(ground))
    for p, f in express_pairs:
        opposed = any((c.permissive, c.restrictive) == (p, f) for c in ground.clashes)
        witness = shown(ground, "ULTRA_VIRES", p, f) if opposed else None
        yield clash(ground, "ULTRA_VIRES", p, f, witness, key="lint_ultra_vires_express")
    for one in ground.clashes:
        p, f = one.permissive, one.restrictive
        if one.contest.rule != "floor" or (p, f) in express_pairs:
            continue
        if horizontal(ground.norms[p], ground.norms[f]):
            continue
        inside = within(ground, p, f)
        if inside is None:
            ground.open.append(("ULTRA_VIRES", ground.refs((p, f))))
        if inside:
            witness = shown(ground, "ULTRA_VIRES", p, f)
            if witness is not None:
                yield clash(ground, "ULTRA_VIRES", p, f, witness)


def _claims(ground: Ground) -> Iterator[tuple[int, int]]:
    """Every norm that names, in `supersedes`, one over which it has no power."""
    for p, norm in enumerate(ground.norms):
        if norm.supersedes:
            for f, other in enumerate(ground.norms):
                if p != f and exceeds_powers(norm, other):
                    yield p, f
