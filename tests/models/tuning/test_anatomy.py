"""Losses mean the same on every architecture: what the whole model itself says."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from tests.models.tuning.conftest import ARCHITECTURES, PAD, VOCABULARY, architectures, made

from normwright.models.tuning import (
    AnswerRow,
    answer_logprobs,
    group_pairs,
    pad_rows,
    pair_logprobs,
    pair_rows,
    pair_scores,
)
from normwright.models.tuning.anatomy import check_anatomy, takes_positions
from normwright.models.tuning.loop import decaying
from normwright.records import InputError


def drawn(rng: random.Random, length: int) -> tuple[int, ...]:
    return tuple(rng.randrange(3, VOCABULARY) for _ in range(length))


def rows(seed: int, *, prompts: list[tuple[int, ...]]) -> list[AnswerRow]:
    rng = random.Random(seed)
    return [AnswerRow((*p, *drawn(rng, rng.randrange(1, 9)), 2), len(p)) for p in prompts]


def prompts(seed: int) -> list[tuple[int, ...]]:
    rng = random.Random(seed)
    return [drawn(rng, rng.randrange(2, 20)) for _ in range(7)]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_loss_of_answers_is_the_model_s_own(name: str) -> None:
    """Row by row, without padding: `model(input_ids, labels)` gives the same log-probability."""
    model = made(name)
    data = rows(1, prompts=prompts(0))
    batch = pad_rows(data, PAD)
    with torch.no_grad():
        ours = answer_logprobs(model, batch["ids"], batch["answer"])
        theirs = []
        for row in data:
            ids = torch.tensor([row.ids])
            labels = ids.clone()
            labels[:, : row.start] = -100
            length = len(row.ids) - row.start
            theirs.append(-float(model(input_ids=ids, labels=labels).loss) * length)

    assert ours.tolist() == pytest.approx(theirs, abs=2e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_two_answers_share_their_prompt_without_seeing_each_other(name: str) -> None:
    """A pair in one row scores as two rows, with positions of its own or without."""
    model = made(name)
    one, other = rows(1, prompts=prompts(0)), rows(2, prompts=prompts(0))
    batches = [pad_rows(side, PAD) for side in (one, other)]
    with torch.no_grad():
        shared = pair_logprobs(model, group_pairs(pair_rows(one, other), PAD, size=3))
        apart = [answer_logprobs(model, b["ids"], b["answer"]) for b in batches]

    assert takes_positions(model) is (name != "bloom")
    for ours, theirs in zip(shared, apart, strict=True):
        assert ours.tolist() == pytest.approx(theirs.tolist(), abs=2e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_classifier_of_any_architecture_scores_pairs_as_it_scores_texts(name: str) -> None:
    """`pair_scores` gives the logit that the classifier gives to each whole text alone."""
    from transformers import AutoModelForSequenceClassification

    config = architectures()[name]
    config.num_labels = 1
    torch.manual_seed(0)
    model: Any = AutoModelForSequenceClassification.from_config(config).eval()
    one, other = rows(1, prompts=prompts(0)), rows(2, prompts=prompts(0))
    with torch.no_grad():
        shared = pair_scores(model, group_pairs(pair_rows(one, other), PAD, size=3))
        apart = [
            [float(model(input_ids=torch.tensor([row.ids])).logits) for row in side]
            for side in (one, other)
        ]

    for ours, theirs in zip(shared, apart, strict=True):
        assert ours.tolist() == pytest.approx(theirs, abs=2e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parts_are_checked_against_the_whole(name: str) -> None:
    """Known architectures pass; one that scales its scores after the head is refused."""
    model = made(name)
    check_anatomy(model)
    untouched = model.forward

    def scaled(**given: Any) -> Any:
        found = untouched(**given)
        found.logits = found.logits * 0.25
        return found

    model.forward = scaled

    with pytest.raises(InputError, match="output layer's"):
        check_anatomy(model)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_norms_and_biases_are_spared_by_weight_decay(name: str) -> None:
    """What decays is exactly the matrices; `ln_1`, `ln_f` and every bias are left alone."""
    model = made(name)
    matrices = {n for n, p in model.named_parameters() if p.ndim == 2}
    spared = {n for n, _ in model.named_parameters()} - set(decaying(model))

    assert set(decaying(model)) == matrices
    assert any("norm" in n or "ln_" in n for n in spared)
    if name != "llama":
        assert any(n.endswith("bias") for n in spared)
