"""`normwright learn unlearn`: make a model forget rows, and hold it to others."""

from __future__ import annotations

from pathlib import Path

from normwright.cli.learn.train import Choice, recipe_command

recipe_command(
    "unlearn",
    """Forget rows while others are held: rows with `prompt` and `completion`, or with `text`.

    It looks done and relearns: some steps of training on a few of the rows, or on unrelated ones,
    can bring them back. Only a model trained again without the rows has never seen them; with one
    as --reference the distance to it is measured.
    """,
    example=(
        "normwright learn unlearn --model tuned --forget forget.jsonl --retain retain.jsonl"
        " --method npo --unpermitted --out unlearned"
    ),
    own={
        "forget": Choice(Path | None, "What is to be forgotten; the same as --data.", None, "FILE"),
        "retain": Choice(Path | None, "What is to be kept: rows of daily use.", None, "FILE"),
        "reference": Choice(
            Path | None,
            "A model trained again without the rows, from the same base: measure against it.",
            None,
            "DIR",
        ),
        "method": Choice(str | None, "npo, simnpo, graddiff, rmu or idk."),
        "retention": Choice(str | None, "Keep rows by their likelihood or divergence."),
    },
)
