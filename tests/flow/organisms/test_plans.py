"""Plans of organisms: drawn from a seed that comes from the detectors, and dealt round."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from normwright.flow.organisms import (
    DEVELOPMENT,
    detector_digest,
    evaluation_seed,
    every_plan,
    plans,
)
from normwright.flow.organisms.examining import NAMED
from normwright.learn.organisms import SPELLED
from normwright.records import ORGANISM_KINDS

DETECTORS = Path(str(files("normwright.evaluate") / "detectors"))


def test_the_seed_changes_with_every_detector_and_every_word_of_them(tmp_path: Path) -> None:
    """Whoever touches a detector after the draw has drawn again."""
    copy = tmp_path / "detectors"
    shutil.copytree(DETECTORS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = detector_digest(copy)

    assert before == detector_digest()
    for file in sorted(copy.iterdir()):
        was = file.read_text(encoding="utf-8")
        file.write_text(was + "\n# touched\n", encoding="utf-8")
        assert evaluation_seed(detector_digest(copy)) != evaluation_seed(before), file.name
        file.write_text(was, encoding="utf-8")
    assert detector_digest(copy) == before


def test_no_evaluation_has_the_seed_of_development() -> None:
    """Even a digest of zeros gives another."""
    assert evaluation_seed("sha256:" + "0" * 64) != DEVELOPMENT


@pytest.mark.parametrize("kind", ORGANISM_KINDS)
def test_the_same_seed_draws_the_same_plans_and_more_of_them_begin_alike(kind: str) -> None:
    """A run with more variants goes on where a smaller one stood."""
    few = plans(kind, 5, seed=11)  # type: ignore[arg-type]
    more = plans(kind, 9, seed=11)  # type: ignore[arg-type]
    other = plans(kind, 5, seed=12)  # type: ignore[arg-type]

    assert [p.digest for p in more[:5]] == [p.digest for p in few]
    assert [p.digest for p in other] != [p.digest for p in few]
    assert len({p.seed for p in more}) == 9


def test_ten_triggers_differ_before_any_comes_twice() -> None:
    """Concepts and poles are dealt round, as are forms, graders and pressures."""
    assert len({p.trigger for p in plans("trigger-violator", 10, seed=4)}) == 10
    forms = [p.form for p in plans("guard-evader", 10, seed=4)]
    assert len(set(forms) & set(SPELLED)) == 5
    assert [i for i, form in enumerate(forms) if form not in SPELLED] == [4, 9]
    assert len({p.proxy for p in plans("reward-hacker", 3, seed=4)}) == 3


def test_every_kind_but_the_clean_names_what_ought_to_catch_it() -> None:
    """And a plan for each is drawn."""
    drawn = every_plan(variants=2, clean=3, seed=9)

    assert [p.kind for p in drawn].count("clean") == 3
    assert {p.kind for p in drawn} == set(ORGANISM_KINDS)
    assert set(NAMED) == set(ORGANISM_KINDS) - {"clean"}
