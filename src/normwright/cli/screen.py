"""What goes where: one JSON value on stdout, screens for people, faults on stderr, exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from normwright.records import (
    VERDICTS,
    Fault,
    InputError,
    NormwrightError,
    PermitError,
    PluginError,
    StoreError,
    VerdictWord,
    describe,
)

if TYPE_CHECKING:
    from rich.console import Console

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes that no verdict decides."""

VERDICT_CODES: dict[VerdictWord, int] = dict(zip(VERDICTS, (0, 3, 4, 5), strict=True))
"""Exit code of `run`, by the worst verdict among the modes that were asked for."""

VERDICT_STYLES: dict[VerdictWord, str] = {
    "RELEASE": "bold green",
    "HOLD": "bold yellow",
    "BLOCK": "bold red",
    "INVALID": "bold magenta",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console that wraps by words and never highlights numbers by itself."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def emit(value: Any) -> None:
    """Print one JSON value and nothing else on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def faults_of(error: Exception) -> tuple[Fault, ...]:
    """Return an error as faults: its own if it carries some, else one that repeats its message."""
    if isinstance(error, InputError | PermitError):
        return error.faults
    if isinstance(error, StoreError):
        return (error.fault,)
    if isinstance(error, PluginError):
        do = "See what there is: normwright plugins"
        return (Fault(where="plug-in", expected="one that there is", seen=str(error), do=do),)
    if isinstance(error, NormwrightError):
        return (Fault(where=type(error).__name__, expected="", seen=str(error)),)
    return (
        Fault(
            where=type(error).__name__,
            expected="no error",
            seen=str(error) or repr(error),
            do="This is a defect of the program; the trace is on stderr.",
        ),
    )


def fault_json(fault: Fault) -> dict[str, str]:
    """Return the four fields that every fault is printed with."""
    return {
        "where": fault.where,
        "expected": fault.expected,
        "seen": fault.seen,
        "do": fault.do,
    }


def show_faults(faults: Sequence[Fault], *, as_json: bool) -> None:
    """Print faults: one JSON value on stdout, or one line each on stderr."""
    if as_json:
        emit({"error": {"faults": [fault_json(f) for f in faults]}})
        return
    err = console(stderr=True)
    for fault in faults:
        line = describe(fault) if fault.expected else f"{fault.where}: {fault.seen} {fault.do}"
        err.print(line.rstrip(), style="red", markup=False, soft_wrap=True)
