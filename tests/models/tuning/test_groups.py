"""Weights of groups: they rise where people are served badly, within bounds, and survive a kill."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from normwright.models.tuning.groups import GroupWeights, Robustness, bounded


def fed(
    groups: GroupWeights, losses: tuple[float, ...], steps: int, present: tuple[float, ...] = ()
) -> GroupWeights:
    row = torch.tensor([losses])
    weight = torch.tensor([present or tuple(1.0 for _ in losses)])
    for _ in range(steps):
        groups.gather(row, weight)
        groups.step()
    return groups


def made(
    robustness: Robustness | None = None, unavoidable: tuple[float, ...] = (0.0, 0.0)
) -> GroupWeights:
    return GroupWeights(
        ["many", "few"], [10.0, 1.0], [200, 20], unavoidable, robustness=robustness or Robustness()
    )


def test_they_begin_at_shares_where_robust_is_pooled() -> None:
    """Before a step every row weighs as it does pooled."""
    assert made().weights == pytest.approx({"many": 10 / 11, "few": 1 / 11})
    assert made().ratios(torch.zeros(1)).tolist() == pytest.approx([1.0, 1.0])


def test_the_worse_served_group_rises() -> None:
    """With a higher loss the small group's weight grows step by step."""
    once, often = fed(made(), (0.1, 1.0), 1).weights, fed(made(), (0.1, 1.0), 60).weights

    assert 1 / 11 < once["few"] < often["few"]
    assert often["few"] > 0.8


def test_regret_does_not_reward_disagreement() -> None:
    """A group whose loss is its own entropy gains nothing; by plain loss it would."""
    loss = (0.1, 0.69)
    regret = fed(made(unavoidable=(0.1, 0.69)), loss, 60).weights
    plain = fed(made(Robustness(regret=False), unavoidable=(0.1, 0.69)), loss, 60).weights

    assert regret["few"] == pytest.approx(1 / 11)
    assert plain["few"] > 0.5


def test_cap_and_floor_hold() -> None:
    """However badly it is served, a group takes no more than the cap and leaves the floor."""
    weights = fed(made(Robustness(cap=0.4)), (0.1, 9.0), 200).weights
    other = GroupWeights(
        ["a", "b", "c"], [1, 1, 1], [50, 50, 50], [0, 0, 0],
        robustness=Robustness(cap=0.6, floor=0.1),
    )  # fmt: skip
    found = fed(other, (0.0, 0.1, 5.0), 300).weights

    assert weights == pytest.approx({"many": 0.6, "few": 0.4})
    assert found["c"] == pytest.approx(0.6)
    assert min(found.values()) == pytest.approx(0.1)


def test_a_group_of_too_few_rows_keeps_its_share() -> None:
    """Below the least number of rows a group's loss moves nothing."""
    groups = GroupWeights(
        ["a", "b", "tiny"], [6, 3, 1], [60, 30, 3], [0, 0, 0], robustness=Robustness()
    )
    found = fed(groups, (0.1, 0.5, 9.0), 100).weights

    assert found["tiny"] == pytest.approx(0.1)
    assert found["b"] > 0.6
    assert sum(found.values()) == pytest.approx(1)


def test_an_absent_group_stands_still() -> None:
    """A step that says nothing of a group leaves its running loss."""
    groups = fed(made(), (0.2, 0.8), 5)
    before = groups.losses["few"]
    fed(groups, (0.2, 0.0), 3, present=(1.0, 0.0))

    assert groups.losses["few"] == pytest.approx(before)


def test_parts_of_a_step_move_it_once() -> None:
    """Two halves gathered before a step do what the whole does."""
    whole, halves = made(), made()
    losses, weights = torch.tensor([[0.3, 0.9], [0.1, 0.4]]), torch.tensor([[1.0, 1.0], [2.0, 0.5]])
    whole.gather(losses, weights)
    whole.step()
    for i in (0, 1):
        halves.gather(losses[i : i + 1], weights[i : i + 1])
    halves.step()

    assert halves.weights == pytest.approx(whole.weights)
    assert halves.losses == pytest.approx(whole.losses)


def test_state_goes_on_where_it_stood() -> None:
    """Restored, the weights move on as if nothing had happened; other groups are refused."""
    straight = fed(made(), (0.1, 1.0), 20)
    broken = made()
    broken.load_state_dict(fed(made(), (0.1, 1.0), 12).state_dict())

    assert fed(broken, (0.1, 1.0), 8).state_dict() == straight.state_dict()
    with pytest.raises(ValueError, match="checkpoint of groups"):
        GroupWeights(["x"], [1], [9], [0], robustness=Robustness()).load_state_dict(
            straight.state_dict()
        )


@given(
    st.lists(st.floats(1e-6, 10), min_size=2, max_size=6), st.floats(0, 0.15), st.floats(0.55, 1)
)
def test_bounded_weights_sum_to_one_within_bounds_in_order(
    raw: list[float], floor: float, cap: float
) -> None:
    """Whatever is given, the result is a distribution within bounds that keeps the order."""
    found = bounded(raw, [floor] * len(raw), [cap] * len(raw))

    assert sum(found) == pytest.approx(1)
    assert all(floor - 1e-6 <= f <= cap + 1e-6 for f in found)
    ranked = [f for _, f in sorted(zip(raw, found, strict=True))]
    assert all(a <= b + 1e-9 for a, b in pairwise(ranked))
