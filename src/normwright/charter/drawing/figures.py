"""Four cases that belong together: two situations a hair apart, under two charters a hair apart.

In a full square the verdicts cross: what the one charter allows and forbids, the other forbids and
allows. Each word about the situation and each word of the charter then stands equally often beside
either verdict, so that only the two read together tell what is right. This is exact within every
square, whatever the facts and the norms are, and it is why a count of words cannot do better than a
coin there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from normwright.charter.drawing.grounds import Ground
from normwright.charter.drawing.numbering import number, permutation
from normwright.records import DecisionVerdict

FigureKind: TypeAlias = Literal["altered", "crossed", "missing", "pair", "swap"]
"""`crossed`: a full square, one of its charters as it stands. `altered`: a full square of two
altered charters. `missing`: a square in which knowing a fact or not decides under the one charter
and nothing under the other. `pair`: two situations under the charter as it stands. `swap`: one
situation under the charter as it stands and altered."""

MOST = 400
"""Figures of one kind and one pair of verdicts read off one ground."""

_EDGES = 10
"""Near misses looked at for each pair of charters."""

_VERDICTS: tuple[DecisionVerdict, ...] = (
    "allow", "deny", "ask", "necessity", "dilemma-choice", "dilemma-inaction", "deny-dilemma",
)  # fmt: skip
_DILEMMAS = frozenset({"dilemma-choice", "dilemma-inaction", "deny-dilemma"})
_CODE = {verdict: code for code, verdict in enumerate(_VERDICTS)}


@dataclass(frozen=True)
class Figure:
    """Cases of one ground that belong together, by their place in its table."""

    ground: int
    variants: tuple[int, ...]
    cores: tuple[int, ...]
    aspect: int | None
    """What the situations differ in; None: there is one."""


Stratum: TypeAlias = tuple[FigureKind, tuple[DecisionVerdict, ...]]
"""A kind of figure and the verdicts that occur in it, in the order of their weight."""


def squares(
    grounds: Sequence[Ground], verdicts: Sequence[DecisionVerdict]
) -> dict[Stratum, list[list[Figure]]]:
    """Return all squares with these verdicts only: stratum -> for every ground, its squares.

    No case is part of two squares.
    """
    found: dict[Stratum, list[list[Figure]]] = {}
    for place, ground in enumerate(grounds):
        own: dict[Stratum, list[Figure]] = {}
        used: set[tuple[int, int]] = set()
        candidates = list(_squares(place, ground, set(verdicts)))
        for index in _in_turn(candidates, ground.act.name):
            stratum, figure = candidates[index]
            cells = {(v, c) for v in figure.variants for c in figure.cores}
            if used & cells or len(own.get(stratum, ())) >= MOST:
                continue
            used |= cells
            own.setdefault(stratum, []).append(figure)
        for stratum, figures in own.items():
            found.setdefault(stratum, []).append(figures)
    return dict(sorted(found.items()))


def _in_turn(candidates: Sequence[tuple[Stratum, Figure]], act: str) -> list[int]:
    """The order in which squares may take their cases, for what one has taken no other can have.

    Squares with dilemmas come first, then those with the charter as it stands, and among either
    the rarer kinds before others.
    """
    counts = Counter(stratum for stratum, _ in candidates)

    def turn(index: int) -> tuple[bool, bool, int]:
        stratum, figure = candidates[index]
        return _DILEMMAS.isdisjoint(stratum[1]), 0 not in figure.variants, counts[stratum]

    return sorted(permutation_of(len(candidates), f"squares:{act}"), key=turn)


def lines(
    grounds: Sequence[Ground], verdicts: Sequence[DecisionVerdict], kind: FigureKind
) -> dict[Stratum, list[list[Figure]]]:
    """Return pairs of cases under the charter as it stands, or of a situation and its swaps."""
    found: dict[Stratum, list[list[Figure]]] = {}
    for place, ground in enumerate(grounds):
        own: dict[Stratum, list[Figure]] = {}
        used: set[tuple[int, int]] = set()
        candidates = list(_pairs(place, ground) if kind == "pair" else _swaps(place, ground))
        for index in permutation_of(len(candidates), f"{kind}:{ground.act.name}"):
            figure = candidates[index]
            cells = {(v, c) for v in figure.variants for c in figure.cores}
            said = [ground.table[cell].verdict for cell in sorted(cells)]
            if used & cells or not set(said) <= set(verdicts):
                continue
            stratum: Stratum = (kind, _ordered(said))
            if len(own.setdefault(stratum, [])) < MOST:
                used |= cells
                own[stratum].append(figure)
        for stratum, figures in own.items():
            found.setdefault(stratum, []).append(figures)
    return dict(sorted(found.items()))


def permutation_of(length: int, key: str) -> tuple[int, ...]:
    """Return an order of `range(length)` that follows from the key."""
    if length < 200:
        return permutation(length, number(key) ** 12)
    order = np.random.default_rng(number(key) % 2**63).permutation(length)
    return tuple(order.tolist())


def _ordered(verdicts: Sequence[DecisionVerdict]) -> tuple[DecisionVerdict, ...]:
    return tuple(v for v in _VERDICTS if v in verdicts)


def _codes(ground: Ground) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    rows, columns = len(ground.variants), len(ground.cores)
    codes = np.zeros((rows, columns), dtype=np.int8)
    for (variant, core), decision in ground.table.items():
        codes[variant, core] = _CODE[decision.verdict]
    return codes


def _squares(
    place: int, ground: Ground, verdicts: set[DecisionVerdict]
) -> Iterator[tuple[Stratum, Figure]]:
    edges = np.array(list(ground.edges()), dtype=np.int64).reshape(-1, 3)
    if not len(edges):
        return
    edges = edges[list(permutation_of(len(edges), f"edges:{ground.act.name}"))]
    codes = _codes(ground)
    asking = _CODE["ask"]
    wanted = np.isin(codes, [_CODE[v] for v in verdicts])
    a, b = codes[:, edges[:, 0]], codes[:, edges[:, 1]]
    known = wanted[:, edges[:, 0]] & wanted[:, edges[:, 1]]
    # The last state of a fact is that it is not known; such an edge asks about missing facts.
    open_ended = np.array(
        [ground.aspects[i].states[ground.cores[t][i]] is None for _, t, i in edges.tolist()]
    )  # fmt: skip
    for i in range(len(ground.variants)):
        for j in range(len(ground.variants)):
            if i == j:
                continue
            both = known[i] & known[j]
            crossed = both & (a[i] == b[j]) & (b[i] == a[j]) & (a[i] != b[i])
            missing = (both & open_ended & (b[i] == asking) & (a[i] != asking)
                       & (a[j] == b[j]) & (b[j] != asking))  # fmt: skip
            if i < j:
                for e in np.flatnonzero(crossed)[:_EDGES].tolist():
                    yield _square(
                        "altered" if i else "crossed", place, ground, (i, j), edges[e].tolist()
                    )
            for e in np.flatnonzero(missing)[: _EDGES // 2].tolist():
                yield _square("missing", place, ground, (i, j), edges[e].tolist())


def _square(
    kind: FigureKind, place: int, ground: Ground, charters: tuple[int, int], edge: list[int]
) -> tuple[Stratum, Figure]:
    one, other, aspect = edge
    said = [ground.table[v, c].verdict for v in charters for c in (one, other)]
    return (kind, _ordered(said)), Figure(place, charters, (one, other), aspect)


def _pairs(place: int, ground: Ground) -> Iterator[Figure]:
    for one, other, aspect in ground.edges():
        if ground.table[0, one].verdict != ground.table[0, other].verdict:
            yield Figure(place, (0,), (one, other), aspect)


def _swaps(place: int, ground: Ground) -> Iterator[Figure]:
    for core in range(len(ground.cores)):
        for variant in range(1, len(ground.variants)):
            if ground.table[0, core].verdict != ground.table[variant, core].verdict:
                yield Figure(place, (0, variant), (core,), None)
