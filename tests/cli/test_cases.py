"""`normwright charter cases` from outside: rows, summary, the same bytes again, faults."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from tests.charter.builders import cases, seed, write
from tests.cli.conftest import Call


def _norms(folder: Path) -> str:
    fact = {"fact": "clinician", "eq": False}
    told = [*cases(("hit", "deny"), clinician=False), *cases(("miss", "allow", "tell"))]
    return str(write(folder, seed(status="in_force", condition=fact, cases=told)))


def _rows(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.splitlines()]


def test_items_are_written_and_told(call: Call, tmp_path: Path) -> None:
    """Items in both languages lie in the file, and the summary counts them."""
    norms, out = _norms(tmp_path / "norms"), tmp_path / "cases.jsonl.gz"
    called = call("charter", "cases", norms, "--count", "80", "--out", str(out), "--json")
    rows = _rows(out)

    assert called.code == 0, called.err
    assert called.value["rows"] == len(rows) == 160
    assert called.value["cases"] == 80
    assert sum(called.value["verdicts"].values()) == 80
    assert {row["lang"] for row in rows} == {"en", "pt"}
    assert all(row["labelled_by"] == "resolver" for row in rows)
    assert {row["id"]: row["verdict"] for row in rows if row["lang"] == "en"} == {
        row["id"]: row["verdict"] for row in rows if row["lang"] == "pt"
    }


def test_the_same_bytes_again(call: Call, tmp_path: Path) -> None:
    """The same command writes the same bytes, and a part of it the same rows."""
    norms = _norms(tmp_path / "norms")
    first, again, part = (tmp_path / name for name in ("a.jsonl.gz", "b.jsonl.gz", "c.jsonl"))
    for out in (first, again):
        call("charter", "cases", norms, "--count", "40", "--out", str(out))
    call("charter", "cases", norms, "--start", "13", "--count", "5", "--out", str(part))

    assert first.read_bytes() == again.read_bytes()
    assert _rows(part) == _rows(first)[26:36]


def test_rows_to_learn_from_keep_the_floors(call: Call, tmp_path: Path) -> None:
    """Demonstrations and pairs come without altered charters unless they are asked for."""
    norms = _norms(tmp_path / "norms")
    for form, key in (("demonstrations", "response"), ("pairs", "chosen")):
        out = tmp_path / f"{form}.jsonl"
        called = call("charter", "cases", norms, "--as", form, "--count", "20", "--lang", "pt",
                      "--out", str(out), "--json")  # fmt: skip
        rows = _rows(out)
        assert called.value["floors_kept"] is True
        assert called.value["altered"] == 0
        assert {row["lang"] for row in rows} == {"pt"}
        assert all(row[key] for row in rows)


def test_a_few_are_shown(call: Call, tmp_path: Path) -> None:
    """Without a file a few cases are shown to read."""
    called = call("charter", "cases", _norms(tmp_path / "norms"), "--lang", "en")

    assert called.code == 0
    assert "g.no-advice" in called.out


def test_what_cannot_be_drawn_is_said(call: Call, tmp_path: Path) -> None:
    """Drafts, an unknown language and too many cases are faults, and no file is left behind."""
    drafts = str(write(tmp_path / "drafts", seed()))
    norms, out = _norms(tmp_path / "norms"), tmp_path / "x.jsonl"

    assert "drafts" in call("charter", "cases", drafts, "--json").faults[0]["do"]
    assert call("charter", "cases", norms, "--lang", "xx", "--json").faults[0]["seen"] == "xx"
    many = call("charter", "cases", norms, "--count", "999999999", "--out", str(out), "--json")
    assert "at most" in many.faults[0]["expected"]
    assert list(tmp_path.glob("*x.jsonl*")) == []
