"""Judged pairs in every form they come in: what was asked, two answers, and who preferred which."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normwright.elicit import JudgedPairs, read_consultation, read_judged_pairs
from normwright.elicit.files import Folder
from normwright.elicit.importers.judged_pairs import IMPORTER
from normwright.records import Fault, InputError, IntegrityFault

ASK = "\n\nHuman: Hello there\n\nAssistant:"
HH = {"id": "a", "prompt": ASK, "chosen": "Good day.", "rejected": "What?"}


def jsonl(path: Path, rows: list[Any]) -> Path:
    """Write rows as JSON lines, packed where the name says so; text stays as it is."""
    text = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def sheet(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as CSV with the columns of the first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


def read(path: Path, **given: Any) -> JudgedPairs:
    """The pairs of one file."""
    return read_judged_pairs([path], root=path.parent, **given)


def report_of(found: JudgedPairs) -> dict[str, IntegrityFault]:
    """The integrity report by kind."""
    return {f.kind: f for f in found.faults}


def faults_of(path: Path) -> tuple[Fault, ...]:
    """All faults of a file that must not be read."""
    with pytest.raises(InputError) as caught:
        read(path)
    return caught.value.faults


USER = {"role": "user", "content": "Hello there"}
YES, NO = ({"role": "assistant", "content": c} for c in ("Good day.", "What?"))
FORMS: dict[str, dict[str, Any]] = {
    "HH with a prompt": HH,
    "HH whole": {"chosen": ASK + " Good day.", "rejected": ASK + " What?"},
    "TRL texts": {"prompt": "Hello there", "chosen": "Good day.", "rejected": "What?"},
    "TRL turns": {"prompt": [USER], "chosen": [YES], "rejected": [NO]},
    "TRL implicit": {"chosen": [USER, YES], "rejected": [USER, NO]},
    "text and turns": {"prompt": "Hello there", "chosen": [USER, YES], "rejected": [USER, NO]},
    "arena": {"conversation_a": [USER, YES], "conversation_b": [USER, NO], "winner": "model_a"},
    "PandaLM": {
        "instruction": "Hello there", "input": "", "response1": "Good day.",
        "response2": "What?", "annotator1": 1, "annotator2": 0, "annotator3": 2,
    },
    "Tulu": {
        "prompt": "Hello there", "completion_a": "Good day.", "completion_b": "What?",
        "preference": "a-is-slightly-better", "evaluator": "E1",
    },
    "LLMBar": {"input": "Hello there", "output_1": "Good day.", "output_2": "What?", "label": 1},
    "Portuguese": {
        "pergunta": "Hello there", "resposta_a": "Good day.", "resposta_b": "What?",
        "preferida": "primeira",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("file", ["x.jsonl", "x.jsonl.gz", "x.json"])
def test_every_form_says_the_same(tmp_path: Path, name: str, file: str) -> None:
    """One question, two answers and the first preferred: every form gives that pair."""
    row = FORMS[name]
    if file.endswith(".json"):
        (tmp_path / file).write_text(json.dumps([row]))
    else:
        jsonl(tmp_path / file, [row])
    (pair,) = read(tmp_path / file).pairs

    assert [(m.role, m.content) for m in pair.prompt] == [("user", "Hello there")]
    assert (pair.first, pair.second) == ("Good day.", "What?")
    counts = (pair.prefer_first, pair.prefer_second, pair.ties)
    assert counts == ((1, 1, 1) if name == "PandaLM" else (1, 0, 0))
    assert (pair.source, pair.lang, pair.licence) == ("x", "und", "unknown")


def test_a_csv_reads_like_json(tmp_path: Path) -> None:
    """A sheet with prompt, a, b, preferred; what a row says of itself wins over what is given."""
    rows = [
        {"prompt": "One?", "a": "Yes", "b": "No", "preferred": "a", "lang": "pt"},
        {"prompt": "Two?", "a": "Yes", "b": "No", "preferred": "tie", "lang": ""},
        {"prompt": "Three?", "a": "Yes", "b": "No", "preferred": "", "lang": "pt"},
    ]
    found = read(sheet(tmp_path / "x.csv", rows), lang="en", licence="CC0")

    assert [(p.prefer_first, p.ties, p.lang) for p in found.pairs] == [(1, 0, "pt"), (0, 1, "en")]
    assert {p.licence for p in found.pairs} == {"CC0"}
    assert report_of(found)["blank-judgements"].examples == ("x.csv:4",)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """Each oddity has its count and its line; the rest is read."""
    doubled = "\n\nHuman: Hello\n\nAssistant: One.\n\nAssistant: Two.\n\nHuman: So?\n\nAssistant:"
    rows = [
        HH,
        {**HH, "id": "b", "prompt": doubled},
        {**HH, "id": "c", "rejected": " "},
        {**HH, "id": "d", "chosen": "Yes.\n\nHuman: No."},
        {**HH, "id": "e", "rejected": "Good day."},
        {**HH, "id": "f", "prompt": "\n\nHuman: Hello"},
        {"id": "g", "prompt": "", "chosen": [USER, YES], "rejected": [YES, NO]},
    ]  # fmt: skip
    found = read(jsonl(tmp_path / "x.jsonl", rows))

    assert [p.id for p in found.pairs] == ["a"]
    assert {k: f.examples for k, f in report_of(found).items() if f.policy.startswith("left")} == {
        "odd-turns": ("x.jsonl:2",),
        "empty-answers": ("x.jsonl:3",),
        "answers-that-go-on": ("x.jsonl:4",),
        "identical-answers": ("x.jsonl:5",),
        "unreadable-transcripts": ("x.jsonl:6",),
        "prompts-that-differ": ("x.jsonl:7",),
    }


def test_judges_count_once(tmp_path: Path) -> None:
    """Several judges on one pair add up, whichever answer their row names first; nobody twice."""
    base = {"prompt": "P", "completion_a": "A", "completion_b": "B"}
    turned = {"prompt": "P", "completion_a": "B", "completion_b": "A"}
    rows = [
        {**base, "preference": "a-is-better", "evaluator": "E1"},
        {**turned, "preference": "a-is-better", "evaluator": "E2"},
        {**base, "preference": "tie", "evaluator": "E3"},
        {**base, "preference": "tie", "evaluator": "E1"},
    ]
    found = read(jsonl(tmp_path / "x.jsonl", rows))
    (pair,) = found.pairs

    assert (pair.prefer_first, pair.prefer_second, pair.ties) == (0, 1, 2)
    assert report_of(found)["duplicate-judgements"].count == 1
    assert "E1" not in pair.model_dump_json()


def test_a_row_without_a_judge_counts_once(tmp_path: Path) -> None:
    """The same row again adds nothing, for it may be a copy; a contrary one is a judgement."""
    again, contrary = (
        {**HH, "id": "b"},
        {**HH, "id": "c", "chosen": "What?", "rejected": "Good day."},
    )
    found = read(jsonl(tmp_path / "x.jsonl", [HH, again, contrary]))
    (pair,) = found.pairs

    assert (pair.prefer_first, pair.prefer_second) == (1, 1)
    assert report_of(found)["duplicate-pairs"].examples == ("x.jsonl:2",)


def test_all_faults_at_once(tmp_path: Path) -> None:
    """What is no row, lacks a field or holds something else is named by line, in one error."""
    rows: list[Any] = [
        HH,
        "{not json",
        "[1]",
    ]
    broken = [
        HH,
        {**HH, "id": "b", "chosen": 7},
        {k: v for k, v in HH.items() if k not in ("rejected", "id")},
        {**HH, "id": "c", "prompt": [{"who": "me"}]},
    ]
    bad = faults_of(jsonl(tmp_path / "x.jsonl", rows))
    worse = faults_of(jsonl(tmp_path / "y.jsonl", broken))

    assert [(f.where, f.seen) for f in bad] == [
        ("x.jsonl:2", "no JSON"), ("x.jsonl:3", "a list"),
    ]  # fmt: skip
    assert [(f.where, f.seen) for f in worse] == [
        ("y.jsonl:2", "a int"), ("y.jsonl:3", "no such field"), ("y.jsonl:4", "fields who"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.jsonl.gz", b"not packed", "whole gzip"),
        ("x.jsonl", b"\xff\xfe\x00", "UTF-8"),
        ("x.jsonl", b"\n", "rows"),
        ("x.json", b"[{", "one JSON list"),
        ("x.csv", b"prompt,a,b\nP,A,B\n", "a preference"),
        ("x.csv", b"prompt,a,b,preferred\nP,A,B\n", "4 fields"),
        ("x.jsonl", json.dumps({**HH, "rejected": ""}).encode(), "pairs that can be used"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    """Each way in which a file can be broken is one error that says what was expected."""
    (tmp_path / name).write_bytes(content)

    assert [says in f.expected for f in faults_of(tmp_path / name)] == [True]


def test_a_zero_without_a_two_is_asked_about(tmp_path: Path) -> None:
    """0 and 1 may mean first and second, or tie and first: a question, answered in mapping.yaml."""
    rows = [{"prompt": str(i), "a": "A", "b": "B", "label": i % 2} for i in range(4)]
    path = sheet(tmp_path / "x.csv", rows)
    assert {f.seen for f in faults_of(path)} == {"'0'", "'1'"}
    folder = Folder(tmp_path, tmp_path)
    assert [q.key for q in IMPORTER.questions(folder)] == ["preferred.0", "preferred.1", "language"]

    (tmp_path / "mapping.yaml").write_text(
        "language: pt\nlicence: MIT\nsource: mine\npreferred: {0: first, 1: second}\n"
    )
    found = read(path)

    assert IMPORTER.questions(folder) == ()
    assert [(p.prefer_first, p.prefer_second) for p in found.pairs] == [(1, 0), (0, 1)] * 2
    assert {(p.lang, p.licence, p.source) for p in found.pairs} == {("pt", "MIT", "mine")}


def test_columns_can_be_named(tmp_path: Path) -> None:
    """Columns nobody could guess are named in mapping.yaml; a name that is not there is a fault."""
    path = sheet(tmp_path / "x.csv", [{"frage": "P", "eins": "A", "zwei": "B", "wer": "eins"}])
    mapping = "columns: {prompt: frage, first: eins, second: zwei, preferred: wer}\n"
    (tmp_path / "mapping.yaml").write_text(mapping)
    assert read(path).pairs[0].prefer_first == 1
    (tmp_path / "mapping.yaml").write_text(mapping.replace("frage", "frag") + "colour: red\n")
    seen = {f.where: f.do for f in faults_of(path)}

    assert seen["x.csv: columns"] == "Did you mean frage?"
    assert "mapping.yaml: colour" in seen


def test_a_first_turn_is_a_cluster(tmp_path: Path) -> None:
    """Pairs that begin with the same words are one cluster, whatever their spacing and case."""
    rows = [
        HH,
        {**HH, "id": "b", "prompt": "\n\nHuman: hello  THERE\n\nAssistant: Yes?\n\nHuman: Bye\n\n"
         "Assistant:"},
        {**HH, "id": "c", "prompt": "\n\nHuman: Another\n\nAssistant:"},
    ]  # fmt: skip
    one, two, three = read(jsonl(tmp_path / "x.jsonl", rows)).pairs

    assert one.cluster == two.cluster != three.cluster


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from(["E1", "E2", "E3"]),
            st.sampled_from(["a", "b", "tie"]), st.booleans(),
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_counts_do_not_depend_on_which_answer_is_named_first(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, str, bool]]
) -> None:
    """Turning rows round, answers and preference together, changes no count."""
    other = {"a": "b", "b": "a", "tie": "tie"}

    def counted(turning: bool) -> dict[str, tuple[dict[str, int], int]]:
        written = []
        for item, judge, said, flip in rows:
            flip = flip and turning
            a, b = ("B", "A") if flip else ("A", "B")
            kept = other[said] if flip else said
            written.append(
                {"prompt": f"P{item}", "a": a, "b": b, "preferred": kept, "judge": judge}
            )
        path = tmp_path_factory.mktemp("pairs") / "x.jsonl"
        return {
            p.prompt[0].content: (
                {p.first: p.prefer_first, p.second: p.prefer_second}, p.ties,
            )
            for p in read(jsonl(path, written)).pairs
        }  # fmt: skip

    assert counted(turning=True) == counted(turning=False)


def test_pairs_are_no_consultation(tmp_path: Path) -> None:
    """A folder of pairs is not taken for a consultation, and says what one consists of."""
    jsonl(tmp_path / "x.jsonl", [HH])

    with pytest.raises(InputError, match=r"votes\.csv"):
        read_consultation(tmp_path, root=tmp_path)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "pairs", "people", "left_out"),
    [
        ("hh_harmless", 1678, 1678, 8),
        ("hh_helpful", 1764, 1764, 14),
        ("pandalm_3annotators", 613, 1839, 41),
        ("tulu_human_eval", 716, 823, 25),
        ("llmbar", 319, 319, 0),
    ],
)
def test_real_files(data_dir: Path, name: str, pairs: int, people: int, left_out: int) -> None:
    """The shared files are read whole, in English, with each judge counted and oddities named."""
    found = read(data_dir / "preferences" / f"{name}.jsonl.gz")
    judged = [p.prefer_first + p.prefer_second + p.ties for p in found.pairs]

    assert (len(found.pairs), sum(judged)) == (pairs, people)
    assert found.languages == ("en",)
    assert sum(f.count for f in found.faults if f.policy.startswith("left out")) == left_out
