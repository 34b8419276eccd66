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
from normwright.stats.clustered import (
    clustered_mean,
    design_effect,
    intraclass,
    mean_n,
    paired_mean,
    paired_n,
    paired_power,
    standard_error,
)
from normwright.stats.conformal import (
    Control,
    alarms,
    bet,
    conformal_p,
    control_flags,
    lasting_p,
)
from normwright.stats.drift import (
    Cusum,
    Drift,
    cusum,
    two_sample,
)
from normwright.stats.equivalence import (
    MarginTest,
    equivalence_n,
    equivalence_power_paired,
    equivalence_power_unpaired,
    exact_noninferiority,
    noninferiority_paired,
    paired_rate_difference,
    rate_difference,
    tost_paired,
    tost_unpaired,
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
from normwright.stats.judging import (
    confirmations_needed,
    rogan_gladen,
)
from normwright.stats.multiplicity import (
    candidate_alpha,
    e_bh,
    holm,
)
from normwright.stats.prediction_powered import (
    ppi_mean,
    ppi_rate,
)
from normwright.stats.ranking import auc, auc_difference, bootstrap_auc
from normwright.stats.resample import (
    bootstrap_mean,
    n_to_clear,
    paired_difference,
    percentile_interval,
)
from normwright.stats.sequential import (
    Against,
    RateMonitor,
    anytime_interval,
    anytime_lower,
    anytime_n_needed,
    anytime_upper,
    hedged_interval,
    log_evidence,
    rate_monitor,
)

__all__ = [
    "Against",
    "Bin",
    "Control",
    "Cusum",
    "Drift",
    "MarginTest",
    "RateMonitor",
    "adjusted_rand",
    "alarms",
    "any_failure_per_cluster",
    "anytime_interval",
    "anytime_lower",
    "anytime_n_needed",
    "anytime_upper",
    "auc",
    "auc_difference",
    "bet",
    "bins",
    "bootstrap_auc",
    "bootstrap_calibration",
    "bootstrap_mean",
    "calibration_error",
    "calibration_floor",
    "candidate_alpha",
    "clopper_pearson",
    "clustered_mean",
    "confirmations_needed",
    "conformal_p",
    "control_flags",
    "cusum",
    "design_effect",
    "e_bh",
    "equivalence_n",
    "equivalence_power_paired",
    "equivalence_power_unpaired",
    "exact_noninferiority",
    "hedged_interval",
    "holm",
    "intraclass",
    "lasting_p",
    "log_evidence",
    "lower_bound",
    "mcnemar_exact",
    "mean_n",
    "n_needed",
    "n_to_clear",
    "noninferiority_n",
    "noninferiority_paired",
    "paired_difference",
    "paired_mean",
    "paired_n",
    "paired_power",
    "paired_rate_difference",
    "percentile_interval",
    "ppi_mean",
    "ppi_rate",
    "proportion",
    "rate_difference",
    "rate_monitor",
    "rogan_gladen",
    "rogan_gladen_upper",
    "share_difference",
    "soft_share",
    "standard_error",
    "tost_paired",
    "tost_unpaired",
    "two_sample",
    "upper_bound",
    "wilson",
    "zero_failures_n",
]
