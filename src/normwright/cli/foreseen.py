"""What a run will take, in words: one line before it starts, and a table when it is asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from normwright.cli.words import words

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.flow import Forecast, Remedies

_UNITS = (("seconds", 1, 180), ("minutes", 60, 180 * 60), ("hours", 3600, math.inf))
"""Word, seconds it stands for, and up to how many seconds it is used."""
_MIB, _GIB, _MB, _GB = 2**20, 2**30, 10**6, 10**9


def line_of(forecast: Forecast, lang: str) -> str:
    """Return what a run will take, on one line."""
    say = words(lang)
    if not forecast.steps:
        return say["nothing-to-do"]
    memory, disk = forecast.memory_bytes, forecast.disk_bytes
    bases = [basis for basis in forecast.bases if basis != "unknown"]
    return say["foreseen"].format(
        time=time_of(forecast.seconds, lang),
        memory=say["unknown"] if memory is None else _size(memory, _MIB, _GIB, ("MiB", "GiB")),
        disk=say["unknown"] if disk is None else size_of(disk),
        basis=say["foreseen-" + ("-".join(bases) or "unknown")],
    )


def time_of(seconds: tuple[float, float] | None, lang: str) -> str:
    """Return a range of time in the unit that suits it, rounded outwards; to tens from 60 on."""
    say = words(lang)
    if seconds is None:
        return say["unknown"]
    low, high = seconds
    unit, length, _ = next(unit for unit in _UNITS if high <= unit[2])
    step = 10 if high >= 60 * length else 1
    least = max(1, math.floor(low / length / step) * step)
    most = math.ceil(high / length / step) * step
    return say[f"about-{unit}"].format(span=f"{least}–{most}" if least < most else str(most))


def show(out: Console, forecast: Forecast, lang: str) -> None:
    """Show each step that would run, and what all of them take."""
    from rich.table import Table

    say = words(lang)
    if forecast.steps:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(say["stage"])
        table.add_column(say["time"])
        for step in forecast.steps:
            table.add_row(step.name, time_of(step.seconds, lang))
        out.print(table)
    out.print(line_of(forecast, lang), markup=False, soft_wrap=True)


def size_of(disk: int) -> str:
    """Return bytes on a disk in the unit that suits them."""
    return f"{disk} B" if disk < _MB else _size(disk, _MB, _GB, ("MB", "GB"))


def _size(size: int, small: int, large: int, names: tuple[str, str]) -> str:
    """Return a size in the larger unit from one of it on, else in the smaller, rounded up."""
    if size >= large:
        return f"{size / large:.1f} {names[1]}"
    return f"{math.ceil(size / small)} {names[0]}"


def remedy_lines(found: Remedies, lang: str) -> list[str]:
    """Return what can be done about models that rest on withdrawn rows, and what it takes."""
    say = words(lang)
    lines = []
    for one in found.models:
        lines.append(f"{one.model} ({one.digest[7:19]}): {say['resting-on']}")
        took = time_of(found.rebuild_seconds, lang)
        lines.append(f"  {say['remedy-rebuild']}: {one.rebuild} ({took})")
        if one.unlearn is not None:
            look = time_of(found.look_seconds, lang)
            lines.append(f"  {say['remedy-unlearn']}: {one.unlearn} ({say['remedy-look']} {look})")
    return lines
