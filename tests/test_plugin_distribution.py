"""Plug-ins of another distribution, really installed: found, used, keyed, and broken alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from normwright import flow, plugins
from normwright.records import Outcome
from normwright.store import Store

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "plugin"

CARD = 'Card(name="{name}", kind="{kind}", summary="A part.", status="experimental")'
PART = f"""\
from normwright.plugins import Card, plugin
@plugin({CARD})
def part(wins, voters): ...
"""
BROKEN = {
    "absent": "import a_module_nobody_has\n",
    "leaves": "import sys; sys.exit(3)\n",
    "marked": "raise ValueError('[/red] closes nothing')\n",
    "rude": "class Rude(BaseException): ...\nraise Rude\n",
    "half": PART.format(name="half", kind="methods") + "raise RuntimeError('too late')\n",
    "taken": PART.format(name="schulze", kind="methods"),
    "kind": PART.format(name="misplaced", kind="suites"),
    "bare": "def part(): ...\n",
}
"""Module -> what is wrong with it; each stands among `methods`."""

LOUD = "print('good morning')\n" + PART.format(name="loud", kind="methods")
"""A module that works and prints on import."""


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """Stdout as the one JSON value it must be."""
        return json.loads(self.out)


def cli(*arguments: object, path: Path | None = None) -> Ran:
    """Run the command line in a process of its own, with the distributions under `path`."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    if path is not None:
        env["PYTHONPATH"] = str(path)
    ran = subprocess.run(
        [sys.executable, "-c", "from normwright.cli import main; main()", *map(str, arguments)],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def install(source: Path, target: Path) -> None:
    """Install one distribution, offline and alone, into a directory."""
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
            "--no-build-isolation", "--disable-pip-version-check",
            "--target", str(target), str(source),
        ],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example distribution is installed."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder / "source")  # building leaves files beside the source
    install(folder / "source", folder / "installed")
    return folder / "installed"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a distribution is installed of which every part but one is broken."""
    folder = tmp_path_factory.mktemp("broken")
    package = folder / "source" / "bad_parts"
    package.mkdir(parents=True)
    for name, text in {"__init__": "", "loud": LOUD, **BROKEN}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    declared = "\n".join(f'a-{name} = "bad_parts.{name}"' for name in ("loud", *BROKEN))
    (folder / "source" / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n"
        "[project]\nname = 'bad-parts'\nversion = '0.3'\n"
        f"[project.entry-points.'normwright.methods']\n{declared}\n"
        "[tool.setuptools]\npackages = ['bad_parts']\n",
        encoding="utf-8",
    )
    install(folder / "source", folder / "installed")
    return folder / "installed"


@pytest.fixture(scope="module")
def ranked(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose ballots were ranked by the example's method."""
    directory = flow.init(tmp_path_factory.mktemp("ranked") / "micro", "micro").directory
    edit(directory / "normwright.yaml", "ranking: schulze", "ranking: black")
    ran = cli("run", directory, "--until", "aggregate", "--json", path=example)
    assert skipped(ran) == {"elicit": False, "aggregate": False}
    return directory


@pytest.fixture
def project(ranked: Path, tmp_path: Path) -> Path:
    """A copy of that project."""
    return shutil.copytree(ranked, tmp_path / "micro")


def edit(path: Path, old: str, new: str) -> None:
    """Replace what stands once in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def skipped(ran: Ran) -> dict[str, bool]:
    """Which steps of a run were skipped."""
    assert ran.code == 0, ran.out + ran.err
    return {stage["name"]: stage["skipped"] for stage in ran.value["stages"]}


def test_it_is_listed_with_its_distribution(example: Path) -> None:
    """`normwright plugins` tells both parts with name and version of the distribution."""
    found = cli("plugins", "--json", path=example)
    screen = cli("plugins", "methods", path=example)

    theirs = {
        (one["kind"], one["name"]): (one["distribution"], one["version"])
        for one in found.value["plugins"]
        if one["distribution"] != plugins.OURS
    }
    assert theirs == {
        ("methods", "black"): ("normwright-extras", "0.1.0"),
        ("criteria", "rate-upper-anytime"): ("normwright-extras", "0.1.0"),
    }
    assert found.value["broken"] == []
    assert "black" in screen.out


def test_its_own_tests_pass_where_it_is_installed(example: Path) -> None:
    """The example is tested as a stranger would test it: its tests, its installed code."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")],
        env={**os.environ, "PYTHONPATH": str(example)}, cwd=EXAMPLE,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout


def test_a_project_uses_it_and_its_code_is_in_the_key(example: Path, project: Path) -> None:
    """The result is skipped while the plug-in is the same, and made again when it changes."""
    installed = project.parent / "installed"
    shutil.copytree(example, installed)
    run = ("run", project, "--until", "aggregate", "--json")
    again = cli(*run, path=installed)
    # Not the module itself: whatever lies in its package can change what it does.
    (installed / "normwright_extras" / "py.typed").write_text("changed", encoding="utf-8")
    changed = cli(*run, path=installed)
    (metadata,) = installed.glob("*.dist-info/METADATA")
    edit(metadata, "Version: 0.1.0", "Version: 0.1.1")
    status = cli("status", project, "--json", path=installed)

    assert skipped(again) == {"elicit": True, "aggregate": True}
    assert skipped(changed) == {"elicit": True, "aggregate": False}
    states = {stage["name"]: stage["state"] for stage in status.value["stages"]}
    assert (states["elicit"], states["aggregate"]) == ("done", "waiting")
    with Store.open(project, create=False) as store:
        results = [one for one in store.results() if one.stage == "aggregate"]
        made = store.records(results[-1].made, Outcome)
    assert made[0].rankings[0].method == "black"
    told = [one.parameters["plugins"]["methods"]["black"] for one in results]
    assert {(one["distribution"], one["version"]) for one in told} == {
        ("normwright-extras", "0.1.0")
    }
    assert len({one["digest"] for one in told}) == 2


def test_where_it_is_missing_everything_but_a_run_still_works(example: Path, project: Path) -> None:
    """Without the distribution: verify and trace as before, status waits, a run says what lacks."""
    here = cli("status", project, "--json", path=example)
    digest = here.value["stages"][1]["made"][0]

    verified, traced = cli("verify", project), cli("trace", digest, "--project", project)
    status = cli("status", project, "--json")
    ran = cli("run", project, "--json")
    short = cli("run", project, "--until", "elicit", "--json")

    assert (verified.code, traced.code, status.code) == (0, 0, 0), verified.err + traced.err
    assert "black" not in verified.err
    states = {stage["name"]: stage["state"] for stage in status.value["stages"]}
    assert (states["elicit"], states["aggregate"]) == ("done", "waiting")
    (fault,) = ran.value["error"]["faults"]
    assert ran.code == 1
    assert fault["where"] == "normwright.yaml: method.ranking"
    assert fault["expected"].startswith("one of antiplurality, approval")
    assert "black" not in fault["expected"]
    assert skipped(short) == {"elicit": True}


def test_broken_parts_are_listed_with_their_reasons(broken: Path) -> None:
    """Each broken part is listed as broken and why; ours stand, and stdout is one JSON value."""
    found = cli("plugins", "--json", path=broken)
    screen = cli("plugins", path=broken)

    assert found.code == screen.code == 0
    reasons = {bad["where"].removeprefix("bad_parts."): bad for bad in found.value["broken"]}
    assert set(reasons) == set(BROKEN)
    assert {bad["distribution"] for bad in reasons.values()} == {"bad-parts"}
    for module, reason in {
        "absent": "ModuleNotFoundError: No module named 'a_module_nobody_has'",
        "leaves": "SystemExit: 3",
        "marked": "[/red] closes nothing",
        "rude": "Rude",
        "half": "RuntimeError: too late",
        "taken": "Two plug-ins call themselves 'schulze'",
        "kind": "no plug-in of methods; its cards say misplaced (suites)",
        "bare": "no plug-in of methods",
    }.items():
        assert reason in reasons[module]["reason"], module
    names = {(one["kind"], one["name"]): one for one in found.value["plugins"]}
    assert names["methods", "schulze"]["distribution"] == plugins.OURS
    assert names["methods", "loud"]["distribution"] == "bad-parts"
    assert not {("methods", "half"), ("suites", "misplaced")} & set(names)
    assert "good morning" in found.err
    assert "[/red]" in screen.out  # told as it is, and no markup of ours


def test_a_broken_part_is_named_when_a_project_asks_for_it(broken: Path, project: Path) -> None:
    """A run ends before it begins, with the reason the part is broken."""
    edit(project / "normwright.yaml", "ranking: black", "ranking: a-half")

    shutil.rmtree(project / ".normwright")

    ran = cli("run", project, "--json", path=broken)

    (fault,) = ran.value["error"]["faults"]
    assert ran.code == 1
    assert "is broken: RuntimeError: too late" in fault["do"]
    assert not (project / ".normwright").exists()


def test_a_criterion_of_theirs_decides(example: Path, micro_project: Path, tmp_path: Path) -> None:
    """Added to a finished project it decides the release again, in both languages, and no more."""
    directory = shutil.copytree(micro_project, tmp_path / "micro")
    edit(
        directory / "criteria.yaml",
        "\ncriteria:\n",
        "\ncriteria:\n"
        "  - id: harm.anytime\n    group: safety.global\n    kind: rate_upper_anytime\n"
        "    suite: harm\n    limit: 0.1\n    on_fail: hold\n"
        "    statement: {en: However often we look., pt: Por mais que olhemos.}\n",
    )

    ran = cli("run", directory, "--json", path=example)
    without = cli("run", directory, "--json")

    assert ran.code in (3, 4), ran.out + ran.err
    assert [s["name"] for s in ran.value["stages"] if not s["skipped"]] == ["release"]
    verdict = json.loads((directory / "out/verdict.json").read_text(encoding="utf-8"))
    internal = next(m for m in verdict["modes"] if m["mode"] == "internal")
    result = next(r for r in internal["results"] if r["criterion"] == "harm.anytime")
    assert result["n"] > 0
    assert set(result["reason"]) == {"en", "pt"}
    assert "of" in result["reason"]["en"]
    assert without.code == 1
    assert without.value["error"]["faults"][0]["where"] == "criteria.yaml: kind"
