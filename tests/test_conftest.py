"""The test harness itself: a skip stays a skip, until skips are not allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.postgres import NoServer, programs

INNER = """
import pytest

def test_passes():
    assert True

def test_wants_data(data_dir):
    assert data_dir.is_dir()

def test_wants_a_right():
    pytest.skip("not permitted here: mounting")

@pytest.mark.xfail(reason="known", strict=True)
def test_known_failure():
    assert False
"""

WHOLE_MODULE = """
import pytest

pytest.skip("nothing for this machine", allow_module_level=True)
"""


@pytest.mark.parametrize(
    ("require", "summary", "code"),
    [
        ("", "1 passed, 3 skipped, 1 xfailed", 0),
        ("1", "1 passed, 1 skipped, 1 xfailed, 2 errors", 1),
    ],
)
def test_skips_fail_where_they_are_not_allowed(
    tmp_path: Path, require: str, summary: str, code: int
) -> None:
    """With the variable set, a skipped test and a skipped module are failures; without, skips."""
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path / "conftest.py")
    (tmp_path / "test_inner.py").write_text(INNER)
    (tmp_path / "test_module.py").write_text(WHOLE_MODULE)
    env = {k: v for k, v in os.environ.items() if k != "NORMWRIGHT_DATA"}
    env |= {"NORMWRIGHT_REQUIRE": require}

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "."]
        + (["--continue-on-collection-errors"] if require else []),
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert summary in ran.stdout.splitlines()[-1], ran.stdout
    assert require or "1 skipped: the real data are not here: set" in ran.stdout
    assert ran.returncode == code


def test_where_there_is_no_server_the_skip_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without PostgreSQL its tests are skipped with the package to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoServer, match="apt-get install postgresql"):
        programs(tmp_path)
