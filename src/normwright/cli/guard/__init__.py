"""`normwright guard`: check texts, conversations and calls of tools against a policy."""

from normwright.cli.guard import calibrate, check, serve
from normwright.cli.guard.group import app

__all__ = ["app", "calibrate", "check", "serve"]
from normwright.cli.guard import contests, verify

__all__ = ["app", "check", "contests", "serve", "verify"]
from normwright.cli.guard import desk, tools

__all__ = ["app", "check", "desk", "serve", "tools"]
