"""Measure what the README says and write it there, between its two marks.

    python scripts/figures.py [--demo DIR] [--test-seconds S] [--demo-seconds S]

Reads the embedded model's provenance, measures exactness after the demo's tuning on 300 requests
a language whose wordings no training split holds, and rewrites the table in README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

from normwright import flow
from normwright.models.local import LocalModel, use_threads
from normwright.models.places import embedded_path
from normwright.scenes import draw, load_bank
from normwright.scenes.exact import exactly_right
from normwright.stats import clopper_pearson

ROOT = Path(__file__).resolve().parent.parent
SCENES = ROOT / "src/normwright/flow/templates/town/scenes"
OPEN, CLOSE = "<!-- figures -->", "<!-- /figures -->"


def main() -> int:
    """Measure, rewrite the README, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--demo", type=Path, default=ROOT / "demo")
    parser.add_argument("--demo-seconds", type=float, default=None)
    parser.add_argument("--test-seconds", type=float, default=None)
    arguments = parser.parse_args()
    facts = json.loads((embedded_path() / "provenance.json").read_text(encoding="utf-8"))
    lines = ["| figure | value |", "|---|---|"]
    lines.append(f"| embedded model | {facts['parameters'] / 1e6:.2f} M parameters |")
    for lang, found in facts["bits_per_byte"].items():
        others = ", ".join(f"{k}: {v:.2f}" for k, v in found.items() if k.startswith("ngram"))
        lines.append(
            f"| bits per byte on held-out books, {lang} | {found['model']:.2f} ({others}) |"
        )
    for split in ("test", "unseen"):
        for lang, right, n in exactness(arguments.demo, split):
            interval = clopper_pearson(right, n)
            what = "unseen wordings" if split == "test" else "unseen wordings and words"
            lines.append(
                f"| exact after tuning, {what}, {lang} | {right / n:.3f} "
                f"[{interval.low:.3f}, {interval.high:.3f}], n = {n} |"
            )
    for name, seconds in (
        ("`make demo` after set-up", arguments.demo_seconds),
        ("`make test` after set-up", arguments.test_seconds),
    ):
        if seconds is not None:
            lines.append(f"| {name}, 2 cores | {seconds:.0f} s |")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    head, rest = text.split(OPEN)
    tail = rest.split(CLOSE)[1]
    readme.write_text("\n".join([f"{head}{OPEN}", *lines, f"{CLOSE}{tail}"]), encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def exactness(demo: Path, split: str, count: int = 300) -> list[tuple[str, int, int]]:
    """Return (language, exactly right, asked) of the demo's tuned model."""
    found = flow.results(demo)
    tuned = next(m for m in found.models if m.name == "tuned")
    folder = demo / ".normwright" / "figures"
    with flow.open_store(demo, create=False) as store:
        store.objects.check_out(tuned.files, folder)
    use_threads(None)
    model = LocalModel.open(folder, name="tuned")
    bank = load_bank(sorted(SCENES.glob("*.yaml")))
    drawn = [s for s in draw(bank, split=split, seed=99, per_template=6) if s.norm is None]
    out = []
    for lang in bank.languages:
        # Drawn at random: the first ones would all be of the families that stand first.
        asked = random.Random(99).sample([s for s in drawn if s.lang == lang], count)
        said = model.generate([s.messages for s in asked], max_new_tokens=40)
        right = sum(bool(exactly_right(s, t[0])) for s, t in zip(asked, said, strict=True))
        out.append((lang, right, len(asked)))
    return out


if __name__ == "__main__":
    raise SystemExit(main())
