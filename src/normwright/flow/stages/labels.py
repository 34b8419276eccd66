"""From labelled texts to a reader of one norm's breaches: the step `guard.labels`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.settings import FILE
from normwright.flow.stages.stored import files_under, folder_of, ref_of
from normwright.records import Fault, InputError, ModelRef, Policy, Record

if TYPE_CHECKING:
    from normwright.guard import LabelReader

ROLES = ("labels", "control:shuffled-labels")


def read(project: Project, context: Context) -> list[Record]:
    """Fit a reader on labelled texts and a control on shuffled ones, and measure both."""
    from normwright.guard import fit_labels, measure_labels, read_labels

    labels = project.settings.sources.labels
    assert labels is not None  # without them there is no such step
    policy = context.one("charter", Policy)
    _check_norm(policy, labels.norm)
    context.progress(0, 3, "reading")
    rows = read_labels(files_under(project, labels.files))
    context.progress(1, 3, "learning")
    fitted = fit_labels(
        rows,
        norm=labels.norm,
        seed=context.seed,
        per_source=labels.per_source,
        unseen=labels.unseen,
    )
    models = [
        _kept(context, policy, role, reader)
        for role, reader in zip(ROLES, (fitted.reader, fitted.shuffled), strict=True)
    ]
    context.progress(2, 3, "measuring")
    digests = {model.name: model.digest for model in models}
    digests["control:length"] = models[0].digest
    return [*models, *measure_labels(fitted, digests=digests, seed=context.seed)]


def _check_norm(policy: Policy, norm: str) -> None:
    known = sorted({n.id for n in policy.charter.norms})
    if norm not in known:
        raise InputError(
            [
                Fault(
                    where=f"{FILE}: sources.labels.norm",
                    expected=f"a norm of the charter: {', '.join(known) or 'there is none'}",
                    seen=norm,
                    do="Name one that is in force, or leave the labels out.",
                )
            ]
        )


def _kept(context: Context, policy: Policy, role: str, reader: LabelReader) -> ModelRef:
    folder: Path = context.scratch / role.replace(":", "-")
    reader.save(folder)
    return ModelRef(
        name=role,
        files=context.put_dir(folder),
        parameters=len(reader.columns),
        recipe="logistic regression on hashed n-grams",
        settings={**reader.card, "norm": reader.norm},
        derived_from=(policy.digest,),
    )


def open_reader(context: Context) -> LabelReader:
    """Return the reader that the step `guard.labels` made."""
    from normwright.guard import LabelReader

    return LabelReader.load(folder_of(context, "guard.labels", ROLES[0]))


def norm_of(context: Context) -> tuple[str, bool]:
    """Return the reference of the norm whose breaches are read, and whether it is never traded."""
    policy = context.one("charter", Policy)
    name = str(ref_of(context, "guard.labels", ROLES[0]).settings["norm"])
    rule = next((r for r in policy.rules if r.norm.split("@")[0] == name), None)
    hard = rule is not None and rule.force == "constraint_hard"
    return (rule.norm if rule is not None else name), hard
