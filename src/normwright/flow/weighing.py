"""Participants weighted to declared shares of a population, always beside the unweighted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.flow.mappings import read_yaml
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.aggregate import Order, Raked
    from normwright.flow.ballots import Cast
    from normwright.records import WeightedSupport

PARTICIPANT = "participant"
"""The column that names the person; all others are traits."""


@dataclass(frozen=True)
class Weighed:
    """What weights change, with all that has to be said of them."""

    raked: Raked
    order: Order
    """The alternatives by the same method, each participant counted by weight."""
    tiers: tuple[tuple[str, ...], ...]
    support: tuple[WeightedSupport, ...] = ()
    """Of each statement, where people voted."""


def weigh(
    cast: Cast, *, method: str, traits: Path, margins: Path, cap: float | None = 5.0
) -> Weighed:
    """Return the order of a method under weights by which participants have the declared shares.

    Args:
        cast: the ballots; their voters must have names.
        method: slug of the method.
        traits: a CSV table with a column `participant` and one a trait; a blank is not known.
        margins: a YAML or JSON mapping: trait -> value -> share of the population.
        cap: the largest weight, the mean being 1; None: no cap.

    Raises:
        InputError: with every fault of both files, or where voters have no names.
        Inapplicable: if the method does not apply to weighted ballots.
    """
    from normwright.aggregate import order_of, rake, weighted, weighted_support

    voters = cast.voters
    if voters is None:
        raise InputError(
            [
                Fault(
                    where="--traits",
                    expected="one vote or ballot each of people with names",
                    seen=f"ballots of nobody in particular, or several of one ({cast.format})",
                    do="Weights need the rows of single people.",
                )
            ]
        )
    raked = rake(_traits(traits, voters), _margins(margins), cap=cap)
    index = {name: i for i, name in enumerate(raked.participants)}
    weights = raked.weights[[index[name] for name in voters]]
    election = weighted(cast.election, weights)
    order = order_of(election, method=method)
    return Weighed(
        raked,
        order,
        order.named(election.alternatives),
        () if cast.profile is None else weighted_support(cast.profile, raked),
    )


def _traits(path: Path, voters: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """The traits of every voter; whoever is not in the table is not known by any trait."""
    from normwright.elicit import read_table

    columns, rows = read_table(path)
    if PARTICIPANT not in columns or len(columns) < 2:
        raise InputError(
            [
                Fault(
                    where=str(path),
                    expected=f"a column {PARTICIPANT} and at least one trait",
                    seen=f"columns {', '.join(columns)}",
                )
            ]
        )
    times = Counter(row[PARTICIPANT] for row in rows)
    twice = [name for name, count in times.items() if count > 1]
    if twice:
        raise InputError(
            [
                Fault(
                    where=str(path),
                    expected="each participant once",
                    seen=f"{len(twice)} more than once, such as {twice[0]}",
                )
            ]
        )
    named = [c for c in columns if c != PARTICIPANT]
    table = {row[PARTICIPANT]: {t: row[t] or None for t in named} for row in rows}
    strangers = sorted(set(table) - set(voters))
    if len(strangers) == len(table):
        raise InputError(
            [
                Fault(
                    where=str(path),
                    expected=f"participants as in the ballots, such as {voters[0]}",
                    seen=f"such as {strangers[0]}" if strangers else "no rows",
                )
            ]
        )
    unknown: dict[str, str | None] = dict.fromkeys(named)
    return {name: table.get(name, unknown) for name in voters}


def _margins(path: Path) -> dict[str, dict[str, float]]:
    expected = "a mapping: trait, value, share of the population"
    given = read_yaml(path, expected=expected)
    faults: list[Fault] = []
    made: dict[str, dict[str, float]] = {}
    if not isinstance(given, Mapping) or not given:
        raise InputError([Fault(where=str(path), expected=expected, seen=str(given)[:60])])
    for trait, shares in given.items():
        if not isinstance(shares, Mapping):
            faults.append(
                Fault(where=f"{path}: {trait}", expected="value: share", seen=str(shares)[:60])
            )
            continue
        made[str(trait)] = {}
        for value, share in shares.items():
            _share(path, f"{trait}.{value}", share, made[str(trait)], str(value), faults)
    if faults:
        raise InputError(faults)
    return made


def _share(
    path: Path, where: str, share: Any, into: dict[str, float], value: str, faults: list[Fault]
) -> None:
    if isinstance(share, bool) or not isinstance(share, int | float):
        faults.append(Fault(where=f"{path}: {where}", expected="a share", seen=repr(share)))
    else:
        into[value] = float(share)
