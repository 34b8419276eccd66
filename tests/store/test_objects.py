"""Objects are whole or absent, and named by what they hold."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from normwright.records import IntegrityError, digest_bytes
from normwright.store import ObjectStore, write_whole


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


class PulledPlugError(Exception):
    """Stands for the process dying."""


def test_bytes_come_back_under_their_digest(objects: ObjectStore) -> None:
    """What was put is read back under the SHA-256 of its bytes, in the folder layout promised."""
    digest = objects.put_bytes(b"hello")

    assert digest == digest_bytes(b"hello")
    assert objects.exists(digest)
    assert objects.read(digest) == b"hello"
    assert objects.path(digest) == objects.directory / digest[7:9] / digest[9:]
    assert list(objects) == [digest]


def test_a_file_and_its_bytes_are_one_object(objects: ObjectStore, tmp_path: Path) -> None:
    """A file longer than one piece is stored under the digest its bytes have."""
    data = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(data)

    assert objects.put_file(tmp_path / "file") == objects.put_bytes(data)
    assert len(list(objects)) == 1


def test_a_directory_goes_in_and_out(objects: ObjectStore, tmp_path: Path) -> None:
    """A tree of files is stored by relative path and written out again byte for byte."""
    source = tmp_path / "model"
    (source / "deep").mkdir(parents=True)
    (source / "config.json").write_text("{}")
    (source / "deep" / "weights").write_bytes(b"\x00\x01")
    files = objects.put_dir(source)
    objects.check_out(files, tmp_path / "again")
    (tmp_path / "again" / "config.json").write_text("{changed}")
    objects.check_out(files, tmp_path / "again")

    assert sorted(files) == ["config.json", "deep/weights"]
    assert (tmp_path / "again" / "deep" / "weights").read_bytes() == b"\x00\x01"
    assert (tmp_path / "again" / "config.json").read_text() == "{}"


def test_links_and_escapes_are_refused(objects: ObjectStore, tmp_path: Path) -> None:
    """A link in a directory, or a path that leads out of it, is refused."""
    (tmp_path / "secret").write_text("s")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "link").symlink_to(tmp_path / "secret")
    digest = objects.put_bytes(b"x")

    with pytest.raises(IntegrityError, match="neither a plain file nor a folder"):
        objects.put_dir(tmp_path / "model")
    with pytest.raises(IntegrityError, match="leads out"):
        objects.check_out({"../outside": digest}, tmp_path / "model")
    with pytest.raises(ValueError, match="not a digest"):
        objects.path("sha256:../../etc/passwd")
    assert not objects.exists("sha256:../../etc/passwd")


@pytest.mark.parametrize("call", ["fsync", "fchmod", "replace"])
def test_a_half_written_object_is_never_visible(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whichever step of a write fails, the object is absent and nothing is left in its place."""
    objects.put_bytes(b"first")

    def stop(*_: object) -> None:
        raise PulledPlugError

    with monkeypatch.context() as patch:
        patch.setattr(os, call, stop)
        with pytest.raises(PulledPlugError):
            objects.put_bytes(b"second")
    visible = list(objects)

    assert visible == [digest_bytes(b"first")]
    assert not objects.exists(digest_bytes(b"second"))
    assert list((objects.directory / "incoming").iterdir()) == []
    assert objects.read(objects.put_bytes(b"second")) == b"second"


def test_a_write_is_flushed_before_it_is_named(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is on disk before the rename and the folder after it: a power cut loses nothing."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def flush(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def rename(source: str, target: Path) -> None:
        done.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", rename)
    objects.put_bytes(b"x")

    assert done == ["file", "folder", "rename", "folder"]


def test_a_changed_byte_is_refused_on_reading_and_healed_by_writing(objects: ObjectStore) -> None:
    """A damaged object is not read as if it were whole, and storing its bytes again repairs it."""
    digest = objects.put_bytes(b"weights")
    path = objects.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"weightz")

    assert objects.rehash(digest) == digest_bytes(b"weightz")
    with pytest.raises(IntegrityError, match="now has digest"):
        objects.read(digest)
    objects.put_bytes(b"weights")
    assert objects.read(digest) == b"weights"


def test_an_absent_object_is_named(objects: ObjectStore) -> None:
    """Asking for an object that is not there says which one."""
    digest = digest_bytes(b"nothing")

    assert objects.rehash(digest) is None
    with pytest.raises(IntegrityError, match=f"object {digest} is not in the store"):
        objects.open(digest)


def test_write_whole_keeps_the_old_file_until_the_new_one_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file for people is replaced in one step or not at all."""
    path = tmp_path / "report.html"
    write_whole(path, b"old")

    def stop(*_: object) -> None:
        raise PulledPlugError

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stop)
        with pytest.raises(PulledPlugError):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
