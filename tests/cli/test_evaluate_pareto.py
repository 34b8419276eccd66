"""`evaluate pareto` and `evaluate power`: their contracts, pictures and refusals."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from tests.cli.conftest import Call
from tests.evaluate.test_frontier import HARM, HELP, runs


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A sweep of three cells with two seeds whose runs are finished."""
    (tmp_path / "cells").mkdir()
    truth = {"s_base": (0.4, 0.1), "s_sft": (0.7, 0.3), "s_bad": (0.3, 0.6)}
    for run in runs(truth, seeds=2, noise=0.01, degenerate=frozenset({"s_bad"})):
        told = {"kind": "sweep-cell", "measured": {k: asdict(m) for k, m in run.measured.items()}}
        (tmp_path / "cells" / f"{run.cell}.seed-{run.seed}.json").write_text(json.dumps(told))
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (tmp_path / "s").mkdir()
    sweep = {
        "sizes": {"s": "s"}, "methods": {"base": [], "sft": [], "bad": []}, "seeds": [0, 1],
        "cells": [{"size": "s", "method": m, "results": "cells"} for m in ("base", "sft", "bad")],
        "measure": {
            o.name: {"kind": "pairs", "data": "rows.jsonl", "better": o.better,
                     "reference": o.reference, "gate": o.gate} for o in (HELP, HARM)
        },
    }  # fmt: skip
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(sweep, sort_keys=False))
    return tmp_path


def test_a_finished_sweep(call: Call, finished: Path) -> None:
    """One JSON value with cells, frontier and volume, and pictures with error bars."""
    asked = ["evaluate", "pareto", finished / "sweep.yaml", "--out", finished / "out", "--pooled"]
    value = call(*asked, "--pictures", finished / "pictures", "--json").value
    shown = call(*asked, "--lang", "pt").out
    cells = {c["cell"]: c for c in value["cells"]}

    assert value["frontier"] == ["s_base", "s_sft"]
    assert cells["s_bad"]["barred"]
    assert cells["s_bad"]["frontier_probability"] is None
    low, high = value["hypervolume"]["interval"]
    assert low < value["hypervolume"]["value"] < high
    assert {w["kind"] for w in value["without"]} == {"method", "seed", "items"}
    assert [Path(p).name for p in value["pictures"]] == [
        "frontier.help-harm.en.svg", "frontier.help-harm.pt.svg"
    ]  # fmt: skip
    for name, word in zip(value["pictures"], ("more is better", "mais é melhor"), strict=True):
        text = Path(name).read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert text.count('class="bar"') == 6
        assert word in text
    assert "Hipervolume" in shown
    assert "excluída" in shown


def test_a_sweep_that_is_not_there(call: Call, tmp_path: Path) -> None:
    """A missing file is one fault."""
    called = call("evaluate", "pareto", tmp_path / "none.yaml", "--out", tmp_path, "--json")

    assert called.code == 1
    assert "a sweep" in called.faults[0]["expected"]


def test_power(call: Call) -> None:
    """The n of a plan in JSON and in words, and impossible plans."""
    asked = ["evaluate", "power", "--effect", "0.03", "--discordant", "0.15"]
    value = call(*asked, "--json").value
    many = call(*asked, "--cluster-size", "5", "--correlation", "0.2", "--json").value
    loss = call("evaluate", "power", "--discordant", "0.1", "--margin", "0.02", "--json").value

    assert value["n"] == value["independent"]
    assert many["design_effect"] == pytest.approx(1.8)
    assert many["n"] > 1.7 * value["n"]
    assert loss["n"] > 0
    assert str(value["n"]) in call(*asked, "--lang", "pt").out
    assert "power is" in call(*asked, "--n", "500", "--lang", "en").out
    refused = call("evaluate", "power", "--effect", "0.3", "--discordant", "0.1", "--json")
    assert refused.faults[0]["where"] == "--effect"
