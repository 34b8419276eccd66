"""`normwright guard`: check texts and conversations against a policy, and serve that to others."""

from normwright.cli.guard import check, serve
from normwright.cli.guard.group import app

__all__ = ["app", "check", "serve"]
