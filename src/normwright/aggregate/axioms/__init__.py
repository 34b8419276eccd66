"""Axioms, one file each: a method and ballots in, a witness of the breach out, or none.

An outcome may be a set of winners, the first tier of an order. What each axiom says of sets stands
in its file. A voter is said to prefer one set to another if its best member is no worse for them,
its worst member is no worse, and one of the two is better; this needs no lottery and calls fewer
things a breach than the best member alone, or the worst alone, would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from normwright import plugins
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method, Order
from normwright.records import Witness

LIMIT = 2000
"""Changed profiles that an axiom tries at most, unless it is told otherwise."""


class Axiom(Protocol):
    """Looks for a breach of the axiom by a method on these very ballots."""

    def __call__(
        self,
        method: Method,
        election: Election,
        rng: np.random.Generator,
        *,
        limit: int = LIMIT,
    ) -> Witness | None:
        """Return a witness that holds both ballots and both outcomes of a breach, or None.

        Args:
            method: what is tried.
            election: the ballots.
            rng: drawn from if, and only if, not everything is tried.
            limit: changed profiles to be tried at most.

        Raises:
            Inapplicable: where the axiom says nothing about such ballots, or the method does not
                take them.
        """


@dataclass(frozen=True)
class Search:
    """What came of looking for a breach."""

    witness: Witness | None
    """None: no breach was found."""
    exhaustive: bool
    """Whether everything was tried that the axiom speaks of; only then does no witness mean that
    there is none on these ballots."""
    tried: int
    """Profiles the method was asked about."""


def search(
    axiom: str, method: Method, election: Election, *, seed: int, limit: int = LIMIT
) -> Search:
    """Return the breach of an axiom on these ballots, or that none was found and how.

    Args:
        axiom: slug of the axiom.
        method: what is tried.
        election: the ballots.
        seed: seed of the search where not everything is tried.
        limit: changed profiles to be tried at most.

    Raises:
        PluginError: if there is no such axiom, naming those there are.
        Inapplicable: as the axiom does.
    """
    look: Axiom = plugins.get("axioms", axiom)
    rng = np.random.default_rng([seed, *axiom.encode()])
    before = rng.bit_generator.state
    tried = 0

    def counted(ballots: Election) -> Order:
        nonlocal tried
        tried += 1
        return method(ballots)

    witness = look(counted, election, rng, limit=limit)
    return Search(witness, exhaustive=rng.bit_generator.state == before, tried=tried)
