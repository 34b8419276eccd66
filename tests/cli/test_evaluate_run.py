"""`evaluate run --suite preference-pairs`: its contract, its forms of pairs and its refusals."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call

WORDS = ("river", "stone", "market", "garden", "letter", "window")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT with one logit, without chat template."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    from normwright.models.tuning import save_plain

    torch.set_num_threads(1)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "user", "assistant", ":", *WORDS]
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=32, num_labels=1,
    )  # fmt: skip
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("encoder")
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    save_plain(BertForSequenceClassification(config), tokenizer, place)
    return place


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random language model with a chat template."""
    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    place = tmp_path_factory.mktemp("decoder")
    model = scratch_model([" ".join(WORDS)] * 9, shape=Shape(16, 1, 2, 300, 128), seed=0)
    save_plain(model.weights, model.tokenizer, place)
    return place


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(n: int) -> list[dict[str, Any]]:
    rng = random.Random(0)
    return [
        {"prompt": f"{rng.choice(WORDS)} {i}", "chosen": " ".join(rng.choices(WORDS, k=3)) + " a",
         "rejected": " ".join(rng.choices(WORDS, k=4)) + " b", "probability": 0.8,
         "lang": "en" if i % 2 else "pt", "norms": ["n@1"]}
        for i in range(n)
    ]  # fmt: skip


def asked(model: Path, data: Path, *more: object) -> list[object]:
    return ["evaluate", "run", "--suite", "preference-pairs", "--model", model, "--data", data,
            "--threads", 1, *more]  # fmt: skip


def test_the_contract(call: Call, encoder: Path, tmp_path: Path) -> None:
    """An encoder's figures have the agreed names, and the same call has the same answer."""
    data = lines(tmp_path / "pairs.jsonl", rows(30))
    value = call(*asked(encoder, data, "--json")).value

    assert {"n", "accuracy", "interval", "length_baseline", "bag_of_words_baseline", "ece",
            "by", "seed", "brier", "log_loss", "ties"} <= set(value)  # fmt: skip
    assert value["n"] == 30
    assert value["interval"][0] <= value["accuracy"] <= value["interval"][1]
    assert set(value["by"]) == {"lang", "length", "norm"}
    assert "folds" in value["baselines"]["bag-of-words"]["fitted_on"]
    assert call(*asked(encoder, data, "--json")).value == value


def test_training_pairs_fit_the_baselines(call: Call, encoder: Path, tmp_path: Path) -> None:
    """With --train the baselines are fitted there, and the answer says so."""
    data, train = lines(tmp_path / "a.jsonl", rows(3)), lines(tmp_path / "b.jsonl", rows(20))
    value = call(*asked(encoder, data, "--train", train, "--json")).value

    assert value["baselines"]["length"]["fitted_on"] == "20 training pairs"
    assert value["train"] == str(train)


def test_pairs_as_others_share_them(call: Call, encoder: Path, tmp_path: Path) -> None:
    """The columns of a published data set are read as they are; people's votes become a share."""
    data = lines(tmp_path / "pandalm.jsonl", [
        {"idx": i, "instruction": f"river {i}", "input": "", "response1": "stone market",
         "response2": "garden letter", "annotator1": 1, "annotator2": 1, "annotator3": 2}
        for i in range(12)
    ])  # fmt: skip
    value = call(*asked(encoder, data, "--json")).value

    assert value["n"] == 12
    assert value["bag_of_words_baseline"] == 1.0


def test_a_language_model_scores_by_a_stated_reward(
    call: Call, decoder: Path, tmp_path: Path
) -> None:
    """Against itself the implicit reward is nothing: all ties, one half. Unsaid, it is refused."""
    data = lines(tmp_path / "pairs.jsonl", rows(10))
    itself = call(*asked(decoder, data, "--reference", decoder, "--json")).value
    likely = call(*asked(decoder, data, "--likelihood", "--json")).value
    unsaid = call(*asked(decoder, data, "--json"))

    assert (itself["scored_by"], itself["accuracy"], itself["ties"]) == ("implicit", 0.5, 10)
    assert (likely["scored_by"], likely["ece"]) == ("likelihood", None)
    assert unsaid.code == 1
    assert "--reference" in unsaid.faults[0]["expected"]


def test_refusals(call: Call, encoder: Path, decoder: Path, tmp_path: Path) -> None:
    """An unknown suite is a wrong use; a missing file and a needless option are faults."""
    data = lines(tmp_path / "pairs.jsonl", rows(10))

    assert call("evaluate", "run", "--suite", "nope", "--model", encoder, "--data", data).code == 2
    assert call(*asked(encoder, tmp_path / "none.jsonl", "--json")).faults[0]["seen"] == (
        "no such file"
    )
    needless = call(*asked(encoder, data, "--likelihood", "--json"))
    assert needless.faults[0]["where"] == "--likelihood"


def test_the_screen_speaks_the_language_asked_for(
    call: Call, encoder: Path, tmp_path: Path
) -> None:
    """People are told in words whether the model is ahead, in either language."""
    data = lines(tmp_path / "pairs.jsonl", rows(20))

    assert "bag of words" in call(*asked(encoder, data, "--lang", "en")).out
    assert "saco de palavras" in call(*asked(encoder, data, "--lang", "pt")).out


def test_learn_reward_takes_an_encoder(call: Call, encoder: Path, tmp_path: Path) -> None:
    """From the command line an encoder directory becomes a reward model that the suite opens."""
    data = lines(tmp_path / "pairs.jsonl", rows(20))
    settings = tmp_path / "settings.yaml"
    settings.write_text("longest: 16\nbatch: 8\n", encoding="utf-8")
    made = call("learn", "reward", "--model", encoder, "--data", data, "--settings", settings,
                "--unpermitted", "--out", tmp_path / "out", "--threads", 1, "--json")  # fmt: skip

    assert made.code == 0, made.out
    assert any("16 tokens" in note for note in made.value["notes"])
    assert call(*asked(tmp_path / "out", data, "--json")).value["n"] == 20


@pytest.mark.parametrize("science", ["head: process", "frozen: all"])
def test_a_frozen_encoder_becomes_a_reward_that_the_suite_opens(
    call: Call, encoder: Path, tmp_path: Path, science: str
) -> None:
    """Without training a process or a fitted head is made, and measured like any reward model."""
    data = lines(tmp_path / "pairs.jsonl", rows(20))
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"{science}\nlongest: 16\n", encoding="utf-8")
    made = call("learn", "reward", "--model", encoder, "--data", data, "--settings", settings,
                "--unpermitted", "--out", tmp_path / "out", "--threads", 1, "--json")  # fmt: skip
    files = {path.name for path in (tmp_path / "out").iterdir()}

    assert made.code == 0, made.out
    measured = call(*asked(tmp_path / "out", data, "--json")).value
    assert measured["n"] == 20
    assert measured["by"]["norm"]["n@1"]["accuracy"] == 1.0
    assert ("process.json" in files) == (science == "head: process")
    assert ("config.json" in files) == (science == "frozen: all")


def test_what_is_not_trained_by_steps_refuses_to_be_told_how_many(
    call: Call, encoder: Path, tmp_path: Path
) -> None:
    """Every setting that a process would ignore is named, in one error."""
    data = lines(tmp_path / "pairs.jsonl", rows(4))
    made = call("learn", "reward", "--model", encoder, "--data", data, "--head", "process",
                "--epochs", 3, "--lr", 0.1, "--unpermitted", "--out", tmp_path / "out",
                "--json")  # fmt: skip

    assert made.code == 1
    assert [one["where"] for one in made.faults] == ["epochs", "lr"]
    assert not (tmp_path / "out").exists()


def test_a_language_model_refuses_an_encoders_settings(
    call: Call, decoder: Path, tmp_path: Path
) -> None:
    """A setting that nothing would follow is a fault, not a silence."""
    data = lines(tmp_path / "pairs.jsonl", rows(4))
    settings = tmp_path / "settings.yaml"
    settings.write_text("frozen: 1\nhead: process\n", encoding="utf-8")
    made = call("learn", "reward", "--model", decoder, "--data", data, "--settings", settings,
                "--unpermitted", "--out", tmp_path / "out", "--json")  # fmt: skip

    assert made.code == 1
    assert [one["where"] for one in made.faults] == ["frozen", "head: process"]
