"""Why two runs differ: the inputs, settings, code and seed that are not the same, in order.

Every result stands under all that could have changed it. Where two runs made something else in a
step, the cause is therefore among what is written beside the result, or in a step above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from normwright.store import StageResult

Kind: TypeAlias = Literal["file", "input", "parameter", "code", "seed", "step"]

Results: TypeAlias = Mapping[str, StageResult]


@dataclass(frozen=True)
class Cause:
    """One thing that was not the same in the two runs."""

    kind: Kind
    """`file`: of the project; `input`: from outside it, such as a base model; `parameter`: a
    setting; `code`: of the program; `step`: one that only one of the runs has."""
    name: str
    """Path, dotted name of the setting, or name of the step; empty for code and seed."""
    before: Any
    """A digest or a value; None where it was not there."""
    after: Any
    steps: tuple[str, ...]
    """The steps that read it."""
    reaches: tuple[str, ...]
    """Those of them, and of all that rest on them, that made something else."""


def causes_of(before: Results, after: Results) -> tuple[Cause, ...]:
    """Return what was not the same in two runs, in the order of the steps that read it."""
    found: dict[tuple[str, str, str], list[tuple[str, Any, Any]]] = {}
    for step in (*before, *(name for name in after if name not in before)):
        for kind, name, one, other in _differences(step, before.get(step), after.get(step)):
            # The program and its parts have one digest a step; everything else one value in all.
            value = "" if kind == "code" else repr((one, other))
            found.setdefault((kind, name, value), []).append((step, one, other))
    below = _below(before, after)
    return tuple(
        Cause(
            kind=kind,  # type: ignore[arg-type]
            name=name,
            before=places[0][1],
            after=places[0][2],
            steps=(steps := tuple(place[0] for place in places)),
            reaches=_reached(steps, below, before, after),
        )
        for (kind, name, _), places in found.items()
    )


def changed(step: str, before: Results, after: Results) -> bool:
    """Say whether a step made something else in the second run, or in one of them nothing."""
    one, other = before.get(step), after.get(step)
    return one is None or other is None or one.made != other.made


def _differences(
    step: str, one: StageResult | None, other: StageResult | None
) -> Iterator[tuple[Kind, str, Any, Any]]:
    """Yield what a step's result stands under that differs, apart from what other steps made."""
    if one is None or other is None:
        yield "step", step, one and one.key, other and other.key
        return
    parts: tuple[tuple[Kind, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("file", one.inputs["files"], other.inputs["files"]),
        ("input", one.inputs["other"], other.inputs["other"]),
        ("parameter", dict(_flat(one.parameters)), dict(_flat(other.parameters))),
    )
    for kind, first, second in parts:
        for name in sorted({*first, *second}):
            if first.get(name) != second.get(name):
                yield kind, name, first.get(name), second.get(name)
    if one.code != other.code:
        yield "code", "", one.code, other.code
    if one.seed != other.seed:
        yield "seed", "", one.seed, other.seed


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by dotted name."""
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from _flat(inner, f"{above}{name}.")
        else:
            yield f"{above}{name}", inner


def _below(before: Results, after: Results) -> dict[str, set[str]]:
    """Return, for each step, those that read what it made, in either run."""
    below: dict[str, set[str]] = {}
    for results in (before, after):
        for name, result in results.items():
            for above in result.inputs["after"]:
                below.setdefault(above, set()).add(name)
    return below


def _reached(
    steps: tuple[str, ...], below: Mapping[str, set[str]], before: Results, after: Results
) -> tuple[str, ...]:
    """Return the steps with another result that a cause can have reached, in order."""
    todo, reached = list(steps), set[str]()
    while todo:
        step = todo.pop()
        if step not in reached and changed(step, before, after):
            reached.add(step)
            todo.extend(below.get(step, ()))
    order = (*before, *(name for name in after if name not in before))
    return tuple(name for name in order if name in reached)
