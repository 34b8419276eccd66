"""TRAP: a situation with no way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from normwright.charter.linting.ground import Ground, Setting
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import circumstances, cited, finding
from normwright.charter.solving import Formula, Witness, both
from normwright.charter.wording import say
from normwright.norms import NULL_ACT, evaluate
from normwright.norms.ranking import rank
from normwright.records import CharterFinding, Situation


@dataclass(frozen=True)
class _Bounds:
    """The constitutional norms of a setting."""

    setting: Setting
    duties: tuple[int, ...]
    prohibitions: tuple[int, ...]


@lint_class("TRAP", "error")
def trap(ground: Ground) -> Iterator[CharterFinding]:
    """Return situations in which whatever one does, doing nothing included, breaks a constitution.

    Duties that exclude each other, or a duty of which every way to fulfil it is forbidden. Every
    act of the ontology that has no kinds of its own counts as something one could do, and so does
    `decline`; an act that has kinds is done by doing one of them.

    Proved: for the witness, that each of these acts breaks a constitutional norm that nothing beats
    there. One finding for each smallest set of duties of which each one narrows what the others
    leave. Not shown: that such a situation occurs. Norms of lower tiers, and duties with a
    deadline, do not make a trap.
    """
    found: set[frozenset[int]] = set()
    done: set[tuple[object, ...]] = set()
    for setting in ground.settings:
        bounds = _bounds(ground, setting)
        key = (bounds.duties, bounds.prohibitions, _permitting(ground, setting))
        if key not in done:
            done.add(key)
            yield from _traps(ground, bounds, found)


def _bounds(ground: Ground, setting: Setting) -> _Bounds:
    constitutional = [
        i for i in sorted(setting.standing) if ground.norms[i].tier == "constitutional"
    ]
    owed = set(ground.owed(setting))
    return _Bounds(
        setting,
        tuple(i for i in constitutional if i in owed),
        tuple(i for i in constitutional if ground.norms[i].kind == "prohibition"),
    )


def _permitting(ground: Ground, setting: Setting) -> tuple[int, ...]:
    return tuple(i for i in ground.permissive if i in setting.standing)


def _traps(ground: Ground, bounds: _Bounds, found: set[frozenset[int]]) -> Iterator[CharterFinding]:
    """Search sets of duties by their size, so that what is found first is smallest."""
    level: list[tuple[tuple[int, ...], frozenset[str]]] = [((), frozenset(leaves(ground)))]
    while level:
        wider = []
        for duties, ways in level:
            if any(known <= set(duties) for known in found):
                continue
            facts = _no_way_out(ground, bounds, duties)
            if facts is not None:
                found.add(frozenset(duties))
                yield _told(ground, bounds, duties, facts)
            elif ways:
                wider += list(_wider(ground, bounds, duties, ways))
        level = wider


def _wider(
    ground: Ground, bounds: _Bounds, duties: tuple[int, ...], ways: frozenset[str]
) -> Iterator[tuple[tuple[int, ...], frozenset[str]]]:
    """Every later duty that narrows what can be done and can hold together with these."""
    for duty in bounds.duties:
        if duties and duty <= duties[-1]:
            continue
        left = ways & ground.below[ground.norms[duty].act]
        together = [ground.formula(i) for i in (*duties, duty)]
        if left != ways and ground.solver.possible(*together) is not False:
            yield (*duties, duty), left


def _no_way_out(ground: Ground, bounds: _Bounds, duties: tuple[int, ...]) -> Witness | None:
    """Return facts under which the duties bind and every act breaks one, or a prohibition."""
    setting = bounds.setting
    parts = [_stands(ground, duty, NULL_ACT, setting) for duty in duties]
    for act in (NULL_ACT, *leaves(ground)):
        breaches = _breaches(ground, bounds, duties, act)
        if breaches is None:
            continue
        if not breaches:
            return None
        parts.append(~both(~breach for breach in breaches))
    concerned = [ground.norms[i].condition for i in _bearing(ground, setting, duties)]
    facts = ground.solver.check(*parts, ground.solver.naming(*concerned))
    if facts == "unknown":
        ground.open.append(("TRAP", ground.refs(duties)))
    return facts if isinstance(facts, dict) else None


def _breaches(
    ground: Ground, bounds: _Bounds, duties: tuple[int, ...], act: str
) -> list[Formula] | None:
    """The ways in which an act can break a norm; None if it always breaks one of the duties."""
    breaches = []
    for duty in duties:
        if act in ground.below[ground.norms[duty].act]:
            continue
        shields = _shields(ground, duty, act, bounds.setting)
        if not shields:
            return None
        breaches.append(both(~ground.formula(g) for g in shields))
    return breaches + [
        _stands(ground, f, act, bounds.setting)
        for f in bounds.prohibitions
        if ground.acts.covers(ground.norms[f].act, act)
    ]


def _stands(ground: Ground, index: int, act: str, setting: Setting) -> Formula:
    """That a norm's condition holds and nothing that holds beats it for an act."""
    beating = ground.beating(index, act, setting)
    return both((ground.formula(index), *(~ground.formula(p) for p in beating)))


def _shields(ground: Ground, duty: int, act: str, setting: Setting) -> list[int]:
    """The guarantees of a higher rank that keep an act free from a duty to do something else."""
    return [
        g
        for g in ground.permissive
        if g in setting.standing
        and ground.norms[g].kind == "guarantee"
        and rank(ground.norms[g]) < rank(ground.norms[duty])
        and ground.acts.covers(ground.norms[g].act, act)
    ]


def leaves(ground: Ground) -> tuple[str, ...]:
    """Return the acts that have no kinds of their own, but for doing nothing; sorted."""
    return tuple(a for a in ground.acts.names if ground.below[a] == {a} and a != NULL_ACT)


def _ways(ground: Ground, duties: Sequence[int]) -> tuple[str, ...]:
    """The acts that fulfil at least one of some duties; without duties, all."""
    owed = [ground.below[ground.norms[d].act] for d in duties]
    return tuple(a for a in leaves(ground) if not owed or any(a in kinds for kinds in owed))


def _bearing(ground: Ground, setting: Setting, duties: Sequence[int]) -> list[int]:
    """The norms of a setting that can bear on what to do where the duties bind."""
    acts = frozenset[str]().union(
        *(ground.acts.above(act) for act in (*_ways(ground, duties), NULL_ACT))
    )
    return [
        i
        for i in sorted(setting.standing)
        if ground.norms[i].kind in ("obligation", "exemption") or ground.norms[i].act in acts
    ]


def _told(
    ground: Ground, bounds: _Bounds, duties: tuple[int, ...], facts: Witness
) -> CharterFinding:
    ways = _ways(ground, duties)
    norms = (*duties, *_forbidding(ground, bounds, duties, facts, ways))
    witness = _witness(ground, bounds.setting, facts, ways)
    conditions = [ground.norms[i].condition for i in norms]
    values = {
        "norms": cited(ground, norms),
        "case": circumstances(ground, witness, conditions),
    }
    return finding(
        ground,
        "TRAP",
        norms=norms,
        detail=say("lint_trap", ground.languages, **values),
        question=say("lint_trap_ask", ground.languages, **values),
        witness=witness,
    )


def _witness(ground: Ground, setting: Setting, facts: Witness, ways: Sequence[str]) -> Situation:
    """The situation, asking for an act that is least bad in it, so that the answer is a dilemma."""
    first = ground.situation(setting, NULL_ACT, facts, tuple(ways))
    least = ground.resolver.decide(first).least_bad[0]
    others = tuple(act for act in (*ways, NULL_ACT) if act != least)
    return ground.situation(setting, least, facts, others)


def _forbidding(
    ground: Ground, bounds: _Bounds, duties: Sequence[int], facts: Witness, ways: Sequence[str]
) -> tuple[int, ...]:
    """Prohibitions that stand there, of which none can be left out for all acts to be breaches."""

    def stands(f: int, act: str) -> bool:
        beating = ground.beating(f, act, bounds.setting)
        holds = evaluate(ground.norms[f].condition, facts) is True
        return holds and not any(
            evaluate(ground.norms[p].condition, facts) is True for p in beating
        )

    left = [
        {f for f in bounds.prohibitions
         if ground.acts.covers(ground.norms[f].act, act) and stands(f, act)}
        for act in (*ways, NULL_ACT)
        if all(act in ground.below[ground.norms[d].act] for d in duties)
    ]  # fmt: skip
    kept = sorted(set().union(*left)) if left else []
    for f in reversed(kept.copy()):
        fewer = [other for other in kept if other != f]
        if all(options & set(fewer) for options in left):
            kept = fewer
    return tuple(kept)
