"""What training shares: losses, batches and the loop. Imported by recipes, never at start-up."""

from normwright.models.tuning.batches import (
    AnswerRow,
    PairRow,
    answer_rows,
    group_pairs,
    group_rows,
    moved,
    pad_rows,
    pair_rows,
)
from normwright.models.tuning.loop import Loop, Running, fit, save_plain
from normwright.models.tuning.lora import Lora, adapted, inner, merged
from normwright.models.tuning.losses import (
    answer_logprobs,
    attending,
    cross_entropy,
    grouped_logprobs,
    head_scores,
    last_scores,
    pair_logprobs,
    pair_scores,
    rows_at,
    soft_preference,
    token_losses,
)

__all__ = [
    "AnswerRow",
    "Loop",
    "Lora",
    "PairRow",
    "Running",
    "adapted",
    "answer_logprobs",
    "answer_rows",
    "attending",
    "cross_entropy",
    "fit",
    "group_pairs",
    "group_rows",
    "grouped_logprobs",
    "head_scores",
    "inner",
    "last_scores",
    "merged",
    "moved",
    "pad_rows",
    "pair_logprobs",
    "pair_rows",
    "pair_scores",
    "rows_at",
    "save_plain",
    "soft_preference",
    "token_losses",
]
