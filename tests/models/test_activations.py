"""Weight deltas, states and swaps: planted changes are found where they were planted."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from normwright.evaluate.locating import Patched, elsewhere, layer_deltas, patching
from normwright.models.activations import (
    Question,
    blocks,
    last_states,
    margins,
    patched_margins,
    swapped_margins,
    weight_deltas,
)
from normwright.models.local import LocalModel
from normwright.records import InputError


@pytest.fixture(scope="module")
def four() -> LocalModel:
    """A random model of four blocks."""
    from normwright.learn import Shape, scratch_model

    torch.set_num_threads(1)
    return scratch_model(["ask and answer what is so"] * 3, shape=Shape(32, 4, 2, 300, 128), seed=0)


def other(model: LocalModel) -> LocalModel:
    return LocalModel("other", copy.deepcopy(model.weights), model.tokenizer)


def planted(model: LocalModel, block: int, scale: float = 1.0) -> LocalModel:
    """The same model with another feed-forward part in one block, from 1."""
    made = other(model)
    torch.manual_seed(block)
    with torch.no_grad():
        down = blocks(made.weights)[block - 1].mlp.down_proj.weight
        down += scale * torch.randn_like(down)
    return made


def questions(n: int = 24) -> list[Question]:
    rng = np.random.default_rng(0)

    def drawn(length: int) -> list[int]:
        return [int(v) for v in rng.integers(20, 250, length)]

    return [Question(drawn(3 + i % 4), drawn(1 + i % 2), drawn(1 + i % 3)) for i in range(n)]


@pytest.mark.parametrize("block", [1, 3])
def test_a_changed_block_shows_its_delta_and_its_effect(four: LocalModel, block: int) -> None:
    """All of the change, all of the step and all of the swap are at the one block that differs."""
    changed, asked = planted(four, block), questions()
    deltas = {(d.layer, d.kind): d for d in layer_deltas(weight_deltas(four, changed))}
    order = [int(i) for i in elsewhere(len(asked), seed=0)]
    found = patching(Patched(
        margins(four, asked), margins(changed, asked),
        list(patched_margins(four, changed, asked, range(len(asked)))),
        list(patched_margins(four, changed, asked, order)),
        [swapped_margins(four, changed, asked, k) for k in range(1, 5)],
        [str(i) for i in range(len(asked))],
    ), seed=0)  # fmt: skip
    steps = {row.layer: row.step for row in found if row.step is not None}

    assert deltas[block, "mlp"].share == pytest.approx(1)
    assert all(d.share == 0 for key, d in deltas.items() if key != (block, "mlp"))
    for row in found:
        assert row.recovered.value is not None
        if row.layer < block:
            assert row.recovered.value == pytest.approx(0, abs=1e-4)
        if row.swapped is not None:
            assert row.swapped.value == pytest.approx(float(row.layer == block), abs=1e-4)
    at = steps[block]
    assert at is not None
    assert at.value == max(s.value or 0.0 for s in steps.values() if s is not None)
    assert at.interval is not None
    assert at.interval.low > 0.2
    assert max((row.control.value or 0.0) for row in found) < 0.5


def test_rank_one_and_full_rank_changes_are_told_apart(four: LocalModel) -> None:
    """An outer product has all its change in one direction, noise has little there."""
    thin, full = other(four), other(four)
    torch.manual_seed(1)
    with torch.no_grad():
        one, two = (blocks(m.weights)[1].self_attn.q_proj.weight for m in (thin, full))
        one += torch.outer(torch.randn(one.shape[0]), torch.randn(one.shape[1]))
        two += torch.randn_like(two)
    found = [layer_deltas(weight_deltas(four, m)) for m in (thin, full)]
    tops = [next(d.top for d in f if (d.layer, d.kind) == (2, "attention")) for f in found]

    assert tops[0] == pytest.approx(1, abs=1e-6)
    assert tops[1] is not None
    assert tops[1] < 0.2


def test_kinds_and_embeddings_are_apart(four: LocalModel) -> None:
    """Embeddings and norms have rows of their own, and tied weights are told once."""
    changed = other(four)
    with torch.no_grad():
        changed.weights.get_input_embeddings().weight *= 1.1
    found = layer_deltas(weight_deltas(four, changed))
    outside = {d.kind: d for d in found if d.layer is None}

    assert set(outside) == {"embedding", "norm"}
    assert outside["embedding"].relative == pytest.approx(0.1, rel=1e-3)
    assert outside["embedding"].share == pytest.approx(1)
    assert {d.kind for d in found if d.layer == 1} == {"attention", "mlp", "norm"}
    assert sum(d.parameters for d in found) == sum(p.numel() for p in four.weights.parameters())


def test_states_are_those_of_each_text_alone(four: LocalModel) -> None:
    """Batches and padding change nothing, and the hooks leave nothing behind."""
    texts = [[30, 40, 50], [60], [70, 80, 90, 100, 110]]
    together = last_states(four, texts)
    alone = np.concatenate([last_states(four, [t]) for t in texts], axis=1)
    embedded = four.weights.get_input_embeddings().weight[50].detach().numpy()

    assert together.shape == (5, 3, 32)
    assert np.allclose(together, alone, atol=1e-5)
    assert np.allclose(together[0, 0], embedded, atol=1e-6)
    assert all(not b._forward_hooks and not b._forward_pre_hooks for b in blocks(four.weights))


def test_margins_are_the_models_own(four: LocalModel) -> None:
    """A margin is the difference of two log-likelihoods; a model's own states change nothing, and
    another's after the last block are the whole of the other.
    """
    asked = questions(6)
    sums = [four.token_logprobs([q.context] * 2, [q.right, q.wrong]) for q in asked]
    own = patched_margins(four, four, asked, range(6))
    changed = planted(four, 2)
    theirs = patched_margins(four, changed, asked, range(6))

    assert np.allclose(margins(four, asked), [a - b for a, b in sums], atol=1e-4)
    assert np.allclose(own, margins(four, asked), atol=1e-4)
    assert np.allclose(theirs[-1], margins(changed, asked), atol=1e-4)


def test_another_architecture_of_blocks() -> None:
    """GPT-2 calls its blocks otherwise and returns tuples; it is looked into all the same."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(vocab_size=300, n_positions=64, n_embd=16, n_layer=3, n_head=2)
    model = LocalModel("g", GPT2LMHeadModel(config), _Tokens())
    changed = other(model)
    with torch.no_grad():
        weight = blocks(changed.weights)[1].mlp.c_proj.weight
        weight += torch.randn_like(weight)
    asked = questions(8)
    deltas = layer_deltas(weight_deltas(model, changed))
    moved = patched_margins(model, changed, asked, range(8)) - margins(model, asked)

    assert [(d.layer, d.kind) for d in deltas if d.share > 0] == [(2, "mlp")]
    assert np.allclose(moved[0], 0, atol=1e-5)
    assert np.allclose(moved[1], 0, atol=1e-5)
    assert np.abs(moved[2]).max() > 1e-3


class _Tokens:
    """A tokenizer whose tokens are numbers."""

    pad_token_id, eos_token = 0, "0"

    def get_vocab(self) -> dict[str, int]:
        return {str(i): i for i in range(300)}

    def convert_tokens_to_ids(self, token: str) -> int:
        return int(token)


def test_models_of_other_shapes_are_refused(four: LocalModel) -> None:
    """Shapes and tokens that differ are told together."""
    from normwright.learn import Shape, scratch_model

    small: Any = scratch_model(["other words entirely"] * 3, shape=Shape(16, 2, 2, 300, 64), seed=0)
    with pytest.raises(InputError) as raised:
        weight_deltas(four, small)

    assert [f.seen.split(":")[0] for f in raised.value.faults] == ["other shapes", "other tokens"]
