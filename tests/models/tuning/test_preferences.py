"""Losses on preferences: each is minimised by what it says, on all pairs of a few candidates."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations

import pytest
import torch

from normwright.models.tuning.preferences import (
    bernoulli_losses,
    borda_losses,
    entropies,
    guarded_losses,
    hidden_similarity,
    lengthened,
    listwise_losses,
    majority_shares,
    misorder_losses,
    multi_objective,
    shortfall,
)

BETA = 0.5
UTILITIES = torch.tensor([1.2, 0.1, -0.4, -0.9])
PAIRS = torch.tensor(list(combinations(range(4), 2)))
SHARES = torch.sigmoid(UTILITIES[PAIRS[:, 0]] - UTILITIES[PAIRS[:, 1]])


def minimised(loss: Callable[[torch.Tensor], torch.Tensor], steps: int = 400) -> torch.Tensor:
    """Log-ratios h of four candidates at which a loss of the margins is least, centred."""
    h = torch.zeros(4, requires_grad=True)
    optimiser = torch.optim.LBFGS([h], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss(h)
        value.backward()
        return value

    optimiser.step(closure)
    return (h - h.mean()).detach()


def margins(h: torch.Tensor) -> torch.Tensor:
    return BETA * (h[PAIRS[:, 0]] - h[PAIRS[:, 1]])


def test_soft_labels_end_at_the_utilities_over_beta() -> None:
    """Bradley-Terry shares give back the utilities that made them."""
    h = minimised(lambda h: bernoulli_losses(margins(h), SHARES).mean())

    assert torch.allclose(h, (UTILITIES - UTILITIES.mean()) / BETA, atol=1e-3)


def test_the_least_soft_loss_is_the_entropy_of_the_shares() -> None:
    """At the shares' own logits the loss is their entropy, also for unanimous shares."""
    p = torch.tensor([0.72, 0.5, 0.03])

    assert torch.allclose(bernoulli_losses(torch.logit(p), p), entropies(p), atol=1e-6)
    assert entropies(torch.tensor([0.0, 1.0])).tolist() == [0.0, 0.0]


def test_ipo_ends_at_bordas_count_over_beta_and_not_at_the_utilities() -> None:
    """With all pairs alike h is the mean share won over beta; a BT fit would be elsewhere."""
    table = torch.full((4, 4), 0.5)
    for (a, b), p in zip(PAIRS.tolist(), SHARES.tolist(), strict=True):
        table[a, b], table[b, a] = p, 1 - p
    borda = table.mean(1)
    h = minimised(lambda h: borda_losses(margins(h), SHARES).mean())

    assert torch.allclose(h, (borda - borda.mean()) / BETA, atol=1e-4)
    assert not torch.allclose(h, (UTILITIES - UTILITIES.mean()) / BETA, atol=0.5)


def test_listwise_ends_at_any_target() -> None:
    """The softmax of beta h is the target, also where rows have fewer candidates than others."""
    target = torch.tensor([[0.1, 0.6, 0.3, 0.0], [0.25, 0.25, 0.25, 0.25]])
    present = torch.tensor([[True, True, True, False], [True] * 4])
    h = minimised(lambda h: listwise_losses(BETA * h[None], target[:1], present[:1]).sum())
    loss = listwise_losses(torch.zeros(2, 4), target, present)

    assert torch.allclose(torch.softmax(BETA * h[:3], 0), target[0, :3], atol=1e-3)
    assert loss.tolist() == pytest.approx([math.log(3), math.log(4)])


def test_kemeny_counts_people_the_order_goes_against() -> None:
    """Sharp, it is |2p - 1| of each misordered pair, so a cycle breaks where it is weakest."""
    p = torch.tensor([0.9, 0.8, 0.45])
    right = misorder_losses(torch.tensor([5.0, 5.0, -5.0]), p, 0.01)
    wrong = misorder_losses(torch.tensor([-5.0, 5.0, 5.0]), p, 0.01)

    assert right.tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert wrong.tolist() == pytest.approx([0.8, 0, 0.1], abs=1e-6)


def test_sharpened_shares_keep_sides_and_ties() -> None:
    """A majority of 51 % becomes nearly certain, a tie stays a tie."""
    p = majority_shares(torch.tensor([0.51, 0.5, 0.2]), 1000.0)

    assert p.tolist() == pytest.approx([1.0, 0.5, 0.0], abs=1e-4)


def test_a_price_on_length_ends_at_the_utility_less_the_price() -> None:
    """R-DPO: the minimiser is (r - alpha length) / beta."""
    lengths = torch.tensor([10.0, 4.0, 6.0, 1.0])
    longer = lengths[PAIRS[:, 0]] - lengths[PAIRS[:, 1]]
    h = minimised(lambda h: bernoulli_losses(lengthened(margins(h), longer, 0.1), SHARES).mean())
    expected = (UTILITIES - 0.1 * lengths) / BETA

    assert torch.allclose(h, expected - expected.mean(), atol=2e-3)


def test_fixed_rewards_stand_beside_what_is_learned() -> None:
    """MODPO: the minimiser is (w0 r0 + w1 r1) / beta."""
    other = torch.tensor([-1.0, 0.5, 1.0, 0.2])
    differences = (other[PAIRS[:, 0]] - other[PAIRS[:, 1]])[:, None]
    weights = torch.tensor([0.4])

    def loss(h: torch.Tensor) -> torch.Tensor:
        z = multi_objective(margins(h), differences, weights, 0.6)
        return bernoulli_losses(z, SHARES).mean()

    expected = (0.6 * UTILITIES + 0.4 * other) / BETA

    assert torch.allclose(minimised(loss), expected - expected.mean(), atol=2e-3)


def test_the_displacement_guard_is_dpop_for_single_choices_and_nothing_where_nothing_is_lost() -> (
    None
):
    """With p = 1 only the chosen answer's loss counts; without losses it is the soft loss."""
    z, lost = torch.tensor([0.3, -0.2]), torch.tensor([0.5, 0.0])
    one = torch.ones(2)

    assert torch.equal(guarded_losses(z, one, lost, 9 * one), bernoulli_losses(z - lost, one))
    assert torch.allclose(
        guarded_losses(z, 0.3 * one, 0 * one, 0 * one), bernoulli_losses(z, 0.3 * one)
    )
    assert shortfall(torch.tensor([-3.0, -1.0]), torch.tensor([-2.0, -2.0])).tolist() == [1.0, 0.0]


def test_answers_with_like_states_are_nearest() -> None:
    """A pair with equal states has similarity 0, one with opposite states the least."""
    a = torch.tensor([[3.0, 0.0], [3.0, 0.0]])
    b = torch.tensor([[6.0, 0.0], [-3.0, 0.0]])
    near = hidden_similarity(a, b, (torch.tensor([1.0, 1.0]), torch.tensor([2.0, 1.0])))

    assert near.tolist() == [0.0, -18.0]
