"""Acts, facts, conditions and situations in words."""

from __future__ import annotations

from datetime import date

from normwright.charter.telling import (
    act_in,
    around,
    fact_in,
    facts_in_line,
    in_line,
    told,
    value_in,
)
from normwright.records import ActType, Condition, FactType, Situation, Vocabulary

SHELF = FactType(
    name="shelf",
    type="enum",
    values=("open", "rare"),
    label={"en": "Where the book stands", "pt": "Onde está o livro"},
    value_labels={"open": {"en": "open shelves", "pt": "estantes abertas"}},
)
NIGHT = FactType(name="night", type="bool", label={"en": "It is night", "pt": "É noite"})
AGE = FactType(name="age", type="int", low=0, high=120, label={"en": "Age"})
WORDS = Vocabulary(
    acts=(ActType(name="lend", label={"en": "Lend a book", "pt": "Emprestar um livro"}),),
    facts=(SHELF, NIGHT, AGE),
)
ASKED = Condition.model_validate(
    {
        "all": [
            {"fact": "shelf", "one_of": ["open", "rare"]},
            {"any": [{"fact": "night", "eq": True}, {"fact": "age", "at_least": 18}]},
            {"negate": {"all": [{"fact": "night", "eq": False}, {"fact": "age", "at_most": 3}]}},
        ]
    }
)


def test_a_condition_is_one_line_that_has_one_reading() -> None:
    """Groups stand in brackets, labels in quotation marks, values by their own labels."""
    assert in_line(ASKED, WORDS, "en") == (
        "“Where the book stands”: open shelves or rare; (“It is night”: yes or “Age”: 18 or more); "
        "Not this: (“It is night”: no; “Age”: 3 or less)"
    )
    assert in_line(Condition(), WORDS, "en") == ""


def test_a_condition_is_lines_for_a_page() -> None:
    """The same condition as headings and lines, where no quotation marks are needed."""
    found = told(ASKED, WORDS, "pt")

    assert found is not None
    assert found.text == "Tudo isto:"
    assert found.parts[0].text == "Onde está o livro: estantes abertas ou rare"
    assert [part.kind for part in found.parts] == ["fact", "any", "not"]


def test_facts_and_values_are_told_by_their_labels() -> None:
    """A value by its own label, yes and no in the language, the unknown as not known."""
    line = facts_in_line({"shelf": "open", "night": None}, WORDS, ("en", "pt"))

    assert line == {
        "en": "“It is night”: not known; “Where the book stands”: open shelves",
        "pt": "“É noite”: não se sabe; “Onde está o livro”: estantes abertas",
    }
    assert (value_in(NIGHT, False, "pt"), value_in(AGE, 7, "pt")) == ("não", "7")


def test_what_has_no_label_goes_by_its_name() -> None:
    """Acts and facts of no vocabulary keep their names; doing nothing has words of its own."""
    assert act_in("lend", WORDS, "pt") == "Emprestar um livro"
    assert act_in("burn", WORDS, "pt") == "burn"
    assert act_in("decline", WORDS, "pt") == "Não fazer nada"
    assert (fact_in("age", WORDS, "pt"), fact_in("night", WORDS, "en")) == ("age", "It is night")


def test_only_unusual_circumstances_are_told() -> None:
    """An assistant that says something is the usual case, and nothing is said of it."""
    strange = Situation(act="lend", bearer="agent", channel="action", counterparty="public",
                        time=date(2026, 12, 2))  # fmt: skip

    assert around(Situation(act="lend"), ("en",)) == []
    assert [part["en"] for part in around(strange, ("en",))] == [
        "it is done by an AI agent",
        "it is something done, not only said",
        "it concerns the public",
        "on 2026-12-02",
    ]
