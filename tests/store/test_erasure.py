"""Erased rows leave a leaf and nothing else: not in the table, not in the file, not in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from normwright.records import (
    Changes,
    Comparison,
    Consultation,
    InputError,
    Participant,
    Process,
    Statement,
    Vote,
    Withdrawal,
    digest_json,
)
from normwright.store import (
    FOLDER,
    Found,
    PreparedImport,
    Store,
    erase,
    first_break,
    gone_from,
    import_of,
    prepare,
    processes_of,
    root,
    rows_of_person,
    scrub,
    texts_of,
    token_of,
    withdrawals,
)
from normwright.store.exclusions import KEY, LIST, exclude, exclusions_digest

WHO, WORDS = "zqx-Perdita", "The heron's umbrella."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def process(name: str = "bridge") -> Process:
    return Process(id=name, kind="human", title={"en": "B"})


def rows_of(one: Process, *, choice: str = "tie") -> PreparedImport:
    people = ("ana", WHO, "rui")
    return prepare(
        one,
        participants=[Participant(id=p, process=one.id, polities=("v",)) for p in people],
        statements=[
            Statement(id="s1", text={"en": "A."}, layer="polity", authority="v"),
            Statement(id="s2", text={"en": WORDS}, layer="polity", authority="v"),
        ],
        votes=[
            Vote(participant=p, statement=s, value="agree") for p in people for s in ("s1", "s2")
        ],
        comparisons=[
            Comparison.model_validate(
                {"participant": p, "scene": "x", "norm": "n", "authority": "v", "choice": choice}
            )
            for p in people
        ],
    )


def save(store: Store, one: Process, **extra: str) -> Consultation:
    prepared = rows_of(one, **extra)
    store.save_consultation(prepared)
    return Consultation(
        process=one.id, kind=one.kind, sources={}, participants=3, statements=2, votes=6,
        comparisons=3, roots=prepared.roots,
    )  # fmt: skip


def withdrawal(found: Found) -> Withdrawal:
    return Withdrawal(
        process=found.process, kind="human", then="rebuild", leaves=found.leaves, authored=1,
        attributable=True, participants=3, withdrawn=1, withdrawn_share=1 / 3,
        changes=Changes(numbers=True, groups=False, rankings=False, norms=None, reason="none"),
        receipt=digest_json("r"),
    )  # fmt: skip


def take(store: Store, name: str = "bridge", authored: tuple[str, ...] = ("s2",)) -> Found:
    found = rows_of_person(store, name, WHO, authored=authored)
    erase(store, found, withdrawal(found), participant=WHO, authored=authored)
    return found


def test_rows_go_and_roots_hold(store: Store) -> None:
    """The rows of the person, and votes on what they wrote, are erased; every root is as it was."""
    consultation = save(store, process())
    found = take(store)
    (imported,) = store.imports()
    leaves: dict[str, list[bytes]] = {}
    for row in store.keyed_rows(imported):
        leaves.setdefault(row.table, []).append(row.leaf)
    rows = store.rows(consultation)

    assert found.counts == {
        "participants": 1,
        "statements": 1,
        "votes": 4,
        "comparisons": 1,
        "ballots": 0,
    }
    assert {table: root(some) for table, some in leaves.items()} == imported.roots
    assert [one.id for one in rows.participants] == ["ana", "rui"]
    assert {(v.participant, v.statement) for v in rows.votes} == {("ana", "s1"), ("rui", "s1")}
    assert [one.id for one in rows.statements] == ["s1"]
    assert store.row_counts(import_of(consultation))["votes"] == (6, 4)
    assert store.damage() == ()


def test_the_bytes_are_gone_from_file_and_log(store: Store, tmp_path: Path) -> None:
    """Neither the database, nor its log, nor a free page holds the name, the words or a key."""
    save(store, process())
    with store.engine.connect() as connection:
        keys = list(connection.scalars(sa.text(f"SELECT key FROM votes WHERE participant='{WHO}'")))
    files = [tmp_path / FOLDER / f"store.db{end}" for end in ("", "-wal", "-shm")]

    def held() -> set[bytes]:
        data = b"".join(path.read_bytes() for path in files if path.exists())
        return {one for one in (WHO.encode(), WORDS.encode(), *keys) if one in data}

    before = held()
    take(store)
    scrub(store)

    assert before == {WHO.encode(), WORDS.encode(), *keys}
    assert held() == set()


def test_it_stands_in_the_ledger_with_the_rows_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, record and entry are one transaction: where the last fails, nothing has happened."""
    save(store, process())
    found = rows_of_person(store, "bridge", WHO)

    def fail(*_: object) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", fail)
        with pytest.raises(RuntimeError):
            erase(store, found, withdrawal(found), participant=WHO)
    untouched = rows_of_person(store, "bridge", WHO) == found
    erase(store, found, withdrawal(found), participant=WHO)

    assert untouched
    assert [one.leaves for _, one in withdrawals(store)] == [found.leaves]
    assert first_break(store.ledger()) is None
    assert rows_of_person(store, "bridge", WHO).imports == ()


def test_rows_that_changed_since_they_were_counted_are_not_erased(store: Store) -> None:
    """An import that came in between stops the erasure, which would not have told of it."""
    save(store, process())
    found = rows_of_person(store, "bridge", WHO)
    save(store, process(), choice="decline")

    with pytest.raises(InputError, match="a moment ago"):
        erase(store, found, withdrawal(found), participant=WHO)


def test_the_same_pseudonym_in_another_process_is_another_person(store: Store) -> None:
    """A withdrawal from one process leaves the other as it is; both are named when asked."""
    save(store, process())
    save(store, process("square"))
    both = processes_of(store, WHO)
    take(store)

    assert both == ("bridge", "square")
    assert processes_of(store, WHO) == ("square",)
    assert rows_of_person(store, "square", WHO).counts["votes"] == 2


def test_texts_are_those_of_the_statements_asked_for(store: Store) -> None:
    """The words to look for elsewhere are found while the statement is there, and not after."""
    save(store, process())
    before = texts_of(store, "bridge", ["s2"])
    take(store)

    assert before == {WORDS}
    assert texts_of(store, "bridge", ["s2"]) == frozenset()


def test_the_list_knows_whom_it_holds_and_nobody_else(tmp_path: Path) -> None:
    """One who is on the list is recognised, in that process alone; the list repeats nothing."""
    (tmp_path / FOLDER).mkdir()
    empty = exclusions_digest(tmp_path)
    token = token_of(tmp_path, "bridge", WHO)
    exclude(tmp_path, "bridge", token)
    exclude(tmp_path, "bridge", token)

    assert empty == {}
    assert gone_from(tmp_path, "bridge")(WHO)
    assert not gone_from(tmp_path, "bridge")("ana")
    assert not gone_from(tmp_path, "square")(WHO)
    assert (tmp_path / LIST).read_text().count(token) == 1
    assert set(exclusions_digest(tmp_path)) == {"withdrawn"}


def test_two_projects_write_the_same_person_differently(tmp_path: Path) -> None:
    """Without a project's own key, its list does not tell that two hold the same person."""
    places = [tmp_path / name for name in ("a", "b")]
    for place in places:
        (place / FOLDER).mkdir(parents=True)
    tokens = {token_of(place, "bridge", WHO) for place in places}

    assert len(tokens) == 2


@pytest.mark.parametrize("damage", ["", "no key", "abcd"])
def test_a_damaged_key_or_list_is_a_fault(tmp_path: Path, damage: str) -> None:
    """A key that is none, and a list that is no list, are named; nobody is taken for nobody."""
    (tmp_path / FOLDER).mkdir()
    exclude(tmp_path, "bridge", token_of(tmp_path, "bridge", WHO))
    (tmp_path / KEY).write_text(damage)
    with pytest.raises(InputError, match=r"withdrawn\.key"):
        gone_from(tmp_path, "bridge")
    (tmp_path / LIST).write_text("[1")

    with pytest.raises(InputError, match=r"withdrawn\.json"):
        gone_from(tmp_path, "bridge")
