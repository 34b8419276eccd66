"""The runs of a project: how a run left it, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from normwright.records import Fault, InputError
from normwright.store import Run, RunStep, StageResult, Store


@dataclass(frozen=True)
class State:
    """How one run left a project."""

    run: Run
    steps: tuple[RunStep, ...]
    """The last time each step was reached up to then, where it still fits those above it."""
    results: dict[str, StageResult]
    """The result of each of those steps, by its name and in their order."""


def state_at(store: Store, number: int | None = None) -> State:
    """Return how a run left the project.

    A run that was asked to stop early leaves what earlier runs made below, as far as that rests
    on exactly what stands above it now.

    Args:
        store: The project's store.
        number: Of the run; None stands for the last one that came to its end.

    Raises:
        InputError: if there is no such run.
    """
    runs = store.runs()
    chosen = [run for run in runs if run.seq == number or (number is None and run.ended)]
    if not chosen:
        numbers = [str(run.seq) for run in runs if run.ended or number is not None]
        raise InputError(
            [
                Fault(
                    where="run" if number is None else f"run {number}",
                    expected=f"one of {', '.join(numbers)}" if numbers else "a finished run",
                    seen="none" if number is None else str(number),
                    do="A run that gc let go cannot be compared any more."
                    if numbers
                    else "Make one with: normwright run DIR",
                )
            ]
        )
    return _state(store, chosen[-1])


def _state(store: Store, run: Run) -> State:
    reached = store.current_steps(run.seq)
    results = _settled(store, reached)
    return State(run, tuple(reached[name] for name in results), results)


def settled(store: Store) -> dict[str, StageResult]:
    """Return the present result of each step, where it rests on exactly what stands above it."""
    return _settled(store, store.current_steps())


def _settled(store: Store, reached: Mapping[str, RunStep]) -> dict[str, StageResult]:
    found = {name: store.result(step.key) for name, step in reached.items()}
    results: dict[str, StageResult] = {}
    # In the order of the last run that came so far, each step follows those it rests on.
    for step in sorted(reached.values(), key=lambda step: -step.run):
        _settle(step.stage, found, results)
    return {name: results[name] for name in reached if name in results}


def _settle(
    name: str, found: dict[str, StageResult | None], results: dict[str, StageResult]
) -> bool:
    """Add a result if all it rests on is there as it was; say whether it is there."""
    if name in results:
        return True
    result = found.get(name)
    if result is None:
        return False
    for above, made in result.inputs["after"].items():
        if not _settle(above, found, results) or list(results[above].made) != list(made):
            return False
    results[name] = result
    return True
