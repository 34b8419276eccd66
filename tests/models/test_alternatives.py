"""Reading a prompt once for several completions changes no log-probability."""

from __future__ import annotations

import pytest

from normwright.records import Message


def test_it_says_what_the_model_says_for_each_completion_alone() -> None:
    """Runs of one prompt, a prompt that comes again later, and single ones come out the same."""
    import torch

    from normwright.learn import Shape, scratch_model
    from normwright.models import Model
    from normwright.models.alternatives import Alternatives

    torch.set_num_threads(1)
    texts = ["What is right here?", "O que é certo aqui?", "A. hand him the key B. refuse it"]
    model = scratch_model(texts, shape=Shape(16, 1, 2, 300, 256), seed=0)
    one, other = ([Message(role="user", content=text)] for text in texts[:2])
    prompts = [one, one, one, other, one, one]
    completions = ["A", "B", "hand him the key", "certo", "", "A"]
    said = Alternatives(model)

    assert isinstance(said, Model)
    assert said.name == model.name
    assert said.logprobs([], []) == []
    assert said.logprobs(prompts, completions) == pytest.approx(
        model.logprobs(prompts, completions), abs=1e-4
    )
    assert said.generate([one], max_new_tokens=4) == model.generate([one], max_new_tokens=4)
