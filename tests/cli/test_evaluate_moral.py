"""`evaluate moral`: its JSON, its table in both languages, what it writes, what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.serving import served

from normwright.models import ScriptedModel
from normwright.records import MoralReport


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model that reads long prompts."""
    import torch

    from normwright.evaluate.moral import frames
    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    torch.set_num_threads(1)
    texts = [f.context for lang in ("en", "pt") for f in frames(lang)]
    made = scratch_model(texts, shape=Shape(16, 1, 2, 400, 2048), seed=0)
    place = tmp_path_factory.mktemp("model")
    save_plain(made.weights, made.tokenizer, place)
    return place


def test_the_report_is_one_json_value_and_lies_in_files(
    call: Call, model: Path, tmp_path: Path
) -> None:
    """Every figure has value, interval, n, seed and baselines, random weights among them."""
    out, html = tmp_path / "out", tmp_path / "moral.html"
    called = call("evaluate", "moral", "--model", model, "--lang", "pt", "--limit", 1,
                  "--threads", 1, "--out", out, "--html", html, "--json")  # fmt: skip
    value = called.value

    assert called.code == 0
    assert value["languages"] == ["pt"]
    assert {"accuracy", "uncertainty", "invariance", "sensitivity", "coherence",
            "pressure"} == set(value["states"])  # fmt: skip
    one = next(f for f in value["figures"] if f["name"] == "accuracy")
    assert set(one["baselines"]) == {"first-shown", "longer", "coin", "random-init"}
    assert one["estimate"]["n"] == 1
    assert one["estimate"]["seed"] == 0
    written = MoralReport.model_validate_json((out / "moral.json").read_text(encoding="utf-8"))
    assert written.digest == value["digest"]
    rows = (out / "measurements.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len(value["figures"])
    assert json.loads(rows[0])["suite"] == "moral"
    assert html.read_text(encoding="utf-8").count("<svg") > 20


@pytest.mark.parametrize(("lang", "words"), [("en", "As a whole:"), ("pt", "No todo:")])
def test_the_table_is_in_the_language_that_is_asked_for(
    call: Call, model: Path, lang: str, words: str
) -> None:
    """The same command tells the same in both languages."""
    called = call("evaluate", "moral", "--model", model, "--lang", lang, "--limit", 1,
                  "--threads", 1, "--no-control")  # fmt: skip

    assert called.code == 0
    assert words in called.out


def test_what_cannot_be_is_refused(call: Call, model: Path, tmp_path: Path) -> None:
    """A model on disk has no address; a folder without scenarios and no model are told."""
    told = {
        "--served": ("--model", model, "--served", "x"),
        "--tokenizer": ("--model", model, "--tokenizer", "x"),
        "data": ("--model", model, "--data", tmp_path),
        "nowhere": ("--model", tmp_path / "nowhere"),
    }
    for name, more in told.items():
        called = call("evaluate", "moral", *more, "--limit", 1, "--json")
        where = "data" if name == "data" else name
        assert called.code == 1
        assert any(where in f["where"] or str(tmp_path) in f["where"] for f in called.faults)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_model_at_an_address_that_always_says_a(call: Call, model: Path, tmp_path: Path) -> None:
    """It is scored through its tokenizer, turns with the order, and its answers are kept."""

    def echo(text: str) -> tuple[list[int], list[float | None]]:
        told = re.sub(r"(<[^<>]*>|\s)+$", "", text)
        first = told.endswith(("A", "Yes", "1"))
        values: list[float | None] = [None, *[-1.0] * (len(text) - 2), -0.1 if first else -4.0]
        return list(range(len(text))), values

    with served(ScriptedModel("always", lambda prompt: "A"), echo=echo) as server:
        more = ("--model", server.url, "--served", "served", "--lang", "en", "--limit", 1)
        refused = call("evaluate", "moral", *more, "--json")
        told = call("evaluate", "moral", *more, "--tokenizer", model, "--out", tmp_path, "--json")
    order = next(f for f in told.value["figures"] if f["name"] == "order")

    assert [f["where"] for f in refused.faults] == ["--tokenizer"]
    # A or B, yes or no; of two options to repeat it has no first.
    assert order["raw"] == pytest.approx(2 / 3, abs=0.01)
    assert len(list((tmp_path / "answers").iterdir())) == 1


def test_a_stopped_run_goes_on_where_it_was(call: Call, model: Path, tmp_path: Path) -> None:
    """With --out answers are kept; half a line of a kill is dropped, and the report is the same."""
    more = ("--model", model, "--lang", "en", "--limit", 1, "--threads", 1, "--no-control",
            "--out", tmp_path, "--json")  # fmt: skip
    whole = call("evaluate", "moral", *more).value
    (kept,) = (tmp_path / "answers").iterdir()
    lines = kept.read_text(encoding="utf-8").splitlines(keepends=True)
    kept.write_text("".join(lines[:100]) + lines[100][:9], encoding="utf-8")
    again = call("evaluate", "moral", *more).value

    assert again["digest"] == whole["digest"]
    assert kept.read_text(encoding="utf-8").splitlines(keepends=True)[:100] == lines[:100]
    assert len(kept.read_text(encoding="utf-8").splitlines()) == len(lines)


def test_a_kept_line_that_is_no_answer_is_told(call: Call, model: Path, tmp_path: Path) -> None:
    """Nothing is asked again behind the back of whoever changed the file."""
    more = ("--model", model, "--lang", "en", "--limit", 1, "--threads", 1, "--no-control",
            "--out", tmp_path, "--json")  # fmt: skip
    call("evaluate", "moral", *more)
    (kept,) = (tmp_path / "answers").iterdir()
    kept.write_text("nonsense\n" + kept.read_text(encoding="utf-8"), encoding="utf-8")

    assert [f["where"] for f in call("evaluate", "moral", *more).faults] == [f"{kept}:1"]


def test_data_in_another_language_are_not_passed_over(
    call: Call, model: Path, tmp_path: Path
) -> None:
    """Only other languages: refused. Some of both, or files of no known form: told."""
    own = {"context": "You found a wallet.", "first": "Give it back", "second": "Keep it"}
    rows = [{"id": str(i), "lang": lang, **own} for i, lang in enumerate(["en", "en", "pt"])]
    english, both = tmp_path / "english.jsonl", tmp_path / "both"
    english.write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    both.mkdir()
    (both / "own.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    (both / "empty.jsonl").write_text("", encoding="utf-8")
    more = ("--model", model, "--lang", "pt", "--limit", 3, "--threads", 1, "--no-control")
    refused = call("evaluate", "moral", "--data", english, *more, "--json")
    told = call("evaluate", "moral", "--data", both, *more, "--json").value["sources"]

    assert refused.faults[0]["expected"] == "scenarios in pt"
    assert told["own"] == {"drawn": 1, "of": 3, "other_language": 2}
    assert told["empty.jsonl"] == {"unread": "no rows"}
