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
from normwright.models.tuning.candidates import (
    CandidateRow,
    candidate_logprobs,
    candidate_row,
    group_candidates,
)
from normwright.models.tuning.divergence import (
    answer_logits,
    answer_places,
    answer_states,
    by_row,
    row_means,
    token_divergence,
)
from normwright.models.tuning.groups import GroupWeights, Robustness
from normwright.models.tuning.hardware import Hardware, resolved
from normwright.models.tuning.loop import Loop, fit, save_plain
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
from normwright.models.tuning.running import Gold, Running, Stateful, everywhere

__all__ = [
    "AnswerRow",
    "CandidateRow",
    "Gold",
    "GroupWeights",
    "Hardware",
    "Loop",
    "Lora",
    "PairRow",
    "Robustness",
    "Running",
    "Stateful",
    "adapted",
    "answer_logits",
    "answer_logprobs",
    "answer_places",
    "answer_rows",
    "answer_states",
    "attending",
    "by_row",
    "candidate_logprobs",
    "candidate_row",
    "cross_entropy",
    "everywhere",
    "fit",
    "group_candidates",
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
    "resolved",
    "row_means",
    "rows_at",
    "save_plain",
    "soft_preference",
    "token_divergence",
    "token_losses",
]
