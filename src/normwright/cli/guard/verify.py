"""`normwright guard verify`: whether the audit chain of a served guard holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from normwright.cli.guard.group import app
from normwright.cli.guard.serve import STATE
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, FAILED, console, emit, fault_json
from normwright.cli.words import choose, words
from normwright.records import Fault, InputError


@app.command("verify", epilog="Example:  normwright guard verify .normwright/guard")
def verify(
    state: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The state of the server.", show_default=STATE)
    ] = Path(STATE),
    *,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Check every entry of the audit chain, and that each verdict has its own; exit 1 if not.

    Nothing is written. The server may be running.
    """
    from normwright.store import VERDICT, VerdictBook, check_chains, pruned_before, read_lines

    folder = state / "audit"
    if not folder.is_dir():
        do = "Give the folder that `guard serve --state` was given."
        raise InputError([Fault(where=str(state), expected="the state of a served guard",
                                seen="none", do=do)])  # fmt: skip
    faults = list(check_chains(folder))
    file = state / "verdicts.db"
    if file.is_file():
        book = VerdictBook(file)
        try:
            faults += book.check(folder)
        finally:
            book.close()
    entries = verdicts = 0
    if not faults:
        for path in folder.glob("*.jsonl"):
            for line in read_lines(path):
                entries += 1
                verdicts += line.entry.kind == VERDICT and not line.erased
    before = pruned_before(folder)
    if as_json:
        emit({"entries": entries, "verdicts": verdicts, "pruned_before": before,
              "faults": [fault_json(f) for f in faults]})  # fmt: skip
        return FAILED if faults else DONE
    out, said = console(), words(choose(lang))
    for fault in faults:
        told = said["guard-broken"].format(
            where=fault.where, expected=fault.expected, seen=fault.seen
        )
        out.print(told, style="red", markup=False)
    if not faults:
        told = said["guard-holds"].format(entries=entries, verdicts=verdicts)
        out.print(told, style="green", markup=False)
    if before is not None:
        out.print(said["guard-pruned-before"].format(date=before), style="dim", markup=False)
    return FAILED if faults else DONE
