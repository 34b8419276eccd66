"""Rules for normative uncertainty, one file each: theories and credences in, an order out.

A theory may be a moral theory, a group of people, or any other view of what is choice-worthy.
Numbers are kept as the fractions that the decimals given stand for, so that rounding can neither
make nor break a tie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Inapplicable
from normwright.aggregate.methods import Order, by_score

PROPERTIES: dict[str, str] = {
    "anonymity": "Renaming the theories changes nothing.",
    "neutrality": "Renaming the options renames the outcome.",
    "scale-invariance": "Changing the unit and the zero of a theory's own numbers changes nothing.",
    "no-fanaticism": "A theory that is hardly believed does not overturn a choice without ties, "
    "however much it holds to be at stake.",
    "pareto": "What every theory holds worse than one and the same other option is not chosen.",
    "majority": "What theories of more than half of the credence hold best alone is chosen.",
    "clones": "A second option that every theory holds level with a first changes no other choice.",
    "iia": "Taking away an option does not turn round two others.",
    "updating-consistency": "Believing a theory more does not make the choice worse by that "
    "theory.",
    "condorcet": "What more credence holds better than worse, against each other option, is "
    "chosen alone.",
}
"""What a card of this kind may claim or deny, slug by slug."""

SCALES = ("ordinal", "interval", "ratio")
"""What numbers of a theory may mean: only their order, their differences, or also their zero. No
rule here reads a zero, so that a ratio scale counts as an interval scale."""

Exact = tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class Theories:
    """How far each theory is believed, and what each holds choice-worthy."""

    names: tuple[str, ...]
    """The theories."""
    options: tuple[str, ...]
    """What is to be chosen among."""
    credences: Exact
    """How far each theory is believed; they add up to 1."""
    worth: tuple[Exact, ...]
    """Choice-worthiness of each option by each theory, higher is better: a row a theory."""
    ordinal: tuple[bool, ...]
    """Theories of which only the order of options means anything."""
    comparable: bool = False
    """Whether a unit of choice-worthiness is the same in all theories: an inter-theoretic scale.
    Nobody's numbers are taken to be comparable unless somebody says so."""
    status_quo: int | None = None
    """The option that happens if theories do not come to terms; None where none was named."""
    scales: tuple[str | None, ...] = ()
    """What the numbers of each theory mean, one of `SCALES`; None where nobody said."""
    people: int | None = None
    """How many people's beliefs the credences are shares of; None where nobody said."""

    def held(self) -> Theories:
        """Return the theories that are believed at all: one with no credence has no say."""
        kept = [k for k, credence in enumerate(self.credences) if credence > 0]
        return self._only(kept)

    def discerning(self) -> tuple[Theories, list[str]]:
        """Return the believed theories that tell options apart, and the names of the others.

        A theory by which all options are level gives no reason for any of them. What it is believed
        is not handed to the other theories.
        """
        held = self.held()
        kept = [k for k, row in enumerate(held.worth) if min(row) < max(row)]
        level = [name for k, name in enumerate(held.names) if k not in kept]
        return held._only(kept), level

    def cardinal(self, what: str) -> Theories:
        """Return the same.

        Raises:
            Inapplicable: where a believed theory only orders options, naming what needs more.
        """
        held = self.held()
        only = [name for name, flat in zip(held.names, held.ordinal, strict=True) if flat]
        if only:
            raise Inapplicable.because(
                what, "theories that say how much better an option is",
                f"only an order by {', '.join(only)}",
                "Choose a rule that needs no more than orders, such as borda.",
            )  # fmt: skip
        return self

    @cached_property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """The place of each option by each theory, 0 the best, those held level alike."""
        made = []
        for row in self.worth:
            number = {value: level for level, value in enumerate(sorted(set(row), reverse=True))}
            made.append(tuple(number[value] for value in row))
        return tuple(made)

    @cached_property
    def ranks(self) -> tuple[tuple[int, ...], ...]:
        """Options a theory holds worse less those it holds better: Borda's score by each theory."""
        return tuple(
            tuple(sum((v > other) - (v < other) for other in row) for v in row)
            for row in self.worth
        )

    @cached_property
    def spanned(self) -> tuple[Exact, ...]:
        """Worth by each theory with its worst option at 0 and its best at 1; 0 if all are level."""
        return tuple(spanned(row) for row in self.worth)

    def named(self, values: Sequence[Any]) -> dict[str, float]:
        """Return one number a theory by name, for the facts of an order."""
        return {name: float(v) for name, v in zip(self.names, values, strict=True)}

    def believing(self, credences: Exact) -> Theories:
        """Return the same theories believed otherwise, without ranking and scaling them again."""
        other = replace(self, credences=credences)
        known = {name: self.__dict__[name] for name in _OF_WORTH if name in self.__dict__}
        other.__dict__.update(known)
        return other

    def _only(self, kept: Sequence[int]) -> Theories:
        if list(kept) == list(range(len(self.names))):
            return self
        return replace(
            self,
            names=tuple(self.names[k] for k in kept),
            credences=tuple(self.credences[k] for k in kept),
            worth=tuple(self.worth[k] for k in kept),
            ordinal=tuple(self.ordinal[k] for k in kept),
            scales=tuple(self.scales[k] for k in kept) if self.scales else (),
        )


_OF_WORTH = ("levels", "ranks", "spanned")
"""What is computed of worths alone, whoever is believed."""

Compromise = Callable[[Theories], Order]
"""From theories to an order of the options. Raises `Inapplicable` where they do not hold what the
rule needs, for example a scale that all theories share."""


def spanned(row: Exact) -> Exact:
    """Return numbers moved and scaled to lie between 0 and 1; all 0 if they are equal."""
    low, high = min(row), max(row)
    return tuple((v - low) / (high - low) if high > low else Fraction(0) for v in row)


def expected(credences: Exact, worth: Sequence[Sequence[Fraction | int]], options: int) -> Exact:
    """Return the credence-weighted sum of each option's worth."""
    sums = [Fraction(0)] * options
    for credence, row in zip(credences, worth, strict=True):
        for a, value in enumerate(row):
            sums[a] += credence * value
    return tuple(sums)


def order_by(scores: Sequence[Fraction], **facts: Any) -> Order:
    """Return the order of exact scores, the highest first."""
    return Order(by_score(np.array(scores, dtype=object)), floats(scores), facts=facts)


def floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """Return exact numbers as floats, which no tie is decided by."""
    return np.array([float(v) for v in values], dtype=np.float64)
