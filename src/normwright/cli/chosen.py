"""What `normwright aggregate choose` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from normwright.cli import counted
from normwright.cli.words import words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from normwright.records import TurningPoint, UncertainChoice


def choice_screen(found: UncertainChoice, lang: str) -> list[RenderableType]:
    """Return what is chosen under normative uncertainty as a person reads it."""
    from rich.text import Text

    from normwright.release import number

    say = words(lang)
    chosen = say["choose-chosen"].format(
        rule=found.rule, options=" = ".join(found.chosen) or say["choose-nothing"]
    )
    lines: list[RenderableType] = [_rules(found, say, lang), *_refused(found, say)]
    if any(not row.counts for row in found.rules):
        lines.append(Text(say["choose-led"], style="dim"))
    lines += ["", _turns(found, say, lang), "", Text(chosen)]
    lines.append(Text(_sureness(found, say, lang)))
    for doubt in found.doubts:
        told = say[f"choose-{doubt.kind}"].format(
            rules=", ".join(doubt.rules), options=", ".join(doubt.options),
            little=number(found.little, "plain", lang),
        )  # fmt: skip
        lines.append(Text(f"- {told}", style="yellow"))
    if found.act is None:
        lines.append(Text(say["choose-people"], style="bold yellow"))
    else:
        lines.append(Text(say["choose-act"].format(option=found.act), style="bold green"))
    return lines


def _sureness(found: UncertainChoice, say: Mapping[str, str], lang: str) -> str:
    if found.people is None:
        return say["choose-people-unsaid"]
    if found.stays is None:
        return say["choose-people-level"].format(n=found.people)
    return say["choose-stays"].format(
        share=counted.told_share(found.stays, lang), rounds=found.stays.n, n=found.people,
        seed=found.stays.seed)  # fmt: skip


def _rules(found: UncertainChoice, say: Mapping[str, str], lang: str) -> RenderableType:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("rule", "winners", "choose-counts", "choose-room"):
        table.add_column(say[heading], overflow="fold")
    for row in found.rules:
        if row.refused:
            continue
        counts = say["choose-yes" if row.counts else "choose-no"]
        table.add_row(row.rule, escape(" = ".join(row.winners)), counts, _told(row.room, lang))
    return table


def _refused(found: UncertainChoice, say: Mapping[str, str]) -> Iterator[RenderableType]:
    from rich.text import Text

    for row in found.rules:
        if row.refused:
            why = row.refused.removeprefix(f"{row.rule}: expected ")
            yield Text(f"{row.rule}: {say['not-applicable'].format(why=why)}", style="dim")


def _told(value: float | None, lang: str) -> str:
    from normwright.release import number

    return "–" if value is None else number(value, "plain", lang)


def _turns(found: UncertainChoice, say: Mapping[str, str], lang: str) -> RenderableType:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("choose-theory", "choose-credence", "choose-less", "choose-more"):
        table.add_column(say[heading].format(rule=found.rule), overflow="fold")
    turns = next((row.turns for row in found.rules if row.rule == found.rule), ())
    for theory in found.theories:
        sides = {turn.side: turn for turn in turns if turn.theory == theory.theory}
        ends = [_end(sides.get(side), lang) for side in ("less", "more")]
        table.add_row(*map(escape, (theory.theory, _told(theory.credence, lang), *ends)))
    return table


def _end(turn: TurningPoint | None, lang: str) -> str:
    if turn is None or turn.at is None:
        return "–"
    return f"{_told(turn.at, lang)} → {' = '.join(turn.winners)}"
