"""`normwright guard`: check texts, conversations and calls of tools against a policy."""

from normwright.cli.guard import check, desk, serve, tools
from normwright.cli.guard.group import app

__all__ = ["app", "check", "desk", "serve", "tools"]
