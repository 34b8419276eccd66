"""The picture of a safety case shows every claim, hole and doubt, in the language asked for."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from tests.web.town import town

from normwright.records import Defence, SafetyCase
from normwright.release import argue, defeaters, node_text, open_points
from normwright.web.pictures.case import safety_case_picture
from normwright.web.words import words_for

LANGUAGES = ("en", "pt")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def case() -> SafetyCase:
    """The argument of the town's verdict; somebody bears that the model is small."""
    data = town()
    assert data.policy is not None
    assert data.verdict is not None
    told = {
        lang: defeaters(data.policy, data.measurements, list(data.models.values()), lang)
        for lang in LANGUAGES
    }
    return argue(
        data.verdict,
        criteria=data.criteria,
        name=data.title,
        defeated_by={name: {lang: told[lang][name] for lang in LANGUAGES} for name in told["en"]},
        defences={"small": Defence(owner="Ana", status="accepted")},
        languages=LANGUAGES,
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_picture_is_whole(case: SafetyCase, lang: str) -> None:
    """Every node is written out, nothing stands beyond the sheet, holes are counted."""
    picture = safety_case_picture(case, words_for([lang])[0])
    root = ElementTree.fromstring(picture)
    drawn = " ".join(text for e in root.iter(f"{SVG}text") if (text := e.text))
    spoken = root.find(f"{SVG}desc")
    width = float(root.attrib["width"])

    assert spoken is not None
    assert spoken.text is not None
    for node in case.nodes:
        if node.kind == "solution":
            assert (node.evidence or "").removeprefix("sha256:")[:8] in drawn
        else:
            assert " ".join(node_text(case, node, lang).split()) in " ".join(drawn.split())
            assert node.id in spoken.text
    for box in root.iter(f"{SVG}rect"):
        if box.attrib.get("width", "").replace(".", "").isdigit():
            assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width - 20
    assert f" {sum(1 for _ in open_points(case))} " in drawn


def test_a_hole_has_its_diamond(case: SafetyCase) -> None:
    """As many diamonds as undeveloped claims, and there are some."""
    picture = safety_case_picture(case, words_for(["en"])[0])
    holes = sum(node.standing == "undeveloped" for node in case.nodes)

    assert holes > 0
    assert picture.count('class="paper" style="stroke:') == holes
