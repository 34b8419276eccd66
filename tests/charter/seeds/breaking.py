"""Break one thing about one norm, and say which of its cases notice."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter import CharterSource, run_cases
from normwright.charter.cases import speaks_about
from normwright.norms import Acts
from normwright.records import Condition, FactType, Norm


def noticing(source: CharterSource, broken: Norm) -> list[str]:
    """The cases of a norm that no longer fit: the norm speaks where it should not, or the reverse,
    or the verdict differs. Norms are compared by reference; the rest of the charter stays.
    """
    acts = Acts(source.vocabulary)
    silent = [
        case.id or "" for case in broken.cases
        if speaks_about(broken, case, acts) != (case.kind == "hit")
    ]  # fmt: skip
    return silent or list(misjudged(source, broken))


def misjudged(source: CharterSource, broken: Norm) -> Iterator[str]:
    """The cases of a norm whose verdict differs beside every other norm that could bear on it."""
    acts = Acts(source.vocabulary)
    meant = {above for case in broken.cases for above in acts.above(case.act)}
    beside = [
        norm.model_copy(update={"cases": ()})
        for norm in source.norms
        if norm.ref != broken.ref
        and (norm.act in meant or (norm.kind == "obligation" and not norm.deadline))
    ]
    for result in run_cases([broken, *beside], source.vocabulary):
        if not result.agrees:
            yield result.case.id or ""


def negated(condition: Condition) -> Condition:
    """What holds exactly where the condition does not; an empty one becomes never true."""
    return Condition(negate=condition)


def twisted(condition: Condition, facts: dict[str, FactType]) -> Iterator[tuple[str, Condition]]:
    """Every way to break one atom of a condition: deny it, drop it, move what it asks for."""
    if condition.fact is None and not (condition.all or condition.any or condition.negate):
        return
    if condition.fact is not None:
        yield from _atom(condition, facts[condition.fact])
        yield f"drop {condition.fact}", Condition()
        return
    for key in ("all", "any"):
        parts = getattr(condition, key)
        for number, part in enumerate(parts or ()):
            rest = (*parts[:number], *parts[number + 1 :])
            for name, other in twisted(part, facts):
                changed = (*parts[:number], other, *parts[number + 1 :])
                if other == Condition():
                    changed = rest
                yield f"{key}[{number}] {name}", condition.model_copy(update={key: changed})
    if condition.negate is not None:
        for name, other in twisted(condition.negate, facts):
            yield f"not {name}", Condition(negate=other)


def _atom(atom: Condition, fact: FactType) -> Iterator[tuple[str, Condition]]:
    yield f"deny {fact.name}", negated(atom)
    if atom.at_least is not None:
        assert isinstance(atom.at_least, int)
        for step in (-1, 1):
            yield f"at_least {step:+}", atom.model_copy(update={"at_least": atom.at_least + step})
    if atom.one_of is not None:
        for value in atom.one_of:
            kept = tuple(v for v in atom.one_of if v != value)
            yield f"without {value}", atom.model_copy(update={"one_of": kept})
        for value in fact.values:
            if value not in atom.one_of:
                more = (*atom.one_of, value)
                yield f"with {value}", atom.model_copy(update={"one_of": more})
