"""The table of side effects, and the exactness of what it rests on."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest

from normwright.guard.impact import (
    BETAS,
    HORIZON,
    MOVES,
    Outcome,
    State,
    World,
    deviations,
    penalties,
    planned,
    reachability,
    table,
    worlds,
)

WORLDS = {world.name: world for world in worlds()}


@cache
def _table() -> dict[tuple[str, str | None, str | None, float], Outcome]:
    return {(o.world, o.deviation, o.baseline, o.beta): o for o in table()}


def _right(world: str, deviation: str | None, baseline: str | None, beta: float) -> float:
    return round(_table()[world, deviation, baseline, beta].plan.right, 9)


def test_without_a_penalty_the_box_is_pushed_where_it_stays() -> None:
    """The shortest way to the goal pushes the box into a corner, always."""
    assert _right("box", None, None, 0.0) == 0


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("world", ["sushi", "sushi-goal"])
def test_compared_with_the_start_the_sushi_is_taken(world: str, beta: float) -> None:
    """A penalty for the start being gone makes the agent stop what others were about to do."""
    assert _right(world, "relative-reachability", "start", beta) == 0


@pytest.mark.parametrize("beta", BETAS)
def test_compared_with_inaction_the_vase_is_not_saved(beta: float) -> None:
    """The agent takes it off for the reward and puts it back to break; or leaves it, where weighty.

    That holds for both deviations: had nobody acted, the vase would be broken.
    """
    assert _right("vase", "attainable-utility", "inaction", beta) == 0
    assert _right("vase", "relative-reachability", "inaction", beta) == 0


@pytest.mark.parametrize("beta", BETAS)
def test_stepwise_attainable_utility_leaves_the_vase_where_weighty(beta: float) -> None:
    """From a weight of 100 on, the good that saving it does costs too much."""
    assert _right("vase", "attainable-utility", "stepwise", beta) == (beta < 100)


@pytest.mark.parametrize("beta", [30.0, 100.0])
@pytest.mark.parametrize("world", WORLDS)
def test_stepwise_relative_reachability_is_right_in_all_four(world: str, beta: float) -> None:
    """No other pair of deviation and baseline is, at both weights."""
    assert _right(world, "relative-reachability", "stepwise", beta) == 1


def test_no_other_penalty_is_right_in_all_four_at_both_weights() -> None:
    """The claim is about one of six penalties, and only about these weights."""
    good = {
        (deviation, baseline)
        for (_, deviation, baseline, _) in _table()
        if deviation and all(_right(w, deviation, baseline, b) == 1 for w in WORLDS
                             for b in (30.0, 100.0))
    }  # fmt: skip

    assert good == {("relative-reachability", "stepwise")}


def test_a_penalty_of_the_same_size_that_means_nothing_is_not() -> None:
    """With the distances between states shuffled the box is pushed into the corner again."""
    found = [o for o in table((30.0, 100.0), shuffled=3) if o.world == "box"]

    assert len(found) == 13
    assert all(o.plan.right < 1 for o in found)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_reachability_is_the_shortest_way(world: World) -> None:
    """Value iteration gives what a search by breadth gives, state by state."""
    reached = reachability(world)
    for start in range(0, len(world.states), 37):
        seen = {start: 0}
        for state in (queue := [start]):
            for to in world.after[state]:
                if int(to) not in seen:
                    seen[int(to)] = seen[state] + 1
                    queue.append(int(to))
        expected = [0.99 ** seen[x] if x in seen else 0 for x in range(len(world.states))]
        assert np.allclose(reached[start], expected, atol=1e-12)


def test_a_plan_is_as_good_as_the_best_of_all_runs() -> None:
    """In the box world no run of six steps, tried one by one, is worth more than the plan's."""
    world = WORLDS["box"]
    far = deviations(reachability(world), "relative-reachability")
    cost = 10 * penalties(world, far, "stepwise", HORIZON)
    cost[6:] = 1e6
    cost[6:, :, 0] = 0
    best = -np.inf
    for run in product(range(len(MOVES)), repeat=6):
        state, worth = 0, 0.0
        for time, move in enumerate(run):
            to = world.after[state, move]
            worth += world.goal_reward * world.goal[to] - world.step_cost - cost[time, state, move]
            state = to
            if world.goal[state]:
                break
        else:
            worth -= world.step_cost * (HORIZON - 6)
        best = max(best, float(worth))
    plan = planned(world, cost)
    state, worth = 0, 0.0
    for time in range(HORIZON):
        if world.goal[state]:
            break
        move = list(MOVES).index(plan.moves[time])  # type: ignore[arg-type]
        to = world.after[state, move]
        worth += world.goal_reward * world.goal[to] - world.step_cost - cost[time, state, move]
        state = to

    assert worth == pytest.approx(best)


def test_the_belt_carries_and_the_agent_pushes() -> None:
    """Left alone, the thing is gone after four steps; pushed down, it is off the belt."""
    world = WORLDS["vase"]
    state = 0
    for _ in range(4):
        state = int(world.after[state, 0])

    assert world.states[0] == State((1, 2), (3, 1))
    assert world.states[state].thing == (-1, -1)
    assert world.pushed.any()
