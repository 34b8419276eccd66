"""The policy that the guard of agents has where no other is given: a demonstration.

`policy.json` is made from seed norms by `scripts/build_agent_policy.py`; a deployer enacts their
own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from normwright.records import Policy

__all__ = ["policy"]


@cache
def policy() -> Policy:
    """Return the embedded policy. Its norms have the status `demonstration`."""
    return Policy.model_validate_json((Path(__file__).parent / "policy.json").read_bytes())
