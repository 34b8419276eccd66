"""Running text as rows: what is read, and every fault of a file at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.learn import read_memories, read_passages
from normwright.records import Demonstration, InputError, Passage


def written(place: Path, *rows: Any) -> Path:
    place.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return place


def test_scores_spans_and_licences_are_read(tmp_path: Path) -> None:
    """A row keeps its score or spans; without either it is unscored."""
    one, two, three = read_passages(
        written(
            tmp_path / "a.jsonl",
            {"text": "a", "score": 0.5, "lang": "en", "licence": "CC0-1.0"},
            {"text": "abc", "spans": [[0, 1, 2.5]]},
            {"text": "c"},
        )
    )

    assert (one.score, one.licence, one.lang) == (0.5, "CC0-1.0", "en")
    assert two.spans == ((0, 1, 2.5),)
    assert (three.score, three.spans, three.licence) == (None, (), "unknown")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('{"text": "a", "score": NaN}', "a finite number"),
        ({"text": " "}, "text"),
        ({"text": "a", "toxicity": 1}, "a column that would be ignored"),
        ({"text": "a", "score": 1, "spans": [[0, 1, 1]]}, "either score or spans"),
        ({"text": "ab", "spans": [[0, 2, 1], [1, 2, 1]]}, "2 <= start"),
        ({"text": "ab", "spans": [[0, 3, 1]]}, "2 characters"),
        ({"text": "ab", "spans": [[0, True, 1]]}, "[start, end, score]"),
        ({"text": "ab", "origin": "robot"}, "human, synthetic, translated"),
        ("[]", "a JSON object"),
        ("", "at least one row"),
    ],
)
def test_a_row_that_is_wrong_says_where_and_how(tmp_path: Path, row: Any, expected: str) -> None:
    """Each fault names file and line, what was expected and what stood there."""
    with pytest.raises(InputError, match=r"b\.jsonl") as error:
        read_passages(written(tmp_path / "b.jsonl", row))

    assert expected in str(error.value)


def test_the_first_row_says_what_a_file_holds(tmp_path: Path) -> None:
    """Text or demonstrations; a file that mixes them is refused."""
    shown = {"prompt": "a", "completion": "b"}
    assert isinstance(read_memories(written(tmp_path / "t.jsonl", {"text": "a"}))[0], Passage)
    assert isinstance(read_memories(written(tmp_path / "d.jsonl", shown))[0], Demonstration)
    with pytest.raises(InputError, match="a column that would be ignored"):
        read_memories(written(tmp_path / "m.jsonl", {"text": "a"}, shown))
