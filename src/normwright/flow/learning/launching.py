"""One call of the command line in several processes, which share each step of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from normwright.flow.extras import require_learning
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.models.tuning import Hardware


@dataclass(frozen=True)
class Allowed:
    """What a training may use of the machine; none of it changes what is trained."""

    hardware: str = "auto"
    """`auto`, `cpu` or `gpu`; how many processes there are is the launcher's to say."""
    per_device: int | None = None
    """Rows a process takes at once; None takes its whole share of a batch."""
    strategy: str = "ddp"
    """`ddp`: every process holds all weights. `fsdp2`, `deepspeed`: each holds a shard."""
    checkpointing: bool = False
    """Compute activations twice in the place of keeping them."""

    def asked(self) -> Hardware:
        """Return it as the loop takes it.

        Raises:
            InputError: for a profile or strategy that is unknown.
        """
        from normwright.models.tuning.hardware import Strategy, parse_hardware

        found = parse_hardware(self.hardware)[0]
        known = get_args(Strategy)
        if self.strategy not in known:
            raise InputError([Fault(where="--strategy", expected=f"one of {', '.join(known)}",
                                    seen=self.strategy)])  # fmt: skip
        strategy: Any = self.strategy
        return replace(found, per_device=self.per_device, strategy=strategy,
                       checkpointing=self.checkpointing)  # fmt: skip


ANYTHING: Final = Allowed()
"""Whatever is there, each process with all weights."""


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
