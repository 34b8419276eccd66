"""`verify` names everything that was changed, and nothing that was not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.flow import micro

from normwright.flow import Context, Step, open_store, publish, run_steps, verify
from normwright.flow.verify import _Verifier
from normwright.records import (
    Ballots,
    Consultation,
    Dataset,
    InputError,
    Measurement,
    ModelRef,
    Participant,
    Process,
    Record,
    Statement,
)
from normwright.store import FOLDER, Address


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project, to be copied and never touched."""
    return finish(micro.write_project(tmp_path_factory.mktemp("verify") / "micro"))


def finish(project: Path) -> Path:
    """Carry a project to its verdict and its report."""
    run_steps(project, micro.steps(project), seed=micro.SEED)
    publish(project, {"out/report.html": b"<html>"})
    return project


@pytest.fixture
def project(finished: Path, tmp_path: Path, address: Address | None) -> Path:
    """A finished project of the test's own: a copy, or a fresh run where there is a server."""
    copy = tmp_path / "micro"
    if address is not None:
        return finish(micro.write_project(copy, address))
    for path in finished.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(finished)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return copy


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project, with its database in a file."""
    return Path(shutil.copytree(finished, tmp_path / "micro"))


def place(project: Path) -> str:
    """Return what the database of a project is called in faults."""
    with open_store(project) as store:
        return store.name


def wheres(project: Path) -> list[str]:
    return [fault.where for fault in verify(project).faults]


def flip(path: Path) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def object_of(project: Path, name: str) -> Path:
    """Return where the bytes of the dataset, or of a model file, lie in the store."""
    with open_store(project) as store:
        if name == "dataset":
            (stored,) = store.all_stored("Dataset")
            return store.objects.path(store.record(stored.digest, Dataset).content)
        (stored,) = store.all_stored("ModelRef")
        return store.objects.path(store.record(stored.digest, ModelRef).files[name])


def test_an_untouched_project_has_no_fault(project: Path) -> None:
    """A copy of a finished project, moved elsewhere, verifies without its makers."""
    found = verify(project)
    told = json.loads(json.dumps(found.as_json()))

    assert told["faults"] == []
    assert told["erased"] == 0
    # rows (19 votes, 6 people, 4 statements), records, objects, keys, links, sources, exports
    assert told["checked"] > 60


def test_a_changed_vote_row_is_named(project: Path) -> None:
    """One vote changed in the store is named by table, place and leaf."""
    micro.tamper(project, "UPDATE votes SET value = 'pass' WHERE place = 3 AND value != 'pass'")
    micro.tamper(project, "UPDATE votes SET value = 'agree' WHERE place = 4 AND value != 'agree'")
    found = verify(project).faults

    assert [fault.where for fault in found] == [
        f"{place(project)}: votes: row {row} of process micro"
        for row in (3, 4)
        if any(f"row {row} " in fault.where for fault in found)
    ]
    assert found
    assert all(fault.digest == fault.expected != fault.seen for fault in found)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("UPDATE votes SET at = 5 WHERE place = 0", "votes: row 0 "),
        ("UPDATE votes SET key = zeroblob(32) WHERE place = 1", "votes: row 1 "),
        ("UPDATE votes SET key = 'short' WHERE place = 1", "votes: row 1 "),
        ("UPDATE votes SET leaf = zeroblob(32) WHERE place = 1", "votes: root "),
        ("DELETE FROM votes WHERE place = 2", "votes: root "),
        (
            "UPDATE participants SET json = replace(json, '\"v\"', '\"w\"') WHERE place = 1",
            "participants: row 1 ",
        ),
        ("UPDATE participants SET json = '{' WHERE place = 1", "participants: row 1 "),
        ("UPDATE statements SET json = replace(json, 's1', 's9')", "statements: row 1 "),
        ("UPDATE votes SET kind = 'human' WHERE place = 0", "votes: row 0 "),
        ("UPDATE imports SET roots = replace(roots, 'a', 'b')", "imports: process micro"),
    ],
)
def test_any_change_to_the_rows_is_named(project: Path, change: str, where: str) -> None:
    """A changed time, key, leaf, electorate, text or kind, or a row that is gone, is named."""
    micro.tamper(project, change)

    assert any(f"{place(project)}: {where}" in f"{found} " for found in wheres(project))


def test_a_vote_changed_in_the_source_is_named(project: Path) -> None:
    """One vote changed in the file it was imported from names that file, once."""
    source = project / micro.VOTES
    source.write_text(source.read_text().replace("p1,s0,agree", "p1,s0,pass"))
    (fault,) = verify(project).faults

    assert fault.where == micro.VOTES
    assert fault.digest == fault.expected != fault.seen


def test_a_source_that_is_gone_is_named(project: Path) -> None:
    """A deleted source file is named as absent."""
    (project / micro.VOTES).unlink()
    (fault,) = verify(project).faults

    assert (fault.where, fault.seen) == (micro.VOTES, "nothing")


def test_a_changed_dataset_row_is_named(project: Path) -> None:
    """One changed character of one dataset row names the object and the dataset it belongs to."""
    path = object_of(project, "dataset")
    flip(path)
    (fault,) = verify(project).faults

    assert fault.where.startswith(path.relative_to(project).as_posix())
    assert fault.where.endswith(": Dataset demonstrations: content")
    assert fault.digest == fault.expected != fault.seen


def test_a_dataset_row_removed_is_counted(project: Path) -> None:
    """A dataset with a row fewer than it says is named for its bytes and for its count."""
    path = object_of(project, "dataset")
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[1:]))
    found = verify(project).faults

    assert ("Dataset demonstrations: rows", "5", "4") in [
        (fault.where, fault.expected, fault.seen) for fault in found
    ]
    assert len(found) == 2


def test_a_changed_weight_byte_is_named(project: Path) -> None:
    """One byte of a weight file, in the store or in `out/`, is named with the model it is of."""
    path = object_of(project, "model.safetensors")
    flip(path)
    flip(project / "out/model/model.safetensors")

    assert wheres(project) == [
        f"{path.relative_to(project).as_posix()}: ModelRef tuned: model.safetensors",
        "out/model/model.safetensors",
    ]


def test_a_missing_weight_file_is_named(project: Path) -> None:
    """A weight file that is gone is named by the model and the step that made it."""
    object_of(project, "model.safetensors").unlink()

    assert set(wheres(project)) == {"ModelRef tuned: model.safetensors", "learn.sft: made"}


def test_weights_outside_the_store_are_looked_for_where_they_lie(project: Path) -> None:
    """A model file that is not an object counts if the given directory holds those very bytes."""
    path = object_of(project, "model.safetensors")
    elsewhere = project.parent / "models"
    elsewhere.mkdir()
    path.rename(elsewhere / "model.safetensors")
    there = [fault.where for fault in verify(project, directories=[elsewhere]).faults]
    flip(elsewhere / "model.safetensors")
    changed = [fault.where for fault in verify(project, directories=[elsewhere]).faults]

    assert "ModelRef tuned: model.safetensors" not in there
    assert "ModelRef tuned: model.safetensors" in changed


def test_a_changed_measurement_is_named(project: Path) -> None:
    """One number changed in one measurement is named by suite, metric, model and language."""
    with open_store(project) as store:
        measured = [
            store.record(stored.digest, Measurement) for stored in store.all_stored("Measurement")
        ]
    one = next(m for m in measured if m.lang == "pt")
    micro.tamper(
        project,
        f"UPDATE records SET json = replace(json, '\"value\":', '\"value\":1')"
        f" WHERE digest = '{one.digest}'",
    )
    (fault,) = verify(project).faults

    assert fault.where == f"{place(project)}: records: Measurement help rate tuned pt"
    assert (fault.digest, fault.expected) == (one.digest, one.digest)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("DELETE FROM records WHERE kind = 'Measurement'", "evaluate: made"),
        ("DELETE FROM records WHERE kind = 'Outcome'", "Dataset demonstrations: derived_from"),
        ("UPDATE records SET json = 'x' WHERE kind = 'Outcome'", "records: Outcome"),
        ("UPDATE records SET json = '[]' WHERE kind = 'Outcome'", "records: Outcome"),
        ("UPDATE records SET kind = 'Vote' WHERE kind = 'Outcome'", "records: Vote"),
        ("UPDATE records SET kind = 'Ghost' WHERE kind = 'Outcome'", "records: Ghost"),
        ("UPDATE results SET seed = 12 WHERE stage = 'evaluate'", "results: evaluate"),
        ("UPDATE results SET parameters = '{\"rows\":4}' WHERE stage = 'learn.data'", "results:"),
        ("UPDATE results SET made = '[]' WHERE stage = 'release'", "ledger: result"),
        ("UPDATE results SET made = '[' WHERE stage = 'release'", "normwright"),
        ("DELETE FROM results WHERE stage = 'release'", "ledger entry 7: result"),
        ("UPDATE ledger SET payload = 'sha256:0' WHERE seq = 3", "ledger entry 3"),
        ("DELETE FROM ledger WHERE seq = 3", "ledger entry 4"),
        ("DELETE FROM ledger WHERE seq = 7", "ledger: result"),
    ],
)
def test_any_change_to_the_books_is_named(project: Path, change: str, where: str) -> None:
    """A record, result or ledger entry that was changed, emptied or removed is named."""
    micro.tamper(project, change)

    assert any(where in found for found in wheres(project)), wheres(project)


def test_a_changed_report_is_named(project: Path) -> None:
    """A file for people that no longer is what was written is named."""
    flip(project / "out/report.html")
    (project / "out/verdict.json").unlink()

    assert wheres(project) == ["out/report.html", "out/verdict.json"]


def test_a_report_that_a_run_writes_anew_meanwhile_is_no_fault(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is read from one moment and files are not: what the store says by now counts."""
    look = _Verifier.present

    def meanwhile(verifier: _Verifier) -> None:
        publish(project, {"out/report.html": b"<html>new"})
        look(verifier)

    with monkeypatch.context() as patch:
        patch.setattr(_Verifier, "present", meanwhile)
        assert wheres(project) == []
        flip(project / "out/report.html")
        patch.setattr(_Verifier, "present", look)
        assert wheres(project) == ["out/report.html"]


def test_a_row_erased_without_a_withdrawal_is_counted_and_named(project: Path) -> None:
    """The root over the leaves still holds, but nobody's votes are dropped without a record."""
    empty = "participant = NULL, statement = NULL, value = NULL, at = NULL, key = NULL"
    micro.tamper(project, f"UPDATE votes SET {empty} WHERE place IN (0, 5)")
    found = verify(project)

    assert found.erased == 2
    assert [fault.where for fault in found.faults] == [
        f"{place(project)}: votes: row {number} of process micro" for number in (0, 5)
    ]


def test_rows_smuggled_in_are_found(project: Path) -> None:
    """A row added with a key and a fitting leaf does not fit the root."""
    micro.tamper(
        project,
        "INSERT INTO statements SELECT import, 99, kind, leaf, key, 'copy', json"
        " FROM statements WHERE place = 0",
    )
    found = wheres(project)

    assert f"{place(project)}: statements: root of process micro" in found


@pytest.mark.parametrize(("claimed", "named"), [(3, []), (2, ["ballots"])])
def test_a_receipt_that_miscounts_ballots_is_named(
    tmp_path: Path, claimed: int, named: list[str]
) -> None:
    """A receipt says how many rankings there are, and has to say as many as the store holds."""
    process = Process(id="council", kind="simulated", title={"en": "Council"}, seed=1)

    def elicit(ctx: Context) -> Iterator[Record]:
        roots = ctx.save_consultation(
            process,
            participants=[Participant(id=p, process="council", polities=("v",)) for p in "ab"],
            statements=[
                Statement(id=s, text={"en": s}, layer="polity", authority="v") for s in "xy"
            ],
            votes=[],
            comparisons=[],
            ballots=Ballots.of([("a", (("x",), ("y",))), ("a", (("y",),)), ("b", (("x", "y"),))]),
        )
        yield Consultation(
            process="council", kind="simulated", sources={}, participants=2, statements=2, votes=0,
            comparisons=0, ballots=claimed, unranked="apart", roots=roots,
        )  # fmt: skip

    run_steps(tmp_path, [Step("elicit", elicit)], seed=1)

    assert wheres(tmp_path) == [f"Consultation council: {table}" for table in named]


def wreck(data: bytes) -> bytes:
    """Overwrite the middle of a database file."""
    return data[: len(data) // 3] + b"\xff" * (len(data) // 3) + data[2 * len(data) // 3 :]


@pytest.mark.parametrize("damage", [wreck, lambda data: b"no database at all" * 50])
def test_a_broken_database_is_a_fault_not_a_crash(
    copied: Path, damage: Callable[[bytes], bytes]
) -> None:
    """A database file that cannot be read is reported as what is wrong."""
    with open_store(copied) as store, store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    file = copied / FOLDER / "store.db"
    file.write_bytes(damage(file.read_bytes()))

    assert any(where.startswith(f"{FOLDER}/store.db") for where in wheres(copied))


def test_old_results_are_not_held_against_new_sources(project: Path) -> None:
    """After the votes changed and the run was made again, only the new receipt binds the file."""
    source = project / micro.VOTES
    source.write_text(source.read_text().replace("p1,s0,agree", "p1,s0,pass"))
    run_steps(project, micro.steps(project), seed=micro.SEED)

    assert wheres(project) == []


def test_a_project_that_was_never_run_is_an_input_fault(tmp_path: Path) -> None:
    """There is nothing to verify before a run, and no file is made by asking."""
    with pytest.raises(InputError, match="normwright run"):
        verify(micro.write_project(tmp_path / "micro"))

    assert not (tmp_path / "micro" / FOLDER).exists()
