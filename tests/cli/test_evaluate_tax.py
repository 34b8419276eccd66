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


def test_models_in_formats(
    call: Call, pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two directories are asked alike in each format; random models have nothing to lose."""
    data = folder(tmp_path_factory.mktemp("data"))
    asked = [
        "evaluate",
        "tax",
        *pair,
        "--margin",
        "0.05",
        "--suite",
        "arc-challenge",
        "--data",
        data,
        "--limit",
        "8",
        "--shots",
        "2",
        "--threads",
        "1",
        "--format",
        "chat",
        "--format",
        "few-shot",
        "--format",
        "english-words",
    ]
    value = call(*asked, "--json").value

    assert set(value["rows"][0]) >= CONTRACT
    assert [(r["lang"], r["n"]) for r in value["rows"]] == [("en", 8), ("pt", 8)]
    assert {r["state"] for r in value["rows"]} <= {"open", "refuted"}
    assert [(f["format"], f["lang"]) for f in value["formats"]] == [
        ("chat", "en"),
        ("chat", "pt"),
        ("few-shot", "en"),
        ("few-shot", "pt"),
        ("english-words", "pt"),
    ]
    for row in value["formats"]:
        tax, bare, share = (row[k]["value"] for k in ("tax", "bare", "format_loss"))
        assert share == pytest.approx(bare - tax)
    assert value["parity"][0]["paired"] is True
    assert "lent" not in str(value["notes"])
    assert "other model's" in value["notes"][0]
    assert "em aberto" in call(*asked, "--lang", "pt").out


def test_results_are_read_and_not_asked_again(
    call: Call, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    """What `evaluate run --out` wrote gives the same difference as the models themselves."""
    data = folder(tmp_path / "data")
    for name, model in zip(("a", "b"), pair, strict=True):
        call(
            "evaluate",
            "run",
            "--suite",
            "arc-easy",
            "--model",
            model,
            "--data",
            data,
            "--limit",
            "12",
            "--no-controls",
            "--threads",
            "1",
            "--out",
            tmp_path / name,
            "--json",
        )
    read = call(
        "evaluate", "tax", tmp_path / "a", tmp_path / "b", "--margin", "0.1", "--json"
    ).value
    asked = call(
        "evaluate",
        "tax",
        *pair,
        "--margin",
        "0.1",
        "--suite",
        "arc-easy",
        "--data",
        data,
        "--limit",
        "12",
        "--threads",
        "1",
        "--json",
    ).value
    mixed = call(
        "evaluate",
        "tax",
        tmp_path / "a",
        pair[1],
        "--margin",
        "0.1",
        "--suite",
        "arc-easy",
        "--data",
        data,
        "--limit",
        "12",
        "--threads",
        "1",
        "--json",
    )

    for one in (asked, mixed.value):
        assert one["rows"][0]["difference"] == read["rows"][0]["difference"]
        assert one["rows"][0]["n"] == 12


def test_refusals(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Models without suites or data, formats of results, and impossible margins are faults."""
    models = call("evaluate", "tax", *pair, "--margin", "0.1", "--format", "shouting", "--json")
    results = call(
        "evaluate",
        "tax",
        tmp_path,
        tmp_path,
        "--margin",
        "0.1",
        "--format",
        "chat",
        "--data",
        tmp_path,
        "--json",
    )

    assert models.code == results.code == 1
    assert [f["where"] for f in models.faults] == ["--format", "--suite", "--data"]
    assert [f["where"] for f in results.faults] == [str(tmp_path), str(tmp_path), "--data"]
    assert call("evaluate", "tax", *pair, "--json").code == 2
