"""A way to call the command line and see what a shell would see."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from normwright.cli import main


@dataclass(frozen=True)
class Called:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """Stdout as the one JSON value it must be."""
        return json.loads(self.out)

    @property
    def faults(self) -> list[dict[str, str]]:
        """The faults of a failure with `--json`."""
        faults: list[dict[str, str]] = self.value["error"]["faults"]
        assert all(set(fault) == {"where", "expected", "seen", "do"} for fault in faults)
        return faults


Call = Callable[..., Called]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line in this process."""

    def run(*arguments: object) -> Called:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert isinstance(ended.value.code, int)
        said = capsys.readouterr()
        return Called(ended.value.code, said.out, said.err)

    return run
