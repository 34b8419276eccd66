"""What can be done about weights that rest on withdrawn rows: make them anew, or make them forget.

A person's votes reach weights in two ways. As shares: a pair stays, and the share of people who
prefer one answer moves a little. And as rows: a pair or demonstration that is there because of them
alone, such as those about a norm that they wrote. Only a row can be forgotten; a share has to be
learned anew, and that is what a rebuild does, exactly. See docs/decisions/0029.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from normwright.flow.forecast import Range, forecast
from normwright.flow.marks import marked
from normwright.flow.project import load_project
from normwright.flow.stages import steps
from normwright.flow.stores import has_store, open_store
from normwright.records import (
    Dataset,
    Demonstration,
    Digest,
    InputError,
    ModelRef,
    PreferencePair,
)
from normwright.store import Store

TAUGHT = ("learn.data", "learn.corpora")
"""Steps that make what is learned from."""
FORGETTING = ("aligned", "tuned")
"""Models that can be made to forget: those that answer, the last one first."""
Row = TypeVar("Row", Demonstration, PreferencePair)


@dataclass(frozen=True)
class Remedy:
    """What can be done about one marked model."""

    model: str
    digest: Digest
    rebuild: str
    """The command that makes it anew without the rows. What has not changed is not made again."""
    unlearn: str | None
    """The command that makes it forget rows, where there are some; None of a model that would not
    be asked to: it answers nothing, or another was made from it."""


@dataclass(frozen=True)
class Remedies:
    """What can be done about all of them, and what it takes."""

    models: tuple[Remedy, ...] = ()
    rebuild_seconds: Range | None = None
    """Of a rebuild of everything; None where it is not known."""
    look_seconds: Range | None = None
    """Of the look at which rows are gone, before anything is forgotten; None where it is not
    known. What forgetting takes depends on the rows and the settings."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "models": [vars(one) for one in self.models],
            "rebuild_seconds": self.rebuild_seconds,
            "look_seconds": self.look_seconds,
        }


def remedies(directory: Path) -> Remedies:
    """Return what can be done about the marked models that stand, and what it takes.

    A project with faults has its commands all the same, and no forecast.
    """
    if not has_store(directory):
        return Remedies()
    with open_store(directory, create=False) as store:
        found, asked = marked_models(store), answering(store)
    if not found:
        return Remedies()
    told = tuple(
        Remedy(
            model.name,
            model.digest,
            f"normwright run {directory}",
            f"normwright learn unlearn --project {directory} --out {model.name}-unlearned"
            if model.name == asked
            else None,
        )
        for model in found
    )
    try:
        last = [one.name for one in steps(load_project(directory)) if one.name in TAUGHT]
        look = forecast(directory, until=last[-1]).seconds if last else None
        return Remedies(told, forecast(directory).seconds, look)
    except InputError:
        return Remedies(told)


def answering(store: Store) -> str | None:
    """Return the name of the marked model that would be made to forget; None if there is none."""
    names = {model.name for model in marked_models(store)}
    return next((name for name in FORGETTING if name in names), None)


def marked_models(store: Store) -> tuple[ModelRef, ...]:
    """Return the models of the present results that rest on withdrawn rows."""
    marks = marked(store)
    if not marks:
        return ()
    results = {one.key: one for one in store.results()}
    made = [
        digest
        for step in store.current_steps().values()
        if step.key in results
        for digest in results[step.key].made
        if digest in marks
    ]
    kinds = store.stored(made)
    return tuple(
        store.record(digest, ModelRef)
        for digest in dict.fromkeys(made)
        if digest in kinds and kinds[digest].kind == ModelRef.__name__
    )


@dataclass(frozen=True)
class Influence:
    """How what a model learned from differs from what it would learn from without somebody."""

    gone: tuple[Demonstration, ...]
    """Rows that are there no more, as what the model was taught to answer."""
    stays: tuple[Demonstration, ...]
    """Rows that are there still, in the same form."""
    moved: int
    """Pairs that stay with another share, weight or side."""
    furthest: float
    """The greatest change of a share among them."""
    new: int
    """Rows that were not there before."""


def influence(
    before: Sequence[Demonstration | PreferencePair],
    after: Sequence[Demonstration | PreferencePair],
) -> Influence:
    """Return what became of the rows of a model once somebody's were taken out.

    Rows are the same if prompt and answers are; which of two answers stands first does not count.
    """
    now = {_said(row): row for row in after}
    gone, stays, changes = [], [], []
    for row in before:
        other = now.get(_said(row))
        if other is None:
            gone.append(_taught(row))
            continue
        stays.append(_taught(other))
        if isinstance(row, PreferencePair) and isinstance(other, PreferencePair):
            change = abs(_share(row) - _share(other))
            if change > 0 or row.weight != other.weight:
                changes.append(change)
    known = {_said(row) for row in before}
    # What another row still teaches is no one's alone, and a row that stays twice is held once.
    held = {_said(row): row for row in stays}
    lost = {_said(row): row for row in gone if _said(row) not in held}
    return Influence(
        gone=tuple(lost.values()),
        stays=tuple(held.values()),
        moved=len(changes),
        furthest=max(changes, default=0.0),
        new=sum(_said(row) not in known for row in after),
    )


def taught_by(store: Store, datasets: Sequence[Digest]) -> list[Demonstration | PreferencePair]:
    """Return the rows of datasets that a model learned from.

    Raises:
        IntegrityError: if the rows are gone, or are not what was learned from.
    """
    rows: list[Demonstration | PreferencePair] = []
    kinds = {"pairs": PreferencePair, "demonstrations": Demonstration}
    for dataset in store.records(datasets, Dataset):
        kind: Any = kinds.get(dataset.kind)
        if kind is not None:
            lines = store.objects.read(dataset.content).splitlines()
            rows += [kind.model_validate_json(line) for line in lines]
    return rows


def _said(row: Demonstration | PreferencePair) -> tuple[Any, ...]:
    if isinstance(row, Demonstration):
        return row.prompt, row.completion
    return row.prompt, *sorted((row.chosen, row.rejected))


def _share(row: PreferencePair) -> float:
    """Share of the answer that comes first in the alphabet: the same whichever is called chosen."""
    return row.p_chosen if row.chosen < row.rejected else 1 - row.p_chosen


def _taught(row: Demonstration | PreferencePair) -> Demonstration:
    """Return what a row teaches to answer."""
    if isinstance(row, Demonstration):
        return row
    return Demonstration(
        scene=row.scene,
        lang=row.lang,
        prompt=row.prompt,
        completion=row.chosen if row.p_chosen >= 0.5 else row.rejected,
        norms=row.norms,
        origin=row.origin,
        licence=row.licence,
        family=row.family,
    )
