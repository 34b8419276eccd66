"""Annotations rater by rater: columns of numbers, traits, and what is odd in either."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from normwright.elicit import Source, read_source
from normwright.records import Annotation, Annotations, InputError

from .samples import CONVABUSE, DICES, HATECHECK, PANDA, PRISM, TOLD, TOLD_CSV, bytes_of, lines


def read(place: Path, files: Mapping[str, str], format: str | None = None) -> Source:
    """Read files of a new folder."""
    place.mkdir()
    for name, data in bytes_of(files).items():
        (place / name).write_bytes(data)
    return read_source(place, format=format)


def said(source: Source) -> list[tuple[str | None, str, str, str, int]]:
    """Every annotation as a row."""
    assert source.annotations is not None
    return [(a.rater, a.item, a.aspect, a.value, a.count) for a in source.annotations]


def findings(source: Source) -> dict[str, tuple[int, tuple[str, ...]]]:
    """The report: count and places by kind."""
    return {f.kind: (f.count, f.examples) for f in source.faults}


def test_dices(tmp_path: Path) -> None:
    """One annotation a question and rater; blank ones are none; traits stand by rater."""
    source = read(tmp_path / "a", {"x.csv": DICES})
    assert source.annotations is not None

    assert source.format == "dices"
    assert said(source)[:3] == [
        ("r1", "1", "Q2_age", "No", 1), ("r1", "1", "Q2_hate", "Yes", 1),
        ("r1", "1", "Q_overall", "Yes", 1),
    ]  # fmt: skip
    assert source.counts == {"raters": 2, "items": 2, "annotations": 8}
    assert source.annotations.traits["age"] == ("gen z", "gen x")
    assert source.annotations.texts["1"] == "Hi\nHello"
    assert findings(source) == {"items-of-one-rater": (1, ("item 2",))}


def test_annotations_given_twice(tmp_path: Path) -> None:
    """The last of a rater on an item counts; whether it differs is told apart."""
    again = "r1,Woman,US,Asian,Asian,gen y,College,1,Hi,Hello,No,No,Yes\n"
    source = read(tmp_path / "a", {"x.csv": DICES + again})

    assert ("r1", "1", "Q2_hate", "No", 1) in said(source)
    assert findings(source)["duplicate-annotations"] == (2, ("x.csv:5", "x.csv:5"))
    assert findings(source)["contradicting-annotations"] == (1, ("x.csv:5",))
    assert findings(source)["traits-differ"] == (1, ("x.csv:5",))


def test_raters_who_always_say_the_same(tmp_path: Path) -> None:
    """Ten answers alike, in every respect, are reported; one that differs clears a rater."""
    rows = [{"rater": r, "item": str(i), "label": "ab"[r == "b" and i == 3]}
            for r in "abc" for i in range(10 if r != "c" else 9)]  # fmt: skip
    source = read(tmp_path / "a", {"x.jsonl": lines(*rows)})

    assert findings(source)["straight-liners"] == (1, ("x.jsonl:1",))


def test_prism_joins_its_files(tmp_path: Path) -> None:
    """Scores, choices, ratings of talks and of the survey, with what the survey says of people."""
    source = read(tmp_path / "a", PRISM)
    assert source.annotations is not None

    assert Counter(aspect for _, _, aspect, _, _ in said(source)) == {
        "score": 3, "if_chosen": 3, "performance values": 1, "stated values": 1,
    }  # fmt: skip
    assert ("u0", "ut0", "if_chosen", "true", 1) in said(source)
    assert source.annotations.raters == ("u0", "u1")
    assert source.annotations.traits["age"] == ("18-24 years old", "")
    assert source.annotations.traits["religion simplified"] == ("None", "")
    assert findings(source)["raters-without-traits"][0] == 1
    assert findings(source)["silent-raters"][0] == 1


def test_told_br_as_shared_and_as_published(tmp_path: Path) -> None:
    """Lists of three labels and counts out of three say the same, of nobody by name."""
    lists = read(tmp_path / "a", {"x.jsonl": TOLD})
    counts = read(tmp_path / "b", {"x.csv": TOLD_CSV})

    assert [one for one in said(lists) if one[2] == "obscene"] == [
        (None, "t0", "obscene", "0", 1), (None, "t0", "obscene", "1", 2),
    ]  # fmt: skip
    assert [one[2:] for one in said(lists)] == [one[2:] for one in said(counts)[:8]]
    assert counts.counts == {"items": 2, "annotations": 36}
    assert findings(counts)["unnamed-raters"][0] == 36


@pytest.mark.parametrize(
    ("was", "now", "seen"),
    [("[1, 1, 0]", "[1, 2, 0]", "[1, 2, 0]"), ("[1, 1, 0]", "[1, 1]", "[1, 1]"),
     ("[1, 1, 0]", "7", "7"), ("[1, 1, 0]", "null", "nothing")],
)  # fmt: skip
def test_labels_that_are_none(tmp_path: Path, was: str, now: str, seen: str) -> None:
    """A label beyond 0 and 1, or too few of them, is a fault by line."""
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a", {"x.jsonl": TOLD + TOLD.replace(was, now)})

    assert [(f.where, f.seen) for f in caught.value.faults] == [("x.jsonl:2", f"'{seen}'")]


def test_hatecheck_with_and_without_names(tmp_path: Path) -> None:
    """Labels by rater keep their rater; a list of labels is counted."""
    assert said(read(tmp_path / "a", {"x.jsonl": HATECHECK})) == [
        ("A1", "1", "label", "hateful", 1), ("A2", "1", "label", "no", 1),
        (None, "2", "label", "hateful", 2),
    ]  # fmt: skip


def test_convabuse_joins_annotators_on_the_turns(tmp_path: Path) -> None:
    """Rows of several annotators about the same turns are one item; no label is said as such."""
    source = read(tmp_path / "a", {"x.jsonl": CONVABUSE})

    assert source.counts == {"raters": 2, "items": 1, "annotations": 6}
    assert [(r, v) for r, _, aspect, v, _ in said(source) if aspect == "types"] == [
        ("A1", "sexist"), ("A2", "none"),
    ]  # fmt: skip


def test_pandalm_as_pairs_or_by_annotator(tmp_path: Path) -> None:
    """Its pairs are pairs; asked for, the same rows are annotations of its annotators."""
    pairs = read(tmp_path / "a", {"x.jsonl": PANDA})
    rated = read(tmp_path / "b", {"x.jsonl": PANDA}, format="annotations")

    assert pairs.counts == {"pairs": 2, "judgements": 6}
    assert said(rated)[2] == ("annotator3", "0", "label", "0", 1)
    assert rated.counts == {"raters": 3, "items": 2, "annotations": 6}


def test_every_fault_of_several_files(tmp_path: Path) -> None:
    """Rows without a rater, item or value are told together, by file and line."""
    files = {
        "a.jsonl": lines({"rater": "a", "item": "1", "label": 1}, {"item": "2", "label": 2}),
        "b.jsonl": lines({"rater": "", "item": "1", "label": 1}) + "[1]\n{",
    }
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a", files)

    assert sorted((f.where, f.seen) for f in caught.value.faults) == [
        ("a.jsonl:2", "'item, label'"), ("b.jsonl:2", "a list"), ("b.jsonl:3", "no JSON"),
    ]  # fmt: skip


def test_many_annotations_are_a_few_arrays(tmp_path: Path) -> None:
    """A full crossing of raters and items is read in seconds and held in numbers."""
    rows = [
        "rater_id,rater_gender,item_id,context,response," + ",".join(f"Q{n}" for n in range(20))
    ]
    rows[0] += ",Q_overall"
    rows += [f"r{r},x,{i},c,d" + ",No" * 20 + ",Yes" for r in range(100) for i in range(100)]
    place = tmp_path / "x.csv"
    place.write_text("\n".join(rows) + "\n")
    began = time.process_time()
    source = read_source(place)
    taken = time.process_time() - began
    assert source.annotations is not None

    assert source.counts["annotations"] == 210_000
    assert source.annotations.value.itemsize * len(source.annotations) < 2_000_000
    assert taken < 6


def test_an_annotation_is_a_record() -> None:
    """Rows at the border are records with a digest; nobody's name is None, not a text."""
    one = Annotation(rater=None, item="1", aspect="x", value="y", count=2)

    assert one.digest == Annotation.model_validate_json(one.model_dump_json()).digest
    assert len(Annotations((), (), (), ())) == 0
