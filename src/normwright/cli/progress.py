"""Long work as it is seen: a bar on a terminal, plain lines in a log, nothing with `--json`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

from normwright.cli.screen import console
from normwright.cli.words import words

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.flow import Event

    Watcher = Callable[[Event], None]

Counter: TypeAlias = "Callable[[int, int, str], None]"
"""Told how much is done, of how much, and what it is at."""

SECONDS_A_LINE: Final = 10.0
"""How often a log is told how far work is that is counted."""
SECONDS_A_DRAWING: Final = 0.05
"""How often its bar is drawn; what is counted may be a row of a million."""


@contextmanager
def watching(err: Console, lang: str, *, quiet: bool) -> Iterator[Watcher]:
    """Give a callback that shows the events of a run on `err` while the block lasts."""
    if quiet:
        yield lambda event: None
    elif err.is_terminal:
        with _bars(err, lang) as watch:
            yield watch
    else:
        yield _lines(err, lang)


def line_of(event: Event, lang: str) -> str | None:
    """Return the line an event leaves in a log; None for one that leaves none."""
    from normwright.flow import StepDone, StepSkipped, StepStarted

    say = words(lang)
    match event:
        case StepStarted():
            told = say["started"].format(stage=event.name)
        case StepDone():
            told = say["finished"].format(stage=event.name, seconds=f"{event.seconds:.1f}")
        case StepSkipped():
            told = say["kept"].format(stage=event.name)
            if event.restored:
                told += f" ({say['restored'].format(files=', '.join(event.restored))})"
        case _:
            return None
    return f"[{event.place}/{event.of}] {told}"


def _lines(err: Console, lang: str) -> Watcher:
    def watch(event: Event) -> None:
        line = line_of(event, lang)
        if line is not None:
            err.print(line, markup=False, soft_wrap=True)

    return watch


@contextmanager
def _bars(err: Console, lang: str) -> Iterator[Watcher]:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from normwright.flow import StepDone, StepProgress, StepStarted

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=None, note="")

        def watch(event: Event) -> None:
            match event:
                case StepStarted():
                    name = f"[{event.place}/{event.of}] {event.name}"
                    progress.reset(task, description=name, total=None, note="")
                case StepProgress():
                    progress.update(task, completed=event.done, total=event.total, note=event.note)
                case _:
                    style = "green" if isinstance(event, StepDone) else "dim"
                    err.print(line_of(event, lang), style=style, markup=False, soft_wrap=True)

        yield watch


@contextmanager
def counting(label: str = "", *, quiet: bool) -> Iterator[Counter]:
    """Give what is told how far work is: a bar on a terminal, lines in a log, else nothing.

    Args:
        label: what the bar says before it is told anything.
        quiet: nothing is shown.
    """
    err = console(stderr=True)
    if quiet:
        yield lambda done, total, what: None
    elif not err.is_terminal:
        yield _now_and_then(
            SECONDS_A_LINE,
            lambda done, total, what: err.print(
                f"{what} ({done}/{total})".lstrip(), markup=False, soft_wrap=True
            ),
        )
    else:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=30),
            MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task(label, total=None)
            yield _now_and_then(
                SECONDS_A_DRAWING,
                lambda done, total, what: bar.update(
                    task, completed=done, total=total, description=what or label
                ),
            )


def _now_and_then(seconds: float, tell: Counter) -> Counter:
    """Return what passes on the first call after so many seconds, and the end."""
    last = monotonic()

    def told(done: int, total: int, what: str) -> None:
        nonlocal last
        if monotonic() - last > seconds or done == total:
            last = monotonic()
            tell(done, total, what)

    return told
