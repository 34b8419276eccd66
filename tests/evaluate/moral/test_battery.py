"""The battery passes who reads, fails who does not, and lets nobody pass by standing still."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from tests.evaluate.moral.responders import (
    Decide,
    Responder,
    always_first,
    copier,
    flatterer,
    keyword,
    of_you,
    oracle,
    thrown,
)

from normwright.evaluate.moral import (
    Battery,
    Scenario,
    figures,
    frames,
    languages,
    limits,
    lists,
    measurements,
    report,
    run,
    words,
)
from normwright.models import ScriptedModel
from normwright.records import InputError, MoralFigure, MoralReport

ROWS = tuple(
    Scenario(
        id=f"choice/{i}", frame=str(i), source="choice", lang="en", context=f"Situation {i}.",
        options=(f"do {i}", f"undo {i}"), right=i % 2 if i < 40 else None,
        ambiguity="low" if i < 40 else "high",
    )
    for i in range(60)
)  # fmt: skip


@cache
def found(decide: Decide, name: str = "one") -> MoralReport:
    """The report of a responder on everything there is in two languages."""
    battery = Battery(frames("en") + frames("pt"), ROWS)
    answered = run(Responder.of(name, decide, battery), battery)
    told = figures(answered, seed=1)
    return report(told, answered=answered, model=name, model_digest="0" * 64, seed=1, limit=None,
                  sources={})  # fmt: skip


def by_name(told: MoralReport, name: str, source: str = "native") -> list[MoralFigure]:
    """The figures of a name, one a language."""
    return [f for f in told.figures if f.name == name and f.source == source]


def states(told: MoralReport, name: str, source: str = "native") -> set[str]:
    """The states of the figures of a name."""
    return {f.state for f in by_name(told, name, source)}


def test_who_knows_passes_everything() -> None:
    """An oracle passes each figure that has a limit: no limit asks for more than n can give."""
    told = found(oracle)

    assert [(f.name, f.source, f.lang) for f in told.figures if f.state in ("fail", "open")] == []
    assert told.state == "pass"
    assert told.unanswered == 0
    assert all(f.estimate.n >= 12 and f.estimate.interval is not None for f in told.figures)


def test_always_a_fails_on_the_order() -> None:
    """Who says A whatever stands there turns with the order, and passes nothing by it."""
    told = found(always_first)

    assert states(told, "order") == {"fail"}
    assert states(told, "order", "choice") == {"fail"}
    assert states(told, "sensitivity") == {"fail"}
    assert all(f.raw == 1.0 and f.noise == 0.0 for f in by_name(told, "order"))
    assert {f.estimate.value for f in by_name(told, "accuracy")} == {0.5}
    assert {f.name for f in told.figures if f.state == "pass"} <= {"retest"}
    assert told.states["invariance"] == "fail"


def test_who_counts_words_fails_on_minimal_pairs() -> None:
    """The words of a pair are the same: who looks at words alone is right on one side of each.

    That its comparisons of acts hang together, as those of any list of words do, passes nothing.
    """
    told = found(keyword)

    assert states(told, "sensitivity") == {"fail"}
    assert {f.estimate.value for f in by_name(told, "sensitivity")} == {0.0}
    assert states(told, "discrimination") == {"fail"}
    assert {f.why for f in by_name(told, "paraphrase")} == {"unmoved"}
    assert {f.estimate.value for f in by_name(told, "cyclic-triads")} == {0.0}
    assert {f.name for f in told.figures if f.state == "pass"} == {"retest"}
    assert by_name(told, "order")[0].raw == 0.0


@pytest.mark.parametrize("seed", range(2))
def test_a_coin_passes_nothing(seed: int) -> None:
    """Net flips of a coin are nil, and nothing passes for that."""
    told = found(thrown(seed))

    assert [(f.name, f.lang) for f in told.figures if f.state == "pass"] == []
    assert states(told, "retest") == {"fail"}
    assert all(abs(f.estimate.value or 0.0) < 0.2 for f in by_name(told, "view"))
    assert told.state == "fail"


def test_who_flatters_fails_under_pressure_alone() -> None:
    """A responder that follows every stated view passes the rest of the battery."""
    told = found(flatterer)

    assert states(told, "user") == states(told, "authority") == {"fail"}
    assert {part for part, state in told.states.items() if state == "fail"} == {"pressure"}
    assert all(f.estimate.value == 1.0 and f.mention == 0.0 for f in by_name(told, "user"))


def test_copying_is_told_from_deference() -> None:
    """Who repeats what was mentioned shows the same flips where nobody claimed anything."""
    told = found(copier)

    assert all(f.mention == f.estimate.value == 1.0 for f in by_name(told, "user"))


def test_one_kind_of_flip_is_found_by_its_name() -> None:
    """Who turns round with the point of view fails there and on no other telling."""
    told = found(of_you)
    failed = {f.name for f in told.figures if f.state == "fail"}

    assert failed == {"view"}


def test_no_answer_is_not_a_choice() -> None:
    """Who never says either answer is right nowhere, passes nothing, and is counted."""
    small = Battery(frames("en")[:4], ROWS[:4], 2)
    answered = run(ScriptedModel("mute", lambda prompt: "I would rather not say."), small)
    told = report(figures(answered, seed=1), answered=answered, model="mute",
                  model_digest="0" * 64, seed=1, limit=None, sources={})  # fmt: skip

    assert told.unanswered == told.asked == len(small.questions)
    assert {f.estimate.value for f in told.figures if f.name == "accuracy"} == {0.0}
    assert not [f for f in told.figures if f.state == "pass"]
    assert all(f.why == "no-evidence" for f in by_name(told, "view"))


def test_what_is_too_long_is_left_out_and_counted() -> None:
    """Questions that a model cannot read are no answers of it."""
    small = Battery(frames("en")[:2], (), 1)
    responder = Responder.of("short", oracle, small)
    answered = run(responder, small, fits=lambda q: q.cell.variant != "politeness")

    assert answered.left_out == sum(q.cell.variant == "politeness" for q in small.questions) > 0
    politeness = [f for f in figures(answered, seed=1) if f.name == "politeness"]
    assert [(f.state, f.estimate.n) for f in politeness] == [("open", 0)]


def test_few_frames_decide_nothing() -> None:
    """Whoever knows everything is open on four frames, however sharp the resampling looks."""
    small = Battery(frames("en")[:4], (), 4)
    answered = run(Responder.of("one", oracle, small), small)
    told = report(figures(answered, seed=1), answered=answered, model="one",
                  model_digest="0" * 64, seed=1, limit=4, sources={})  # fmt: skip

    assert {(f.state, f.why) for f in told.figures if f.limit is not None} == {("open", "few")}
    assert told.state == "open"


def test_minimal_pairs_have_the_same_words() -> None:
    """The two facts of every frame are the same words in another order, in each language."""
    for lang in languages():
        for frame in frames(lang):
            one, other = (Counter(re.findall(r"\w+", f.lower())) for f in frame.facts)

            assert one == other, (lang, frame.id)
            assert frame.facts[0] != frame.facts[1]


def test_languages_have_the_same_frames() -> None:
    """Every language has each frame, ladder and list, and words for each question."""
    first, *others = languages()

    assert {first, *others} == {"en", "pt"}
    assert len(frames(first)) >= 16
    for lang in others:
        assert [f.id for f in frames(lang)] == [f.id for f in frames(first)]
        assert [len(f.ladder) for f in frames(lang)] == [len(f.ladder) for f in frames(first)]
        assert {n: len(v) for n, v in lists(lang).items()} == {
            n: len(v) for n, v in lists(first).items()
        }
        assert set(words(lang)["said"]) == set(words(first)["said"])
    with pytest.raises(InputError, match="lang"):
        frames("xx")


def test_every_telling_differs_from_the_plain_one() -> None:
    """No two questions about one scenario read the same, so that no flip is measured on nothing."""
    battery = Battery(frames("en") + frames("pt"), ROWS)
    texts = Counter(q.prompt[-1].content for q in battery.questions)

    assert texts.most_common(1)[0][1] == 1


def test_figures_become_rows_of_evidence() -> None:
    """Each figure is a measurement with its interval, unit, baselines and state."""
    told = found(oracle)
    rows = measurements(told)

    assert len(rows) == len(told.figures) == len({(r.metric, r.lang) for r in rows})
    one = next(r for r in rows if r.metric == "invariance/native/view" and r.lang == "pt")
    assert (one.suite, one.cluster, one.estimate.n) == ("moral", "frame", 24)
    assert one.details["state"] == "pass"
    assert one.details["limit"] == limits()["view"]["limit"]
    assert set(one.baselines) == {"first-shown", "longer", "coin"}
