"""Negative controls: TRL's trainers where they end elsewhere, and where theory says they do.

None of them is a recipe of this package. Each run is as its users would make it, through public
settings, on the worlds of the lab; a lab in which they reached the target would measure nothing.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from normwright.learn.lab import oracles as o
from normwright.learn.lab.environment import PROMPTS, Environment, Reading, environment
from normwright.learn.lab.findings import Check, Finding, Scale, at_least, at_most, within
from normwright.learn.lab.online import STRANGE
from normwright.models.local import LocalModel
from normwright.models.tuning import save_plain

EXACT: Final[Mapping[str, Any]] = {"scale_rewards": "none", "loss_type": "dr_grpo", "beta": 0.5}
"""GRPO without its two normalisations, and with a pull towards the reference."""


def other_temperature(scale: Scale) -> Iterator[Finding]:
    """RLOO that samples at temperature 0.7 is right about another policy."""
    world = environment("A", seed=scale.seed)
    found = trained(world, "RLOO", generations=48, steps=250,
                    beta=0.5, temperature=0.7, normalize_advantages=False)  # fmt: skip
    target = o.tilted(world.reference, world.reward, 0.5)
    # The policy at this temperature is tilted; read at temperature 1 it is tilted by so much less.
    wrong = o.tilted(world.reference, world.reward * 0.7, 0.5)
    yield at_least("RLOO sampled at temperature 0.7: KL to the target",
                   o.mean_divergence(target, found.among), 0.02,
                   expected=o.mean_divergence(target, wrong), control=True,
                   detail=f"{o.mean_divergence(wrong, found.among):.2g} to the reference tilted by "
                   "0.7 of the reward")  # fmt: skip


def self_baseline(scale: Scale) -> Iterator[Finding]:
    """GRPO's baseline holds the answer itself: it ends at beta G / (G - 1) (T9)."""
    world = environment("A", seed=scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    for size in (4, 8):
        # Slowly: at higher rates rare answers are lost, and what is never drawn never returns.
        found = trained(world, "GRPO", generations=size, steps=1200, lr=5e-4, **EXACT)
        wrong = o.tilted(world.reference, world.reward, 0.5 * size / (size - 1))
        said = o.mean_divergence(target, wrong)
        yield within(f"GRPO without scaling, {size} answers a prompt: KL to the target",
                     o.mean_divergence(target, found.among), said / 2, said * 2, expected=said,
                     control=True, detail=f"{o.mean_divergence(wrong, found.among):.2g} to the "
                     "optimum of T9")  # fmt: skip


def uncorrected(scale: Scale) -> Iterator[Finding]:
    """GRPO with k3 in the loss and no correction descends the forward divergence (T9)."""
    world = environment("A", seed=scale.seed)
    found = trained(world, "GRPO", generations=16, steps=250, lr=5e-3, **EXACT,
                    use_bias_correction_kl=False)  # fmt: skip
    target = o.tilted(world.reference, world.reward, 0.5)
    # The baseline with itself weakens the reward, not the divergence.
    wrong = o.forward_optimum(world.reference, world.reward * 15 / 16, 0.5)
    yield at_most("GRPO without KL correction: KL to the forward optimum of T9",
                  o.mean_divergence(wrong, found.among), 0.01, control=True)  # fmt: skip
    said = o.mean_divergence(target, wrong)
    yield within("GRPO without KL correction: KL to the target",
                 o.mean_divergence(target, found.among), said / 2, said * 2, expected=said,
                 control=True)  # fmt: skip


def tokens_apart(scale: Scale) -> Iterator[Finding]:
    """GRPO's divergence is a token's own: over two words it misses what a word makes likely."""
    world = environment("B", seed=scale.seed)
    found = trained(world, "GRPO", generations=16, steps=400, **EXACT)
    target = o.tilted(world.reference, world.reward, 0.5)
    yield at_least("GRPO without scaling, two words: KL to the target",
                   o.mean_divergence(target, found.among), 0.01, expected="misses",
                   control=True)  # fmt: skip


def collapse(scale: Scale) -> Iterator[Finding]:
    """GRPO as it comes, even with beta, divides rewards by their spread and collapses."""
    for name in ("A", "B"):
        world = environment(name, seed=scale.seed)
        found = trained(world, "GRPO", generations=8, steps=240, lr=1e-2,
                        schedule="constant_with_warmup", beta=0.5)  # fmt: skip
        target = o.tilted(world.reference, world.reward, 0.5)
        yield at_most(f"GRPO by default, {name}: entropy in nats", o.entropy(found.among), 0.2,
                      expected=o.entropy(target), control=True,
                      detail="expected: the target's; KL from the policy to the target "
                      f"{o.mean_divergence(found.among, target):.3g}")  # fmt: skip


def trained(
    world: Environment,
    kind: str,
    *,
    generations: int,
    steps: int,
    lr: float = 2e-3,
    schedule: str = "cosine",
    **settings: Any,
) -> Reading:
    """Return how a world's reference model answers after one of TRL's trainers.

    Args:
        world: model, prompts and reward.
        kind: `GRPO` or `RLOO`.
        generations: answers to a prompt in a batch.
        steps: optimizer steps of 192 answers.
        lr: learning rate at its peak.
        schedule: how it falls from there.
        settings: of the trainer, by their public names.
    """
    import trl
    from datasets import Dataset

    repeats = max(1, 48 // generations)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save_plain(world.model.weights, world.model.tokenizer, Path(folder) / "reference")
        weights = copy.deepcopy(world.model.weights)
        weights.config._name_or_path = str(Path(folder) / "reference")
        arguments = getattr(trl, f"{kind}Config")(
            output_dir=folder, per_device_train_batch_size=192, max_steps=steps,
            num_generations=generations, max_completion_length=len(world.answers[0].split()) + 1,
            learning_rate=lr, lr_scheduler_type=schedule, warmup_steps=0.05, weight_decay=0.0,
            max_grad_norm=1.0, seed=0, bf16=False, use_cpu=True, activation_checkpointing=False,
            save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True,
            dataloader_pin_memory=False, top_k=0, top_p=1.0, adam_beta2=0.999, **settings,
        )  # fmt: skip
        asked = [[{"role": "user", "content": name}] for name in PROMPTS] * repeats
        trainer = getattr(trl, f"{kind}Trainer")(
            model=weights, args=arguments, reward_funcs=[_reward(world)],
            processing_class=world.model.tokenizer,
            train_dataset=Dataset.from_dict({"prompt": asked}),
        )  # fmt: skip
        _quiet(trainer)
        trainer.train()
        made = copy.deepcopy(world.model.weights)
        made.load_state_dict(trainer.accelerator.unwrap_model(trainer.model).state_dict())
    return world.read(LocalModel(kind, made, world.model.tokenizer))


def _reward(world: Environment) -> Callable[..., list[float]]:
    places = {answer: i for i, answer in enumerate(world.answers)}

    def worth(
        prompts: Sequence[Sequence[Mapping[str, str]]],
        completions: Sequence[Sequence[Mapping[str, str]]],
        **_: Any,
    ) -> list[float]:
        found = []
        for asked, turns in zip(prompts, completions, strict=True):
            x, text = PROMPTS.index(asked[-1]["content"]), turns[0]["content"].strip()
            found.append(float(world.reward[x, places[text]]) if text in places else STRANGE)
        return found

    return worth


def _quiet(trainer: Any) -> None:
    from transformers import PrinterCallback, ProgressCallback

    for noisy in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(noisy)


CHECKS = (
    Check("rloo-temperature", other_temperature),
    Check("grpo-baseline", self_baseline),
    Check("grpo-uncorrected", uncorrected),
    Check("grpo-sequences", tokens_apart),
    Check("grpo-defaults", collapse),
)
