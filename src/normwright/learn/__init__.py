"""From a policy and what people prefer to weights.

Opening this imports no torch: a name is loaded from its room when it is first used, so that rows
are read, converted and curated without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from normwright.learn.critique import Conversation, Critiqued, Revised, critique_and_revise
    from normwright.learn.preferring.objective import Method, PreferenceObjective
    from normwright.learn.preferring.report import PreferenceReport
    from normwright.learn.pretraining.objectives import PretrainingObjective
    from normwright.learn.pretraining.scratch import (
        SHAPES,
        Shape,
        fresh_like,
        new_model,
        scratch_model,
        train_tokenizer,
    )
    from normwright.learn.recipes.cost import CostReport, cost, measure_cost
    from normwright.learn.recipes.prefer import prefer
    from normwright.learn.recipes.pretrain import pretrain, pretrain_on
    from normwright.learn.recipes.refresh import Refreshed, refresh
    from normwright.learn.recipes.reinforce import reinforce
    from normwright.learn.recipes.reward import reward, reward_members
    from normwright.learn.recipes.reward_encoder import reward_encoder
    from normwright.learn.recipes.reward_head import reward_head
    from normwright.learn.recipes.reward_process import reward_process
    from normwright.learn.recipes.sft import sft
    from normwright.learn.recipes.unlearn import Forget, Stop, unlearn
    from normwright.learn.reward_models.measured import (
        Disputed,
        RewardReport,
        disagreement,
        measure_reward,
    )
    from normwright.learn.reward_models.targets import Reading
    from normwright.learn.rows.corpora import (
        Breach,
        Corpus,
        held_prompts,
        instruct,
        is_held,
        prefer_judged,
        preferred_answers,
        read_instructions,
    )
    from normwright.learn.rows.labelled import Labelled
    from normwright.learn.rows.passages import Memory, read_memories, read_passages
    from normwright.learn.rows.reading import (
        read_demonstrations,
        read_labelled,
        read_preferences,
        read_prompts,
        read_scored_answers,
    )
    from normwright.learn.rows.scenes import Curated, demonstrate, pair, spared
    from normwright.learn.rows.scored import best_answers, scored_answers
    from normwright.learn.weights import model_ref, weights_digest

_ROOMS = {
    "critique": ("Conversation", "Critiqued", "Revised", "critique_and_revise"),
    "preferring.objective": ("Method", "PreferenceObjective"),
    "preferring.report": ("PreferenceReport",),
    "pretraining.objectives": ("PretrainingObjective",),
    "pretraining.scratch": (
        "SHAPES",
        "Shape",
        "fresh_like",
        "new_model",
        "scratch_model",
        "train_tokenizer",
    ),
    "recipes.cost": ("CostReport", "cost", "measure_cost"),
    "recipes.prefer": ("prefer",),
    "recipes.pretrain": ("pretrain", "pretrain_on"),
    "recipes.refresh": ("Refreshed", "refresh"),
    "recipes.reinforce": ("reinforce",),
    "recipes.reward": ("reward", "reward_members"),
    "recipes.reward_encoder": ("reward_encoder",),
    "recipes.reward_head": ("reward_head",),
    "recipes.reward_process": ("reward_process",),
    "recipes.sft": ("sft",),
    "recipes.unlearn": ("Forget", "Stop", "unlearn"),
    "reward_models.measured": ("Disputed", "RewardReport", "disagreement", "measure_reward"),
    "reward_models.targets": ("Reading",),
    "rows.corpora": (
        "Breach",
        "Corpus",
        "held_prompts",
        "instruct",
        "is_held",
        "prefer_judged",
        "preferred_answers",
        "read_instructions",
    ),
    "rows.labelled": ("Labelled",),
    "rows.passages": ("Memory", "read_memories", "read_passages"),
    "rows.reading": (
        "read_demonstrations",
        "read_labelled",
        "read_preferences",
        "read_prompts",
        "read_scored_answers",
    ),
    "rows.scenes": ("Curated", "demonstrate", "pair", "spared"),
    "rows.scored": ("best_answers", "scored_answers"),
    "weights": ("model_ref", "weights_digest"),
}
"""Where each public name lives."""
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "SHAPES",
    "Breach",
    "Conversation",
    "Corpus",
    "CostReport",
    "Critiqued",
    "Curated",
    "Disputed",
    "Forget",
    "Labelled",
    "Memory",
    "Method",
    "PreferenceObjective",
    "PreferenceReport",
    "PretrainingObjective",
    "Reading",
    "Refreshed",
    "Revised",
    "RewardReport",
    "Shape",
    "Stop",
    "best_answers",
    "cost",
    "critique_and_revise",
    "demonstrate",
    "disagreement",
    "fresh_like",
    "held_prompts",
    "instruct",
    "is_held",
    "measure_cost",
    "measure_reward",
    "model_ref",
    "new_model",
    "pair",
    "prefer",
    "prefer_judged",
    "preferred_answers",
    "pretrain",
    "pretrain_on",
    "read_demonstrations",
    "read_instructions",
    "read_labelled",
    "read_memories",
    "read_passages",
    "read_preferences",
    "read_prompts",
    "read_scored_answers",
    "refresh",
    "reinforce",
    "reward",
    "reward_encoder",
    "reward_head",
    "reward_members",
    "reward_process",
    "scored_answers",
    "scratch_model",
    "sft",
    "spared",
    "train_tokenizer",
    "unlearn",
    "weights_digest",
]
