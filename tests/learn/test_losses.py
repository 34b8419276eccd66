"""Losses against independent formulas, and the rows they are computed on."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from normwright.models.tuning import (
    answer_logprobs,
    answer_rows,
    cross_entropy,
    group_pairs,
    group_rows,
    grouped_logprobs,
    pad_rows,
    pair_logprobs,
    pair_rows,
    soft_preference,
    token_losses,
)
from normwright.records import InputError, Message


def test_cross_entropy_is_torchs_with_its_gradient() -> None:
    """Value and gradient equal those of torch on random logits."""
    torch.manual_seed(0)
    logits = torch.randn(7, 11, requires_grad=True)
    targets = torch.randint(0, 11, (7,))
    weights = torch.rand(7)
    (cross_entropy(logits, targets) * weights).sum().backward()
    ours = logits.grad.clone()  # type: ignore[union-attr]
    logits.grad = None
    (F.cross_entropy(logits, targets, reduction="none") * weights).sum().backward()

    assert torch.allclose(ours, logits.grad, atol=1e-6)  # type: ignore[arg-type]


def test_chunks_change_nothing() -> None:
    """Passing positions through the head in chunks gives the same losses."""
    torch.manual_seed(0)
    head = torch.nn.Linear(5, 9)
    hidden, targets = torch.randn(23, 5), torch.randint(0, 9, (23,))

    assert torch.allclose(
        token_losses(head, hidden, targets, chunk=4), token_losses(head, hidden, targets), atol=1e-6
    )


def test_the_minimiser_of_the_soft_loss_is_the_vote_share() -> None:
    """Gradient descent on one pair ends at the logit of the share, not at infinity."""
    margin = torch.zeros(1, requires_grad=True)
    p = torch.tensor([0.72])
    optimiser = torch.optim.SGD([margin], lr=2.0)
    for _ in range(400):
        optimiser.zero_grad()
        soft_preference(margin, p, torch.ones(1)).backward()
        optimiser.step()

    assert float(margin.detach()) == pytest.approx(math.log(0.72 / 0.28), abs=1e-3)


def test_weights_weigh() -> None:
    """A pair of weight 3 counts as three pairs of weight 1."""
    m, p = torch.tensor([0.3, -1.0]), torch.tensor([0.8, 0.4])
    three = soft_preference(m[[0, 0, 0, 1]], p[[0, 0, 0, 1]], torch.ones(4))

    assert float(soft_preference(m, p, torch.tensor([3.0, 1.0]))) == pytest.approx(float(three))


def test_answer_logprobs_equal_the_models(tiny: Any) -> None:
    """The batched training form gives the same sums as the serving form."""
    prompts = [
        [Message(role="user", content="Hello?")],
        [Message(role="user", content="Where is it?")],
    ]
    answers = ["At nine.", "In Sun Street, I think."]
    rows = answer_rows(tiny.tokenizer, list(zip(prompts, answers, strict=True)), limit=256)
    batch = pad_rows(rows, tiny.tokenizer.pad_token_id)
    with torch.no_grad():
        ours = answer_logprobs(tiny.weights, batch["ids"], batch["answer"])

    assert ours.tolist() == pytest.approx(tiny.logprobs(prompts, answers), abs=1e-3)


def test_groups_of_like_length_change_nothing(tiny: Any) -> None:
    """Rows in small groups give the sums, the order and the gradient of one padded batch."""
    texts = ["At nine.", "In Sun Street, I think, or near it.", "No.", "Yes, it is at ten."]
    asked = [[Message(role="user", content="Where? " * (1 + 5 * (i % 3)))] for i in range(11)]
    rows = answer_rows(tiny.tokenizer, [(a, texts[i % 4]) for i, a in enumerate(asked)], limit=256)
    pad = tiny.tokenizer.pad_token_id
    whole, parted = pad_rows(rows, pad), group_rows(rows, pad, size=3)
    gradients = []
    sums = []
    for grouped in (False, True):
        tiny.weights.zero_grad()
        found = (
            grouped_logprobs(tiny.weights, parted)
            if grouped
            else answer_logprobs(tiny.weights, whole["ids"], whole["answer"])
        )
        (found * torch.arange(1.0, 12.0)).sum().backward()
        sums.append(found.detach())
        gradients.append(tiny.weights.lm_head.weight.grad.clone())
    tiny.weights.zero_grad()

    assert [len(g["ids"]) for g in parted["groups"]] == [3, 3, 3, 2]
    assert parted["length"].tolist() == whole["answer"].sum(1).tolist()
    assert torch.allclose(sums[0], sums[1], atol=1e-4)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-3)


def test_pairs_that_share_their_prompt_change_nothing(tiny: Any) -> None:
    """Two answers behind one prompt have the sums, and the gradient, they have in rows apart."""
    asked = [[Message(role="user", content="Where? " * (1 + 5 * (i % 3)))] for i in range(7)]
    texts = ["At nine.", "In Sun Street, I think, or near it.", "No.", "Yes, it is at ten."]
    first, second = (
        answer_rows(
            tiny.tokenizer, [(a, texts[(i + by) % 4]) for i, a in enumerate(asked)], limit=256
        )
        for by in (0, 1)
    )
    pad = tiny.tokenizer.pad_token_id
    apart = pad_rows([*first, *second], pad)
    shared = group_pairs(pair_rows(first, second), pad, size=3)
    sums, gradients = [], []
    for together in (False, True):
        tiny.weights.zero_grad()
        found = (
            torch.cat(pair_logprobs(tiny.weights, shared))
            if together
            else answer_logprobs(tiny.weights, apart["ids"], apart["answer"])
        )
        (found * torch.arange(1.0, 15.0)).sum().backward()
        sums.append(found.detach())
        gradients.append(tiny.weights.model.layers[0].self_attn.k_proj.weight.grad.clone())
    tiny.weights.zero_grad()

    assert shared["length"].flatten().tolist() == apart["answer"].sum(1).tolist()
    assert torch.allclose(sums[0], sums[1], atol=1e-4)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-3)


def test_answers_of_a_pair_follow_one_prompt(tiny: Any) -> None:
    """Rows whose prompts differ are refused, not laid on one another."""
    one, other = answer_rows(
        tiny.tokenizer,
        [([Message(role="user", content=t)], "Yes.") for t in ("Is it?", "Was it?")],
        limit=99,
    )

    with pytest.raises(ValueError, match="same prompt"):
        pair_rows([one], [other])


def test_a_row_that_is_too_long_is_an_error_not_a_cut(tiny: Any) -> None:
    """Longer than the limit: named, never truncated."""
    with pytest.raises(InputError, match="at most 10 tokens"):
        answer_rows(tiny.tokenizer, [([Message(role="user", content="word " * 30)], "x")], limit=10)


def test_the_stop_token_belongs_to_the_answer(tiny: Any) -> None:
    """Every row ends with the stop token, inside the answer, in both languages."""
    for text in ("It opens at 9:30.", "Abre às 9h30, é cedo."):
        (row,) = answer_rows(
            tiny.tokenizer, [([Message(role="user", content="?")], text)], limit=99
        )

        assert row.ids[-1] == tiny.tokenizer.eos_token_id
        assert tiny.tokenizer.decode(row.ids[row.start : -1]) == text
