"""Changing a charter: what held when, what a change changes, what may be done in haste."""

from normwright.charter.amending.dating import AsOf, InForce, Turn, as_of, recorded
from normwright.charter.amending.differing import diff
from normwright.charter.amending.emergency import adopt_emergency, tightens_only
from normwright.charter.amending.entrenching import amendment_tier
from normwright.charter.amending.identity import immutability_faults
from normwright.charter.amending.pinning import Adopted, Pin, governing, pin
from normwright.charter.emergencies import emergency_faults

__all__ = [
    "Adopted",
    "AsOf",
    "InForce",
    "Pin",
    "Turn",
    "adopt_emergency",
    "amendment_tier",
    "as_of",
    "diff",
    "emergency_faults",
    "governing",
    "immutability_faults",
    "pin",
    "recorded",
    "tightens_only",
]
