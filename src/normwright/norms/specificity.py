"""Whether one condition follows from another, by going through a finite partition of the facts.

Conditions only ask a fact whether it equals one of some values or lies beyond a threshold. So the
values of a fact fall into finitely many cells which no condition at hand can tell apart inside: two
for a yes-or-no fact, one a value for an enum, and for a number or an instant the stretches between
the thresholds that are mentioned. Trying one value of each cell, in every combination, proves or
refutes. Combinations that break an axiom of the vocabulary are left out: no situation is like that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from normwright.norms.acts import Acts
from normwright.norms.conditions import compiled, facts_of
from normwright.records import (
    Condition,
    FactType,
    FactValue,
    Norm,
    instant_of,
    instant_text,
    shifted,
)

CELL_LIMIT = 16_384
"""Most combinations tried (14 yes-or-no facts). Beyond it the answer is None: not proved."""


def cells(fact: FactType, conditions: Iterable[Condition]) -> tuple[FactValue, ...]:
    """Return one value for every cell of `fact` that the conditions can tell apart.

    A number without bounds is cut at the thresholds alone, and its outer stretches are cells too.
    """
    match fact.type:
        case "bool":
            return (False, True)
        case "enum":
            return fact.values
        case "int":
            starts = sorted({s for c in conditions for s in first_values(c, fact.name)})
            if fact.low is not None:
                first = fact.low
            elif starts:
                first = starts[0] - 1
            else:
                first = 0 if fact.high is None else fact.high
            first = first if fact.high is None else min(first, fact.high)
            inside = [s for s in starts if s > first and (fact.high is None or s <= fact.high)]
            return (first, *inside)
        case "time":
            moments = sorted({s for c in conditions for s in _moments(c, fact.name)})
            before = (_EPOCH,) if not moments else _earlier(moments[0])
            return tuple(instant_text(moment) for moment in (*before, *moments))


def implies(
    a: Condition, b: Condition, facts: Sequence[FactType], axioms: Sequence[Condition] = ()
) -> bool | None:
    """Return whether `b` holds wherever `a` does; None if the partition is too large to go through.

    Args:
        a: the condition assumed.
        b: the condition asked.
        facts: the vocabulary's facts.
        axioms: what holds in every situation.
    """
    first, second = compiled(a), compiled(b)
    return _everywhere((a, b), facts, axioms, lambda v: not first(v) or second(v) is True)


def satisfiable(
    condition: Condition, facts: Sequence[FactType], axioms: Sequence[Condition] = ()
) -> bool | None:
    """Return whether some situation makes the condition true; None beyond `CELL_LIMIT`."""
    test = compiled(condition)
    never = _everywhere((condition,), facts, axioms, lambda v: not test(v))
    return None if never is None else not never


def can_both_hold(
    a: Condition, b: Condition, facts: Sequence[FactType], axioms: Sequence[Condition] = ()
) -> bool | None:
    """Return whether some situation makes both true; None beyond `CELL_LIMIT`."""
    return satisfiable(Condition(all=(a, b)), facts, axioms)


def more_specific(
    n1: Norm, n2: Norm, acts: Acts, facts: Sequence[FactType], axioms: Sequence[Condition] = ()
) -> bool | None:
    """Return whether `n1` speaks about strictly fewer cases than `n2`.

    True if `n1`'s act is a kind of `n2`'s and its condition implies `n2`'s, and not both the other
    way round. None where the partition is too large to prove it: then nobody may rely on it.
    """
    if not acts.covers(n2.act, n1.act):
        return False
    narrower = implies(n1.condition, n2.condition, facts, axioms)
    if narrower is not True or not acts.covers(n1.act, n2.act):
        return narrower
    wider = implies(n2.condition, n1.condition, facts, axioms)
    return None if wider is None else not wider


def assignments(
    domains: Mapping[str, Sequence[FactValue]],
) -> Iterator[dict[str, FactValue]]:
    """Yield every combination of one value a fact."""
    names = list(domains)
    for values in itertools.product(*domains.values()):
        yield dict(zip(names, values, strict=True))


def linked(
    axioms: Sequence[Condition], mentioned: frozenset[str]
) -> tuple[tuple[Condition, ...], frozenset[str]]:
    """Return the axioms that bear on some facts, perhaps through others, and all these facts.

    The axioms left out share no fact with what is asked, so they rule out nothing of it.
    """
    chosen: list[Condition] = []
    left = [(axiom, facts_of(axiom)) for axiom in axioms]
    found = True
    while found:
        near = [(axiom, own) for axiom, own in left if own & mentioned]
        left = [(axiom, own) for axiom, own in left if not own & mentioned]
        chosen += [axiom for axiom, _ in near]
        mentioned = mentioned.union(*(own for _, own in near))
        found = bool(near)
    return tuple(chosen), mentioned


def _everywhere(
    conditions: Sequence[Condition],
    facts: Sequence[FactType],
    axioms: Sequence[Condition],
    holds: Callable[[Mapping[str, FactValue]], bool],
) -> bool | None:
    mentioned = frozenset[str]().union(*(facts_of(c) for c in conditions))
    bearing, mentioned = linked(axioms, mentioned)
    every = (*conditions, *bearing)
    domains = {f.name: cells(f, every) for f in facts if f.name in mentioned}
    if math.prod(len(values) for values in domains.values()) > CELL_LIMIT:
        return None
    possible = compiled(Condition(all=bearing))
    return all(not possible(values) or holds(values) for values in assignments(domains))


def first_values(condition: Condition, fact: str) -> Iterator[int]:
    """Yield the first values of the stretches into which a condition cuts a number."""
    for part in (*(condition.all or ()), *(condition.any or ())):
        yield from first_values(part, fact)
    if condition.negate is not None:
        yield from first_values(condition.negate, fact)
    if condition.fact != fact:
        return
    if isinstance(condition.at_least, int):
        yield condition.at_least
    if isinstance(condition.at_most, int):
        yield condition.at_most + 1
    for value in (condition.eq, *(condition.one_of or ())):
        if isinstance(value, int) and not isinstance(value, bool):
            yield value
            yield value + 1


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Any instant, for a time that no condition asks about."""

_STEP = timedelta(microseconds=1)
"""The least distance of two instants."""


def _moments(condition: Condition, fact: str) -> Iterator[datetime]:
    """First instants of the stretches into which a condition cuts time."""
    for part in (*(condition.all or ()), *(condition.any or ())):
        yield from _moments(part, fact)
    if condition.negate is not None:
        yield from _moments(condition.negate, fact)
    if condition.fact != fact:
        return
    if isinstance(condition.at_least, str):
        yield instant_of(condition.at_least)
    if isinstance(condition.at_most, str):
        after = shifted(instant_of(condition.at_most), _STEP)
        if after is not None:
            yield after


def _earlier(moment: datetime) -> tuple[datetime, ...]:
    before = shifted(moment, -_STEP)
    return () if before is None else (before,)
