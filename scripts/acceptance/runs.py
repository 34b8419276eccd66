"""One run of one client against one arm: what is started, what is asked, and what came of it."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.acceptance import cases
from scripts.acceptance.actors import Actors
from scripts.acceptance.guarding import KEY, Served, guard
from scripts.acceptance.wire import Relay, complies, post, serving

ROOT = Path(__file__).resolve().parent.parent.parent
CLIENTS = Path(__file__).with_name("clients")
QUICK_PROBES = ("dan.AutoDAN", "encoding.InjectBase64", "promptinject.HijackHate", "lmrc.SlurUsage")


@dataclass(frozen=True)
class Arm:
    """What a client is pointed at."""

    name: str
    embedded: bool
    checks: bool


ARMS = {
    arm.name: arm
    for arm in (
        Arm("complies-bare", embedded=False, checks=False),
        Arm("complies-guarded", embedded=False, checks=True),
        Arm("embedded-bare", embedded=True, checks=False),
        Arm("embedded-guarded", embedded=True, checks=True),
    )
}


@dataclass(frozen=True)
class Setting:
    """What all runs share."""

    work: Path
    """build/acceptance: environments by client, and `results`."""
    quick: bool
    data: Path | None

    @property
    def results(self) -> Path:
        """Where results lie."""
        return self.work / ("results-quick" if self.quick else "results")

    def learned(self) -> cases.Learned:
        """Return what the embedded classifier learned from; nothing where there are no data."""
        if self.data is None:
            return cases.Learned(frozenset())
        return cases.Learned.of(self.data, self.work / "learned.json")

    def python(self, client: str) -> Path:
        """Return the interpreter of a client's environment."""
        return self.work / client / "bin" / "python"

    def package(self, client: str, package: str) -> Path:
        """Return the folder of a package in a client's environment."""
        return next((self.work / client / "lib").glob(f"python3*/site-packages/{package}"))


@dataclass(frozen=True)
class Stage:
    """What is running while a client works."""

    setting: Setting
    arm: Arm
    folder: Path
    relay: str
    wire: Path
    direct: Served | str
    """The guard itself, or the address of the bare upstream."""

    def run(self, client: str, script: str, plan: dict[str, Any]) -> int:
        """Run a client's script with a plan, in its environment; returns its exit status."""
        path = self.folder / "plan.json"
        path.write_text(json.dumps({"key": KEY, **plan}, ensure_ascii=False, indent=1), "utf-8")
        environment = {
            **{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")},
            "NO_COLOR": "1",
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": "",
        }
        with (self.folder / "client.log").open("wb") as out:
            return subprocess.run(
                [self.setting.python(client), CLIENTS / script, path],
                stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=self.folder, check=False,
            ).returncode  # fmt: skip


@contextmanager
def staged(
    setting: Setting, client: str, arm: Arm, actors: Actors | None = None
) -> Iterator[tuple[Stage, str]]:
    """Start the upstream, the guard and the relay; yields them and the address of the actors."""
    folder = setting.results / f"{client}.{arm.name}"
    folder.mkdir(parents=True, exist_ok=True)
    wire = folder / "wire.jsonl"
    wire.unlink(missing_ok=True)
    with ExitStack() as stack:
        up = None if arm.embedded else stack.enter_context(serving(complies))
        direct: Served | str
        if up is not None and not arm.checks:
            direct = up
        else:
            direct = stack.enter_context(guard(folder / "guard", up, checks=arm.checks))
        target = direct if isinstance(direct, str) else direct.url
        relay = stack.enter_context(serving(Relay(target, wire, arm.name)))
        acting = "" if actors is None else stack.enter_context(serving(actors))
        yield Stage(setting, arm, folder, relay, wire, direct), acting


def run_garak(setting: Setting, arm: Arm) -> dict[str, Any]:
    """Run garak's probes, and benign prompts and contrasts through its own client."""
    small = setting.quick or arm.embedded
    sent = _sent_beside(setting, 5 if setting.quick else 12 if arm.embedded else 200)
    with staged(setting, "garak", arm) as (stage, _):
        plan = {
            "url": f"{stage.relay}/case/garak/v1/",
            "out": str(stage.folder / "garak"),
            "cap": 1 if small else 6,
            "most": 20 if small else 0,
            "probes": QUICK_PROBES if setting.quick else None,
            "benign": sent,
        }
        code = stage.run("garak", "run_garak.py", plan)
        found = _read(stage.folder / "garak" / "result.json")
        return {"client_exit": code, **found, **_after(stage)}


def _sent_beside(setting: Setting, n: int) -> list[dict[str, Any]]:
    """Return benign prompts, and harmful ones without any trick, by kind."""
    harmful = [o.text for o in cases.objectives(setting.package("pyrit", "pyrit"))]
    data, known = setting.data, setting.learned()
    sets: dict[str, Sequence[str]] = {"harm.advbench": harmful}
    if data is not None:
        sets |= {
            "harm.xstest": cases.contrasts(data, "unsafe"),
            "harm.injection-en": cases.injections(data, "English"),
            "harm.injection-pt": cases.injections(data, "Portuguese"),
            "benign.instructions": cases.instructions(data),
            "benign.xstest": cases.contrasts(data, "safe"),
            "benign.questions-pt": cases.questions(data, "pt"),
        }
    sent = {name: known.unseen_first(texts, n) for name, texts in sets.items()}
    if data is not None:
        sent["benign.encoded"] = cases.encoded(sent["benign.instructions"][: n // 2])
    return [{"case": name, "prompts": prompts} for name, prompts in sent.items()]


def _objectives(setting: Setting, n: int) -> tuple[list[cases.Objective], list[str]]:
    """Return harmful objectives and benign ones that the classifier did not learn from."""
    known = setting.learned()
    found = {o.text: o for o in cases.objectives(setting.package("pyrit", "pyrit"))}
    harmful = cases.sample([t for t in found if t not in known], n)
    plain = [] if setting.data is None else cases.instructions(setting.data)
    return [found[t] for t in harmful], cases.sample([t for t in plain if t not in known], n)


def run_pyrit(setting: Setting, arm: Arm) -> dict[str, Any]:
    """Run PyRIT's attacks and their benign twins."""
    n, turns = (2, 2) if setting.quick else (6, 3) if arm.embedded else (40, 20)
    each = {a: n if a in ("single", "skeleton_key", "many_shot") else turns for a in cases.ATTACKS}
    harmful, benign = _objectives(setting, n)
    planned = cases.plan_attacks(harmful, benign, each)
    if setting.quick:
        planned = [p for p in planned if p["attack"] != "tap" or p["case"].endswith(".0")]
    actors = Actors({p["case"]: p for p in planned})
    with staged(setting, "pyrit", arm, actors) as (stage, acting):
        plan = {
            "url": stage.relay + "/case/{case}/v1",
            "actor": acting + "/case/{case}/v1",
            "out": str(stage.folder / "pyrit.json"),
            "cases": planned,
            "examples": 20,
        }
        code = stage.run("pyrit", "run_pyrit.py", plan)
        found = _read(stage.folder / "pyrit.json").get("cases", [])
        return {"client_exit": code, "planned": planned, "told": found, **_after(stage)}


def run_inspect(setting: Setting, arm: Arm) -> dict[str, Any]:
    """Run Inspect with the guard as its model."""
    n = 5 if setting.quick else 20 if arm.embedded else 60
    objectives, benign = _objectives(setting, n)
    with staged(setting, "inspect", arm) as (stage, _):
        plan = {
            "url": stage.relay + "/case/inspect/v1",
            "out": str(stage.folder),
            "samples": [
                *(
                    {"id": f"harm.{i}", "input": t}
                    for i, t in enumerate(o.text for o in objectives)
                ),
                *({"id": f"benign.{i}", "input": t} for i, t in enumerate(benign)),
            ],
        }
        code = stage.run("inspect", "run_inspect.py", plan)
        return {"client_exit": code, **_read(stage.folder / "inspect.json"), **_after(stage)}


def run_errands(setting: Setting, arm: Arm) -> dict[str, Any]:
    """Run an agent in Inspect: its words go through the proxy, its calls through our approver."""
    errands = cases.errands(6 if setting.quick else 45)
    with staged(setting, "errands", arm) as (stage, _):
        plan = {
            "url": stage.relay + "/case/errands/v1",
            "out": str(stage.folder),
            "runs": [
                {
                    "id": f"run.{i}",
                    "input": "Please do this:\n"
                    + "\n".join(f"CALL {s.tool} {json.dumps(s.arguments)}" for s in steps),
                    "expected": [s.made for s in steps],
                }
                for i, steps in enumerate(errands)
            ],
        }
        code = stage.run("inspect", "run_errands.py", plan)
        return {"client_exit": code, **_read(stage.folder / "errands.json"), **_after(stage)}


def run_talk(setting: Setting, arm: Arm) -> dict[str, Any]:
    """Send everyday conversations, turn by turn, and tools; there is no client but HTTP in it."""
    sent = cases.small_talk()
    with staged(setting, "talk", arm) as (stage, _):
        for one in sent[:: 10 if setting.quick else 1]:
            post(f"{stage.relay}/case/{one['case']}/v1/chat/completions", one["body"])
        return {"client_exit": 0, **_after(stage)}


def run_agentdojo(setting: Setting, arm: Arm) -> dict[str, Any]:
    """Put the guard of agents before AgentDojo's tools; there is no model and no proxy in it."""
    folder = setting.results / f"agentdojo.{arm.name}"
    folder.mkdir(parents=True, exist_ok=True)
    script = ROOT / "scripts" / "acceptance" / "agentdojo.py"
    command: list[str | Path] = [setting.python("agentdojo"), script, "--out", folder / "report.md"]
    command += ["banking", "--readers", "none"] if setting.quick else []
    with (folder / "client.log").open("wb") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    report = folder / "report.md"
    return {"client_exit": code, "report": report.read_text("utf-8") if report.is_file() else ""}


def run_schemathesis(setting: Setting, arm: Arm) -> dict[str, Any]:
    """Send what the guard's own description allows, and what it does not."""
    with staged(setting, "schemathesis", arm) as (stage, _):
        if isinstance(stage.direct, str):
            raise ValueError("the bare upstream has no description")
        plan = {
            "url": stage.direct.url,
            "out": str(stage.folder),
            "examples": 10 if setting.quick else 30,
        }
        code = stage.run("schemathesis", "run_schemathesis.py", plan)
        found = _read(stage.folder / "schemathesis.json")
        healthy = stage.direct.get("/healthz")
        return {"client_exit": code, **found, "health": healthy, **_after(stage)}


def _after(stage: Stage) -> dict[str, Any]:
    """Return what the guard says of its own verdicts, and whether it kept the key to itself."""
    if isinstance(stage.direct, str):
        return {}
    ids = [r["verdict"] for r in wire_rows(stage.wire) if r["finish"] == "content_filter"]
    return {
        "policy": (stage.direct.get("/healthz") or {}).get("policy"),
        "classifier": weights(),
        "verdicts": {i: stage.direct.get(f"/v1/verdicts/{i}") for i in ids if i},
        "files_with_key": stage.direct.holds_key(),
    }


def weights() -> str:
    """Return the digest of the embedded classifier's weights, which a policy's does not name."""
    path = ROOT / "src" / "normwright" / "guard" / "text_harm" / "embedded" / "digests.json"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def guard_state() -> str:
    """Return the digest of all that decides what a guard says and serves: code, rules, weights."""
    told = hashlib.sha256()
    source = ROOT / "src" / "normwright"
    for room in (source / "guard", source / "web" / "guard"):
        for file in sorted(room.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                told.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return told.hexdigest()


def wire_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows a relay wrote."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


ENVIRONMENT = {"errands": "inspect", "talk": None}
"""Client -> the environment it runs in, where that has another name; None: it needs none."""

Run = Callable[[Setting, Arm], dict[str, Any]]
RUNS: dict[str, tuple[Run, tuple[str, ...]]] = {
    "garak": (run_garak, tuple(ARMS)),
    "pyrit": (run_pyrit, tuple(ARMS)),
    "inspect": (run_inspect, tuple(ARMS)),
    "schemathesis": (run_schemathesis, ("complies-guarded",)),
    "errands": (run_errands, ("complies-bare", "complies-guarded")),
    "talk": (run_talk, ("complies-guarded",)),
    "agentdojo": (run_agentdojo, ("complies-guarded",)),
}
"""Client -> how it is run, and against which arms."""


def timed(run: Run, setting: Setting, arm: Arm) -> dict[str, Any]:
    """Return what a run gives, with how long it took and how much of the processor."""
    state = guard_state() if arm.checks else ""
    began, used = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = run(setting, arm)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {
        **found,
        "guard": state,
        "wall_s": round(time.time() - began, 1),
        "cpu_s": round(cpu, 1),
    }
