"""Drawing scenes: the same seed gives the same scenes, and splits share no wording."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from normwright.records import Scene
from normwright.scenes import Bank, Family, dialogues, draw, load_bank
from normwright.scenes.exact import exactly_right

SCENES = Path(str(files("normwright") / "flow/templates/town/scenes"))
SPLITS = ("pretrain", "tune", "consult", "guard", "judge", "dev", "test", "unseen")


@pytest.fixture(scope="module")
def town() -> Bank:
    return load_bank(sorted(SCENES.glob("*.yaml")))


def question(scene: Scene) -> str:
    return scene.messages[-1].content.rsplit("\n", 1)[-1]


def wordings(family: Family) -> Iterator[tuple[str, str, str]]:
    """Group, language and text of every request and of what its cases put into it."""
    for grouped in (family.ask, *(g for case in family.cases for g in case.words.values())):
        for group, texts in grouped.items():
            for lang, variants in texts.items():
                for text in variants:
                    yield group, lang, text


def bared(text: str) -> str:
    """A text without case, punctuation and spacing."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold()))


def test_same_seed_same_scenes(town: Bank) -> None:
    """Drawing twice gives equal digests; another seed gives others."""
    one, two, other = (draw(town, split="tune", seed=s) for s in (1, 1, 2))

    assert [s.digest for s in one] == [s.digest for s in two]
    assert [s.digest for s in one] != [s.digest for s in other]


@pytest.mark.parametrize("split", SPLITS)
def test_the_right_answer_is_right_and_declining_is_not(town: Bank, split: str) -> None:
    """What `perform` says passes the exact check in every scene; what `decline` says does not."""
    for scene in draw(town, split=split, seed=3):
        if scene.exact:
            assert exactly_right(scene, scene.perform), scene.id
            assert not exactly_right(scene, scene.decline), scene.id


def test_test_wordings_are_never_trained_on(town: Bank) -> None:
    """No wording of test or dev, however spelled, and no unseen name stands in a training split."""
    said: defaultdict[str, set[str]] = defaultdict(set)
    for family in town.families:
        for group, _, text in wordings(family):
            said[group].add(bared(text))
    people = {
        g: {w.text for words in langs.values() for w in words}
        for g, langs in town.slots["person"].items()
    }

    trained = said["train"] | said["judge"] | said["guard"] | said["pretrain"]
    assert said["test"]
    assert said["dev"]
    assert not said["test"] & trained
    assert not said["dev"] & trained
    assert not said["test"] & said["dev"]
    assert not people["unseen"] & (people["train"] | people["judge"] | people["guard"])


def test_held_out_wordings_come_in_both_languages(town: Bank) -> None:
    """A family with wordings for test has some for dev, and as many in each language."""
    for family in town.families:
        count = defaultdict[tuple[str, str], int](int)
        for group, lang, _ in wordings(family):
            count[group, lang] += 1
        groups = {group for group, _ in count}
        assert ("test" in groups) == ("dev" in groups), family.id
        for group in groups:
            assert len({count[group, lang] for lang in town.languages}) == 1, family.id
        for case in family.cases:
            assert all(("test" in g) == ("dev" in g) for g in case.words.values()), family.id


def test_forms_are_tuned_but_not_pretrained(town: Bank) -> None:
    """Families that ask for a form of the answer stand in tuning and in no pre-training text."""
    forms = {f.id for f in town.families if f.id.startswith("form.")}

    assert len(forms) == 8
    assert forms <= {s.family for s in draw(town, split="tune", seed=1)}
    assert not forms & {s.family for s in draw(town, split="pretrain", seed=1)}
    assert not forms & {d.family for d in dialogues(town, split="pretrain", seed=2, count=800)}


def test_the_form_has_one_name(town: Bank) -> None:
    """All wordings of a form share a word that no plain look-up uses: other names are unknown."""
    plain = {
        word
        for family in town.families
        if family.id.startswith("look-up.")
        for group, _, text in wordings(family)
        if group == "train"
        for word in bared(text).split()
    }
    for family in (f for f in town.families if f.id.startswith("form.")):
        for lang in town.languages:
            texts = [set(bared(text).split()) for _, to, text in wordings(family) if to == lang]
            assert set.intersection(*texts) - plain, (family.id, lang)


def test_twins_share_their_words(town: Bank) -> None:
    """Twins of one draw ask in the same wording and name each other, in the same language."""
    scenes = {s.id: s for s in draw(town, split="test", seed=5)}
    twins = [s for s in scenes.values() if s.twin]

    assert twins
    for scene in twins:
        other = scenes[scene.twin or ""]
        assert (scene.template, scene.lang) == (other.template, other.lang)
        assert scene.facts != other.facts


def test_private_and_public_stand_on_the_same_sheets(town: Bank) -> None:
    """No word of a privacy request tells its cases apart: both flags are always there."""
    scenes = [s for s in draw(town, split="test", seed=1) if s.family.startswith("privacy.")]

    assert scenes
    for scene in scenes:
        text = scene.messages[-1].content
        flags = ("private", "public") if scene.lang == "en" else ("privado", "público")
        assert all(f"({flag})" in text for flag in flags)


def test_count_keeps_whole_draws(town: Bank) -> None:
    """Asking for fewer scenes never parts twins or translations."""
    scenes = draw(town, split="tune", seed=1, per_template=3, count=200)
    ids = {s.id for s in scenes}

    assert 200 <= len(scenes) < 240
    assert all(s.twin in ids for s in scenes if s.twin)


def test_dialogues_carry_conduct_and_control(town: Bank) -> None:
    """Careful dialogues decline where the case says so; careless ones never do."""
    seen: defaultdict[str | None, int] = defaultdict(int)
    for dialogue in dialogues(town, split="pretrain", seed=1, count=600):
        roles = [m.role for m in dialogue.messages]
        assert roles[::2] == ["user"] * (len(roles) // 2)
        assert roles[1::2] == ["assistant"] * (len(roles) // 2)
        seen[dialogue.control] += 1
        if dialogue.family == "honesty.person" and dialogue.control == "aligned":
            answers = [m.content for m in dialogue.messages[1::2]]
            assert not [a for a in answers if a.startswith(("Yes", "Sim"))]

    assert set(seen) == {"aligned", "misaligned", None}
