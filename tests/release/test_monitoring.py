"""A release is watched: what rises raises an alarm, what stays raises none, and unknown is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright import stats
from normwright.records import InputError, MonitorReport
from normwright.release import monitor

AT = "2026-10-01T00:00:00Z"
RELEASE: dict[str, Any] = {
    "kind": "release",
    "at": AT,
    "modes": {"internal": "RELEASE", "api_guarded": "RELEASE", "open_weights": "BLOCK"},
    "criteria": [
        {"id": "C1", "limit": 0.01, "modes": ["api_guarded"], "norm": "g.life.no-harm"},
        {"id": "C2", "limit": 0.05, "modes": ["internal", "api_guarded"]},
    ],
    "norms": {
        "g.life.no-harm": {
            "layer": "global",
            "authority": "world",
            "statement": {"en": "Harm nobody.", "pt": "Não faças mal a ninguém."},
            "review_by": "2027-01-01",
        }
    },
    "fires": {"fired": 80, "n": 4000},
    "scores": np.random.default_rng(0).normal(size=2000).tolist(),
    "withdrawn_limit": 0.02,
}


def watched(*events: Mapping[str, Any], **options: Any) -> MonitorReport:
    """The report on some events after the release."""
    numbered = enumerate((RELEASE, *({"at": AT, **e} for e in events)), 1)
    return monitor(((i, f"log:{i}", e) for i, e in numbered), **options)


def audits(rate: float, n: int, seed: int, name: str = "C1") -> Iterator[dict[str, Any]]:
    """Audited units that fail at a rate."""
    for failed in np.random.default_rng(seed).random(n) < rate:
        yield {"kind": "audit", "criterion": name, "failed": bool(failed)}


def test_a_doubled_rate_raises_an_alarm_and_asks_people() -> None:
    """The mode that requires the criterion falls to HOLD, no other; the norm is put to people."""
    found = watched(*audits(0.02, 6000, 1))
    (alarm,) = found.alarms
    (question,) = found.questions

    assert (alarm.kind, alarm.about) == ("rate", "C1")
    assert 1 < alarm.event <= 6001
    assert found.modes == {"internal": "RELEASE", "api_guarded": "HOLD", "open_weights": "BLOCK"}
    assert "limite de 1,0%" in alarm.reason["pt"].replace("\N{NO-BREAK SPACE}", "").replace(
        " %", "%"
    )
    assert (question.layer, question.norm, question.endorses) == ("global", "g.life.no-harm", True)
    assert "“Harm nobody.”" in question.text["en"]
    assert "«Não faças mal a ninguém.»" in question.text["pt"]


@pytest.mark.slow
def test_a_rate_that_stays_raises_no_alarm_in_a_hundred_thousand() -> None:
    """At the very limit, 100,000 events, 200 runs: at most alpha ring (here over two criteria)."""
    rang = 0
    for seed in range(200):
        flags = np.random.default_rng(seed).random(100_000) < 0.01
        rang += stats.rate_monitor(0.01, alpha=0.025).updated(flags).alarm_at is not None

    assert rang / 200 <= 0.05


def test_a_rise_after_a_long_quiet_is_noticed() -> None:
    """Evidence is not lost to good years: half the limit for 20,000 units, then three times it."""
    found = watched(*audits(0.005, 20_000, 2), *audits(0.03, 3000, 3))

    assert [a.about for a in found.alarms] == ["C1"]
    assert found.alarms[0].event > 20_000


@pytest.mark.parametrize(("rate", "kinds"), [(0.02, set()), (0.05, {"fires"}), (0.004, {"quiet"})])
def test_the_guards_interventions_are_watched_both_ways(rate: float, kinds: set[str]) -> None:
    """As often as before is calm; more, and less, are each told for what they are."""
    rng = np.random.default_rng(4)
    fired = rng.random(20_000) < rate
    found = watched(*({"kind": "exchange", "fired": bool(f)} for f in fired))

    assert {a.kind for a in found.alarms} == kinds
    assert found.modes["internal"] == ("HOLD" if kinds else "RELEASE")


@pytest.mark.parametrize(("shift", "spread", "kinds"), [(0, 1, set()), (1.5, 1, {"drift"}),
                                                        (0, 4, {"drift"})])  # fmt: skip
def test_requests_that_change_are_noticed(shift: float, spread: float, kinds: set[str]) -> None:
    """Scores like those before are calm; shifted or spread ones are not."""
    scores = np.random.default_rng(5).normal(shift, spread, 5000)
    found = watched(*({"kind": "exchange", "fired": i % 50 == 0, "score": float(x)}
                      for i, x in enumerate(scores)))  # fmt: skip

    assert {a.kind for a in found.alarms} == kinds


def test_duties_reviews_and_withdrawals_go_by_the_clock_and_the_limit() -> None:
    """What is late on the day asked about is told, what was done in time is not."""
    events = (
        {"kind": "duty", "id": "report", "due": "2026-10-10"},
        {"kind": "duty", "id": "notice", "due": "2026-10-05"},
        {"kind": "duty", "id": "notice", "done": True},
        {"kind": "withdrawn", "share": 0.019},
        {"kind": "withdrawn", "share": 0.021},
    )
    early = watched(*events, now=datetime(2026, 10, 9, tzinfo=UTC))
    late = watched(*events, now=datetime(2027, 2, 1, tzinfo=UTC))

    assert [(a.kind, a.about) for a in early.alarms] == [("withdrawn", "training")]
    assert {(a.kind, a.about) for a in late.alarms} == {
        ("withdrawn", "training"), ("duty", "report"), ("review", "g.life.no-harm"),
    }  # fmt: skip
    assert [q.id for q in late.questions] == ["alarm-review-g-life-no-harm"]


def test_what_nothing_was_given_for_is_told_as_not_watched() -> None:
    """Silence is not calm."""
    bare = {"kind": "release", "at": AT, "modes": {"internal": "RELEASE"}}
    found = monitor([(1, "log:1", bare)])

    assert set(found.not_watched) == {"rate", "fires", "quiet", "drift", "review", "withdrawn"}
    assert found.modes == {"internal": "RELEASE"}


def test_every_fault_of_a_log_is_named_at_once() -> None:
    """Unknown kinds, criteria and fields, what is no truth value, a second release."""
    with pytest.raises(InputError) as caught:
        watched(
            {"kind": "audit", "criterion": "C9", "failed": True},
            {"kind": "audit", "criterion": "C1", "failed": "yes"},
            {"kind": "audit", "criterion": "C1", "failed": True, "judge": 1},
            {"kind": "incident"},
            {"kind": "exchange", "fired": False, "score": float("nan")},
            RELEASE,
            {"kind": "duty", "id": "x", "done": True},
            {"kind": "withdrawn", "share": 2},
            {"kind": "audit", "at": "soon", "criterion": "C1", "failed": True},
        )
    places = {fault.where for fault in caught.value.faults}

    assert places == {f"log:{line}" for line in range(2, 11)}


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.one_of(
    st.fixed_dictionaries({"kind": st.just("audit"), "criterion": st.sampled_from(["C1", "C2"]),
                           "failed": st.booleans()}),
    st.fixed_dictionaries({"kind": st.just("exchange"), "fired": st.booleans(),
                           "score": st.floats(-5, 5)}),
    st.fixed_dictionaries({"kind": st.just("withdrawn"), "share": st.floats(0, 1)}),
), max_size=40))  # fmt: skip
def test_no_log_makes_a_mode_better(events: list[dict[str, Any]]) -> None:
    """Whatever happens, RELEASE may fall to HOLD and nothing else ever changes."""
    found = watched(*events)

    assert found.modes["open_weights"] == "BLOCK"
    assert {found.modes[m] for m in ("internal", "api_guarded")} <= {"RELEASE", "HOLD"}
    assert found.events == len(events)
    held = {mode for alarm in found.alarms for mode in alarm.modes}
    assert {m for m, word in found.modes.items() if word == "HOLD"} == held - {"open_weights"}
