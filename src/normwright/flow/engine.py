"""Run steps: skip what is there, do what is missing, and survive being killed anywhere.

A step's result stands under a key: the digest of its name, the digests it rests on, its
parameters, the source of the code it runs and the seed. Objects are made durable as a step goes;
its records, rows, result and ledger entry then become visible in one transaction. Whatever the
moment a run is killed, the next one starts at the first step that has no result.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypeVar

from normwright.flow.code import code_digest
from normwright.flow.extras import require_for
from normwright.flow.lock import locked
from normwright.flow.stores import open_store
from normwright.records import (
    NO_BALLOTS,
    Ballots,
    Comparison,
    Consultation,
    Digest,
    Fault,
    InputError,
    IntegrityError,
    Participant,
    Process,
    Record,
    Statement,
    StoreError,
    Verdict,
    Vote,
    canonical,
    digest_json,
)
from normwright.store import (
    FOLDER,
    HALF_WRITTEN,
    Rows,
    RunStep,
    StageResult,
    Store,
    file_digest,
    prepare,
)

R = TypeVar("R", bound=Record)

REPORT = "out/report.html"
"""Where a project's report for people lies, once it is written."""


# What happens, for whoever watches


@dataclass(frozen=True)
class StepStarted:
    """A step begins."""

    name: str
    place: int
    """Its place among the steps of this run, from 1."""
    of: int
    """How many steps this run has."""


@dataclass(frozen=True)
class StepProgress:
    """A step has come some way."""

    name: str
    done: int
    total: int | None
    """How much there is in all, if that is known."""
    note: str
    """What is being done, in a few words."""


@dataclass(frozen=True)
class StepDone:
    """A step has a result, and it is stored."""

    name: str
    place: int
    of: int
    seconds: float
    made: tuple[Digest, ...]


@dataclass(frozen=True)
class StepSkipped:
    """A step has the same key as before, so its result stands."""

    name: str
    place: int
    of: int
    made: tuple[Digest, ...]
    restored: tuple[str, ...]
    """Exported files that were missing or changed and have been written again."""


Event: TypeAlias = StepStarted | StepProgress | StepDone | StepSkipped
Watcher: TypeAlias = Callable[[Event], None]


def _nobody(_: Event) -> None:
    """Watch nothing."""


# What is to be done


@dataclass(frozen=True)
class Step:
    """One step: what it is called, what it rests on, and the function that does it."""

    name: str
    run: Callable[[Context], Iterable[Record | Digest]]
    """Does the work and returns what it made, in an order that repeats."""
    after: tuple[str, ...] = ()
    """Steps whose results it reads; what they made is part of its key."""
    files: Mapping[str, Digest] = field(default_factory=dict)
    """Files and directories of the project it reads, from `digest_sources`."""
    inputs: Mapping[str, Digest] = field(default_factory=dict)
    """Other digests it rests on, for example those of a base model's files."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Settings that change what it makes, JSON values only."""
    rooms: tuple[str, ...] = ()
    """Rooms or modules of the package whose code it runs; `records` is always among them."""


class Context:
    """What a step is given: its parameters, what came before, and a place for what it makes.

    Nothing it saves or exports is visible before the step has succeeded; objects it puts are
    durable at once, under their content's name, and harm nobody if the step then fails.
    """

    def __init__(
        self,
        step: Step,
        *,
        project: Path,
        store: Store,
        seed: int,
        results: Mapping[str, StageResult],
        scratch: Path,
        watch: Watcher,
    ) -> None:
        self.step = step
        self.project = project
        self.store = store
        self.seed = seed
        self.parameters = step.parameters
        self.scratch = scratch
        """A directory of this step's own that outlives a kill, for checkpoints to resume from."""
        self._results = results
        self._watch = watch
        self._objects: dict[Digest, None] = {}
        self._exports: dict[str, Digest] = {}
        self._writes: list[Callable[[], object]] = []

    def made(self, step: str) -> tuple[Digest, ...]:
        """Return what a step named in `after` made.

        Raises:
            KeyError: for any other step, because the key would not notice a change in it.
        """
        if step not in self.step.after:
            raise KeyError(f"step {self.step.name} reads {step} without naming it in `after`")
        return self._results[step].made

    def records(self, step: str, kind: type[R]) -> tuple[R, ...]:
        """Return the records of one kind that an earlier step made, in its order."""
        return self.store.records(self.made(step), kind)

    def one(self, step: str, kind: type[R]) -> R:
        """Return the only record of one kind that an earlier step made.

        Raises:
            IntegrityError: if there is none, or more than one.
        """
        found = self.records(step, kind)
        if len(found) != 1:
            raise IntegrityError(f"expected one {kind.__name__} from {step}, found {len(found)}")
        return found[0]

    def rows(self, consultation: Consultation) -> Rows:
        """Return the rows a consultation is the receipt of."""
        return self.store.rows(consultation)

    def read(self, digest: Digest) -> bytes:
        """Return the bytes of an object, checked against its digest."""
        return self.store.objects.read(digest)

    def check_out(self, files: Mapping[str, Digest], directory: Path) -> None:
        """Write objects out as files, checked, for a library that wants a directory."""
        self.store.objects.check_out(files, directory)

    def put_bytes(self, data: bytes) -> Digest:
        """Store bytes as an object."""
        return self._keep(self.store.objects.put_bytes(data))

    def put_file(self, path: Path) -> Digest:
        """Store a file as an object."""
        return self._keep(self.store.objects.put_file(path))

    def put_dir(self, directory: Path) -> dict[str, Digest]:
        """Store every file of a directory and return the digests by relative path."""
        files = self.store.objects.put_dir(directory)
        for digest in files.values():
            self._keep(digest)
        return files

    def save_consultation(
        self,
        process: Process,
        *,
        participants: Sequence[Participant],
        statements: Sequence[Statement],
        votes: Sequence[Vote],
        comparisons: Sequence[Comparison],
        ballots: Ballots = NO_BALLOTS,
    ) -> dict[str, Digest]:
        """Have the rows of an import stored with this step's result; return the roots by table.

        Raises:
            InputError: with every fault of the rows.
        """
        prepared = prepare(
            process,
            participants=participants,
            statements=statements,
            votes=votes,
            comparisons=comparisons,
            ballots=ballots,
        )
        self._writes.append(lambda: self.store.save_consultation(prepared))
        return dict(prepared.roots)

    def export(self, path: str, content: bytes | Digest) -> Digest:
        """Have a file for people written when the step has succeeded, and kept as it is.

        Args:
            path: Where, relative to the project, for example `out/safety-case.md`.
            content: Its bytes, or the digest of an object.

        Raises:
            ValueError: if the path leads out of the project or into its store.
        """
        _writable(path)
        digest = self.put_bytes(content) if isinstance(content, bytes) else self._keep(content)
        self._exports[path] = digest
        return digest

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Tell whoever watches how far the step has come."""
        self._watch(StepProgress(self.step.name, done, total, note))

    def _keep(self, digest: Digest) -> Digest:
        self._objects[digest] = None
        return digest


# What came of it


@dataclass(frozen=True)
class StageLine:
    """One step of a run, as reported."""

    name: str
    seconds: float
    skipped: bool
    made: tuple[Digest, ...]


@dataclass(frozen=True)
class RunReport:
    """What a run did and what it came to."""

    verdicts: dict[str, str]
    """Verdict by release mode; empty if the run ended before the release."""
    stages: tuple[StageLine, ...]
    report: str | None
    """Path of the report for people, if one is written."""
    signed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key ids of who signed what stands now, by kind; an empty one is not signed."""

    def as_json(self) -> dict[str, Any]:
        """Return the report as one JSON value."""
        return {
            "verdicts": dict(self.verdicts),
            "stages": [
                {
                    "name": line.name,
                    "seconds": round(line.seconds, 3),
                    "skipped": line.skipped,
                    "made": list(line.made),
                }
                for line in self.stages
            ],
            "report": self.report,
            "signed": {kind: list(keys) for kind, keys in self.signed.items()},
        }


def run_steps(
    project: Path,
    steps: Sequence[Step],
    *,
    seed: int,
    until: str | None = None,
    watch: Watcher = _nobody,
    clock: Callable[[], float] = time.perf_counter,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    accept_clock: bool = False,
) -> RunReport:
    """Run `steps` in order, skipping each that has a result under its key.

    Args:
        project: The project directory.
        steps: In an order in which every step follows those in its `after`.
        seed: The project's seed, part of every key.
        until: The last step to run; None runs all.
        watch: Called with every event.
        clock: Seconds, for the time each step took.
        now: The time of day in the ledger.
        accept_clock: Go on although the clock stands before the last entry of the ledger, and
            have the ledger say so.

    Raises:
        InputError: if `until` names no step, another run is at work, or the clock stands before
            the last entry of the ledger.
        PlaceError: if the disk is full or may not be written to; what was finished is kept.
        MissingExtra: if a step that is to run needs an optional part that is not installed; what
            was made before it is kept.
        ValueError: if the steps are not in order.
        IntegrityError: if a step returns a digest of something it did not store.
        StoreError: if the database cannot be reached or is lost on the way; it says what is kept.
    """
    chosen = up_to(_ordered(steps), until)
    lines: list[StageLine] = []
    with locked(project), _losses(lines), open_store(project, now=now) as store:
        _sweep(project, store)
        store.check_clock(accept=accept_clock)
        run = store.begin_run()
        results: dict[str, StageResult] = {}
        for place, step in enumerate(chosen, start=1):
            started = clock()
            plan = plan_step(step, results=results, seed=seed)
            found = store.result(plan.key)
            if found is not None and intact(store, found):
                skipped, result = True, found
                restored = _return_to(project, store, result.exports)
                seconds = clock() - started
                store.put_run_step(RunStep(run, step.name, plan.key, skipped, seconds))
                watch(StepSkipped(step.name, place, len(chosen), result.made, restored))
            else:
                require_for(step.name, step.rooms)
                watch(StepStarted(step.name, place, len(chosen)))
                context = Context(
                    step,
                    project=project,
                    store=store,
                    seed=seed,
                    results=results,
                    scratch=_scratch(project, plan.key),
                    watch=watch,
                )
                made = list(step.run(context))
                seconds = clock() - started
                skipped, result = False, _commit(context, plan, made, run=run, seconds=seconds)
                _restore(project, store, result.exports)
                shutil.rmtree(context.scratch)
                watch(StepDone(step.name, place, len(chosen), seconds, result.made))
            results[step.name] = result
            lines.append(StageLine(step.name, seconds, skipped, result.made))
        if len(lines) == len(steps):
            _end_whole(project, store, run, results)
        else:
            store.end_run(run)
        if until is None:
            # What is left there belongs to keys that nobody will ask for again.
            shutil.rmtree(project / FOLDER / "work", ignore_errors=True)
        verdicts = verdicts_of(store, results.values())
        report = REPORT if _is_whole(project, store.exports()) else None
    return RunReport(verdicts=verdicts, stages=tuple(lines), report=report)


@contextmanager
def _losses(lines: Sequence[StageLine]) -> Iterator[None]:
    """Add to a lost database what this run had finished, and where the next one goes on."""
    try:
        yield
    except StoreError as error:
        if not lines:
            raise
        kept = f"Kept of this run: {', '.join(line.name for line in lines)}."
        do = f"{error.fault.do} {kept} It goes on at the first step without a result."
        raise StoreError(error.fault.model_copy(update={"do": do})) from error


@dataclass(frozen=True)
class Plan:
    """A step's key, and all that went into it."""

    key: Digest
    inputs: dict[str, Any]
    parameters: dict[str, Any]
    code: Digest
    seed: int


def plan_step(step: Step, *, results: Mapping[str, StageResult], seed: int) -> Plan:
    """Return the key of a step, given the results of the steps it follows."""
    inputs = {
        "after": {name: list(results[name].made) for name in step.after},
        "files": dict(step.files),
        "other": dict(step.inputs),
    }
    parameters = canonical(dict(step.parameters))
    code = code_digest(tuple(sorted({"records", *step.rooms})))
    key = result_key(step.name, inputs=inputs, parameters=parameters, code=code, seed=seed)
    return Plan(key=key, inputs=inputs, parameters=parameters, code=code, seed=seed)


def result_key(
    stage: str, *, inputs: Mapping[str, Any], parameters: Mapping[str, Any], code: Digest, seed: int
) -> Digest:
    """Return the key a result stands under: all that could have changed it, and nothing else."""
    return digest_json(
        {"stage": stage, "inputs": inputs, "parameters": parameters, "code": code, "seed": seed}
    )


def verdicts_of(store: Store, results: Iterable[StageResult]) -> dict[str, str]:
    """Return the verdict by mode among what `results` made; empty if there is none yet."""
    made = dict.fromkeys(digest for result in results for digest in result.made)
    return {
        mode.mode: mode.verdict
        for verdict in store.records(made, Verdict)
        for mode in verdict.modes
    }


def publish(project: Path, files: Mapping[str, bytes], *, gone: Iterable[str] = ()) -> None:
    """Write files for people that were made outside a run, and have `verify` watch over them.

    For the report, which is drawn above the steps. Paths are relative to the project; those in
    `gone` are of files that were published before and show what no longer stands.
    """
    with locked(project), open_store(project, create=False) as store:
        publish_in(project, store, files)
        _withdraw_files(project, store, gone)


def publish_in(project: Path, store: Store, files: Mapping[str, bytes]) -> None:
    """Do what `publish` does, in a store that is open and locked."""
    for path in files:
        _writable(path)
    digests = {path: store.objects.put_bytes(data) for path, data in files.items()}
    store.put_exports(digests)
    _restore(project, store, digests)


def _writable(path: str) -> None:
    parts = PurePosixPath(path).parts
    if not parts or parts[0] in ("/", FOLDER) or ".." in parts:
        raise ValueError(f"{path!r} is not a place for a file made for people")


def _ordered(steps: Sequence[Step]) -> Sequence[Step]:
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise ValueError(f"two steps are called {step.name}")
        if late := [name for name in step.after if name not in seen]:
            raise ValueError(f"step {step.name} comes before {', '.join(late)}, which it follows")
        seen.add(step.name)
    return steps


def up_to(steps: Sequence[Step], until: str | None) -> Sequence[Step]:
    """Return the steps up to the one named `until`; None stands for all.

    Raises:
        InputError: if there is no such step.
    """
    if until is None:
        return steps
    names = [step.name for step in steps]
    if until not in names:
        close = get_close_matches(until, names, n=1)
        raise InputError(
            [
                Fault(
                    where="until",
                    expected=f"a step: {', '.join(names)}",
                    seen=until,
                    do=f"Nearest: {close[0]}." if close else "",
                )
            ]
        )
    return steps[: names.index(until) + 1]


def _scratch(project: Path, key: Digest) -> Path:
    folder = project / FOLDER / "work" / key.removeprefix("sha256:")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sweep(project: Path, store: Store) -> None:
    """Remove what a killed run left half-written; nothing of it was ever visible as a result."""
    store.objects.sweep()
    for path in (project / "out").rglob(f"{HALF_WRITTEN}*"):
        path.unlink()


def intact(store: Store, result: StageResult) -> bool:
    """Say whether everything a result speaks of is still there."""
    records = store.stored(result.made)
    objects = {*result.objects, *result.exports.values()}
    objects |= {digest for digest in result.made if digest not in records}
    return all(store.objects.exists(digest) for digest in objects)


def _restore(project: Path, store: Store, exports: Mapping[str, Digest]) -> tuple[str, ...]:
    """Write the exported files that are missing or changed, and say which."""
    wrong = {
        path: digest for path, digest in exports.items() if file_digest(project / path) != digest
    }
    store.objects.check_out(wrong, project)
    return tuple(sorted(wrong))


def _return_to(project: Path, store: Store, exports: Mapping[str, Digest]) -> tuple[str, ...]:
    """Have the files of a result that stands again be those that are watched over."""
    watched = store.exports()
    if any(watched.get(path) != digest for path, digest in exports.items()):
        store.put_exports(exports)
    return _restore(project, store, exports)


def _end_whole(project: Path, store: Store, run: int, results: Mapping[str, StageResult]) -> None:
    """End a run that left no step out; what steps wrote that are not there any more goes."""
    made = {path for result in store.results() for path in result.exports}
    now = {path for result in results.values() for path in result.exports}
    with store.transaction():
        _withdraw_files(project, store, made - now)
        store.end_run(run, plan=tuple(results))


def _withdraw_files(project: Path, store: Store, paths: Iterable[str]) -> None:
    """Remove files for people that are about what no longer stands; one changed since stays."""
    watched = store.exports()
    for path in sorted(set(paths) & set(watched)):
        # Before the books are written: if this is interrupted the next time does the rest.
        if file_digest(project / path) == watched[path]:
            (project / path).unlink()
        store.drop_export(path)


def _is_whole(project: Path, exports: Mapping[str, Digest]) -> bool:
    """Say whether there is a report, and every file for people is as it was written."""
    return REPORT in exports and all(
        file_digest(project / path) == digest for path, digest in exports.items()
    )


def _commit(
    context: Context, plan: Plan, made: Sequence[Record | Digest], *, run: int, seconds: float
) -> StageResult:
    """Store all that a step made, in one transaction."""
    store, name = context.store, context.step.name
    with store.transaction():
        for write in context._writes:
            write()
        records = iter(store.put_records(name, (one for one in made if isinstance(one, Record))))
        digests = tuple(next(records) if isinstance(one, Record) else one for one in made)
        stored = store.stored(digests)
        for digest in (*digests, *context._objects):
            if digest not in stored and not store.objects.exists(digest):
                raise IntegrityError(f"step {name} speaks of {digest} but stored no such thing")
        result = StageResult(
            key=plan.key,
            stage=name,
            inputs=plan.inputs,
            parameters=plan.parameters,
            code=plan.code,
            seed=plan.seed,
            made=digests,
            objects=tuple(context._objects),
            exports=dict(context._exports),
            seconds=seconds,
            created=store.timestamp(),
        )
        store.put_exports(result.exports)
        store.put_result(result)
        store.put_run_step(RunStep(run, name, plan.key, False, seconds))
    return result
