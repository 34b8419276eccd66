"""Items a model was trained on are no evidence: they are taken out and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from normwright.texts import Benchmarks


@dataclass(frozen=True)
class Contaminated:
    """Which items are left, and which were found in training rows."""

    clean: tuple[str, ...]
    """Ids of the items that no row holds."""
    found: Mapping[str, tuple[str, float]]
    """By item that was taken out: the first row that holds it, and the share of its runs there."""

    @property
    def share(self) -> float:
        """Share of the items that were taken out; 0 without items."""
        n = len(self.clean) + len(self.found)
        return len(self.found) / n if n else 0.0


def contaminated(
    items: Mapping[str, str], rows: Iterable[tuple[str, str]], *, run: int = 13
) -> Contaminated:
    """Return which items of an evaluation stand in rows a model was trained on.

    An item counts as found if a row has at least half of its runs of words; `texts.overlap` says
    how short items are looked for. Paraphrases are not found.

    Args:
        items: text by id.
        rows: name and text of each training row.
        run: words in a run.
    """
    sought = Benchmarks(items.items(), run=run, fewest=min(6, run))
    # The same text twice is sought under its first id and found for both.
    first: dict[str, str] = {}
    alike = {i: first.setdefault(text, i) for i, text in items.items()}
    found: dict[str, tuple[str, float]] = {}
    for name, text in rows:
        held = sought.find(text)
        while held is not None and held.item not in found:
            found[held.item] = (name, held.share)
            held = None
    hit = {i: found[same] for i, same in alike.items() if same in found}
    return Contaminated(tuple(i for i in items if i not in hit), hit)
