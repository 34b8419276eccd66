"""The wheel: whole, alone, and of use without what trains models."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEAVY = ("torch", "transformers", "tokenizers", "safetensors", "accelerate", "lm_eval")
LARGEST = 13_000_000
"""Bytes the wheel may have: its weights, those of the guard among them, are 12 MB unpacked."""


@dataclass(frozen=True)
class Core:
    """The wheel, installed where nothing that touches weights can be imported."""

    path: str
    """What goes into PYTHONPATH."""

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the installed command line."""
        return self.python("from normwright.cli import main; main()", *arguments)

    def python(self, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run Python beside the installed wheel."""
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": self.path},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources, for building leaves files beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    pip("wheel", "--wheel-dir", folder, source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def core(wheel: Path) -> Core:
    """The wheel without any extra."""
    target, blocked = wheel.parent / "installed", wheel.parent / "blocked"
    pip("install", "--target", target, wheel)
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(
        f"import sys\nsys.modules.update(dict.fromkeys({HEAVY!r}))\n", encoding="utf-8"
    )
    return Core(f"{blocked}{os.pathsep}{target}")


@pytest.fixture(scope="module")
def town(core: Core, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that the core alone began and carried to its charter."""
    place = tmp_path_factory.mktemp("core") / "town"
    made = core("init", place, "--template", "micro", "--json")
    assert "normwright.schema.json" in json.loads(made.stdout)["files"]
    ran = core("run", place, "--until", "charter", "--json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place


def pip(*arguments: object) -> None:
    """Call pip, offline and for one distribution alone."""
    command, *rest = map(str, arguments)
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    options += ["--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", command, *options, *rest],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip


def metadata(wheel: Path) -> Message:
    """What a wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode("utf-8"))


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file of the package lies in it, weights and templates too, and no other."""
    with zipfile.ZipFile(wheel) as archive:
        held = {n for n in archive.namelist() if ".dist-info/" not in n}
    there = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "normwright").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert held == there
    assert "normwright/models/embedded/model.safetensors" in held
    assert wheel.stat().st_size < LARGEST


def test_it_says_what_it_needs_and_under_which_licence(wheel: Path) -> None:
    """Requirements, extras and licences are those declared; the core needs nothing heavy."""
    told = metadata(wheel)
    needs = told.get_all("Requires-Dist") or []
    core_needs = {one for one in needs if "extra ==" not in one}
    with zipfile.ZipFile(wheel) as archive:
        licences = {Path(n).name for n in archive.namelist() if "/licenses/" in n}

    assert core_needs == set(DECLARED["dependencies"])
    assert set(told.get_all("Provides-Extra") or []) == set(DECLARED["optional-dependencies"])
    assert not {re.split(r"[^\w-]", one)[0] for one in core_needs} & set(HEAVY)
    assert told["License-Expression"] == "Apache-2.0"
    assert licences == {"LICENSE", "NOTICE"}


def test_the_core_goes_from_votes_to_a_charter(core: Core, town: Path) -> None:
    """Installed alone it elicits, aggregates and ratifies, and answers from the charter."""
    home = core.python("import normwright; print(normwright.__file__)")
    act = ("--act", "disclose.personal-data", "--fact", "data_public=true")
    asked = core("charter", "decide", town, *act, "--json")

    assert home.stdout.startswith(core.path.rpartition(os.pathsep)[2])
    assert json.loads(asked.stdout)["verdict"] == "allow"


def test_what_lacks_is_named_with_the_remedy(core: Core, town: Path, tmp_path: Path) -> None:
    """A step that needs models stops the run there; what came before is kept, and told."""
    demo = core("demo", tmp_path / "demo", "--json")
    ran, status = core("run", town, "--json"), core("status", town, "--json")
    listed = core("plugins", "recipes", "--json")

    for failed in (demo, ran):
        (fault,) = json.loads(failed.stdout)["error"]["faults"]
        assert failed.returncode == 1
        assert fault["where"] == "MissingExtra"
        assert "pip install 'normwright[learn]'" in fault["seen"]
    assert not (tmp_path / "demo").exists()
    states: dict[str, Any] = {s["name"]: s["state"] for s in json.loads(status.stdout)["stages"]}
    assert states["charter"] == "done"
    assert states["learn.data"] == "waiting"
    broken = json.loads(listed.stdout)["broken"]
    assert {bad["name"] for bad in broken} >= {"prefer", "sft"}
    assert all("pip install 'normwright[learn]'" in bad["reason"] for bad in broken)


def test_the_core_decides_a_release_anew(core: Core, micro_project: Path, tmp_path: Path) -> None:
    """On evidence from elsewhere another limit is decided, reported and verified without models."""
    project = shutil.copytree(micro_project, tmp_path / "town")
    criteria = project / "criteria.yaml"
    text = criteria.read_text(encoding="utf-8")
    criteria.write_text(text.replace("alpha: 0.05", "alpha: 0.01"), encoding="utf-8")
    report = (project / "out/report.html").read_bytes()

    ran, verified = core("run", project, "--json"), core("verify", project)
    chat = core("chat", project, "--say", "hello", "--json")

    assert ran.returncode in (3, 4), ran.stdout + ran.stderr
    stages = json.loads(ran.stdout)["stages"]
    assert [stage["name"] for stage in stages if not stage["skipped"]] == ["release"]
    assert json.loads((project / "out/verdict.json").read_text())["alpha"] == 0.01
    assert (project / "out/report.html").read_bytes() != report
    assert verified.returncode == 0, verified.stderr
    assert "normwright[learn]" in json.loads(chat.stdout)["error"]["faults"][0]["seen"]
