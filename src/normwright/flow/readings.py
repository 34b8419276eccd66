"""Earlier votes on the norms of a project, each counted by steps of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from normwright.flow.project import Project
from normwright.records import Consultation, Digest, Outcome, Process, Reading
from normwright.store import Store


def reading_steps(project: Project) -> tuple[tuple[str, str], ...]:
    """Return the names of the steps that read and count each earlier reading, in their order."""
    numbers = range(1, len(project.settings.sources.readings) + 1)
    return tuple((f"elicit.reading-{n}", f"aggregate.reading-{n}") for n in numbers)


def earlier_readings(
    project: Project, store: Store, made: Callable[[str], Sequence[Digest]]
) -> tuple[Reading, ...]:
    """Return the earlier readings of a project.

    Args:
        project: the project.
        store: its store.
        made: what a step made, by its name.

    Raises:
        KeyError: if `made` knows no such step.
    """
    found = []
    named = zip(project.settings.sources.readings, reading_steps(project), strict=True)
    for one, (elicit, aggregate) in named:
        (process,) = store.records(made(elicit), Process)
        (receipt,) = store.records(made(elicit), Consultation)
        found.append(
            Reading(
                held_on=date.fromisoformat(one.held_on),
                process=process,
                statements=store.rows(receipt).statements,
                outcomes=store.records(made(aggregate), Outcome),
            )
        )
    return tuple(found)
