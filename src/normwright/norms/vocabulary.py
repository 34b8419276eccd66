"""The closed vocabulary: which acts are kinds of which, which values facts take, and what is amiss.

Every check returns all its faults, so that a person mends a file once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from normwright.norms.acts import NULL_ACT, Acts
from normwright.norms.specificity import satisfiable
from normwright.records import (
    UNKNOWN,
    Condition,
    FactType,
    FactValue,
    Fault,
    Norm,
    Vocabulary,
    instant_of,
)

__all__ = [
    "NULL_ACT",
    "Acts",
    "axiom_faults",
    "condition_faults",
    "near",
    "norm_faults",
    "situation_faults",
    "value_fault",
    "vocabulary_faults",
]


def vocabulary_faults(vocabulary: Vocabulary) -> list[Fault]:
    """Return what is amiss with a vocabulary: doubles, unknown parents, cycles, domains, axioms."""
    faults = [*_act_faults(vocabulary), *_fact_faults(vocabulary)]
    return faults or axiom_faults(vocabulary)


def axiom_faults(vocabulary: Vocabulary, *, where: str = "axioms") -> list[Fault]:
    """Return what is amiss with the axioms of a vocabulary whose facts are sound.

    Axioms that cannot hold together would make every proof about norms true of nothing. Whether
    they can is asked as far as `satisfiable` goes.
    """
    faults: list[Fault] = []
    for number, axiom in enumerate(vocabulary.axioms):
        faults += condition_faults(axiom, vocabulary, where=f"{where}[{number}]")
    if faults or not vocabulary.axioms:
        return faults
    if satisfiable(Condition(all=vocabulary.axioms), vocabulary.facts) is False:
        return [_fault(where, "axioms that some situation fulfils together", "none can",
                       "Weaken one: they speak of every situation there can be.")]  # fmt: skip
    return []


def norm_faults(norm: Norm, vocabulary: Vocabulary, *, where: str = "") -> list[Fault]:
    """Return what in a norm does not fit the vocabulary: its act, its condition, its cases."""
    at = where or norm.ref
    acts = Acts(vocabulary)
    faults = list(_unknown_act(f"{at}: act", norm.act, acts))
    faults += condition_faults(norm.condition, vocabulary, where=f"{at}: condition")
    if norm.maintain is not None:
        faults += condition_faults(norm.maintain, vocabulary, where=f"{at}: maintain")
    for number, case in enumerate(norm.cases):
        place = f"{at}: cases[{number}]"
        faults += _unknown_act(f"{place}.act", case.act, acts)
        faults += _value_faults(case.facts, vocabulary, where=f"{place}.facts", closed=True)
    return faults


def condition_faults(condition: Condition, vocabulary: Vocabulary, *, where: str) -> list[Fault]:
    """Return what is amiss with a condition: its shape, its facts, and the types of its values."""
    kinds = {"all": condition.all, "any": condition.any, "not": condition.negate,
             "fact": condition.fact}  # fmt: skip
    used = [name for name, value in kinds.items() if value is not None]
    asked = [name for name, value in (("eq", condition.eq), ("in", condition.one_of),
             ("at_least", condition.at_least), ("at_most", condition.at_most))
             if value is not None]  # fmt: skip
    if len(used) > 1:
        return [_fault(where, "exactly one of all, any, not, fact", ", ".join(used),
                       "Wrap the parts in `all` or `any`.")]  # fmt: skip
    if used != ["fact"]:
        if asked:
            return [_fault(where, f"a `fact` beside {asked[0]}", "none", "Say which fact.")]
        faults: list[Fault] = []
        for name, parts in (("all", condition.all), ("any", condition.any)):
            for number, part in enumerate(parts or ()):
                faults += condition_faults(part, vocabulary, where=f"{where}.{name}[{number}]")
        if condition.negate is not None:
            faults += condition_faults(condition.negate, vocabulary, where=f"{where}.not")
        return faults
    return _atom_faults(condition, asked, vocabulary, where)


def situation_faults(facts: Mapping[str, FactValue], vocabulary: Vocabulary) -> list[Fault]:
    """Return the known facts whose value is not of the declared type or domain.

    Facts outside the vocabulary are not faults: no condition can mention them, and a mistyped
    name leaves the real fact unknown, which asks instead of allowing.
    """
    return _value_faults(facts, vocabulary, where="facts", closed=False)


def value_fault(fact: FactType, value: FactValue, *, where: str) -> Fault | None:
    """Return why `value` cannot be a value of `fact`, or None if it can. None is unknown: fine."""
    if value is None:
        return None
    match fact.type:
        case "bool":
            return None if isinstance(value, bool) else _fault(where, "true or false", value)
        case "enum":
            if isinstance(value, str) and value in fact.values:
                return None
            known = ", ".join(fact.values)
            return _fault(where, f"one of {known}", value, near(value, fact.values))
        case "int":
            if isinstance(value, bool) or not isinstance(value, int):
                return _fault(where, "a whole number", value)
            low = value if fact.low is None else fact.low
            high = value if fact.high is None else fact.high
            if low <= value <= high:
                return None
            return _fault(where, f"a number from {fact.low} to {fact.high}", value)
        case "time":
            known = "an instant in ISO 8601 such as 2026-12-02 or 2026-12-02T14:00:00Z"
            return None if _instant(value) else _fault(where, known, value)


def _instant(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        instant_of(value)
    except ValueError:
        return False
    return True


def near(seen: object, known: Iterable[str]) -> str:
    """Return `Did you mean X?` for the nearest known word, or an empty text."""
    found = difflib.get_close_matches(str(seen), list(known), n=1)
    return f"Did you mean {found[0]}?" if found else ""


def _fault(where: str, expected: str, seen: object, do: str = "") -> Fault:
    return Fault(where=where, expected=expected, seen=str(seen), do=do)


def _unknown_act(where: str, act: str, acts: Acts) -> Iterator[Fault]:
    if act not in acts:
        yield _fault(where, "an act of the ontology", act, near(act, acts.names))


def _act_faults(vocabulary: Vocabulary) -> Iterator[Fault]:
    names = [act.name for act in vocabulary.acts]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield _fault(f"acts: {name}", "each act once", f"{names.count(name)} times")
    for act in vocabulary.acts:
        for parent in act.is_a:
            if parent not in names:
                yield _fault(f"acts: {act.name}.is_a", "an act of the ontology", parent,
                             near(parent, names))  # fmt: skip
    cycle = Acts(vocabulary).cycle()
    if cycle:
        yield _fault("acts", "no act that is a kind of itself", " > ".join(cycle),
                     "Take one `is_a` of the circle out.")  # fmt: skip


def _fact_faults(vocabulary: Vocabulary) -> Iterator[Fault]:
    names = [fact.name for fact in vocabulary.facts]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield _fault(f"facts: {name}", "each fact once", f"{names.count(name)} times")
    for fact in vocabulary.facts:
        where = f"facts: {fact.name}"
        if UNKNOWN in fact.values:
            yield _fault(f"{where}.values", "values that are known", UNKNOWN,
                         "Leave it out: every fact can be unknown.")  # fmt: skip
        if fact.type == "enum" and not fact.values:
            yield _fault(where, "values of the enum", "none", "List them under `values`.")
        if fact.type != "enum" and fact.values:
            yield _fault(f"{where}.values", f"no values for a {fact.type}", list(fact.values))
        if len(set(fact.values)) < len(fact.values):
            yield _fault(f"{where}.values", "each value once", list(fact.values))
        if fact.type != "int" and (fact.low is not None or fact.high is not None):
            yield _fault(where, f"no bounds for a {fact.type}", f"{fact.low}..{fact.high}")
        if fact.low is not None and fact.high is not None and fact.low > fact.high:
            yield _fault(where, "low at most high", f"{fact.low} > {fact.high}")


def _atom_faults(
    condition: Condition, asked: list[str], vocabulary: Vocabulary, where: str
) -> list[Fault]:
    facts = {fact.name: fact for fact in vocabulary.facts}
    fact = facts.get(condition.fact or "")
    if fact is None:
        seen = str(condition.fact)
        return [_fault(f"{where}.fact", "a fact of the vocabulary", seen, near(seen, facts))]
    if len(asked) != 1:
        return [_fault(where, "exactly one of eq, in, at_least, at_most",
                       ", ".join(asked) or "none")]  # fmt: skip
    place = f"{where}.{asked[0]}"
    if asked[0] in ("at_least", "at_most"):
        bound = condition.at_least if condition.at_least is not None else condition.at_most
        if fact.type not in ("int", "time"):
            return [_fault(place, f"eq or in: {fact.name} is a {fact.type}", asked[0])]
        if fact.type == "int" and not isinstance(bound, int):
            return [_fault(place, f"a whole number: {fact.name} is an int", bound)]
        fault = value_fault(fact, bound, where=place) if fact.type == "time" else None
        return [] if fault is None else [fault]
    if fact.type == "time":
        return [_fault(place, f"at_least or at_most: {fact.name} is a time", asked[0])]
    if condition.one_of == ():
        return [_fault(f"{where}.in", "at least one value", "none")]
    wanted = condition.one_of if condition.one_of is not None else (condition.eq,)
    found = (value_fault(fact, value, where=place) for value in wanted)
    return [fault for fault in found if fault is not None]


def _value_faults(
    facts: Mapping[str, FactValue], vocabulary: Vocabulary, *, where: str, closed: bool
) -> list[Fault]:
    known = {fact.name: fact for fact in vocabulary.facts}
    faults: list[Fault] = []
    for name, value in facts.items():
        if name in known:
            fault = value_fault(known[name], value, where=f"{where}.{name}")
            faults += [] if fault is None else [fault]
        elif closed:
            faults.append(_fault(f"{where}.{name}", "a fact of the vocabulary", name,
                                 near(name, known)))  # fmt: skip
    return faults
