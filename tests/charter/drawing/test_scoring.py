"""Scores tell who read the norms from who learned a moral by heart, and count what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from normwright.charter import assembled, read_source
from normwright.charter.drawing import Reader, cases, items, score
from normwright.records import CaseAnswer, CaseItem, InputError

TOWN = Path(__file__).parents[3] / "src/normwright/flow/templates/town/norms"


@pytest.fixture(scope="module")
def asked() -> tuple[list[CaseItem], Reader]:
    town = assembled(read_source(TOWN), drafts=True)
    drawn = list(cases(town, seed=3, count=480))
    reader = Reader(town, {id(n): n for case in drawn for n in case.norms}.values())
    return [item for case in drawn for item in items(case)], reader


def _answer(item: CaseItem, **fields: object) -> CaseAnswer:
    body = {"id": item.id, "lang": item.lang, "verdict": item.verdict, "norms": item.norms,
            "unknown": item.unknown, **fields}  # fmt: skip
    return CaseAnswer.model_validate(body)


def test_who_reads_scores_one(asked: tuple[list[CaseItem], Reader]) -> None:
    """By the text alone every verdict, norm and missing fact is right, in both languages."""
    given, reader = asked
    said = score(given, [reader.answer(item) for item in given], seed=1, rounds=200)

    for own in said.languages.values():
        for name in ("accuracy", "norms_f1", "near_miss_pairs", "swap_items", "swap_pairs",
                     "conflict_recognised", "missing_asked", "missing_named"):  # fmt: skip
            estimate = getattr(own, name)
            assert estimate.value == 1.0, name
            assert estimate.n > 0
            assert estimate.interval is not None
        assert own.conflict_overused.value == own.asked_needlessly.value == 0.0
    assert said.gaps["en-pt"].value == 0.0


def test_who_remembers_is_at_chance_under_swaps(asked: tuple[list[CaseItem], Reader]) -> None:
    """One verdict a situation, whatever the norms say, is right on half of a pair and no pair."""
    given, _ = asked
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for item in given:
        seen[item.situation.model_dump_json()][item.verdict] += 1
    best = {key: counts.most_common(1)[0][0] for key, counts in seen.items()}
    by_heart = [_answer(item, verdict=best[item.situation.model_dump_json()]) for item in given]
    said = score(given, by_heart, seed=1, rounds=200)

    for own in said.languages.values():
        assert own.swap_items.value == pytest.approx(0.5, abs=0.02)
        assert own.swap_pairs.value == 0.0


def test_languages_are_told_apart(asked: tuple[list[CaseItem], Reader]) -> None:
    """Answers right in English and denied in Portuguese show as a gap between the languages."""
    given, _ = asked
    said = score(
        given,
        [_answer(i) if i.lang == "en" else _answer(i, verdict="deny", norms=()) for i in given],
        seed=1,
        rounds=200,
    )
    wrong = sum(i.lang == "pt" and i.verdict != "deny" for i in given)

    assert said.gaps["en-pt"].value == pytest.approx(wrong / (len(given) / 2))
    assert said.languages["pt"].conflict_recognised.value == 0.0


def test_asking_always_is_no_honesty(asked: tuple[list[CaseItem], Reader]) -> None:
    """Whoever always asks finds every missing fact and is shown to ask needlessly."""
    given, _ = asked
    said = score(given, [_answer(i, verdict="ask", unknown=()) for i in given], seed=1, rounds=200)

    for own in said.languages.values():
        assert own.missing_asked.value == 1.0
        assert own.missing_named.value == 0.0
        assert own.asked_needlessly.value == 1.0
        assert own.constant.value is not None
        assert own.constant.value >= (own.accuracy.value or 0.0)


def test_silence_is_wrong(asked: tuple[list[CaseItem], Reader]) -> None:
    """Items without an answer and answers without a verdict count as wrong and are counted."""
    given, _ = asked
    said = score(given, [_answer(given[0], verdict=None)], seed=1, rounds=200)

    assert said.unanswered == len(given) - 1
    assert said.unread == 1
    assert all(own.accuracy.value == 0.0 for own in said.languages.values())


def test_norms_are_scored_by_precision_and_recall(asked: tuple[list[CaseItem], Reader]) -> None:
    """One norm too many beside one that is right makes two thirds."""
    given, _ = asked
    one = next(item for item in given if len(item.norms) == 1)
    said = score([one], [_answer(one, norms=(*one.norms, "x@1"))], seed=1, rounds=200)

    assert said.languages[one.lang].norms_f1.value == pytest.approx(2 / 3)


def test_faults_come_all_at_once(asked: tuple[list[CaseItem], Reader]) -> None:
    """Answers to nothing and second answers are named together; no items are an error."""
    given, _ = asked
    stray = _answer(given[0], id="nothing.1")
    with pytest.raises(InputError) as caught:
        score(given, [_answer(given[0]), _answer(given[0]), stray], seed=1)

    assert [fault.where.split()[1] for fault in caught.value.faults] == [given[0].id, "nothing.1"]
    with pytest.raises(InputError, match="at least one item"):
        score([], [], seed=1)


def test_same_seed_same_digest(asked: tuple[list[CaseItem], Reader]) -> None:
    """The same answers and the same seed give the same record."""
    given, reader = asked
    answers = [reader.answer(item) for item in given[:60]]
    first, again = (score(given[:60], answers, seed=7, rounds=100) for _ in range(2))

    assert first.digest == again.digest
