"""TRL as an oracle: on the same batch our losses and gradients are its own; KTO runs through it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from normwright.learn import PreferenceObjective, PreferenceReport, prefer
from normwright.models.tuning import answer_rows, group_pairs, pair_logprobs, pair_rows
from normwright.models.tuning.loop import Loop
from normwright.models.tuning.preferences import bernoulli_losses, borda_losses
from normwright.records import Message, PreferencePair

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(torch.cuda.is_available(), reason="compared in float32 on a CPU"),
]
BETA = 0.3
QUESTIONS = ["When does it open?", "Onde fica?", "Who is it?", "Quanto custa?"]
SAID = ("At nine.", "At ten.", "No rio.", "At two.", "At one.", "It is.", "At six.")


def turns(text: str, role: str = "user") -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


def rows(tiny: Any, *, flip: bool = False) -> list[tuple[str, str, str]]:
    """Question, answer that wins, answer that loses; half of them turned round with `flip`.

    Both answers have one length in tokens, by which TRL's IPO divides.
    """
    lengths = [len(tiny.tokenizer(text)["input_ids"]) for text in SAID]
    good, bad = next(
        (a, b)
        for i, a in enumerate(SAID)
        for k, b in enumerate(SAID[:i])
        if lengths[i] == lengths[k]
    )
    return [
        (question, bad, good) if flip and i % 2 else (question, good, bad)
        for i, question in enumerate(QUESTIONS)
    ]


@pytest.fixture(scope="module")
def moved(tiny: Any) -> Any:
    """A policy that is not its reference."""
    torch.manual_seed(3)
    weights = copy.deepcopy(tiny.weights)
    with torch.no_grad():
        for p in weights.parameters():
            p += 0.02 * torch.randn_like(p)
    return weights


def trl_loss(
    tiny: Any, policy: Any, data: list[tuple[str, str, str]], tmp: Path, **how: Any
) -> Any:
    """Loss of TRL's trainer on one batch, and its gradients by name."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    given = Dataset.from_list([
        {"prompt": turns(q), "chosen": turns(a, "assistant"), "rejected": turns(b, "assistant")}
        for q, a, b in data
    ])  # fmt: skip
    weights = copy.deepcopy(policy)
    trainer = DPOTrainer(
        model=weights,
        ref_model=copy.deepcopy(tiny.weights),
        args=DPOConfig(
            output_dir=str(tmp), per_device_train_batch_size=len(data), bf16=False, use_cpu=True,
            gradient_checkpointing=False, report_to="none", disable_tqdm=True, max_length=None,
            **how,
        ),
        train_dataset=given,
        processing_class=tiny.tokenizer,
    )  # fmt: skip
    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    weights.eval()
    loss = trainer.compute_loss(weights, batch)
    loss.backward()
    return loss.item(), gradients(weights)


def gradients(weights: Any) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in weights.named_parameters() if p.grad is not None}


def our_loss(
    tiny: Any, policy: Any, data: list[tuple[str, str, str]], p: list[float], kind: Any
) -> Any:
    """Loss of ours on the same batch, pairs given with their share, and its gradients by name."""
    sides = [
        answer_rows(
            tiny.tokenizer, [((Message(role="user", content=row[0]),), row[k]) for row in data],
            limit=128,
        )
        for k in (1, 2)
    ]  # fmt: skip
    batch = group_pairs(pair_rows(*sides), tiny.tokenizer.pad_token_id)
    weights = copy.deepcopy(policy)
    with torch.no_grad():
        before = pair_logprobs(tiny.weights, batch)
    good, bad = pair_logprobs(weights, batch)
    z = BETA * (good - bad - before[0] + before[1])
    loss = kind(z, torch.tensor(p)).mean()
    loss.backward()
    assert len(set(batch["length"].flatten().tolist())) == 1
    return loss.item(), gradients(weights), int(batch["length"][0, 0])


def test_soft_labels_of_zero_and_one_are_dpo(tiny: Any, moved: Any, tmp_path: Path) -> None:
    """A share of 0 is the pair turned round: value and every gradient equal DPOTrainer's."""
    theirs, expected = trl_loss(tiny, moved, rows(tiny, flip=True), tmp_path, beta=BETA)
    ours, found, _ = our_loss(tiny, moved, rows(tiny), [1.0, 0.0, 1.0, 0.0], bernoulli_losses)

    assert ours == pytest.approx(theirs, abs=1e-5)
    assert found.keys() == expected.keys()
    for name, grad in expected.items():
        assert torch.allclose(found[name], grad, atol=1e-5), name


def test_ipo_is_trls_with_beta_times_length(tiny: Any, moved: Any, tmp_path: Path) -> None:
    """TRL divides log-ratios by length: with its beta = L tau it is ours, up to (L tau) squared.

    Ours is `tau^2 (h - 1 / (2 tau))^2`, TRL's `(h / L - 1 / (2 L tau))^2`.
    """
    ours, found, length = our_loss(tiny, moved, rows(tiny), [1.0] * 4, borda_losses)
    theirs, expected = trl_loss(
        tiny, moved, rows(tiny), tmp_path, beta=BETA * length, loss_type="ipo"
    )
    scale = (BETA * length) ** 2

    assert ours == pytest.approx(scale * theirs, rel=1e-4)
    for name, grad in expected.items():
        assert torch.allclose(found[name], scale * grad, atol=1e-4), name


def pairs(count: int = 16) -> list[PreferencePair]:
    return [
        PreferencePair(
            scene=f"s{i}", lang="en", prompt=(Message(role="user", content=QUESTIONS[i % 4]),),
            chosen="I cannot say.", rejected="At nine.", p_chosen=1.0, weight=1.0, norms=(),
            layer="global", origin="synthetic", process_kind="simulated", licence="Apache-2.0",
            family=f"f{i % 4}",
        )
        for i in range(count)
    ]  # fmt: skip


def test_kto_raises_what_is_desirable_and_repeats(
    tiny: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through TRL: the margin grows, the start stays, a seed repeats, a row alone is left out.

    And nothing of it is drawn or said on the screen.
    """
    reports: list[PreferenceReport] = []

    def run(batch: int) -> tuple[Any, dict[str, float]]:
        return prefer(
            tiny, pairs(), [], loop=Loop(epochs=3, lr=3e-3, batch=batch), beta=0.1, anchor=0.0,
            objective=PreferenceObjective(method="kto", prompts=2), told=reports.append,
            unpermitted=True,
        )  # fmt: skip

    before = copy.deepcopy(tiny.weights.state_dict())
    made, metrics = run(8)
    again, _ = run(8)
    run(31)

    assert capfd.readouterr() == ("", "")
    assert metrics["accuracy"] == 1.0
    assert metrics["steps"] == 12
    assert all(torch.equal(a, b) for a, b in zip(
        before.values(), tiny.weights.state_dict().values(), strict=True))  # fmt: skip
    assert all(torch.equal(a, b) for a, b in zip(
        made.weights.state_dict().values(), again.weights.state_dict().values(), strict=True
    ))  # fmt: skip
    assert "not pi_ref" in reports[0].minimiser
    assert not reports[0].notes
    assert "left out" in reports[2].notes[0]
