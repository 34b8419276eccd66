"""Train one recipe outside a project's run: a model, rows and settings in, a folder out."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from normwright.flow.engine import Event, StepProgress
from normwright.flow.extras import require_learning
from normwright.flow.learning.job import Departed, Job, Made
from normwright.flow.learning.launching import ANYTHING, Allowed
from normwright.flow.learning.recipes import RECIPES, Trainable
from normwright.flow.mappings import faults_of, read_named
from normwright.flow.permits import read_permit
from normwright.flow.project import load_project
from normwright.flow.remedies import taught_by
from normwright.flow.run_card import RUN_CARD, card_of
from normwright.flow.running import run
from normwright.flow.stages import steps
from normwright.flow.start import building, occupied
from normwright.flow.stores import open_store
from normwright.flow.tunings import Tuning
from normwright.records import (
    Dataset,
    Demonstration,
    Digest,
    Fault,
    InputError,
    ModelRef,
    Permit,
    PreferencePair,
    digest_bytes,
    require_permit,
)
from normwright.store import KeyHome

if TYPE_CHECKING:
    from normwright.models.tuning.loop import Progress


@dataclass(frozen=True)
class Learned:
    """What a training made, and where it lies."""

    out: Path
    ref: ModelRef
    rows: int
    metrics: Mapping[str, float]
    notes: tuple[str, ...]
    extra: Mapping[str, Any]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "out": str(self.out),
            "model": self.ref.model_dump(mode="json"),
            "digest": self.ref.digest,
            "rows": self.rows,
            "metrics": dict(self.metrics),
            "unpermitted": self.ref.unpermitted,
            "notes": list(self.notes),
            **self.extra,
            "seconds": round(self.seconds, 3),
        }


def learned(
    recipe: str,
    *,
    model: Path | None,
    data: Path,
    out: Path,
    settings: Path | None = None,
    changes: Mapping[str, Any] | None = None,
    seed: int = 0,
    threads: int | None = None,
    permit: Path | None = None,
    unpermitted: bool = False,
    extra: Mapping[str, Path] | None = None,
    progress: Progress | None = None,
    logs: Path | None = None,
    on: Allowed = ANYTHING,
    home: KeyHome | None = None,
    today: date | None = None,
    departed: Departed | None = None,
) -> Learned:
    """Return what a recipe made of a model and rows, and leave a plain model directory in `out`.

    Args:
        recipe: its name, one of `RECIPES`.
        model: a Hugging Face directory with safetensors; None is the embedded model.
        data: JSON lines, packed or not.
        out: a new or empty folder. Checkpoints lie beside it while the settings ask for some, and
            the same call goes on from them after a kill.
        settings: a YAML file with the settings of the recipe; None has the defaults.
        changes: settings that stand in the place of the file's, by name.
        seed: seed of every choice.
        threads: None is one a core.
        permit: a signed permit to train under.
        unpermitted: train without one; the model is marked.
        extra: further files the recipe reads, by option.
        progress: told of every step.
        logs: where TensorBoard logs go.
        on: what training may use of the machine.
        home: whose keys count for the permit; None is this machine's key home.
        today: the day on which the permit must hold; None is that of this machine's clock.
        departed: of `unlearn`, whose rows are forgotten, if they withdrew from a project.

    Raises:
        PermitError: if there is neither a permit nor leave to do without.
        InputError: with every fault of files and settings; nothing is written then.
    """
    kind = RECIPES[recipe]
    faults = list(occupied(out))
    science = _settings(kind, settings, changes or {}, faults)
    if permit is not None and unpermitted:
        faults.append(Fault(where="--unpermitted", expected="one of the two",
                            seen="a permit, and training without one"))  # fmt: skip
    unknown = sorted(set(extra or {}) - set(kind.extra))
    faults += [
        Fault(where=f"--{name}", expected=f"an option that {recipe} reads", seen="another")
        for name in unknown
    ]
    if faults:
        raise InputError(faults)
    assert science is not None
    granted = _permit(permit, home, today)
    require_permit(granted, unpermitted=unpermitted)
    require_learning(f"The recipe {recipe}")
    from normwright.models.local import use_threads
    from normwright.models.tuning import Running

    began = time.monotonic()
    given = Running(progress=progress, logs=logs, hardware=on.asked(),
                    workdir=_checkpoints(out) if science.save_every else None)  # fmt: skip
    use_threads(threads)
    job = _job(kind, model, Job(
        place=None, data=data, settings=science, seed=seed, running=given, permit=granted,
        unpermitted=unpermitted, extra=extra or {}, departed=departed,
    ))  # fmt: skip
    made = _made(kind, job)
    ref = _written(recipe, job, made, out, began)
    if os.environ.get("RANK", "0") == "0":
        shutil.rmtree(_checkpoints(out), ignore_errors=True)
    seconds = time.monotonic() - began
    return Learned(out, ref, made.rows, made.metrics, made.notes, made.extra, seconds)


def learned_of(
    directory: Path,
    recipe: str,
    *,
    out: Path,
    permit: Path | None = None,
    unpermitted: bool = False,
    progress: Progress | None = None,
    home: KeyHome | None = None,
) -> Learned:
    """Return what a recipe made of a project, and leave a copy of the model in `out`.

    The project is run up to the recipe's step, so that all it says of permits, settings and rows
    holds, and what is there already is not made again.

    Args:
        directory: the project.
        recipe: its name.
        out: a new or empty folder.
        permit: a signed permit from outside, in the place of the run's own.
        unpermitted: train without a permit; the model is marked.
        progress: told of every step of training.
        home: whose keys count; None is this machine's key home.

    Raises:
        PermitError: with every reason, if training is not permitted.
        InputError: with every fault; nothing is written to `out` then.
    """
    project, step = load_project(directory), f"learn.{recipe}"
    faults = list(occupied(out))
    known = [one.name for one in steps(project)]
    if step not in known:
        seen = ", ".join(one for one in known if one.startswith("learn.")) or "none that trains"
        faults.append(Fault(where=str(directory), expected=f"a project with the step {step}",
                            seen=seen, do=f"Use --data with learn {recipe}."))  # fmt: skip
    if faults:
        raise InputError(faults)
    began = time.monotonic()

    def watch(event: Event) -> None:
        if progress is not None and isinstance(event, StepProgress) and event.name == step:
            progress(event.done, event.total or event.done, 0.0)

    report = run(
        directory, until=step, watch=watch, home=home, permit=permit, unpermitted=unpermitted
    )
    line = next(line for line in report.stages if line.name == step)
    role = RECIPES[recipe].role
    notes = (NOT_MADE_AGAIN,) if line.skipped else ()
    with open_store(directory, create=False) as store:
        ref = next(one for one in store.records(line.made, ModelRef) if one.name == role)
        rows = sum(one.rows for one in store.records(ref.data, Dataset))
        with building(out.resolve()) as folder:
            store.objects.check_out(ref.files, folder)
            _card(folder, ref, rows, notes, {}, time.monotonic() - began)
            used = None if line.skipped else _resolved(ref, folder)
            _readme(folder, recipe, ref, taught_by(store, ref.data), notes, used)
    return Learned(out, ref, rows, ref.metrics, notes, {}, time.monotonic() - began)


NOT_MADE_AGAIN: Final = (
    "An earlier run of the project made this model; on which machine, the project does not keep."
)


def _resolved(ref: ModelRef, folder: Path) -> dict[str, Any]:
    """Write down what a project's step, which takes what is there, was trained on."""
    from normwright.models.tuning import Hardware, resolved

    used = resolved(Hardware(), batch=int(ref.settings.get("batch", 1)))
    used.write(folder)
    return used.as_json()


def _readme(
    folder: Path,
    recipe: str,
    ref: ModelRef,
    rows: Sequence[Demonstration | PreferencePair],
    notes: Sequence[str],
    hardware: Mapping[str, Any] | None,
) -> None:
    """Write the card of a model that a project made."""
    from normwright.learn.cards import facts_of, model_card

    facts = facts_of([
        row.model_dump(include={"lang", "licence", "origin", "norms"}) for row in rows
    ])  # fmt: skip
    text = model_card(ref, facts, notes=notes, hardware=hardware,
                      reference=ref.base if RECIPES[recipe].held_to else None)  # fmt: skip
    (folder / README).write_text(text, encoding="utf-8")


def _settings(
    kind: Trainable, place: Path | None, changes: Mapping[str, Any], faults: list[Fault]
) -> Tuning | None:
    """Return the settings of a recipe, from a file and options; what is wrong goes to faults."""
    where = "settings" if place is None else str(place)
    changed = {name: value for name, value in changes.items() if value is not None}
    try:
        raw = {} if place is None else read_named(place, expected="settings as YAML")
        return kind.settings.model_validate_json(json.dumps({**raw, **changed}, default=str))
    except InputError as error:
        faults += error.faults
    except ValidationError as error:
        faults += faults_of(error, where, known=tuple(kind.settings.model_fields))
    return None


def _permit(place: Path | None, home: KeyHome | None, today: date | None) -> Permit | None:
    if place is None:
        return None
    day = today or datetime.now(UTC).date()
    return read_permit(place, home=home or KeyHome.here(), on=day)[1]


README: Final = "README.md"
"""The card of a model for people."""


def _checkpoints(out: Path) -> Path:
    """Where checkpoints lie until the model is whole: beside it, never in it."""
    return out.with_name(f"{out.name}.checkpoints")


def _job(kind: Trainable, model: Path | None, job: Job[Any]) -> Job[Any]:
    """Return the job with the model it starts from, named by all that decides what it trains.

    Raises:
        InputError: if both a model and a shape to begin with were given.
    """
    from normwright.models.local import embedded_path

    begun = kind.begin(job.data, job.settings, job.seed)
    if begun is not None and model is not None:
        raise InputError([Fault(where="--model", expected="one of a model and --shape",
                                seen="both")])  # fmt: skip
    place = None if begun is not None else model or embedded_path()
    base = None if place is None else _digest(place)
    named = _named(job.settings, job.data, base, job.extra) if job.running.workdir else ""
    return replace(
        job, place=place, base=base, begun=begun, running=replace(job.running, science=named)
    )


def _made(kind: Trainable, job: Job[Any]) -> Made:
    """Return what a recipe made, with the marks that the model it started from carries.

    Raises:
        InputError: if the model's directory changed while it was trained from.
    """
    card = None if job.place is None else card_of(job.place)
    made = kind.run(job)
    if job.place is not None and _digest(job.place) != job.base:
        changed = Fault(where=str(job.place), expected="the model that training began with",
                        seen="other files by its end",
                        do="Leave the folder alone while a model is trained from it.")  # fmt: skip
        raise InputError([changed])
    if job.running.history:
        made = replace(made, extra={**made.extra, "curves": thinned(job.running.history)})
    if card is None:
        return made
    return replace(
        made,
        unpermitted=made.unpermitted or card.unpermitted,
        forgotten=made.forgotten or card.forgotten,
    )


def _digest(folder: Path) -> Digest:
    """The digest of a model directory: what names it as a start and as a reference."""
    return digest_bytes(json.dumps(_digests(folder), sort_keys=True).encode())


def _named(science: Tuning, data: Path, base: Digest | None, extra: Mapping[str, Path]) -> str:
    """Name a run by all that decides what it trains; checkpoints of another are refused."""
    read = {name: _digest(one) if one.is_dir() else digest_bytes(one.read_bytes())
            for name, one in extra.items()}  # fmt: skip
    return json.dumps({
        "settings": science.model_dump(mode="json", exclude={"save_every"}),
        "data": digest_bytes(data.read_bytes()),
        "base": base,
        **read,
    }, sort_keys=True)  # fmt: skip


POINTS: Final = 200
"""Most points of a curve that a run card holds."""


def thinned(history: Mapping[str, Sequence[tuple[int, float]]]) -> dict[str, list[list[float]]]:
    """Return curves as JSON values, long ones thinned at equal distances, with both ends."""
    found = {}
    for name, line in history.items():
        last = len(line) - 1
        taken = list(range(len(line)))
        if last >= POINTS:
            taken = [round(i * last / (POINTS - 1)) for i in range(POINTS)]
        found[name] = [[line[i][0], line[i][1]] for i in taken]
    return found


def _digests(folder: Path) -> dict[str, Digest]:
    """The digest of every file of a model directory, by its name."""
    return {
        path.relative_to(folder).as_posix(): digest_bytes(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _held_to(kind: Trainable, job: Job[Any]) -> Digest | None:
    """The digest of the model that a recipe holds to; None where it holds to none."""
    given = job.extra.get("reference")
    held = _digest(given) if given and kind.held_to == "given" else job.base
    return held if kind.held_to else None


def _written(recipe: str, job: Job[Any], made: Made, out: Path, began: float) -> ModelRef:
    """Write the model and what was run, whole or not at all, and return the model's record.

    Of several processes the first writes; the others return a record that names no files.
    """
    from normwright.learn import model_ref
    from normwright.learn.cards import model_card, rows_facts
    from normwright.models.tuning import resolved, save_plain
    from normwright.models.tuning.hardware import rank

    with building(out.resolve()) if rank() == 0 else _nowhere() as folder:
        save_plain(made.weights, made.tokenizer, folder / made.folder)
        if made.beside is not None:
            made.beside(folder)
        ref = model_ref(
            RECIPES[recipe].role,
            _digests(folder),
            made.weights,
            recipe=recipe,
            base=job.base,
            data=(digest_bytes(job.data.read_bytes()),),
            settings=job.settings.model_dump(mode="json"),
            metrics=made.metrics,
            seed=job.seed,
            permit=None if job.permit is None else job.permit.digest,
            unpermitted=job.unpermitted or made.unpermitted,
            forgotten=made.forgotten,
        )
        _card(folder, ref, made.rows, made.notes, made.extra, time.monotonic() - began)
        used = resolved(job.running.hardware, batch=job.settings.batch)
        used.write(folder)
        text = model_card(
            ref, rows_facts(job.data), notes=made.notes, hardware=used.as_json(),
            reference=_held_to(RECIPES[recipe], job),
        )  # fmt: skip
        (folder / README).write_text(text, encoding="utf-8")
    return ref


@contextmanager
def _nowhere() -> Iterator[Path]:
    """Give a folder that is gone afterwards: what a process beside the writing one makes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _card(
    folder: Path,
    ref: ModelRef,
    rows: int,
    notes: Sequence[str],
    extra: Mapping[str, Any],
    seconds: float,
) -> None:
    """Write down beside the weights what was run."""
    card = {
        "model": ref.model_dump(mode="json"),
        "rows": rows,
        "notes": list(notes),
        **extra,
        "seconds": round(seconds, 3),
    }
    text = json.dumps(card, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    (folder / RUN_CARD).write_text(text, encoding="utf-8")
