"""DEAD: a norm that can never apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from normwright.charter.linting.ground import Ground
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import alone
from normwright.norms import satisfiable
from normwright.records import CharterFinding, Condition


def by_enumeration(ground: Ground) -> Iterator[CharterFinding]:
    """Yield norms that never apply, as far as going through the cells of their facts proves it."""
    axioms = ground.vocabulary.axioms

    def possible(n: int) -> bool | None:
        whole = Condition(all=(ground.norms[n].condition, *axioms))
        found = satisfiable(whole, ground.vocabulary.facts)
        if found is None and axioms:
            return satisfiable(ground.norms[n].condition, ground.vocabulary.facts)
        return found

    yield from _dead(ground, possible)


@lint_class("DEAD", "error", quick=by_enumeration)
def dead(ground: Ground) -> Iterator[CharterFinding]:
    """Return norms that can never apply: contradictory, never valid, or binding nobody.

    A condition is contradictory if no facts within their bounds make it true that also keep to the
    axioms. A norm is never valid if its last day comes before its first, and binds nobody if the
    actors it names are not among those its `actor_sensitivity` lets it bind.

    Proved: that it never applies. There is no witness. A norm that another one supersedes on every
    day is history, and not reported.
    """

    def possible(n: int) -> bool | None:
        found = ground.solver.possible(ground.formula(n))
        if found is None:
            ground.open.append(("DEAD", ground.refs((n,))))
        return found

    yield from _dead(ground, possible)


def _dead(ground: Ground, possible: Callable[[int], bool | None]) -> Iterator[CharterFinding]:
    for n, norm in enumerate(ground.norms):
        if norm.valid_from and norm.valid_to and norm.valid_from >= norm.valid_to:
            yield alone(ground, "DEAD", n, "lint_dead_invalid")
        elif not ground.binds_anybody(n):
            yield alone(ground, "DEAD", n, "lint_dead_nobody")
        elif possible(n) is False:
            yield alone(ground, "DEAD", n, "lint_dead")
