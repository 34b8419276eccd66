"""Noise in weights: as large as asked, the same by seed, and nothing else is touched."""

from __future__ import annotations

import torch

from normwright.learn import Shape, scratch_model
from normwright.models.local import LocalModel
from normwright.models.noise import noised


def small() -> LocalModel:
    """A model of a few thousand weights."""
    return scratch_model(["one two three", "four five"], shape=Shape(32, 2, 2, 300, 64), seed=0)


def test_noise_has_the_size_that_is_asked_and_leaves_embeddings_and_norms() -> None:
    """Its spread is a share of each matrix's own."""
    model = small()
    loud = noised(model, size=0.5, seed=1)

    for (name, was), now in zip(
        model.weights.named_parameters(), loud.weights.parameters(), strict=True
    ):
        moved = float((now - was).detach().std())
        if was.dim() < 2 or "embed" in name:
            assert moved == 0, name
        else:
            assert abs(moved / float(was.detach().std()) - 0.5) < 0.1, name


def test_the_same_seed_gives_the_same_noise_and_none_gives_the_same_model() -> None:
    """The model itself is not changed."""
    model = small()
    before = [p.detach().clone() for p in model.weights.parameters()]
    one, again, other = (noised(model, size=0.2, seed=s) for s in (1, 1, 2))
    still = noised(model, size=0.0, seed=3)

    assert _same(before, model)
    assert _same(list(one.weights.parameters()), again)
    assert not _same(list(one.weights.parameters()), other)
    assert _same(before, still)


def _same(weights: list[torch.Tensor], model: LocalModel) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights, model.weights.parameters(), strict=True))
