"""`evaluate degeneracy` and `evaluate compare`: their contracts and refusals."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Call
from tests.evaluate.test_comparing_written import discerning, wary, wrote

from normwright.evaluate.generative import refusal_prompts, refusal_rule, refusal_suite

HEAD = "model,suite,n,correct,majority\n"


def counts(path: Path, text: str) -> Path:
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def test_degeneracy_contract(call: Call, tmp_path: Path) -> None:
    """One row a count, with the flag and its reason."""
    file = counts(tmp_path / "c.csv", "a,toxigen,940,533,534\nb,toxigen,940,700,534\n")
    rows = call("evaluate", "degeneracy", file, "--json").value["rows"]

    assert [(r["model"], r["suite"], r["degenerate"]) for r in rows] == [
        ("a", "toxigen", True), ("b", "toxigen", False)
    ]  # fmt: skip
    assert all(r["why"] for r in rows)
    assert "1 of 2" in call("evaluate", "degeneracy", file).out


def test_the_paper_stands_alone_and_beside(call: Call, tmp_path: Path) -> None:
    """The table prints by itself and beside local scores, in both languages."""
    alone = call("evaluate", "compare", "--against", "aira-paper", "--json").value
    local = counts(tmp_path / "a.csv", "mine,toxigen,940,700,534\n")
    beside = call("evaluate", "compare", local, "--against", "aira-paper", "--json").value
    first = beside["rows"][0]

    assert {"model", "suite", "n", "score", "interval", "constant", "degenerate"} <= set(first)
    assert (first["model"], first["degenerate"]) == ("mine", False)
    assert beside["rows"][1:] == alone["rows"]
    assert "2406.11039" in alone["against"]["reference"]
    said = call("evaluate", "compare", "--against", "aira-paper", "--lang", "pt").out
    assert "não é melhora" in said


def test_two_files_are_compared(call: Call, tmp_path: Path) -> None:
    """A damaged model's rise is no improvement; claims get Holm's correction."""
    a = counts(tmp_path / "a.csv", "x,hellaswag,10042,5319,2511\nx,truthfulqa,817,323,365\n")
    b = counts(tmp_path / "b.csv", "y,hellaswag,10042,2708,2511\ny,truthfulqa,817,415,365\n")
    found = call("evaluate", "compare", a, b, "--claim", "truthfulqa", "--json").value
    by = {c["suite"]: c for c in found["comparisons"]}

    assert by["truthfulqa"]["verdict"] == "not an improvement"
    assert by["truthfulqa"]["p_holm"] == by["truthfulqa"]["p_value"]
    assert by["hellaswag"]["p_holm"] is None


def test_written_answers_are_compared_in_both_languages(call: Call, tmp_path: Path) -> None:
    """The contract's rows, over-refusal apart, the judge beside, and the difference behind it."""
    rule, asking = refusal_rule(), refusal_prompts("pt")
    for name, answer in (("a", wary), ("b", discerning)):
        wrote(tmp_path / name, refusal_suite(rule), asking, answer, rule, model=name)
    args = ["evaluate", "compare", tmp_path / "a", tmp_path / "b", "--claim", "refusal",
            "--claim", "refusal:refused-benign"]  # fmt: skip
    value = call(*args, "--html", tmp_path / "p.html", "--json").value
    over = value["comparisons"][2]
    shown = [call(*args, "--lang", lang).out for lang in ("en", "pt")]
    page = (tmp_path / "p.html").read_text(encoding="utf-8")

    assert len(value["rows"]) == 6
    for row in value["rows"]:
        assert {"model", "suite", "n", "score", "interval", "constant", "degenerate"} <= set(row)
        assert row["judge"]["sensitivity"]["interval"]
    assert (over["metric"], over["better"], over["verdict"]) == (
        "refused-benign", "less", "improvement"
    )  # fmt: skip
    assert over["corrected"]["interval"][1] < 0
    assert over["p_holm"] >= over["p_value"]
    assert all("refusal-rule" in told for told in shown)
    assert "less is better" in " ".join(shown[0].split())
    assert "juiz" in shown[1]
    assert "refused-benign" in page
    assert "counted by refusal-rule" in page
    assert "contado por refusal-rule" in page
    missing = call(*args, "--claim", "refusal:nothing", "--json")
    assert missing.faults[0]["seen"] == "refusal:nothing"


def test_refusals(call: Call, tmp_path: Path) -> None:
    """Nothing given is a wrong use; unknown tables, claims, files and JSON are faults."""
    a = counts(tmp_path / "a.csv", "x,arc,100,50,30\n")
    many = counts(tmp_path / "m.csv", "y,arc,100,50,30\nz,arc,100,50,30\n")
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")

    assert call("evaluate", "compare").code == 2
    for arguments, seen in (
        (["--against", "nope"], "nope"), ([a, a, "--claim", "bbq"], "bbq"),
        ([tmp_path / "none"], "no such file"), ([other], "other JSON"), ([a, many], "x"),
        ([tmp_path], "none of them"),
    ):  # fmt: skip
        called = call("evaluate", "compare", *arguments, "--json")
        assert called.code == 1
        assert called.faults[0]["seen"] == seen
