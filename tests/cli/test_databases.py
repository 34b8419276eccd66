"""The same story with the store in PostgreSQL, and everything that a server can refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import Call
from tests.postgres import PASSWORD, Server

from normwright.flow import engine, open_store
from normwright.flow.stores import VARIABLE
from normwright.store import postgresql

WRONG = "hunter2-is-wrong"


@pytest.fixture
def up(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server; if a test kills it, it is started again. Nobody waits for it long."""
    monkeypatch.setattr(postgresql, "_WAITS", (0.05,))
    yield server
    if server.process is None:
        server.start()


def begin(call: Call, directory: Path, url: str | None = None) -> Path:
    """Make a project from the template `micro`, with its store at `url`."""
    assert call("init", directory, "--template", "micro", "--json").code == 0
    if url is not None:
        file = directory / "normwright.yaml"
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        raw["charter_date"] = str(raw["charter_date"])
        raw["store"] = {"url": url}
        file.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return directory


def everything(directory: Path) -> bytes:
    """Return all bytes that lie in a project but for its own project file."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files if path.name != "normwright.yaml")


def test_the_charter_is_the_same_wherever_the_store_is(
    call: Call, up: Server, tmp_path: Path
) -> None:
    """From votes to the charter: same digests, and status, trace and verify work as with a file."""
    here = begin(call, tmp_path / "here")
    there = begin(call, tmp_path / "there", up.url(up.database()))
    one, other = (call("run", p, "--until", "charter", "--json").value for p in (here, there))
    made = {stage["name"]: stage["made"] for stage in other["stages"]}
    charter = made["charter"][-1]
    status = call("status", there, "--json").value
    traces = [call("trace", charter, "--project", p, "--json").value for p in (here, there)]
    checked = [call("verify", p, "--json").value for p in (here, there)]
    again = call("run", there, "--until", "charter", "--json").value

    assert made == {stage["name"]: stage["made"] for stage in one["stages"]}
    assert traces[0] == traces[1]
    assert traces[1]["roots"][0]["tables"]["votes"]["rows"] > 1000
    assert [found["faults"] for found in checked] == [[], []]
    assert checked[0]["checked"] == checked[1]["checked"]
    assert {s["name"]: s["made"] for s in status["stages"] if s["state"] == "done"} == made
    assert all(stage["skipped"] for stage in again["stages"])
    assert not (there / ".normwright" / "store.db").exists()
    assert call("charter", "show", there, "--json").value == (
        call("charter", "show", here, "--json").value
    )


def test_a_server_killed_in_a_run_is_one_error_and_the_same_command_goes_on(
    call: Call, up: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ends with 1 and one fault that says what is kept; repeated, it goes on there."""
    project = begin(call, tmp_path / "town", up.url(up.database()))
    plan = engine.plan_step

    def strike(step: engine.Step, **given: object) -> engine.Plan:
        if step.name == "aggregate":
            up.kill()
        return plan(step, **given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(engine, "plan_step", strike)
        ended = call("run", project, "--until", "charter", "--json")
    said = call("run", project, "--until", "charter")
    up.start()
    again = call("run", project, "--until", "charter", "--json")

    (fault,) = ended.faults
    assert ended.code == said.code == 1
    assert fault["where"].startswith(f"postgresql://127.0.0.1:{up.port}/")
    assert fault["seen"].endswith("Connection refused")
    assert "Kept of this run: elicit." in fault["do"]
    assert "Traceback" not in ended.err + said.err
    assert len(said.err.strip().splitlines()) == 1
    assert [(s["name"], s["skipped"]) for s in again.value["stages"]] == [
        ("elicit", True),
        ("aggregate", False),
        ("charter", False),
    ]
    assert call("verify", project, "--json").value["faults"] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://owner:{wrong}@127.0.0.1:{port}/postgres", "to be let in"),
        ("postgresql://nobody:{wrong}@127.0.0.1:{port}/postgres", "to be let in"),
        ("postgresql://owner:{right}@127.0.0.1:{port}/none", "a database of that name"),
        ("postgresql://owner:{right}@127.0.0.1:1/postgres", "a PostgreSQL server that answers"),
        (
            "postgresql://owner:{right}@127.0.0.1:{port}/postgres?nonsense=1",
            "a PostgreSQL server that does what it is asked",
        ),
        (
            "postgresql://owner:{right}@/postgres?host=/nowhere",
            "a PostgreSQL server that answers",
        ),
        (
            "postgresql://guest:{right}@127.0.0.1:{port}/postgres",
            "the right to use the database and to make a schema in it",
        ),
        (
            "postgresql://guest:{right}@127.0.0.1:{port}/closed",
            "the right to use the database and to make a schema in it",
        ),
        ("postgresql://owner:{wrong}@h@127.0.0.1/postgres", "postgresql://USER@HOST"),
        ("postgresql://owner:{wrong}/x@h:y/postgres", "postgresql://USER@HOST"),
        ("mysql://owner:{wrong}@127.0.0.1/postgres", "postgresql://USER@HOST"),
        ("owner:{wrong}", "postgresql://USER@HOST"),
    ],
)
def test_what_a_server_refuses_is_one_fault_without_the_password(
    call: Call,
    up: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    expected: str,
) -> None:
    """Wrong password, user, database, host or right: one fault each, and no secret anywhere."""
    if "guest" in url:
        guests = up.sql("SELECT 1 FROM pg_roles WHERE rolname = 'guest'")
        if not guests:
            up.sql(
                f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'",
                "CREATE DATABASE closed",
                "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
            )
    project = begin(call, tmp_path / "town")
    monkeypatch.setenv(VARIABLE, url.format(wrong=WRONG, right=PASSWORD, port=up.port))
    ended = call("run", project, "--until", "elicit", "--json")
    said = call("run", project, "--until", "elicit")

    (fault,) = ended.faults
    assert ended.code == said.code == 1
    assert fault["expected"].startswith(expected)
    assert fault["do"]
    assert "Traceback" not in ended.err + said.err
    told = (ended.out + ended.err + said.out + said.err).encode() + everything(project)
    assert WRONG.encode() not in told
    assert PASSWORD.encode() not in told


@pytest.mark.parametrize(
    "store",
    [
        {"url": f"postgresql://owner:{WRONG}@127.0.0.1/postgres"},
        {"url": f"postgresql://owner@127.0.0.1/postgres?password={WRONG}"},
        {"url": [f"postgresql://owner:{WRONG}@127.0.0.1/postgres"]},
        {"ulr": f"postgresql://owner:{WRONG}@127.0.0.1/postgres"},
        f"postgresql://owner:{WRONG}@127.0.0.1/postgres",
    ],
)
@pytest.mark.parametrize("command", ["run", "status", "verify"])
def test_a_password_in_the_project_file_is_a_fault_that_does_not_repeat_it(
    call: Call, tmp_path: Path, store: object, command: str
) -> None:
    """The file is committed, so no password may stand in it, and no message shows the one there."""
    project = begin(call, tmp_path / "town")
    file = project / "normwright.yaml"
    with file.open("a", encoding="utf-8") as text:
        text.write(f"store: {json.dumps(store)}\n")
    ended = call(command, project, "--json")

    assert ended.code == 1
    assert WRONG not in ended.out + ended.err
    assert "Traceback" not in ended.err
    if isinstance(store, dict) and isinstance(store.get("url"), str):
        (fault,) = ended.faults
        assert fault["where"] == "normwright.yaml: store.url"
        assert fault["seen"] == "a password in it"
        assert "PGPASSWORD" in fault["do"]


def test_the_environment_takes_the_place_of_the_file(
    call: Call, up: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable names the database, password and all; no trace of it is left in the project."""
    project = begin(call, tmp_path / "town", "postgresql://nobody@127.0.0.1:1/nowhere")
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv(VARIABLE, up.url(up.database(), password=PASSWORD))
    ran = call("run", project, "--until", "elicit", "--json")
    with open_store(project, create=False) as store:
        shown = f"{store.name} {store.engine.url!r} {store.engine!r}"
        words = json.dumps([entry.kind for entry in store.ledger()])

    assert ran.code == 0
    assert PASSWORD not in ran.out + ran.err + shown + words
    assert PASSWORD.encode() not in everything(project)
