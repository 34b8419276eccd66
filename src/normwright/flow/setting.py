"""What every setting of a file is made of: strict types, and marks for what lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from normwright.records import Frozen


@dataclass(frozen=True)
class Place:
    """Marks a setting that names something on disk, so that reading the file checks it."""

    kind: Literal["file", "directory", "either"]
    inside: bool = True
    """It must lie inside the project, so that the project can be verified elsewhere."""


Directory = Annotated[str, Place("directory")]
File = Annotated[str, Place("file")]
FileOrDirectory = Annotated[str, Place("either")]
Outside = Annotated[str, Place("directory", inside=False)]
SLUG = r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$"
"""The form of a short name."""
Slug = Annotated[str, Field(pattern=SLUG, max_length=80)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]


class Settings(Frozen):
    """A part of the project file: strict types, no unknown keys, never changed after reading."""

    model_config = ConfigDict(
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        populate_by_name=False,
        protected_namespaces=(),
    )
