"""Breaking any part of a seed norm is noticed by one of that norm's own cases."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.charter.seeds.breaking import negated, noticing, twisted

from normwright.charter import CharterSource, read_source, seeds
from normwright.cli import main
from normwright.norms import facts_of
from normwright.records import Kind, Norm, OnUnknown

NORMS = tuple(path.stem for path in sorted(seeds().rglob("*.yaml")) if path.parent != seeds())
OTHERWISE: dict[Kind, Kind] = {
    "prohibition": "permission", "obligation": "prohibition", "permission": "prohibition",
    "guarantee": "permission", "exemption": "obligation", "ideal": "prohibition",
    "constitutive": "prohibition",
}  # fmt: skip
SHIELDED = {"br.cf.5.criticise-government"}
"""A global guarantee says the same of its acts, so that no verdict can rest on it alone."""

SILENT = {("permission", "guarantee"), ("obligation", "exemption")}
"""Kinds whose difference no case can show: a case says allow, deny or ask, and knows no duties;
a guarantee differs from a permission only in what layers below may do."""

STATES_NO_RULE = {"ideal", "constitutive"}


@pytest.fixture(scope="module")
def source() -> CharterSource:
    return read_source(seeds())


def one(source: CharterSource, norm_id: str) -> Norm:
    return next(norm for norm in source.norms if norm.id == norm_id)


@pytest.mark.parametrize("norm_id", NORMS)
def test_broken_condition_is_noticed(source: CharterSource, norm_id: str) -> None:
    """Denied as a whole, or any atom of it denied, dropped or moved: some case no longer fits."""
    norm = one(source, norm_id)
    facts = {fact.name: fact for fact in source.vocabulary.facts}
    ways = [("deny all of it", negated(norm.condition)), *twisted(norm.condition, facts)]

    missed = [
        way for way, condition in ways
        if not noticing(source, norm.model_copy(update={"condition": condition}))
    ]  # fmt: skip

    assert missed == []


@pytest.mark.parametrize("norm_id", NORMS)
def test_other_kind_is_noticed(source: CharterSource, norm_id: str) -> None:
    """A ban turned into a permission, a right into a permission, a duty into a ban: noticed."""
    norm = one(source, norm_id)
    other = norm.model_copy(update={"kind": OTHERWISE[norm.kind]})

    assert bool(noticing(source, other)) != (norm_id in SHIELDED)


@pytest.mark.slow
def test_every_other_kind_is_noticed(source: CharterSource) -> None:
    """Of all changes of kind, only those that no verdict can show pass unnoticed."""
    missed = {
        (norm.id, norm.kind, kind)
        for norm in source.norms
        for kind in OTHERWISE
        if kind != norm.kind and norm.id not in SHIELDED
        and not noticing(source, norm.model_copy(update={"kind": kind}))
    }  # fmt: skip

    assert {(old, new) for _, old, new in missed if not STATES_NO_RULE & {old}} <= SILENT
    assert {new for _, old, new in missed if old in STATES_NO_RULE} <= {
        "permission", "guarantee", *STATES_NO_RULE
    }  # fmt: skip


def _asking(source: CharterSource) -> list[Norm]:
    """Norms whose answer to unknown facts shows in a verdict."""
    return [
        norm for norm in source.norms
        if facts_of(norm.condition)
        and (norm.kind == "prohibition" or (norm.kind == "obligation" and not norm.deadline))
    ]  # fmt: skip


def _unanswered(
    source: CharterSource, answers: dict[OnUnknown, tuple[OnUnknown, ...]]
) -> list[str]:
    return [
        f"{norm.id} {other}"
        for norm in _asking(source)
        for other in answers[norm.on_unknown]
        if not noticing(source, norm.model_copy(update={"on_unknown": other}))
    ]


def test_softer_answer_to_the_unknown_is_noticed(source: CharterSource) -> None:
    """Deny made to ask, and ask made to allow, fails a case of every ban and duty to stop."""
    assert len(_asking(source)) >= 35
    assert _unanswered(source, {"deny": ("ask",), "ask": ("allow",), "allow": ()}) == []


@pytest.mark.slow
def test_other_answer_to_the_unknown_is_noticed(source: CharterSource) -> None:
    """Whatever else a ban or a duty to stop might say of unknown facts fails a case of it."""
    answers: dict[OnUnknown, tuple[OnUnknown, ...]] = {
        "deny": ("allow",), "ask": ("deny",), "allow": ("ask", "deny")
    }  # fmt: skip

    assert _unanswered(source, answers) == []


def test_wider_act_is_noticed(source: CharterSource) -> None:
    """A ban, permission or right that speaks about the next wider act catches a near miss."""
    parents = {act.name: act.is_a for act in source.vocabulary.acts}
    missed = [
        (norm.id, parent)
        for norm in source.norms
        if norm.kind in ("prohibition", "permission", "guarantee") and norm.id not in SHIELDED
        for parent in parents[norm.act]
        if not noticing(source, norm.model_copy(update={"act": parent}))
    ]

    assert missed == []


def test_other_day_is_noticed(source: CharterSource) -> None:
    """A dated norm has a case on its first day and, but for it, one on the day before."""
    dated = [norm for norm in source.norms if norm.valid_from is not None]

    assert len(dated) >= 13
    for norm in dated:
        assert norm.valid_from is not None
        earlier = norm.model_copy(update={"valid_from": None})
        later = norm.model_copy(
            update={"valid_from": norm.valid_from.replace(day=norm.valid_from.day + 1)}
        )
        assert noticing(source, earlier), norm.id
        assert noticing(source, later), norm.id


def test_other_counterparty_is_noticed(source: CharterSource) -> None:
    """Bans on what agents do among themselves do not reach what they do with people."""
    everyone = Norm.model_fields["counterparty"].default
    among_agents = ("aa.no-secret-channels", "aa.no-collusion-against-third-parties")
    for norm_id in among_agents:
        norm = one(source, norm_id)

        assert norm.counterparty == ("agent", "mixed")
        assert noticing(source, norm.model_copy(update={"counterparty": everyone}))


def test_law_of_another_place_is_noticed(source: CharterSource) -> None:
    """A European or Brazilian ban made worldwide denies a case from elsewhere."""
    local = ("eu.5.1d.no-crime-prediction-by-traits", "br.tse.no-campaign-deepfakes")
    for norm_id in local:
        worldwide = {"layer": "global", "authority": "world"}

        assert "elsewhere" in noticing(source, one(source, norm_id).model_copy(update=worldwide)), (
            norm_id
        )


def test_default_that_yields_no_more_is_noticed(source: CharterSource) -> None:
    """A default that no longer lets people choose for themselves fails its own case."""
    default = one(source, "g.style.no-profanity")

    assert "chosen" in noticing(source, default.model_copy(update={"overridable_by": ()}))


def _check(place: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["charter", "check", str(place), *more])
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out + said.err


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the collection with one text changed in one file."""

    def changed(file: str, old: str, new: str) -> Path:
        place = tmp_path / "seeds"
        shutil.copytree(seeds(), place)
        text = (place / file).read_text(encoding="utf-8")
        assert old in text
        (place / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return place

    return changed


def test_command_passes_the_collection(capsys: pytest.CaptureFixture[str]) -> None:
    """`charter check` reads the whole folder and finds nothing."""
    code, said = _check(seeds(), capsys, "--json")

    assert code == 0
    assert json.loads(said)["failures"] == []


def test_command_names_the_case_a_broken_condition_fails(
    copy: Callable[[str, str, str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A condition turned round fails `charter check`, with the file, the line and the case."""
    file = "global/g.honesty.no-claiming-human.yaml"
    place = copy(file, "fiction_agreed, eq: false}", "fiction_agreed, eq: true}")

    code, said = _check(place, capsys)

    assert code == 1
    assert f"{file}:" in said
    assert "cases[0]" in said


def test_command_names_the_case_of_another_kind(
    copy: Callable[[str, str, str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A ban that only asks where it must deny fails, with the sentence of the case."""
    file = "global/g.life.no-mass-harm.yaml"
    place = copy(file, "on_unknown: deny", "on_unknown: ask")

    code, said = _check(place, capsys, "--json")

    (first, second) = json.loads(said)["failures"]
    assert code == 1
    assert (first["case"], first["expected"], first["got"]) == ("unclear", "deny", "ask")
    assert {first["lang"], second["lang"]} == {"en", "pt"}
