"""`normwright release decide`: criteria and a folder of evidence in, a verdict per mode out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from normwright.cli.keys import passphrase_of_person
from normwright.cli.options import AsJson, Lang
from normwright.cli.release.group import app
from normwright.cli.screen import VERDICT_CODES, VERDICT_STYLES, console, emit
from normwright.cli.verdict import NARROW, in_language
from normwright.cli.words import choose, words
from normwright.records import VERDICTS, CriterionResult, Fault, InputError, ModeVerdict, Watch

if TYPE_CHECKING:
    from rich.text import Text as Line

    from normwright.flow.releasing import Decided

_BAR, _SHORT_BAR = 18, 8
"""Cells of the bar that a bound is drawn as, and on a narrow terminal."""

_STYLES: Final = {"pass": "green", "fail": "red", "inconclusive": "yellow", "missing": "yellow"}

CriteriaFile = Annotated[
    Path, typer.Argument(metavar="CRITERIA.yaml", help="The criteria, written before the evidence.")
]


@app.command(epilog="Example:  normwright release decide criteria.yaml --evidence evidence --json")
def decide(
    criteria: CriteriaFile,
    evidence: Annotated[
        Path,
        typer.Option(
            "--evidence", metavar="DIR", help="A folder of rows, one JSON a metric, and the permit."
        ),
    ],
    mode: Annotated[
        list[str] | None,
        typer.Option("--mode", metavar="NAME", help="Only this mode; may be repeated. Else all."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Which candidate, where rows are of several."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the verdict, signed if there is a key."),
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(
            "--watch",
            metavar="FILE",
            help="Begin a log there for `release monitor`: limits to be kept, modes released.",
        ),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="DIR",
            help="The project whose ledger is asked how many candidates were tried; that which the "
            "evidence lies in, if left out.",
        ),
    ] = None,
    require_signature: Annotated[
        bool,
        typer.Option(
            "--require-signature", help="Hold every mode but internal use unless they are signed."
        ),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Decide per release mode: RELEASE, HOLD, BLOCK or INVALID, with the bound of every criterion.

    Exit code by the worst of the modes asked for: 0 RELEASE, 3 HOLD, 4 BLOCK, 5 INVALID.
    """
    from normwright.flow import releasing

    found = releasing.decided(
        criteria, evidence, now=_now(), modes=mode or (), model=model,
        require_signature=require_signature, project=project,
    )  # fmt: skip
    if watch is not None:
        _begin_log(releasing.watch_of(found), watch)
    keys = None
    if out is not None:
        keys = releasing.write_verdict(found, out, passphrase=passphrase_of_person)
    shown = choose(lang)
    if as_json:
        emit(as_value(found, shown) | ({} if keys is None else {"signed_by": list(keys)}))
    else:
        _show(found, shown, out, keys)
    return VERDICT_CODES[max((m.verdict for m in found.verdict.modes), key=VERDICTS.index)]


def _begin_log(watch: Watch, path: Path) -> None:
    """Write the first line of a log, of which nothing that has happened is ever written over.

    Raises:
        InputError: if there is something already.
    """
    from normwright.store import write_whole

    if path.exists():
        do = "A new release is watched by a log of its own; name another file."
        raise InputError([Fault(where=str(path), expected="no file", seen="one", do=do)])
    line = {"kind": "release", **watch.model_dump(mode="json", exclude={"made_by"})}
    write_whole(path, (json.dumps(line, ensure_ascii=False) + "\n").encode())


def _now() -> datetime:
    from normwright.flow.releasing import today

    return today()


def as_value(found: Decided, lang: str) -> dict[str, Any]:
    """Return a verdict as the one JSON value that others read."""
    from normwright.release import say

    verdict = found.verdict
    return {
        "verdicts": {mode.mode: mode.verdict for mode in verdict.modes},
        "criteria": [_criterion(id, results, lang) for id, results in _by_id(found)],
        "controls": [
            {"name": c.name, "expected": c.expected, "verdict": c.verdict, "deciding": c.deciding,
             "as_expected": c.as_expected}
            for c in verdict.controls
        ],
        "modes": [
            {"mode": mode.mode, "verdict": mode.verdict, "deciding": mode.deciding,
             "reason": in_language(mode.reason, lang),
             "held_by": [
                 {"id": r.criterion, "outcome": r.state.upper(),
                  "reason": in_language(r.reason, lang)}
                 for r in _beside(mode, found)
             ]}
            for mode in verdict.modes
        ],
        "queue": [
            {"criterion": one.criterion, "slice": one.labels.scope, "flagged": one.labels.flagged,
             "confirmed": one.labels.confirmed, "cleared": one.labels.cleared,
             "ask": one.labels.ask, "confirm_to_fail": one.labels.to_fail,
             "clear_to_pass": one.labels.to_pass, "items": list(one.labels.items)}
            for one in found.queue
        ],
        "candidate": found.candidate,
        "charter": verdict.charter,
        "alpha": verdict.alpha,
        "candidates": verdict.candidates,
        "criteria_signed_by": list(found.signed),
        "notes": [say(note, lang) for note in found.notes],
        "digest": verdict.digest,
        "decided_at": verdict.decided_at,
    }  # fmt: skip


def _by_id(found: Decided) -> Iterator[tuple[str, list[CriterionResult]]]:
    """The criteria as the file has them, each with the results of its parts, the worst first."""
    from normwright.release import worst_first

    parents = {c.id: c.of or c.id for c in found.criteria}
    results: dict[str, dict[str, CriterionResult]] = {}
    for mode in found.verdict.modes:
        for one in mode.results:
            if one.criterion in parents:
                kept = results.setdefault(parents[one.criterion], {})
                worse = worst_first([kept[one.criterion], one]) if one.criterion in kept else [one]
                kept[one.criterion] = worse[0]
    for id in dict.fromkeys(parents.values()):
        if id in results:
            yield id, worst_first(list(results[id].values()))


def _criterion(id: str, results: list[CriterionResult], lang: str) -> dict[str, Any]:
    told = _figures(results[0], lang) | {"group": results[0].group, "on_fail": results[0].on_fail}
    if len(results) > 1 or results[0].criterion != id:
        told["decided_by"] = results[0].criterion
        told["slices"] = [{"id": one.criterion, **_figures(one, lang)} for one in results]
    return {"id": id, **told}


def _figures(result: CriterionResult, lang: str) -> dict[str, Any]:
    return {
        "outcome": result.state.upper(),
        "estimate": result.observed,
        "bound": result.bound,
        "side": result.bound_side,
        "limit": result.limit,
        "n": result.n,
        "needed": result.n_needed,
        "reason": in_language(result.reason, lang),
        "evidence": list(result.evidence),
    }


def _beside(mode: ModeVerdict, found: Decided) -> list[CriterionResult]:
    """What a mode was asked beside the criteria of the file, and did not pass."""
    known = {c.id for c in found.criteria}
    return [r for r in mode.results if r.criterion not in known and r.state != "pass"]


def _show(found: Decided, lang: str, out: Path | None, keys: tuple[str, ...] | None) -> None:
    from rich.table import Table

    from normwright.release import say as said

    say, screen, verdict = words(lang), console(), found.verdict
    cells = _BAR if screen.width >= NARROW else _SHORT_BAR
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("release-criterion", "release-outcome", "observed", "release-bound"):
        table.add_column(say[name], no_wrap=True)
    table.add_column("", no_wrap=True)
    for name in ("n", "release-needed"):
        table.add_column(say[name], justify="right", no_wrap=True)
    for _, results in _by_id(found):
        for one in results:
            table.add_row(*_row(one, lang, cells))
    screen.print(table)
    screen.print()
    for result in (r for _, results in _by_id(found) for r in results if r.state != "pass"):
        needs = _needs(result, lang)
        told = f"{result.criterion}: {in_language(result.reason, lang)}{needs}"
        screen.print(told, style=_STYLES[result.state], markup=False, soft_wrap=True)
    for mode in verdict.modes:
        _show_mode(mode, found, lang)
    caught = sum(control.as_expected for control in verdict.controls)
    line = say["release-controls"].format(caught=caught, all=len(verdict.controls))
    screen.print(line, markup=False)
    for asked in found.queue:
        screen.print(
            say["release-ask"].format(criterion=asked.criterion, ask=asked.labels.ask,
                                      flagged=asked.labels.flagged),
            markup=False, soft_wrap=True,
        )  # fmt: skip
    for note in found.notes:
        screen.print(said(note, lang), markup=False, soft_wrap=True)
    if out is not None:
        key = say["release-signed"] if keys else say["release-unsigned"]
        screen.print(key.format(file=out, keys=", ".join(k[:12] for k in keys or ())), markup=False)


def _show_mode(mode: ModeVerdict, found: Decided, lang: str) -> None:
    from rich.text import Text as Line

    say, screen = words(lang), console()
    name = say.get(mode.mode, mode.mode)
    style = VERDICT_STYLES[mode.verdict]
    head = Line.assemble((f"{name}: ", "bold"), (mode.verdict, style), f"  ({mode.deciding})")
    screen.print(head, soft_wrap=True)
    screen.print(f"  {in_language(mode.reason, lang)}", markup=False, soft_wrap=True)
    for one in _beside(mode, found):
        if one.criterion != mode.deciding:
            told = f"  {one.criterion}: {in_language(one.reason, lang)}"
            screen.print(told, markup=False, soft_wrap=True)


def _row(result: CriterionResult, lang: str, cells: int) -> tuple[str | Line, ...]:
    from rich.text import Text as Line

    say = words(lang)
    sign = "≤" if result.bound_side == "upper" else "≥"
    bound = "–" if result.bound is None else f"{sign} {percent(result.bound, lang)}"
    needed = "–"
    if result.state == "pass":
        needed = say["enough"]
    elif result.n_needed is not None:
        needed = f"n = {result.n_needed}"
    elif result.state == "inconclusive":
        needed = say["never"]
    return (
        Line(result.criterion),
        Line(say[f"release-{result.state}"], style=_STYLES[result.state]),
        Line("–" if result.observed is None else percent(result.observed, lang)),
        Line(bound),
        bar(result, lang, cells),
        Line(str(result.n)),
        Line(needed),
    )


def bar(result: CriterionResult, lang: str, cells: int = _BAR) -> Line:
    """Return a bound drawn against its limit: filled up to the bound, a stroke at the limit."""
    from rich.text import Text as Line

    if result.bound is None or (result.limit <= 0 and result.bound_side == "upper"):
        return Line("")
    low = min(0.0, result.limit, result.bound)
    span = max(2 * abs(result.limit - low), 1.25 * (result.bound - low), 1e-9)

    def cell(value: float) -> int:
        return min(cells - 1, max(0, round((value - low) / span * (cells - 1))))

    at, end = cell(result.limit), cell(result.bound)
    drawn = "".join("┃" if i == at else "█" if i <= end else "·" for i in range(cells))
    limit = percent(result.limit, lang)
    return Line.assemble((drawn, _STYLES[result.state]), f" {limit}")


def percent(value: float, lang: str) -> str:
    """Return a share in per cent, as short as it can be told: 1 %, 13.9 %, 0.35 %."""
    scaled = 100 * value
    digits = 0 if abs(scaled - round(scaled)) < 1e-9 else 1 if abs(scaled) >= 1 else 2
    text = f"{scaled:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return f"{text.replace('.', ',') if lang == 'pt' else text} %"


def _needs(result: CriterionResult, lang: str) -> str:
    """How many units would settle it, in the fewest words."""
    if result.n_needed is None or result.state != "inconclusive":
        return ""
    limit = percent(result.limit, lang)
    return f" ({words(lang)['release-needs'].format(n=result.n_needed, limit=limit)})"
