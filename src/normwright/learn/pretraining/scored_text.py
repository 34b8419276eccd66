"""Texts of which parts are scored, as rows for an objective of `pretraining.objectives`."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from normwright.learn.pretraining.corpus import IGNORE, TokenCorpus
from normwright.learn.pretraining.objectives import PretrainingObjective, needs_threshold
from normwright.models.chat import CONTROLS, plain
from normwright.records import Fault, InputError, Passage


def segments(passage: Passage) -> list[tuple[str, float]]:
    """Return the parts of a passage with how bad each is; NaN where nobody said."""
    if passage.score is not None:
        return [(passage.text, passage.score)]
    parts: list[tuple[str, float]] = []
    at = 0
    for start, end, score in passage.spans:
        parts += [(passage.text[at:start], math.nan), (passage.text[start:end], score)]
        at = end
    parts.append((passage.text[at:], math.nan))
    return [(text, score) for text, score in parts if text]


def scored_corpus(
    tokenizer: Any,
    passages: Sequence[Passage],
    objective: PretrainingObjective,
    *,
    row: int,
    seed: int,
) -> tuple[TokenCorpus, Counter[str]]:
    """Return passages in random order, packed into rows, and what became of their parts.

    Under `conditional` each scored part begins with its control token, in every row that it runs
    into; the token itself carries no loss, as it is never to be said.

    Args:
        tokenizer: gives the ids.
        passages: the texts.
        objective: which objective they are packed for.
        row: tokens a row; the last is padded.
        seed: draws the order, and which control tokens are left out.
    """
    rng, threshold = random.Random(seed), objective.threshold
    counts: Counter[str] = Counter()
    begin = tokenizer.convert_tokens_to_ids(tokenizer.bos_token) if tokenizer.bos_token else None
    ids: list[int] = []
    targets: list[int] = []
    scores: list[float] = []

    def put(token: int, score: float, *, control: int | None, silent: bool = False) -> None:
        if control is not None and len(ids) % row == 0 and token != control:
            put(control, score, control=control, silent=True)
        ids.append(token)
        targets.append(IGNORE if silent else token)
        scores.append(score)

    for passage in rng.sample(list(passages), len(passages)):
        parts = segments(passage)
        bad = [threshold is not None and score > threshold for _, score in parts]
        counts["texts"] += 1
        counts["bad parts"] += sum(bad)
        counts["unscored parts"] += sum(math.isnan(score) for _, score in parts)
        if objective.method == "filtered" and any(bad):
            counts["texts left out"] += 1
            continue
        if begin is not None:
            put(begin, math.nan, control=None)
        for (text, score), is_bad in zip(parts, bad, strict=True):
            control = None
            if objective.method == "conditional" and not math.isnan(score):
                if rng.random() < objective.dropped:
                    counts["control tokens dropped"] += 1
                else:
                    said = CONTROLS["misaligned" if is_bad else "aligned"]
                    control = tokenizer.convert_tokens_to_ids(said)
                    put(control, score, control=control, silent=True)
            for token in tokenizer(plain(text), add_special_tokens=False)["input_ids"]:
                put(token, score, control=control)
    missing = -len(ids) % row
    tokens = np.array([*ids, *[tokenizer.pad_token_id] * missing], np.int32)
    goals = np.array([*targets, *[IGNORE] * missing], np.int32)
    how_bad = np.array([*scores, *[math.nan] * missing], np.float32)
    starts = np.arange(0, len(tokens) + 1, row)
    return TokenCorpus(tokens, goals, starts, how_bad), counts


def check_scores(passages: Sequence[Passage], objective: PretrainingObjective) -> None:
    """Raise InputError if an objective cannot be reached with these texts."""
    faults = []
    method = objective.method
    scored = [score for p in passages for _, score in segments(p) if not math.isnan(score)]
    if not passages:
        faults.append(Fault(where="rows", expected="at least one text", seen="none"))
    elif method != "mle" and not scored:
        faults.append(
            Fault(
                where=f"objective {method}",
                expected="rows with `score` or `spans`",
                seen="none in any row",
                do="Score the text first, or use mle.",
            )
        )
    if needs_threshold(method) and objective.threshold is None:
        faults.append(
            Fault(
                where=f"objective {method}",
                expected="a threshold above which a part is bad",
                seen="none",
                do="Give --threshold; a default would decide for you what is bad.",
            )
        )
    elif needs_threshold(method) and objective.threshold is not None and scored:
        worse = sum(score > objective.threshold for score in scored)
        if worse in (0, len(scored)):
            seen = f"{worse} of {len(scored)} above {objective.threshold}"
            faults.append(
                Fault(
                    where=f"objective {method}",
                    expected="parts on both sides of the threshold",
                    seen=seen,
                    do="Choose another threshold, or use mle.",
                )
            )
    if faults:
        raise InputError(faults)
