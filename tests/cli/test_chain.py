"""`trace --norm`: from the ballots behind a norm to the verdict, and where a chain was broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call
from tests.flow.micro import tamper

from normwright.flow import open_store
from normwright.store import Store

NORM = "p.assembly.no-attendance"


@pytest.fixture
def copy(micro_project: Path, tmp_path: Path) -> Path:
    """A copy of the finished project that a test may change."""
    return Path(shutil.copytree(micro_project, tmp_path / "micro"))


def flip(path: Path) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def held(project: Path, links: list[dict[str, Any]], link: str) -> Path:
    """Where the first object that a link holds lies."""
    digest = next(one["holds"][0] for one in links if one["link"] == link and one["holds"])
    with open_store(project, create=False) as store:
        assert isinstance(store, Store)
        return store.objects.path(digest)


def test_the_chain_goes_from_the_ballots_to_the_verdict(call: Call, micro_project: Path) -> None:
    """Every link in its order, with counts and roots but never a ballot; nothing is broken."""
    machine = call("trace", "--norm", NORM, "--project", micro_project, "--json")
    screen = call("trace", "--norm", NORM, "--project", micro_project)

    links = machine.value["links"]
    kinds = list(dict.fromkeys(one["link"] for one in links))
    assert (machine.code, machine.value["intact"], machine.value["norm"]) == (0, True, f"{NORM}@1")
    assert kinds == [
        "ballots", "tally", "norm", "charter", "policy", "permit", "dataset", "model",
        "measurement", "verdict",
    ]  # fmt: skip
    assert links[0]["about"]["rows"]["votes"] > 1000
    assert set(links[0]["about"]["roots"]) >= {"votes", "participants"}
    assert links[1]["about"]["statements"]
    assert any(one["about"].get("rows_of_norm", 0) > 0 for one in links)
    assert screen.code == 0
    assert "(value 0, interval (low 0, " in screen.out  # a rate of zero is not left out
    assert "x " not in screen.out.split("\n")[0]


def ballot(project: Path, links: list[dict[str, Any]]) -> None:
    tamper(project, "UPDATE votes SET value = 'pass' WHERE place = 3 AND value != 'pass'",
           "UPDATE votes SET value = 'agree' WHERE place = 4 AND value != 'agree'")  # fmt: skip


def row(project: Path, links: list[dict[str, Any]]) -> None:
    flip(held(project, links, "dataset"))


def weight(project: Path, links: list[dict[str, Any]]) -> None:
    found = [one for one in links if one["link"] == "model" and one["about"]["name"] == "aligned"]
    flip(held(project, found, "model"))


@pytest.mark.parametrize(
    ("change", "broken"), [(ballot, "ballots"), (row, "dataset"), (weight, "model")]
)
def test_what_was_tampered_with_is_told_at_its_link(
    call: Call, copy: Path, change: Callable[[Path, list[dict[str, Any]]], None], broken: str
) -> None:
    """One ballot, one training row, one byte of the weights: each breaks exactly its own link."""
    asked = ("trace", "--norm", NORM, "--project", copy)
    change(copy, call(*asked, "--json").value["links"])

    machine, screen = call(*asked, "--json"), call(*asked)

    assert machine.code == screen.code == 1
    assert machine.value["intact"] is False
    assert {one["link"] for one in machine.value["links"] if one["faults"]} == {broken}
    assert f"x {broken} " in screen.out


def test_a_norm_that_is_not_there_is_told_with_those_that_are(
    call: Call, micro_project: Path
) -> None:
    """One fault names the norms of the charter; a digest and a norm at once is a usage error."""
    unknown = call("trace", "--norm", "g.nothing", "--project", micro_project, "--json")
    both = call("trace", "12345678", "--norm", NORM, "--project", micro_project, "--json")

    assert unknown.code == 1
    assert f"{NORM}@1" in unknown.faults[0]["expected"]
    assert both.code == 2
