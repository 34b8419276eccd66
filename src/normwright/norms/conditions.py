"""Conditions under strong Kleene logic: a fact that is not known makes an atom unknown.

`None` is the third truth value. A conjunction with one false member is false whatever is unknown
beside it; otherwise one unknown member makes it unknown (Kleene, *Introduction to
Metamathematics*, 1952, section 64). A determined value therefore never changes when more facts
become known, which is what makes decisions on partial facts sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from normwright.records import Condition, FactValue, instant_of

Truth: TypeAlias = bool | None
"""True, False, or None for unknown."""

Test: TypeAlias = Callable[[Mapping[str, FactValue]], Truth]
"""A condition made ready to be asked of facts."""


def evaluate(condition: Condition, facts: Mapping[str, FactValue]) -> Truth:
    """Return whether `condition` holds: True, False, or None where the facts leave it open.

    Args:
        condition: the formula; an empty one is true.
        facts: known facts by name; an absent fact or None is unknown.

    Example:
        >>> evaluate(Condition(fact="age", at_least=18), {})
        >>> evaluate(Condition(fact="age", at_least=18), {"age": 20})
        True
    """
    return compiled(condition)(facts)


def facts_of(condition: Condition) -> frozenset[str]:
    """Return the names of the facts a condition mentions."""
    parts = [*(condition.all or ()), *(condition.any or ())]
    if condition.negate is not None:
        parts.append(condition.negate)
    own = frozenset() if condition.fact is None else frozenset({condition.fact})
    return own.union(*(facts_of(part) for part in parts))


def compiled(condition: Condition) -> Test:
    """Return `condition` as a function of facts, so that thousands of askings cost little."""
    if condition.all is not None:
        return _all([compiled(part) for part in condition.all])
    if condition.any is not None:
        return _any([compiled(part) for part in condition.any])
    if condition.negate is not None:
        return _not(compiled(condition.negate))
    if condition.fact is not None:
        return _atom(condition, condition.fact)
    return _always


def _always(facts: Mapping[str, FactValue]) -> Truth:
    return True


def _all(tests: list[Test]) -> Test:
    def test(facts: Mapping[str, FactValue]) -> Truth:
        result: Truth = True
        for part in tests:
            value = part(facts)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return test


def _any(tests: list[Test]) -> Test:
    def test(facts: Mapping[str, FactValue]) -> Truth:
        result: Truth = False
        for part in tests:
            value = part(facts)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return test


def _not(inner: Test) -> Test:
    def test(facts: Mapping[str, FactValue]) -> Truth:
        value = inner(facts)
        return None if value is None else not value

    return test


def _atom(condition: Condition, fact: str) -> Test:
    low, high = condition.at_least, condition.at_most
    if isinstance(low, str) or isinstance(high, str):
        return _instants(fact, _instant(low), _instant(high))
    if low is not None or high is not None:
        return _bounds(fact, low, high)
    wanted = condition.one_of if condition.one_of is not None else (condition.eq,)
    # In Python True == 1; a yes-or-no fact and a number must never be taken for one another.
    accepted = frozenset((type(value), value) for value in wanted)

    def test(facts: Mapping[str, FactValue]) -> Truth:
        value = facts.get(fact)
        return None if value is None else (type(value), value) in accepted

    return test


def _bounds(fact: str, low: int | None, high: int | None) -> Test:
    def test(facts: Mapping[str, FactValue]) -> Truth:
        value = facts.get(fact)
        if value is None:
            return None
        if isinstance(value, str):
            return False
        return (low is None or value >= low) and (high is None or value <= high)

    return test


def _instants(fact: str, low: datetime | None, high: datetime | None) -> Test:
    def test(facts: Mapping[str, FactValue]) -> Truth:
        value = facts.get(fact)
        if value is None:
            return None
        if not isinstance(value, str):
            return False
        when = instant_of(value)
        return (low is None or when >= low) and (high is None or when <= high)

    return test


def _instant(threshold: int | str | None) -> datetime | None:
    return instant_of(threshold) if isinstance(threshold, str) else None
