"""Small YAML files that a person writes beside ballots: links, margins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from normwright.records import Fault, InputError


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
        seen = " ".join(str(error).split())
        raise InputError([Fault(where=str(path), expected=expected, seen=seen)]) from error
