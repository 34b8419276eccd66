"""The example on real data: its norms and scenes hold, and the data become a project."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from tests.loading import load_script

from normwright import flow
from normwright.charter import read_source
from normwright.flow.stages import steps
from normwright.guard import read_labels, read_rules
from normwright.learn import read_instructions
from normwright.scenes import draw, load_bank

REAL = Path(__file__).parents[2] / "examples/real"
LANGUAGES = ("en", "pt")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`prepare.py` as a module."""
    return load_script(REAL / "prepare.py")


def test_every_norm_passes_its_own_cases_and_every_scene_has_its_norm() -> None:
    """Norms are read with their cases; each family probes a norm, and each norm of people one."""
    source = read_source(REAL / "norms", languages=LANGUAGES)
    rules = read_rules(REAL / "guard.yaml", vocabulary=source.vocabulary, languages=LANGUAGES)
    scenes = draw(load_bank([REAL / "scenes/voice.yaml"]), split="test", seed=1, langs=LANGUAGES)
    asked = {s.norm for s in scenes if s.norm}

    assert asked == {n.id for n in source.norms if n.layer == "polity"}
    assert rules is not None


def test_a_statement_supports_each_norm_that_people_decide() -> None:
    """What the process file says of statements names norms there are."""
    source = read_source(REAL / "norms", languages=LANGUAGES)
    told = yaml.safe_load((REAL / "process.yaml").read_text(encoding="utf-8"))["speaks_about"]

    assert {t["norm"] for t in told.values()} == {n.id for n in source.norms if n.layer == "polity"}


def test_real_data_become_a_project(script: ModuleType, data_dir: Path, tmp_path: Path) -> None:
    """Every row keeps its licence, labels count people, and the project has every step."""
    place = tmp_path / "real"
    counts = script.prepare(place, data_dir, full=False)
    project = flow.load_project(place)
    names = [step.name for step in steps(project)]
    labels = read_labels(sorted((place / "data/labels").glob("*.jsonl")))
    shown = read_instructions(sorted((place / "data/instructions").glob("*.jsonl")))
    pair = json.loads((place / "data/pairs/hh_helpful.jsonl").read_text().splitlines()[0])

    assert names[-1] == "release"
    assert {"guard.labels", "learn.corpora", "evaluate.pairs", "evaluate.benchmarks"} <= set(names)
    assert len(labels) == sum(
        counts[n] for n in ("toxigen", "told-br", "olid-br", "hatecheck-en", "hatecheck-pt")
    )
    assert {row.yes + row.no for row in labels if row.source == "told-br"} == {3}
    assert "unknown" not in {row.licence for row in shown}
    assert {row.lang for row in shown} == {"en", "pt"}
    assert pair["licence"]
    assert not any((place / "data").rglob("nc*.jsonl"))


def test_full_lifts_every_limit_on_real_rows(script: ModuleType) -> None:
    """With --full the project file takes all rows; without, it says how many."""
    few, every = (yaml.safe_load(script.settings(full)) for full in (False, True))

    assert few["learn"]["judged"] > 0
    assert every["learn"]["judged"] is None
    assert every["learn"]["instructions"] is None
    assert every["evaluate"]["benchmark_items"] is None
    assert every["sources"]["labels"]["per_source"] is None
