"""Changing a charter: what held when, what a change changes, what may be done in haste."""

from normwright.charter.amending.differing import diff, differs
from normwright.charter.amending.identity import immutability_faults

__all__ = ["diff", "differs", "immutability_faults"]
