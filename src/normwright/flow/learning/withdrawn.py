"""`learn unlearn` on a project from which somebody withdrew: what is forgotten, what is refused.

The model that stands learned from rows; the project says what it would learn from today. Rows that
are there no more were there because of those who withdrew, and are forgotten. Where no row is gone,
their influence is in shares alone, which nothing but learning anew can take out: that is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from normwright.flow.forecast import Forecast, forecast
from normwright.flow.learning.job import Departed
from normwright.flow.learning.launching import ANYTHING, Allowed
from normwright.flow.learning.training import Learned, learned
from normwright.flow.project import load_project
from normwright.flow.remedies import (
    TAUGHT,
    Influence,
    answering,
    influence,
    marked_models,
    taught_by,
)
from normwright.flow.running import run
from normwright.flow.stages import steps
from normwright.flow.start import occupied
from normwright.flow.stores import open_store
from normwright.records import Demonstration, Digest, Fault, InputError, ModelRef
from normwright.store import KeyHome, Store, withdrawals

if TYPE_CHECKING:
    from normwright.models.tuning.running import Progress


def unlearned_of(
    directory: Path,
    *,
    out: Path,
    reference: Path | None = None,
    settings: Path | None = None,
    changes: Mapping[str, Any] | None = None,
    seed: int = 0,
    threads: int | None = None,
    permit: Path | None = None,
    unpermitted: bool = False,
    progress: Progress | None = None,
    logs: Path | None = None,
    on: Allowed = ANYTHING,
    home: KeyHome | None = None,
) -> Learned:
    """Return a project's model after it was made to forget rows of people who withdrew.

    The project is run up to what is learned from, which trains nothing. Rows that the model learned
    from and that are there no more are forgotten; those that are still there are held.

    Args:
        directory: the project.
        out: a new or empty folder.
        reference: the model trained again without the rows, to measure against. Without it the
            model goes on counting as resting on them.
        settings: a YAML file with the settings of `unlearn`.
        changes: settings in the place of the file's, by name.
        seed: seed of every choice.
        threads: None is one a core.
        permit: a signed permit to train under.
        unpermitted: train without one; the model is marked.
        progress: told of every step of training.
        logs: where TensorBoard logs go.
        on: what training may use of the machine.
        home: whose keys count; None is this machine's key home.

    Raises:
        PermitError: with every reason, if training is not permitted.
        InputError: if nobody withdrew, no model rests on the rows, what it learned from is gone,
            or no row is there because of those who withdrew; the last says what to do instead.
    """
    if faults := list(occupied(out)):
        raise InputError(faults)
    project = load_project(directory)
    until = [one.name for one in steps(project) if one.name in TAUGHT]
    with open_store(directory, create=False) as store:
        model, gone_from = _candidate(store, directory)
        before = taught_by(store, model.data)
    for step in until:
        run(directory, until=step, home=home, permit=permit, unpermitted=unpermitted)
    with open_store(directory, create=False) as store, TemporaryDirectory() as aside:
        found = influence(before, _today(store, until, model, before))
        if not found.gone:
            raise InputError([_nothing_to_forget(directory, found, forecast(directory))])
        place = Path(aside)
        store.objects.check_out(model.files, place / "model")
        forget = _lines(found.gone, place / "forget.jsonl")
        extra = {"retain": _lines(found.stays, place / "retain.jsonl")}
        return learned(
            "unlearn", model=place / "model", data=forget, out=out, settings=settings,
            changes=changes, seed=seed, threads=threads, permit=permit, unpermitted=unpermitted,
            extra=extra if reference is None else {**extra, "reference": reference},
            progress=progress, logs=logs, on=on, home=home,
            departed=Departed(gone_from, found.moved),
        )  # fmt: skip


def _candidate(store: Store, directory: Path) -> tuple[ModelRef, tuple[Digest, ...]]:
    """Return the model that would be made to forget, and the withdrawals."""
    told = tuple(withdrawal.digest for _, withdrawal in withdrawals(store))
    name = answering(store)
    if not told or name is None:
        seen = "nobody withdrew" if not told else "no present model does"
        raise InputError(
            [
                Fault(
                    where=str(directory),
                    expected="a model that rests on rows somebody withdrew",
                    seen=seen,
                    do="To forget rows of a file: normwright learn unlearn --forget FILE",
                )
            ]
        )
    return next(one for one in marked_models(store) if one.name == name), told


def _today(store: Store, until: Sequence[str], model: ModelRef, before: Sequence[Any]) -> list[Any]:
    """Return the rows that the model would learn from today, of the kinds that it learned from."""
    results = {one.key: one for one in store.results()}
    current = store.current_steps()
    made = [digest for step in until for digest in results[current[step].key].made]
    kinds = store.stored(made)
    datasets = [digest for digest in made if kinds[digest].kind == "Dataset"]
    learned_kinds = {type(row) for row in before}
    return [row for row in taught_by(store, datasets) if type(row) in learned_kinds]


def _nothing_to_forget(directory: Path, found: Influence, coming: Forecast) -> Fault:
    took = "unknown time"
    if coming.seconds is not None:
        took = "{:.0f} to {:.0f} s".format(*coming.seconds)
    seen = "none: what it would learn from today is the same"
    if found.moved or found.new:
        seen = (
            f"none: their influence is in {found.moved} shares, by up to {found.furthest:.3f}"
            f" ({found.new} rows are new)"
        )
    return Fault(
        where=str(directory),
        expected="rows that were there because of those who withdrew alone",
        seen=seen,
        do=f"No row can be forgotten there; rebuild, which is exact: normwright run {directory}"
        f" ({took})",
    )


def _lines(rows: Sequence[Demonstration], place: Path) -> Path:
    """Write demonstrations as rows of the public contract."""
    lines = [
        {
            "id": row.scene, "lang": row.lang, "completion": row.completion, "family": row.family,
            "prompt": [m.model_dump(mode="json", include={"role", "content"}) for m in row.prompt],
            "origin": row.origin, "licence": row.licence, "norms": list(row.norms),
            "weight": row.weight,
        }
        for row in rows
    ]  # fmt: skip
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    place.write_text(text, encoding="utf-8")
    return place
