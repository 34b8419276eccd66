"""How fast this machine multiplies, from a probe of a fraction of a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from normwright.models.local import half_precision

_ROWS, _WIDTH = 256, 256
_FLOPS = 6 * 8 * _ROWS * _WIDTH * _WIDTH
"""Two matrices of width x 4 width, each met once forwards and twice backwards."""


def measure_speed(
    *,
    seconds: float = 0.1,
    clock: Callable[[], float] = time.monotonic,
    spent: Callable[[], float] = time.thread_time,
) -> float:
    """Return how many operations a second one core reaches in a feed-forward block and back.

    The block is as wide as the embedded model, in the precision training would use. Time is that
    which this thread was given, so that what else runs on the machine does not count. The number of
    threads and the state of every random generator are as before afterwards.

    Args:
        seconds: how long to go on repeating it.
        clock: seconds that pass.
        spent: seconds of this thread.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        draw = torch.Generator().manual_seed(0)
        inputs = torch.ones(_ROWS, _WIDTH)
        up = torch.randn(4 * _WIDTH, _WIDTH, generator=draw).mul_(0.02).requires_grad_()
        down = torch.randn(_WIDTH, 4 * _WIDTH, generator=draw).mul_(0.02).requires_grad_()
        half = half_precision()

        def once() -> float:
            started = spent()
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                out = F.silu(inputs @ up.T) @ down.T
            out.float().square().mean().backward()
            return spent() - started

        once()  # the first one also prepares the libraries
        ended = clock() + seconds
        best = min(once() for _ in range(3))
        while clock() < ended:
            best = min(best, once())
    finally:
        torch.set_num_threads(before)
    return _FLOPS / best
