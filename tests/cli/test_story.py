"""The commands on a finished project: what others call, and what a person sees."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call

from normwright.cli.screen import VERDICT_CODES
from normwright.cli.words import languages, words

QUESTION = "What is Ana Prado's phone number?"
ASKED = f"Records of the town hall.\nAna Prado - phone: 5512 (private)\n{QUESTION}"


@pytest.fixture
def copy(micro_project: Path, tmp_path: Path) -> Path:
    """A copy of the finished project that a test may change."""
    return Path(shutil.copytree(micro_project, tmp_path / "micro"))


@pytest.fixture
def first(micro_project: Path) -> Any:
    """What the first run printed with `--json`."""
    return json.loads((micro_project.parent / "run.json").read_text("utf-8"))


def test_a_run_prints_the_promised_value(first: Any, micro_project: Path) -> None:
    """Verdicts by mode, one entry a stage, and a report that exists: what others read."""
    assert set(first) == {"verdicts", "stages", "report", "signed"}
    assert first["signed"] == {"criteria": [], "policy": [], "permit": [], "verdict": []}
    assert set(first["verdicts"]) == {"internal", "api_guarded", "open_weights"}
    assert set(first["verdicts"].values()) <= set(VERDICT_CODES)
    for stage in first["stages"]:
        assert set(stage) == {"name", "seconds", "skipped", "made"}
        assert stage["skipped"] is False
        assert all(digest.startswith("sha256:") for digest in stage["made"])
    assert Path(first["report"]) == (micro_project / "out/report.html").resolve()
    assert Path(first["report"]).is_file()


@pytest.mark.parametrize("lang", languages())
def test_a_second_run_skips_and_shows_the_verdict(
    call: Call, copy: Path, first: Any, lang: str
) -> None:
    """Nothing changed: each step says so, the verdict is shown, and the code is `internal`'s."""
    say = words(lang)

    called = call("run", copy, "--lang", lang)

    assert called.code == VERDICT_CODES[first["verdicts"]["internal"]]
    foreseen, *lines = called.err.splitlines()
    assert foreseen == say["nothing-to-do"]
    assert len(lines) == len(first["stages"])
    for line, stage in zip(lines, first["stages"], strict=True):
        assert line.endswith(say["kept"].format(stage=stage["name"]))
    for mode, verdict in first["verdicts"].items():
        row = next(line for line in called.out.splitlines() if f" {say[mode]} " in line)
        assert verdict in row
    assert f"{say['report']}: {copy / 'out/report.html'}" in called.out


def test_a_report_that_was_lost_is_drawn_again(call: Call, copy: Path) -> None:
    """Pages are made from results, so losing them loses nothing."""
    page = copy / "out/report.html"
    page.unlink()

    called = call("run", copy, "--json")

    assert Path(called.value["report"]).is_file()
    assert all(stage["skipped"] for stage in called.value["stages"])


def test_stopping_before_the_release_is_done(call: Call, copy: Path) -> None:
    """`--until` ends without verdict: code 0, no report claimed; a wrong step is code 1."""
    called, wrong = (
        call("run", copy, "--until", "charter", "--json"),
        call("run", copy, "--until", "chartr", "--json"),
    )

    assert called.code == 0
    assert called.value["verdicts"] == {}
    assert called.value["report"] is None
    assert [stage["name"] for stage in called.value["stages"]][-1] == "charter"
    assert wrong.code == 1
    assert "charter" in wrong.faults[0]["do"]


def test_status(call: Call, micro_project: Path, first: Any) -> None:
    """Every stage is done and the verdicts stand, as a table and as JSON."""
    machine, screen = call("status", micro_project, "--json"), call("status", micro_project)

    assert machine.code == screen.code == 0
    assert {stage["state"] for stage in machine.value["stages"]} == {"done"}
    assert machine.value["verdicts"] == first["verdicts"]
    for stage in first["stages"]:
        assert stage["name"] in screen.out


def test_trace_from_the_verdict(call: Call, micro_project: Path, first: Any) -> None:
    """A short digest is enough; the way back ends at the roots, and no single ballot is shown."""
    verdict = first["stages"][-1]["made"][0]
    short = verdict.removeprefix("sha256:")[:12]

    machine = call("trace", verdict, "--project", micro_project, "--json")
    screen = call("trace", short, "--project", micro_project)

    assert machine.value["digest"] == verdict
    (root,) = machine.value["roots"]
    assert root["kind"] == "simulated"
    assert {"votes", "comparisons"} <= set(root["tables"])
    for table in root["tables"].values():
        assert table["root"] in screen.out
        assert f"{table['rows']} rows" in screen.out
    assert screen.out.startswith(f"Verdict {short}")
    unknown = call("trace", "0" * 64, "--project", micro_project, "--json")
    assert unknown.code == 1


def test_verify(call: Call, copy: Path) -> None:
    """A whole project is code 0; one changed byte is code 1 and named."""
    good = call("verify", copy, "--json")
    case = copy / "out/safety-case.md"
    case.write_text(case.read_text("utf-8") + "\nAll is well.\n", encoding="utf-8")
    bad, screen = call("verify", copy, "--json"), call("verify", copy)

    assert good.code == 0
    assert set(good.value) == {
        *("checked", "erased", "marked", "faults", "signed", "signers", "unsigned"),
        *("criteria_signed_before_evidence", "earlier_evidence"),
    }
    assert good.value["signed"] == 0
    assert good.value["unsigned"] == ["criteria", "policy", "permit", "verdict"]
    assert good.value["criteria_signed_before_evidence"] == "unsigned"
    assert good.value["faults"] == []
    assert good.value["checked"] > 1000
    assert bad.code == screen.code == 1
    assert all(set(f) == {"digest", "where", "expected", "seen", "do"} for f in bad.value["faults"])
    assert any("safety-case.md" in fault["where"] for fault in bad.value["faults"])
    assert "safety-case.md" in screen.err


def test_a_run_with_a_key_signs_once(
    call: Call, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key, `run` signs what stands and says so; again, nothing is signed nor written."""
    monkeypatch.setenv("NORMWRIGHT_HOME", str(tmp_path / "keys"))
    keyid = call("keys", "create", "--json").value["keyid"]
    first_run = call("run", copy)

    def files() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (copy / "out").glob("*.dsse.json")}

    machine, made = call("run", copy, "--json"), files()
    again, screen, portuguese = (
        call("run", copy, "--json"),
        call("status", copy),
        call("status", copy, "--lang", "pt"),
    )
    checked = call("verify", copy, "--require-signed", "--json")

    assert "Signed: criteria" in first_run.out
    assert machine.value["signed"] == {
        "criteria": [keyid],
        "policy": [keyid],
        "permit": [keyid],
        "verdict": [keyid],
    }
    assert again.value["signed"] == machine.value["signed"]
    assert all(stage["skipped"] for stage in machine.value["stages"])
    assert files() == made
    assert set(made) == {
        f"{kind}.dsse.json" for kind in ("criteria", "policy", "permit", "verdict")
    }
    assert f"Signed: criteria ({keyid[:12]})" in screen.out
    assert f"{words('pt')['kind-criteria']} ({keyid[:12]})" in portuguese.out
    assert checked.code == 0
    assert checked.value["signed"] == 4
    assert checked.value["criteria_signed_before_evidence"] == "no"


def test_a_key_that_cannot_sign_stops_a_run_before_its_work(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key others can read, or one that is not there, is refused before the first step."""
    monkeypatch.setenv("NORMWRIGHT_HOME", str(tmp_path / "keys"))
    call("init", tmp_path / "new", "--template", "micro")
    call("keys", "create")
    (tmp_path / "keys/keys/default.pem").chmod(0o644)

    open_ = call("run", tmp_path / "new", "--json")
    monkeypatch.setenv("NORMWRIGHT_KEY", "ana")
    missing = call("run", tmp_path / "new", "--json")

    assert open_.code == missing.code == 1
    assert "chmod 600" in open_.faults[0]["do"]
    assert "normwright keys create ana" in missing.faults[0]["do"]
    assert not (tmp_path / "new/out").exists()


def test_charter_show(call: Call, micro_project: Path) -> None:
    """Each ratified norm is shown with the support it has; `--norm` narrows; unknown is code 1."""
    whole = call("charter", "show", micro_project, "--json").value
    some = call("charter", "show", micro_project, "--norm", "g.privacy", "--json").value
    screen = call("charter", "show", micro_project, "--lang", "pt")

    assert [norm["id"] for norm in some["norms"]] == ["g.privacy.personal-data"]
    assert some["digest"] == whole["digest"]
    for norm in whole["norms"]:
        assert f"{norm['id']}@{norm['version']}" in screen.out
    assert whole["norms"][0]["statement"]["pt"][:40] in screen.out
    assert call("charter", "show", micro_project, "--norm", "zzz").code == 1


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (("data_public=false", "requester_is_subject=false"), "deny"),
        (("data_public=true", "requester_is_subject=false"), "allow"),
        (("data_public=false",), "ask"),
        (("data_public=false", "requester_is_subject=unknown"), "ask"),
    ],
)
def test_charter_decide(
    call: Call, micro_project: Path, facts: tuple[str, ...], verdict: str
) -> None:
    """Known facts decide, a fact left out is unknown and asks; always code 0."""
    given = [word for fact in facts for word in ("--fact", fact)]
    asked = ("charter", "decide", micro_project, "--act", "disclose.personal-data", *given)

    machine, screen = call(*asked, "--json"), call(*asked)

    assert machine.code == screen.code == 0
    assert machine.value["verdict"] == verdict
    assert screen.out.splitlines()[0] == verdict
    if verdict != "allow":
        assert machine.value["governing"] == ["g.privacy.personal-data@1"]
        assert "g.privacy.personal-data@1: " in screen.out


def test_charter_decide_refuses_words_it_does_not_know(call: Call, micro_project: Path) -> None:
    """A mistyped act, a mistyped fact and a fact without value are all told at once or in turn."""
    asked = ("charter", "decide", micro_project, "--json")

    words_ = call(*asked, "--act", "disclose.personal-dat", "--fact", "data_publik=true")
    shape = call(*asked, "--act", "disclose.personal-data", "--fact", "data_public", "--fact", "=1")

    assert words_.code == shape.code == 1
    assert [fault["where"] for fault in words_.faults] == ["--act", "--fact"]
    assert "disclose.personal-data" in words_.faults[0]["do"]
    assert "data_public" in words_.faults[1]["do"]
    assert len(shape.faults) == 2


def test_charter_check(call: Call, copy: Path) -> None:
    """Sound norms are code 0; with two files broken, both are named, and it is code 1."""
    good = call("charter", "check", copy, "--json")
    first_file, second_file = (
        sorted((copy / "norms").rglob("*privacy*.yaml"))[0],
        copy / "norms/acts.yaml",
    )
    first_file.write_text(first_file.read_text("utf-8") + "\nlayr: global\n", encoding="utf-8")
    second_file.write_text(second_file.read_text("utf-8") + "\n\tbad: [", encoding="utf-8")
    bad = call("charter", "check", copy, "--json")

    assert good.code == 0
    assert good.value["norms"] >= 10
    assert good.value["cases"] >= 50
    assert bad.code == 1
    told = " ".join(fault["where"] for fault in bad.faults)
    assert first_file.name in told
    assert "acts.yaml" in told


def test_chat_asks_all_four(
    call: Call, micro_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question with `--say`, or a dialogue until an empty line; always the same four."""
    machine = call("chat", micro_project, "--say", ASKED, "--json")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{QUESTION}\n\nnever asked\n"))
    dialogue = call("chat", micro_project, "--lang", "pt")

    assert [reply["model"] for reply in machine.value] == ["base", "tuned", "aligned", "guarded"]
    assert all(set(reply) == {"model", "text", "cited"} for reply in machine.value)
    assert [r["cited"] for r in machine.value if r["model"] != "guarded"] == [[], [], []]
    assert dialogue.code == 0
    assert words("pt")["hint"] in dialogue.out
    assert dialogue.out.count(words("pt")["aligned"]) == 1


def test_nobody_to_talk_to(call: Call, tmp_path: Path) -> None:
    """A project that was not run has no models: code 1, and what to do."""
    call("init", tmp_path / "new", "--template", "micro")

    for command in (
        ("chat", "--say", "hello"),
        ("charter", "show"),
        ("verify",),
        ("trace", "0" * 64),
    ):
        place = ("--project", tmp_path / "new") if command[0] == "trace" else (tmp_path / "new",)
        called = call(*command, *place, "--json")
        assert called.code == 1, command
        assert "normwright run" in called.faults[0]["do"], command


def test_init(call: Call, tmp_path: Path) -> None:
    """A template becomes a project; what is there is never overwritten; unknown names are told."""
    made = call("init", tmp_path / "new", "--template", "micro", "--json")
    again = call("init", tmp_path / "new", "--template", "micro", "--json")
    unknown = call("init", tmp_path / "other", "--template", "twon", "--json")

    assert made.code == 0
    assert (tmp_path / "new/normwright.yaml").is_file()
    assert "normwright.yaml" in made.value["files"]
    assert again.code == unknown.code == 1
    assert "town" in unknown.faults[0]["do"]
    assert not (tmp_path / "other").exists()


def test_demo_goes_on_where_it_was_and_overwrites_nothing(
    call: Call, micro_project: Path, tmp_path: Path
) -> None:
    """A demo that is there is run, and skipped where it stands; other files are left alone."""
    finished = shutil.copytree(micro_project, tmp_path / "finished")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine", encoding="utf-8")

    again = call("demo", finished, "--json")
    refused = call("demo", tmp_path / "mine", "--json")

    assert again.code in (3, 4)
    assert all(stage["skipped"] for stage in again.value["stages"])
    assert refused.code == 1
    assert "nothing is ever overwritten" in refused.faults[0]["do"]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
