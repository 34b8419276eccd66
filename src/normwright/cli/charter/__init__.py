"""`normwright charter`: check norms, ask what is allowed, show what was ratified."""

from normwright.cli.charter import as_of, check, decide, diff, show
from normwright.cli.charter.group import app

__all__ = ["app", "as_of", "check", "decide", "diff", "show"]
