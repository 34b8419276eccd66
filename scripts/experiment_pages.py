"""Figures with their intervals, as the pages of experiments tell them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from scipy.stats import t

from normwright.records import Estimate


def half_width(values: Sequence[float]) -> float:
    """Return half the width of Student's 95 % interval for the mean of two values or more."""
    quantile = float(t.ppf(0.975, len(values) - 1))
    return quantile * statistics.stdev(values) / math.sqrt(len(values))


def over_seeds(values: Sequence[float]) -> str:
    """Return the mean over seeds with Student's 95 % interval; of one seed its value alone."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.2f} (n = 1)"
    half = half_width(values)
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def told(estimate: Estimate, form: str = ".3f") -> str:
    """Return an estimate with its interval."""
    if estimate.value is None:
        return "unknown"
    at = estimate.interval
    span = "" if at is None else f" [{at.low:{form}}, {at.high:{form}}]"
    return f"{estimate.value:{form}}{span}"
