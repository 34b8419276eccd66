"""The work a step is reckoned to be follows its parameters and the size of the model."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from normwright import flow
from normwright.flow.stages import steps
from normwright.flow.work import Sizes, UnknownSizeError, Work, read_shape, work_of
from normwright.models.places import embedded_path


@pytest.fixture
def sizes(tmp_path: Path) -> tuple[Sizes, dict[str, Any]]:
    """The sizes of a town, and the parameters of its steps."""
    project = flow.load_project(flow.init(tmp_path / "town", "town").directory)
    return Sizes(project), {step.name: dict(step.parameters) for step in steps(project)}


def reckoned(step: str, parameters: dict[str, Any], sizes: Sizes) -> Work:
    work = work_of(step, parameters, sizes)
    assert work is not None
    return work


@pytest.mark.parametrize(
    ("step", "setting", "value"),
    [
        ("aggregate", "bootstrap", 6000),
        ("learn.data", "pairs", 2000),
        ("learn.sft", "epochs", 2),
        ("learn.reward", "epochs", 2),
        ("learn.prefer", "epochs", 3),
        ("guard", "per_template", 30),
        ("judge", "per_template", 30),
        ("evaluate", "max_new_tokens", 64),
        ("evaluate", "help", 50),
        ("redteam", "per_attack", 20),
    ],
)
def test_more_asked_is_more_work(
    sizes: tuple[Sizes, dict[str, Any]], step: str, setting: str, value: int
) -> None:
    """A dial turned up makes its step longer, turned down shorter; other steps stay as they are."""
    known, before = sizes
    after = {**before, step: {**before[step], setting: value}}
    more = value > before[step][setting]

    first, then = (reckoned(step, given, known).at(1e11) for given in (before, after))
    assert (then > first) is more
    assert reckoned("elicit", before, known) == reckoned("elicit", after, known)


def test_a_larger_model_takes_more(sizes: tuple[Sizes, dict[str, Any]]) -> None:
    """Time, memory and disk of training grow with the model."""
    known, given = sizes
    works = []
    for hidden in (64, 256, 1024):
        shape = {"hidden": hidden, "layers": 4, "heads": 4, "vocab": 4096, "context": 512}
        base = {"learn.base": {"kind": "scratch", "path": None, "scratch": shape}}
        works.append(reckoned("learn.prefer", {**given, **base}, known))

    for less, more in pairwise(works):
        assert more.at(1e11) > less.at(1e11)
        assert more.memory > less.memory
        assert more.disk > less.disk


def test_an_unknown_step_has_no_work(sizes: tuple[Sizes, dict[str, Any]]) -> None:
    """A step nobody described, and parameters without what is needed, are unknown."""
    known, given = sizes

    assert work_of("learn.new", given, known) is None
    assert work_of("learn.sft", {**given, "learn.sft": {}}, known) is None


def test_the_shape_of_the_embedded_model() -> None:
    """Its provenance and the heads of its weight file agree, without opening torch."""
    shape = read_shape(embedded_path())
    config = json.loads((embedded_path() / "config.json").read_text("utf-8"))

    assert (shape.hidden, shape.layers) == (config["hidden_size"], config["num_hidden_layers"])
    assert shape.parameters > shape.vocabulary * shape.hidden
    assert shape.files > 2 * shape.parameters


@pytest.mark.parametrize("weights", [b"", b"version https://git-lfs", b"\x02\0\0\0\0\0\0\0[]"])
def test_weights_in_another_form_are_unknown(tmp_path: Path, weights: bytes) -> None:
    """A pointer, an empty file or a head of another form give no shape."""
    (tmp_path / "config.json").write_text(
        '{"hidden_size": 8, "num_hidden_layers": 2, "vocab_size": 300}'
    )
    (tmp_path / "model.safetensors").write_bytes(weights)

    with pytest.raises(UnknownSizeError):
        read_shape(tmp_path)
