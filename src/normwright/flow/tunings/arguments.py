"""From the settings of a recipe to what the training loop takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from normwright.flow.tunings import Preference, Pretraining, Reward, Tuning, Unlearning
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.learn import Forget, PreferenceObjective, PretrainingObjective
    from normwright.models.tuning import Loop, Lora


def loop_of(tuning: Tuning, *, seed: int) -> Loop:
    """Return how long and how fast to train, as the loop takes it."""
    from normwright.models.tuning.loop import Loop

    return Loop(
        epochs=tuning.epochs,
        steps=tuning.steps or -1,
        lr=tuning.lr,
        batch=tuning.batch,
        warmup=tuning.warmup,
        decay=tuning.decay,
        weight_decay=tuning.weight_decay,
        save_every=tuning.save_every,
        seed=seed,
    )


def lora_of(tuning: Tuning) -> Lora | None:
    """Return the adapters that are trained; None trains all weights."""
    from normwright.models.tuning import Lora

    given = tuning.lora
    if given is None:
        return None
    return Lora(rank=given.rank, alpha=given.alpha, dropout=given.dropout)


def preference_objective_of(settings: Preference) -> PreferenceObjective:
    """Return what a preference run minimises, as the recipe takes it."""
    from normwright.learn import PreferenceObjective
    from normwright.models.tuning import Robustness

    groups = settings.robust
    return PreferenceObjective(
        method=settings.method,
        gamma=settings.gamma,
        length=settings.length_guard,
        displacement=settings.displacement_guard,
        near_duplicates=settings.near_duplicates,
        sharpness=settings.sharpness,
        width=settings.width,
        own=settings.own_weight,
        proportional=settings.proportional,
        robustness=Robustness(
            rate=groups.rate,
            memory=groups.memory,
            floor=groups.floor,
            cap=groups.cap,
            least=groups.least,
            regret=groups.regret,
        ),
        prompts=settings.checked_prompts,
    )


def forgetting_of(science: Unlearning) -> Forget:
    """Return how to forget, as the recipe takes it."""
    from normwright.learn import Forget

    return Forget(
        method=science.method,
        beta=science.beta,
        margin=science.margin,
        retain=science.retain,
        retention=science.retention,
        depth=science.depth,
        steer=science.steer,
        unknown=science.unknown,
    )


def pretraining_objective_of(science: Pretraining) -> PretrainingObjective:
    """Return what is learned from text, as the recipe takes it."""
    from normwright.learn import PretrainingObjective

    return PretrainingObjective(
        method=science.objective,
        threshold=science.threshold,
        alpha=science.alpha,
        temperature=science.temperature,
        dropped=science.dropped,
    )


def reward_of(tuning: Reward) -> dict[str, Any]:
    """Return what the settings of a reward model on a language model say, as the recipe takes it.

    Raises:
        InputError: naming the settings that only an encoder would follow.
    """
    from normwright.learn.reward_models.targets import Reading

    asked = {"frozen": tuning.frozen, "random_init": tuning.random_init,
             "head: process": tuning.head == "process"}  # fmt: skip
    faults = [
        Fault(where=name, expected="an encoder to start from", seen="a language model",
              do="Leave the setting out.")
        for name, value in asked.items() if value
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return {
        "head": tuning.head,
        "members": tuning.members,
        "reading": Reading(tuning.likelihood, tuning.gamma, tuning.prior),
        "length": tuning.length,
        "garbled": tuning.garbled,
        "lora": lora_of(tuning),
    }
