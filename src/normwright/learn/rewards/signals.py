"""What an answer is worth or costs, as one number each: by a scorer, several, a judge, a phrase."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from normwright.models.protocol import Scorer
from normwright.records import Message

Columns = Mapping[str, Sequence[Any]]
"""What else is known of each answer: `id`, `lang`, `group`, `norms` of its prompt, `row`, the
prompt's number; `tokens`, the answer's token ids with its stop token, and `stopped`, whether it
has one."""

Signal = Callable[[Sequence[Sequence[Message]], Sequence[str], Columns], Sequence[float | None]]
"""From prompts, answers and columns to one number an answer; None where it cannot be told."""

Preference = Callable[
    [Sequence[Sequence[Message]], Sequence[str], Sequence[str], Columns], Sequence[float | None]
]
"""From prompts, answers, other answers and columns to the probability that the first is preferred;
the columns are those of the first answer."""

Judge = Callable[[Sequence[Message], str], bool | None]
"""Whether an answer to a prompt breaks a norm; None where the judge cannot tell."""


def scored(scorer: Scorer) -> Signal:
    """Return a reward model's score as a reward."""

    def signal(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        return list(scorer.score(prompts, completions))

    return signal


def ensemble(scorers: Sequence[Scorer], *, doubt: float = 1.0, worst: bool = False) -> Signal:
    """Return the mean score of several reward models, less `doubt` times its variance among them.

    An answer that the members disagree on is one that few of their pairs resemble: there the mean
    is least to be believed (Coste et al. 2023, arXiv 2310.02743). `worst` takes the lowest score
    in the place of all that. Members must be on one scale.

    Raises:
        ValueError: for fewer than two members, or a negative doubt, which would seek what the
            members disagree on.
    """
    if len(scorers) < 2 or doubt < 0:
        raise ValueError("an ensemble has two members or more, and its doubt is not negative")

    def signal(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        rows = zip(*(one.score(prompts, completions) for one in scorers), strict=True)
        return [min(row) if worst else _less_doubt(row, doubt) for row in rows]

    return signal


def _less_doubt(row: Sequence[float], doubt: float) -> float:
    mean = sum(row) / len(row)
    return mean - doubt * sum((one - mean) ** 2 for one in row) / len(row)


def breach(
    scorer: Scorer, *, kind: Literal["rate", "score"] = "rate", threshold: float = 0.0
) -> Signal:
    """Return the cost a cost model gives: its sign says whether a norm is broken.

    Args:
        scorer: a model of costs, above `threshold` for what breaks the norm.
        kind: `rate` is 1 for a breach and 0 for none, so that the mean is the share of answers
            that break the norm; `score` is the distance above the threshold, negative below it.
        threshold: where a breach begins.
    """

    def signal(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        above = [one - threshold for one in scorer.score(prompts, completions)]
        return [float(one > 0) for one in above] if kind == "rate" else list(above)

    return signal


def judged(judge: Judge) -> Signal:
    """Return 1 for each answer that a judge says breaks a norm, 0 for others, None for unknown."""

    def signal(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        found = [judge(p, c) for p, c in zip(prompts, completions, strict=True)]
        return [None if one is None else float(one) for one in found]

    return signal


def phrases(wanted: Sequence[str]) -> Signal:
    """Return 1 for each answer with one of these phrases, whatever their case and accents."""
    sought = [_bare(one) for one in wanted]

    def signal(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        return [float(any(one in _bare(c) for one in sought)) for c in completions]

    return signal


def _bare(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def per_token(price: float, *, beyond: int = 0) -> Signal:
    """Return `price` for each token of an answer beyond so many: against length as a shortcut."""

    def signal(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        return [price * max(0, len(tokens) - beyond) for tokens in columns["tokens"]]

    return signal


def unstopped(prompts: Sequence[Sequence[Message]], completions: Sequence[str],
              columns: Columns) -> list[float | None]:  # fmt: skip
    """Return 1 for each answer that was cut off at the longest length, 0 for one that ended."""
    return [float(not stopped) for stopped in columns["stopped"]]
