"""Charters that differ from a charter in one respect, so that what is right differs too.

Whoever learned a moral by heart answers as before; whoever reads the norms in front of them follows
the text. Each altered charter is a sound one: it is decided by the same resolver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from normwright.norms.ranking import PERMISSIVE, RESTRICTIVE
from normwright.records import ActType, Condition, FactType, FactValue, Norm

COUNTERPARTIES = ("human", "agent", "mixed", "public")


@dataclass(frozen=True)
class Variant:
    """The norms that bear on an act, as they are or altered in one respect."""

    norms: tuple[Norm, ...]
    alteration: str = ""
    """What was done; empty: nothing."""
    norm: str = ""
    """Reference of the norm it was done to."""


Edit = tuple[str, tuple[Norm, ...]]
"""What was done to a norm, and what stands in its place."""


def variants(
    norms: Sequence[Norm],
    *,
    act: ActType,
    extra: Sequence[tuple[FactType, FactValue]],
    polities: Sequence[str],
    model: Norm,
    most: int,
    keep_floors: bool,
) -> tuple[Variant, ...]:
    """Return the norms as they stand, then altered, at most `most` in all.

    Args:
        norms: those that bear on the act.
        act: what is asked for.
        extra: facts the norms need not mention, each with a value, on which altered norms may hang.
        polities: authorities a norm of a polity may be moved to.
        model: whose layer, authority and tier an added norm gets where no norm bears on the act.
        most: how many; the norms take turns, so that none is left out.
        keep_floors: whether constitutional norms of the global layer stay as they are.
    """
    found = [Variant(tuple(norms))]
    altered = [
        [] if keep_floors and is_floor(norm) else list(_edits(norm, act, extra, polities))
        for norm in norms
    ]
    if not norms:
        added = [_added(model, act, "prohibition", c) for c in _atoms(extra)]
        found += [Variant((norm,), "norm added", norm.ref) for norm in added]
    for turn in range(max(map(len, altered), default=0)):
        for place, edits in enumerate(altered):
            if turn < len(edits):
                what, instead = edits[turn]
                changed = (*norms[:place], *instead, *norms[place + 1 :])
                found.append(Variant(changed, what, norms[place].ref))
    return tuple(found[:most])


def is_floor(norm: Norm) -> bool:
    """Whether it is a constitutional norm of the global layer, which nothing may go below."""
    return norm.layer == "global" and norm.tier == "constitutional"


def negated(condition: Condition) -> Condition:
    """Return the condition that holds where this one does not, as plainly as can be said."""
    if condition.negate is not None:
        return condition.negate
    if isinstance(condition.eq, bool):
        return Condition(fact=condition.fact, eq=not condition.eq)
    return Condition(negate=condition)


def is_empty(condition: Condition) -> bool:
    """Whether a condition asks nothing and is always true."""
    return condition == Condition()


def atom(fact: FactType, value: FactValue) -> Condition:
    """Return the condition that a fact has a value; for a number, that it is at least as much."""
    if fact.type in ("int", "time"):
        assert isinstance(value, int | str)
        return Condition(fact=fact.name, at_least=value)
    return Condition(fact=fact.name, eq=value)


def _atoms(extra: Sequence[tuple[FactType, FactValue]]) -> list[Condition]:
    held = [atom(fact, value) for fact, value in extra]
    return [one for condition in held for one in (condition, negated(condition))]


def _edits(
    norm: Norm,
    act: ActType,
    extra: Sequence[tuple[FactType, FactValue]],
    polities: Sequence[str],
) -> Iterator[Edit]:
    own = norm.condition
    atoms = _atoms(extra)
    if not is_empty(own):
        yield "condition negated", (_with(norm, condition=negated(own)),)
    flipped = _flipped(norm)
    yield "kind flipped", (flipped,)
    yield from _moved(norm)
    yield from _elsewhere(norm, polities)
    if norm.kind in RESTRICTIVE:
        # First the duties that hang on the first of the other facts: graver, slighter, alike.
        for severity in dict.fromkeys(_around(norm.severity)):
            for other in atoms[:2]:
                yield "duty added", (norm, _duty(norm, act, other, severity))
    for other in atoms:
        yield "condition replaced", (_with(norm, condition=other),)
        if not is_empty(own):
            yield "condition narrowed", (_with(norm, condition=_both(own, other)),)
            narrowed = _both(negated(own), other)
            yield "condition negated and narrowed", (_with(norm, condition=narrowed),)
    yield "norm removed", ()
    if norm.kind in RESTRICTIVE:
        for other in atoms:
            yield "override added", (norm, _override(norm, act, other))
        yield from _on_unknown(norm)
        if not is_empty(own):
            for other in atoms:
                yield "condition widened", (_with(norm, condition=Condition(any=(own, other))),)


def _around(severity: int) -> tuple[int, ...]:
    return (min(5, severity + 1), max(1, severity - 1), severity)


def _with(norm: Norm, **changes: object) -> Norm:
    return norm.model_copy(update=changes)


def _both(a: Condition, b: Condition) -> Condition:
    return Condition(all=(*(a.all or (a,)), b))


_FLIPPED: Mapping[str, str] = {
    "prohibition": "permission",
    "permission": "prohibition",
    "guarantee": "prohibition",
    "obligation": "prohibition",
    "exemption": "obligation",
}


def _flipped(norm: Norm) -> Norm:
    kind = _FLIPPED[norm.kind]
    if kind in PERMISSIVE:
        return _with(norm, kind=kind, reparation=(), deadline=None)
    return _with(norm, kind=kind, deadline=None, supersedes=())


def _moved(norm: Norm) -> Iterator[Edit]:
    """Thresholds moved, the day on which it begins turned into the day on which it ends."""
    for steps in (5, -5):
        moved = _shifted(norm.condition, steps)
        if moved != norm.condition:
            yield "threshold moved", (_with(norm, condition=moved),)
    start: date | None = norm.valid_from
    if start is not None:
        yield "validity turned", (_with(norm, valid_from=None, valid_to=start),)


def _shifted(condition: Condition, steps: int) -> Condition:
    def part(one: Condition) -> Condition:
        return _shifted(one, steps)

    changes: dict[str, object] = {}
    for name in ("all", "any"):
        parts = getattr(condition, name)
        if parts is not None:
            changes[name] = tuple(part(one) for one in parts)
    if condition.negate is not None:
        changes["negate"] = part(condition.negate)
    for name in ("at_least", "at_most"):
        bound = getattr(condition, name)
        if isinstance(bound, int):
            changes[name] = bound + steps
    return condition.model_copy(update=changes)


def _elsewhere(norm: Norm, polities: Sequence[str]) -> Iterator[Edit]:
    """The same norm of another polity, or for the other counterparties."""
    if norm.layer == "polity":
        for other in [p for p in polities if p != norm.authority][:1]:
            yield "authority moved", (_with(norm, authority=other),)
    others = tuple(c for c in COUNTERPARTIES if c not in norm.counterparty)
    if others:
        yield "counterparties turned", (_with(norm, counterparty=others),)


def _on_unknown(norm: Norm) -> Iterator[Edit]:
    other = "ask" if norm.on_unknown == "deny" else "deny"
    yield "answer to the unknown changed", (_with(norm, on_unknown=other),)
    if not is_empty(norm.condition):
        yield (
            "answer to the unknown changed",
            (_with(norm, on_unknown=other, condition=negated(norm.condition)),),
        )


def _override(norm: Norm, act: ActType, condition: Condition) -> Norm:
    return _blank(norm, f"{norm.id}.exception", act, "permission", condition).model_copy(
        update={"supersedes": (norm.ref,)}
    )


def _duty(norm: Norm, act: ActType, condition: Condition, severity: int) -> Norm:
    made = _blank(norm, f"{norm.id}.duty", act, "obligation", condition)
    return made.model_copy(update={"severity": severity})


def _added(model: Norm, act: ActType, kind: str, condition: Condition) -> Norm:
    return _blank(model, f"{act.name}.{kind}", act, kind, condition)


def _blank(norm: Norm, name: str, act: ActType, kind: str, condition: Condition) -> Norm:
    """A norm of the same authority and force about an act, with nothing else said about it."""
    return Norm(
        id=name,
        kind=kind,  # type: ignore[arg-type]
        layer=norm.layer,
        authority=norm.authority,
        tier=norm.tier,
        act=act.name,
        bearer=norm.bearer,
        scope=norm.scope,
        condition=condition,
        status=norm.status,
        statement={},
    )
