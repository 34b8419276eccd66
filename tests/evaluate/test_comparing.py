"""A rise is an improvement only where neither a constant answer nor damage explains it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from normwright.evaluate import (
    Score,
    ScoreDifference,
    compare_scores,
    counted_score,
    lineages,
    published,
)
from normwright.records import InputError


def counted(
    suite: str, n: int, share: float, constant: float, model: str = "m", lang: str = "en"
) -> Score:
    return counted_score(
        model=model, suite=suite, lang=lang, metric=None, n=n, correct=share * n,
        constants={"constant": constant}, origin="counts",
    )  # fmt: skip


def only(found: list[ScoreDifference], suite: str) -> ScoreDifference:
    (one,) = [c for c in found if c.suite == suite]
    return one


def test_a_damaged_model_does_not_improve() -> None:
    """HellaSwag 52.97 to 26.97 of 10,042 with TruthfulQA 39.55 to 50.81 is no improvement."""
    before = [
        counted("hellaswag", 10042, 0.5297, 0.25),
        counted("truthfulqa-mc2", 817, 0.3955, 0.4464),
    ]
    after = [
        counted("hellaswag", 10042, 0.2697, 0.25),
        counted("truthfulqa-mc2", 817, 0.5081, 0.4464),
    ]
    found = compare_scores(before, after)
    unharmed = compare_scores(before, [before[0], after[1]])

    assert only(found, "hellaswag").verdict == "loss"
    assert only(found, "truthfulqa-mc2").verdict == "not an improvement"
    assert "the model was damaged" in only(found, "truthfulqa-mc2").why
    assert only(unharmed, "truthfulqa-mc2").verdict == "improvement"


def test_a_rise_to_a_constant_is_no_improvement() -> None:
    """From always Yes to always No on ToxiGen: shown to rise, and explained."""
    found = compare_scores(
        [counted("toxigen", 940, 384 / 940, 534 / 940)],
        [counted("toxigen", 940, 533 / 940, 534 / 940)],
    )

    assert found[0].difference is not None
    assert (found[0].difference.value or 0) > 0.15
    assert found[0].verdict == "not an improvement"
    assert "consistent with a constant answer" in found[0].why


def test_a_gain_beside_a_lesser_loss_says_so() -> None:
    """A loss that leaves most of the lead is no damage, but is never left out."""
    before = [counted("a", 4000, 0.6, 0.25), counted("b", 4000, 0.6, 0.25)]
    after = [counted("a", 4000, 0.7, 0.25), counted("b", 4000, 0.55, 0.25)]
    found = compare_scores(before, after)

    assert only(found, "a").verdict == "gain beside a loss"
    assert "b: 0.6000 to 0.5500" in only(found, "a").why


def test_a_model_at_a_constant_elsewhere_claims_nothing() -> None:
    """Whoever answers another suite no better than a constant is barred from a gain."""
    same = counted("b", 1000, 0.25, 0.25)
    found = compare_scores([counted("a", 1000, 0.5, 0.25), same],
                           [counted("a", 1000, 0.6, 0.25), same])  # fmt: skip

    assert only(found, "a").verdict == "not an improvement"
    assert "b: consistent with a constant answer" in only(found, "a").why


def test_languages_do_not_speak_for_each_other() -> None:
    """A fall in Portuguese does not take back a gain in English."""
    before = [counted("a", 900, 0.5, 0.25), counted("b", 900, 0.8, 0.25, lang="pt")]
    after = [counted("a", 900, 0.6, 0.25), counted("b", 900, 0.25, 0.25, lang="pt")]

    assert only(compare_scores(before, after), "a").verdict == "improvement"


def paired(values: list[float], clusters: list[str] | None = None, **settings: object) -> Score:
    ids = [f"q{i}" for i in range(len(values))]
    base = counted("arc-easy", len(values), sum(values) / len(values), 0.0)
    groups = dict(zip(ids, clusters, strict=True)) if clusters else None
    return replace(base, items=dict(zip(ids, values, strict=True)), clusters=groups,
                   settings=settings, degenerate=False)  # fmt: skip


def test_items_make_the_comparison_sharper() -> None:
    """With the items the same rise is shown that two separate shares do not show."""
    rng = random.Random(0)
    old = [float(rng.random() < 0.5) for _ in range(300)]
    new = [1.0 if i % 20 == 0 else v for i, v in enumerate(old)]
    by_item = compare_scores([paired(old)], [paired(new)])[0]
    apart = compare_scores([replace(paired(old), items=None)], [paired(new)])[0]

    assert (by_item.paired, apart.paired) == (True, False)
    assert by_item.verdict == "improvement"
    assert by_item.p_value is not None
    assert by_item.p_value < 0.05
    assert apart.verdict == "no difference shown"


def test_clusters_count_once() -> None:
    """Ten copies of the same six questions are six units, not sixty."""
    old, new = [0.0] * 60, [float(i % 6 < 3) for i in range(60)]
    clusters = [f"c{i % 6}" for i in range(60)]
    apart = compare_scores([paired(old)], [paired(new)])[0]
    together = compare_scores([paired(old, clusters)], [paired(new, clusters)])[0]

    assert apart.p_value is not None
    assert together.p_value == 0.25
    assert apart.p_value < 1e-6
    assert together.difference is not None
    assert together.difference.n == 6


def test_unlike_runs_are_not_compared() -> None:
    """Other examples, scaffold or questions make no difference at all."""
    one = paired([0.0, 1.0], shots=0, scaffold="pt", asked="x")
    for settings in ({"shots": 25}, {"scaffold": "en"}, {"asked": "y"}):
        found = compare_scores([one], [replace(one, settings={**one.settings, **settings})])[0]
        assert (found.verdict, found.difference) == ("not comparable", None)


def test_holm_is_over_the_claims_that_were_named() -> None:
    """A rise that stands alone does not survive beside many claims."""
    suites = [f"s{i}" for i in range(20)]
    before = [counted(s, 400, 0.5, 0.25) for s in suites]
    after = [counted(s, 400, 0.575 if s == "s0" else 0.5, 0.25) for s in suites]

    alone = only(compare_scores(before, after), "s0")
    named = only(compare_scores(before, after, claims=suites), "s0")
    assert (alone.verdict, alone.p_holm) == ("improvement", None)
    assert named.verdict == "no difference shown"
    assert named.p_holm == pytest.approx(20 * (named.p_value or 0))


def test_the_paper_table() -> None:
    """All 17 models with ToxiGen are flagged, in whole items; nothing in the table improves."""
    table = published("aira-paper")
    toxigen = [s for s in table.scores if s.suite == "toxigen"]

    assert len(toxigen) == 17
    assert all(s.degenerate and s.n == 940 for s in toxigen)
    assert {round(s.score * s.n) for s in toxigen} >= {533, 532, 529, 541, 410, 384, 457}
    assert "2406.11039" in table.reference
    assert {c.verdict for c in lineages(table.scores)} == {
        "no difference shown", "not an improvement", "loss"
    }  # fmt: skip
    losses = {(c.after.model, c.suite) for c in lineages(table.scores) if c.verdict == "loss"}
    assert losses == {("Aira-2-1B1", "arc-challenge"), ("Aira-2-1B1", "hellaswag")}
    # One model's ARC of two stands above chance; the flag is no blanket.
    assert not next(s for s in table.scores if s.model == "gpt2-xl" and s.suite == "arc-challenge"
                    ).degenerate  # fmt: skip
    with pytest.raises(InputError, match="aira-paper"):
        published("nope")
