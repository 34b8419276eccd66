"""The import contracts hold, and each reason to break one is caught and named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of the tree under `root`."""
    code = (
        "import sys; from importlinter.cli import lint_imports;"
        " sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    )
    env = {**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "400"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the Python sources and of the contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "src" / "normwright",
        tmp_path / "src" / "normwright",
        ignore=lambda folder, names: [
            n for n in names if n == "__pycache__" or ("." in n and not n.endswith(".py"))
        ],
    )
    return tmp_path


def plant(tree: Path, module: str, line: str) -> None:
    """Append one line to a module, making the module (and its package) if it is not there."""
    path = tree / "src" / Path(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(exist_ok=True)
    (path.parent / "__init__.py").touch()
    with path.open("a") as file:
        file.write(f"\n{line}\n")


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    """The sources as they are break nothing."""
    ran = lint(tree)

    assert ran.returncode == 0, ran.stdout
    assert " 0 broken" in ran.stdout


@pytest.mark.parametrize(
    ("module", "line", "named"),
    [
        (
            "normwright.learn.planted",
            "import normwright.charter",
            "normwright.learn is not allowed to import normwright.charter",
        ),
        (
            "normwright.scenes.planted",
            "import normwright.stats",
            "normwright.scenes is not allowed to import normwright.stats",
        ),
        ("normwright.utils.planted", "", "normwright.utils"),
        (
            "normwright.guard.planted",
            "import torch",
            "normwright.guard is not allowed to import torch",
        ),
        (
            "normwright.records.planted",
            "import normwright.flow",
            "normwright.records is not allowed to import normwright.flow",
        ),
        (
            "normwright.flow.planted",
            "import fastapi",
            "normwright.flow is not allowed to import fastapi",
        ),
        (
            "normwright.records.planted",
            "import numpy",
            "normwright.records is not allowed to import numpy",
        ),
    ],
    ids=["stage-to-stage", "sibling", "utils", "torch-in-guard", "upward", "web", "records"],
)
def test_a_planted_import_is_named(tree: Path, module: str, line: str, named: str) -> None:
    """One wrong import, or one room that nobody placed, breaks a contract that names it."""
    plant(tree, module, line)

    ran = lint(tree)

    assert ran.returncode != 0
    assert named in ran.stdout, ran.stdout
