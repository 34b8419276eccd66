"""The probe of this machine's speed gives a number and leaves no trace."""

from __future__ import annotations

import torch

from normwright.models.speed import measure_speed


def test_the_probe_leaves_no_trace() -> None:
    """A speed above zero; threads and random numbers are as they were."""
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()

    assert measure_speed(seconds=0.0) > 0
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_best_time_counts() -> None:
    """What one repetition took, at best, is what the speed is made of."""
    ticks = iter([0.0, 9.0, 10.0, 12.0, 20.0, 21.0, 30.0, 34.0])
    slow = measure_speed(seconds=0.0, spent=lambda: next(ticks))
    ticks = iter([0.0, 9.0, 10.0, 12.0, 20.0, 22.0, 30.0, 34.0])

    assert slow == 2 * measure_speed(seconds=0.0, spent=lambda: next(ticks))
