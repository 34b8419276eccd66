"""One call of the command line in several processes, which share each step of a training."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.flow.extras import require_learning
from normwright.records import Fault, InputError


def asked_processes(profile: str, processes: int | None) -> int:
    """Return how many processes a hardware profile and a number beside it ask for.

    Raises:
        InputError: for a number below one, or two numbers that differ.
    """
    named = profile.strip().lower().lstrip("abcdefghijklmnopqrstuvwxyz")
    if named.isdecimal() and processes is not None and int(named) != processes:
        raise InputError([Fault(where="--processes", expected=f"{named}, as --hardware says",
                                seen=str(processes), do="Give one of the two.")])  # fmt: skip
    number = processes if processes is not None else int(named) if named.isdecimal() else 1
    if number < 1:
        raise InputError([Fault(where="--processes", expected="at least 1", seen=str(number))])
    return number


def spread(arguments: Sequence[str], *, processes: int) -> int:
    """Run the command line with these arguments in several processes; return its exit code.

    torchrun on several machines calls the command itself, without a number of processes.
    """
    require_learning("Several processes")
    from normwright.models.tuning.processes import launch

    return launch("normwright.cli", arguments, processes=processes)
