"""Norms from elsewhere written as a folder of drafts; a charter written for another engine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from normwright.flow.folders import write_folder
from normwright.records import Fault, InputError, Lang, Policy

if TYPE_CHECKING:
    from normwright.charter.exchange import Cedar, ModelSpec


def import_model_spec(
    path: Path, out: Path, *, examples: Path | None, authority: str, lang: Lang, on: date
) -> tuple[ModelSpec, tuple[str, ...]]:
    """Write a Model Spec document as drafts into a new folder; return it and the files' names.

    Raises:
        InputError: with every fault of the document, or if something lies in the folder.
    """
    from normwright.charter import read_source
    from normwright.charter.exchange import model_spec_files, read_model_spec

    spec = read_model_spec(path, examples=examples)
    found = model_spec_files(spec, authority=authority, lang=lang, on=on)
    written = write_folder(found, out)
    read_source(out)  # what was written is a charter that every other command can read
    return spec, written


def import_seeds(
    layers: tuple[str, ...], out: Path, *, seeds: Path | None = None
) -> tuple[str, ...]:
    """Write seed norms with the acts and facts they need into a new folder; return their names.

    Args:
        layers: folders of the seeds; empty: all.
        out: the new folder.
        seeds: where the seeds lie; None: those that ship.

    Raises:
        InputError: if a layer is unknown, or something lies in the folder.
    """
    from normwright.charter import read_source
    from normwright.charter import seeds as shipped
    from normwright.charter.exchange import seed_files

    found = seed_files(shipped() if seeds is None else seeds, layers)
    written = write_folder(found, out)
    read_source(out)
    return written


def export_cedar(policy: Policy, out: Path, *, on: date) -> tuple[Cedar, tuple[Path, Path]]:
    """Write a policy's charter as Cedar, its schema beside it; return both and their places.

    Raises:
        InputError: if the place cannot be written.
    """
    from normwright.charter.exchange import to_cedar
    from normwright.store import write_whole

    cedar = to_cedar(policy.charter, on=on, closed_acts=policy.deployment.closed_acts)
    schema = out.with_name(f"{out.name.removesuffix('.cedar')}.cedarschema")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(schema, cedar.schema.encode("utf-8"))
        write_whole(out, cedar.policies.encode("utf-8"))
    except OSError as error:
        seen = str(error.strerror)
        raise InputError([Fault(where=str(out), expected="a place that can be written",
                                seen=seen)]) from error  # fmt: skip
    return cedar, (out, schema)
