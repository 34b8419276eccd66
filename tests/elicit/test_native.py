"""The project's own form is read whole, reported on, or refused with every fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from normwright.elicit import Consulted, read_consultation, receipt
from normwright.records import Fault, InputError, IntegrityFault, digest_bytes

from .conftest import COMPARISONS, PARTICIPANTS, PROCESS, STATEMENTS, TINY, VOTES, Write


def faults_of(directory: Path) -> tuple[Fault, ...]:
    """All faults of a directory that must not be read."""
    with pytest.raises(InputError) as caught:
        read_consultation(directory, root=directory.parent)
    return caught.value.faults


def report_of(consulted: Consulted) -> dict[str, IntegrityFault]:
    """The integrity report by kind."""
    return {f.kind: f for f in consulted.faults}


@pytest.mark.parametrize("zipped", [False, True])
def test_reads_everything(write: Write, zipped: bool) -> None:
    """Every row arrives with its meaning; blanks stay unknown; gzip makes no difference."""
    c = read_consultation(write(TINY, zipped=zipped), root=write({}).parent)

    assert (c.process.id, c.process.kind, c.process.seed) == ("tiny", "simulated", 7)
    assert [(p.id, p.layer) for p in c.polities] == [("world", "global"), ("hall", "organisation")]
    assert [(p.id, p.polities, p.lang) for p in c.participants] == [
        ("ana", ("world", "hall"), "pt"),
        ("ben", ("world",), "en"),
        ("eva", ("world", "hall"), None),
    ]
    assert [(s.norm, s.endorses, s.concern) for s in c.statements] == [
        ("g.privacy", True, "privacy"),
        ("o.jokes", False, None),
        (None, True, None),
    ]
    assert c.statements[0].text == {
        "en": "Private is private, always.",
        "pt": "Privado é privado.",
    }
    assert [(v.participant, v.statement, v.value) for v in c.votes] == [
        ("ana", "s1", "agree"),
        ("ben", "s1", "disagree"),
        ("eva", "s1", "pass"),
        ("ana", "s2", "pass"),
        ("eva", "s2", "agree"),
    ]
    assert [x.choice for x in c.comparisons] == ["decline", "tie"]
    assert c.languages == ("en", "pt")


def test_receipt_counts_and_digests(write: Write) -> None:
    """The receipt carries counts, roots and the digest of every file as it lies there."""
    directory = write(TINY)
    made = receipt(read_consultation(directory, root=directory.parent), {"votes": "sha256:0"})

    assert (made.participants, made.statements, made.votes, made.comparisons) == (3, 3, 5, 2)
    assert made.coverage == pytest.approx(5 / 9)
    assert made.sources["c/votes.csv"] == digest_bytes(VOTES.encode())
    assert set(made.sources) == {f"c/{name}" for name in TINY}
    assert made.roots == {"votes": "sha256:0"}


def test_last_vote_counts(write: Write) -> None:
    """The latest time wins whatever the order of lines; among equals the later line."""
    extra = "ana,s1,disagree,1600000000\nben,s1,agree,1700000009\nben,s1,pass,1700000009\n"
    directory = write({**TINY, "votes.csv": VOTES + extra})
    c = read_consultation(directory, root=directory.parent)
    votes = {(v.participant, v.statement): v.value for v in c.votes}

    assert votes["ana", "s1"] == "agree"
    assert votes["ben", "s1"] == "pass"
    assert report_of(c)["duplicate-votes"].count == 3
    assert report_of(c)["duplicate-votes"].examples[0] == "c/votes.csv:7"


def test_without_times_the_file_order_decides(write: Write) -> None:
    """One untimed row means times cannot order all; the report says so."""
    directory = write({**TINY, "votes.csv": VOTES + "ana,s1,disagree,\n"})
    c = read_consultation(directory, root=directory.parent)

    assert {(v.participant, v.statement): v.value for v in c.votes}["ana", "s1"] == "disagree"
    assert report_of(c)["untimed-votes"].count == 1


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("1700000001", 1700000001),
        ("1700000001999", 1700000001),
        ("2023-11-14T22:13:21Z", 1700000001),
        ("2023-11-14T19:13:21-03:00", 1700000001),
    ],
)
def test_times_in_any_unit(write: Write, at: str, expected: int) -> None:
    """Seconds, milliseconds and ISO 8601 mean the same moment."""
    directory = write({**TINY, "votes.csv": VOTES.replace("1700000001", at)})

    assert read_consultation(directory, root=directory.parent).votes[0].at == expected


def test_blank_is_no_vote(write: Write) -> None:
    """A blank vote is missing, not a pass, and is reported."""
    directory = write({**TINY, "votes.csv": VOTES + "ben,s3,,1700000008\n"})
    c = read_consultation(directory, root=directory.parent)

    assert ("ben", "s3") not in {(v.participant, v.statement) for v in c.votes}
    assert report_of(c)["blank-votes"].examples == ("c/votes.csv:7",)


def test_what_cannot_count_is_reported(write: Write) -> None:
    """Orphans, strangers and votes outside one's electorate: named, and where they stand."""
    extra = "ana,s9,agree,1700000008\nzoe,s1,agree,1700000008\nben,s2,agree,1700000008\n"
    directory = write({**TINY, "votes.csv": VOTES + extra})
    seen = report_of(read_consultation(directory, root=directory.parent))

    assert seen["orphan-votes"].examples == ("c/votes.csv:7",)
    assert seen["unknown-participants"].examples == ("c/votes.csv:8",)
    assert seen["outside-electorate"].count == 1
    assert seen["unseen-statements"].examples == ("statement s3",)


def test_straight_liner_is_reported(write: Write) -> None:
    """Ten equal answers are reported and kept."""
    rows = "".join(f"t{i},global,world,,,,Text {i}.,Texto {i}.\n" for i in range(10))
    votes = VOTES + "".join(f"ben,t{i},disagree,1700000008\n" for i in range(10))
    directory = write({**TINY, "statements.csv": STATEMENTS + rows, "votes.csv": votes})
    c = read_consultation(directory, root=directory.parent)

    assert report_of(c)["straight-liners"].examples == ("c/participants.csv:3",)
    assert len(c.votes) == 15


def test_comparisons_are_optional_and_the_last_counts(write: Write) -> None:
    """No file of comparisons is no comparisons; a second choice on a scene replaces the first."""
    again = COMPARISONS + "ana,look/1,g.privacy,world,tie,1700000009\n"
    directory = write({**TINY, "comparisons.csv": again})
    assert [x.choice for x in read_consultation(directory, root=directory.parent).comparisons] == [
        "tie",
        "tie",
    ]

    (directory / "comparisons.csv").unlink()
    assert read_consultation(directory, root=directory.parent).comparisons == ()


def changed(name: str, *swaps: tuple[str, str]) -> dict[str, str | bytes | None]:
    """One file of the small consultation with some of its text swapped."""
    text = TINY[name]
    for was, now in swaps:
        assert was in text
        text = text.replace(was, now)
    return {name: text}


MIXED = (
    ("lang\n", "lang,kind\n"),
    ("pt\n", "pt,simulated\n"),
    ("en\n", "en,human\n"),
    ("hall,\n", "hall,,\n"),
)
PASSES = (("agree", "pass"), ("-1", "0"), ("eva,s2,1", "eva,s2,0"))
KEY = ("identification", "identificaton")
TEXTLESS = ("Jokes are fine.,Piadas são bem-vindas.", ",")
BROKEN: dict[str, tuple[dict[str, str | bytes | None], str, str]] = {
    "stance": (changed("votes.csv", ("agree", "agre")), "votes.csv:2", "mean agree?"),
    "column": (changed("votes.csv", ("participant", "particpant")), "votes.csv:1", "particpant?"),
    "latin": ({"votes.csv": VOTES.replace("a,s2", "ã,s2").encode("latin-1")}, "votes.csv:5", "UTF"),
    "YAML": ({"process.yaml": PROCESS + "x: [\n"}, "process.yaml:10", "YAML"),
    "key": (changed("process.yaml", KEY), f"process.yaml: {KEY[1]}", f"mean {KEY[0]}?"),
    "kind": (changed("process.yaml", ("simulated", "mixed")), "process.yaml: kind", "human"),
    "mixed": (changed("participants.csv", *MIXED), "participants.csv:3", "two processes"),
    "polity": (changed("participants.csv", ("n,wo", "n,wr")), "participants.csv:3", "mean world?"),
    "stateless": (changed("participants.csv", ("n,world", "n,")), "participants.csv:3", "none"),
    "twice": ({"participants.csv": PARTICIPANTS + "ana,world,en\n"}, "participants.csv:5", "again"),
    "no votes": ({"votes.csv": VOTES.splitlines()[0] + "\n"}, "votes.csv", "no vote"),
    "no file": ({"votes.csv": None}, "votes.csv", "no such file"),
    "one voter": ({"votes.csv": "\n".join(VOTES.splitlines()[:2])}, "votes.csv", "at least two"),
    "passes": (changed("votes.csv", *PASSES), "votes.csv", "only passes"),
    "stranger": (changed("comparisons.csv", ("ben", "bob")), "comparisons.csv:3", "bob"),
    "choice": (changed("comparisons.csv", ("decline", "refuse")), "comparisons.csv:2", "refuse"),
    "layer": (changed("statements.csv", ("s1,global", "s1,polity")), "statements.csv:2", "global"),
    "no text": (changed("statements.csv", TEXTLESS), "statements.csv:3", "a text"),
    "endorses": (changed("statements.csv", (",false", ",")), "statements.csv:3", "true or false"),
    "short row": ({"votes.csv": VOTES + "ana,s3\n"}, "votes.csv:7", "4 fields"),
    "time": (changed("votes.csv", ("1700000001", "yesterday")), "votes.csv:2", "yesterday"),
    "gzip": ({"votes.csv": None, "votes.csv.gz": b"\x1f\x8bnot"}, "votes.csv.gz", "whole gzip"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_input(write: Write, name: str) -> None:
    """Each kind of broken input is one error that names file, line and what to do."""
    change, where, words = BROKEN[name]
    faults = faults_of(write({**TINY, **change}))
    here = [f for f in faults if f.where == f"c/{where}"]

    assert any(words in f"{f.expected} {f.seen} {f.do}" for f in here)


def test_all_faults_at_once(write: Write) -> None:
    """Faults of several files come together, in one error."""
    directory = write(
        {
            **TINY,
            "participants.csv": PARTICIPANTS.replace("ben,world", "ben,word"),
            "votes.csv": VOTES.replace("agree", "maybe"),
            "comparisons.csv": COMPARISONS.replace("decline", "refuse").replace("ben", "bob"),
        }
    )

    assert {f.where for f in faults_of(directory)} == {
        "c/participants.csv:3",
        "c/votes.csv:2",
        "c/comparisons.csv:2",
        "c/comparisons.csv:3",
    }


def test_nothing_that_can_be_recognised(write: Write, tmp_path: Path) -> None:
    """A directory that is empty, absent or of two formats is refused in words."""
    assert "native" in faults_of(write({}))[0].expected
    assert faults_of(tmp_path / "absent")[0].seen == "no such directory"
    assert faults_of(write({**TINY, "comments.csv": "comment-id,comment-body\n"}))[0].seen == (
        "native and polis"
    )


CONSENT = """\
consent:
  basis: participants
  versions:
    - {id: "2026-02", to_training: true, participants: 2}
    - {id: "2026-05"}
  minors: none
"""


def test_what_participants_agreed_to_is_read_and_written(write: Write) -> None:
    """What is said arrives, what is not said stays unknown, and an export says the same."""
    silent = read_consultation(write(TINY), root=write({}).parent)
    told = read_consultation(
        write({**TINY, "process.yaml": PROCESS + CONSENT}), root=write({}).parent
    )

    assert silent.process.consent is None
    assert told.process.consent is not None
    assert told.process.consent.basis == "participants"
    assert [one.to_training for one in told.process.consent.versions] == [True, None]
    assert told.process.consent.minors == "none"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("consent: yes, of course\n", "consent"),
        ("consent: {basis: hope}\n", "consent.basis"),
        ("consent: {minor: none}\n", "consent.minor"),
        ("consent: {versions: [{id: a, to_training: maybe}]}\n", "consent.versions[0].to_training"),
        ("consent: {versions: [{to_training: true}]}\n", "consent.versions[0].id"),
    ],
)
def test_consent_that_says_something_else_is_a_fault(write: Write, text: str, where: str) -> None:
    """Each is named by its key, once."""
    faults = faults_of(write({**TINY, "process.yaml": PROCESS + text}))

    assert [fault.where.split(": ", 1)[1] for fault in faults] == [where]
