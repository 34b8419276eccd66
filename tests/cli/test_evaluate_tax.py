"""`evaluate tax`: models and results, formats, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.evaluate.test_benchmarks import folder

CONTRACT = {
    "suite",
    "lang",
    "difference",
    "interval",
    "n",
    "margin",
    "state",
    "needed",
    "why",
    "p_shown",
    "p_refuted",
    "gain",
    "degenerate",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny random model without a chat template, and one of the same shape that has one."""
    import torch

    from normwright.learn import Shape, fresh_like, scratch_model
    from normwright.models.tuning import save_plain

    torch.set_num_threads(1)
    model = scratch_model(
        ["what is asked and answered"] * 4, shape=Shape(16, 1, 2, 300, 256), seed=0
    )
    places = tmp_path_factory.mktemp("pair") / "a", tmp_path_factory.mktemp("pair") / "b"
    save_plain(fresh_like(model, seed=1).weights, model.tokenizer, places[1])
    model.tokenizer.chat_template = None
    save_plain(model.weights, model.tokenizer, places[0])
    return places


def taxed(before: Path, after: Path, *more: object) -> list[object]:
    """The command with a margin, on one thread where models are asked."""
    return ["evaluate", "tax", before, after, "--margin", "0.1", *more]


def questions(data: Path, suite: str, limit: int) -> list[object]:
    """What models are asked."""
    return ["--suite", suite, "--data", data, "--limit", limit, "--threads", "1"]


def test_models_in_formats(
    call: Call, pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two directories are asked alike in each format; random models have nothing to lose."""
    data = folder(tmp_path_factory.mktemp("data"))
    formats = [x for name in ("chat", "few-shot", "english-words") for x in ("--format", name)]
    asked = taxed(*pair, *questions(data, "arc-challenge", 5), "--shots", "2", *formats)
    value = call(*asked, "--json").value

    assert set(value["rows"][0]) >= CONTRACT
    assert [(r["lang"], r["n"]) for r in value["rows"]] == [("en", 5), ("pt", 5)]
    assert {r["state"] for r in value["rows"]} <= {"open", "refuted"}
    assert [(f["format"], f["lang"]) for f in value["formats"]] == [
        ("chat", "en"), ("chat", "pt"), ("few-shot", "en"), ("few-shot", "pt"),
        ("english-words", "pt"),
    ]  # fmt: skip
    for row in value["formats"]:
        tax, bare, share = (row[k]["value"] for k in ("tax", "bare", "format_loss"))
        assert share == pytest.approx(bare - tax)
    assert value["parity"][0]["paired"] is True
    assert "lent" not in str(value["notes"])
    assert "other model's" in value["notes"][0]


@pytest.fixture(scope="module")
def results(
    pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Path]:
    """Rows, and what both models made of them as `evaluate run --out` writes it."""
    from normwright.flow.suites import SuiteAsked, run_suite

    place = tmp_path_factory.mktemp("results")
    data = folder(place / "data")
    for name, model in zip(("a", "b"), pair, strict=True):
        run_suite(SuiteAsked(suite="arc-easy", model=str(model), data=data, limit=12, threads=1,
                             no_controls=True, out=place / name))  # fmt: skip
    return data, place / "a", place / "b"


def test_results_are_read_and_not_asked_again(
    call: Call, pair: tuple[Path, Path], results: tuple[Path, Path, Path]
) -> None:
    """What `evaluate run --out` wrote gives the same difference as the models themselves."""
    data, before, after = results
    read = call(*taxed(before, after), "--json").value
    models = questions(data, "arc-easy", 12)

    for sides in (pair, (before, pair[1])):
        asked = call(*taxed(*sides, *models), "--json").value
        assert asked["rows"][0]["difference"] == read["rows"][0]["difference"]
        assert asked["rows"][0]["n"] == 12


def test_the_screen_speaks_portuguese(call: Call, results: tuple[Path, Path, Path]) -> None:
    """What is shown to people has the state in words of the language they asked for."""
    _, before, after = results

    assert "em aberto" in call(*taxed(before, after), "--lang", "pt").out


def test_written_answers_are_no_tax(call: Call, results: tuple[Path, Path, Path]) -> None:
    """Refusals beside a benchmark change nothing of the tax: they are compared, not lost."""
    from tests.evaluate.test_comparing_written import RULE, discerning, wary, wrote

    from normwright.evaluate.generative import refusal_prompts, refusal_suite

    _, *sides = results
    before = call(*taxed(*sides), "--json").value
    for place, answer in zip(sides, (wary, discerning), strict=True):
        wrote(place, refusal_suite(RULE), refusal_prompts("en"), answer, RULE)

    assert call(*taxed(*sides), "--json").value == before


def test_refusals(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Models without suites or data, formats of results, and impossible margins are faults."""
    models = call(*taxed(*pair, "--format", "shouting"), "--json")
    results = call(*taxed(tmp_path, tmp_path, "--format", "chat", "--data", tmp_path), "--json")

    assert models.code == results.code == 1
    assert [f["where"] for f in models.faults] == ["--format", "--suite", "--data"]
    assert [f["where"] for f in results.faults] == [str(tmp_path), str(tmp_path), "--data"]
    assert call("evaluate", "tax", *pair, "--json").code == 2
