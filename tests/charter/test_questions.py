"""Open questions beside norms: read whole, asked in every language, about norms that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from normwright.charter import CharterSource, question_families, read_source, seeds
from normwright.records import InputError, Norm, QuestionFamily

LANGS = ("en", "pt")
FAMILIES = {"del.": "delegation", "aa.": "agents", "leg.": "legitimacy"}

ONE = """questions:
- id: q
  family: delegation
  norms: [a.b]
  concern: oversight
  text: {en: "Why?", pt: "Porquê?"}
"""


@pytest.fixture(scope="module")
def source() -> CharterSource:
    return read_source(seeds())


@pytest.fixture(scope="module")
def questions(source: CharterSource) -> tuple[QuestionFamily, ...]:
    return question_families(languages=LANGS, norms={norm.id for norm in source.norms})


def test_every_open_norm_has_its_question(
    source: CharterSource, questions: tuple[QuestionFamily, ...]
) -> None:
    """Whatever is left to a vote says what to ask people, under the right family."""
    asked = {name: question.family for question in questions for name in question.norms}
    left_open = {
        norm.id: family
        for norm in source.norms
        for prefix, family in FAMILIES.items()
        if norm.id.startswith(prefix)
    }

    assert len(left_open) >= 17
    assert asked == left_open


def test_questions_fill_parts_that_norms_have(questions: tuple[QuestionFamily, ...]) -> None:
    """A field is one of a norm, and the answers on offer are values it can take."""
    for question in questions:
        if question.field is None:
            assert question.answers == {}
            continue
        top, _, below = question.field.partition(".")
        field = Norm.model_fields[top]
        assert not below or below in field.annotation.model_fields  # type: ignore[union-attr]
    every = {q.field: set(q.answers) for q in questions if q.field and q.answers}
    assert every["bearer.actor_sensitivity"] == {
        "invariant", "human_only", "agent_only", "agent_stricter"
    }  # fmt: skip
    assert every["counterparty"] == {"human", "agent", "mixed", "public"}
    assert every["overridable_by"] == {"polity", "organisation", "individual"}


def test_questions_are_asked_as_of_citizens(
    source: CharterSource, questions: tuple[QuestionFamily, ...]
) -> None:
    """One sentence or two, ending in a question mark, on a concern that norms have."""
    concerns = {concern for norm in source.norms for concern in norm.concerns}
    for question in questions:
        assert question.concern in concerns
        assert question.text["en"] != question.text["pt"]
        for words in question.text.values():
            assert words.endswith("?")
            assert len(words) <= 200, words


def test_charter_without_questions_has_none(tmp_path: Path) -> None:
    """The file may be missing."""
    assert question_families(tmp_path) == ()


def test_questions_are_no_norm(tmp_path: Path) -> None:
    """Beside norms, the questions are not read as one of them; deeper down a file is a norm."""
    (tmp_path / "questions.yaml").write_text(ONE)

    with pytest.raises(InputError) as refused:
        read_source(tmp_path)

    assert "questions.yaml" not in str(refused.value)
    assert [question.id for question in question_families(tmp_path)] == ["q"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (', pt: "Porquê?"', "", "questions.yaml:6 questions[0].text.pt"),
        ("[a.b]", "[a.c]", "Did you mean a.b?"),
        ("concern:", "concerm:", "concern"),
        ("questions:", "question:", "one key `questions`"),
        ("- id: q\n", '- {id: q, family: f, concern: c, text: {en: "a", pt: "b"}}\n- id: q\n',
         "each id once"),
    ],
)  # fmt: skip
def test_faults_name_their_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A gap, a norm that does not exist, a mistyped key and a double are told with their place."""
    assert old in ONE
    (tmp_path / "questions.yaml").write_text(ONE.replace(old, new), encoding="utf-8")

    with pytest.raises(InputError) as refused:
        question_families(tmp_path, languages=LANGS, norms={"a.b"})

    assert said in str(refused.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Two faults in one file are two faults, not the first of them."""
    broken = ONE.replace("[a.b]", "[x.y]").replace(', pt: "Porquê?"', "")
    (tmp_path / "questions.yaml").write_text(broken, encoding="utf-8")

    with pytest.raises(InputError) as refused:
        question_families(tmp_path, languages=LANGS, norms={"a.b"})

    assert len(refused.value.faults) == 2
