"""A store made by any earlier version opens with this one, and nothing in it is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.store.test_database import a_result, process, receipt, rows_of

from normwright.records import Process, canonical_json
from normwright.store import (
    Address,
    RunStep,
    Store,
    first_break,
    import_payload,
    link,
    result_payload,
)
from normwright.store import migrations as steps

ALL = steps.MIGRATIONS


def fill(store: Store) -> None:
    """Write rows as the first version did, with columns and statements of that time."""
    prepared, made = rows_of(process()), a_result()
    record = prepared.process
    first = link(
        None,
        kind="import",
        payload=import_payload(prepared.digest, record.digest),
        at="2026-01-01T00:00:00+00:00",
    )
    second = link(first, kind="result", payload=result_payload(made), at=first.at)
    tables: dict[str, list[dict[str, Any]]] = {
        "records": [
            {
                "digest": record.digest,
                "kind": "Process",
                "json": canonical_json(record.model_dump(mode="json")),
                "stage": "elicit",
            }
        ],
        "results": [
            {
                **{
                    name: getattr(made, name)
                    for name in ("key", "stage", "code", "seconds", "created")
                },
                **{
                    name: canonical_json(getattr(made, name))
                    for name in ("inputs", "parameters", "made", "objects", "exports")
                },
                "seed": 2**63 - 1,
            }
        ],
        "runs": [{"seq": 1, "started": first.at, "ended": None}],
        "run_steps": [
            {
                "run": 1,
                "place": 0,
                "stage": "aggregate",
                "key": made.key,
                "skipped": 0,
                "seconds": 1.5,
            }
        ],
        "exports": [{"path": "out/x", "digest": made.exports["out/x"]}],
        "ledger": [vars(first), vars(second)],
        "processes": [{"id": record.id, "kind": record.kind}],
        "imports": [
            {
                "digest": prepared.digest,
                "process": record.id,
                "kind": record.kind,
                "process_record": record.digest,
                "roots": canonical_json(prepared.roots),
            }
        ],
        **{
            table: [{"import": prepared.digest, **row} for row in prepared.rows[table]]
            for table in ("participants", "statements", "votes", "comparisons")
        },
    }
    with store.transaction() as connection:
        for table, rows in tables.items():
            columns = ", ".join(rows[0])
            values = ", ".join(f":{name}" for name in rows[0])
            connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), rows)


@pytest.mark.parametrize("known", range(len(ALL) + 1))
def test_a_store_of_every_earlier_version_is_brought_up_to_date(
    tmp_path: Path, address: Address | None, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    """At each earlier step, with rows of the first in it, opening applies what is missing."""
    for upto in sorted({min(known, 1), known}):
        with monkeypatch.context() as patch:
            patch.setattr(steps, "MIGRATIONS", ALL[:upto])
            with Store.open(tmp_path, address=address) as store:
                if upto == 1:
                    fill(store)
    with Store.open(tmp_path, address=address) as store:
        with store.engine.connect() as connection:
            names = list(connection.scalars(sa.text("SELECT name FROM migrations ORDER BY seq")))
        prepared, made = rows_of(process()), a_result()
        kept = [one.json for one in store.all_stored("Process")]
        assert names == [step.__name__ for step in ALL]
        assert store.damage() == ()
        assert len(kept) == len(store.imports()) == min(known, 1)
        store.save_consultation(prepared)
        found = store.rows(receipt(prepared))

        assert [vote.value for vote in found.votes] == ["agree", "disagree", "pass"]
        assert store.record(process().digest, Process) == process()
        assert first_break(store.ledger()) is None
        if known:
            assert len(store.ledger()) == 2
            assert store.results()[0].seed == 2**63 - 1
            assert store.results()[0].made == made.made
            assert store.current_steps() == {
                "aggregate": RunStep(1, "aggregate", made.key, False, 1.5)
            }
            assert store.exports() == made.exports
            assert store.begin_run() == 2


def m9999_later(connection: sa.Connection) -> None:
    """What a later version might do: a column that old rows have a value for."""
    connection.execute(sa.text("ALTER TABLE votes ADD COLUMN weight INTEGER NOT NULL DEFAULT 1"))


def m9998_broken(connection: sa.Connection) -> None:
    """Change something, then fail."""
    connection.execute(sa.text("ALTER TABLE votes ADD COLUMN half INTEGER"))
    raise RuntimeError("stopped")


def test_a_step_that_is_appended_keeps_the_rows(
    tmp_path: Path, address: Address | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store of today, opened by a version with one more step, has its rows and the new column."""
    with Store.open(tmp_path, address=address) as store:
        store.save_consultation(rows_of(process()))
    monkeypatch.setattr(steps, "MIGRATIONS", (*ALL, m9999_later))
    with Store.open(tmp_path, address=address) as store, store.engine.connect() as connection:
        weights = list(connection.scalars(sa.text("SELECT weight FROM votes")))

    assert weights == [1, 1, 1]


def test_a_step_that_fails_changes_nothing(
    tmp_path: Path, address: Address | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the second of two steps fails, the first is undone too, and the old version goes on."""
    with Store.open(tmp_path, address=address) as store:
        store.save_consultation(rows_of(process()))
    with monkeypatch.context() as patch:
        patch.setattr(steps, "MIGRATIONS", (*ALL, m9999_later, m9998_broken))
        with pytest.raises(RuntimeError, match="stopped"):
            Store.open(tmp_path, address=address)
    with Store.open(tmp_path, address=address) as store, store.engine.connect() as connection:
        columns = {column["name"] for column in sa.inspect(connection).get_columns("votes")}

    assert not {"weight", "half"} & columns


def test_a_kind_that_gained_a_field_still_reads_its_old_records(
    tmp_path: Path, address: Address | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is proved by the JSON it was stored as; a field it had not yet has its default."""
    grown: type[Process] = type(
        "Process",
        (Process,),
        {"__annotations__": {"since": str}, "since": "unknown", "__module__": __name__},
    )
    with Store.open(tmp_path, address=address) as store:
        (digest,) = store.put_records("elicit", [process()])
        monkeypatch.setattr("normwright.records.Process", grown)
        read = store.record(digest, grown)

    assert read.digest != digest
    assert read.model_dump(exclude={"since"}) == process().model_dump()
