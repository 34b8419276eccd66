"""What training shares: losses, batches and the loop. Imported by recipes, never at start-up."""

from normwright.models.tuning.batches import AnswerRow, answer_rows, pad_rows
from normwright.models.tuning.loop import Loop, fit, save_plain
from normwright.models.tuning.losses import (
    answer_logprobs,
    cross_entropy,
    rows_at,
    soft_preference,
    token_losses,
)

__all__ = [
    "AnswerRow",
    "Loop",
    "answer_logprobs",
    "answer_rows",
    "cross_entropy",
    "fit",
    "pad_rows",
    "rows_at",
    "save_plain",
    "soft_preference",
    "token_losses",
]
