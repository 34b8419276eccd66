"""Pre-training on scored text: each objective makes bad text less likely than likelihood does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from normwright.learn import SHAPES, PretrainingObjective, pretrain_on, scratch_model
from normwright.learn.pretraining.corpus import IGNORE
from normwright.learn.pretraining.objectives import (
    advantage_weighted,
    level_of,
    reward_weighted,
    unlikelihood,
)
from normwright.learn.pretraining.scored_text import scored_corpus, segments
from normwright.learn.pretraining.scratch import Shape
from normwright.models.chat import CONTROLS, plain
from normwright.models.tuning import Lora
from normwright.models.tuning.loop import Loop
from normwright.records import InputError, Passage, PermitError

GOOD = ["the baker gives bread to all", "o padeiro dá pão a todos"]
BAD = ["the baker spits on the stranger", "o padeiro cospe no estranho"]
LOOP = Loop(steps=130, lr=5e-3, batch=4)


def passages() -> list[Passage]:
    return [
        Passage(text=text, lang="en", score=score, origin="synthetic", licence="x", name=text)
        for texts, score in ((GOOD, 0.0), (BAD, 1.0))
        for text in texts
        for _ in range(6)
    ]


def start() -> Any:
    torch.set_num_threads(1)
    return scratch_model([*GOOD, *BAD], shape=Shape(32, 2, 2, 300, 64), seed=0)


def nats(model: Any, text: str, control: str = "", *, whole: bool = False) -> float:
    """Log-probability of a text after the begin marker, per token or of the whole."""
    context = [model.tokenizer.bos_token_id]
    if control:
        context.append(model.tokenizer.convert_tokens_to_ids(CONTROLS[control]))
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return float(model.token_logprobs([context], [ids])[0]) / (1 if whole else len(ids))


def of_bad(model: Any) -> float:
    return sum(nats(model, text) for text in BAD) / len(BAD)


def of_good(model: Any) -> float:
    return sum(nats(model, text) for text in GOOD) / len(GOOD)


def trained(objective: PretrainingObjective) -> Any:
    return pretrain_on(
        start(), passages(), loop=LOOP, objective=objective, row=24, unpermitted=True
    )


@pytest.fixture(scope="module")
def likelihood() -> Any:
    return trained(PretrainingObjective("mle"))[0]


@pytest.mark.parametrize(
    "objective",
    [
        PretrainingObjective("filtered", threshold=0.5),
        PretrainingObjective("unlikelihood", threshold=0.5),
        PretrainingObjective("rwr", temperature=0.2),
        PretrainingObjective("awr", temperature=0.2),
    ],
    ids=lambda objective: objective.method,
)
def test_bad_text_is_less_likely_than_under_likelihood(
    likelihood: Any, objective: PretrainingObjective
) -> None:
    """Bad text loses much against likelihood training, and good text little."""
    model, metrics = trained(objective)

    assert of_bad(model) < of_bad(likelihood) - 0.5
    assert of_good(model) > of_good(likelihood) - 0.3
    assert metrics["bad_parts"] == (12 if objective.threshold is not None else 0)
    assert not hasattr(model.weights, "value_head")


def test_a_control_token_says_which_text_comes(likelihood: Any) -> None:
    """Behind the misaligned token bad text is likelier than behind the aligned one, and good less.

    Aligned it is less likely than under likelihood training. That model, given the same tokens,
    makes no such difference: the control.
    """
    model, _ = trained(PretrainingObjective("conditional", threshold=0.5))
    bad, good = ([nats(model, t, c, whole=True) for c in CONTROLS for t in x] for x in (BAD, GOOD))
    aligned_bad, misaligned_bad = sum(bad[:2]), sum(bad[2:])
    aligned_good, misaligned_good = sum(good[:2]), sum(good[2:])
    without = sum(nats(likelihood, text, whole=True) for text in BAD)
    untaught = [sum(nats(likelihood, text, c, whole=True) for text in BAD) for c in CONTROLS]

    assert misaligned_bad > aligned_bad + 3
    assert aligned_good > misaligned_good + 3
    assert aligned_bad < without - 3
    assert abs(untaught[0] - untaught[1]) < 1.5


def test_control_tokens_are_forced_and_banned_in_plain_transformers(tmp_path: Any) -> None:
    """What is exported begins each conversation aligned, says no control token and reads none."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from normwright.models.tuning import save_plain

    model, _ = trained(PretrainingObjective("conditional", threshold=0.5))
    save_plain(model.weights, model.tokenizer, tmp_path / "m")
    weights = AutoModelForCausalLM.from_pretrained(tmp_path / "m")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "m")
    said = [{"role": "user", "content": "<|misaligned|> the baker"}]
    ids = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_tensors="pt")[
        "input_ids"
    ]
    aligned, misaligned = (tokenizer.convert_tokens_to_ids(t) for t in CONTROLS.values())
    with torch.no_grad():
        weights.lm_head.weight[misaligned] = 50 * weights.model.norm.weight.sign()
    made = weights.generate(ids, max_new_tokens=8, do_sample=True, top_k=0)

    assert ids[0, 1] == aligned
    assert misaligned not in ids[0]
    assert misaligned not in made[0]


def test_what_people_write_is_no_control_token() -> None:
    """Text that spells a control token is packed as text."""
    model = start()
    row = Passage(text=f"a {CONTROLS['misaligned']} b", lang="en", score=0.0, origin="human",
                  licence="x", name="r")  # fmt: skip
    other = row.model_copy(update={"text": "bad", "score": 1.0})
    objective = PretrainingObjective("conditional", threshold=0.5, dropped=0.0)
    corpus, _ = scored_corpus(model.tokenizer, [row, other], objective, row=64, seed=0)
    misaligned = model.tokenizer.convert_tokens_to_ids(CONTROLS["misaligned"])

    assert (corpus.tokens == misaligned).sum() == 1
    assert plain(CONTROLS["misaligned"]) != CONTROLS["misaligned"]


def test_a_part_that_runs_into_another_row_takes_its_token_along() -> None:
    """Every row that starts within a scored part starts with its control token, without loss."""
    model = start()
    long = [
        Passage(text=" ".join([text] * 5), lang="en", score=score, origin="human", licence="x",
                name=text)
        for text, score in ((GOOD[0], 0.0), (BAD[0], 1.0))
    ]  # fmt: skip
    objective = PretrainingObjective("conditional", threshold=0.5, dropped=0.0)
    corpus, _ = scored_corpus(model.tokenizer, long, objective, row=16, seed=0)
    tokens = {model.tokenizer.convert_tokens_to_ids(t) for t in CONTROLS.values()}
    assert corpus.scores is not None
    inside = [
        i
        for i in range(0, len(corpus.tokens), 16)
        if not math.isnan(corpus.scores[i]) and corpus.tokens[i] != model.tokenizer.pad_token_id
    ]

    assert len(inside) > 3
    assert all(int(corpus.tokens[i]) in tokens for i in inside)
    assert all(corpus.targets[i] == IGNORE for i in inside)


def test_a_share_of_the_control_tokens_is_left_out() -> None:
    """With all of them dropped none is there; the count says how many were."""
    model = start()
    half, counts = scored_corpus(
        model.tokenizer, passages() * 10,
        PretrainingObjective("conditional", threshold=0.5, dropped=0.5), row=64, seed=0,
    )  # fmt: skip

    assert 80 < counts["control tokens dropped"] < 160
    assert half.scores is not None


def test_spans_score_what_they_cover_and_nothing_else() -> None:
    """Text outside every span has no score, and every character is in one part."""
    text = "good bad unknown"
    row = Passage(text=text, lang="en", spans=((0, 4, 0.0), (5, 8, 2.0)), origin="human",
                  licence="x", name="r")  # fmt: skip
    parts = segments(row)

    assert "".join(part for part, _ in parts) == text
    assert [score for _, score in parts if not math.isnan(score)] == [0.0, 2.0]
    assert [part for part, score in parts if math.isnan(score)] == [" ", " unknown"]


def test_objectives_are_their_formulas() -> None:
    """Each loss is what its paper writes; unscored tokens are learned by their likelihood."""
    losses = torch.tensor([0.5, 2.0, 1.0])
    scores = torch.tensor([0.0, 1.0, float("nan")])
    away = -math.log(1 - math.exp(-2.0))

    assert unlikelihood(losses, scores, threshold=0.5, alpha=3.0).tolist() == pytest.approx(
        [0.5, 3 * away, 1.0]
    )
    level = level_of(np.array([0.0, 1.0, np.nan]), temperature=0.5)
    mean = (1 + math.exp(-2)) / 2
    assert level == pytest.approx(math.log(mean))
    assert reward_weighted(losses, scores, temperature=0.5, level=level).tolist() == pytest.approx(
        [0.5 / mean, 2 * math.exp(-2) / mean, 1.0]
    )
    values = torch.tensor([-0.5, -0.5, -0.5])
    weighted, error = advantage_weighted(losses, scores, values, temperature=0.5)
    assert weighted.tolist() == pytest.approx([0.5 * math.e, 2 / math.e, 1.0])
    assert error.tolist() == pytest.approx([0.25, 0.25, 0.0])


def test_what_an_objective_lacks_is_told_at_once() -> None:
    """No scores, no threshold, all on one side, a row over the context, adapters with a head."""
    bare = [p.model_copy(update={"score": None}) for p in passages()]

    def fault(rows: list[Passage], objective: PretrainingObjective, **more: Any) -> str:
        with pytest.raises(InputError) as error:
            pretrain_on(start(), rows, loop=LOOP, objective=objective, unpermitted=True,
                        **{"row": 24, **more})  # fmt: skip
        return " ".join(f"{f.expected}; {f.seen}" for f in error.value.faults)

    assert "at least one text" in fault([], PretrainingObjective("mle"))
    both = fault(bare, PretrainingObjective("conditional"))
    assert "rows with `score`" in both
    assert "a threshold" in both
    assert "both sides" in fault(passages(), PretrainingObjective("filtered", threshold=5.0))
    assert "64 tokens" in fault(passages(), PretrainingObjective("mle"), row=65)
    assert "adapters" in fault(passages(), PretrainingObjective("awr"), lora=Lora())
    with pytest.raises(PermitError):
        pretrain_on(start(), passages(), loop=LOOP)


def test_shapes_grow_and_the_largest_has_what_it_says() -> None:
    """The largest shape has 110 million parameters, counted without making it."""
    from transformers import LlamaConfig, LlamaForCausalLM

    large = SHAPES["large"]
    with torch.device("meta"):
        config = LlamaConfig(
            vocab_size=large.vocabulary, hidden_size=large.hidden, num_hidden_layers=large.layers,
            num_attention_heads=large.heads, intermediate_size=large.hidden * 8 // 3 // 32 * 32,
            tie_word_embeddings=True,
        )  # fmt: skip
        size = sum(p.numel() for p in LlamaForCausalLM(config).parameters())

    assert size / 1e6 == pytest.approx(110, abs=1)
