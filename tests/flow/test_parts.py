"""A project has the parts its file names, and goes as far as they carry it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from normwright import flow, web
from normwright.cli import main
from normwright.flow import FILE, Findings
from normwright.flow.stages import steps
from normwright.records import InputError

HEAD = """\
schema: project/v1
id: parts
title: {en: Parts, pt: Partes}
languages: [en, pt]
seed: 3
threads: 1
charter_date: "2026-11-01"
"""
WORDS = ("when", "where", "how", "much", "many", "does", "the", "bus", "library", "open", "close",
         "today", "garden", "market")  # fmt: skip


def project(directory: Path, sources: str, more: str = "") -> Path:
    """A project with these sources."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / FILE).write_text(f"{HEAD}sources: {sources}\n{more}", encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A consultation of twenty people in two camps, and nothing else, run to its end."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "consultation").mkdir()
    rows = ["timestamp,datetime,comment-id,voter-id,vote"]
    tally = {}
    for item in range(8):
        said = [(1 if item < 3 or (person < 10) == (item % 2 == 0) else -1) for person in range(20)]
        tally[item] = (said.count(1), said.count(-1))
        rows += [f"15000000000{p:02},x,{item},{p},{vote}" for p, vote in enumerate(said)]
    lines = ["timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body"]
    lines += [f"1500000000000,x,{i},1,{a},{d},1,Statement {i}." for i, (a, d) in tally.items()]
    (folder / "consultation/comments.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "consultation/votes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    project(folder, "{consultation: consultation, norms: null, scenes: []}")
    flow.run(folder)
    return folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty judged pairs and a model made on the spot, run to its end."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "pairs").mkdir()
    rows = [
        {
            "prompt": f"{WORDS[n % 14]} {WORDS[(n * 3 + 1) % 14]} {n}?",
            "chosen": f"the {WORDS[(n * 5) % 14]} is here",
            "rejected": "no",
            "lang": "en",
            "licence": "CC0",
        }
        for n in range(60)
    ]
    (folder / "pairs/mine.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    more = """\
model: {kind: scratch, scratch: {hidden: 32, layers: 1, heads: 2, vocab: 300, context: 128}}
learn: {judged: 30, held_out: 0.3, longest: 64, sft: {epochs: 1}, prefer: {epochs: 1},
        unpermitted: true}
controls: [random-init]
"""
    project(folder, "{consultation: null, norms: null, scenes: [], pairs: [pairs]}", more)
    flow.run(folder)
    return folder


def test_votes_alone_end_with_outcomes_and_a_report(asked: Path) -> None:
    """Nothing is learned or decided; the report says what people said, in both languages."""
    found = flow.findings(asked)
    page = web.publish(asked).read_text(encoding="utf-8")

    assert [s.name for s in flow.status(asked).stages] == ["elicit", "aggregate"]
    assert found.policy is None
    assert found.verdict is None
    assert 'data-part="outcome"' in page
    assert "Common ground" in page
    assert "Terreno comum" in page
    assert "Statement 0." in page
    assert not (asked / "out/charter.html").exists()
    assert flow.verify(asked).faults == ()


def test_judged_pairs_alone_end_with_measured_weights(judged: Path) -> None:
    """A reward model and an aligned model are measured on prompts nothing was learned from."""
    found = flow.findings(judged)
    page = web.publish(judged).read_text(encoding="utf-8")
    roles = {m.model for m in found.measurements if m.suite == "judged-pairs"}

    assert {"base", "tuned", "aligned", "reward", "control:random-init"} <= roles
    assert 'data-part="pairs"' in page
    assert not (judged / "out/model").exists()
    assert flow.verify(judged).faults == ()


def test_what_is_held_out_is_not_among_the_pairs_learned_from(judged: Path) -> None:
    """Their prompts are disjoint, and every row is accounted for."""
    found: Findings = flow.findings(judged)
    rows = {d.kind: d.rows for d in found.datasets}
    left = next(d.left_out for d in found.datasets if d.kind == "pairs")

    assert rows["judgements"] == 60
    assert rows["pairs"] + rows["held-out"] + sum(left.values()) == 60
    assert rows["demonstrations"] == rows["pairs"]


@pytest.mark.parametrize(
    ("sources", "where"),
    [
        ("{consultation: null, norms: norms, scenes: []}", "sources.norms"),
        ("{consultation: consultation, norms: null, scenes: [scenes]}", "sources.scenes"),
        ("{consultation: null, norms: null, scenes: []}", "sources"),
    ],
)
def test_a_part_without_the_one_it_rests_on_is_a_fault(
    tmp_path: Path, sources: str, where: str
) -> None:
    """It is named with what it needs, and why."""
    for name in ("consultation", "norms", "scenes"):
        (tmp_path / name).mkdir()

    with pytest.raises(InputError) as error:
        flow.load_project(project(tmp_path, sources))

    assert f"{FILE}: {where}" in {f.where for f in error.value.faults}


def test_a_project_that_names_no_part_has_those_of_the_template(tmp_path: Path) -> None:
    """Left out, a part counts with its default, and its absence on disk is a fault."""
    (tmp_path / FILE).write_text(HEAD, encoding="utf-8")

    with pytest.raises(InputError) as error:
        flow.load_project(tmp_path)

    assert {f.where for f in error.value.faults} >= {
        f"{FILE}: sources.{name}" for name in ("consultation", "norms", "scenes[0]")
    }


@pytest.mark.parametrize(
    ("parts", "command", "lacking"),
    [
        ("asked", ["chat", "--say", "Hello"], ["norms", "scenes"]),
        ("asked", ["charter", "show"], ["norms"]),
        ("asked", ["charter", "decide", "--act", "disclose.personal-data"], ["norms"]),
        ("judged", ["chat", "--say", "Hello"], ["consultation", "norms", "scenes"]),
        ("judged", ["charter", "show"], ["consultation", "norms"]),
    ],
)
def test_a_command_says_which_part_it_would_need(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    parts: str,
    command: list[str],
    lacking: list[str],
) -> None:
    """A run would never make what no part of the project leads to, so none is advised alone."""
    place = request.getfixturevalue(parts)
    at = 1 if command[0] == "chat" else 2
    with pytest.raises(SystemExit) as left:
        main([*command[:at], str(place), *command[at:], "--json"])
    faults = json.loads(capsys.readouterr().out)["error"]["faults"]

    assert left.value.code == 1
    assert [fault["where"] for fault in faults] == [f"{FILE}: sources.{name}" for name in lacking]
    assert all(fault["do"].startswith("Name it there") for fault in faults)


def test_results_with_a_verdict_are_refused_where_there_is_none(asked: Path) -> None:
    """Whoever needs a verdict is told what the project lacks for one; findings are there."""
    with pytest.raises(InputError) as error:
        flow.results(asked)

    assert [f.where for f in error.value.faults] == [
        f"{FILE}: sources.norms",
        f"{FILE}: sources.scenes",
    ]
    assert len(steps(flow.load_project(asked))) == 2
