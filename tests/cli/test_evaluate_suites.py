"""`evaluate run` on benchmarks: the contract, far models, what is refused, what is written."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.evaluate.test_benchmarks import folder
from tests.serving import served

from normwright.cli.evaluate.run import SUITES
from normwright.flow.suites import SUITES as TABLE

CONTRACT = {
    "suite", "lang", "n", "score", "interval", "chance", "constant", "majority", "balanced",
    "distribution", "degenerate", "harness", "seeds", "controls", "shots", "scaffold", "why",
}  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model whose tokenizer has no chat template and no padding."""
    import torch
    from tests.evaluate.town import bank

    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain
    from normwright.scenes import draw

    torch.set_num_threads(1)
    texts = [s.messages[0].content for s in draw(bank(), split="dev", seed=0)]
    model = scratch_model(texts, shape=Shape(16, 1, 2, 400, 256), seed=0)
    place = tmp_path_factory.mktemp("plain")
    save_plain(model.weights, model.tokenizer, place)
    config = json.loads((place / "tokenizer_config.json").read_text(encoding="utf-8"))
    for name in ("chat_template", "pad_token"):
        config.pop(name, None)
    (place / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (place / "chat_template.jinja").unlink(missing_ok=True)
    return place


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of made-up rows."""
    return folder(tmp_path_factory.mktemp("data"))


def asked(suite: str, model: object, place: object, *more: object) -> list[object]:
    return ["evaluate", "run", "--suite", suite, "--model", model, "--data", place, "--limit", 10,
            "--threads", 1, *more]  # fmt: skip


def test_the_list_of_the_command_is_the_table() -> None:
    """What help names is what can be run."""
    assert tuple(s.name for s in TABLE) == SUITES


def test_contract_and_what_is_written(call: Call, plain: Path, data: Path, tmp_path: Path) -> None:
    """One JSON value with everything beside the score; files, a page and a log of the same."""
    page, log, out = tmp_path / "p.html", tmp_path / "l.json", tmp_path / "out"
    value = call(*asked("toxigen", plain, data, "--out", out, "--html", page, "--inspect", log,
                        "--json")).value  # fmt: skip
    again = call("evaluate", "compare", out, "--against", "aira-paper", "--json").value

    assert set(value) >= CONTRACT
    assert (value["suite"], value["lang"], value["n"]) == ("toxigen", "en", 10)
    assert {c["answer"] for c in value["constant"]} == {"always-no", "always-yes"}
    assert value["majority"] == max(c["score"] for c in value["constant"])
    assert sum(value["distribution"].values()) == 10
    assert value["degenerate"] is True
    assert [c["control"] for c in value["controls"]] == [
        "random-init", "linear-shortcut", "canned-refusal"
    ]  # fmt: skip
    assert value["harness"].startswith("lm-evaluation-harness 0.4")
    assert (again["rows"][0]["score"], again["rows"][0]["n"]) == (value["score"], 10)
    assert again["rows"][0]["origin"] == "local"
    items = (out / "toxigen.en.items.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum(json.loads(line)["value"] for line in items) == value["score"] * 10
    text = page.read_text(encoding="utf-8")
    assert text.count('class="panel"') == 2
    assert "s-reference" in text
    assert "s-range" in text
    assert 'lang="pt"' in text
    from inspect_ai.log import read_eval_log

    read = read_eval_log(str(log))
    assert read.samples is not None
    assert len(read.samples) == 10
    assert read.results is not None
    assert read.results.scores[0].metrics["mean"].value == pytest.approx(
        value["metrics"]["acc"]["value"]
    )


def test_two_runs_are_compared_by_item(call: Call, plain: Path, data: Path, tmp_path: Path) -> None:
    """The same questions are paired; with other examples before them they are not compared."""
    for name, more in (("a", ()), ("b", ()), ("c", ("--shots", 2))):
        call(*asked("arc-easy", plain, data, "--out", tmp_path / name, "--no-controls", "--json",
                    *more))  # fmt: skip
    same = call("evaluate", "compare", tmp_path / "a", tmp_path / "b", "--json").value
    other = call("evaluate", "compare", tmp_path / "a", tmp_path / "c", "--json").value

    assert same["comparisons"][0]["paired"] is True
    assert same["comparisons"][0]["difference"] == 0
    assert same["comparisons"][0]["verdict"] == "no difference shown"
    assert other["comparisons"][0]["verdict"] == "not comparable"
    assert "shots" in other["comparisons"][0]["why"]


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_far_model_that_echoes_scores_as_it_does_here(
    call: Call, plain: Path, data: Path
) -> None:
    """Log-probabilities of given texts from an endpoint give the same score and choices."""
    from normwright.models.local import LocalModel

    model = LocalModel.open(plain, chat=False)

    def echo(text: str) -> tuple[list[int], list[float | None]]:
        made = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        # A token begins where the one before it ends, so that it holds the space before a word.
        ids, places = made["input_ids"], [0, *(end for _, end in made["offset_mapping"])][:-1]
        values: list[float | None] = [None]
        values += [model.token_logprobs([ids[:i]], [[ids[i]]])[0] for i in range(1, len(ids))]
        return places, values

    here = call(*asked("arc-easy", plain, data, "--no-controls", "--limit", 3, "--json")).value
    with served(model, echo=echo) as server:
        far = call(*asked("arc-easy", server.url, data, "--served", "served", "--limit", 3,
                          "--json")).value  # fmt: skip
    with served(model) as silent:
        refused = call(*asked("arc-easy", silent.url, data, "--served", "served", "--json"))

    assert "error" not in far, far["error"]["faults"][0]["seen"]
    assert far["score"] == here["score"]
    assert far["distribution"] == here["distribution"]
    assert far["controls"][0]["score"] is None
    assert "not at hand" in far["controls"][0]["why"]
    assert refused.code == 1
    assert "log-probabilities of given texts" in refused.faults[0]["expected"]


@pytest.mark.parametrize(
    ("more", "where", "said"),
    [
        (["--suite", "arc-challenge"], "--lang", "one of en, pt"),
        (["--suite", "arc-easy", "--lang", "pt"], "--lang", "en"),
        (["--suite", "arc-easy", "--guard", "guard"], "--guard", "written answers"),
        (["--suite", "arc-easy", "--beta", "0.2"], "--beta", "preference-pairs"),
        (["--suite", "preference-pairs", "--shots", "2"], "--shots", "arc-easy"),
        (["--suite", "truthfulqa-mc1", "--lang", "en", "--shots", "2"], "--shots", "none"),
        (["--suite", "toxigen", "--shots", "2"], "--shots", "none"),
        (["--suite", "arc-easy", "--shots", "99"], "--shots", "at most 23"),
        (["--suite", "arc-easy", "--examples", "x.jsonl"], "--examples", "--shots"),
        (["--suite", "arc-easy", "--served", "m"], "--served", "an address"),
    ],
)
def test_refusals(
    call: Call, plain: Path, data: Path, more: list[str], where: str, said: str
) -> None:
    """What a suite does not take, or cannot do, is one fault that says what would be right."""
    called = call("evaluate", "run", "--model", plain, "--data", data, "--json", *more)

    assert called.code == 1
    assert where in called.faults[0]["where"]
    assert said in called.faults[0]["expected"]


def test_without_data_it_says_what_to_give(call: Call, plain: Path, tmp_path: Path) -> None:
    """The fault names the data set on the hub and how to make the file of it."""
    for more in ([], ["--data", tmp_path / "none.jsonl"]):
        called = call("evaluate", "run", "--suite", "arc-easy", "--model", plain, "--json", *more)
        assert called.code == 1
        assert "allenai/ai2_arc" in called.faults[0]["expected"]
        assert "to_json" in called.faults[0]["do"]


def test_shown_to_people(call: Call, plain: Path, data: Path) -> None:
    """The screen has the constants, and says beforehand that controls take as long again."""
    called = call(*asked("truthfulqa-mc2", plain, data, "--lang", "en"))

    assert called.code == 0
    assert "twice as long" in called.err
    assert "Degenerate" in called.out
    assert "linear-shortcut" in called.out
    assert math.isfinite(float(called.out.split("chance")[1].split()[0]))
