"""The norms that come with the package, to start from and to argue with."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def seeds() -> Path:
    """Return the folder of the seed norms, which `read_source` reads as a whole.

    They are paraphrases, no legal advice: `read_source(seeds()).head.notice` says so to people.

    Raises:
        FileNotFoundError: if the package does not lie in a file system, as inside a zip file.
    """
    place = Path(str(files("normwright.charter") / "seeds"))
    if not place.is_dir():
        raise FileNotFoundError(f"{place}: unpack the package to read the seed norms")
    return place
