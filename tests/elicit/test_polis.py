"""Polis exports: three variants of comments, an event log, and which way 1 is meant."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from normwright.elicit import Consulted, Source, read_consultation, read_source
from normwright.elicit.files import Folder
from normwright.elicit.importers.polis import IMPORTER
from normwright.records import InputError, IntegrityFault

from .conftest import POLIS, PROCESS, Write
from .samples import GROUPS, MATRIX, XID

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


def findings(source: Source | Consulted) -> dict[str, IntegrityFault]:
    """The report by kind."""
    return {f.kind: f for f in source.faults}


def test_bodies_without_quotes(write: Write) -> None:
    """The newer server quotes no body: commas, quotes and further lines in it stay in it."""
    head = A.splitlines()[0]
    c = read(write({**POLIS, "comments.csv": f"""\
{head}
1500000000,x,0,1,2,0,1,"More trees" is what I say, please.
1500000000,x,1,1,1,1,0,"Fewer cars
and fewer lorries, too
1500000000,x,2,1,0,1,-1,Spam.
"""}))  # fmt: skip

    assert [s.text["und"] for s in c.statements] == [
        '"More trees" is what I say, please.', '"Fewer cars\nand fewer lorries, too',
    ]  # fmt: skip
    assert findings(c)["unquoted-bodies"].count == 3


def test_a_mistake_in_a_quoted_file_is_no_unquoted_file(write: Write) -> None:
    """One row with a field too few is a fault by line, and does not turn quotes into text."""
    comments = A.replace("Fewer cars.", '"Fewer, cars."').replace("0,1,-1,Spam.", '0,1,"Spam."')
    with pytest.raises(InputError) as caught:
        read(write({**POLIS, "comments.csv": comments}))

    assert [(f.where, f.seen) for f in caught.value.faults][:1] == [("c/comments.csv:4", "7")]


def test_a_quoted_body_of_several_lines_stays_one(write: Write) -> None:
    """Where quotes are used a body may have lines of its own."""
    c = read(write({**POLIS, "comments.csv": A.replace("trees, please", "trees,\nplease")}))

    assert c.statements[0].text["und"] == "More trees,\nplease."
    assert "unquoted-bodies" not in findings(c)


def test_the_log_alone(write: Write) -> None:
    """Votes without comments count; their numbers stand for texts, and the sign is not checked."""
    s = read_source(write({"votes.csv": POLIS["votes.csv"]}) / "votes.csv")
    assert s.consulted is not None

    assert s.counts == {"participants": 2, "statements": 3, "votes": 5}
    assert [v.value for v in s.consulted.votes][-1] == "disagree"
    assert findings(s)["unchecked-sign"].count == 5
    assert findings(s)["statements-without-text"].count == 3


def test_the_matrix_alone(write: Write) -> None:
    """The matrix counts by itself: floats, an xid column, the singular name, blank as unseen."""
    s = read_source(write({"participant-votes.csv": XID}))
    assert s.consulted is not None

    assert [(v.participant, v.statement, v.value, v.at) for v in s.consulted.votes] == [
        ("1", "0", "agree", 0), ("1", "1", "agree", 0), ("2", "0", "agree", 0),
        ("2", "1", "disagree", 0),
    ]  # fmt: skip
    assert not {"unchecked-sign", "participant-tallies", "participant-votes"} & set(findings(s))


def test_a_matrix_turned_round_says_so_itself(write: Write) -> None:
    """n-agree and n-disagree show which way the cells are meant."""
    turned = XID.replace("2.0,2,0", "2.0,0,2")
    s = read_source(write({"participants-votes.csv": turned}))
    assert s.consulted is not None

    assert [v.value for v in s.consulted.votes] == ["disagree", "disagree", "disagree", "agree"]
    assert findings(s)["flipped-sign"].count == 4


def test_comments_alone_are_no_votes(write: Write) -> None:
    """A comments file by itself has tallies, and nobody's vote."""
    with pytest.raises(InputError, match="Give the whole folder"):
        read_source(write({"comments.csv": A}) / "comments.csv")


def test_matrix_and_log_are_held_against_each_other(write: Write) -> None:
    """Cells and rows of the matrix that the log does not have, and the other way, are reported."""
    matrix = MATRIX.replace("1,0,1,2,2,0,1,1,", "1,0,1,2,2,0,1,,") + "9,,0,0,0,0,,,\n"
    log = POLIS["votes.csv"] + "1500000004500,x,0,3,1\n"
    c = read(
        write({**POLIS, "participants-votes.csv": matrix, "votes.csv": log,
               "comments.csv": A.replace("1,2,0,1,", "1,3,0,1,")})
    )  # fmt: skip
    found = findings(c)

    assert found["matrix-and-log-differ"].examples == ("c/votes.csv:4", "c/votes.csv:7")
    assert found["voters-without-a-row"].examples == ("c/votes.csv:7",)
    assert found["participant-tallies"].examples == ("c/participants-votes.csv:2",)
    assert found["participant-votes"].examples == ("c/participants-votes.csv:2",)
    assert found["silent-participants"].examples == ("c/participants-votes.csv:4",)
    assert [p.id for p in c.participants] == ["1", "2", "3", "9"]


def test_tallies_of_groups_are_reckoned_anew(write: Write) -> None:
    """Printed group tallies that do not add up are reported cell by cell."""
    groups = (
        GROUPS.replace("0,More trees,2,2,0,0,1,1", "0,More trees,4,2,0,2,1,1") + "9,x,1,1,0,0,,,,\n"
    )
    c = read(write({**POLIS, "participants-votes.csv": MATRIX, "comment-groups.csv": groups}))
    found = findings(c)

    assert found["group-tallies"].examples == (
        "c/comment-groups.csv:2, column total_votes", "c/comment-groups.csv:2, column total_passes",
    )  # fmt: skip
    assert found["orphan-group-tallies"].count == 1


def test_orphans_and_untimed_votes(write: Write) -> None:
    """Votes on statements that are not there do not count; without some times lines decide."""
    log = POLIS["votes.csv"] + "1500000009000,x,77,1,1\n0,x,1,1,-1\n"
    c = read(
        write({**POLIS, "votes.csv": log, "comments.csv": A.replace("1,1,1,1,0,", "1,1,1,2,0,")})
    )

    assert findings(c)["orphan-votes"].examples == ("c/votes.csv:7",)
    assert findings(c)["untimed-votes"].examples == ("c/votes.csv:8",)
    assert [v.value for v in c.votes if v.statement == "1"] == ["disagree", "disagree"]


def test_seconds_milliseconds_and_both(write: Write) -> None:
    """Either unit of time is understood, also side by side; the latest vote is the latest."""
    log = POLIS["votes.csv"] + "1500000002,x,0,1,-1\n"
    c = read(write({**POLIS, "votes.csv": log, "comments.csv": A.replace("1,2,0,1,", "1,2,1,1,")}))

    assert findings(c)["milliseconds-votes"].count == 4
    assert findings(c)["mixed-time-units"].examples == ("c/votes.csv:7",)
    assert [(v.value, v.at) for v in c.votes if v.participant == "1" and v.statement == "0"] == [
        ("disagree", 1500000002)
    ]


def test_straight_liners(write: Write) -> None:
    """Who answers ten statements alike is reported and kept, whatever the answer."""
    rows = "".join(f"150000000000{i % 10},x,{i},1,2,0,1,T{i}\n" for i in range(12))
    log = "".join(f"1500000001000,x,{i},{v},1\n" for v in (1, 2) for i in range(12))
    head, votes = A.splitlines()[0], POLIS["votes.csv"].splitlines()[0]
    c = read(write({"comments.csv": f"{head}\n{rows}", "votes.csv": f"{votes}\n{log}"}))

    assert findings(c)["straight-liners"].count == 2
    assert len(c.votes) == 24


def test_who_can_tell_is_asked_which_way_it_is(write: Write) -> None:
    """Where tallies do not tell, the question is put once, and its answer read again."""
    comments = A
    for was, now in {"2,0,1,": "9,3,1,", "1,1,0,": "5,2,0,", "0,1,-1,": "7,7,-1,"}.items():
        comments = comments.replace(was, now)
    place = write({**POLIS, "comments.csv": comments})
    (question,) = IMPORTER.questions(Folder(place, place))
    turned = read_source(place, answers={"agree": "-1"})
    assert turned.consulted is not None

    assert (question.key, [o.value for o in question.options]) == ("agree", ["1", "-1"])
    assert [v.value for v in turned.consulted.votes if v.statement == "0"] == ["disagree"] * 2
    assert IMPORTER.questions(Folder(place, place, given={"agree": "1"})) == ()


def test_every_fault_of_an_export_at_once(write: Write) -> None:
    """Faults of all files are told together, each by line, and nothing is read of the rest."""
    files = {
        "comments.csv": A.replace("1,1,1,1,0,", "1,1,x,1,7,").replace(",2,1,0,", ",0,1,0,"),
        "votes.csv": POLIS["votes.csv"].replace("0,2,1\n", "0,2,5\n") + "-1,x,0,,1\n",
        "participants-votes.csv": MATRIX.replace("1,-1,-1", "1,3,-1") + "1,,,0,0,0,,,\n",
    }
    with pytest.raises(InputError) as caught:
        read(write(files))

    assert [f.where.removeprefix("c/") for f in caught.value.faults] == [
        "comments.csv:3", "comments.csv:3", "comments.csv:4", "participants-votes.csv:3, column 1",
        "participants-votes.csv:4", "votes.csv:3", "votes.csv:7", "votes.csv:7",
    ]  # fmt: skip
