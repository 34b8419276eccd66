"""Rankings as tables hold them: a row a place, a row a person with a column a place, or ranks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from normwright.elicit.integrity import Report
from normwright.elicit.sheets import Sheet
from normwright.records import Ballots, RankedTiers

_PLACE: Final = re.compile(
    r"(?:rank|ranked|choice|preference|place|escolha|preferencia|preferência|opcao|opção|posicao|"
    r"posição|lugar)_?([0-9]{1,3})|([0-9]{1,3})(?:st|nd|rd|th|a|ª|o|º)?_(?:choice|preference|place|"
    r"escolha|preferencia|preferência|opcao|opção|lugar)"
)
"""A heading such as Rank 1 or 2nd choice, below which a name stands."""
_FEWEST: Final = 3
"""Columns from which rows that are all permutations are taken for ranks."""


class Mark(NamedTuple):
    """One alternative at one place of one person's order."""

    where: str
    actor: str
    item: str
    place: float
    """1 is the best; those with the same are level."""


def place_columns(names: Sequence[str]) -> tuple[int, ...]:
    """Return the columns that hold the first, second and further choice; none if not from 1 on.

    Args:
        names: headings, lower case, words joined by underscores.
    """
    found: dict[int, int] = {}
    for column, name in enumerate(names):
        match = _PLACE.fullmatch(name)
        if match is not None:
            found.setdefault(int(match[1] or match[2]), column)
    whole = len(found) > 1 and sorted(found) == list(range(1, len(found) + 1))
    return tuple(found[n] for n in sorted(found)) if whole else ()


def are_ranks(sheet: Sheet, columns: Sequence[int]) -> bool:
    """Return whether every row gives these columns the places 1, 2, 3 and on, each once."""
    wanted = sorted(str(n) for n in range(1, len(columns) + 1))
    return (
        len(columns) >= _FEWEST
        and len(sheet.rows) > 1
        and all(sorted(row.cells[c] for c in columns) == wanted for row in sheet.rows)
    )


def rank_of(text: str) -> float | None:
    """Return a place as a number from 1 on, or None if it is none."""
    match = re.fullmatch(r"([0-9]{1,6}(?:[.,][0-9]{1,6})?)(?:st|nd|rd|th|º|ª|\.)?", text.strip())
    value = None if match is None else float(match[1].replace(",", "."))
    return value if value is not None and value > 0 else None


def ballots_of(marks: Sequence[Mark], names: Mapping[str, str], report: Report) -> Ballots:
    """Return one ballot a person, in the order in which people first stand in the file.

    Of the same alternative twice in one order the last mark counts, and it is reported.
    """
    orders: dict[str, dict[str, Mark]] = defaultdict(dict)
    for mark in marks:
        if mark.item in orders[mark.actor]:
            policy = "the last place that a person gave it counts"
            report.add("duplicate-ranks", policy, mark.where)
        orders[mark.actor][mark.item] = mark
    given: list[tuple[str, RankedTiers]] = []
    for actor, own in orders.items():
        tiers: dict[float, list[str]] = defaultdict(list)
        for mark in own.values():
            tiers[mark.place].append(names[mark.item])
        order = tuple(tuple(sorted(tiers[place])) for place in sorted(tiers))
        where = next(iter(own.values())).where
        if len(own) < len(names):
            policy = "kept as they are; what they leave out counts below all that they rank (last)"
            report.add("incomplete-ballots", policy, where)
        if len(order) == 1 and len(own) > 1:
            report.add("straight-liners", "kept; everything is level", where)
        given.append((actor, order))
    return Ballots.of(given)
