"""Reinforcement end to end: what is worth more becomes likelier, within norms, and resumes."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.learn.reinforcing import prompts, start, vowels

from normwright.learn import reinforce
from normwright.learn.rewards import Budget, Constraint, Groups, phrases
from normwright.models.local import LocalModel
from normwright.models.tuning import Loop, Lora, save_plain
from normwright.models.tuning.running import Running
from normwright.records import InputError, PermitError

LOOP = Loop(steps=2, batch=2, lr=3e-3, weight_decay=0.0)
ENV = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MASTER_ADDR": "localhost",
}


def trained(**settings: Any) -> tuple[LocalModel, dict[str, float]]:
    torch.set_num_threads(1)
    given: dict[str, Any] = {
        "reward": vowels, "loop": LOOP, "generations": 4, "length": 6, "unpermitted": True,
        **settings,
    }  # fmt: skip
    return reinforce(given.pop("start", None) or start(), given.pop("prompts", prompts()), **given)


def test_answers_worth_more_become_likelier_while_a_norm_is_priced_in() -> None:
    """Reward rises above where it began, the multiplier follows the cost, the start stays."""
    before = start()
    kept = {name: part.clone() for name, part in before.weights.state_dict().items()}
    running = Running()
    held = Constraint("n@1", phrases(["s"]), limit=0.0, rate=0.2)
    made, metrics = trained(
        start=before, constraints=[held], running=running, generations=8,
        loop=Loop(steps=16, batch=4, lr=1e-2, weight_decay=0.0, warmup=0.0, decay="constant"),
    )  # fmt: skip
    steps = [step for step, _ in running.history["multiplier/n@1"]]
    costs = [cost for _, cost in running.history["cost/n@1"]]
    multipliers = [value for _, value in running.history["multiplier/n@1"]]

    assert metrics["last_reward"] > metrics["first_reward"] + 0.1
    assert metrics["last_divergence"] > 0.1
    assert metrics["tokens_a_second"] > 0
    assert steps == list(range(1, 17))
    for i in range(1, 16):
        assert multipliers[i] == pytest.approx(multipliers[i - 1] + 0.2 * costs[i - 1])
    assert all(torch.equal(kept[name], part) for name, part in before.weights.state_dict().items())
    assert "fused" not in str(made.weights.forward)
    assert len(made.generate([p.prompt for p in prompts()])) == 5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"prompts": []}, "at least one"),
        ({"reward": None}, "a reward, rewards of groups"),
        ({"beta": 0.0}, "nothing else holds"),
        ({"generations": 1}, "measured by the others"),
        ({"length": 95}, "room for 95 tokens"),
        ({"unscored": 1.0}, "a share"),
        ({"groups": Groups({"one": vowels})}, "two groups"),
        ({"budget": Budget(-1.0)}, "above 0"),
        ({"constraints": [Constraint("n@1", vowels, limit=None)]}, "highest mean cost"),
        ({"reference": start(), "lora": Lora()}, "none with adapters"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_training(
    settings: dict[str, Any], told: str
) -> None:
    """Faults of prompts and settings come before the first step."""
    with pytest.raises(InputError) as raised:
        trained(**settings)

    assert told in str(raised.value)


def test_all_faults_come_at_once_and_a_permit_first() -> None:
    """Two faults are told together; without a permit nothing else is looked at."""
    with pytest.raises(InputError) as raised:
        trained(beta=-1.0, generations=0)
    with pytest.raises(PermitError):
        trained(beta=-1.0, unpermitted=False)

    assert len(raised.value.faults) == 2


def test_a_reward_without_a_number_ends_the_run_with_the_answer_quoted() -> None:
    """NaN is raised out of the trainer as an input error."""
    with pytest.raises(InputError, match="a finite number"):
        trained(reward=lambda p, c, k: [math.nan] * len(c))


def run(asked: dict[str, Any], *, processes: int = 1) -> int:
    module = ["-m", "tests.learn.reinforcing", json.dumps(asked)]
    alone = [sys.executable, *module]
    several = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes),
               "--master_port", "29677", *module]  # fmt: skip
    command = alone if processes == 1 else several
    done = subprocess.run(command, env=ENV, capture_output=True, text=True, check=False,
                          cwd=Path(__file__).parents[3])  # fmt: skip
    assert done.returncode in (0, -9), done.stderr[-3000:]
    return done.returncode


def furthest(one: Path, other: Path) -> float:
    """Return the largest difference of any figure of any step, and of any weight's sum."""
    a, b = (json.loads(path.read_text()) for path in (one, other))
    assert a["curves"].keys() == b["curves"].keys()
    gaps = [abs(x - y) for x, y in zip(a["weights"], b["weights"], strict=True)]
    for name, line in a["curves"].items():
        gaps += [abs(x[1] - y[1]) for x, y in zip(line, b["curves"][name], strict=True)]
    return float(max(gaps))


@pytest.mark.slow
@pytest.mark.parametrize("lora", [False, True])
def test_a_run_killed_in_the_middle_ends_as_if_it_had_not_been(tmp_path: Path, lora: bool) -> None:
    """Weights, multipliers, groups, opponents, budget and samples: all go on where they stood."""
    asked = {"steps": 9, "save_every": 4, "lora": lora}
    whole, halves = tmp_path / "whole.json", tmp_path / "halves.json"
    run({**asked, "workdir": str(tmp_path / "a"), "out": str(whole)})
    killed = run({**asked, "workdir": str(tmp_path / "b"), "out": str(halves), "kill": 6})
    assert killed == -9
    assert not halves.exists()
    assert [p.name for p in (tmp_path / "b").glob("checkpoint-*")] == ["checkpoint-4"]
    run({**asked, "workdir": str(tmp_path / "b"), "out": str(halves)})

    assert furthest(whole, halves) <= 1e-6


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path: Path) -> None:
    """With the same answers drawn, multipliers and weights agree to 1e-4 over the whole run."""
    asked = {"steps": 6, "alike": True}
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    run({**asked, "workdir": str(tmp_path / "a"), "out": str(one)})
    run({**asked, "workdir": str(tmp_path / "b"), "out": str(two)}, processes=2)

    assert furthest(one, two) <= 1e-4


@pytest.mark.slow
def test_a_directory_of_another_run_is_refused(tmp_path: Path) -> None:
    """Another reference, or a checkpoint made under other settings, is not gone on from."""
    loop = Loop(steps=2, batch=2, lr=1e-3, save_every=1)
    trained(running=Running(workdir=tmp_path), loop=loop)
    with pytest.raises(InputError, match="a checkpoint of these settings"):
        trained(running=Running(workdir=tmp_path), loop=loop, beta=0.3)
    other = start()
    with torch.no_grad():
        next(iter(other.weights.parameters())).add_(1.0)
    with pytest.raises(InputError, match="weights with the digest"):
        trained(running=Running(workdir=tmp_path), loop=loop, start=other)


@pytest.mark.slow
def test_a_reference_of_its_own_is_what_the_model_is_held_to() -> None:
    """Held to another model, the divergence is above zero before the first step."""
    other = start()
    with torch.no_grad():
        for part in other.weights.parameters():
            part.add_(0.05 * torch.randn_like(part))
    _, own = trained(loop=Loop(steps=1, batch=2, lr=1e-9))
    _, given = trained(loop=Loop(steps=1, batch=2, lr=1e-9), reference=other)

    assert own["first_divergence"] == pytest.approx(0.0, abs=1e-5)
    assert abs(given["first_divergence"]) > 1e-3


@pytest.mark.slow
def test_the_command_trains_under_norms_and_leaves_a_plain_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`learn reinforce` reads prompts, reward model and norms; what it makes opens as any model."""
    from transformers import AutoModelForCausalLM

    from normwright.cli import main
    from normwright.learn.recipes.reward import classifier

    base = start()
    save_plain(base.weights, base.tokenizer, tmp_path / "base")
    save_plain(classifier(base, seed=1), base.tokenizer, tmp_path / "reward")
    rows = [{"prompt": p.prompt[0].content, "norms": ["n@1"]} for p in prompts()]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    settings = {
        "steps": 2, "batch": 2, "length": 6, "token_price": 0.01, "divergence": {"nats": 1.0},
        "norms": [{"norm": "n@1", "phrases": ["e"], "limit": 0.0, "among": "named"}],
    }  # fmt: skip
    (tmp_path / "s.yaml").write_text(json.dumps(settings))
    asked = ["learn", "reinforce", "--model", "base", "--data", "p.jsonl", "--reward", "reward",
             "--settings", "s.yaml", "--unpermitted", "--out", "out", "--json"]  # fmt: skip
    places = [str(tmp_path / one) if (tmp_path / one).exists() or one == "out" else one
              for one in asked]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(places)
    told = json.loads(capsys.readouterr().out)

    assert ended.value.code == 0

    assert told["rows"] == 5
    assert "last_multiplier/n@1" in told["metrics"]
    assert len(told["curves"]["cost/n@1"]) == 2
    assert any("keep the guard" in note for note in told["notes"])
    AutoModelForCausalLM.from_pretrained(tmp_path / "out")
