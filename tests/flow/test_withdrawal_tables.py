"""Somebody leaves a project that was begun from a file of their own kind."""

from __future__ import annotations

import gzip
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from normwright import flow
from normwright.cli.elicit import receipt_lines
from normwright.cli.words import words
from normwright.records import InputError, WithdrawalReceipt

TODAY = date(2026, 11, 26)
PEOPLE = ("ana", "ben", "eva", "rui", "zoe")
ALTERNATIVES = ("Trees", "Cars", "Buses")


def started(directory: Path, source: Path) -> Path:
    """A project from a file, run to its end."""
    flow.init_from(directory, source, today=TODAY)
    flow.run(directory)
    return directory


def withdrawn(project: Path, who: str) -> WithdrawalReceipt:
    done = flow.withdraw(project, who, then="rebuild")
    assert done.state == "withdrawn"
    assert done.refused == ()
    assert done.receipt is not None
    return done.receipt


def compared(project: Path) -> Path:
    """Five people choose between two alternatives at a time; zoe against all others."""
    rows = ["participant,winner,loser"]
    for person in PEOPLE:
        for first, second in combinations(ALTERNATIVES, 2):
            pair = (second, first) if person == "zoe" else (first, second)
            rows.append(",".join((person, *pair)))
    source = project.parent / "chosen.csv"
    source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return started(project, source)


def test_a_receipt_tells_of_ballots(tmp_path: Path) -> None:
    """First places and margins are figures too; where they change the receipt says so."""
    receipt = withdrawn(compared(tmp_path / "town"), "zoe")
    margins = {one.subject: one for one in receipt.margins}
    firsts = {one.subject for one in receipt.firsts}
    change = next(iter(margins.values()))

    assert receipt.changes.numbers is True
    assert receipt.changes.rankings is False
    assert len(firsts) == len(margins) == 3
    assert change.before is not None
    assert change.after is not None
    assert (change.before.value, change.before.n) == (0.6, 5)
    assert (change.after.value, change.after.n) == (1.0, 4)
    for lang in ("en", "pt"):
        told = "\n".join(receipt_lines(receipt, lang))
        assert words(lang)["receipt-firsts"] in told
        assert words(lang)["receipt-margins"] in told


def test_a_margin_that_turns_round_is_one_figure(tmp_path: Path) -> None:
    """Where the order of two changes, both figures are of the same one above the other."""
    rows = ["participant,winner,loser"]
    for person, (winner, loser) in {
        "ana": ("Trees", "Cars"), "ben": ("Cars", "Trees"), "zoe": ("Trees", "Cars"),
        "eva": ("Trees", "Cars"), "rui": ("Cars", "Trees"),
    }.items():  # fmt: skip
        rows.append(f"{person},{winner},{loser}")
    rows += ["ana,Cars,Buses", "ben,Cars,Buses", "zoe,Trees,Buses"]
    source = tmp_path / "chosen.csv"
    source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    project = started(tmp_path / "town", source)
    flow.withdraw(project, "zoe", then="rebuild")
    flow.run(project)
    receipt = withdrawn(project, "eva")

    assert len({frozenset(one.subject.split(" > ")) for one in receipt.margins}) == len(
        receipt.margins
    )
    turned = {one.subject: one for one in receipt.margins}
    (name,) = [name for name in turned if set(name.split(" > ")) == {"s1", "s2"}]
    before, after = turned[name].before, turned[name].after
    assert before is not None
    assert after is not None
    assert before.value == 0.0
    assert after.value is not None
    assert abs(after.value) == 1 / 3
    assert flow.verify(project).faults == ()


VOTES = ["agree", "disagree", "agree", "pass", "agree"]


def tree(directory: Path) -> dict[str, bytes]:
    """Every file of the consultation and of what was made for people."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for place in ("consultation", "out")
        for path in (directory / place).rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", ["answers.csv", "answers.csv.gz"])
@pytest.mark.parametrize("wide", [False, True])
def test_somebody_leaves_a_table_of_its_own_form(tmp_path: Path, name: str, *, wide: bool) -> None:
    """Semicolons, a column `voter`: taken out of store and file; made anew, all verifies."""
    if wide:
        rows = [f"voter;{';'.join(ALTERNATIVES)}"]
        rows += [f"{p};{';'.join(VOTES[(n + m) % 5] for m in range(3))}"
                 for n, p in enumerate(PEOPLE)]  # fmt: skip
    else:
        rows = ["voter;statement;vote"]
        rows += [f"{p};{s};{VOTES[(n + m) % 5]}"
                 for n, p in enumerate(PEOPLE) for m, s in enumerate(ALTERNATIVES)]  # fmt: skip
    data = ("\n".join(rows) + "\n").encode()
    source = tmp_path / name
    source.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    project = started(tmp_path / "town", source)
    receipt = withdrawn(project, "zoe")
    between = flow.verify(project).faults
    flow.run(project)
    (kept,) = (project / "consultation").glob("answers*")
    left = gzip.decompress(kept.read_bytes()) if kept.suffix == ".gz" else kept.read_bytes()

    assert receipt.rows["participants"] == 1
    assert receipt.rows["votes"] > 0
    assert between == ()
    assert b"zoe" not in left
    assert left == "".join(f"{row}\n" for row in rows if not row.startswith("zoe")).encode()
    assert flow.verify(project).faults == ()
    assert flow.findings(project).outcomes[0].participants == 4


ORDERS = """\
# TITLE: Council
# DATA TYPE: soi
# NUMBER ALTERNATIVES: 2
# NUMBER VOTERS: 3
# NUMBER UNIQUE ORDERS: 2
# ALTERNATIVE NAME 1: Ana
# ALTERNATIVE NAME 2: Rui
2: 1,2
1: 2
"""


@pytest.mark.parametrize("who", ["v1", "somebody"])
def test_nobody_leaves_counted_orders(tmp_path: Path, who: str) -> None:
    """An id there is only a place; that is the reason given, and nothing changes."""
    source = tmp_path / "council.soi"
    source.write_text(ORDERS, encoding="utf-8")
    project = started(tmp_path / "town", source)
    before = tree(project)

    with pytest.raises(InputError, match="only places in the file"):
        flow.withdraw(project, who, then="rebuild")
    assert tree(project) == before
    assert flow.verify(project).faults == ()
