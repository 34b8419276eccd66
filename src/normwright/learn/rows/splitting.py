"""Parts of a set of rows between which nothing is shared: no person, no prompt, no translation.

Rows that share a participant, a cluster of near-duplicate prompts, a family of wordings or a
translation are tied; whatever is tied, directly or through others, is one component, and a
component goes to one part as a whole. Leakage between parts is then impossible by construction,
and its price is that shares are met only as nearly as components allow: sizes are reported.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from normwright.records import Fault, InputError, digest_bytes
from normwright.texts import clusters, plain


@dataclass(frozen=True)
class Tied:
    """One row, and what ties it to others."""

    id: str
    prompt: str
    """What is asked; near-duplicates of it are of one cluster. Empty: no cluster."""
    family: str | None = None
    """Wordings that were made together."""
    participants: tuple[str, ...] = ()
    """Who judged it, as ids."""
    texts: tuple[str, ...] = ()
    """Names that both sides of a translation share: the id of the source, for example."""


@dataclass(frozen=True)
class Component:
    """Rows that cannot be told apart without sharing something."""

    part: str
    ids: tuple[str, ...]
    ties: Mapping[str, int]
    """How many participants, prompt clusters, families and translations tie them: of each kind,
    those that more than one row has."""


@dataclass(frozen=True)
class Split:
    """Which part each row is in."""

    parts: Mapping[str, str]
    """Part by id."""
    components: tuple[Component, ...]
    """The largest first."""

    @property
    def sizes(self) -> dict[str, int]:
        """Rows in each part."""
        return dict(sorted(Counter(self.parts.values()).items()))

    @property
    def largest(self) -> float:
        """Share of the rows that the largest component has."""
        return len(self.components[0].ids) / len(self.parts)


def split(
    rows: Sequence[Tied],
    *,
    shares: Mapping[str, float],
    seed: int,
    threshold: float = 0.8,
) -> Split:
    """Return a split in which no two parts share a participant, a prompt cluster or a translation.

    Components are drawn in an order that the seed and their ids decide, the large ones first, and
    each goes where most is missing. The order of the rows does not matter.

    Args:
        rows: each with an id of its own.
        shares: share of the rows that each part should have, by name; they add up to 1.
        seed: decides which components go where.
        threshold: Jaccard similarity from which two prompts are of one cluster.

    Raises:
        InputError: if a part would stay empty, or there is nothing to divide, because everything
            is tied to everything; it says by what.
        ValueError: if ids repeat, or shares do not add up to 1.
    """
    if len({row.id for row in rows}) != len(rows):
        raise ValueError("expected rows with ids of their own, saw one twice")
    if len(shares) < 2 or abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) <= 0:
        raise ValueError("expected two parts or more with shares above 0 that add up to 1")
    ordered = sorted(rows, key=lambda row: row.id)
    bonds = _bonds(ordered, threshold)
    groups = _connected(len(ordered), bonds)
    if len(groups) < len(shares):
        raise InputError([_inseparable(len(ordered), groups, bonds, shares)])
    placed = _placed([tuple(ordered[at].id for at in one) for one in groups], shares, seed)
    ties = _counted(groups, bonds)
    components = [Component(part, ids, ties[at]) for at, (part, ids) in enumerate(placed)]
    components.sort(key=lambda one: (-len(one.ids), one.ids[0]))
    parts = {name: one.part for one in components for name in one.ids}
    return Split({name: parts[name] for name in sorted(parts)}, tuple(components))


Bond = tuple[str, Hashable]


def _bonds(rows: Sequence[Tied], threshold: float) -> dict[Bond, list[int]]:
    """Return the places of the rows that have each tie, by kind and name of it."""
    first = clusters([row.prompt for row in rows], threshold=threshold)
    bonds: defaultdict[Bond, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if plain(row.prompt):
            bonds["prompts", first[place]].append(place)
        if row.family is not None:
            bonds["families", row.family].append(place)
        for who in row.participants:
            bonds["participants", who].append(place)
        for name in row.texts:
            bonds["translations", name].append(place)
    return dict(bonds)


def _connected(count: int, bonds: Mapping[Bond, Sequence[int]]) -> list[list[int]]:
    """Return the components as sorted places, the one with the lowest place first."""
    first = list(range(count))

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = first[first[place]]
            place = first[place]
        return place

    for places in bonds.values():
        for place in places[1:]:
            low, high = sorted((root(places[0]), root(place)))
            first[high] = low
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place in range(count):
        groups[root(place)].append(place)
    return list(groups.values())


def _placed(
    groups: Sequence[tuple[str, ...]], shares: Mapping[str, float], seed: int
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the part of each group, in their order."""
    total = sum(map(len, groups))
    missing = {name: share * total for name, share in sorted(shares.items())}
    drawn = sorted(
        range(len(groups)),
        key=lambda at: (-len(groups[at]), digest_bytes(f"{seed}|{groups[at][0]}".encode())),
    )
    found: dict[int, str] = {}
    empty = set(missing)
    for rank, at in enumerate(drawn):
        # The last components go to parts that have none, so that no part stays empty.
        open_ = empty if len(drawn) - rank <= len(empty) else missing
        part = max(sorted(open_), key=missing.__getitem__)
        found[at] = part
        missing[part] -= len(groups[at])
        empty.discard(part)
    return [(found[at], groups[at]) for at in range(len(groups))]


def _counted(
    groups: Sequence[Sequence[int]], bonds: Mapping[Bond, Sequence[int]]
) -> list[dict[str, int]]:
    """Return how many ties of each kind hold each group together."""
    of = {place: at for at, members in enumerate(groups) for place in members}
    counts: list[Counter[str]] = [Counter() for _ in groups]
    for (kind, _), places in bonds.items():
        if len(places) > 1:
            counts[of[places[0]]][kind] += 1
    return [dict(sorted(one.items())) for one in counts]


def _inseparable(
    rows: int,
    groups: Sequence[Sequence[int]],
    bonds: Mapping[Bond, Sequence[int]],
    shares: Mapping[str, float],
) -> Fault:
    without = {
        kind: len(_connected(rows, {k: v for k, v in bonds.items() if k[0] != kind}))
        for kind in sorted({kind for kind, _ in bonds})
    }
    told = ", ".join(f"{count} without {kind}" for kind, count in without.items())
    return Fault(
        where="split",
        expected=f"at least {len(shares)} components that share no person, prompt or translation",
        seen=f"{len(groups)} of {rows} rows; there would be {told or 'no more'}",
        do="Leave participants out of the split and hold out people in elicitation, raise the"
        " threshold, or take rows of which not everybody judged all.",
    )
