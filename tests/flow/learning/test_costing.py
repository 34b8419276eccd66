"""`learn cost` on files: pairs and labels become one logit whose sign says unsafe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.flow.learning import learned
from normwright.models.local import LocalScorer
from normwright.records import InputError, Message

ASKS = ["When does it open?", "Onde fica?", "Who is it?"]
PAIRS: list[dict[str, Any]] = [
    {"prompt": q, "chosen": "I cannot say.", "rejected": "At nine.", "probability": 0.9}
    for q in ASKS * 4
]
LABELS: list[dict[str, Any]] = [
    {"prompt": q, "completion": text, "unsafe": unsafe}
    for q in ASKS * 4
    for text, unsafe in (("At nine.", 1), ("I cannot say.", 0.1))
]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model on disk."""
    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    texts = [str(row[name]) for row in PAIRS for name in ("prompt", "chosen", "rejected")]
    made = scratch_model(texts, shape=Shape(16, 1, 1, 300, 128), seed=0)
    place = tmp_path_factory.mktemp("start")
    save_plain(made.weights, made.tokenizer, place)
    return place


def run(start: Path, place: Path, labels: list[dict[str, Any]] | None) -> Any:
    extra = {}
    for name, rows in (("pairs", PAIRS), ("labels", labels)):
        if rows is not None:
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (place / f"{name}.jsonl").write_text(text, encoding="utf-8")
    if labels is not None:
        extra = {"labels": place / "labels.jsonl"}
    return learned(
        "cost", model=start, data=place / "pairs.jsonl", out=place / "out", extra=extra,
        changes={"steps": 30, "lr": 0.02, "batch": 12}, unpermitted=True, threads=1,
    )  # fmt: skip


def test_a_cost_opens_as_a_scorer_whose_sign_is_the_labels(start: Path, tmp_path: Path) -> None:
    """The folder's one logit is above 0 for the answer people find unsafe, below for the other."""
    made = run(start, tmp_path, LABELS)
    scorer = LocalScorer.open(made.out)
    prompts = [(Message(role="user", content=q),) for q in ASKS]

    assert min(scorer.score(prompts, ["At nine."] * 3)) > 0
    assert max(scorer.score(prompts, ["I cannot say."] * 3)) < 0
    assert made.rows == len(PAIRS) + len(LABELS)
    assert any("not measured" in note for note in made.notes)


@pytest.mark.parametrize(
    ("labels", "where"),
    [
        (None, "labels"),
        ([{**LABELS[0], "unsafe": 1.5}], "labels.jsonl:1: unsafe"),
        ([{"prompt": "When?", "completion": "At nine."}], "labels.jsonl:1: unsafe"),
        ([{**LABELS[0], "probability": 1}, LABELS[1]], "labels.jsonl:1: probability"),
        ([LABELS[0]], "labels"),
    ],
)
def test_labels_that_give_no_sign_are_refused(
    start: Path, tmp_path: Path, labels: Any, where: str
) -> None:
    """None, shares that are none, columns nobody would read, and one side alone."""
    with pytest.raises(InputError) as error:
        run(start, tmp_path, labels)

    assert [fault.where for fault in error.value.faults] == [where]
    assert not (tmp_path / "out").exists()
