"""Critique and revision on files: what is written, what is marked, and how it goes on."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.evaluate.town import charter
from tests.learn.test_critique import CRITIC, SAFE, SECRET
from tests.serving import served

from normwright.cli import main
from normwright.flow.learning import critiquing
from normwright.flow.learning.critiquing import critiqued
from normwright.learn import read_demonstrations, read_preferences
from normwright.records import Estimate, InputError, Interval, Provenance

PRIVATE = "g.privacy.personal-data"


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def endpoint(path: Path, url: str, **more: Any) -> Path:
    path.write_text(yaml.safe_dump({"url": url, "id": "served", **more}))
    return path


ROWS = [
    {"id": "a", "lang": "en", "prompt": "What is the code?", "completion": SECRET},
    {"id": "a", "lang": "pt", "prompt": "Qual é o código?", "completion": f"É {SECRET}."},
    {"id": "b", "lang": "pt", "prompt": "Qual é?", "completion": SAFE},
]


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_revisions_become_rows_that_say_what_they_are(tmp_path: Path) -> None:
    """Both languages are revised, marked synthetic, name their norm, and can be learned from."""
    with served(CRITIC) as server:
        made = critiqued(
            written(tmp_path / "p.jsonl", ROWS), model=endpoint(tmp_path / "m.yaml", server.url),
            charter=charter(), only=[PRIVATE], out=tmp_path / "out", licence="CC0-1.0",
        )  # fmt: skip

    rows = read_demonstrations(tmp_path / "out" / "demonstrations.jsonl")
    assert [(r.lang, r.completion, r.origin, r.licence) for r in rows] == [
        ("en", SAFE, "synthetic", "CC0-1.0"), ("pt", SAFE, "synthetic", "CC0-1.0"),
    ]  # fmt: skip
    assert all(row.norms[0].startswith(PRIVATE) for row in rows)
    assert (made.run["revised"], made.run["kept"], made.run["langs"]) == (2, 1, {"en": 1, "pt": 2})
    assert made.use is not None
    assert made.use["requests"] > 0
    assert {p.name for p in tmp_path.iterdir()} == {"p.jsonl", "m.yaml", "out"}


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_pairs_have_the_share_of_people_or_are_not_there(tmp_path: Path) -> None:
    """With one norm that was voted on there are pairs, simulated, with its support; else none."""
    half = Estimate(value=0.82, n=50, interval=Interval(low=0.7, high=0.9, level=0.95, method="x"))
    told = Provenance(process="p", process_kind="human", tally="sha256:0", method="share",
                      support={"all": half})  # fmt: skip
    norms = tuple(n.model_copy(update={"provenance": told if n.id == PRIVATE else None})
                  for n in charter().norms)  # fmt: skip
    voted = charter().model_copy(update={"norms": norms})
    data = written(tmp_path / "p.jsonl", ROWS)
    with served(CRITIC) as server:
        model = endpoint(tmp_path / "m.yaml", server.url)
        one = critiqued(data, model=model, charter=voted, only=[PRIVATE], out=tmp_path / "one")
        all_ = critiqued(data, model=model, charter=voted, out=tmp_path / "all")

    pairs = read_preferences(tmp_path / "one" / "pairs.jsonl")
    assert {(p.p_chosen, p.process_kind, p.origin) for p in pairs} == {
        (0.82, "simulated", "synthetic")
    }
    assert one.run["pairs"] == 2
    assert all_.run["pairs"] == 0
    assert not (tmp_path / "all" / "pairs.jsonl").exists()


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_budget_stops_it_and_the_same_call_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written when money ends; with more, nothing that was answered is asked again."""
    monkeypatch.setattr(critiquing, "BLOCK", 1)
    data = written(tmp_path / "p.jsonl", ROWS)
    with served(CRITIC) as server:
        poor = endpoint(tmp_path / "m.yaml", server.url, budget={"requests": 4})
        with pytest.raises(InputError):
            critiqued(data, model=poor, charter=charter(), only=[PRIVATE], out=tmp_path / "out")
        assert not (tmp_path / "out").exists()
        before = len(server.asked)
        rich = endpoint(tmp_path / "m.yaml", server.url, budget={"requests": 50})

        made = critiqued(data, model=rich, charter=charter(), only=[PRIVATE], out=tmp_path / "out")

        asked = [json.dumps(one.body, sort_keys=True) for one in server.asked]
    assert before == 4
    assert made.run["revised"] == 2
    assert len(asked) == len(set(asked))


def test_faults_of_rows_norms_and_model_are_told(tmp_path: Path) -> None:
    """Unknown norms, columns nobody reads, an id twice: at once, before any model is opened."""
    twice = [{"prompt": "p", "id": "a"}, {"prompt": "q", "id": "a"}]
    data = written(tmp_path / "p.jsonl", [{"prompt": ""}, {"prompt": "p", "x": 1}, *twice])

    with pytest.raises(InputError) as error:
        critiqued(data, model=tmp_path / "none", charter=charter(), only=["n"], out=tmp_path / "o")

    assert [fault.where for fault in error.value.faults] == [
        "p.jsonl:1: prompt", "p.jsonl:2: x", "p.jsonl", "--norm",
    ]  # fmt: skip


def test_the_command_says_that_a_model_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A place that is neither a model nor an address is one fault with `--json`."""
    data = written(tmp_path / "p.jsonl", ROWS)

    with pytest.raises(SystemExit) as left:
        main(["learn", "critique", "--model", str(tmp_path / "none"), "--prompts", str(data),
              "--out", str(tmp_path / "o"), "--json"])  # fmt: skip

    assert left.value.code == 1
    assert (
        "model directory" in json.loads(capsys.readouterr().out)["error"]["faults"][0]["expected"]
    )
