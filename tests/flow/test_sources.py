"""What a step rests on besides records, files and code, is digested file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from normwright.flow import code_digest, digest_sources
from normwright.records import InputError, digest_bytes


def test_sources_are_digested_by_path(tmp_path: Path) -> None:
    """Files and the files of directories go by path relative to the project; hidden ones do not."""
    (tmp_path / "norms" / "deep").mkdir(parents=True)
    (tmp_path / "norms" / "deep" / "a.yaml").write_text("a")
    (tmp_path / "norms" / ".swp").write_text("editor")
    (tmp_path / "criteria.yaml").write_text("c")

    assert digest_sources(tmp_path, ["norms", "criteria.yaml"]) == {
        "norms/deep/a.yaml": digest_bytes(b"a"),
        "criteria.yaml": digest_bytes(b"c"),
    }


def test_all_missing_sources_are_named(tmp_path: Path) -> None:
    """Every name with nothing under it is a fault, in one error."""
    with pytest.raises(InputError) as caught:
        digest_sources(tmp_path, ["a", "b"])

    assert [fault.where for fault in caught.value.faults] == ["a", "b"]


def test_the_code_digest_follows_the_sources_of_the_rooms_named(tmp_path: Path) -> None:
    """An edit in a room that was named changes the digest; one in another room does not."""
    for room in ("one", "two"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "work.py").write_text("x = 1\n")
    (tmp_path / "flow.py").write_text("y = 1\n")

    def digest(*rooms: str) -> str:
        code_digest.cache_clear()
        return code_digest(rooms, package=tmp_path)

    one, two, both = digest("one"), digest("two"), digest("one", "flow")
    (tmp_path / "two" / "work.py").write_text("x = 2\n")

    assert digest("one") == one
    assert digest("two") != two
    assert digest("one", "flow") == both
    (tmp_path / "flow.py").write_text("y = 2\n")
    assert digest("one", "flow") != both
    (tmp_path / "one" / "work.py").rename(tmp_path / "one" / "play.py")
    assert digest("one") != one


@pytest.mark.parametrize("room", ["nowhere", "store.nowhere", "models.nowhere"])
def test_a_room_that_does_not_exist_is_a_mistake(room: str) -> None:
    """A misspelt room would never change, so it is refused."""
    with pytest.raises(ValueError, match="neither a room nor a module"):
        code_digest((room,))


def test_a_room_or_one_of_its_modules_can_be_named() -> None:
    """Whole rooms and single modules are found without being imported."""
    assert code_digest(("store",)) != code_digest(("store.merkle",))
