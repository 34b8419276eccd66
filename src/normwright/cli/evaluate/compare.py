"""`normwright evaluate compare`: scores of local runs and published tables, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.evaluate import Score
    from normwright.flow.scores import ScoresCompared
    from normwright.records import Estimate


@app.command(
    epilog="Example:  normwright evaluate compare results/base results/aligned "
    "--against aira-paper --json"
)
def compare(
    before: Annotated[
        Path | None,
        typer.Argument(
            metavar="[A]",
            help="A result or a folder of them (`evaluate run --out`), a CSV file of counts, or a "
            "project.",
            show_default=False,
        ),
    ] = None,
    after: Annotated[
        Path | None,
        typer.Argument(metavar="[B]", help="What is compared with it.", show_default=False),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="TABLE", help="A published table beside them: aira-paper."
        ),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(
            "--claim",
            metavar="SUITE",
            help="A suite, or SUITE:PART, on which B is claimed to be better; Holm's correction is "
            "over these.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the resampling.")] = 0,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show scores with intervals and constant answers, and what differs between two places.

    Two results with the same items are compared item by item; less is better of toxic answers, of
    benign requests refused, and of flips towards the user's view. What a judge counted is compared
    behind its measured errors as well. A gain is called an improvement only where no constant
    answer explains it and no other suite shows that the model was damaged.
    """
    from normwright.flow.scores import compared_scores

    places = [place for place in (before, after) if place is not None]
    if not places and against is None:
        raise typer.BadParameter("give A, A and B, or --against", param_hint="A")
    found = compared_scores(places, against=against, claims=claim or (), seed=seed)
    if html is not None:
        from normwright.web import write_scores_page

        write_scores_page(found, html)
    if as_json:
        emit(found.as_json())
    else:
        _show(found, choose(lang))
    return DONE


def _show(found: ScoresCompared, lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    table = Table(box=None, pad_edge=False)
    for name in ("model", "suite"):
        table.add_column(say[f"scores-{name}"], overflow="fold")
    for name in ("n", "score", "interval", "answer"):
        table.add_column(name if name == "n" else say[f"scores-{name}"], justify="right")
    for name in ("flag", "origin"):
        table.add_column(say[f"scores-{name}"])
    for row in found.rows:
        at, best = row.interval, row.best_constant
        table.add_row(
            row.model, _suite(row.name, row.lang, row.better, say), str(row.n),
            "–" if isnan(row.score) else f"{row.score:.4f}",
            "" if at is None else f"[{at[0]:.4f}, {at[1]:.4f}]",
            "" if best is None else f"{best:.4f}",
            say["scores-yes" if row.degenerate else "scores-no"], row.origin,
            style="yellow" if row.degenerate else None,
        )  # fmt: skip
    out.print(table)
    if found.comparisons:
        out.print()
        out.print(_differences(found, lang))
    for told in dict.fromkeys(map(_judge, found.rows, repeat(say))):
        if told:
            out.print(told, markup=False)
    flagged = sum(row.degenerate for row in found.rows)
    out.print(say["scores-degenerate"].format(some=flagged, all=len(found.rows)), markup=False)
    if found.comparisons:
        told = say["scores-claimed"].format(claims=", ".join(found.claims)) if found.claims else ""
        out.print(told or say["scores-unclaimed"], markup=False)
    if found.table is not None:
        out.print(say["scores-against"].format(**found.table.about()), markup=False)


def _suite(name: str, lang: str | None, better: str, say: Mapping[str, str]) -> str:
    way = "" if better == "more" else f" ({say[f'scores-better-{better}']})"
    return f"{name} {lang or ''}".rstrip() + way


def _judge(row: Score, say: Mapping[str, str]) -> str:
    """The judge that counted a row, with its measured errors; empty without one."""
    if row.written is None or row.written.judge is None:
        return ""
    told = row.written.judge.as_json()
    se, sp = told["sensitivity"], told["specificity"]
    if se is None or sp is None:
        return say["written-unmeasured"].format(judge=told["name"])
    return f"{row.suite} {row.lang}: " + say["written-judge"].format(
        judge=told["name"], n=se["n"], m=sp["n"],
        **{key: f"{one['value']:.4f}" for key, one in (("se", se), ("sp", sp))},
        **{f"{key}_at": "[{:.4f}, {:.4f}]".format(*one["interval"])
           for key, one in (("se", se), ("sp", sp))},
    )  # fmt: skip


def _differences(found: ScoresCompared, lang: str) -> object:
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False)
    for name in ("before", "after", "suite"):
        table.add_column(say[f"scores-{name}"], overflow="fold")
    for name in ("difference", "interval"):
        table.add_column(say[f"scores-{name}"], justify="right")
    corrected = any(one.corrected is not None for one in found.comparisons)
    if corrected:
        table.add_column(say["scores-corrected"], justify="right")
    table.add_column(say["scores-verdict"])
    for one in found.comparisons:
        behind = one.corrected
        table.add_row(
            one.before.model, one.after.model,
            _suite(one.after.name, one.lang, one.after.better, say),
            *_signed(one.difference),
            *([" ".join(_signed(behind))] if corrected else []),
            say[f"scores-verdict-{one.verdict.replace(' ', '-')}"],
        )  # fmt: skip
    return table


def _signed(estimate: Estimate | None) -> tuple[str, str]:
    if estimate is None or estimate.value is None:
        return "", ""
    ends = estimate.ends
    return (
        f"{estimate.value:+.4f}",
        "" if ends is None else f"[{ends[0]:+.4f}, {ends[1]:+.4f}]",
    )
