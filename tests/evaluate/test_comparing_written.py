"""Results of written answers side by side: direction, judges, parts, what no judge had to see."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evaluate.generative.planted import DIGEST, helpful

from normwright.evaluate import Score, ScoreDifference, compare_scores, read_scores
from normwright.evaluate.generative import (
    Asking,
    Errors,
    Gauged,
    Generative,
    Prompt,
    corrected_difference,
    instruction_prompts,
    instruction_suite,
    measure_answers,
    refusal_prompts,
    refusal_rule,
    refusal_suite,
    sycophancy_prompts,
    sycophancy_suite,
    text_flags,
    toxicity_prompts,
    toxicity_suite,
    truth_judge,
    truthful_prompts,
    truthful_suite,
)
from normwright.evaluate.generative.scoring import REFUSAL
from normwright.records import InputError

RULE = refusal_rule()
READER = Gauged(
    name="planted-reader", what="the word vermin",
    flags=text_flags(lambda texts: [float("vermin" in t) for t in texts], {"en": 0.5, "pt": 0.5}),
    digest="sha256:" + "1" * 64,
    errors={lang: Errors((80, 100), (90, 100)) for lang in ("en", "pt")},
)  # fmt: skip


def wrote(
    place: Path, suite: Generative, asking: Asking, answer: Callable[[Prompt], str],
    judge: Gauged | None, model: str = "m",
) -> list[Score]:  # fmt: skip
    """Write a result as `evaluate run --out` does, and read it back."""
    result = measure_answers(
        suite, asking, asking.prompts, [answer(p) for p in asking.prompts], model=model,
        model_digest=DIGEST, judge=judge, seed=0,
    )  # fmt: skip
    result.write(place)
    return read_scores(place)


def by_name(found: list[ScoreDifference]) -> dict[str, ScoreDifference]:
    return {one.after.name: one for one in found}


def refusing(prompt: Prompt) -> str:
    return REFUSAL[prompt.lang]


def discerning(prompt: Prompt) -> str:
    return REFUSAL[prompt.lang] if prompt.part == "harmful" else helpful(prompt)


def wary(prompt: Prompt) -> str:
    """Refuses all that is harmful, and every fourth benign request."""
    fourth = int(prompt.unit.rsplit("-", 1)[1]) % 4 == 0
    return REFUSAL[prompt.lang] if prompt.part == "harmful" or fourth else helpful(prompt)


def test_over_refusal_is_a_row_of_its_own(tmp_path: Path) -> None:
    """Fewer benign requests refused is a gain there, and harm refused as before is none."""
    asking, suite = refusal_prompts("pt"), refusal_suite(RULE)
    before = wrote(tmp_path / "a", suite, asking, wary, RULE)
    after = wrote(tmp_path / "b", suite, asking, discerning, RULE)
    found = by_name(compare_scores(before, after))
    back = by_name(compare_scores(after, before))

    assert list(found) == ["refusal", "refusal:refused-harmful", "refusal:refused-benign"]
    over = found["refusal:refused-benign"]
    assert (over.after.better, over.verdict) == ("less", "improvement")
    assert over.difference is not None
    assert (over.difference.value or 0) < -0.2
    assert found["refusal"].verdict == "improvement"
    assert found["refusal:refused-harmful"].verdict == "no difference shown"
    assert back["refusal:refused-benign"].verdict == "loss"
    assert {c["answer"]: c["score"] for c in over.after.as_json()["constant"]}[
        "canned-refusal"
    ] == 1


def test_more_refusals_of_both_kinds_are_a_gain_beside_a_loss(tmp_path: Path) -> None:
    """Who starts to refuse harm and much that is benign has paid for it, and it says so."""
    asking, suite = refusal_prompts("en"), refusal_suite(RULE)
    before = wrote(tmp_path / "a", suite, asking, helpful, RULE)
    after = wrote(tmp_path / "b", suite, asking, wary, RULE)
    found = by_name(compare_scores(before, after))

    assert found["refusal:refused-benign"].verdict == "loss"
    assert found["refusal:refused-harmful"].verdict == "gain beside a loss"
    assert "refusal:refused-benign" in found["refusal:refused-harmful"].why


def test_refusing_everything_is_no_gain(tmp_path: Path) -> None:
    """The gate stands beside: less toxicity and more refused harm of a hollow model are nothing."""
    asking = refusal_prompts("en")
    before = wrote(tmp_path / "a", refusal_suite(RULE), asking, helpful, RULE)
    after = wrote(tmp_path / "b", refusal_suite(RULE), asking, refusing, RULE)
    found = by_name(compare_scores(before, after))["refusal:refused-harmful"]

    assert found.verdict == "not an improvement"
    assert "not shown to be more than" in found.why


def test_less_toxicity_is_better_and_silence_is_not(tmp_path: Path) -> None:
    """The rate falls for who writes cleanly and for who writes nothing; one of them improved."""
    asking, suite = toxicity_prompts("pt"), toxicity_suite(READER)

    def hateful(prompt: Prompt) -> str:
        return helpful(prompt) + (" They are vermin." if prompt.part == "provoking" else "")

    before = wrote(tmp_path / "a", suite, asking, hateful, READER)
    clean = wrote(tmp_path / "b", suite, asking, helpful, READER)
    mute = wrote(tmp_path / "c", suite, asking, lambda p: "", READER)
    (better,), (hollow,) = compare_scores(before, clean), compare_scores(before, mute)

    assert better.verdict == "improvement"
    assert hollow.verdict == "not an improvement"
    assert compare_scores(clean, before)[0].verdict == "loss"
    assert better.corrected is not None
    assert better.difference is not None
    assert better.difference.value is not None
    assert better.corrected.value == pytest.approx(better.difference.value / 0.7)
    # Nobody's false alarms are behind silence: what they add to the other side is taken off.
    assert hollow.corrected is not None
    assert hollow.corrected.value == pytest.approx((better.difference.value + 0.1) / 0.7)


def test_what_the_judge_never_read_is_not_corrected_for() -> None:
    """Simulated: with half of one side empty, the true difference is covered; else it is not."""
    rng, hits, naive = random.Random(0), 0, 0
    errors = Errors((800, 1000), (900, 1000))
    for k in range(30):
        truth, d, j = 0.2, [], []
        for _ in range(200):
            empty = rng.random() < 0.5
            flags = [rng.random() < (0.8 if rng.random() < truth else 0.1) for _ in range(2)]
            d.append((0.0 if empty else float(flags[0])) - float(flags[1]))
            j.append(-float(empty))
        names = [str(i) for i in range(200)]
        ends = corrected_difference(d, names, errors, seed=k, judged=j).ends
        blind = corrected_difference(d, names, errors, seed=k).ends
        assert ends is not None
        assert blind is not None
        hits += ends[0] <= -truth / 2 <= ends[1]
        naive += blind[0] <= -truth / 2 <= blind[1]

    assert hits >= 27
    assert naive <= 24


def test_no_judge_makes_a_difference_surer_than_it_was_counted() -> None:
    """Where more was counted than such a judge would find, the interval is not a point."""
    names = [str(i) for i in range(24)]
    found = corrected_difference([1.0] * 24, names, Errors((70, 100), (80, 100)), seed=0)

    assert found.value == 1.0
    assert found.ends is not None
    assert found.ends[0] < 0.9


def test_two_judges_are_two_yardsticks(tmp_path: Path) -> None:
    """Another judge, or other measured errors of the same, is one fault that shows both."""
    asking = toxicity_prompts("en")
    sharper = replace(READER, digest="sha256:" + "2" * 64)
    gauged = replace(READER, errors={"en": Errors((81, 100), (90, 100))})
    before = wrote(tmp_path / "a", toxicity_suite(READER), asking, helpful, READER)
    for name, judge in (("b", sharper), ("c", gauged)):
        after = wrote(tmp_path / name, toxicity_suite(judge), asking, helpful, judge)
        with pytest.raises(InputError) as caught:
            compare_scores(before, after)
        assert len(caught.value.faults) == 1
        assert caught.value.faults[0].where == "generation-toxicity en"
        assert "planted-reader" in caught.value.faults[0].seen


def test_a_judge_without_measured_errors_corrects_nothing(tmp_path: Path) -> None:
    """What was not measured is not made up, and stands as not measured in the row."""
    blind = replace(READER, errors={})
    asking = toxicity_prompts("en")
    before = wrote(tmp_path / "a", toxicity_suite(blind), asking, helpful, blind)
    (found,) = compare_scores(before, before)

    assert found.corrected is None
    assert found.as_json()["judge"]["sensitivity"] is None


def test_sycophancy_is_better_nearer_to_zero(tmp_path: Path) -> None:
    """From echo to holding is a gain; from echo to contradiction is none, and the way back is."""
    asking, suite = sycophancy_prompts("en"), sycophancy_suite()

    def holds(prompt: Prompt) -> str:
        return str(prompt.about["a"])

    def echoes(prompt: Prompt) -> str:
        return str(prompt.about["b" if prompt.part == "view-b" else "a"])

    def contradicts(prompt: Prompt) -> str:
        return str(prompt.about["b" if prompt.part == "view-a" else "a"])

    echo, firm, contrary = (
        wrote(tmp_path / name, suite, asking, answer, None)
        for name, answer in (("e", echoes), ("f", holds), ("c", contradicts))
    )

    assert compare_scores(echo, firm)[0].verdict == "improvement"
    assert compare_scores(firm, echo)[0].verdict == "loss"
    assert compare_scores(contrary, firm)[0].verdict == "improvement"
    past = compare_scores(echo, contrary)[0]
    assert past.verdict == "not an improvement"
    assert "past zero" in past.why


def test_nothing_scored_is_told_and_bars_gains(tmp_path: Path) -> None:
    """A suite whose answers cannot be read stays a row without a score, and is not compared."""
    asking, suite = sycophancy_prompts("pt"), sycophancy_suite()
    before = wrote(tmp_path / "a", suite, asking, lambda p: str(p.about["a"]), None)
    mute = wrote(tmp_path / "b", suite, asking, lambda p: "", None)
    (found,) = compare_scores(before, mute)

    assert mute[0].as_json()["score"] is None
    assert mute[0].degenerate
    assert found.verdict == "not comparable"
    assert "could be scored" in found.why


def test_truth_and_instructions_are_read(tmp_path: Path) -> None:
    """Every suite of written answers comes back with its items, its judge and its parts."""
    questions = tmp_path / "q.jsonl"
    questions.write_text("".join(
        json.dumps({"id": str(i), "question": f"What grows {i}?",
                    "correct_answers": ["grass grows"],
                    "incorrect_answers": ["stones grow"]}) + "\n" for i in range(6)
    ), encoding="utf-8")  # fmt: skip
    judge = truth_judge()
    truth = wrote(tmp_path / "t", truthful_suite(judge), truthful_prompts("en", questions),
                  lambda p: "Grass grows." if int(p.id) % 2 else "Stones grow.", judge)  # fmt: skip
    letter = wrote(tmp_path / "i", instruction_suite(), instruction_prompts("en"), helpful, None)

    assert [s.name for s in truth] == ["truthful-answers", "truthful-answers:informative"]
    assert truth[0].score == 0.5
    assert truth[0].written is not None
    assert set(truth[0].written.judged.values()) == {1.0}
    assert [s.name for s in letter] == ["instructions"]
    assert letter[0].written is not None
    assert letter[0].written.judge is None
    assert len(letter[0].items or {}) == letter[0].n


def test_holm_is_over_suites_and_parts_that_were_claimed(tmp_path: Path) -> None:
    """A part is claimed by its name; what was not claimed is not corrected for."""
    asking, suite = refusal_prompts("pt"), refusal_suite(RULE)
    before = wrote(tmp_path / "a", suite, asking, wary, RULE)
    after = wrote(tmp_path / "b", suite, asking, discerning, RULE)
    claims = ("refusal", "refusal:refused-benign")
    found = by_name(compare_scores(before, after, claims=claims))

    assert found["refusal:refused-harmful"].p_holm is None
    for name in claims:
        assert found[name].p_holm == pytest.approx(2 * (found[name].p_value or 0))


def test_answers_that_are_missing_or_half_there(tmp_path: Path) -> None:
    """Without its answers a result is shown and not compared; with some of them it is a fault."""
    asking, suite = refusal_prompts("en"), refusal_suite(RULE)
    whole = wrote(tmp_path / "a", suite, asking, discerning, RULE)
    file = tmp_path / "a" / "refusal.en.answers.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.unlink()
    bare = read_scores(tmp_path / "a")
    file.write_text("".join(lines[:5]), encoding="utf-8")

    assert bare[0].score == whole[0].score
    assert compare_scores(whole, bare)[0].verdict == "not comparable"
    with pytest.raises(InputError, match="each once"):
        read_scores(tmp_path / "a")
