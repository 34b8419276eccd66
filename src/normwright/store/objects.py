"""The object store: bytes under the digest of their content, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, BinaryIO

from normwright.records import Digest, IntegrityError

_CHUNK = 1 << 20
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_INCOMING = "incoming"

HALF_WRITTEN = ".incoming-"
"""How the name of a file begins that `write_whole` has not finished; a killed writer leaves one."""


class ObjectStore:
    """A folder of objects named `ab/cdef...` by their SHA-256.

    A write goes to a temporary file of the same file system, is flushed to disk, renamed, and the
    folder is flushed: whenever the process or the machine stops, an object is there whole or not
    at all. An object is never changed in place.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put_bytes(self, data: bytes) -> Digest:
        """Store `data` and return its digest; storing the same bytes again changes nothing."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if not self._whole(digest, len(data)):
            with self._incoming() as incoming:
                incoming.write(data)
                self._admit(incoming, digest)
        return digest

    def put_file(self, path: Path) -> Digest:
        """Store the content of the file at `path`, read in pieces, and return its digest."""
        digest, size = _hash_file(path)
        if not self._whole(digest, size):
            seen = hashlib.sha256()
            with path.open("rb") as source, self._incoming() as incoming:
                while piece := source.read(_CHUNK):
                    seen.update(piece)
                    incoming.write(piece)
                if "sha256:" + seen.hexdigest() != digest:
                    raise IntegrityError(f"{path} changed while it was being stored")
                self._admit(incoming, digest)
        return digest

    def put_dir(self, directory: Path) -> dict[str, Digest]:
        """Store every file under `directory` and return the digests by relative POSIX path.

        Raises:
            IntegrityError: if something in it is neither a plain file nor a folder. A link could
                point outside, so that the digests would not say what the directory held.
        """
        digests: dict[str, Digest] = {}
        for path in sorted(directory.rglob("*")):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise IntegrityError(f"{path} is neither a plain file nor a folder")
            if path.is_file():
                digests[path.relative_to(directory).as_posix()] = self.put_file(path)
        return digests

    def check_out(self, files: Mapping[str, Digest], directory: Path) -> None:
        """Write `files` (digests by relative path) under `directory` as copies, checked on the way.

        Files that already hold the right bytes are left alone, so that a directory can be
        completed after an interruption.

        Raises:
            IntegrityError: if an object is missing or not what its digest says, or if a path
                leads out of `directory`.
        """
        for name, digest in files.items():
            target = directory / name
            if not target.resolve().is_relative_to(directory.resolve()):
                raise IntegrityError(f"{name!r} leads out of {directory}")
            if file_digest(target) != digest:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, self.read(digest))

    def open(self, digest: Digest) -> BinaryIO:
        """Open an object for reading, unchecked; use `read` where the bytes must be proved.

        Raises:
            IntegrityError: if there is no such object.
        """
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise IntegrityError(f"object {digest} is not in the store") from None

    def read(self, digest: Digest) -> bytes:
        """Return the bytes of an object after checking that they are what the digest says.

        Raises:
            IntegrityError: if the object is missing or has been changed.
        """
        with self.open(digest) as stream:
            data = stream.read()
        seen = "sha256:" + hashlib.sha256(data).hexdigest()
        if seen != digest:
            raise IntegrityError(f"object {digest} now has digest {seen}")
        return data

    def exists(self, digest: Digest) -> bool:
        """Say whether an object is there (not whether its bytes still fit)."""
        return _DIGEST.fullmatch(digest) is not None and self.path(digest).is_file()

    def rehash(self, digest: Digest) -> Digest | None:
        """Return the digest the stored bytes have now, or None if there is no such object."""
        return file_digest(self.path(digest))

    def path(self, digest: Digest) -> Path:
        """Return where an object lies or would lie. The file there is not to be changed."""
        if (match := _DIGEST.fullmatch(digest)) is None:
            raise ValueError(f"{digest!r} is not a digest (sha256: and 64 hexadecimal digits)")
        name = match.group(1)
        return self.directory / name[:2] / name[2:]

    def __iter__(self) -> Iterator[Digest]:
        """Yield the digests of all objects, in order."""
        for folder in sorted(self.directory.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                digest = f"sha256:{folder.name}{path.name}"
                if _DIGEST.fullmatch(digest):
                    yield digest

    def sweep(self) -> int:
        """Remove what killed writers left half-written and return how many files that was.

        Only for the one process that holds the project's lock.
        """
        left = list(self.directory.glob(f"{_INCOMING}/*"))
        for path in left:
            path.unlink()
        return len(left)

    def _whole(self, digest: Digest, size: int) -> bool:
        """Say whether the object is there unharmed; a damaged one is to be written again."""
        path = self.path(digest)
        return path.is_file() and path.stat().st_size == size and self.rehash(digest) == digest

    def _incoming(self) -> IO[bytes]:
        folder = self.directory / _INCOMING
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=folder, delete=False)

    def _admit(self, incoming: IO[bytes], digest: Digest) -> None:
        """Make a complete temporary file an object, durably."""
        incoming.flush()
        os.fsync(incoming.fileno())
        os.fchmod(incoming.fileno(), 0o444)
        path = self.path(digest)
        if not path.parent.is_dir():
            path.parent.mkdir(exist_ok=True)
            _flush_folder(self.directory)
        os.replace(incoming.name, path)
        _flush_folder(path.parent)


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that readers see the old content or the new, never a part, and flush it."""
    folder = path.parent
    with tempfile.NamedTemporaryFile(dir=folder, prefix=HALF_WRITTEN, delete=False) as incoming:
        incoming.write(data)
        incoming.flush()
        os.fsync(incoming.fileno())
        # Temporary files are private; what is written here is as readable as any new file.
        os.fchmod(incoming.fileno(), mode)
    os.replace(incoming.name, path)
    _flush_folder(folder)


def file_digest(path: Path) -> Digest | None:
    """Return the digest of a file's bytes, read in pieces, or None if there is no such file."""
    return _hash_file(path)[0] if path.is_file() else None


def _hash_file(path: Path) -> tuple[Digest, int]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return "sha256:" + digest.hexdigest(), stream.tell()


def _flush_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
