"""Synthetic populations, one file each: sizes and a seed in, ballots out. Nobody's real opinion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from normwright.aggregate.election import Election

Population = Callable[[int, int, np.random.Generator], Election]
"""From a number of voters, a number of alternatives and a generator to strict orders of all."""
