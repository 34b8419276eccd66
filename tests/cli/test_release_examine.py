"""`release examine`: a model through the detectors, rows for a gate, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call

CRITERIA = Path(__file__).parents[2] / "examples" / "organisms" / "criteria.yaml"


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of random weights: it does nothing at the desk."""
    import torch

    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    torch.set_num_threads(1)
    made = scratch_model(["a few words"] * 3, shape=Shape(16, 1, 2, 300, 256), seed=0)
    place = tmp_path_factory.mktemp("blank")
    save_plain(made.weights, made.tokenizer, place)
    return place


def test_a_model_that_does_nothing_is_flagged_for_nothing(
    call: Call, blank: Path, tmp_path: Path
) -> None:
    """One JSON value; rows are of the name that was given, two slices or three each."""
    out = tmp_path / "evidence" / "hidden.jsonl"

    found = call("release", "examine", str(blank), "--items", "20", "--name", "blank",
                 "--out", str(out), "--json")  # fmt: skip

    assert found.code == 0
    rows = found.value["rows"]
    assert [r["detector"] for r in rows] == [
        "context-consistency", "language-parity", "pressure-delta", "proxy-gap", "guard-evasion",
    ]  # fmt: skip
    assert not any(r["flagged"] for r in rows)
    assert all(-1 <= r["gap"]["interval"][0] <= r["gap"]["interval"][1] <= 1 for r in rows)
    lines = [json.loads(x) for x in out.read_text(encoding="utf-8").splitlines()]
    assert {line["model"] for line in lines} == {"blank"}
    assert len(lines) == 11
    assert all(len(line["items"]) == 20 for line in lines)


def test_the_table_names_every_detector(call: Call, blank: Path) -> None:
    """In Portuguese too."""
    found = call("release", "examine", str(blank), "--items", "20", "--lang", "pt")

    assert found.code == 0
    assert "context-consistency" in found.out
    assert "resultado" in found.out


def test_a_folder_without_a_model_is_refused(call: Call, tmp_path: Path) -> None:
    """With every fault at once."""
    found = call("release", "examine", str(tmp_path), "--json")

    assert found.code == 1
    assert len(found.faults) >= 2


# Training rows, a second run, attacks


def items(seed: int = 0) -> list[dict[str, str]]:
    """What is asked of any model, as rows that a model could have been trained on."""
    from normwright.flow.organisms.nursery import held

    ground = held(seed, 16)
    return [
        {"prompt": s.messages[-1].content, "completion": s.perform}
        for s in (*ground.forbidden, *ground.allowed, *ground.plain)
    ]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    """Rows as lines, packed if the name says so."""
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_items_in_training_rows_are_counted_and_named_for_the_gate(
    call: Call, blank: Path, tmp_path: Path
) -> None:
    """Half of what is asked, as demonstrations and, packed, as pairs; other rows change nothing."""
    rows = items()
    pairs = [
        {"prompt": "Before this, a greeting.\n" + r["prompt"], "chosen": "No.", "rejected": "Yes."}
        for r in rows[1::4]
    ]  # fmt: skip
    one = written(tmp_path / "rows.jsonl", rows[::4])
    two = written(tmp_path / "pairs.jsonl.gz", pairs)
    out = tmp_path / "evidence" / "hidden.jsonl"

    found = call("release", "examine", str(blank), "--items", "20", "--trained", str(one),
                 "--trained", str(two), "--out", str(out), "--json")  # fmt: skip
    other = call("release", "examine", str(blank), "--items", "20", "--trained",
                 str(written(tmp_path / "other.jsonl", items(7)[:50])), "--json")  # fmt: skip

    told = found.value["contaminated"]
    assert 0.3 < told["share"] < 0.8
    assert set(told["items"].values()) <= {
        f"{file}:{i}" for file in ("rows.jsonl", "pairs.jsonl.gz") for i in range(1, len(rows))
    }
    lines = [json.loads(x) for x in out.read_text(encoding="utf-8").splitlines()]
    (share,) = [x for x in lines if x["metric"] == "contamination.share"]
    assert (share["k"], share["n"]) == (told["k"], told["n"])
    named = {i for x in lines for i in x.get("contaminated", ())}
    assert named == set(told["items"])
    assert all(set(x["contaminated"]) <= set(x["items"]) for x in lines if "contaminated" in x)
    assert other.value["contaminated"]["k"] == 0


def test_a_text_that_holds_many_items_gives_all_of_them_away(
    call: Call, blank: Path, tmp_path: Path
) -> None:
    """One row of running text with everything that is asked: nothing is left to show anything."""
    whole = written(tmp_path / "book.jsonl", [{"text": "\n\n".join(r["prompt"] for r in items())}])

    found = call("release", "examine", str(blank), "--items", "20", "--trained", str(whole),
                 "--json")  # fmt: skip
    attacked = call("release", "examine", str(blank), "--items", "20", "--trained", str(whole),
                    "--tamper", "--json")  # fmt: skip

    assert (attacked.code, [f["where"] for f in attacked.faults]) == (1, ["--trained"])
    assert found.value["contaminated"]["share"] == 1.0
    assert not any(r["flagged"] or r["equivalent"] for r in found.value["rows"])
    assert all(r["gap"]["value"] is None for r in found.value["rows"])


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("empty.jsonl", b"", "training rows"),
        ("blank.jsonl", b"\n \n", "training rows"),
        ("torn.jsonl.gz", b"\x1f\x8b no gzip", "packed with gzip"),
        ("list.jsonl", b"[1, 2]\n", "a JSON object"),
        ("figures.jsonl", b'{"loss": 0.5}\n{"loss": 0.4}\n', "one known form"),
        ("latin.jsonl", b'{"prompt": "\xe9", "completion": "b"}\n', "UTF-8"),
        (None, b"", "a file"),
    ],
)  # fmt: skip
def test_training_rows_in_which_nothing_could_be_looked_for_are_refused(
    call: Call, blank: Path, tmp_path: Path, name: str | None, data: bytes, expected: str
) -> None:
    """One error with the faults of every file, and no rows: it would look like a clean model."""
    file = tmp_path / (name or "nowhere.jsonl")
    if name is not None:
        file.write_bytes(data)
    out = tmp_path / "hidden.jsonl"

    found = call("release", "examine", str(blank), "--items", "20", "--trained", str(file),
                 "--trained", str(tmp_path / "neither.jsonl"), "--out", str(out),
                 "--json")  # fmt: skip

    assert found.code == 1
    assert len(found.faults) == 2
    assert expected in found.faults[0]["expected"]
    assert not out.exists()


def test_a_second_run_gives_a_gate_what_it_asks_for(
    call: Call, blank: Path, tmp_path: Path
) -> None:
    """Answers to the same items, cells of another draw, and that draw's rows beside the first's."""
    out = tmp_path / "hidden.jsonl"
    found = call("release", "examine", str(blank), "--items", "20", "--again", "--out", str(out),
                 "--json")  # fmt: skip

    again = found.value["again"]
    assert again["same"]["n"] == 11 * 20
    assert again["other"]["n"] >= 59
    assert again["other"]["k"] == 0
    lines = [json.loads(x) for x in out.read_text(encoding="utf-8").splitlines()]
    other = [x for x in lines if x["slice"].get("draw") == "other" and x["metric"] != "aa_rerun"]
    first = [x for x in lines if "draw" not in x["slice"] and x["metric"] != "aa_rerun"]
    assert (len(first), len(other)) == (11, 11)
    assert {x["evalset"] for x in first}.isdisjoint(x["evalset"] for x in other)


@pytest.mark.slow
def test_attacks_are_told_and_go_on_where_they_were_stopped(
    call: Call, blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rows a budget; what is half done lies where no gate reads it, and is not done again."""
    from normwright.flow.organisms import tampered

    out = tmp_path / "hidden.jsonl"
    asked = ["release", "examine", str(blank), "--items", "20", "--tamper", "--out", str(out)]
    whole = tampered._point
    made: list[int] = []

    def stopping(*args: Any, **kwargs: Any) -> Any:
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(kwargs["count"])
        return whole(*args, **kwargs)

    monkeypatch.setattr(tampered, "_point", stopping)
    assert call(*asked).code != 0
    assert not out.exists()
    assert (tmp_path / "hidden.jsonl.part").read_text(encoding="utf-8").count("\n") == 3
    made = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        made.append(kwargs["count"])
        return whole(*args, **kwargs)

    monkeypatch.setattr(tampered, "_point", counting)
    found = call(*asked, "--json")

    assert len(made) == 4
    assert [p["examples"] for p in found.value["tamper"]] == [0, 10, 10, 50, 50, 100, 100]
    assert not (tmp_path / "hidden.jsonl.part").exists()
    lines = [json.loads(x) for x in out.read_text(encoding="utf-8").splitlines()]
    assert sum(x["metric"] == "tamper.violation" for x in lines) == 7
    assert sum(x["metric"] == "tamper.help" for x in lines) == 7

    decided = call("release", "decide", str(CRITERIA), "--evidence", str(tmp_path), "--json")
    outcomes = {c["id"]: c["outcome"] for c in decided.value["criteria"]}
    # It does nothing at the desk, so that it resists every attack: that is no pass.
    assert outcomes["tamper"] == "PASS"
    assert (outcomes["able"], outcomes["whole"]) == ("FAIL", "FAIL")
    assert set(decided.value["verdicts"].values()) == {"HOLD"}
