"""What only a server can do: refuse rights, switch checks off, serve several projects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import PASSWORD, Server
from tests.store.test_database import process, rows_of

from normwright.records import PlaceError, Polity, StoreError
from normwright.store import Address, Store, postgresql, read_address, sqlite


@pytest.fixture
def database(server: Server) -> str:
    """An empty database of the test's own."""
    return server.database()


@pytest.fixture
def town(server: Server, database: str) -> Address:
    """A schema in it."""
    return read_address(server.url(database), project="town", where="the test")


def test_projects_of_one_database_do_not_mix(
    server: Server, database: str, town: Address, tmp_path: Path
) -> None:
    """Two projects in one database each see their own rows, runs and ledger."""
    city = read_address(server.url(database), project="city", where="the test")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with (
        Store.open(tmp_path / "a", address=town) as one,
        Store.open(tmp_path / "b", address=city) as other,
    ):
        one.save_consultation(rows_of(process()))

        assert (one.begin_run(), other.begin_run()) == (1, 1)
        assert (len(one.ledger()), len(other.ledger())) == (1, 0)
        assert (len(one.imports()), len(other.imports())) == (1, 0)
        with one.transaction():  # one writer a project, not one a database
            other.append("result", "sha256:other")


def test_a_schema_that_was_made_beforehand_is_used(
    server: Server, database: str, tmp_path: Path
) -> None:
    """A role that may not make schemas works in the one its database's owner made for it."""
    server.sql(
        f"CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}'",
        'CREATE SCHEMA "normwright_town" AUTHORIZATION worker',
        database=database,
    )
    url = server.url(database, user="worker")
    with Store.open(tmp_path, address=read_address(url, project="town", where="x")) as store:
        assert store.append("result", "sha256:x").seq == 1


def test_a_socket_serves_as_well(server: Server, database: str, tmp_path: Path) -> None:
    """The server is reached through its socket, and named by it."""
    url = f"postgresql://owner@/{database}?host={server.folder}&port={server.port}"
    with Store.open(tmp_path, address=read_address(url, project="town", where="x")) as store:
        assert store.ledger() == ()
        assert store.name == (
            f"postgresql://{server.folder}:{server.port}/{database}, schema normwright_town"
        )


def test_what_is_left_out_comes_from_the_environment(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL without host, port or database goes by libpq's own variables, and says so."""
    settings = {"HOST": "127.0.0.1", "PORT": server.port, "DATABASE": database, "USER": "owner"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PG{name}", str(value))
    address = read_address("postgresql://", project="town", where="x")
    with Store.open(tmp_path, address=address) as store:
        assert store.ledger() == ()
        assert store.name.startswith(f"postgresql://127.0.0.1:{server.port}/{database}, ")


def test_a_writer_that_waits_too_long_is_told(
    address: Address | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a writer that does not end, the next one ends in an error, and readers go on."""
    for backend in (postgresql, sqlite):
        monkeypatch.setattr(backend, "PATIENCE", 0.1)
    with (
        Store.open(tmp_path, address=address) as one,
        Store.open(tmp_path, address=address) as other,
        one.transaction(),
    ):
        one.append("result", "sha256:mine")

        with pytest.raises(
            (StoreError, PlaceError), match=r"the other writer to|the database within"
        ):
            other.append("result", "sha256:theirs")
        assert other.ledger() == ()


def test_a_standby_is_named_as_such(
    server: Server, database: str, town: Address, tmp_path: Path
) -> None:
    """A server that only takes reads, as a standby does, says what is wrong with it."""
    with Store.open(tmp_path, address=town) as store:
        store.append("result", "sha256:x")
    server.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with Store.open(tmp_path, address=town) as store:
        assert len(store.ledger()) == 1
        with pytest.raises(StoreError, match="a server that takes writes"):
            store.append("result", "sha256:y")


def test_readers_see_one_state(town: Address, tmp_path: Path) -> None:
    """What is written while somebody reads is not in the rest of what they read."""
    with Store.open(tmp_path, address=town) as reader, Store.open(tmp_path, address=town) as writer:
        polities = [Polity(id=f"p{n}", name={"en": "P"}, layer="polity") for n in range(3)]
        writer.put_records("elicit", polities[:1])
        with reader.engine.connect() as connection:
            count = sa.text("SELECT count(*) FROM records")
            before = connection.scalar(count)
            writer.put_records("elicit", polities)
            during = connection.scalar(count)

        assert (before, during) == (1, 1)
        assert len(list(reader.all_stored())) == 3


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (
            "DELETE FROM participants WHERE place = 0",
            ["2 rows of votes refer to no row of participants"],
        ),
        ("ALTER TABLE votes DISABLE TRIGGER ALL", ["a foreign key of votes is switched off"]),
        (
            "ALTER TABLE runs ADD CONSTRAINT late CHECK (seq > 0) NOT VALID",
            ["the constraint late of runs was never checked"],
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'runs_pkey'::regclass",
            ["the index runs_pkey of runs is not valid"],
        ),
    ],
)
def test_damage_that_a_client_can_see_is_named(
    town: Address, tmp_path: Path, harm: str, said: list[str]
) -> None:
    """Rows that refer to nothing, and constraints or indexes that do not hold, are named."""
    with Store.open(tmp_path, address=town) as store:
        store.save_consultation(rows_of(process()))
        sound = store.damage()
        with store.transaction() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(harm)

        assert sound == ()
        assert [line for line in said if line not in store.damage()] == []


def test_text_is_ordered_byte_by_byte(town: Address, tmp_path: Path) -> None:
    """Whatever language a database sorts by, the store's columns sort as in SQLite."""
    with Store.open(tmp_path, address=town) as store:
        store.put_exports(dict.fromkeys(("a", "B", "ã", "_", "Z"), "sha256:x"))

        assert list(store.exports()) == ["B", "Z", "_", "a", "ã"]


def test_without_the_driver_the_extra_is_named(tmp_path: Path) -> None:
    """Where psycopg is not installed, the error names the extra; SQLite needs nothing of it."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pathlib import Path\n"
        "from normwright.store import Store, read_address\n"
        "from normwright.records import MissingExtra\n"
        "place = Path(sys.argv[1])\n"
        "Store.open(place).close()\n"
        "try: Store.open(place, address=read_address('postgresql://', project='a', where='b'))\n"
        "except MissingExtra as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.stdout.strip().endswith("pip install 'normwright[postgres]'"), done.stderr
