"""Run schemathesis against a server's own description; in its own environment, without a network.

    python run_schemathesis.py PLAN.json

The plan says `url`, `out` (a folder) and `examples` (most cases an operation and phase).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any


def main() -> None:
    """Run what the plan asks for."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    out = Path(plan["out"])
    events = out / "events.ndjson"
    events.unlink(missing_ok=True)
    program = Path(sys.executable).with_name("schemathesis")
    ran = subprocess.run(
        [program, "run", f"{plan['url']}/openapi.json", "--checks", "all", "--seed", "7",
         "--max-examples", str(plan["examples"]), "--continue-on-failure", "--no-color",
         "--request-timeout", "30", "--report", "ndjson", "--report-ndjson-path", str(events),
         "--generation-database", "none"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    (out / "schemathesis.out").write_text(ran.stdout + ran.stderr, "utf-8")
    found = {"exit": ran.returncode, **read_events(events), **read_summary(ran.stdout)}
    (out / "schemathesis.json").write_text(json.dumps(found, indent=1), "utf-8")


def read_events(path: Path) -> dict[str, Any]:
    """Return what is counted in the events: responses by status, failures by check."""
    statuses: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        _walk(json.loads(line), statuses, failures)
    return {"statuses": dict(statuses), "failures": dict(failures)}


def _walk(value: Any, statuses: Counter[str], failures: Counter[str]) -> None:
    if isinstance(value, dict):
        if isinstance(value.get("status_code"), int) and "headers" in value:
            statuses[str(value["status_code"])] += 1
        if value.get("status") == "failure" and isinstance(value.get("name"), str):
            failures[value["name"]] += 1
        for one in value.values():
            _walk(one, statuses, failures)
    elif isinstance(value, list):
        for one in value:
            _walk(one, statuses, failures)


def read_summary(said: str) -> dict[str, Any]:
    """Return schemathesis's own words at the end."""
    at = re.search(r"=+ SUMMARY =+", said)
    return {"summary": [] if at is None else said[at.end() :].strip().splitlines()}


if __name__ == "__main__":
    main()
