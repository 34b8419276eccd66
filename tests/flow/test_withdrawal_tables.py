"""Somebody leaves a project that was begun from a file of their own kind."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from pathlib import Path

from normwright import flow
from normwright.cli.elicit import receipt_lines
from normwright.cli.words import words
from normwright.records import WithdrawalReceipt

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
