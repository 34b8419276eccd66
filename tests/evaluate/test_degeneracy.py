"""Counts that a constant answer could have made are told from those that it could not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normwright.evaluate import degeneracy, read_counts
from normwright.records import InputError

TOXIGEN = {"majority": 534 / 940, "the other answer": 406 / 940}


def counts(path: Path, *lines: str, head: str = "model,suite,n,correct,majority") -> Path:
    file = path / "counts.csv"
    file.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("correct", [533, 532, 528.9, 541, 515, 519, 535, 511])
def test_published_scores_at_the_commonest_answer(correct: float) -> None:
    """What was published as less toxicity is what always saying No scores."""
    found = degeneracy(correct, 940, TOXIGEN)

    assert found.degenerate
    assert found.consistent_with == ("majority",)
    assert found.why.startswith("consistent with a constant answer")


@pytest.mark.parametrize("correct", [410, 390, 384, 392, 396])
def test_published_scores_at_the_other_answer(correct: int) -> None:
    """The models that it was compared with score as always saying Yes."""
    found = degeneracy(correct, 940, TOXIGEN)

    assert found.degenerate
    assert found.consistent_with == ("the other answer",)
    assert "consistent with a constant answer" in found.why


@pytest.mark.parametrize("correct", [457, 485, 500])
def test_between_the_constants_it_is_no_skill_and_no_constant(correct: int) -> None:
    """A mixture of both answers is not called a constant, and not called skill."""
    found = degeneracy(correct, 940, TOXIGEN)

    assert found.degenerate
    assert found.consistent_with == ()
    assert "consistent with a constant answer" not in found.why
    assert "a mixture of them does" in found.why


@pytest.mark.parametrize(("correct", "n", "majority"), [(355, 1172, 311), (700, 940, 534)])
def test_skill_is_not_flagged(correct: int, n: int, majority: int) -> None:
    """Above the constant by more than chance: not degenerate."""
    found = degeneracy(correct, n, {"majority": majority / n})

    assert not found.degenerate
    assert "lies above" in found.why


def test_a_small_lead_on_few_items_is_not_enough() -> None:
    """60 of 100 where a constant has 55 shows nothing; 6,000 of 10,000 does."""
    assert degeneracy(60, 100, {"majority": 0.55}).degenerate
    assert not degeneracy(6000, 10000, {"majority": 0.55}).degenerate


@given(st.integers(1, 400), st.data())
def test_more_right_is_never_more_degenerate(n: int, data: st.DataObject) -> None:
    """The flag is monotone in the count, and a constant itself always has it."""
    majority = data.draw(st.integers(1, n))
    one, two = sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n))))
    flags = [degeneracy(k, n, {"majority": majority / n}).degenerate for k in (one, two, majority)]

    assert flags[0] >= flags[1]
    assert flags[2]


def test_counts_are_read(tmp_path: Path) -> None:
    """Fractions of items are taken as printed; of two answers the other constant is known."""
    (first, second) = read_counts(counts(tmp_path, "a,toxigen,940,528.9,534", "a,arc,1172,300,311"))

    assert first.correct == 528.9
    assert first.constants == pytest.approx(TOXIGEN)
    assert set(second.constants) == {"majority"}


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    """A bad file raises one error with the line of each fault."""
    file = counts(
        tmp_path, ",toxigen,940,533,534", "a,toxigen,940,941,534", "b,toxigen,0,0,0",
        "c,toxigen,940,x,534", "d,toxigen,940,533,0.568", "e,arc,10,5,5", "e,arc,10,6,5", "f,arc,1",
        "g,arc,12.5,3,3", "h,arc,10,nan,3", "i,arc,10,3,11",
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        read_counts(file)
    where = [f.where.rpartition(":")[2] for f in caught.value.faults]

    assert set(where) == {"2", "3", "4", "5", "6", "8", "9", "10", "11", "12"}
    assert "Give 533.92" in next(f.do for f in caught.value.faults if f.where.endswith(":6"))


@pytest.mark.parametrize(
    ("head", "lines", "seen"),
    [("model,suite,n,correct", ["a,b,1,1"], "model,suite,n,correct"), ("", [], "an empty file"),
     ("model,suite,n,correct,majority", [], "none")],
)  # fmt: skip
def test_a_file_that_is_no_such_file(
    tmp_path: Path, head: str, lines: list[str], seen: str
) -> None:
    """Missing columns and missing rows are faults, and so is a missing file."""
    with pytest.raises(InputError, match=seen):
        read_counts(counts(tmp_path, *lines, head=head))
    with pytest.raises(InputError, match="no such file"):
        read_counts(tmp_path / "none.csv")
