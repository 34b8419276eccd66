"""Vectors of English words from the shared texts, for words that no labelled row has met.

Counts of words beside words within a window, weighed by distance, as positive pointwise mutual
information with a smoothed context (Levy, Goldberg and Dagan, TACL 2015), and a truncated singular
value decomposition. No label is looked at, and no text of the locked part. A vector stands at the
column of its word, so that a weight on vectors is a weight on columns and costs nothing to serve.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.guard.text_harm.fit import HarmRow
from normwright.guard.text_harm.grams import BUCKETS, form, tokens, word_columns

FIELDS = {
    "morals/ethics_en": ("text", "other"),
    "morals/habermas_questions_en": ("question", "affirming_statement", "negating_statement"),
    "morals/daily_dilemmas_en": ("situation", "dilemma"),
    "benchmarks/bbq_en": ("context", "question"),
    "benchmarks/truthfulqa_judge_en": ("question", "answer"),
    "behaviour/persona_en": ("statement",),
    "text/en_books_00": ("text",),
}
"""File of the shared data -> what is read of it; none of them is measured on."""
WORDS, SIZE, WINDOW, LEAST = 16_000, 100, 5, 5
COMMON = 3_000.0
"""Number of occurrences at which a word counts half (Arora, Liang and Ma, ICLR 2017)."""
SEED = 7
_PIECE = 15_000
_PARAGRAPH = re.compile(r"\n\s*\n")
Floats = NDArray[np.float64]


def vectors(data: Path, rows: Sequence[HarmRow]) -> Any:
    """Return a sparse matrix of shape (BUCKETS, SIZE), zero where no word has its column."""
    from scipy.sparse import csr_matrix

    said = [*_texts(data), *(r.text for r in rows if _free(r))]
    words, counts, found = _counted(said)
    found = _decomposed(_informed(found))
    found -= found.mean(axis=0)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    found *= (COMMON / (COMMON + counts))[:, None] / np.maximum(length, 1e-9)
    places = word_columns(words)
    at = (np.repeat(places, SIZE), np.tile(np.arange(SIZE), len(words)))
    return csr_matrix((found.ravel(), at), shape=(BUCKETS, SIZE))


def _free(row: HarmRow) -> bool:
    return row.lang == "en" and row.part == "learn" and row.measured and "hate" in row.labels


def _texts(data: Path) -> Iterator[str]:
    for name, fields in FIELDS.items():
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                for field in fields:
                    yield from _PARAGRAPH.split(str(row.get(field) or ""))


def _counted(texts: Sequence[str]) -> tuple[list[str], Floats, Any]:
    """The words, how often each is met, and how often two stand near each other."""
    from scipy.sparse import coo_matrix, csr_matrix

    read = [tokens(form(t[i : i + _PIECE])) for t in texts for i in range(0, len(t), _PIECE)]
    met = Counter(word for one in read for word in one)
    words = [w for w, n in sorted(met.items(), key=lambda x: (-x[1], x[0]))[:WORDS] if n >= LEAST]
    place = {w: i for i, w in enumerate(words)}
    gap = [-1] * WINDOW
    ids = np.array([i for one in read for i in (*(place.get(w, -1) for w in one), *gap)])
    found = csr_matrix((len(words), len(words)))
    for far in range(1, WINDOW + 1):
        a, b = ids[:-far], ids[far:]
        both = (a >= 0) & (b >= 0)
        near = coo_matrix((np.full(both.sum(), 1.0 / far), (a[both], b[both])), shape=found.shape)
        found = found + near.tocsr() + near.T.tocsr()
    return words, np.array([float(met[w]) for w in words]), found


def _informed(found: Any) -> Any:
    """Positive pointwise mutual information, contexts smoothed by the power of three quarters."""
    from scipy.sparse import csr_matrix

    whole = np.asarray(found.sum(axis=1)).ravel()
    context = whole**0.75 / (whole**0.75).sum()
    at = found.tocoo()
    gain = np.log(at.data / (whole[at.row] * context[at.col]))
    kept = gain > 0
    return csr_matrix((gain[kept], (at.row[kept], at.col[kept])), shape=found.shape)


def _decomposed(found: Any) -> Floats:
    from sklearn.utils.extmath import randomized_svd

    left, size, _ = randomized_svd(found, n_components=SIZE, n_iter=3, random_state=SEED)
    return np.asarray(left * size**0.5)
