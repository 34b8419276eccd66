"""`normwright release`: whether a model may go out, and how far to trust that."""

from normwright.cli.release import monitor, organisms, simulate
from normwright.cli.release.group import app

__all__ = ["app", "monitor", "organisms", "simulate"]
