"""What a charter must not be made to say by whoever writes its files, and what files cannot do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.charter.builders import (
    ACTS,
    FACTS,
    LANGS,
    body,
    case,
    seed,
    source,
    write,
)

from normwright.charter import check_source, read_source
from normwright.charter.loading import DEPTH, load
from normwright.charter.permitting import floors_of
from normwright.records import Fault, InputError


def refusal(folder: Path, *norms: dict[str, Any], **files: Any) -> list[Fault]:
    write(folder, *norms, **files)
    with pytest.raises(InputError) as caught:
        read_source(folder, languages=LANGS)
    return list(caught.value.faults)


def loaded(folder: Path, text: str) -> tuple[Any, list[Fault]]:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    found = load(path, "x.yaml", faults)
    return (None if found is None else found.value), faults


@pytest.mark.parametrize(
    "text",
    [f"a: {'[' * 100_000}", "? " * 5_000, "- " * 5_000,
     "\n".join(f"{' ' * n}a:" for n in range(DEPTH + 5))],
    ids=["brackets", "keys", "dashes", "indented"],
)  # fmt: skip
def test_a_file_too_deep_to_read_is_one_fault(tmp_path: Path, text: str) -> None:
    """The parser would take the program down with it, without a word."""
    _, (fault,) = loaded(tmp_path, text)

    assert fault.where.startswith("x.yaml:")
    assert fault.expected == f"at most {DEPTH} levels"


def test_a_formula_as_deep_as_anyone_writes_is_read(tmp_path: Path) -> None:
    """The limit lies far beyond what a person could follow."""
    found, faults = loaded(tmp_path, f"a: {'[' * 150}{']' * 150}")

    assert not faults
    assert found is not None


def test_aliases_that_multiply_are_one_fault(tmp_path: Path) -> None:
    """Nine lines that would stand for ten thousand million values; a plain alias still works."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi",
                                                                         strict=True)]  # fmt: skip
    _, (fault,) = loaded(tmp_path, "\n".join(lines))
    plain, none = loaded(tmp_path, "a: &a {en: text}\nb: *a")

    assert "aliases" in fault.seen
    assert (plain, none) == ({"a": {"en": "text"}, "b": {"en": "text"}}, [])


def test_a_pipe_in_place_of_a_file_is_a_fault(tmp_path: Path) -> None:
    """What never ends is not waited for."""
    os.mkfifo(tmp_path / "pipe.yaml")
    faults: list[Fault] = []

    assert load(tmp_path / "pipe.yaml", "pipe.yaml", faults) is None
    assert faults[0].seen == "no regular file"


def test_a_day_that_no_month_has_is_told_with_its_line(tmp_path: Path) -> None:
    """The value and its line, not the file alone."""
    _, (fault,) = loaded(tmp_path, "a: 1\nreview_by: 2026-13-45\n")

    assert fault.where == "x.yaml:2"
    assert "2026-13-45" in fault.seen


@pytest.mark.parametrize("given", [20261202, 86400, "20261202"])
def test_a_bare_number_is_no_day(tmp_path: Path, given: Any) -> None:
    """Read as seconds since 1970 it would silently be another day."""
    (fault,) = refusal(tmp_path, body(review_by=given))

    assert fault.where.endswith("review_by")
    assert fault.expected.startswith("a day such as 2026-12-02")


@pytest.mark.parametrize("missing", ["acts", "facts"])
def test_half_a_vocabulary_is_one_fault(tmp_path: Path, missing: str) -> None:
    """Beside a file that was not read, norms are not blamed for the words in it."""
    (fault,) = refusal(tmp_path, body(condition={"fact": "age", "at_least": 3}), **{missing: None})

    assert fault.where == f"{missing}.yaml"


def test_a_fault_in_a_label_hides_no_other(tmp_path: Path) -> None:
    """Every fault is told at once, as long as the words themselves are known."""
    clinician = {"name": "clinician", "type": "bool", "label": {"en": "clinician"}}
    facts = {"facts": [clinician, FACTS["facts"][1]]}
    found = refusal(tmp_path, body(act="advize"), facts=facts)

    assert [f.where.split()[-1] for f in found][:2] == ["facts[0].label.pt", "act"]


def test_the_folder_above_the_norms_says_which_folder_was_meant(tmp_path: Path) -> None:
    """Not forty faults about files that are no norms."""
    write(tmp_path / "norms", body())
    with pytest.raises(InputError) as caught:
        read_source(tmp_path)
    (fault,) = caught.value.faults

    assert fault.do == f"Did you mean {tmp_path / 'norms'}?"


@pytest.mark.parametrize(
    ("fields", "key"),
    [({"scope": {"channels": []}}, "scope.channels"), ({"bearer": {"actor": []}}, "bearer.actor"),
     ({"counterparty": []}, "counterparty")],
)  # fmt: skip
def test_a_norm_for_nobody_is_refused(tmp_path: Path, fields: dict[str, Any], key: str) -> None:
    """A floor that binds no actor, through no channel, towards nobody, is a floor in name alone."""
    (fault,) = refusal(tmp_path, seed(**fields))

    assert fault.where.endswith(key)
    assert (fault.expected, fault.seen) == ("at least one", "none")


def test_an_axiom_that_silences_a_floor_is_refused_by_its_cases(tmp_path: Path) -> None:
    """The case in which the floor must hold is named, with its line."""
    floor = seed(condition={"fact": "clinician", "eq": False}, cases=[
        c for lang in LANGS for c in (case(lang, "hit", "deny", clinician=False),
                                      case(lang, "miss", "allow", clinician=True))
    ])  # fmt: skip
    facts = {**FACTS, "axioms": [{"fact": "clinician", "eq": True}]}
    found = refusal(tmp_path, floor, facts=facts)

    assert [f.where.split()[-1] for f in found] == ["cases[0].facts", "cases[2].facts"]


def test_an_axiom_that_silences_a_norm_without_such_a_case_stops_the_check(tmp_path: Path) -> None:
    """A norm that the axioms leave no room for is an error of the check, not a remark."""
    dead = seed(condition={"fact": "clinician", "eq": False}, cases=[])
    facts = {**FACTS, "axioms": [{"fact": "clinician", "eq": True}]}
    found = check_source(source(tmp_path, dead, facts=facts))

    assert [(one.kind, one.norms) for one in found.breaches] == [("DEAD", ("g.no-advice@1",))]


def test_a_lower_layer_that_repeals_a_floor_stops_the_check(tmp_path: Path) -> None:
    """The resolver does not obey it; people must not be told that it is law either."""
    loosening = body(id="o.advice", kind="permission", supersedes=["g.no-advice"], cases=[])
    found = check_source(source(tmp_path, seed(), loosening))

    assert not found.failures
    assert [one.kind for one in found.breaches] == ["ULTRA_VIRES"]


def test_a_version_that_does_not_exist_yet_cannot_be_repealed(tmp_path: Path) -> None:
    """It would repeal the floor that people adopt next; an earlier version may be named."""
    early = body(id="o.advice", kind="permission", supersedes=["g.no-advice@2"], cases=[])
    (fault,) = refusal(tmp_path / "a", seed(), early)
    newer = seed(version=3, supersedes=["g.no-advice@1"])

    assert fault.expected == "a version that there is or was"
    assert source(tmp_path / "b", newer).norms[0].version == 3


def test_a_source_without_a_name_is_none(tmp_path: Path) -> None:
    """A norm that holds stands on votes or on something that can be looked up."""
    found = refusal(tmp_path, seed(status="in_force", source=[{"kind": "instrument", "ref": " "}]))

    assert [f.where.split()[-1] for f in found] == ["status"]


def test_acts_are_named_in_a_list(tmp_path: Path) -> None:
    """Told in the words of a person who writes YAML."""
    acts = {"acts": [ACTS["acts"][0], {**ACTS["acts"][1], "is_a": "respond"}, *ACTS["acts"][3:]]}
    found = refusal(tmp_path, body(), acts=acts)

    assert [f.expected for f in found] == ["a list"]


@pytest.mark.parametrize(
    ("status", "asked"), [("suspended", ("g.no-advice",)), ("repealed", ()), ("in_force", None)]
)
def test_a_permit_asks_for_a_floor_that_was_suspended_by_hand(
    tmp_path: Path, status: str, asked: tuple[str, ...] | None
) -> None:
    """One word in a norm's file is not enough to train without a floor."""
    found = source(tmp_path, seed(status=status))

    assert floors_of(found.norms) == (("g.no-advice",) if asked is None else asked)
