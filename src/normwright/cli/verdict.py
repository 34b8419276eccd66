"""The verdict as a screen: per mode what was decided, by which criterion, and how far off it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from normwright.cli.screen import VERDICT_STYLES
from normwright.cli.words import FALLBACK, words
from normwright.records import CriterionResult, ModeVerdict, Text, Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text as Line


NARROW = 100
"""Below this width a mode is a block of lines; from it on, a row of a table."""


def panel(verdict: Verdict, lang: str, *, width: int) -> RenderableType:
    """Return the panel shown after a run, in `lang`, for a terminal of `width` columns.

    For each mode: verdict, deciding criterion, observed value, bound against limit, n, and how many
    more units the bound needs at the observed rate to clear the limit. Below, why, mode by mode.
    """
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text as Line

    say = words(lang)
    caught = sum(control.as_expected for control in verdict.controls)
    controls = say["controls"].format(caught=caught, all=len(verdict.controls))
    body: list[RenderableType]
    if width >= NARROW:
        body = [_table(verdict, lang)]
        for mode in verdict.modes:
            name = say.get(mode.mode, mode.mode)
            body.append(Line.assemble((f"{name}: ", "bold"), in_language(mode.reason, lang)))
    else:
        body = [line for mode in verdict.modes for line in (*_block(mode, lang), Line())]
    return Panel(Group(*body, Line(controls)), title=say["verdict"], title_align="left")


def _table(verdict: Verdict, lang: str) -> RenderableType:
    from rich import box
    from rich.table import Table

    say = words(lang)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, header_style="bold")
    # Names of modes are words and may wrap; an id that is broken in two is no id any more.
    table.add_column(say["mode"], ratio=1)
    table.add_column(say["decision"], no_wrap=True)
    table.add_column(say["deciding"], no_wrap=True)
    for heading in _headings(say):
        table.add_column(heading, justify="right", no_wrap=True)
    for mode in verdict.modes:
        figured = figures(deciding_result(mode), say)
        table.add_row(say.get(mode.mode, mode.mode), _word(mode), mode.deciding, *figured)
    return table


def _block(mode: ModeVerdict, lang: str) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text as Line

    say = words(lang)
    figured = zip(_headings(say), figures(deciding_result(mode), say), strict=True)
    told = [f"{say['deciding']}: {mode.deciding}"]
    told += [f"{heading}: {figure}" for heading, figure in figured if figure]
    told.append(in_language(mode.reason, lang))
    return [
        Line.assemble((say.get(mode.mode, mode.mode), "bold"), "  ", _word(mode)),
        *(Padding(Line(line), (0, 0, 0, 2)) for line in told),
    ]


def _headings(say: Mapping[str, str]) -> tuple[str, str, str, str]:
    return (say["observed"], f"{say['bound']} | {say['limit']}", say["n"], say["needed"])


def _word(mode: ModeVerdict) -> Line:
    from rich.text import Text as Line

    return Line(mode.verdict, style=VERDICT_STYLES[mode.verdict])


def deciding_result(mode: ModeVerdict) -> CriterionResult | None:
    """Return the result of the criterion that decides, if it was a criterion that did."""
    return next((r for r in mode.results if r.criterion == mode.deciding), None)


def figures(result: CriterionResult | None, say: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Return observed value, bound against limit, n, and n still needed, as words."""
    if result is None:
        return ("", "", "", "")
    observed = say["unknown"] if result.observed is None else f"{result.observed:.3f}"
    if result.bound is None:
        against = f"{say['no-bound']} | {result.limit:.3f}"
    else:
        against = f"{result.bound:.3f} {relation(result)} {result.limit:.3f}"
    return (observed, against, str(result.n), still_needed(result, say))


def relation(result: CriterionResult) -> str:
    """Return how the bound stands to the limit; where a criterion passes, equal would do too."""
    if result.bound is None:
        raise ValueError(f"{result.criterion} has no bound")
    if result.state == "pass":
        return "≤" if result.bound_side == "upper" else "≥"
    if result.bound == result.limit:
        return "="
    return ">" if result.bound > result.limit else "<"


def still_needed(result: CriterionResult, say: Mapping[str, str]) -> str:
    """Return how many more units are needed; `n_needed` counts those already there."""
    if result.state == "pass":
        return say["enough"]
    if result.n_needed is None:
        return say["never"]
    return str(max(result.n_needed - result.n, 0))


def in_language(text: Text, lang: str) -> str:
    """Return a text in `lang`, else in the fallback language, else in any it exists in."""
    return text.get(lang) or text.get(FALLBACK) or next(iter(text.values()), "")
