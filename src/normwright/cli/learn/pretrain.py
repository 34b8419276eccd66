"""`normwright learn pretrain`: a language model from text, with what is bad in it kept apart."""

from __future__ import annotations

from normwright.cli.learn.train import Choice, recipe_command

recipe_command(
    "pretrain",
    """Train on running text: rows with `text`, and with how bad it is as `score` or `spans`.

    From random weights (--shape), or on from a model. `mle` learns all of it; `filtered` leaves
    out what is bad; `conditional` puts a control token before each part; `unlikelihood` pushes
    what is bad away; `rwr` and `awr` weigh by reward.
    """,
    example=(
        "normwright learn pretrain --data text.jsonl.gz --shape small --objective conditional"
        " --unpermitted --out base"
    ),
    own={
        "objective": Choice(str | None, "mle, filtered, conditional, unlikelihood, rwr or awr."),
        "shape": Choice(str | None, "Start from random weights: tiny, small, medium or large."),
        "threshold": Choice(float | None, "A part is bad if its score is above this."),
        "row": Choice(int | None, "Tokens in a row; texts are packed."),
    },
)
