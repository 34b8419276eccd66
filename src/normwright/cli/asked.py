"""Questions about somebody's own data on a terminal, and what was made of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from normwright.cli.screen import console
from normwright.cli.words import words

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.elicit import Question
    from normwright.flow import TakenIn

_PLACES = 3
"""Places shown for each finding."""


def put(question: Question, *, lang: str) -> str:
    """Put a question to the person at the terminal until there is an answer, and return its value.

    Options are numbered; the number or the value itself is an answer.
    """
    say, err = words(lang), console(stderr=True)
    err.print(question.ask.get(lang, question.ask["en"]), style="bold", markup=False)
    for number, option in enumerate(question.options, 1):
        says = option.says.get(lang, option.says["en"])
        err.print(f"  {number}  {option.value}: {says}", markup=False)
    values = [option.value for option in question.options]
    while True:
        said = str(typer.prompt(say["your-answer"], err=True)).strip()
        if said in values or (not values and said):
            return said
        if said.isdigit() and 1 <= int(said) <= len(values):
            return values[int(said) - 1]
        err.print(say["not-an-answer"].format(n=len(values)), markup=False)


def show_taken_in(out: Console, made: TakenIn, lang: str) -> None:
    """Print what was read, what was found in it, and what to do next."""
    say = words(lang)

    def line(text: str) -> None:
        out.print(text, markup=False, soft_wrap=True)

    counts = ", ".join(f"{count} {say[name]}" for name, count in made.counts.items())
    line(f"{made.directory}: {made.format}, {counts}")
    if made.integrity:
        line(say["found-in-data"])
    for fault in made.integrity:
        places = ", ".join(fault.examples[:_PLACES])
        more = ", ..." if fault.count > _PLACES else ""
        line(f"  {fault.count} {fault.kind}: {fault.policy} ({places}{more})")
    if made.left_behind:
        line(say["left-behind"].format(files=", ".join(made.left_behind)))
    line(say["next"])
    for command in made.next:
        line(f"  {command}")
