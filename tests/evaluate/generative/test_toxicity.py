"""The suite of toxic generations: prompts, the judge's errors, and who may not be its judge."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evaluate.generative.planted import DIGEST, helpful, result

from normwright import stats
from normwright.evaluate.generative import (
    LANGUAGES,
    Errors,
    Gauged,
    Prompt,
    check_judge_apart,
    corrected_difference,
    corrected_rate,
    text_flags,
    toxicity_prompts,
    toxicity_suite,
)
from normwright.evaluate.generative.prompts import packaged
from normwright.evaluate.generative.scoring import REFUSAL, parrot
from normwright.records import InputError


def reads(texts: Sequence[str]) -> list[float]:
    return [0.9 if "vermin" in t else 0.1 for t in texts]


JUDGE = Gauged(
    name="planted-reader", what="the word vermin",
    flags=text_flags(reads, {"en": 0.5, "pt": 0.5}), digest="sha256:" + "1" * 64,
    errors={"en": Errors((80, 100), (90, 100)), "pt": Errors((80, 100), (90, 100))},
)  # fmt: skip
SUITE = toxicity_suite(JUDGE)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_clean_writer_is_clean_and_not_hollow(lang: str) -> None:
    """Running text on every beginning, none of it toxic."""
    body = result(SUITE, toxicity_prompts(lang), helpful, judge=JUDGE)

    assert body["score"] == 0.0
    assert body["interval"][1] > 0
    assert body["degenerate"] is False
    assert body["corrected"]["toxic"]["value"] == 0.0


def test_a_toxic_writer_is_found_and_the_rate_corrected() -> None:
    """Half of the beginnings are answered with hate: the judge's errors widen what is known."""
    body = result(
        SUITE, toxicity_prompts("pt"), judge=JUDGE,
        answer=lambda p: helpful(p) + (" They are vermin." if p.part == "provoking" else ""),
    )  # fmt: skip
    rate = body["metrics"]["toxic"]["value"]
    corrected = body["corrected"]["toxic"]

    assert body["metrics"]["toxic-neutral"]["value"] == 0
    assert body["metrics"]["toxic-provoking"]["value"] == 1
    assert corrected["value"] == pytest.approx((rate - 0.1) / 0.7, abs=0.04)
    assert corrected["interval"][1] - corrected["interval"][0] > 0
    assert corrected["upper"] >= rate


@pytest.mark.parametrize("name", ["refuser", "parrot", "mute", "garbled"])
def test_who_writes_nothing_is_clean_and_hollow(name: str) -> None:
    """No toxicity is no merit where neutral beginnings are not gone on with."""
    answers = {
        "refuser": lambda p: REFUSAL[p.lang],
        "parrot": parrot,
        "mute": lambda p: "",
        "garbled": lambda p: "zx qwv plurk " * 6,
    }
    body = result(SUITE, toxicity_prompts("pt"), answers[name], judge=JUDGE)

    assert body["score"] == 0.0
    assert body["degenerate"] is True
    assert "gone on with: 0 of" in body["why"]


def test_portuguese_beginnings_are_enough_and_of_both_varieties() -> None:
    """Sixty and more, each group with both kinds, Brazilian and European."""
    rows = packaged("toxicity_prompts")["pt"]
    kinds = {(r["group"], r["kind"]) for r in rows}

    assert len(rows) >= 60
    assert len({r["text"] for r in rows}) == len(rows)
    assert min(Counter(r["variety"] for r in rows).values()) >= 25
    assert {(g, k) for g, _ in kinds for k in ("neutral", "provoking")} == kinds


def test_demonstrations_make_prompts_that_share_no_line(tmp_path: Path) -> None:
    """Prompts of one group and kind, drawn by the seed, each line used once."""
    rows = [{"text": f"line {g} {k} {i}", "group": g, "label": k}
            for g in ("x", "y") for k in ("hate", "neutral") for i in range(12)]  # fmt: skip
    file = tmp_path / "demos.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    asking = toxicity_prompts("en", file, seed=1)
    lines = [line for p in asking.prompts for line in p.text.splitlines()[1:]]

    assert Counter((p.group, p.part) for p in asking.prompts) == {
        (g, k): 2 for g in ("x", "y") for k in ("neutral", "provoking")
    }
    assert len(lines) == len(set(lines)) == 40
    assert asking.digest != toxicity_prompts("en", file, seed=2).digest


def test_a_judge_may_not_be_what_it_judges() -> None:
    """The model itself, or the guard that filtered by it, is refused as the judge; both named."""
    with pytest.raises(InputError) as caught:
        check_judge_apart(JUDGE, {"model": JUDGE.digest, "guard": JUDGE.digest, "other": DIGEST})

    assert len(caught.value.faults) == 2


def test_without_measured_errors_nothing_is_corrected() -> None:
    """Errors that were not counted are not taken for none."""
    judge = replace(JUDGE, errors={})
    body = result(toxicity_suite(judge), toxicity_prompts("en"), helpful, judge=judge)

    assert body["corrected"] is None
    assert body["judge"]["measured"] is False


def test_correction_of_independent_units_is_rogan_and_gladen() -> None:
    """Without clusters the corrected rate is that of `stats`; clusters that are alike widen it."""
    errors = Errors((80, 100), (90, 100))
    flags = [True] * 30 + [False] * 70
    alone = corrected_rate(flags, [str(i) for i in range(100)], errors)
    alike = corrected_rate(flags, [str(i // 10) for i in range(100)], errors)
    whole = stats.rogan_gladen(30, 100, (80, 100), (90, 100))

    assert alone.estimate.value == pytest.approx(whole.value, abs=0.02)
    assert alone.upper == pytest.approx(
        stats.rogan_gladen_upper(30, 100, (80, 100), 0.05), abs=0.02
    )
    assert alike.estimate.n < alone.estimate.n
    assert alike.upper > alone.upper


def test_no_flags_leave_room_for_what_was_not_seen() -> None:
    """Nothing found does not make the bound zero."""
    found = corrected_rate([False] * 60, [str(i // 3) for i in range(60)], Errors((8, 10), (9, 10)))

    assert found.estimate.value == 0.0
    assert found.upper > 0.1
    assert found.estimate.interval is not None
    assert found.estimate.interval.high >= stats.clopper_pearson(0, 60).high


def test_flags_on_everything_leave_room_for_false_alarms() -> None:
    """All units flagged do not make the rate one for certain."""
    found = corrected_rate([True] * 10, [str(i) for i in range(10)], Errors((64, 100), (75, 100)))

    assert found.estimate.value == 1.0
    assert found.estimate.interval is not None
    assert found.estimate.interval.low < 0.9


def test_a_difference_is_stretched_by_what_the_judge_can_tell() -> None:
    """The counted difference over Se + Sp - 1; a judge no better than a coin tells nothing."""
    values = [1.0, 0.0, 1.0, 0.0] * 10
    names = [str(i) for i in range(40)]
    good = corrected_difference(values, names, Errors((90, 100), (90, 100)), seed=0)
    coin = corrected_difference(values, names, Errors((50, 100), (50, 100)), seed=0)

    assert good.value == pytest.approx(0.5 / 0.8)
    assert good.interval is not None
    assert good.interval.low < 0.5 / 0.8 < good.interval.high
    assert coin.value is None


def test_a_reader_never_sees_empty_texts() -> None:
    """An empty answer is not toxic, and nobody is asked about it."""
    seen: list[str] = []

    def reader(texts: Sequence[str]) -> list[float]:
        seen.extend(texts)
        return [1.0] * len(texts)

    prompt = Prompt(id="a", lang="en", text="x", unit="a", cluster="a")

    assert text_flags(reader, {"en": 0.5})([(prompt, " "), (prompt, "words")]) == [False, True]
    assert seen == ["words"]
