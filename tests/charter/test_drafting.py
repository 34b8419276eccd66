"""What people support and no norm says: files for a person to write norms of, never norms."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.charter.builders import LANGS, body, core, outcome, source, statement, write

from normwright.charter import read_source, unwritten, write_drafts
from normwright.charter.reading import DRAFT
from normwright.records import Amendment, InputError, NormDraft, Outcome, Statement

RULES = Amendment()


def about_nothing(number: int, **fields: str) -> Statement:
    text = {"en": f"Say {number}.", "pt": f"Diga {number}.", "es": f"Diga {number}."}
    return statement(number, "", **fields).model_copy(update={"norm": None, "text": text})  # type: ignore[arg-type]


def drafts(found: Outcome, *asked: Statement, known: tuple[str, ...] = ()) -> list[NormDraft]:
    return list(unwritten([found], asked, amendment=RULES, known=known))


def test_only_what_a_rule_carries_is_drafted_with_the_tiers_it_reaches() -> None:
    """A sure majority is enough for a revisable norm; a constitutional one needs the core too."""
    found = outcome(
        {"s1": (90, 10, 0), "s2": (90, 10, 0), "s3": (52, 48, 0), "s4": (10, 90, 0),
         "s5": (95, 5, 0)},
        robust=(core(None, statements=("s1",)),),
    )  # fmt: skip
    asked = [about_nothing(n) for n in (1, 2, 3, 4)]

    made = drafts(found, *asked, statement(5, "o.no-advice"))

    assert [(d.asked, d.tiers) for d in made] == [
        ("s1", ("constitutional", "revisable")), ("s2", ("revisable",)),
    ]  # fmt: skip
    assert made[0].tally == found.digest
    assert set(made[0].statement) == {"en", "pt", "es"}
    assert (made[0].layer, made[0].authority) == ("organisation", "desk")


def test_disagreement_with_a_statement_is_no_support_for_it() -> None:
    """`endorses` speaks of a norm; without one, only agreement counts."""
    asked = about_nothing(1).model_copy(update={"endorses": False})

    assert drafts(outcome({"s1": (10, 90, 0)}), asked) == []
    assert len(drafts(outcome({"s1": (90, 10, 0)}), asked)) == 1


def test_no_draft_takes_the_name_of_a_norm() -> None:
    """Ids are never used twice, not even to begin with."""
    (made,) = drafts(outcome({"s1": (90, 10, 0)}), about_nothing(1), known=("o.desk.s1",))

    assert made.id == "o.desk.s1-2"


def test_support_of_a_few_is_not_told_by_group() -> None:
    """A file for people to read tells no group in which somebody could be recognised."""
    groups = {"A": {"s1": (60, 0, 0)}, "B": {"s1": (25, 10, 0)}, "C": {"s1": (5, 0, 0)}}
    (made,) = drafts(outcome({"s1": (90, 10, 0)}, groups=groups,
                             sizes={"A": 60, "B": 35, "C": 5}), about_nothing(1))  # fmt: skip

    assert set(made.support) == {"all", "A"}


def test_file_says_what_is_to_be_written_and_is_refused_as_a_norm(tmp_path: Path) -> None:
    """A draft beside norms is one clear fault, whatever is filled in but its schema."""
    norms = write(tmp_path / "norms", body())
    made = drafts(outcome({"s1": (90, 10, 0)}), about_nothing(1))

    (path,) = write_drafts(made, norms / "drafts")

    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert told["schema"] == DRAFT
    assert told["to_write"] == ["kind", "tier", "act", "condition", "cases"]
    assert not {"act", "kind", "condition", "status"} & set(told)
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line[0] == "#"]
    assert len(comments) == len(LANGS)  # one a language there are words for
    with pytest.raises(InputError) as caught:
        read_source(norms, languages=LANGS)
    (fault,) = caught.value.faults
    assert fault.where.startswith("drafts/o.desk.s1.yaml:3")
    assert "not yet a norm" in fault.seen


def test_nothing_is_overwritten_and_all_or_nothing_is_written(tmp_path: Path) -> None:
    """One file that is there keeps every other from being written; each is named."""
    made = drafts(outcome({"s1": (90, 10, 0), "s2": (90, 10, 0)}), about_nothing(1),
                  about_nothing(2))  # fmt: skip
    (tmp_path / "o.desk.s2.yaml").write_text("mine", encoding="utf-8")

    with pytest.raises(InputError) as caught:
        write_drafts(made, tmp_path)

    assert [Path(f.where).name for f in caught.value.faults] == ["o.desk.s2.yaml"]
    assert [p.name for p in tmp_path.iterdir()] == ["o.desk.s2.yaml"]
    assert (tmp_path / "o.desk.s2.yaml").read_text(encoding="utf-8") == "mine"


def test_a_file_in_the_place_of_the_folder_is_a_fault(tmp_path: Path) -> None:
    """No traceback where the folder is a file."""
    (tmp_path / "x").write_text("", encoding="utf-8")

    with pytest.raises(InputError, match="a folder"):
        write_drafts(drafts(outcome({"s1": (90, 10, 0)}), about_nothing(1)), tmp_path / "x")


def test_drafts_are_the_same_whatever_order_they_come_in(tmp_path: Path) -> None:
    """Outcomes and statements in any order give the same files."""
    found = outcome({"s2": (90, 10, 0), "s1": (90, 10, 0)})
    asked = [about_nothing(1), about_nothing(2)]

    assert drafts(found, *asked) == drafts(found, *asked[::-1])
    assert source(tmp_path, body()).norms[0].id == "o.no-advice"
