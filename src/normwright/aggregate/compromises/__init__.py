"""Rules for normative uncertainty, one file each: theories and credences in, an order out.

A theory may be a moral theory, a group of people, or any other view of what is choice-worthy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.methods import Order


@dataclass(frozen=True, eq=False)
class Theories:
    """How far each theory is believed, and what each holds choice-worthy."""

    names: tuple[str, ...]
    """The theories."""
    options: tuple[str, ...]
    """What is to be chosen among."""
    credences: NDArray[np.float64]
    """How far each theory is believed, shape (theories,); they add up to 1."""
    worth: NDArray[np.float64]
    """Choice-worthiness of each option by each theory, higher is better, shape (theories, options).
    """
    ordinal: NDArray[np.bool_]
    """Theories of which only the order of options means anything, shape (theories,)."""
    comparable: bool = False
    """Whether a unit of choice-worthiness is the same in all theories: an inter-theoretic scale.
    Nobody's numbers are taken to be comparable unless somebody says so."""


Compromise = Callable[[Theories], Order]
"""From theories to an order of the options. Raises `Inapplicable` where they do not hold what the
rule needs, for example a scale that all theories share."""
