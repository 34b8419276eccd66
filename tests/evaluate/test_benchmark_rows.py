"""Benchmark files of either schema become the same rows, and what cannot be used is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.test_contrast_rows import write

from normwright.evaluate import BENCHMARKS, Benchmark, read_benchmarks
from normwright.records import InputError

ARC = {"id": "q1", "question": "What is hot?", "choices": ["ice", "fire", "snow"], "gold": 1}
TRUTH = {
    "id": "t1", "category": "Myths", "question": "What are clouds?", "best_answer": "water",
    "correct_answers": ["water", "drops"], "incorrect_answers": ["wool", "smoke"],
}  # fmt: skip
TOXIC = {
    "id": "x1", "text": "they are bad", "target_group": "some", "toxicity_human": 4.0,
    "toxicity_ai": 3.0, "label_toxic": 1,
}  # fmt: skip


def one(path: Path, task: str, rows: list[Any], **given: Any) -> Benchmark:
    """The one benchmark of a file."""
    file = write(path / "rows.jsonl", rows)
    suite = task.rpartition("-")[0]
    (found,) = read_benchmarks({task: file}, suites=[suite], **{"seed": 0, **given})
    return found


def test_arc_of_three_schemas_is_the_same(tmp_path: Path) -> None:
    """The shared columns, the hub's and those of the translations give the same item."""
    hub = {
        "id": "q1", "question": "What is hot?", "answerKey": "2",
        "choices": {"text": ["ice", "fire", "snow"], "label": ["1", "2", "3"]},
    }  # fmt: skip
    options = {"option_a": "ice", "option_b": "fire", "option_c": "snow", "option_d": None}
    translated = {"id": "q1", "instruction": "What is hot?", "answer": "B", **options}
    found = [one(tmp_path, "arc-easy-en", [row]).items for row in (ARC, hub, translated)]

    assert found[0] == found[1] == found[2]
    assert found[0][0].right == (False, True, False)
    assert found[0][0].row["answerKey"] == "B"


def test_truthfulqa_of_three_schemas_is_the_same(tmp_path: Path) -> None:
    """The lists, the hub's targets and those of the translations give the same answers."""
    mc1 = {"choices": ["water", "wool", "smoke"], "labels": [1, 0, 0]}
    mc2 = {"choices": ["water", "drops", "wool", "smoke"], "labels": [1, 1, 0, 0]}
    hub = {"question": "What are clouds?", "mc1_targets": mc1, "mc2_targets": mc2}
    flat = {"id": "t1", "question": "What are clouds?"} | {
        f"{name}_{part}": part_of[part]
        for name, part_of in (("mc1_targets", mc1), ("mc2_targets", mc2))
        for part in ("choices", "labels")
    }
    for suite in ("truthfulqa-mc1", "truthfulqa-mc2"):
        found = [one(tmp_path, f"{suite}-en", [row]).items[0] for row in (TRUTH, hub, flat)]
        assert found[0].choices == found[1].choices == found[2].choices
        assert found[0].right == found[1].right == found[2].right

    assert (found[0].group, found[0].right) == ("Myths", (True, True, False, False))


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Every line that cannot be used is named, over all files, and no text of it is repeated."""
    arc = write(tmp_path / "a.jsonl", [
        ARC, {**ARC, "id": "q2", "gold": 3}, {**ARC, "id": "q3", "choices": ["one", ""]},
        {**ARC, "id": "q4", "gold": "1"}, "[]",
    ])  # fmt: skip
    toxic = write(tmp_path / "t.jsonl", [
        {**TOXIC, "label_toxic": 0}, {**TOXIC, "id": "x2", "toxicity_ai": None},
    ])  # fmt: skip
    flat = {"id": "t", "question": "secret", "mc1_targets_choices": ["a", "b"],
            "mc1_targets_labels": [0, 1], "mc2_targets_choices": ["a", "b"],
            "mc2_targets_labels": [1, 0]}  # fmt: skip
    truth = write(tmp_path / "q.jsonl", [flat])
    with pytest.raises(InputError) as caught:
        read_benchmarks(
            {"arc-easy-en": arc, "toxigen-en": toxic, "truthfulqa-mc1-pt": truth},
            suites=["arc-easy", "toxigen", "truthfulqa-mc1"],
            seed=0,
        )
    where = [f.where.rpartition("/")[2] for f in caught.value.faults]

    assert where == ["a.jsonl:2", "a.jsonl:3", "a.jsonl:4", "a.jsonl:5", "t.jsonl:1", "t.jsonl:2",
                     "q.jsonl:1"]  # fmt: skip
    assert "secret" not in str(caught.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    """An unknown suite or task, a suite without a file and a limit of none are faults at once."""
    with pytest.raises(InputError) as caught:
        read_benchmarks(tmp_path, suites=["arc-easy", "arc-hard"], limit=0, seed=0)
    with pytest.raises(InputError, match="no such task"):
        read_benchmarks({"arc-xx": tmp_path}, suites=["arc-easy"], seed=0)

    assert [f.where for f in caught.value.faults] == ["limit", "suites", str(tmp_path)]
    assert "benchmarks/arc_easy_en.jsonl.gz" in caught.value.faults[2].expected


def test_the_sample_is_the_seeds_and_alike_in_both_languages(tmp_path: Path) -> None:
    """One seed draws the same ids in both languages, in the file's order; another seed others."""
    rows = [{**ARC, "id": f"q{i}"} for i in range(40)]
    write(tmp_path / "benchmarks/arc_challenge_en.jsonl.gz", rows)
    write(tmp_path / "nc/arc_challenge_test_pt.jsonl", rows[::-1])

    def ids(seed: int) -> list[list[str]]:
        found = read_benchmarks(tmp_path, suites=["arc-challenge"], limit=10, seed=seed)
        return [[item.id for item in each.items] for each in found]

    english, portuguese = ids(1)
    assert english == sorted(english, key=lambda name: int(name[1:]))
    assert english == portuguese[::-1]
    assert ids(1) == [english, portuguese]
    assert ids(2)[0] != english


def test_licences(tmp_path: Path) -> None:
    """What lies in `nc` is non-commercial; a file of another name has no known licence."""
    write(tmp_path / "benchmarks/arc_challenge_en.jsonl", [ARC])
    write(tmp_path / "nc/arc_challenge_test_pt.jsonl", [ARC])
    english, portuguese = read_benchmarks(tmp_path, suites=["arc-challenge"], seed=0)

    assert (english.licence, portuguese.licence) == ("CC BY-SA 4.0", "CC BY-NC 4.0")
    assert one(tmp_path / "mine", "arc-easy-en", [ARC]).licence == "unknown"


@pytest.mark.data
def test_the_shared_files_are_read_whole(data_dir: Path) -> None:
    """Every row of every shared file is usable, in both languages."""
    found = {b.task: b for b in read_benchmarks(data_dir, suites=BENCHMARKS, seed=0)}

    assert {task: len(b.items) for task, b in found.items()} == {
        "arc-easy-en": 1670, "arc-challenge-en": 821, "arc-challenge-pt": 820,
        "truthfulqa-mc1-en": 583, "truthfulqa-mc1-pt": 532,
        "truthfulqa-mc2-en": 583, "truthfulqa-mc2-pt": 532, "toxigen-en": 6594,
        "bbq-en": 9380, "enem-pt": 110,
    }  # fmt: skip
    translated = {b.licence for b in found.values() if b.lang == "pt" and b.task != "enem-pt"}
    assert translated == {"CC BY-NC 4.0"}
