"""Instruction tuning: weights, packing, adapters, refusals, and models that stop."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from normwright.learn import sft
from normwright.models.local import LocalModel
from normwright.models.tuning import Hardware, Loop, Lora, Running
from normwright.records import Demonstration, InputError, Message

EXACT = Running(hardware=Hardware(precision="fp32"))
SAID = {
    "en": ("When does it open?", "At nine."),
    "pt": ("Quando abre?", "Às nove horas."),
}


def shown(lang: str, prompt: str, completion: str, *, weight: float = 1.0) -> Demonstration:
    return Demonstration(
        scene="s", lang=lang, prompt=(Message(role="user", content=prompt),),
        completion=completion, weight=weight, origin="synthetic", licence="CC0-1.0", family="f",
    )  # fmt: skip


def tuned(tiny: Any, rows: list[Demonstration], **given: Any) -> LocalModel:
    loop = given.pop("loop", Loop(epochs=4, lr=5e-3, batch=8))
    return sft(tiny, rows, loop=loop, unpermitted=True, running=EXACT, **given)[0]


def test_a_tuned_model_stops_in_both_languages(tiny: Any) -> None:
    """Greedy decoding ends with the stop token right after the answer, far from the limit."""
    rows = [shown(lang, *said) for lang, said in SAID.items()] * 12
    model = tuned(tiny, rows, loop=Loop(steps=60, lr=5e-3, batch=8))
    for prompt, answer in SAID.values():
        text = model.tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        ids = model.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        made = model.weights.generate(ids, max_new_tokens=60, do_sample=False)[0, ids.shape[1] :]

        assert made[-1] == model.tokenizer.eos_token_id
        assert len(made) < 60
        assert model.tokenizer.decode(made, skip_special_tokens=True) == answer


def test_packing_and_padding_train_the_same_model(tiny: Any) -> None:
    """Rows behind one another or padded apart: weights agree to 1e-5 after several steps."""
    rows = [shown(lang, *said) for lang, said in SAID.items()] * 8
    loop = Loop(steps=4, lr=1e-3, batch=6)
    ends = [tuned(tiny, rows, packing=p, loop=loop).weights.state_dict() for p in (False, True)]

    for name, part in ends[0].items():
        assert torch.allclose(part, ends[1][name], atol=1e-5), name


def test_a_weight_counts_as_so_many_rows(tiny: Any) -> None:
    """One row of weight 3 beside another is that row three times."""
    one, other = (shown(lang, *said) for lang, said in SAID.items())
    heavy = one.model_copy(update={"weight": 3.0})
    loop = Loop(steps=3, lr=1e-3, batch=4)
    ends = [tuned(tiny, rows, loop=loop).weights.state_dict()
            for rows in ([heavy, other], [one, one, one, other])]  # fmt: skip

    for name, part in ends[0].items():
        assert torch.allclose(part, ends[1][name], atol=1e-5), name


def test_adapters_are_folded_in_and_the_result_is_plain(tiny: Any) -> None:
    """LoRA moves the answer up and leaves a model of the same weights by name."""
    rows = [shown(lang, *said) for lang, said in SAID.items()] * 8
    prompts = [[Message(role="user", content=said[0])] for said in SAID.values()]
    answers = [said[1] for said in SAID.values()]
    model = tuned(tiny, rows, lora=Lora(rank=4), loop=Loop(epochs=8, lr=1e-2, batch=8))

    assert set(model.weights.state_dict()) == set(tiny.weights.state_dict())
    assert sum(model.logprobs(prompts, answers)) > sum(tiny.logprobs(prompts, answers)) + 5


def test_rows_that_are_too_long_are_all_told_at_once(tiny: Any) -> None:
    """Nothing is cut: one error names every row beyond the limit."""
    long = shown("en", "word " * 80, "At nine.")

    with pytest.raises(InputError) as caught:
        tuned(tiny, [shown("en", *SAID["en"]), long, long], limit=60)
    assert [fault.where for fault in caught.value.faults] == ["row 1", "row 2"]
