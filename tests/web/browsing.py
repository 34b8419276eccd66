"""Chromium driven through a pipe: pages are opened, looked at, and walked through by keyboard."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = Path(__file__).resolve().parents[2] / "build" / "axe" / "package" / "axe.min.js"
"""Deque's checker of accessibility; `make axe` fetches it."""

PATIENCE = 60
"""Seconds without a word after which a browser is given up."""

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--remote-debugging-pipe")  # fmt: skip


class Page:
    """One tab, spoken to by the DevTools protocol: JSON messages that end in a zero byte."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._number = 0
        self._rest = b""
        self._events: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str | None = attached["sessionId"]
        self._call("Page.enable")

    def close(self) -> None:
        os.close(self._to)
        os.close(self._back)

    def open(self, address: str, *, width: int = 1280, height: int = 800) -> None:
        """Open an address and wait until it is laid out.

        An address that differs from the last one by its anchor alone would not be loaded again, so
        each is made its own.
        """
        page, _, anchor = address.partition("#")
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                   deviceScaleFactor=1, mobile=False)  # fmt: skip
        self._events.clear()
        self._call("Page.navigate", url=f"{page}?{self._number}#{anchor}")
        while "Page.loadEventFired" not in self._events:
            self._hear()

    def scheme(self, name: str) -> None:
        """Prefer light or dark."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self._call("Emulation.setEmulatedMedia", features=features)

    def paper(self) -> None:
        """Lay the page out as it would be printed."""
        self._call("Emulation.setEmulatedMedia", media="print")

    def ask(self, script: str) -> Any:
        """Return what a script gives, promises awaited."""
        found = self._call("Runtime.evaluate", expression=script, awaitPromise=True,
                           returnByValue=True)  # fmt: skip
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press one key, as a keyboard does."""
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        text = {"Enter": "\r", " ": " "}.get(key, "")
        common = {"key": key, "code": {" ": "Space"}.get(key, key),
                  "windowsVirtualKeyCode": codes[key]}  # fmt: skip
        down = "keyDown" if text else "rawKeyDown"
        self._call(
            "Input.dispatchKeyEvent", type=down, **common, **({"text": text} if text else {})
        )
        self._call("Input.dispatchKeyEvent", type="keyUp", **common)

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard["error"]
                return heard["result"]

    def _hear(self) -> Any:
        """Return the next message; what it tells of is kept, whoever waits for it."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._back], [], [], PATIENCE)
            assert ready, f"the browser said nothing for {PATIENCE} seconds"
            found = os.read(self._back, 1 << 16)
            assert found, "the browser is gone"
            self._rest += found
        one, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(one)
        self._events.append(message.get("method", ""))
        return message


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page of a browser of its own, which ends with it."""
    if not Path(CHROMIUM).is_file():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    there, to = os.pipe()
    back, here = os.pipe()

    def hand_over() -> None:
        # The protocol is read from descriptor 3 and written to 4, whatever lies there by now.
        spare = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (there, here)]
        for descriptor, end in zip((3, 4), spare, strict=True):
            os.dup2(end, descriptor)
            os.set_inheritable(descriptor, True)

    process = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}"],
        preexec_fn=hand_over, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(there)
    os.close(here)
    page = Page(to, back)
    try:
        yield page
    finally:
        page.close()
        process.terminate()
        process.wait(timeout=20)


def serious(page: Page) -> list[str]:
    """What axe-core finds of serious or critical issues on the page that is open."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there: make axe")
    page.ask(AXE.read_text(encoding="utf-8") + "\n;0")
    found = page.ask("axe.run(document).then((r) => r.violations)")
    return [
        f"{one['impact']} {one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
