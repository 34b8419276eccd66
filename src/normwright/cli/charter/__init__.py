"""`normwright charter`: check and lint norms, ask what is allowed, show what was ratified."""

from normwright.cli.charter import check, decide, lint, show
from normwright.cli.charter.group import app

__all__ = ["app", "check", "decide", "lint", "show"]
