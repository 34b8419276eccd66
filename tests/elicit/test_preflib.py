"""PrefLib files: every type and both forms, header against body, and real elections whole."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.elicit import Consulted, read_consultation, read_source, receipt
from normwright.records import Fault, InputError, Majorities
from normwright.store.consultations import read_ballots

from .samples import WMD, WMG

Order = tuple[tuple[int, ...], ...]
TOI = """\
# FILE NAME: x.toi
# TITLE: A small council
# DESCRIPTION:
# DATA TYPE: toi
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 6
# NUMBER UNIQUE ORDERS: 3
# ALTERNATIVE NAME 1: Ana: a baker
# ALTERNATIVE NAME 2: Rui
# ALTERNATIVE NAME 3: Eva
3: 2,{1,3}
2: 1
1: {2, 3}
"""
OLD = """\
3
1,Ana
2,"Rui, of the hill"
3,Eva
6,6,3
3,2,{1,3}
2,1
1,{2,3}
"""


def read(tmp_path: Path, name: str, text: str | bytes, **beside: str) -> Consulted:
    """Read one file, with others beside it."""
    folder = tmp_path / "c"
    folder.mkdir(exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(data)
    for other, content in beside.items():
        (folder / other.replace("_", ".")).write_text(content)
    return read_consultation(folder, root=tmp_path)


def faults_of(tmp_path: Path, name: str, text: str | bytes) -> tuple[Fault, ...]:
    """All faults of a file that must not be read."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, name, text)
    return caught.value.faults


@pytest.mark.parametrize(
    ("name", "text"),
    [("x.toi", TOI), ("x.toi.gz", gzip.compress(TOI.encode())), ("x.toi", OLD),
     ("x.toi", TOI.replace("\n", "\r\n")), ("x.toi", "\ufeff" + TOI)],
)  # fmt: skip
def test_both_forms_read_alike(tmp_path: Path, name: str, text: str | bytes) -> None:
    """The form of today and that before 2022 give the same people, names and ballots."""
    c = read(tmp_path, name, text)

    assert (c.process.kind, c.process.identification) == ("human", "open")
    assert [s.id for s in c.statements] == ["a1", "a2", "a3"]
    assert c.statements[2].text == {"und": "Eva"}
    assert Counter(tiers for _, tiers in c.ballots) == {
        (("a2",), ("a1", "a3")): 3, (("a1",),): 2, (("a2", "a3"),): 1,
    }  # fmt: skip
    assert [p.id for p in c.participants] == ["v1", "v2", "v3", "v4", "v5", "v6"]
    assert {f.kind: f.count for f in c.faults}["incomplete-ballots"] == 3
    assert (receipt(c, {}).ballots, receipt(c, {}).unranked) == (6, "last")


def test_names_keep_their_colons(tmp_path: Path) -> None:
    """A name may hold what else separates; the title is that of the file."""
    c = read(tmp_path, "x.toi", TOI)

    assert c.statements[0].text == {"und": "Ana: a baker"}
    assert c.process.title == {"und": "A small council"}


def test_what_a_person_decided(tmp_path: Path) -> None:
    """What unranked means comes from mapping.yaml, community and language from process.yaml."""
    process = (
        "id: hall\nkind: human\nlanguage: en\ntitle: {en: Hall}\n"
        "polities: [{id: hall, name: {en: Hall}, layer: organisation}]\n"
    )
    c = read(
        tmp_path, "x.toi", TOI,
        mapping_yaml="unranked: apart\n", process_yaml=process,
    )  # fmt: skip

    assert (c.process.id, c.languages, c.unranked) == ("hall", ("en",), "apart")
    assert {s.layer for s in c.statements} == {"organisation"}


def test_synthetic_voters_are_no_people(tmp_path: Path) -> None:
    """What a program drew is a simulated process, to the end."""
    c = read(tmp_path, "x.toi", TOI.replace("original", "synthetic"))

    assert (c.process.kind, c.process.seed) == ("simulated", 0)


CAT = """\
# DATA TYPE: cat
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 4
# NUMBER UNIQUE PREFERENCES: 3
# NUMBER CATEGORIES: 2
# CATEGORY NAME 1: Yes
# CATEGORY NAME 2: No
# ALTERNATIVE NAME 1: A
# ALTERNATIVE NAME 2: B
# ALTERNATIVE NAME 3: C
2: {1, 2},3
1: {},{1,2,3}
1: 3,{}
"""


def test_categories_are_tiers(tmp_path: Path) -> None:
    """Each category is the tier of its number, an empty one too; an absent name is in none."""
    c = read(tmp_path, "x.cat", CAT)

    assert [tiers for _, tiers in c.ballots] == [
        (("a1", "a2"), ("a3",)), (("a1", "a2"), ("a3",)), ((), ("a1", "a2", "a3")),
        (("a3",), ()),
    ]  # fmt: skip
    assert c.ballots.categories == ("Yes", "No")
    assert "categories-as-tiers" in {f.kind for f in c.faults}


def changed(was: str, now: str, text: str = TOI) -> str:
    """The small file with one thing changed."""
    assert was in text
    return text.replace(was, now)


BROKEN: dict[str, tuple[str, str, str, str]] = {
    "voters": ("x.toi", changed("VOTERS: 6", "VOTERS: 7"), "x.toi:7", "'7'"),
    "cut off": ("x.toi", changed("1: {2, 3}\n", ""), "x.toi:7", "'6'"),
    "unique": ("x.toi", changed("ORDERS: 3", "ORDERS: 9"), "x.toi:8", "'9'"),
    "names": ("x.toi", changed("ALTERNATIVES: 3", "ALTERNATIVES: 4"), "x.toi:6", "'4'"),
    "no count": ("x.toi", changed("# NUMBER VOTERS: 6\n", ""), "x.toi", "no such line"),
    "stranger": ("x.toi", changed("2: 1\n", "2: 4\n"), "x.toi:13", "4"),
    "twice": ("x.toi", changed("2: 1\n", "2: 1,1\n"), "x.toi:13", "1 again"),
    "tie in soi": ("x.soi", changed("toi", "soi"), "x.soi:12", "a tie"),
    "part in toc": ("x.toc", changed("toi", "toc"), "x.toc:13", "2 left out"),
    "count": ("x.toi", changed("2: 1\n", "two: 1\n"), "x.toi:13", "'two'"),
    "zero": ("x.toi", changed("2: 1\n", "0: 1\n"), "x.toi:13", "'0'"),
    "order": ("x.toi", changed("2: 1\n", "2: 1,{2\n"), "x.toi:13", "'1,{2'"),
    "brace": ("x.toi", changed("2: 1\n", "2: {},1\n"), "x.toi:13", "empty braces"),
    "no colon": ("x.toi", changed("2: 1\n", "2 1\n"), "x.toi:13", "'2 1'"),
    "type": ("x.toi", changed("TYPE: toi", "TYPE: tio"), "x.toi:4", "'tio'"),
    "number twice": ("x.toi", changed("NAME 3", "NAME 2"), "x.toi:11", "number 2 again"),
    "empty": ("x.toi", "\n", "x.toi:1", "an empty file"),
    "prose": ("x.toi", "Dear all,\n", "x.toi:1", "'Dear all,'"),
    "old sums": ("x.toi", changed("6,6,3", "6,6", OLD), "x.toi:5", "'6,6'"),
    "old cut": ("x.toi", "3\n1,A\n", "x.toi", "the end of the file"),
    "graph": ("x.wmd", "# DATA TYPE: wmd\n1, 2, 3\n", "x.wmd", "no voter's ballot"),
    "categories": ("x.cat", changed("1: 3,{}", "1: 3", CAT), "x.cat:13", "1"),
    "one voter": ("x.toi", "# DATA TYPE: toi\n# NUMBER ALTERNATIVES: 1\n# NUMBER VOTERS: 1\n"
                  "# NUMBER UNIQUE ORDERS: 1\n# ALTERNATIVE NAME 1: A\n1: 1\n", "x.toi", "one"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(tmp_path: Path, name: str) -> None:
    """Each way in which a file can be broken is named by line."""
    file, text, where, seen = BROKEN[name]

    here = [f.seen for f in faults_of(tmp_path, file, text) if f.where == f"c/{where}"]

    assert any(seen in said for said in here)


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Header and orders are all looked at before anything is said."""
    text = changed("2: 1\n", "2: 9,9\nx: 1\n")

    assert [f.where for f in faults_of(tmp_path, "x.toi", text)] == [
        "c/x.toi:14", "c/x.toi:13", "c/x.toi:13",
    ]  # fmt: skip


def test_a_folder_of_several_files_is_refused(tmp_path: Path) -> None:
    """Two files of ballots are two consultations."""
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "y.soc").write_text(TOI)

    assert faults_of(tmp_path, "x.toi", TOI)[0].seen == "x.toi, y.soc"


@st.composite
def files(draw: st.DrawFn) -> tuple[int, dict[Order, int]]:
    """Orders with ties over a few alternatives, and how many gave each."""
    size = draw(st.integers(1, 6))
    made: dict[Order, int] = {}
    for _ in range(draw(st.integers(1, 6))):
        levels = draw(
            st.lists(st.integers(-1, 2), min_size=size, max_size=size).filter(lambda x: max(x) >= 0)
        )
        order = tuple(
            tuple(i + 1 for i, x in enumerate(levels) if x == level)
            for level in sorted(set(levels) - {-1})
        )
        made[order] = draw(st.integers(1, 4))
    return size, made


def written(size: int, orders: dict[Order, int], *, old: bool) -> str:
    """The text of a PrefLib file of these orders."""

    def text(order: Order) -> str:
        return ",".join(
            str(t[0]) if len(t) == 1 else "{" + ",".join(map(str, t)) + "}" for t in order
        )  # fmt: skip

    voters = sum(orders.values())
    if old:
        names = "".join(f"{i},N{i}\n" for i in range(1, size + 1))
        body = "".join(f"{n},{text(o)}\n" for o, n in orders.items())
        return f"{size}\n{names}{voters},{voters},{len(orders)}\n{body}"
    names = "".join(f"# ALTERNATIVE NAME {i}: N{i}\n" for i in range(1, size + 1))
    body = "".join(f"{n}: {text(o)}\n" for o, n in orders.items())
    return (
        f"# DATA TYPE: toi\n# NUMBER ALTERNATIVES: {size}\n# NUMBER VOTERS: {voters}\n"
        f"# NUMBER UNIQUE ORDERS: {len(orders)}\n{names}{body}"
    )


@settings(deadline=None, max_examples=60)
@given(files(), st.booleans())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[int, dict[Order, int]], old: bool
) -> None:
    """Any orders, written in either form, come back with their voters."""
    size, orders = case
    if sum(orders.values()) == 1:
        orders = dict.fromkeys(orders, 2)
    c = read(tmp_path_factory.mktemp("p"), "x.toi", written(size, orders, old=old))

    assert Counter(
        tuple(tuple(int(a.removeprefix("a")) for a in tier) for tier in tiers)
        for _, tiers in c.ballots
    ) == orders  # fmt: skip
    assert len({voter for voter, _ in c.ballots}) == sum(orders.values())


@pytest.fixture(scope="module")
def preflib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place to put one file at a time."""
    return tmp_path_factory.mktemp("preflib")


@pytest.mark.data
def test_every_real_file_is_whole(data_dir: Path, preflib: Path) -> None:
    """All 41 elections read without a fault, with the voters their headers name."""
    seen = {}
    for path in sorted((data_dir / "ballots" / "preflib").iterdir()):
        if path.stat().st_size > 300_000:
            continue  # read below, with its time
        folder = preflib / path.stem
        folder.mkdir()
        shutil.copyfile(path, folder / path.name)
        c = read_consultation(folder, root=preflib)
        (header,) = (x for x in path.read_text().splitlines() if "NUMBER VOTERS" in x)
        seen[path.name] = len(c.ballots) == int(header.split(":")[1])

    assert len(seen) >= 39
    assert all(seen.values())


@pytest.mark.data
def test_sushi_has_its_names_put_right(data_dir: Path, tmp_path: Path) -> None:
    """In the sushi orders as published number 7 is called tamago and is toro, which leads."""
    shutil.copyfile(
        data_dir / "ballots" / "preflib" / "00014-00000001.soc", tmp_path / "00014-00000001.soc"
    )
    c = read_consultation(tmp_path, root=tmp_path)
    names = {s.id: s.text["und"] for s in c.statements}
    first = Counter(tiers[0][0] for _, tiers in c.ballots).most_common(1)[0][0]

    assert (names["a07"], names["a10"]) == ("toro (fatty tuna)", "ebi (shrimp)")
    assert names[first] == "toro (fatty tuna)"
    assert "shifted-names" in {f.kind for f in c.faults}


@pytest.mark.data
def test_a_big_election_is_read_in_seconds(data_dir: Path, tmp_path: Path) -> None:
    """San Francisco 2011: 194,530 ballots of 3,294 orders, in less than 20 s of processor time."""
    name = "00021-00000011.toi"
    shutil.copyfile(data_dir / "ballots" / "preflib" / name, tmp_path / name)
    before = time.process_time()
    c = read_consultation(tmp_path, root=tmp_path)
    taken = time.process_time() - before

    assert (len(c.ballots), len(c.ballots.orders), len(c.statements)) == (194_530, 3_294, 25)
    assert taken < 20


WMG_NOW = """\
# FILE NAME: x.wmg
# DATA TYPE: wmg
# NUMBER ALTERNATIVES: 3
# NUMBER EDGES: 2
# ALTERNATIVE NAME 1: A
# ALTERNATIVE NAME 2: B
# ALTERNATIVE NAME 3: C
1, 2, 5
3, 2, 1
"""


def graph_of(tmp_path: Path, name: str, text: str) -> tuple[Majorities, dict[str, int]]:
    """The weighted pairs of a file alone, and the counts of its report."""
    (tmp_path / name).write_text(text)
    source = read_source(tmp_path / name)
    assert source.majorities is not None
    return source.majorities, {f.kind: f.count for f in source.faults}


@pytest.mark.parametrize(
    ("name", "text", "weighing", "pairs", "voters"),
    [
        ("x.wmd", WMD, "unstated", [(0, 1, 1.0), (1, 2, 0.5), (2, 0, 1.0)], None),
        ("x.wmg", WMG, "margins", [(0, 1, 5.0), (1, 2, 3.0), (2, 0, 1.0)], 9),
        ("x.wmg", WMG_NOW, "margins", [(0, 1, 5.0), (2, 1, 1.0)], None),
        ("x.tog", WMG, "majority", [(0, 1, 5.0), (1, 2, 3.0), (2, 0, 1.0)], 9),
        ("x.pwg", WMG, "wins", [(0, 1, 5.0), (1, 2, 3.0), (2, 0, 1.0)], 9),
    ],
)
def test_weighted_pairs(
    tmp_path: Path,
    name: str,
    text: str,
    weighing: str,
    pairs: list[tuple[int, int, float]],
    voters: int | None,
) -> None:
    """Pairs keep their direction and weight, and what a weight counts is the type's own word."""
    made, report = graph_of(tmp_path, name, text)

    assert list(zip(made.above, made.below, made.weight, strict=True)) == pairs
    assert (made.weighing, made.voters, made.alternatives) == (weighing, voters, ("a1", "a2", "a3"))
    assert ("weights-of-unstated-meaning" in report) == (name == "x.wmd")
    assert report.get("pairs-not-given", 0) == 3 - len(pairs)


def test_majorities_that_both_claim(tmp_path: Path) -> None:
    """A margin both ways, and more voters in a pair than there are, are reported."""
    margins = graph_of(tmp_path, "x.wmg", WMG.replace("9,12,3", "9,12,4") + "2,2,1\n")[1]
    wins = graph_of(tmp_path, "x.pwg", WMG.replace("9,12,3", "9,12,4") + "6,2,1\n")[1]

    assert margins["both-ways"] == 1
    assert wins["more-than-voters"] == 1


@pytest.mark.parametrize(
    ("was", "now", "where", "seen"),
    [
        ("2, 3, 0.5", "2, 9, 0.5", 9, "9"),
        ("2, 3, 0.5", "2, 2, 0.5", 9, "2 twice"),
        ("2, 3, 0.5", "1, 2, 0.5", 9, "that of x.wmd:8 again"),
        ("2, 3, 0.5", "2, 3, nan", 9, "'2, 3, nan'"),
        ("2, 3, 0.5", "2, 3, -1", 9, "-1"),
        ("2, 3, 0.5", "2, 3", 9, "'2, 3'"),
        ("EDGES: 3", "EDGES: 4", 4, "'4'"),
        ("TYPE: wmd", "TYPE: soc", 2, "'soc'"),
    ],
)
def test_broken_pairs(tmp_path: Path, was: str, now: str, where: int, seen: str) -> None:
    """Each way in which weighted pairs can be broken is named by line."""
    (tmp_path / "x.wmd").write_text(changed(was, now, WMD))
    with pytest.raises(InputError) as caught:
        read_source(tmp_path / "x.wmd")

    assert [(f.where, f.seen) for f in caught.value.faults] == [(f"x.wmd:{where}", seen)]


def test_a_graph_is_no_consultation_of_a_project(tmp_path: Path) -> None:
    """A project needs people's ballots, which weighted pairs do not hold."""
    assert [f.seen for f in faults_of(tmp_path, "x.wmd", WMD)] == [
        "wmd, weighted pairs, in which no voter's ballot can be found"
    ]


def test_categories_outlast_a_withdrawal_and_the_store(tmp_path: Path) -> None:
    """A tier that becomes empty stays where tiers are categories, and rows read back hold it."""
    ballots = read(tmp_path, "x.cat", CAT).ballots
    left = ballots.without(lambda voter: voter == "v1", {"a3"})
    rows = [{"participant": v, "tiers": json.dumps(tiers)} for v, tiers in left]

    assert list(left.orders) == [(("a1", "a2"), ()), ((), ("a1", "a2"))]
    assert left.categories == ("Yes", "No")
    assert list(read_ballots(rows).orders) == list(left.orders)
    assert read_ballots(rows).categories == ("1", "2")


def test_too_many_voters_for_a_project(tmp_path: Path) -> None:
    """A project has a row for each voter, so it refuses a file of more than it can hold."""
    text = TOI.replace("VOTERS: 6", "VOTERS: 1000003").replace("3: 2,", "1000000: 2,")
    monstrous = text.replace("1000003", "20000003").replace("1000000:", "20000000:")

    assert len(read(tmp_path, "x.toi", text).ballots) == 1000003
    assert [f.expected for f in faults_of(tmp_path, "x.toi", monstrous)] == [
        "at most 10000000 voters in a project"
    ]
