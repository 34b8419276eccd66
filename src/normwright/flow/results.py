"""What a project's present results hold, as records, for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeVar

from normwright.flow.project import Project, load_project
from normwright.flow.running import status
from normwright.flow.settings import FILE
from normwright.flow.status import StageStatus
from normwright.flow.stores import open_store
from normwright.records import (
    Answer,
    Consultation,
    Contrast,
    Criterion,
    Dataset,
    Digest,
    Fault,
    Finding,
    InputError,
    Judge,
    Measurement,
    ModelRef,
    Outcome,
    Permit,
    Policy,
    Polity,
    Process,
    Record,
    SafetyCase,
    Scene,
    Statement,
    Verdict,
)
from normwright.store import Store

R = TypeVar("R", bound=Record)

_OF_SCENES = frozenset({"help", "harm", "permitted", "over-refusal", "degeneracy"})
"""Suites whose stored answers are answers to scenes; attacks and benchmarks keep other rows."""


_RESTS_ON: Mapping[str, Mapping[str, str]] = {
    "charter": {"consultation": "a consultation", "norms": "a directory of norms"},
    "release": {
        "consultation": "a consultation",
        "norms": "a directory of norms",
        "scenes": "banks of scenes",
    },
}
"""What a project file has to name for a step to be there at all."""


@dataclass(frozen=True)
class Findings:
    """Everything the present results hold, by kind, in the order steps made it.

    What a project has no part for, or what has not been run yet, is None or empty.
    """

    project: Project
    process: Process | None
    consultation: Consultation | None
    polities: tuple[Polity, ...]
    statements: tuple[Statement, ...]
    outcomes: tuple[Outcome, ...]
    policy: Policy | None
    permit: Permit | None
    datasets: tuple[Dataset, ...]
    models: tuple[ModelRef, ...]
    judge: Judge | None
    scenes: tuple[Scene, ...]
    answers: dict[str, tuple[Answer, ...]]
    """By role."""
    measurements: tuple[Measurement, ...]
    contrasts: tuple[Contrast, ...]
    findings: tuple[Finding, ...]
    criteria: tuple[Criterion, ...]
    verdict: Verdict | None
    case: SafetyCase | None


@dataclass(frozen=True)
class Results(Findings):
    """Everything the steps of a run that came to a verdict made."""

    process: Process
    consultation: Consultation
    policy: Policy
    judge: Judge
    verdict: Verdict


def results(directory: Path) -> Results:
    """Return what the present results of a project with a verdict hold.

    Raises:
        InputError: if the project has no verdict that still counts, or not the parts for one.
    """
    check_makes(load_project(directory), "release")
    found = findings(directory)
    verdict, policy, judge = found.verdict, found.policy, found.judge
    process, consultation = found.process, found.consultation
    # A verdict rests on all the others.
    if None in (verdict, policy, judge, process, consultation):
        raise _unfinished(directory, "no verdict")
    return Results(**{field.name: getattr(found, field.name) for field in fields(found)})


def findings(directory: Path) -> Findings:
    """Return what the present results of a project hold, however far it goes.

    Raises:
        InputError: if no step has a result that still counts.
    """
    stages = status(directory).stages
    made = dict.fromkeys(d for stage in stages if stage.state == "done" for d in stage.made)
    if not made:
        raise _unfinished(directory, "no results")
    with open_store(directory, create=False) as store:

        def all_of(kind: type[R]) -> tuple[R, ...]:
            return store.records(made, kind)

        def last(kind: type[R]) -> R | None:
            return next(reversed(all_of(kind)), None)

        measurements = all_of(Measurement)
        consultation = last(Consultation)
        process = last(Process)
        return Findings(
            project=load_project(directory),
            process=process,
            consultation=consultation,
            polities=all_of(Polity),
            statements=() if consultation is None else store.rows(consultation).statements,
            # Those of an earlier reading are told beside the norms they are about.
            outcomes=tuple(o for o in all_of(Outcome) if process and o.process == process.id),
            policy=last(Policy),
            permit=last(Permit),
            datasets=all_of(Dataset),
            models=all_of(ModelRef),
            judge=last(Judge),
            scenes=tuple(
                Scene.model_validate_json(line)
                for d in _asked(store, stages)
                for line in store.objects.read(d).splitlines()
            ),
            answers={
                role: tuple(
                    Answer.model_validate_json(line) for line in store.objects.read(d).splitlines()
                )
                for role, d in _stored_answers(measurements).items()
            },
            measurements=measurements,
            contrasts=all_of(Contrast),
            findings=all_of(Finding),
            criteria=all_of(Criterion),
            verdict=last(Verdict),
            case=last(SafetyCase),
        )


def check_makes(project: Project, step: Literal["charter", "release"]) -> None:
    """Raise InputError with each part that a project lacks to have a step; a run would not help."""
    faults = [
        Fault(
            where=f"{FILE}: sources.{part}",
            expected=f"{what}, which the step {step} rests on",
            seen="none",
            do=f"Name it there, then: normwright run {project.directory}",
        )
        for part, what in _RESTS_ON[step].items()
        if not getattr(project.settings.sources, part)
    ]
    if faults:
        raise InputError(faults)


def _unfinished(directory: Path, seen: str) -> InputError:
    return InputError(
        [
            Fault(
                where=str(directory),
                expected="a finished run",
                seen=seen,
                do=f"Make it with: normwright run {directory}",
            )
        ]
    )


def _asked(store: Store, stages: tuple[StageStatus, ...]) -> list[Digest]:
    """The scenes that were asked: what the evaluation made besides records."""
    made = [d for stage in stages if stage.name == "evaluate" for d in stage.made]
    stored = store.stored(made)
    return [d for d in made if d not in stored]


def _stored_answers(measurements: tuple[Measurement, ...]) -> dict[str, Digest]:
    """The answers of each role; attack findings are stored apart and are not answers."""
    return {
        m.model: m.answers for m in measurements if m.answers is not None and m.suite in _OF_SCENES
    }
