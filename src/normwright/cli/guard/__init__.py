"""`normwright guard`: check texts and conversations against a policy."""

from normwright.cli.guard import check
from normwright.cli.guard.group import app

__all__ = ["app", "check"]
