"""The lab: every recipe against the optimum that theory says it has, beside its controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from normwright.learn.lab import controls, limits, offline, online, processes, rules, theorems
from normwright.learn.lab.findings import Check, Row, Scale
from normwright.records import Fault, InputError

Told = Callable[[int, int, str], None]
"""Called with (checks done, checks in all, the name of the next)."""


def checks() -> tuple[Check, ...]:
    """Return all checks in the order they run."""
    return (
        *theorems.CHECKS,
        *limits.CHECKS,
        *offline.CHECKS,
        *rules.CHECKS,
        *online.CHECKS,
        *processes.CHECKS,
        *controls.CHECKS,
    )


def run_lab(
    scale: Scale,
    *,
    clock: Callable[[], float],
    only: Sequence[str] = (),
    progress: Told | None = None,
) -> tuple[Row, ...]:
    """Return the rows of the lab.

    Args:
        scale: seed and size.
        clock: seconds, for the rows.
        only: names of checks to run; all of the scale if empty.
        progress: told before each check.

    Raises:
        InputError: if a name is unknown.
    """
    chosen = [c for c in checks() if (c.name in only if only else c.quick or not scale.quick)]
    known = {c.name for c in checks()}
    if unknown := [name for name in only if name not in known]:
        raise InputError(
            [
                Fault(where="--only", expected=f"one of {', '.join(sorted(known))}", seen=name)
                for name in unknown
            ]
        )
    rows: list[Row] = []
    for done, check in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen), check.name)
        start = clock()
        found = list(check.run(scale))
        took = clock() - start
        rows += [Row(check.name, f, took if i == 0 else 0.0) for i, f in enumerate(found)]
    return tuple(rows)


def left_out(scale: Scale) -> tuple[str, ...]:
    """Return the names of checks that a lab of this scale does not run."""
    return tuple(c.name for c in checks() if scale.quick and not c.quick)
