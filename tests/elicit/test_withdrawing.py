"""Somebody is taken out of files and of what was read; all else stays, to the byte."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from normwright.elicit import Taken, read_consultation, take_out, without
from normwright.elicit.withdrawing import _spans
from normwright.records import InputError

from .conftest import POLIS, TINY, VOTES, Write


def taken(directory: Path, *who: str) -> Taken:
    return take_out(directory, root=directory.parent, gone=lambda one: one in who)


def apply(directory: Path, found: Taken) -> None:
    for label, data in found.files.items():
        (directory.parent / label).write_bytes(data)


def test_rows_go_and_everything_else_stays_byte_for_byte(write: Write) -> None:
    """Line endings, quotes, odd spacing, a byte-order mark: only the person's lines are missing."""
    votes = "\ufeff" + VOTES.replace("\n", "\r\n") + '"ben" ,"s2",pass,\r\n'
    directory = write({**TINY, "votes.csv": votes})
    found = taken(directory, "ben")
    lines = votes.splitlines(keepends=True)

    assert found.files["c/votes.csv"].decode() == "".join(x for x in lines if "ben" not in x)
    assert found.rows == {"c/comparisons.csv": 1, "c/participants.csv": 1, "c/votes.csv": 2}
    assert "c/statements.csv" not in found.files
    assert not found.attributable


def test_nobody_there_changes_nothing(write: Write) -> None:
    """A pseudonym that stands nowhere leaves every file, gzipped ones too, as it is."""
    assert taken(write(TINY, zipped=True), "zoe").files == {}


def test_gzipped_tables_are_written_gzipped_the_same_every_time(write: Write) -> None:
    """What is left of a gzipped table is compressed again, with no time in its header."""
    directory = write(TINY, zipped=True)
    first, second = taken(directory, "ana"), taken(directory, "ana")
    data = first.files["c/votes.csv.gz"]

    assert first.files == second.files
    assert b"ana" not in gzip.decompress(data)
    assert gzip.decompress(data).count(b"\n") == VOTES.count("\n") - 2


def test_both_forms_of_a_table_are_cleaned(write: Write) -> None:
    """A forgotten compressed copy beside the plain table loses the rows as well."""
    directory = write(TINY)
    (directory / "votes.csv.gz").write_bytes(gzip.compress(VOTES.encode()))

    assert {"c/votes.csv", "c/votes.csv.gz"} <= set(taken(directory, "ana").files)


def test_what_is_no_table_is_named_as_not_looked_into(write: Write) -> None:
    """A note beside the tables is not searched, and said not to be."""
    assert taken(write({**TINY, "notes.txt": "ana said"}), "ana").unread == ("c/notes.txt",)


def test_a_table_that_cannot_be_read_is_a_fault(write: Write) -> None:
    """Broken bytes are one error that names the file; nothing is guessed."""
    with pytest.raises(InputError, match=r"c/votes\.csv"):
        taken(write({**TINY, "votes.csv": b"participant\n\xff\xfe"}), "ana")


STATEMENTS = """\
id,layer,authority,text_en,author
s1,global,world,"One,
over two lines, ""quoted"".",ana
s2,global,world,Two.,ben
"""


def test_what_they_wrote_goes_with_all_votes_on_it(write: Write) -> None:
    """A statement with its author is taken out whole, and an import ends without it."""
    votes = "participant,statement,vote\nana,s2,agree\nben,s1,agree\nben,s2,pass\neva,s2,agree\n"
    directory = write(
        {**TINY, "statements.csv": STATEMENTS, "votes.csv": votes, "comparisons.csv": None}
    )
    read = read_consultation(directory, root=directory.parent)
    found = taken(directory, "ana")
    apply(directory, found)
    again = read_consultation(directory, root=directory.parent)
    dropped = without(read, lambda one: one == "ana")

    assert found.authors == {"s1": "ana"}
    assert found.attributable
    assert "over two lines" not in found.files["c/statements.csv"].decode()
    assert [s.id for s in again.statements] == [s.id for s in dropped.statements] == ["s2"]
    assert again.votes == dropped.votes
    assert {f.kind: f.count for f in dropped.faults}["suppressed"] == 1
    assert "ana" not in str(dropped.faults)


def test_too_little_left_is_refused(write: Write) -> None:
    """Where one voice is left, what was read without the others is an input error."""
    read = read_consultation(write(TINY), root=write({}).parent)

    with pytest.raises(InputError, match="without those who withdrew"):
        without(read, lambda one: one != "eva")


def turned(text: str) -> str:
    """A Polis event log the other way round."""
    head, *rows = text.splitlines()
    signs = {"1": "-1", "-1": "1", "0": "0"}
    return "\n".join([head, *(f"{r[:-1]}{signs[v]}" if (v := r.split(",")[-1]) == "0" else
                              f"{r[: -len(v)]}{signs[v]}" for r in rows), ""])  # fmt: skip


MANY = "".join(
    f"{1500000010000 + 10 * p + c}000,x,{c},{p},{(1, -1, 0, 1)[(p + c) % 4]}\n"
    for p in range(10, 18)
    for c in range(2)
)


def polis(write: Write, *, flip: bool) -> Path:
    """An export with ten voters, tallied, with 1 as agree or as disagree."""
    log = POLIS["votes.csv"] + MANY
    count = Counter(tuple(row.split(",")[i] for i in (2, 4)) for row in log.splitlines()[1:])
    comments = POLIS["comments.csv"].splitlines()
    for n, line in enumerate(comments[1:], start=1):
        cells = line.split(",")
        cells[3] = "2" if cells[2] == "1" else "1"
        cells[4], cells[5] = str(count[cells[2], "1"]), str(count[cells[2], "-1"])
        comments[n] = ",".join(cells)
    text = "\n".join([*comments, ""])
    return write({"comments.csv": text, "votes.csv": turned(log) if flip else log})


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("who", ["2", "12", "13"])
def test_a_polis_export_still_fits_its_tallies(write: Write, who: str, *, flip: bool) -> None:
    """Tallies are reckoned without the voter, either way round, so that it can still be read."""
    directory = polis(write, flip=flip)
    before = read_consultation(directory, root=directory.parent)
    found = taken(directory, who)
    apply(directory, found)
    after = read_consultation(directory, root=directory.parent)
    kinds = {f.kind for f in after.faults}

    assert "tallies" not in kinds
    assert ("flipped-sign" in kinds) == flip
    assert after.votes == tuple(
        v for v in before.votes if v.participant != who and v.statement not in found.authors
    )
    assert {p.id for p in after.participants} == {p.id for p in before.participants} - {who}


def test_a_polis_author_is_found_in_the_comments(write: Write) -> None:
    """The comment somebody wrote leaves the file; votes on it are no longer counted."""
    directory = polis(write, flip=False)
    summary = directory / "comment-groups.csv"
    summary.write_text("comment-id,comment,total-votes\n0,More trees.,9\n1,Fewer cars.,9\n")
    found = taken(directory, "2")
    apply(directory, found)
    after = read_consultation(directory, root=directory.parent)

    assert found.attributable
    assert found.authors == {"1": "2"}
    assert [s.id for s in after.statements] == ["0"]
    assert "Fewer cars." not in (directory / "comments.csv").read_text()
    assert summary.read_text() == "comment-id,comment,total-votes\n0,More trees.,9\n"
    assert {f.kind for f in after.faults} >= {"orphan-votes"}


@pytest.mark.parametrize(
    ("name", "who"),
    [("15-per-hour-seattle", "15"), ("brexit-consensus", "37"), ("vtaiwan.uberx", "20")],
)
def test_real_conversations_lose_one_person_and_no_other(
    polis_data: Path, tmp_path: Path, name: str, who: str
) -> None:
    """Real exports, gzipped, read without an author as if they had never taken part."""
    directory = tmp_path / name
    directory.mkdir()
    for path in (polis_data / name).iterdir():
        (directory / path.name).write_bytes(path.read_bytes())
    before = read_consultation(directory, root=tmp_path)
    found = taken(directory, who)
    apply(directory, found)
    after = read_consultation(directory, root=tmp_path)
    expected = without(before, lambda one: one == who)
    texts = [t for s in before.statements if s.id in found.authors for t in s.text.values()]
    left = b"".join(gzip.decompress(p.read_bytes()) for p in directory.glob("*.csv.gz"))

    assert found.authors
    assert after.votes == expected.votes
    assert after.participants == expected.participants
    assert after.statements == expected.statements
    assert not [text for text in texts if text.encode() in left]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6), min_size=1, max_size=6
    ),
    st.booleans(),
)
def test_fields_of_a_record_are_found_as_the_reader_finds_them(
    fields: list[str], everything: bool
) -> None:
    """Where a field begins and ends agrees with the csv module, quoted or not."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL).writerow(fields)
    record = buffer.getvalue()
    cells = [record[begin:end] for begin, end in _spans(record)]

    assert [next(csv.reader([cell]), [""])[0] if cell else "" for cell in cells] == fields


# Tables of a form of their own

LONG = "Voter;Statement;Vote\nana;Trees;agree\nben;Trees;disagree\nana;Cars;agree\neva;Cars;agree\n"
WIDE = "Person,Trees,Cars\nana,agree,agree\nben,disagree,agree\neva,agree,disagree\n"


def other(tmp_path: Path, name: str, data: bytes, mapping: str = "") -> Path:
    """A folder with one table, and what people decided about it."""
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / name).write_bytes(data)
    if mapping:
        (tmp_path / "c/mapping.yaml").write_text(mapping, encoding="utf-8")
    return tmp_path / "c"


@pytest.mark.parametrize(
    ("name", "text", "mapping"),
    [
        ("t.csv", LONG, ""),
        ("t.tsv", LONG.replace(";", "\t"), ""),
        ("t.csv", LONG.replace(";", "|"), "delimiter: '|'\n"),
        ("t.csv", "\n" + LONG.replace("\n", "\r\n"), ""),
        ("T.CSV", WIDE, ""),
        ("t.csv", WIDE.replace("Person", "Somebody"), "columns: {participant: Somebody}\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_table_of_its_own_form_loses_their_rows_alone(
    tmp_path: Path, name: str, text: str, mapping: str, encoding: str, *, zipped: bool
) -> None:
    """By its own column, delimiter and encoding; the bytes of all other rows are as they were."""
    text = text.replace("Trees", "Árvores")
    data = text.encode(encoding)
    whole = gzip.compress(data) if zipped else data
    directory = other(tmp_path, name + ".gz" * zipped, whole, mapping)
    before = read_consultation(directory, root=tmp_path)
    found = taken(directory, "ana")
    apply(directory, found)
    after = read_consultation(directory, root=tmp_path)
    (new,) = found.files.values()
    lines = [line for line in text.splitlines(keepends=True) if "ana" not in line]

    assert "ana" in {one.id for one in before.participants}
    assert {one.id for one in after.participants} == {"ben", "eva"}
    assert (gzip.decompress(new) if zipped else new) == "".join(lines).encode(encoding)
    assert found.nameless is None
    assert found.unread == ()


def test_another_column_does_not_name_a_person(tmp_path: Path) -> None:
    """Only the column that people are read from counts: a vote on what ana wrote is not ana's."""
    text = LONG.replace("Vote\n", "Vote;Author\n").replace("gree\n", "gree;ana\n")
    found = taken(other(tmp_path, "t.csv", text.encode()), "ana")

    assert found.rows == {"c/t.csv": 2}


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("t.csv", LONG.replace("ana", "ana@x.org"), "places"),
        ("t.csv", "Trees,Cars\nagree,agree\ndisagree,agree\nagree,disagree\n", "places"),
        (
            "t.soi",
            "# NUMBER ALTERNATIVES: 2\n# NUMBER VOTERS: 3\n# NUMBER UNIQUE ORDERS: 2\n"
            "# ALTERNATIVE NAME 1: Ana\n# ALTERNATIVE NAME 2: Rui\n2: 1,2\n1: 2\n",
            "places",
        ),
    ],
)
def test_where_ids_are_places_nobody_is_looked_for(
    tmp_path: Path, name: str, text: str, seen: str
) -> None:
    """Whoever comes next would have the id of somebody taken out, so nothing is taken out."""
    directory = other(tmp_path, name, text.encode())
    first = read_consultation(directory, root=tmp_path).participants[0].id
    found = taken(directory, first, "ana@x.org")

    assert found.files == {}
    assert found.nameless is not None
    assert found.nameless.where == f"c/{name}"
    assert seen in found.nameless.seen


def test_a_workbook_is_said_not_to_be_written_again(tmp_path: Path) -> None:
    """A spreadsheet cannot be written as it was but for some rows."""
    import openpyxl

    book = openpyxl.Workbook()
    for line in WIDE.splitlines():
        book.active.append(line.split(","))
    (tmp_path / "c").mkdir()
    book.save(tmp_path / "c/t.xlsx")
    found = taken(tmp_path / "c", "ana")

    assert found.files == {}
    assert found.nameless is not None
    assert "workbook" in found.nameless.seen
