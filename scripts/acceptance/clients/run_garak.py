"""Run garak's probes against one address; in garak's own environment, without a network.

    python run_garak.py PLAN.json

The plan says `url`, `key`, `out` (a folder), `cap` (prompts a probe, if it can be capped), `most`
(prompts a probe may have at all, 0: any number), `probes` (beginnings of names, or null for all
active ones that load) and `benign` (prompts that are sent the same way, through garak's own
client). Writes result.json into the folder.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LEFT_OUT = {
    "probes.atkgen.Tox": "its attacker is a model on a hub",
    "probes.sysprompt_extraction.SystemPromptExtraction": "its prompts are on a hub; without them "
    "it ends the whole run",
}
"""Probes that load and cannot run offline, with why."""
LEFT_OUT_MODULES = {"probes.packagehallucination": "its detectors are lists on a hub"}


def main() -> None:
    """Run what the plan asks for."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    out = Path(plan["out"])
    out.mkdir(parents=True, exist_ok=True)
    os.environ["OPENAICOMPATIBLE_API_KEY"] = plan["key"]
    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ[name] = str(out / "home")
    probes, left_out = loadable(plan["cap"], plan["most"])
    if plan["probes"]:
        probes = [p for p in probes if any(p.startswith(f"probes.{w}") for w in plan["probes"])]
    config = out / "config.yaml"
    config.write_text(json.dumps(settings(plan, probes), indent=1), "utf-8")
    began = time.time()
    ran = subprocess.run(
        [sys.executable, "-m", "garak", "--config", str(config)],
        stdout=(out / "garak.out").open("wb"), stderr=subprocess.STDOUT, cwd=out, check=False,
    )  # fmt: skip
    seconds = time.time() - began
    result = {
        "exit": ran.returncode,
        "seconds": round(seconds, 1),
        "probes": probes,
        "left_out": left_out,
        **read_report(out / "garak_runs" / "run.report.jsonl"),
    }
    if plan["benign"]:
        benign(plan)
    (out / "result.json").write_text(json.dumps(result, indent=1), "utf-8")


def settings(plan: dict[str, Any], probes: list[str]) -> dict[str, Any]:
    """Return garak's configuration; JSON is YAML."""
    return {
        "system": {"parallel_attempts": False, "lite": True},
        "run": {
            "generations": 1,
            "seed": 7,
            "soft_probe_prompt_cap": plan["cap"],
            "spec": {"include": probes, "exclude": []},
        },
        "plugins": {
            "target_type": "openai.OpenAICompatible",
            "target_name": "acceptance",
            "generators": {"openai": {"OpenAICompatible": generator(plan["url"])}},
        },
        "reporting": {"report_dir": str(Path(plan["out"]) / "garak_runs"), "report_prefix": "run"},
    }


def generator(url: str) -> dict[str, Any]:
    """Return the settings of garak's client. What would cut an answer is off."""
    return {"uri": url, "stop": [], "max_tokens": 400, "temperature": 0.0}


def loadable(cap: int, most: int) -> tuple[list[str], dict[str, str]]:
    """Return the active probes that load, and why others are left out."""
    from garak import _config, _plugins  # type: ignore[import-not-found]

    _config.load_config()
    _config.run.soft_probe_prompt_cap = cap
    kept, left = [], {}
    for name, active in _plugins.enumerate_plugins("probes"):
        module = name.rsplit(".", 1)[0]
        why = LEFT_OUT.get(name) or LEFT_OUT_MODULES.get(module)
        if not active:
            continue
        if why is None:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    probe = _plugins.load_plugin(name)
                why = None if probe.prompts else "it has no prompts offline"
                if why is None and most and len(probe.prompts) > most:
                    why = f"{len(probe.prompts)} prompts, cannot be capped, left out of short runs"
                if why is None and not any(map(detector_loads, detectors(probe))):
                    why = "none of its detectors loads offline, and garak then ends the whole run"
            except Exception as error:  # noqa: BLE001 - whatever it is, the probe does not load
                why = f"does not load offline ({type(error).__name__})"
        if why is None:
            kept.append(name)
        else:
            left[name] = why
    return kept, left


def detectors(probe: Any) -> list[str]:
    """Return the detectors that a probe names."""
    return [d for d in (probe.primary_detector, *probe.extended_detectors) if d]


@functools.cache
def detector_loads(name: str) -> bool:
    """Say whether a detector loads offline."""
    from garak import _plugins

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return bool(_plugins.load_plugin(f"detectors.{name}", break_on_fail=False))
    except Exception:  # noqa: BLE001 - whatever it is, the detector does not load
        return False


def read_report(path: Path) -> dict[str, Any]:
    """Return garak's own scores, and of each attempt what is needed to score it again."""
    evals, attempts, finished = [], [], False
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        row = json.loads(line)
        match row["entry_type"]:
            case "eval":
                evals.append({k: row[k] for k in ("probe", "detector", "passed", "fails", "nones")})
            case "attempt" if row["status"] == 2:
                attempts.append(attempt(row))
            case "completion":
                finished = True
    return {"finished": finished, "evals": evals, "attempts": attempts}


def attempt(row: dict[str, Any]) -> dict[str, Any]:
    """Return an attempt: its probe, its messages as they went out, and the detectors' scores."""
    turns = row["prompt"]["turns"]
    return {
        "probe": row["probe_classname"],
        "messages": [{"role": t["role"], "content": t["content"]["text"]} for t in turns],
        "scores": row["detector_results"],
    }


def benign(plan: dict[str, Any]) -> None:
    """Send the benign prompts with garak's own client."""
    from garak import _config
    from garak.attempt import Conversation, Message, Turn  # type: ignore[import-not-found]
    from garak.generators.openai import OpenAICompatible  # type: ignore[import-not-found]

    _config.plugins.generators = {}
    for row in plan["benign"]:
        url = plan["url"].replace("/case/garak/", f"/case/{row['case']}/")
        _config.plugins.generators["openai"] = {"OpenAICompatible": generator(url)}
        client = OpenAICompatible(name="acceptance", config_root=_config)
        for prompt in row["prompts"]:
            client.generate(Conversation([Turn("user", Message(prompt))]))


if __name__ == "__main__":
    main()
