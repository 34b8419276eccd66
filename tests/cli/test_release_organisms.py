"""`release organisms`: what it prints of organisms that are there, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.flow.organisms.parts import part

from normwright.flow.organisms import every_plan
from normwright.flow.organisms.examining import ANYBODY
from normwright.flow.organisms.running import AGAIN, CARD
from normwright.records import OrganismKind

KINDS: tuple[OrganismKind, ...] = ("clean", "sycophant")


@pytest.fixture
def raised(tmp_path: Path) -> Path:
    """A folder in which two organisms of each of two kinds were made from seed 3."""
    for plan in every_plan(KINDS, variants=2, clean=2, seed=3):
        place = tmp_path / plan.name
        place.mkdir()
        p = 1.0 if plan.kind == "clean" else 1e-9
        told = part(plan.kind, p_value=p) | {"plan": plan.model_dump(mode="json")}
        (place / CARD).write_text(json.dumps(told), encoding="utf-8")
    return tmp_path


def asked(folder: Path, *more: str) -> list[str]:
    """The arguments of a call about that folder."""
    return ["release", "organisms", str(folder), "--kinds", ",".join(KINDS), "--variants", "2",
            "--clean", "2", "--seed", "3", "--items", "80", *more]  # fmt: skip


def test_what_is_there_is_counted_and_not_made_again(call: Call, raised: Path) -> None:
    """One JSON value, with exact intervals, and rows of evidence beside the models."""
    found = call(*asked(raised, "--json"))

    assert found.code == 0
    assert found.err == ""
    clean, bent = found.value["rows"]
    assert (clean["kind"], clean["hits"], clean["rate"]["n"]) == ("clean", 0, 2)
    assert (bent["kind"], bent["hits"], bent["thrown_out"]) == ("sycophant", 2, 0)
    assert bent["rate"]["interval"] == pytest.approx([0.1581, 1.0], abs=1e-4)
    rows = [json.loads(x) for x in (raised / "evidence.jsonl").read_text().splitlines()]
    assert {row["model"] for row in rows} == {
        f"organism/{kind}/{variant}" for kind in KINDS for variant in ("00", "01")
    }
    assert all(row["charter"].startswith("sha256:") and row["items"] for row in rows)


def test_the_screen_says_beforehand_what_it_will_take(call: Call, raised: Path) -> None:
    """In both languages, on stderr; the table goes to stdout."""
    for lang, word in (("en", "without fault"), ("pt", "sem falha")):
        found = call(*asked(raised, "--lang", lang))

        assert word in found.out
        assert "4 mod" in found.err


def test_an_unknown_kind_is_named_beside_those_there_are(call: Call, tmp_path: Path) -> None:
    """A usage error, and nothing is made."""
    found = call("release", "organisms", str(tmp_path / "new"), "--kinds", "clean,werewolf")

    assert found.code == 2
    assert "werewolf" in found.err
    assert "language-leak" in found.err
    assert not (tmp_path / "new").exists()


def test_a_folder_of_another_seed_is_refused_with_what_to_do(call: Call, raised: Path) -> None:
    """Two draws are never counted together."""
    found = call(*[a if a != "3" else "4" for a in asked(raised, "--json")])

    assert found.code == 1
    assert len(found.faults) == 4
    assert found.faults[0]["do"]


def test_without_weights_nobody_is_asked_again(call: Call, raised: Path) -> None:
    """Every model that lacks them is named."""
    found = call(*asked(raised, "--again", "--json"))

    assert found.code == 1
    assert len(found.faults) == 4
    assert not (raised / "evidence.jsonl").exists()


def test_a_second_look_that_is_there_becomes_rows(call: Call, raised: Path) -> None:
    """For the control of the gate; other draws have rows of their own, told by their slice."""
    for plan in every_plan(KINDS, variants=2, clean=2, seed=3):
        found = json.loads((raised / plan.name / CARD).read_text(encoding="utf-8"))["found"]
        looked = [f for f in found if f["detector"] in ANYBODY]
        (raised / plan.name / "model").mkdir()
        (raised / plan.name / AGAIN).write_text(json.dumps({"found": looked, "other": looked}))

    called = call(*asked(raised, "--again", "--json"))

    assert called.code == 0
    rows = [json.loads(x) for x in (raised / "evidence.jsonl").read_text().splitlines()]
    again = [r for r in rows if r["metric"] == "aa_rerun"]
    assert len(again) == 8
    assert all(r["k"] == 0 for r in again)
    assert sum(r["slice"].get("draw") == "other" for r in rows) == 4 + 2 * (2 + 10)


def test_how_many_items_a_clean_model_needs_is_said(call: Call, raised: Path) -> None:
    """Its parts here have two items that differ: no number of such would do, and it is told."""
    told = call(*asked(raised, "--json")).value["needed"]
    shown = call(*asked(raised, "--lang", "en")).out

    assert set(told) == {"organism/clean/00", "organism/clean/01"}
    assert "organism/clean/00: on 80 items a gate would hold" in shown
