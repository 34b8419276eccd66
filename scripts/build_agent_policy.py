"""Make the policy that the guard of agents has by default, or check that it is what this makes.

    python scripts/build_agent_policy.py            write policy.json
    python scripts/build_agent_policy.py --check    exit 1 if the committed file differs

It holds those of the shipped seed norms that speak about what agents do with tools, enacted as a
demonstration: the project drafted them and nobody has voted on them, which every verdict says.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from normwright.charter import assembled, enact, read_source
from normwright.charter.shipped import seeds
from normwright.norms import facts_of
from normwright.records import Charter, Policy

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "src" / "normwright" / "guard" / "agents" / "embedded" / "policy.json"
NORMS = (
    "aa.honour-stop",
    "del.1.no-laundering",
    "del.2.no-amplification",
    "del.2.only-what-is-granted",
    "del.3.human-root",
    "del.5.cascade",
    "del.6.conservation",
    "del.depth-limit",
    "g.oversight.no-evading-shutdown",
    "g.privacy.no-leak",
    "g.robustness.ask-before-irreversible",
    "g.robustness.no-untrusted-orders",
    "g.robustness.stop-on-anomaly",
)
"""Ids of the seed norms that are taken."""


def make() -> Policy:
    """Return the policy.

    Raises:
        SystemExit: if a norm that is named does not ship.
    """
    whole = assembled(read_source(seeds()), drafts=True)
    missing = set(NORMS) - {norm.id for norm in whole.norms}
    if missing:
        sys.exit(f"no seed norm {', '.join(sorted(missing))}")
    return enact(_narrowed(whole), [], deployment={"id": "embedded", "channels": ["action"]})


def _narrowed(whole: Charter) -> Charter:
    """Return the norms, as a demonstration, with the facts they ask about."""
    norms = tuple(
        norm.model_copy(update={"status": "demonstration", "cases": (), "reparation": ()})
        for norm in whole.norms
        if norm.id in NORMS
    )
    words = whole.vocabulary
    asked = frozenset[str]().union(*(facts_of(norm.condition) for norm in norms))
    facts = tuple(f for f in words.facts if f.name in asked or f.name.startswith("grant."))
    kept = {fact.name for fact in facts}
    axioms = tuple(a for a in words.axioms if facts_of(a) <= kept)
    vocabulary = words.model_copy(update={"facts": facts, "axioms": axioms})
    return whole.model_copy(
        update={
            "id": "agents",
            "vocabulary": vocabulary,
            "norms": norms,
            "conflicts": (),
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
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text = text_of(make())
    if not arguments.check:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        sys.exit(f"{FILE.relative_to(ROOT)} is not what its norms make; run this without --check")


if __name__ == "__main__":
    main()
