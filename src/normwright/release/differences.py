"""The difference of two measured rates: in pairs where both have the items, else apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from normwright import stats
from normwright.records import Digest, Estimate, Measurement
from normwright.release.evidence import Found, Missing, State, need
from normwright.release.wording import Number, Said, role_words, suite_words

SEED = 0
"""Seed of the resampling of pairs, so that the same evidence gives the same verdict."""


@dataclass(frozen=True)
class Difference:
    """One rate less another, with the interval that its two one-sided bounds make."""

    estimate: Estimate
    paired: bool
    """Whether the same items were asked both times; else the interval is wider than need be."""
    alone: int
    """Items that only one of the two has, which no pair can use."""
    evidence: tuple[Digest, ...]

    @property
    def said(self) -> Said:
        """How it was compared."""
        if not self.paired:
            return Said("difference.apart")
        n = Number(self.estimate.n, "count")
        if self.alone:
            return Said("difference.paired_some", {"n": n, "alone": Number(self.alone, "count")})
        return Said("difference.paired", {"n": n})


def difference(one: Measurement, other: Measurement, alpha: float) -> Difference:
    """Return one - other with an interval of which each end is a bound at `alpha`.

    Items that both have are compared in pairs: hits by Tango's score (Statistics in Medicine 17,
    1998), anything else by a bootstrap over units. Without common items the two are samples apart
    (Farrington and Manning, Statistics in Medicine 9, 1990).

    Raises:
        Missing: if one of them observed nothing.
    """
    evidence = tuple(dict.fromkeys((one.digest, other.digest)))
    for each in (one, other):
        if each.estimate.value is None or each.estimate.n == 0:
            named = {"suite": suite_words(each.suite), "model": role_words(each.model)}
            raise Missing(Said("missing.empty", named), (each.digest,))
    level = 1 - 2 * alpha
    a, b = one.details.get("items") or {}, other.details.get("items") or {}
    if common := sorted(set(a) & set(b)):
        units = one.details.get("clusters")
        pairs = [(a[item], b[item]) for item in common]
        names = None if units is None else [units[item] for item in common]
        estimate = _in_pairs(pairs, names, level)
        return Difference(estimate, True, len(set(a) ^ set(b)), evidence)
    if one.count is not None and other.count is not None:
        counts = ((one.count, one.estimate.n), (other.count, other.estimate.n))
        return Difference(stats.rate_difference(*counts, level=level), False, 0, evidence)
    estimate = stats.share_difference(other.estimate, one.estimate, level=level)
    return Difference(estimate, False, 0, evidence)


def gap_found(
    kind: str,
    state: State,
    found: Difference,
    told: Mapping[str, Any],
    *,
    margin: float,
    far: float,
    near: float,
    needed: int | None,
    beside: Sequence[Said] = (),
    evidence: Sequence[Digest] = (),
) -> Found:
    """Return how a difference came out that had to stay within a margin, with its reasons.

    Args:
        kind: whose words it is told in.
        state: how it came out.
        found: the difference.
        told: what fills the first sentence.
        margin: how large it may be.
        far: the bound that a pass rests on.
        near: the bound that a failure rests on.
        needed: units that would settle it.
        beside: further sentences.
        evidence: further records it rests on.
    """
    reason = [Said(f"{kind}.{state}", told), found.said, *beside]
    if state == "inconclusive":
        reason.append(need(needed, Said("unit.")))
    return Found(
        state=state,
        reason=tuple(reason),
        observed=found.estimate.value,
        bound=near if state == "fail" else far,
        side="lower" if state == "fail" else "upper",
        limit=margin,
        n=found.estimate.n,
        n_needed=needed,
        evidence=tuple(dict.fromkeys((*found.evidence, *evidence))),
    )


def _in_pairs(
    pairs: Sequence[tuple[float, float]], units: Sequence[str] | None, level: float
) -> Estimate:
    """The mean difference over pairs: a score interval for hits, a bootstrap for all else."""
    if units is None and {value for pair in pairs for value in pair} <= {0.0, 1.0}:
        wins = sum(x > y for x, y in pairs)
        losses = sum(x < y for x, y in pairs)
        return stats.paired_rate_difference(wins, losses, len(pairs), level=level)
    return stats.paired_difference(
        [x for x, _ in pairs], [y for _, y in pairs], clusters=units, seed=SEED, level=level,
        bounds=(-1.0, 1.0),
    )  # fmt: skip
