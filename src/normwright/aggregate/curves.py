"""How often methods break axioms, over the size of an electorate or the shape of a population."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from normwright import plugins
from normwright.aggregate.axioms import search
from normwright.aggregate.election import Inapplicable
from normwright.aggregate.methods import Method
from normwright.aggregate.populations import Population
from normwright.records import Fault, InputError, ViolationRate
from normwright.stats import proportion

VOTERS, ALTERNATIVES = "voters", "alternatives"
"""What may vary, beside the parameters of a population."""


def violation_curves(
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
    limit: int = 200,
    seed: int,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[ViolationRate, ...]:
    """Return the share of drawn profiles on which each method breaks each axiom, point by point.

    All methods and axioms are asked about the same profiles, so that their curves differ by what
    they are and not by what was drawn. A search that cannot try everything may miss a breach: then
    the share is a lower bound, and `exhaustive` says on how many profiles everything was tried.

    Args:
        axioms: slugs.
        methods: slugs.
        population: slug of the population that profiles are drawn from.
        over: what varies: `voters`, `alternatives`, or a parameter of the population.
        values: the points, in the order of the rows.
        voters: number of voters, where it does not vary.
        alternatives: number of alternatives, where it does not vary.
        parameters: of the population, beside what varies; None: its defaults.
        profiles: profiles drawn at each point.
        limit: changed profiles that an axiom tries at most on each.
        seed: seed of the profiles and of the searches.
        progress: told how many points are done, of how many, and which comes next.

    Raises:
        PluginError: if a slug is unknown.
        InputError: if the population has no such parameter, or a value is out of range.
    """
    drawn: Population = plugins.get("populations", population)
    asked = {slug: plugins.get("methods", slug) for slug in methods}
    for slug in axioms:
        plugins.get("axioms", slug)
    shape = dict(parameters or {})
    _known(population, drawn, [*shape, *([] if over in (VOTERS, ALTERNATIVES) else [over])])
    if over in (VOTERS, ALTERNATIVES):
        _whole(over, values)
    rows: list[ViolationRate] = []
    for number, value in enumerate(values):
        if progress is not None:
            progress(number, len(values), f"{over} {value:g}")
        sizes = {VOTERS: voters, ALTERNATIVES: alternatives}
        varied = {over: int(value)} if over in sizes else {}
        sizes |= varied
        more = shape if varied else shape | {over: _like(drawn, over, value)}
        rng = np.random.default_rng([seed, number])
        elections = [
            drawn(sizes[VOTERS], sizes[ALTERNATIVES], rng, **more) for _ in range(profiles)
        ]
        for axiom in axioms:
            for slug, method in asked.items():
                hits, of, whole = _breaches(axiom, method, elections, seed=seed, limit=limit)
                rows.append(
                    ViolationRate(
                        axiom=axiom,
                        method=slug,
                        population=population,
                        over=over,
                        value=value,
                        voters=sizes[VOTERS],
                        alternatives=sizes[ALTERNATIVES],
                        rate=proportion(hits, of).model_copy(update={"seed": seed}),
                        exhaustive=whole,
                    )
                )
    if progress is not None:
        progress(len(values), len(values), "")
    return tuple(rows)


def _breaches(
    axiom: str, method: Method, elections: Sequence[Any], *, seed: int, limit: int
) -> tuple[int, int, int]:
    """Profiles with a breach, profiles asked about, and those on which everything was tried."""
    hits = of = whole = 0
    for number, election in enumerate(elections):
        try:
            # Asked first: where the axiom demands nothing, a method that does not apply obeys it.
            method(election)
            found = search(axiom, method, election, seed=seed + number, limit=limit)
        except Inapplicable:
            continue
        of += 1
        hits += found.witness is not None
        whole += found.exhaustive or found.witness is not None
    return hits, of, whole


def _parameters(population: Population) -> Iterator[tuple[str, Any]]:
    """The names and defaults of what shapes a population."""
    for name, one in signature(population).parameters.items():
        if one.kind is one.KEYWORD_ONLY:
            yield name, one.default


def _whole(over: str, values: Sequence[float]) -> None:
    """Refuse parts of voters or of alternatives."""
    faults = [
        Fault(where=over, expected="whole numbers", seen=f"{value:g}", do="")
        for value in values
        if not float(value).is_integer()
    ]
    if faults:
        raise InputError(faults)


def _known(slug: str, population: Population, named: Sequence[str]) -> None:
    known = [name for name, _ in _parameters(population)]
    faults = [
        Fault(
            where=f"{slug}: {name}",
            expected=", ".join([VOTERS, ALTERNATIVES, *known]),
            seen=name,
            do="",
        )
        for name in named
        if name not in known
    ]
    if faults:
        raise InputError(faults)


def _like(population: Population, name: str, value: float) -> float:
    """The value as the kind of number that the parameter is."""
    default = dict(_parameters(population))[name]
    return int(value) if isinstance(default, int) else float(value)
