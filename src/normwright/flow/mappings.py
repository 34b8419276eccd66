"""Small YAML files that a person writes: links, margins, the settings of a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from pydantic import ValidationError


def read_yaml(path: Path, *, expected: str) -> Any:
    """Return what a YAML (or JSON) file holds.

    Args:
        path: the file.
        expected: what it should hold, for the error.

    Raises:
        InputError: if it cannot be read.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([Fault(where=str(path), expected=expected, seen=seen)]) from error


def read_named(path: Path, *, expected: str) -> dict[str, Any]:
    """Return what a YAML (or JSON) file says by name; an empty file says nothing.

    Args:
        path: the file.
        expected: what it should hold, for the error.

    Raises:
        InputError: if it cannot be read, or holds anything else.
    """
    found = read_yaml(path, expected=expected)
    if found is None:
        return {}
    if not isinstance(found, dict):
        seen = type(found).__name__
        raise InputError([Fault(where=str(path), expected=f"{expected}, by name", seen=seen)])
    return found


def faults_of(error: ValidationError, where: str, *, known: Sequence[str] = ()) -> Iterator[Fault]:
    """Yield what is wrong with settings.

    Args:
        error: of the model they were put to.
        where: the file, or what they were given by.
        known: names there are, told where one is unknown.
    """
    for one in error.errors(include_url=False):
        name = ".".join(str(part) for part in one["loc"])
        unknown = one["type"] == "extra_forbidden" and known
        yield Fault(
            where=f"{where}: {name}" if name else where,
            expected=f"one of {', '.join(known)}" if unknown else one["msg"],
            seen=name if unknown else repr(one["input"])[:120],
            do="Remove it, or see the names above." if unknown else "",
        )
