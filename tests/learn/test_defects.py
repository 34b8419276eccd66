"""Defects of the source's published code, each with a test that fails on it.

D6 (renamed columns) and D7, D8 (one format in training and serving) are in tests/examples/test_aira
and in tests of reward models; what the source did stands here as a control beside what is done.
"""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from normwright.flow.learning import learned
from normwright.learn import prefer, sft
from normwright.models.local import LocalScorer
from normwright.models.tuning import Loop, Running, answer_rows, pad_rows
from normwright.models.tuning.losses import answer_logprobs
from normwright.records import Demonstration, InputError, Message, PreferencePair

ROOT = Path(__file__).parents[2]
QUESTIONS = ["When does it open?", "Onde fica?", "Who is it?", "Quanto custa?"]
ANSWERS = ["At nine.", "Na praça da câmara municipal.", "Ana.", "Dez euros por pessoa."]


def asked(text: str) -> tuple[Message, ...]:
    return (Message(role="user", content=text),)


def demonstration(i: int) -> Demonstration:
    return Demonstration(
        scene=f"s{i}", lang="pt" if i % 2 else "en", prompt=asked(QUESTIONS[i % 4]),
        completion=ANSWERS[i % 4], origin="human", licence="x", family=f"f{i % 4}",
    )  # fmt: skip


def pair(i: int) -> PreferencePair:
    return PreferencePair(
        scene=f"s{i}", lang="en", prompt=asked(QUESTIONS[i % 4]), chosen=ANSWERS[i % 4],
        rejected="I cannot say.", p_chosen=0.9, weight=1.0, norms=(), layer="organisation",
        origin="human", process_kind="human", licence="x", family=f"f{i % 4}",
    )  # fmt: skip


def padded(rows: list[Any], pad: int, width: int) -> dict[str, torch.Tensor]:
    """The rows padded to a width of 600, as the source pads them."""
    batch = pad_rows(rows, pad)
    more = width - batch["ids"].shape[1]
    return {
        "ids": F.pad(batch["ids"], (0, more), value=pad),
        "answer": F.pad(batch["answer"], (0, more)),
    }


@torch.no_grad()
def test_d1_padding_and_prompts_carry_no_loss(tiny: Any) -> None:
    """Padding to the longest or to 250 gives one loss; of labels copied from ids half are pads."""
    pairs = [(asked(q), a) for q, a in zip(QUESTIONS, ANSWERS, strict=True)]
    rows = answer_rows(tiny.tokenizer, pairs, limit=250)
    pad = tiny.tokenizer.pad_token_id

    def ours(width: int) -> torch.Tensor:
        batch = padded(rows, pad, width)
        return answer_logprobs(tiny.weights, batch["ids"], batch["answer"])

    whole = padded(rows, pad, 250)
    longest = max(len(r.ids) for r in rows)
    copied = whole["ids"]  # the source's labels
    counted = whole["ids"][whole["answer"].bool()]  # ours

    assert ours(250).tolist() == pytest.approx(ours(longest).tolist(), abs=1e-4)
    assert float((copied == pad).float().mean()) > 0.5
    assert not (counted == pad).any()
    assert counted.tolist() == [t for row in rows for t in row.ids[row.start :]]


def test_d2_weight_decay_spares_every_norm_and_bias() -> None:
    """GPT-2's `ln_1` and BLOOM's `input_layernorm` too, which a list of names had missed."""
    from transformers import BloomConfig, BloomForCausalLM, GPT2Config, GPT2LMHeadModel

    from normwright.models.tuning.loop import decaying

    made = (
        GPT2LMHeadModel(
            GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0)
        ),
        BloomForCausalLM(BloomConfig(vocab_size=50, hidden_size=8, n_layer=1, n_head=1)),
    )
    for model in made:
        listed = ["bias", "layer_norm.weight"]
        missed = [n for n, _ in model.named_parameters() if not any(part in n for part in listed)]
        pulled = decaying(model)

        assert any("ln" in n or "layernorm" in n for n in missed)
        assert pulled
        assert not [n for n in pulled if "ln_" in n or "layernorm" in n or n.endswith("bias")]


def test_d3_the_last_loss_is_of_the_last_steps_however_many_epochs(tiny: Any) -> None:
    """The mean of the last tenth of the steps; divided by all epochs' steps it would shrink."""
    seen: list[float] = []
    running = Running(progress=lambda step, steps, loss: seen.append(loss))
    rows = [demonstration(i) for i in range(16)]
    _, metrics = sft(
        tiny, rows, loop=Loop(epochs=5, batch=4, lr=1e-4), running=running, unpermitted=True
    )
    tenth = max(1, len(seen) // 10)

    assert len(seen) == 20
    assert metrics["last_loss"] == pytest.approx(sum(seen[-tenth:]) / tenth, rel=1e-4)


def test_d4_an_answer_is_its_tokens_and_its_stop_whatever_stands_beside_it(tiny: Any) -> None:
    """No padding inside an answer: the score of a pair is the same beside a longer one."""
    rows = answer_rows(
        tiny.tokenizer, [(asked(q), a) for q, a in zip(QUESTIONS, ANSWERS, strict=True)], limit=250
    )
    pad, stop = tiny.tokenizer.pad_token_id, tiny.tokenizer.eos_token_id

    for row in rows:
        assert pad not in row.ids
        assert row.ids[-1] == stop
        assert row.ids[row.start :].count(stop) == 1
    with torch.no_grad():
        alone = [pad_rows([row], pad) for row in rows]
        apart = [float(answer_logprobs(tiny.weights, b["ids"], b["answer"])[0]) for b in alone]
        whole = padded(rows, pad, 250)
        beside = answer_logprobs(tiny.weights, whole["ids"], whole["answer"]).tolist()
    assert beside == pytest.approx(apart, abs=1e-4)


def test_d5_what_a_preference_run_did_stands_beside_its_weights(tmp_path: Path) -> None:
    """Rate, beta, accuracy and leak of the run that was made, not of a card written by hand."""
    data = tmp_path / "pairs.jsonl"
    rows = [
        {"prompt": q, "chosen": a, "rejected": "I cannot say.", "probability": 0.8}
        for q, a in zip(QUESTIONS, ANSWERS, strict=True)
    ]
    data.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    learned("prefer", model=None, data=data, out=tmp_path / "out", unpermitted=True, threads=1,
            changes={"steps": 1, "batch": 4, "lr": 1e-5, "beta": 0.8})  # fmt: skip
    card = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))

    assert card["model"]["settings"]["lr"] == 1e-5
    assert card["model"]["settings"]["beta"] == 0.8
    assert {"accuracy", "leak"} <= set(card["model"]["metrics"])
    assert card["rows"] == 4


def test_d8_a_reward_model_reads_in_serving_what_it_read_in_training(tiny: Any) -> None:
    """The conversation in the chat template; two texts joined with a mark would score otherwise."""
    from normwright.learn.recipes.reward import classifier
    from normwright.models.tuning import group_rows
    from normwright.models.tuning.losses import last_scores

    weights = classifier(tiny, seed=1).eval()
    scorer = LocalScorer(weights, tiny.tokenizer)
    prompts = [asked(q) for q in QUESTIONS]
    rows = answer_rows(tiny.tokenizer, list(zip(prompts, ANSWERS, strict=True)), limit=250)
    with torch.no_grad():
        trained = last_scores(weights, group_rows(rows, tiny.tokenizer.pad_token_id))[:, 0].tolist()
        joined = tiny.tokenizer(
            [f"{q} {a}" for q, a in zip(QUESTIONS, ANSWERS, strict=True)],
            padding=True,
            return_tensors="pt",
            padding_side="right",
        )
        other = (
            weights(input_ids=joined["input_ids"], attention_mask=joined["attention_mask"])
            .logits[:, 0]
            .tolist()
        )

    assert scorer.score(prompts, ANSWERS) == pytest.approx(trained, abs=1e-4)
    assert other != pytest.approx(trained, abs=1e-3)


def test_d9_unrelated_texts_are_no_pair(tiny: Any) -> None:
    """Two texts that answer different prompts are refused, not ranked by their topics."""
    from normwright.models.tuning import pair_rows

    one = answer_rows(tiny.tokenizer, [(asked(QUESTIONS[0]), ANSWERS[0])], limit=250)
    other = answer_rows(tiny.tokenizer, [(asked(QUESTIONS[1]), ANSWERS[1])], limit=250)

    with pytest.raises(ValueError, match="same prompt"):
        pair_rows(one, other)


def test_d10_d11_names_that_do_not_exist_are_found_before_anything_runs() -> None:
    """Undefined names (pyflakes) are errors of every check, in scripts and examples too."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert "F" in settings["lint"]["select"]
    assert not any(code.startswith("F") for code in settings["lint"]["ignore"])
    assert "ruff check src tests scripts examples" in makefile


def test_d12_a_run_with_today_s_libraries_warns_of_nothing(tiny: Any) -> None:
    """Warnings are errors in these tests, so a name that is about to go breaks this one."""
    loop = Loop(steps=1, batch=2, lr=1e-4)
    tuned, _ = sft(tiny, [demonstration(i) for i in range(2)], loop=loop, unpermitted=True)
    aligned, metrics = prefer(
        tuned, [pair(i) for i in range(2)], [demonstration(0)], loop=loop, unpermitted=True
    )

    assert math.isfinite(metrics["last_loss"])
    assert aligned.generate([asked(QUESTIONS[0])], max_new_tokens=2)


def test_rows_that_are_too_long_are_named_and_never_cut(tiny: Any) -> None:
    """The source cut at 600 tokens, which takes the stop token away; here it is an error."""
    with pytest.raises(InputError, match="at most 20 tokens"):
        answer_rows(tiny.tokenizer, [(asked("x" * 200), "y")], limit=20)
