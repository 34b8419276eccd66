"""Real disks that are full, read-only or forbidden, for the tests of what happens then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

NOT_PERMITTED = "not permitted here:"
"""How a skip begins that `conftest` lets stand even where all others count as failures."""

ROOT = Path(__file__).parents[1]

_RIGHTS = "--bounding-set=-dac_override,-dac_read_search"
"""Without these two even root is held to the permissions of a file."""


@contextmanager
def small_disk(place: Path, *, size: str) -> Iterator[Path]:
    """Give a file system in memory of that size; the test is skipped where mounting is refused."""
    place.mkdir(parents=True, exist_ok=True)
    _mount(["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)])
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def read_only(place: Path, *, at: Path | None = None) -> Iterator[Path]:
    """Make what lies under a directory read-only for everybody, root included.

    With `at` it is so only there, and whoever goes by its own path may write.
    """
    seen = place if at is None else at
    seen.mkdir(parents=True, exist_ok=True)
    _mount(["--bind", str(place), str(seen)])
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(seen)], check=True)
        yield seen
    finally:
        subprocess.run(["umount", "--lazy", str(seen)], check=True)


def _mount(arguments: Sequence[str]) -> None:
    if shutil.which("mount") is None:
        pytest.skip(f"{NOT_PERMITTED} there is no mount to make a small disk with")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{NOT_PERMITTED} mounting: {done.stderr.strip()}")


def as_anybody() -> list[str]:
    """Return what to put before a command so that file permissions hold for it."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip(f"{NOT_PERMITTED} there is no setpriv to give up the rights of root with")
    return ["setpriv", _RIGHTS]


def call(
    *arguments: object, before: Sequence[str] = (), environment: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """Call the command line in a process of its own and return what it left behind."""
    code = "from normwright.cli import main; main()"
    return subprocess.run(
        [*before, sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=300,
    )
