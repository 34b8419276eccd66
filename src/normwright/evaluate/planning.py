"""How many items a paired comparison needs: to find a difference, or to exclude a loss."""

from __future__ import annotations

import math
from typing import Any

from normwright import stats
from normwright.records import Fault, InputError


def planned(
    *, effect: float, discordant: float, margin: float | None = None, power: float = 0.8,
    alpha: float = 0.05, suites: int = 1, size: float = 1.0, alike: float = 0.0,
    n: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the pairs that a comparison of two rates on the same items needs.

    Without a margin: two-sided, to find `effect` (Connor, Biometrics 43, 1987). With one:
    one-sided, to show that the true difference `effect` is not a loss of `margin` or more, by the
    same formula for the distance from the margin. Both are approximate; the power at `n` is exact
    where there is neither a margin nor a cluster.

    Args:
        effect: the true difference, after less before.
        discordant: share of pairs that differ.
        margin: the greatest loss that would be borne.
        power: the chance wanted.
        alpha: the error.
        suites: how many are named, by Holm; the n is that of the first step, the greatest.
        size: items in a cluster.
        alike: correlation of differences within one.
        n: pairs whose power is told.

    Raises:
        InputError: with every number that is impossible.
    """
    faults = _faults(effect, discordant, margin, power, alpha, alike)
    if faults:
        raise InputError(faults)
    distance = effect if margin is None else effect + margin
    error = (alpha if margin is None else 2 * alpha) / suites
    enlarged = stats.design_effect(size, alike)
    alone = None
    if distance != 0 and (margin is None or distance > 0):
        alone = stats.paired_n(distance, min(1.0, max(discordant, abs(distance))), alpha=error,
                               power=power)  # fmt: skip
    exact = None
    if n is not None and margin is None and enlarged == 1:
        exact = {"n": n, "power": stats.paired_power(effect, discordant, n, alpha=error)}
    return {
        "n": None if alone is None else math.ceil(alone * enlarged), "independent": alone,
        "effect": effect, "discordant": discordant, "margin": margin, "power": power,
        "alpha": alpha, "suites": suites, "cluster_size": size, "correlation": alike,
        "design_effect": enlarged, "exact": exact,
    }  # fmt: skip


def _faults(
    effect: float, discordant: float, margin: float | None, power: float, alpha: float, alike: float
) -> list[Fault]:
    asked = (
        ("--discordant", 0 < discordant <= 1, "a share above 0 and up to 1", discordant),
        ("--effect", abs(effect) <= discordant, "a difference no greater than the share of pairs "
         "that differ", effect),
        ("--effect", margin is not None or effect != 0, "a difference, which is not 0", effect),
        ("--margin", margin is None or 0 < margin < 1, "a share above 0 and below 1", margin),
        ("--power", 0 < power < 1, "above 0 and below 1", power),
        ("--alpha", 0 < alpha < 0.5, "above 0 and below 0.5", alpha),
        ("--correlation", -1 <= alike <= 1, "between -1 and 1", alike),
    )  # fmt: skip
    return [Fault(where=where, expected=expected, seen=f"{seen:g}")
            for where, good, expected, seen in asked if not good and seen is not None]  # fmt: skip
