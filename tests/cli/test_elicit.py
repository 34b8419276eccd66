"""`normwright elicit withdraw`: asked first, told plainly, in both languages."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.flow import consulted
from tests.flow.consulted import PEOPLE, WHO

from normwright import flow
from normwright.cli.words import languages, words
from normwright.flow.withdrawal import JOURNAL
from normwright.records import WithdrawalReceipt
from normwright.store import Store, withdrawals


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has come to its charter, to be copied and never touched."""
    return consulted.finished(tmp_path_factory.mktemp("withdraw") / "bridge")


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "bridge"))


def count(project: Path) -> int:
    with Store.open(project) as store:
        return len(withdrawals(store))


def test_it_takes_the_person_out_and_prints_the_receipt(call: Call, project: Path) -> None:
    """With --yes it is done: the receipt on stdout, the plan on stderr, the name on neither."""
    called = call("elicit", "withdraw", WHO, project, "--then", "rebuild", "--yes", "--lang", "en")

    assert called.code == 0
    assert "# Receipt of a withdrawal" in called.out
    assert "- Any share, margin or interval: yes" in called.out
    assert "written again without this person: consultation/votes.csv.gz" in called.err
    assert "out/report.html" in called.err
    assert WHO not in called.out + called.err
    assert consulted.mentions(project) == []
    assert call("verify", project).code == 0


def test_in_portuguese(call: Call, project: Path) -> None:
    """The receipt speaks Portuguese and writes its numbers as Portuguese does."""
    called = call("elicit", "withdraw", WHO, project, "--then", "keep", "--because", "published",
                  "--dry-run", "--lang", "pt")  # fmt: skip

    assert "# Recibo de uma retirada" in called.out
    assert "Retirados até agora desta apuração: 7,1 % de 14 pessoas." in called.out
    assert "(published)" in called.out
    assert "Receipt" not in called.out


def test_json_is_one_value_with_record_and_receipt(call: Call, project: Path) -> None:
    """A program gets the record with its digest, the receipt, and nothing else on stdout."""
    called = call("elicit", "withdraw", WHO, project, "--then", "unlearn", "--yes", "--json")
    value = called.value
    receipt = dict(value["receipt"])
    digest = receipt.pop("digest")

    assert called.code == 0
    assert value["state"] == "withdrawn"
    assert value["withdrawal"]["then"] == "unlearn"
    assert WithdrawalReceipt.model_validate_json(json.dumps(receipt)).digest == digest
    assert value["withdrawal"]["receipt"] == digest
    assert called.err == ""


def test_what_unlearning_can_do_is_said_plainly(call: Call, project: Path) -> None:
    """The choice is recorded, and the screen says what it cannot take out."""
    called = call("elicit", "withdraw", WHO, project, "--then", "unlearn", "--yes", "--lang", "en")

    assert "nothing but a rebuild takes them out" in " ".join(called.out.split())


def test_the_receipt_is_written_in_every_language(call: Call, project: Path) -> None:
    """Handed over as a text in both languages and a record, readable by its owner alone."""
    folder = project.parent / "handed"
    call("elicit", "withdraw", WHO, project, "--then", "rebuild", "--yes", "--receipt", folder)
    (text,) = folder.glob("*.md")
    (record,) = folder.glob("*.json")
    told = text.read_text(encoding="utf-8")

    assert all(words(lang)["receipt-title"] in told for lang in languages())
    assert WHO not in told + record.read_text(encoding="utf-8")
    assert WithdrawalReceipt.model_validate_json(record.read_text("utf-8")).number in told
    assert {path.stat().st_mode & 0o777 for path in (text, record)} == {0o600}


def test_a_receipt_inside_the_project_is_refused(call: Call, project: Path) -> None:
    """What tells how the person voted is not to be kept where it has just been erased."""
    called = call("elicit", "withdraw", WHO, project, "--then", "rebuild", "--yes",
                  "--receipt", project / "out", "--json")  # fmt: skip

    assert called.code == 1
    assert [fault["where"] for fault in called.faults] == ["--receipt"]
    assert count(project) == 0


@pytest.mark.parametrize("place", ["taken/deeper", "n" * 300])
def test_an_impossible_place_for_the_receipt_is_known_beforehand(
    call: Call, project: Path, place: str
) -> None:
    """One fault, one JSON value, and nobody has been taken out."""
    (project.parent / "taken").write_text("a file", encoding="utf-8")
    called = call("elicit", "withdraw", WHO, project, "--then", "rebuild", "--yes",
                  "--receipt", project.parent / place, "--json")  # fmt: skip

    assert called.code == 1
    (fault,) = called.faults
    assert fault["where"].startswith("--receipt")
    assert count(project) == 0
    assert not (project / JOURNAL).exists()


def test_a_folder_for_a_receipt_that_is_not_written_is_not_left(call: Call, project: Path) -> None:
    """Nobody by that name took part, so there is nothing to hand over."""
    folder = project.parent / "deep" / "handed"
    called = call("elicit", "withdraw", "nobody", project, "--then", "rebuild", "--yes",
                  "--receipt", folder, "--json")  # fmt: skip

    assert called.code == 1
    assert not folder.parent.exists()


def test_nothing_happens_unasked(call: Call, project: Path) -> None:
    """Without a terminal to ask on, and without --yes, nothing is done."""
    called = call("elicit", "withdraw", WHO, project, "--then", "rebuild")

    assert called.code == 1
    assert "--yes" in called.err
    assert count(project) == 0


@pytest.mark.parametrize(("answer", "code", "done"), [("n\n", 1, 0), ("y\n", 0, 1)])
def test_on_a_terminal_it_asks(
    call: Call, project: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, done: int
) -> None:
    """The answer decides, after the plan was shown."""
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    called = call("elicit", "withdraw", WHO, project, "--then", "rebuild", "--lang", "en")

    assert called.code == code
    assert called.err.index("What will happen") < called.err.index("cannot be undone")
    assert count(project) == done


def test_a_stranger_is_one_fault_and_no_name(call: Call, project: Path) -> None:
    """An unknown pseudonym is refused; nobody's is shown."""
    called = call("elicit", "withdraw", "zqx-nobody", project, "--then", "rebuild", "--yes",
                  "--json")  # fmt: skip

    assert called.code == 1
    assert [fault["where"] for fault in called.faults] == ["PARTICIPANT"]
    assert not [one for one in (*PEOPLE, WHO, "zqx-nobody") if one in called.out + called.err]


def test_a_second_time_is_no_error(call: Call, project: Path) -> None:
    """Somebody who has withdrawn is told so, with exit code 0."""
    first = ("elicit", "withdraw", WHO, project, "--then", "rebuild", "--yes", "--lang", "en")
    call(*first)
    called = call(*first)

    assert called.code == 0
    assert called.out.startswith("This person has withdrawn before. Nothing was changed.")
    assert count(project) == 1


def test_a_choice_has_to_be_made(call: Call, project: Path) -> None:
    """What becomes of the artefacts is never chosen by default."""
    assert call("elicit", "withdraw", WHO, project, "--yes").code == 2


def test_status_verify_and_trace_show_the_mark(call: Call, project: Path) -> None:
    """All three screens say what rests on withdrawn rows."""
    made = flow.status(project).stages[1].made[0]
    call("elicit", "withdraw", WHO, project, "--then", "keep", "--because", "published", "--yes")
    status = call("status", project, "--lang", "en")
    verify = call("verify", project)
    trace = call("trace", made, "--project", project)

    assert "rests on withdrawn rows" in status.out
    assert "21 rows erased" in verify.out
    assert "marked: rest on withdrawn rows, 0 faults" in " ".join(verify.out.split())
    assert "rests on withdrawn rows" in " ".join(trace.out.split())
    assert [s["marked"] > 0 for s in call("status", project, "--json").value["stages"][:4]] == [
        True, True, True, False,
    ]  # fmt: skip
