"""`normwright release`: whether a model may go out, by criteria that were there before."""

from normwright.cli.release import decide, sign, verify
from normwright.cli.release.group import app

__all__ = ["app", "decide", "sign", "verify"]
