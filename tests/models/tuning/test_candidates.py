"""Answers that share a prompt in one row are scored as if each stood alone."""

from __future__ import annotations

import pytest
import torch
from tests.models.tuning.conftest import ARCHITECTURES, PAD, made

from normwright.models.tuning import (
    AnswerRow,
    CandidateRow,
    answer_logprobs,
    candidate_logprobs,
    candidate_row,
    group_candidates,
    pad_rows,
)

ROWS = [
    CandidateRow((5, 6, 7), ((8, 2), (9, 10, 11, 2), (12, 2))),
    CandidateRow((5, 9), ((20, 21, 2), (22, 2))),
    CandidateRow((40, 41, 42, 43, 44), ((3, 2), (4, 5, 2), (6, 2), (7, 8, 9, 2))),
]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_sharing_a_prompt_changes_no_score(name: str) -> None:
    """Every answer's log-probability is what it is behind its prompt alone, with its gradient."""
    model = made(name)
    batch = group_candidates(ROWS, PAD, size=2)
    shared = candidate_logprobs(model, batch)
    flat = [AnswerRow((*r.prompt, *a), len(r.prompt)) for r in ROWS for a in r.answers]
    laid = pad_rows(flat, PAD)
    alone = answer_logprobs(model, laid["ids"], laid["answer"])

    assert batch["present"].sum() == len(flat)
    assert torch.allclose(shared[batch["present"]], alone, atol=1e-4)
    assert (shared[~batch["present"]] == 0).all()
    grads = []
    for scores in (shared[batch["present"]], alone):
        model.zero_grad()
        (scores * torch.arange(len(flat))).sum().backward()
        grads.append(model.get_input_embeddings().weight.grad.clone())
    assert torch.allclose(grads[0], grads[1], atol=1e-3)


def test_candidates_of_different_prompts_are_no_row() -> None:
    """Answers that do not follow the same prompt are refused."""
    assert candidate_row([AnswerRow((1, 2, 3), 1), AnswerRow((1, 4), 1)]).answers == ((2, 3), (4,))
    with pytest.raises(ValueError, match="same prompt"):
        candidate_row([AnswerRow((1, 2, 3), 1), AnswerRow((2, 4), 1)])
