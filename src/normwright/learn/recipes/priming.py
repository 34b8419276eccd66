"""Start a small Llama with heads that look back, instead of waiting thousands of steps for them.

A transformer learns to look things up in its prompt when a head that knows the previous token and a
head that matches against it find each other (induction heads; Olsson et al. 2022). From random
weights a model of four layers needs tens of millions of tokens for that. Here both are written into
the first two layers as a starting point, and training does the rest; everything else stays random.
Related: mimetic initialisation (Trockman and Kolter 2023).
"""

from __future__ import annotations

from typing import Any

import torch

ANCHOR = 0.1
"""Value of the one embedding dimension that is equal for all tokens; positional heads read it."""


@torch.no_grad()
def prime(model: Any, *, seed: int) -> None:
    """Write previous-token heads into layer 0 and matching heads into layer 1 of `model`, in place.

    Args:
        model: a Llama causal language model with at least two layers, tied embeddings and as many
            key heads as query heads.
        seed: seed of the random directions.
    """
    config = model.config
    width, heads = config.hidden_size, config.num_attention_heads
    size = width // heads
    half = size // 2
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    angles = config.rope_parameters["rope_theta"] ** (-torch.arange(half) / half)
    embedding = model.model.embed_tokens.weight
    spread = float(embedding[:, 1:].std())
    embedding[:, 0] = ANCHOR
    lift = ANCHOR / ((ANCHOR**2 + (width - 1) * spread**2) / width) ** 0.5

    # Layer 0: half the heads look one token back, a quarter two; each passes on what it saw.
    first = model.model.layers[0].self_attn
    near = heads // 2
    offsets = [1] * near + [2] * (heads // 4)
    sharp = angles > 0.05
    gap = float((1 - torch.cos(angles[sharp])).sum())
    reach = (8.0 * size**0.5 / gap) ** 0.5 / lift
    told = len(offsets) * size
    seen = torch.linalg.qr(normal(width, told))[0] * (spread * (width / (near * size)) ** 0.5)
    for head, offset in enumerate(offsets):
        rows = slice(head * size, (head + 1) * size)
        for weight in (first.q_proj.weight, first.k_proj.weight):
            weight[rows] = 0.0
        query = torch.where(sharp, reach, 0.0)
        first.q_proj.weight[rows, 0] = torch.cat([query, torch.zeros(half)])
        turn = offset * angles
        first.k_proj.weight[rows, 0] = torch.cat([query * turn.cos(), query * turn.sin()])
        first.v_proj.weight[rows] = normal(size, width) / width**0.5
        first.v_proj.weight[rows, 0] = 0.0
        first.o_proj.weight[:, rows] = seen[:, rows]
    model.model.layers[0].mlp.down_proj.weight *= 0.3

    # Layer 1: half the heads ask "where did what I am come before?" and copy what followed it.
    # Matching uses the slow rotary dimensions only, which hardly turn over a few hundred tokens.
    second = model.model.layers[1].self_attn
    slow = torch.cat([angles < 0.004, angles < 0.004])
    content = first.v_proj.weight[: near * size].clone()
    scale = float(torch.linalg.matrix_norm(seen, 2))
    second.o_proj.weight[:, near * size :] *= 0.3
    model.model.layers[1].mlp.down_proj.weight *= 0.3
    for head in range(near):
        rows = slice(head * size, (head + 1) * size)
        match = normal(size, near * size) * slow[:, None]
        gain = (12.0 * size**0.5 / float(slow.sum())) ** 0.5 / (near * size) ** 0.5 * 1.8
        second.q_proj.weight[rows] = gain * match @ content
        second.k_proj.weight[rows] = gain * match @ seen[:, : near * size].T / scale
        copied = normal(size, width) / width**0.5
        copied[:, 0] = 0.0
        second.v_proj.weight[rows] = copied
        second.o_proj.weight[:, rows] = copied.T * spread * 8
