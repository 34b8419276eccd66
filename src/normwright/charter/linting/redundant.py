"""REDUNDANT: a norm that another one already says."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.linting.ground import Ground
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import finding, pair_texts
from normwright.norms.ranking import PERMISSIVE, RESTRICTIVE, rank
from normwright.records import CharterFinding, Norm, Situation

_CARE = {"allow": 0, "ask": 1, "deny": 2}
_DECIDING = RESTRICTIVE | PERMISSIVE | {"exemption"}
"""Kinds that can change a verdict; ideals and definitions are not compared."""


@lint_class("REDUNDANT", "warning")
def redundant(ground: Ground) -> Iterator[CharterFinding]:
    """Return norms implied by another of the same kind and of the same or greater force.

    The other one holds wherever and whenever this one does, covers its act (for duties: fulfilling
    the other fulfils this one), is at least as strong and as grave, as careful with what is not
    known, and open to no exception that this one is not open to. For permissive norms: it beats
    every norm that this one beats. What repeals another norm, or whose breach a duty waits for, is
    not redundant. Of two that imply each other, the later in order is reported.

    Proved: that without it, no act is allowed that was denied, or denied that was allowed, where
    some act is free of breaches. In a dilemma the number of breached norms can count, so there a
    redundant norm may still tip the balance between two acts.
    """
    for n in range(len(ground.norms)):
        m = implied_by(ground, n)
        if m is not None:
            texts = pair_texts(ground, "lint_redundant", n, m)
            yield finding(ground, "REDUNDANT", norms=(n, m), detail=texts[0], question=texts[1],
                          witness=_both_hold(ground, n, m))  # fmt: skip


def implied_by(ground: Ground, n: int) -> int | None:
    """Return the first norm that makes a norm redundant, or None."""
    if ground.norms[n].kind not in _DECIDING or not ground.where[n] or ground.supports(n):
        return None
    for m in ground.alike_in_kind(n):
        if m != n and _implies(ground, m, n) and not (m > n and _implies(ground, n, m)):
            return m
    return None


def _implies(ground: Ground, m: int, n: int) -> bool:
    """Whether norm `m` says all that `n` says, and says it at least as strongly."""
    strong, weak = ground.norms[m], ground.norms[n]
    return (
        covers(ground, m, n)
        and rank(strong) <= rank(weak)
        and ground.where[n] <= ground.where[m]
        and always_with(strong, weak)
        and (_as_firm(ground, m, n) if weak.kind in RESTRICTIVE else _as_able(ground, m, n))
        and ground.possible(n)
        and ground.implies(n, m) is True
    )


def covers(ground: Ground, m: int, n: int) -> bool:
    """Whether a norm's act takes in another's: keeping the one is keeping the other."""
    strong, weak = ground.norms[m], ground.norms[n]
    if weak.kind == "obligation":
        return ground.acts.covers(weak.act, strong.act) and _as_soon(strong, weak)
    return ground.acts.covers(strong.act, weak.act)


def always_with(other: Norm, norm: Norm) -> bool:
    """Whether a norm governs everywhere another does: polities govern only where one is."""
    return other.layer != "polity" or (other.layer, other.authority) == (
        norm.layer, norm.authority)  # fmt: skip


def _as_soon(strong: Norm, weak: Norm) -> bool:
    return strong.deadline == weak.deadline and strong.maintain == weak.maintain


def _as_firm(ground: Ground, m: int, n: int) -> bool:
    strong, weak = ground.norms[m], ground.norms[n]
    exceptions = set(ground.beaters.get(m, ()))
    if weak.kind == "prohibition":
        exceptions = {p for p in exceptions if ground.shared(p, n)}
    else:
        owed = [set(ground.owed(s)) for s in ground.settings]
        if any(n in here and m not in here for here in owed):
            return False
    return (
        weak.severity <= strong.severity
        and _CARE[weak.on_unknown] <= _CARE[strong.on_unknown]
        and set(strong.overridable_by) <= set(weak.overridable_by)
        and set(weak.reparation) <= set(strong.reparation)
        and exceptions <= set(ground.beaters.get(n, ()))
    )


def _as_able(ground: Ground, m: int, n: int) -> bool:
    return ground.beaten_by(n) <= ground.beaten_by(m)


def _both_hold(ground: Ground, n: int, m: int) -> Situation | None:
    facts = ground.solver.check(ground.formula(n), ground.formula(m))
    if not isinstance(facts, dict):
        return None
    setting = ground.settings[min(ground.where[n])]
    return ground.situation(setting, ground.act_at_issue(n), facts)
