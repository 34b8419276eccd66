"""A PostgreSQL server of the tests' own: in a temporary folder, on loopback, gone afterwards."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PASSWORD = "s3cret-of-the-tests"
"""Of every role; no message may ever repeat it."""

WHERE_FROM = (
    "PostgreSQL is not here: install it (Debian: apt-get install postgresql) or put its initdb"
    " and postgres on the PATH"
)


class NoServer(Exception):
    """No server can be started here; says why."""


class Server:
    """One server, which a test may kill and start again."""

    def __init__(self) -> None:
        self.programs = programs()
        self.user = _unprivileged()
        # Short, because a socket's path may not be long.
        self.folder = Path(tempfile.mkdtemp(prefix="nw-pg-", dir=_quick_place()))
        self.data = self.folder / "data"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._made = 0
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        for path in (self.folder, secret):
            if self.user is not None:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self._as_user(
            "initdb",
            *("-D", str(self.data), "-U", "owner", "-A", "scram-sha-256", "--pwfile", str(secret)),
            *("-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"),
        )
        secret.unlink()
        self.start()

    def start(self) -> None:
        """Start the server, on the port it had before if it had one, and wait until it answers."""
        for _ in range(5):
            port = self.port or random.randrange(20000, 30000)
            settings = {
                "listen_addresses": "127.0.0.1",
                "port": str(port),
                "unix_socket_directories": str(self.folder),
                "fsync": "off",
                "full_page_writes": "off",
                "max_connections": "60",
                "shared_buffers": "16MB",
            }
            options = [f"--{name}={value}" for name, value in settings.items()]
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [self.programs / "postgres", "-D", self.data, *options],
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    **self._identity(),
                )
            if self._answers(port):
                self.port = port
                return
        raise NoServer(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-500:]}")

    def kill(self) -> None:
        """End the server as a crash would: no goodbye to clients, nothing flushed."""
        assert self.process is not None
        # To the server, an immediate stop is a crash; SIGKILL would leave its children behind.
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=20)
        self.process = None

    def remove(self) -> None:
        """Stop the server and leave nothing of it."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder)

    def url(self, database: str, *, user: str = "owner", password: str | None = None) -> str:
        """Return the address of a database; the tests' environment holds the password."""
        who = user if password is None else f"{user}:{password}"
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database and return its name."""
        self._made += 1
        name = f"made_{self._made}"
        # Copied as files: with nothing flushed, this is the quick way.
        self.sql(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
        return name

    def sql(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Give statements as the owner, past every store, and return what the last one found."""
        import psycopg

        with psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user="owner",
            password=PASSWORD,
            dbname=database,
            autocommit=True,
        ) as connection:
            found: list[Any] = []
            for statement in statements:
                cursor = connection.execute(statement)
                found = cursor.fetchall() if cursor.description else []
        return found

    def _answers(self, port: int) -> bool:
        """Wait until the server answers; False if it ended instead."""
        assert self.process is not None
        ready = [str(self.programs / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(port)]
        until = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < until:
            if subprocess.run(ready, check=False).returncode == 0:
                return True
            time.sleep(0.03)
        return False

    def _as_user(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **self._identity(),
        )
        if done.returncode:
            raise NoServer(f"{program} fails: {done.stderr.strip()}")

    def _identity(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}


def _quick_place() -> str | None:
    """Return a folder in memory where there is room for a server; None is the usual place."""
    memory = Path("/dev/shm")
    there = memory.is_dir() and os.access(memory, os.W_OK)
    return str(memory) if there and shutil.disk_usage(memory).free > 2**30 else None


def programs(debian: Path = Path("/usr/lib/postgresql")) -> Path:
    """Return the folder of the server's programs: Debian keeps them off the PATH."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    installed = sorted(debian.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not installed:
        raise NoServer(WHERE_FROM)
    return installed[-1].parent


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom the server runs as where we are root, which it refuses; None is us."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoServer("PostgreSQL does not run as root, and there is no user postgres or nobody")
