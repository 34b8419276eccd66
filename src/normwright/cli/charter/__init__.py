"""`normwright charter`: check norms, ask what is allowed, show what was ratified."""

from normwright.cli.charter import check, decide, permit, show
from normwright.cli.charter.group import app

__all__ = ["app", "check", "decide", "permit", "show"]
