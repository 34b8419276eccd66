"""Criterion kinds, one file each. A kind looks at evidence and says pass, fail or inconclusive."""

from normwright.release.criteria.kinds import Card, Kind, criterion_kind, kinds

__all__ = ["Card", "Kind", "criterion_kind", "kinds"]
