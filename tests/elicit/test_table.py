"""Tables as people keep them: layout, delimiter, encoding and meaning found out, or asked."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.elicit import Consulted, Question, read_consultation
from normwright.elicit.files import Folder
from normwright.elicit.importers.table import IMPORTER
from normwright.elicit.stances import read_stances, scale_ends
from normwright.elicit.tongue import language_of
from normwright.records import Fault, InputError

LONG = """\
participant,statement,vote,time
ana,More trees.,agree,1700000000
rui,More trees.,disagree,1700000001
ana,Fewer cars.,pass,1700000002
"""
WIDE = """\
participant,More trees.,Fewer cars.
ana,agree,pass
rui,disagree,
"""


def place(tmp_path: Path, name: str, content: str | bytes, mapping: str = "") -> Path:
    """A folder with one table, and perhaps what was decided about it."""
    folder = tmp_path / "c"
    folder.mkdir(exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    if mapping:
        (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    return folder


def read(tmp_path: Path, name: str, content: str | bytes, mapping: str = "") -> Consulted:
    """Read one table."""
    return read_consultation(place(tmp_path, name, content, mapping), root=tmp_path)


def asked(tmp_path: Path, name: str, content: str | bytes, mapping: str = "") -> list[Question]:
    """What is asked about one table."""
    folder = place(tmp_path, name, content, mapping)
    return list(IMPORTER.questions(Folder(folder, folder)))


def votes(c: Consulted) -> set[tuple[str, str, str]]:
    """Who said what to which text."""
    text = {s.id: next(iter(s.text.values())) for s in c.statements}
    return {(v.participant, text[v.statement], v.value) for v in c.votes}


SAID = {
    ("ana", "More trees.", "agree"), ("rui", "More trees.", "disagree"),
    ("ana", "Fewer cars.", "pass"),
}  # fmt: skip


@pytest.mark.parametrize("table", [LONG, WIDE])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_layout_delimiter_and_encoding_are_found_out(
    tmp_path: Path, table: str, delimiter: str, encoding: str
) -> None:
    """One row an answer or one a participant, however written, says the same; nothing is asked."""
    data = table.replace(",", delimiter).encode(encoding)

    assert asked(tmp_path, "x.csv", data) == []
    assert votes(read(tmp_path, "x.csv", data)) == SAID


def test_a_spreadsheet_reads_like_a_csv(tmp_path: Path) -> None:
    """Cells of a workbook are the cells of a table; blank rows and empty sheets do not matter."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in csv.reader(io.StringIO(WIDE)):
        sheet.append([cell or None for cell in row])
    sheet.append([None, None, None])
    book.create_sheet("empty")
    data = io.BytesIO()
    book.save(data)

    assert asked(tmp_path, "x.xlsx", data.getvalue()) == []
    assert votes(read(tmp_path, "x.xlsx", data.getvalue())) == SAID


def test_numbers_and_sheets_of_a_workbook(tmp_path: Path) -> None:
    """Numbers are whole where they are; of two sheets with cells one is asked for."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.append(["notes"])
    first.append(["none"])
    second = book.create_sheet("Votos")
    for row in (["id", "Q1", "Q2"], ["a", 1, -1.0], ["b", 0, None]):
        second.append(row)
    data = io.BytesIO()
    book.save(data)
    (question,) = asked(tmp_path, "x.xlsx", data.getvalue())
    c = read(tmp_path, "x.xlsx", data.getvalue(), "sheet: Votos\n")

    assert (question.key, [o.value for o in question.options]) == ("sheet", ["Sheet", "Votos"])
    assert [(v.participant, v.statement, v.value) for v in c.votes] == [
        ("a", "Q1", "agree"), ("a", "Q2", "disagree"), ("b", "Q1", "pass"),
    ]  # fmt: skip


def test_portuguese_as_windows_writes_it(tmp_path: Path) -> None:
    """Semicolons, Windows-1252 and Portuguese words are read, and the encoding is reported."""
    text = 'Participante;Afirmação;Voto\nana;"Árvores; já";Concordo\nrui;"Árvores; já";Não\n'
    text += 'eva;"Árvores; já";Não sei\n'
    c = read(tmp_path, "x.csv", text.encode("cp1252"))

    assert [v.value for v in c.votes] == ["agree", "disagree", "pass"]
    assert c.statements[0].text == {"und": "Árvores; já"}
    assert "assumed-encoding" in {f.kind for f in c.faults}


def test_a_zero_without_a_minus_is_asked_about(tmp_path: Path) -> None:
    """0 beside 1 alone may be a pass or disagreement; beside -1 it is a pass."""
    table = "id,Trees,Cars\na,1,0\nb,0,1\nc,,1\n"
    (question,) = asked(tmp_path, "x.csv", table)
    c = read(tmp_path, "x.csv", table, 'votes: {"0": disagree}\n')

    assert question.key == "votes.0"
    assert [o.value for o in question.options] == ["agree", "disagree", "pass", "none"]
    assert set(question.ask) == {"en", "pt"}
    assert votes(c) == {
        ("a", "Trees", "agree"), ("a", "Cars", "disagree"), ("b", "Trees", "disagree"),
        ("b", "Cars", "agree"), ("c", "Cars", "agree"),
    }  # fmt: skip
    assert asked(tmp_path, "x.csv", table.replace("0,1", "-1,1")) == []


def test_a_scale_is_asked_for(tmp_path: Path) -> None:
    """Numbers that are no signs are on a scale; which, and which end agrees, a person says."""
    table = "id;Trees;Cars\na;5;1\nb;4,5;3\n"
    (question,) = asked(tmp_path, "x.csv", table)
    up = read(tmp_path, "x.csv", table, "scale: 1..5\n")
    down = read(tmp_path, "x.csv", table, "scale: 5..1\n")

    assert (question.key, [o.value for o in question.options]) == ("scale", ["1..5", "5..1"])
    assert [v.value for v in up.votes] == ["agree", "disagree", "agree", "pass"]
    assert [v.value for v in down.votes] == ["disagree", "agree", "disagree", "pass"]


def test_a_scale_nobody_used_whole_has_several_readings(tmp_path: Path) -> None:
    """Answers from 2 to 4 fit several scales; all are offered."""
    (question,) = asked(tmp_path, "x.csv", "id,T,C\na,2,4\nb,3,4\n")

    assert {"1..4", "1..5", "1..7", "0..10"} <= {o.value for o in question.options}


def test_an_unknown_word_is_asked_about(tmp_path: Path) -> None:
    """A word that is misspelt or foreign is a question by itself; the column stays."""
    table = WIDE.replace("disagree", "dissagree")
    (question,) = asked(tmp_path, "x.csv", table)
    with pytest.raises(InputError) as caught:
        read(tmp_path, "x.csv", table)

    assert question.key == "votes.dissagree"
    assert [(f.where, f.seen) for f in caught.value.faults] == [
        ("c/x.csv:3, column More trees.", "'dissagree'"),
    ]  # fmt: skip
    assert votes(read(tmp_path, "x.csv", table, "votes: {dissagree: disagree}\n")) == SAID


def test_blank_is_never_a_pass(tmp_path: Path) -> None:
    """Blanks and what stands for them are no votes; a long table reports each."""
    c = read(tmp_path, "x.csv", LONG + "rui,Fewer cars.,,1700000003\neva,Fewer cars.,n/a,\n")

    assert votes(c) == SAID
    assert {f.kind: f.count for f in c.faults}["blank-votes"] == 2
    assert {f.kind for f in c.faults} >= {"silent-participants"}


def test_the_last_answer_counts(tmp_path: Path) -> None:
    """By time where there are times, else by line; the report counts what was replaced."""
    c = read(tmp_path, "x.csv", LONG + "ana,More trees.,disagree,1600000000\n")
    wide = read(tmp_path, "x.csv", WIDE + "ana,disagree,\n")

    assert ("ana", "More trees.", "agree") in votes(c)
    assert ("ana", "More trees.", "disagree") in votes(wide)
    assert ("ana", "Fewer cars.", "pass") in votes(wide)
    assert {f.kind for f in c.faults} >= {"duplicate-votes"}


def test_times_in_words_are_read(tmp_path: Path) -> None:
    """ISO times count in UTC where they have no offset; others are a fault by line."""
    c = read(tmp_path, "x.csv", LONG.replace("1700000000", "2023-11-14T22:13:20"))
    with pytest.raises(InputError, match=r"x\.csv:2.*yesterday"):
        read(tmp_path, "x.csv", LONG.replace("1700000000", "yesterday"))

    assert c.votes[0].at == 1700000000


def test_who_answered_is_asked_where_it_is_unclear(tmp_path: Path) -> None:
    """A column that could name people is offered; without any, each row is a person."""
    table = "ticket,T1,T2\nx1,agree,pass\nx2,disagree,agree\n"
    (question,) = asked(tmp_path, "x.csv", table)
    named = read(tmp_path, "x.csv", table, "columns: {participant: ticket}\n")
    rows = read(tmp_path, "x.csv", table, "columns: {participant: rows}\n")
    bare = read(tmp_path, "x.csv", table.replace("x1", "same").replace("x2", "same"))

    assert (question.key, [o.value for o in question.options]) == (
        "columns.participant", ["ticket", "rows"],
    )  # fmt: skip
    assert [p.id for p in named.participants] == ["x1", "x2"]
    assert [p.id for p in rows.participants] == [p.id for p in bare.participants] == ["r1", "r2"]
    assert "anonymous-rows" in {f.kind for f in bare.faults}


def test_names_and_addresses_do_not_enter_the_store(tmp_path: Path) -> None:
    """Where a column holds names or addresses, people are numbers in the order of the file."""
    c = read(tmp_path, "x.csv", WIDE.replace("participant", "Email").replace("ana", "ana@x.org"))

    assert [p.id for p in c.participants] == ["p1", "p2"]
    assert "names-replaced" in {f.kind for f in c.faults}
    assert "x.org" not in repr(c)


def test_columns_that_are_no_answers_are_reported(tmp_path: Path) -> None:
    """Ages and comments are left out and named; a column may be left out by hand."""
    table = "id,age,T1,T2,why\na,30,agree,pass,because\nb,41,disagree,agree,so\n"
    c = read(tmp_path, "x.csv", table)
    less = read(tmp_path, "x.csv", table, "leave_out: [T2]\n")

    assert [s.id for s in c.statements] == ["T1", "T2"]
    assert {f.kind: f.count for f in c.faults}["other-columns"] == 2
    assert [s.id for s in less.statements] == ["T1"]


def test_texts_of_short_headings_can_be_given(tmp_path: Path) -> None:
    """A heading such as Q1 stays the id; its text comes from the mapping or a column."""
    wide = read(tmp_path, "x.csv", "id,Q1,Q2\na,1,-1\nb,1,0\n", "statements: {Q1: More trees.}\n")
    long_ = read(
        tmp_path, "x.csv",
        "participant,statement_id,text,vote\na,7,More trees.,1\nb,7,More trees.,-1\n", "{}\n",
    )  # fmt: skip

    assert {s.id: s.text["und"] for s in wide.statements} == {"Q1": "More trees.", "Q2": "Q2"}
    assert {s.id: s.text["und"] for s in long_.statements} == {"7": "More trees."}


AOI = """\
Vote ID,Session ID,Winner ID,Winner Text,Loser ID,Loser Text,Created at,Valid
1,s1,1,Trees,2,Cars,2020-01-01 00:00:00 UTC,true
2,s1,1,Trees,3,Buses,2020-01-01 00:00:01 UTC,true
3,s2,2,Cars,1,Trees,2020-01-01 00:00:02 UTC,true
4,s2,1,Trees,2,Cars,2020-01-01 00:00:03 UTC,true
5,s3,3,Buses,1,Trees,2020-01-01 00:00:04 UTC,false
"""


def test_comparisons_become_ballots_of_two(tmp_path: Path) -> None:
    """All Our Ideas: the last choice of a session on a pair counts, what was not shown is apart."""
    assert asked(tmp_path, "x.csv", AOI) == []
    c = read(tmp_path, "x.csv", AOI)
    text = {s.id: s.text["und"] for s in c.statements}

    assert [(v, text[w[0]], text[x[0]]) for v, (w, x) in c.ballots] == [
        ("s1", "Trees", "Cars"), ("s1", "Trees", "Buses"), ("s2", "Trees", "Cars"),
    ]  # fmt: skip
    assert c.unranked == "apart"
    counts = {f.kind: f.count for f in c.faults}
    assert (counts["invalid-comparisons"], counts["duplicate-comparisons"]) == (1, 1)


BROKEN: dict[str, tuple[str, str | bytes, str, str, str]] = {
    "nothing": ("x.csv", "", "", "c/x.csv:1", "an empty file"),
    "header only": ("x.csv", "participant,statement,vote\n", "", "c/x.csv", "none"),
    "short row": ("x.csv", LONG + "ana,x\n", "", "c/x.csv:5", "2"),
    "twice": ("x.csv", "id,T,T\na,1,1\n", "", "c/x.csv:1", "'T' 2 times"),
    "nameless": ("x.csv", "id,,T\na,1,1\n", "", "c/x.csv:1", "nothing"),
    "bytes": ("x.csv", b"\x81\x8d\x00", "", "c/x.csv", "no text"),
    "no workbook": ("x.xlsx", b"PK no", "", "c/x.xlsx", "BadZipFile"),
    "layout": ("x.csv", "a,b\nhello,world\nfoo,bar\n", "", "c/x.csv", "'a', 'b'"),
    "one voter": ("x.csv", "participant,statement,vote\na,x,agree\n", "", "c/x.csv", "only a"),
    "passes": ("x.csv", "id,T,C\na,pass,pass\nb,pass,pass\n", "", "c/x.csv", "only passes"),
    "key": ("x.csv", LONG, "colums: {}\n", "c/mapping.yaml: colums", "'colums'"),
    "column": ("x.csv", LONG, "columns: {vote: vot}\n", "c/mapping.yaml: columns.vote", "'vot'"),
    "bare yes": ("x.csv", LONG, "votes: {yes: agree}\n", "c/mapping.yaml: votes", "True"),
    "meaning": ("x.csv", LONG, "votes: {ja: yep}\n", "c/mapping.yaml: votes", "yep"),
    "scale": ("x.csv", LONG, "scale: 5\n", "c/mapping.yaml: scale", "5"),
    "YAML": ("x.csv", LONG, "a: [\n", "c/mapping.yaml:2", "expected"),
    "off scale": ("x.csv", "id,T,C\na,5,1\nb,7,3\n", "scale: 1..5\n",
                  "c/x.csv:3, column T", "'7'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_tables(tmp_path: Path, name: str) -> None:
    """Each way in which a table or its mapping can be broken is named with its place."""
    file, content, mapping, where, seen = BROKEN[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path, file, content, mapping)
    faults: tuple[Fault, ...] = caught.value.faults

    assert any(f.where == where and seen in f.seen for f in faults), faults


def test_prose_is_not_asked_about_word_by_word(tmp_path: Path) -> None:
    """Fifty different answers are no answers: one fault says so, and no fifty questions."""
    rows = "".join(f"p{i},s,Opinion number {i}\n" for i in range(50))
    table = "participant,statement,vote\n" + rows
    with pytest.raises(InputError) as caught:
        read(tmp_path, "x.csv", table)

    assert asked(tmp_path, "x.csv", table) == []
    assert len(caught.value.faults) == 1


CELLS = st.lists(
    st.lists(st.sampled_from(["agree", "disagree", "pass", ""]), min_size=3, max_size=3),
    min_size=2, max_size=8,
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(CELLS, st.sampled_from([",", ";", "\t"]))
def test_long_and_wide_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]], delimiter: str
) -> None:
    """The same answers, as a matrix or as rows, are the same votes."""
    names = ["T, one", "T; two", "T three"]
    given_ = {
        (f"p{i}", names[j], value)
        for i, row in enumerate(cells) for j, value in enumerate(row) if value
    }  # fmt: skip
    if len({p for p, _, _ in given_}) < 2 or {v for _, _, v in given_} == {"pass"}:
        return
    if any(not any(row[j] for row in cells) for j in range(3)):
        return

    def text(rows: list[list[str]]) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows(rows)
        return out.getvalue()

    wide = text([["participant", *names], *([f"p{i}", *row] for i, row in enumerate(cells))])
    long_ = text([["participant", "statement", "vote"], *map(list, sorted(given_))])
    base = tmp_path_factory.mktemp("t")
    (base / "w").mkdir()
    (base / "l").mkdir()

    assert votes(read(base / "w", "x.csv", wide)) == given_
    assert votes(read(base / "l", "x.csv", long_)) == given_


@given(st.integers(-3, 10))
def test_scales_read_backwards_turn_answers_round(x: int) -> None:
    """5..1 is 1..5 with agreement and disagreement exchanged; the middle stays."""
    other = {"agree": "disagree", "disagree": "agree", "pass": "pass"}
    up = read_stances([str(x)], decided={}, scale="1..5").meaning
    down = read_stances([str(x)], decided={}, scale="5..1").meaning

    assert {v: other[m] for v, m in up.items()} == dict(down)
    assert scale_ends("5..1") == (5, 1)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The city should plant more trees and it is not for the cars to decide. " * 5, "en"),
        ("A cidade deve plantar mais árvores, e não são os carros que decidem. " * 5, "pt"),
        ("La ciudad debe plantar más árboles y no son los coches los que deciden. " * 5, "es"),
        ("Die Stadt soll mehr Bäume pflanzen und das ist nicht für die Autos. " * 5, "de"),
        ("Trees.", None),
        ("城市應該種更多的樹。" * 30, None),
    ],
)
def test_language_is_told_only_where_it_is_clear(text: str, lang: str | None) -> None:
    """The commonest words tell a language; too few of them, or of none that is known, do not."""
    assert language_of([text]) == lang


@pytest.mark.data
def test_a_real_matrix_by_itself(data_dir: Path, tmp_path: Path) -> None:
    """A vote matrix of Polis can be read as a table: its numbers are votes, its counts not."""
    source = data_dir / "votes" / "polis" / "15-per-hour-seattle" / "participants-votes.csv.gz"
    folder = place(tmp_path, source.name, source.read_bytes())
    c = IMPORTER.read(Folder(folder, tmp_path))

    assert c is not None
    assert len(c.participants) == 339
    assert len(c.votes) == 2872
    assert {f.kind: f.count for f in c.faults}["other-columns"] == 5
