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


def last_reading(
    project: Project, store: Store, made: Callable[[str], Sequence[Digest]]
) -> Reading:
    """Return the reading that a project's own consultation is.

    Raises:
        KeyError: if `made` knows no such step.
    """
    day = project.settings.charter_date
    return _reading(store, day, made("elicit"), made("aggregate"))


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
    named = zip(project.settings.sources.readings, reading_steps(project), strict=True)
    return tuple(
        _reading(store, one.held_on, made(elicit), made(aggregate))
        for one, (elicit, aggregate) in named
    )


def _reading(
    store: Store, held_on: str, elicited: Sequence[Digest], counted: Sequence[Digest]
) -> Reading:
    (process,) = store.records(elicited, Process)
    (receipt,) = store.records(elicited, Consultation)
    return Reading(
        held_on=date.fromisoformat(held_on),
        process=process,
        statements=store.rows(receipt).statements,
        outcomes=store.records(counted, Outcome),
    )
