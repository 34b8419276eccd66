"""The pictures of a sweep: each pair of objectives, in every language that has words."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from normwright.web.pictures.frontier import Spot, frontier
from normwright.web.words import Words, shipped, words_for

if TYPE_CHECKING:
    from normwright.evaluate.frontier import CellResult, Frontier, Objective


def write_frontiers(found: Frontier, folder: Path) -> tuple[Path, ...]:
    """Write one SVG file a pair of objectives and language, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for w in words_for(shipped()):
        for first, second in combinations(found.objectives, 2):
            file = folder / f"frontier.{first.name}-{second.name}.{w.lang}.svg"
            file.write_text(frontier_picture(found, first, second, w), encoding="utf-8")
            files.append(file)
    return tuple(files)


def frontier_picture(found: Frontier, first: Objective, second: Objective, w: Words) -> str:
    """Return the picture of two objectives; which cells are on the frontier is of all of them."""
    volume = found.hypervolume
    low, high = volume.ends or (None, None)
    others = [o.name for o in found.objectives if o not in (first, second)]
    note = w(
        "frontier.note",
        volume=w.number(volume.value, "plain"), low=w.number(low, "plain"),
        high=w.number(high, "plain"), rounds=w.count(found.rounds), seed=found.seed,
        reference=", ".join(f"{o.name} {o.reference:g}" for o in found.objectives),
    )  # fmt: skip
    if others:
        note = f"{note} {w('frontier.also', others=', '.join(others))}"
    return frontier(
        [_spot(cell, first, second, found, w) for cell in found.cells],
        title=w("frontier.title", first=first.name, second=second.name),
        note=" ".join([note, *found.notes]),
        across=f"{first.name} ({w(f'frontier.better_{first.better}')})",
        up=f"{second.name} ({w(f'frontier.better_{second.better}')})",
        names=(w("frontier.on"), w("frontier.off"), w("frontier.barred")),
        w=w,
    )  # fmt: skip


def _spot(cell: CellResult, first: Objective, second: Objective, found: Frontier, w: Words) -> Spot:
    state = "barred" if cell.barred else "on" if cell.on_frontier else "off"
    told = cell.barred or w("frontier.probability", p=w.number(cell.probability, "share"))
    return Spot(cell.name, str(cell.axes.get("method", "")), _range(cell, first, found),
                _range(cell, second, found), state, told)  # fmt: skip


def _range(cell: CellResult, one: Objective, found: Frontier) -> tuple[float, float, float]:
    """A value and its interval, cut where one very wide interval would flatten the picture."""
    estimate = cell.values[one.name]
    value = estimate.value or 0.0
    known = [c.values[one.name].value or 0.0 for c in found.cells]
    room = 2 * (max(known) - min(known)) or 1.0
    low, high = estimate.ends or [value, value]
    return value, max(low, min(known) - room), min(high, max(known) + room)
