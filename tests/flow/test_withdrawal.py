"""After a withdrawal nothing of the person is left, the chain holds, what used them is marked."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.disks import read_only
from tests.flow import consulted
from tests.flow.consulted import PEOPLE, WHO, WROTE

from normwright import flow
from normwright.elicit import read_consultation
from normwright.flow import withdrawal as withdrawing
from normwright.flow.counterfactual import outcomes
from normwright.flow.lock import locked
from normwright.records import (
    Consultation,
    InputError,
    Outcome,
    PlaceError,
    Record,
    Withdrawal,
    WithdrawalReceipt,
)
from normwright.store import FOLDER, Store, included, withdrawals
from normwright.store.merkle import Inclusion

CRASH = Path(__file__).parent / "crash_withdrawal.py"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has come to its charter, to be copied and never touched."""
    return consulted.finished(tmp_path_factory.mktemp("withdrawal") / "bridge")


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "bridge"))


def withdraw(project: Path, who: str = WHO, **extra: Any) -> flow.Withdrawn:
    return flow.withdraw(project, who, **{"then": "rebuild", **extra})


def tree(project: Path) -> dict[str, bytes]:
    """Every file of a project but the lock and the database's own bookkeeping."""
    aside = ("lock", "store.db-shm", "store.db-wal")
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file() and path.name not in aside
    }


def last(project: Path, kind: type[Record], stage: str) -> list[Record]:
    """The records of one kind that a step made last."""
    with Store.open(project) as store:
        result = store.result(store.current_steps()[stage].key)
        assert result is not None
        return list(store.records(result.made, kind))


def sql(project: Path, statement: str) -> None:
    """Change the database behind the store's back, past its own constraints."""
    with sqlite3.connect(project / FOLDER / "store.db") as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(statement)
    connection.close()


def test_the_person_is_there_to_be_found(finished: Path) -> None:
    """What the other tests look for does stand in the store, an object, a page and the files."""
    found = consulted.mentions(finished)

    assert f"{FOLDER}/store.db" in found
    assert "out/report.html" in found
    assert any(place.startswith(f"{FOLDER}/objects/") for place in found)
    assert {p for p in found if p.startswith("consultation/")} == {
        "consultation/comparisons.csv",
        "consultation/participants.csv",
        "consultation/statements.csv",
        "consultation/votes.csv.gz",
    }


def test_nothing_of_the_person_is_left(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Pseudonym and words are in no byte of the project, nor in what was said on the way."""
    scratch = project / FOLDER / "work" / "some-key"
    scratch.mkdir(parents=True)
    (scratch / "checkpoint").write_text(WHO)
    done = withdraw(project)
    told = done.receipt.model_dump_json() if done.receipt else ""
    said = capfd.readouterr()

    assert done.state == "withdrawn"
    assert consulted.mentions(project) == []
    assert WHO not in said.out + said.err + told
    assert not (project / "out/report.html").exists()
    assert (project / "out/charter.html").exists()


def test_the_chain_holds_and_what_rests_on_the_rows_is_marked(project: Path) -> None:
    """Before anything is made anew, `verify` finds no fault and counts erased and marked."""
    done = withdraw(project)
    found = flow.verify(project)
    assert done.withdrawal is not None
    assert done.receipt is not None
    listed = {one.kind for one in done.withdrawal.affected}
    stages = {stage.name: stage for stage in flow.status(project).stages}

    assert found.faults == ()
    assert found.erased == sum(done.receipt.rows.values()) == 21
    assert found.marked > 0
    assert found.as_json()["marked"] == found.marked
    assert {"Consultation", "Outcome", "Charter", "Policy", "export"} <= listed
    assert not listed & {"Process", "Polity", "Withdrawal"}
    assert [stages[name].state for name in ("elicit", "aggregate", "charter")] == ["waiting"] * 3
    assert all(stages[name].marked for name in ("elicit", "aggregate", "charter"))
    assert stages["learn.data"].marked == 0


def test_a_trace_shows_the_mark(project: Path) -> None:
    """A walk from the policy to the ballots says what rests on withdrawn rows, and what not."""
    (policy,) = [d.digest for d in last(project, _kind("Policy"), "charter")]
    before = json.dumps(flow.trace(project, policy).as_json())
    withdraw(project)
    traced = flow.trace(project, policy)
    marked = [node for node in _nodes(traced.tree) if "marked" in node]

    assert "marked" not in before
    assert {"Policy", "Charter", "Outcome", "Consultation"} <= {node["kind"] for node in marked}
    assert not {"Process", "Polity"} & {node["kind"] for node in marked}
    assert {r["tables"]["participants"]["erased"] for r in traced.roots} == {1}


def _kind(name: str) -> type[Record]:
    from normwright import records

    kind: type[Record] = getattr(records, name)
    return kind


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(inner for below in node.get("from", ()) for inner in _nodes(below))]


def test_made_anew_it_is_clean(project: Path) -> None:
    """After the next run the present results carry no mark; what stood before still does."""
    old = last(project, Outcome, "aggregate")
    withdraw(project)
    report = flow.run(project, until="charter")
    consulted.publish(project, quoting=False)
    found = flow.verify(project)
    (process,) = last(project, _kind("Process"), "elicit")

    assert not any(line.skipped for line in report.stages)
    assert (found.faults, found.marked, found.erased) == ((), 0, 21)
    assert all(stage.marked == 0 for stage in flow.status(project).stages)
    assert "marked" in flow.trace(project, old[0].digest).tree
    assert "marked" not in flow.trace(project, process.digest).tree
    assert consulted.mentions(project) == []


def test_the_ledger_tells_of_it_without_a_name(project: Path) -> None:
    """The last entry names the record; neither holds the pseudonym, an answer or a plain hash."""
    import hashlib

    done = withdraw(project)
    with Store.open(project) as store:
        entry = store.ledger()[-1]
        record = store.record(entry.payload, Withdrawal)
    text = record.model_dump_json()

    assert entry.kind == "withdrawal"
    assert record == done.withdrawal
    assert record.withdrawn == 1
    assert record.withdrawn_share == pytest.approx(1 / 14)
    assert WHO not in text
    assert hashlib.sha256(WHO.encode()).hexdigest() not in text
    assert "disagree" not in text


def test_the_receipt_proves_that_the_rows_were_counted(project: Path) -> None:
    """Each leaf is included in the root of the frozen tally, and the record knows the receipt."""
    done = withdraw(project)
    assert done.receipt is not None
    assert done.withdrawal is not None
    (consultation,) = (
        one for one in last(project, Consultation, "elicit") if isinstance(one, Consultation)
    )
    again = WithdrawalReceipt.model_validate_json(done.receipt.model_dump_json())

    assert len(done.receipt.proofs) == 21
    for one in done.receipt.proofs:
        way = Inclusion(index=one.index, size=one.size, path=one.path)
        assert included(bytes.fromhex(one.leaf), way, consultation.roots[one.table])
    assert again.digest == done.withdrawal.receipt
    assert again.model_copy(update={"number": "0" * 32}).digest != done.withdrawal.receipt


def test_the_figures_are_those_of_the_stored_outcome(project: Path) -> None:
    """Counting `before` gives what the step `aggregate` stored, but for its `derived_from`."""
    from normwright.records import Polity

    loaded = flow.load_project(project)
    stored = [one for one in last(project, Outcome, "aggregate") if isinstance(one, Outcome)]
    with Store.open(project) as store:
        (consultation,) = [
            one for one in last(project, Consultation, "elicit") if isinstance(one, Consultation)
        ]
        rows = store.rows(consultation)
    polities = [one for one in last(project, Polity, "elicit") if isinstance(one, Polity)]
    counted = outcomes(loaded, rows, polities, unranked=None)

    assert [plain(counted[one.authority]) for one in stored] == [plain(one) for one in stored]


def plain(outcome: Outcome) -> Outcome:
    return outcome.model_copy(update={"derived_from": ()})


def test_the_outcome_made_anew_is_the_one_without_the_person(project: Path, tmp_path: Path) -> None:
    """Withdraw and run: the same outcome as of a consultation that never had them."""
    done = withdraw(project)
    flow.run(project, until="aggregate")
    other = consulted.write_project(tmp_path / "other", without={WHO})
    flow.run(other, until="aggregate")
    ours = [plain(one) for one in last(project, Outcome, "aggregate") if isinstance(one, Outcome)]
    theirs = [plain(one) for one in last(other, Outcome, "aggregate") if isinstance(one, Outcome)]
    assert done.receipt is not None
    told = {(one.authority, one.subject): one.after for one in done.receipt.support}

    assert ours == theirs
    assert told
    for outcome in ours:
        now = {s.statement: s.support for s in outcome.support}
        for (authority, subject), after in told.items():
            if authority == outcome.authority:
                assert now.get(subject) == after


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(gone=st.lists(st.sampled_from([*PEOPLE, WHO]), min_size=1, max_size=4, unique=True))
def test_any_of_them_may_go_in_any_order(
    finished: Path, tmp_path_factory: pytest.TempPathFactory, gone: list[str]
) -> None:
    """Rows left and files left are those of a consultation without them; roots and chain hold."""
    project = Path(shutil.copytree(finished, tmp_path_factory.mktemp("some") / "bridge"))
    for who in gone:
        assert withdraw(project, who).state == "withdrawn"
    with Store.open(project) as store:
        (consultation,) = [
            one for one in last(project, Consultation, "elicit") if isinstance(one, Consultation)
        ]
        rows = store.rows(consultation)
        numbers = [seq for seq, _ in withdrawals(store)]
    there = consulted.tables(gone)
    read = read_consultation(project / "consultation", root=project)

    assert flow.verify(project).faults == ()
    assert len(numbers) == len(gone)
    assert [one.id for one in rows.participants] == sorted(_column(there["participants.csv"]))
    assert {s.id for s in rows.statements} == set(_column(there["statements.csv"]))
    assert {(v.participant, v.statement, v.value) for v in rows.votes} == {
        (row[0], row[1], row[2]) for row in there["votes.csv"][1:]
    }
    assert len(rows.comparisons) == len(there["comparisons.csv"]) - 1
    assert set(read.votes) == set(rows.votes)
    assert set(read.comparisons) == set(rows.comparisons)
    assert {one.id for one in read.participants} == {one.id for one in rows.participants}


def _column(rows: Sequence[Sequence[str]]) -> list[str]:
    return [row[0] for row in rows[1:]]


def test_what_others_said_is_untouched(project: Path) -> None:
    """Rows of other people keep key and content, but for votes on what the person wrote."""

    def rows() -> dict[tuple[str, int], tuple[Any, ...]]:
        found: dict[tuple[str, int], tuple[Any, ...]] = {}
        with sqlite3.connect(project / FOLDER / "store.db") as connection:
            for table in ("participants", "statements", "votes", "comparisons"):
                for row in connection.execute(f"SELECT place, key, leaf, * FROM {table}"):
                    found[table, row[0]] = row
        return found

    before = rows()
    done = withdraw(project)
    after = rows()
    changed = [place for place in before if before[place] != after[place]]
    assert done.receipt is not None
    theirs = [place for place in changed if WHO in before[place] or "c3" in before[place]]

    assert set(before) == set(after)
    assert len(changed) == sum(done.receipt.rows.values())
    assert changed == theirs


def test_every_import_of_the_process_loses_the_rows(project: Path) -> None:
    """A vote that was changed made a second import; the person is erased from both."""
    path = project / "consultation/comparisons.csv"
    path.write_text(path.read_text().replace("decline", "tie", 1))
    flow.run(project, until="elicit")
    done = withdraw(project)
    assert done.withdrawal is not None
    assert done.receipt is not None

    assert len(done.withdrawal.leaves) == 2
    assert done.receipt.rows["participants"] == 2
    assert len(done.receipt.proofs) == 21
    assert consulted.mentions(project) == []
    assert flow.verify(project).faults == ()


def test_an_old_export_does_not_bring_them_back(project: Path) -> None:
    """Files as they were once are read without the person, and the report says that it was so."""
    old = {path: path.read_bytes() for path in (project / "consultation").iterdir()}
    withdraw(project)
    for path, data in old.items():
        path.write_bytes(data)
    restored = [fault.where for fault in flow.verify(project).faults]
    flow.run(project, until="charter")
    (consultation,) = [
        one for one in last(project, Consultation, "elicit") if isinstance(one, Consultation)
    ]
    with Store.open(project) as store:
        rows = store.rows(consultation)
    again = withdraw(project)
    assert again.receipt is not None

    assert set(restored) >= {"consultation/participants.csv", "consultation/votes.csv.gz"}
    assert {one.kind: one.count for one in consultation.faults}["suppressed"] == 1
    assert WHO not in {one.id for one in rows.participants}
    assert WROTE not in {text for one in rows.statements for text in one.text.values()}
    assert sum(again.receipt.rows.values()) == 0
    assert again.receipt.changes.anything is False
    assert consulted.mentions(project) == []
    assert flow.verify(project).faults == ()
    assert withdraw(project).state == "already"


def test_without_the_key_nobody_is_let_back_in(project: Path) -> None:
    """The list of who withdrew is no use without its key, so an import is refused, not allowed."""
    withdraw(project)
    (project / FOLDER / "withdrawn.key").unlink()

    assert flow.verify(project).faults == ()
    assert flow.status(project).stages[0].marked == 1
    with pytest.raises(InputError, match=r"withdrawn\.key"):
        flow.run(project, until="elicit")


def test_the_list_cannot_be_guessed_and_the_key_is_private(project: Path) -> None:
    """The list holds a keyed hash; the key is readable by its owner alone and in no other file."""
    withdraw(project)
    key = project / FOLDER / "withdrawn.key"
    secret = key.read_text().strip()
    elsewhere = [name for name, data in tree(project).items() if secret.encode() in data]

    assert key.stat().st_mode & 0o777 == 0o600
    assert elsewhere == [f"{FOLDER}/withdrawn.key"]
    assert len(json.loads((project / FOLDER / "withdrawn.json").read_text())["bridge"]) == 1


def test_whoever_withdrew_is_told_so_and_nothing_changes(project: Path) -> None:
    """A second withdrawal of the same person is no error and changes no byte."""
    withdraw(project)
    before = tree(project)
    again = withdraw(project)

    assert (again.state, again.withdrawal, again.receipt) == ("already", None, None)
    assert tree(project) == before


def test_a_stranger_is_one_error_that_names_nobody(project: Path) -> None:
    """An unknown pseudonym is refused without showing any, and changes nothing."""
    before = tree(project)
    with pytest.raises(InputError) as caught:
        withdraw(project, "zqx-nobody")
    said = str(caught.value)

    assert len(caught.value.faults) == 1
    assert not [one for one in (*PEOPLE, WHO, "zqx-nobody") if one in said]
    assert tree(project) == before


def test_a_dry_run_and_a_refusal_change_nothing(project: Path) -> None:
    """The receipt of a dry run says what would change; no file differs, no key is made."""
    before = tree(project)
    planned = withdraw(project, dry_run=True)
    declined = withdraw(project, confirm=lambda told: False)

    assert tree(project) == before
    assert (planned.state, declined.state) == ("planned", "declined")
    assert planned.receipt is not None
    assert planned.receipt.changes.anything is True
    assert planned.receipt.support


def test_a_dry_run_needs_nothing_to_be_writable(project: Path) -> None:
    """On a read-only disk it tells the same; a withdrawal there is refused and changes nothing."""
    before, planned = tree(project), withdraw(project, dry_run=True)
    with read_only(project):
        found = withdraw(project, dry_run=True)
        with pytest.raises(PlaceError, match="can be written to"):
            withdraw(project)

    assert found.receipt is not None
    assert planned.receipt is not None
    assert found.receipt.changes == planned.receipt.changes
    assert found.receipt.support == planned.receipt.support
    assert tree(project) == before


def test_a_dry_run_finishes_nothing(project: Path) -> None:
    """While a withdrawal waits to be completed there is nothing to foresee, and it still waits."""

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        withdraw(project, hand_over=stop)
    before = tree(project)
    with pytest.raises(InputError, match="interrupted"):
        withdraw(project, dry_run=True)

    assert tree(project) == before
    assert withdraw(project).state == "completed"


@pytest.mark.parametrize(
    ("then", "because", "where"),
    [("keep", "", "--because"), ("keep", "Not a slug", "--because"), ("rebuild", "x", "--because")],
)
def test_keeping_needs_a_reason_and_going_none(
    project: Path, then: str, because: str, where: str
) -> None:
    """`keep` without a reason is refused, and so is a reason for anything else."""
    with pytest.raises(InputError, match=where):
        withdraw(project, then=then, because=because)


@pytest.mark.parametrize(("then", "because"), [("unlearn", ""), ("keep", "already-released")])
def test_the_choice_is_recorded(project: Path, then: str, because: str) -> None:
    """What was chosen for the artefacts, with its reason, stands in the record and the receipt."""
    done = withdraw(project, then=then, because=because)
    with Store.open(project) as store:
        ((_, record),) = withdrawals(store)

    assert done.receipt is not None
    assert (record.then, record.because) == (then, because)
    assert (done.receipt.then, done.receipt.because) == (then, because)
    assert flow.verify(project).faults == ()


def test_a_vote_that_decides_a_norm_is_named(tmp_path: Path) -> None:
    """Where the person tips a norm, the receipt says which, and the next charter agrees."""
    project = consulted.write_project(tmp_path / "bridge")
    path = project / "consultation/votes.csv.gz"
    import gzip

    head, *rows = gzip.decompress(path.read_bytes()).decode().splitlines()
    tipping = [r for r in rows if r.split(",")[1] != "c2"]
    # Wilson's interval of 4 in 4 lies above one half, that of 3 in 3 does not.
    tipping += [f"{who},c2,agree,1" for who in (WHO, "p02", "p03", "p04")]
    path.write_bytes(gzip.compress("\n".join([head, *tipping, ""]).encode()))
    flow.run(project, until="charter")
    before = _fates(project)
    done = withdraw(project)
    assert done.receipt is not None
    flow.run(project, until="charter")
    after = _fates(project)

    told = {one.norm: (one.before, one.after) for one in done.receipt.norms}
    seen = {
        norm: (before.get(norm, "absent"), after.get(norm, "absent"))
        for norm in before.keys() | after.keys()
        if before.get(norm) != after.get(norm)
    }
    assert seen
    assert told == seen
    assert done.receipt.changes.norms is bool(seen)


def _fates(project: Path) -> dict[str, str]:
    from normwright.records import Charter

    (charter,) = (one for one in last(project, Charter, "charter") if isinstance(one, Charter))
    adopted = {one.ref: "adopted" for one in charter.norms}
    return adopted | {one.norm: "rejected" for one in charter.rejected}


def test_another_run_at_work_is_an_error(project: Path) -> None:
    """While something else holds the project, a withdrawal is refused and changes nothing."""
    before = tree(project)
    with locked(project), pytest.raises(InputError, match="no other run"):
        withdraw(project)

    assert tree(project) == before


def test_a_reader_that_holds_the_log_is_named_and_it_can_be_completed(project: Path) -> None:
    """While another process reads the database its log cannot be emptied: said, then completed."""
    with sqlite3.connect(project / FOLDER / "store.db", isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM votes").fetchone()
        with pytest.raises(InputError, match="no other process reading it"):
            withdraw(project)
        unfinished = [fault.where for fault in flow.verify(project).faults]
        reader.execute("COMMIT")
    reader.close()
    again = withdraw(project)

    assert withdrawing.JOURNAL in unfinished
    assert again.state == "completed"
    assert again.receipt is not None
    assert consulted.mentions(project) == []
    assert flow.verify(project).faults == ()


def test_an_interrupted_withdrawal_is_not_completed_for_somebody_else(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stopped after its commit has to be completed before the next person's begins."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(withdrawing, "scrub", stop)
        with pytest.raises(KeyboardInterrupt):
            withdraw(project)
    with pytest.raises(InputError, match="interrupted"):
        withdraw(project, "p01")

    assert withdraw(project).state == "completed"
    assert withdraw(project, "p01").state == "withdrawn"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("UPDATE votes SET value = 'pass' WHERE value = 'agree'", "votes: row"),
        (
            "UPDATE votes SET participant = NULL, statement = NULL, value = NULL, at = NULL, "
            "key = NULL WHERE participant = 'p05'",
            "votes: row",
        ),
        ("UPDATE votes SET leaf = zeroblob(32) WHERE key IS NULL", "votes: r"),
        ("DELETE FROM records WHERE kind = 'Withdrawal'", "withdrawals that can be read"),
        (
            "UPDATE records SET json = replace(json, 'rebuild', 'unlearn') "
            "WHERE kind = 'Withdrawal'",
            "records: Withdrawal",
        ),
        ("DELETE FROM ledger WHERE kind = 'withdrawal'", "ledger: withdrawal"),
    ],
)
def test_tampering_after_a_withdrawal_is_found(project: Path, change: str, where: str) -> None:
    """A vote changed, dropped without a withdrawal, or a withdrawal forged or hidden, is named."""
    withdraw(project)
    sql(project, change)
    found = [f"{fault.where} {fault.expected}" for fault in flow.verify(project).faults]

    assert any(where in one for one in found), found


@pytest.mark.parametrize("name", ["votes.csv.gz", "participants.csv", "statements.csv"])
def test_a_file_changed_after_a_withdrawal_is_found(project: Path, name: str) -> None:
    """Only the very bytes that the withdrawal wrote are lawful; an edit on top of them is named."""
    withdraw(project)
    path = project / "consultation" / name
    path.write_bytes(path.read_bytes() + b"\n")

    assert [fault.where for fault in flow.verify(project).faults] == [f"consultation/{name}"]


def test_a_row_that_comes_back_is_found(project: Path) -> None:
    """An erased row that is put back, key and all, contradicts the withdrawal and is named."""
    backup = project.parent / "backup.db"
    with sqlite3.connect(project / FOLDER / "store.db") as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    connection.close()
    withdraw(project)
    with sqlite3.connect(project / FOLDER / "store.db") as connection:
        connection.execute("ATTACH ? AS old", (str(backup),))
        connection.execute("DELETE FROM comparisons WHERE key IS NULL")
        connection.execute("INSERT OR IGNORE INTO comparisons SELECT * FROM old.comparisons")
    connection.close()
    seen = {fault.seen for fault in flow.verify(project).faults}

    assert "a row that was withdrawn, back again" in seen


def test_too_few_people_left_is_said_beforehand(tmp_path: Path) -> None:
    """Where what is left is too little to import, the plan says so and the person still goes."""
    gone = set(PEOPLE[1:])
    project = consulted.write_project(tmp_path / "bridge", without=gone)
    flow.run(project, until="aggregate")
    done = withdraw(project)

    assert done.state == "withdrawn"
    assert done.refused
    assert consulted.mentions(project) == []
    with pytest.raises(InputError, match="at least two participants"):
        flow.run(project, until="elicit")


def test_somebody_who_stands_in_the_files_alone_can_go(project: Path) -> None:
    """A person who was added after the last run has no rows yet; the files lose them too."""
    path = project / "consultation/participants.csv"
    path.write_text(path.read_text() + "zz-late,world,en\n")
    done = withdraw(project, "zz-late")

    assert done.state == "withdrawn"
    assert done.withdrawal is not None
    assert (done.withdrawal.leaves, done.withdrawal.affected) == ({}, ())
    assert "zz-late" not in path.read_text()


def test_files_that_still_quote_the_person_are_named(project: Path) -> None:
    """A note beside the tables, and another file of the project, are named for a person to see."""
    (project / "consultation/minutes.txt").write_text(f"{WHO} spoke.")
    (project / "norms-draft.md").write_text(f"> {WROTE[:20]}\n{WROTE[20:]}\n\n{WROTE}")
    done = withdraw(project)

    assert done.unread == ("consultation/minutes.txt",)
    assert done.lingering == ("consultation/minutes.txt", "norms-draft.md")


def crashes(directory: Path, most: int) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, str(CRASH), str(directory), str(most)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_a_withdrawal_killed_anywhere_is_completed(tmp_path: Path) -> None:
    """Killed at acts spread over its way, it leaves no fault or a named one, and completes."""
    told = crashes(tmp_path, 6)

    assert told["wrong"] == []
    assert told["killed"] == 6
    assert 0 < told["interrupted"] < 6


@pytest.mark.slow
def test_a_withdrawal_killed_at_every_act_is_completed(tmp_path: Path) -> None:
    """The same at every single durable act (slow: some sixty withdrawals, two minutes)."""
    told = crashes(tmp_path, 500)

    assert told["wrong"] == []
    assert told["killed"] == told["points"] == told["acts"]
