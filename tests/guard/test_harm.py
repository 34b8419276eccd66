"""The harm classifier learns what the charter decides, says how well, is saved as plain files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.guard import town

from normwright.guard import HarmClassifier, fit_harm
from normwright.guard.fit import platt
from normwright.guard.harm import sigmoid
from normwright.records import InputError, IntegrityError, Scene


def _shuffled(scenes: list[Scene], seed: int) -> list[Scene]:
    """The same texts with acts, facts and answers dealt out at random."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(scenes))
    swap = rng.random(len(scenes)) < 0.5
    return [
        s.model_copy(
            update={
                "act": scenes[j].act,
                "facts": scenes[j].facts,
                "perform": s.decline if w else s.perform,
                "decline": s.perform if w else s.decline,
            }
        )
        for s, j, w in zip(scenes, order, swap, strict=True)
    ]


def test_the_classifier_is_sound_and_a_shuffled_one_is_not() -> None:
    """The quality test passes on real labels and fails on shuffled ones: it can fail."""
    control = fit_harm(town.charter(), _shuffled(town.scenes("guard"), 3), seed=town.SEED)

    assert town.harm().sound
    assert not control.sound


def test_every_norm_with_scenes_has_a_measured_head() -> None:
    """Each norm's head says its sensitivity and specificity per language, with n and interval."""
    harm = town.harm()
    for norm in town.charter().norms:
        head = harm.head(f"norm:{norm.id}")
        for lang in town.LANGS:
            for estimate in (head.sensitivity[lang], head.specificity[lang]):
                assert estimate.value is not None
                assert estimate.interval is not None
                assert estimate.interval.low <= estimate.value <= estimate.interval.high
                assert 1 < estimate.n < 1000

    assert harm.card["uncovered"] == []


def test_a_linear_head_does_not_tell_twins_apart() -> None:
    """Given the bare value, the privacy head says much the same of private and public records."""
    chances: dict[str, dict[object, float]] = {}
    for scene in town.scenes("dev"):
        if scene.norm == "g.privacy.personal-data":
            reading = town.harm().read(scene.messages[-1].content.split("\n"))[-1]
            broken, _ = town.harm().judge(reading, scene.exact[0])
            twins = chances.setdefault(min(scene.id, scene.twin or ""), {})
            twins[scene.facts["data_public"]] = broken["g.privacy.personal-data"]
    gaps = [abs(twins[True] - twins[False]) for twins in chances.values()]

    assert len(gaps) >= 6
    assert sum(gaps) / len(gaps) < 0.25


def test_probabilities_are_calibrated_on_unseen_wordings() -> None:
    """On the split dev, requests said to be an act with about p are that act with about p."""
    pairs = []
    for scene in town.scenes("dev"):
        reading = town.harm().read(scene.messages[-1].content.split("\n"))[-1]
        pairs += [(p, act == scene.act) for act, p in reading.acts.items()]
    chance = np.array([p for p, _ in pairs])
    truth = np.array([t for _, t in pairs])
    brier = float(((chance - truth) ** 2).mean())

    assert brier < 0.25 * float(truth.mean() * (1 - truth.mean()))


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    """A saved classifier is two plain files with digests; loaded, it gives the same numbers."""
    harm = town.harm()
    digests = harm.save(tmp_path)
    again = HarmClassifier.load(tmp_path, digests=digests)
    scene = town.scenes("dev")[0]
    texts = scene.messages[-1].content.split("\n")

    assert sorted(digests) == ["harm.json", "harm.npz"]
    assert again.save(tmp_path / "again") == digests
    assert again.read(texts)[-1].acts == harm.read(texts)[-1].acts
    assert again.judge(again.read(texts)[-1], scene.perform) == harm.judge(
        harm.read(texts)[-1], scene.perform
    )
    assert again.languages(texts) == harm.languages(texts)


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    """A changed byte, a swapped card and a missing file are each refused with the file's name."""
    digests = town.harm().save(tmp_path)
    weights = bytearray((tmp_path / "harm.npz").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "harm.npz").write_bytes(bytes(weights))
    with pytest.raises(IntegrityError, match=r"harm\.npz"):
        HarmClassifier.load(tmp_path, digests=digests)
    with pytest.raises(IntegrityError, match=r"harm\.npz"):
        HarmClassifier.load(tmp_path)
    card = json.loads((tmp_path / "harm.json").read_text("utf-8"))
    (tmp_path / "harm.json").write_text(json.dumps({**card, "form": "other"}), "utf-8")
    with pytest.raises(InputError, match="harm-classifier/v1"):
        HarmClassifier.load(tmp_path)
    (tmp_path / "harm.json").unlink()

    with pytest.raises(InputError, match=r"harm\.json"):
        HarmClassifier.load(tmp_path)


def test_same_scenes_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    """Fitting twice gives the same digests."""
    scenes = town.scenes("guard")
    first, second = (
        fit_harm(town.charter(), scenes, seed=5).save(tmp_path / name) for name in ("a", "b")
    )

    assert first == second


def test_labels_follow_the_charter() -> None:
    """A norm that is not in the charter has no head, and its act is no breach of anything."""
    chosen = town.charter(("o.health.no-dosage",))
    harm = fit_harm(chosen, town.scenes("guard"), seed=town.SEED)

    assert "o.health.no-dosage" not in {n for _, n in harm.named("norm")}
    assert "advise.dosage" in {n for _, n in harm.named("act")}


def test_too_little_to_learn_from_is_said() -> None:
    """One act and one wording: both faults are in one error."""
    one = [s for s in town.scenes("guard") if s.template.startswith("look-up.opening/guard/0")]
    with pytest.raises(InputError) as caught:
        fit_harm(town.charter(), one, seed=1)

    assert len(caught.value.faults) == 2


def test_platt_finds_the_curve_that_made_the_labels() -> None:
    """Labels drawn from a logistic curve give its slope and offset back."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=20_000)
    truth = rng.random(20_000) < sigmoid(2.0 * scores - 1.0)
    slope, offset = platt(scores, truth)

    assert abs(slope - 2.0) < 0.1
    assert abs(offset + 1.0) < 0.1


def test_a_score_that_ranks_the_wrong_way_round_says_nothing() -> None:
    """A head whose scores run against the labels is flattened to the base rate, never inverted."""
    scores = np.arange(20.0)
    slope, _ = platt(scores, scores < 10)

    assert slope == 0.0
