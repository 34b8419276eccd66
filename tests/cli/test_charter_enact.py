"""`charter enact|import|export` as a shell sees them: files, screens, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import Call

import normwright
from normwright.charter import assembled, read_source
from normwright.flow import check_policy, enacted, write_policy
from normwright.records import Policy
from normwright.release import read_criteria

NORMS = Path(normwright.__file__).parent / "flow" / "templates" / "town" / "norms"
FILES = {
    "coverage.json", "criteria.yaml", "evaluation.jsonl", "guard.yaml", "policy.json",
    "principles.yaml", "prompt.en.md", "prompt.pt.md", "rewards.yaml", "rubric.yaml",
}  # fmt: skip
PRIVACY = "g.privacy.personal-data@1"


@pytest.fixture(scope="module")
def town() -> Policy:
    """The town's drafts, as if they held."""
    return enacted(NORMS, None, charter=assembled(read_source(NORMS), drafts=True))


@pytest.fixture
def out(town: Policy, tmp_path: Path) -> Path:
    """The town's policy, written."""
    write_policy(town, tmp_path / "policy")
    return tmp_path / "policy"


def test_every_artefact_is_written_and_the_matrix_shown(call: Call, tmp_path: Path) -> None:
    """Ten files; ticks on the screen; one JSON value with the same rows."""
    shown = call("charter", "enact", str(NORMS), "--drafts", "--out", str(tmp_path / "a"))
    told = call("charter", "enact", str(NORMS), "--drafts", "--json").value

    assert shown.code == 0
    assert {p.name for p in (tmp_path / "a").iterdir()} == FILES
    assert shown.out.count("✓") >= 40
    assert told["complete"]
    assert told["holes"] == []
    assert len(told["rows"]) == 13


def test_the_same_charter_gives_the_same_bytes(town: Policy, tmp_path: Path) -> None:
    """Twice written, twice the same."""
    for name in ("a", "b"):
        write_policy(town, tmp_path / name)

    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_was_written_reads_back_equal(town: Policy, out: Path) -> None:
    """Nothing is lost in the files, and release takes the criteria as they are."""
    found = check_policy(town, out)
    kept = Policy.model_validate_json((out / "policy.json").read_bytes())

    assert found.policy == town
    assert found.edited == ()
    assert kept.digest == town.digest
    assert read_criteria(out / "criteria.yaml", languages=("en", "pt")).criteria == town.criteria


def test_a_deleted_guard_rule_of_a_constitutional_norm_fails(call: Call, out: Path) -> None:
    """Exit 1, with the norm and the artefact named, in the language asked for."""
    body = yaml.safe_load((out / "guard.yaml").read_text("utf-8"))
    body["guard_rules"] = [g for g in body["guard_rules"] if g["norm"] != PRIVACY]
    (out / "guard.yaml").write_text(yaml.safe_dump(body), "utf-8")
    shown = call("charter", "enact", str(NORMS), "--drafts", "--check", str(out), "--lang", "pt")
    told = call("charter", "enact", str(NORMS), "--drafts", "--check", str(out), "--json")

    assert (shown.code, told.code) == (1, 1)
    assert "LACUNA" in shown.out
    assert "[g.privacy.personal-data]" in shown.out
    assert [(h["norm"], h["artefact"]) for h in told.value["holes"]] == [(PRIVACY, "guard")]
    assert told.value["edited"] == ["guard.yaml"]


@pytest.mark.parametrize(
    ("name", "artefact"),
    [("guard.yaml", "guard"), ("rewards.yaml", "reward"), ("evaluation.jsonl", "evaluation"),
     ("criteria.yaml", "criterion")],
)  # fmt: skip
def test_a_file_that_is_gone_is_a_hole_for_every_floor(
    call: Call, out: Path, name: str, artefact: str
) -> None:
    """All seven constitutional norms of the town are named."""
    (out / name).unlink()
    told = call("charter", "enact", str(NORMS), "--drafts", "--check", str(out), "--json")
    errors = [h for h in told.value["holes"] if h["severity"] == "error"]

    assert told.code == 1
    assert {h["artefact"] for h in errors} == {artefact}
    assert len(errors) == 7


def test_all_faults_of_edited_files_are_told_at_once(call: Call, out: Path) -> None:
    """Unknown keys, values that do not fit, lines that are no JSON, each with its place."""
    guard = (out / "guard.yaml").read_text("utf-8")
    (out / "guard.yaml").write_text(guard.replace("effect: deny", "effekt: deny", 1), "utf-8")
    (out / "evaluation.jsonl").write_text("{\n[]\n", "utf-8")
    found = call("charter", "enact", str(NORMS), "--drafts", "--check", str(out), "--json")
    wheres = [fault["where"] for fault in found.faults]

    assert found.code == 1
    assert any(w.startswith("guard.yaml:") and w.endswith("effekt") for w in wheres)
    assert {"evaluation.jsonl:1", "evaluation.jsonl:2"} <= set(wheres)


def test_files_of_another_charter_are_refused(call: Call, out: Path) -> None:
    """A digest that differs says which file to make again."""
    text = (out / "rubric.yaml").read_text("utf-8")
    (out / "rubric.yaml").write_text(text.replace("sha256:", "sha256:0", 1), "utf-8")
    found = call("charter", "enact", str(NORMS), "--drafts", "--check", str(out), "--json")

    assert found.code == 1
    assert [f["where"] for f in found.faults] == ["rubric.yaml:2 charter"]


def test_nothing_is_written_over(call: Call, out: Path) -> None:
    """An edited policy is safe from a second run."""
    (out / "guard.yaml").write_text("mine", "utf-8")
    found = call("charter", "enact", str(NORMS), "--drafts", "--out", str(out), "--json")

    assert found.code == 1
    assert (out / "guard.yaml").read_text("utf-8") == "mine"


def test_drafts_alone_hold_nothing(call: Call) -> None:
    """Without `--drafts` there is no norm to enact, and the fault says so."""
    found = call("charter", "enact", str(NORMS), "--json")

    assert found.code == 1
    assert "--drafts" in found.faults[0]["do"]


def test_a_check_follows_the_profile_the_folder_was_written_for(call: Call, tmp_path: Path) -> None:
    """The folder keeps its profile, so that checking needs no second file."""
    profile = tmp_path / "desk.yaml"
    profile.write_text("id: desk-1\npolities: []\norganisation: town-hall\n", "utf-8")
    out = tmp_path / "policy"
    made = call("charter", "enact", str(NORMS), "--drafts", "--deployment", str(profile),
                "--out", str(out), "--json")  # fmt: skip
    checked = call("charter", "enact", str(NORMS), "--drafts", "--check", str(out), "--json")

    assert made.value["charter"] == checked.value["charter"]
    assert checked.value["edited"] == []
    assert not [r for r in checked.value["rows"] if r["norm"].startswith("p.")]


def test_a_faulty_profile_is_told_whole(call: Call, tmp_path: Path) -> None:
    """Unknown keys with the nearest."""
    profile = tmp_path / "desk.yaml"
    profile.write_text("polites: []\nprompt_words: 0\n", "utf-8")
    found = call("charter", "enact", str(NORMS), "--drafts", "--deployment", str(profile),
                 "--json")  # fmt: skip

    assert [f["do"] for f in found.faults if "polites" in f["where"]] == ["Did you mean polities?"]
    assert len(found.faults) == 2


def test_a_model_spec_document_is_imported(call: Call, tmp_path: Path) -> None:
    """Counts by authority in the answer, and what was missing."""
    handbook = Path(__file__).parents[1] / "charter" / "exchange" / "model_spec" / "model_spec.md"
    told = call("charter", "import", "model-spec", str(handbook), "--out", str(tmp_path / "a"),
                "--on", "2026-11-26", "--json").value  # fmt: skip

    assert told["sections"] == 59
    assert told["levels"] == {"root": 22, "system": 3, "developer": 1, "user": 15, "guideline": 18}
    assert (told["missing_examples"], told["unused_examples"]) == (["ch4r"], ["z9z9"])


def test_cedar_is_written_with_its_schema_and_what_it_cannot_say(
    call: Call, tmp_path: Path
) -> None:
    """Two files; the list is in the language asked for."""
    out = tmp_path / "town.cedar"
    shown = call("charter", "export", "cedar", str(NORMS), "--drafts", "--out", str(out),
                 "--on", "2026-11-26", "--lang", "pt")  # fmt: skip
    told = call("charter", "export", "cedar", str(NORMS), "--drafts", "--out", str(out),
                "--on", "2026-11-26", "--json").value  # fmt: skip

    assert shown.code == 0
    assert "O que o Cedar não sabe dizer" in shown.out
    assert out.read_text("utf-8") == told["policies"]
    assert (tmp_path / "town.cedarschema").read_text("utf-8") == told["schema"]
    assert "g.transparency.say-ai@1" in {one["norm"] for one in told["cannot_say"]}
    assert json.dumps(told["cannot_say"])
