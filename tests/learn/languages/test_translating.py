"""A word-by-word translator learns from parallel text, and what it makes is marked."""

from __future__ import annotations

import itertools
import random

import pytest

from normwright.learn.languages import (
    ModelTranslator,
    back_translated,
    lexical_translator,
    translated,
)
from normwright.models.scripted import ScriptedModel
from normwright.records import Demonstration, Message

DICTIONARY = {"red": "vermelho", "house": "casa", "dog": "cachorro", "big": "grande", "sees": "vê"}


def parallel(seed: int = 0) -> list[dict[str, str]]:
    rng = random.Random(seed)
    words = list(DICTIONARY)
    made = []
    for _ in range(60):
        said = rng.sample(words, 3)
        # The other language has another order, as languages do.
        made.append({"en": " ".join(said), "pt": " ".join(DICTIONARY[w] for w in reversed(said))})
    return made


def row(text: str, answer: str, *, lang: str = "en", scene: str = "s") -> Demonstration:
    return Demonstration(
        scene=scene, lang=lang, prompt=(Message(role="user", content=text),), completion=answer,
        origin="human", licence="x", family="f",
    )  # fmt: skip


def test_the_planted_dictionary_is_found_whatever_the_order_of_words_and_rows() -> None:
    """Every word's translation is the planted one; shuffled rows give the same table."""
    rows = parallel()
    shuffled = random.Random(1).sample(rows, len(rows))
    one, two = (lexical_translator(r, languages=("en", "pt")) for r in (rows, shuffled))

    assert dict(one.tables["en", "pt"]) == DICTIONARY
    assert dict(one.tables["pt", "en"]) == {v: k for k, v in DICTIONARY.items()}
    assert one == two


def test_numbers_marks_capitals_and_unknown_words_stay() -> None:
    """Only words that were learned change, and they keep their capitals."""
    translator = lexical_translator(parallel(), languages=("en", "pt"))

    (made,) = translator.translate(["The Dog, 3.5 BIG houses:\n- {x}"], source="en", target="pt")

    assert made == "The Cachorro, 3.5 GRANDE houses:\n- {x}"


def test_without_text_in_both_languages_there_is_no_translator() -> None:
    """A clear refusal, not an empty table."""
    with pytest.raises(ValueError, match="no text"):
        lexical_translator([{"en": "a"}, {"pt": "b"}], languages=("en", "pt"))


def test_rows_are_marked_and_empty_translations_stay_out() -> None:
    """Language and origin change, the id does not; silence is not taught."""

    class Half:
        def translate(self, texts: list[str], *, source: str, target: str) -> list[str]:
            return ["" if "gone" in t else f"{target}:{t}" for t in texts]

    made = translated([row("a", "b"), row("c", "gone", scene="t")], Half(), target="pt")  # type: ignore[arg-type]

    assert [(r.lang, r.origin, r.scene, r.completion) for r in made] == [
        ("pt", "translated", "s", "pt:b")
    ]


def test_what_comes_back_the_same_teaches_nothing_new() -> None:
    """There and back keeps only rows that are said in other words."""
    table = {("en", "pt"): {"dog": "cão", "hound": "cão"}, ("pt", "en"): {"cão": "dog"}}
    from normwright.learn.languages import LexicalTranslator

    rows = [row("dog", "x"), row("hound", "x", scene="t")]
    made = back_translated(rows, LexicalTranslator(table), through="pt")

    assert [(r.scene, r.lang, r.prompt[0].content) for r in made] == [("t", "en", "dog")]


def test_a_model_can_translate() -> None:
    """Any model is a translator: it is asked, and what it says is taken."""
    answers = itertools.cycle(["uma casa"])
    model = ScriptedModel("m", lambda prompt: next(answers))

    assert ModelTranslator(model).translate(["a house"], source="en", target="pt") == ["uma casa"]
