"""From a policy and what people prefer to weights. Imports torch: open it to touch a weight."""

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
from normwright.learn.critique import Critiqued, Revised, critique_and_revise
from normwright.learn.data import Curated, demonstrate, pair, spared
from normwright.learn.passages import Memory, read_memories, read_passages
from normwright.learn.recipes.prefer import prefer
from normwright.learn.recipes.pretrain import Shape, new_model, pretrain, train_tokenizer
from normwright.learn.recipes.reward import reward
from normwright.learn.recipes.sft import sft
from normwright.learn.recipes.unlearn import Forget, unlearn
from normwright.learn.rows import read_demonstrations, read_preferences
from normwright.learn.weights import fresh_like, model_ref, scratch_model, weights_digest

__all__ = [
    "Breach",
    "Corpus",
    "Critiqued",
    "Curated",
    "Forget",
    "Memory",
    "Revised",
    "Shape",
    "critique_and_revise",
    "demonstrate",
    "fresh_like",
    "held_prompts",
    "instruct",
    "is_held",
    "model_ref",
    "new_model",
    "pair",
    "prefer",
    "prefer_judged",
    "preferred_answers",
    "pretrain",
    "read_demonstrations",
    "read_instructions",
    "read_memories",
    "read_passages",
    "read_preferences",
    "reward",
    "scratch_model",
    "sft",
    "spared",
    "train_tokenizer",
    "unlearn",
    "weights_digest",
]
