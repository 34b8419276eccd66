"""Rankings are keyed rows like votes: proved by a root, refused where they cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from normwright.records import (
    NO_BALLOTS,
    Ballots,
    Consultation,
    InputError,
    IntegrityError,
    Participant,
    Process,
    RankedTiers,
    Statement,
    canonical_json,
)
from normwright.store import PreparedImport, Store, prepare
from normwright.store.consultations import canonical_row

HUMAN = Process(id="câmara", kind="human", title={"pt": "Câmara"})
GIVEN: list[tuple[str, RankedTiers]] = [
    ("rui", (("a",), ("b", "ç"))),
    ("ana", (("ç",), ("a",))),
    ("ana", (("b",), ("a",))),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def prepared(ballots: Ballots) -> PreparedImport:
    """An import of two people and three statements with these ballots."""
    return prepare(
        HUMAN,
        participants=[
            Participant(id=name, process=HUMAN.id, polities=("v",)) for name in ("ana", "rui")
        ],
        statements=[
            Statement(id=name, text={"pt": name}, layer="polity", authority="v")
            for name in ("a", "b", "ç")
        ],
        votes=[],
        comparisons=[],
        ballots=ballots,
    )


def receipt(made: PreparedImport) -> Consultation:
    """The receipt of an import."""
    return Consultation(
        process=HUMAN.id, kind="human", sources={}, participants=2, statements=3, votes=0,
        comparisons=0, ballots=made.counts["ballots"], unranked="last", roots=made.roots,
    )  # fmt: skip


def test_ballots_come_back(store: Store) -> None:
    """Every ballot is read back with its voter, several of one voter among them."""
    made = prepared(Ballots.of(GIVEN))
    store.save_consultation(made)
    rows = store.rows(receipt(made))

    assert sorted(rows.ballots) == sorted(GIVEN)
    assert made.counts["ballots"] == 3


def test_order_of_the_source_does_not_matter() -> None:
    """The same ballots in another order have the same rows in the same places."""
    there, back = prepared(Ballots.of(GIVEN)), prepared(Ballots.of(GIVEN[::-1]))
    kept = [
        [(r["place"], r["participant"], r["number"], r["tiers"]) for r in p.rows["ballots"]]
        for p in (there, back)
    ]

    assert kept[0] == kept[1]


def test_an_import_without_ballots_keeps_its_name() -> None:
    """No ballots, no root of them: imports made before there were any verify as they are."""
    assert set(prepared(NO_BALLOTS).roots) == {
        "participants", "statements", "votes", "comparisons",
    }  # fmt: skip
    assert "ballots" in prepared(Ballots.of(GIVEN)).roots


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('UPDATE ballots SET tiers = \'[["b"],["a"]]\' WHERE place = 2', "not what was imported"),
        ("DELETE FROM ballots WHERE place = 0", "do not fit their root"),
    ],
)
def test_a_changed_ballot_is_seen(store: Store, change: str, says: str) -> None:
    """A ballot that was edited or taken away no longer fits what was imported."""
    made = prepared(Ballots.of(GIVEN))
    store.save_consultation(made)
    with store.transaction() as connection:
        connection.execute(sa.text(change))

    with pytest.raises(IntegrityError, match=says):
        store.rows(receipt(made))


def test_an_erased_ballot_leaves_its_leaf(store: Store) -> None:
    """A row without key and content still proves the root; it is just not there any more."""
    made = prepared(Ballots.of(GIVEN))
    store.save_consultation(made)
    blank = "UPDATE ballots SET key = NULL, participant = NULL, number = NULL, tiers = NULL"
    with store.transaction() as connection:
        connection.execute(sa.text(f"{blank} WHERE participant = 'rui'"))
    rows = store.rows(receipt(made))

    assert {voter for voter, _ in rows.ballots} == {"ana"}


def test_the_database_refuses_a_stranger(store: Store) -> None:
    """A ballot of nobody, or half erased, is refused by the database itself."""
    made = prepared(Ballots.of(GIVEN))
    store.save_consultation(made)
    for change in ("participant = 'zoe'", "tiers = NULL", "kind = 'simulated'"):
        with pytest.raises(sa.exc.IntegrityError), store.transaction() as connection:
            connection.execute(sa.text(f"UPDATE ballots SET {change} WHERE place = 0"))


def test_all_faults_of_ballots_at_once() -> None:
    """Strangers, unknown and repeated alternatives and empty tiers come in one error."""
    bad = Ballots.of([("zoe", (("a",),)), ("ana", (("x",), ("a", "a"))), ("rui", ((),))])
    with pytest.raises(InputError) as caught:
        prepared(bad)

    assert [(f.where, f.seen) for f in caught.value.faults] == [
        ("ballots: participant", "zoe"),
        ("ballots: tiers", "x"),
        ("ballots: tiers", "several times a"),
        ("ballots: tiers", "empty ones in 1 orders"),
    ]


@pytest.mark.parametrize(
    "columns",
    [
        {"participant": 'a"\\ é\n', "number": 3, "tiers": '[["ç"]]'},
        {"participant": "e\u0301", "at": 0, "note": None},
        {"id": "s1", "json": canonical_json({"id": "s1", "text": {"pt": "ção"}})},
    ],
)
def test_rows_are_put_together_as_canonical_json(columns: dict[str, object]) -> None:
    """The quick way of writing a row gives the very text the slow way gives."""
    import json

    raw = columns.get("json")
    content = json.loads(str(raw)) if raw is not None else columns
    slow = {"process": "câ|mara", "kind": "human", "table": "votes", "row": content}

    assert canonical_row("câ|mara", "human", "votes", columns) == canonical_json(slow)
