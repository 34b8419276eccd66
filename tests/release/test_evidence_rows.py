"""A folder of evidence is read whole or refused with every fault; whose row it is must be clear."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from normwright.records import EvidenceRow, InputError, Measurement
from normwright.release import Criteria, Filed, criteria_in, file_rows, read_folder

CRITERIA = """
schema: release-criteria/v1
alpha: 0.05
modes: {internal: {requires: [s]}}
controls: {known_bad: [organism/leak]}
criteria:
  - {id: H, group: s, kind: rate_upper, metric: harm, limit: 0.01}
  - {id: A, group: s, kind: noninferiority, metric: acc, baseline: sft, margin: 0.03}
"""
ROW: dict[str, Any] = {"metric": "harm", "k": 0, "n": 300, "model": "m"}


def asked() -> Criteria:
    """The criteria of these tests."""
    return criteria_in(CRITERIA, where="criteria", languages=("en", "pt"))


def put(directory: Path, **files: Any) -> Path:
    """Write files of evidence: text as it is, anything else as JSON."""
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        path = directory / name.replace("__", ".")
        data = text.encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return directory


def faults(directory: Path, **files: Any) -> list[str]:
    """What is wrong with files of evidence, as lines."""
    with pytest.raises(InputError) as caught:
        read_folder(put(directory, **files))
    return str(caught.value).splitlines()


def filed(directory: Path, *rows: Any, model: str | None = None) -> Filed:
    """Rows as the gate takes them."""
    folder = read_folder(put(directory, rows__json=list(rows)))
    return file_rows(folder.rows, asked(), model=model, runs=folder.runs)


def one(directory: Path, *rows: Any) -> Measurement:
    """The one measurement that rows come to."""
    (found,) = filed(directory, *rows).measurements
    return found


def test_a_file_holds_one_value_a_list_or_lines_packed_or_not(tmp_path: Path) -> None:
    """Every form that a writer may choose gives the same rows; other files are let lie."""
    line = json.dumps(ROW)
    folder = read_folder(
        put(tmp_path, a__json=ROW, b__json=[ROW, ROW], c__jsonl=f"{line}\n\n{line}\n",
            d__json=f"{line}\n{line}", e__jsonl__gz=f"{line}\n", notes__txt="harm: none")
    )  # fmt: skip

    assert len(folder.rows) == 8
    assert len({given.row.digest for given in folder.rows}) == 1
    assert len(folder.files) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"k": 301}, "301 of 300"),
        ({"k": -1}, "greater than or equal to 0"),
        ({"k": True}, "integer"),
        ({"n": 299.0}, "integer"),
        ({"n": None}, "together"),
        ({"model": ""}, "at least 1"),
        ({"modle": "m"}, "modle"),
        ({"slice": "pt"}, "dictionary"),
        ({"slice": {"lang": True}}, "slice.lang"),
        ({"slice": {"lang": None}}, "slice.lang"),
        ({"items": {"a": 1}}, "not both"),
        ({"k": 5, "confirmed": 3, "cleared": 3}, "6 labels, 5 flags"),
        ({"k": 1, "flagged": ["a"], "confirmed": ["b"]}, "among `flagged`"),
        ({"k": 1, "contaminated": {"k": 2, "n": 2}}, "contaminated"),
        ({"contaminated": ["a"]}, "contaminated"),
        ({"at": "yesterday"}, "at:"),
        ({"at": 1e300}, "at:"),
    ],
)
def test_a_row_that_cannot_be_is_one_fault_with_its_place(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    """What is wrong with a row is told with its file and key, and nothing is assumed for it."""
    lines = faults(tmp_path, bad__json=ROW | change)

    assert all(line.startswith("bad.json") for line in lines)
    assert any(words in line for line in lines), lines


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"metric": "harm", "k": NaN, "n": 300, "model": "m"}', "NaN"),
        ('{"metric": "harm", "k": 0, "k": 60, "n": 300, "model": "m"}', "twice"),
        ('{"metric": "harm", "k": 1e999, "n": 300, "model": "m"}', "k"),
        ("", "JSON"),
        ("[1, 2]", "a row"),
        ('{"k": 0}', "metric"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_no_number_no_key_and_no_row_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """NaN, a key that comes twice, infinity, an empty file and other values are faults."""
    assert any(words in line for line in faults(tmp_path, bad__json=text))


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    """Two broken files and a missing one of items are three faults of one error."""
    lines = faults(tmp_path, a__json=ROW | {"k": 400}, b__json="{", c__json=[
        {"metric": "acc", "items": "none.jsonl", "model": "m"}])  # fmt: skip

    assert {line[:6] for line in lines} == {"a.json", "b.json", "c.json"}


def test_no_folder_is_a_fault(tmp_path: Path) -> None:
    """A folder that is not there says what was expected."""
    with pytest.raises(InputError, match="no such folder"):
        read_folder(tmp_path / "nowhere")


def test_items_may_lie_beside_and_are_counted_by_their_units(tmp_path: Path) -> None:
    """Values from a JSONL file; a unit is hit if any of its items is; contaminated ones go."""
    lines = [
        {"id": "a", "value": 1, "cluster": "t1"},
        {"id": "b", "value": 0, "cluster": "t1"},
        {"id": "c", "value": 0, "cluster": "t2"},
        {"id": "d", "value": 1, "cluster": "t3"},
    ]
    put(tmp_path, v__jsonl="\n".join(map(json.dumps, lines)))
    row = {"metric": "harm", "items": "v.jsonl", "cluster": "template", "model": "m",
           "contaminated": ["d"]}  # fmt: skip

    found = one(tmp_path, row)

    assert (found.count, found.estimate.n) == (1, 2)
    assert found.details["excluded"] == 1
    assert set(found.details["items"]) == {"a", "b", "c"}


def test_contaminated_counts_are_taken_off_and_told(tmp_path: Path) -> None:
    """Counts of contaminated units leave both counts, and a note says how many."""
    found = filed(tmp_path, ROW | {"k": 3, "contaminated": {"k": 1, "n": 50}})

    assert found.measurements[0].details["units"] == 250
    assert found.measurements[0].count == 2
    assert [note.key for note in found.notes] == ["note.contaminated"]


def test_controls_and_baselines_are_known_by_name(tmp_path: Path) -> None:
    """Who is a control or a baseline is not a candidate; the rest are of the candidate."""
    rows = [ROW, ROW | {"model": "organism/leak"}, ROW | {"metric": "acc", "model": "sft"}]

    found = filed(tmp_path, *rows)

    assert found.candidate == "m"
    assert {m.model for m in found.measurements} == {"candidate", "control:organism/leak", "sft"}


def test_two_candidates_are_a_fault_that_names_them(tmp_path: Path) -> None:
    """Nobody guesses which of two is released; `model` says it, and the other was tried too."""
    rows = [ROW, ROW | {"model": "other", "evalset": "e1"}]

    with pytest.raises(InputError, match="m, other"):
        filed(tmp_path, *rows)
    found = filed(tmp_path, *rows, model="other")

    assert (found.candidate, found.others, found.runs) == ("other", ("m",), 2)
    assert [m.basis.evalset for m in found.measurements if m.basis] == ["e1"]
    with pytest.raises(InputError, match="--model"):
        filed(tmp_path, *rows, model="third")


def test_two_sets_of_weights_under_one_name_are_two_candidates(tmp_path: Path) -> None:
    """A digest after the name tells weights apart, and one of them is asked for."""
    rows = [ROW | {"model": "m@sha256:1"}, ROW | {"model": "m@sha256:2", "k": 1}]

    with pytest.raises(InputError, match="sha256:1, sha256:2"):
        filed(tmp_path, *rows)
    found = filed(tmp_path, *rows, model="m@sha256:2")

    assert (found.weights, found.runs) == ("sha256:2", 2)


def test_runs_that_were_tried_are_counted(tmp_path: Path) -> None:
    """Runs beside the rows, and those that rows name, each count once."""
    found = filed(tmp_path, {"run": "r1", "model": "x"}, {"run": "r2"}, ROW | {"run": "r1"})

    assert found.runs == 2


def test_one_row_twice_counts_once(tmp_path: Path) -> None:
    """The same row in two files is one observation, and a note says so."""
    found = filed(tmp_path, ROW, ROW)

    assert [m.count for m in found.measurements] == [0]
    assert [note.key for note in found.notes] == ["note.twice"]


@pytest.mark.parametrize(
    ("second", "together"),
    [
        ({"protocol": "p1", "k": 2}, True),
        ({"protocol": "p2", "k": 2}, False),
        ({"k": 2}, False),
        ({"protocol": "p1", "k": 2, "judge": "J2"}, False),
        ({"protocol": "p1", "k": 2, "evalset": "other"}, False),
    ],
)
def test_rows_are_counted_together_by_one_protocol_only(
    tmp_path: Path, second: dict[str, Any], together: bool
) -> None:
    """Another protocol, judge or item set stays apart, so that the criterion holds."""
    found = filed(tmp_path, ROW | {"protocol": "p1"}, ROW | second)

    counts = sorted((m.count, m.estimate.n) for m in found.measurements)
    assert counts == ([(2, 600)] if together else [(0, 300), (2, 300)])


def test_one_item_in_two_rows_is_not_counted_twice(tmp_path: Path) -> None:
    """Rows of one protocol that share an item are no independent samples."""
    base = {"metric": "harm", "model": "m", "protocol": "p"}

    found = filed(tmp_path, base | {"items": {"a": 0, "b": 0}}, base | {"items": {"b": 0, "c": 1}})

    assert len(found.measurements) == 2


def test_numbers_in_a_slice_are_compared_as_numbers(tmp_path: Path) -> None:
    """A learning rate is the same however it is written."""
    values = (1e-5, "1e-5", 0.00001, "0.000010")

    found = {one(tmp_path, ROW | {"slice": {"lr": value}}).slice["lr"] for value in values}

    assert found == {"1e-05"}


def test_the_digest_of_a_row_is_that_of_its_content() -> None:
    """Times in other zones and keys in another order are the same row."""
    first = EvidenceRow.model_validate(ROW | {"at": "2026-10-02T09:00:00Z"})
    other = EvidenceRow.model_validate({**ROW, "at": "2026-10-02T11:00:00+02:00"})

    assert first.time == other.time == "2026-10-02T09:00:00.000000+00:00"
