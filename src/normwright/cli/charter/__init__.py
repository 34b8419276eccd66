"""`normwright charter`: check norms, ask what is allowed, show what was ratified."""

from normwright.cli.charter import cases, check, decide, show
from normwright.cli.charter.group import app

__all__ = ["app", "cases", "check", "decide", "show"]
