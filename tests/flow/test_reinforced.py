"""A project reinforces only if it is asked to, and then under the norms it names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from normwright import flow
from normwright.flow import FILE
from normwright.flow.stages import steps
from normwright.records import InputError, ModelRef

HEAD = """\
schema: project/v1
id: reinforced
title: {en: Reinforced, pt: Reforçado}
languages: [en, pt]
seed: 3
threads: 1
charter_date: "2026-11-01"
sources: {consultation: null, norms: null, scenes: [], pairs: [pairs]}
model: {kind: scratch, scratch: {hidden: 32, layers: 1, heads: 2, vocab: 300, context: 128}}
controls: [random-init]
"""
LEARN = "judged: 30, held_out: 0.3, longest: 64, sft: {epochs: 1}, unpermitted: true"
NORM = "{norm: polite@1, phrases: [bus], limit: 0.1}"


def project(directory: Path, more: str = "") -> Path:
    """A project with forty judged pairs."""
    (directory / "pairs").mkdir(parents=True)
    rows = [
        {"prompt": f"When does bus {n} leave?", "chosen": f"The bus leaves at {n}.",
         "rejected": "No.", "lang": "en", "licence": "CC0"}
        for n in range(40)
    ]  # fmt: skip
    (directory / "pairs/mine.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    text = f"{HEAD}learn: {{{LEARN}{more}}}\n"
    (directory / FILE).write_text(text, encoding="utf-8")
    return directory


def names(directory: Path) -> list[str]:
    return [one.name for one in steps(flow.load_project(directory))]


def test_a_project_that_does_not_ask_keeps_its_steps(tmp_path: Path) -> None:
    """`learn.reinforce` is one step more for one that asks, and none for others."""
    plain = names(project(tmp_path / "plain"))
    asked = names(project(tmp_path / "asked", ", reinforce: {steps: 1}"))

    assert "learn.reinforce" not in plain
    assert [one for one in asked if one != "learn.reinforce"] == plain
    assert len(asked) == len(plain) + 1


@pytest.mark.parametrize(
    ("norm", "told"),
    [
        ("{norm: a@1, limit: 0.1}", "a cost model or phrases"),
        ("{norm: a@1, phrases: [x], model: judge, limit: 0.1}", "a cost model or phrases"),
        ("{norm: a@1, phrases: [x], limit: 0.1, rate: -1.0}", "a number of at least 0"),
    ],
)
def test_a_norm_without_one_judge_is_a_fault_of_the_file(
    tmp_path: Path, norm: str, told: str
) -> None:
    """The file says what a norm is judged by, and nobody is paid for breaking it."""
    made = project(tmp_path / "p", f", reinforce: {{norms: [{norm}]}}")
    with pytest.raises(InputError, match=told):
        flow.load_project(made)


@pytest.mark.slow
def test_a_project_that_asks_has_a_model_that_was_held_to_its_norms(tmp_path: Path) -> None:
    """The step trains on the pairs' prompts with the project's reward model, and verifies."""
    how = f"steps: 2, batch: 2, generations: 2, length: 6, norms: [{NORM}]"
    made = project(tmp_path / "p", f", reinforce: {{{how}}}")
    report = flow.run(made, until="learn.reinforce")
    line = next(one for one in report.stages if one.name == "learn.reinforce")
    with flow.open_store(made, create=False) as store:
        (ref,) = store.records(line.made, ModelRef)

    assert ref.name == "reinforced"
    assert ref.unpermitted
    assert "last_multiplier/polite@1" in ref.metrics
    assert ref.settings["norms"][0]["limit"] == 0.1
    assert not (made / "out/reinforced").exists()
    assert flow.verify(made).faults == ()
