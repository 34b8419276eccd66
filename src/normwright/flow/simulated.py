"""How often methods break axioms on synthetic populations: nobody's opinions, many of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from normwright.records import ViolationRate

FAST = ("antiplurality", "borda", "copeland", "irv", "minimax", "plurality",
        "ranked-pairs", "schulze", "split-cycle")  # fmt: skip
"""Methods that are asked unless others are named: quick on any number of drawn profiles."""


def simulated(
    *,
    axioms: Sequence[str],
    methods: Sequence[str],
    population: str,
    over: str,
    values: Sequence[float],
    voters: int = 101,
    alternatives: int = 4,
    parameters: Mapping[str, float] | None = None,
    profiles: int = 200,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[ViolationRate, ...]:
    """Return the share of drawn profiles on which each method breaks each axiom, point by point.

    Raises:
        PluginError: if there is no such axiom, method or population.
        InputError: if the population has no such parameter, or a value is out of range.
    """
    from normwright.aggregate import violation_curves

    return violation_curves(
        axioms=axioms,
        methods=methods,
        population=population,
        over=over,
        values=values,
        voters=voters,
        alternatives=alternatives,
        parameters=parameters,
        profiles=profiles,
        seed=seed,
        progress=progress,
    )
