"""What a run will take, said beforehand: time, memory and disk, as ranges.

How long a step took in an earlier run of the project says most; where the parameters have changed
since, that time is scaled by the change of the work. Without an earlier run the work is divided by
the speed of this machine, which a short probe measures. What is not known is said to be unknown.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from normwright.flow.engine import Step, up_to
from normwright.flow.project import Project, load_project
from normwright.flow.stages import steps
from normwright.flow.status import standing
from normwright.flow.stores import has_store, open_store
from normwright.flow.work import MB, Parameters, Sizes, Work, cores_of, work_of
from normwright.records import Digest, Fault, InputError, canonical
from normwright.store import StageResult

Basis: TypeAlias = Literal["earlier", "model", "unknown"]
"""`earlier`: the time of an earlier run; `model`: the work and this machine's speed."""
Range: TypeAlias = tuple[float, float]
"""Lowest and highest that would not surprise."""

AGAIN: Range = (0.7, 1.4)
"""What the same step on the same machine takes, as a multiple of what it took before."""
SCALED: Range = (0.6, 1.6)
"""The same where the time was scaled, because parameters have changed."""
RECKONED: Range = (0.5, 1.8)
"""The same for a time that was reckoned from settings alone."""
REFERENCE = 180e9
"""Operations a second of one core on which the constants of the work were measured."""
MORE_CORES = 0.85
"""Speed grows with this power of the number of cores."""


@dataclass(frozen=True)
class StepForecast:
    """What one step that would run will take."""

    name: str
    seconds: Range | None
    """None where it is not known."""
    basis: Basis
    """What the time was estimated from."""


@dataclass(frozen=True)
class Forecast:
    """What a run will take: an estimate."""

    steps: tuple[StepForecast, ...]
    """The steps that would run. One that rests on another of them may yet be skipped."""
    seconds: Range | None
    """In all; None if it is not known of every step."""
    memory_bytes: int | None
    """At the peak, of the process; None if it is not known of every step."""
    disk_bytes: int | None
    """What is added to the project; None if it is not known of every step."""
    scratch_bytes: int | None
    """What is needed beside that meanwhile, and given back."""

    @property
    def bases(self) -> tuple[Basis, ...]:
        """What the times were estimated from, each once, in order."""
        return tuple(sorted({step.basis for step in self.steps}))

    def as_json(self) -> dict[str, Any]:
        """Return the forecast as one JSON value."""
        return {
            "steps": [
                {"name": step.name, "seconds": _rounded(step.seconds), "basis": step.basis}
                for step in self.steps
            ],
            "seconds": _rounded(self.seconds),
            "memory_bytes": self.memory_bytes,
            "disk_bytes": self.disk_bytes,
        }


def forecast(directory: Path, until: str | None = None) -> Forecast:
    """Return what a run of a project would take; nothing is changed.

    Args:
        directory: the project.
        until: the last step to run; None stands for all.

    Raises:
        InputError: with every fault of the project, or if `until` names no step.
    """
    project = load_project(directory)
    return forecast_of(project, steps(project), until=until)


def forecast_of(project: Project, plan: Sequence[Step], *, until: str | None = None) -> Forecast:
    """Return what running `plan` would take.

    Raises:
        InputError: if `until` names no step.
    """
    seed = project.settings.seed
    chosen = up_to(plan, until)
    results: dict[str, StageResult] = {}
    past: tuple[StageResult, ...] = ()
    if has_store(project.directory):
        with open_store(project.directory, create=False) as store:
            results = standing(store, chosen, seed=seed)
            if len(results) < len(chosen):
                past = store.results()
    coming = [step for step in chosen if step.name not in results]
    if not coming:
        return Forecast((), (0.0, 0.0), 0, 0, 0)
    return _Forecaster(project, plan, past).of(coming)


def check_room(project: Path, foreseen: Forecast) -> None:
    """Check that what a run adds finds room on the disk.

    Raises:
        InputError: if it clearly does not.
    """
    if foreseen.disk_bytes is None or foreseen.scratch_bytes is None:
        return
    needed, free = foreseen.disk_bytes + foreseen.scratch_bytes, shutil.disk_usage(project).free
    if free < needed:
        raise InputError(
            [
                Fault(
                    where=str(project),
                    expected=f"about {needed / MB:.0f} MB free on the disk for this run",
                    seen=f"{free / MB:.0f} MB",
                    do="Free some space, or stop at an earlier step with --until.",
                )
            ]
        )


class _Forecaster:
    """Estimates steps of one project, given the results of its earlier runs."""

    def __init__(self, project: Project, plan: Sequence[Step], past: Sequence[StageResult]) -> None:
        self._threads = project.settings.threads
        self._steps = {step.name: step for step in plan}
        self._parameters: Parameters = {s.name: canonical(dict(s.parameters)) for s in plan}
        self._sizes = Sizes(project)
        self._latest = {result.stage: result for result in past}
        self._made = {(result.stage, result.made): result for result in past}
        self._speed: float | None = None

    def of(self, coming: Sequence[Step]) -> Forecast:
        told = tuple(self._step(step.name) for step in coming)
        works = [self._work(step.name) for step in coming]
        known = [work for work in works if work is not None]
        whole = len(known) == len(works)
        ranges = [step.seconds for step in told if step.seconds is not None]
        return Forecast(
            steps=told,
            seconds=_sum(ranges) if len(ranges) == len(told) else None,
            memory_bytes=round(max(work.memory for work in known)) if whole else None,
            disk_bytes=round(sum(work.disk for work in known)) if whole else None,
            scratch_bytes=round(max(work.scratch for work in known)) if whole else None,
        )

    def _step(self, name: str) -> StepForecast:
        if (found := self._from_earlier(name)) is not None:
            return StepForecast(name, found, "earlier")
        work = self._work(name)
        speed = None if work is None else self._speed_for(work)
        if work is None or speed is None:
            return StepForecast(name, None, "unknown")
        return StepForecast(name, _times(work.at(speed), RECKONED), "model")

    def _work(self, name: str) -> Work | None:
        return work_of(name, self._parameters, self._sizes)

    def _from_earlier(self, name: str) -> Range | None:
        """Return the time the step took when it last ran, scaled by the change of its work."""
        earlier = self._latest.get(name)
        if earlier is None:
            return None
        before = self._lineage(earlier)
        parameters: Parameters = {stage: result.parameters for stage, result in before.items()}
        if all(self._parameters.get(stage) == its for stage, its in parameters.items()):
            return _times(earlier.seconds, AGAIN)
        base = before.get("learn.base")
        if base is not None and base.inputs["other"] != dict(self._steps["learn.base"].inputs):
            return None  # the files of another model, whose size is not to be had any more
        then, now = work_of(name, parameters, self._sizes), self._work(name)
        if then is None or now is None:
            return None
        change = now.at(REFERENCE * _together(self._threads))
        change /= then.at(REFERENCE * _together(_threads(parameters)))
        return _times(earlier.seconds * change, SCALED)

    def _lineage(self, result: StageResult) -> dict[str, StageResult]:
        """Return the result and those it rests on, by step."""
        found = {result.stage: result}
        after: Mapping[str, Sequence[Digest]] = result.inputs["after"]
        for stage, made in after.items():
            if (above := self._made.get((stage, tuple(made)))) is not None:
                found = {**self._lineage(above), **found}
        return found

    def _speed_for(self, work: Work) -> float | None:
        """Return this machine's speed, measured once and only if something heavy is to run."""
        if work.flops == 0:
            return REFERENCE
        if self._speed is None:
            try:
                from normwright.models.speed import measure_speed
            except ImportError:
                return None  # torch is an extra; the step that needs it says so
            self._speed = measure_speed() * _together(self._threads)
        return self._speed


def _threads(parameters: Parameters) -> int | None:
    """Return the threads that steps of an earlier run had."""
    return next((its["threads"] for its in parameters.values() if "threads" in its), None)


def _together(threads: int | None) -> float:
    """Return how many times as fast as one core so many threads are."""
    return math.pow(min(cores_of(threads), cores_of(None)), MORE_CORES)


def _times(seconds: float, factors: Range) -> Range:
    return seconds * factors[0], seconds * factors[1]


def _sum(ranges: Sequence[Range]) -> Range:
    return sum(low for low, _ in ranges), sum(high for _, high in ranges)


def _rounded(seconds: Range | None) -> list[float] | None:
    return None if seconds is None else [round(one, 1) for one in seconds]
