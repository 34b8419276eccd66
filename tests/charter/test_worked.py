"""The worked cases of conflict resolution, as people find them in examples/charter."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from normwright.charter import Asked, assembled, check_source, read_situations, read_source
from normwright.charter.situations import missed
from normwright.norms import Resolver
from normwright.records import Decision

EXAMPLES = Path(__file__).parents[2] / "examples" / "charter"
FILES = sorted(EXAMPLES.glob("w*.yaml"))
ASKED = [
    pytest.param(path, one, id=f"{path.stem}: {one.name}")
    for path in FILES
    for one in read_situations(path)[0]
]


def decided(path: Path, one: Asked) -> Decision:
    return Resolver(assembled(read_source(path))).decide(one.situation)


def test_all_worked_cases_are_there() -> None:
    """Twenty-one situations in all, each of them named after its case and expecting something."""
    asked = [one for path in FILES for one in read_situations(path)[0]]

    assert len(asked) == 21
    assert {one.name.split()[0] for one in asked} == {
        "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W8b", "W12", "W13", "W14"}  # fmt: skip
    assert all(one.expect and "verdict" in one.expect for one in asked)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_worked_files_are_sound_charters_in_both_languages(path: Path) -> None:
    """Each file is a charter in which every text stands in English and Portuguese."""
    source = read_source(path)

    assert source.head.languages == ("en", "pt")
    assert check_source(source).failures == ()


@pytest.mark.parametrize(("path", "one"), ASKED)
def test_worked_case_comes_out_as_written(path: Path, one: Asked) -> None:
    """Every worked case gives its verdict and, where written, what the verdict rests on."""
    assert one.expect is not None
    assert missed(decided(path, one), one.expect) == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_worked_cases_do_not_depend_on_the_order_of_norms(path: Path, tmp_path: Path) -> None:
    """Norms turned round in their file give the same decisions, byte for byte, digest included."""
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    body["norms"].reverse()
    other = tmp_path / path.name
    other.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")

    for one in read_situations(path)[0]:
        first, second = decided(path, one), decided(other, one)

        assert first.model_dump_json() == second.model_dump_json()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_worked_cases_do_not_depend_on_the_names_of_files(path: Path, tmp_path: Path) -> None:
    """One file a norm, named at random, gives the same decisions, byte for byte."""
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    rng = random.Random(5)
    decisions = []
    for round_ in range(3):
        folder = tmp_path / str(round_)
        _scattered(body, folder, rng)
        charter = assembled(read_source(folder))
        decisions.append(
            [Resolver(charter).decide(one.situation).model_dump_json()
             for one in read_situations(path)[0]]
        )  # fmt: skip
        shutil.rmtree(folder)

    assert decisions[0] == decisions[1] == decisions[2]
    assert decisions[0] == [decided(path, one).model_dump_json()
                            for one in read_situations(path)[0]]  # fmt: skip


def _scattered(body: dict[str, Any], folder: Path, rng: random.Random) -> None:
    folder.mkdir()
    head = {key: body[key] for key in ("schema", "id", "languages")}
    parts = {"charter": head, "acts": {"acts": body["acts"]}, "facts": {"facts": body["facts"]}}
    for number, norm in enumerate(rng.sample(body["norms"], len(body["norms"]))):
        parts[f"{rng.randrange(1000):03}-{number}"] = norm
    for name, part in parts.items():
        text = yaml.safe_dump(part, allow_unicode=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
