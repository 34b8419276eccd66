"""A folder of new files, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from normwright.records import Fault, InputError
from normwright.store import write_whole


def write_folder(files: Mapping[str, bytes], out: Path) -> None:
    """Write files into a new or empty folder: readers see all of them or none.

    Args:
        files: path inside the folder -> content.
        out: the folder.

    Raises:
        InputError: if something lies there: what a person may have edited is never written over.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError([Fault(where=str(out), expected="a new or an empty folder",
                                seen="something lies there",
                                do="Name another, or move it away.")])  # fmt: skip
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise InputError([Fault(where=str(out), expected="a place that can be written",
                                seen=str(error.strerror))]) from error  # fmt: skip
    try:
        fresh.chmod(0o755)
        for name, data in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        os.replace(fresh, out)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
