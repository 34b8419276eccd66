"""What the axioms say about the ballots in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normwright.records import Audit, AxiomFinding

if TYPE_CHECKING:
    from normwright.flow.ballots import Cast


@dataclass(frozen=True)
class Audited:
    """Ballots and what was found when they were audited."""

    cast: Cast
    audit: Audit

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value; intervals are their two ends."""
        told = self.audit.model_dump(mode="json", exclude={"findings"})
        return {
            "findings": [_finding(one) for one in self.audit.findings],
            **told,
            "format": self.cast.format,
            "source": self.cast.digest,
        }


def audited(
    cast: Cast,
    *,
    methods: Sequence[str] | None = None,
    seed: int = 0,
    rounds: int = 200,
    budget: float = 30.0,
    progress: Callable[[int, int, str], None] | None = None,
) -> Audited:
    """Return what the axioms say about these ballots, by each method that takes them.

    Args:
        cast: the ballots.
        methods: slugs; None: each there is.
        seed: seed of all that is drawn.
        rounds: resamples of the voters.
        budget: seconds it may take; what it leaves no room for is told.
        progress: is told how far the work is.

    Raises:
        PluginError: if there is no such method.
        Inapplicable: if no method takes these ballots.
    """
    from normwright.aggregate import audit

    found = audit(
        cast.election, methods=methods, seed=seed, rounds=rounds, budget=budget, progress=progress
    )
    return Audited(cast, found)


def _finding(found: AxiomFinding) -> dict[str, Any]:
    told = found.model_dump(mode="json")
    interval = found.interval
    told["interval"] = None if interval is None else [interval.low, interval.high]
    told["interval_method"] = None if interval is None else interval.method
    return told
