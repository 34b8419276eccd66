"""Train one recipe outside a project's run: a model, rows and settings in, a folder out."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic import ValidationError

from normwright.flow.engine import Event, StepProgress
from normwright.flow.extras import require_learning
from normwright.flow.given import RUN_CARD, card_of
from normwright.flow.learning.job import Departed, Job, Made
from normwright.flow.learning.recipes import RECIPES, Trainable
from normwright.flow.lock import alone
from normwright.flow.permits import read_permit
from normwright.flow.project import load_project
from normwright.flow.running import run
from normwright.flow.stages import steps
from normwright.flow.start import building, occupied
from normwright.flow.stores import open_store
from normwright.flow.tunings import Tuning
from normwright.records import (
    Dataset,
    Digest,
    Fault,
    InputError,
    ModelRef,
    Permit,
    digest_bytes,
    require_permit,
)
from normwright.store import KeyHome

if TYPE_CHECKING:
    from normwright.models.tuning import Hardware
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
    hardware: str = "auto",
    per_device: int | None = None,
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
        hardware: `auto`, `cpu` or `gpu`; how many processes there are is the launcher's to say.
        per_device: rows a process takes at once; None takes its whole share of a batch.
        home: whose keys count for the permit; None is this machine's key home.
        today: the day on which the permit must hold; None is that of this machine's clock.
        departed: of `unlearn`, whose rows are forgotten, if they withdrew from a project.

    Raises:
        PermitError: if there is neither a permit nor leave to do without.
        InputError: with every fault of files and settings; nothing is written then.
    """
    kind = RECIPES[recipe]
    faults = [*occupied(out), *_misplaced(out, model), *_lacking({"--data": data, **_files(extra)})]
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
    began = time.monotonic()
    used = _hardware(hardware, per_device)
    writes = os.environ.get("RANK", "0") == "0"
    with alone(out.resolve()) if writes else nullcontext():
        if writes and (faults := occupied(out)):
            raise InputError(faults)
        made, base = _run(
            kind, model, data, out, science, seed, threads, granted, unpermitted, extra or {},
            progress, logs, used, departed,
        )  # fmt: skip
        ref = _written(
            recipe, kind, made, out, science, seed, base, data, granted, unpermitted, began, used
        )
        if writes:
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
    faults = [*occupied(out), *_misplaced(out, None)]
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
    made = next(line.made for line in report.stages if line.name == step)
    role = RECIPES[recipe].role
    with open_store(directory, create=False) as store:
        ref = next(one for one in store.records(made, ModelRef) if one.name == role)
        rows = sum(one.rows for one in store.records(ref.data, Dataset))
        with building(out.resolve()) as folder:
            store.objects.check_out(ref.files, folder)
            _card(folder, ref, rows, (), {}, time.monotonic() - began)
    return Learned(out, ref, rows, ref.metrics, (), {}, time.monotonic() - began)


def _misplaced(out: Path, model: Path | None) -> Iterator[Fault]:
    """Yield why a model cannot be written to a folder: better now than after training."""
    place = out.resolve()
    if model is not None and place.is_relative_to(model.resolve()):
        yield Fault(where=str(out), expected="a place outside the model it starts from",
                    seen="one inside", do="Choose another place.")  # fmt: skip
    # Beside it, not in it: of several processes another may look whether it is empty.
    there = next(one for one in place.parents if one.exists())
    if not there.is_dir():
        yield Fault(where=str(there), expected="a directory", seen="a file",
                    do="Choose another place.")  # fmt: skip
        return
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix=".building-"):
            pass
    except OSError as error:
        yield Fault(where=str(out), expected="a place that can be written to",
                    seen=error.strerror or type(error).__name__,
                    do="Choose another place.")  # fmt: skip


def _files(extra: Mapping[str, Path] | None) -> dict[str, Path]:
    """Name the further files of a recipe by their options; models are read as directories."""
    models = ("reference", "reward")
    return {f"--{name.replace('_', '-')}": one for name, one in (extra or {}).items()
            if name not in models}  # fmt: skip


def _lacking(files: Mapping[str, Path]) -> list[Fault]:
    """Return a fault for each file that is not there."""
    return [
        Fault(where=f"{option} {one}", expected="a file of rows",
              seen="a directory" if one.is_dir() else "no such file",
              do="Give the path of a file of JSON lines.")
        for option, one in files.items()
        if not one.is_file()
    ]  # fmt: skip


def _settings(
    kind: Trainable, place: Path | None, changes: Mapping[str, Any], faults: list[Fault]
) -> Tuning | None:
    """Return the settings of a recipe, from a file and options; what is wrong goes to faults."""
    raw: Any = {}
    where = "settings" if place is None else str(place)
    if place is not None:
        try:
            raw = yaml.safe_load(place.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            seen = " ".join(str(error).split())[:200]
            faults.append(Fault(where=where, expected="settings as YAML", seen=seen))
            return None
    if not isinstance(raw, dict):
        seen = type(raw).__name__
        faults.append(Fault(where=where, expected="settings by name", seen=seen))
        return None
    given = {**raw, **{name: value for name, value in changes.items() if value is not None}}
    try:
        return kind.settings.model_validate_json(json.dumps(given, default=str))
    except ValidationError as error:
        known = ", ".join(kind.settings.model_fields)
        for one in error.errors(include_url=False):
            name = ".".join(str(part) for part in one["loc"])
            unknown = one["type"] == "extra_forbidden"
            faults.append(Fault(
                where=f"{where}: {name}",
                expected=f"one of {known}" if unknown else _plainly(one["msg"]),
                seen=name if unknown else repr(one["input"]),
                do="Remove it, or see the names above." if unknown else _SEE,
            ))  # fmt: skip
        return None


_SEE: Final = "docs/reference/project-file.md says what each setting takes."


def _plainly(message: str) -> str:
    """Return what the validation of a setting expected, without its own words around it."""
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def _permit(place: Path | None, home: KeyHome | None, today: date | None) -> Permit | None:
    if place is None:
        return None
    day = today or datetime.now(UTC).date()
    return read_permit(place, home=home or KeyHome.here(), on=day)[1]


def _checkpoints(out: Path) -> Path:
    """Where checkpoints lie until the model is whole: beside it, never in it."""
    return out.with_name(f"{out.name}.checkpoints")


def _run(
    kind: Trainable,
    model: Path | None,
    data: Path,
    out: Path,
    science: Tuning,
    seed: int,
    threads: int | None,
    permit: Permit | None,
    unpermitted: bool,
    extra: Mapping[str, Path],
    progress: Progress | None,
    logs: Path | None,
    hardware: Hardware,
    departed: Departed | None,
) -> tuple[Made, Digest | None]:
    from normwright.models.local import embedded_path, use_threads
    from normwright.models.tuning import Running

    use_threads(threads)
    begun = kind.begin(data, science, seed)
    if begun is not None and model is not None:
        raise InputError([Fault(where="--model", expected="one of a model and --shape",
                                seen="both")])  # fmt: skip
    place = None if begun is not None else model or embedded_path()
    workdir = _checkpoints(out) if science.save_every else None
    base = None if place is None else _digest(place)
    running = Running(progress=progress, workdir=workdir, logs=logs, hardware=hardware,
                      science=_named(science, data, base, extra))  # fmt: skip
    job: Job[Any] = Job(
        place, data, science, seed, running, permit, unpermitted, extra, departed, begun
    )
    card = None if place is None else card_of(place)
    made = kind.run(job)
    if place is not None and _digest(place) != base:
        changed = Fault(where=str(place), expected="the model that training began with",
                        seen="other files by its end",
                        do="Leave the folder alone while a model is trained from it.")  # fmt: skip
        raise InputError([changed])
    if card is not None:
        made = replace(
            made,
            unpermitted=made.unpermitted or card.unpermitted,
            forgotten=made.forgotten or card.forgotten,
        )
    return made, base


def _digest(folder: Path) -> Digest:
    """The digest of a model directory: what names it as a start and as a reference."""
    return digest_bytes(json.dumps(_digests(folder), sort_keys=True).encode())


def _named(science: Tuning, data: Path, base: Digest | None, extra: Mapping[str, Path]) -> str:
    """Name a run by all that decides what it trains; checkpoints of another are refused."""
    read = {name: one for name, one in extra.items() if one.is_file()}
    return json.dumps({
        "settings": science.model_dump(mode="json", exclude={"save_every"}),
        "data": digest_bytes(data.read_bytes()),
        "base": base,
        **{name: digest_bytes(one.read_bytes()) for name, one in read.items()},
    }, sort_keys=True)  # fmt: skip


def _hardware(profile: str, per_device: int | None) -> Hardware:
    """Return what a run may use; `InputError` if the profile is unknown."""
    from normwright.models.tuning.hardware import parse_hardware

    return replace(parse_hardware(profile)[0], per_device=per_device)


def _digests(folder: Path) -> dict[str, Digest]:
    """The digest of every file of a model directory, by its name."""
    return {
        path.relative_to(folder).as_posix(): digest_bytes(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _written(
    recipe: str,
    kind: Trainable,
    made: Made,
    out: Path,
    science: Tuning,
    seed: int,
    base: Digest | None,
    data: Path,
    permit: Permit | None,
    unpermitted: bool,
    began: float,
    hardware: Hardware,
) -> ModelRef:
    """Write the model and what was run, whole or not at all, and return the model's record.

    Of several processes the first writes; the others return a record that names no files.
    """
    from normwright.learn import model_ref
    from normwright.learn.cards import model_card, rows_facts
    from normwright.models.tuning import resolved, save_plain
    from normwright.models.tuning.hardware import rank

    with building(out.resolve()) if rank() == 0 else _nowhere() as folder:
        save_plain(made.weights, made.tokenizer, folder)
        ref = model_ref(
            kind.role,
            _digests(folder),
            made.weights,
            recipe=recipe,
            base=base,
            data=(digest_bytes(data.read_bytes()),),
            settings=science.model_dump(mode="json"),
            metrics=made.metrics,
            seed=seed,
            permit=None if permit is None else permit.digest,
            unpermitted=unpermitted or made.unpermitted,
            forgotten=made.forgotten,
        )
        _card(folder, ref, made.rows, made.notes, made.extra, time.monotonic() - began)
        used = resolved(hardware, batch=science.batch)
        used.write(folder)
        text = model_card(
            ref, rows_facts(data), notes=made.notes, hardware=used.as_json(), permit=permit,
            reference=recipe == "prefer",
        )  # fmt: skip
        (folder / "README.md").write_text(text, encoding="utf-8")
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
