"""Opinion groups in a file of votes, if it holds any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.aggregate import Analysis
    from normwright.flow.ballots import Cast


@dataclass(frozen=True)
class OpinionGroups:
    """What the votes of a file say of opinions."""

    cast: Cast
    analysis: Analysis

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value, without anybody's name."""
        return {
            **self.analysis.as_json(self.cast.texts),
            "format": self.cast.format,
            "source": self.cast.digest,
        }


def groups_of(
    path: Path,
    cast: Cast,
    *,
    pipeline: str = "mixture",
    seed: int = 0,
    rounds: int = 50,
    progress: Callable[[int, int, str], None] | None = None,
) -> OpinionGroups:
    """Return the opinion groups of votes, what speaks for them, and what they agree on.

    Args:
        path: where the votes were read, for messages.
        cast: what was read.
        pipeline: `mixture`, or `polis` for the formulas of Polis.
        seed: seed of every random step.
        rounds: number of subsamples.
        progress: is told how far the work is.

    Raises:
        InputError: if people did not vote on statements, or there is no such pipeline.
    """
    from normwright.aggregate import opinion_analysis
    from normwright.aggregate.opinions import PIPELINES

    faults = []
    if cast.profile is None:
        faults.append(
            Fault(
                where=str(path),
                expected="votes on statements: agree, disagree or pass",
                seen=f"ballots that rank or compare ({cast.format})",
                do="Rank them: normwright aggregate rank.",
            )
        )
    chosen = next((one for one in PIPELINES if one == pipeline), None)
    if chosen is None:
        faults.append(
            Fault(where="--pipeline", expected=" or ".join(PIPELINES), seen=repr(pipeline))
        )
    if faults or cast.profile is None or chosen is None:
        raise InputError(faults)

    def told(what: str, done: int, of: int) -> None:
        if progress is not None:
            progress(done, of, what)

    analysis = opinion_analysis(
        cast.profile, pipeline=chosen, seed=seed, rounds=rounds, progress=told
    )
    return OpinionGroups(cast, analysis)
