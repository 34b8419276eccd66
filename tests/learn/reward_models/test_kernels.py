"""The process over an encoder's states: swaps, votes, prompts, evidence."""

from __future__ import annotations

import numpy as np
import pytest

from normwright.learn.reward_models.kernels import PairStates, fit_process


def drawn(n: int, *, seed: int, flip: bool = True) -> tuple[PairStates, np.ndarray]:
    """States of which the first number is good on prompts of one kind, and bad on the other."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, n, 1, 4))
    prompt = rng.normal(size=(n, 3)) * 0.2
    kind = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    prompt[:, 0] += 2 * kind
    utility = (first - second)[:, 0, 0] * (kind if flip else 1.0)
    return PairStates(first, second, prompt), (utility > 0).astype(float)


def right(states: PairStates, share: np.ndarray, fitted: object) -> float:
    margins = fitted.margins(states)  # type: ignore[attr-defined]
    return float(np.mean((margins > 0) == (share > 0.5)))


def test_what_is_good_may_depend_on_the_prompt() -> None:
    """With the kernel over prompts the planted flip is learned; without it there is nothing."""
    train, share = drawn(160, seed=0)
    test, truth = drawn(100, seed=1)
    ones = np.ones(160)

    assert right(test, truth, fit_process(train, share, ones)) > 0.85
    assert right(test, truth, fit_process(train, share, ones, prompts=False)) < 0.65


def test_swapping_the_answers_negates_the_margin() -> None:
    """A margin says nothing of which answer stands first: no layout can be learned."""
    train, share = drawn(40, seed=0)
    fitted = fit_process(train, share, np.ones(40))
    turned = PairStates(train.second, train.first, train.prompt)

    assert fitted.margins(turned) == pytest.approx(-fitted.margins(train))


def test_turned_labels_teach_nothing() -> None:
    """On labels of a coin, new pairs are a matter of chance."""
    train, _ = drawn(120, seed=0)
    test, truth = drawn(200, seed=1)
    coin = np.random.default_rng(3).integers(0, 2, 120).astype(float)

    assert abs(right(test, truth, fit_process(train, coin, np.ones(120))) - 0.5) < 0.15


def test_the_evidence_prefers_a_small_scale_for_votes_near_one_half() -> None:
    """Split votes ask for a flat process, unanimous ones on separable states for a steep one."""
    train, share = drawn(80, seed=0, flip=False)
    ones = np.ones(80)

    split = fit_process(train, np.full(80, 0.5), ones)
    sure = fit_process(train, share, ones)
    assert split.scale == 0.3
    assert sure.scale > split.scale
    assert np.abs(split.margins(train)).max() < 1e-6


def test_a_process_needs_pairs() -> None:
    """Without pairs there is nothing to be a process of."""
    train, _ = drawn(4, seed=0)
    with pytest.raises(ValueError, match="at least one pair"):
        fit_process(train.take(np.array([], dtype=np.int64)), np.array([]), np.array([]))
