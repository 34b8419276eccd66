"""Scores of suites from wherever a person has them: files, folders, projects, published tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.flow.history import state_at
from normwright.flow.settings import FILE
from normwright.flow.stores import open_store
from normwright.records import Fault, InputError, Measurement

if TYPE_CHECKING:
    from normwright.evaluate import Degeneracy, Published, Score, ScoreDifference


@dataclass(frozen=True)
class ScoresCompared:
    """Rows of scores, what differs between them, and the table they stand beside."""

    rows: tuple[Score, ...]
    comparisons: tuple[ScoreDifference, ...]
    claims: tuple[str, ...]
    table: Published | None
    seed: int

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "rows": [row.as_json() for row in self.rows],
            "comparisons": [one.as_json() for one in self.comparisons],
            "claims": list(self.claims),
            "against": None if self.table is None else self.table.about(),
            "seed": self.seed,
        }


def compared_scores(
    places: Sequence[Path], *, against: str | None = None, claims: Sequence[str] = (), seed: int = 0
) -> ScoresCompared:
    """Return the scores of one or two places, beside a published table, and what differs.

    Args:
        places: none, one or two of: a result or a folder of results of `evaluate run --out`, a CSV
            file of counts, a project. Of two, the second is compared with the first.
        against: name of a published table, whose models are compared with those they came from.
        claims: suites a rise is claimed on, for Holm's correction.
        seed: seed of the resampling.

    Raises:
        InputError: with every fault of what is there, or if a claim is on no shared suite.
    """
    from normwright.evaluate import compare_scores, lineages, published

    table = None if against is None else published(against)
    found = [read_any(place) for place in places]
    comparisons: list[ScoreDifference] = []
    if len(found) > 1:
        before, after = found
        missing = sorted(set(claims) - ({s.name for s in before} & {s.name for s in after}))
        if missing:
            raise InputError([
                Fault(where="--claim", expected="a suite that both sides have", seen=name)
                for name in missing
            ])  # fmt: skip
        for mine, theirs in _by_model(before, after, places):
            comparisons += compare_scores(mine, theirs, claims=claims, seed=seed)
    if table is not None:
        comparisons += lineages(table.scores, seed=seed)
    rows = [score for each in found for score in each]
    return ScoresCompared(
        tuple(rows) + (table.scores if table else ()),
        tuple(comparisons),
        tuple(claims),
        table,
        seed,
    )


def _by_model(
    before: Sequence[Score], after: Sequence[Score], places: Sequence[Path]
) -> list[tuple[list[Score], list[Score]]]:
    """Scores of one model on each side: the only ones there are, or those of one name."""
    names = [list(dict.fromkeys(s.model for s in side)) for side in (before, after)]
    if len(names[0]) == len(names[1]) == 1:
        return [(list(before), list(after))]
    shared = [name for name in names[0] if name in names[1]]
    if not shared:
        raise InputError([
            Fault(where=str(place), expected="one model, or the models of the other side",
                  seen=", ".join(found), do="Compare folders of one model each.")
            for place, found in zip(places, names, strict=True)
        ])  # fmt: skip
    return [
        ([s for s in before if s.model == name], [s for s in after if s.model == name])
        for name in shared
    ]


def read_any(place: Path) -> list[Score]:
    """Return the scores of a file, a folder of results, or a project's last finished run.

    Raises:
        InputError: if there is nothing of the kind.
    """
    from normwright.evaluate import measured_scores, read_scores

    if not (place / FILE).is_file():
        return read_scores(place)
    with open_store(place, create=False) as store:
        found = [
            m
            for name, result in state_at(store).results.items()
            if name.startswith("evaluate.")
            for m in store.records(result.made, Measurement)
        ]
    scores = measured_scores(found, name=place.resolve().name)
    if not scores:
        raise InputError([
            Fault(where=str(place), expected="a run that measured benchmarks", seen="none measured",
                  do="Name a folder of data in normwright.yaml (evaluate.benchmarks), and run it.")
        ])  # fmt: skip
    return scores


@dataclass(frozen=True)
class CountsJudged:
    """Each row of a file of counts, with whether a constant answer could have made it."""

    file: Path
    rows: tuple[tuple[Any, Degeneracy], ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "rows": [
                {
                    "model": count.model,
                    "suite": count.suite,
                    "degenerate": found.degenerate,
                    "why": found.why,
                    "n": count.n,
                    "correct": count.correct,
                    "score": count.correct / count.n,
                    "interval": [found.interval.low, found.interval.high],
                    "constant": [{"answer": a, "score": s} for a, s in count.constants.items()],
                    "consistent_with": list(found.consistent_with),
                }
                for count, found in self.rows
            ],
        }


def judged_counts(path: Path) -> CountsJudged:
    """Return each count of a file with whether it is shown to be more than a constant answer's.

    Raises:
        InputError: with every fault of the file.
    """
    from normwright.evaluate import degeneracy, read_counts

    counts = read_counts(path)
    return CountsJudged(path, tuple((c, degeneracy(c.correct, c.n, c.constants)) for c in counts))
