"""Make the guard's embedded policy from its norms, or check that it is what this makes.

    python scripts/build_guard.py            write policy.json
    python scripts/build_guard.py --check    exit 1 if the committed file differs

The norms lie in `guard/embedded/charter/` as drafts. They are enacted as a demonstration: the
project drafted them and nobody has voted on them, which is what every verdict that cites one says.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from normwright.charter import assembled, enact, read_source, run_cases
from normwright.charter.reading import CharterSource
from normwright.records import Charter, Policy

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = ROOT / "src" / "normwright" / "guard" / "embedded"


def make() -> Policy:
    """Return the policy of the norms as they are drafted.

    Raises:
        SystemExit: if a norm does not decide its own cases as it says.
    """
    source = read_source(EMBEDDED / "charter")
    wrong = [r for r in run_cases(source.norms, source.vocabulary) if not r.agrees]
    if wrong:
        sys.exit("\n".join(f"{r.norm.ref}: {r.case.text}" for r in wrong))
    return enact(_demonstration(source), [], deployment={"id": "embedded"})


def _demonstration(source: CharterSource) -> Charter:
    """The drafts as a charter whose norms bind nobody."""
    charter = assembled(source, drafts=True)
    norms = tuple(n.model_copy(update={"status": "demonstration"}) for n in charter.norms)
    return charter.model_copy(
        update={
            "norms": norms,
            "process": "drafted by the project, not voted on",
            "kind": "simulated",
        }
    )


def text_of(policy: Policy) -> str:
    """Return a policy as the file holds it."""
    body = policy.model_dump(mode="json", by_alias=True)
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    path, text = EMBEDDED / "policy.json", text_of(make())
    if not check:
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {len(text)} characters")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        sys.exit(f"{path.relative_to(ROOT)} is not what scripts/build_guard.py makes")


if __name__ == "__main__":
    main()
