"""Point outside clients at the real guard, and write what came of it.

    python -m scripts.acceptance [--only garak ...] [--quick] [--again] [--page-only]

Every client runs in an environment of its own under build/acceptance (`make acceptance` makes them)
and in a network without a way out, where the system allows one. What a client did is kept in
build/acceptance/results; a client that is done is not run again unless `--again` says so. Writes
docs/experiments/guard-acceptance.md. Benign prompts come from the folder NORMWRIGHT_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from scripts.acceptance import isolation
from scripts.acceptance.cases import data_folder
from scripts.acceptance.runs import ARMS, ENVIRONMENT, ROOT, RUNS, Setting, guard_state, timed

PAGE = ROOT / "docs" / "experiments" / "guard-acceptance.md"


def main() -> int:
    """Run what is asked for; returns the exit status."""
    arguments = _arguments()
    inside = isolation.alone(sys.argv[1:])
    if inside is not None:
        return inside
    if os.environ.get(isolation.INSIDE):
        isolation.loopback_up()
    alone = isolation.nothing_outside()
    print(f"network: {'nothing but loopback' if alone else 'NOT isolated'}", flush=True)
    setting = Setting(arguments.work.resolve(), arguments.quick, data_folder())
    broken = [] if arguments.page_only else _run_all(setting, arguments, alone)
    # The page is made here, where the package of the guard is at hand.
    from scripts.acceptance.page import written

    text = written(setting)
    (setting.results / PAGE.name if arguments.quick else PAGE).write_text(text, "utf-8")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=sorted(RUNS), default=sorted(RUNS))
    parser.add_argument("--arms", nargs="+", choices=sorted(ARMS), default=sorted(ARMS))
    parser.add_argument("--quick", action="store_true", help="few cases, its page beside results")
    parser.add_argument("--again", action="store_true", help="run what is done once more")
    parser.add_argument("--page-only", action="store_true", help="run nothing, write the page")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "acceptance")
    return parser.parse_args()


def _run_all(setting: Setting, arguments: argparse.Namespace, alone: bool) -> list[str]:
    broken = []
    for client in arguments.only:
        run, arms = RUNS[client]
        for name in (a for a in arms if a in arguments.arms):
            kept = setting.results / f"{client}.{name}.json"
            if kept.is_file() and not arguments.again:
                made = json.loads(kept.read_text("utf-8")).get("guard", "")
                older = ARMS[name].checks and made != guard_state()
                said = ", with another state of the guard: --again runs it" if older else ""
                print(f"{client} on {name}: done before{said}", flush=True)
                continue
            where = ENVIRONMENT.get(client, client)
            if where is not None and not setting.python(where).exists():
                print(f"{client}: no environment, left out", flush=True)
                continue
            print(f"{client} on {name} ...", flush=True)
            try:
                found = timed(run, setting, ARMS[name])
            except RuntimeError as error:
                broken.append(f"{client} on {name}")
                print(f"{client} on {name}: {error}", flush=True)
                continue
            about = {"client": client, "arm": name, "alone": alone, "at": int(time.time())}
            whole = json.dumps({**about, **found}, ensure_ascii=False, indent=1)
            if found["client_exit"]:
                broken.append(f"{client} on {name}")
                kept.with_suffix(".failed.json").write_text(whole, "utf-8")
                print(f"{client} on {name}: exit {found['client_exit']}", flush=True)
                continue
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(whole, "utf-8")
            print(f"{client} on {name}: {found['wall_s']} s", flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(main())
