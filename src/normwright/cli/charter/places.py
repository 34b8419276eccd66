"""Where a charter to be compared or dated comes from."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from normwright.cli.charter.norms import is_project, norms_of
from normwright.records import Charter, Fault, InputError


@dataclass(frozen=True)
class Found:
    """A charter, and whether drafted norms were taken to hold in it."""

    charter: Charter
    drafts: bool


def charter_at(place: Path, *, drafts: bool | None) -> Found:
    """Return the charter of a place.

    Args:
        place: a project, which gives the charter it ratified last; a directory of norms or one
            charter file; or a charter's record, a JSON file as `charter show --json` prints it.
        drafts: whether drafted and proposed norms are taken to hold; None: only where no norm of
            the place is in force, because then there is nothing else to look at.

    Raises:
        InputError: if there is no charter, with all faults.
    """
    from normwright import flow

    if place.name.endswith((".json", ".json.gz")):
        return Found(_record(place), False)
    if is_project(place) and not drafts:
        stood = flow.ratified(place)
        if stood:
            return Found(stood[-1].charter, False)
        raise InputError([
            Fault(where=str(place), expected="a ratified charter", seen="none",
                  do=f"Make it with: normwright run {place} --until charter; or say --drafts.")
        ])  # fmt: skip
    return drafted_at(place, drafts=drafts)


def drafted_at(place: Path, *, drafts: bool | None) -> Found:
    """Return the charter of the norms on disk, of a project too."""
    from normwright.charter import assembled

    source = norms_of(place)
    standing = assembled(source)
    counted = not standing.norms if drafts is None else drafts
    return Found(assembled(source, drafts=True) if counted else standing, counted)


def _record(path: Path) -> Charter:
    try:
        data = path.read_bytes()
        body = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
        if isinstance(body, dict):
            body.pop("digest", None)
        return Charter.model_validate(body)
    except OSError as error:
        raise InputError([Fault(where=str(path), expected="a readable file",
                                seen=str(error.strerror or error))]) from None  # fmt: skip
    except ValidationError as error:
        raise InputError([
            Fault(where=f"{path}: {'.'.join(map(str, one['loc']))}",
                  expected="a charter as `charter show --json` prints it", seen=one["msg"])
            for one in error.errors(include_url=False)
        ]) from None  # fmt: skip
    except ValueError as error:
        raise InputError([Fault(where=str(path), expected="a charter as JSON",
                                seen=str(error))]) from None  # fmt: skip
