"""Whether one condition follows from another, by going through a finite partition of the facts.

Conditions only ask a fact whether it equals one of some values or lies beyond a threshold. So the
values of a fact fall into finitely many cells which no condition at hand can tell apart inside: two
for a yes-or-no fact, one a value for an enum, and for a number the stretches between the thresholds
that are mentioned. Trying one value of each cell, in every combination, proves or refutes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from normwright.norms.conditions import compiled, facts_of
from normwright.norms.vocabulary import Acts
from normwright.records import Condition, FactType, FactValue, Norm

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
            starts = sorted({s for c in conditions for s in _starts(c, fact.name)})
            if fact.low is not None:
                first = fact.low
            elif starts:
                first = starts[0] - 1
            else:
                first = 0 if fact.high is None else fact.high
            first = first if fact.high is None else min(first, fact.high)
            inside = [s for s in starts if s > first and (fact.high is None or s <= fact.high)]
            return (first, *inside)


def implies(a: Condition, b: Condition, facts: Sequence[FactType]) -> bool | None:
    """Return whether `b` holds wherever `a` does; None if the partition is too large to go through.

    Args:
        a: the condition assumed.
        b: the condition asked.
        facts: the vocabulary.
    """
    first, second = compiled(a), compiled(b)
    return _everywhere((a, b), facts, lambda v: not first(v) or second(v) is True)


def satisfiable(condition: Condition, facts: Sequence[FactType]) -> bool | None:
    """Return whether some assignment makes the condition true; None beyond `CELL_LIMIT`."""
    test = compiled(condition)
    never = _everywhere((condition,), facts, lambda v: not test(v))
    return None if never is None else not never


def can_both_hold(a: Condition, b: Condition, facts: Sequence[FactType]) -> bool | None:
    """Return whether some assignment makes both true; None beyond `CELL_LIMIT`."""
    return satisfiable(Condition(all=(a, b)), facts)


def more_specific(n1: Norm, n2: Norm, acts: Acts, facts: Sequence[FactType]) -> bool | None:
    """Return whether `n1` speaks about strictly fewer cases than `n2`.

    True if `n1`'s act is a kind of `n2`'s and its condition implies `n2`'s, and not both the other
    way round. None where the partition is too large to prove it: then nobody may rely on it.
    """
    if not acts.covers(n2.act, n1.act):
        return False
    narrower = implies(n1.condition, n2.condition, facts)
    if narrower is not True or not acts.covers(n1.act, n2.act):
        return narrower
    wider = implies(n2.condition, n1.condition, facts)
    return None if wider is None else not wider


def assignments(
    domains: Mapping[str, Sequence[FactValue]],
) -> Iterator[dict[str, FactValue]]:
    """Yield every combination of one value a fact."""
    names = list(domains)
    for values in itertools.product(*domains.values()):
        yield dict(zip(names, values, strict=True))


def _everywhere(
    conditions: Sequence[Condition],
    facts: Sequence[FactType],
    holds: Callable[[Mapping[str, FactValue]], bool],
) -> bool | None:
    mentioned = frozenset[str]().union(*(facts_of(c) for c in conditions))
    domains = {f.name: cells(f, conditions) for f in facts if f.name in mentioned}
    if math.prod(len(values) for values in domains.values()) > CELL_LIMIT:
        return None
    return all(holds(values) for values in assignments(domains))


def _starts(condition: Condition, fact: str) -> Iterator[int]:
    """First values of the stretches into which a condition cuts a number."""
    for part in (*(condition.all or ()), *(condition.any or ())):
        yield from _starts(part, fact)
    if condition.negate is not None:
        yield from _starts(condition.negate, fact)
    if condition.fact != fact:
        return
    if condition.at_least is not None:
        yield condition.at_least
    if condition.at_most is not None:
        yield condition.at_most + 1
    for value in (condition.eq, *(condition.one_of or ())):
        if isinstance(value, int) and not isinstance(value, bool):
            yield value
            yield value + 1
