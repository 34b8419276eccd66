"""Which unknown facts can change a verdict: found by trying what can be learned."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from normwright.norms.conditions import facts_of
from normwright.norms.contexts import Frame
from normwright.norms.profiles import Entry
from normwright.norms.readings import PLACE, Polities, single_polity
from normwright.norms.specificity import cells, linked
from normwright.norms.truths import View
from normwright.records import (
    Condition,
    Counterparty,
    DecisionVerdict,
    FactType,
    FactValue,
    Vocabulary,
)

SENSITIVITY_LIMIT = 1_024
"""Most partial assignments tried to find which unknown facts matter; beyond it all are listed."""

COUNTERPARTY = "counterparty"


@dataclass(frozen=True)
class State:
    """What is known: the facts, and what decides which norms are looked at."""

    facts: Mapping[str, FactValue]
    frame: Frame


@dataclass(frozen=True)
class Dimension:
    """Something that is not known, and what can be learned about it."""

    name: str
    steps: tuple[Callable[[State], State], ...]


def mattering(
    state: State,
    dimensions: Sequence[Dimension],
    verdict: Callable[[State], DecisionVerdict | None],
) -> tuple[str, ...]:
    """Return the names of what, learned alone or after others, changes the verdict.

    Args:
        state: what is known.
        dimensions: what is not.
        verdict: the verdict under a state; None where no situation is like that.

    Returns:
        The names, sorted; all of them if there are more than `SENSITIVITY_LIMIT` states.
    """
    if not dimensions:
        return ()
    sizes = [1 + len(dimension.steps) for dimension in dimensions]
    if math.prod(sizes) > SENSITIVITY_LIMIT:
        return tuple(sorted(dimension.name for dimension in dimensions))
    found: dict[tuple[int, ...], DecisionVerdict | None] = {}
    for point in itertools.product(*map(range, sizes)):
        learned = state
        for dimension, step in zip(dimensions, point, strict=True):
            learned = dimension.steps[step - 1](learned) if step else learned
        found[point] = verdict(learned)
    changing = {
        place
        for point, here in found.items()
        for place, step in enumerate(point)
        if step and here is not None and found[(*point[:place], 0, *point[place + 1 :])] != here
    }
    return tuple(sorted(dimensions[place].name for place in changing))


def dimensions(
    considered: Sequence[Entry],
    acts: Sequence[str],
    view: View,
    state: State,
    vocabulary: Vocabulary,
) -> list[Dimension]:
    """Return what is not known and bears on the norms considered."""
    facts = {fact.name: fact for fact in vocabulary.facts}
    conditions = _open_conditions(considered, acts, view)
    mentioned = frozenset[str]().union(*(facts_of(c) for c in conditions))
    bearing, mentioned = linked(vocabulary.axioms, mentioned)
    unknown = sorted(name for name in mentioned if state.facts.get(name) is None)
    frame = state.frame
    found = []
    if frame.counterparty is None and any(e.index in view.context.naming for e in considered):
        found.append(Dimension(COUNTERPARTY, tuple(_towards(c) for c in get_args(Counterparty))))
    open_ = sorted(
        {e.norm.authority for e in considered if e.norm.layer == "polity"
         and frame.polities.apply(e.norm.authority) is None}
    )  # fmt: skip
    if open_:
        free = facts.get(PLACE) if state.facts.get(PLACE) is None else None
        found.append(Dimension(PLACE, tuple(_places(open_, frame.polities, free))))
        unknown = [name for name in unknown if name != PLACE]
    every = (*conditions, *bearing)
    found += [
        Dimension(name, tuple(_fact(name, v) for v in cells(facts[name], every)))
        for name in unknown
    ]
    return found


def _open_conditions(
    considered: Sequence[Entry], acts: Sequence[str], view: View
) -> list[Condition]:
    found = []
    for entry in considered:
        asked = acts if entry.by_act else (None,)
        if any(view.truths.of(entry, act) is None for act in asked):
            found.append(entry.norm.condition)
        if entry.norm.maintain is not None and view.truths.goes_on(entry) is None:
            found.append(entry.norm.maintain)
    return found


def _towards(counterparty: Counterparty) -> Callable[[State], State]:
    return lambda s: replace(s, frame=replace(s.frame, counterparty=counterparty))


def _fact(name: str, value: FactValue) -> Callable[[State], State]:
    return lambda s: replace(s, facts={**s.facts, name: value})


def _places(
    open_: Sequence[str], under: Polities, free: FactType | None
) -> Iterator[Callable[[State], State]]:
    """Every set of polities it can turn out to be, with what that says of the fact."""
    for size in range(len(open_) + 1):
        for more in itertools.combinations(open_, size):
            here = Polities((under.sure or frozenset()) | set(more))
            single = single_polity(here, free)
            others = () if single is not None or free is None else free.values
            for value in dict.fromkeys((None, *([single] if single else ()), *others)):
                yield _place(here, value)


def _place(here: Polities, value: str | None) -> Callable[[State], State]:
    def step(s: State) -> State:
        facts = s.facts if value is None else {**s.facts, PLACE: value}
        return State(facts, replace(s.frame, polities=here))

    return step
