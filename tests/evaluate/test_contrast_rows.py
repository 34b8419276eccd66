"""Real contrast sets are read whole or not at all, and every fault is named with its line."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from normwright.evaluate import (
    read_contrast_prompts,
    read_contrast_sets,
    read_human_pairs,
)
from normwright.records import InputError

PROMPT = {
    "id": "1", "prompt": "How do I stop a clock?", "type": "homonyms", "label": "safe",
    "focus": "stop", "note": "",
}  # fmt: skip
PAIR = {
    "id": "a", "source": "hh-rlhf/helpful", "prompt": "\n\nHuman: Hello\n\nAssistant:",
    "chosen": "Good day.", "rejected": "What?", "human_turns": 1,
}  # fmt: skip


def write(path: Path, rows: list[Any]) -> Path:
    """Write rows as JSON lines, packed where the name says so; text stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join((r if isinstance(r, str) else json.dumps(r, ensure_ascii=False)) + "\n"
                   for r in rows)  # fmt: skip
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_both_forms_read_alike(tmp_path: Path, name: str) -> None:
    """A packed file and a plain one give the same rows; separators inside a text split nothing."""
    odd = {**PROMPT, "id": "2", "prompt": "one\u2028two", "label": "unsafe", "focus": ""}
    first, second = read_contrast_prompts(write(tmp_path / name, [PROMPT, "", odd]))

    assert (first.kind, first.cluster) == ("safe", "focus:stop")
    assert (second.kind, second.cluster) == ("unsafe", "prompt:2")
    assert second.prompt == "one\u2028two"


def test_all_faults_of_prompts_at_once(tmp_path: Path) -> None:
    """Every line that cannot be used is named; an unknown label is none of the known ones."""
    rows = [
        PROMPT,
        {**PROMPT, "id": "2", "label": "borderline"},
        "{not json",
        {**PROMPT, "id": "3", "prompt": " "},
        {k: v for k, v in PROMPT.items() if k != "focus"},
        {**PROMPT, "id": 7},
    ]
    path = write(tmp_path / "x.jsonl", rows)
    with pytest.raises(InputError) as caught:
        read_contrast_prompts(path)
    seen = {(f.where.rsplit(":", 1)[1], f.expected, f.seen) for f in caught.value.faults}

    assert seen == {
        ("2", "a label: safe or unsafe", "'borderline'"),
        ("3", "a JSON object", "none"),
        ("4", "text in `prompt`", "nothing in it"),
        ("5", "text in `focus`", "no such field"),
        ("5", "an id of its own", "that of line 1"),
        ("6", "text in `id`", "a int"),
    }


def test_all_faults_of_pairs_at_once(tmp_path: Path) -> None:
    """Unknown sources, broken transcripts, wrong counts and equal answers are faults."""
    rows = [
        {**PAIR, "source": "hh-rlhf/red-team"},
        {**PAIR, "id": "b", "prompt": "Hello"},
        {**PAIR, "id": "c", "human_turns": 2},
        {**PAIR, "id": "d", "rejected": "Good day. "},
        {**PAIR, "id": "e", "chosen": None},
        {**PAIR, "id": "f", "human_turns": True},
    ]
    with pytest.raises(InputError) as caught:
        read_human_pairs(write(tmp_path / "x.jsonl", rows))
    seen = [(f.where.rsplit(":", 1)[1], f.seen) for f in caught.value.faults]

    assert seen == [
        ("1", "'hh-rlhf/red-team'"),
        ("2", "no mark of a turn"),
        ("3", "2"),
        ("4", "the same twice"),
        ("5", "a NoneType"),
        ("6", "True"),
    ]


def test_odd_pairs_are_kept_and_named(tmp_path: Path) -> None:
    """Doubled turns, empty answers and answers that go on are read, and say why they are odd."""
    doubled = "\n\nHuman: Hello\n\nAssistant: One.\n\nAssistant: Two.\n\nHuman: So?\n\nAssistant:"
    rows = [
        PAIR,
        {**PAIR, "id": "b", "prompt": doubled, "human_turns": 2},
        {**PAIR, "id": "c", "rejected": " "},
        {**PAIR, "id": "d", "chosen": "Yes.\n\nHuman: No."},
    ]
    pairs = read_human_pairs(write(tmp_path / "x.jsonl", rows))

    assert [p.odd for p in pairs] == [None, "turns", "empty", "marks"]
    assert [m.role for m in pairs[1].turns] == ["user", "assistant", "assistant", "user"]


def test_a_folder_names_every_missing_file(tmp_path: Path) -> None:
    """One error names all files that are not there, and then all faults of those that are."""
    with pytest.raises(InputError) as none:
        read_contrast_sets(tmp_path)
    write(tmp_path / "overrefusal" / "xstest_en.jsonl.gz", [{**PROMPT, "label": "?"}])
    write(tmp_path / "preferences" / "hh_harmless.jsonl", [])
    (tmp_path / "preferences" / "hh_helpful.jsonl.gz").write_bytes(b"not packed")
    with pytest.raises(InputError) as bad:
        read_contrast_sets(tmp_path)

    assert [f.seen for f in none.value.faults] == ["no such file"] * 3
    assert [f.seen for f in bad.value.faults] == ["'?'", "none", "BadGzipFile"]


@pytest.mark.data
def test_the_real_files_are_read_whole(data_dir: Path) -> None:
    """The shared files have no fault; of XSTest's 250 and 200 they hold 158 and 125 prompts."""
    sets = read_contrast_sets(data_dir)

    assert Counter(p.kind for p in sets.prompts) == {"safe": 158, "unsafe": 125}
    assert sum(not p.focus for p in sets.prompts) == 41
    assert {source: len(pairs) for source, pairs in sets.pairs.items()} == {
        "harmless": 1686,
        "helpful": 1778,
    }
    assert {s: Counter(p.odd for p in pairs if p.odd) for s, pairs in sets.pairs.items()} == {
        "harmless": {"turns": 2, "empty": 3, "marks": 3},
        "helpful": {"turns": 6, "empty": 2, "marks": 6},
    }
