"""However rows are laid out, they carry the loss they carry alone, and so do their gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.models.tuning.conftest import ARCHITECTURES, PAD, made
from tests.models.tuning.rows import drawn

from normwright.models.tuning import (
    answer_logprobs,
    group_rows,
    grouped_logprobs,
    pack_rows,
    packed_logprobs,
    pad_rows,
)


def loss_and_gradient(model: Any, scores: torch.Tensor) -> tuple[float, torch.Tensor]:
    model.zero_grad()
    loss = -scores.sum() / 100
    loss.backward()
    parts = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return float(loss.detach()), torch.cat(parts)


@pytest.mark.parametrize("name", [n for n in ARCHITECTURES if n != "bloom"])
@pytest.mark.parametrize("width", [16, 40, 120])
def test_packed_rows_do_not_see_each_other(name: str, width: int) -> None:
    """Packed at any width, every row scores as alone, and the gradient is the same."""
    model, data = made(name), drawn(11)
    with torch.no_grad():
        alone = [float(answer_logprobs(model, **pad_rows([row], PAD))) for row in data]
    batch = pack_rows(data, PAD, width=width)
    padded = loss_and_gradient(model, grouped_logprobs(model, group_rows(data, PAD)))
    packed = loss_and_gradient(model, packed_logprobs(model, batch))

    assert packed_logprobs(model, batch).tolist() == pytest.approx(alone, abs=1e-4)
    assert packed[0] == pytest.approx(padded[0], abs=1e-5)
    assert torch.allclose(packed[1], padded[1], atol=1e-5)
    assert batch["ids"].shape[1] <= max(width, max(len(row.ids) for row in data))


def test_packing_saves_padding() -> None:
    """Forty rows of differing length take no more packed rows than their tokens need."""
    data = drawn(40, seed=3)
    packed = len(pack_rows(data, PAD, width=120)["ids"])
    tokens = sum(len(row.ids) for row in data)

    assert packed == -(-tokens // 120)
    assert pad_rows(data, PAD)["ids"].numel() > tokens / 0.7


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("extra", [1, 7, 64])
def test_padding_changes_no_loss(name: str, extra: int) -> None:
    """Whatever stands behind a row, its score and the gradient stay."""
    model, data = made(name), drawn(5)
    batch = pad_rows(data, PAD)
    wide = {n: torch.nn.functional.pad(t, (0, extra), value=PAD) for n, t in batch.items()}
    narrow = loss_and_gradient(model, answer_logprobs(model, **batch))
    padded = loss_and_gradient(model, answer_logprobs(model, **wide))

    assert padded[0] == pytest.approx(narrow[0], abs=1e-5)
    assert torch.allclose(padded[1], narrow[1], atol=1e-5)
