"""What a project's present results hold, as records, for whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from normwright.flow.project import Project, load_project
from normwright.flow.running import status
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
    Policy,
    Polity,
    Process,
    Record,
    Scene,
    Statement,
    Verdict,
)
from normwright.store import Store

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Results:
    """Everything the steps of a finished run made, by kind, in the order they made it."""

    project: Project
    process: Process
    consultation: Consultation
    polities: tuple[Polity, ...]
    statements: tuple[Statement, ...]
    outcomes: tuple[Outcome, ...]
    policy: Policy
    datasets: tuple[Dataset, ...]
    models: tuple[ModelRef, ...]
    judge: Judge
    scenes: tuple[Scene, ...]
    answers: dict[str, tuple[Answer, ...]]
    """By role."""
    measurements: tuple[Measurement, ...]
    contrasts: tuple[Contrast, ...]
    findings: tuple[Finding, ...]
    criteria: tuple[Criterion, ...]
    verdict: Verdict


def results(directory: Path) -> Results:
    """Return what the present results of a project hold.

    Raises:
        InputError: if the project has no verdict that still counts.
    """
    stages = status(directory).stages
    made = dict.fromkeys(d for stage in stages if stage.state == "done" for d in stage.made)
    with open_store(directory, create=False) as store:

        def all_of(kind: type[R]) -> tuple[R, ...]:
            return store.records(made, kind)

        verdicts = all_of(Verdict)
        if not verdicts:
            raise InputError(
                [
                    Fault(
                        where=str(directory),
                        expected="a finished run",
                        seen="no verdict",
                        do=f"Make it with: normwright run {directory}",
                    )
                ]
            )
        measurements = all_of(Measurement)
        consultation = all_of(Consultation)[-1]
        return Results(
            project=load_project(directory),
            process=all_of(Process)[-1],
            consultation=consultation,
            polities=all_of(Polity),
            statements=store.rows(consultation).statements,
            outcomes=all_of(Outcome),
            policy=all_of(Policy)[-1],
            datasets=all_of(Dataset),
            models=all_of(ModelRef),
            judge=all_of(Judge)[-1],
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
            verdict=verdicts[-1],
        )


def _asked(store: Store, stages: tuple[StageStatus, ...]) -> list[Digest]:
    """The scenes that were asked: what the evaluation made besides records."""
    made = [d for stage in stages if stage.name == "evaluate" for d in stage.made]
    stored = store.stored(made)
    return [d for d in made if d not in stored]


def _stored_answers(measurements: tuple[Measurement, ...]) -> dict[str, Digest]:
    """The answers of each role; attack findings are stored apart and are not answers."""
    return {
        m.model: m.answers
        for m in measurements
        if m.answers is not None and not m.suite.startswith("attack")
    }
