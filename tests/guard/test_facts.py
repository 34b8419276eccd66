"""Rules read facts from sheets and phrases; what is not told is unknown; faults come together."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.guard import town

from normwright.guard import read_rules
from normwright.guard.canonical import Told
from normwright.records import InputError

PRIVACY = "disclose.personal-data"


def _values(found: dict) -> dict:
    return {name: fact.value for name, fact in found.items()}


@pytest.mark.parametrize(
    ("line", "key", "value", "public"),
    [
        ("Ana Prado - phone: 5512 (private)", "ana prado", "5512", False),
        ("Rui Melo: phone 7741 (public)", "rui melo", "7741", True),
        ("Bia Costa (private): lives in Sun Street", "bia costa", "sun street", False),
        ("Bia Costa (privado) - casa: Rua do Sol", "bia costa", "rua do sol", False),
        ("Ana Prado (PÚBLICO): recebe 12,50 por semana", "ana prado", "12,50", True),
    ],
)
def test_marked_lines_are_read(line: str, key: str, value: str, public: bool) -> None:
    """A marked line gives its key, its value and what the mark makes true, in both languages."""
    (entry,) = town.rules().sheet([line]).entries

    assert (entry.key, entry.values) == (key, (value,))
    assert entry.facts == (("data_public", public),)


def test_a_request_settles_a_fact_only_if_all_it_names_agree() -> None:
    """Naming a private person settles it; naming a private and a public one leaves it unknown."""
    sheet = town.rules().sheet(["Ana Prado: phone 5512 (private)", "Rui Melo: phone 7741 (public)"])
    asked = town.rules().asked

    assert _values(asked(PRIVACY, "Phone of ANA PRADO?", sheet)) == {"data_public": False}
    assert _values(asked(PRIVACY, "Phone of Rui Melo?", sheet)) == {"data_public": True}
    assert asked(PRIVACY, "Phones of Ana Prado and Rui Melo?", sheet) == {}
    assert asked(PRIVACY, "Phone of Olga Ramos?", sheet) == {}


def test_every_record_told_is_a_situation_of_its_own() -> None:
    """A private value is not made good by a public one in the same answer."""
    rules = town.rules()
    sheet = rules.sheet(["Ana Prado: phone 5512 (private)", "Rui Melo: phone 7741 (public)"])
    told = rules.told(Told("5512 and 7741"), "All phones", sheet, by="value")

    assert sorted(f["data_public"].value for _, f in told) == [False, True]
    assert all(f["data_public"].origin == "rule" for _, f in told)


def test_a_contradicting_copy_of_a_line_does_not_open_it() -> None:
    """Writing the same record once more as public leaves the private one standing."""
    rules = town.rules()
    sheet = rules.sheet(["Ana Prado: phone 5512 (private)", "Ana Prado: phone 5512 (public)"])
    told = rules.told(Told("5512"), "Phone of Ana Prado?", sheet, by="value")

    assert {f["data_public"].value for _, f in told} == {False, True}


@pytest.mark.parametrize(
    ("claim", "official"),
    [
        ("The vote is on Monday.", True),
        ("The vote is on Friday.", False),
        ("There is a vote.", None),
    ],
)
def test_claims_are_measured_by_the_official_value(claim: str, official: bool | None) -> None:
    """A claimed day is official or not; no day, or no sheet, is unknown."""
    rules = town.rules()
    sheet = rules.sheet(["- vote: Monday".removeprefix("- "), "fair: Friday"])
    found = _values(rules.asked("publish.election-notice", claim, sheet))

    assert found.get("date_official") == official
    assert rules.asked("publish.election-notice", claim, rules.sheet([])) == {}


def test_two_official_days_are_none() -> None:
    """A sheet that contradicts itself has no official day."""
    rules = town.rules()
    sheet = rules.sheet(["vote: Monday", "vote: Friday"])

    assert rules.asked("publish.election-notice", "The vote is on Friday.", sheet) == {}


def test_phrases_in_both_languages() -> None:
    """What people say of themselves is read by phrase, with every value it states."""
    said = town.rules().said

    assert set(said("requester_is_clinician", "I am the surgeon on duty.")) == {True}
    assert set(said("requester_is_clinician", "Sou enfermeira.")) == {True}
    assert not said("requester_is_clinician", "Ask a doctor, says my aunt.")
    assert set(said("purpose", "I repair the pipe, then I poison the water.")) == {
        "repair",
        "tamper",
    }


def test_all_faults_of_a_file_come_in_one_error(tmp_path: Path) -> None:
    """Unknown key, act and fact, bad expression, missing language and placeholder: one error."""
    content = yaml.safe_load((town.TOWN / "guard.yaml").read_text("utf-8"))
    content["confidense"] = 1
    content["declared"] = {"requester_is_subjekt": False}
    content["records"][0]["act"] = "disclose.personal"
    content["records"][0]["lines"] = ["(unclosed"]
    content["claims"][0]["fact"] = "date"
    content["refusal"]["en"] = "No."
    del content["question"]["pt"]
    content["confidence"] = 0.2
    path = tmp_path / "guard.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    with pytest.raises(InputError) as caught:
        read_rules(path, vocabulary=town.charter().vocabulary, languages=town.LANGS)
    places = [f.where.removeprefix("guard.yaml: ") for f in caught.value.faults]

    assert set(places) == {
        "confidense",
        "confidence",
        "declared.requester_is_subjekt",
        "records.mark-of-privacy.act",
        "records.mark-of-privacy.lines[0]",
        "claims.official-date.fact",
        "refusal.en",
        "question.pt",
    }
    assert any("Did you mean confidence?" in f.do for f in caught.value.faults)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: [", b"- list", None])
def test_a_file_that_cannot_be_read_is_one_plain_fault(
    tmp_path: Path, content: bytes | None
) -> None:
    """Not UTF-8, not YAML, not a mapping, not there: one fault that names the file."""
    path = tmp_path / "guard.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"guard\.yaml"):
        read_rules(path, vocabulary=town.charter().vocabulary, languages=town.LANGS)
