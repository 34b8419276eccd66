"""Exports: importing what was exported gives the same, or what is lost is named beforehand."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.elicit import Consulted, export, read_source
from normwright.records import (
    Ballots,
    Crowd,
    InputError,
    Participant,
    Polity,
    Process,
    RankedTiers,
    Statement,
    Vote,
)

from .conftest import POLIS, TINY
from .samples import CAT, FILES, MATRIX, SIDES, SOI, bytes_of


def lay(place: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a new folder."""
    place.mkdir(parents=True)
    for name, data in bytes_of(files).items():
        (place / name).write_bytes(data)
    return place


def consulted(place: Path) -> Consulted:
    """The consultation at a path."""
    found = read_source(place).consulted
    assert found is not None
    return found


def lost(c: Consulted, to: str) -> list[str]:
    """What cannot be exported."""
    with pytest.raises(InputError) as caught:
        export(c, to)
    return [f.where for f in caught.value.faults]


def votes_of(c: Consulted) -> set[tuple[str, str, str, int]]:
    """Votes as a set."""
    return {(v.participant, v.statement, v.value, v.at) for v in c.votes}


def orders_of(c: Consulted) -> Counter[RankedTiers]:
    """How often each order was given."""
    counts = c.ballots.counts
    if counts is None:
        return Counter(tiers for _, tiers in c.ballots)
    return Counter(dict(zip(c.ballots.orders, counts, strict=True)))


def same(one: Consulted, other: Consulted) -> None:
    """Assert that two consultations are one, but for where it lay and how it was written."""
    assert votes_of(one) == votes_of(other)
    assert orders_of(one) == orders_of(other)
    assert (one.process, one.polities) == (other.process, other.polities)
    assert one.statements == other.statements
    assert list(one.participants) == list(other.participants)
    assert (one.unranked, one.languages) == (other.unranked, other.languages)
    assert one.ballots.categories == other.ballots.categories


@pytest.mark.parametrize("name", ["polis", "polis log", "polis matrix", "soi", "toc", "cat"])
def test_there_and_back(tmp_path: Path, name: str) -> None:
    """What came from a format goes back into it without a loss."""
    slug, files = FILES[name]
    first = consulted(lay(tmp_path / "a", files))
    second = consulted(lay(tmp_path / "b", export(first, slug).files))

    same(first, second)
    assert export(second, slug).files == export(first, slug).files


def test_polis_files_add_up(tmp_path: Path) -> None:
    """The matrix, the log and the tallies that are written tell the same votes."""
    first = consulted(lay(tmp_path / "a", {**POLIS, "participants-votes.csv": MATRIX}))
    files = export(first, "polis").files
    second = read_source(lay(tmp_path / "b", files))
    rows = list(csv.DictReader(io.StringIO(files["participants-votes.csv"].decode())))

    assert {f.kind for f in second.faults} == {"milliseconds-votes"}
    assert [(r["n-votes"], r["n-agree"], r["n-disagree"], r["1"]) for r in rows] == [
        ("2", "2", "0", "1"), ("2", "1", "1", "-1"),
    ]  # fmt: skip
    assert b"2017-07-14T02:40:01Z" in files["votes.csv"]


def test_preflib_is_sorted_and_typed(tmp_path: Path) -> None:
    """The most frequent order first, of these the longest; the narrowest type that holds all."""
    text = SOI.replace("3: 1,2,3\n2: 2\n1: 3,1\n", "1: 3,1\n1: 1,2,3\n4: 2\n")
    made = export(consulted(lay(tmp_path / "a", {"x.soi": text})), "preflib").files
    whole = SOI.replace("2: 2\n1: 3,1\n", "3: 3,1,2\n").replace("ORDERS: 3", "ORDERS: 2")
    narrow = export(consulted(lay(tmp_path / "b", {"x.soi": whole})), "preflib").files

    assert made["x.soi"].decode().splitlines()[-3:] == ["4: 2", "1: 1,2,3", "1: 3,1"]
    assert sorted(narrow) == ["process.yaml", "x.soc"]


def test_what_was_said_of_norms_goes_beside_the_votes(tmp_path: Path) -> None:
    """A process.yaml carries what Polis has no column for."""
    process = (
        "id: hall\nkind: simulated\nseed: 3\ntitle: {en: The hall, pt: A sala}\nlanguage: en\n"
        "identification: invite\npolities: [{id: hall, name: {en: Hall}, layer: organisation}]\n"
        "speaks_about: {'0': {norm: o.trees, endorses: false}}\n"
    )
    first = consulted(lay(tmp_path / "a", {**POLIS, "process.yaml": process}))
    second = consulted(lay(tmp_path / "b", export(first, "polis").files))

    same(first, second)
    assert second.statements[0].norm == "o.trees"


def test_what_polis_cannot_carry(tmp_path: Path) -> None:
    """Every loss is named, nothing is written, and with leave the rest is."""
    first = consulted(lay(tmp_path / "a", TINY))

    assert lost(first, "polis") == [
        "polities", "languages", "concerns of statements", "layers of statements", "comparisons",
        "languages of participants", "ids of statements", "ids of participants",
    ]  # fmt: skip
    made = export(first, "polis", lossy=True)
    second = consulted(lay(tmp_path / "b", made.files))

    assert len(made.lost) == 8
    assert Counter(v.value for v in second.votes) == Counter(v.value for v in first.votes)


def test_what_preflib_cannot_carry(tmp_path: Path) -> None:
    """Names of voters, several ballots of one, and ids are losses; that pairs are apart is not."""
    text = SIDES + "ana,Cars,Buses,right\n"
    first = consulted(lay(tmp_path / "a", {"x.csv": text}))
    made = export(first, "preflib", lossy=True)
    second = consulted(lay(tmp_path / "b", made.files))

    assert lost(first, "preflib") == ["voters", "voters of several ballots", "ids of alternatives"]
    assert second.unranked == "apart"
    assert sorted(orders_of(second).values()) == sorted(orders_of(first).values())


@pytest.mark.parametrize(
    ("name", "to", "seen"),
    [("soi", "polis", "6 ballots"), ("polis", "preflib", "4 votes"), ("soi", "csv", "csv")],
)
def test_what_is_not_there_cannot_be_exported(
    tmp_path: Path, name: str, to: str, seen: str
) -> None:
    """Rankings are no votes, votes no rankings, and only two formats are written."""
    with pytest.raises(InputError) as caught:
        export(consulted(lay(tmp_path / "a", FILES[name][1])), to, lossy=True)

    assert [f.seen for f in caught.value.faults] == [seen]


BODIES = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=40
).map(lambda text: text.strip() or "x")
STANCES = st.sampled_from(("agree", "disagree", "pass"))


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.lists(BODIES, min_size=1, max_size=5), st.data())
def test_any_votes_come_back(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[str], data: st.DataObject
) -> None:
    """Whatever people write and vote, Polis files bring the same back."""
    size = len(bodies)
    cells = data.draw(
        st.dictionaries(
            st.tuples(st.integers(0, 4), st.integers(0, size - 1)),
            st.tuples(STANCES, st.integers(0, 2_000_000_000)),
            min_size=2,
        )
    )
    voted = {p for p, _ in cells}
    if len(voted) < 2 or {v for v, _ in cells.values()} == {"pass"}:
        return
    first = Consulted(
        process=Process(id="x", kind="human", title={"und": "x"}),
        polities=(Polity(id="x", name={"und": "x"}, layer="polity"),),
        participants=tuple(Participant(id=str(p), process="x", polities=("x",)) for p in range(5)),
        statements=tuple(
            Statement(id=str(n), text={"und": body}, layer="polity", authority="x")
            for n, body in enumerate(bodies)
        ),
        votes=tuple(
            Vote.model_validate(
                {"participant": str(p), "statement": str(s), "value": value, "at": at}
            )
            for (p, s), (value, at) in cells.items()
        ),
        comparisons=(),
        faults=(),
        sources={},
        languages=("und",),
        importer="polis",
    )
    place = tmp_path_factory.mktemp("x") / "y"
    second = consulted(lay(place, export(first, "polis").files))

    same(replace(first, unranked=second.unranked), second)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.integers(1, 6), st.data())
def test_any_orders_come_back(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    """Whatever orders voters give, with ties or not, whole or not, PrefLib brings them back."""
    names = [f"a{n}" for n in range(1, size + 1)]
    counts: dict[RankedTiers, int] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        level = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
        ranked = data.draw(st.sets(st.sampled_from(names), min_size=1))
        tiers = tuple(
            tier
            for k in range(4)
            if (
                tier := tuple(
                    n for n, at in zip(names, level, strict=True) if at == k and n in ranked
                )
            )
        )
        counts[tiers] = data.draw(st.integers(2, 10**9))
    first = Consulted(
        process=Process(id="x", kind="human", title={"und": "x"}),
        polities=(Polity(id="x", name={"und": "x"}, layer="polity"),),
        participants=Crowd(sum(counts.values())),  # type: ignore[arg-type]  # only counted
        statements=tuple(
            Statement(id=n, text={"und": f"Name {n}"}, layer="polity", authority="x") for n in names
        ),
        votes=(),
        comparisons=(),
        faults=(),
        sources={},
        languages=("und",),
        importer="preflib",
        ballots=Ballots.counted(counts),
    )
    place = tmp_path_factory.mktemp("x") / "y"
    second = consulted(lay(place, export(first, "preflib").files))

    assert orders_of(second) == orders_of(first)
    assert second.statements == first.statements


def test_categories_come_back_with_their_names(tmp_path: Path) -> None:
    """An empty category stays empty, and keeps its number and its name."""
    first = consulted(lay(tmp_path / "a", {"x.cat": CAT}))
    second = consulted(lay(tmp_path / "b", export(first, "preflib").files))

    assert orders_of(second)[(), ("a1", "a2", "a3")] == 1
    assert second.ballots.categories == ("Yes", "No")


@pytest.mark.parametrize(
    "size",
    [pytest.param(100_000, id="smaller"), pytest.param(1 << 30, id="all", marks=pytest.mark.slow)],
)
def test_real_conversations_there_and_back(data_dir: Path, tmp_path: Path, size: int) -> None:
    """Every shared conversation comes back from its export vote by vote."""
    for place in sorted((data_dir / "votes" / "polis").iterdir()):
        if sum(path.stat().st_size for path in place.iterdir()) > size:
            continue
        first = consulted(place)
        second = consulted(lay(tmp_path / place.name, export(first, "polis").files))

        assert votes_of(first) == votes_of(second), place.name
        assert first.statements == second.statements, place.name


def test_real_elections_there_and_back(data_dir: Path, tmp_path: Path) -> None:
    """Every shared election comes back from its export order by order."""
    for place in sorted((data_dir / "ballots" / "preflib").iterdir()):
        first = consulted(place)
        second = consulted(lay(tmp_path / place.name, export(first, "preflib").files))

        assert orders_of(first) == orders_of(second), place.name
        assert first.statements == second.statements, place.name
        assert first.ballots.categories == second.ballots.categories, place.name
