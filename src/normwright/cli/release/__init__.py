"""`normwright release`: whether a model may go out, and how far to trust that."""

from normwright.cli.release import examine, monitor, organisms, simulate
from normwright.cli.release.group import app

__all__ = ["app", "examine", "monitor", "organisms", "simulate"]
