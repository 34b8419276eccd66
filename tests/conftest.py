"""What every test shares: one thread, no hub, the real data if there, skips that can count."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
# A terminal of one width and no colour, so that what is printed is the same for everybody.
os.environ["COLUMNS"] = "120"
os.environ["NO_COLOR"] = "1"
os.environ.pop("FORCE_COLOR", None)
# No key of whoever runs the tests: theirs must sign nothing here, and trust nothing.
os.environ["NORMWRIGHT_HOME"] = os.path.join(tempfile.gettempdir(), f"no-keys-{os.getpid()}")
os.environ.pop("NORMWRIGHT_KEY", None)
os.environ.pop("NORMWRIGHT_PASSPHRASE", None)

import pytest

if TYPE_CHECKING:
    from tests.postgres import Server

    from normwright.store import Address

DATA = "NORMWRIGHT_DATA"
"""The environment variable that names the folder of real data."""

REQUIRE = "NORMWRIGHT_REQUIRE"
"""Set, a skipped test counts as failed: what is to be run there must be there."""


@pytest.fixture
def data_dir() -> Path:
    """The folder of real data; the test is skipped where the variable is unset."""
    named = os.environ.get(DATA)
    if not named:
        pytest.skip(f"the real data are not here: set {DATA} to their folder")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"{DATA} names {named}, which is not a folder")
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server of this test run's own; a test is skipped where none can be started."""
    from tests.postgres import PASSWORD, NoServer, Server

    pytest.importorskip("psycopg", reason="the driver is not here: pip install '.[postgres]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NORMWRIGHT_STORE", raising=False)
        patch.setenv("PGPASSWORD", PASSWORD)
        try:
            started = Server()
        except NoServer as error:
            pytest.skip(str(error))
        try:
            yield started
        finally:
            started.remove()


DATABASES = ("sqlite", "postgresql")
_SCHEMAS = count(1)


@pytest.fixture(params=DATABASES)
def address(request: pytest.FixtureRequest) -> Address | None:
    """Where the store of a test lies: once in its own file, once in a schema of its own."""
    return _address(request)


@pytest.fixture(scope="module", params=DATABASES)
def address_of_all(request: pytest.FixtureRequest) -> Address | None:
    """Where the store lies that the tests of a module share and leave as it is."""
    return _address(request)


def _address(request: pytest.FixtureRequest) -> Address | None:
    if request.param == "sqlite":
        return None
    from normwright.store import read_address

    server: Server = request.getfixturevalue("server")
    url = server.url("postgres")
    return read_address(url, project=f"test-{next(_SCHEMAS)}", where="the tests")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Torch runs on one thread where a test loaded it; it is never loaded for this."""
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads") and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


NOT_PERMITTED = "not permitted here:"
"""How a skip begins that no installation could make unnecessary: the machine denies a right."""


def _no_skips(report: pytest.TestReport | pytest.CollectReport, where: str) -> None:
    """Turn a skip into a failure where skips are not allowed; an expected failure stays one."""
    if os.environ.get(REQUIRE) and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if NOT_PERMITTED in str(reason):
            return
        report.outcome = "failed"
        report.longrepr = f"{where} was skipped where {REQUIRE} is set: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at the report of every test."""
    report = yield
    _no_skips(report, item.nodeid)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at the report of every module that was collected."""
    report = yield
    _no_skips(report, collector.nodeid)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once why tests were skipped, and how many: the reason tells what to install or set."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2] for report in skipped)
    for reason, number in sorted(reasons.items()):
        terminalreporter.write_line(f"{number} skipped: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def micro_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the template `micro`, carried to its verdict once by the command line.

    Its pages lie in `out`, and what `run --json` printed lies beside it in `run.json`. Tests that
    change anything work on a copy.
    """
    from contextlib import redirect_stdout
    from io import StringIO

    from normwright.cli import main

    directory = tmp_path_factory.mktemp("story") / "micro"
    said = StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit) as ended:
        main(["demo", str(directory), "--template", "micro", "--json"])
    assert ended.value.code in (0, 3, 4), said.getvalue()
    (directory.parent / "run.json").write_text(said.getvalue(), encoding="utf-8")
    return directory
