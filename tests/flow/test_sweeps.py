"""Sweeps: cells are trained and measured once, kept, done again when they change, in any pool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from normwright.flow.sweep_file import read_sweep
from normwright.flow.sweeps import swept
from normwright.records import InputError, MissingExtra, PermitError

WORDS = ("red", "blue", "green", "stone", "water", "bread")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model, rows, and a sweep of two cells."""
    import torch

    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("sweep")
    words = [f"{a} and {b}" for a in WORDS for b in WORDS]
    made = scratch_model(words, shape=Shape(16, 1, 2, 300, 64), seed=0)
    save_plain(made.weights, made.tokenizer, folder / "tiny")
    common = {"lang": "en", "licence": "Apache-2.0", "origin": "synthetic"}
    pairs = [
        {"prompt": f"say {w} {i}", "chosen": f"{w} {w}", "rejected": "no", "family": w, **common}
        for i in range(3)
        for w in WORDS
    ]
    demos = [{"prompt": p["prompt"], "completion": p["chosen"], **common} for p in pairs]
    texts = [{"text": f"{a} {b} and {a} water " * 3, **common} for a in WORDS for b in WORDS[:2]]
    for name, rows in (("pairs", pairs), ("demos", demos), ("text", texts)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    write(folder)
    return folder


def write(folder: Path, **changes: Any) -> Path:
    settings = {"steps": 3, "batch": 4, "lr": 0.001}
    told = {
        "sizes": {"tiny": "tiny"},
        "mixes": {"all": {"demos": "demos.jsonl", "pairs": "pairs.jsonl"}},
        "methods": {
            "base": [],
            "dpo": [{"recipe": "sft", "data": "demos", "settings": settings},
                    {"recipe": "prefer", "data": "pairs", "settings": settings}],
        },
        "betas": [0.1],
        "seeds": [0],
        "measure": {
            "help": {"kind": "pairs", "data": "pairs.jsonl", "better": "higher", "reference": 0.0,
                     "gate": False},
            "bits": {"kind": "bits", "data": "text.jsonl", "better": "lower", "reference": 9.0},
        },
        **changes,
    }  # fmt: skip
    file = folder / str(told.pop("_name", "sweep.yaml"))
    file.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return file


def test_a_sweep_is_done_once_and_again_where_it_changed(place: Path, tmp_path: Path) -> None:
    """The second call does nothing; another rate does its cell again, and no model stays behind."""
    file = write(place)
    first = swept(file, out=tmp_path, jobs=1, unpermitted=True)
    again = swept(file, out=tmp_path, jobs=1)
    changed = write(place, betas=[0.2], _name="other.yaml")
    third = swept(changed, out=tmp_path, jobs=1, unpermitted=True)
    values = {c.name: c.values["bits"].value for c in first.frontier.cells}

    assert (first.run, first.kept) == (2, 0)
    assert (again.run, again.kept) == (0, 2)
    assert again.frontier == first.frontier
    assert (third.run, third.kept) == (1, 1)
    assert set(values) == {"tiny_base", "tiny_dpo_0.1_all"}
    assert len(set(values.values())) == 2
    assert not any(c.barred for c in first.frontier.cells)
    assert not list((tmp_path / "work").iterdir())
    assert all("prompt" not in f.read_text() for f in (tmp_path / "cells").glob("*.json"))


def test_a_model_worse_than_frequencies_is_barred(place: Path, tmp_path: Path) -> None:
    """Text of one letter has no bit that a rule without memory would not know."""
    flat = {"text": "a" * 40, "lang": "en", "licence": "Apache-2.0", "origin": "synthetic"}
    (place / "flat.jsonl").write_text(json.dumps(flat) + "\n", encoding="utf-8")
    measure = {
        name: {"kind": "bits", "data": f"{name}.jsonl", "better": "lower", "reference": 9.0}
        for name in ("text", "flat")
    }
    file = write(place, measure=measure, _name="flat.yaml")
    found = swept(file, out=tmp_path, jobs=1, unpermitted=True).frontier

    assert all(c.barred.startswith("flat: ") and "frequencies" in c.barred for c in found.cells)
    assert found.hypervolume.value is None


def test_finished_results_are_read_in_the_place_of_training(place: Path, tmp_path: Path) -> None:
    """A cell may name the folder of an earlier sweep; nothing is trained then."""
    swept(write(place), out=tmp_path / "a", jobs=1, unpermitted=True)
    cells = [
        {"size": "tiny", "method": m, "beta": b, "mix": x, "results": str(tmp_path / "a" / "cells")}
        for m, b, x in (("base", None, None), ("dpo", 0.1, "all"))
    ]
    read = swept(write(place, cells=cells, _name="read.yaml"), out=tmp_path / "b", jobs=1)
    lost = write(place, cells=cells, seeds=[7], _name="lost.yaml")

    assert (read.run, read.kept) == (0, 2)
    with pytest.raises(InputError, match="seed-7"):
        swept(lost, out=tmp_path / "b", jobs=1)


def test_a_run_that_fails_is_named_and_the_others_are_kept(place: Path, tmp_path: Path) -> None:
    """A cell whose settings are impossible is a fault; what finished needs not be done again."""
    methods = {"base": [], "sft": [{"recipe": "sft", "data": "demos", "settings": {"lr": -1.0}}]}
    file = write(place, methods=methods, _name="bad.yaml")
    with pytest.raises(InputError) as raised:
        swept(file, out=tmp_path, jobs=1, unpermitted=True)

    assert "tiny_sft" in raised.value.faults[0].where
    assert [f.name for f in (tmp_path / "cells").glob("*.json")] == ["tiny_base.seed-0.json"]


def test_training_needs_a_permit(place: Path, tmp_path: Path) -> None:
    """Neither a permit nor leave to do without: nothing is run."""
    with pytest.raises(PermitError):
        swept(write(place), out=tmp_path, jobs=1)

    assert not list((tmp_path / "cells").iterdir())


def test_faults_of_the_file_are_told_together(place: Path) -> None:
    """Unknown recipes, files, sizes and kinds, and a fourth objective."""
    measure = {n: {"kind": "suite", "data": "none.jsonl", "better": "higher", "reference": 0.0}
               for n in ("a", "b", "c", "d")}  # fmt: skip
    file = write(
        place, sizes={"big": "nowhere"}, measure=measure, seeds=[1, 1],
        methods={"x": [{"recipe": "magic", "data": "demos"}],
                 "y": [{"recipe": "sft", "data": "prayers"}]},
        _name="wrong.yaml",
    )  # fmt: skip
    with pytest.raises(InputError) as raised:
        read_sweep(file)
    text = " ".join(f"{f.where} {f.expected} {f.seen}" for f in raised.value.faults)

    assert all(s in text for s in ("magic", "prayers", "nowhere", "none.jsonl", "2 or 3", "[1, 1]"))
    with pytest.raises(InputError, match="colour"):
        read_sweep(write(place, colour="red", _name="wrong.yaml"))


def test_the_grid_repeats_nothing_that_a_method_ignores(place: Path) -> None:
    """Betas multiply what has one, mixes what is trained, and the base is there once."""
    mixes = {"all": {"demos": "demos.jsonl", "pairs": "pairs.jsonl"},
             "few": {"demos": "demos.jsonl", "pairs": "pairs.jsonl"}}  # fmt: skip
    methods = {"base": [], "sft": [{"recipe": "sft", "data": "demos"}],
               "dpo": [{"recipe": "prefer", "data": "pairs"}]}  # fmt: skip
    _, runs = read_sweep(
        write(place, mixes=mixes, methods=methods, betas=[0.1, 1.0], seeds=[0, 1], _name="g.yaml")
    )

    assert len(runs) == 2 * (1 + 2 + 4)
    assert len({r.key for r in runs}) == len(runs)
    assert runs[-1].stages[0]["settings"] == {"beta": 1.0}


def test_ray_is_an_extra(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ray is not installed the error names the extra."""
    monkeypatch.setattr("normwright.flow.sweeps.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="scale"):
        swept(write(place), out=tmp_path, ray="local", unpermitted=True)


@pytest.mark.slow
def test_a_pool_of_processes_does_the_same(place: Path, tmp_path: Path) -> None:
    """Two processes give the values that one gives."""
    one = swept(write(place), out=tmp_path / "one", jobs=1, unpermitted=True)
    two = swept(write(place), out=tmp_path / "two", jobs=2, unpermitted=True)

    assert two.frontier == one.frontier


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.filterwarnings("ignore")
def test_ray_with_two_workers_does_the_same(place: Path, tmp_path: Path) -> None:
    """A local Ray with two workers gives the values that one process gives."""
    pytest.importorskip("ray", reason="Ray is not here: pip install '.[scale]'")
    one = swept(write(place), out=tmp_path / "one", jobs=1, unpermitted=True)
    two = swept(write(place), out=tmp_path / "two", jobs=2, ray="local", unpermitted=True)

    assert two.run == 2
    assert two.frontier == one.frontier
