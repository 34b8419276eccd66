"""The command line: one file a command group; parse, call one function, render.

Everything a command needs is imported when it runs, so that `--help` is quick.
"""

import gc

# Nothing that is imported here is garbage, and looking for some takes a tenth of a small command.
_collects = gc.isenabled()
gc.disable()

from normwright.cli.app import main  # noqa: E402

gc.freeze()
if _collects:
    gc.enable()

__all__ = ["main"]
