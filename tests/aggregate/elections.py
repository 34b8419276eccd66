"""Elections that tests are made of: from text, from ballots, from counts of pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from normwright.aggregate import Election
from normwright.aggregate.axioms.changes import graded
from normwright.records import Ballot, Ballots, Unranked

GRADE = re.compile(r"(\w+)=(\d+)")
GRADED = re.compile(r"(\s+\w+=\d+)+\s*")


def election_of(
    ballots: Iterable[Ballot], names: Sequence[str], *, unranked: Unranked = "apart"
) -> Election:
    """The election of some ballots, a voter each; what is left out is not compared, unless said."""
    rows = Ballots.of((str(number), b.tiers) for number, b in enumerate(ballots))
    return Election.of(rows, alternatives=names, unranked=unranked)


def election_from(text: str, *, unranked: Unranked = "last") -> Election:
    """The election of lines such as `5: A > C = B`; names sorted."""
    ballots: list[Ballot] = []
    names: set[str] = set()
    for number, line in enumerate(text.strip().splitlines()):
        count, _, order = line.partition(":")
        tiers = tuple(tuple(name.strip() for name in tier.split("=")) for tier in order.split(">"))
        names.update(name for tier in tiers for name in tier)
        ballots += [Ballot(participant=f"v{number}/{i}", tiers=tiers) for i in range(int(count))]
    return election_of(ballots, sorted(names), unranked=unranked)


def printed(lines: Sequence[str]) -> Election:
    """The election of a case on a card: orders, or grades such as `3: A=4 B=2 C=0`."""
    given = [line.partition(":")[::2] for line in lines]
    if not all(GRADED.fullmatch(ballot) for _, ballot in given):
        return election_from("\n".join(lines))
    rows = [{name: int(g) for name, g in GRADE.findall(ballot)} for _, ballot in given]
    names = sorted({name for row in rows for name in row})
    grades = [tuple(row.get(name, -1) for name in names) for row in rows]
    return Election(
        tuple(names),
        np.array([graded(row).levels for row in grades], dtype=np.int16),
        np.array([int(count) for count, _ in given], dtype=np.int64),
        grades=np.array(grades, dtype=np.int16),
        approved_from=1,
    )


def election_of_pairs(wins: NDArray[np.int64], names: Sequence[str], voters: int) -> Election:
    """An election of which only the pairs are known."""
    none = np.zeros((0, len(wins)), dtype=np.int16)
    return Election(
        tuple(names), none, np.zeros(0, dtype=np.int64), pairwise=wins, electorate=voters
    )


def wins_one_by_one(ballots: Iterable[Ballot], names: Sequence[str]) -> NDArray[np.int64]:
    """The slow obvious way: how many ballots rank i above j; left out is not compared."""
    index = {a: i for i, a in enumerate(names)}
    wins = np.zeros((len(index), len(index)), dtype=np.int64)
    for ballot in ballots:
        tier = np.full(len(index), -1)
        for level, inside in enumerate(ballot.tiers):
            for name in inside:
                tier[index[name]] = level
        ranked = tier >= 0
        wins += (tier[:, None] < tier[None, :]) & ranked[:, None] & ranked[None, :]
    return wins


def preflib(data_dir: Path, title: str) -> Election:
    """The orders of a shared PrefLib file with this title."""
    for path in sorted((data_dir / "ballots" / "preflib").iterdir()):
        text = path.read_text(encoding="utf-8")
        if f"# TITLE: {title}\n" in text:
            break
    else:
        pytest.fail(f"no file is titled {title}")
    names = re.findall(r"# ALTERNATIVE NAME \d+: (.*)", text)
    body = [line for line in text.splitlines() if line and not line.startswith("#")]
    orders = np.full((len(body), len(names)), -1, dtype=np.int16)
    counts = np.zeros(len(body), dtype=np.int64)
    for k, line in enumerate(body):
        count, order = line.split(":")
        counts[k] = int(count)
        for level, (several, one) in enumerate(re.findall(r"\{([^}]*)\}|(\d+)", order)):
            for number in (several or one).split(","):
                orders[k, int(number) - 1] = level
    return Election(tuple(names), orders, counts)
