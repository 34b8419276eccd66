"""SHADOWED: a norm that stronger ones leave no room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from normwright.charter.linting.ground import Ground, Setting
from normwright.charter.linting.redundant import always_with, covers, implied_by
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import cited, finding, texts
from normwright.charter.solving import Formula, both
from normwright.norms.ranking import PERMISSIVE, RESTRICTIVE, rank
from normwright.records import CharterFinding, Situation

_Cover = Callable[[int, Setting], Sequence[Formula]]


@lint_class("SHADOWED", "warning")
def shadowed(ground: Ground) -> Iterator[CharterFinding]:
    """Return norms that never change a verdict, as stronger ones always beat or cover them.

    A restrictive norm, if wherever it holds a stronger guarantee or a more special permission beats
    it, or another restrictive norm at least as strong and grave stands over the whole of its act.
    Express supersession and overriding what may be overridden are meant, and do not count. A
    permissive norm, if it beats no norm it meets, and wherever it holds a prohibition (for an
    exemption: the duty) at least as strong stands over the whole of its act; by one alone, that is
    ULTRA_VIRES or UNRESOLVED and not repeated here. What one norm of the same kind implies by
    itself is REDUNDANT. What repeals another norm, or whose breach a duty waits for, is not
    shadowed. Norms of another polity do not count, since one may be outside it.

    Proved: for situations in which all facts are known and some act is free of breaches. Where
    facts are unknown, a shadowed norm can still turn an answer into a question.
    """
    for n, norm in enumerate(ground.norms):
        if not ground.where[n] or ground.supports(n) or implied_by(ground, n) is not None:
            continue
        if norm.kind in RESTRICTIVE:
            found = _by(ground, n, _restrictive_shadows(ground, n))
        elif norm.kind in PERMISSIVE | {"exemption"} and not ground.beaten_by(n):
            found = _by(ground, n, _permissive_shadows(ground, n))
            found = None if found is not None and len(found) < 2 else found
        else:
            continue
        if found:
            told = texts(ground, "lint_shadowed", n, by=cited(ground, found))
            yield finding(ground, "SHADOWED", norms=(n, *found), detail=told[0], question=told[1],
                          witness=_witness(ground, n, found))  # fmt: skip


def _by(ground: Ground, n: int, candidates: Sequence[int]) -> tuple[int, ...] | None:
    """Return a smallest-by-taking-away set of candidates that always shadows a norm, or None."""
    if not candidates or not ground.possible(n) or not _always(ground, n, candidates):
        return None
    kept = list(candidates)
    for candidate in reversed(candidates):
        fewer = [c for c in kept if c != candidate]
        if fewer and _always(ground, n, fewer):
            kept = fewer
    return tuple(kept)


def _always(ground: Ground, n: int, shadows: Sequence[int]) -> bool:
    """Whether in no setting and under no facts the norm holds without one of its shadows."""
    for number in sorted(ground.where[n]):
        setting = ground.settings[number]
        here = [_effective(ground, n, s, setting) for s in shadows if s in setting.standing]
        free = ground.solver.possible(ground.formula(n), *(~formula for formula in here))
        if free is None:
            ground.open.append(("SHADOWED", ground.refs((n,))))
        if free is not False:
            return False
    return True


def _effective(ground: Ground, n: int, shadow: int, setting: Setting) -> Formula:
    """That a shadow works: a permissive one holds, a restrictive one holds and is not beaten."""
    if ground.norms[shadow].kind not in RESTRICTIVE:
        return ground.formula(shadow)
    act = ground.norms[n].act
    beating = [p for p in ground.meeting(shadow) if p != n and p in setting.standing
               and p in ground.beaters.get(shadow, ())]  # fmt: skip
    if ground.norms[shadow].kind == "prohibition":
        beating = [p for p in beating if ground.below[ground.norms[p].act] & ground.below[act]]
    return both((ground.formula(shadow), *(~ground.formula(p) for p in beating)))


def _restrictive_shadows(ground: Ground, n: int) -> list[int]:
    """The norms that beat it over all of its act, and those that are as strict over all of it."""
    norm = ground.norms[n]
    beating = [
        p
        for p in ground.beaters.get(n, ())
        if ground.contest(p, n).rule in ("guarantee", "specialis")
        and ground.acts.covers(ground.norms[p].act, norm.act)
        and always_with(ground.norms[p], norm)
    ]
    covering = [
        m
        for m in ground.alike_in_kind(n)
        if m != n
        and covers(ground, m, n)
        and rank(ground.norms[m]) <= rank(norm)
        and ground.norms[m].severity >= norm.severity
        and always_with(ground.norms[m], norm)
        and not (m > n and _equal_force(ground, m, n))
    ]
    return beating + covering


def _equal_force(ground: Ground, m: int, n: int) -> bool:
    """Norms of one rank could shadow each other in a ring, so only earlier ones count."""
    return rank(ground.norms[m]) == rank(ground.norms[n])


def _permissive_shadows(ground: Ground, n: int) -> list[int]:
    norm = ground.norms[n]
    return [
        f
        for f in ground.meeting(n)
        if rank(ground.norms[f]) <= rank(norm)
        and (rank(ground.norms[f]) < rank(norm) or ground.norms[f].authority == norm.authority)
        and always_with(ground.norms[f], norm)
        and ground.norms[f].kind in RESTRICTIVE
        and (
            ground.acts.covers(ground.norms[f].act, norm.act)
            if ground.norms[f].kind == "prohibition"
            else ground.norms[f].act == norm.act
        )
    ]


def _witness(ground: Ground, n: int, shadows: Sequence[int]) -> Situation | None:
    others = [ground.norms[s].condition for s in shadows]
    facts = ground.solver.check(ground.formula(n), ground.solver.naming(*others))
    if not isinstance(facts, dict):
        return None
    setting = ground.settings[min(ground.where[n])]
    return ground.situation(setting, ground.act_at_issue(n), facts)
