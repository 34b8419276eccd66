"""What training shares: losses, batches and the loop. Imported by recipes, never at start-up."""

from normwright.models.tuning.batches import (
    AnswerRow,
    PairRow,
    answer_rows,
    group_pairs,
    group_rows,
    moved,
    pack_rows,
    pad_rows,
    pair_rows,
)
from normwright.models.tuning.hardware import Hardware, resolved
from normwright.models.tuning.loop import Loop, fit, save_plain
from normwright.models.tuning.lora import Lora, adapted, inner, merged
from normwright.models.tuning.losses import (
    answer_logprobs,
    attending,
    cross_entropy,
    grouped_logprobs,
    packed_logprobs,
    pair_logprobs,
    pair_scores,
    rows_at,
    soft_preference,
    token_losses,
)
from normwright.models.tuning.running import Gold, Running, Stateful, everywhere

__all__ = [
    "AnswerRow",
    "Gold",
    "Hardware",
    "Loop",
    "Lora",
    "PairRow",
    "Running",
    "Stateful",
    "adapted",
    "answer_logprobs",
    "answer_rows",
    "attending",
    "cross_entropy",
    "everywhere",
    "fit",
    "group_pairs",
    "group_rows",
    "grouped_logprobs",
    "inner",
    "merged",
    "moved",
    "pack_rows",
    "packed_logprobs",
    "pad_rows",
    "pair_logprobs",
    "pair_rows",
    "pair_scores",
    "resolved",
    "rows_at",
    "save_plain",
    "soft_preference",
    "token_losses",
]
