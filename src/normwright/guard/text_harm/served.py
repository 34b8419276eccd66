"""The texts that the guard's check gives the classifier, for all who fit, calibrate or measure it.

The check reads a text in its plain form, a long one in windows, and takes the surest window. What
is fitted and calibrated here reads the same windows of the same form, by the same two functions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from normwright.guard.checks.harm import windows
from normwright.guard.forms import forms_of
from normwright.guard.text_harm.reader import TextHarm


def served(text: str) -> list[str]:
    """Return the windows of the plain form of a text; what is encoded in it is not among them."""
    return [part for part, _, _ in windows(forms_of(text, stems=frozenset()).plain.text)]


def served_chances(harm: TextHarm, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability of each label, of each text's surest window, shape (texts, labels)."""
    parts = [served(t) for t in texts]
    found = harm.chances([p for one in parts for p in one])
    out = np.zeros((len(texts), len(harm.labels)))
    at = 0
    for i, one in enumerate(parts):
        if one:
            out[i] = found[at : at + len(one)].max(axis=0)
        at += len(one)
    return out
