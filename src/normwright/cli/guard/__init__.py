"""`normwright guard`: check texts, conversations and calls of tools against a policy."""

from normwright.cli.guard import (
    bench,
    calibrate,
    check,
    contests,
    desk,
    prune,
    serve,
    tools,
    verify,
)
from normwright.cli.guard.group import app

__all__ = [
    "app",
    "bench",
    "calibrate",
    "check",
    "contests",
    "desk",
    "prune",
    "serve",
    "tools",
    "verify",
]
