"""`normwright guard check`: what a policy says about each line of a file."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.guard.group import Judge, JudgeModel, JudgeTimeout, PolicyDir, app, guard_at
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import GUARD_ACTIONS

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.guard import Guard
    from normwright.guard.lines import Line
    from normwright.records import GuardVerdict

_STYLES = {
    "allow": "green",
    "transform": "cyan",
    "ask": "yellow",
    "refuse": "red",
    "deny": "magenta",
}
_AT_ONCE = 256
_SHOWN = 12
"""Lines that were stopped and are told one by one on the screen."""


@app.command("check", epilog="Example:  normwright guard check --input answers.jsonl --json")
def check(
    *,
    lines: Annotated[
        Path,
        typer.Option(
            "--input",
            metavar="FILE",
            help='JSON lines, packed (.gz) or not: {"id", "text", "role"?: user or assistant,'
            ' "lang"?} or {"id", "messages", "tools"?}.',
        ),
    ],
    policy: PolicyDir = None,
    judge: Judge = None,
    judge_model: JudgeModel = None,
    judge_timeout: JudgeTimeout = 5.0,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Check each line of a file against a policy; exit 0 whatever the answers are.

    With --json one JSON value a line: id, verdict (allow, transform, ask, refuse or deny), the
    norms it rests on, the probability each check gave, the reasons, and milliseconds.
    """
    from normwright.guard.lines import read_lines

    read = read_lines(lines)
    asked = None
    if judge is not None:
        from normwright.models.judges import open_judge

        asked = open_judge(judge, model=judge_model, seconds=judge_timeout)
    guard = guard_at(policy, judge=asked)
    shown = choose(lang)
    err = console(stderr=True)
    _standing(guard, err, shown)
    checked = _checked(guard, read, err, shown, quiet=as_json)
    if as_json:
        for line, verdict, ms in checked:
            sys.stdout.write(json.dumps(_line(line, verdict, ms), ensure_ascii=False) + "\n")
        return DONE
    _show(guard, list(checked), shown)
    return DONE


def _checked(
    guard: Guard, read: Sequence[Line], err: Console, lang: str, *, quiet: bool
) -> Iterator[tuple[Line, GuardVerdict, float]]:
    """Yield each line with its verdict and the milliseconds it took; a bar on a terminal.

    Lines are read many at once, and each bears its share of that.
    """
    from rich.progress import track

    told = words(lang)["guard-checking"]
    hidden = quiet or not err.is_terminal
    shared = 0.0
    for i, line in enumerate(track(read, told, console=err, transient=True, disable=hidden)):
        if i % _AT_ONCE == 0:
            start = time.perf_counter()
            some = read[i : i + _AT_ONCE]
            guard.prepare(one.exchange for one in some)
            shared = (time.perf_counter() - start) / len(some)
        start = time.perf_counter()
        verdict = guard.review(line.exchange)
        yield line, verdict, 1000 * (shared + time.perf_counter() - start)


def _line(line: Line, verdict: GuardVerdict, ms: float) -> dict[str, Any]:
    """One line as programs read it."""
    return {
        "id": line.id,
        "verdict": verdict.action,
        "norms": [
            {"id": n.id, "version": n.version, "status": n.status, "level": n.level}
            for n in verdict.norms
        ],
        "scores": verdict.scores,
        "reasons": verdict.reasons,
        "ms": round(ms, 3),
    }


def _standing(guard: Guard, err: Console, lang: str) -> None:
    """Say what the verdicts cannot: which norms bind nobody, and which nothing can see broken."""
    say = words(lang)
    statuses = Counter(n.status for n in guard.policy.charter.norms)
    if statuses["demonstration"]:
        told = say["guard-demonstration"].format(n=statuses["demonstration"])
        err.print(told, style="yellow", markup=False)
    if guard.blind:
        told = say["guard-blind"].format(norms=", ".join(guard.blind))
        err.print(told, style="yellow", markup=False)


def _show(guard: Guard, checked: Sequence[tuple[Line, GuardVerdict, float]], lang: str) -> None:
    from rich.table import Table

    say = words(lang)
    out = console()
    counts = Counter(v.action for _, v, _ in checked)
    took = sorted(ms for _, _, ms in checked)
    table = Table(box=None, header_style="bold")
    table.add_column(say["guard-verdict"])
    table.add_column(say["guard-lines"], justify="right")
    table.add_column(say["guard-norms"], overflow="fold")
    for action in GUARD_ACTIONS:
        style = _STYLES[action]
        if counts[action]:
            norms = Counter(n.ref for _, v, _ in checked if v.action == action for n in v.norms[:1])
            cited = ", ".join(f"{ref} ×{n}" for ref, n in norms.most_common())
            table.add_row(f"[{style}]{say[f'guard-{action}']}[/]", str(counts[action]), cited)
    out.print(table)
    stopped = [(e, v) for e, v, _ in checked if v.action != "allow"]
    for line, verdict in stopped[:_SHOWN]:
        where = f" {verdict.where}" if verdict.where else ""
        style = _STYLES[verdict.action]
        out.print(f"\n{line.id}{where}: {verdict.seen}", style=style, markup=False)
        out.print(f"  {in_language(verdict.reasons, lang)}", markup=False)
        for failed in verdict.degraded:
            out.print(f"  {failed}", style="magenta", markup=False)
    if len(stopped) > _SHOWN:
        out.print("\n" + say["guard-more"].format(n=len(stopped) - _SHOWN), style="dim")
    if took:
        told = say["guard-took"].format(n=len(took), median=f"{took[len(took) // 2]:.2f}")
        out.print(f"\n{told}", style="dim", markup=False)
