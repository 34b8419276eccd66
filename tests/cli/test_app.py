"""Every command: help with an example, one JSON value, errors as faults, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call
from typer.main import get_command

import normwright
from normwright.cli.app import application
from normwright.records import NormwrightError


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command there is."""
    command = get_command(application()) if command is None else command
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
    else:
        for name, each in inner.items():
            yield from commands(each, (*path, name))


ALL = list(commands())


def test_the_commands_are_these() -> None:
    """What the manual promises exists, and nothing that does not work is there."""
    assert sorted(" ".join(path) for path in ALL) == [
        "aggregate audit",
        "aggregate choose",
        "aggregate compare",
        "aggregate groups",
        "aggregate rank",
        "aggregate simulate",
        "aggregate slate",
        "aggregate survey",
        "charter as-of",
        "charter cases",
        "charter check",
        "charter decide",
        "charter diff",
        "charter draft",
        "charter enact",
        "charter export cedar",
        "charter import model-spec",
        "charter import seeds",
        "charter lint",
        "charter permit",
        "charter ratify",
        "charter show",
        "chat",
        "demo",
        "diff",
        "elicit export",
        "elicit import",
        "elicit withdraw",
        "evaluate compare",
        "evaluate degeneracy",
        "evaluate human analyse",
        "evaluate human judged",
        "evaluate human prepare",
        "evaluate human recover",
        "evaluate locate",
        "evaluate moral",
        "evaluate pareto",
        "evaluate power",
        "evaluate run",
        "evaluate tax",
        "gc",
        "guard answer",
        "guard bench",
        "guard calibrate",
        "guard check",
        "guard contests",
        "guard prune",
        "guard serve",
        "guard stop",
        "guard tools",
        "guard verify",
        "guard withdraw",
        "init",
        "keys create",
        "keys show",
        "keys sign",
        "keys trust",
        "learn convert",
        "learn cost",
        "learn critique",
        "learn curate",
        "learn lab",
        "learn languages",
        "learn plan",
        "learn prefer",
        "learn pretrain",
        "learn reinforce",
        "learn reward",
        "learn sft",
        "learn unlearn",
        "plugins",
        "release case",
        "release decide",
        "release examine",
        "release monitor",
        "release organisms",
        "release sign",
        "release simulate",
        "release verify",
        "run",
        "status",
        "trace",
        "verify",
    ]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_shows_an_example_of_this_command(call: Call, path: tuple[str, ...]) -> None:
    """`--help` ends with an example whose words are those of the command itself."""
    called = call(*path, "--help")

    assert called.code == 0
    assert f"Example:  normwright {' '.join(path)}" in " ".join(called.out.split(" "))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_example_is_a_command_line(call: Call, path: tuple[str, ...], tmp_path: Path) -> None:
    """The options in the example exist: the parser takes it (here with `--help` at its end)."""
    import shlex

    example = call(*path, "--help").out.split("Example:")[1]
    words = shlex.split(" ".join(example.split()))

    called = call(*words[1:], "--help")

    assert words[0] == "normwright"
    assert called.code == 0, called.err


def test_version(call: Call) -> None:
    """`--version` prints the version."""
    assert call("--version").out == f"normwright {normwright.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        (("runn",), "runn"),
        (("run", "--untill", "charter"), "--untill"),
        (("trace",), "DIGEST"),
        (("charter", "decide"), "--act"),
    ],
)
def test_usage_errors_are_code_2(call: Call, arguments: tuple[str, ...], seen: str) -> None:
    """A wrong command line is code 2, said on stderr, and as faults with `--json`."""
    plain, machine = call(*arguments), call(*arguments, "--json")

    assert plain.code == machine.code == 2
    assert seen in plain.err
    assert plain.out == ""
    (fault,) = machine.faults
    assert seen in fault["seen"]
    assert "--help" in fault["do"]


def test_chat_with_json_is_one_question(call: Call) -> None:
    """A dialogue is not one JSON value: `--json` without `--say` is a usage error."""
    called = call("chat", "--json")

    assert called.code == 2
    assert "--say" in called.faults[0]["seen"]


@pytest.mark.parametrize("command", ["run", "status", "verify"])
def test_no_project_is_code_1(call: Call, command: str, tmp_path: Path) -> None:
    """Where no project is, the input failed: code 1 and one error that says what to do."""
    called = call(command, tmp_path / "nowhere", "--json")

    assert called.code == 1, called.out
    assert "nowhere" in called.out
    assert any(fault["do"] for fault in called.faults)


def test_a_named_error_is_faults(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of the project's own tree become one fault that repeats their message."""

    def broken(*_: object) -> None:
        raise NormwrightError("the reason")

    monkeypatch.setattr("normwright.plugins.cards", broken)
    plain, machine = call("plugins"), call("plugins", "--json")

    assert plain.code == machine.code == 1
    assert "the reason" in plain.err
    assert "Traceback" not in plain.err
    assert machine.faults[0]["seen"] == "the reason"


def test_a_defect_is_code_1_with_its_trace(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error nobody foresaw still leaves one JSON value, and its trace on stderr."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("normwright.plugins.cards", broken)
    called = call("plugins", "--json")

    assert called.code == 1
    assert called.faults[0]["where"] == "ZeroDivisionError"
    assert "Traceback" in called.err


def test_stopping_says_that_nothing_is_lost(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with code 130 and a sentence, not with a trace."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("normwright.plugins.cards", stopped)
    called = call("plugins")

    assert called.code == 130
    assert "Traceback" not in called.err


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    """`normwright --help` takes little of a core and loads neither numpy nor torch."""
    code = (
        "import sys, time\nfrom normwright.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'scipy', 'sklearn', 'sqlalchemy', 'yaml'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))\n"
        "print(time.process_time())\n"
    )
    took = []
    for _ in range(4):
        said = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        *screen, heavy, seconds = said.splitlines()
        took.append(float(seconds))

    assert heavy == "heavy: []"
    assert "verify" in "".join(screen)
    assert min(took) < 0.7


def test_plugins_lists_cards(call: Call) -> None:
    """The cards of one kind are listed, as a table and as JSON; an unknown kind is code 1."""
    table, machine = call("plugins", "criteria"), call("plugins", "criteria", "--json")
    names = [card["name"] for card in machine.value["plugins"]]

    assert names
    assert machine.value["broken"] == []
    assert all(name in table.out for name in names)
    assert call("plugins", "criterion").code == 1
