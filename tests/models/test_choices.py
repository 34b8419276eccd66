"""What questions share is read once, and every number stays what it is for each pair alone."""

from __future__ import annotations

import random
from typing import Any

import pytest

from normwright.models.choices import choice_logprobs


def alone(model: Any, context: list[int], answer: list[int], most: int) -> float:
    """The slow obvious version: one pair, no cache, cut on the left as the harness cuts."""
    import torch

    ids = [*context, *answer][-(most + 1) :]
    with torch.no_grad():
        logits = model.weights(input_ids=torch.tensor([ids[:-1]])).logits[0]
    scores = torch.log_softmax(logits.float(), -1)
    at = range(len(ids) - len(answer), len(ids))
    return float(sum(scores[i - 1, ids[i]] for i in at))


def drawn(rng: random.Random, shared: int) -> tuple[list[list[int]], list[list[list[int]]]]:
    """Contexts that begin alike, each with answers of one to nine tokens."""
    start = [rng.randrange(10, 390) for _ in range(shared)]
    contexts = [[*start, *(rng.randrange(10, 390) for _ in range(rng.randint(1, 20)))]
                for _ in range(7)]  # fmt: skip
    answers = [[[rng.randrange(10, 390) for _ in range(rng.randint(1, 9))]
                for _ in range(rng.randint(1, 5))] for _ in contexts]  # fmt: skip
    return contexts, answers


@pytest.mark.parametrize("shared", [0, 1, 40])
@pytest.mark.parametrize(("most", "rows"), [(256, 32), (256, 2), (45, 3), (12, 32)])
def test_each_number_is_that_of_the_pair_alone(
    tiny: Any, shared: int, most: int, rows: int
) -> None:
    """With and without a common beginning, in small batches, and where contexts are cut."""
    contexts, answers = drawn(random.Random(shared + most + rows), shared)
    found = choice_logprobs(tiny, contexts, answers, context_length=most, rows=rows)

    for context, each, values in zip(contexts, answers, found, strict=True):
        assert values == pytest.approx([alone(tiny, context, a, most) for a in each], abs=1e-4)


def test_one_context_is_its_own_beginning(tiny: Any) -> None:
    """A single context, and one that another begins with, keep a token to be read last."""
    one, other = [11, 12, 13], [11, 12]
    found = choice_logprobs(tiny, [one, other], [[[14], [15, 16]], [[13]]], context_length=256)
    (single,) = choice_logprobs(tiny, [one], [[[14]]], context_length=256)

    assert found[0] == pytest.approx([alone(tiny, one, [14], 256), alone(tiny, one, [15, 16], 256)])
    assert found[1] == pytest.approx([alone(tiny, other, [13], 256)])
    assert single == pytest.approx(found[0][:1])


def test_what_cannot_be_asked_is_refused(tiny: Any) -> None:
    """No tokens, or an answer longer than the model reads, are refused; no pairs give nothing."""
    with pytest.raises(ValueError, match="without tokens"):
        choice_logprobs(tiny, [[]], [[[1]]], context_length=256)
    with pytest.raises(ValueError, match="does not fit"):
        choice_logprobs(tiny, [[1]], [[[1, 2, 3]]], context_length=2)

    assert choice_logprobs(tiny, [], [], context_length=256) == []


@pytest.mark.parametrize("shared", [0, 40])
@pytest.mark.parametrize(("most", "rows"), [(256, 32), (256, 2), (45, 3)])
def test_answers_that_begin_alike(tiny: Any, shared: int, most: int, rows: int) -> None:
    """Letters behind one space, one answer alone, twins and long beginnings: each as by itself."""
    rng = random.Random(shared + most + rows)
    contexts, _ = drawn(rng, shared)
    answers = []
    for k, _ in enumerate(contexts):
        begin = [rng.randrange(10, 390) for _ in range((0, 1, 6)[k % 3])]
        ends = [[11], [12, 13], [11]] if k % 2 else [[20], [21], [22]]
        answers.append([[*begin, *end] for end in (ends if k else ends[:1])])
    found = choice_logprobs(tiny, contexts, answers, context_length=most, rows=rows)

    for context, each, values in zip(contexts, answers, found, strict=True):
        assert values == pytest.approx([alone(tiny, context, a, most) for a in each], abs=1e-4)


def test_letters_cost_one_reading_of_the_question(tiny: Any) -> None:
    """Answers that differ in their last token alone are told by one pass, asked at two places."""
    runs: list[int] = []
    asked: list[int] = []
    head = tiny.weights.get_output_embeddings()
    hooks = [
        tiny.weights.register_forward_pre_hook(lambda *_: runs.append(1)),
        head.register_forward_hook(lambda _, __, out: asked.append(out.shape[0] * out.shape[1])),
    ]
    try:
        choice_logprobs(tiny, [[11, 12, 13], [14, 15]], [[[9, 20], [9, 21]], [[9, 20], [9, 22]]],
                        context_length=256)  # fmt: skip
    finally:
        for hook in hooks:
            hook.remove()

    assert runs == [1]
    assert asked == [4]


@pytest.mark.parametrize("shared", [0, 40])
def test_a_model_that_bends_its_logits_is_read_as_it_is(tiny: Any, shared: int) -> None:
    """Where logits are capped after the last layer, nothing goes round that."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    from normwright.models.local import LocalModel

    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=400, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, final_logit_softcapping=0.05,
        max_position_embeddings=256, sliding_window=256, attn_implementation="eager",
    )  # fmt: skip
    capped = LocalModel("capped", Gemma2ForCausalLM(config), tiny.tokenizer)
    contexts, answers = drawn(random.Random(shared), shared)
    found = choice_logprobs(capped, contexts, answers, context_length=256)

    for context, each, values in zip(contexts, answers, found, strict=True):
        assert values == pytest.approx([alone(capped, context, a, 256) for a in each], abs=1e-4)
