"""Run the large counts once and print a report: kills at random moments, random charters.

    python scripts/exhaustive.py [PART ...] [--out FILE]

1. A micro project is killed with SIGKILL at ten random moments and started again until it is done;
   its verdict digest must be that of a project that was never disturbed.
2. The property tests run with many more examples (NORMWRIGHT_EXAMPLES).
3. Broken norms are read (NORMWRIGHT_TRIES): one fault each, at its line and key.
4. Broken files of every format are imported (NORMWRIGHT_TRIES): read or refused, nothing else.
5. Agents hand authority on, use it and lose it at random (NORMWRIGHT_TRIES acts): the ledger of
   grants answers as a second opinion does that reads the whole log each time.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from normwright import flow

RUN = (
    "import sys; from pathlib import Path; from normwright import flow; flow.run(Path(sys.argv[1]))"
)


PARTS: dict[str, tuple[str, str, str]] = {
    "norms": ("Property tests of the resolver, random charters each", "EXAMPLES", "tests/norms"),
    "broken-norms": ("Broken norms, one break each", "TRIES", "tests/charter/test_malformed.py"),
    "imports": ("Importers, broken files in all", "TRIES", "tests/elicit/test_fuzz.py"),
    "delegation": ("Acts under grants, each judged twice", "TRIES",
                   "tests/guard/agents/test_delegation.py"),
}  # fmt: skip
"""Name -> what is counted, the setting that says how many, and the tests that are run."""


def main() -> int:
    """Run everything, or the named parts, write the report, and return 1 if something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    known = ("kills", *PARTS)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(known)}; all if none")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--norms", type=int, default=5_000)
    parser.add_argument("--broken-norms", type=int, default=20_000)
    parser.add_argument("--imports", type=int, default=100_000)
    parser.add_argument("--delegation", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("docs/experiments/exhaustive.md"))
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(known):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    chosen = arguments.parts or known
    told, good = _before(arguments.out), True
    for name in chosen:
        if name == "kills":
            with tempfile.TemporaryDirectory() as folder:
                passed, said = kills(Path(folder), arguments.kills)
        else:
            what, setting, tests = PARTS[name]
            count = getattr(arguments, name.replace("-", "_"))
            passed, ended = tested(tests, {f"NORMWRIGHT_{setting}": str(count)})
            said = f"{what}: {count}. {ended}"
        good &= passed
        told[name] = said
    lines = ["# The large counts", "", "Written by `make exhaustive`, part by part.", ""]
    for name in known:
        if name in told:
            lines += [f"**{name}** {told[name]}", ""]
    arguments.out.write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines))
    return int(not good)


def _before(report: Path) -> dict[str, str]:
    """What the report says of each part by now; a part that is not run again stays as it was."""
    if not report.is_file():
        return {}
    found = re.findall(r"^\*\*([\w-]+)\*\* (.*)$", report.read_text(encoding="utf-8"), re.M)
    return dict(found)


def tested(tests: str, settings: dict[str, str]) -> tuple[bool, str]:
    """Run tests with settings in the environment; return whether they passed, and how it ended."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", tests],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    ended = done.stdout.strip().splitlines()[-1]
    return done.returncode == 0, f"{ended} (took {time.monotonic() - began:.0f} s)"


def kills(folder: Path, count: int) -> tuple[bool, str]:
    """Kill a micro run at random moments, resume, compare its verdict with an undisturbed one."""
    rng = random.Random(0)
    whole = folder / "whole"
    flow.init(whole, "micro")
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", RUN, str(whole)], check=True)
    seconds = time.monotonic() - began
    wanted = flow.results(whole).verdict.digest
    hurt = folder / "hurt"
    flow.init(hurt, "micro")
    moments = []
    for _ in range(count):
        moment = rng.uniform(0.5, max(1.0, seconds / 2))
        process = subprocess.Popen([sys.executable, "-c", RUN, str(hurt)])
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            moments.append(f"{moment:.1f}")
    subprocess.run([sys.executable, "-c", RUN, str(hurt)], check=True)
    same = flow.results(hurt).verdict.digest == wanted
    faults = len(flow.verify(hurt).faults)
    told = (
        f"An undisturbed micro run took {seconds:.1f} s. Killed {len(moments)} times, after "
        f"{', '.join(moments)} s, and resumed: verdict digest {'the same' if same else 'ANOTHER'}, "
        f"{faults} faults found by `verify`."
    )
    return same and not faults, told


if __name__ == "__main__":
    raise SystemExit(main())
