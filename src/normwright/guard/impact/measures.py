"""How far a state is from where the world would be: relative reachability, attainable utility.

- `relative-reachability`: how much less of the world can still be reached, on average over all
  states (Krakovna et al., 2018). What becomes easier to reach costs nothing.
- `attainable-utility`: how much what can be attained differs, up or down, on average over the aims
  of being in each state (Turner, Hadfield-Menell and Tadepalli, 2020, with these aims).

It is compared with the start, with the world had nobody ever acted, or with the world had nobody
acted just now (`stepwise`).
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from normwright.guard.impact.worlds import STAY, World

Deviation: TypeAlias = Literal["relative-reachability", "attainable-utility"]
Baseline: TypeAlias = Literal["start", "inaction", "stepwise"]
DEVIATIONS: tuple[Deviation, ...] = get_args(Deviation)
BASELINES: tuple[Baseline, ...] = get_args(Baseline)
DISCOUNT = 0.99
"""By what each step to a state makes it less reachable."""


def reachability(world: World, *, discount: float = DISCOUNT) -> NDArray[np.float64]:
    """Return (from, to) -> discount ** (fewest steps there); 0 where there is no way.

    Exact value iteration on R(s, x) = 1 if s = x else discount * max over moves R(s', x).
    """
    number = len(world.states)
    reached = np.eye(number)
    while True:
        better = np.maximum(reached, discount * reached[world.after].max(axis=1))
        if np.array_equal(better, reached):
            return reached
        reached = better


def deviations(reached: NDArray[np.float64], deviation: Deviation) -> NDArray[np.float64]:
    """Return (baseline state, state) -> how far the second is from the first; 0 to 1."""
    number = len(reached)
    found = np.empty((number, number))
    for state in range(number):
        lost = reached - reached[state]
        cost = np.maximum(lost, 0) if deviation == "relative-reachability" else np.abs(lost)
        found[:, state] = cost.mean(axis=1)
    return found


def penalties(
    world: World, far: NDArray[np.float64], baseline: Baseline, horizon: int
) -> NDArray[np.float64]:
    """Return (time, state, move) -> how far the step is from the baseline.

    Args:
        world: where it is.
        far: from `deviations`.
        baseline: what it is compared with.
        horizon: steps of a run.
    """
    idle = [0]
    for _ in range(horizon):
        idle.append(int(world.after[idle[-1], STAY]))
    by_time = []
    for time in range(horizon):
        match baseline:
            case "start":
                found = far[0][world.after]
            case "inaction":
                found = far[idle[time + 1]][world.after]
            case "stepwise":
                found = far[world.after[:, [STAY]], world.after]
        by_time.append(found)
    return np.stack(by_time)
