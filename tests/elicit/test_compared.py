"""Choices between two: ballots of two, ties, skips, and what one person contradicts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.elicit import Source, read_source, take_out
from normwright.elicit.compared import Choice, ballots_of, moment
from normwright.elicit.integrity import Report
from normwright.records import InputError

from .samples import IDEAS, RANKS, SIDES, bytes_of


def read(place: Path, files: Mapping[str, str], **answers: str) -> Source:
    """Read files of a new folder."""
    place.mkdir()
    for name, data in bytes_of(files).items():
        (place / name).write_bytes(data)
    return read_source(place, answers={k.replace("__", "."): v for k, v in answers.items()})


def ballots(source: Source) -> list[tuple[str, list[list[str]]]]:
    """Each ballot with the texts of its statements."""
    assert source.consulted is not None
    text = {s.id: s.text["und"] for s in source.consulted.statements}
    return [
        (voter, [[text[one] for one in tier] for tier in tiers])
        for voter, tiers in source.consulted.ballots
    ]


def findings(source: Source) -> dict[str, tuple[int, tuple[str, ...]]]:
    """The report: count and places by kind."""
    return {f.kind: (f.count, f.examples) for f in source.faults}


def test_all_our_ideas_with_everything_it_exports(tmp_path: Path) -> None:
    """Votes are ballots of two; invalid ones, skips and tallies that differ are reported."""
    source = read(tmp_path / "a", IDEAS)
    found = findings(source)
    assert source.consulted is not None

    assert ballots(source) == [
        ("s1", [["Trees"], ["Cars"]]), ("s1", [["Cars"], ["Buses"]]), ("s2", [["Cars"], ["Trees"]]),
    ]  # fmt: skip
    assert source.consulted.unranked == "apart"
    assert [s.text["und"] for s in source.consulted.statements][-1] == "Trams"
    assert found["invalid-comparisons"] == (1, ("votes.csv:5",))
    assert found["skips"] == (1, ("nonvotes.csv:2",))
    assert found["unseen-statements"] == (1, ("idea 4",))
    assert "tallies" not in found


def test_all_our_ideas_that_do_not_add_up(tmp_path: Path) -> None:
    """Tallies, orphans and texts that differ are named by line; the votes are believed."""
    ideas = IDEAS["ideas.csv"].replace("Trees,1,1", "Trees,7,1").replace("9,3,Buses,0,1,30\n", "")
    found = findings(read(tmp_path / "a", {**IDEAS, "ideas.csv": ideas.replace("Cars", "Motors")}))

    assert found["tallies"] == (1, ("ideas.csv:2",))
    assert found["orphan-comparisons"] == (1, ("votes.csv:3",))
    assert found["texts-differ"] == (1, ("ideas.csv:3",))


def test_a_session_can_be_taken_out_of_the_votes(tmp_path: Path) -> None:
    """Of votes alone the rows of a session go; where skips name it too, that is said."""
    for name, files in {"a": {"votes.csv": IDEAS["votes.csv"]}, "b": IDEAS}.items():
        (tmp_path / name).mkdir()
        for file, data in bytes_of(files).items():
            (tmp_path / name / file).write_bytes(data)
    alone, several = (
        take_out(tmp_path / name, root=tmp_path, gone=lambda who: who == "s2") for name in "ab"
    )

    assert alone.rows == {"a/votes.csv": 2}
    assert b"s2" not in alone.files["a/votes.csv"]
    assert several.nameless is not None


def test_a_winner_that_was_not_shown(tmp_path: Path) -> None:
    """Every impossible vote is a fault by line, with all the others."""
    votes = IDEAS["votes.csv"].replace("Cars,2,3,", "Cars,1,3,").replace("Buses,2,3", "Buses,2,1")
    votes = votes.replace("2020-01-01 00:00:02", "2020-13-01 00:00:02")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a", {"votes.csv": votes})

    assert [f.where for f in caught.value.faults] == ["votes.csv:3", "votes.csv:4"]


def test_sides_and_ties(tmp_path: Path) -> None:
    """A choice may be a side, the statement itself, or neither, which is a tie."""
    source = read(tmp_path / "a", {"x.csv": SIDES})

    assert ballots(source) == [
        ("ana", [["Trees"], ["Cars"]]),
        ("rui", [["Trees", "Cars"]]),
        ("eva", [["Trees"], ["Cars"]]),
    ]


def test_sides_nobody_knows(tmp_path: Path) -> None:
    """An unknown choice is a fault by line; said once, it is read."""
    sides = SIDES.replace("tie", "meh").replace(",left\n", ",\n")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a", {"x.csv": sides})
    source = read(tmp_path / "b", {"x.csv": sides}, choices__meh="right")

    assert [(f.where, f.seen) for f in caught.value.faults] == [("x.csv:3", "'meh'")]
    assert ballots(source)[0] == ("rui", [["Cars"], ["Trees"]])
    assert findings(source)["blank-comparisons"] == (1, ("x.csv:2",))


def test_what_one_person_contradicts(tmp_path: Path) -> None:
    """The same two decided twice and differently, and circles of three, are reported."""
    rows = [("a", "T", "C"), ("a", "C", "B"), ("a", "B", "T"), ("b", "T", "C"), ("b", "C", "T"),
            ("b", "C", "T")]  # fmt: skip
    text = "voter,winner,loser\n" + "".join(f"{v},{w},{x}\n" for v, w, x in rows)
    found = findings(read(tmp_path / "a", {"x.csv": text}))

    assert found["cyclic-triads"] == (1, ("x.csv:2",))
    assert found["duplicate-comparisons"] == (2, ("x.csv:6", "x.csv:7"))
    assert found["self-contradictions"] == (2, ("x.csv:6", "x.csv:7"))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(3, 9), st.integers(0, 10_000))
def test_circles_equal_the_slow_count(size: int, seed: int) -> None:
    """The number of circles is that of looking at every three statements."""
    rng = random.Random(seed)
    choices, beats = [], set()
    for line, (one, other) in enumerate(combinations("abcdefghi"[:size], 2)):
        if rng.random() < 0.8:
            better, worse = rng.sample((one, other), 2)
            tie = rng.random() < 0.1
            choices.append(Choice(f"x:{line}", "v", better, worse, tie, 0, line))
            beats |= set() if tie else {(better, worse)}
    report = Report()
    ballots_of(choices, {c: c for c in "abcdefghi"}, report)
    slow = sum(
        {(x, y), (y, z), (z, x)} <= beats or {(y, x), (z, y), (x, z)} <= beats
        for x, y, z in combinations("abcdefghi"[:size], 3)
    )

    assert sum(f.count for f in report.faults() if f.kind == "cyclic-triads") == slow


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("1500000000", 1500000000),
        ("2020-01-01 00:00:00 UTC", 1577836800),
        ("2020-01-01T01:00:00+01:00", 1577836800),
        ("1960-01-01", 0),
        ("0001-01-01T00:00:00+23:59", 0),
        ("yesterday", None),
        ("9" * 40, None),
    ],
)
def test_moments(raw: str, told: int | None) -> None:
    """Times in any usual form, and nothing made of what is none."""
    assert moment(raw) == told


def test_rankings_a_row_a_place(tmp_path: Path) -> None:
    """Equal ranks are level; what is left out counts last, and the last mark of two counts."""
    ranks = RANKS + "eva,Cars,2nd\neva,Buses,1\neva,Buses,3\n"
    source = read(tmp_path / "a", {"x.csv": ranks})
    assert source.consulted is not None

    assert ballots(source) == [
        ("ana", [["Trees"], ["Cars"]]),
        ("rui", [["Trees", "Cars"]]),
        ("eva", [["Cars"], ["Buses"]]),
    ]
    assert source.consulted.unranked == "last"
    assert findings(source)["duplicate-ranks"] == (1, ("x.csv:8",))
    assert findings(source)["straight-liners"] == (1, ("x.csv:4",))


def test_rankings_a_row_a_person(tmp_path: Path) -> None:
    """Columns of first, second and third choice, or of the place of each, hold the same orders."""
    choices = "voter,Rank 1,Rank 2,Rank 3\nana,Trees,Cars,Buses\nrui,Buses,Trees,Cars\n"
    places = "voter,Trees,Cars,Buses\nana,1,2,3\nrui,2,3,1\n"

    assert ballots(read(tmp_path / "a", {"x.csv": choices})) == ballots(
        read(tmp_path / "b", {"x.csv": places})
    )


def test_ratings_are_no_ranks(tmp_path: Path) -> None:
    """Numbers of which one recurs in a row stay a question of scale."""
    with pytest.raises(InputError, match="a scale"):
        read(tmp_path / "a", {"x.csv": "voter,Trees,Cars,Buses\nana,1,2,3\nrui,2,2,5\n"})


def test_a_place_that_is_none(tmp_path: Path) -> None:
    """A rank that is no place is a fault by line."""
    with pytest.raises(InputError) as caught:
        read(
            tmp_path / "a",
            {"x.csv": RANKS.replace("Cars,2", "Cars,0").replace("Trees,1", "Trees,x")},
        )

    assert [f.where for f in caught.value.faults] == ["x.csv:2", "x.csv:3", "x.csv:5"]
