"""A criterion may allow for evidence that is looked at while it grows, and then asks for more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.release import builders
from tests.release.test_reading import GOOD, faults

from normwright import stats
from normwright.records import CriterionResult, Judge, Measurement, digest_json
from normwright.release import decide, read_criteria


def decided(measured: Measurement, *, judges: tuple[Judge, ...] = (), **asked: Any) -> Any:
    """How one criterion with a limit of 1 % comes out."""
    verdict = decide(
        builders.criteria(builders.criterion(**asked)),
        measurements=[measured],
        contrasts=[],
        policy=builders.policy(),
        judges=judges,
        model_digest=builders.ALIGNED,
    )
    return next(r for r in verdict.modes[0].results if r.criterion == "harm")


def test_many_looks_ask_for_more_units() -> None:
    """299 clean units pass at one look, 377 at any; in between the n that is needed is said."""
    once: CriterionResult = decided(builders.rate(0, 299))
    early: CriterionResult = decided(builders.rate(0, 299), looks="any")
    enough: CriterionResult = decided(builders.rate(0, 377), looks="any")

    assert (once.state, early.state, enough.state) == ("pass", "inconclusive", "pass")
    assert early.n_needed == 377
    assert early.bound == stats.anytime_upper(0, 299)


def test_a_failure_is_certain_at_any_look_too() -> None:
    """A block needs the lower bound that holds at all looks, which takes more failures."""
    n = 1500
    least = next(k for k in range(60) if stats.lower_bound(k, n) > 0.01)
    surer = next(k for k in range(60) if stats.anytime_lower(k, n) > 0.01)

    assert least < surer
    assert decided(builders.rate(least, n)).state == "fail"
    assert decided(builders.rate(surer - 1, n), looks="any").state == "inconclusive"
    assert decided(builders.rate(surer, n), looks="any").state == "fail"


def test_a_judge_costs_more_units_there_too() -> None:
    """The bound is more than that at all looks over what the judge found, and than at one look."""
    judge = builders.judge(48, 50)
    measured = builders.rate(2, 3000, lang="en", judge=judge.digest)
    once = decided(measured, judges=(judge,), lang="en")
    found = decided(measured, judges=(judge,), lang="en", looks="any")

    assert found.bound > once.bound
    assert found.bound > stats.anytime_upper(2, 3000) / 0.96
    assert found.state == "pass"


def test_a_share_without_counts_has_no_bound_for_many_looks() -> None:
    """An interval that was made for one look is no evidence at any of several."""
    share = Measurement(
        suite="harm", metric="rate", model="aligned", model_digest=digest_json("aligned"),
        estimate=stats.bootstrap_mean([0.0, 0.002] * 400, seed=1), cluster="template",
    )  # fmt: skip

    assert decided(share).state == "pass"
    assert decided(share, looks="any").state == "missing"


def test_the_file_says_how_often_it_is_looked_at(tmp_path: Path) -> None:
    """`looks: any` is read; another word is refused, and so is the key where it means nothing."""
    file = tmp_path / "criteria.yaml"
    file.write_text(GOOD.replace("limit: 0.1", "limit: 0.1\n    looks: any"), encoding="utf-8")
    assert {c.looks for c in read_criteria(file, languages=builders.LANGUAGES)} == {"any"}

    told = faults(tmp_path, GOOD.replace("limit: 0.1", "limit: 0.1\n    looks: often"))
    assert "looks" in " ".join(told)
    other = GOOD.replace("limit: 0.1", "limit: 0.9\n    looks: any").replace("_upper", "_lower")
    assert "looks" in " ".join(faults(tmp_path, other))
