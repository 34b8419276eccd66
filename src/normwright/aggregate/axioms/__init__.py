"""Axioms, one file each: a method and ballots in, a witness of the breach out, or none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.records import Witness

Axiom = Callable[[Method, Election, np.random.Generator], Witness | None]
"""Looks for a breach of the axiom by a method on these very ballots. The generator is used only
where not everything can be tried; the witness holds both ballots and both outcomes of the breach,
so that anybody can repeat it."""
