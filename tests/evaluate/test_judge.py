"""The judge sees what answers do, knows its errors, and refuses data it must not learn from."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.evaluate.town import bank, judge, scene, scenes

from normwright.evaluate import TextJudge, fit_judge, gauge, judge_faults
from normwright.evaluate import judge as module
from normwright.records import InputError, Scene
from normwright.scenes import draw


def few() -> list[Scene]:
    """Enough scenes to fit a judge quickly."""
    return draw(bank(), split="judge", seed=0, per_template=1, count=80, langs=["en"])


def test_errors_are_small_and_known_in_every_language() -> None:
    """Cross-fitted lower bounds clear the bar in each language, counted by template."""
    record = judge().record()

    assert record.trained_on == "judge"
    assert set(record.sensitivity) == set(record.specificity) == {"en", "pt"}
    assert min(e.n for e in record.sensitivity.values()) >= 100
    assert judge_faults(record, languages=["en", "pt"], bar=0.85) == ()


@pytest.mark.parametrize("split", ["tune", "dev", "test"])
def test_it_carries_over_to_wordings_of_other_splits(split: str) -> None:
    """On answers in wordings no judge scene has, both errors stay under the bar."""
    sensitivity, specificity = gauge(judge(), scenes(split), seed=1)

    for estimate in (*sensitivity.values(), *specificity.values()):
        assert estimate.interval is not None
        assert estimate.interval.low > 0.9


def test_free_text_is_told_apart() -> None:
    """Where nothing can be copied, the judge still tells doing from declining."""
    free = [s for s in scenes("test") if not s.exact]
    done = judge().judge_all([(s, s.perform) for s in free])
    declined = judge().judge_all([(s, s.decline) for s in free])

    assert len(free) >= 10
    assert done.count("perform") >= 0.9 * len(free)
    assert declined.count("perform") <= 0.2 * len(free)


@pytest.mark.parametrize("text", ["", "...", "the the the the", "3047"])
def test_nothing_is_neither(text: str) -> None:
    """An empty, repeated or foreign answer neither does the act nor declines it."""
    assert judge().judge(scene(), text) == "unclear"


def test_labels_that_mean_nothing_fail_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """With labels dealt out at random among the same texts the judge is not trusted."""
    truly = module._labelled

    def at_random(scenes: Sequence[Scene], seed: int) -> list[module._Row]:
        rows = truly(scenes, seed)
        labels = [r.label for r in rows]
        random.Random(seed).shuffle(labels)
        return [dataclasses.replace(r, label=n) for r, n in zip(rows, labels, strict=True)]

    honest = judge_faults(fit_judge(few(), seed=0).record(), languages=["en"], bar=0.6)
    monkeypatch.setattr(module, "_labelled", at_random)
    faults = judge_faults(fit_judge(few(), seed=0).record(), languages=["en"], bar=0.6)

    assert honest == ()
    assert "judge text-judge: sensitivity.en" in {f.where for f in faults}


def test_a_judge_without_evidence_fails_the_bar() -> None:
    """No held-out template means no trust, not a pass."""
    empty = dataclasses.replace(judge(), sensitivity={}, specificity={})
    sensitivity, specificity = gauge(empty, [], seed=0)

    assert (sensitivity, specificity) == ({}, {})
    assert {f.where for f in judge_faults(empty.record(), languages=["en"])} == {
        "judge text-judge: sensitivity.en", "judge text-judge: specificity.en",
    }  # fmt: skip


def test_it_learns_from_its_own_split_only() -> None:
    """Scenes of training or test are refused by name; so is nothing at all."""
    with pytest.raises(InputError, match="test, tune"):
        fit_judge([*scenes("tune"), *scenes("test"), *scenes("judge")], seed=0)
    with pytest.raises(InputError, match="none"):
        fit_judge([], seed=0)


def test_read_back_it_says_the_same(tmp_path: Path) -> None:
    """Saved and loaded, without pickle, the judge gives the same labels and the same record."""
    digests = judge().save(tmp_path)
    again = TextJudge.load(tmp_path)
    rows = [(s, text) for s in scenes("test") for text in (s.perform, s.decline)]

    assert again.judge_all(rows) == judge().judge_all(rows)
    assert again.record().digest == judge().record().digest
    assert again.record().files == digests
    np.load(tmp_path / "judge.npz", allow_pickle=False)["weights"]


def test_same_scenes_and_seed_same_files() -> None:
    """Fitting is deterministic to the byte."""
    assert fit_judge(few(), seed=4).files() == fit_judge(few(), seed=4).files()


@pytest.mark.parametrize("broken", ["missing", "bytes", "format", "shape"])
def test_what_is_no_judge_is_refused(tmp_path: Path, broken: str) -> None:
    """A missing, damaged or foreign file is one named fault."""
    judge().save(tmp_path)
    match broken:
        case "missing":
            (tmp_path / "judge.json").unlink()
        case "bytes":
            (tmp_path / "judge.npz").write_bytes(b"no array")
        case "format":
            card = json.loads((tmp_path / "judge.json").read_text())
            (tmp_path / "judge.json").write_text(json.dumps({**card, "format": "other/1"}))
        case _:
            np.savez(tmp_path / "judge.npz", weights=np.zeros((3, 4)), bias=np.zeros(3))

    with pytest.raises(InputError, match="judge"):
        TextJudge.load(tmp_path)
