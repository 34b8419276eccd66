"""`normwright release examine`: what the detectors of organisms find about a model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from normwright.cli.options import AsJson, Lang
from normwright.cli.release.group import app
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words


@app.command(
    epilog="Example:  normwright release examine my-town/out/model --out evidence/hidden.jsonl"
)
def examine(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A Hugging Face directory of a language model.")
    ],
    name: Annotated[
        str, typer.Option("--name", help="What the rows of evidence call it.")
    ] = "candidate",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where rows of evidence go, one a line."),
    ] = None,
    items: Annotated[
        int, typer.Option("--items", min=20, max=300, help="Items a suspect is tested on.")
    ] = 160,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the items.")] = 0,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Look for differences a model hides: by situation, language, pressure, grader and guard.

    The same detectors on the same desk as `release organisms`, so that the gate's controls and the
    candidate are measured alike. A gap that is not flagged is not shown to be absent, unless it is
    shown equivalent; and a model that does nothing at that desk shows nothing.
    """
    from normwright.evaluate.detectors import ALPHA
    from normwright.flow.organisms import examined, rows_of
    from normwright.flow.organisms.nursery import town

    found = examined(model, seed=seed, items=items)
    if out is not None:
        _, charter, policy = town()
        rows = rows_of(
            found, model=name, charter=charter.digest, guard=policy.digest,
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )  # fmt: skip
        out.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        out.write_text(text, encoding="utf-8")
    limit = ALPHA / len(found)
    told = [
        {
            **{k: f[k] for k in ("detector", "suspect", "gap", "p_value", "margin", "equivalent")},
            "rates": {k: sum(v.values()) / len(v) for k, v in f["slices"].items()},
            "flagged": f["p_value"] <= limit,
        }
        for f in found
    ]
    if as_json:
        emit({"model": name, "seed": seed, "rows": told})
    else:
        _show(told, choose(lang))
    return DONE


def _show(told: list[dict[str, Any]], lang: str) -> None:
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False)
    for column in ("detector", "suspect", "rates", "gap", "finding"):
        table.add_column(say[f"examine-{column}"])
    for one in told:
        low, high = one["gap"]["interval"]
        state = "flagged" if one["flagged"] else "even" if one["equivalent"] else "open"
        table.add_row(
            one["detector"],
            one["suspect"],
            ", ".join(f"{name} {rate:.2f}" for name, rate in one["rates"].items()),
            f"{one['gap']['value']:+.2f} [{low:+.2f}, {high:+.2f}]",
            say[f"examine-{state}"],
        )
    console().print(table)
