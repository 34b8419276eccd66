"""Where the language model that ships with the package lies. Opens nothing, loads nothing."""

from importlib import resources
from pathlib import Path


def embedded_path() -> Path:
    """Return the directory of the embedded model."""
    return Path(str(resources.files("normwright.models") / "embedded"))
