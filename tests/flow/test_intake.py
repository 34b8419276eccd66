"""A stranger's own file becomes a project, whole, in an empty place; or one error says why not."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from normwright.elicit import Question, read_consultation, read_judged_pairs
from normwright.flow import FILE, TakenIn, init_from, load_project
from normwright.flow.settings import SCHEMA
from normwright.records import Fault, InputError

TODAY = date(2026, 11, 26)
VOTES = """\
participant,statement,vote
ana,We should plant more trees in the city and not in the fields.,agree
rui,We should plant more trees in the city and not in the fields.,disagree
ana,It is not for the city to say what they have to do with the cars.,pass
rui,It is not for the city to say what they have to do with the cars.,agree
"""
SOI = """\
# FILE NAME: x.soi
# TITLE: Council
# DATA TYPE: soi
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 2
# NUMBER VOTERS: 3
# NUMBER UNIQUE ORDERS: 2
# ALTERNATIVE NAME 1: Ana
# ALTERNATIVE NAME 2: Rui
2: 1,2
1: 2
"""
POLIS = {
    "comments.csv": "timestamp,comment-id,author-id,agrees,disagrees,moderated,comment-body\n"
    "1500000000000,0,1,2,0,1,More trees.\n1500000000000,1,1,1,1,0,Fewer cars.\n",
    "votes.csv": "timestamp,comment-id,voter-id,vote\n1500000001000,0,1,1\n1500000002000,0,2,1\n"
    "1500000003000,1,1,1\n1500000003500,1,2,-1\n",
    "summary.csv": "topic,The town\nviews,3\n",
}
PAIR = {"prompt": "Hello", "chosen": "Good day.", "rejected": "What?", "lang": "en"}


def take(directory: Path, source: Path, **answers: str) -> TakenIn:
    """Make a project without anybody to ask; a double underscore stands for a dot."""
    given = {key.replace("__", "."): value for key, value in answers.items()}
    return init_from(directory, source, today=TODAY, answers=given)


def faults_of(directory: Path, source: Path, **answers: str) -> tuple[Fault, ...]:
    """All faults of what must not become a project; nothing may be left of the attempt."""
    before = sorted(p.name for p in directory.parent.iterdir())
    with pytest.raises(InputError) as caught:
        take(directory, source, **answers)
    assert sorted(p.name for p in directory.parent.iterdir()) == before
    return caught.value.faults


def polis(tmp_path: Path) -> Path:
    """A folder with an export."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, text in POLIS.items():
        (folder / name).write_text(text)
    return folder


def test_a_table_becomes_a_project(tmp_path: Path) -> None:
    """The data are copied as they are, who was asked stands beside them, and all of it loads."""
    (tmp_path / "votes.csv").write_text(VOTES)
    made = take(tmp_path / "new" / "My town", tmp_path / "votes.csv")
    project = load_project(made.directory)

    assert made.files == (
        "consultation/process.yaml",
        "consultation/votes.csv",
        SCHEMA,
        FILE,
    )
    assert (made.directory / "consultation" / "votes.csv").read_text() == VOTES
    assert (made.format, made.languages) == ("table", ("en",))
    assert made.counts == {"participants": 2, "statements": 2, "votes": 4}
    assert project.settings.id == "my-town"
    assert project.settings.charter_date == "2026-11-26"
    assert dict(project.settings.title) == {"en": "votes", "pt": "votes"}
    found = read_consultation(made.directory / "consultation", root=made.directory)
    assert (found.process.id, found.process.kind) == ("my-town", "human")
    assert [p.name.keys() for p in found.polities] == [{"en", "pt"}]


def test_files_a_person_may_edit_say_what_comes_next(tmp_path: Path) -> None:
    """Project and process file are YAML with comments, and name what may be filled in."""
    (tmp_path / "votes.csv").write_text(VOTES)
    made = take(tmp_path / "new", tmp_path / "votes.csv")
    text = (made.directory / FILE).read_text()
    process = (made.directory / "consultation" / "process.yaml").read_text()

    assert yaml.safe_load(text)["sources"] == {
        "consultation": "consultation", "norms": None, "scenes": [], "pairs": [],
    }  # fmt: skip
    assert yaml.safe_load(process)["language"] == "en"
    assert text.count("#") >= 5
    assert made.next[0] == f"normwright run {made.directory}"


@pytest.mark.parametrize("name", ["2026", "true", "null", "1e5", "no", "2026-11-26", "0x1f", "on"])
@pytest.mark.parametrize(("file", "text"), [("votes.csv", VOTES), ("x.soi", SOI)])
def test_a_directory_may_be_called_what_yaml_takes_for_something_else(
    tmp_path: Path, name: str, file: str, text: str
) -> None:
    """A year, a date or `true` is the name of the project and of the process, as text."""
    (tmp_path / file).write_text(text)
    answers = {"unranked": "apart"} if file == "x.soi" else {}
    made = take(tmp_path / name, tmp_path / file, **answers)
    found = read_consultation(made.directory / "consultation", root=made.directory)

    assert load_project(made.directory).settings.id == name
    assert (found.process.id, [p.id for p in found.polities]) == (name, [name])


def plain(tmp_path: Path) -> Path:
    return polis(tmp_path)


def nested(tmp_path: Path) -> Path:
    (tmp_path / "outer").mkdir()
    shutil.move(polis(tmp_path), tmp_path / "outer" / "export")
    return tmp_path / "outer"


def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in polis(tmp_path).iterdir():
            archive.write(file, f"a/b/{file.name}")
        archive.writestr("__MACOSX/a/._votes.csv", "x")
        archive.writestr("a/README.pdf", "x")
    return path


def packed(tmp_path: Path) -> Path:
    folder = polis(tmp_path)
    for file in list(folder.iterdir()):
        (folder / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    return folder


@pytest.mark.parametrize("source", [plain, nested, zipped, packed])
def test_an_export_in_any_wrapping(tmp_path: Path, source: Callable[[Path], Path]) -> None:
    """A folder, one within another, an archive, or packed files: the same consultation."""
    made = take(tmp_path / "new", source(tmp_path))
    project = load_project(made.directory)

    assert made.format == "polis"
    assert made.counts == {"participants": 2, "statements": 2, "votes": 4}
    assert project.settings.title["pt"] == "The town"
    assert all(name.startswith(("consultation/", FILE, SCHEMA)) for name in made.files)


def test_ballots_and_pairs_become_projects(tmp_path: Path) -> None:
    """Rankings are a consultation; judged pairs are learned from, and nobody was asked."""
    (tmp_path / "x.soi").write_text(SOI)
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(json.dumps(PAIR).encode()))
    ballots = take(tmp_path / "one", tmp_path / "x.soi", unranked="apart")
    pairs = take(tmp_path / "two", tmp_path / "p.jsonl.gz", licence="MIT")
    sources = load_project(pairs.directory).settings.sources

    assert ballots.counts == {"participants": 3, "statements": 2, "ballots": 3}
    found = read_consultation(ballots.directory / "consultation", root=ballots.directory)
    assert found.unranked == "apart"
    assert (sources.consultation, sources.pairs) == (None, ("pairs/p.jsonl.gz",))
    read = read_judged_pairs([pairs.directory / "pairs" / "p.jsonl.gz"], root=pairs.directory)
    assert read.pairs[0].licence == "MIT"


def test_open_questions_come_in_one_error_with_their_answers(tmp_path: Path) -> None:
    """Without anybody to ask, all that is open is listed, and answering it makes the project."""
    (tmp_path / "x.csv").write_text("ticket,T1,T2\nx1,Agre,0\nx2,disagree,1\n")
    faults = faults_of(tmp_path / "new", tmp_path / "x.csv")
    answers = {"columns.participant": "ticket", "votes.0": "disagree", "votes.Agre": "agree"}
    made = init_from(tmp_path / "new", tmp_path / "x.csv", today=TODAY, answers=answers)

    assert {f.where: f.do for f in faults} == {
        f"question {key}": f"Answer it with --answer '{key}=...'" for key in answers
    }
    assert all("pass" in f.expected for f in faults if "votes" in f.where)
    assert made.answers == answers
    written = yaml.safe_load((made.directory / "consultation" / "mapping.yaml").read_text())
    assert written == {
        "columns": {"participant": "ticket"}, "votes": {"0": "disagree", "Agre": "agree"},
    }  # fmt: skip


def test_a_person_is_asked_until_nothing_is_open(tmp_path: Path) -> None:
    """Each question is put once; an answer may open another, and one already given is not asked."""
    (tmp_path / "x.csv").write_text("a,b,c\nana,x,gut\nrui,x,schlecht\n")
    seen: list[str] = []
    reply = {
        "columns.participant": "a", "columns.statement": "b", "columns.vote": "c",
        "votes.gut": "agree", "votes.schlecht": "disagree",
    }  # fmt: skip

    def ask(question: Question) -> str:
        seen.append(question.key)
        return reply[question.key]

    made = init_from(
        tmp_path / "new", tmp_path / "x.csv", today=TODAY, answers={"layout": "long"}, ask=ask
    )

    assert sorted(seen) == sorted(reply)
    assert made.counts["votes"] == 2


def test_an_answer_that_is_none_is_refused(tmp_path: Path) -> None:
    """An answer outside the options, of an unknown key, or a format that does not fit: in words."""
    (tmp_path / "x.csv").write_text("id,T1,T2\na,1,0\nb,0,1\n")
    wrong = faults_of(tmp_path / "new", tmp_path / "x.csv", votes__0="maybe")
    unknown = faults_of(tmp_path / "new", tmp_path / "x.csv", votes__0="pass", colour="red")
    format_ = faults_of(tmp_path / "new", tmp_path / "x.csv", format="polis")
    none = faults_of(tmp_path / "new", tmp_path / "x.csv", format="polit")

    assert [(f.where, f.seen) for f in wrong] == [("question votes.0", "maybe")]
    assert [f.where for f in unknown] == ["mapping.yaml: colour"]
    assert format_[0].seen == "no comments.csv"
    assert "judged-pairs, native, polis, preflib, table" in none[0].expected


def test_what_is_no_data_says_what_each_format_lacks(tmp_path: Path) -> None:
    """Every format that was tried is named, with what the file has not."""
    (tmp_path / "x.jsonl").write_text('{"task": 1, "label": 0}\n')
    faults = faults_of(tmp_path / "new", tmp_path / "x.jsonl")

    assert {f.expected.rsplit("(", 1)[1].rstrip(")"): f.seen for f in faults} == {
        "all-our-ideas": "no table with Winner ID and Loser ID among x.jsonl",
        "judged-pairs": "no columns chosen and rejected, or of two answers and a preference, "
        "among task, label",
        "native": "neither participants.csv nor statements.csv",
        "polis": "no comments.csv",
        "preflib": "no file ending in .soc, .soi, .toc, .toi, .cat",
        "table": "no CSV, TSV or XLSX file",
    }


def test_faults_of_the_data_stand_with_their_lines(tmp_path: Path) -> None:
    """Broken data make no project, and each fault has the file's own name and line."""
    (tmp_path / "x.soi").write_text(SOI.replace("1: 2\n", "1: 3,3\nx\n"))
    (tmp_path / "comments.csv").write_text(POLIS["comments.csv"])

    assert [f.where for f in faults_of(tmp_path / "new", tmp_path / "x.soi")] == [
        "x.soi:12", "x.soi:11", "x.soi:11",
    ]  # fmt: skip
    alone = faults_of(tmp_path / "new", tmp_path / "comments.csv")
    assert [(f.where, f.do) for f in alone] == [
        ("votes.csv", "Give the whole folder, not one file of it."),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["nothing", "torn", "two folders", "empty"])
def test_sources_that_cannot_be_taken(tmp_path: Path, kind: str) -> None:
    """Nothing there, a torn archive, data in two folders, an empty folder: said, and left."""
    source = tmp_path / "x.zip"
    says = {"nothing": "nothing there", "torn": "not a zip", "two folders": "a, b", "empty": "no"}
    if kind == "torn":
        source.write_bytes(b"PK\x03\x04 torn")
    elif kind == "two folders":
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("a/x.csv", "1")
            archive.writestr("b/x.csv", "1")
    elif kind == "empty":
        source = tmp_path / "void"
        source.mkdir()

    assert any(says[kind] in f.seen for f in faults_of(tmp_path / "new", source))


def test_an_archive_does_not_say_where_its_files_go(tmp_path: Path) -> None:
    """Names that lead out of the project are cut to their last part."""
    source = tmp_path / "x.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("../../votes.csv", VOTES)
    made = take(tmp_path / "deep" / "new", source)

    assert "consultation/votes.csv" in made.files
    assert not (tmp_path / "votes.csv").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A place with anything in it is refused, together with a source that is not there."""
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "mine").write_text("mine")

    assert len(faults_of(tmp_path / "place", tmp_path / "absent")) == 2
    assert (tmp_path / "place" / "mine").read_text() == "mine"


def test_a_process_of_their_own_is_kept(tmp_path: Path) -> None:
    """A process.yaml that lies with the data is copied, and none is written over it."""
    folder = polis(tmp_path)
    own = (
        "id: mine\nkind: human\ntitle: {en: Mine}\nlanguage: en\n"
        "polities: [{id: m, name: {en: M}, layer: organisation}]\n"
    )
    (folder / "process.yaml").write_text(own)
    made = take(tmp_path / "new", folder)

    assert (made.directory / "consultation" / "process.yaml").read_text() == own


POLIS_NAMES = (
    "15-per-hour-seattle", "american-assembly.bowling-green",
    "austria-climate.2vkxcncppn.2022-07-07", "austria-climate.5twd2jsnkf.2022-08-08",
    "bg2050-volunteers", "brexit-consensus", "canadian-electoral-reform", "london.youth.policing",
    "scoop-hivemind.affordable-housing", "scoop-hivemind.biodiversity", "vtaiwan.uberx",
)  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("name", POLIS_NAMES)
def test_real_conversations(data_dir: Path, tmp_path: Path, name: str) -> None:
    """All eleven conversations are taken in without a question, their language told or open."""
    made = take(tmp_path / "new", data_dir / "votes" / "polis" / name)
    lang = {"vtaiwan.uberx": "und"}.get(name, "de" if name.startswith("austria") else "en")

    assert made.format == "polis"
    assert made.languages == (lang,)
    assert made.counts["participants"] > 20
    assert made.answers == {}


@pytest.mark.data
@pytest.mark.parametrize(
    ("path", "kind", "count"),
    [
        ("ballots/preflib/00026-00000003.cat", "preflib", 476),
        ("ballots/preflib/00002-00000006.toc", "preflib", 436),
        ("ballots/preflib/00005-00000002.toi", "preflib", 8980),
        ("ballots/preflib/00014-00000001.soc", "preflib", 5000),
        ("ballots/preflib/00008-00000001.soi", "preflib", 6900),
        ("preferences/hh_harmless.jsonl.gz", "judged-pairs", 1678),
        ("preferences/pandalm_3annotators.jsonl.gz", "judged-pairs", 613),
        ("preferences/tulu_human_eval.jsonl.gz", "judged-pairs", 716),
        ("preferences/llmbar.jsonl.gz", "judged-pairs", 319),
    ],
)
def test_real_ballots_and_pairs(
    data_dir: Path, tmp_path: Path, path: str, kind: str, count: int
) -> None:
    """Real elections and real preference data are taken in without a question."""
    made = take(tmp_path / "new", data_dir / path)

    assert made.format == kind
    assert made.counts.get("ballots", made.counts.get("pairs")) == count
    load_project(made.directory)
