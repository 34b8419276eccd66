"""`run_generative` on real weights: judges, guards, controls and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.serving import served

from normwright.evaluate.generative import shipped_errors
from normwright.flow.generative import NAMES, harm_judge, shipped_judge
from normwright.flow.suites import SUITES, SuiteAsked, run_suite
from normwright.models import ScriptedModel
from normwright.records import InputError, MadeBy, ModelRef


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model that can be talked to."""
    import torch
    from tests.evaluate.town import bank

    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain
    from normwright.scenes import draw

    torch.set_num_threads(1)
    texts = [s.messages[0].content for s in draw(bank(), split="dev", seed=0)]
    model = scratch_model(texts, shape=Shape(16, 1, 2, 400, 512), seed=0)
    place = tmp_path_factory.mktemp("tiny")
    save_plain(model.weights, model.tokenizer, place)
    return place


def asked(suite: str, model: object, **more: object) -> SuiteAsked:
    settings: dict[str, object] = {"lang": "pt", "limit": 4, "threads": 1, "no_controls": True}
    return SuiteAsked(suite=suite, model=str(model), **{**settings, **more})  # type: ignore[arg-type]


@pytest.fixture
def truths(tmp_path: Path) -> Path:
    """Two questions with references."""
    file = tmp_path / "truth.jsonl"
    file.write_text(
        "".join(
            json.dumps(
                {
                    "id": str(i),
                    "question": f"O que acontece {i}?",
                    "correct_answers": ["nada acontece"],
                    "incorrect_answers": ["uma árvore cresce"],
                }
            )
            + "\n"
            for i in range(3)
        ),
        encoding="utf-8",
    )
    return file


@pytest.mark.parametrize("suite", NAMES)
def test_random_weights_are_hollow_on_every_suite(suite: str, tiny: Path, truths: Path) -> None:
    """The contract's keys are there, and a model that knows nothing is marked."""
    data = truths if suite == "truthful-answers" else None
    body = run_suite(asked(suite, tiny, data=data)).as_json()

    assert {"suite", "lang", "n", "score", "interval", "chance", "constant", "majority", "balanced",
            "distribution", "degenerate", "harness", "seeds", "controls", "judge", "corrected",
            } <= set(body)  # fmt: skip
    assert body["degenerate"] is True
    assert body["suite"] == suite
    assert all({"answer", "score"} <= set(c) for c in body["constant"])
    json.dumps(body, allow_nan=False)


def test_random_weights_of_the_same_shape_stand_beside(tiny: Path, tmp_path: Path) -> None:
    """The control is asked the same, and everything is written with every answer."""
    ran = run_suite(asked("refusal", tiny, no_controls=False, out=tmp_path / "out"))
    body = ran.as_json()
    control = next(c for c in body["controls"] if c["control"] == "random-init")
    rows = (tmp_path / "out/refusal.pt.answers.jsonl").read_text(encoding="utf-8").splitlines()

    assert control["score"] is not None
    assert control["beaten"] is False
    assert len(rows) == body["asked_items"] == 8
    assert json.loads((tmp_path / "out/refusal.pt.json").read_text(encoding="utf-8"))["n"] == 4


def test_every_suite_of_answers_is_in_the_table() -> None:
    """What the flow runs is what the command offers."""
    assert tuple(s.name for s in SUITES if s.asks == "answers") == NAMES


def test_the_guard_may_not_read_with_the_judge(tiny: Path, tmp_path: Path) -> None:
    """A guard that filters by the judge of toxicity leaves nothing for it to find."""
    from normwright.guard import Guard

    policy = tmp_path / "policy.json"
    policy.write_text(Guard.embedded().policy.model_dump_json(), encoding="utf-8")
    with pytest.raises(InputError, match="another than the guard"):
        run_suite(asked("generation-toxicity", tiny, guard=policy))


def test_a_guards_refusals_count_as_refusals(tiny: Path, tmp_path: Path) -> None:
    """What a guard says in its own name is known to refuse, whatever its words."""
    from normwright.guard import Guard

    policy = tmp_path / "policy.json"
    policy.write_text(Guard.embedded().policy.model_dump_json(), encoding="utf-8")
    body = run_suite(asked("refusal", tiny, guard=policy, limit=12)).as_json()
    refused = sum(labels.get("refused", 0) for labels in body["distribution"].values())

    assert body["guard"]["refused"] > 0
    assert refused >= body["guard"]["refused"]


def test_a_model_may_not_judge_itself(tiny: Path) -> None:
    """The same weights as model and judge are refused."""
    with pytest.raises(InputError, match="another than the model"):
        run_suite(asked("refusal", tiny, judge=str(tiny)))


def test_what_rewarded_may_not_judge(tiny: Path, tmp_path: Path) -> None:
    """The run card of a model names its rewards; none of them may be its judge."""
    import shutil

    from normwright.models.local import LocalModel

    model, judge = tmp_path / "model", tmp_path / "judge"
    shutil.copytree(tiny, model)
    shutil.copytree(tiny, judge)
    other = LocalModel.open(judge)
    other.weights.get_input_embeddings().weight.data.add_(1.0)
    other.weights.save_pretrained(judge)
    card = ModelRef(name="aligned", files={}, parameters=None, settings={"rewards": [str(judge)]},
                    made_by=MadeBy(stage="learn"))  # fmt: skip
    told = {"model": card.model_dump(mode="json")}
    (model / "run.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(InputError, match="rewarded the model"):
        run_suite(asked("refusal", model, judge=str(judge)))


def test_what_is_not_taken_is_refused(tiny: Path) -> None:
    """A judge where nothing is judged, no language, no questions, examples: each is said."""
    for wrong in (
        asked("instructions", tiny, judge="x"),
        asked("refusal", tiny, lang=None),
        asked("refusal", tiny, lang="es"),
        asked("truthful-answers", tiny),
        asked("sycophancy", tiny, shots=3),
        asked("refusal", tiny, data=Path("/no/such/file")),
    ):
        with pytest.raises(InputError):
            run_suite(wrong)


def test_the_shipped_errors_are_those_of_the_shipped_reader() -> None:
    """The card names the very weights it was measured on; a new reader must be gauged anew."""
    judge = harm_judge()

    assert shipped_errors()["reader"] == judge.digest
    assert set(judge.errors) == {"en", "pt"}
    for suite in ("refusal", "truthful-answers", "generation-toxicity"):
        assert set(shipped_judge(suite).errors) == {"en", "pt"}


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_far_models_are_asked_and_may_judge() -> None:
    """A model at one address is judged by a model at another; as its own judge it is refused."""
    refuser = ScriptedModel("refuser", lambda m: "Desculpe, mas não posso ajudar com isso.")
    judge = ScriptedModel("judge", lambda m: "sim" if "não posso" in m[-1].content else "não")
    with served(refuser) as one, served(judge) as two:
        body = run_suite(asked("refusal", one.url, served="served", judge=two.url,
                               judge_served="served")).as_json()  # fmt: skip
        with pytest.raises(InputError, match="another than the model"):
            run_suite(
                asked("refusal", one.url, served="served", judge=one.url, judge_served="served")
            )

    assert body["metrics"]["refused-harmful"]["value"] == 1.0
    assert body["metrics"]["refused-benign"]["value"] == 1.0
    assert body["score"] == 0.0
    assert body["degenerate"] is True
    assert body["judge"]["measured"] is True
    assert "not at hand" in body["controls"][1]["why"] or "left out" in body["controls"][1]["why"]
