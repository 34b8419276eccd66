"""`charter permit` and what `run` makes of it: the value others read, the screens, exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from normwright.records import PERMIT_CONDITIONS


@pytest.fixture
def copy(micro_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(micro_project, tmp_path / "micro"))


def test_a_granted_permit_prints_the_promised_value(call: Call, copy: Path) -> None:
    """The three promised fields, with the grounds beside them; nothing is run again for it."""
    english, portuguese = (
        call("charter", "permit", copy, "--json", "--lang", lang) for lang in ("en", "pt")
    )
    value = english.value

    assert english.code == portuguese.code == 0
    assert english.err == ""
    assert value["permit"] is True
    assert value["digest"].startswith("sha256:")
    assert value["modes"] == ["internal"]
    assert "simulated" in value["reasons"][0]
    assert "simulados" in portuguese.value["reasons"][0]
    assert [one["condition"] for one in value["grounds"]] == list(PERMIT_CONDITIONS)
    assert value["digest"] == portuguese.value["digest"]
    assert value["signed"] == []


def test_a_key_signs_the_permit(
    call: Call, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The envelope lies where `run --permit` takes it from, and verifies."""
    monkeypatch.setenv("NORMWRIGHT_HOME", str(tmp_path / "keys"))
    keyid = call("keys", "create", "--json").value["keyid"]

    value = call("charter", "permit", copy, "--json").value

    assert value["signed"] == [keyid]
    assert Path(value["file"]).is_file()
    assert call("verify", copy).code == 0


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("Granted for: internal", "consent", "holds", "decision level L0")),
     ("pt", ("Concedida para: interno", "consentimento", "cumpre-se", "nível da decisão: L0"))],
)  # fmt: skip
def test_the_screen_is_in_the_language_asked_for(
    call: Call, copy: Path, lang: str, words: tuple[str, ...]
) -> None:
    """Every condition by name, with its ground."""
    shown = call("charter", "permit", copy, "--lang", lang)

    assert shown.code == 0
    assert all(word in shown.out for word in words)


def test_a_refusal_exits_1_with_all_reasons(call: Call, tmp_path: Path) -> None:
    """A project of votes alone has no charter, so nothing permits training: said, not an error."""
    votes = tmp_path / "votes.csv"
    rows = [f"p{p},s{s},{'agree' if (p + s) % 3 else 'disagree'}"
            for p in range(6) for s in range(3)]  # fmt: skip
    votes.write_text("participant,statement,vote\n" + "\n".join(rows) + "\n", encoding="utf-8")
    made = call("init", tmp_path / "p", "--from", votes, "--json")
    assert made.code == 0, made.out

    answer = call("charter", "permit", tmp_path / "p", "--json")
    screen = call("charter", "permit", tmp_path / "p", "--lang", "pt")

    assert answer.code == screen.code == 1
    assert answer.value["permit"] is False
    assert any("no charter" in reason for reason in answer.value["reasons"])
    assert len(answer.value["reasons"]) > len(PERMIT_CONDITIONS)
    assert answer.value["modes"] == []
    assert "Recusada" in screen.out


@pytest.mark.slow
def test_what_was_trained_without_a_permit_is_blocked_in_every_mode(call: Call, copy: Path) -> None:
    """The run says BLOCK by its exit code, and why in both languages; the weights stay inside."""
    ran = call("run", copy, "--unpermitted", "--json")
    case = (copy / "out/safety-case.md").read_text(encoding="utf-8")
    portuguese = (copy / "out/safety-case.pt.md").read_text(encoding="utf-8")

    assert ran.code == 4
    assert set(ran.value["verdicts"].values()) == {"BLOCK"}
    assert "trained without a permit" in case
    assert "treinado sem autorização" in portuguese
    assert not list((copy / "out/model").glob("*"))
    assert call("verify", copy).code == 0


def test_a_permit_that_is_none_stops_the_run_before_it_begins(
    call: Call, copy: Path, tmp_path: Path
) -> None:
    """One fault that says what is expected."""
    place = tmp_path / "permit.json"
    place.write_text("{}", encoding="utf-8")

    ran = call("run", copy, "--permit", place, "--json")

    assert ran.code == 1
    assert "signed envelope" in ran.faults[0]["expected"]
