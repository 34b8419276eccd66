"""The guard as people start it, before an upstream, in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = "acceptance-key-d41d8cd98f"
"""What clients come with; it is to be in no log."""
READY_SECONDS = 600.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Served:
    """A guard that runs."""

    url: str
    state: Path
    log: Path
    pid: int

    def get(self, path: str) -> Any:
        """Return the JSON at a path; None where there is none."""
        try:
            with _OPENER.open(self.url + path, timeout=30) as response:
                return json.loads(response.read())
        except (urllib.error.URLError, ValueError):
            return None

    def holds_key(self) -> int:
        """Return in how many files of its state and log the clients' key is."""
        files = [self.log, *(p for p in self.state.rglob("*") if p.is_file())]
        return sum(KEY.encode() in file.read_bytes() for file in files)


@contextmanager
def guard(
    work: Path,
    upstream: str | None,
    *,
    checks: bool = True,
    state: Path | None = None,
    environment: Mapping[str, str] = {},
) -> Iterator[Served]:
    """Run `normwright guard serve` on a free port, from where its state is in `work`.

    Args:
        work: folder for its state and its log.
        upstream: address without `/v1`; None is the embedded model.
        checks: False serves without checks, for the embedded model alone to be asked.
        state: where its state is instead.
        environment: what to set for it.
    """
    work.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    state = state or work / "state"
    command = [sys.executable, "-m", "normwright.cli", "guard", "serve", "--port", str(port),
               "--state", str(state)]  # fmt: skip
    command += [] if upstream is None else ["--upstream", f"{upstream}/v1"]
    command += [] if checks else ["--without-checks"]
    log = work / "serve.log"
    with log.open("wb") as out:
        running = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1", **environment},
        )  # fmt: skip
    served = Served(f"http://127.0.0.1:{port}", state, log, running.pid)
    try:
        _await(served, running)
        yield served
    finally:
        running.terminate()
        try:
            running.wait(40)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _await(served: Served, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while served.get("/healthz") is None:
        if running.poll() is not None or time.monotonic() > until:
            said = served.log.read_text("utf-8", "replace")[-2000:]
            raise RuntimeError(f"the guard did not start:\n{said}")
        time.sleep(0.2)
