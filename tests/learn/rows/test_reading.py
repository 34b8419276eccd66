import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from normwright.learn import read_demonstrations, read_preferences
from normwright.records import InputError

ROW = {"prompt": "When does the library open?", "completion": "At nine."}
PAIR = {"prompt": "When?", "chosen": "At nine.", "rejected": "Who knows."}


def written(path: Path, rows: list[Any], *, end: str = "\n", start: bytes = b"") -> Path:
    text = "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)
    data = start + text.encode("utf-8", "surrogatepass")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def faults_of(path: Path, *, pairs: bool = False) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as error:
        _ = read_preferences(path) if pairs else read_demonstrations(path)
    return [(fault.where, fault.seen) for fault in error.value.faults]


def test_a_row_is_what_it_says_and_unknown_where_it_says_nothing(tmp_path: Path) -> None:
    """No language, licence or origin is made up; text is a user's message."""
    [row] = read_demonstrations(written(tmp_path / "a.jsonl", [ROW]))

    assert (row.lang, row.licence, row.origin, row.weight) == ("und", "unknown", "unknown", 1.0)
    assert [(m.role, m.content) for m in row.prompt] == [("user", ROW["prompt"])]
    assert (row.scene, row.family) == ("a.jsonl/1", "a.jsonl/1")


def test_every_column_arrives(tmp_path: Path) -> None:
    """What a row states stands in the pair, messages and share among it."""
    full = {
        **PAIR, "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "probability": 0.7, "weight": 3, "group": "g", "norms": ["n@1"], "lang": "pt", "id": "i",
        "family": "f", "origin": "translated", "licence": "CC0", "layer": "global",
        "process_kind": "simulated",
    }  # fmt: skip

    [pair] = read_preferences(written(tmp_path / "a.jsonl", [full]))

    assert [m.role for m in pair.prompt] == ["system", "user"]
    assert (pair.p_chosen, pair.weight, pair.group, pair.norms) == (0.7, 3.0, "g", ("n@1",))
    assert (pair.lang, pair.scene, pair.family, pair.licence) == ("pt", "i", "f", "CC0")
    assert (pair.origin, pair.layer, pair.process_kind) == ("translated", "global", "simulated")


def test_all_faults_come_at_once_each_at_its_place(tmp_path: Path) -> None:
    """Broken JSON, missing and empty columns, bad numbers: one error that names all."""
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"prompt": "p"}\n\nnot json\n[1]\n{"prompt": "", "completion": " "}\n'
        '{"prompt": "p", "completion": "c", "weight": 0, "lang": 3}\n'
    )

    assert sorted(faults_of(path)) == [
        ("a.jsonl:1: completion", "nothing"),
        ("a.jsonl:3", "none"),
        ("a.jsonl:4", "none"),
        ("a.jsonl:5: completion", "empty text"),
        ("a.jsonl:5: prompt", "empty text"),
        ("a.jsonl:6: lang", "3"),
        ("a.jsonl:6: weight", "0"),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probability", 1.5), ("probability", -0.1), ("probability", "0.5"), ("probability", True),
        ("probability", float("nan")), ("weight", 0), ("weight", -1), ("weight", float("inf")),
        ("weight", 10**400),
        ("weight", None), ("weight", [1]), ("group", ""), ("group", 1), ("norms", "n"),
        ("norms", [""]), ("origin", "alien"), ("layer", "world"), ("process_kind", "robot"),
        ("id", None), ("family", 7), ("licence", ""), ("chosen", None), ("rejected", "At nine."),
        ("prompt", []), ("prompt", [{"role": "assistant", "content": "x"}]),
        ("prompt", [{"role": "user", "content": None}]),
        ("prompt", [{"role": "wizard", "content": ""}]),
        ("prompt", [{"role": "user", "content": "x", "name": None}]), ("prompt", 3),
    ],
)  # fmt: skip
def test_a_value_that_means_nothing_is_a_fault_of_its_column(
    tmp_path: Path, name: str, value: Any
) -> None:
    """Numbers out of range, not finite or of another type, wrong roles, wrong lists."""
    path = written(tmp_path / "a.jsonl", [PAIR, {**PAIR, name: value}])

    assert [where for where, _ in faults_of(path, pairs=True)] == [f"a.jsonl:2: {name}"]


def test_a_column_nobody_reads_is_a_fault(tmp_path: Path) -> None:
    """A margin, a label or a slip of the pen is refused, not ignored."""
    path = written(tmp_path / "a.jsonl", [{**PAIR, "margin": 1.0, "probabilty": 0.5}])

    assert faults_of(path, pairs=True) == [
        ("a.jsonl:1: margin", "a column that would be ignored"),
        ("a.jsonl:1: probabilty", "a column that would be ignored"),
    ]


def test_a_file_of_another_form_is_told_in_a_screenful(tmp_path: Path) -> None:
    """A thousand bad lines give twenty faults and their number."""
    path = written(tmp_path / "a.jsonl", [{"text": "x"}] * 1_000)

    told = faults_of(path)

    assert len(told) == 21
    assert told[-1][1] == "2980 more faults"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n \n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_packed_files_line_ends_and_a_mark_at_the_start_are_read(
    tmp_path: Path, name: str, end: str, start: bytes
) -> None:
    """What Windows and spreadsheets write is read like anything else."""
    rows = read_demonstrations(written(tmp_path / name, [ROW, ROW], end=end, start=start))

    assert [row.completion for row in rows] == ["At nine."] * 2


def test_the_last_line_needs_no_end_and_text_keeps_its_signs(tmp_path: Path) -> None:
    """Line separators of Unicode, NUL and emoji inside a text divide nothing and are kept."""
    text = "a\u2028b\x00c\x85d 👍 \u00e3"
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({**ROW, "completion": text}, ensure_ascii=False), encoding="utf-8")

    [row] = read_demonstrations(path)

    assert row.completion == text


def test_a_million_characters_are_read(tmp_path: Path) -> None:
    """A long answer is a row; whether it fits is for the recipe to say."""
    [row] = read_demonstrations(written(tmp_path / "a.jsonl", [{**ROW, "completion": "é" * 10**6}]))

    assert len(row.completion) == 10**6


@pytest.mark.parametrize(
    ("name", "data", "seen"),
    [
        ("a.jsonl", b"", "none"),
        ("a.jsonl", b"\n \n", "none"),
        ("a.jsonl", b'{"prompt": "\xff"}', "UnicodeDecodeError"),
        ("a.jsonl.gz", b"no gzip", "BadGzipFile"),
        ("a.jsonl.gz", gzip.compress(b'{"prompt": "x"}' * 50, mtime=0)[:-9], "EOFError"),
        ("a.jsonl", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_fault(
    tmp_path: Path, name: str, data: bytes | None, seen: str
) -> None:
    """Nothing in it, other bytes than UTF-8, half a packed file, no file."""
    if data is not None:
        (tmp_path / name).write_bytes(data)

    assert faults_of(tmp_path / name) == [(name, seen)]


def test_half_of_a_character_is_a_fault(tmp_path: Path) -> None:
    """A lone surrogate, which no tokenizer and no file can hold, is told at its column."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "p", "completion": "\\ud83d"}\n')

    assert faults_of(path) == [("a.jsonl:1", "half of a character")]


def test_drawn_cases_are_rows(tmp_path: Path) -> None:
    """What `charter cases` writes to learn from is read as it is, with all that it says."""
    from normwright import flow
    from normwright.charter.drawing import Drawing
    from normwright.cli.charter.places import charter_at
    from normwright.flow.drawn import RowForm

    town = Path(flow.__file__).parent / "templates" / "town"
    drawing = Drawing(charter=charter_at(town, drafts=True).charter, seed=1, swaps=False)
    forms: tuple[RowForm, ...] = ("demonstrations", "pairs")
    for form in forms:
        flow.write_cases(flow.CaseRows(drawing, form, 0, 8), tmp_path / f"{form}.jsonl.gz")

    shown = read_demonstrations(tmp_path / "demonstrations.jsonl.gz")
    pairs = read_preferences(tmp_path / "pairs.jsonl.gz")

    assert {row.lang for row in shown} == {row.lang for row in pairs} == {"en", "pt"}
    both: list[Any] = [*shown, *pairs]
    assert {row.origin for row in both} == {"synthetic"}
    assert {row.licence for row in both} == {"generated by the resolver"}
    assert any(row.norms for row in shown)
    assert {pair.p_chosen for pair in pairs} == {0.999}
    assert {pair.layer for pair in pairs} <= {"global", "polity", "organisation", "individual"}
    assert len({pair.scene for pair in pairs}) == len(pairs)


def test_a_drawn_case_has_no_other_columns(tmp_path: Path) -> None:
    """The mark of the resolver opens no door for columns that would be ignored."""
    row = {"instruction": "p", "response": "r", "labelled_by": "resolver", "verdict": "deny",
           "margin": 1}  # fmt: skip

    assert faults_of(written(tmp_path / "a.jsonl", [row])) == [
        ("a.jsonl:1: margin", "a column that would be ignored")
    ]


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_read_in_seconds(tmp_path: Path) -> None:
    """Reading is no reason to wait: 100,000 rows take under 20 seconds of CPU time."""
    rows = [{**PAIR, "prompt": f"{n} " * 30, "id": str(n)} for n in range(100_000)]
    path = written(tmp_path / "a.jsonl", rows)
    began = time.process_time()

    read = read_preferences(path)

    took = time.process_time() - began
    assert len(read) == 100_000
    assert took < 20


@pytest.mark.parametrize(
    ("vote", "where"),
    [
        ({"participant": ["a"], "choice": "chosen"}, "participant"),
        ({"participant": "a", "choice": ["chosen"]}, "choice"),
    ],
)
def test_a_list_in_the_place_of_a_name_is_a_fault(
    vote: dict[str, Any], where: str, tmp_path: Path
) -> None:
    """What cannot be looked up in a table is told like any other wrong value."""
    [(place, seen)] = faults_of(
        written(tmp_path / "a.jsonl", [{**PAIR, "votes": [vote]}]), pairs=True
    )

    assert place == f"a.jsonl:1: votes[0].{where}"
    assert seen == "list"


def test_votes_whose_weights_have_no_finite_sum_are_a_fault(tmp_path: Path) -> None:
    """Each weight is a number, their sum is none; no share follows from it."""
    votes = [{"participant": p, "choice": "chosen", "weight": 1e308} for p in "ab"]
    found = faults_of(written(tmp_path / "a.jsonl", [{**PAIR, "votes": votes}]), pairs=True)

    assert found == [("a.jsonl:1: votes", "a sum that is not")]


def test_answers_that_differ_in_white_space_alone_are_one(tmp_path: Path) -> None:
    """And answers that are not there at all are not told to be the same."""
    rows = [{**PAIR, "rejected": f" {PAIR['chosen']}"}, {"prompt": "When?"}]
    found = faults_of(written(tmp_path / "a.jsonl", rows), pairs=True)

    assert [seen for _, seen in found] == ["the same", "nothing", "nothing"]
