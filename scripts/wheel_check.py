"""Install the wheel into empty environments, with the network, and use it there.

    python scripts/wheel_check.py [--torch-index URL] [--template town] [--keep DIR]

First the core alone: how long it takes to install, that it fits together (`pip check`), that it
brings nothing that trains models, and that it carries a project to its charter. Then the extra
`learn`: `normwright demo`, to a verdict. Prints one JSON value; exit 1 if anything is not as said.

Versions are those of constraints.txt. `--torch-index` names where torch, and torch alone, comes
from, for a build without GPU parts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MOST_SECONDS = 60
"""How long the core may take to install."""
HEAVY = {"torch", "transformers", "tokenizers", "safetensors", "accelerate"}
VERDICTS = {0: "RELEASE", 3: "HOLD", 4: "BLOCK"}
"""Exit codes of a demo that came to an honest verdict."""


class Failed(Exception):
    """Something is not as it was said."""


def main() -> int:
    """Build, install, use; print what was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--torch-index", default=None)
    parser.add_argument("--template", default="town")
    parser.add_argument("--keep", type=Path, default=None, help="work here and leave it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.keep.resolve() if arguments.keep else Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        seen: dict[str, Any] = {"load": os.getloadavg()[0], "cores": os.cpu_count()}
        try:
            check(place, seen, torch_index=arguments.torch_index, template=arguments.template)
        except Failed as failed:
            seen["failed"] = str(failed)
    sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    return 1 if "failed" in seen else 0


def check(place: Path, seen: dict[str, Any], *, torch_index: str | None, template: str) -> None:
    """Go from the sources to a verdict, and note what each part took.

    Raises:
        Failed: at the first thing that is not as said.
    """
    wheel = build(place)
    seen["wheel_bytes"] = wheel.stat().st_size
    core = empty(place / "core")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seen["core_install_seconds"] = install(core, str(wheel))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seen["core_install_cpu_seconds"] = round(spent, 1)
    names = {
        one["name"].lower() for one in json.loads(said(core, "-m", "pip", "list", "--format=json"))
    }
    seen["core_distributions"] = len(names)
    if found := names & HEAVY:
        raise Failed(f"the core brings {', '.join(sorted(found))}")
    said(core, "-m", "pip", "check")
    project = place / "project"
    normwright(core, "init", project, "--template", template)
    seen["core_to_charter_seconds"] = timed(core, "run", project, "--until", "charter", "--json")
    if normwright(core, "run", project, expected=(1,)).find("normwright[learn]") < 0:
        raise Failed("a step that lacks its libraries does not say so")
    whole = empty(place / "whole")
    if torch_index is not None:
        install(whole, pinned("torch"), "--index-url", torch_index)
    seen["learn_install_seconds"] = install(whole, f"{wheel}[learn]")
    said(whole, "-m", "pip", "check")
    started = time.perf_counter()
    normwright(
        whole, "demo", place / "demo", "--template", template, "--json", expected=tuple(VERDICTS)
    )
    seen["demo_seconds"] = round(time.perf_counter() - started, 1)
    verdict = json.loads((place / "demo" / "out" / "verdict.json").read_text(encoding="utf-8"))
    seen["demo_verdicts"] = {mode["mode"]: mode["verdict"] for mode in verdict["modes"]}
    normwright(whole, "verify", place / "demo")
    # Evidence made there is decided here, without what made it.
    seen["core_decides_seconds"] = decide_anew(core, place / "demo")
    if seen["core_install_seconds"] > MOST_SECONDS:
        raise Failed(f"the core took more than {MOST_SECONDS} s to install")


def build(place: Path) -> Path:
    """Return a wheel built from the tracked files alone, as a clean checkout would."""
    source = place / "source"
    shutil.rmtree(source, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    builder = empty(place / "builder")
    said(builder, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(place / "dist"), str(source))
    (wheel,) = (place / "dist").glob("*.whl")
    return wheel


def empty(folder: Path) -> Path:
    """Return the Python of a new environment that holds pip and nothing else."""
    venv.create(folder, with_pip=True, clear=True)
    return folder / "bin" / "python"


def install(python: Path, *what: str) -> float:
    """Install into an environment and return the seconds it took."""
    started = time.perf_counter()
    said(python, "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), *what)
    return round(time.perf_counter() - started, 1)


def pinned(name: str) -> str:
    """Return the requirement that constraints.txt sets for a distribution."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{name}=="))


def said(python: Path, *arguments: str, expected: tuple[int, ...] = (0,)) -> str:
    """Run Python outside the checkout and return what it wrote, both streams together.

    Raises:
        Failed: if it ended with another code than expected.
    """
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env["HF_HUB_OFFLINE"] = "1"
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    ran = subprocess.run(
        [str(python), *arguments], cwd=python.parent, env=env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode not in expected:
        tail = (ran.stdout + ran.stderr)[-2000:]
        raise Failed(f"{' '.join(arguments)} ended with {ran.returncode}: {tail}")
    return ran.stdout if "pip" in arguments else ran.stdout + ran.stderr


def normwright(python: Path, *arguments: object, expected: tuple[int, ...] = (0,)) -> str:
    """Run the installed command and return what it wrote."""
    code = "from normwright.cli import main; main()"
    return said(python, "-c", code, *map(str, arguments), expected=expected)


def timed(python: Path, *arguments: object) -> float:
    """Run the installed command and return the seconds it took."""
    started = time.perf_counter()
    normwright(python, *arguments)
    return round(time.perf_counter() - started, 1)


def decide_anew(python: Path, project: Path) -> float:
    """Change the error that criteria allow and decide on the evidence that is there."""
    criteria = project / "criteria.yaml"
    text = criteria.read_text(encoding="utf-8")
    criteria.write_text(text.replace("alpha: 0.05", "alpha: 0.01"), encoding="utf-8")
    started = time.perf_counter()
    normwright(python, "run", project, "--json", expected=tuple(VERDICTS))
    verdict = json.loads((project / "out" / "verdict.json").read_text(encoding="utf-8"))
    if verdict["alpha"] != 0.01:
        raise Failed("the core did not decide anew")
    return round(time.perf_counter() - started, 1)


if __name__ == "__main__":
    raise SystemExit(main())
