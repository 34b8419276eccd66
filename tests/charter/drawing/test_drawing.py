"""Drawn cases: right, new, reproducible, in pairs a hair apart, and readable in every language."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter import assembled, read_source
from normwright.charter.drawing import (
    Drawing,
    DrawnCase,
    Reader,
    as_text,
    cases,
    demonstrations,
    instruction,
    items,
    preference_pairs,
    read_answer,
    worded,
)
from normwright.charter.drawing.numbering import choice, choices, permutation, shuffled
from normwright.charter.drawing.wordings import wordings
from normwright.learn.rows.corpora import read_instructions
from normwright.norms import Resolver
from normwright.records import Charter, InputError

TOWN = Path(__file__).parents[3] / "src/normwright/flow/templates/town/norms"


@pytest.fixture(scope="module")
def town() -> Charter:
    return assembled(read_source(TOWN), drafts=True)


@pytest.fixture(scope="module")
def drawing(town: Charter) -> Drawing:
    return Drawing(town, 1)


@pytest.fixture(scope="module")
def drawn(drawing: Drawing) -> list[DrawnCase]:
    return list(drawing.between(0, 1200))


def small(**fields: Any) -> Charter:
    """A charter of one prohibition and three facts."""
    facts = {"secret": "bool", "urgent": "bool", "age": {"low": 0, "high": 99}}
    words = vocabulary({"tell": [], "decline": []}, facts)
    rule = {"id": "g.tell", "kind": "prohibition", "act": "tell",
            "condition": {"fact": "secret", "eq": True}, **fields}  # fmt: skip
    return charter(words, [norm(**rule)])


@given(st.integers(1, 400), st.text(max_size=5))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_shuffled_is_a_permutation(size: int, key: str) -> None:
    """Every index has its own number, and none falls outside."""
    seen = [shuffled(index, size, key) for index in range(size)]

    assert sorted(seen) == list(range(size))


@given(st.lists(st.integers(0, 4), max_size=6), st.integers(0, 3))
@settings(derandomize=True, deadline=None)
def test_choices_are_counted_and_told_apart(options: list[int], most: int) -> None:
    """The numbers below the count stand for all choices, each once."""
    count = choices(tuple(options), most)
    seen = {tuple(sorted(choice(code, options, most).items())) for code in range(count)}

    assert len(seen) == count
    assert all(len(one) <= most and all(v < options[i] for i, v in one) for one in seen)


def test_permutations_are_told_apart() -> None:
    """Numbers below n! give all orders of n things."""
    assert len({permutation(4, code) for code in range(24)}) == 24


def test_no_case_comes_twice(drawn: list[DrawnCase]) -> None:
    """No text comes twice in a language, nor a situation under the same norms in one wording."""
    for lang in ("en", "pt"):
        assert len({as_text(case.prompts[lang]) for case in drawn}) == len(drawn)
    keys = {
        (case.charter, case.frame.name, repr(case.situation), repr(sorted(case.norms, key=repr)))
        for case in drawn
    }

    assert len(keys) == len(drawn)


def test_a_small_drawing_is_gone_through_without_a_repeat() -> None:
    """Every case of a small charter is drawn once, and asking for one more is an error."""
    few = Drawing(small(), 3, languages=("en",), split="test", verdicts=("allow", "deny"))
    texts = [as_text(case.prompts["en"]) for case in few]

    assert len(set(texts)) == len(texts) == few.size > 100
    with pytest.raises(InputError, match=f"at most {few.size} cases"):
        few.between(0, few.size + 1)


def test_case_k_depends_on_k_alone(town: Charter, drawn: list[DrawnCase]) -> None:
    """Another drawing, begun in the middle, yields the same cases; another seed does not."""
    later = list(cases(town, seed=1, start=602, count=5))
    other = list(cases(town, seed=2, count=5))

    assert later == drawn[602:607]
    assert [c.prompts for c in other] != [c.prompts for c in drawn[:5]]


def test_the_resolver_gives_every_label(town: Charter, drawn: list[DrawnCase]) -> None:
    """Put to the whole charter of its prompt, each situation comes out as the case says."""
    for case in random.Random(1).sample(drawn, 150):
        shown = town.model_copy(update={"norms": case.norms})
        said = Resolver(shown).decide(case.situation)
        assert said.verdict == case.decision.verdict
        assert said.governing == case.decision.governing
        assert said.unknown == case.decision.unknown


def test_unaltered_cases_are_those_of_the_whole_charter(
    town: Charter, drawn: list[DrawnCase]
) -> None:
    """Norms left out of the prompt would have changed nothing."""
    resolver = Resolver(town)
    plain = [case for case in drawn if not case.alteration]

    assert len(plain) > 100
    for case in plain:
        assert resolver.decide(case.situation).verdict == case.decision.verdict
        assert case.decision.charter == case.charter == town.digest


def test_near_misses_differ_in_one_thing(drawn: list[DrawnCase]) -> None:
    """The partner has the same norms and wording, one other value, and another verdict."""
    by_id = {case.id: case for case in drawn}
    pairs = [(case, by_id[case.near_miss]) for case in drawn if case.near_miss]

    assert len(pairs) > 1000
    for case, other in pairs:
        assert case.decision.verdict != other.decision.verdict
        assert case.norms == other.norms
        assert case.frame == other.frame
        assert _differing(case, other) == {case.edited}
        if case.frame.listed:
            lines = [one.prompts["en"][1].content.split("\n") for one in (case, other)]
            assert sum(a != b for a, b in zip(*lines, strict=True)) == 1


def _differing(case: DrawnCase, other: DrawnCase) -> set[str]:
    a, b = case.situation, other.situation
    names = set(a.facts) | set(b.facts)
    found = {name for name in names if a.facts.get(name) != b.facts.get(name)}
    around = ("time", "jurisdiction", "counterparty", "bearer", "feasible", "act")
    return found | {name for name in around if getattr(a, name) != getattr(b, name)}


def test_swaps_differ_in_the_norms_alone(drawn: list[DrawnCase]) -> None:
    """The partner has the same situation in the same words under other norms, decided otherwise."""
    by_id = {case.id: case for case in drawn}
    pairs = [(case, by_id[case.swap]) for case in drawn if case.swap]

    assert len(pairs) > 1000
    for case, other in pairs:
        assert case.decision.verdict != other.decision.verdict
        assert case.situation == other.situation
        for lang in case.prompts:
            assert case.prompts[lang][1] == other.prompts[lang][1]
            assert case.prompts[lang][0] != other.prompts[lang][0]


def test_every_fact_stands_as_often_beside_either_verdict(town: Charter) -> None:
    """In full squares no fact's value, no norm and no wording says anything about the verdict."""
    counts: dict[Any, Counter[str]] = defaultdict(Counter)
    for case in cases(town, seed=4, count=800, verdicts=("allow", "deny")):
        for told in (*case.situation.facts.items(), *((n.ref, n.digest) for n in case.norms)):
            counts[told][case.decision.verdict] += 1
        counts[case.frame][case.decision.verdict] += 1

    assert len(counts) > 60
    assert all(c["allow"] == c["deny"] for c in counts.values())


def test_verdicts_are_balanced(drawn: list[DrawnCase]) -> None:
    """Allow, deny, ask and conflict are each between an eighth and two fifths of the cases."""
    counts = Counter(case.decision.verdict for case in drawn)
    plain = {v: counts.pop(v) / len(drawn) for v in ("allow", "deny", "ask")}

    assert all(1 / 8 < share < 0.4 for share in plain.values())
    assert 1 / 8 < sum(counts.values()) / len(drawn) < 0.4
    assert {"necessity", "dilemma-inaction", "deny-dilemma"} <= set(counts)


def test_floors_can_be_kept(town: Charter) -> None:
    """Where floors are kept, no constitutional norm for everyone is altered or left out."""
    floors = {n.ref: n for n in town.norms if n.layer == "global" and n.tier == "constitutional"}
    drawn = list(cases(town, seed=1, count=200, keep_floors=True))

    assert all(case.altered not in floors for case in drawn)
    assert all(n == floors.get(n.ref, n).model_copy(update={"cases": n.cases})
               for case in drawn for n in case.norms)  # fmt: skip


def test_days_places_and_people_are_near_misses_too() -> None:
    """A norm that begins on a day, binds one polity or one counterparty is told apart by these."""
    words = vocabulary({"tell": [], "sell": [], "show": []}, {"secret": "bool", "loud": "bool"})
    dated = norm(id="g.tell", kind="prohibition", act="tell", valid_from=date(2026, 12, 2))
    met = norm(id="g.show", kind="prohibition", act="show", counterparty=["human"])
    here, there = (
        norm(id=f"{a}.{act}", kind="prohibition", act=act, layer="polity", authority=a)
        for a, act in (("EU", "sell"), ("BR", "tell"))
    )
    drawn = list(cases(charter(words, [dated, met, here, there]), seed=1, count=1600))
    edited = {case.edited for case in drawn}

    assert {"time", "jurisdiction", "counterparty", "secret"} <= edited
    days = [case for case in drawn if case.edited == "time"]
    assert {case.situation.time for case in days} == {date(2026, 12, 1), date(2026, 12, 2)}
    assert any("2 December 2026" in as_text(case.prompts["en"]) for case in days)
    assert any("2 de dezembro de 2026" in as_text(case.prompts["pt"]) for case in days)


def test_thresholds_are_told_on_both_sides() -> None:
    """A number is asked about just below and at its threshold, in digits and in words."""
    adult = {"fact": "age", "at_least": 18}
    drawn = list(cases(small(condition=adult), seed=1, count=1200, verdicts=("allow", "deny")))
    ages = {case.situation.facts.get("age") for case in drawn if case.edited == "age"}

    assert {17, 18} <= ages
    assert any("age: seventeen" in as_text(c.prompts["en"]).lower() for c in drawn)
    assert any("age: dezassete" in as_text(c.prompts["pt"]).lower() for c in drawn)


def test_without_swaps_the_charter_stays_as_it_is(town: Charter) -> None:
    """Near misses alone, swaps alone and single cases have the partners they should."""
    near = list(cases(town, seed=1, count=60, swaps=False, shown=False))
    swap = list(cases(town, seed=1, count=60, near_misses=False))
    single = list(cases(town, seed=1, count=60, near_misses=False, swaps=False))

    assert all(c.near_miss and not c.swap and not c.alteration for c in near)
    assert all("[" not in c.prompts["en"][0].content.split("cite")[0] for c in near)
    assert all(c.swap and not c.near_miss for c in swap)
    assert sum(bool(c.alteration) for c in swap) == 30
    assert not any(c.near_miss or c.swap for c in single)
    assert len({c.decision.verdict for c in single}) == 3


def test_splits_share_no_family(town: Charter) -> None:
    """What is learned from and what is asked are worded by different families."""
    train = {c.frame.family for c in cases(town, seed=1, count=400, split="train")}
    test = {c.frame.family for c in cases(town, seed=1, count=400, split="test")}

    assert len(train) == 9
    assert len(test) == 3
    assert not train & test


def test_languages_have_the_same_wordings() -> None:
    """Every language has the same families, frames and words, at least forty frames."""
    assert {"en", "pt"} <= set(worded())
    books = wordings(worded())
    shapes = [_shape(book.words) for book in books.values()]
    frames = [
        [(f.name, f.split, f.style, f.form, f.listed) for f in book.frames]
        for book in books.values()
    ]

    assert all(shape == shapes[0] for shape in shapes)
    assert all(names == frames[0] for names in frames)
    assert len(frames[0]) >= 40
    for book in books.values():
        assert len({f.text for f in book.frames}) == len(book.frames)
        assert all("{act}" in f.text and "{facts}" in f.text for f in book.frames)


def _shape(value: Any) -> Any:
    return {k: _shape(v) for k, v in value.items()} if isinstance(value, dict) else None


def test_a_language_without_wordings_is_named() -> None:
    """An unknown language is an error that says which there are."""
    with pytest.raises(InputError, match="languages: tlh: expected one of en, pt, saw tlh"):
        Drawing(small(), 1, languages=("tlh",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shown": False}, "Show the norms"),
        ({"verdicts": ("allowed",)}, "saw allowed"),
        ({"verdicts": ("allow",)}, "Allow more verdicts"),
    ],
)
def test_options_that_yield_nothing_are_errors(options: dict[str, Any], message: str) -> None:
    """Options that cannot be met say so before anything is drawn."""
    with pytest.raises(InputError, match=message):
        Drawing(small(), 1, **options)


def test_a_charter_without_norms_in_force_is_an_error() -> None:
    """Drafts alone yield nothing, and the message says what to do."""
    with pytest.raises(InputError, match="take drafts to hold"):
        Drawing(small(status="draft"), 1)


def test_labels_of_any_form_stay_readable() -> None:
    """A label that is no sentence is never set inside one."""
    for case in cases(small(), seed=1, count=300, languages=("en",)):
        text = case.prompts["en"][1].content
        assert "that secret" not in text
        assert "whether secret" not in text
        assert "{" not in text


def test_answers_read_back(drawn: list[DrawnCase]) -> None:
    """The right answer, read as words, has the verdict and the norms of the decision."""
    for case in drawn[:200]:
        for item in items(case):
            read = read_answer(item, item.answer)
            assert read.verdict == item.verdict
            assert set(read.norms) == set(item.norms)
    assert read_answer(item, "I cannot say.").verdict is None


def test_demonstrations_can_be_learned_from(drawn: list[DrawnCase], tmp_path: Path) -> None:
    """The rows of demonstrations are read by training as they are."""
    import json

    rows = [row for case in drawn[:20] for row in demonstrations(case)]
    path = tmp_path / "drawn.jsonl"
    path.write_text("\n".join(json.dumps(instruction(row)) for row in rows), encoding="utf-8")
    read = read_instructions([path])

    assert [r.completion for r in read] == [r.completion for r in rows]
    assert {r.origin for r in read} == {"synthetic"}
    assert {r.licence for r in read} == {"generated by the resolver"}


def test_pairs_prefer_the_right_answer(drawn: list[DrawnCase]) -> None:
    """A pair sets the right answer before the one that the near miss or the swap would have."""
    by_id = {case.id: case for case in drawn}
    for case in drawn[:200]:
        for pair in preference_pairs(case, kind="human"):
            other = by_id[case.near_miss or case.swap or ""]
            assert pair.chosen == case.answers[pair.lang]
            assert pair.rejected == other.answers[pair.lang]
            assert pair.norms or case.decision.verdict == "allow"


def test_who_reads_the_norms_is_right(town: Charter, drawn: list[DrawnCase]) -> None:
    """A responder with nothing but the lines of the prompt and the facts answers every item."""
    reader = Reader(town, {id(n): n for case in drawn for n in case.norms}.values())

    for case in drawn[:400]:
        for item in items(case):
            assert reader.answer(item).verdict == item.verdict
