"""Intervals, exact bounds, resampling and agreement: the only room that makes uncertainty.

Every stage asks here, so that one number has one interval. `scipy` is imported when a bound is
computed, not when the room is.
"""

from normwright.stats.agreement import adjusted_rand
from normwright.stats.calibration import (
    Bin,
    bins,
    bootstrap_calibration,
    calibration_error,
    calibration_floor,
)
from normwright.stats.conformal import (
    Control,
    alarms,
    bet,
    conformal_p,
    control_flags,
    lasting_p,
)
from normwright.stats.crossed import (
    Crossed,
    crossed_mean,
    crossed_p,
    crossed_power,
    krippendorff_alpha,
)
from normwright.stats.exact import (
    any_failure_per_cluster,
    clopper_pearson,
    lower_bound,
    mcnemar_exact,
    n_needed,
    noninferiority_n,
    proportion,
    rogan_gladen_upper,
    share_difference,
    soft_share,
    upper_bound,
    wilson,
    zero_failures_n,
)
from normwright.stats.ranking import auc, auc_difference, bootstrap_auc
from normwright.stats.resample import (
    bootstrap_mean,
    n_to_clear,
    paired_difference,
    percentile_interval,
)

__all__ = [
    "Bin",
    "Control",
    "Crossed",
    "adjusted_rand",
    "alarms",
    "any_failure_per_cluster",
    "auc",
    "auc_difference",
    "bet",
    "bins",
    "bootstrap_auc",
    "bootstrap_calibration",
    "bootstrap_mean",
    "calibration_error",
    "calibration_floor",
    "clopper_pearson",
    "conformal_p",
    "control_flags",
    "crossed_mean",
    "crossed_p",
    "crossed_power",
    "krippendorff_alpha",
    "lasting_p",
    "lower_bound",
    "mcnemar_exact",
    "n_needed",
    "n_to_clear",
    "noninferiority_n",
    "paired_difference",
    "percentile_interval",
    "proportion",
    "rogan_gladen_upper",
    "share_difference",
    "soft_share",
    "upper_bound",
    "wilson",
    "zero_failures_n",
]
