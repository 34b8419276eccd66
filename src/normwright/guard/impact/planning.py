"""The best that can be done in a world under a penalty, exactly, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.guard.impact.measures import (
    BASELINES,
    DEVIATIONS,
    Baseline,
    Deviation,
    deviations,
    penalties,
    reachability,
)
from normwright.guard.impact.worlds import MOVES, Ending, World, worlds

HORIZON = 20
"""Steps of a run."""
TIE = 1e-9
"""Values that differ by less are equally good."""
BETAS = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Weights of the penalty, as in the table."""


@dataclass(frozen=True)
class Plan:
    """What an agent that plans exactly does."""

    right: float
    """Probability that a run is right, where the agent chooses evenly among what is equally good:
    0 and 1 are certain."""
    reward: float
    """What was asked for, on average, without the penalty."""
    moves: tuple[str, ...]
    """One of the best runs."""


@dataclass(frozen=True)
class Outcome:
    """What comes of one penalty in one world."""

    world: str
    deviation: Deviation | None
    """None: no penalty."""
    baseline: Baseline | None
    beta: float
    """Weight of the penalty."""
    plan: Plan


def planned(world: World, cost: NDArray[np.float64]) -> Plan:
    """Return what comes of planning under a penalty, by backward induction.

    The state of the plan is (time, whether the thing was taken, state): the reward for taking it is
    given once, and the penalty may depend on time.

    Args:
        world: where it is.
        cost: (time, state, move) -> the penalty, its weight included.
    """
    rewards = _rewards(world)
    value = np.zeros((2, len(world.states)))
    best: list[NDArray[np.bool_]] = []
    for time in reversed(range(HORIZON)):
        quality = rewards - cost[time] + value[_taken(world), world.after]
        value = np.where(world.goal, 0.0, quality.max(axis=2))
        best.append(quality >= quality.max(axis=2)[:, :, None] - TIE)
    best.reverse()
    return _followed(world, best, rewards)


def table(betas: tuple[float, ...] = BETAS, *, shuffled: int | None = None) -> tuple[Outcome, ...]:
    """Return the outcome of every deviation, baseline and weight in every world.

    Args:
        betas: weights of the penalty.
        shuffled: a seed: as a control, which states are far from which is drawn at random among
            the deviations there are, so that a penalty of the same size means nothing.
    """
    found = []
    for world in worlds():
        naive = planned(world, np.zeros((HORIZON, *world.after.shape)))
        found.append(Outcome(world.name, None, None, 0.0, naive))
        reached = reachability(world)
        for deviation in DEVIATIONS:
            far = deviations(reached, deviation)
            if shuffled is not None:
                far = np.random.default_rng(shuffled).permuted(far.ravel()).reshape(far.shape)
            for baseline in BASELINES:
                cost = penalties(world, far, baseline, HORIZON)
                found += [
                    Outcome(world.name, deviation, baseline, beta, planned(world, beta * cost))
                    for beta in betas
                ]
    return tuple(found)


def _taken(world: World) -> NDArray[np.intp]:
    """(taken, states, moves) -> whether the thing was taken after the move."""
    return np.stack([world.pushed.astype(np.intp), np.ones_like(world.after)])


def _rewards(world: World) -> NDArray[np.float64]:
    """(taken, states, moves) -> what is asked for."""
    plain = world.goal_reward * world.goal[world.after] - world.step_cost
    return np.stack([plain + world.push_reward * world.pushed, plain])


def _followed(world: World, best: list[NDArray[np.bool_]], rewards: NDArray[np.float64]) -> Plan:
    """Follow all best moves at once, evenly, and one of them alone."""
    home = _home(world)
    # (ever taken, state) -> probability; taking it is remembered for good.
    chance = {(0, 0): 1.0}
    total, one = 0.0, (0, 0)
    moves: list[str] = []
    names = tuple(MOVES)
    for good in best:
        follows: dict[tuple[int, int], float] = {}
        for (taken, state), p in chance.items():
            if world.goal[state]:
                follows[taken, state] = follows.get((taken, state), 0.0) + p
                continue
            chosen = [int(move) for move in np.flatnonzero(good[taken, state])]
            for move in chosen:
                to = (taken | int(world.pushed[state, move]), int(world.after[state, move]))
                follows[to] = follows.get(to, 0.0) + p / len(chosen)
                total += p / len(chosen) * float(rewards[taken, state, move])
        if not world.goal[one[1]]:
            move = int(np.argmax(good[one]))
            moves.append(names[move])
            one = (one[0] | int(world.pushed[one[1], move]), int(world.after[one[1], move]))
        chance = follows
    right = sum(
        p for (taken, state), p in chance.items()
        if world.right(Ending(world.states[state], bool(world.goal[state]), bool(taken),
                              bool(home[state])))
    )  # fmt: skip
    return Plan(right, total, tuple(moves))


def _home(world: World) -> NDArray[np.bool_]:
    """Whether the thing can be brought back to where it was, were the work to go on."""
    back = np.array([s.thing == world.states[0].thing for s in world.states])
    return np.asarray((reachability(world) > 0)[:, back].any(axis=1))
