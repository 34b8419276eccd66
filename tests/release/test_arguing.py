"""The argument of a verdict holds together in every notation, and shows every hole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.release.builders import ALIGNED, criteria, criterion, policy, rate

from normwright.records import Defence, SafetyCase, Verdict
from normwright.release import Control, argue, decide, gsn2x, node_text, open_points, tea

NAME = {"en": "The assistant of Vila Clara", "pt": "O assistente de Vila Clara"}
DOUBTS = {
    "templated": {"en": "Requests are templates.", "pt": "Os pedidos são modelos."},
    "small": {"en": "The model is small.", "pt": "O modelo é pequeno."},
}
CHILD: dict[str, Any] = {
    "type": "object",
    "required": ["id", "type", "description", "inSandbox", "children"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "type": {"enum": ["GOAL", "CONTEXT", "STRATEGY", "PROPERTY_CLAIM", "EVIDENCE"]},
        "description": {"type": "string", "minLength": 1},
        "inSandbox": {"const": False},
        "children": {"type": "array", "items": {"$ref": "#/definitions/element"}},
        "isDefeater": {"type": "boolean"},
        "defeatsElementId": {"type": "string", "format": "uuid"},
        "level": {"type": "integer", "minimum": 1},
        "role": {"enum": ["TOP_LEVEL", "SUPPORTING"]},
        "url": {"type": "string"},
    },
    "if": {"properties": {"type": {"const": "CONTEXT"}}},
    "then": {"properties": {"children": {"maxItems": 0}}},
}
"""What the TEA export format 1.0 asks of an element, as its documentation states it."""
EXPORT: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["version", "exportedAt", "case", "tree"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.0"},
        "exportedAt": {"type": "string", "format": "date-time"},
        "case": {
            "type": "object",
            "required": ["name", "description"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "description": {"type": "string"},
            },
        },
        "tree": {"$ref": "#/definitions/element"},
    },
    "definitions": {"element": CHILD},
}


def verdict(
    harm: tuple[int, int] = (0, 500),
    attack: tuple[int, int] | None = (0, 500),
    controls: tuple[Control, ...] = (),
    bad: tuple[int, int] = (400, 500),
) -> tuple[Verdict, Any]:
    """A verdict on harm and attacks, with a control that is bad as often as `bad` says."""
    asked = criteria(
        criterion(limit=0.02),
        criterion("attack", suite="attack", limit=0.05),
        modes=("internal", "api_guarded"),
        controls=controls,
    )
    measured = [rate(*harm), *([rate(*attack, suite="attack")] if attack else [])]
    for control in controls:
        measured.append(rate(*bad, model=f"control:{control.name}"))
        measured.append(rate(*bad, suite="attack", model=f"control:{control.name}"))
    found = decide(
        asked, measurements=measured, contrasts=[], policy=policy(), model_digest=ALIGNED
    )
    return found, asked


def argued(defences: Mapping[str, Defence] | None = None, **about: Any) -> SafetyCase:
    """The argument of such a verdict."""
    found, asked = verdict(**about)
    return argue(
        found,
        criteria=asked,
        name=NAME,
        defeated_by=DOUBTS,
        defences=defences,
        languages=("en", "pt"),
    )


def faults_of_gsn(text: str) -> list[str]:
    """What gsn2x itself would object to: its checks V01 to V16 and C01 to C16, as documented."""
    elements = {k: v for k, v in yaml.safe_load(text).items() if k != "module"}
    kinds = {id: kind_of(id) for id in elements}
    faults = [f"V01 {id}" for id, kind in kinds.items() if kind is None]
    referenced: Counter[str] = Counter()
    for id, element in elements.items():
        supports, contexts = element.get("supportedBy", []), element.get("inContextOf", [])
        referenced.update([*supports, *contexts])
        if kinds[id] in ("G", "S") and bool(supports) == bool(element.get("undeveloped")):
            faults.append(f"V02/V03 {id}")
        faults += [f"V04 {id} {s}" for s in supports if kinds.get(s) not in ("G", "S", "Sn")]
        faults += [f"V04 {id} {c}" for c in contexts if kinds.get(c) not in ("C", "A", "J")]
        for refs in (supports, contexts):
            faults += [f"V05/V06 {id}"] * (len(set(refs)) != len(refs) or id in refs)
            faults += [f"C03 {id} {ref}" for ref in refs if ref not in elements]
        against = element.get("challenges")
        if against:
            faults += [f"V12 {id}"] * (kinds[id] not in ("CG", "CSn"))
            faults += [f"C13/C14 {id}"] * (against == id or against not in elements)
        if element.get("defeated") and not any(
            other.get("challenges") == id for other in elements.values()
        ):
            faults.append(f"V10 {id}")
    tops = [i for i in elements if not referenced[i] and kinds[i] not in ("CG", "CSn")]
    faults += [f"C01/C02 {tops}"] * (len(tops) != 1 or kinds[tops[0]] != "G")
    faults += [f"C08 {id}" for id in unreachable(elements, tops)]
    return faults


def kind_of(id: str) -> str | None:
    """The kind an id has by its prefix, the longest first."""
    return next((p for p in ("CSn", "CG", "Sn", "G", "S", "C", "A", "J") if id.startswith(p)), None)


def unreachable(elements: Mapping[str, Any], tops: list[str]) -> list[str]:
    """Elements no path from the top leads to; counter-arguments are reached by what they doubt."""
    seen: set[str] = set()

    def walk(id: str, above: tuple[str, ...]) -> None:
        assert id not in above, f"C04: {id} supports itself"
        seen.add(id)
        element = elements.get(id, {})
        for below in (*element.get("supportedBy", ()), *element.get("inContextOf", ())):
            walk(below, (*above, id))

    for top in tops:
        walk(top, ())
    return [i for i, e in elements.items() if i not in seen and e.get("challenges") not in seen]


def walked(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every element of an exported tree."""
    yield tree
    for child in tree["children"]:
        yield from walked(child)


def exported(case: SafetyCase, lang: str) -> dict[str, Any]:
    """The export, after its format was checked."""
    found = tea(case, lang, exported_at="2026-11-26T10:00:00Z")
    jsonschema.validate(
        found,
        EXPORT,
        cls=jsonschema.Draft7Validator,
        format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
    )
    return found


counts = st.tuples(st.integers(0, 30), st.just(500))


@settings(deadline=None, max_examples=40, derandomize=True)
@given(harm=counts, attack=st.one_of(st.none(), counts), bad=counts, controlled=st.booleans())
def test_every_verdict_makes_a_case_that_both_tools_would_read(
    harm: tuple[int, int],
    attack: tuple[int, int] | None,
    bad: tuple[int, int],
    controlled: bool,
) -> None:
    """Whatever was decided: no dangling id, no cycle, one top, each element as its format asks."""
    controls = (Control("known-bad", "fail", ("safety",)),) if controlled else ()
    case = argued(harm=harm, attack=attack, controls=controls, bad=bad)

    for lang in ("en", "pt"):
        assert faults_of_gsn(gsn2x(case, lang)) == []
        found = list(walked(exported(case, lang)["tree"]))
        ids = [element["id"] for element in found]
        assert len(set(ids)) == len(ids)
        assert all(UUID(e["defeatsElementId"]) and e["defeatsElementId"] in ids
                   for e in found if e.get("isDefeater"))  # fmt: skip
        assert {e["name"] for e in found} == {node.id for node in case.nodes}


def test_the_checks_object_to_a_broken_case() -> None:
    """A reference to nothing, an unmarked hole and a second top are each noticed."""
    whole = yaml.safe_load(gsn2x(argued(attack=None), "en"))
    hole = next(id for id, e in whole.items() if e.get("undeveloped") and id.startswith("G"))

    def broken(**change: Any) -> list[str]:
        return faults_of_gsn(yaml.safe_dump({**whole, **change}))

    assert broken() == []
    assert broken(**{hole: {"text": "x"}}) == [f"V02/V03 {hole}"]
    assert "C03 G-release nowhere" in " ".join(
        broken(**{"G-release": {**whole["G-release"], "inContextOf": ["nowhere"]}})
    )
    assert any(f.startswith("C01") for f in broken(**{"G-2": {"text": "x", "undeveloped": True}}))


def test_a_removed_piece_of_evidence_leaves_a_visible_hole() -> None:
    """With evidence the claim holds; without it the claim is undeveloped, in every notation."""
    whole, holed = argued(), argued(attack=None)
    id = "G-internal-attack"

    def node(case: SafetyCase) -> Any:
        return next(n for n in case.nodes if n.id == id)

    assert node(whole).standing == "holds"
    assert node(holed).standing == "undeveloped"
    assert id in [n.id for n in open_points(holed)]
    assert id not in [n.id for n in open_points(whole)]
    assert yaml.safe_load(gsn2x(holed, "en"))[id]["undeveloped"] is True
    told = next(e for e in walked(exported(holed, "pt")["tree"]) if e["name"] == id)
    assert told["children"] == []
    assert "por desenvolver" in told["description"]


def test_what_failed_is_defeated_by_its_own_evidence() -> None:
    """A failed criterion is challenged by the reason it failed for, and marked as defeated."""
    case = argued(harm=(60, 500))
    elements = yaml.safe_load(gsn2x(case, "en"))

    assert elements["G-internal-harm"]["defeated"] is True
    assert "over the limit" in elements["CG-internal-harm"]["text"]
    assert case.nodes[0].standing == "refuted"


def test_a_doubt_names_its_owner_or_that_nobody_answers_for_it() -> None:
    """Doubts stay open until somebody settles them; an unknown name is refused."""
    answered = Defence(owner="Rui", status="answered", note={"en": "Free text was tried."})
    case = argued(defences={"small": answered})
    told = {n.id: node_text(case, n, "en") for n in case.nodes}
    still = [n.id for n in open_points(case)]

    assert told["CG-small"].endswith("[answered; Rui: Free text was tried.]")
    assert told["CG-templated"].endswith("[open; nobody answers for it]")
    assert "CG-templated" in still
    assert "CG-small" not in still
    with pytest.raises(ValueError, match="no defeater is called weather"):
        argued(defences={"weather": answered})
