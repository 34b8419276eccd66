"""The charters a project has had: which one stood when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from normwright.records import Charter


@dataclass(frozen=True)
class Ratified:
    """A charter that a run of a project left standing."""

    at: datetime
    """From when it stood: when it was made, or, where a run came back to one that was there
    already, when that run began. In UTC."""
    run: int
    charter: Charter


def ratified(place: Path) -> tuple[Ratified, ...]:
    """Return every charter a project has had, in the order in which they stood.

    A run that changed nothing adds none. What `gc` let go is no longer there.

    Raises:
        InputError: if the project cannot be read.
    """
    from normwright.flow.stores import has_store, open_store

    if not has_store(place):
        return ()
    found: list[Ratified] = []
    with open_store(place, create=False) as store:
        started = {run.seq: run.started for run in store.runs()}
        for step in store.run_steps():
            result = store.result(step.key) if step.stage == "charter" else None
            if result is None:
                continue
            at = datetime.fromisoformat(started[step.run] if step.skipped else result.created)
            charter = store.records(result.made, Charter)[-1]
            if not found or found[-1].charter.digest != charter.digest:
                found.append(Ratified(at, step.run, charter))
    return tuple(found)
