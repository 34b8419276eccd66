"""Sums over the answers of a batch, on all processes: what every reward function's state moves by.

Each process scores its own share of a batch. A multiplier that saw that share alone would differ
from process to process, and so would the objective that each trains on.
"""

from __future__ import annotations

from collections.abc import Sequence


def sums(values: Sequence[float]) -> list[float]:
    """Return each value summed over all processes; as they are where there is one process."""
    import torch
    import torch.distributed as processes

    if not (processes.is_available() and processes.is_initialized()):
        return list(values)
    on = "cuda" if processes.get_backend() == "nccl" else "cpu"
    total = torch.tensor(values, dtype=torch.float64, device=on)
    processes.all_reduce(total)
    return [float(one) for one in total.tolist()]


def means(columns: Sequence[Sequence[float]], count: int) -> list[float] | None:
    """Return the mean of each column over the answers of all processes; None if there are none.

    Args:
        columns: values of this process, one list for each thing that is averaged.
        count: answers that this process counts.
    """
    *totals, answers = sums([*(float(sum(one)) for one in columns), float(count)])
    return [one / answers for one in totals] if answers else None


def gathered(values: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the numbered texts of all processes, in the order of the processes."""
    import torch.distributed as processes

    if not (processes.is_available() and processes.is_initialized()):
        return list(values)
    parts: list[list[tuple[int, str]]] = [[] for _ in range(processes.get_world_size())]
    processes.all_gather_object(parts, list(values))
    return [one for part in parts for one in part]
