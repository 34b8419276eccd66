"""Multipliers follow the dual, whatever a norm's layer allows of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from normwright.learn.rewards import Constraint, Pid, impact, phrases
from normwright.learn.rewards.constraints import FORCE, Multiplier, faults_of
from normwright.records import Message

COST = phrases(["x"])


def held(**settings: Any) -> Constraint:
    return Constraint(**{"norm": "n@1", "cost": COST, "limit": 0.2, **settings})


def test_a_multiplier_rises_above_the_limit_and_falls_to_zero_below_it() -> None:
    """A step of the dual is rate times the excess of the mean, and never below zero."""
    one = Multiplier(held(rate=0.5))
    one.learn([1.0, 0.0])
    risen = one.value
    one.learn([0.0, 0.0])
    fallen = one.value
    for _ in range(10):
        one.learn([0.0])

    assert risen == pytest.approx(0.5 * (0.5 - 0.2))
    assert fallen == pytest.approx(risen - 0.5 * 0.2)
    assert one.value == 0.0


def test_the_dual_is_solved_where_it_can_be_computed() -> None:
    """On a tabular policy that is always at its optimum, the multiplier ends where it must."""
    rewards, costs, beta, limit = [1.0, 0.0, 0.5], [1.0, 0.0, 0.2], 0.5, 0.3

    def mean_cost(multiplier: float) -> float:
        tilt = [math.exp((r - multiplier * c) / beta) for r, c in zip(rewards, costs, strict=True)]
        return sum(t * c for t, c in zip(tilt, costs, strict=True)) / sum(tilt)

    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_cost(middle) > limit else (low, middle)
    for settings in ({"rate": 0.5}, {"pid": Pid(integral=0.5)}):
        one = Multiplier(held(limit=limit, **settings))
        for _ in range(800):
            one.learn([mean_cost(one.value)])

        assert one.value == pytest.approx(low, abs=1e-3)


def test_a_tail_holds_the_mean_of_the_worst_answers() -> None:
    """With a tail of a tenth, its threshold comes to the 0.9 quantile and its mean is held."""
    one = Multiplier(held(tail=0.1, limit=95.0, rate=0.0, start=1.0, tail_rate=1.0))
    costs = [float(i) for i in range(100)]
    for _ in range(400):
        one.learn(costs)
    charged = one.charged([89.0, 99.0]).charge

    assert one.threshold == pytest.approx(89.5, abs=1.0)
    assert charged[0] == 0.0
    assert charged[1] == pytest.approx((99 - one.threshold) / 0.1)


def test_no_answer_that_counts_moves_nothing() -> None:
    """A batch without a prompt that names the norm says nothing of its cost."""
    one = Multiplier(held(start=2.0))
    one.learn([])

    assert one.value == 2.0


def test_the_cap_is_the_layers_unless_given() -> None:
    """A multiplier stops at its cap, which is higher for a global norm."""
    for layer in ("global", "polity"):
        one = Multiplier(held(layer=layer, rate=1e6))
        one.learn([1.0])

        assert one.value == FORCE[layer].cap
    own = Multiplier(held(rate=1e6, cap=3.0))
    own.learn([1.0])

    assert own.value == 3.0
    assert FORCE["global"].cap > FORCE["polity"].cap


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"rate": -0.1}, "reward breaking"),
        ({"start": -1.0}, "reward breaking"),
        ({"layer": "organisation", "limit": None, "price": -1.0}, "reward breaking"),
        ({"pid": Pid(integral=-1.0)}, "reward breaking"),
        ({"limit": None}, "highest mean cost"),
        ({"limit": math.nan}, "highest mean cost"),
        ({"layer": "individual"}, "one of global"),
        ({"layer": "global", "price": 1.0}, "not for sale"),
        ({"layer": "organisation"}, "a price and no limit"),
        ({"rate": 0.0}, "can rise"),
        ({"tail": 0.0}, "share"),
    ],
)
def test_what_a_layer_does_not_allow_is_refused(settings: dict[str, Any], told: str) -> None:
    """Inverted norms, norms for sale and norms that nothing enforces are faults."""
    found = list(faults_of([held(**settings)]))

    assert any(told in one.expected for one in found), found


def test_one_norm_has_one_constraint() -> None:
    """A second constraint of a norm is a fault; lawful ones have none."""
    assert not list(faults_of([held(), held(norm="o@1", layer="global")]))
    assert len(list(faults_of([held(), held()]))) == 1


def test_an_impact_is_a_cost_like_any_other() -> None:
    """The measure of prompt and answer is what is held."""
    one = impact(lambda prompt, text: float(len(text)), limit=3.0)
    prompt = (Message(role="user", content="q"),)

    assert list(one.cost([prompt], ["four"], {})) == [4.0]
    assert not list(faults_of([one]))


def test_a_multiplier_goes_on_from_its_state() -> None:
    """Two halves of a run with a state between them end as one whole."""
    settings: dict[str, Any] = {"pid": Pid(), "tail": 0.5}
    whole, first, second = (Multiplier(held(**settings)) for _ in range(3))
    batches = [[0.9, 0.1, 0.5], [0.3, 0.8, 0.0], [1.0, 1.0, 0.2], [0.0, 0.1, 0.4]]
    for batch in batches:
        whole.learn(batch)
    for batch in batches[:2]:
        first.learn(batch)
    second.load_state_dict(first.state_dict())
    for batch in batches[2:]:
        second.learn(batch)

    assert second.state_dict() == whole.state_dict()
