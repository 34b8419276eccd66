"""Let go of what no kept result speaks of, and have the ledger say so.

Kept are the results of the last runs, those a next run would skip, everything these rest on, the
rows of people, and whatever a signature, a withdrawal, an export or the ledger names. The order of
work makes every moment a whole one: what nothing mentions goes first; then, in one transaction, the
books let go of results and records with an entry in the ledger for each result; then go the objects
that only those spoke of. Killed anywhere, the project verifies and the same command goes on.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from normwright.flow.engine import Step, plan_step
from normwright.flow.history import state_at
from normwright.flow.lock import locked
from normwright.flow.project import load_project
from normwright.flow.receipts import body_of, mentioned
from normwright.flow.stages import steps
from normwright.flow.status import standing
from normwright.flow.stores import open_store
from normwright.records import Digest
from normwright.store import FOLDER, HALF_WRITTEN, StageResult, Store

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class LetGo:
    """A result that no kept run rests on."""

    stage: str
    key: Digest
    created: str


@dataclass(frozen=True)
class Waste:
    """What can go, and what it takes up."""

    runs: tuple[int, ...]
    """Runs that cannot be compared any more afterwards."""
    results: tuple[LetGo, ...]
    records: tuple[Digest, ...] = field(repr=False)
    objects: tuple[Digest, ...] = field(repr=False)
    object_bytes: int
    leftovers: tuple[str, ...]
    """Scratch folders and half-written files of runs that were killed."""
    leftover_bytes: int


@dataclass(frozen=True)
class Collection:
    """What went, or would go."""

    waste: Waste
    done: bool
    before_bytes: int
    """What the project's store took up."""
    after_bytes: int | None
    """What it takes up now; None where nothing was removed yet."""

    def as_json(self) -> dict[str, Any]:
        """Return the collection as one JSON value."""
        waste = self.waste
        return {
            "done": self.done,
            "runs": list(waste.runs),
            "results": [vars(one) for one in waste.results],
            "records": len(waste.records),
            "objects": len(waste.objects),
            "object_bytes": waste.object_bytes,
            "leftovers": list(waste.leftovers),
            "leftover_bytes": waste.leftover_bytes,
            "before_bytes": self.before_bytes,
            "after_bytes": self.after_bytes,
        }


def collect(directory: Path, *, keep_runs: int = 1, remove: bool = False) -> Collection:
    """Find what no kept result of a project speaks of, and remove it if asked to.

    Args:
        directory: The project.
        keep_runs: How many of the last finished runs are kept whole.
        remove: Remove it; otherwise it is only said what would go.

    Raises:
        InputError: with every fault of the project, if it was never run, or if a run is at work.
    """
    project = load_project(directory)
    seed = project.settings.seed
    return collect_of(directory, steps(project), seed=seed, keep_runs=keep_runs, remove=remove)


def collect_of(
    project: Path,
    plan: Sequence[Step],
    *,
    seed: int,
    keep_runs: int = 1,
    remove: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Collection:
    """Do what `collect` does, given the steps of the project and a clock."""
    if keep_runs < 1:
        raise ValueError("the last finished run is always kept")
    if not remove:
        with open_store(project, create=False) as store, store.snapshot():
            found = _Search(project, store, plan, seed=seed, keep_runs=keep_runs).waste()
            return Collection(found, False, _size(project), None)
    # A project that was never run is refused before a lock is made in it.
    with open_store(project, create=False, now=now) as store, locked(project):
        store.check_clock()
        before = _size(project)
        search = _Search(project, store, plan, seed=seed, keep_runs=keep_runs)
        found = search.waste()
        _remove(project, store, found, first=search.unmentioned())
        return Collection(found, True, before, _size(project))


def _remove(project: Path, store: Store, found: Waste, *, first: Iterable[Digest]) -> None:
    """Remove what was found, in the order that leaves the project whole at every moment."""
    for name in found.leftovers:
        place = project / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    # On a full disk this makes the room that the books need to be written.
    for digest in first:
        store.objects.remove(digest)
    store.let_go([one.key for one in found.results], records=found.records, runs=found.runs)
    for digest in found.objects:
        store.objects.remove(digest)
    if found.results:
        store.shrink()


class _Search:
    """One search through a store for what is kept."""

    def __init__(
        self, project: Path, store: Store, plan: Sequence[Step], *, seed: int, keep_runs: int
    ) -> None:
        self.project = project
        self.store = store
        self.stored = {one.digest: one for one in store.all_stored()}
        self.results = {one.key: one for one in store.results()}
        self.elsewhere = store.digests_elsewhere()
        self.standing = standing(store, plan, seed=seed)
        self.next = {
            plan_step(step, results=self.standing, seed=seed).key
            for step in plan
            if step.name not in self.standing and all(n in self.standing for n in step.after)
        }
        self.runs, kept = self._kept_runs(keep_runs)
        self.kept = self._with_what_they_rest_on([*kept, *self.standing.values()])
        self.records = self._records()

    def waste(self) -> Waste:
        """Return what is not kept."""
        objects = self._objects_not_in(self._mentioned(self.kept.values(), self.records))
        leftovers = self._leftovers()
        gone = [one for key, one in self.results.items() if key not in self.kept]
        return Waste(
            runs=self._lost_runs(),
            results=tuple(LetGo(one.stage, one.key, one.created) for one in gone),
            records=tuple(digest for digest in self.stored if digest not in self.records),
            objects=objects,
            object_bytes=sum(self.store.objects.path(d).stat().st_size for d in objects),
            leftovers=tuple(leftovers),
            leftover_bytes=sum(_size_of(self.project / name) for name in leftovers),
        )

    def _lost_runs(self) -> tuple[int, ...]:
        """Return the runs that lose something; one whose results all stay can be compared still."""
        losing = {one.run for one in self.store.run_steps() if one.key not in self.kept}
        stepless = {run.seq for run in self.store.runs()} - {
            one.run for one in self.store.run_steps()
        }
        return tuple(sorted((losing | stepless) - self.runs))

    def unmentioned(self) -> tuple[Digest, ...]:
        """Return the objects that nothing in the books mentions, kept or not."""
        return self._objects_not_in(self._mentioned(self.results.values(), self.stored))

    def _kept_runs(self, count: int) -> tuple[set[int], list[StageResult]]:
        """Return the numbers of the runs that are kept, and the results they reached."""
        runs, steps_made = self.store.runs(), self.store.run_steps()
        ended = [run.seq for run in runs if run.ended][-count:]
        last = ended[-1] if ended else 0
        kept = {*ended, *(run.seq for run in runs if run.seq > last)}
        # A run that stopped early stands on steps of runs before it, which then are kept whole.
        for number in sorted(kept):
            kept |= {step.run for step in state_at(self.store, number).steps}
        kept |= {step.run for step in self.store.current_steps().values()}
        if (whole := self.store.last_plan()) is not None:
            kept.add(whole.run)
        reached = {step.key for step in steps_made if step.run in kept}
        return kept, [self.results[key] for key in reached if key in self.results]

    def _with_what_they_rest_on(self, results: Iterable[StageResult]) -> dict[Digest, StageResult]:
        """Return results, and all results above them, by key."""
        makers: dict[tuple[str, tuple[Digest, ...]], list[StageResult]] = {}
        for result in self.results.values():
            makers.setdefault((result.stage, result.made), []).append(result)
        kept: dict[Digest, StageResult] = {}
        todo = list(results)
        while todo:
            result = todo.pop()
            if result.key in kept:
                continue
            kept[result.key] = result
            for stage, made in result.inputs["after"].items():
                todo += makers.get((stage, tuple(made)), [])
        return kept

    def _records(self) -> set[Digest]:
        """Return the records that are kept: all that a kept one mentions, and what no step made."""
        made = {digest for result in self.results.values() for digest in result.made}
        todo = [digest for result in self.kept.values() for digest in result.made]
        todo += self.elsewhere
        todo += [digest for digest in self.stored if digest not in made]
        kept: set[Digest] = set()
        while todo:
            digest = todo.pop()
            if digest in kept or digest not in self.stored:
                continue
            kept.add(digest)
            one = self.stored[digest]
            todo += mentioned(one.kind, body_of(one))
        return kept

    def _mentioned(self, results: Iterable[StageResult], records: Iterable[Digest]) -> set[Digest]:
        """Return every digest that results, records or other tables mention."""
        found = set(self.elsewhere)
        for result in results:
            found.update((*result.made, *result.objects, *result.exports.values()))
        for digest in records:
            found.update(_DIGEST.findall(self.stored[digest].json))
        return found

    def _objects_not_in(self, mentioned: set[Digest]) -> tuple[Digest, ...]:
        return tuple(digest for digest in self.store.objects if digest not in mentioned)

    def _leftovers(self) -> list[str]:
        """Return what killed runs left, but for the scratch of steps that would go on from it."""
        folder = self.project / FOLDER
        resumed = {key.removeprefix("sha256:") for key in self.next}
        found = [
            *(place for place in folder.glob("work/*") if place.name not in resumed),
            *folder.glob("objects/incoming/*"),
            *(self.project / "out").rglob(f"{HALF_WRITTEN}*"),
        ]
        return sorted(place.relative_to(self.project).as_posix() for place in found)


def _size(project: Path) -> int:
    return _size_of(project / FOLDER)


def _size_of(place: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    return sum(file.stat().st_size for file in files)
