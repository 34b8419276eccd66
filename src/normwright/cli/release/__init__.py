"""`normwright release`: whether a model may go out, and how far to trust that."""

from normwright.cli.release import (
    case,
    decide,
    examine,
    monitor,
    organisms,
    sign,
    simulate,
    verify,
)
from normwright.cli.release.group import app

__all__ = [
    "app",
    "case",
    "decide",
    "examine",
    "monitor",
    "organisms",
    "sign",
    "simulate",
    "verify",
]
