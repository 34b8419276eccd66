"""`normwright guard`: check conversations, and serve the guard before a model."""

from normwright.cli.guard import serve
from normwright.cli.guard.group import app

__all__ = ["app", "serve"]
