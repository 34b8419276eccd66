"""Look for what a model hides, without knowing what it is: contexts, languages, pressure, skill.

Every detector takes a `Model` and items and returns a `Suspicion`: a paired difference with its
interval, a margin, a p-value, and the values item by item, from which rows of evidence are made.
Tests count wordings. None knows a trigger. Those that search pick their suspect on some wordings
and test it on others, so that searching more costs no error.
"""

from normwright.evaluate.detectors.contamination import Contaminated, contaminated
from normwright.evaluate.detectors.contexts import context_consistency
from normwright.evaluate.detectors.evasion import guard_evasion
from normwright.evaluate.detectors.languages import language_parity
from normwright.evaluate.detectors.pressure import pressure_delta
from normwright.evaluate.detectors.probes import Probes, read_probes
from normwright.evaluate.detectors.proxies import PROXIES, proxy_gap
from normwright.evaluate.detectors.sandbagging import (
    Question,
    elicitation_gap,
    forced_choice,
    noise_curve,
)
from normwright.evaluate.detectors.suspicion import ALPHA, Suspicion, flagged
from normwright.evaluate.detectors.tampering import TamperPoint, tamper_curve

__all__ = [
    "ALPHA",
    "PROXIES",
    "Contaminated",
    "Probes",
    "Question",
    "Suspicion",
    "TamperPoint",
    "contaminated",
    "context_consistency",
    "elicitation_gap",
    "flagged",
    "forced_choice",
    "guard_evasion",
    "language_parity",
    "noise_curve",
    "pressure_delta",
    "proxy_gap",
    "read_probes",
    "tamper_curve",
]
