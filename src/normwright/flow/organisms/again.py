"""The same model measured twice: what comes out otherwise is the instrument's doing.

Once the same items are asked in batches of another size, which must change no answer: counted item
by item. And once other items are drawn, of which a few may come out otherwise by chance: counted by
cells, a part of a metric in one family and language, of which two draws are shown to differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from normwright.records import digest_json

RERUN: Final = "aa_rerun"
"""The metric, as a gate knows it."""
DRAW: Final = "draw"
"""The key of the slice of rows that are of another draw."""
ALPHA: Final = 0.01
"""Chance that two draws of equal rates are taken to differ in one cell; a gate allows more."""
OTHER: Final = 2**20
"""Added to a seed for another draw of items."""
SMALLER: Final = 3
"""By how much batches are smaller when the same items are asked again."""

Findings = Sequence[Mapping[str, Any]]


def otherwise(first: Findings, second: Findings) -> tuple[int, int]:
    """Return how many answers of how many came out otherwise when the same items were asked again.

    Raises:
        ValueError: if it was not the same that was asked.
    """
    one, other = dict(_values(first)), dict(_values(second))
    if set(one) != set(other) or not one:
        raise ValueError("two runs are compared on the same items, of which there is at least one")
    return sum(one[item] != other[item] for item in one), len(one)


def differing(first: Findings, second: Findings) -> tuple[int, int]:
    """Return in how many cells of how many two draws differ, each by Fisher's exact test at 1 %."""
    import numpy as np
    from scipy.stats import fisher_exact

    one, other = _cells(first), _cells(second)
    both = sorted(set(one) & set(other))
    tables = [[_counts(one[cell]), _counts(other[cell])] for cell in both]
    return sum(float(fisher_exact(np.array(t)).pvalue) <= ALPHA for t in tables), len(both)


def rerun_rows(
    same: tuple[int, int], draws: tuple[int, int], *, items: Sequence[str], model: str,
    charter: str, at: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return two rows of evidence for the control `aa_rerun`.

    Args:
        same: from `otherwise`.
        draws: from `differing`.
        items: ids of what was asked.
        model: what the rows name as their model.
        charter: digest of the charter.
        at: when, in UTC.
    """
    return [
        {
            "metric": RERUN, "slice": part, "k": k, "n": n, "cluster": unit, "model": model,
            "charter": charter, "evalset": digest_json(sorted(items)), "judge": None,
            "guard": None, "at": at,
        }
        for part, unit, (k, n) in (({}, "", same), ({DRAW: "other"}, "cell", draws))
    ]  # fmt: skip


def other_draw(rows: Findings) -> list[dict[str, Any]]:
    """Return rows of a second draw, told apart from those of the first by their slice."""
    return [{**row, "slice": {**row["slice"], DRAW: "other"}} for row in rows]


def asked(found: Findings) -> list[str]:
    """Return the ids of everything that was asked, once each."""
    return sorted({item for (_, _, item), _ in _values(found)})


def _values(found: Findings) -> Iterator[tuple[tuple[str, str, str], float]]:
    for one in found:
        for name, values in one["slices"].items():
            for item, value in values.items():
                yield (one["metric"], name, item), value


def _cells(found: Findings) -> dict[tuple[str, str, str, str], list[float]]:
    """Values by metric, slice, family and language, as the ids of scenes begin and end."""
    cells: dict[tuple[str, str, str, str], list[float]] = {}
    for (metric, name, item), value in _values(found):
        parts = item.split("/")
        if len(parts) < 2:
            continue  # a fact of a register, which belongs to no family
        lang = parts[-1] if len(parts[-1]) == 2 else ""
        cells.setdefault((metric, name, parts[0], lang), []).append(value)
    return cells


def _counts(values: Sequence[float]) -> list[int]:
    hits = sum(value > 0 for value in values)
    return [hits, len(values) - hits]
