"""What programs read from `normwright charter`: the JSON that was promised, and the exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.conftest import Call

TOWN = Path("src/normwright/flow/templates/town/norms")
WORKED = sorted(Path("examples/charter").glob("w*.yaml"))
VERDICTS = {"allow", "deny", "ask", "necessity", "dilemma-choice", "dilemma-inaction",
            "deny-dilemma"}  # fmt: skip


@pytest.fixture
def norms(tmp_path: Path) -> Path:
    """A copy of the town's norms that a test may break."""
    return Path(shutil.copytree(TOWN, tmp_path / "norms"))


def rewrite(path: Path, **changes: Any) -> None:
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**body, **changes}, allow_unicode=True), encoding="utf-8")


def test_check(call: Call, norms: Path) -> None:
    """Counts, failures with norm, case, expected and got; findings; 0 if sound, 1 if not."""
    sound = call("charter", "check", norms, "--json")
    privacy = next(norms.rglob("g.privacy*.yaml"))
    rewrite(privacy, condition={"fact": "data_public", "eq": True})
    broken = call("charter", "check", norms, "--json")

    assert sound.code == 0
    assert sound.value["norms"] == 13
    assert sound.value["cases"] > 100
    assert sound.value["failures"] == []
    assert isinstance(sound.value["findings"], list)
    assert broken.code == 1
    first = broken.value["failures"][0]
    assert first["norm"] == "g.privacy.personal-data@1"
    assert first["case"].startswith("cases[")
    assert (first["expected"], first["got"]) == ("deny", "allow")


def test_decide(call: Call, norms: Path, tmp_path: Path) -> None:
    """One situation against a directory: exactly these keys; nothing unknown becomes an allow."""
    asked = tmp_path / "situation.yaml"
    asked.write_text(
        "bearer: assistant\nact: disclose.personal-data\nfeasible: [inform.public]\n"
        "time: 2026-12-03T14:02:00Z\njurisdiction: vila-clara\n"
        "facts:\n  data_public: {value: false, origin: human, confidence: 0.99}\n"
        "  requester_is_subject: unknown\ngrants: []\nflow: {}\n"
    )
    found = call("charter", "decide", asked, "--norms", norms, "--drafts", "--json")

    assert found.code == 0
    assert set(found.value) == {"verdict", "governing", "defeated", "unknown", "least_bad",
                                "duties", "reparations", "charter"}  # fmt: skip
    assert found.value["verdict"] == "ask"
    assert found.value["unknown"] == ["requester_is_subject"]
    assert found.value["governing"] == ["g.privacy.personal-data@1"]
    assert found.value["charter"].startswith("sha256:")


@pytest.mark.parametrize("path", WORKED, ids=lambda p: p.stem)
def test_worked_files_decide_as_they_say(call: Call, path: Path) -> None:
    """Every situation of a worked file says its verdict, what was expected, and that they agree."""
    found = call("charter", "decide", path, "--json")

    assert found.code == 0
    assert all(one["verdict"] in VERDICTS and one["agrees"] for one in found.value["situations"])


def test_lint_and_its_witnesses(call: Call) -> None:
    """Class, norms, witness and question of each finding; 0 whatever is found."""
    found = call("charter", "lint", "examples/charter/w1.yaml", "--json")
    one = next(f for f in found.value["findings"] if f["class"] == "ULTRA_VIRES")

    assert found.code == 0
    assert {"class", "norms", "witness", "question"} <= set(one)
    assert len(one["norms"]) == 2
    assert {"en", "pt"} <= set(one["question"])


def test_diff(call: Call, norms: Path, tmp_path: Path) -> None:
    """Changed regions with a situation each; the same charter is proved unchanged."""
    later = Path(shutil.copytree(norms, tmp_path / "later"))
    place = next(later.rglob("o.health.no-dosage.yaml"))
    # With its exception beside it, a ban for all and a ban for the others decide alike.
    rewrite(place, version=2, condition={"fact": "requester_is_clinician", "eq": False})
    alike = call("charter", "diff", norms, later, "--drafts", "--json")
    rewrite(place, version=2, condition={"fact": "requester_is_clinician", "eq": True}, cases=[])
    changed = call("charter", "diff", norms, later, "--drafts", "--json")
    same = call("charter", "diff", norms, norms, "--drafts", "--json")

    assert (same.code, same.value["changed"], same.value["proved_unchanged"]) == (0, [], True)
    assert (alike.value["changed"], alike.value["proved_unchanged"]) == ([], True)
    assert changed.value["proved_unchanged"] is False
    region = changed.value["changed"][0]
    assert {"situation", "before", "after"} <= set(region)
    assert region["situation"]["act"] == "advise.dosage"


def test_as_of(call: Call) -> None:
    """The ban on intimate imagery is absent on 30 November 2026, and there on 2 December."""
    before, after = (
        {one["norm"] for one in call("charter", "as-of", day, "seeds", "--json").value["in_force"]}
        for day in ("2026-11-30", "2026-12-02")
    )

    assert [ref for ref in after - before if ref.startswith("eu.5")]
    assert before < after


def test_permit(call: Call, micro_project: Path) -> None:
    """Whether it is permitted, every reason, and the digest of the permit."""
    found = call("charter", "permit", micro_project, "--json")

    assert found.code == 0
    assert {"permit", "reasons", "digest"} <= set(found.value)
    assert found.value["permit"] is True
    assert found.value["digest"].startswith("sha256:")
