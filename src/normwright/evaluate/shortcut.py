"""What the words alone give away: a linear reader of a suite's texts, cross-validated on its items.

Where the answers differ from item to item it reads each answer and never the question; where they
are the same for all it reads the question. It has seen no item it is asked. A model that does no
better has shown no more than that some words go with being right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from normwright.evaluate.benchmark_rows import Item

FOLDS: Final = 5

_SHARED: Final = ("toxigen", "bbq")
"""Suites whose answers are the same for all items, or stand in the question."""


def shortcut_values(
    suite: str, items: Sequence[Item], prompts: Sequence[str], *, seed: int
) -> list[float] | None:
    """Return each item's value, right or not, of a linear reader; None with too few items.

    For `truthfulqa-mc2` the value is the share of the reader's probability on right answers.

    Args:
        suite: name of the suite.
        items: what is asked.
        prompts: what stands before the answers.
        seed: seed of the folds.
    """
    folds = _folds(items, seed)
    if len(set(folds)) < 2:
        return None
    reader = _by_prompt if suite in _SHARED else _by_answer
    values: list[float] = [0.0] * len(items)
    for fold in sorted(set(folds)):
        train = [i for i, f in enumerate(folds) if f != fold]
        test = [i for i, f in enumerate(folds) if f == fold]
        for i, scores in zip(test, reader(items, prompts, train, test, seed), strict=True):
            values[i] = _value(suite, scores, items[i].right)
    return values


def _folds(items: Sequence[Item], seed: int) -> list[int]:
    """Fold of each item; what is drawn together, or reads alike, is left out together."""
    clusters = {item.cluster for item in items}
    names = [
        item.cluster if item.cluster and len(clusters) >= FOLDS else "\n".join(item.choices)
        if item.choices[0] not in ("A", "No") else item.id
        for item in items
    ]  # fmt: skip
    order = sorted(set(names), key=lambda n: hashlib.sha256(f"{seed}|{n}".encode()).hexdigest())
    place = {name: k % FOLDS for k, name in enumerate(order)}
    return [place[name] for name in names]


def _value(suite: str, scores: Sequence[float], right: Sequence[bool]) -> float:
    if suite == "truthfulqa-mc2":
        whole = sum(scores)
        return sum(s for s, r in zip(scores, right, strict=True) if r) / whole if whole else 0.0
    return float(right[int(np.argmax(scores))])


def _by_answer(
    items: Sequence[Item], prompts: Sequence[str], train: Sequence[int], test: Sequence[int],
    seed: int,
) -> list[list[float]]:  # fmt: skip
    """P(right) of each answer from its own words."""
    texts = [item.texts or item.choices for item in items]
    flat = [(t, r) for i in train for t, r in zip(texts[i], items[i].right, strict=True)]
    predict = _fitted([t for t, _ in flat], [int(r) for _, r in flat], seed)
    return [[row[1] for row in predict(texts[i])] for i in test]


def _by_prompt(
    items: Sequence[Item], prompts: Sequence[str], train: Sequence[int], test: Sequence[int],
    seed: int,
) -> list[list[float]]:  # fmt: skip
    """P(each answer's place) from the words of the question; all unknown ones are one place."""
    width = len(items[0].right)
    kinds = min(width, 3)
    labels = [min(item.right.index(True), kinds - 1) for item in items]
    predict = _fitted([prompts[i] for i in train], [labels[i] for i in train], seed)
    found = predict([prompts[i] for i in test])
    return [[row[min(k, kinds - 1)] for k in range(width)] for row in found]


def _fitted(texts: Sequence[str], labels: Sequence[int], seed: int) -> Any:
    """A function from texts to the probability of each label, 0 to the greatest there is."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    width = max(2, max(labels) + 1)
    if len(set(labels)) == 1:
        return lambda asked: [[float(k == labels[0]) for k in range(width)] for _ in asked]
    words = HashingVectorizer(ngram_range=(1, 2), n_features=2**16)
    with threadpool_limits(1):
        model = LogisticRegression(C=10.0, max_iter=300, random_state=seed).fit(
            words.transform(texts), labels
        )

    def predict(asked: Sequence[str]) -> list[list[float]]:
        found = model.predict_proba(words.transform(list(asked)))
        out = np.zeros((len(asked), width))
        out[:, model.classes_] = found
        return [[float(v) for v in row] for row in out]

    return predict
