"""`normwright learn cost`: a cost model whose sign says unsafe."""

from __future__ import annotations

from pathlib import Path

from normwright.cli.learn.train import Choice, recipe_command

recipe_command(
    "cost",
    """Fit a cost model: pairs whose `chosen` is the safer answer, and labels with `unsafe`.

    Pairs say which of two answers costs more; --labels, rows with `prompt`, `completion` and
    `unsafe` (the share of people who find it so), say from where on a cost means unsafe: above 0.
    """,
    example=(
        "normwright learn cost --data safer.jsonl --labels labels.jsonl --unpermitted --out cost"
    ),
    own={
        "labels": Choice(
            Path | None, "Single answers and the share of people they are unsafe to.", None, "FILE"
        ),
    },
)
