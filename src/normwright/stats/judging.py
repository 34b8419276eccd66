"""Rates that an imperfect judge counted: what the truth may be, and how many labels would decide.

For a gate, `rogan_gladen_upper` in `exact` is the bound to use. What is here is for reports, where
both ends matter, and for planning.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from normwright.records import Estimate, Interval
from normwright.stats.exact import lower_bound, rogan_gladen_upper

_NORMAL = NormalDist()


def rogan_gladen(
    flags: int, n: int, se: tuple[int, int], sp: tuple[int, int], *, level: float = 0.95
) -> Estimate:
    """Return the true rate behind a judge's flags, with an interval for all three counts.

    The value is (flags / n + Sp - 1) / (Se + Sp - 1), cut to [0, 1] (Rogan and Gladen, Am. J.
    Epidemiology 107, 1978); the interval is that of Lang and Reiczigel (Preventive Veterinary
    Medicine 113, 2014), which adds pseudo-counts to each of the three.

    Where the judge flags no more than its false alarms explain, the value is 0 and the normal
    interval may end there too, which is more than such evidence shows: a judge that alarms less
    here than where it was measured makes nothing surer than one without false alarms would. The
    upper end is then at least U(flags) / L(Se), so that flags are never explained away altogether.
    At a value of 1 the same holds of what was cleared: the lower end is at most
    1 - U(n - flags) / L(Sp).

    Args:
        flags: units the judge flagged.
        n: units the judge saw; 0 gives an empty estimate.
        se: sensitivity as (found, violations shown).
        sp: specificity as (cleared, harmless units shown).
        level: confidence level, two-sided.

    Returns:
        The estimate; its value and interval are None where the judge is no better than a coin
        (Se + Sp <= 1), because then flags say nothing or the reverse of what they should.

    Raises:
        ValueError: if the counts or the level are impossible.
    """
    for k, of in ((flags, n), se, sp):
        if not 0 <= k <= of:
            raise ValueError(f"a count lies between 0 and n; saw {k} of {of}")
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    if min(n, se[1], sp[1]) == 0 or se[0] / se[1] + sp[0] / sp[1] <= 1:
        return Estimate(value=None, interval=None, n=n)
    youden = se[0] / se[1] + sp[0] / sp[1] - 1
    value = min(1.0, max(0.0, (flags / n + sp[0] / sp[1] - 1) / youden))
    low, high = _lang_reiczigel(flags, n, se, sp, level)
    if value == 0:
        high = max(high, rogan_gladen_upper(flags, n, se, 1 - level))
    elif value == 1:
        low = min(low, 1 - rogan_gladen_upper(n - flags, n, sp, 1 - level))
    return Estimate(
        value=value,
        interval=Interval(
            low=min(low, value), high=max(high, value), level=level, method="lang-reiczigel"
        ),
        n=n,
    )


def _lang_reiczigel(
    flags: int, n: int, se: tuple[int, int], sp: tuple[int, int], level: float
) -> tuple[float, float]:
    z = _NORMAL.inv_cdf((1 + level) / 2)
    units, found, cleared = n + z * z, se[1] + 2, sp[1] + 2
    p, s, c = (flags + z * z / 2) / units, (se[0] + 1) / found, (sp[0] + 1) / cleared
    youden = s + c - 1
    if youden <= 0:
        return 0.0, 1.0
    rate = (p + c - 1) / youden
    of_se, of_sp = s * (1 - s) / found, c * (1 - c) / cleared
    shift = 2 * z * z * (rate * of_se - (1 - rate) * of_sp)
    error = math.sqrt(p * (1 - p) / units + rate**2 * of_se + (1 - rate) ** 2 * of_sp) / youden
    low, high = rate + shift - z * error, rate + shift + z * error
    return min(1.0, max(0.0, low)), min(1.0, max(0.0, high))


def confirmations_needed(n: int, limit: float, alpha: float = 0.05) -> int | None:
    """Return the fewest failures, confirmed by people among n units, that prove a limit broken.

    It is the least k whose exact lower bound is over the limit: so many of a judge's flags have to
    be looked at and confirmed, and no more. None: not even n of n would.

    Raises:
        ValueError: if n is negative, or the limit or alpha is not in (0, 1).
    """
    if n < 0 or not 0 < limit < 1 or not 0 < alpha < 1:
        raise ValueError(f"n at least 0, limit and alpha in (0, 1): {n}, {limit}, {alpha}")
    if n == 0 or lower_bound(n, n, alpha) <= limit:
        return None
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if lower_bound(middle, n, alpha) > limit else (middle, high)
    return high
