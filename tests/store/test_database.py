"""The store keeps records by content and rows by receipt, and refuses to mix people and puppets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from normwright.records import (
    Comparison,
    Consultation,
    InputError,
    IntegrityError,
    Measurement,
    Participant,
    Polity,
    Process,
    ProcessKind,
    Statement,
    Vote,
    digest_json,
)
from normwright.records.estimates import Estimate
from normwright.store import (
    Address,
    PreparedImport,
    StageResult,
    Store,
    first_break,
    import_of,
    prepare,
    record_digest,
    root,
)
from normwright.store.migrations import MIGRATIONS, migrate


@pytest.fixture
def store(tmp_path: Path, address: Address | None) -> Iterator[Store]:
    with Store.open(tmp_path, address=address) as opened:
        yield opened


def process(kind: ProcessKind = "simulated", seed: int | None = 7) -> Process:
    return Process(id="vila", kind=kind, title={"en": "V", "pt": "V"}, seed=seed)


def rows_of(one: Process, *, vote: str = "agree") -> PreparedImport:
    return prepare(
        one,
        participants=[
            Participant(id=name, process=one.id, polities=("v",), lang="pt")
            for name in ("ana", "rui")
        ],
        statements=[
            Statement(id="s1", text={"en": "A.", "pt": "Ã."}, layer="polity", authority="v"),
            Statement(id="s2", text={"en": "B."}, layer="polity", authority="v", norm="n.b"),
        ],
        votes=[
            Vote(participant="rui", statement="s1", value="pass", at=5),
            Vote(participant="ana", statement="s2", value="disagree"),
            Vote.model_validate({"participant": "ana", "statement": "s1", "value": vote}),
        ],
        comparisons=[
            Comparison(
                participant="ana", scene="c1", norm="n.b", authority="v", choice="decline", at=9
            )
        ],
    )


def receipt(prepared: PreparedImport) -> Consultation:
    return Consultation(
        process=prepared.process.id,
        kind=prepared.process.kind,
        sources={},
        participants=prepared.counts["participants"],
        statements=prepared.counts["statements"],
        votes=prepared.counts["votes"],
        comparisons=prepared.counts["comparisons"],
        roots=prepared.roots,
    )


def a_result(*made: str, seconds: float = 1.0) -> StageResult:
    return StageResult(
        key=digest_json("key"),
        stage="aggregate",
        inputs={"elicit": [digest_json(1)]},
        parameters={"bootstrap": 200},
        code=digest_json("code"),
        seed=7,
        made=made,
        objects=(digest_json("o"),),
        exports={"out/x": digest_json("x")},
        seconds=seconds,
        created="2026-01-01T00:00:00+00:00",
    )


# Records


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    """A record read back is equal to the one stored, and storing it twice keeps one."""
    polity = Polity(id="v", name={"en": "V", "pt": "Vila"}, layer="polity")
    first, second = store.put_records("elicit", [polity, polity])
    store.put_records("elicit", [polity])

    assert first == second == polity.digest
    assert store.record(first, Polity) == polity
    assert [one.digest for one in store.all_stored("Polity")] == [first]
    assert store.starting_with(first[:15]) == (first,)


def test_records_of_one_kind_come_back_in_the_order_asked(store: Store) -> None:
    """Among digests, those of other kinds and of no record are left out; a changed one is not."""
    one, two = (Polity(id=name, name={"en": name}, layer="polity") for name in ("v", "w"))
    first, second, other = store.put_records("elicit", [one, two, process()])
    asked = [second, other, digest_json("none"), first, second]

    assert store.records(asked, Polity) == (two, one, two)
    with store.transaction() as connection:
        connection.execute(sa.text("UPDATE records SET json = replace(json, '\"v\"', '\"x\"')"))
    with pytest.raises(IntegrityError, match="now has digest"):
        store.records(asked, Polity)


def test_what_stands_outside_the_digest_does_not_change_it(store: Store) -> None:
    """The digest is recomputed from the JSON alone, without the fields that do not count."""
    made = Measurement(
        suite="harm",
        metric="rate",
        model="aligned",
        model_digest=digest_json("m"),
        estimate=Estimate(value=1.0, interval=None, n=3),
        seconds=2.5,
    )
    (digest,) = store.put_records("evaluate", [made])
    (stored,) = store.all_stored("Measurement")

    assert record_digest(stored) == digest == made.digest
    assert '"seconds":2.5' in stored.json
    assert store.record(digest, Measurement).seconds == 2.5


def test_a_changed_record_is_not_returned(store: Store) -> None:
    """A record whose JSON was altered is refused, and so is one of another kind."""
    (digest,) = store.put_records("elicit", [Polity(id="v", name={"en": "V"}, layer="polity")])
    with store.transaction() as connection:
        connection.execute(sa.text("UPDATE records SET json = replace(json, '\"v\"', '\"w\"')"))

    with pytest.raises(IntegrityError, match=f"Polity {digest} now has digest"):
        store.record(digest, Polity)
    with pytest.raises(IntegrityError, match="found a Polity"):
        store.record(digest, Process)
    with pytest.raises(IntegrityError, match="found nothing"):
        store.record(digest_json("none"), Process)


def test_a_vote_is_not_stored_under_a_plain_hash(store: Store) -> None:
    """A vote's plain digest could be guessed, so it cannot be stored as a record."""
    with pytest.raises(IntegrityError, match="keyed row"):
        store.put_records("elicit", [Vote(participant="p", statement="s", value="agree")])


# Rows


def test_rows_come_back_and_roots_are_those_of_the_leaves(store: Store) -> None:
    """Rows read back equal what was imported; the roots are Merkle roots of the stored leaves."""
    prepared = rows_of(process())
    roots = store.save_consultation(prepared)
    rows = store.rows(receipt(prepared))
    (imported,) = store.imports()
    kept = list(store.keyed_rows(imported))

    assert rows.process == prepared.process
    assert [one.id for one in rows.participants] == ["ana", "rui"]
    assert [one.text for one in rows.statements] == [{"en": "A.", "pt": "Ã."}, {"en": "B."}]
    assert [(v.participant, v.statement, v.value, v.at) for v in rows.votes] == [
        ("ana", "s1", "agree", 0),
        ("ana", "s2", "disagree", 0),
        ("rui", "s1", "pass", 5),
    ]
    assert rows.comparisons[0].choice == "decline"
    assert imported.digest == import_of(receipt(prepared)) == prepared.digest
    for table in roots:
        assert roots[table] == root([row.leaf for row in kept if row.table == table])
    assert all(row.seen == row.leaf for row in kept)


def test_simulated_roots_repeat_and_do_not_depend_on_order(store: Store) -> None:
    """The same simulated rows in another order have the same roots; one other vote has not."""
    one, other = rows_of(process()), rows_of(process(), vote="disagree")
    votes = [
        Vote(participant="ana", statement="s1", value="agree"),
        Vote(participant="ana", statement="s2", value="disagree"),
        Vote(participant="rui", statement="s1", value="pass", at=5),
    ]
    store.save_consultation(one)
    held = store.rows(receipt(one))
    again = prepare(
        process(),
        participants=held.participants[::-1],
        statements=held.statements[::-1],
        votes=votes[::-1],
        comparisons=held.comparisons,
    )

    assert again.roots == one.roots
    assert {t for t in one.roots if one.roots[t] != other.roots[t]} == {"votes"}


def test_human_keys_are_random() -> None:
    """The same human rows never have the same leaves twice: leaves cannot be compared across."""
    one, other = rows_of(process("human", None)), rows_of(process("human", None))

    assert all(one.roots[table] != other.roots[table] for table in one.roots)


def test_one_changed_row_no_longer_fits_its_leaf(store: Store) -> None:
    """Changing one vote in the database shows at exactly that row."""
    store.save_consultation(rows_of(process()))
    with store.transaction() as connection:
        connection.execute(sa.text("UPDATE votes SET value = 'agree' WHERE place = 1"))
    (imported,) = store.imports()
    wrong = [row for row in store.keyed_rows(imported) if row.seen != row.leaf]

    assert [(row.table, row.place) for row in wrong] == [("votes", 1)]


def test_an_erased_row_keeps_its_leaf_only(store: Store) -> None:
    """A row emptied with its key verifies as erased; emptied in part, the database refuses it."""
    prepared = rows_of(process("human", None))
    store.save_consultation(prepared)
    empty = "participant = NULL, statement = NULL, value = NULL, at = NULL"
    with store.transaction() as connection:
        connection.execute(sa.text(f"UPDATE votes SET {empty}, key = NULL WHERE place = 0"))
    (imported,) = store.imports()
    votes = [row for row in store.keyed_rows(imported) if row.table == "votes"]

    assert [row.seen is None for row in votes] == [True, False, False]
    assert root([row.leaf for row in votes]) == imported.roots["votes"]
    assert len(store.rows(receipt(prepared)).votes) == 2
    for half in (empty, "key = NULL", "key = :short"):
        short = {"short": bytes(31)} if ":" in half else {}
        with pytest.raises(sa.exc.IntegrityError), store.transaction() as connection:
            connection.execute(sa.text(f"UPDATE votes SET {half} WHERE place = 1"), short)


def test_a_process_is_human_or_simulated_once_and_for_all(store: Store) -> None:
    """A process that came in as simulated is refused as human, and nothing of it is stored."""
    store.save_consultation(rows_of(process()))
    with pytest.raises(InputError, match="expected simulated, as this project already holds it"):
        store.save_consultation(rows_of(process("human", None)))

    assert [one.kind for one in store.imports()] == ["simulated"]


@pytest.mark.parametrize(
    "intrusion",
    [
        "UPDATE participants SET kind = 'simulated' WHERE place = 0",
        "UPDATE votes SET kind = 'simulated' WHERE place = 0",
        "UPDATE imports SET kind = 'simulated'",
        "UPDATE processes SET kind = 'simulated'",
        "UPDATE processes SET kind = 'robot'",
        "INSERT INTO participants SELECT import, 9, 'simulated', leaf, key, 'bot', json"
        " FROM participants WHERE place = 0",
        "INSERT INTO votes SELECT import, 9, kind, leaf, key, 'bot', statement, value, at"
        " FROM votes WHERE place = 0",
        "INSERT INTO comparisons SELECT import, 9, 'simulated', leaf, key, participant, 'c9',"
        " norm, authority, choice, at FROM comparisons",
        "UPDATE votes SET value = 'maybe' WHERE place = 0",
        "UPDATE votes SET statement = 's9' WHERE place = 0",
    ],
)
def test_the_database_itself_refuses_to_mix(store: Store, intrusion: str) -> None:
    """No statement of SQL brings a simulated row into the tally of a human process."""
    store.save_consultation(rows_of(process("human", None)))
    with pytest.raises(sa.exc.IntegrityError), store.transaction() as connection:
        connection.execute(sa.text(intrusion))

    assert [one.kind for one in store.imports()] == ["human"]


def test_all_faults_of_the_rows_come_at_once() -> None:
    """Rows that cannot be stored are refused with every fault, named."""
    with pytest.raises(InputError) as caught:
        prepare(
            process(seed=None),
            participants=[
                Participant(id="ana", process="other", polities=()),
                Participant(id="ana", process="vila", polities=()),
            ],
            statements=[],
            votes=[Vote(participant="bob", statement="s", value="agree")],
            comparisons=[
                Comparison(participant="eva", scene="c", norm="n", authority="v", choice="tie")
            ],
        )

    assert [fault.where for fault in caught.value.faults] == [
        "process vila: seed",
        "participants: process",
        "participants",
        "votes: participant",
        "votes: statement",
        "comparisons: participant",
    ]


def test_an_id_that_no_database_keeps_is_named() -> None:
    """The character NUL in an id is a fault wherever the rows are to be stored."""
    with pytest.raises(InputError, match=r"participants: .* NUL, saw 'an\\x00a'"):
        prepare(
            process(),
            participants=[Participant(id="an\0a", process="vila", polities=())],
            statements=[],
            votes=[],
            comparisons=[],
        )


def test_an_import_is_stored_whole_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the last step of an import fails, no row of it is left behind."""
    prepared = rows_of(process())

    def stop(*_: object, **__: object) -> None:
        raise RuntimeError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", stop)
        with pytest.raises(RuntimeError, match="stopped"):
            store.save_consultation(prepared)
    with store.engine.connect() as connection:
        counts = [
            connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
            for table in ("processes", "imports", *prepared.rows)
        ]

    assert set(counts) == {0}
    store.save_consultation(prepared)
    store.save_consultation(prepared)
    assert len(store.imports()) == len(store.ledger()) == 1


# Results, runs, ledger


def test_a_result_is_found_by_its_key_and_stands_in_the_ledger(store: Store) -> None:
    """A stored result comes back equal; making it again differently leaves a trace."""
    one, other = a_result(digest_json(1)), a_result(digest_json(2))
    store.put_result(one)
    found = store.result(one.key)
    store.put_result(other)

    assert found == one
    assert store.result(one.key) == other
    assert [entry.kind for entry in store.ledger()] == ["result", "replaced", "result"]
    assert first_break(store.ledger()) is None


def test_a_transaction_stores_all_or_nothing(store: Store) -> None:
    """Writes of several kinds inside one transaction disappear together when it fails."""
    polity = Polity(id="v", name={"en": "V"}, layer="polity")

    def half_of_it() -> None:
        with store.transaction():
            store.put_records("elicit", [polity])
            store.put_result(a_result(polity.digest))
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        half_of_it()

    assert list(store.all_stored()) == []
    assert store.ledger() == ()
    assert store.result(digest_json("key")) is None


# Opening


def test_the_schema_is_migrated_once(tmp_path: Path, address: Address | None) -> None:
    """Each numbered step is applied once and its name kept; opening again applies nothing."""
    Store.open(tmp_path, address=address).close()
    with Store.open(tmp_path, address=address) as store, store.transaction() as connection:
        again = migrate(connection)
        names = list(connection.scalars(sa.text("SELECT name FROM migrations ORDER BY seq")))

    assert again == ()
    assert names == [step.__name__ for step in MIGRATIONS]
    assert [name.split("_")[0] for name in names] == [
        f"m{number:04}" for number in range(1, len(names) + 1)
    ]


def test_a_file_keeps_its_log_beside_it(tmp_path: Path) -> None:
    """The SQLite file is in write-ahead mode, so that readers and a writer do not wait."""
    with Store.open(tmp_path) as store, store.engine.connect() as connection:
        mode = connection.scalar(sa.text("PRAGMA journal_mode"))

    assert mode == "wal"


def test_a_folder_may_have_any_name(tmp_path: Path, address: Address | None) -> None:
    """Characters that mean something in a URL mean nothing in the name of a folder."""
    project = tmp_path / "what? 100% @home #1"
    project.mkdir()
    with Store.open(project, address=address) as store:
        store.append("result", "sha256:x")
    with Store.open(project, address=address, create=False) as store:
        assert len(store.ledger()) == 1


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path, address: Address | None) -> None:
    """A database with a migration unknown here is not touched but refused with both lists."""
    with Store.open(tmp_path, address=address) as store, store.transaction() as connection:
        connection.execute(sa.text("INSERT INTO migrations VALUES (9000, 'm9000_later')"))

    with pytest.raises(InputError, match="m9000_later"):
        Store.open(tmp_path, address=address)


def test_opening_without_creating_leaves_no_trace(tmp_path: Path, address: Address | None) -> None:
    """Asking for the store of a project that was never run is an input fault and makes no file."""
    with pytest.raises(InputError, match="normwright run"):
        Store.open(tmp_path, address=address, create=False)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """A store file that is not a database is an integrity error, not a crash."""
    (tmp_path / ".normwright").mkdir()
    (tmp_path / ".normwright" / "store.db").write_bytes(b"not a database, whatever it says" * 40)

    with pytest.raises(IntegrityError, match="not a readable database"):
        Store.open(tmp_path, create=False)


def test_reading_goes_on_beside_a_writer(
    store: Store, tmp_path: Path, address: Address | None
) -> None:
    """Another one may open and read the store while a transaction is open, and sees none of it."""
    polity = Polity(id="v", name={"en": "V"}, layer="polity")
    with store.transaction():
        store.put_records("elicit", [polity])
        with Store.open(tmp_path, address=address, create=False) as reader:
            during = len(list(reader.all_stored()))
    with Store.open(tmp_path, address=address, create=False) as reader:
        after = len(list(reader.all_stored()))

    assert (during, after) == (0, 1)
