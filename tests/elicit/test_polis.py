"""Polis exports: three variants of comments, an event log, and which way 1 is meant."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from normwright.elicit import Consulted, read_consultation
from normwright.records import InputError

from .conftest import POLIS, PROCESS, Write

A = POLIS["comments.csv"]
VARIANTS = {
    "a": A,
    "b": """\
timestamp,comment-id,author-id,agrees,disagrees,moderated,is-meta,is-seed,group-informed-consensus,comment-body
1500000000000,0,1,2,0,1,false,true,0.5,"More trees, please."
1500000000000,1,1,1,1,0,false,true,0.5,Fewer cars.
1500000000000,2,1,0,1,-1,false,false,0.5,Spam.
""",
    "c": A.replace('"', "").replace("1500000000000", "1500000000"),
}


def read(directory: Path) -> Consulted:
    """Read with the parent as root."""
    return read_consultation(directory, root=directory.parent)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_reads_alike(write: Write, variant: str) -> None:
    """The three headers of comments.csv give the same statements and votes."""
    c = read(write({**POLIS, "comments.csv": VARIANTS[variant]}))

    assert {s.id: s.text for s in c.statements} == {
        "0": {"und": "More trees, please."}, "1": {"und": "Fewer cars."},
    }  # fmt: skip
    assert [(v.participant, v.statement, v.value, v.at) for v in c.votes] == [
        ("1", "0", "agree", 1500000001), ("2", "0", "agree", 1500000002),
        ("1", "1", "agree", 1500000003), ("2", "1", "disagree", 1500000003),
    ]  # fmt: skip
    kinds = {f.kind: f.count for f in c.faults}
    assert kinds["rejected-statements"] == 1
    assert "tallies" not in kinds


def test_flipped_sign_is_turned_round(write: Write) -> None:
    """Where the tallies say that -1 means agree, votes are turned round and the report says so."""
    log = POLIS["votes.csv"].replace(",-1\n", ",@\n").replace(",1\n", ",-1\n").replace("@", "1")
    comments = A.replace("1,1,0,Fewer", "2,1,0,Fewer")
    log += "1500000005000,x,1,3,-1\n"
    c = read(write({"comments.csv": comments, "votes.csv": log}))

    assert [v.value for v in c.votes if v.statement == "0"] == ["agree", "agree"]
    assert "flipped-sign" in {f.kind for f in c.faults}


def test_unclear_sign_is_a_fault(write: Write) -> None:
    """Tallies that match neither way cannot say what 1 means; nothing is guessed."""
    comments = A
    for was, now in {"2,0,1,": "9,3,1,", "1,1,0,": "5,2,0,", "0,1,-1,": "7,7,-1,"}.items():
        comments = comments.replace(was, now)
    with pytest.raises(InputError, match="which way 1 and -1"):
        read(write({**POLIS, "comments.csv": comments}))


def test_tallies_that_do_not_add_up(write: Write) -> None:
    """A wrong tally is reported by line; the votes are believed."""
    rows = "".join(f"1500000000000,x,{i},1,1,0,1,T{i}\n" for i in range(3, 30))
    log = "".join(f"1500000001000,x,{i},1,1\n" for i in range(3, 30))
    comments = A.replace("2,0,1,", "5,0,1,") + rows
    c = read(write({"comments.csv": comments, "votes.csv": POLIS["votes.csv"] + log}))
    report = {f.kind: f for f in c.faults}

    assert report["tallies"].examples == ("c/comments.csv:2",)
    assert sum(v.statement == "0" for v in c.votes) == 2


def test_process_file_names_community_and_language(write: Write) -> None:
    """A process.yaml beside the export says whose votes these are and in what language."""
    one = PROCESS.split("  - {id: hall")[0] + "language: en\n"
    c = read(write({**POLIS, "process.yaml": one}))

    assert (c.process.id, c.process.kind, c.languages) == ("tiny", "simulated", ("en",))
    assert {p.polities for p in c.participants} == {("world",)}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"votes.csv": POLIS["votes.csv"].replace("1,1,1\n", "1,1,2\n")}, "c/votes.csv:4"),
        ({"votes.csv": POLIS["votes.csv"].replace("voter-id", "voter")}, "c/votes.csv:1"),
        ({"comments.csv": A.replace("1,2,0,1,", "1,two,0,1,")}, "c/comments.csv:2"),
        ({"process.yaml": PROCESS}, "c/process.yaml: polities"),
    ],
)
def test_broken_exports(write: Write, change: dict[str, str], where: str) -> None:
    """Broken exports name file and line."""
    with pytest.raises(InputError) as caught:
        read(write({**POLIS, **change}))

    assert where in [f.where for f in caught.value.faults]


@pytest.mark.parametrize(
    "name", ["15-per-hour-seattle", "london.youth.policing", "vtaiwan.uberx", "bg2050-volunteers"]
)
def test_real_event_logs_equal_the_published_matrix(polis_data: Path, name: str) -> None:
    """Reduced event logs of real conversations equal the vote matrix Polis itself published."""
    c = read_consultation(polis_data / name, root=polis_data)
    with gzip.open(polis_data / name / "participants-votes.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = {s.id for s in c.statements}
    word = {"1": "agree", "-1": "disagree", "0": "pass"}
    published = {
        (r["participant"], k): word[v] for r in rows for k, v in r.items() if k in kept and v != ""
    }

    assert {(v.participant, v.statement): v.value for v in c.votes} == published


def test_real_matrix_without_an_event_log(polis_data: Path) -> None:
    """An export that only has the matrix is read from it, tally by tally."""
    c = read_consultation(polis_data / "american-assembly.bowling-green", root=polis_data)

    assert len(c.participants) == 2031
    assert len(c.votes) == 225_040
    assert c.process.kind == "human"
