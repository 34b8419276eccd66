"""A copy of a model with noise in its weights."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch

from normwright.models.local import LocalModel


@torch.no_grad()
def noised(model: LocalModel, *, size: float, seed: int) -> LocalModel:
    """Return a copy with Gaussian noise in every matrix of the layers; embeddings stay.

    Args:
        model: it is not changed.
        size: standard deviation of the noise, as a share of that of each matrix.
        seed: draws the noise.
    """
    weights = copy.deepcopy(model.weights)
    generator = torch.Generator().manual_seed(seed)
    tied = {id(weights.get_input_embeddings().weight), id(weights.get_output_embeddings().weight)}
    for part in weights.parameters():
        if part.dim() > 1 and id(part) not in tied:
            drawn = torch.randn(part.shape, generator=generator)
            part.add_(drawn.to(part) * (size * float(part.std())))
    return replace(model, weights=weights)
