"""Any sequence classifier is a reward: weights or ONNX, one label or several, and it says which."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.guard.classifiers import as_onnx, encoder, fitted

from normwright.models.rewards import open_reward
from normwright.records import InputError, Message

ASKED = [Message(role="user", content="When is it?")]
ANSWERS = ["It opens at nine.", "No, idiot.", "Please come today, it is welcome. " * 20, ""]


def scores(folder: Path, **more: Any) -> list[float]:
    """Score the answers."""
    return open_reward(folder, **more).score([ASKED] * len(ANSWERS), ANSWERS)


def test_one_label_is_its_logit(tmp_path: Path) -> None:
    """The score is what transformers gives for the two segments, also of an answer too long."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = encoder(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(
        ["User: When is it?"] * 2, ANSWERS[:2], padding=True, return_token_type_ids=True,
        return_tensors="pt",
    )  # fmt: skip
    with torch.no_grad():
        wanted = model(**batch).logits[:, 0].tolist()

    assert scores(folder)[:2] == pytest.approx(wanted, abs=1e-5)
    assert len(set(scores(folder))) == 4


@pytest.mark.parametrize("kind", ["single_label_classification", "multi_label_classification"])
def test_a_label_is_named_where_there_are_two(tmp_path: Path, kind: str) -> None:
    """Which one speaks for an answer is not guessed; the other one's score is the opposite."""
    folder = encoder(tmp_path, labels=("fine", "toxic"), problem_type=kind)
    with pytest.raises(InputError, match="id2label"):
        open_reward(folder)
    with pytest.raises(InputError, match="fine, toxic"):
        open_reward(folder, label="good")

    found, against = scores(folder, label="fine"), scores(folder, label="not:fine")
    assert found == [-s for s in against]
    if kind.startswith("single"):
        assert found == pytest.approx([-s for s in scores(folder, label="toxic")], abs=1e-5)


def test_three_labels_are_log_odds(tmp_path: Path) -> None:
    """The score of one of three is its log odds: the logistic of it is its softmax."""
    reward = open_reward(encoder(tmp_path, labels=("a", "b", "c")), label="b")
    logits = reward.logits([ASKED], ["Welcome."])
    softmax = np.exp(logits[0]) / np.exp(logits[0]).sum()

    [score] = reward.score([ASKED], ["Welcome."])
    assert 1 / (1 + np.exp(-score)) == pytest.approx(softmax[1], abs=1e-9)


def test_what_is_read_can_be_the_answer_alone(tmp_path: Path) -> None:
    """Then the question makes no difference, and with segments it does."""
    folder = encoder(tmp_path)
    other = [Message(role="user", content="No market today?")]

    for reads, same in (("answer", True), ("segments", False)):
        reward = open_reward(folder, reads=reads)  # type: ignore[arg-type]
        one, two = reward.score([ASKED, other], ["It opens at nine."] * 2)
        assert (one == pytest.approx(two, abs=1e-6)) == same
    with pytest.raises(InputError, match="no chat template"):
        open_reward(folder, reads="template")


@pytest.mark.parametrize("reads", ["segments", "answer"])
def test_onnx_scores_as_the_weights_do(tmp_path: Path, reads: Any) -> None:
    """Token for token the same text, so that an answer over the limit scores the same too."""
    pytest.importorskip("onnxruntime")
    folder = fitted(tmp_path / "weights")
    onnx = as_onnx(folder, tmp_path / "onnx")
    long = [Message(role="user", content="when is the market today no " * 20)]
    prompts = [ASKED, ASKED, ASKED, ASKED, long]

    by_weights = open_reward(folder, reads=reads).score(prompts, [*ANSWERS, "no"])
    by_onnx = open_reward(onnx, reads=reads)
    assert by_onnx.score(prompts, [*ANSWERS, "no"]) == pytest.approx(by_weights, abs=1e-4)
    assert (by_onnx.runtime, open_reward(folder).runtime) == ("onnx", "torch")


def test_onnx_needs_no_torch(tmp_path: Path) -> None:
    """A process that serves an ONNX file has neither torch nor transformers in it."""
    pytest.importorskip("onnxruntime")
    onnx = as_onnx(encoder(tmp_path / "weights"), tmp_path / "onnx")
    code = (
        "import sys, pathlib\n"
        "from normwright.models.rewards import open_reward\n"
        "from normwright.records import Message\n"
        "r = open_reward(pathlib.Path(sys.argv[1]))\n"
        "print(r.score([[Message(role='user', content='when')]], ['no']))\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(onnx)], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_weights_have_a_digest_that_changes_with_them(tmp_path: Path) -> None:
    """Other weights, or another label's name, are another reward; the same is the same."""
    one, two = encoder(tmp_path / "a"), encoder(tmp_path / "b", seed=1)
    again = encoder(tmp_path / "c")

    assert open_reward(one).digest == open_reward(again).digest != open_reward(two).digest
    (again / "config.json").write_text((again / "config.json").read_text().replace("good", "bad"))
    assert open_reward(one).digest != open_reward(again).digest


def test_every_fault_of_a_directory_is_told(tmp_path: Path) -> None:
    """No configuration, no tokenizer, no classifier, an ONNX file that is none."""
    with pytest.raises(InputError, match=r"config\.json"):
        open_reward(tmp_path)
    folder = encoder(tmp_path / "a")
    told = json.loads((folder / "config.json").read_text())
    for name, text, expected in (
        ("config.json", json.dumps({**told, "architectures": ["BertModel"]}), "classifier"),
        ("config.json", "[]", "configuration"),
        ("tokenizer.json", None, "tokenizer"),
    ):
        before = (folder / name).read_text()
        (folder / name).unlink()
        if text is not None:
            (folder / name).write_text(text)
        with pytest.raises(InputError, match=expected):
            open_reward(folder)
        (folder / name).write_text(before)
    pytest.importorskip("onnxruntime")
    (folder / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(InputError, match="ONNX"):
        open_reward(folder)
