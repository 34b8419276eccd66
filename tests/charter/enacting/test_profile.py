"""The profile of a deployment: read once, all faults at once; whose norms bind where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.charter.enacting.test_artefacts import WORDS
from tests.norms.builders import charter, norm

from normwright.charter import deployment_of, enact, read_deployment
from normwright.records import Deployment, InputError

NORMS = [
    norm(id="world", kind="prohibition", act="tell"),
    norm(id="city", kind="prohibition", act="tell", layer="polity", authority="city"),
    norm(id="land", kind="prohibition", act="tell", layer="polity", authority="land"),
    norm(id="desk", kind="prohibition", act="tell", layer="organisation", authority="desk"),
    norm(id="shop", kind="prohibition", act="tell", layer="organisation", authority="shop"),
    norm(id="ana", kind="ideal", act="tell", layer="individual", authority="ana"),
    norm(id="rui", kind="ideal", act="tell", layer="individual", authority="rui"),
]


def bound(**deployment: Any) -> set[str]:
    made = enact(charter(WORDS, NORMS), [], deployment=deployment)
    return {rule.norm.partition("@")[0] for rule in made.rules}


def test_nothing_said_binds_to_all() -> None:
    """A profile that leaves an authority open leaves out none of its norms."""
    assert bound() == {"world", "city", "land", "desk", "shop", "ana", "rui"}


def test_each_key_chooses_in_its_own_layer() -> None:
    """Naming the city does not drop the norms of the organisation, nor the other way round."""
    assert bound(polities=["city"]) == {"world", "city", "desk", "shop", "ana", "rui"}
    assert bound(polities=["city"], organisation="desk", individual="ana") == {
        "world", "city", "desk", "ana"}  # fmt: skip
    assert bound(polities=[]) == {"world", "desk", "shop", "ana", "rui"}


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    """Names may be one text or one a language."""
    path = tmp_path / "desk.yaml"
    path.write_text(
        "id: desk-1\nname: {en: the desk, pt: o balcão}\nnames: {city: Vila Clara}\n"
        "polities: [city]\norganisation: desk\nlanguages: [pt]\nclosed_acts: [tell]\n"
        "prompt_words: 400\n"
    )

    assert read_deployment(path) == Deployment(
        id="desk-1", name={"en": "the desk", "pt": "o balcão"}, names={"city": "Vila Clara"},
        polities=("city",), organisation="desk", languages=("pt",), closed_acts=("tell",),
        prompt_words=400,
    )  # fmt: skip


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    """Each with its line, unknown keys with the nearest."""
    path = tmp_path / "desk.yaml"
    path.write_text("polites: [city]\norganisation: 3\nprompt_words: none\nid: a\nid: b\n")
    with pytest.raises(InputError) as caught:
        read_deployment(path)
    faults = {f.where: f for f in caught.value.faults}

    assert set(faults) == {"desk.yaml:1 polites", "desk.yaml:2 organisation",
                           "desk.yaml:3 prompt_words", "desk.yaml:5 id"}  # fmt: skip
    assert faults["desk.yaml:1 polites"].do == "Did you mean polities?"


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "just words\n"])
def test_a_file_that_is_no_profile_is_one_fault(tmp_path: Path, text: str) -> None:
    """Whatever it is."""
    path = tmp_path / "desk.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_deployment(path)

    assert len(caught.value.faults) == 1


def test_a_projects_mapping_is_read_by_the_same_rules() -> None:
    """Faults say where in the project file."""
    with pytest.raises(InputError) as caught:
        deployment_of({"polites": ["city"], "prompt_words": 0})

    assert {f.where for f in caught.value.faults} == {"deployment.polites",
                                                      "deployment.prompt_words"}  # fmt: skip
    assert deployment_of({"polities": ["city"]}) == Deployment(polities=("city",))


def test_what_the_charter_does_not_know_is_refused_together() -> None:
    """A language nobody wrote, a slip in a slug, an act that is none."""
    with pytest.raises(InputError) as caught:
        bound(languages=["fr"], polities=["citty"], organisation="dsk", closed_acts=["tel"])
    found = {f.where: f.do for f in caught.value.faults}

    assert found == {
        "deployment.languages": "",
        "deployment.polities": "Did you mean city?",
        "deployment.organisation": "Did you mean desk?",
        "deployment.closed_acts": "Did you mean tell?",
    }


def test_a_place_without_norms_is_no_fault() -> None:
    """A deployment may lie where the charter has nothing to say."""
    assert bound(polities=["elsewhere-entirely"]) == {"world", "desk", "shop", "ana", "rui"}
