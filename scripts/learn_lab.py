"""Write docs/experiments/learn-lab.md and docs/images/learn-lab.svg from the lab's JSON.

normwright learn lab --jobs 2 --json > lab.json
python scripts/learn_lab.py lab.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from normwright.learn.lab.picture import picture

DOCS = Path(__file__).resolve().parent.parent / "docs"


def page(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the blocks of the page."""
    rows: Sequence[Mapping[str, Any]] = given["rows"]
    failed = [row["test"] for row in rows if not row["passed"]]
    controls = sum(row["control"] for row in rows)
    yield "# The lab: recipes against known optima"
    yield (
        "Written by `scripts/learn_lab.py` from `normwright learn lab --json`. T1 to T10 and "
        "what they assume: [theory](../theory.md). World A has 4 prompts and 8 answers of one "
        "word, world B 16 answers of two; optima are worked out in numpy, apart from the trainers."
    )
    yield (
        f"{len(rows)} rows, of which {controls} are controls; {len(failed)} fail; seed "
        f"{given['seed']}. One run of {given['jobs']} processes: {given['cpu_seconds']:.0f} s of "
        f"processor time, {given['wall_seconds']:.0f} s by the clock, on a machine that was shared."
    )
    yield "".join(f"- fails: {name}\n" for name in failed)
    if given["left_out"]:
        yield f"Not run here: {', '.join(given['left_out'])}."
    yield "![Divergence from known optima, with thresholds](../images/learn-lab.svg)"
    lines = ["| test | expected | measured | threshold | |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        relation = "" if row["relation"] == "within" else {"<=": "≤ ", ">=": "≥ "}[row["relation"]]
        told = f"<br><small>{row['detail']}</small>" if row["detail"] else ""
        control = " (control)" if row["control"] else ""
        lines.append(
            f"| {row['test']}{control}{told} | {number(row['expected'])} | "
            f"{number(row['measured'])} | {relation}{number(row['threshold'])} | "
            f"{'✔' if row['passed'] else '✘'} |"
        )
    yield "\n".join(lines)


def number(value: float | str) -> str:
    """Return a cell."""
    return value if isinstance(value, str) else f"{value:.3g}"


def main() -> None:
    """Read the JSON, write page and picture."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    (DOCS / "images/learn-lab.svg").write_text(picture(given["rows"]), encoding="utf-8")
    text = "\n\n".join(block.strip() for block in page(given) if block)
    (DOCS / "experiments/learn-lab.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
