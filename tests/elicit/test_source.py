"""One path, whatever it holds: recognised or named, read alone, unpacked safely, and one digest."""

from __future__ import annotations

import gzip
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.elicit.conftest import POLIS
from tests.elicit.samples import FILES, LONG, SOI, WIDE, bytes_of, lines

from normwright.elicit import Source, archives, files, read_source
from normwright.elicit.read import BUILT_IN, every_format
from normwright.records import Crowd, InputError


def lay(place: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a new folder and return it."""
    place.mkdir(parents=True)
    for name, data in bytes_of(files).items():
        (place / name).write_bytes(data)
    return place


def faults_of(path: Path, **more: str) -> list[tuple[str, str, str]]:
    """Where, expected and seen of every fault."""
    with pytest.raises(InputError) as caught:
        read_source(path, **more)  # type: ignore[arg-type]
    return [(f.where, f.expected, f.seen) for f in caught.value.faults]


def rows_of(source: Source) -> object:
    """What was read, without where it lay."""
    c = source.consulted
    assert c is not None
    return c.votes, c.ballots, [(s.id, s.text) for s in c.statements]


@pytest.mark.parametrize("name", FILES)
def test_packed_zipped_or_elsewhere_it_is_the_same(tmp_path: Path, name: str) -> None:
    """Files gzipped one by one give the same records; zipped or moved, the same digest too."""
    slug, sample = FILES[name]
    plain = lay(tmp_path / "one", sample)
    packed = lay(
        tmp_path / "packed" / "one",
        {f"{n}.gz": gzip.compress(d, mtime=0) for n, d in bytes_of(sample).items()},
    )
    moved = lay(tmp_path / "far" / "away" / "one", sample)
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        for file, data in bytes_of(sample).items():
            archive.writestr(f"export/{file}", data)
    sources = [read_source(p) for p in (plain, packed, moved, tmp_path / "one.zip")]

    assert {s.format for s in sources} == {slug}
    assert len({tuple(s.counts.items()) for s in sources}) == 1
    assert len({s.digest for s in sources}) == 2
    assert sources[0].digest == sources[2].digest == sources[3].digest
    assert min(sources[0].counts.values()) > 0


def test_of_a_file_alone_nothing_else_is_read(tmp_path: Path) -> None:
    """Whatever lies beside a file, broken or of another format, leaves it as it is."""
    alone = read_source(lay(tmp_path / "a", {"x.soi": SOI}) / "x.soi")
    crowd = lay(
        tmp_path / "b",
        {"x.soi": SOI, "y.soi": "broken", "mapping.yaml": "unranked: apart\n", **POLIS,
         "process.yaml": "- no\n"},
    )  # fmt: skip
    beside = read_source(crowd / "x.soi")

    assert (beside.digest, rows_of(beside)) == (alone.digest, rows_of(alone))
    assert beside.consulted is not None
    assert beside.consulted.unranked == "last"
    assert list(beside.sources) == ["x.soi"]


def test_answers_and_process_stand_in_for_files_beside_it(tmp_path: Path) -> None:
    """What a mapping or a process file would say can be said of a file alone."""
    path = lay(tmp_path / "a", {"x.csv": "id,T,C\na,5,1\nb,1,3\n"}) / "x.csv"
    process = tmp_path / "who.yaml"
    process.write_text(
        "id: hall\nkind: human\ntitle: {en: The hall}\nlanguage: en\n"
        "polities: [{id: hall, name: {en: The hall}, layer: organisation}]\n"
    )
    source = read_source(path, answers={"scale": "1..5"}, process=process)

    assert faults_of(path)[0][1].startswith("a scale")
    assert source.consulted is not None
    assert source.consulted.process.id == "hall"
    assert [v.value for v in source.consulted.votes] == ["agree", "disagree", "disagree", "pass"]
    assert set(source.sources) == {"x.csv", "who.yaml"}


def test_a_forced_format_and_one_that_is_none(tmp_path: Path) -> None:
    """A format can be named, also one that would not be taken by itself; a wrong name is said."""
    table = lay(tmp_path / "a", {"x.csv": "rater,item,score\na,1,5\nb,1,4\n"})
    forced = read_source(table, format="annotations")

    assert forced.annotations is not None
    assert len(forced.annotations) == 2
    assert faults_of(table, format="annotation")[0][:2] == (
        "format", "a format (12 are known)",
    )  # fmt: skip
    (where, expected, seen) = faults_of(table, format="preflib")[0]
    assert (where, expected[-9:], seen[:14]) == (str(table), "(preflib)", "no file ending")


def test_nothing_there_and_nothing_that_fits(tmp_path: Path) -> None:
    """A path without anything, and a folder that fits no format, say so: each format once."""
    odd = lay(tmp_path / "a", {"x.jsonl": lines({"task": 1})})

    assert faults_of(tmp_path / "none")[0][2] == "nothing there"
    assert len(faults_of(odd)) == len(every_format()) == len(BUILT_IN)


def test_several_formats_are_asked_about(tmp_path: Path) -> None:
    """A folder that two formats fit is not read by guess."""
    both = lay(tmp_path / "a", {**POLIS, "x.soi": SOI})

    assert [seen for _, _, seen in faults_of(both)] == ["polis", "preflib"]
    assert read_source(both, format="preflib").format == "preflib"


def zip_of(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../../x.csv", "/x.csv", "..\\..\\x.csv", "a/../../x.csv"])
def test_an_archive_does_not_say_where_files_go(tmp_path: Path, name: str) -> None:
    """A name that leads out of the folder is used for its last part alone."""
    place = tmp_path / "deep" / "er"
    place.mkdir(parents=True)
    before = sorted(p for p in tmp_path.rglob("*"))
    source = read_source(zip_of(place / "x.zip", {name: WIDE.encode()}))

    assert source.format == "table"
    assert sorted(p for p in tmp_path.rglob("*")) == [*before, place / "x.zip"]


def test_bombs_are_counted_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to more than it may is refused, zip, gzip and workbook, before it is whole."""
    for module in (archives, files):
        monkeypatch.setattr(module, "MOST", 1 << 20)
    monkeypatch.setattr("normwright.elicit.sheets.MOST", 1 << 10)
    large = LONG.encode() + b"ana,Trees.,agree,1\n" * (1 << 17)
    archive = zip_of(tmp_path / "x.zip", {"x.csv": large})
    monkeypatch.setattr(files.unpack, "__defaults__", (1 << 20,))
    (tmp_path / "y.csv.gz").write_bytes(gzip.compress(large, mtime=0))
    (tmp_path / "z.xlsx").write_bytes(bytes_of(FILES["workbook"][1])["x.xlsx"])

    assert archive.stat().st_size < 1 << 16
    assert "more, in x.csv" in faults_of(archive)[0][2]
    assert "more, from" in faults_of(tmp_path / "y.csv.gz")[0][2]
    assert "more than" in faults_of(tmp_path / "z.xlsx")[0][2]


@pytest.mark.parametrize(
    ("members", "seen"),
    [
        ({}, "none"),
        ({"README.md": b"x"}, "none"),
        ({"a/x.csv": b"1", "b/y.csv": b"1"}, "some in each of a, b"),
        ({"x/a.csv": b"1", "x\\a.csv": b"2"}, "a.csv twice"),
        ({f"{n}.csv": b"1" for n in range(1001)}, "1001"),
    ],
)
def test_archives_that_are_no_export(tmp_path: Path, members: dict[str, bytes], seen: str) -> None:
    """No data, data in several folders, one name twice, or a thousand files are refused."""
    assert seen in [f[2] for f in faults_of(zip_of(tmp_path / "x.zip", members))]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """A file whose name is no UTF-8 is read, and called by what can be written of it."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff.soi"))
    path.write_text(SOI)
    source = read_source(path)

    assert list(source.sources) == ["x?.soi"]
    assert source.digest.startswith("sha256:")


def test_a_trillion_voters_are_counted_and_not_made(tmp_path: Path) -> None:
    """Anonymous voters are as many as the file says, without an object each."""
    text = SOI.replace("3: 1,2,3", f"{10**12}: 1,2,3").replace("VOTERS: 6", f"VOTERS: {10**12 + 3}")
    path = lay(tmp_path / "a", {"x.soi": text})
    began = time.process_time()
    source = read_source(path)
    taken = time.process_time() - began
    assert source.consulted is not None
    ballots = source.consulted.ballots

    assert taken < 2
    assert source.counts["ballots"] == 10**12 + 3
    assert ballots.counts == (10**12, 2, 1)
    assert ballots.voters == Crowd(10**12 + 3)
    assert ballots.voters[-1] == "v1000000000003"
    assert (ballots.chosen[10**12 - 1], ballots.chosen[10**12], ballots.chosen[-1]) == (0, 1, 2)
    assert source.consulted.participants[10**11].id == "v0100000000001"


@pytest.mark.parametrize(
    ("count", "where"),
    [("1" + "0" * 15, "x.soi"), ("9" * 16, "x.soi:11"), ("9" * 400, "x.soi:11"), ("²", "x.soi:11")],
)
def test_more_voters_than_anybody_ever_asked(tmp_path: Path, count: str, where: str) -> None:
    """Multiplicities beyond reason, and digits that are none, are refused by place."""
    path = lay(tmp_path / "a", {"x.soi": SOI.replace("3: 1,2,3", f"{count}: 1,2,3")})

    assert where in {fault[0] for fault in faults_of(path)}
