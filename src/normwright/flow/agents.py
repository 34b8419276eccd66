"""A desk for agents under a policy: the embedded one, an enacted one, or a project's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from normwright.flow.guards import enacted_policy
from normwright.flow.settings import FILE
from normwright.records import Fault, InputError, Policy

if TYPE_CHECKING:
    from normwright.guard.agents import AgentGuard, Desk

_POLICY: Final = "policy.json"


def open_desk(file: Path, place: Path | None = None) -> Desk:
    """Return the desk that a file describes, made ready.

    Args:
        file: an agent-desk/v1 file.
        place: a project, whose enacted policy counts; a folder as `charter enact` writes it, or its
            `policy.json`; None: the policy for agents that ships with the package.

    Raises:
        InputError: if there is no policy, or with every fault of the files.
    """
    from normwright.guard.agents import Desk
    from normwright.guard.agents.embedded import policy

    return Desk(file, policy() if place is None else agent_policy(place))


def guard_of(desk: Desk) -> AgentGuard:
    """Return a guard over a desk's ledger that goes by the clock of this machine."""
    return desk.guard(clock=lambda: datetime.now(UTC))


def agent_policy(place: Path) -> Policy:
    """Return the policy of a project, of a folder, or in a file.

    Raises:
        InputError: if there is none.
    """
    from normwright.flow.results import findings

    if (place / FILE).is_file():
        return enacted_policy(place, findings(place))
    path = place / _POLICY if place.is_dir() else place
    try:
        return Policy.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([
            Fault(where=str(path), expected="a project or an enacted policy", seen=seen,
                  do="Write one with: normwright charter enact DIR --out policy")
        ]) from error  # fmt: skip
