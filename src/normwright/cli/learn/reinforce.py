"""`normwright learn reinforce`: a model learns from what its own answers are worth."""

from __future__ import annotations

from pathlib import Path

from normwright.cli.learn.train import Choice, recipe_command

recipe_command(
    "reinforce",
    """Train a model on what its own answers are worth: rows with `prompt`.

    A reward model says what an answer is worth. Norms in the settings are held by a multiplier each
    (`norms`: norm, layer, limit, a cost model or phrases); groups, a budget of divergence and the
    price of a token stand there too. `id`, `lang`, `norms` and `group` of a row may be left out.
    """,
    example="normwright learn reinforce --model tuned --data prompts.jsonl --reward reward "
    "--unpermitted --out reinforced",
    own={
        "reward": Choice(
            Path | None, "A reward model; `rewards` in the settings has several.", None, "DIR"
        ),
        "reference": Choice(
            Path | None, "What the model is held to; the model it starts from if left out.", None,
            "DIR",
        ),
        "beta": Choice(float | None, "How strongly the reference holds, in reward for one nat."),
        "generations": Choice(int | None, "Answers a prompt in each step."),
        "length": Choice(int | None, "Longest answer in tokens."),
    },
)  # fmt: skip
