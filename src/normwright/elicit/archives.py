"""One path as a folder of data: a file alone, a directory, or a zip archive, safely unpacked."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from normwright.elicit.files import MOST, Folder
from normwright.records import Fault, InputError

ENDINGS: Final = (
    ".csv", ".tsv", ".tab", ".txt", ".xlsx", ".jsonl", ".ndjson", ".json", ".yaml", ".yml",
    ".soc", ".soi", ".toc", ".toi", ".cat", ".wmd", ".wmg", ".pwg", ".mjg", ".tog",
)  # fmt: skip
"""Endings of files that may be data."""
_MEMBERS: Final = 1000
"""Files an archive may hold. An export has six."""
_CHUNK: Final = 1 << 20


def may_be_data(name: str) -> bool:
    """Return whether a file may hold data, by its name."""
    return not name.startswith(".") and name.lower().removesuffix(".gz").endswith(ENDINGS)


@contextmanager
def folder_at(path: Path) -> Iterator[Folder]:
    """Give what lies at a path as a folder, in which files are named as they are below it.

    Of a directory without data, the one directory below it that has any is meant. An archive is
    unpacked into a place of its own, which is gone afterwards.

    Raises:
        InputError: if nothing is there, or it is an archive that cannot be unpacked in full.
    """
    if path.is_dir():
        here = data_directory(path)
        yield Folder(here, here)
    elif not path.is_file():
        expected = "a file, a directory or a zip archive"
        raise InputError([Fault(where=str(path), expected=expected, seen="nothing there")])
    elif path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory() as place:
            inside = Path(place) / (path.name[: -len(".zip")] or "data")
            inside.mkdir()
            unpack_archive(path, inside)
            found = sorted(inside.iterdir())
            yield Folder(inside, inside, only=found[0] if len(found) == 1 else None)
    else:
        yield Folder(path.parent, path.parent, only=path)


def data_directory(path: Path) -> Path:
    """Return a directory, or the one directory below it that has data where it has none."""
    here = path
    while True:
        inside = sorted(here.iterdir())
        below = [p for p in inside if p.is_dir() and not p.name.startswith(".")]
        if any(p.is_file() and may_be_data(p.name) for p in inside) or len(below) != 1:
            return here
        here = below[0]


def unpack_archive(source: Path, target: Path) -> tuple[str, ...]:
    """Unpack the data of an archive, which all have to lie in one folder of it.

    An archive says neither where its files go nor how large they are: only the last part of a name
    is used, and bytes are counted as they come.

    Returns:
        The names of what was left in the archive, because it is no data.

    Raises:
        InputError: if it is no whole archive, has a password, or holds too much.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            kept = [m for m in members if may_be_data(_last(m.filename))]
            kept = [m for m in kept if "__MACOSX" not in m.filename]
            _check_members(source, kept)
            left = MOST
            for member in kept:
                left -= _write(archive, member, target / _last(member.filename), left, source)
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, RuntimeError, NotImplementedError,
        EOFError, OSError, ValueError,
    ) as error:  # fmt: skip
        expected = "a whole zip archive without a password"
        raise InputError([Fault(where=str(source), expected=expected, seen=str(error))]) from error
    names = {m.filename for m in kept}
    return tuple(sorted(m.filename for m in members if m.filename not in names))


def _last(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/").replace("\0", "")).name


def _check_members(source: Path, kept: list[zipfile.ZipInfo]) -> None:
    where, faults = str(source), list[Fault]()
    folders = sorted({str(PurePosixPath(m.filename.replace("\\", "/")).parent) for m in kept})
    if not kept:
        faults.append(Fault(where=where, expected="files of data in it", seen="none"))
    if len(folders) > 1:
        faults.append(
            Fault(
                where=where,
                expected="data in one folder of the archive",
                seen=f"some in each of {', '.join(folders[:5])}",
                do="Unpack it, and give the folder that is meant.",
            )
        )
    names = [_last(m.filename) for m in kept]
    for twice in sorted({name for name in names if names.count(name) > 1}):
        faults.append(Fault(where=where, expected="each file once", seen=f"{twice} twice"))
    if len(kept) > _MEMBERS:
        faults.append(Fault(where=where, expected=f"at most {_MEMBERS} files", seen=str(len(kept))))
    if faults:
        raise InputError(faults)


def _write(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path, most: int, source: Path
) -> int:
    """Unpack one file, counting: what a header says of its size need not be so."""
    size = 0
    with archive.open(member) as packed, to.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise InputError([Fault(
                    where=str(source), expected=f"at most {MOST >> 20} MiB unpacked",
                    seen=f"more, in {member.filename}")])  # fmt: skip
            file.write(chunk)
    return size
