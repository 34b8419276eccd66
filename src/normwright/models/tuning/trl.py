"""TRL's trainers through their public hooks: a new version of TRL breaks this file or none.

What is relied on: a reward function of prompts, answers and dataset columns; callbacks and the
figures they are told; and that the reference is loaded from where the policy's configuration says
that it came from.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import torch

from normwright.models.chat import plain, stop_text
from normwright.models.tuning.checkpoints import (
    Identity,
    finish,
    last_whole,
    not_written,
    progress_of,
)
from normwright.models.tuning.hardware import Resolved, rank, resolved, sharded
from normwright.models.tuning.loop import Loop
from normwright.models.tuning.lora import Lora, adapter_config
from normwright.models.tuning.running import Running, everywhere
from normwright.records import Fault, InputError, Message, MissingExtra

ROWS_AT_ONCE: Final = 64
"""Answers in one pass of the gradient; more are taken in several, so that memory stays bounded."""
TOKENS_AT_ONCE: Final = 4096
"""Tokens up to which more answers than that are taken at once: passes over short ones cost more by
their number than by what is in them."""

FIGURES: Final[Mapping[str, str]] = {
    "entropy": "entropy",
    "length": "completions/mean_length",
    "cut_off": "completions/clipped_ratio",
    "seconds": "step_time",
    "tokens": "num_tokens",
}
"""What is kept of the figures that TRL tells of a step, by our names."""


class Rewarding(Protocol):
    """What answers are worth: told of a batch, and of what its step was."""

    def reward(
        self, rows: Sequence[int], texts: Sequence[str], tokens: Sequence[Sequence[int]]
    ) -> list[float | None]:
        """Return what answers are worth, by the rows of their prompts; None moves nothing."""
        ...

    def stepped(self, figures: Mapping[str, float]) -> Mapping[str, float] | None:
        """Take in the figures of a step and return its own; None ends training.

        Among the figures are `divergence`, KL(policy || reference) in nats an answer, and those
        of `FIGURES`; they are the same in all processes, and so must be the answer.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return, as JSON values, what a killed run needs to go on."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a killed run stood."""
        ...


@dataclass(frozen=True)
class Sampling:
    """How a policy is asked, and how it is held to its reference."""

    beta: float
    """Strength of the pull towards the reference, in reward for one nat."""
    generations: int
    """Answers a prompt in each step."""
    length: int
    """Longest answer in tokens, its stop token among them."""


def rloo(
    weights: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[Message]],
    order: Sequence[int],
    *,
    reference: Path,
    rewarding: Rewarding,
    sampling: Sampling,
    loop: Loop,
    lora: Lora | None,
    running: Running,
    scratch: Path,
    who: Identity,
    check: Callable[[Any], None],
) -> tuple[Any, int]:
    """Train a policy by REINFORCE with a leave-one-out baseline; return it, and the steps made.

    The divergence from the reference is taken off the reward of a whole answer, so that the
    optimum is the reference tilted by exp(reward / beta) (Ahmadian et al. 2024, arXiv 2402.14740).
    Answers are sampled at temperature 1 from all tokens: else they were another policy's.

    Args:
        weights: the policy, trained in place; adapters are left on it.
        tokenizer: with a chat template and a stop token.
        prompts: conversations.
        order: numbers of the prompts in the order in which they are asked, `loop.batch` a step;
            of the whole run, so that one that goes on needs no memory of what was drawn.
        reference: directory of the reference; with adapters it is the policy without them.
        rewarding: what answers are worth.
        sampling: how many answers, how long, how near to the reference.
        loop: rate, prompts a step over all processes, seed.
        lora: adapters to train in the place of all weights.
        running: who is told, and on what it runs.
        scratch: where checkpoints go.
        who: what the run trains; a checkpoint of another is refused.
        check: called once with the reference that TRL loaded, before the first step; None with
            adapters.

    Raises:
        InputError: for gradients that are not finite; for a checkpoint of another run.
        PlaceError: if a checkpoint cannot be written; the last whole one stays.
        MissingExtra: without TRL.
    """
    try:
        from datasets import Dataset
        from trl import RLOOConfig, RLOOTrainer
    except ImportError as error:
        raise MissingExtra("Reinforcement", "learn") from error

    on = resolved(running.hardware, batch=loop.batch)
    weights.config._name_or_path = str(reference)
    width = max(len(rendered(tokenizer, p)) for p in prompts) + sampling.length
    steps = len(order) // loop.batch
    arguments = RLOOConfig(**_arguments(loop, on, sampling, steps, scratch, width),
                           **sharded(on, weights))  # fmt: skip
    with arguments.main_process_first():
        last = last_whole(scratch) if loop.save_every else None
    between = _Between(rewarding, running, scratch, who)
    if last is not None:
        between.resume(last)
    conversations = [[{"role": m.role, "content": plain(m.content)} for m in p] for p in prompts]
    rows = Dataset.from_dict({"prompt": conversations, "row": list(range(len(prompts)))})
    with unsaid():
        trainer = RLOOTrainer(
            model=weights,
            reward_funcs=[_reward(rewarding)],
            args=arguments,
            train_dataset=rows.select(list(order)),
            processing_class=tokenizer,
            callbacks=[_callback(between)],
            peft_config=None if lora is None else adapter_config(lora),
        )
        _quiet(trainer)
        check(trainer.ref_model)
        try:
            trainer.train(resume_from_checkpoint=None if last is None else str(last))
        except (OSError, RuntimeError) as error:
            if not between.saving:
                raise
            raise not_written(scratch, trainer.state.global_step, error) from error
    return trainer.accelerator.unwrap_model(trainer.model), int(trainer.state.global_step)


def _arguments(
    loop: Loop, on: Resolved, sampling: Sampling, steps: int, scratch: Path, width: int
) -> dict[str, Any]:
    mine = loop.batch * sampling.generations // on.world
    most = max(ROWS_AT_ONCE, TOKENS_AT_ONCE // width)
    passes = -(-mine // min(most, on.per_device * sampling.generations))
    while mine % passes:
        passes += 1
    stable = loop.decay == "warmup_stable_decay"
    return {
        "output_dir": str(scratch),
        "per_device_train_batch_size": mine // passes,
        "gradient_accumulation_steps": passes,
        "max_steps": steps,
        "learning_rate": loop.lr,
        "lr_scheduler_type": "constant_with_warmup" if loop.decay == "constant" else loop.decay,
        "lr_scheduler_kwargs": {"num_decay_steps": steps // 5, "decay_type": "linear"}
        if stable
        else {},
        "warmup_steps": loop.warmup,
        "weight_decay": loop.weight_decay,
        "max_grad_norm": loop.clip,
        "seed": loop.seed,
        "data_seed": loop.seed,
        "bf16": on.device == "cuda" and on.precision == "bf16",
        "use_cpu": on.device == "cpu",
        "activation_checkpointing": on.checkpointing,
        "save_strategy": "steps" if loop.save_every else "no",
        "save_steps": loop.save_every or 500,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "optim": "adamw_torch_fused",
        "beta": sampling.beta,
        "num_generations": sampling.generations,
        "max_completion_length": sampling.length,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
        "shuffle_dataset": False,
        "disable_dropout": True,
        "normalize_advantages": False,
        "mask_truncated_completions": False,
    }


@contextmanager
def unsaid() -> Iterator[None]:
    """Keep off the screen what is not ours to mend.

    That is what transformers says of names that TRL, not we, still uses, and the bars that datasets
    draws while TRL lays out its rows.
    """
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    drawn = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore",
                message=".* is deprecated and will be removed in v6",
                category=FutureWarning,
            )
            yield
    finally:
        if drawn:
            enable_progress_bars()


def _reward(rewarding: Rewarding) -> Callable[..., list[float | None]]:
    """Return a reward function as TRL calls it."""

    def worth(
        completions: Sequence[Sequence[Mapping[str, str]]],
        completion_ids: Sequence[Sequence[int]],
        row: Sequence[int],
        **_: Any,
    ) -> list[float | None]:
        texts = [turns[0]["content"].strip() for turns in completions]
        return rewarding.reward(row, texts, completion_ids)

    return worth


class _Between:
    """What happens between the steps of a run."""

    def __init__(
        self, rewarding: Rewarding, running: Running, scratch: Path, who: Identity
    ) -> None:
        self.rewarding, self.running, self.scratch, self.who = rewarding, running, scratch, who
        self.saving = False

    def resume(self, folder: Path) -> None:
        """Take up a run where a checkpoint left it."""
        held = progress_of(folder, self.who)
        curves = self.running.curves
        curves.lines = {n: [(int(s), v) for s, v in c] for n, c in held["curves"].items()}
        self.rewarding.load_state_dict(held["state"])

    def told(self, step: int, steps: int, logs: Mapping[str, Any]) -> bool:
        """Note what a step was, and say whether training goes on."""
        if "kl" not in logs:  # The summary at the end of training.
            return True
        figures = {ours: float(logs[theirs]) for ours, theirs in FIGURES.items()}
        figures["divergence"] = float(logs["kl"]) * figures["length"]
        self.running.curves.step = step
        own = self.rewarding.stepped(figures)
        for name, value in {**figures, **(own or {})}.items():
            self.running.note(name, value)
        if self.running.progress is not None and rank() == 0:
            self.running.progress(step, steps, (own or {}).get("loss", 0.0))
        return own is not None

    def check(self, model: Any) -> None:
        """Refuse gradients that would spoil the weights."""
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        if gradients and not bool(torch.isfinite(torch.nn.utils.get_total_norm(gradients))):
            raise InputError([
                Fault(
                    where=f"step {self.running.curves.step + 1}",
                    expected="finite gradients",
                    seen="others",
                    do="Lower the learning rate; earlier checkpoints stand.",
                )
            ])  # fmt: skip

    def saved(self, step: int) -> None:
        """Complete a checkpoint that transformers wrote."""
        everywhere(torch.zeros(1))  # Every process has written its random numbers.
        if rank() == 0:
            curves = self.running.curves.lines
            progress = {"curves": curves, "state": self.rewarding.state_dict()}
            finish(self.scratch / f"checkpoint-{step}", self.who, progress)
        self.saving = False


def _callback(between: _Between) -> Any:
    from transformers import TrainerCallback

    class _Steps(TrainerCallback):  # type: ignore[misc]
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            between.check(kwargs["model"])

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            between.saving = control.should_save

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if not between.told(state.global_step, state.max_steps, kwargs["logs"]):
                control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            between.saved(state.global_step)

    return _Steps()


def _quiet(trainer: Any) -> None:
    """Take out the callbacks that print; the library does not print."""
    from transformers import PrinterCallback, ProgressCallback

    for noisy in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(noisy)


def stop_tokens(weights: Any, tokenizer: Any) -> frozenset[int]:
    """Return the ids that end an answer while TRL samples: the tokenizer's and the model's own."""
    own = weights.generation_config.eos_token_id
    more = [] if own is None else [own] if isinstance(own, int) else list(own)
    return frozenset([tokenizer.convert_tokens_to_ids(stop_text(tokenizer)), *more])


def rendered(tokenizer: Any, prompt: Sequence[Message]) -> list[int]:
    """Return a prompt's token ids as TRL makes them."""
    turns = [{"role": m.role, "content": plain(m.content)} for m in prompt]
    made = tokenizer.apply_chat_template(
        conversation=[turns], add_generation_prompt=True, tokenize=True, return_dict=True
    )
    return list(made["input_ids"][0])
