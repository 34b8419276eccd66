"""Fit the embedded harm classifier from a folder of labelled data, and write it into the package.

    python scripts/build_harm.py DATA [--out DIR]

Deterministic: the same data gives the same bytes. It writes weights and card, no row of the data.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import harm_rows
from normwright.guard.text_harm.fit import HeadPlan, fit_text_harm

SEED = 7
OUT = Path(__file__).parents[1] / "src/normwright/guard/text_harm/embedded"
_NO_ROBOT = {"toxigen": 0.0, "toxigen-demo": 0.0}
PLANS = (
    HeadPlan("hate", "en", {"hatecheck-en": 0.2, "convabuse": 0.3}, 2.0, 1.0),
    HeadPlan("hate", "pt", {"hatecheck-en": 1.0, "toxigen": 1.0}, 3.0, 1.0,
             calibrate=frozenset({"hatecheck-pt"})),
    HeadPlan("abuse", "en", {}, 1.0, 0.0, 0.5),
    HeadPlan("abuse", "pt", {"hatecheck-pt": 0.0, "olid-br": 0.3}, 1.0, 0.0, 0.5,
             calibrate=frozenset({"told-br"})),
    HeadPlan("violence", None, {}, 1.0, 0.5),
    HeadPlan("self-harm", None, {}, 1.0, 0.5),
    HeadPlan("harmful-request", None, {}, 3.0, 0.5),
    HeadPlan("injection", None, {}, 1.0, 0.5),
    HeadPlan("jailbreak", None, {}, 1.0, 0.5),
    HeadPlan("lang", "pt", {}, 1.0, 0.0, kept=20_000),
)  # fmt: skip


def main() -> None:
    """Read, fit, save, and say what was done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    began = time.process_time()
    rows = harm_rows.read(args.data)
    card = {
        "seed": SEED,
        "files": harm_rows.digests(args.data),
        "rows": dict(sorted(Counter(f"{r.source} {r.part}" for r in rows).items())),
        "licence": "CC-BY-SA-4.0",
    }
    harm, _ = fit_text_harm(rows, PLANS, seed=SEED, card=card)
    digests = harm.save(args.out)
    text = json.dumps(digests, indent=1, sort_keys=True) + "\n"
    (args.out / "digests.json").write_text(text, encoding="utf-8")
    print(f"{len(rows)} rows, {time.process_time() - began:.0f} CPU-s, {digests}")


if __name__ == "__main__":
    main()
