"""`evaluate locate`: a planted change is shown with its layer, and faults are told."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from tests.cli.conftest import Call
from tests.evaluate.test_benchmarks import folder


def test_where(call: Call, tmp_path: Path) -> None:
    """Weights, probes and patching of two directories, on the screen and as JSON."""
    import torch

    from normwright.learn import Shape, scratch_model
    from normwright.models.activations import blocks
    from normwright.models.tuning import save_plain

    torch.set_num_threads(1)
    model = scratch_model(["what is asked"] * 4, shape=Shape(16, 3, 2, 300, 256), seed=0)
    save_plain(model.weights, model.tokenizer, tmp_path / "a")
    changed = copy.deepcopy(model.weights)
    with torch.no_grad():
        down = blocks(changed)[1].mlp.down_proj.weight
        down += torch.randn(down.shape, generator=torch.Generator().manual_seed(0))
    save_plain(changed, model.tokenizer, tmp_path / "b")
    data, probes = folder(tmp_path / "data"), tmp_path / "p.jsonl"
    probes.write_text("".join(json.dumps({"text": f"word {i}", "label": "ab"[i % 2]}) + "\n"
                              for i in range(24)), encoding="utf-8")  # fmt: skip
    asked = ["evaluate", "locate", tmp_path / "a", tmp_path / "b", "--probe-data", probes,
             "--suite", "arc-easy", "--data", data, "--limit", "8", "--threads", "1"]  # fmt: skip
    value = call(*asked, "--json").value
    shown = call(*asked, "--lang", "pt").out
    bare = call("evaluate", "locate", tmp_path / "a", tmp_path / "b", "--json").value
    half = call(
        "evaluate", "locate", tmp_path / "a", tmp_path / "b", "--suite", "arc-easy", "--json"
    )

    assert [(d["layer"], d["kind"]) for d in value["deltas"] if d["share"] > 0] == [(2, "mlp")]
    assert [(p["model"], p["layer"]) for p in value["probes"]] == [
        (m, k) for m in "AB" for k in range(4)
    ]  # fmt: skip
    assert value["control_task"] == "item"
    found = {p["layer"]: p for p in value["patching"]}
    assert abs(found[1]["recovered"]["value"]) < 1e-4
    assert found[2]["step"]["value"] > 0.2
    assert abs(found[2]["swapped"]["value"] - 1) < 1e-4
    assert "seletividade" in shown
    assert (bare["probes"], bare["patching"], len(bare["notes"])) == ([], [], 2)
    assert half.faults[0]["where"] == "--suite, --data"
