"""The policy that ships with the package: a demonstration, drafted by the project, not voted on.

`policy.json` is made from the norms in `charter/` by `scripts/build_guard.py`; a deployer enacts
their own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from normwright.guard.detectors import FILE, Detectors, read_detectors
from normwright.records import Policy

__all__ = ["detectors", "policy"]

_HERE = Path(__file__).parent


@cache
def policy() -> Policy:
    """Return the embedded policy. Its norms have the status `demonstration`."""
    return Policy.model_validate_json((_HERE / "policy.json").read_bytes())


@cache
def detectors() -> Detectors:
    """Return the detectors that ship with the package."""
    return read_detectors(_HERE / FILE)
