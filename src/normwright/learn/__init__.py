"""From a policy and what people prefer to weights. Imports torch: open it to touch a weight."""

from normwright.learn.aims import Aims
from normwright.learn.corpora import (
    Breach,
    Corpus,
    held_prompts,
    instruct,
    is_held,
    prefer_judged,
    preferred_answers,
    read_instructions,
)
from normwright.learn.critique import Conversation, Critiqued, Revised, critique_and_revise
from normwright.learn.data import Curated, demonstrate, pair, spared
from normwright.learn.labelled import Labelled
from normwright.learn.objective import Method, Objective
from normwright.learn.passages import Memory, read_memories, read_passages
from normwright.learn.preferred import PreferenceReport
from normwright.learn.recipes.cost import CostReport, cost, measure_cost
from normwright.learn.recipes.prefer import prefer
from normwright.learn.recipes.pretrain import (
    SHAPES,
    Shape,
    new_model,
    pretrain,
    pretrain_on,
    train_tokenizer,
)
from normwright.learn.recipes.refresh import Refreshed, refresh
from normwright.learn.recipes.reinforce import reinforce
from normwright.learn.recipes.reward import reward, reward_members
from normwright.learn.recipes.reward_encoder import reward_encoder
from normwright.learn.recipes.sft import sft
from normwright.learn.recipes.unlearn import Forget, Stop, unlearn
from normwright.learn.rewards.measured import (
    Disputed,
    RewardReport,
    disagreement,
    measure_reward,
)
from normwright.learn.rewards.targets import Reading
from normwright.learn.rows import (
    read_demonstrations,
    read_labelled,
    read_preferences,
    read_prompts,
    read_scored_answers,
)
from normwright.learn.scored import best_answers, scored_answers
from normwright.learn.weights import fresh_like, model_ref, scratch_model, weights_digest

__all__ = [
    "SHAPES",
    "Aims",
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
    "Objective",
    "PreferenceReport",
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
    "reward_members",
    "scored_answers",
    "scratch_model",
    "sft",
    "spared",
    "train_tokenizer",
    "unlearn",
    "weights_digest",
]
