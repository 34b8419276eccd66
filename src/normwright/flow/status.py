"""Where a project stands: which steps have a result that still counts, and what they came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from normwright.flow.engine import Step, intact, plan_step, verdicts_of
from normwright.flow.marks import marks_by_step
from normwright.flow.stores import has_store, open_store
from normwright.records import Digest
from normwright.store import StageResult, Store


@dataclass(frozen=True)
class StageStatus:
    """One step of a project."""

    name: str
    state: str
    """`done`: its result counts. `waiting`: it has none, or something it rests on has changed."""
    seconds: float | None
    """How long it took when its result was made."""
    made: tuple[Digest, ...]
    marked: int = 0
    """How many things it last made rest on rows that were withdrawn, while none is made anew."""


@dataclass(frozen=True)
class Status:
    """Where a project stands."""

    stages: tuple[StageStatus, ...]
    verdicts: dict[str, str]
    """Verdict by release mode, if the release is done."""
    signed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key ids of who signed what stands now, by kind; an empty one is not signed."""

    def as_json(self) -> dict[str, Any]:
        """Return the status as one JSON value."""
        return {
            "stages": [
                {
                    "name": stage.name,
                    "state": stage.state,
                    "seconds": None if stage.seconds is None else round(stage.seconds, 3),
                    "made": list(stage.made),
                    "marked": stage.marked,
                }
                for stage in self.stages
            ],
            "verdicts": dict(self.verdicts),
            "signed": {kind: list(keys) for kind, keys in self.signed.items()},
        }


def status_of(project: Path, steps: Sequence[Step], *, seed: int) -> Status:
    """Return which of `steps` the next run would skip, and the verdicts that stand."""
    if not has_store(project):
        waiting = tuple(StageStatus(step.name, "waiting", None, ()) for step in steps)
        return Status(stages=waiting, verdicts={})
    with open_store(project, create=False) as store:
        results = standing(store, steps, seed=seed)
        marks = marks_by_step(store)
        stages = [
            StageStatus(step.name, "waiting", None, (), marks.get(step.name, 0))
            if (result := results.get(step.name)) is None
            else StageStatus(
                step.name, "done", result.seconds, result.made, marks.get(step.name, 0)
            )
            for step in steps
        ]
        return Status(stages=tuple(stages), verdicts=verdicts_of(store, results.values()))


def standing(store: Store, steps: Sequence[Step], *, seed: int) -> dict[str, StageResult]:
    """Return the results that still count, by step: what the next run would skip."""
    results: dict[str, StageResult] = {}
    for step in steps:
        if all(name in results for name in step.after):
            result = store.result(plan_step(step, results=results, seed=seed).key)
            if result is not None and intact(store, result):
                results[step.name] = result
    return results
