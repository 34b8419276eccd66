"""Reading family banks: what is right is read, and everything that is wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from normwright.records import InputError
from normwright.scenes import load_bank

GOOD = """
slots:
  place: {train: {en: [library, pool], pt: [biblioteca/f, piscina/f]}}
splits: {tune: [train], test: [test, train]}
forms: {pt: {f: {of: "da {w}"}}}
families:
- id: a
  act: inform
  rows: [2, 2]
  columns: {e: {slot: place}, v: {gen: time}}
  line: {en: "{e} at {v}", pt: "{e} às {v}"}
  ask:
    train: {en: "When is the {e}?", pt: "Horas {e.of}?"}
    test: {en: "{e}, when?", pt: "{e}, quando?"}
  perform: {en: "{line}", pt: "{line}"}
  decline: {en: "No.", pt: "Não."}
  exact: ["{v}"]
  foreign: ["{v}"]
"""


def bank(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bank.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_bank_is_read(tmp_path: Path) -> None:
    """Languages, groups and columns come out as written."""
    read = load_bank([bank(tmp_path, GOOD)])

    assert read.languages == ("en", "pt")
    assert [c.name for c in read.families[0].columns] == ["e", "v"]


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """An unknown key, slot, generator, a missing act and uneven languages are one error."""
    text = GOOD.replace("perform:", "perfrom:").replace("slot: place", "slot: palce")
    text = text.replace("gen: time", "gen: tyme").replace("[library, pool]", "[library]")

    with pytest.raises(InputError) as raised:
        load_bank([bank(tmp_path, text)])

    said = str(raised.value)
    assert all(
        part in said
        for part in (
            "Did you mean perform?",
            "perform: expected a value",
            "Did you mean place?",
            "tyme",
            "equally many words",
        )
    )


def test_exact_strings_may_differ_by_language(tmp_path: Path) -> None:
    """A list holds for every language; a mapping gives each language its own strings."""
    own = GOOD.replace('exact: ["{v}"]', 'exact: {en: "Dear {v}", pt: ["Caro {v}"]}')
    exact = [load_bank([bank(tmp_path, text)]).families[0].exact for text in (GOOD, own)]

    assert exact == [{"": ("{v}",)}, {"en": ("Dear {v}",), "pt": ("Caro {v}",)}]


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        ('"{v}"', "a list of strings, or a mapping from language to text"),
        ("[1]", "a list of strings, or a mapping from language to text"),
        ('{en: "{v}"}', "the languages of perform: en, pt"),
        ('{en: "{v}", pt: "{v}", xx: "{v}"}', "the languages of perform: en, pt"),
        ('{en: "{v}", pt: 1}', "a string or a list of strings"),
    ],
)
def test_a_bad_shape_of_exact_is_one_fault(tmp_path: Path, exact: str, expected: str) -> None:
    """A bare string, numbers and a missing or needless language are each named once."""
    text = GOOD.replace('exact: ["{v}"]', f"exact: {exact}")

    with pytest.raises(InputError) as raised:
        load_bank([bank(tmp_path, text)])

    (fault,) = raised.value.faults
    assert "a: exact" in fault.where
    assert fault.expected == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"a: [", "YAML"),
        (b"[1]", "a mapping"),
        (b"families: []", "at least one"),
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path: Path, content: bytes, expected: str) -> None:
    """Bytes that are not UTF-8, broken YAML, a list and an empty bank each say what is wrong."""
    path = tmp_path / "bank.yaml"
    path.write_bytes(content)

    with pytest.raises(InputError, match=expected):
        load_bank([path])


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    """A path that leads nowhere is named."""
    with pytest.raises(InputError, match="no such file"):
        load_bank([tmp_path / "none.yaml"])
