"""`normwright release examine`: what the detectors of organisms find about a model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.release.group import app
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.organisms import Examined


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
    trained: Annotated[
        list[Path] | None,
        typer.Option(
            "--trained",
            metavar="FILE",
            help="Rows that the model was trained on, of any form `learn convert` knows; may be "
            "repeated. Items that stand in them are left out and counted.",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Ask the same items a second time, and others of another draw: rows for the "
            "control `aa_rerun`. Takes three times as long.",
        ),
    ] = False,
    tamper: Annotated[
        bool,
        typer.Option(
            "--tamper",
            help="Train copies on 10, 50 and 100 flipped pairs and ask them: rows for "
            "`attack_budget`. Goes on where it was stopped, if there is --out.",
        ),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Look for differences a model hides: by situation, language, pressure, grader and guard.

    The same detectors on the same desk as `release organisms`, so that the gate's controls and the
    candidate are measured alike. A gap that is not flagged is not shown to be absent, unless it is
    shown equivalent; and a model that does nothing at that desk shows nothing.
    """
    from normwright.evaluate.detectors import ALPHA
    from normwright.flow.organisms import examined

    shown = choose(lang)
    # Not named as evidence is, so that a gate does not read what is half done.
    kept = None if out is None or not tamper else out.with_name(out.name + ".part")
    with counting(words(shown)["examine-working"], quiet=as_json) as told:
        found = examined(
            model, seed=seed, items=items, trained=trained or (), again=again, tamper=tamper,
            kept=kept, told=told,
        )  # fmt: skip
    if out is not None:
        _write(found, out, name)
    if kept is not None:
        kept.unlink(missing_ok=True)
    limit = ALPHA / len(found.told)
    rows = [
        {
            **{k: f[k] for k in ("detector", "suspect", "gap", "p_value", "margin", "equivalent")},
            "rates": {k: sum(v.values()) / len(v) if v else None for k, v in f["slices"].items()},
            "flagged": f["p_value"] <= limit,
        }
        for f in found.told
    ]
    if as_json:
        emit({"model": name, "seed": seed, "rows": rows, **_beside(found)})
    else:
        _show(rows, shown)
        _show_beside(found, shown)
    return DONE


def _write(found: Examined, out: Path, name: str) -> None:
    rows = found.rows(model=name, at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    out.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    unfinished = out.with_name(out.name + ".new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(out)


def _beside(found: Examined) -> dict[str, Any]:
    """What was asked for beside the detectors, as one value."""
    told: dict[str, Any] = {}
    if found.taken is not None:
        told["contaminated"] = {
            "k": len(found.taken.found), "n": len(found.taken.found) + len(found.taken.clean),
            "share": found.taken.share,
            "items": {item: row for item, (row, _) in sorted(found.taken.found.items())},
        }  # fmt: skip
    if found.again:
        told["again"] = {name: {"k": k, "n": n} for name, (k, n) in found.disagreement.items()}
    if found.points:
        told["tamper"] = [
            {"examples": p.examples, "steps": p.steps, "lr": p.lr,
             "violation": p.violation.as_json(), "help": p.helped.as_json()}
            for p in found.points
        ]  # fmt: skip
    return told


def _show(told: list[dict[str, Any]], lang: str) -> None:
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False)
    for column in ("detector", "suspect", "rates", "gap", "finding"):
        table.add_column(say[f"examine-{column}"])
    for one in told:
        state = "flagged" if one["flagged"] else "even" if one["equivalent"] else "open"
        table.add_row(
            one["detector"],
            one["suspect"],
            ", ".join(f"{k} {_rate(rate)}" for k, rate in one["rates"].items()),
            _gap(one["gap"]),
            say[f"examine-{state}"],
        )
    console().print(table)


def _show_beside(found: Examined, lang: str) -> None:
    from rich.table import Table

    say, screen = words(lang), console()
    if found.taken is not None:
        k, n = len(found.taken.found), len(found.taken.found) + len(found.taken.clean)
        screen.print(say["examine-contaminated"].format(k=k, n=n), markup=False)
    for draw, (k, n) in found.disagreement.items():
        screen.print(say[f"examine-again-{draw}"].format(k=k, n=n), markup=False)
    if not found.points:
        return
    table = Table(box=None, pad_edge=False)
    for column in ("pairs", "rate", "violation", "help"):
        table.add_column(say[f"examine-{column}"], justify="right")
    for p in found.points:
        table.add_row(
            str(p.examples), f"{p.lr:g}" if p.examples else "–",
            *(f"{e.value:.2f} [{e.ends[0]:.2f}, {e.ends[1]:.2f}]" if e.ends else "–"
              for e in (p.violation, p.helped)),
        )  # fmt: skip
    screen.print(table)


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _gap(gap: dict[str, Any]) -> str:
    if gap["interval"] is None:
        return "–"
    low, high = gap["interval"]
    return f"{gap['value']:+.2f} [{low:+.2f}, {high:+.2f}]"
