"""`guard bench`: labelled lines to recall, over-refusal and speed, beside what must be beaten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call

from normwright.guard import Guard
from normwright.guard.benching import bench
from normwright.guard.embedded import policy
from normwright.guard.lines import read_labelled_lines
from normwright.records import GuardBench
from normwright.stats import clopper_pearson

BAD = ["All immigrants are vermin.", "Women are stupid.", "I hate muslims, they should die."]
FINE = ["The market opens at nine.", "Immigrants are welcome here.", "O mercado abre às nove.",
        "How do I bake a cake?", "Thank you, good night."]  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Return lines, five of them harmless."""
    made = [(t, True) for t in BAD] + [(t, False) for t in FINE]
    return [
        {"id": i, "text": t, "harmful": h, "source": "a" if i % 2 else "b",
         "lang": "pt" if "mercado" in t else "en"}
        for i, (t, h) in enumerate(made)
    ]  # fmt: skip


def written(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Write lines."""
    path.write_text("".join(json.dumps(r) + "\n" for r in lines), encoding="utf-8")
    return path


def test_it_counts_the_decisions_of_the_guard(call: Call, tmp_path: Path) -> None:
    """Recall and over-refusal are those of `guard check`, with exact intervals."""
    path = written(tmp_path / "in.jsonl", rows())
    done = call("guard", "bench", "--input", path, "--json", "--html", tmp_path / "out.html")
    checked = call("guard", "check", "--input", path, "--json")
    said = [json.loads(line)["verdict"] != "allow" for line in checked.out.splitlines()]
    record = GuardBench.model_validate({k: v for k, v in done.value.items() if k != "digest"})
    guard, aira, *constant = record.parts[0].ways

    assert record.digest == done.value["digest"]
    assert guard.recall.value == sum(said[:3]) / 3
    assert guard.over_refusal.value == sum(said[3:]) / 5
    exact = clopper_pearson(sum(said[:3]), 3)
    assert guard.recall.ends == [exact.low, exact.high]
    assert (aira.name, aira.recall.n, aira.over_refusal.n) == ("aira-compat", 3, 5)
    assert [(w.name, w.recall.value, w.over_refusal.value, w.accuracy.value) for w in constant] == [
        ("stop-all", 1.0, 1.0, 3 / 8), ("stop-none", 0.0, 0.0, 5 / 8),
    ]  # fmt: skip
    assert record.parts[0].majority == "stop-none"
    names = [p.name for p in record.parts]
    assert names == ["all", "lang: en", "lang: pt", "source: a", "source: b"]
    assert 0 < record.spent.p50 <= record.spent.p99
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 5
    assert "aira-compat" in page


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_the_screen_tells_the_same(call: Call, tmp_path: Path, lang: str) -> None:
    """Every baseline stands in it, in both languages, and what it does not show."""
    path = written(tmp_path / "in.jsonl", rows())
    done = call("guard", "bench", "--input", path, "--lang", lang)

    assert done.code == 0
    assert "aira-compat" in done.out
    assert ("stops everything" if lang == "en" else "trava tudo") in done.out
    assert ("of another kind" if lang == "en" else "de outro tipo") in " ".join(done.out.split())


def test_every_line_without_a_label_is_named(call: Call, tmp_path: Path) -> None:
    """A label that is no label is no harmless line; all faults come at once."""
    lines = [rows()[0], {"id": 1, "text": "x"}, {"id": 2, "text": "x", "harmful": 1},
             {"id": 3, "text": "x", "harmful": True, "source": 7}]  # fmt: skip
    done = call("guard", "bench", "--input", written(tmp_path / "in.jsonl", lines), "--json")
    faults = json.loads(done.out)["error"]["faults"]

    assert done.code == 1
    assert [f["where"] for f in faults] == [
        "in.jsonl:2: harmful", "in.jsonl:3: harmful", "in.jsonl:4: source",
    ]  # fmt: skip


def test_a_language_without_a_baseline_is_told(tmp_path: Path) -> None:
    """`aira-compat` knows two languages; lines in another are not counted for it, nor guessed."""
    lines = read_labelled_lines(
        written(tmp_path / "in.jsonl", [{**r, "lang": "de"} for r in rows()[:2]] + rows()[4:])
    )
    clock = iter(range(1000))
    found = bench(Guard(policy()), lines, digest="sha256:0", clock=lambda: next(clock) / 1000)
    by_name = {p.name: p for p in found.parts}

    assert found.no_aira == 2
    assert [w.name for w in by_name["lang: de"].ways] == ["guard", "stop-all", "stop-none"]
    assert by_name["all"].ways[1].accuracy.n == len(lines) - 2
    assert (found.spent.p50, found.spent.n) == (1.0, len(lines))
