"""`normwright charter`: check norms, ask them, change them, ratify, enact and permit."""

from normwright.cli.charter import (
    as_of,
    cases,
    check,
    decide,
    diff,
    draft,
    enact,
    exchange,
    lint,
    permit,
    ratify,
    show,
)
from normwright.cli.charter.group import app

__all__ = [
    "app",
    "as_of",
    "cases",
    "check",
    "decide",
    "diff",
    "draft",
    "enact",
    "exchange",
    "lint",
    "permit",
    "ratify",
    "show",
]
