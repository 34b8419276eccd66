"""From what a rule makes of people's preferences to scored answers, and from those to anchors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from normwright.records import (
    Demonstration,
    Fault,
    InputError,
    Message,
    ScoredAnswer,
    ScoredAnswers,
    Targets,
)


def scored_answers(
    targets: Targets,
    texts: Mapping[str, str],
    *,
    prompt: Sequence[Message],
    temperature: float = 1.0,
    group: str | None = None,
    **about: Any,
) -> ScoredAnswers:
    """Return the alternatives of one question as answers, scored by the rule of the targets.

    Where the rule makes a lottery, scores are the logarithms of its probabilities, so that at
    temperature 1 the lottery itself is the target; an alternative the lottery never draws is left
    out, because no finite score says never. Otherwise a score is the mean probability with which an
    alternative is preferred to each of the others: Borda's score under the rule's probabilities.

    Args:
        targets: what a rule makes of people's preferences.
        texts: the answer that stands for each alternative.
        prompt: what they are answers to.
        temperature: what scores are divided by.
        group: whose targets; None: those of all together.
        about: what else a row says of itself: `scene`, `lang`, `origin`, `licence`, `family`.

    Raises:
        InputError: if an alternative has no text, or the rule says nothing of a pair.
    """
    pairs = [one for one in targets.targets if one.group == group]
    lottery = targets.lottery if group is None else {}
    scores = (
        {name: math.log(p) for name, p in lottery.items() if p > 0}
        if lottery
        else _borda([(one.a, one.b, one.probability) for one in pairs])
    )
    faults = [
        Fault(where=name, expected="a text for this alternative", seen="none")
        for name in scores
        if name not in texts
    ]
    if len(scores) < 2:
        faults.append(Fault(where=targets.rule, expected="two alternatives with scores or more",
                            seen=str(len(scores))))  # fmt: skip
    if faults:
        raise InputError(faults)
    return ScoredAnswers(
        prompt=tuple(prompt),
        candidates=tuple(ScoredAnswer(text=texts[name], score=s) for name, s in scores.items()),
        temperature=temperature,
        group=group,
        rule=targets.rule,
        **about,
    )


def _borda(pairs: Sequence[tuple[str, str, float | None]]) -> dict[str, float]:
    silent = [f"{a} and {b}" for a, b, p in pairs if p is None]
    if silent:
        raise InputError([
            Fault(where=both, expected="a probability for every pair", seen="none")
            for both in silent[:20]
        ])  # fmt: skip
    won: defaultdict[str, list[float]] = defaultdict(list)
    for a, b, p in pairs:
        if p is not None:
            won[a].append(p)
            won[b].append(1 - p)
    if len({len(shares) for shares in won.values()}) > 1:
        raise InputError([
            Fault(where="targets", expected="every alternative compared with every other",
                  seen="some compared more often")
        ])  # fmt: skip
    return {name: sum(shares) / len(shares) for name, shares in won.items()}


def best_answers(rows: Sequence[ScoredAnswers]) -> list[Demonstration]:
    """Return the best-scored answer of each row, for an anchor to imitate; of equals the first."""
    return [
        Demonstration(
            scene=row.scene,
            lang=row.lang,
            prompt=row.prompt,
            completion=max(row.candidates, key=lambda one: one.score).text,
            norms=row.norms,
            origin=row.origin,
            licence=row.licence,
            family=row.family,
        )
        for row in rows
    ]
