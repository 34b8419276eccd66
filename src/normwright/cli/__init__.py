"""The command line: one file a command group; parse, call one function, render.

Everything a command needs is imported when it runs, so that `--help` is quick.
"""

from normwright.cli.app import main

__all__ = ["main"]
