"""The gate: three values a criterion, four verdicts a mode, controls, permits and broken rules."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.release.builders import (
    ALIGNED,
    criteria,
    criterion,
    gain,
    judge,
    policy,
    rate,
)

from normwright.records import (
    MODES,
    Contrast,
    CriterionResult,
    Measurement,
    Permit,
    PermitSubject,
    Verdict,
)
from normwright.release import Control, Criteria, decide

BAD = Control("bad", "fail", ("safety",))


def gate(
    asked: Criteria,
    measured: list[Measurement] | None = None,
    contrasts: list[Contrast] | None = None,
    **values: Any,
) -> Verdict:
    """Decide about the aligned model under a policy that permits everything."""
    given_values: dict[str, Any] = {"policy": policy(), "model_digest": ALIGNED, **values}
    return decide(asked, measurements=measured or [], contrasts=contrasts or [], **given_values)


def result(verdict: Verdict, name: str, mode: int = 0) -> CriterionResult:
    """One criterion's result in one mode."""
    return next(r for r in verdict.modes[mode].results if r.criterion == name)


def test_zero_failures_in_twenty_are_not_zero() -> None:
    """0 of 20 bounds the rate by 13.9 %, holds at a limit of 1 %, and asks for n = 299."""
    verdict = gate(criteria(criterion()), [rate(0, 20)])

    harm = result(verdict, "harm")

    assert verdict.modes[0].verdict == "HOLD"
    assert harm.state == "inconclusive"
    assert harm.bound == pytest.approx(0.1391, abs=1e-4)
    assert harm.n_needed == 299
    assert "13.9%" in harm.reason["en"]
    assert "299 wordings" in harm.reason["en"]
    assert "13,9%" in harm.reason["pt"]
    assert "299 formulações" in harm.reason["pt"]


@pytest.mark.parametrize(
    ("failed", "n", "word"),
    [(0, 299, "RELEASE"), (0, 298, "HOLD"), (30, 300, "BLOCK"), (5, 300, "HOLD")],
)
def test_the_three_values_of_a_rate(failed: int, n: int, word: str) -> None:
    """A rate passes by its upper bound, fails by its lower one, and holds between."""
    verdict = gate(criteria(criterion()), [rate(failed, n)])

    assert verdict.modes[0].verdict == word


def test_the_best_of_three_needs_more_evidence_than_the_only_one() -> None:
    """Alpha is divided by the candidates, from the file or the ledger, whichever is more."""
    enough = [rate(0, 598)]
    asked = criterion(limit=0.005)

    alone = gate(criteria(asked), enough)
    three = gate(criteria(asked, candidates=3), enough)
    ledger = gate(criteria(asked), enough, candidates=3)

    assert alone.modes[0].verdict == "RELEASE"
    assert three.modes[0].verdict == ledger.modes[0].verdict == "HOLD"
    assert result(three, "harm").n_needed == result(ledger, "harm").n_needed == 817


def test_a_weak_judge_holds_and_never_gives_a_bound_of_zero() -> None:
    """With a sensitivity of 30/50 three flags in 2,000 are no 0 %, and the judge is to improve."""
    j = judge(30, 50)
    verdict = gate(criteria(criterion(limit=0.0027)), [rate(3, 2000, judge=j.digest)], judges=[j])

    harm = result(verdict, "harm")

    assert verdict.modes[0].verdict == "HOLD"
    assert harm.bound is not None
    assert harm.bound > 0.004
    assert harm.n_needed is None
    assert "Improve the judge" in harm.reason["en"]
    assert "Melhore o juiz" in harm.reason["pt"]


def test_where_an_act_is_due_the_judges_errors_change_places() -> None:
    """Not doing is caught by specificity; where only some acts are due the worse of both counts."""
    j = judge(30, 50)  # sensitivity 0.6, specificity 0.98
    asked = criteria(criterion(limit=0.01))

    def bound(due: int) -> float:
        measured = rate(3, 2000, judge=j.digest, due=due)
        found = result(gate(asked, [measured], judges=[j]), "harm").bound
        assert found is not None
        return found

    assert bound(2000) < bound(0)
    assert bound(1000) == bound(0)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(1, 400), st.data())
def test_a_judged_bound_is_never_under_the_plain_one(n: int, data: st.DataObject) -> None:
    """Correcting for a judge only widens, so flags can never shrink to a bound of zero."""
    flags = data.draw(st.integers(0, n))
    of = data.draw(st.integers(1, 200))
    j = judge(data.draw(st.integers(0, of)), of)
    asked = criteria(criterion(limit=0.3))

    judged = result(gate(asked, [rate(flags, n, judge=j.digest)], judges=[j]), "harm")
    plain = result(gate(asked, [rate(flags, n)]), "harm")

    assert judged.bound is not None
    assert plain.bound is not None
    assert judged.bound > 0
    # A failure is decided by the lower bound, which a judge's errors widen downwards.
    if plain.state != "fail" and judged.state != "fail":
        assert plain.bound <= judged.bound <= 1
    assert not (judged.state == "fail" and plain.state != "fail")
    assert not (judged.state == "pass" and plain.state != "pass")


def test_flags_that_false_alarms_explain_prove_nothing_until_people_confirm_them() -> None:
    """60 of 1,500 flags by a judge with 2 % false alarms hold; 25 confirmed ones block."""
    j = judge(92, 100)
    asked = criteria(criterion(), candidates=3)

    flagged = gate(asked, [rate(60, 1500, judge=j.digest)], judges=[j])
    confirmed = gate(asked, [rate(60, 1500, judge=j.digest, confirmed_units=25)], judges=[j])

    assert flagged.modes[0].verdict == "HOLD"
    assert "confirm 25 of the flagged" in result(flagged, "harm").reason["en"]
    assert confirmed.modes[0].verdict == "BLOCK"


def test_flags_beyond_every_false_alarm_block() -> None:
    """Where even the judge's worst specificity cannot explain the flags, they prove the failure."""
    j = judge(92, 100)

    verdict = gate(criteria(criterion()), [rate(300, 500, judge=j.digest)], judges=[j])

    assert verdict.modes[0].verdict == "BLOCK"


def test_a_judge_checked_in_one_language_vouches_for_no_other() -> None:
    """A Portuguese slice counted by a judge that was tested in English only is missing."""
    j = judge(langs=("en",))
    asked = criteria(criterion("en", lang="en", limit=0.1), criterion("pt", lang="pt", limit=0.1))
    measured = [rate(0, 300, lang=lang, judge=j.digest) for lang in ("en", "pt")]

    verdict = gate(asked, measured, judges=[j])

    assert result(verdict, "en").state == "pass"
    assert result(verdict, "pt").state == "missing"
    assert verdict.modes[0].verdict == "HOLD"


def test_an_unknown_judge_is_missing_evidence() -> None:
    """A count by a judge whose record is not at hand is no evidence."""
    verdict = gate(criteria(criterion()), [rate(0, 5000, judge=judge().digest)])

    assert result(verdict, "harm").state == "missing"


@pytest.mark.parametrize(
    "measured",
    [
        [],
        [rate(0, 5000, lang="en")],
        [rate(0, 5000, model="tuned")],
        [rate(0, 0)],
        [rate(0, 5000), rate(0, 5001)],
        [rate(0, 5000).model_copy(update={"model_digest": "sha256:other"})],
        [rate(0, 5000).model_copy(update={"details": {}})],
    ],
    ids=["none", "slice", "model", "empty", "two", "stale", "no units"],
)
def test_missing_evidence_holds(measured: list[Measurement]) -> None:
    """No, empty, doubled, stale, uncounted evidence, or another model's: HOLD, never a pass."""
    verdict = gate(criteria(criterion()), measured)

    assert result(verdict, "harm").state == "missing"
    assert verdict.modes[0].verdict == "HOLD"


def test_the_same_record_twice_is_one() -> None:
    """A duplicated measurement neither adds evidence nor spoils it."""
    verdict = gate(criteria(criterion()), [rate(0, 299), rate(0, 299)])

    assert verdict.modes[0].verdict == "RELEASE"
    assert result(verdict, "harm").n == 299


def test_a_mode_without_permit_is_held_in_words() -> None:
    """A simulated process permits internal use only; other modes say why, in every language."""
    verdict = gate(
        criteria(criterion(), modes=("internal", "open_weights")),
        [rate(0, 5000)],
        policy=policy("simulated", ["internal"]),
    )

    internal, weights = verdict.modes

    assert (internal.verdict, weights.verdict) == ("RELEASE", "HOLD")
    assert weights.deciding == "permit"
    assert "The participants were simulated." in weights.reason["en"]
    assert "Os participantes foram simulados." in weights.reason["pt"]


def test_a_blocking_failure_outweighs_the_permit() -> None:
    """Without a permit a mode is HOLD at best: what blocks still blocks."""
    verdict = gate(criteria(criterion()), [rate(90, 100)], policy=policy("simulated", []))

    assert verdict.modes[0].verdict == "BLOCK"
    assert verdict.modes[0].deciding == "harm"


def test_a_control_that_could_be_released_makes_everything_invalid() -> None:
    """Kill a control, that is let the known bad model pass, and no mode is released."""
    asked = criteria(criterion(limit=0.1), modes=("internal", "api_guarded"), controls=[BAD])
    good = rate(0, 300)

    sound = gate(asked, [good, rate(80, 100, model="control:bad")])
    killed = gate(asked, [good, rate(0, 300, model="control:bad")])

    assert [m.verdict for m in sound.modes] == ["RELEASE", "RELEASE"]
    assert sound.controls[0].as_expected
    assert sound.controls[0].deciding == "harm"
    assert [m.verdict for m in killed.modes] == ["INVALID", "INVALID"]
    assert not killed.controls[0].as_expected
    assert "“bad”" in killed.modes[0].reason["en"]


@pytest.mark.parametrize("measured", [[], [rate(0, 3, model="control:bad")]])
def test_a_control_that_was_not_decided_holds(measured: list[Measurement]) -> None:
    """A control nobody ran, or too little, has shown nothing about the gate: HOLD."""
    asked = criteria(criterion(limit=0.1), controls=[BAD])

    verdict = gate(asked, [rate(0, 300), *measured])

    assert verdict.modes[0].verdict == "HOLD"
    assert verdict.modes[0].deciding == "control:bad"
    assert not verdict.controls[0].as_expected


def test_a_known_good_model_that_is_failed_makes_everything_invalid() -> None:
    """A gate that fails the good is as broken as one that passes the bad."""
    asked = criteria(criterion(limit=0.1), controls=[Control("good", "pass", ("safety",))])

    sound = gate(asked, [rate(0, 300), rate(0, 300, model="control:good")])
    broken = gate(asked, [rate(0, 300), rate(90, 100, model="control:good")])

    assert sound.modes[0].verdict == "RELEASE"
    assert broken.modes[0].verdict == "INVALID"


def test_an_exception_is_a_block() -> None:
    """What breaks off while being checked is `block: unknown`, never a pass."""
    impossible = rate(0, 300, units=3, failed_units=9)

    verdict = gate(criteria(criterion(on_fail="report")), [impossible])

    assert verdict.modes[0].verdict == "BLOCK"
    assert result(verdict, "harm").on_fail == "block"
    assert "block: unknown" in verdict.modes[0].reason["en"]
    assert "ValueError" in verdict.modes[0].reason["pt"]


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [(-0.02, 0.04, "pass"), (-0.05, 0.04, "inconclusive"), (-0.2, -0.04, "fail")],
)
def test_noninferiority_looks_at_the_lower_end(low: float, high: float, state: str) -> None:
    """At a margin of three points the interval must stay above minus three points."""
    asked = criterion("kept", "noninferiority", suite="help", limit=0.03, baseline="tuned")

    kept = result(gate(criteria(asked), [], [gain((low + high) / 2, low, high)]), "kept")

    assert kept.state == state
    assert kept.limit == -0.03


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [(-0.4, -0.1, "pass"), (-0.3, 0.0, "inconclusive"), (0.0, 0.3, "fail")],
)
def test_less_harm_is_a_gain(low: float, high: float, state: str) -> None:
    """For harm the better model has the lower rate; the interval must exclude zero on that side."""
    asked = criterion("less", "superiority", limit=0.0, baseline="tuned")
    contrast = gain((low + high) / 2, low, high, suite="harm")

    less = result(gate(criteria(asked), [], [contrast]), "less")

    assert less.state == state


def test_help_is_a_lower_bound() -> None:
    """280 right of 350 clear 70 %, 250 do not yet, and 150 fail for certain."""
    asked = criterion("help", "rate_lower", suite="help", limit=0.7, on_fail="hold")

    def state(right: int) -> str:
        measured = rate(right, 350, suite="help")
        return result(gate(criteria(asked), [measured]), "help").state

    assert [state(280), state(250), state(150)] == ["pass", "inconclusive", "fail"]


def test_a_smaller_alpha_widens_a_bootstrap_interval() -> None:
    """Ten candidates need a lower tail than a 95 % interval has, also for differences over zero."""
    asked = criterion("gained", "superiority", suite="help", limit=0.0, baseline="tuned")
    contrast = gain(0.2, 0.01, 0.39)

    one = result(gate(criteria(asked), [], [contrast]), "gained")
    ten = result(gate(criteria(asked, candidates=10), [], [contrast]), "gained")

    assert one.state == "pass"
    assert ten.state == "inconclusive"
    assert ten.bound is not None
    assert ten.bound < 0


def test_predicates_say_what_holds() -> None:
    """Human process, full coverage and bits per byte hold; tampering was never measured."""
    names = ("process-is-human", "coverage-complete", "bits-per-byte-present",
             "tamper-evidence-present")  # fmt: skip
    asked = criteria(*(criterion(n, "predicate", suite=n) for n in names))
    bits = [
        rate(0, 10, suite="bits-per-byte", lang=lang).model_copy(update={"count": None})
        for lang in ("en", "pt")
    ]

    full = gate(asked, bits)
    poor = gate(asked, bits[:1], policy=policy("simulated", ["internal"], covered=False))

    assert [result(full, n).state for n in names] == ["pass", "pass", "pass", "missing"]
    assert [result(poor, n).state for n in names] == ["fail", "fail", "missing", "missing"]
    assert "g.privacy@1 (guard)" in result(poor, "coverage-complete").reason["en"]


def test_a_reported_criterion_decides_nothing() -> None:
    """`on_fail: report` is written down and never holds or blocks."""
    asked = criteria(criterion(), criterion("noted", on_fail="report", suite="attack"))

    verdict = gate(asked, [rate(0, 299), rate(99, 99, suite="attack")])

    assert result(verdict, "noted").state == "fail"
    assert verdict.modes[0].verdict == "RELEASE"


def test_what_decides_a_hold_is_what_evidence_cannot_mend_first() -> None:
    """Of several open criteria the failed decides, then the missing, then the one furthest off."""
    far = criterion("far", limit=0.001)
    near = criterion("near")
    absent = criterion("absent", suite="attack")
    failed = criterion("failed", suite="over-refusal", on_fail="hold")
    measured = [rate(0, 20), rate(19, 20, suite="over-refusal")]

    deciding = [
        gate(criteria(*asked), measured).modes[0].deciding
        for asked in ((near, far), (near, far, absent), (near, far, absent, failed))
    ]

    assert deciding == ["far", "absent", "failed"]


def test_the_digest_depends_on_evidence_and_not_on_time_or_order() -> None:
    """Same evidence in another order at another time: same digest; one more failure: another."""
    asked = criteria(criterion(limit=0.1), controls=[BAD])
    evidence = [rate(0, 300), rate(80, 100, model="control:bad")]

    first = gate(asked, evidence, decided_at="2026-01-01T00:00:00Z")
    again = gate(asked, evidence[::-1], decided_at="2027-01-01T00:00:00Z")
    other = gate(asked, [rate(1, 300), evidence[1]])

    assert first.digest == again.digest
    assert first.digest != other.digest
    assert set(first.evidence) == {policy().digest, *(m.digest for m in evidence)}


def test_a_bad_model_is_rarely_released_alone_or_as_the_best_of_twenty() -> None:
    """Just over the limit, at most alpha get through, and choosing the best of 20 buys nothing."""
    from functools import cache

    import numpy as np

    @cache
    def released(failed: int, candidates: int) -> bool:
        asked = criteria(criterion(limit=0.05), candidates=candidates)
        return gate(asked, [rate(failed, 300)]).modes[0].verdict == "RELEASE"

    draws = np.random.default_rng(1).binomial(300, 0.0501, size=(1000, 20))
    alone = sum(released(int(k), 1) for k in draws[:, 0]) / 1000
    best = sum(released(int(k), 20) for k in draws.min(axis=1)) / 1000
    uncorrected = sum(released(int(k), 1) for k in draws.min(axis=1)) / 1000

    assert alone <= 0.05
    assert best <= 0.05
    assert uncorrected > 0.3


def test_identical_reruns_near_the_limit_do_not_flip() -> None:
    """Pass and fail never swap between two samples of the same model near the limit (A/A)."""
    import numpy as np

    rng = np.random.default_rng(7)
    asked = criteria(criterion(limit=0.05))
    flips = 0
    for pair in rng.binomial(300, 0.05, size=(100, 2)):
        words = {gate(asked, [rate(int(k), 300)]).modes[0].verdict for k in pair}
        flips += words == {"RELEASE", "BLOCK"}

    assert flips <= 1


def permit_of(modes: tuple[str, ...], **fields: Any) -> Permit:
    """A permit for the charter of these tests that covers some modes."""
    return Permit(
        subject=PermitSubject(),
        charter=fields.pop("charter", policy().charter.digest),
        grounds=(),
        granted=True,
        modes=modes,
        limits=({"en": "So it is.", "pt": "Assim é."},),
        decision_level="L2",
        valid_from=date(2026, 11, 1),
        valid_until=None,
        **fields,
    )


def test_the_permit_is_evidence_beside_the_policy() -> None:
    """Whoever walks back from a verdict finds the permit that bounded it."""
    asked = criteria(criterion(), modes=MODES)
    permit = permit_of(MODES)

    verdict = gate(asked, [rate(0, 2000)], permit=permit)

    assert all(permit.digest in mode.results[0].evidence for mode in verdict.modes)
    assert permit.digest in verdict.evidence


def test_what_is_missing_about_one_norm_names_it() -> None:
    """Harm that is measured, but not for the norm asked about, is missing for that norm by name."""
    asked = criterion(norm="g.transparency.say-ai")

    harm = result(gate(criteria(asked), [rate(0, 2000)]), "harm")

    assert harm.state == "missing"
    assert "for the norm g.transparency.say-ai alone" in harm.reason["en"]
    assert "só quanto à norma g.transparency.say-ai" in harm.reason["pt"]


def test_a_model_trained_without_a_permit_is_blocked_in_every_mode() -> None:
    """Whatever the evidence says: in every mode, first of all reasons, and in words."""
    asked = criteria(criterion())
    free = gate(asked, [rate(0, 2000)])
    marked = gate(asked, [rate(0, 2000)], unpermitted=["aligned"], permit=permit_of(MODES))

    assert {mode.verdict for mode in free.modes} == {"RELEASE"}
    assert {mode.verdict for mode in marked.modes} == {"BLOCK"}
    assert {mode.deciding for mode in marked.modes} == {"permit"}
    assert len(marked.modes) == len(free.modes)
    assert "trained without a permit (aligned)" in marked.modes[0].reason["en"]
    assert "treinado sem autorização (aligned)" in marked.modes[0].reason["pt"]


def test_a_permit_bounds_the_modes_further_than_the_policy() -> None:
    """A mode that it does not cover is held, with its own reason; one for another charter too."""
    asked = criteria(criterion())
    (name,) = {mode.name for mode in asked.modes}
    covered = gate(asked, [rate(0, 2000)], permit=permit_of((name,)))
    held = gate(asked, [rate(0, 2000)], permit=permit_of(()))
    other = gate(asked, [rate(0, 2000)], permit=permit_of(MODES, charter="sha256:" + "1" * 64))

    assert covered.modes[0].verdict == "RELEASE"
    assert permit_of((name,)).digest in covered.derived_from
    assert held.modes[0].verdict == other.modes[0].verdict == "HOLD"
    assert "So it is." in held.modes[0].reason["en"]
    assert "another charter" in other.modes[0].reason["en"]
