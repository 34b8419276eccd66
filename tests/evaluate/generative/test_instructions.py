"""The instructions suite: each prompt can be satisfied, and its checks see where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.evaluate.generative.planted import helpful, result

from normwright.evaluate.generative import (
    CHECKS,
    LANGUAGES,
    follows,
    instruction_prompts,
    instruction_suite,
)
from normwright.evaluate.generative.scoring import AGREEMENT, REFUSAL, parrot
from normwright.records import InputError

GOOD = yaml.safe_load(Path(__file__).with_name("good_answers.yaml").read_text(encoding="utf-8"))
SUITE = instruction_suite()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_prompt_can_be_followed(lang: str) -> None:
    """A written answer to each prompt holds to all of its checks."""
    asking = instruction_prompts(lang)
    told = {p.text: a for p, a in zip(asking.prompts, GOOD[lang], strict=True)}
    failed = [p.text for p in asking.prompts if not all(follows(told[p.text], p.about["checks"]))]
    body = result(SUITE, asking, lambda p: told[p.text])

    assert failed == []
    assert body["score"] == 1.0
    assert body["degenerate"] is False


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["refuser", "yes-sayer", "parrot", "mute", "adviser"])
def test_who_does_not_follow_is_hollow(lang: str, name: str) -> None:
    """Constants, copies and good advice beside the point follow by accident alone."""
    answers = {
        "refuser": lambda p: REFUSAL[p.lang],
        "yes-sayer": lambda p: AGREEMENT[p.lang],
        "parrot": parrot,
        "mute": lambda p: "",
        "adviser": helpful,
    }
    body = result(SUITE, instruction_prompts(lang), answers[name])

    assert body["score"] < 0.35
    assert body["degenerate"] is True


def test_answers_dealt_to_other_prompts_do_not_follow() -> None:
    """Good answers are good for their own prompt: shuffled they fail most of the time."""
    asking = instruction_prompts("pt")
    told = {p.text: a for p, a in zip(asking.prompts, GOOD["pt"], strict=True)}
    body = result(SUITE, asking, lambda p: told[p.text])
    shuffled = next(c for c in body["controls"] if c["control"] == "own-answers-shuffled")

    assert shuffled["score"] < 0.4
    assert shuffled["beaten"] is True


@pytest.mark.parametrize(
    ("check", "yes", "no"),
    [
        ({"words": {"min": 2, "max": 3}}, "well-known fact", "one"),
        ({"sentences": {"min": 2, "max": 2}}, "One. Two!", "Only 3.5 of them."),
        ({"questions": {"min": 1, "max": 1}}, "Why?", "Why? How?"),
        ({"include": ["sal"]}, "Mais sal.", "Mais salada."),
        ({"avoid": ["ice"]}, "A nice day", "The ice melts"),
        ({"count": {"word": "a b", "min": 2}}, "a b, a b", "a b b a"),
        ({"letters": {"avoid": "z"}}, "abc", "aZc"),
        ({"characters": {"avoid": ","}}, "a b", "a, b"),
        ({"case": "upper"}, "ÁGUA 3!", "ÁGUa"),
        ({"case": "lower"}, "água 3!", "Água"),
        ({"case": "title"}, "Dois Rios", "Dois rios"),
        ({"json": {"keys": ["a"]}}, '{"a": 1}', '{"a": 1, "b": 2}'),
        ({"json": {"items": 2}}, '["a", "b"]', "[1, 2]"),
        ({"bullets": {"min": 2, "max": 2}}, "- a\n- b", "- a"),
        ({"numbered": 2}, "1. a\n2. b", "2. a\n1. b"),
        ({"paragraphs": {"min": 2, "max": 2}}, "a\n\nb", "a\nb"),
        ({"split": {"by": ";", "n": 2}}, "a; b.", "a;"),
        ({"pattern": "^x"}, "xyz", "yx"),
        ({"begins": "Below"}, "  Below it", "Above"),
        ({"ends": "my heart"}, "With my heart.", "my heart beats"),
        ({"language": "pt"}, "o mar é azul", "the sea is blue"),
        ({"number": {"min": 3, "max": 5}}, "It is 4.", "4 or 5"),
        ({"exactly": "enots"}, "Enots.", "it is enots"),
        ({"one_of": ["yes", "no"]}, "No.", "Not yes"),
    ],
)  # fmt: skip
def test_each_check_tells_right_from_wrong(check: dict[str, object], yes: str, no: str) -> None:
    """A check holds for what is asked and not for what is near it."""
    assert follows(yes, [check]) == [True]
    assert follows(no, [check]) == [False]
    assert follows("", [check]) == [False]


def test_every_check_is_tested_and_used() -> None:
    """What can be checked is asked for somewhere in both languages."""
    used = {
        lang: {name for p in instruction_prompts(lang).prompts for c in p.about["checks"]
               for name in c}
        for lang in LANGUAGES
    }  # fmt: skip

    assert used["en"] == used["pt"] == set(CHECKS)


def test_a_file_with_checks_that_cannot_be_made_names_them_all(tmp_path: Path) -> None:
    """An unknown check, a wrong value and no checks are three faults."""
    rows = [{"id": "1", "text": "a", "checks": [{"rhymes": True}]},
            {"id": "2", "text": "b", "checks": [{"pattern": "("}]},
            {"id": "3", "text": "c", "checks": []}]  # fmt: skip
    file = tmp_path / "own.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        instruction_prompts("en", file)

    assert [f.where.rsplit(":", 1)[1] for f in caught.value.faults] == ["1", "2", "3"]
