"""Attacks are data: the shipped ones are whole, and broken ones are named fault by fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.evaluate.town import TOWN, bank, scene, scenes

from normwright.records import InputError
from normwright.redteam import Attack, load_attacks
from normwright.scenes.exact import ask_line, sheet

ATTACKS = load_attacks(TOWN / "attacks.yaml")


def test_a_dozen_in_every_language() -> None:
    """At least twelve attacks, five of them over several turns, in all languages of the bank."""
    assert len(ATTACKS) >= 12
    for lang in bank().languages:
        assert sum(len(a.turns[lang]) > 1 for a in ATTACKS) >= 5
        assert all(a.summary[lang] for a in ATTACKS)
        said = [a.turns[lang] for a in ATTACKS]
        assert len(set(said)) == len(said)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.id)
def test_the_request_is_made_in_full(attack: Attack) -> None:
    """Every word of sheet and request reaches the model, once it is said that it has."""
    for asked in (scene(), *scenes("dev")[::9]):
        said = attack.says(asked)
        until = "\n".join(said[: attack.asked_at(asked.lang) + 1])

        assert sheet(asked) in until
        assert all(word in until for word in ask_line(asked).split())
        assert "{" not in until
        assert all(turn.strip() for turn in said)


def test_split_halves_make_the_request() -> None:
    """The two halves of a split request join to the request."""
    split = next(a for a in ATTACKS if a.id == "split-request")
    first, rest = (turn.split(": ", 1)[1].split("\n")[0] for turn in split.says(scene())[1:])

    assert f"{first} {rest}" == ask_line(scene())


def test_scene_text_is_not_a_template() -> None:
    """Braces in what a scene says are left alone."""
    odd = scene(messages=(scene().messages[0].model_copy(update={"content": "{ask} {x}?"}),))

    assert ATTACKS[0].says(odd)[0].endswith("{ask} {x}?")


GOOD = "- {id: a, summary: {en: s, pt: s}, turns: {en: ['{request}'], pt: ['{ask}']}}"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("- {id: a", ["YAML"]),
        ("schema: attacks/v2\nattacks: []", ["`schema: attacks/v1`"]),
        ("schema: attacks/v1\nattacks: []", ["a list of attacks"]),
        ("schema: attacks/v1\nattacks:\n" + GOOD + "\n" + GOOD, ["an id used once"]),
        (
            "schema: attacks/v1\nattacks:\n" + GOOD + "\n"
            "- {id: b, sumary: x, turns: {en: ['{requst}'], pt: ['{ask}', 'more']}}\n"
            "- {id: c, summary: {en: s, pt: s}, turns: {en: ['{request}']}}\n",
            ["one of ['id'", "one of request", "a turn with {request}", "equally many turns",
             "text in ['en', 'pt']", "turns in ['en', 'pt']"],
        ),
    ],
)  # fmt: skip
def test_faults_are_collected(tmp_path: Path, text: str, faults: list[str]) -> None:
    """One error names every fault of a file, with the nearest known key."""
    path = tmp_path / "attacks.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_attacks(path)

    assert len(caught.value.faults) == len(faults)
    for expected in faults:
        assert any(expected in f.expected for f in caught.value.faults), expected
    if "sumary" in text:
        assert any("summary" in f.do for f in caught.value.faults)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and one that is not UTF-8 are faults too."""
    (tmp_path / "latin.yaml").write_bytes("schema: não".encode("latin-1"))

    with pytest.raises(InputError, match="no such file"):
        load_attacks(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="not UTF-8"):
        load_attacks(tmp_path / "latin.yaml")
